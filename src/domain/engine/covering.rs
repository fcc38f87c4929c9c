//! Covering: what fires already when a silence or planned work begins. It is held back from then on, as if it were over,
//! but nothing is learned of it, and an incident that it belongs to goes on until it is.
//!
//! Deliberately cautious where labels are not known any more: a silence covers only what it is known to fit.

use super::Engine;
use super::verdicts::Fate;
use crate::domain::alert::Mute;
use crate::domain::event::Event;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::level::Level;
use crate::domain::matcher::Matcher;
use crate::domain::posting::PostedText;
use crate::domain::reason::Reason;
use crate::domain::series::Series;
use crate::domain::signal::Severity;
use crate::domain::silence::{LooksAt, Silence};
use crate::domain::table::Slot;
use crate::domain::turn::Turn;

/// The fields that the name of a series tells, and how bad it is.
const NAMED: [&str; 7] = ["source", "kind", "service", "host", "check", "alertname", "severity"];

impl Mute {
    /// The reason of the verdicts that it leads to.
    pub(super) fn reason(&self) -> Reason {
        match self {
            Self::Silenced(_) => Reason::Silenced,
            Self::Inhibited(_) => Reason::Inhibited,
            Self::Never => Reason::Never,
            Self::Later(mute) => mute.reason(),
        }
    }
}

impl Engine {
    /// Whether an event may be held back while its alert fires, so that all that it tells must be known then.
    pub(super) fn may_be_muted(&self, event: &Event) -> bool {
        let silences = &self.policy.silences;
        self.is_target(event)
            || self.policy.maintenance.iter().any(|work| work.fits(event))
            || silences.iter().any(|silence| silence.until > self.now() && silence.fits(event, posted(event)))
    }

    /// Holds back every alert that is judged and covered by what is in force now.
    pub(super) fn mute_covered(&mut self, turn: &mut Turn) {
        if !self.any_silence() {
            return;
        }
        let judged = self.alerts.rows().filter(|(_, alert)| alert.mute.is_none());
        let mut covered: Vec<(Fingerprint, Slot)> =
            judged.filter(|(slot, _)| self.is_covered(*slot)).map(|(slot, alert)| (alert.fingerprint, slot)).collect();
        covered.sort_unstable_by_key(|(fingerprint, _)| *fingerprint);
        for (_, slot) in covered {
            let event = self.event_of(slot);
            let Some(mute @ Mute::Silenced(_)) = self.mute_for(&event, Some(slot)) else { continue };
            self.alerts.change(slot).event = Some(Box::new(event));
            self.mute_judged(slot, mute, turn);
        }
        self.mute_bursts(turn);
    }

    /// Takes an alert that is judged from the judgement.
    pub(super) fn mute_judged(&mut self, alert: Slot, mute: Mute, turn: &mut Turn) {
        let reason = mute.reason();
        let row = self.alerts.change(alert);
        row.mute = Some(Box::new(mute.later()));
        let severity = row.severity;
        let Some(series) = self.series_of_alert(self.alerts.at(alert)) else { return };
        self.series.change(series).muted += 1;
        self.count_firing(series, severity, -1);
        if self.series.at(series).severity().is_none() {
            self.decide_waiting(series, Fate::new(reason, self.member_of(series)), turn);
        }
        self.level_muted(series, turn);
    }

    /// An alert of a series that was muted while it fired is so no longer.
    pub(super) fn freed(&mut self, series: Slot) {
        let series = self.series.change(series);
        series.muted = series.muted.saturating_sub(1);
    }

    /// Bursts that are covered are over: what comes of them now is held back.
    fn mute_bursts(&mut self, turn: &mut Turn) {
        let bursts = |series: &Series| series.burst.as_ref().and_then(|burst| burst.on);
        let on = self.series.rows().filter_map(|(slot, series)| Some((series.fingerprint, slot, bursts(series)?)));
        let mut covered: Vec<_> = on.filter(|(_, slot, severity)| self.names_covered(*slot, *severity)).collect();
        covered.sort_unstable_by_key(|(fingerprint, ..)| *fingerprint);
        for (_, slot, _) in covered {
            if let Some(burst) = &mut self.series.change(slot).burst {
                burst.on = None;
            }
            self.decide_waiting(slot, Fate::new(Reason::Silenced, self.member_of(slot)), turn);
            self.level_muted(slot, turn);
        }
    }

    /// Whether people silenced a series: all that fires of it is muted, or nothing does and a silence covers its name.
    pub(super) fn is_silenced(&self, slot: Slot) -> bool {
        if !self.any_silence() {
            return false;
        }
        let series = self.series.at(slot);
        let worst = series.flap.episode.as_ref().map_or(series.level, |episode| episode.worst);
        let mut firing = self.alerts.rows().filter(|(_, alert)| alert.series == series.fingerprint).peekable();
        match (series.severity(), firing.peek()) {
            (Some(_), _) => false,
            (None, Some(_)) => firing.all(|(_, alert)| alert.mute.is_some()),
            (None, None) => {
                let mut severities = Severity::ALL.iter().filter(|severity| Level::of(**severity) == worst);
                severities.all(|severity| self.names_covered(slot, *severity))
            }
        }
    }

    /// Whether any silence or planned work is in force.
    pub(super) fn any_silence(&self) -> bool {
        self.silences_now().next().is_some()
            || self.policy.maintenance.iter().any(|work| work.until(self.now()).is_some())
    }

    fn silences_now(&self) -> impl Iterator<Item = &Silence> {
        let ordered = self.silences.rows().map(|(_, row)| &row.0);
        self.policy.silences.iter().chain(ordered).filter(|silence| silence.in_force(self.now()))
    }

