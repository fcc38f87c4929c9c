//! Conditions on a body: `event.issue`, `!alerts`, `state = open`, `state != ok`, `type =~ "alert.*"`.

use regex::Regex;

use super::expression::Expression;
use super::path::{Hit, PathMistake};
use super::scope::Scope;

/// Something that holds of a body, or does not.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    path: Expression,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    /// There is something at the path, be it empty.
    Exists,
    /// There is not.
    Absent,
    Equal(String),
    NotEqual(String),
    Matches(Regex),
    MatchesNot(Regex),
}

impl Condition {
    /// Reads a condition.
    pub(super) fn parse(text: &str) -> Result<Self, PathMistake> {
        let trimmed = text.trim();
        let make = |path: &str, test| Ok(Self { path: Expression::parse(path)?, test });
        let Some(at) = operator(trimmed) else {
            return match trimmed.strip_prefix('!') {
                Some(path) => make(path, Test::Absent),
                None => make(trimmed, Test::Exists),
            };
        };
        let (path, rest) = (&trimmed[..at], &trimmed[at..]);
        let sign = ["=~", "!~", "!=", "="].into_iter().find(|sign| rest.starts_with(sign)).unwrap_or("=");
        let start = at + sign.len();
        let value = unquoted(trimmed[start..].trim());
        let test = match sign {
            "=" => Test::Equal(value.to_owned()),
            "!=" => Test::NotEqual(value.to_owned()),
            _ => {
                let regex = whole(value).map_err(|message| {
                    let help = "it must match all of the text: write `.*` around a part".to_owned();
                    (message, help, start..trimmed.len())
                })?;
                if sign == "=~" { Test::Matches(regex) } else { Test::MatchesNot(regex) }
            }
        };
        make(path, test)
    }

    /// Whether it holds. Texts are compared without regard to upper and lower case.
    pub(super) fn holds(&self, scope: &Scope<'_>) -> bool {
        let says = |wanted: &dyn Fn(&str) -> bool| {
            let is = |hit: Hit<'_>| hit.text().is_some_and(|text| wanted(&text));
            self.path.paths().any(|path| path.any(scope, &is))
        };
        match &self.test {
            Test::Exists => self.exists(scope),
            Test::Absent => !self.exists(scope),
            Test::Equal(text) => says(&|said| said.eq_ignore_ascii_case(text)),
            Test::NotEqual(text) => !says(&|said| said.eq_ignore_ascii_case(text)),
            Test::Matches(regex) => says(&|said| regex.is_match(said)),
            Test::MatchesNot(regex) => !says(&|said| regex.is_match(said)),
        }
    }

    fn exists(&self, scope: &Scope<'_>) -> bool {
        let is = |hit: Hit<'_>| !matches!(hit, Hit::Value(serde_json::Value::Null));
        self.path.paths().any(|path| path.any(scope, &is))
    }
}

/// Where the operator stands: the first `=` or `!` after the path.
fn operator(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.saturating_sub(1),
            '=' if depth == 0 => return Some(at),
            '!' if depth == 0 && at > 0 => return Some(at),
            _ => {}
        }
    }
    None
}

fn unquoted(text: &str) -> &str {
    let quoted = |quote| text.strip_prefix(quote).and_then(|rest: &str| rest.strip_suffix(quote));
    quoted('"').or_else(|| quoted('\'')).unwrap_or(text)
}

/// A pattern for all of a text, in any case of letters.
pub(super) fn whole(pattern: &str) -> Result<Regex, String> {
    regex::RegexBuilder::new(&format!("^(?:{pattern})$"))
        .case_insensitive(true)
        .dot_matches_new_line(true)
        .size_limit(1 << 20)
        .build()
        .map_err(|error| brief(&error))
}

/// A regular expression's mistake in one line.
pub(super) fn brief(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
    format!("no regular expression: {last}")
}
