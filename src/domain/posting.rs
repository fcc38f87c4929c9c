//! A posting: an alert as its sender wrote it, for those who ask for it in the sender's own words.
//!
//! Deliberately nothing that the judgement looks at. It is what the Alertmanager API shows, and what silences that
//! were set there match: labels as they were sent, not the fields that Squelch read from them.

use std::fmt;
use std::sync::Arc;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::event::Event;
use super::fingerprint::Fingerprint;
use super::signal::{Kind, Severity};
use super::table::{Row, decode_pulse, encode_pulse};
use super::time::Timestamp;

/// What is posted with an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posted {
    /// Labels, annotations and fields.
    pub text: PostedText,
    /// Firing since, by the sender's word; `None` = since it arrived.
    pub starts: Option<Timestamp>,
    /// When it ends by itself; `None` = as long as Squelch takes it for firing.
    pub ends: Option<Timestamp>,
    /// Whether `ends` is only how long Squelch waits for the next word.
    pub timeout: bool,
}

impl Posted {
    /// What an event of any other tool would have been, had it come as labels and annotations.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        let mut labels: Vec<(&str, &str)> = vec![("alertname", &event.check)];
        labels.extend(event.service.as_deref().map(|service| ("service", service)));
        labels.extend(event.host.as_deref().map(|host| ("host", host)));
        labels.extend([("severity", event.severity.word()), ("source", &event.source)]);
        let own = labels.len();
        for (name, value) in &event.labels {
            if !labels[..own].iter().any(|(known, _)| known == name) {
                labels.push((name, value));
            }
        }
        let annotations = [("summary", &event.summary), ("runbook_url", &event.runbook_url)];
        let annotations = annotations.into_iter().filter_map(|(name, text)| Some((name, text.as_deref()?)));
        let text = PostedText::new(labels, annotations, event);
        Self { text, starts: event.ts, ends: None, timeout: false }
    }
}

/// Labels and annotations in order of name, where the alert comes from, and the fields that Squelch read from them:
/// one piece of memory, because there may be a hundred thousand.
#[derive(Clone, PartialEq, Eq)]
pub struct PostedText(Arc<[u8]>);

/// The fields that stand before the labels, in this order.
const FIELDS: [&str; 4] = ["source", "service", "host", "generatorURL"];

impl PostedText {
    /// From labels and annotations in any order, without empty values, and the event that was read from them.
    pub fn new<'a>(
        labels: impl IntoIterator<Item = (&'a str, &'a str)>,
        annotations: impl IntoIterator<Item = (&'a str, &'a str)>,
        event: &Event,
    ) -> Self {
        let mut bytes = Vec::with_capacity(1024);
        bytes.extend([event.kind as u8, event.severity as u8]);
        let [service, host, url] = [&event.service, &event.host, &event.url].map(|field| field.as_deref());
        for field in [Some(event.source.as_str()), service, host, url] {
            put(&mut bytes, field.unwrap_or_default());
        }
        pairs(&mut bytes, labels.into_iter().collect());
        pairs(&mut bytes, annotations.into_iter().collect());
        Self(Arc::from(bytes))
    }

    fn parts(&self) -> Parts<'_> {
        Parts { rest: self.0.get(2..).unwrap_or_default() }
    }

    /// The labels, in order of name.
    pub fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parts().skip(FIELDS.len()).pairs()
    }

    /// The annotations, in order of name.
    pub fn annotations(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut parts = self.parts().skip(FIELDS.len());
        for _ in 0..2 * parts.count() {
            parts.text();
        }
        parts.pairs()
    }

    /// The value of a label; `""` without it.
    #[must_use]
    pub fn label(&self, name: &str) -> &str {
        self.labels().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }

    /// Where the sender says that the alert can be looked at; may be empty.
    #[must_use]
    pub fn generator_url(&self) -> &str {
        self.field_at(3)
    }

    /// How bad Squelch takes it to be.
    #[must_use]
    pub fn severity(&self) -> Severity {
        let known = |severity: &&Severity| Some(**severity as u8) == self.0.get(1).copied();
        Severity::ALL.iter().find(known).copied().unwrap_or(Severity::Warning)
    }

    /// The value that a matcher of the rules on `name` compares with, as [`Event::field`] gives it.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        let or_label = |at| Some(self.field_at(at)).filter(|text| !text.is_empty()).unwrap_or_else(|| self.label(name));
        match name {
            "source" => self.field_at(0),
            "service" => or_label(1),
            "host" => or_label(2),
            "check" => self.label("alertname"),
            "kind" => self.kind().word(),
            "severity" => self.severity().word(),
            "status" => "firing",
            "url" => self.generator_url(),
            _ => match self.label(name) {
                "" => self.annotations().find(|(known, _)| *known == name).map_or("", |(_, value)| value),
                value => value,
            },
        }
    }

    /// The event that this would have been read from, as far as matchers and people see it. (What was measured is not
    /// posted.)
    #[must_use]
    pub fn event(&self) -> Event {
        let text = |at| Some(self.field_at(at)).filter(|text| !text.is_empty()).map(str::to_owned);
        let mut event = Event::new(self.field_at(0), self.label("alertname"));
        event.kind = self.kind();
        event.severity = self.severity();
        (event.service, event.host, event.url) = (text(1), text(2), text(3));
        let pairs = self.annotations().chain(self.labels());
        event.labels = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        (event.summary, event.runbook_url) =
            (event.labels.get("summary").cloned(), event.labels.get("runbook_url").cloned());
        event
    }

    fn kind(&self) -> Kind {
        let known = |kind: &&Kind| Some(**kind as u8) == self.0.first().copied();
        Kind::ALL.iter().find(known).copied().unwrap_or(Kind::Other)
    }

    fn field_at(&self, at: usize) -> &str {
        self.parts().skip(at).text()
    }
}