    /// Whether a silence or planned work that is in force covers an alert; without putting its event together.
    fn is_covered(&self, slot: Slot) -> bool {
        let alert = self.alerts.at(slot);
        let text = self.postings.get(alert.fingerprint).map(|posting| &posting.text);
        match (&alert.event, text) {
            (Some(event), text) => {
                self.silences_now().any(|silence| silence.fits(event, text))
                    || self.work_now().any(|matchers| matchers.iter().all(|matcher| matcher.fits(event)))
            }
            (None, Some(text)) => {
                self.silences_now().any(|silence| silence.fits_posted(text))
                    || self.work_now().any(|matchers| matchers.iter().all(|matcher| fits_text(matcher, text)))
            }
            (None, None) => {
                self.series_of_alert(alert).is_some_and(|series| self.names_covered(series, alert.severity))
            }
        }
    }

    /// The matchers of the planned work that goes on now.
    fn work_now(&self) -> impl Iterator<Item = &[Matcher]> {
        let going_on = self.policy.maintenance.iter().filter(|work| work.until(self.now()).is_some());
        going_on.map(|work| work.matchers.as_slice())
    }

    /// Whether the name of a series alone, at this severity, says that it is covered.
    fn names_covered(&self, slot: Slot, severity: Severity) -> bool {
        let event = self.named_event(slot, severity);
        let fits = |matchers: &[Matcher]| {
            matchers.iter().all(|matcher| NAMED.contains(&matcher.name()) && matcher.fits(&event))
        };
        // What a sender calls its severity is not what Squelch read from that.
        let says = |silence: &Silence| {
            silence.looks_at == LooksAt::Fields || silence.matchers.iter().all(|matcher| matcher.name() != "severity")
        };
        self.silences_now().any(|silence| says(silence) && fits(&silence.matchers)) || self.work_now().any(fits)
    }

    /// What is known of the event of an alert that fires.
    fn event_of(&self, slot: Slot) -> Event {
        let alert = self.alerts.at(slot);
        let posted = || self.postings.get(alert.fingerprint).map(|posting| posting.text.event());
        let named = || self.series_of_alert(alert).map(|series| self.named_event(series, alert.severity));
        let event = alert.event.as_deref().cloned().or_else(posted).or_else(named);
        event.unwrap_or_else(|| Event { severity: alert.severity, ..Event::new("", "") })
    }

    fn named_event(&self, slot: Slot, severity: Severity) -> Event {
        let name = &self.series.at(slot).name;
        let end = name.full.find(&format!("/{}/", name.kind)).unwrap_or(0);
        let mut event = Event::new(&name.full[..end], &*name.check);
        (event.kind, event.severity) = (name.kind, severity);
        event.service = name.service.as_deref().map(str::to_owned);
        event.host = name.host.as_deref().map(str::to_owned);
        event
    }
}

fn posted(event: &Event) -> Option<&PostedText> {
    event.posted.as_deref().map(|posted| &posted.text)
}

fn fits_text(matcher: &Matcher, text: &PostedText) -> bool {
    matcher.fits_value(text.field(matcher.name()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::matcher::Operator;
    use crate::domain::policy::Policy;
    use crate::domain::posting::Posted;
    use crate::domain::time::Timestamp;
    use crate::domain::turn::Input;

    const START: Timestamp = Timestamp::from_millis(1_795_000_000_000);

    fn silence(name: &str, value: &str, looks_at: LooksAt) -> Silence {
        Silence {
            id: "s".to_owned(),
            matchers: vec![Matcher::new(name, Operator::Equal, value).expect("a matcher")],
            looks_at,
            from: START,
            until: START.after(3600.0),
            owner: "ada".to_owned(),
            reason: "a test".to_owned(),
            updated: START,
        }
    }

    /// How many alerts are on after this silence was set: one fires, with its labels posted or not.
    fn on_after(silence: &Silence, posts: bool) -> u32 {
        let mut engine = Engine::new(Arc::new(Policy::default()));
        let mut event = Event::new("prometheus", "Up");
        event.host = Some("db-1".to_owned());
        event.labels.insert("team".to_owned(), "storage".to_owned());
        event.posted = posts.then(|| Box::new(Posted::of(&event)));
        engine.handle(START, Input::Event { seq: 0, event: &event }, &mut Turn::default());
        engine.handle(START.after(1.0), Input::Silence(silence), &mut Turn::default());
        engine.series.rows().map(|(_, series)| series.firing.iter().sum::<u32>()).sum()
    }

    #[test]
    fn a_silence_covers_what_fires_already_by_the_labels_that_were_posted_with_it() {
        for looks_at in [LooksAt::Fields, LooksAt::Posted] {
            assert_eq!(on_after(&silence("team", "storage", looks_at), true), 0, "{looks_at:?}");
            assert_eq!(on_after(&silence("team", "shop", looks_at), true), 1, "{looks_at:?}");
        }
    }

    #[test]
    fn without_labels_a_silence_covers_only_what_its_name_says() {
        assert_eq!(on_after(&silence("host", "db-1", LooksAt::Fields), false), 0);
        assert_eq!(on_after(&silence("team", "storage", LooksAt::Fields), false), 1, "nobody knows its team");
        assert_eq!(on_after(&silence("severity", "warning", LooksAt::Posted), false), 1, "nobody knows what was sent");
        let mut not = silence("team", "", LooksAt::Fields);
        not.matchers = vec![Matcher::new("team", Operator::NotEqual, "shop").expect("a matcher")];
        assert_eq!(on_after(&not, false), 1, "an unknown label is no absent one");
    }
}
