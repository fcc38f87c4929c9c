//! Matchers on the fields and labels of an event, as Prometheus people write them: `service=~"web|api"`.
//!
//! Deliberately not their parser's diagnostics with places in files: those are `config`'s.

use std::fmt;

use regex::Regex;
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

/// A matcher that cannot be read: what is wrong, as a fragment, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct MatcherError {
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: String,
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
            Operator::Matches | Operator::MatchesNot => {
                Some(Regex::new(&format!("^(?:{value})$")).map_err(|error| MatcherError {
                    message: format!("`{value}` is no valid regular expression"),
                    help: error.to_string().lines().last().unwrap_or_default().trim().to_owned(),
                })?)
            }
        };
        Ok(Self { name, operator, value, regex })
    }

    /// Reads `name="value"`, `name!=value`, `name=~"regex"` or `name!~'regex'`; the quotes may be left out.
    ///
    /// # Errors
    /// When there is no operator, no name, a quote is left open, or the regular expression is invalid.
    pub fn parse(text: &str) -> Result<Self, MatcherError> {
        let wrong = |message: String| MatcherError {
            message,
            help: "write it as name=\"value\", name!=\"value\", name=~\"regex\" or name!~\"regex\"".to_owned(),
        };
        let at = text.find(['=', '!']).ok_or_else(|| wrong(format!("`{text}` has no operator")))?;
        let (name, rest) = (text[..at].trim(), &text[at..]);
        let operator = [Operator::Matches, Operator::MatchesNot, Operator::NotEqual, Operator::Equal]
            .into_iter()
            .find(|operator| rest.starts_with(operator.sign()))
            .ok_or_else(|| wrong(format!("`{text}` has no operator")))?;
        if name.is_empty() {
            return Err(wrong(format!("`{text}` has no name before `{}`", operator.sign())));
        }
        let value = rest[operator.sign().len()..].trim();
        Self::new(name, operator, unquote(value).ok_or_else(|| wrong(format!("`{text}` has a quote left open")))?)
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

/// The text without its quotes; `None` when one is left open.
fn unquote(text: &str) -> Option<String> {
    for quote in ['"', '\''] {
        if let Some(rest) = text.strip_prefix(quote) {
            let inner = rest.strip_suffix(quote)?;
            return Some(if quote == '"' {
                inner.replace("\\\"", "\"").replace("\\\\", "\\")
            } else {
                inner.to_owned()
            });
        }
    }
    Some(text.to_owned())
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