/// Reads what [`put`] and [`pairs`] wrote; nonsense reads as nothing.
#[derive(Clone, Copy)]
struct Parts<'a> {
    rest: &'a [u8],
}

impl<'a> Parts<'a> {
    fn count(&mut self) -> usize {
        let (mut count, mut shift) = (0_usize, 0);
        while let Some((&byte, rest)) = self.rest.split_first() {
            self.rest = rest;
            count |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 || shift > 28 {
                break;
            }
        }
        count
    }

    fn text(&mut self) -> &'a str {
        let length = self.count();
        let Some((text, rest)) = self.rest.split_at_checked(length) else {
            self.rest = &[];
            return "";
        };
        self.rest = rest;
        std::str::from_utf8(text).unwrap_or_default()
    }

    fn skip(mut self, texts: usize) -> Self {
        for _ in 0..texts {
            self.text();
        }
        self
    }

    fn pairs(mut self) -> impl Iterator<Item = (&'a str, &'a str)> {
        // A damaged count must not be believed: each pair takes two bytes at least.
        let count = self.count().min(self.rest.len() / 2);
        (0..count).map(move |_| (self.text(), self.text()))
    }
}

fn put_count(bytes: &mut Vec<u8>, mut count: usize) {
    while count >= 0x80 {
        bytes.push((count & 0x7f) as u8 | 0x80);
        count >>= 7;
    }
    bytes.push(count as u8);
}

fn put(bytes: &mut Vec<u8>, text: &str) {
    put_count(bytes, text.len());
    bytes.extend_from_slice(text.as_bytes());
}

/// Pairs in order of name, without empty values; of a name that stands twice the last counts.
fn pairs(bytes: &mut Vec<u8>, mut pairs: Vec<(&str, &str)>) {
    pairs.reverse();
    pairs.sort_by_key(|(name, _)| *name);
    pairs.dedup_by_key(|(name, _)| *name);
    pairs.retain(|(_, value)| !value.is_empty());
    put_count(bytes, pairs.len());
    for (name, value) in pairs {
        put(bytes, name);
        put(bytes, value);
    }
}

impl fmt::Debug for PostedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.labels()).entries(self.annotations()).finish()
    }
}

