//! Numbers, times and lengths as people read them, and text laid out in columns.
//!
//! Deliberately without a terminal: whether there is colour is an argument.

use crate::domain::{Severity, Timestamp};

/// The columns that text for people may take.
pub const WIDTH: usize = 100;

/// A whole number with its thousands apart: `3,560`.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number and its noun: `1 page`, `3,560 events`.
#[must_use]
pub fn several(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 || noun.ends_with("series") { "" } else { "s" })
}

/// A length of time in its two largest units: `45 s`, `12 min`, `3 h 20 min`, `5 d 2 h`.
#[must_use]
pub fn span(secs: f64) -> String {
    let whole = secs.max(0.0).round() as u64;
    let two = |large: u64, unit: &str, small: u64, part: &str| {
        if small == 0 { format!("{large} {unit}") } else { format!("{large} {unit} {small} {part}") }
    };
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => two(whole / 60, "min", whole % 60, "s"),
        3600..86_400 => two(whole / 3600, "h", whole % 3600 / 60, "min"),
        _ => two(whole / 86_400, "d", whole % 86_400 / 3600, "h"),
    }
}

/// A number for people: one decimal below ten, two below one, none from a hundred on.
#[must_use]
pub fn amount(number: f64) -> String {
    let decimals = if number.abs() >= 99.95 {
        0
    } else if number.abs() >= 0.995 {
        1
    } else {
        2
    };
    let text = format!("{number:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    // Nothing has no sign.
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// A time in UTC: `2026-11-23 05:24:07`.
#[must_use]
pub fn date_and_time(time: Timestamp) -> String {
    strftime(time, "%Y-%m-%d %H:%M:%S")
}

/// A time in UTC without its year: `11-23 05:24:07`.
#[must_use]
pub fn day_and_time(time: Timestamp) -> String {
    strftime(time, "%m-%d %H:%M:%S")
}

fn strftime(time: Timestamp, form: &str) -> String {
    match jiff::Timestamp::from_millisecond(time.millis()) {
        Ok(time) => time.strftime(form).to_string(),
        // Beyond what a calendar can show: the bare number is still the truth.
        Err(_) => time.to_string(),
    }
}

/// Words laid out in lines of at most [`WIDTH`] columns, each after the first with this indent.
#[must_use]
pub fn wrapped(text: &str, indent: usize) -> String {
    let mut lines = String::new();
    let mut column = indent;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > indent && column + 1 + length > WIDTH {
            lines.push('\n');
            lines.push_str(&" ".repeat(indent));
            column = indent;
        }
        if column > indent {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += length;
    }
    lines
}

/// A terminal narrower than this is taken as this wide.
const NARROWEST: usize = 30;

/// Text whose lines are at most so many columns wide: longer ones are folded between words, below the cell that they
/// are in. What [`wrapped`] broke is put together first. Colours (SGR, ECMA-48) take no column; a word that is longer
/// than a line stays whole.
#[must_use]
pub fn fitted(text: &str, columns: usize) -> String {
    let columns = columns.max(NARROWEST);
    let mut out = String::with_capacity(text.len());
    let mut lines = text.split('\n').peekable();
    while let Some(line) = lines.next() {
        let (mut whole, mut last, mut below) = (line.to_owned(), visible(line), None);
        let cell = last_cell(line);
        while let Some(next) = lines.next_if(|next| columns < WIDTH && margin(next) == cell && goes_on(last, next)) {
            below = Some(margin(next));
            last = visible(next);
            whole.push(' ');
            whole.push_str(next.trim_start_matches(' '));
        }
        fold(&whole, (columns, below), &mut out);
        if lines.peek().is_some() {
            out.push('\n');
        }
    }
    out
}

/// Whether a line only begins because the one before, so many columns wide, had no room for its first word.
fn goes_on(before: usize, line: &str) -> bool {
    let first = line.split_whitespace().next().map_or(0, visible);
    before <= WIDTH && first > 0 && before + 1 + first > WIDTH && margin(line) > 0
}

/// The column of what stands after the last gap of two columns or more.
fn last_cell(line: &str) -> usize {
    line.rfind("  ").map_or(0, |gap| visible(&line[..gap]) + 2)
}

fn margin(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Adds a line, folded; `below` = where it goes on when that is known.
fn fold(line: &str, (columns, below): (usize, Option<usize>), out: &mut String) {
    if visible(line) <= columns {
        return out.push_str(line);
    }
    let hanging = below.filter(|below| *below <= columns / 2).unwrap_or_else(|| hanging(line, columns));
    let mut column = 0;
    for piece in line.split_inclusive(' ') {
        let word = visible(piece.trim_end_matches(' '));
        // A long word that fits further left goes there.
        let indent = hanging.min(columns.saturating_sub(word));
        if word > 0 && column > indent && column + word > columns {
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = indent;
        }
        out.push_str(piece);
        column += visible(piece);
    }
}

/// Where a folded line goes on: below its last cell that begins in its first half, else two columns in.
fn hanging(line: &str, columns: usize) -> usize {
    let margin = margin(line);
    let (mut column, mut blanks, mut cell) = (0, 0, None);
    for piece in line.split_inclusive(' ') {
        let blank = piece == " ";
        if !blank && blanks > 0 && column > margin && column <= columns / 2 {
            cell = Some(column);
        }
        blanks = if blank { blanks + 1 } else { 0 };
        column += visible(piece);
    }
    cell.unwrap_or_else(|| (margin + 2).min(columns / 2))
}

/// The columns that a text takes, without its colours.
fn visible(text: &str) -> usize {
    let mut escaped = false;
    let shown = |c: &char| match (escaped, *c) {
        (false, '\u{1b}') => {
            escaped = true;
            false
        }
        (true, c) => {
            escaped = c != 'm';
            false
        }
        (false, _) => true,
    };
    text.chars().filter(shown).count()
}

/// A text cut to a width, with an ellipsis where something is missing.
#[must_use]
pub fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        text.to_owned()
    } else {
        text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
    }
}

/// Names in a sentence: `a, b and 3 more`; at most `most` are named.
#[must_use]
pub fn names(all: &[String], most: usize) -> String {
    let more = all.len().saturating_sub(most);
    let named = all.iter().take(most).map(String::as_str).collect::<Vec<_>>();
    match (named.as_slice(), more) {
        ([], _) => String::new(),
        ([one], 0) => (*one).to_owned(),
        (some, 0) => format!("{} and {}", some[..some.len() - 1].join(", "), some[some.len() - 1]),
        (some, more) => format!("{} and {more} more", some.join(", ")),
    }
}

/// Colour, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Plain text.
    Plain,
    /// ANSI escape sequences (ECMA-48), for a terminal.
    Colour,
}

