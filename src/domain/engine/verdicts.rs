//! Verdicts: what finally becomes of an event, exactly once, with its numbers.

use std::sync::Arc;

use super::Engine;
use crate::domain::decision::{Decision, Evidence, IncidentId, Verdict};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::incident::Incident;
use crate::domain::level::Level;
use crate::domain::reason::{Outcome, Reason};
use crate::domain::table::Slot;
use crate::domain::timers::Due;
use crate::domain::turn::Turn;

/// Why an event ended as it did, and the incident that it belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fate {
    reason: Reason,
    incident: Option<IncidentId>,
}

impl Fate {
    /// A fate within an incident, or outside of all.
    pub(super) const fn new(reason: Reason, incident: Option<IncidentId>) -> Self {
        Self { reason, incident }
    }

    /// It joins the incident where there is one; else this is why it ends alone.
    pub(super) fn join_or(incident: Option<IncidentId>, reason: Reason) -> Self {
        Self { reason: if incident.is_some() { Reason::OpenIncident } else { reason }, incident }
    }
}

impl From<Reason> for Fate {
    fn from(reason: Reason) -> Self {
        Self { reason, incident: None }
    }
}

impl Engine {
    /// Gives an event its verdict.
    pub(super) fn decide(&mut self, seq: u64, slot: Slot, fate: impl Into<Fate>, turn: &mut Turn) {
        let evidence = self.series.at(slot).evidence.get();
        self.decide_with(seq, slot, (fate.into(), evidence), turn);
    }

    /// Gives an event its verdict, with these numbers.
    pub(super) fn decide_with(&mut self, seq: u64, slot: Slot, (fate, evidence): (Fate, Evidence), turn: &mut Turn) {
        let Fate { reason, incident } = fate;
        let now = self.now();
        self.ledger.change(self.book).count(reason);
        let series = self.series.beat(slot);
        let verdict = Verdict {
            seq,
            ts: now,
            reason,
            incident,
            series: Arc::clone(&series.name.full),
            fingerprint: series.fingerprint,
            evidence,
        };
        match reason.outcome() {
            Outcome::Suppress => series.held += 1,
            Outcome::Page | Outcome::Join => self.add_to_incident(&verdict),
            Outcome::Record => {}
        }
        // Resends and resolves would push out what is worth remembering.
        if reason.outcome() != Outcome::Record && reason != Reason::Duplicate {
            self.series.change(slot).remember(&verdict);
        }
        self.note_verdict(slot, &verdict);
        turn.decisions.push(Decision::Verdict(verdict));
    }

    fn add_to_incident(&mut self, verdict: &Verdict) {
        if let Some(slot) = verdict.incident.and_then(|id| self.incidents.find(Incident::key(id))) {
            self.incidents.change(slot).add(verdict.seq, verdict.fingerprint);
        }
    }

    /// The events of a series that wait get this verdict.
    pub(super) fn decide_waiting(&mut self, slot: Slot, fate: Fate, turn: &mut Turn) {
        if self.series.at(slot).waiting.is_empty() {
            return;
        }
        let (now, limit_in) = (self.now(), self.limit_in(slot));
        let series = self.series.change(slot);
        let mut evidence = series.evidence.get();
        evidence.limit_in = limit_in;
        let waited = now.since(series.since);
        evidence.lasted = Some(waited as f32);
        let mut waiting = std::mem::take(&mut series.waiting);
        for seq in waiting.drain(..) {
            self.decide_with(seq, slot, (fate, evidence), turn);
        }
        self.series.change(slot).waiting = waiting;
        self.note_hold(slot, fate.reason, waited);
    }

    /// An event waits for its verdict: as long as its kind usually takes to resolve by itself, at least until its
    /// meter has peaked, at most as long as its rule allows.
    pub(super) fn wait(&mut self, seq: u64, slot: Slot, longest: f64, turn: &mut Turn) {
        if self.series.at(slot).waiting.len() >= crate::domain::series::Series::WAITING {
            let incident = self.open_incident_of(slot);
            return self.decide(seq, slot, Fate::join_or(incident, Reason::Duplicate), turn);
        }
        let now = self.now();
        let usually = self.usually_lasts(slot);
        let judgement = &self.policy.judgement;
        let peak = libm::log(judgement.fade / judgement.settle) / (1.0 / judgement.settle - 1.0 / judgement.fade);
        let hold = usually.unwrap_or(longest).min(longest).max(peak + 1.0);
        let series = self.series.change(slot);
        series.evidence.change(|evidence| evidence.usually_lasts = usually.map(|secs| secs as f32));
        series.waiting.push(seq);
        series.hold_until = now.after(hold);
        self.timers.set(series.hold_until, Due::Hold, series.fingerprint);
    }

    /// How long nine of ten such alerts last, by its own history where that is long enough, else by its check's.
    pub(super) fn usually_lasts(&self, slot: Slot) -> Option<f64> {
        const ENOUGH: f64 = 5.0;
        let series = self.series.at(slot);
        let own = Some(&series.episodes).filter(|episodes| episodes.total() >= ENOUGH);
        let check = Some(&self.check(slot).episodes);
        own.or(check.filter(|episodes| episodes.total() >= ENOUGH)).and_then(|episodes| episodes.quantile(0.9))
    }

    /// The hold of a series is over.
    pub(super) fn hold_due(&mut self, whom: Fingerprint, turn: &mut Turn) {
        if let Some(slot) = self.series.find(whom)
            && self.series.at(slot).hold_until <= self.now()
        {
            self.end_hold(slot, turn);
        }
    }

    /// What waited has become no page: it joins the open incident of its component, or is suppressed.
    pub(super) fn end_hold(&mut self, slot: Slot, turn: &mut Turn) {
        self.come_back(slot, turn);
        let incident = self.open_incident_of(slot);
        let alone = match self.series.at(slot).level {
            _ if self.is_withheld(slot) => Reason::Budget,
            Level::Off => Reason::Transient,
            Level::On | Level::Critical => Reason::Ordinary,
        };
        if incident.is_none() && !self.series.at(slot).waiting.is_empty() {
            self.note_near(slot, alone);
        }
        self.decide_waiting(slot, Fate::join_or(incident, alone), turn);
    }
}
