//! Rule changes for a digest: the stored history is replayed under each, and what would have been lost is looked at.
//!
//! Deliberately bounded: the latest events, and no more replays than a number of events pays for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::config::{self, Source};
use crate::digest::{Gathered, Proposal, Proposals};
use crate::domain::daybook::Chapter;
use crate::domain::{Event, Opinion, Topology};
use crate::tune::{History, Scope, patch, tune};

/// So many events of the history are replayed at most: the latest.
pub const EVENTS: usize = 100_000;
/// So many events are judged anew for one digest, over all replays.
const BUDGET: usize = 1_200_000;
/// So many changes are tried at most.
const TRIES: usize = 24;

/// The latest events of a history.
#[derive(Debug, Default)]
pub struct Latest(VecDeque<(u64, Event)>);

impl Latest {
    /// Takes the next event, under its number.
    pub fn take(&mut self, seq: u64, event: Event) {
        if self.0.len() == EVENTS {
            self.0.pop_front();
        }
        self.0.push_back((seq, event));
    }

    /// Them, oldest first, each with its number.
    pub fn into_events(self) -> impl Iterator<Item = (u64, Event)> {
        self.0.into_iter()
    }
}

/// What could be changed for fewer pages in the window of a digest; `None` = nothing, or nothing can be replayed.
#[must_use]
pub fn propose(latest: Latest, sources: &[Source], gathered: &Gathered) -> Option<Proposals> {
    let (opened, worse) = gathered.extract.pages();
    if opened + worse == 0 || latest.0.is_empty() {
        return None;
    }
    let part = if gathered.parted { Some(part(&latest, sources, &gathered.digest)?) } else { None };
    // Numbered anew, so that a run over few events of a long life takes little memory.
    let places: BTreeMap<u64, u64> = (0..).zip(&latest.0).map(|(place, (seq, _))| (*seq, place)).collect();
    let events: Vec<(u64, Event)> = (0..).zip(latest.0.into_iter().map(|(_, event)| event)).collect();
    let answered = |chapter: &&Chapter| {
        chapter.acknowledged.is_some() || gathered.words.get(&chapter.incident) == Some(&Opinion::Useful)
    };
    let chapters: Vec<&Chapter> = gathered.extract.chapters.iter().filter(answered).collect();
    let taken: BTreeSet<u64> =
        chapters.iter().flat_map(|chapter| &chapter.first).filter_map(|seq| places.get(seq).copied()).collect();
    let scope = Scope {
        window: Some((gathered.extract.from, gathered.extract.until)),
        taken,
        part,
        tries: (BUDGET / events.len().max(1)).saturating_sub(1).min(TRIES),
    };
    let graph = Topology::default();
    let tuning = tune(&History { events: &events, sources, graph: &graph, scope }).ok()?;
    if tuning.proposals.is_empty() {
        return None;
    }
    let all = patch(&tuning, crate::files::RULES_DIR.trim_start_matches("./"), "tuned.yaml");
    let diff = all.find("--- ").map(|at| all[at..].to_owned()).unwrap_or_default();
    let change = |proposal: &crate::tune::Proposal| Proposal {
        words: proposal.candidate.words(),
        pages: proposal.pages as u64,
        lost: proposal.lost.clone(),
    };
    Some(Proposals {
        pages: tuning.pages as u64,
        together: tuning.together as u64,
        acknowledged: chapters.len() as u64,
        changes: tuning.proposals.iter().map(change).collect(),
        patch: diff,
    })
}

/// The places of the events that a digest tells of; `None` = the rules do not have it any more, or are wrong.
fn part(latest: &Latest, sources: &[Source], digest: &str) -> Option<BTreeSet<u64>> {
    let policy = config::load(sources).ok()?.policy;
    let rule = policy.digests.iter().find(|rule| rule.name == digest)?;
    let told = (0..).zip(&latest.0).filter(|(_, (_, event))| rule.tells_of(event, &policy.owners));
    Some(told.map(|(place, _)| place).collect())
}