impl Serialize for PostedText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for PostedText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl<'de> Visitor<'de> for Bytes {
            type Value = PostedText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<PostedText, E> {
                Ok(PostedText(Arc::from(bytes)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<PostedText, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = seq.next_element()? {
                    bytes.push(byte);
                }
                Ok(PostedText(Arc::from(bytes)))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

/// An alert as it was posted last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// The alert key.
    pub alert: Fingerprint,
    /// Firing since, by the sender's word.
    pub starts: Timestamp,
    /// Last heard of.
    pub updated: Timestamp,
    /// When it ends by itself; `None` = as long as Squelch takes it for firing.
    pub ends: Option<Timestamp>,
    /// Whether `ends` is only how long Squelch waits for the next word.
    pub timeout: bool,
    /// Labels, annotations and fields.
    pub text: PostedText,
}

impl Posting {
    /// A posting that arrives at `now`, merged with what was posted of the same alert before, as Alertmanager does
    /// (`types.Alert.Merge`): where the two spans overlap, the earlier start holds, and the later end unless that was
    /// only a timeout.
    #[must_use]
    pub fn merged(alert: Fingerprint, posted: &Posted, now: Timestamp, before: Option<&Self>) -> Self {
        let starts = posted.starts.unwrap_or(now);
        let mut new =
            Self { alert, starts, updated: now, ends: posted.ends, timeout: posted.timeout, text: posted.text.clone() };
        let Some(old) = before else { return new };
        let (Some(old_ends), Some(new_ends)) = (old.ends, new.ends) else {
            new.starts = new.starts.min(old.starts);
            return new;
        };
        let within = |at: Timestamp| old.starts < at && at < old_ends;
        if within(new_ends) || within(new.starts) {
            new.starts = new.starts.min(old.starts);
            if old_ends > new_ends && !old.timeout {
                new.ends = Some(old_ends);
            }
        }
        new
    }

    /// Whether it is over at `now`.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.ends.is_some_and(|ends| ends < now)
    }
}

impl Row for Posting {
    const KIND: u8 = b'w';
    const PULSE: u8 = b'W';

    fn fingerprint(&self) -> Fingerprint {
        self.alert
    }

    fn pulse(&self) -> Vec<u8> {
        encode_pulse(&(self.starts, self.updated, self.ends, self.timeout))
    }

    fn take_pulse(&mut self, value: &[u8]) -> Result<(), String> {
        (self.starts, self.updated, self.ends, self.timeout) = decode_pulse(value)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> PostedText {
        let event =
            Event { service: Some("web".into()), url: Some("http://p".into()), ..Event::new("prometheus", "Up") };
        let long = "x".repeat(300);
        PostedText::new(
            [("b", "2"), ("alertname", "Up"), ("b", "3"), ("gone", ""), ("long", long.as_str())],
            [("summary", "it is — down")],
            &event,
        )
    }

    #[test]
    fn what_is_packed_is_read_again() {
        let text = text();
        let labels: Vec<_> = text.labels().map(|(name, value)| (name, value.len())).collect();
        assert_eq!(labels, [("alertname", 2), ("b", 1), ("long", 300)]);
        assert_eq!(text.label("b"), "3", "the last of a name counts");
        assert_eq!(text.annotations().collect::<Vec<_>>(), [("summary", "it is — down")]);
        assert_eq!((text.generator_url(), text.field("service"), text.field("check")), ("http://p", "web", "Up"));
        assert_eq!((text.field("severity"), text.field("kind"), text.field("none")), ("warning", "other", ""));
        let stored = postcard::to_allocvec(&text).unwrap();
        assert_eq!(postcard::from_bytes::<PostedText>(&stored).unwrap(), text);
    }

    #[test]
    fn no_damage_makes_reading_fail() {
        let whole = text();
        for end in 0..whole.0.len() {
            let cut = PostedText(Arc::from(&whole.0[..end]));
            let seen = cut.labels().count() + cut.annotations().count() + cut.field("service").len();
            assert!(seen < 1_000);
            let mut wrong = whole.0.to_vec();
            wrong[end] = 0xff;
            let wrong = PostedText(Arc::from(wrong));
            assert!(wrong.labels().count() + wrong.annotations().count() < 1_000);
        }
    }

    #[test]
    fn spans_are_merged_as_alertmanager_does() {
        let at = Timestamp::from_millis;
        let posted =
            |starts, ends, timeout| Posted { text: text(), starts: Some(at(starts)), ends: Some(at(ends)), timeout };
        let key = Fingerprint(1);
        let first = Posting::merged(key, &posted(100, 1_000, false), at(100), None);
        let later = Posting::merged(key, &posted(200, 900, false), at(200), Some(&first));
        assert_eq!((later.starts, later.ends), (at(100), Some(at(1_000))), "the longer promise holds");
        let timeout = Posting::merged(key, &posted(100, 1_000, true), at(100), None);
        let later = Posting::merged(key, &posted(200, 900, false), at(200), Some(&timeout));
        assert_eq!(later.ends, Some(at(900)), "a timeout is no promise");
        let apart = Posting::merged(key, &posted(2_000, 3_000, false), at(2_000), Some(&first));
        assert_eq!(apart.starts, at(2_000), "another span");
    }
}
