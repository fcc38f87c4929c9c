//! What `/metrics` tells under Alertmanager's names, for dashboards and for karma, which looks for the version there.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;

use super::SPEAKS;
use super::board::Board;
use super::filter::Filter;
use super::silences::state;
use crate::inbox::{Inbox, Refusal};

/// How many alerts and silences there are, by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::http) struct Standing {
    active: usize,
    suppressed: usize,
    /// Active, pending, expired.
    silences: [usize; 3],
}

/// The states of a silence, in the order of [`Standing::silences`].
const STATES: [&str; 3] = ["active", "pending", "expired"];

/// Counts what there is.
pub(in crate::http) async fn standing(inbox: &Inbox) -> Result<Standing, Refusal> {
    let board = Board::ask_here(inbox, Filter::all()).await?;
    let suppressed = board.alerts.iter().filter(|alert| alert.is_suppressed()).count();
    let count = |wanted: &str| board.silences.iter().filter(|silence| state(silence, board.now) == wanted).count();
    Ok(Standing { active: board.alerts.len() - suppressed, suppressed, silences: STATES.map(count) })
}

/// Writes the counts, and the version, whether or not the counts could be had.
#[derive(Debug)]
pub(in crate::http) struct Told(pub(in crate::http) Option<Standing>);

impl Collector for Told {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let version = [("version", SPEAKS), ("revision", "squelch"), ("branch", "squelch"), ("goversion", "")];
        gauges(&mut encoder, ("alertmanager_build_info", "The Alertmanager whose API is spoken"), &[(&version, 1)])?;
        let Some(standing) = &self.0 else { return Ok(()) };
        let states = [("active", standing.active), ("suppressed", standing.suppressed), ("unprocessed", 0)];
        let alerts = states.map(|(state, count)| ([("state", state)], count));
        let alerts: Vec<(&[(&str, &str)], usize)> =
            alerts.iter().map(|(labels, count)| (&labels[..], *count)).collect();
        gauges(&mut encoder, ("alertmanager_alerts", "How many alerts by state"), &alerts)?;
        let silences: Vec<_> =
            STATES.iter().zip(standing.silences).map(|(state, n)| ([("state", *state)], n)).collect();
        let silences: Vec<(&[(&str, &str)], usize)> = silences.iter().map(|(labels, n)| (&labels[..], *n)).collect();
        gauges(&mut encoder, ("alertmanager_silences", "How many silences by state"), &silences)
    }
}

/// One gauge of several label sets.
fn gauges(
    out: &mut DescriptorEncoder<'_>,
    (name, help): (&str, &str),
    values: &[(&[(&str, &str)], usize)],
) -> Result<(), std::fmt::Error> {
    let gauge = |value: usize| ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
    let Some((_, first)) = values.first() else { return Ok(()) };
    let mut metric = out.encode_descriptor(name, help, None, gauge(*first).metric_type())?;
    for (labels, value) in values {
        gauge(*value).encode(metric.encode_family(labels)?)?;
    }
    Ok(())
}
