//! A digest as plain text: for mail programs that show no HTML, and for the terminal.

use std::fmt::Write as _;

use super::paper::{Paper, Row, Section};
use crate::replay::wording::{WIDTH, count, wrapped};

/// As wide as a bar of the chart gets.
const BAR: usize = 30;
/// How wide the number before a row is.
const FIGURE: usize = 10;

/// The digest as text, ending with a line end.
#[must_use]
pub fn write(paper: &Paper) -> String {
    let mut out = format!("{}\n\n{}\n{}\n", wrapped(&paper.headline, 0), paper.kicker, paper.period);
    for line in &paper.lead {
        let _ = writeln!(out, "{}", wrapped(line, 0));
    }
    if paper.figures[0].0 > 0 {
        chart(paper, &mut out);
    }
    for section in &paper.sections {
        write_section(section, &mut out);
    }
    if let Some(nothing) = &paper.nothing {
        let _ = write!(out, "\n{}\n", wrapped(nothing, 0));
    }
    let _ = write!(out, "\n{}\n", wrapped(&paper.account, 0));
    out
}

/// The bars, with their numbers.
fn chart(paper: &Paper, out: &mut String) {
    let most = paper.buckets.iter().map(|bucket| bucket.events).max().unwrap_or(0).max(1);
    let _ = write!(out, "\n{:<12}{:>FIGURE$}{:>11}{:>7}\n", "", "events", "incidents", "pages");
    for bucket in &paper.buckets {
        let bar = "#".repeat((bucket.events as f64 / most as f64 * BAR as f64).ceil() as usize);
        let some = |number: u64| if number == 0 { "-".to_owned() } else { count(number) };
        let (incidents, pages) = (some(bucket.incidents), some(bucket.pages));
        let line = format!("{:<12}{:>FIGURE$}{incidents:>11}{pages:>7}  {bar}", bucket.label, count(bucket.events));
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

fn write_section(section: &Section, out: &mut String) {
    let _ = write!(out, "\n{}\n{}\n", section.title, "-".repeat(section.title.chars().count()));
    if !section.lead.is_empty() {
        let _ = writeln!(out, "{}", wrapped(&section.lead, 0));
    }
    section.rows.iter().for_each(|row| write_row(row, out));
    if !section.patch.is_empty() {
        out.push('\n');
        // A patch is taken as it stands: no line of it is broken.
        for line in section.patch.lines() {
            let _ = writeln!(out, "{line}");
        }
    }
    if !section.foot.is_empty() {
        let _ = writeln!(out, "{}", wrapped(&section.foot, 0));
    }
}

fn write_row(row: &Row, out: &mut String) {
    let indent = FIGURE + 2;
    if row.figure.chars().count() > FIGURE {
        let _ = writeln!(out, "  {}: {}", wrapped(&row.head, 4), row.figure);
    } else {
        let _ = writeln!(out, "{:>FIGURE$}  {}", row.figure, wrapped(&row.head, indent));
    }
    for note in &row.notes {
        let _ = writeln!(out, "{}{}", " ".repeat(indent), wrapped(note, indent));
    }
    if row.sparks.iter().any(|spark| *spark > 0) {
        let _ = writeln!(out, "{}{}", " ".repeat(indent), levels(&row.sparks));
    }
}

/// The bars of a small drawing, as characters.
fn levels(sparks: &[u32]) -> String {
    const LEVELS: [char; 9] = ['.', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = sparks.iter().copied().max().unwrap_or(0).max(1);
    let level = |spark: &u32| LEVELS[(f64::from(*spark) / f64::from(most) * 8.0).ceil() as usize];
    sparks.iter().take(WIDTH).map(level).collect()
}
