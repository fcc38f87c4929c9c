//! What a field is read from: `title | name | 'fixed text'`, or a join `"{host}/{check}"`.
//!
//! The first alternative that says something counts. A join needs all of its parts; `{part?}` may be missing. A
//! variable that the sender did not fill in says nothing, and is told.

use std::borrow::Cow;

use super::path::{Hit, Look, Path, PathMistake};
use super::scope::Scope;
use crate::formats::placeholder;

/// Alternatives, the first that says something counts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Expression {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq)]
enum Term {
    Path(Path),
    Literal(String),
    Join(Vec<Piece>),
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    Part { from: Expression, optional: bool },
}

/// What an expression gave.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Said<'v> {
    pub(super) text: Cow<'v, str>,
    /// Where it came from, as it was written.
    pub(super) from: Cow<'v, str>,
}

/// Variables of templates that were met on the way: path and text.
pub(super) type Unfilled = Vec<(String, String)>;

impl Expression {
    /// Reads an expression.
    pub(super) fn parse(text: &str) -> Result<Self, PathMistake> {
        let mut terms = Vec::new();
        for (at, term) in split(text, '|') {
            terms.push(Term::parse(term).map_err(|(message, help, range)| {
                let start = at + term.len() - term.trim_start().len();
                (message, help, start + range.start..(start + range.end).min(text.len()))
            })?);
        }
        Ok(Self { terms })
    }

    /// A text that is the same always.
    pub(super) fn fixed(text: &str) -> Self {
        Self { terms: vec![Term::Literal(text.to_owned())] }
    }

    /// The paths among its alternatives.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.terms.iter().filter_map(|term| if let Term::Path(path) = term { Some(path) } else { None })
    }

    /// Whether there is something: a text, or a map or list that holds something.
    pub(super) fn is_there(&self, scope: &Scope<'_>, unfilled: &mut Unfilled) -> bool {
        let holds = |hit: Hit<'_>| match hit {
            Hit::Value(serde_json::Value::Object(map)) => !map.is_empty(),
            Hit::Value(serde_json::Value::Array(list)) => !list.is_empty(),
            _ => false,
        };
        self.say(scope, false, unfilled).is_some() || self.paths().any(|path| path.any(scope, &holds))
    }

    /// What it says here; `whole` = all of a list.
    pub(super) fn say<'v>(&'v self, scope: &Scope<'v>, whole: bool, unfilled: &mut Unfilled) -> Option<Said<'v>> {
        self.terms.iter().find_map(|term| term.say(scope, whole, unfilled))
    }
}

impl Term {
    fn parse(text: &str) -> Result<Self, PathMistake> {
        let text = text.trim();
        for quote in ['\'', '"'] {
            if let Some(inner) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote))
                && !inner.contains(quote)
            {
                let joins = quote == '"' && inner.contains('{');
                return if joins { Ok(Self::Join(pieces(inner)?)) } else { Ok(Self::Literal(inner.to_owned())) };
            }
        }
        if text.contains('{') { Ok(Self::Join(pieces(text)?)) } else { Ok(Self::Path(Path::parse(text)?)) }
    }

    fn say<'v>(&'v self, scope: &Scope<'v>, whole: bool, unfilled: &mut Unfilled) -> Option<Said<'v>> {
        match self {
            Self::Literal(text) => Some(Said { text: Cow::Borrowed(text), from: Cow::Borrowed("fixed") }),
            Self::Path(path) => {
                let text = say_path(path, scope, whole, unfilled)?;
                Some(Said { text, from: Cow::Borrowed(path.text()) })
            }
            Self::Join(pieces) => join(pieces, scope, unfilled),
        }
    }
}

/// How many values of one path are put together.
const MOST_JOINED: usize = 20;

fn say_path<'v>(path: &Path, scope: &Scope<'v>, whole: bool, unfilled: &mut Unfilled) -> Option<Cow<'v, str>> {
    let mut found: Option<Cow<'v, str>> = None;
    let mut count = 0;
    path.visit(scope, &mut |hit: Hit<'v>| {
        let Some(text) = (if whole { hit.whole() } else { hit.text() }) else { return Look::On };
        if is_variable(&text, path) {
            if unfilled.len() < 20 {
                unfilled.push((path.text().to_owned(), text.chars().take(60).collect()));
            }
            return Look::On;
        }
        count += 1;
        found = Some(match found.take() {
            Some(before) => Cow::Owned(format!("{before}, {text}")),
            None => text,
        });
        if whole && count < MOST_JOINED { Look::Taken } else { Look::Enough }
    });
    found
}

/// A variable of a template; also `*variable*`, and `{its_own_name}`, which only a field's own name gives away.
fn is_variable(text: &str, path: &Path) -> bool {
    let within = |open, close| text.strip_prefix(open).and_then(|rest: &str| rest.strip_suffix(close));
    let own = |name: &str| path.last_name().is_some_and(|last| last.eq_ignore_ascii_case(name));
    placeholder::is_unexpanded(text)
        || within('{', '}').is_some_and(own)
        || within('*', '*').is_some_and(|name| name.len() > 2 && !name.contains('*'))
}

fn join<'v>(pieces: &'v [Piece], scope: &Scope<'v>, unfilled: &mut Unfilled) -> Option<Said<'v>> {
    let mut text = String::new();
    let mut from = Vec::new();
    let mut open_end = false;
    for piece in pieces {
        open_end = false;
        match piece {
            Piece::Text(fixed) => text.push_str(fixed),
            Piece::Part { from: part, optional } => match part.say(scope, false, unfilled) {
                Some(said) => {
                    text.push_str(&said.text);
                    from.push(said.from.into_owned());
                }
                None if *optional => {
                    text.truncate(text.trim_end_matches(' ').len());
                    open_end = true;
                }
                None => return None,
            },
        }
    }
    // What led to a part that is missing is left out with it.
    let end = if open_end { text.trim_end_matches([' ', ':', ',', '-', ';']) } else { &text };
    let text = end.trim().to_owned();
    (!from.is_empty() && !text.is_empty()).then(|| Said { text: Cow::Owned(text), from: Cow::Owned(from.join(" + ")) })
}

fn pieces(text: &str) -> Result<Vec<Piece>, PathMistake> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let open = rest.find('{').unwrap_or(rest.len());
        if open > 0 {
            pieces.push(Piece::Text(rest[..open].to_owned()));
        }
        let Some(inner) = rest.get(open + 1..) else { break };
        let Some(close) = inner.find('}') else {
            let help = "write `\"{host}/{check}\"`".to_owned();
            return Err(("a `{` is not closed".to_owned(), help, at + open..text.len()));
        };
        let inner = &inner[..close];
        let (part, optional) = inner.strip_suffix('?').map_or((inner, false), |part| (part, true));
        let start = at + open + 1;
        let from = Expression::parse(part)
            .map_err(|(message, help, range)| (message, help, start + range.start..start + range.end))?;
        pieces.push(Piece::Part { from, optional });
        at = start + close + 1;
    }
    Ok(pieces)
}

/// The parts between a separator that stands outside quotes and brackets, with their places.
fn split(text: &str, separator: char) -> Vec<(usize, &str)> {
    let (mut parts, mut start, mut depth, mut quote) = (Vec::new(), 0, 0_usize, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') if text[start..at].trim().is_empty() || depth > 0 => quote = Some(c),
            (None, '{' | '[' | '(') => depth += 1,
            (None, '}' | ']' | ')') => depth = depth.saturating_sub(1),
            (None, c) if c == separator && depth == 0 => {
                parts.push((start, &text[start..at]));
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push((start, &text[start..]));
    parts
}
