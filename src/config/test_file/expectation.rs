//! What a rule test expects.
//!
//! Deliberately not whether it came: that is `rule_test`'s.

use std::fmt;
use std::sync::Arc;

use super::shape::{IncidentShape, NoticeShape, PageShape};
use crate::domain::{self, Reason, Verdict};

/// One expectation and the line that it stands in.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// The line of the test file.
    pub line: usize,
    /// What is expected.
    pub expected: Expected,
}

/// What can be expected. Only what happens from time 0 on counts.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// So many pages, opened and escalated.
    Pages(Count),
    /// So many pages of this shape.
    Page(PageShape, Count),
    /// So many notices of this shape.
    Notice(NoticeShape, Count),
    /// So many incidents.
    Incidents(Count),
    /// So many incidents of this shape.
    Incident(IncidentShape, Count),
    /// So many verdicts of this sort.
    Verdicts(Ending, Count),
    /// The events of the line with this `id` all end so.
    Event(Arc<str>, Ending),
    /// So many messages to this receiver.
    Told(String, Count),
}

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// At least so often.
    pub least: u64,
    /// At most so often; `u64::MAX` = no limit.
    pub most: u64,
}

impl Count {
    /// At least once.
    pub const SOME: Self = Self { least: 1, most: u64::MAX };
    /// Never.
    pub const NONE: Self = Self { least: 0, most: 0 };

    /// Reads `3`, `">= 3"`, `"<= 3"`, `"> 3"`, `"< 3"` or `"2..5"`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| text.trim().parse::<u64>().ok();
        let text = text.trim();
        if let Some(rest) = text.strip_prefix(">=") {
            return Some(Self { least: number(rest)?, most: u64::MAX });
        }
        if let Some(rest) = text.strip_prefix("<=") {
            return Some(Self { least: 0, most: number(rest)? });
        }
        if let Some(rest) = text.strip_prefix('>') {
            return Some(Self { least: number(rest)?.checked_add(1)?, most: u64::MAX });
        }
        if let Some(rest) = text.strip_prefix('<') {
            return Some(Self { least: 0, most: number(rest)?.checked_sub(1)? });
        }
        let (least, most) = match text.split_once("..") {
            Some((least, most)) => (number(least)?, number(most)?),
            None => (number(text)?, number(text)?),
        };
        (least <= most).then_some(Self { least, most })
    }

    /// Whether this number is meant.
    #[must_use]
    pub fn holds(self, number: usize) -> bool {
        (self.least..=self.most).contains(&(number as u64))
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.least, self.most) {
            (0, 0) => write!(f, "no"),
            (least, most) if least == most => write!(f, "{least}"),
            (least, u64::MAX) => write!(f, "at least {least}"),
            (0, most) => write!(f, "at most {most}"),
            (least, most) => write!(f, "{least} to {most}"),
        }
    }
}

/// How an event ends: an outcome, or one reason of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Any reason of this outcome.
    Outcome(domain::Outcome),
    /// This reason.
    Reason(Reason),
}

impl Ending {
    /// Reads the word of an outcome or a reason.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let outcome = text.parse().ok().map(Self::Outcome);
        outcome.or_else(|| text.parse().ok().map(Self::Reason))
    }

    /// The words that are read.
    pub fn words() -> impl Iterator<Item = &'static str> {
        let outcomes = domain::Outcome::ALL.iter().map(|outcome| outcome.word());
        outcomes.chain(Reason::ALL.iter().map(|reason| reason.word()))
    }

    /// Whether a verdict is such an ending.
    #[must_use]
    pub fn fits(self, verdict: &Verdict) -> bool {
        match self {
            Self::Outcome(outcome) => verdict.reason.outcome() == outcome,
            Self::Reason(reason) => verdict.reason == reason,
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outcome(outcome) => write!(f, "{outcome}"),
            Self::Reason(reason) => write!(f, "{reason}"),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pages(count) => write!(f, "{count} pages in all"),
            Self::Page(shape, count) => write!(f, "{count} page with {shape}"),
            Self::Notice(shape, count) => write!(f, "{count} notice with {shape}"),
            Self::Incidents(count) => write!(f, "{count} incidents in all"),
            Self::Incident(shape, count) => write!(f, "{count} incident with {shape}"),
            Self::Verdicts(ending, count) => write!(f, "{count} events that end as {ending}"),
            Self::Event(id, ending) => write!(f, "`{id}` ends as {ending}"),
            Self::Told(receiver, count) => write!(f, "{count} messages to {receiver}"),
        }
    }
}
