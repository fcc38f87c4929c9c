//! The changes that suggest themselves from a run: the few that a person would write.

use std::collections::BTreeMap;

use super::{History, Replayed, mild};
use crate::domain::matcher::Operator;
use crate::domain::{Event, Matcher, Policy, Sensitivity};

/// A check must have paged this often before anything is proposed for it.
const OFTEN: usize = 2;

/// A change of the rules.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Candidate {
    /// Alerts of this check of this source page only when they are critical.
    OnlyCritical {
        /// The source.
        source: String,
        /// The check.
        check: String,
        /// Only those of this host; `None` = everywhere.
        host: Option<String>,
    },
    /// Flapping of this check of this source pages only after this many hours.
    FlapsLonger {
        /// The source.
        source: String,
        /// The check.
        check: String,
        /// The hours.
        hours: u32,
    },
    /// `sensitivity: quiet`.
    Quiet,
}

impl Candidate {
    /// What it does, in words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::OnlyCritical { source, check, host } => {
                let place = host.as_ref().map(|host| format!(" on {host}")).unwrap_or_default();
                format!("{check} of {source}{place} pages only when it is critical")
            }
            Self::FlapsLonger { source, check, hours } => {
                format!("{check} of {source} may flap for {hours} hours before it pages")
            }
            Self::Quiet => "only what is very unusual pages (sensitivity: quiet)".to_owned(),
        }
    }
}

/// What the checks of a run paged for.
#[derive(Default)]
struct Paged {
    mild: usize,
    serious: usize,
    flapping: usize,
}

/// A check everywhere, or on one host: source, check, host.
type Key = (String, String, Option<String>);

/// What a rule about this event could be about.
fn keys(event: &Event) -> impl Iterator<Item = Key> {
    let key = |host| (event.source.clone(), event.check.clone(), host);
    [Some(key(None)), event.host.clone().map(|host| key(Some(host)))].into_iter().flatten()
}

/// The changes worth a replay, those about the checks that paged most first.
pub(super) fn candidates(history: &History<'_>, own: &Replayed, policy: &Policy) -> Vec<Candidate> {
    let (events, scope) = (history.events, &history.scope);
    let mut checks: BTreeMap<Key, Paged> = BTreeMap::new();
    for page in own.decided.pages.iter().filter(|page| scope.is_of_part(page)) {
        let of = |seq: &u64| events.binary_search_by_key(seq, |(seq, _)| *seq).ok().map(|place| &events[place].1);
        // Checks that a person has written a rule for are left to that person.
        let ours = page.alerts.iter().filter(|seq| scope.has(**seq));
        let about = ours.filter_map(of).filter(|event| policy.rule_for(event).is_none());
        let mut keys: Vec<Key> = about.flat_map(keys).collect();
        keys.sort();
        keys.dedup();
        let mild = own.incidents.get(&page.incident).is_some_and(mild);
        for key in keys.into_iter().filter(|(_, check, _)| !check.is_empty()) {
            let paged = checks.entry(key).or_default();
            *if mild { &mut paged.mild } else { &mut paged.serious } += 1;
            paged.flapping += usize::from(page.reason.word().starts_with("flapping"));
        }
    }
    let mut ranked: Vec<_> = checks.into_iter().filter(|(_, paged)| paged.mild >= OFTEN).collect();
    ranked.sort_by_key(|(_, paged)| (paged.serious, std::cmp::Reverse(paged.mild)));
    let mut all = Vec::new();
    if policy.judgement.sensitivity != Sensitivity::Quiet && scope.part.is_none() {
        all.push(Candidate::Quiet);
    }
    for ((source, check, host), paged) in ranked {
        if paged.flapping >= OFTEN && host.is_none() {
            all.push(Candidate::FlapsLonger { source: source.clone(), check: check.clone(), hours: 4 });
        }
        all.push(Candidate::OnlyCritical { source, check, host });
    }
    all
}

/// The matchers of a check, as they are written in a rule file.
pub(super) fn matchers(source: &str, check: &str, host: Option<&str>) -> Vec<String> {
    let written = |(name, value): (&str, &str)| Matcher::new(name, Operator::Equal, value).map(|one| one.to_string());
    let parts = [Some(("source", source)), Some(("check", check)), host.map(|host| ("host", host))];
    parts.into_iter().flatten().filter_map(|part| written(part).ok()).collect()
}
