//! Events as intervals: from a firing to what ended it.
//!
//! The report's own reading of the input, for drawing alone: the engine's identity is finer, its times are decided.

use rustc_hash::FxHashMap;

use super::Report;
use crate::domain::{IncidentId, Outcome, Reason, Severity, Status, Timestamp};

/// What never resolves is drawn at most this long after it last spoke, in seconds (a day, as `expire`).
const LONGEST: f64 = 86_400.0;

/// What a stretch of a lane looks like; the later, the stronger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Look {
    /// Nothing to decide.
    Recorded,
    /// Held back.
    Held,
    /// Held back as flapping.
    Flapping,
    /// Joined an incident.
    Joined,
    /// Part of a page.
    Paged,
}

impl Look {
    /// How an event with this reason looks.
    pub(super) fn of(reason: Reason) -> Self {
        match (reason.outcome(), reason) {
            (Outcome::Page, _) => Self::Paged,
            (Outcome::Join, _) => Self::Joined,
            (Outcome::Suppress, Reason::Flapping) => Self::Flapping,
            (Outcome::Suppress, _) => Self::Held,
            (Outcome::Record, _) => Self::Recorded,
        }
    }

    /// Its class in the style sheet.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Recorded => "rec",
            Self::Held => "held",
            Self::Flapping => "flap",
            Self::Joined => "join",
            Self::Paged => "paged",
        }
    }
}

/// An alert from its start to its end.
#[derive(Clone, Debug)]
pub(super) struct Episode {
    pub(super) component: u32,
    pub(super) check: u32,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) severity: Severity,
    pub(super) look: Look,
    pub(super) incident: Option<IncidentId>,
    /// The reasons of its events, and how many have each.
    pub(super) reasons: Vec<(Reason, u32)>,
}

/// All episodes, by their start.
pub(super) fn episodes(report: &Report, end: Timestamp) -> Vec<Episode> {
    let mut all: Vec<Episode> = Vec::new();
    let mut open: FxHashMap<u64, usize> = FxHashMap::default();
    for heard in &report.heard {
        let Some(fate) = report.decided.fate(heard.seq) else { continue };
        match heard.status {
            Status::Firing | Status::Event => {}
            Status::Resolved => {
                if let Some(place) = open.remove(&heard.alert.0) {
                    all[place].to = heard.at.max(all[place].from);
                }
                continue;
            }
            _ => continue,
        }
        // What a change says is a mark of its own.
        if fate.reason == Reason::Change {
            continue;
        }
        let lasting = heard.status == Status::Firing && report.resolving.contains(&heard.source);
        let known = open.get(&heard.alert.0).copied().filter(|place| heard.at.since(all[*place].to) <= 0.0);
        let place = known.unwrap_or_else(|| {
            let to = if lasting { end.min(heard.at.after(LONGEST)).max(heard.at) } else { heard.at };
            all.push(Episode {
                component: heard.component,
                check: heard.check,
                from: heard.at,
                to,
                severity: heard.severity,
                look: Look::Recorded,
                incident: None,
                reasons: Vec::new(),
            });
            if lasting {
                open.insert(heard.alert.0, all.len() - 1);
            }
            all.len() - 1
        });
        let episode = &mut all[place];
        if lasting {
            episode.to = end.min(heard.at.after(LONGEST)).max(episode.to);
        }
        add(episode, fate.reason, fate.incident, heard.severity);
    }
    all.sort_by_key(|episode| episode.from);
    all
}

fn add(episode: &mut Episode, reason: Reason, incident: Option<IncidentId>, severity: Severity) {
    let look = Look::of(reason);
    if look > episode.look || episode.reasons.is_empty() {
        (episode.look, episode.incident) = (look, incident);
    }
    episode.severity = episode.severity.max(severity);
    match episode.reasons.iter_mut().find(|(known, _)| *known == reason) {
        Some((_, count)) => *count += 1,
        None => episode.reasons.push((reason, 1)),
    }
}
