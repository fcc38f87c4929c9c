//! Prometheus' remote write, version 1 (`prometheus.WriteRequest`): measured values, which only feed the baselines.
//!
//! The body comes here unpacked. Deliberately floats alone: native histograms, exemplars and metadata say nothing to a
//! baseline. Counters are taken as they are; what makes a baseline of them is a recording rule with `rate()`.
//! Source: <https://prometheus.io/docs/specs/prw/remote_write_spec/>.

mod wire;

use std::borrow::Cow;

use wire::{Broken, Fields, Held};

use crate::domain::{Event, Status, Timestamp};

use super::prometheus::{Subject, Texts, bare_host};
use super::{Body, Format, FormatError, Parsed, Rejected, Warning};

/// The `source` of its events.
pub const SOURCE: &str = "remote-write";

pub(super) const FORMAT: Format = Format {
    name: SOURCE,
    title: "Prometheus: remote write (samples for the baselines)",
    setup: "remote_write: [{url: \".../api/v1/write\"}], with write_relabel_configs that keep what a rule asks for",
    signature: None,
    parse,
};

const HELP: &str = "send prometheus.WriteRequest of remote write 1.0, packed with snappy (block form)";
/// The label with the name of the metric.
const NAME: &str = "__name__";

fn parse(body: &Body<'_>) -> Result<Parsed, FormatError> {
    let mut parsed = Parsed::default();
    let mut left_out = LeftOut::default();
    let mut index = 0;
    for field in Fields::of(body.bytes) {
        let field = field.map_err(|Broken| FormatError::new(SOURCE, "the body is no WriteRequest", HELP))?;
        if let (1, Held::Bytes(series)) = field {
            if let Err(message) = add(series, (index, body.received), &mut parsed, &mut left_out) {
                let help = Some("a series needs labels with a `__name__`, in UTF-8".to_owned());
                parsed.reject(Rejected { index, path: format!("timeseries[{index}]"), message, help });
            }
            index += 1;
        }
    }
    left_out.tell(&mut parsed);
    Ok(parsed)
}

/// What is no sample, and no mistake either.
#[derive(Default)]
struct LeftOut {
    numbers: usize,
    histograms: usize,
}

impl LeftOut {
    fn tell(&self, parsed: &mut Parsed) {
        for (count, path, what) in [
            (self.numbers, "samples", "values are not finite: left out"),
            (self.histograms, "histograms", "native histograms: left out"),
        ] {
            if count > 0 {
                parsed.warn(Warning::new(0, path, format!("{count} {what}")));
            }
        }
    }
}

/// The samples of one series.
fn add(
    bytes: &[u8],
    (index, received): (usize, Timestamp),
    parsed: &mut Parsed,
    left_out: &mut LeftOut,
) -> Result<(), String> {
    let mut labels = Vec::new();
    let mut samples = Vec::new();
    for field in Fields::of(bytes) {
        match field {
            Err(Broken) => return Err("it is no TimeSeries".to_owned()),
            Ok((1, Held::Bytes(bytes))) if labels.len() < MOST_LABELS => labels.push(label(bytes)?),
            Ok((1, Held::Bytes(_))) => return Err(format!("it has more than {MOST_LABELS} labels")),
            Ok((2, Held::Bytes(bytes))) => samples.extend(sample(bytes, left_out)?),
            Ok((4, Held::Bytes(_))) => left_out.histograms += 1,
            Ok(_) => {}
        }
    }
    let template = event(&Texts::of(labels), received)?;
    let last = samples.pop();
    for (ts, value) in samples {
        parsed.keep(index, Event { ts, value: Some(value), ..template.clone() });
    }
    // Mostly there is one.
    if let Some((ts, value)) = last {
        parsed.keep(index, Event { ts, value: Some(value), ..template });
    }
    Ok(())
}

/// More labels than this are no series, but a mistake.
const MOST_LABELS: usize = 100;

fn label(bytes: &[u8]) -> Result<(Cow<'_, str>, Cow<'_, str>), String> {
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_| "a label is not UTF-8".to_owned());
    let (mut name, mut value) = ("", "");
    for field in Fields::of(bytes) {
        match field {
            Err(Broken) => return Err("it has a label that is none".to_owned()),
            Ok((1, Held::Bytes(bytes))) => name = text(bytes)?,
            Ok((2, Held::Bytes(bytes))) => value = text(bytes)?,
            Ok(_) => {}
        }
    }
    Ok((Cow::Borrowed(name), Cow::Borrowed(value)))
}

type Measured = (Option<Timestamp>, f64);

/// One sample; `None` = it measures nothing. The marker of a series that went stale is a NaN of its own
/// (`0x7ff0000000000002`): that a series ends is nothing to learn from, and no mistake.
fn sample(bytes: &[u8], left_out: &mut LeftOut) -> Result<Option<Measured>, String> {
    let (mut value, mut millis) = (0.0_f64, 0_i64);
    for field in Fields::of(bytes) {
        match field {
            Err(Broken) => return Err("it has a sample that is none".to_owned()),
            Ok((1, Held::Double(number))) => value = number,
            // Two's complement, as int64 is written.
            Ok((2, Held::Integer(number))) => millis = number.cast_signed(),
            Ok(_) => {}
        }
    }
    if !value.is_finite() {
        left_out.numbers += usize::from(value.to_bits() != STALE);
        return Ok(None);
    }
    let known = (0..=Timestamp::MAX.millis()).contains(&millis);
    let time = known.then(|| Timestamp::from_millis(millis));
    time.map(|time| Some((Some(time), value)))
        .ok_or_else(|| format!("the time {millis} ms lies outside the years 1970 to 9999"))
}

/// `value.StaleNaN` of Prometheus.
const STALE: u64 = 0x7ff0_0000_0000_0002;

/// What all samples of a series have in common. What tells two series of one metric apart, beside service and host,
/// stands behind its name: two disks are two.
fn event(labels: &Texts<'_>, received: Timestamp) -> Result<Event, String> {
    let Some(name) = labels.get(NAME) else { return Err("it has no `__name__`".to_owned()) };
    let Subject { kind, service, host } = Subject::of(labels);
    let told = |value: &str| Some(value) == service.as_deref() || Some(bare_host(value)) == host.as_deref();
    let own = |(label, value): &(&str, &str)| ![NAME, "instance"].contains(label) && !value.is_empty() && !told(value);
    let mut parts: Vec<String> = labels.iter().filter(own).map(|(label, value)| format!("{label}={value}")).collect();
    parts.sort();
    let check = if parts.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", parts.join(",")) };
    Ok(Event {
        received: Some(received),
        kind,
        service,
        host,
        status: Status::Sample,
        labels: labels.iter().map(|(label, value)| (label.to_owned(), value.to_owned())).collect(),
        ..Event::new(SOURCE, check)
    })
}
