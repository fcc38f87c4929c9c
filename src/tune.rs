//! Rule changes proposed from a recorded history, each replayed before it is shown; and those that people think of
//! ([`config::Knobs`]), tried on it. Pure.
//!
//! A proposal is made for a check whose paged incidents were all mild: below critical, on one component, over within
//! the hour by themselves. It is kept only when its replay pages less and leaves every incident that was not mild
//! exactly as early as it was. Deliberately nothing is applied, and no number is fitted: the changes are the few that
//! a person would write.

mod candidate;
mod patch;
mod trial;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::config::{self, Source};
use crate::diagnostic::Report;
use crate::domain::{Decision, Event, IncidentId, IncidentSummary, Page, Policy, Severity, Timestamp, Topology};
use crate::replay::Run;
use crate::replay::compare::{Difference, compare};
use crate::replay::decided::Decided;

pub use candidate::Candidate;
pub use patch::patch;
pub use trial::{Trial, Untried, try_change};

/// How many candidates are replayed.
const TRIED: usize = 32;
/// How many proposals are made at most.
pub const MOST: usize = 5;
/// An incident that lasted longer than this was not mild, in seconds.
pub const MILD: f64 = 3600.0;

/// A history that is replayed again and again.
#[derive(Debug)]
pub struct History<'a> {
    /// The events under their numbers, oldest first.
    pub events: &'a [(u64, Event)],
    /// The rule files in force.
    pub sources: &'a [Source],
    /// Edges that are added to those of the rules.
    pub graph: &'a Topology,
    /// What is looked at.
    pub scope: Scope,
}

/// What of a history is looked at.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Pages from then on, until just before; those before only teach what is ordinary. `None` = all.
    pub window: Option<(Timestamp, Timestamp)>,
    /// Events of pages that people took: no such page may be lost or come later.
    pub taken: BTreeSet<u64>,
    /// The events of the part that is looked at: pages count that have one of them, nothing is proposed that is about
    /// everything, and no other page may be lost or come later. `None` = all.
    pub part: Option<BTreeSet<u64>>,
    /// How many changes are replayed at most.
    pub tries: usize,
}

impl Default for Scope {
    fn default() -> Self {
        Self { window: None, taken: BTreeSet::new(), part: None, tries: TRIED }
    }
}

impl Scope {
    fn pages(&self, replayed: &Replayed) -> usize {
        let within = |at: Timestamp| self.window.is_none_or(|(from, until)| (from..until).contains(&at));
        replayed.decided.pages.iter().filter(|page| within(page.ts) && self.is_of_part(page)).count()
    }

    /// Whether an event is of the part.
    fn has(&self, seq: u64) -> bool {
        self.part.as_ref().is_none_or(|part| part.contains(&seq))
    }

    /// Whether a page is one of the part.
    fn is_of_part(&self, page: &Page) -> bool {
        page.alerts.iter().any(|seq| self.has(*seq))
    }
}

/// What a run of the history came to.
#[derive(Debug, Default)]
pub struct Replayed {
    /// Its pages and fates.
    pub decided: Decided,
    /// Its incidents.
    pub incidents: std::collections::BTreeMap<IncidentId, IncidentSummary>,
}

/// A change that was replayed and pages less.
#[derive(Debug)]
pub struct Proposal {
    /// The change.
    pub candidate: Candidate,
    /// How many pages there are with it alone.
    pub pages: usize,
    /// The titles of the pages that are lost with it alone.
    pub lost: Vec<String>,
}

/// What is proposed.
#[derive(Debug)]
pub struct Tuning {
    /// Pages under the rules in force.
    pub pages: usize,
    /// Incidents that were not mild, and paged.
    pub serious: usize,
    /// How many changes were replayed.
    pub tried: usize,
    /// Changes that go together, the one that saves most first; at most [`MOST`].
    pub proposals: Vec<Proposal>,
    /// Pages with all of them.
    pub together: usize,
}

