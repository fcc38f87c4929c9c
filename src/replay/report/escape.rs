//! Foreign text in HTML: one line, bounded, nothing that steers, and no mark-up.

use crate::sinks::clean;

/// One line of at most `most` characters. Not yet escaped.
pub(super) fn line(text: &str, most: usize) -> String {
    clean::line(text, most)
}

/// Text as text and as the value of a quoted attribute.
pub(super) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push_str("&#10;"),
            c => out.push(c),
        }
    }
    out
}

/// [`fn@line`], escaped.
pub(super) fn foreign(text: &str, most: usize) -> String {
    html(&line(text, most))
}
