//! What has numbers of incidents in it, so that they can be told in another numbering.
//!
//! Pure. Every question and every answer says here where its numbers stand; nothing else knows.

use std::sync::Arc;

use crate::domain::decision::Verdict;
use crate::domain::explain::Habits;
use crate::domain::shadow::ShadowWord;
use crate::domain::{
    Fingerprint, HeldBack, IncidentExplanation, IncidentId, IncidentSummary, Posting, Said, SeriesExplanation, Silence,
    SourceView, Tally, Timestamp,
};

/// The number of an incident in another numbering.
pub type Renamed<'a> = &'a dyn Fn(IncidentId) -> IncidentId;

/// Something in which numbers of incidents may stand.
pub trait Numbered {
    /// Gives each its other number.
    fn number(&mut self, _renamed: Renamed<'_>) {}
}

impl Numbered for IncidentId {
    fn number(&mut self, renamed: Renamed<'_>) {
        *self = renamed(*self);
    }
}

impl Numbered for IncidentSummary {
    fn number(&mut self, renamed: Renamed<'_>) {
        self.incident.number(renamed);
    }
}

impl Numbered for Said {
    fn number(&mut self, renamed: Renamed<'_>) {
        self.incident.number(renamed);
    }
}

impl Numbered for Verdict {
    fn number(&mut self, renamed: Renamed<'_>) {
        self.incident.number(renamed);
    }
}

impl Numbered for SeriesExplanation {
    fn number(&mut self, renamed: Renamed<'_>) {
        self.feedback.number(renamed);
        self.verdicts.number(renamed);
    }
}

impl Numbered for IncidentExplanation {
    fn number(&mut self, renamed: Renamed<'_>) {
        self.summary.number(renamed);
        self.feedback.number(renamed);
        self.members.number(renamed);
    }
}

impl<T: Numbered> Numbered for Option<T> {
    fn number(&mut self, renamed: Renamed<'_>) {
        self.iter_mut().for_each(|one| one.number(renamed));
    }
}

impl<T: Numbered> Numbered for Vec<T> {
    fn number(&mut self, renamed: Renamed<'_>) {
        self.iter_mut().for_each(|one| one.number(renamed));
    }
}

impl<T: Numbered> Numbered for Box<T> {
    fn number(&mut self, renamed: Renamed<'_>) {
        (**self).number(renamed);
    }
}

impl<A: Numbered, B: Numbered> Numbered for (A, B) {
    fn number(&mut self, renamed: Renamed<'_>) {
        self.0.number(renamed);
        self.1.number(renamed);
    }
}

impl Numbered for bool {}
impl Numbered for usize {}
impl Numbered for Arc<str> {}
impl Numbered for Fingerprint {}
impl Numbered for Habits {}
impl Numbered for String {}
impl Numbered for HeldBack {}
impl Numbered for Posting {}
impl Numbered for ShadowWord {}
impl Numbered for Silence {}
impl Numbered for SourceView {}
impl Numbered for Tally {}
impl Numbered for Timestamp {}