impl Ink {
    /// Text that stands out.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Text that steps back.
    #[must_use]
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// Text that is good news.
    #[must_use]
    pub fn green(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// Text that is bad news.
    #[must_use]
    pub fn red(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    /// A severity's word in its colour, padded to the longest.
    #[must_use]
    pub fn severity(self, severity: Severity) -> String {
        let code = match severity {
            Severity::Info => "2",
            Severity::Warning => "33",
            Severity::Error => "31",
            Severity::Critical => "1;31",
        };
        self.paint(code, &format!("{severity:<8}"))
    }

    fn paint(self, code: &str, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Colour => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_easy_to_read() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [0.0, 0.123, 0.999, 4.0, 5.04, 99.96, 130_779.0].map(amount),
            ["0", "0.12", "1", "4", "5", "100", "130779"]
        );
        assert_eq!(several(1, "page"), "1 page");
        assert_eq!(several(2, "series"), "2 series");
    }

    #[test]
    fn a_length_of_time_has_two_units_at_most() {
        let spans = [0.4, 45.0, 60.0, 725.0, 12_000.0, 439_200.0].map(span);
        assert_eq!(spans, ["0 s", "45 s", "1 min", "12 min 5 s", "3 h 20 min", "5 d 2 h"]);
    }

    #[test]
    fn text_is_wrapped_at_words() {
        let text = "word ".repeat(40);
        let lines: Vec<String> = wrapped(&text, 4).lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| line.len() <= WIDTH));
        assert!(lines[1].starts_with("    word"));
    }

    #[test]
    fn names_are_counted_when_they_are_many() {
        let all = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(names(&all[..1], 2), "a");
        assert_eq!(names(&all, 3), "a, b and c");
        assert_eq!(names(&all, 2), "a, b and 1 more");
    }

    #[test]
    fn a_line_that_is_too_wide_is_folded_below_its_last_cell() {
        let line = "#7       critical  open      the shop answers 500 since the deploy of the evening\n";
        expect_test::expect![[r#"
            #7       critical  open      the
                     shop answers 500 since
                     the deploy of the
                     evening
        "#]]
        .assert_eq(&fitted(line, 32));
        assert_eq!(fitted(line, 120), line);
    }

    #[test]
    fn what_was_wrapped_is_put_together_before_it_is_folded() {
        let text = format!("    {}\n    next\n", wrapped(&"seven words make up a long sentence ".repeat(4), 4));
        expect_test::expect![[r"
            seven words make up a long
            sentence seven words make
            up a long sentence seven
            words make up a long
            sentence seven words make
            up a long sentence
            next
        "]]
        .assert_eq(fitted(&text, 30).replace("\n    ", "\n").trim_start());
    }

    #[test]
    fn colours_take_no_column() {
        let line = format!("{}  {}", Ink::Colour.bold("7"), Ink::Colour.red(&"word ".repeat(6)));
        assert_eq!(fitted(&line, 33), line);
        assert_eq!(visible(&line), 33);
    }

    proptest::proptest! {
        #[test]
        fn folding_keeps_every_word_and_no_line_is_wider_unless_a_word_is(text in "[a-z]{1,12}( {1,3}[a-z]{1,12}){0,30}", columns in 30usize..120) {
            let folded = fitted(&text, columns);
            proptest::prop_assert!(folded.lines().all(|line| line.chars().count() <= columns), "{folded}");
            let words: Vec<_> = folded.split_whitespace().collect();
            proptest::prop_assert_eq!(words, text.split_whitespace().collect::<Vec<_>>());
        }
    }
}
