//! Limits: where the trend of a value leads, and what is on and reaches the end of its scale soon.
//!
//! It pages once while the series is on, and not at all where its component has an open incident: that is told.
//! Deliberately no timer: what was measured is looked at when it is measured.

use super::Engine;
use super::intake::Arrival;
use super::wording::course_sentence;
use crate::domain::decision::NoticeAction;
use crate::domain::event::Event;
use crate::domain::explain::Course;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::level::Level;
use crate::domain::reason::Reason;
use crate::domain::series::Series;
use crate::domain::signal::{Kind, Status};
use crate::domain::stage::trend::{Scale, Trend};
use crate::domain::table::Slot;
use crate::domain::time::Timestamp;
use crate::domain::turn::Turn;

impl Engine {
    /// An alert tells a value: its trend takes it in.
    pub(super) fn follow_alert(&mut self, arrival: &Arrival<'_>) {
        let (event, slot) = (arrival.event, arrival.series);
        // Without an end of its scale the only limit is the threshold, and what fires has crossed that.
        let ends = || Scale::of(event.unit.as_deref(), event.threshold).has_end();
        let follows = event.kind != Kind::Change && matches!(event.status, Status::Firing | Status::Resolved);
        if follows && (self.series.at(slot).trend.is_some() || ends()) {
            self.follow_value(slot, event, arrival.at, Some(arrival.alert));
        }
    }

    /// A value was measured at `at`: the trend of its series takes it in.
    pub(super) fn follow_value(&mut self, slot: Slot, event: &Event, at: Timestamp, of: Option<Fingerprint>) {
        let Some(value) = event.value else { return };
        let series = self.series.change(slot);
        let trend = series.trend.get_or_insert_with(|| Box::new(Trend::new(&series.name.check)));
        if series.level == Level::Off && event.status == Status::Firing {
            trend.starts(value, event.threshold);
        }
        let scale = Scale::of(event.unit.as_deref(), event.threshold);
        trend.push((at, value), scale, of, &self.policy.judgement);
        let limit_in = self.limit_in(slot);
        self.series.at_mut(slot).evidence.change(|evidence| evidence.limit_in = limit_in);
    }

    /// Where the trend of a series leads.
    pub(super) fn course(&self, slot: Slot) -> Option<Course> {
        self.series.at(slot).trend.as_ref()?.course(&self.policy.judgement)
    }

    /// In how many seconds a series reaches its limit.
    pub(super) fn limit_in(&self, slot: Slot) -> Option<f32> {
        self.course(slot).map(|course| course.at.since(self.now()).max(0.0) as f32)
    }

    /// Whether a series is on and reaches the end of its scale so soon that people must know, who were not told. What
    /// people called noise must be nearer.
    fn nears_limit(&self, slot: Slot) -> bool {
        let series = self.series.at(slot);
        let Some(trend) = series.trend.as_ref().filter(|trend| series.level > Level::Off && !trend.told) else {
            return false;
        };
        let judgement = &self.policy.judgement;
        let within = trend.pages_within(judgement) * (1.0 + self.feedback_share(slot, series.level).min(0.0));
        trend.course(judgement).is_some_and(|course| course.hard && course.at.since(self.now()) <= within)
    }

    /// An event of a series (of the alert here) told a value: looks whether it nears the end of its scale, and tells
    /// people, unless the event is muted.
    pub(super) fn look_at_limit(&mut self, slot: Slot, (event, alert): (&Event, Option<Slot>), turn: &mut Turn) {
        let alert = alert.filter(|_| event.status == Status::Firing);
        if self.nears_limit(slot) && self.mute_for(event, alert).is_none() {
            self.tell_limit(slot, turn);
        }
    }

    fn tell_limit(&mut self, slot: Slot, turn: &mut Turn) {
        if let Some(trend) = &mut self.series.change(slot).trend {
            trend.told = true;
        }
        match (self.open_incident_of(slot), self.course(slot)) {
            (Some(id), Some(course)) => {
                let name = &self.series.at(slot).name.full;
                let text = format!("{name}: {}", course_sentence(&course, self.now()));
                self.notify(id, NoticeAction::Update, text, turn);
            }
            _ => self.force(slot, Reason::NearsLimit, turn),
        }
    }

    /// Looks at the limit when an alert says again that it fires: whether that paged, so that the event is part of it.
    pub(super) fn repeat_nears_limit(&mut self, seq: u64, slot: Slot, turn: &mut Turn) -> bool {
        if !self.nears_limit(slot) || self.open_incident_of(slot).is_some() {
            return false;
        }
        let waiting = &mut self.series.change(slot).waiting;
        let room = waiting.len() < Series::WAITING;
        if room {
            waiting.push(seq);
        }
        self.tell_limit(slot, turn);
        room
    }
}
