//! What `/metrics` tells, in the text format of Prometheus: what the shell counts as it goes, and the engine's sums
//! as they stand when they are asked for.
//!
//! Deliberately no copy of the engine's sums: they are read from the engine, so that they survive a restart.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeLabelValue, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::domain::{Tally, Timestamp};

/// Labels of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    /// The path's pattern.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
}

/// Labels of a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DeliveryLabels {
    /// The receiver's name.
    pub receiver: String,
    /// `delivered` or `given_up`.
    pub result: &'static str,
}

/// Labels of a refusal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ReasonLabels {
    /// Why.
    pub reason: &'static str,
}

/// Labels of alerts that were posted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct StatusLabels {
    /// `firing` or `resolved`.
    pub status: &'static str,
    /// Of the API.
    pub version: &'static str,
}

type FloatGauge = Gauge<f64, AtomicU64>;

/// What the shell counts as it goes. Clones share the counts.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Requests by path and status.
    pub requests: Family<RequestLabels, Counter>,
    /// Seconds from the first byte of a request to its answer.
    pub request_seconds: Histogram,
    /// Events that were not taken, by reason.
    pub refused: Family<ReasonLabels, Counter>,
    /// Samples that no rule asks for.
    pub samples_left_out: Counter,
    /// Seconds that one group commit takes, the `fdatasync` included.
    pub commit_seconds: Histogram,
    /// Events in one group commit.
    pub commit_events: Histogram,
    /// Commits that failed.
    pub commits_failed: Counter,
    /// Whether new events are refused because they cannot be stored.
    pub storage_refusing: Gauge,
    /// Whether snapshots or history cannot be written; events are stored, and the journal grows.
    pub upkeep_failing: Gauge,
    /// Times that the judge failed.
    pub judge_failures: Counter,
    /// Notifications by receiver and result.
    pub deliveries: Family<DeliveryLabels, Counter>,
    /// Alerts posted to the Alertmanager API that were taken, by status.
    posted: Family<StatusLabels, Counter>,
    /// Alerts posted to the Alertmanager API that were invalid.
    pub posted_invalid: Counter,
    /// Whether the last reload of the rules worked.
    pub reload_successful: Gauge,
    /// When rules were last loaded with success.
    pub reload_at: FloatGauge,
    /// When this process started.
    started: FloatGauge,
}

impl Metrics {
    /// Nothing counted yet; the process started at `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        let fast = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];
        let metrics = Self {
            requests: Family::default(),
            request_seconds: Histogram::new(fast),
            refused: Family::default(),
            samples_left_out: Counter::default(),
            commit_seconds: Histogram::new(fast),
            commit_events: Histogram::new([1.0, 10.0, 100.0, 1_000.0, 10_000.0]),
            commits_failed: Counter::default(),
            storage_refusing: Gauge::default(),
            upkeep_failing: Gauge::default(),
            judge_failures: Counter::default(),
            deliveries: Family::default(),
            posted: Family::default(),
            posted_invalid: Counter::default(),
            reload_successful: Gauge::default(),
            reload_at: FloatGauge::default(),
            started: FloatGauge::default(),
        };
        metrics.started.set(now.secs());
        metrics
    }

    /// Counts events that were not taken.
    pub fn refuse(&self, reason: &'static str, events: usize) {
        self.refused.get_or_create(&ReasonLabels { reason }).inc_by(events as u64);
    }

    /// Counts a request.
    pub fn request(&self, path: &str, status: u16, took: Duration) {
        self.requests.get_or_create(&RequestLabels { path: path.to_owned(), status }).inc();
        self.request_seconds.observe(took.as_secs_f64());
    }

    /// Counts alerts that came through the Alertmanager API and were taken.
    pub fn posted(&self, firing: usize, resolved: usize) {
        for (status, count) in [("firing", firing), ("resolved", resolved)] {
            self.posted.get_or_create(&StatusLabels { status, version: "v2" }).inc_by(count as u64);
        }
    }

    /// When this process started.
    #[must_use]
    pub fn started(&self) -> Timestamp {
        Timestamp::from_secs(self.started.get()).unwrap_or_default()
    }

    /// The text, with the engine's sums where they could be had, the depth of the inbox (events, bytes), and what
    /// else has something to tell.
    ///
    /// # Errors
    /// None in practice: writing to a string fails only for want of memory.
    pub fn text(
        &self,
        tally: Option<Tally>,
        depth: (usize, usize),
        others: Vec<Box<dyn Collector>>,
    ) -> Result<String, std::fmt::Error> {
        let mut registry = Registry::default();
        let own = registry.sub_registry_with_prefix("squelch");
        self.register(own);
        own.register_collector(Box::new(Sums { tally, depth }));
        let received = "Alerts received through the Alertmanager API";
        registry.register("alertmanager_alerts_received", received, self.posted.clone());
        let invalid = "Alerts received through the Alertmanager API that were invalid";
        registry.register("alertmanager_alerts_invalid", invalid, self.posted_invalid.clone());
        for other in others {
            registry.register_collector(other);
        }
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry)?;
        Ok(text)
    }

    fn register(&self, registry: &mut Registry) {
        let all = self.clone();
        registry.register("http_requests", "Requests answered", all.requests);
        registry.register("http_request_seconds", "Seconds from a request to its answer", all.request_seconds);
        registry.register("events_refused", "Events that were not taken, by reason", all.refused);
        registry.register("samples_left_out", "Samples of remote write that no rule asks for", all.samples_left_out);
        registry.register("commit_seconds", "Seconds of one group commit, with fdatasync", all.commit_seconds);
        registry.register("commit_events", "Events in one group commit", all.commit_events);
        registry.register("commits_failed", "Group commits that failed", all.commits_failed);
        registry.register("storage_refusing", "1 = events are refused: they cannot be stored", all.storage_refusing);
        registry.register("upkeep_failing", "1 = snapshots or history cannot be written", all.upkeep_failing);
        registry.register("judge_failures", "Times that the judge failed; the alert was paged", all.judge_failures);
        registry.register("deliveries", "Notifications by receiver and result", all.deliveries);
        registry.register("rules_last_reload_successful", "1 = the last reload worked", all.reload_successful);
        let help = "When rules were last loaded with success";
        registry.register("rules_last_reload_success_timestamp_seconds", help, all.reload_at);
        registry.register("process_start_time_seconds", "When this process started", all.started);
    }
}

