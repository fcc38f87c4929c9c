//! The event as it stands in JSON: every field still of any type, borrowed from the body; and its check.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::domain::{Event, Kind, Severity, Status, Timestamp};
use crate::formats::scalar::Scalar;
use crate::formats::{Parsed, Rejected, Warning, instant, nearest};

/// The fields of the contract, without `labels`.
const FIELDS: [&str; 16] = [
    "ts",
    "received",
    "source",
    "kind",
    "service",
    "host",
    "check",
    "severity",
    "status",
    "value",
    "threshold",
    "unit",
    "summary",
    "dedup_key",
    "url",
    "runbook_url",
];

/// Whether the contract knows a field of this name.
pub(super) fn is_field(name: &str) -> bool {
    name == "labels" || FIELDS.contains(&name)
}

/// One event as written.
#[derive(Debug, Default)]
pub(super) struct Wire<'a> {
    fields: [Scalar<'a>; FIELDS.len()],
    labels: Labels<'a>,
    extras: Extras<'a>,
}

/// Scalars beside the fields, which become labels.
type Extras<'a> = Vec<(Cow<'a, str>, Scalar<'a>)>;

#[derive(Debug, Default)]
enum Labels<'a> {
    #[default]
    Absent,
    Map(Vec<(Cow<'a, str>, Scalar<'a>)>),
    Other(Scalar<'a>),
}

/// Reads an array of events one by one, without holding them all.
pub(super) fn each<'de, D: Deserializer<'de>>(reader: D, take: impl FnMut(usize, Wire<'de>)) -> Result<(), D::Error> {
    struct Each<F>(F);
    impl<'de, F: FnMut(usize, Wire<'de>)> Visitor<'de> for Each<F> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array of events")
        }

        fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
            let mut index = 0;
            while let Some(wire) = list.next_element()? {
                (self.0)(index, wire);
                index += 1;
            }
            Ok(())
        }
    }
    reader.deserialize_seq(Each(take))
}

impl<'de> Deserialize<'de> for Wire<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(WireVisitor)
    }
}

struct WireVisitor;

impl<'de> Visitor<'de> for WireVisitor {
    type Value = Wire<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event, a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Wire<'de>, A::Error> {
        let mut wire = Wire::default();
        while let Some(key) = map.next_key::<Scalar<'de>>()? {
            let key = key.text().unwrap_or_default();
            // The name of the field goes into the error: serde_json knows only line and column.
            if let Some(at) = FIELDS.iter().position(|field| *field == key) {
                wire.fields[at] = map.next_value().map_err(|error| A::Error::custom(format!("{key}: {error}")))?;
            } else if key == "labels" {
                wire.labels =
                    map.next_value_seed(LabelsSeed).map_err(|error| A::Error::custom(format!("{key}: {error}")))?;
            } else {
                wire.extras.push((key, map.next_value()?));
            }
        }
        Ok(wire)
    }
}

struct LabelsSeed;

