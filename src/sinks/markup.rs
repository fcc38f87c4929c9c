//! The markups of chat tools: foreign text made plain in them, and wording laid out within their limits.
//!
//! What is too long loses whole lines from its end, never half a character or half a markup; `…` shows where.

use super::clean;
use super::text::{Line, Part, Wording};

/// A markup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Markup {
    /// None.
    Plain,
    /// Slack's `mrkdwn`: `&`, `<` and `>` are escaped, which also takes the power from `<!channel>`.
    Slack,
    /// The HTML of Telegram.
    Html,
    /// Markdown, as Discord and Mattermost read it. `@` loses its power to call people.
    Markdown,
    /// Google Chat: nothing can be escaped there, so an invisible character takes the power from `<users/all>`.
    Chat,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Code units of UTF-16, which are never fewer than characters.
    Utf16,
    /// Bytes of UTF-8.
    Bytes,
}

impl Unit {
    /// How long a text is.
    #[must_use]
    pub fn count(self, text: &str) -> usize {
        match self {
            Self::Utf16 => text.encode_utf16().count(),
            Self::Bytes => text.len(),
        }
    }

    /// The beginning of a text that fits, cut between two characters; what is cut off shows as `…`.
    #[must_use]
    pub fn cut(self, text: &str, most: usize) -> String {
        if self.count(text) <= most {
            return text.to_owned();
        }
        let mut room = most.saturating_sub(self.count("…"));
        let mut out = String::new();
        for c in text.chars() {
            let width = match self {
                Self::Utf16 => c.len_utf16(),
                Self::Bytes => c.len_utf8(),
            };
            let Some(left) = room.checked_sub(width) else { break };
            room = left;
            out.push(c);
        }
        out + "…"
    }
}

/// Holds a sign apart from what follows, so that it calls nobody. Invisible.
const APART: char = '\u{200b}';

impl Markup {
    /// Foreign text, made plain.
    #[must_use]
    pub fn text(self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 16);
        for c in text.chars() {
            match (self, c) {
                (Self::Slack | Self::Html, '&') => out.push_str("&amp;"),
                (Self::Slack | Self::Html, '<') => out.push_str("&lt;"),
                (Self::Slack | Self::Html, '>') => out.push_str("&gt;"),
                (Self::Html, '"') => out.push_str("&quot;"),
                (Self::Markdown, '@') | (Self::Chat, '<') => out.extend([c, APART]),
                (Self::Markdown, '\\' | '*' | '_' | '~' | '`' | '|' | '[' | ']' | '<' | '>' | '#') => {
                    out.extend(['\\', c]);
                }
                _ => out.push(c),
            }
        }
        out
    }

    /// Foreign text in bold.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        let text = self.text(text);
        match self {
            Self::Plain => text,
            Self::Slack | Self::Chat => format!("*{text}*"),
            Self::Html => format!("<b>{text}</b>"),
            Self::Markdown => format!("**{text}**"),
        }
    }

    /// A command to type.
    #[must_use]
    pub fn code(self, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Html => format!("<code>{}</code>", self.text(text)),
            Self::Slack => format!("`{}`", self.text(text).replace('`', "'")),
            Self::Markdown | Self::Chat => format!("`{}`", text.replace('`', "'")),
        }
    }

    /// A link; the address is in its encoded form ([`clean::link`]).
    #[must_use]
    pub fn link(self, what: &str, url: &str) -> String {
        match self {
            Self::Plain => format!("{what}: {url}"),
            Self::Html => format!("<a href=\"{}\">{}</a>", self.text(url), self.text(what)),
            Self::Slack => format!("<{}|{}>", self.text(url).replace('|', "%7C"), self.text(what)),
            Self::Chat => format!("<{}|{what}>", url.replace('|', "%7C")),
            Self::Markdown => format!("[{what}]({})", url.replace('(', "%28").replace(')', "%29")),
        }
    }

    /// One line.
    #[must_use]
    pub fn line(self, line: &Line) -> String {
        match line {
            Line::Text(text) => self.text(text),
            Line::Bits(bits, name) => format!("{} {}", self.bold(&format!("{bits:.1} bits")), self.text(name)),
            Line::Command(command) => self.code(command),
            Line::Link(what, url) => self.link(what, url),
        }
    }

    /// One part: its heading, and its lines below.
    #[must_use]
    pub fn part(self, part: &Part) -> Vec<String> {
        let mut lines = vec![self.bold(part.label)];
        lines.extend(part.lines.iter().map(|line| self.line(line)));
        lines
    }

    /// What stands below the first line: the lead, then the parts, with an empty line before each.
    #[must_use]
    pub fn below(self, wording: &Wording) -> Vec<String> {
        let mut lines: Vec<String> = wording.lead.lines().map(|line| self.text(line)).collect();
        for part in &wording.parts {
            lines.push(String::new());
            lines.extend(self.part(part));
        }
        lines
    }
}

/// The lines that fit, one below the other; `…` in the place of what does not.
#[must_use]
pub fn fit(lines: &[String], unit: Unit, most: usize) -> String {
    let whole: usize = lines.iter().map(|line| unit.count(line) + 1).sum();
    if whole <= most + 1 {
        return lines.join("\n");
    }
    let mut room = most.saturating_sub(unit.count("…"));
    let mut out = String::new();
    for line in lines {
        let Some(left) = room.checked_sub(unit.count(line) + 1) else { break };
        room = left;
        out += line;
        out.push('\n');
    }
    out + "…"
}

/// A heading or a name in one line of at most so many of a unit, not escaped.
#[must_use]
pub fn short(text: &str, unit: Unit, most: usize) -> String {
    unit.cut(&clean::line(text, most), most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_calls_nobody_and_opens_no_markup() {
        let enemy = "<!channel> @everyone <users/all> *b* [x](http://e) `c` & \"q\"";
        let said = [Markup::Slack, Markup::Html, Markup::Markdown, Markup::Chat].map(|markup| markup.text(enemy));
        assert_eq!(said[0], "&lt;!channel&gt; @everyone &lt;users/all&gt; *b* [x](http://e) `c` &amp; \"q\"");
        assert_eq!(said[1], "&lt;!channel&gt; @everyone &lt;users/all&gt; *b* [x](http://e) `c` &amp; &quot;q&quot;");
        assert_eq!(
            said[2],
            "\\<!channel\\> @\u{200b}everyone \\<users/all\\> \\*b\\* \\[x\\](http://e) \\`c\\` & \"q\""
        );
        assert_eq!(said[3], "<\u{200b}!channel> @everyone <\u{200b}users/all> *b* [x](http://e) `c` & \"q\"");
    }

    #[test]
    fn what_is_too_long_loses_whole_lines() {
        let lines = ["ab", "🔥🔥", "cd"].map(str::to_owned);
        assert_eq!(fit(&lines, Unit::Utf16, 10), "ab\n🔥🔥\ncd");
        assert_eq!(fit(&lines, Unit::Utf16, 9), "ab\n🔥🔥\n…");
        assert_eq!(fit(&lines, Unit::Bytes, 9), "ab\n…");
        assert_eq!(fit(&lines, Unit::Bytes, 2), "…");
        assert_eq!(Unit::Bytes.cut("aé🔥", 6), "aé…");
        assert_eq!(Unit::Utf16.cut("a🔥b", 3), "a…");
    }
}