/// What is read when it is asked for.
#[derive(Debug)]
struct Sums {
    tally: Option<Tally>,
    depth: (usize, usize),
}

impl Collector for Sums {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let out = &mut encoder;
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        labelled(out, ("build_info", "The version that runs"), [(version, 1_u64)].into_iter().map(gauge_of))?;
        number(out, "inbox_events", "Events that wait to be judged", self.depth.0 as u64)?;
        number(out, "inbox_bytes", "Bytes that these events came as", self.depth.1 as u64)?;
        let Some(tally) = &self.tally else { return Ok(()) };
        count(out, "events_accepted", "Events accepted = waiting + the sum of verdicts", tally.accepted)?;
        count(out, "samples_accepted", "Samples accepted; counted beside the sums", tally.samples)?;
        number(out, "events_waiting", "Events that wait for their verdict", tally.waiting)?;
        let verdicts = tally
            .by_reason
            .iter()
            .map(|(reason, sum)| ([("outcome", reason.outcome().word()), ("reason", reason.word())], *sum));
        labelled(out, ("verdicts", "Verdicts given, by outcome and reason"), verdicts.map(count_of))?;
        let pages = [([("action", "open")], tally.pages.0), ([("action", "escalate")], tally.pages.1)];
        labelled(out, ("pages", "Pages sent to people"), pages.into_iter().map(count_of))?;
        number(out, "incidents_open", "Incidents open now", tally.open_incidents)?;
        number(out, "series", "Series known", tally.series)?;
        number(out, "alerts_firing", "Alerts firing now", tally.firing)?;
        number(out, "series_flapping", "Series that are flapping now", tally.flapping)?;
        number(out, "outbox", "Notifications not yet delivered", tally.outbox)
    }
}

pub(super) fn count_of<L>((labels, sum): (L, u64)) -> (L, ConstCounter<u64>) {
    (labels, ConstCounter::new(sum))
}

pub(super) fn gauge_of<L>((labels, value): (L, u64)) -> (L, ConstGauge<i64>) {
    (labels, ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)))
}

fn count(out: &mut DescriptorEncoder<'_>, name: &str, help: &str, sum: u64) -> Result<(), std::fmt::Error> {
    let metric = ConstCounter::new(sum);
    metric.encode(out.encode_descriptor(name, help, None, metric.metric_type())?)
}

fn number(out: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> Result<(), std::fmt::Error> {
    let ((), metric) = gauge_of(((), value));
    metric.encode(out.encode_descriptor(name, help, None, metric.metric_type())?)
}

/// One metric of several label sets.
pub(super) fn labelled<const N: usize, V: EncodeLabelValue, M: EncodeMetric>(
    out: &mut DescriptorEncoder<'_>,
    (name, help): (&str, &str),
    values: impl Iterator<Item = ([(&'static str, V); N], M)>,
) -> Result<(), std::fmt::Error> {
    let mut values = values.peekable();
    let Some((_, first)) = values.peek() else { return Ok(()) };
    let mut metric = out.encode_descriptor(name, help, None, first.metric_type())?;
    for (labels, value) in values {
        value.encode(metric.encode_family(&labels)?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Reason;

    #[test]
    fn the_sums_of_the_engine_stand_beside_the_counts_of_the_shell() {
        let metrics = Metrics::new(Timestamp::from_millis(1_500));
        metrics.refuse("full", 3);
        metrics.request("/-/ready", 200, Duration::from_millis(2));
        let tally = Tally {
            accepted: 7,
            waiting: 2,
            by_reason: vec![(Reason::Surge, 1), (Reason::Flapping, 4)],
            pages: (1, 0),
            ..Tally::default()
        };
        let text = metrics.text(Some(tally), (5, 900), Vec::new()).unwrap();
        for line in [
            "squelch_events_accepted_total 7",
            "squelch_events_waiting 2",
            "squelch_verdicts_total{outcome=\"page\",reason=\"surge\"} 1",
            "squelch_verdicts_total{outcome=\"suppress\",reason=\"flapping\"} 4",
            "squelch_pages_total{action=\"open\"} 1",
            "squelch_inbox_events 5",
            "squelch_events_refused_total{reason=\"full\"} 3",
            "squelch_http_requests_total{path=\"/-/ready\",status=\"200\"} 1",
            "squelch_process_start_time_seconds 1.5",
            "# EOF",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn without_the_engine_the_rest_is_told() {
        let text = Metrics::new(Timestamp::EPOCH).text(None, (0, 0), Vec::new()).unwrap();
        assert!(text.contains("squelch_build_info"));
        assert!(!text.contains("squelch_events_accepted_total"));
    }
}
