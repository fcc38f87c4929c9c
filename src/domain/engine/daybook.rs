//! The day book: what is decided is written down for digests, as it is decided. Nothing is decided by it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Engine;
use crate::domain::daybook::{Extract, FlapEnd, Flapped, Near, Parts, Report, earlier};
use crate::domain::decision::{Decision, IncidentId, IncidentSummary, NoticeAction, Verdict};
use crate::domain::digest::DigestRule;
use crate::domain::event::Event;
use crate::domain::notification::{Content, Dispatch};
use crate::domain::reason::Reason;
use crate::domain::series::Series;
use crate::domain::table::Slot;
use crate::domain::time::Timestamp;
use crate::domain::turn::Turn;

/// So many series have their parts at hand; beyond that they are worked out anew.
const MOST_AT_HAND: usize = 100_000;

impl Engine {
    /// What was decided from `from` until `until`, in full hours: of the part that this digest tells, or of everything
    /// (the empty name).
    #[must_use]
    pub fn extract(&self, digest: &str, window: (Timestamp, Timestamp)) -> Extract {
        self.daybook.extract(digest, window, self.now())
    }

    /// What a digest is told of a window of time, of the part that it tells or of everything (the empty name). `now` = when
    /// that is asked; the engine's own time may be behind, where nothing happens.
    #[must_use]
    pub fn report(&self, digest: &str, window: (Timestamp, Timestamp), now: Timestamp) -> Report {
        let extract = self.daybook.extract(digest, window, now);
        let before = self.daybook.sums(digest, (earlier(&extract), extract.from));
        let told: BTreeSet<IncidentId> = extract.chapters.iter().map(|chapter| chapter.incident).collect();
        let names: BTreeSet<&String> = self
            .incidents_that(|summary| told.contains(&summary.incident))
            .into_iter()
            .flat_map(IncidentSummary::names)
            .collect();
        let sources = if digest.is_empty() { self.sources() } else { Vec::new() };
        Report {
            before,
            sources: sources.into_iter().map(|source| (source.name, source.first)).collect(),
            words: told.iter().filter_map(|id| Some((*id, self.said_about(*id)?.opinion))).collect(),
            names: names.into_iter().cloned().collect(),
            more: false,
            extract,
        }
    }

    /// The name under which the book of a digest stands: that of its part, if it has one.
    #[must_use]
    pub fn book_of(digest: &DigestRule) -> &str {
        if digest.matchers.is_empty() { "" } else { &digest.name }
    }

    /// The digests that are due, each with its window.
    #[must_use]
    pub fn due_digests(&self) -> Vec<(DigestRule, (Timestamp, Timestamp))> {
        self.due_digests_at(self.now())
    }

    /// The digests that are due at `now`, where the engine's own time may be behind.
    #[must_use]
    pub fn due_digests_at(&self, now: Timestamp) -> Vec<(DigestRule, (Timestamp, Timestamp))> {
        let due = |rule: &DigestRule| {
            let told = self.daybook.told_until(&rule.name)?;
            Some((rule.clone(), rule.due(told, now.max(self.now()))?))
        };
        self.policy.digests.iter().filter_map(due).collect()
    }

    /// Whether it is known of all digests of the rules since when they are to tell.
    #[must_use]
    pub fn knows_digests(&self) -> bool {
        self.policy.digests.iter().all(|rule| self.daybook.told_until(&rule.name).is_some())
    }

    /// The rules may name other digests now. One that was not known is due at its next time.
    pub(super) fn follow_digests(&mut self) {
        let parts: Vec<String> = self.digest_parts().map(|rule| rule.name.clone()).collect();
        self.daybook.set_parts(parts.iter().map(String::as_str));
        self.parts.clear();
        self.digests_known = false;
    }

    /// Notes since when digests are known, once there is a time.
    pub(super) fn know_digests(&mut self) {
        if self.digests_known {
            return;
        }
        self.digests_known = true;
        let (now, policy) = (self.now(), Arc::clone(&self.policy));
        self.daybook.keep_told(|name| policy.digests.iter().any(|rule| rule.name == name));
        for rule in &policy.digests {
            if self.daybook.told_until(&rule.name).is_none() {
                self.daybook.tell(&rule.name, now);
            }
        }
    }

    /// A digest that was put together is owed to its receivers, unless it has been meanwhile.
    pub(super) fn dispatch(&mut self, dispatch: &Dispatch, turn: &mut Turn) {
        let policy = Arc::clone(&self.policy);
        let Some(rule) = policy.digests.iter().find(|rule| rule.name == dispatch.digest) else { return };
        if self.daybook.told_until(&rule.name).is_none_or(|told| told >= dispatch.until) {
            return;
        }
        self.daybook.tell(&rule.name, dispatch.until);
        let receivers = rule.receivers.iter().cloned().collect();
        let summary = dispatch.summary();
        self.owe_always(&receivers, &Content::Digest(Box::new(dispatch.clone())), &summary, turn);
    }

    fn digest_parts(&self) -> impl Iterator<Item = &DigestRule> {
        self.policy.digests.iter().filter(|rule| !rule.matchers.is_empty())
    }

    /// The parts of the book that a series belongs to.
    fn parts_of(&mut self, slot: Slot) -> Parts {
        if self.policy.digests.is_empty() {
            return Parts::WHOLE;
        }
        let fingerprint = self.series.at(slot).fingerprint;
        if let Some(parts) = self.parts.get(&fingerprint) {
            return *parts;
        }
        let series = self.series.at(slot);
        let parts = Parts::of(self.digest_parts().map(|rule| fits(rule, series, &self.policy.owners)));
        if self.parts.len() >= MOST_AT_HAND {
            self.parts.clear();
        }
        self.parts.insert(fingerprint, parts);
        parts
    }

