//! How one field gets its value: where from, which part of it, and what its words mean.

use std::borrow::Cow;

use regex::Regex;

use super::condition::brief;
use super::expression::{Expression, Said, Unfilled};
use super::glob::Glob;
use super::path::PathMistake;
use super::scope::Scope;
use super::time::TimeForm;

/// One way to a field's value.
#[derive(Clone, Debug)]
pub struct Extract {
    pub(super) from: Expression,
    /// The part of the text that counts: its first group, or all of the match.
    capture: Option<Regex>,
    /// What words mean: patterns with `*`, in order.
    map: Vec<(Glob, String)>,
    /// What holds where there is nothing.
    default: Option<String>,
    /// How times are written.
    pub(super) time: TimeForm,
}

impl Extract {
    /// A value as it stands there.
    ///
    /// # Errors
    /// When the text is no expression.
    pub fn parse(from: &str) -> Result<Self, PathMistake> {
        Ok(Self::of(Expression::parse(from)?))
    }

    /// A fixed value.
    #[must_use]
    pub fn fixed(text: &str) -> Self {
        Self::of(Expression::fixed(text))
    }

    fn of(from: Expression) -> Self {
        Self { from, capture: None, map: Vec::new(), default: None, time: TimeForm::default() }
    }

    /// Only the part that the pattern's first group matches.
    ///
    /// # Errors
    /// When the pattern is none.
    pub fn capture(self, pattern: &str) -> Result<Self, String> {
        Ok(Self { capture: Some(Self::pattern(pattern)?), ..self })
    }

    /// A pattern that may be captured by.
    ///
    /// # Errors
    /// When it is none.
    pub fn pattern(pattern: &str) -> Result<Regex, String> {
        regex::RegexBuilder::new(pattern).size_limit(1 << 20).build().map_err(|error| brief(&error))
    }

    /// With words that mean others; `*` in a word stands for anything, upper and lower case are one. Other words stay.
    #[must_use]
    pub fn map(self, words: &[(String, String)]) -> Self {
        let map = words.iter().map(|(word, meaning)| (Glob::new(word), meaning.clone()));
        Self { map: map.collect(), ..self }
    }

    /// With what holds where there is nothing else.
    #[must_use]
    pub fn default(self, text: &str) -> Self {
        Self { default: Some(text.to_owned()), ..self }
    }

    /// With the form of its times.
    #[must_use]
    pub fn time(self, time: TimeForm) -> Self {
        Self { time, ..self }
    }

    /// What it gives here.
    pub(super) fn say<'v>(&'v self, scope: &Scope<'v>, whole: bool, unfilled: &mut Unfilled) -> Option<Said<'v>> {
        let said = self.from.say(scope, whole, unfilled).and_then(|said| self.captured(said));
        let Some(said) = said else {
            return self.default.as_deref().map(|text| Said { text: text.into(), from: "default".into() });
        };
        if self.map.is_empty() {
            return Some(said);
        }
        let word = said.text.to_lowercase();
        match self.map.iter().find(|(glob, _)| glob.fits(&word)) {
            Some((_, meaning)) => Some(Said { text: Cow::Borrowed(meaning), from: said.from }),
            None => Some(said),
        }
    }

    fn captured<'v>(&self, said: Said<'v>) -> Option<Said<'v>> {
        let Some(pattern) = &self.capture else { return Some(said) };
        let groups = pattern.captures(&said.text)?;
        let found = groups.iter().skip(1).flatten().next().or_else(|| groups.get(0))?;
        let text = found.as_str().trim();
        (!text.is_empty()).then(|| Said { text: Cow::Owned(text.to_owned()), from: said.from.clone() })
    }
}
