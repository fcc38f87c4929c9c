//! Foreign text in HTML: one line, bounded, nothing that steers, and no mark-up.

use crate::sinks::clean;

/// One line of at most `most` characters. Not yet escaped.
pub(super) fn line(text: &str, most: usize) -> String {
    clean::line(text, most)
}

/// Text as text and as the value of a quoted attribute.
pub(super) fn html(text: &str) -> String {
    clean::html(text).replace('\n', "&#10;")
}

/// Foreign text on one line of at most `most` characters, escaped for HTML.
#[must_use]
pub fn foreign(text: &str, most: usize) -> String {
    html(&line(text, most))
}