    /// A verdict was given.
    pub(super) fn note_verdict(&mut self, slot: Slot, verdict: &Verdict) {
        let parts = self.parts_of(slot);
        let waiting = self.ledger.at(self.book).waiting();
        self.daybook.verdict(parts, verdict, waiting);
        if parts != Parts::WHOLE
            && let Some(incident) = verdict.incident.and_then(|id| self.incident(id)).map(|known| known.summary.clone())
        {
            self.daybook.concerns(parts, &incident);
        }
    }

    /// What waited has its verdict.
    pub(super) fn note_hold(&mut self, slot: Slot, reason: Reason, waited: f64) {
        let (parts, now) = (self.parts_of(slot), self.now());
        self.daybook.hold_ended(parts, now, (reason, waited));
    }

    /// What waited is held back for this reason: it may have been close to a page.
    pub(super) fn note_near(&mut self, slot: Slot, reason: Reason) {
        let (now, judgement) = (self.now(), &self.policy.judgement);
        let meter = |component: Slot| (self.components.at(component).highest(now, judgement), self.asked(component));
        let highest = self.known_components(slot).into_iter().flatten().map(meter);
        let Some((bits, threshold)) = highest.max_by(|a, b| a.0.total_cmp(&b.0)) else { return };
        if bits < Near::LEAST * threshold {
            return;
        }
        let series = self.series.at(slot);
        let near = Near {
            series: Arc::clone(&series.name.full),
            fingerprint: series.fingerprint,
            at: now,
            bits: bits as f32,
            threshold: threshold as f32,
            reason,
        };
        let parts = self.parts_of(slot);
        self.daybook.nearly_paged(parts, &near);
    }

    /// A silence held back an event.
    pub(super) fn note_hidden(&mut self, slot: Slot, silence: &str) {
        let (parts, now) = (self.parts_of(slot), self.now());
        self.daybook.hidden(parts, now, silence);
    }

    /// A series was heard of for the first time; `new_check` = its check, too.
    pub(super) fn note_fresh(&mut self, slot: Slot, event: &Event, new_check: bool) {
        let (parts, now) = (self.parts_of(slot), self.now());
        self.daybook.fresh(parts, now, new_check.then_some((&event.source, &event.check)));
    }

    /// A series flaps.
    pub(super) fn note_flapping(&mut self, slot: Slot, again: bool) {
        let parts = self.parts_of(slot);
        let series = self.series.at(slot);
        let flapped = Flapped {
            series: Arc::clone(&series.name.full),
            fingerprint: series.fingerprint,
            since: series.flap.episode.as_ref().map_or(self.now(), |episode| episode.since.max(Timestamp::EPOCH)),
            until: None,
            changes: 0,
            end: FlapEnd::Not,
            paged: false,
        };
        self.daybook.flapping_began(parts, &flapped, again);
    }

    /// A series is steady again after an episode that began at `since`.
    pub(super) fn note_steady(&mut self, slot: Slot, since: Timestamp, (changes, well): (u32, bool)) {
        let (parts, now, series) = (self.parts_of(slot), self.now(), self.series.at(slot).fingerprint);
        self.daybook.flap_changed(parts, (series, since), |flap| {
            (flap.until, flap.changes) = (Some(now), flap.changes.saturating_add(changes));
            flap.end = if well { FlapEnd::Well } else { FlapEnd::Bad };
        });
    }

    /// Flapping became a page.
    pub(super) fn note_flap_paged(&mut self, slot: Slot, since: Timestamp) {
        let (parts, series) = (self.parts_of(slot), self.series.at(slot).fingerprint);
        self.daybook.flap_changed(parts, (series, since), |flap| flap.paged = true);
    }

    /// Writes down what one input led to, beside the verdicts: pages, and what became of incidents.
    pub(super) fn write_down(&mut self, accepted: u64, decisions: &[Decision]) {
        if accepted > 0 || !decisions.is_empty() {
            let (now, waiting) = (self.now(), self.ledger.at(self.book).waiting());
            self.daybook.accept(now, (accepted, waiting));
        }
        for decision in decisions {
            match decision {
                Decision::Verdict(_) => {}
                Decision::Page(page) => {
                    if let Some(summary) = self.incident(page.incident).map(|incident| incident.summary.clone()) {
                        self.daybook.paged(page, &summary);
                    }
                }
                Decision::Incident(summary) => self.daybook.follow(summary),
                Decision::Notice(notice) => {
                    let tells =
                        matches!(notice.action, NoticeAction::Ack | NoticeAction::Resolve | NoticeAction::Reopen);
                    let incident = notice.incident.filter(|_| tells).and_then(|id| self.incident(id));
                    if let Some(summary) = incident.map(|incident| incident.summary.clone()) {
                        self.daybook.follow(&summary);
                    }
                }
            }
        }
    }
}

/// Whether a series is one that a digest tells of.
fn fits(rule: &DigestRule, series: &Series, owners: &BTreeMap<String, String>) -> bool {
    let source = series.name.full.split('/').next().unwrap_or_default();
    rule.matchers.iter().all(|matcher| {
        matcher.fits_value(match matcher.name() {
            "source" => source,
            "kind" => series.name.kind.word(),
            "service" => series.name.service.as_deref().unwrap_or_default(),
            "team" => owners.get(series.name.service.as_deref().unwrap_or_default()).map_or("", String::as_str),
            "host" => series.name.host.as_deref().unwrap_or_default(),
            _ => &series.name.check,
        })
    })
}
