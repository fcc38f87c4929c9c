//! The drawings of a digest, as SVG: events, incidents and pages by the day; and when a series spoke.
//!
//! All words in them are ours: no foreign text is drawn. Deliberately no shape that needs a legend: each row says what it is.

use std::fmt::Write as _;

use super::figures::Bucket;
use super::paper::Paper;
use crate::replay::wording::count;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 292.0;
/// Where the bars begin, and where they end.
const LEFT: f64 = 104.0;
const RIGHT: f64 = 620.0;
/// How wide a digit is.
const DIGIT: f64 = 6.6;

/// Takes a number out of a bar.
type Pick = fn(&Bucket) -> u64;

/// The colours of a drawing.
struct Palette {
    ground: &'static str,
    ink: &'static str,
    soft: &'static str,
    line: &'static str,
    /// Of events, incidents and pages.
    rows: [&'static str; 3],
}

const DAY: Palette = Palette {
    ground: "#ffffff",
    ink: "#1d2430",
    soft: "#5d6778",
    line: "#e4e7ec",
    rows: ["#7c93b2", "#c58a1c", "#c0392b"],
};

const NIGHT: Palette = Palette {
    ground: "#1b2027",
    ink: "#e4e8ee",
    soft: "#9aa5b5",
    line: "#2a313b",
    rows: ["#7f9ac0", "#e0ad4c", "#f0776a"],
};

/// All drawings of a digest with their names, in the order in which the HTML shows them.
#[must_use]
pub fn drawings(paper: &Paper) -> Vec<(String, String)> {
    let mut all = Vec::new();
    if paper.figures[0].0 > 0 {
        all.push(("week".to_owned(), week(paper, &DAY)));
        all.push(("week-dark".to_owned(), week(paper, &NIGHT)));
    }
    let rows = paper.sections.iter().flat_map(|section| &section.rows).filter(|row| !row.sparks.is_empty());
    all.extend(rows.enumerate().map(|(at, row)| (format!("spark-{at}"), spark(&row.sparks))));
    all
}

fn week(paper: &Paper, palette: &Palette) -> String {
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" font-family=\"Open Sans\">\
<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"{}\"/>",
        palette.ground
    );
    let picks: [(Pick, f64, f64); 3] = [
        (|bucket| bucket.events, 128.0, 84.0),
        (|bucket| bucket.incidents, 184.0, 30.0),
        (|bucket| bucket.pages, 240.0, 30.0),
    ];
    for ((pick, base, height), (colour, (sum, noun))) in picks.into_iter().zip(palette.rows.iter().zip(paper.figures)) {
        let _ = write!(
            out,
            "<text x=\"20\" y=\"{}\" font-size=\"19\" font-weight=\"600\" fill=\"{}\">{}</text>\
<text x=\"20\" y=\"{}\" font-size=\"12.5\" fill=\"{}\">{}</text>\
<line x1=\"{LEFT}\" y1=\"{base}\" x2=\"{RIGHT}\" y2=\"{base}\" stroke=\"{}\"/>",
            base - 15.0,
            palette.ink,
            count(sum),
            base + 1.0,
            palette.soft,
            noun_of(sum, noun),
            palette.line
        );
        bars(&paper.buckets, pick, (base, height), (colour, palette), &mut out);
    }
    labels(paper, palette, &mut out);
    out + "</svg>"
}

fn noun_of(sum: u64, noun: &str) -> &str {
    if sum == 1 { noun.trim_end_matches('s') } else { noun }
}

/// One row of bars on its base line, each with its number where there is room.
fn bars(
    buckets: &[Bucket],
    pick: Pick,
    (base, height): (f64, f64),
    (colour, palette): (&str, &Palette),
    out: &mut String,
) {
    let step = (RIGHT - LEFT) / buckets.len().max(1) as f64;
    let width = (step * 0.62).clamp(2.0, 46.0);
    let most = buckets.iter().map(pick).max().unwrap_or(0).max(1) as f64;
    for (at, bucket) in buckets.iter().enumerate() {
        let number = pick(bucket);
        if number == 0 {
            continue;
        }
        let middle = LEFT + step * (at as f64 + 0.5);
        let tall = (number as f64 / most * (height - 4.0)).max(2.0);
        let (x, y) = (middle - width / 2.0, base - tall);
        let _ = write!(
            out,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{tall:.1}\" rx=\"2\" fill=\"{colour}\"/>"
        );
        // The highest bar always says how high it is.
        let wide = count(number).len() as f64 * DIGIT;
        if wide <= step + 2.0 || number as f64 >= most {
            let _ = write!(
                out,
                "<text x=\"{middle:.1}\" y=\"{:.1}\" font-size=\"11.5\" text-anchor=\"middle\" fill=\"{}\">{}</text>",
                y - 4.0,
                palette.ink,
                count(number)
            );
        }
    }
}

/// What the bars are: as many labels as there is room for.
fn labels(paper: &Paper, palette: &Palette, out: &mut String) {
    let step = (RIGHT - LEFT) / paper.buckets.len().max(1) as f64;
    let every =
        (if paper.buckets.first().is_some_and(|b| b.label.contains(':')) { 44.0 } else { 62.0 } / step).ceil() as usize;
    for (at, bucket) in paper.buckets.iter().enumerate().step_by(every.max(1)) {
        let middle = LEFT + step * (at as f64 + 0.5);
        let _ = write!(
            out,
            "<text x=\"{middle:.1}\" y=\"260\" font-size=\"12\" text-anchor=\"middle\" fill=\"{}\">{}</text>",
            palette.soft, bucket.label
        );
    }
    let _ = write!(out, "<text x=\"20\" y=\"281\" font-size=\"11\" fill=\"{}\">{}</text>", palette.soft, paper.bar);
}

/// The bars of a series, in a colour that is seen by day and by night.
fn spark(sparks: &[u32]) -> String {
    const WIDE: f64 = 112.0;
    const TALL: f64 = 28.0;
    let step = WIDE / sparks.len().max(1) as f64;
    let most = f64::from(sparks.iter().copied().max().unwrap_or(0).max(1));
    let mut out = format!("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDE}\" height=\"{TALL}\">");
    for (at, &number) in sparks.iter().enumerate() {
        let tall = if number == 0 { 1.0 } else { (f64::from(number) / most * TALL).max(3.0) };
        let _ = write!(
            out,
            "<rect x=\"{:.2}\" y=\"{:.2}\" width=\"{:.2}\" height=\"{tall:.2}\" fill=\"#7e93b0\" fill-opacity=\"{}\"/>",
            step * at as f64,
            TALL - tall,
            (step - 1.0).max(1.0),
            if number == 0 { 0.45 } else { 1.0 }
        );
    }
    out + "</svg>"
}
