//! Matchers on the fields and labels of an event, as Prometheus people write them: `service=~"web|api"`.
//!
//! Deliberately not their parser's diagnostics with places in files: those are `config`'s.

pub mod alertmanager;

use std::fmt;
use std::ops::Range;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use super::event::Event;

/// How a matcher compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`, anchored at both ends as Prometheus does
    Matches,
    /// `!~`
    MatchesNot,
}

impl Operator {
    /// The operator by its two halves: whether it wants the value or anything else, and whether that is a pattern.
    #[must_use]
    pub const fn of(is_equal: bool, is_regex: bool) -> Self {
        match (is_equal, is_regex) {
            (true, false) => Self::Equal,
            (false, false) => Self::NotEqual,
            (true, true) => Self::Matches,
            (false, true) => Self::MatchesNot,
        }
    }

    /// Whether it wants the value, not anything else.
    #[must_use]
    pub const fn is_equal(self) -> bool {
        matches!(self, Self::Equal | Self::Matches)
    }

    /// Whether the value is a pattern.
    #[must_use]
    pub const fn is_regex(self) -> bool {
        matches!(self, Self::Matches | Self::MatchesNot)
    }

    /// How it is written.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Matches => "=~",
            Self::MatchesNot => "!~",
        }
    }
}

/// One condition on a field or label. A field that is absent counts as `""`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "MatcherForm", into = "MatcherForm")]
pub struct Matcher {
    name: String,
    operator: Operator,
    value: String,
    /// Compiled for the two regular-expression operators.
    regex: Option<Regex>,
}

/// The written form of a [`Matcher`] on disk.
#[derive(Clone, Serialize, Deserialize)]
struct MatcherForm {
    name: String,
    operator: Operator,
    value: String,
}

/// A matcher that cannot be read: what is wrong, where, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct MatcherError {
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: String,
    /// Which bytes of the text are meant (in [`Matcher::new`]: of the value); empty = all of it.
    pub at: Range<usize>,
}

impl Matcher {
    /// A matcher from its parts.
    ///
    /// # Errors
    /// When the value is no valid regular expression for an operator that needs one.
    pub fn new(name: impl Into<String>, operator: Operator, value: impl Into<String>) -> Result<Self, MatcherError> {
        let (name, value) = (name.into(), value.into());
        let regex = match operator {
            Operator::Equal | Operator::NotEqual => None,
            Operator::Matches | Operator::MatchesNot => Some(anchored(&value)?),
        };
        Ok(Self { name, operator, value, regex })
    }

    /// Reads `name="value"`, `name!=value`, `name=~"regex"` or `name!~'regex'`; the quotes may be left out.
    ///
    /// # Errors
    /// When there is no operator, no name, a quote is left open or stands in the midst, or the regular expression is
    /// invalid.
    pub fn parse(text: &str) -> Result<Self, MatcherError> {
        let wrong = |message: String, at: Range<usize>| MatcherError { message, help: FORM.to_owned(), at };
        let no_operator = || wrong(format!("`{text}` has no operator"), 0..0);
        let sign_at = text.find(['=', '!']).ok_or_else(no_operator)?;
        let operator = [Operator::Matches, Operator::MatchesNot, Operator::NotEqual, Operator::Equal]
            .into_iter()
            .find(|operator| text[sign_at..].starts_with(operator.sign()))
            .ok_or_else(no_operator)?;
        let name = text[..sign_at].trim();
        if name.is_empty() {
            return Err(wrong(format!("`{text}` has no name before `{}`", operator.sign()), 0..0));
        }
        if let Some(at) = name.find(|c: char| c.is_whitespace() || "{}\"',()".contains(c)) {
            let at = text.len() - text.trim_start().len() + at;
            return Err(wrong(format!("`{name}` is no name of a field or label"), at..at + 1));
        }
        let rest = &text[sign_at + operator.sign().len()..];
        let value_at = text.len() - rest.trim_start().len();
        let (value, inner_at) = unquote(rest.trim()).map_err(|(message, at)| wrong(message, shift(at, value_at)))?;
        Self::new(name, operator, value)
            .map_err(|error| MatcherError { at: shift(error.at, value_at + inner_at), ..error })
    }

    /// The field or label that it looks at.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it compares.
    #[must_use]
    pub const fn operator(&self) -> Operator {
        self.operator
    }

    /// What it compares with.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether the event fits.
    #[must_use]
    pub fn fits(&self, event: &Event) -> bool {
        self.fits_value(event.field(&self.name))
    }