impl History<'_> {
    /// Replays the history under the rules in force with these changes added.
    fn replay(&self, changes: &[&Candidate]) -> Result<Replayed, Report> {
        let mut sources = self.sources.to_vec();
        if !changes.is_empty() {
            sources.push(Source::new(patch::NAME, patch::rules(changes)));
        }
        let policy = config::load(&sources)?.policy;
        let policy = Policy { topology: policy.topology.joined(self.graph), ..policy };
        let mut replayed = Replayed::default();
        let mut run = Run::new(policy);
        for (seq, event) in self.events {
            run.event(*seq, event.clone(), &mut |decision| replayed.take(decision));
        }
        run.finish(&mut |decision| replayed.take(decision));
        Ok(replayed)
    }
}

impl Replayed {
    fn take(&mut self, decision: Decision) {
        self.decided.take(&decision);
        if let Decision::Incident(summary) = decision {
            self.incidents.insert(summary.incident, *summary);
        }
    }

    /// The incidents that paged and were not mild.
    fn serious(&self) -> impl Iterator<Item = &IncidentSummary> {
        self.incidents.values().filter(|incident| incident.paged.is_some() && !mild(incident))
    }
}

/// Whether an incident was below critical, on one component, and over by itself within [`MILD`].
fn mild(incident: &IncidentSummary) -> bool {
    incident.severity < Severity::Critical
        && incident.hosts.len() <= 1
        && incident.services.len() <= 1
        && incident.acknowledged.is_none()
        && incident.resolved.is_some_and(|at| at.since(incident.opened) <= MILD)
}

/// Replays the history under the rules in force, then under each change that suggests itself.
///
/// # Errors
/// When the rules in force are wrong.
pub fn tune(history: &History<'_>) -> Result<Tuning, Report> {
    let own = history.replay(&[])?;
    let policy = Arc::new(config::load(history.sources)?.policy);
    let candidates = candidate::candidates(history, &own, &policy);
    let mut good: Vec<Proposal> = Vec::new();
    let mut tried = 0;
    for candidate in candidates.into_iter().take(history.scope.tries) {
        tried += 1;
        let other = history.replay(&[&candidate])?;
        if let Some(lost) = harmless(history, &own, &other) {
            good.push(Proposal { candidate, pages: history.scope.pages(&other), lost });
        }
    }
    good.sort_by_key(|proposal| proposal.pages);
    let (proposals, together) = combined(history, &own, good)?;
    Ok(Tuning { pages: history.scope.pages(&own), serious: own.serious().count(), tried, proposals, together })
}

/// As many of the proposals as go together, and the pages with all of them.
fn combined(history: &History<'_>, own: &Replayed, good: Vec<Proposal>) -> Result<(Vec<Proposal>, usize), Report> {
    let mut kept: Vec<Proposal> = Vec::new();
    let mut pages = history.scope.pages(own);
    for proposal in good {
        if kept.len() == MOST {
            break;
        }
        let changes: Vec<_> = kept.iter().map(|kept| &kept.candidate).chain([&proposal.candidate]).collect();
        let other = history.replay(&changes)?;
        let fewer = history.scope.pages(&other);
        if fewer < pages && harmless(history, own, &other).is_some() {
            pages = fewer;
            kept.push(proposal);
        }
    }
    Ok((kept, pages))
}

/// The titles of the pages that are lost, when there are fewer pages and nothing serious is lost or later; else `None`.
fn harmless(history: &History<'_>, own: &Replayed, other: &Replayed) -> Option<Vec<String>> {
    let scope = &history.scope;
    if scope.pages(other) >= scope.pages(own) {
        return None;
    }
    let serious = |incident: IncidentId| own.incidents.get(&incident).is_none_or(|incident| !mild(incident));
    let taken = |page: &Page| page.alerts.iter().any(|seq| scope.taken.contains(seq));
    let mut lost = Vec::new();
    for difference in compare(&own.decided, &other.decided) {
        match difference {
            Difference::Lost(page, _) | Difference::Later(page, ..)
                if serious(page.incident) || taken(page) || !scope.is_of_part(page) =>
            {
                return None;
            }
            Difference::Lost(page, _) => lost.push(page.title.clone()),
            _ => {}
        }
    }
    Some(lost)
}
