//! The sentences that stand in pages and notices themselves. Everything longer is worded by `sinks` and `replay`.

use super::Engine;
use super::incidents::Surge;
use super::kinship::Tie;
use crate::domain::component::{Component, Part};
use crate::domain::explain::Course;
use crate::domain::ledger::Told;
use crate::domain::reason::Reason;
use crate::domain::table::Slot;
use crate::domain::time::Timestamp;

/// A length of time as people say it: `45 s`, `12 min`, `3 h 20 min`, `2 d 4 h`.
pub(super) fn span(secs: f64) -> String {
    let secs = secs.max(0.0).round() as u64;
    match secs {
        0..=99 => format!("{secs} s"),
        100..=5_999 => format!("{} min", (secs + 30) / 60),
        6_000..=172_799 => match (secs / 3600, secs % 3600 / 60) {
            (hours, 0) => format!("{hours} h"),
            (hours, minutes) => format!("{hours} h {minutes} min"),
        },
        _ => match (secs / 86_400, secs % 86_400 / 3600) {
            (days, 0) => format!("{days} d"),
            (days, hours) => format!("{days} d {hours} h"),
        },
    }
}

/// A measured value: three digits of it, without a tail of noughts.
pub(super) fn measured(value: f64) -> String {
    let decimals = match value.abs() {
        0.0 => 0,
        size => (2.0 - libm::floor(libm::log10(size))).clamp(0.0, 12.0) as usize,
    };
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Where a value leads: `it gains 6.2 % an hour; at this pace it reaches 100 % at 21:40 UTC, in 2 h 10 min`.
pub(super) fn course_sentence(course: &Course, now: Timestamp) -> String {
    let unit = if course.hard && course.limit > 1.0 { " %" } else { "" };
    let verb = if course.per_hour > 0.0 { "gains" } else { "loses" };
    let minute = course.at.millis().div_euclid(60_000).rem_euclid(60);
    format!(
        "it is at {}{unit} and {verb} {} an hour; at this pace it reaches {}{unit} at {:02}:{minute:02} UTC, in {}",
        measured(course.value),
        measured(course.per_hour.abs()),
        measured(course.limit),
        course.at.hour_of_day(),
        span(course.at.since(now)),
    )
}

impl Engine {
    /// What is wrong and where, in one line.
    pub(super) fn title(&self, surge: &Surge) -> String {
        surge.makers().next().map_or_else(|| "trouble".to_owned(), |first| self.title_of(first, surge.makers - 1))
    }

    /// What is wrong and where, in one line: by the first series, and how many more there are.
    pub(super) fn title_of(&self, first: Slot, others: usize) -> String {
        let series = self.series.at(first);
        let place = match (&series.name.service, &series.name.host) {
            (Some(service), Some(host)) if service != host => format!("{service} ({host})"),
            (Some(name), _) | (None, Some(name)) => name.to_string(),
            (None, None) => String::new(),
        };
        let what = match series.text.as_ref().and_then(|text| text.summary.as_deref()) {
            Some(summary) if !summary.is_empty() => summary.chars().take(160).collect(),
            _ => series.name.check.to_string(),
        };
        let at = if place.is_empty() || what.contains(&*place) { String::new() } else { format!(" on {place}") };
        let more = if others > 0 { format!(" (and {others} more)") } else { String::new() };
        format!("{what}{at}{more}")
    }

    /// Why it pages, with the numbers, and where its value leads.
    pub(super) fn page_sentence(&self, surge: &Surge) -> String {
        let Some(first) = surge.makers().next() else { return String::new() };
        let sentence = self.reason_sentence(surge, first);
        match self.course(first) {
            Some(course) => format!("{sentence}; {}", course_sentence(&course, self.now())),
            None => sentence,
        }
    }

    fn reason_sentence(&self, surge: &Surge, first: Slot) -> String {
        let series = self.series.at(first);
        let threshold = self.policy.judgement.threshold();
        let evidence = series.evidence.get();
        match surge.reason {
            Reason::FlappingLasts => format!(
                "{} changed {} times in {} and worsened or spread: that is no noise",
                series.name.full,
                evidence.changes.unwrap_or(0),
                span(f64::from(evidence.window.unwrap_or(0.0)))
            ),
            Reason::FlappingEndedBad => format!(
                "{} stopped flapping in a bad state and has stayed in it for {}",
                series.name.full,
                span(self.now().since(series.since))
            ),
            Reason::Outlived => format!(
                "{} is critical for {} now; {}",
                series.name.full,
                span(self.now().since(series.since)),
                self.usually(first)
            ),
            Reason::Worse => format!(
                "{} got critical where people knew of less, and has been bad for {}",
                series.name.full,
                span(self.now().since(series.since))
            ),
            Reason::Silent => self.title(surge),
            Reason::NearsLimit => series.name.full.to_string(),
            Reason::Always => format!("a rule says that {} always pages", series.name.full),
            reason => {
                let component = self.components.at(surge.component);
                let loudest = series.name.full.to_string();
                let (bits, usual) = (surge.fresh[0].1, evidence.usual_per_day.unwrap_or(0.0));
                format!(
                    "{}: {:.1} bits of fresh surprise on {} reached the threshold of {threshold:.1}; loudest is {loudest} \
                     with {bits:.1} bits (usually {})",
                    reason.sentence(),
                    component.meter,
                    place(component),
                    often(usual)
                )
            }
        }
    }

    /// How long such alerts last.
    fn usually(&self, slot: Slot) -> String {
        match self.usually_lasts(slot) {
            Some(secs) => format!("nine of ten of its kind resolve within {}", span(secs)),
            None => "there is no history of how long its kind lasts".to_owned(),
        }
    }

    /// Why a surge joins without a page.
    pub(super) fn joined_sentence(&self, surge: &Surge, reason: Reason, tie: Option<&Tie>) -> String {
        let component = self.components.at(surge.component);
        let loudest = surge.makers().next().map(|slot| self.series.at(slot).name.full.to_string()).unwrap_or_default();
        let (place, because) = (place(component), tie.map(Tie::sentence));
        let because = because.unwrap_or_else(|| reason.sentence().to_owned());
        format!("{place} surged, too ({loudest}); it joined without a page because {because}")
    }

    /// The changes that came shortly before a surge, on its services and hosts or on nothing in particular; latest
    /// first, at most three.
    pub(super) fn suspects_of(&self, surge: &Surge) -> Vec<String> {
        /// Half a day: what a deploy leaves behind may take hours to hurt.
        const SHORTLY: f64 = 12.0 * 3600.0;
        let now = self.now();
        let component = self.components.at(surge.component);
        let services = self.services_about(component);
        let hosts: Vec<_> = surge.makers().filter_map(|slot| self.series.at(slot).name.host.clone()).collect();
        let concerns = |change: &&Told| {
            let service = change
                .service
                .as_ref()
                .map(|name| services.contains(name) || Some(&**name) == surge.origin.0.service.as_deref());
            let host = change.host.as_ref().map(|name| hosts.contains(name));
            now.since(change.ts) <= SHORTLY
                && (service == Some(true) || host == Some(true) || (service.is_none() && host.is_none()))
        };
        let told = &self.changes.at(self.suspects).told;
        told.iter()
            .rev()
            .filter(concerns)
            .take(3)
            .map(|change| format!("{}, {} before", change.text, span(now.since(change.ts))))
            .collect()
    }
}

/// A component as people call it.
fn place(component: &Component) -> String {
    match component.part {
        Part::Service | Part::Host | Part::Check => component.name.to_string(),
        Part::System => format!("all services connected with {}", component.name),
    }
}

/// A rate as people say it.
fn often(per_day: f32) -> String {
    if (2.0 / 3.0..1.05).contains(&per_day) {
        "once a day at this hour".to_owned()
    } else if per_day >= 1.0 {
        format!("{per_day:.1} times a day at this hour")
    } else if per_day * 30.0 >= 1.0 {
        format!("once in {:.0} days at this hour", 1.0 / per_day)
    } else {
        "practically never at this hour".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn spans_read_as_people_say_them() {
        let said = [0.0, 45.4, 99.0, 100.0, 5_999.0, 6_000.0, 7_200.0, 172_799.0, 172_800.0, 400_000.0].map(span);
        let want = ["0 s", "45 s", "99 s", "2 min", "100 min", "1 h 40 min", "2 h", "47 h 59 min", "2 d", "4 d 15 h"];
        assert_eq!(said, want);
    }
}