impl<'de> DeserializeSeed<'de> for LabelsSeed {
    type Value = Labels<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Labels<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// A map keeps its entries; anything else only what it is.
impl<'de> Visitor<'de> for LabelsSeed {
    type Value = Labels<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of labels")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Labels<'de>, A::Error> {
        let mut entries = Vec::with_capacity(map.size_hint().unwrap_or(8).min(128));
        while let Some(key) = map.next_key::<Scalar<'de>>()? {
            entries.push((key.text().unwrap_or_default(), map.next_value()?));
        }
        Ok(Labels::Map(entries))
    }

    fn visit_unit<E>(self) -> Result<Labels<'de>, E> {
        Ok(Labels::Absent)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Labels<'de>, E> {
        Ok(Labels::Other(Scalar::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Labels<'de>, E> {
        Ok(Labels::Other(Scalar::Whole(value)))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Labels<'de>, E> {
        Ok(Labels::Other(Scalar::Whole(0)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Labels<'de>, E> {
        Ok(Labels::Other(Scalar::Number(value)))
    }

    fn visit_str<E>(self, _: &str) -> Result<Labels<'de>, E> {
        Ok(Labels::Other(Scalar::Text(Cow::Borrowed(""))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Labels<'de>, A::Error> {
        while list.next_element::<serde::de::IgnoredAny>()?.is_some() {}
        Ok(Labels::Other(Scalar::List))
    }
}

impl Wire<'_> {
    /// The event, when every field is right; else all that is wrong with it.
    /// `told`: whether anybody will hear what is wrong; if not, it costs no words.
    pub(super) fn check(self, (index, told): (usize, bool), warnings: &mut Vec<Warning>) -> Result<Event, Rejected> {
        let mut check = Check { index, told, is_wrong: false, mistakes: Vec::new(), warnings };
        let [
            ts,
            received,
            source,
            kind,
            service,
            host,
            name,
            severity,
            status,
            value,
            threshold,
            unit,
            summary,
            dedup_key,
            url,
            runbook_url,
        ] = self.fields;
        let (ends, extras) = promised_end(self.extras);
        let event = Event {
            ts: check.time("ts", &ts),
            received: check.time("received", &received),
            source: check.source(source),
            kind: check.word("kind", kind, Kind::ALL, Kind::word).unwrap_or(Kind::Other),
            service: check.text("service", service),
            host: check.text("host", host),
            check: check.text("check", name).unwrap_or_default(),
            severity: check.word("severity", severity, Severity::ALL, Severity::word).unwrap_or(Severity::Warning),
            status: check.word("status", status, Status::ALL, Status::word).unwrap_or(Status::Firing),
            value: check.number("value", &value),
            threshold: check.number("threshold", &threshold),
            unit: check.text("unit", unit),
            summary: check.text("summary", summary),
            labels: check.labels(self.labels, extras),
            dedup_key: check.text("dedup_key", dedup_key),
            identity: None,
            url: check.text("url", url),
            runbook_url: check.text("runbook_url", runbook_url),
            ends,
            posted: None,
        };
        check.verdict(event)
    }
}

/// When the alert ends by itself, and what else was sent. An `ends` that is no time stays a label like any other.
fn promised_end<'a>(mut extras: Extras<'a>) -> (Option<Timestamp>, Extras<'a>) {
    let place = extras.iter().position(|(name, _)| name == "ends");
    let ends = place.and_then(|at| instant::strict(&extras[at].1).ok());
    if let (Some(at), Some(_)) = (place, ends) {
        extras.remove(at);
    }
    (ends, extras)
}

/// The check of one event: it goes on after a mistake, so that all are told at once.
struct Check<'w> {
    index: usize,
    told: bool,
    is_wrong: bool,
    mistakes: Vec<(&'static str, String, String)>,
    warnings: &'w mut Vec<Warning>,
}

impl Check<'_> {
    fn wrong(&mut self, path: &'static str, message: impl Into<String>, help: impl Into<String>) {
        self.is_wrong = true;
        if self.told {
            self.mistakes.push((path, message.into(), help.into()));
        }
    }

    fn time(&mut self, path: &'static str, value: &Scalar<'_>) -> Option<Timestamp> {
        if *value == Scalar::Null || matches!(value, Scalar::Text(text) if text.is_empty()) {
            return None;
        }
        instant::strict(value).map_err(|(message, help)| self.wrong(path, message, help)).ok()
    }

    fn text(&mut self, path: &'static str, value: Scalar<'_>) -> Option<String> {
        match value {
            Scalar::Null => None,
            Scalar::Text(text) => (!text.is_empty()).then(|| text.into_owned()),
            other => {
                self.wrong(path, format!("is {}, not a string", other.noun()), "put it in quotes");
                None
            }
        }
    }

    fn source(&mut self, value: Scalar<'_>) -> String {
        let may_be_one = matches!(value, Scalar::Null | Scalar::Text(_));
        let source = self.text("source", value).filter(|source| !source.trim().is_empty());
        if source.is_none() && may_be_one {
            self.wrong("source", "is missing or empty", "name the tool that sends, such as \"source\": \"nagios\"");
        }
        source.unwrap_or_default()
    }

    fn number(&mut self, path: &'static str, value: &Scalar<'_>) -> Option<f64> {
        match value {
            Scalar::Null => None,
            Scalar::Whole(number) => Some(*number as f64),
            Scalar::Number(number) => Some(*number),
            other => {
                self.wrong(
                    path,
                    format!("is {}, not a number", other.noun()),
                    "write the bare number, its unit in `unit`",
                );
                None
            }
        }
    }

    fn word<T: Copy>(
        &mut self,
        path: &'static str,
        value: Scalar<'_>,
        all: &[T],
        word: fn(T) -> &'static str,
    ) -> Option<T> {
        let text = self.text(path, value)?;
        let found = all.iter().copied().find(|value| word(*value).eq_ignore_ascii_case(&text));
        if found.is_none() {
            let words: Vec<&str> = all.iter().map(|value| word(*value)).collect();
            let near = nearest(&text, &words).map_or_else(String::new, |near| format!("did you mean `{near}`? "));
            let shown: String = text.chars().take(60).collect();
            self.wrong(path, format!("`{shown}` is no {path}"), format!("{near}known: {}", words.join(", ")));
        }
        found
    }

    fn labels(&mut self, labels: Labels<'_>, extras: Extras<'_>) -> BTreeMap<String, String> {
        let mut kept = BTreeMap::new();
        for (name, value) in extras {
            self.label("", name, value, &mut kept);
        }
        match labels {
            Labels::Absent => {}
            Labels::Map(entries) => {
                for (name, value) in entries {
                    self.label("labels.", name, value, &mut kept);
                }
            }
            Labels::Other(other) => self.wrong(
                "labels",
                format!("is {}, not a map", other.noun()),
                "write \"labels\": {\"team\": \"shop\"}",
            ),
        }
        kept
    }

    /// Any scalar is taken as a label; what is none is dropped with a warning, for the alert matters more.
    fn label(&mut self, at: &str, name: Cow<'_, str>, value: Scalar<'_>, kept: &mut BTreeMap<String, String>) {
        if matches!(value, Scalar::List | Scalar::Object) {
            if self.warnings.len() >= Parsed::LISTED {
                return;
            }
            let message = format!("is {}: dropped, only scalars are kept as labels", value.noun());
            let name: String = name.chars().take(60).collect();
            self.warnings.push(Warning::new(self.index, format!("{at}{name}"), message));
        } else if let Some(text) = value.text() {
            kept.insert(name.into_owned(), text.into_owned());
        }
    }

    fn verdict(self, event: Event) -> Result<Event, Rejected> {
        if !self.is_wrong {
            return Ok(event);
        }
        let mut mistakes = self.mistakes.into_iter();
        let (path, mut message, help) = mistakes.next().unwrap_or_default();
        for (path, more, help) in mistakes {
            message.push_str(&format!("; also `{path}`: {more} ({help})"));
        }
        Err(Rejected { index: self.index, path: path.to_owned(), message, help: Some(help) })
    }
}
