//! What a run decided, kept so that it can be held against another run.
//!
//! Deliberately not the account for people ([`super::account`]): this knows single events, that one sums.

use std::collections::BTreeMap;

use crate::domain::{Decision, IncidentId, Page, Reason, Timestamp, Verdict};

/// So many events lie together.
const PIECE: u64 = 4_096;

/// The pages of a run, and what became of every event.
#[derive(Clone, Debug, Default)]
pub struct Decided {
    /// All pages, by time. Their `alerts` are only those that no earlier page of their incident was about.
    pub pages: Vec<Page>,
    /// What became of each event, by its number, in pieces of [`PIECE`]: the events of a long life have high numbers, and
    /// those before them take no room.
    fates: BTreeMap<u64, Vec<Option<Fate>>>,
    /// The first page of each incident, and what its latest one was about.
    told: BTreeMap<IncidentId, (Timestamp, Vec<u64>)>,
}

/// What became of one event.
#[derive(Clone, Copy, Debug)]
pub struct Fate {
    /// Why.
    pub reason: Reason,
    /// The incident that it belongs to.
    pub incident: Option<IncidentId>,
    /// The fresh bits of its component, and the threshold, where they decided.
    pub bits: Option<(f32, f32)>,
}

impl Decided {
    /// Something was decided.
    pub fn take(&mut self, decision: &Decision) {
        match decision {
            Decision::Verdict(verdict) => self.verdict(verdict),
            Decision::Page(page) => self.page(page),
            Decision::Notice(_) | Decision::Incident(_) => {}
        }
    }

    fn verdict(&mut self, verdict: &Verdict) {
        let bits = verdict.evidence.component_bits.zip(verdict.evidence.threshold);
        let piece = self.fates.entry(verdict.seq / PIECE).or_insert_with(|| vec![None; PIECE as usize]);
        piece[(verdict.seq % PIECE) as usize] = Some(Fate { reason: verdict.reason, incident: verdict.incident, bits });
    }

    fn page(&mut self, page: &Page) {
        let mut page = page.clone();
        let (_, told) = self.told.entry(page.incident).or_insert_with(|| (page.ts, Vec::new()));
        let fresh = page.alerts.iter().copied().filter(|seq| told.binary_search(seq).is_err()).collect::<Vec<_>>();
        *told = std::mem::replace(&mut page.alerts, fresh);
        self.pages.push(page);
    }

    /// The events that made this page: those that no earlier page of its incident was about.
    #[must_use]
    pub fn fresh(&self, place: usize) -> &[u64] {
        &self.pages[place].alerts
    }

    /// What became of an event.
    #[must_use]
    pub fn fate(&self, seq: u64) -> Option<Fate> {
        self.fates.get(&(seq / PIECE)).and_then(|piece| piece[(seq % PIECE) as usize])
    }

    /// When an incident first paged.
    #[must_use]
    pub fn first_page(&self, incident: IncidentId) -> Option<Timestamp> {
        self.told.get(&incident).map(|(at, _)| *at)
    }

    /// How many events were held back for this reason.
    #[must_use]
    pub fn because(&self, reason: Reason) -> usize {
        self.fates.values().flatten().flatten().filter(|fate| fate.reason == reason).count()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{Evidence, Fingerprint};

    #[test]
    fn events_are_known_by_whatever_number_they_have() {
        let mut decided = Decided::default();
        for seq in [u64::MAX, 0, 4_095, 4_096, 9_000_000_000] {
            let verdict = Verdict {
                seq,
                ts: Timestamp::EPOCH,
                reason: Reason::Late,
                incident: None,
                series: Arc::from("a/host//b/c"),
                fingerprint: Fingerprint(1),
                evidence: Evidence::default(),
            };
            decided.take(&Decision::Verdict(verdict));
            assert!(decided.fate(seq).is_some_and(|fate| fate.reason == Reason::Late), "{seq}");
        }
        assert_eq!((decided.because(Reason::Late), decided.fates.len()), (5, 4));
        assert!(decided.fate(1).is_none() && decided.fate(10_000).is_none());
    }
}
