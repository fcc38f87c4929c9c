//! The account of a run: what came in, what went out, what was held back and why. Its numbers add up.
//!
//! This file collects; [`text`] words it, [`json`] writes it for programs.

pub mod json;
pub mod text;

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::domain::{
    Decision, Event, IncidentId, IncidentSummary, Notice, NoticeAction, Outcome, Page, Reason, Status, Timestamp,
    Verdict,
};

/// What a run has come to so far.
#[derive(Debug, Default)]
pub struct Account {
    sources: BTreeMap<String, u64>,
    events: u64,
    samples: u64,
    rejected: u64,
    between: Option<(Timestamp, Timestamp)>,
    reasons: FxHashMap<Reason, FxHashMap<Arc<str>, u64>>,
    notices: FxHashMap<NoticeAction, u64>,
    withheld: Vec<Notice>,
    pages: Vec<Page>,
    incidents: BTreeMap<IncidentId, IncidentSummary>,
}

impl Account {
    /// An event came in.
    pub fn event(&mut self, event: &Event) {
        if event.status == Status::Sample {
            self.samples += 1;
        } else {
            self.events += 1;
        }
        match self.sources.get_mut(&event.source) {
            Some(count) => *count += 1,
            None => {
                self.sources.insert(event.source.clone(), 1);
            }
        }
    }

    /// A line came in that is no valid event.
    pub fn rejected(&mut self) {
        self.rejected += 1;
    }

    /// Something was decided.
    pub fn decision(&mut self, decision: Decision) {
        match decision {
            Decision::Verdict(verdict) => self.verdict(&verdict),
            Decision::Page(page) => {
                self.passed(page.ts);
                self.pages.push(*page);
            }
            Decision::Notice(notice) => {
                self.passed(notice.ts);
                *self.notices.entry(notice.action).or_default() += 1;
                if notice.action == NoticeAction::Withheld {
                    self.withheld.push(*notice);
                }
            }
            // An incident that was over and came back is summed up again: the last sum counts.
            Decision::Incident(summary) => {
                self.incidents.insert(summary.incident, *summary);
            }
        }
    }

    fn verdict(&mut self, verdict: &Verdict) {
        self.passed(verdict.ts);
        let series = self.reasons.entry(verdict.reason).or_default();
        match series.get_mut(&verdict.series) {
            Some(count) => *count += 1,
            None => {
                series.insert(Arc::clone(&verdict.series), 1);
            }
        }
    }

    fn passed(&mut self, time: Timestamp) {
        let (first, last) = self.between.unwrap_or((time, time));
        self.between = Some((first.min(time), last.max(time)));
    }

    /// Pages sent so far.
    #[must_use]
    pub fn pages(&self) -> usize {
        self.pages.len()
    }

    /// Events that came in, samples left out.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// Verdicts with this reason.
    #[must_use]
    pub fn because(&self, reason: Reason) -> u64 {
        self.reasons.get(&reason).map_or(0, |series| series.values().sum())
    }

    /// Verdicts with this outcome.
    #[must_use]
    pub fn became(&self, outcome: Outcome) -> u64 {
        self.reasons.keys().filter(|reason| reason.outcome() == outcome).map(|reason| self.because(*reason)).sum()
    }

    /// The series with the most verdicts of this reason, most first, and how many series there are.
    pub(in crate::replay) fn loudest(&self, reason: Reason, most: usize) -> (Vec<(&str, u64)>, usize) {
        let Some(series) = self.reasons.get(&reason) else { return (Vec::new(), 0) };
        let mut loudest: Vec<_> = series.iter().map(|(name, count)| (&**name, *count)).collect();
        loudest.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        loudest.truncate(most);
        (loudest, series.len())
    }
}
