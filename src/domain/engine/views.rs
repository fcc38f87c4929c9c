//! Views: what the engine knows, for `squelch why`, the API and the metrics. They change nothing.

use std::sync::Arc;

use super::Engine;
use crate::domain::decision::{IncidentId, IncidentSummary};
use crate::domain::explain::{HeldBack, IncidentExplanation, SeriesExplanation, SourceView, Tally};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::level::Level;
use crate::domain::reason::Reason;
use crate::domain::silence::Silence;
use crate::domain::source::Source;
use crate::domain::stage::surprise::Onset;
use crate::domain::table::Slot;

const DAY: f64 = 86_400.0;

impl Engine {
    /// The sums of promise 1, and the sizes.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let book = self.ledger.at(self.book);
        let count = |at: usize| book.verdicts.get(at).copied().unwrap_or(0);
        Tally {
            accepted: book.accepted,
            samples: book.samples,
            waiting: book.waiting(),
            by_reason: Reason::ALL.iter().enumerate().map(|(at, reason)| (*reason, count(at))).collect(),
            pages: book.pages,
            open_incidents: self.incidents.rows().filter(|(_, incident)| incident.open).count() as u64,
            series: self.series.len() as u64,
            firing: self.alerts.len() as u64,
            flapping: self.flapping.values().map(|series| series.len() as u64).sum(),
            outbox: self.outbox.len() as u64,
        }
    }

    /// The incidents: open ones first, latest first, then closed ones that are still remembered.
    #[must_use]
    pub fn incidents(&self) -> Vec<(IncidentSummary, bool)> {
        let mut all: Vec<_> = self.incidents.rows().map(|(_, i)| (i.summary.clone(), i.open)).collect();
        all.sort_by(|a, b| b.1.cmp(&a.1).then(b.0.incident.cmp(&a.0.incident)));
        all
    }

    /// The incidents that fit, in no order.
    pub fn incidents_that(&self, fits: impl Fn(&IncidentSummary) -> bool) -> Vec<&IncidentSummary> {
        self.incidents.rows().map(|(_, incident)| &incident.summary).filter(|summary| fits(summary)).collect()
    }

    /// The sources, in order of name.
    #[must_use]
    pub fn sources(&self) -> Vec<SourceView> {
        let view = |source: &Source| SourceView {
            name: Arc::clone(&source.name),
            first: source.heard.0,
            last: source.heard.1,
            longest_pause: source.pauses.longest(),
            silent: source.silent,
            resolves: !source.never_resolves(),
        };
        let mut all: Vec<_> = self.sources.rows().map(|(_, source)| view(source)).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// The series of which most was held back, loudest first.
    #[must_use]
    pub fn loudest(&self, most: usize) -> Vec<HeldBack> {
        let mut all: Vec<(u64, Slot)> =
            self.series.rows().map(|(slot, series)| (series.held, slot)).filter(|(held, _)| *held > 0).collect();
        let name = |slot: Slot| &self.series.at(slot).name.full;
        if all.len() > most {
            all.select_nth_unstable_by(most, |a, b| b.0.cmp(&a.0).then_with(|| name(a.1).cmp(name(b.1))));
            all.truncate(most);
        }
        all.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| name(a.1).cmp(name(b.1))));
        let view = |(held, slot): (u64, Slot)| {
            let series = self.series.at(slot);
            let latest = series.verdicts().last().map(|verdict| verdict.reason);
            HeldBack { name: Arc::clone(&series.name.full), fingerprint: series.fingerprint, held, latest }
        };
        all.into_iter().map(view).collect()
    }

    /// Everything about one incident that is still remembered.
    #[must_use]
    pub fn why_incident(&self, id: IncidentId) -> Option<IncidentExplanation> {
        let incident = self.incident(id)?;
        let mut members: Vec<_> =
            incident.joined.iter().chain(&incident.members).filter_map(|&fp| self.why_series(fp)).collect();
        members.sort_by(|a, b| a.name.cmp(&b.name));
        members.dedup_by(|a, b| a.fingerprint == b.fingerprint);
        Some(IncidentExplanation {
            summary: incident.summary.clone(),
            open: incident.open,
            origins: incident.origins.clone(),
            suspects: incident.suspects.clone(),
            feedback: self.said_about(id),
            members,
        })
    }

    /// Everything about one series.
    #[must_use]
    pub fn why_series(&self, fingerprint: Fingerprint) -> Option<SeriesExplanation> {
        let slot = self.series.find(fingerprint)?;
        let (now, judgement) = (self.now(), &self.policy.judgement);
        let series = self.series.at(slot);
        let episodes = &series.episodes;
        let on = series.level > Level::Off;
        Some(SeriesExplanation {
            name: Arc::clone(&series.name.full),
            fingerprint,
            kind: series.name.kind,
            rule: self.rule_name(slot),
            firing: series.severity(),
            since: on.then_some(series.since),
            alerts: series.firing.iter().sum(),
            heard: series.heard,
            starts: series.starts.counts(now, judgement),
            usual_per_day: self.usual_per_day(slot),
            likely_per_day: self.likely_per_day(slot),
            insufficient_history: now.since(self.start()) < judgement.own_history,
            lasts: episodes.quantile(0.5).zip(episodes.quantile(0.9)),
            fresh_bits: series.fresh(),
            changes: self.longest_window(slot).map_or(0, |window| series.flap.count(window, now)),
            flapping_since: series.flap.episode.as_ref().map(|episode| episode.since),
            feedback: self.said_of(slot),
            feedback_share: (self.feedback_share(slot, Level::On), self.feedback_share(slot, Level::Critical)),
            course: self.course(slot),
            usual: self.usual(slot),
            waiting: series.waiting.len() as u32,
            verdicts: series.verdicts(),
        })
    }

    fn usual_per_day(&self, slot: Slot) -> f64 {
        let onset = self.as_if_it_started(slot);
        self.series.at(slot).starts.usual_rate(&onset, &self.policy.judgement) * DAY
    }

    fn likely_per_day(&self, slot: Slot) -> (f64, f64) {
        let onset = self.as_if_it_started(slot);
        let (low, high) = self.series.at(slot).starts.likely_rate(&onset, &self.policy.judgement);
        (low * DAY, high * DAY)
    }

    fn as_if_it_started(&self, slot: Slot) -> Onset<'_> {
        let (now, clock) = (self.now(), self.policy.zone.clock(self.now()));
        Onset { check: self.check(slot), start: self.start(), now, clock, critical: false, chatty: false }
    }

    /// The series whose name contains all words of `text`, at most `limit`, in order of name.
    #[must_use]
    pub fn find_series(&self, text: &str, limit: usize) -> Vec<(Arc<str>, Fingerprint)> {
        let fits = |name: &str| text.split_whitespace().all(|word| name.contains(word));
        let mut found: Vec<_> = self
            .series
            .rows()
            .filter(|(_, series)| fits(&series.name.full))
            .map(|(_, series)| (Arc::clone(&series.name.full), series.fingerprint))
            .collect();
        found.sort();
        found.truncate(limit);
        found
    }

    /// The silences in force or to come: those of the rule files, then those that people set.
    #[must_use]
    pub fn silences(&self) -> Vec<Silence> {
        let now = self.now();
        self.all_silences().into_iter().filter(|silence| silence.until > now).collect()
    }

    /// The silences in force, each with how many of the alerts that fire it covers.
    #[must_use]
    pub fn covering(&self) -> Vec<(Silence, usize)> {
        let now = self.now();
        let postings = self.postings();
        let covers = |silence: &Silence| postings.iter().filter(|posting| silence.fits_posted(&posting.text)).count();
        let in_force = self.all_silences().into_iter().filter(|silence| silence.in_force(now));
        in_force.map(|silence| (covers(&silence), silence)).map(|(covers, silence)| (silence, covers)).collect()
    }

    /// All silences, with those that are over and still remembered.
    #[must_use]
    pub fn all_silences(&self) -> Vec<Silence> {
        let mut ordered: Vec<Silence> = self.silences.rows().map(|(_, row)| row.0.clone()).collect();
        ordered.sort_by(|a, b| a.id.cmp(&b.id));
        self.policy.silences.iter().cloned().chain(ordered).collect()
    }
}
