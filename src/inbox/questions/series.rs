//! Questions about series. The same series may be known in several scopes; then the one heard of last is meant.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::explain::Habits;
use crate::domain::{Fingerprint, SeriesExplanation, Timestamp};
use crate::inbox::numbered::{Numbered, Renamed};
use crate::inbox::question::Question;
use crate::inbox::view::View;

/// A name, and what it is asked by.
type Name = (Arc<str>, Fingerprint);

/// The series of which the name has these words, in order of name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FindSeries {
    /// The words.
    pub words: String,
    /// So many at most.
    pub limit: usize,
}

impl Numbered for FindSeries {}

impl Question for FindSeries {
    const NAME: &'static str = "find_series";
    type Answer = Vec<Name>;

    fn answer(&self, view: &View<'_>) -> Self::Answer {
        view.engine.find_series(&self.words, self.limit)
    }

    fn join(&self, all: &mut Self::Answer, other: Self::Answer) {
        all.extend(other);
    }

    fn settle(&self, all: &mut Self::Answer) {
        all.sort();
        all.dedup();
        all.truncate(self.limit);
    }
}

/// The series that a text means: its key, its name, or words of its name that no other has.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WhySeries {
    /// The text.
    pub text: String,
    /// So many are named when it may mean several.
    pub suggested: usize,
}

/// What [`WhySeries`] is told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sought {
    /// The series that it is the key or the name of.
    exact: Option<(Box<SeriesExplanation>, Timestamp)>,
    /// The one that an engine knows by these words.
    only: Option<(Box<SeriesExplanation>, Timestamp)>,
    /// Those that have these words.
    near: Vec<Name>,
}

impl Sought {
    /// The series, and when that is.
    ///
    /// # Errors
    /// Those that may be meant.
    pub fn found(self) -> Result<(Box<SeriesExplanation>, Timestamp), Vec<Name>> {
        let only = self.only.filter(|_| self.near.len() == 1);
        self.exact.or(only).ok_or(self.near)
    }
}

impl Numbered for WhySeries {}

impl Numbered for Sought {
    fn number(&mut self, renamed: Renamed<'_>) {
        self.exact.number(renamed);
        self.only.number(renamed);
    }
}

impl Question for WhySeries {
    const NAME: &'static str = "why_series";
    type Answer = Sought;

    fn answer(&self, view: &View<'_>) -> Sought {
        let told = |key: Fingerprint| Some((Box::new(view.engine.why_series(key)?), view.engine.now()));
        if let Some(exact) = Fingerprint::parse(&self.text).and_then(told) {
            return Sought { exact: Some(exact), ..Sought::default() };
        }
        let near = view.engine.find_series(&self.text, self.suggested);
        let exact = near.iter().find(|(name, _)| **name == *self.text).and_then(|(_, key)| told(*key));
        let only = match near.as_slice() {
            [(_, key)] if exact.is_none() => told(*key),
            _ => None,
        };
        Sought { exact, only, near }
    }

    fn join(&self, all: &mut Sought, other: Sought) {
        later(&mut all.exact, other.exact);
        later(&mut all.only, other.only);
        all.near.extend(other.near);
    }

    fn settle(&self, all: &mut Sought) {
        all.near.sort();
        all.near.dedup();
        // One more than is told would not change what is meant.
        all.near.truncate(self.suggested);
    }
}

/// Keeps the one that was heard of last.
fn later<T>(one: &mut Option<(Box<SeriesExplanation>, T)>, other: Option<(Box<SeriesExplanation>, T)>) {
    let heard = |told: &Option<(Box<SeriesExplanation>, T)>| told.as_ref().map(|(series, _)| series.heard.1);
    if heard(&other) > heard(one) {
        *one = other;
    }
}

/// A series with what it usually does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Series(pub Fingerprint);

/// What [`Series`] is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// The series.
    pub series: SeriesExplanation,
    /// What it usually does.
    pub habits: Habits,
    /// When.
    pub now: Timestamp,
    /// Whether nobody is paged.
    pub shadow: bool,
}

impl Numbered for Series {}

impl Numbered for Told {
    fn number(&mut self, renamed: Renamed<'_>) {
        self.series.number(renamed);
    }
}

impl Question for Series {
    const NAME: &'static str = "series";
    type Answer = Option<Told>;

    fn answer(&self, view: &View<'_>) -> Self::Answer {
        let engine = view.engine;
        let (series, habits) = (engine.why_series(self.0)?, engine.habits(self.0)?);
        Some(Told { series, habits, now: engine.now(), shadow: engine.policy().shadow })
    }

    fn join(&self, all: &mut Self::Answer, other: Self::Answer) {
        let heard = |told: &Self::Answer| told.as_ref().map(|told| told.series.heard.1);
        if heard(&other) > heard(all) {
            *all = other;
        }
    }
}
