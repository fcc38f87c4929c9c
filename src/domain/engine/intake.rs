//! Intake: which alert and which series an event is about, and what is nothing new.

use std::sync::Arc;

use super::Engine;
use super::verdicts::Fate;
use crate::domain::alert::{Alert, Mute};
use crate::domain::check::Check;
use crate::domain::event::Event;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::ledger::Told;
use crate::domain::level::Level;
use crate::domain::policy::PageMode;
use crate::domain::reason::Reason;
use crate::domain::series::{Series, SeriesName};
use crate::domain::signal::{Kind, Severity, Status};
use crate::domain::source::Source;
use crate::domain::table::Slot;
use crate::domain::template::mask_name;
use crate::domain::time::Timestamp;
use crate::domain::timers::Due;
use crate::domain::turn::Turn;

/// An event on its way in.
pub(super) struct Arrival<'a> {
    /// Its number.
    pub(super) seq: u64,
    /// Itself.
    pub(super) event: &'a Event,
    /// When it happened, by the sender's clock, but never after now.
    pub(super) at: Timestamp,
    /// The identity of its alert.
    pub(super) alert: Fingerprint,
    /// That alert, where it fires already.
    pub(super) fires: Option<Slot>,
    /// Its series.
    pub(super) series: Slot,
    /// Its source.
    pub(super) source: Slot,
}

/// What an event is about, as it is called: the identity of an alert that has no other, and of a series of which
/// nothing is masked.
fn identity(event: &Event) -> Fingerprint {
    let (service, host) = (event.service.as_deref().unwrap_or(""), event.host.as_deref().unwrap_or(""));
    Fingerprint::of(&[&event.source, event.kind.word(), service, host, &event.check])
}

impl Engine {
    /// Takes an event.
    pub(super) fn event(&mut self, seq: u64, event: &Event, turn: &mut Turn) {
        let now = self.now();
        let book = self.ledger.change(self.book);
        // A second before the first event: a history of no length at all would have no rate.
        book.start.get_or_insert(Timestamp::from_millis(now.millis() - 1000));
        if event.status == Status::Sample {
            book.samples += 1;
            return self.sample(event, turn);
        }
        book.accepted += 1;
        let arrival = self.arrive(seq, event, turn);
        let slot = arrival.series;
        if self.heartbeats.len() > 0 && self.heartbeat(&arrival, turn) {
            return self.post(&arrival);
        }
        if event.value.is_some() {
            self.follow_alert(&arrival);
        }
        match (event.kind, event.status) {
            (Kind::Change, _) => {
                self.told(event);
                self.maintain_after(event, turn);
                self.decide(seq, slot, Reason::Change, turn);
            }
            (_, Status::Resolved) => self.resolved(&arrival, turn),
            (_, Status::Acknowledged) => {
                let incident = self.open_incident_of(slot);
                self.decide(seq, slot, Fate::new(Reason::Acknowledged, incident), turn);
                if let Some(id) = incident {
                    self.acknowledge(id, &event.source, turn);
                }
            }
            (_, Status::NoData) => self.decide(seq, slot, Reason::NoData, turn),
            (_, Status::Firing | Status::Event | Status::Sample) => self.firing(&arrival, turn),
        }
        if event.value.is_some() {
            self.look_at_limit(slot, (event, arrival.fires), turn);
        }
        self.post(&arrival);
    }

