//! What a run decided, kept so that it can be held against another run.
//!
//! Deliberately not the account for people ([`super::account`]): this knows single events, that one sums.

use std::collections::BTreeMap;

use crate::domain::{Decision, IncidentId, Page, Reason, Timestamp, Verdict};

/// The pages of a run, and what became of every event.
#[derive(Clone, Debug, Default)]
pub struct Decided {
    /// All pages, by time. Their `alerts` are only those that no earlier page of their incident was about.
    pub pages: Vec<Page>,
    /// What became of each event, by its number.
    fates: Vec<Option<Fate>>,
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
        let Ok(place) = usize::try_from(verdict.seq) else { return };
        if self.fates.len() <= place {
            self.fates.resize(place + 1, None);
        }
        let bits = verdict.evidence.component_bits.zip(verdict.evidence.threshold);
        self.fates[place] = Some(Fate { reason: verdict.reason, incident: verdict.incident, bits });
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
        self.fates.get(usize::try_from(seq).ok()?).copied().flatten()
    }

    /// When an incident first paged.
    #[must_use]
    pub fn first_page(&self, incident: IncidentId) -> Option<Timestamp> {
        self.told.get(&incident).map(|(at, _)| *at)
    }

    /// How many events were held back for this reason.
    #[must_use]
    pub fn because(&self, reason: Reason) -> usize {
        self.fates.iter().flatten().filter(|fate| fate.reason == reason).count()
    }
}