    /// Whether the value of the field fits.
    #[must_use]
    pub fn fits_value(&self, value: &str) -> bool {
        match (self.operator, &self.regex) {
            (Operator::Equal, _) => value == self.value,
            (Operator::NotEqual, _) => value != self.value,
            (Operator::Matches, Some(regex)) => regex.is_match(value),
            (Operator::MatchesNot, Some(regex)) => !regex.is_match(value),
            (Operator::Matches | Operator::MatchesNot, None) => false,
        }
    }
}

/// How a matcher is written.
const FORM: &str = "write it as name=\"value\", name!=\"value\", name=~\"regex\" or name!~\"regex\"; \
                    one matcher an entry: all of a list must fit";

/// How large a compiled pattern may be, in bytes: `a{1000}{1000}` must not fill the memory.
const LARGEST_REGEX: usize = 1 << 20;

/// The regular expression, anchored at both ends.
fn anchored(value: &str) -> Result<Regex, MatcherError> {
    let message = format!("`{value}` is no valid regular expression");
    // By itself first: `a)|(b` would be valid between the anchors, and mean something else.
    if let Err(error) = regex_syntax::parse(value) {
        let (what, at) = match &error {
            regex_syntax::Error::Parse(error) => (error.kind().to_string(), Some(error.span())),
            regex_syntax::Error::Translate(error) => (error.kind().to_string(), Some(error.span())),
            other => (other.to_string(), None),
        };
        let at = at.map_or(0..0, |span| span.start.offset..span.end.offset);
        return Err(MatcherError { message, help: what, at });
    }
    let anchored = RegexBuilder::new(&format!("^(?:{value})$")).size_limit(LARGEST_REGEX).build();
    anchored.map_err(|error| MatcherError { message, help: error.to_string(), at: 0..0 })
}

/// The range moved to the right; an empty one still means "all of it".
fn shift(at: Range<usize>, by: usize) -> Range<usize> {
    if at.is_empty() { at } else { at.start + by..at.end + by }
}

/// The text without its quotes, and where it begins; or what is wrong and where.
/// Of the escapes in double quotes only `\"` and `\\` mean something, so that `"a\.b"` needs no second backslash.
fn unquote(text: &str) -> Result<(String, usize), (String, Range<usize>)> {
    let Some(quote @ ('"' | '\'')) = text.chars().next() else {
        return match text.find('"') {
            Some(at) => Err(("a quote in the midst of the value".to_owned(), at..at + 1)),
            None => Ok((text.to_owned(), 0)),
        };
    };
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match (c, chars.peek().copied()) {
            ('\\', Some((_, next @ ('"' | '\\')))) if quote == '"' => {
                value.push(next);
                chars.next();
            }
            (c, None) if c == quote => return Ok((value, 1)),
            (c, Some(_)) if c == quote => {
                return Err((format!("more text after the closing quote: `{}`", &text[at + 1..]), at + 1..text.len()));
            }
            _ => value.push(c),
        }
    }
    Err(("a quote is left open".to_owned(), 0..1))
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.operator, &self.value) == (&other.name, other.operator, &other.value)
    }
}

/// `name="value"`, readable by [`Matcher::parse`].
impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value.replace('\\', "\\\\").replace('"', "\\\"");
        write!(f, "{}{}\"{value}\"", self.name, self.operator.sign())
    }
}

impl TryFrom<MatcherForm> for Matcher {
    type Error = MatcherError;

    fn try_from(form: MatcherForm) -> Result<Self, MatcherError> {
        Self::new(form.name, form.operator, form.value)
    }
}

impl From<Matcher> for MatcherForm {
    fn from(matcher: Matcher) -> Self {
        Self { name: matcher.name, operator: matcher.operator, value: matcher.value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for (name, operator, value) in [
            ("service", Operator::Equal, "web \"one\" \\ two\\"),
            ("check", Operator::Matches, r"a\.b|c\d+"),
            ("labelled.so", Operator::NotEqual, ""),
        ] {
            let matcher = Matcher::new(name, operator, value).unwrap();
            assert_eq!(Matcher::parse(&matcher.to_string()), Ok(matcher));
        }
    }

    #[test]
    fn a_bad_matcher_is_marked_where_it_is_bad() {
        for (text, marked) in [
            (r#"check=~"a(b""#, "("),
            (r#"check=~"a)|(b""#, ")"),
            (r#"{check="a""#, "{"),
            (r#"check="a",host="b""#, r#",host="b""#),
            (r#"check="a"#, "\""),
            ("check", ""),
            ("check!a", ""),
            ("=a", ""),
        ] {
            let error = Matcher::parse(text).unwrap_err();
            assert_eq!(&text[error.at.clone()], marked, "{text}: {error:?}");
        }
    }
}