    /// Finds the alert, the series and the source of an event.
    fn arrive<'a>(&mut self, seq: u64, event: &'a Event, turn: &mut Turn) -> Arrival<'a> {
        let now = self.now();
        let at = event.ts.or(event.received).unwrap_or(now).min(now);
        let alert = match (&event.dedup_key, &event.identity) {
            (Some(key), _) => Fingerprint::of(&["dedup", &event.source, key]),
            (None, Some(key)) => Fingerprint::of(&["tool", &event.source, key]),
            (None, None) => identity(event),
        };
        let fires = self.alerts.find(alert);
        let known = fires.and_then(|slot| self.series_of_alert(self.alerts.at(slot)));
        let series = known.unwrap_or_else(|| self.series_of(event));
        let source = self.source_of(event, turn);
        self.series.beat(series).heard.1 = now;
        Arrival { seq, event, at, alert, fires, series, source }
    }

    pub(super) fn source_of(&mut self, event: &Event, turn: &mut Turn) -> Slot {
        let fingerprint = Fingerprint::of(&[&event.source]);
        let now = self.now();
        if let Some(slot) = self.sources.find(fingerprint) {
            self.hear_source(slot, turn);
            return slot;
        }
        let name = self.name(&event.source);
        self.sources.insert(Source::new(fingerprint, name, now))
    }

    /// The series of an event: its name with the parts that live one deployment masked.
    pub(super) fn series_of(&mut self, event: &Event) -> Slot {
        // Masking twice changes nothing: a series that is called as the event is needs no masking.
        if let Some(slot) = self.series.find(identity(event)) {
            self.rename(slot, event);
            return slot;
        }
        let service = event.service.as_deref().map(mask_name);
        let host = event.host.as_deref().map(mask_name);
        let check = mask_name(&event.check);
        let (service, host) = (service.as_deref().unwrap_or(""), host.as_deref().unwrap_or(""));
        let fingerprint = Fingerprint::of(&[&event.source, event.kind.word(), service, host, &check]);
        if let Some(slot) = self.series.find(fingerprint) {
            self.rename(slot, event);
            return slot;
        }
        let full = format!("{}/{}/{service}/{host}/{check}", event.source, event.kind);
        let name = self.series_name(Arc::from(full), event);
        let checks = self.checks.len();
        let check = self.check_of(&check);
        let new_check = self.checks.len() > checks;
        self.checks.change(check).series += 1;
        let mut series = Series::new(fingerprint, name, self.checks.at(check).fingerprint, self.now());
        series.links.check = Some(check);
        let slot = self.series.insert(series);
        self.note_fresh(slot, event, new_check);
        slot
    }

    /// A new deployment of the same thing speaks: the series follows its names while nothing of it fires.
    fn rename(&mut self, slot: Slot, event: &Event) {
        let series = self.series.at(slot);
        let same = series.name.host.as_deref() == event.host.as_deref()
            && series.name.service.as_deref() == event.service.as_deref();
        if same || series.level > Level::Off {
            return;
        }
        self.parts.remove(&series.fingerprint);
        let name = self.series_name(Arc::clone(&series.name.full), event);
        let series = self.series.change(slot);
        (series.links.components, series.links.introduced) = (None, false);
        series.name = name;
    }

    fn series_name(&mut self, full: Arc<str>, event: &Event) -> SeriesName {
        SeriesName {
            full,
            kind: event.kind,
            service: event.service.as_deref().map(|name| self.name(name)),
            host: event.host.as_deref().map(|name| self.name(name)),
            check: self.name(&event.check),
        }
    }

    fn check_of(&mut self, check: &str) -> Slot {
        let fingerprint = Fingerprint::of(&["check", check]);
        self.checks.find(fingerprint).unwrap_or_else(|| {
            let name = self.name(check);
            self.checks.insert(Check::new(fingerprint, name))
        })
    }

    /// A change is kept as a suspect.
    fn told(&mut self, event: &Event) {
        let text = event.summary.clone().unwrap_or_else(|| event.check.clone());
        let told = Told {
            ts: self.now(),
            service: event.service.as_deref().map(|name| self.name(name)),
            host: event.host.as_deref().map(|name| self.name(name)),
            text,
        };
        for name in [("service", &told.service), ("host", &told.host)] {
            if let (part, Some(name)) = name
                && let Some(slot) = self.components.find(Fingerprint::of(&[part, name]))
            {
                self.components.change(slot).changed = Some(told.ts);
            }
        }
        self.changes.change(self.suspects).tell(told);
    }

    /// A firing, or a point event.
    fn firing(&mut self, arrival: &Arrival<'_>, turn: &mut Turn) {
        let (event, slot) = (arrival.event, arrival.series);
        if self.now().since(arrival.at) > self.policy.judgement.late || self.resolved_before(arrival) {
            return self.decide(arrival.seq, slot, Reason::Late, turn);
        }
        let rule = self.policy.rule_for(event);
        if self.series.at(slot).rule != rule {
            self.series.change(slot).rule = rule;
        }
        let handling = self.policy.handling(rule);
        let (page, below) = (handling.page, event.severity < handling.page_from);
        let point = event.status == Status::Event || self.sources.at(arrival.source).never_resolves();
        if below {
            self.end_alert(arrival.alert, arrival.at, turn);
            return self.decide(arrival.seq, slot, Reason::BelowSeverity, turn);
        }
        let mute = self.mute_for(event, arrival.fires).or_else(|| (page == PageMode::Never).then_some(Mute::Never));
        match (point, mute) {
            (true, Some(mute)) => self.decide_muted(arrival, &mute, turn),
            (true, None) => {
                self.note_labels(slot, arrival.alert, event);
                self.point_event(arrival, turn);
            }
            (false, Some(mute)) => self.muted(arrival, mute, turn),
            (false, None) => self.unmuted(arrival, turn),
        }
        if !point && !self.policy.inhibitions.is_empty() {
            self.settle_inhibitions(arrival.alert, turn);
        }
    }

    /// Whether this firing is older than the resolve that ended it: it came out of order.
    fn resolved_before(&self, arrival: &Arrival<'_>) -> bool {
        let resolved = self.series.at(arrival.series).last_resolved;
        resolved.is_some_and(|(alert, at)| alert == arrival.alert && arrival.at < at)
    }

    /// A firing that the judgement sees.
    fn unmuted(&mut self, arrival: &Arrival<'_>, turn: &mut Turn) {
        match arrival.fires {
            Some(slot) if self.alerts.at(slot).mute.is_none() => self.again(arrival, slot, turn),
            Some(_) | None => {
                self.keep_alert(arrival, None);
                self.count_firing(arrival.series, arrival.event.severity, 1);
                self.note_labels(arrival.series, arrival.alert, arrival.event);
                self.onset(arrival, turn);
            }
        }
    }

    /// An alert that fires already speaks again: a repeat, or a change of severity.
    fn again(&mut self, arrival: &Arrival<'_>, alert: Slot, turn: &mut Turn) {
        let before = self.alerts.at(alert);
        let gap = self.now().since(before.heard);
        let (old, new) = (before.severity, arrival.event.severity);
        if old == new {
            self.sources.change(arrival.source).repeat(gap);
            if self.policy.inhibitions.is_empty() {
                self.hear_again(arrival, alert);
                return self.repeat(arrival, turn);
            }
        }
        self.keep_alert(arrival, None);
        self.count_firing(arrival.series, old, -1);
        self.count_firing(arrival.series, new, 1);
        if Level::of(new) > Level::of(old) {
            self.onset(arrival, turn);
        } else {
            self.level_changed(arrival.series, turn);
            self.repeat(arrival, turn);
        }
    }

    /// An alert is resent unchanged: only its patience starts anew.
    pub(super) fn hear_again(&mut self, arrival: &Arrival<'_>, alert: Slot) {
        let now = self.now();
        let most = self.policy.handling(self.series.at(arrival.series).rule).expire.as_secs_f64();
        let (expires, ends) = self.expires(arrival, most);
        let alert = self.alerts.beat(alert);
        (alert.heard, alert.expires, alert.ends) = (now, expires, ends);
        if expires < alert.reminder {
            alert.reminder = expires;
            self.timers.set(expires, Due::Expire, arrival.alert);
        }
    }

    /// The event says nothing new.
    pub(super) fn repeat(&mut self, arrival: &Arrival<'_>, turn: &mut Turn) {
        let (seq, slot) = (arrival.seq, arrival.series);
        if arrival.event.value.is_some() && self.repeat_nears_limit(seq, slot, turn) {
            return;
        }
        let incident = self.member_of(slot);
        self.decide(seq, slot, Fate::join_or(incident, Reason::Duplicate), turn);
    }

    /// Remembers an alert that fires.
    pub(super) fn keep_alert(&mut self, arrival: &Arrival<'_>, mute: Option<Mute>) {
        let now = self.now();
        let event = arrival.event;
        let most = self.policy.handling(self.policy.rule_for(event)).expire.as_secs_f64();
        let (expires, ends) = self.expires(arrival, most);
        let old = arrival.fires.map(|slot| self.alerts.at(slot));
        let judged = old.and_then(|alert| alert.mute.as_deref()).is_some_and(Mute::is_later);
        let since = old.map_or(arrival.at, |alert| alert.since);
        let set = old.map_or_else(|| self.reminder_of(arrival), |alert| alert.reminder);
        // A timer that comes too early looks again; only an earlier deadline needs a new one.
        let was_set = set > now && set <= expires;
        if let Some(slot) = arrival.fires {
            self.stop_inhibiting(slot);
        }
        if judged && mute.is_none() {
            self.freed(arrival.series);
        }
        let mute = mute.map(|mute| if judged { mute.later() } else { mute });
        let inhibits = self.start_inhibiting(event);
        self.alerts.insert(Alert {
            fingerprint: arrival.alert,
            series: self.series.at(arrival.series).fingerprint,
            slot: Some(arrival.series),
            source: self.sources.at(arrival.source).fingerprint,
            severity: event.severity,
            since,
            heard: now,
            expires,
            ends,
            reminder: if was_set { set } else { expires },
            event: (mute.is_some() || self.may_be_muted(event)).then(|| Box::new(event.clone())),
            mute: mute.map(Box::new),
            inhibits,
        });
        if !was_set {
            self.timers.set(expires, Due::Expire, arrival.alert);
        }
        self.watch_maintenance();
    }

    /// After a firing was judged: it may be held back yet, or hold back others that wait.
    fn settle_inhibitions(&mut self, alert: Fingerprint, turn: &mut Turn) {
        let Some(slot) = self.alerts.find(alert) else { return };
        let row = self.alerts.at(slot);
        let (judged, inhibits) = (row.mute.is_none() && row.event.is_some(), !row.inhibits.is_empty());
        if judged {
            self.may_be_inhibited(alert);
        }
        if inhibits && !self.targets.is_empty() {
            self.inhibit_waiting(turn);
        }
    }

    /// When an alert that speaks now is over or given up, and whether its sender said so.
    fn expires(&self, arrival: &Arrival<'_>, most: f64) -> (Timestamp, bool) {
        match arrival.event.ends {
            Some(ends) if ends > self.now() => (ends, true),
            Some(_) | None => (self.now().after(self.sources.at(arrival.source).patience(most)), false),
        }
    }

    /// The timer that was to look after an alert when it fired last, if it may not have gone off.
    fn reminder_of(&self, arrival: &Arrival<'_>) -> Timestamp {
        let series = self.series.at(arrival.series);
        let its_own = series.last_resolved.is_some_and(|(alert, _)| alert == arrival.alert);
        if its_own { series.reminder } else { Timestamp::EPOCH }
    }

    /// Counts an alert of a series as firing, or no longer.
    pub(super) fn count_firing(&mut self, slot: Slot, severity: Severity, by: i32) {
        let firing = &mut self.series.change(slot).firing[severity as usize];
        *firing = firing.saturating_add_signed(by);
    }

    /// A resolve.
    fn resolved(&mut self, arrival: &Arrival<'_>, turn: &mut Turn) {
        self.sources.change(arrival.source).resolves += 1;
        if arrival.fires.is_some_and(|slot| arrival.at < self.alerts.at(slot).since) {
            // It came out of order: it ended an earlier episode, not this one.
            return self.decide(arrival.seq, arrival.series, Reason::NothingToResolve, turn);
        }
        let reminder = self.reminder_of(arrival);
        let series = self.series.change(arrival.series);
        (series.last_resolved, series.reminder) = (Some((arrival.alert, arrival.at)), reminder);
        let ended = self.end_alert(arrival.alert, arrival.at, turn);
        let reason = if ended { Reason::Resolved } else { Reason::NothingToResolve };
        let incident = self.member_of(arrival.series);
        self.decide(arrival.seq, arrival.series, Fate::new(reason, incident), turn);
    }

    /// An alert fires no longer; whether it did.
    pub(super) fn end_alert(&mut self, alert: Fingerprint, _at: Timestamp, turn: &mut Turn) -> bool {
        let Some(slot) = self.alerts.find(alert) else { return false };
        let inhibited = self.stop_inhibiting(slot);
        let Some(ended) = self.alerts.remove(alert) else { return false };
        self.unpost(alert);
        let series = self.series_of_alert(&ended);
        if let Some(series) = series.map(|slot| self.series.at_mut(slot))
            && series.last_resolved.is_some_and(|(resolved, _)| resolved == alert)
        {
            series.reminder = ended.reminder;
        }
        match (series, ended.mute.as_deref()) {
            (Some(slot), None) => {
                self.count_firing(slot, ended.severity, -1);
                self.level_changed(slot, turn);
            }
            (Some(slot), Some(Mute::Later(_))) => {
                self.freed(slot);
                self.member_ended(slot);
            }
            _ => {}
        }
        if inhibited {
            self.judge_unmuted(turn);
        }
        true
    }
}
