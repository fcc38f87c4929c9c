//! Foreign text made safe for terminals, headers and pages: one line, no control characters, of a bounded length.
//!
//! Deliberately not escaping for one medium (chats, JSON): that is done where the medium is written. HTML is written in
//! several places, so its escape is here.

/// Whether a character must not reach a terminal or a header: it steers the output, turns its direction, or hides.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{061c}' // invisible space, direction marks
            | '\u{2028}'..='\u{202e}' // line and paragraph ends, direction overrides
            | '\u{2060}'..='\u{206f}' // invisible operators, direction isolates
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Text for HTML, in an element or a quoted attribute.
#[must_use]
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

/// The text as one line of at most `most` characters; what is cut off shows as `…`.
///
/// Control characters and runs of white space become one space.
#[must_use]
pub fn line(text: &str, most: usize) -> String {
    let mut out = String::with_capacity(text.len().min(4 * most));
    let mut count = 0;
    let mut gap = false;
    for c in text.chars() {
        if steers(c) || c.is_whitespace() {
            gap = count > 0;
            continue;
        }
        let width = 1 + usize::from(gap);
        if count + width > most {
            cut(&mut out, count, most);
            break;
        }
        if std::mem::take(&mut gap) {
            out.push(' ');
        }
        out.push(c);
        count += width;
    }
    out
}

fn cut(out: &mut String, count: usize, most: usize) {
    if count >= most {
        out.pop();
    }
    out.push('…');
}

/// Names in one line: the first few, then how many more there are. Empty names are left out.
#[must_use]
pub fn names(names: &[String], show: usize) -> String {
    let all: Vec<String> = names.iter().map(|name| line(name, 80)).filter(|name| !name.is_empty()).collect();
    let shown = all.iter().take(show).map(String::as_str).collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(show) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// An address that people may follow: http(s) only, in its encoded form; `None` for anything else.
#[must_use]
pub fn link(text: &str) -> Option<String> {
    const MOST: usize = 2_000;
    let url = url::Url::parse(text.trim()).ok()?;
    let url = matches!(url.scheme(), "http" | "https").then(|| String::from(url))?;
    (url.len() <= MOST).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_never_longer_than_asked() {
        assert_eq!(line("abcdef", 6), "abcdef");
        assert_eq!(line("abcdefg", 6), "abcde…");
        assert_eq!(line("ab cd ef", 6), "ab cd…");
        assert_eq!(line("  a\r\n\tb\u{1b}[31m \u{202e}c ", 20), "a b [31m c");
        assert_eq!(line("\u{7}\n", 20), "");
    }

    #[test]
    fn long_lists_of_names_are_counted() {
        let list: Vec<String> = ["a", "", "b\n", "c"].map(str::to_owned).to_vec();
        assert_eq!(names(&list, 2), "a, b and 1 more");
        assert_eq!(names(&list, 3), "a, b, c");
        assert_eq!(names(&[], 3), "");
    }

    #[test]
    fn only_web_addresses_become_links() {
        assert_eq!(link("https://a.example/x y\n"), Some("https://a.example/x%20y".to_owned()));
        assert_eq!(link("javascript:alert(1)"), None);
        assert_eq!(link("not an address"), None);
    }
}
