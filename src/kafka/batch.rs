//! Messages into a parcel of events with how far they were read, and the messages that nobody can read beside it.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rdkafka::message::{Headers as _, Message};

use super::Read;
use crate::domain::{Event, Timestamp};
use crate::formats::{Body, Parsed};
use crate::sinks::clean;

/// So many events are handed over together.
const MOST_EVENTS: usize = 2_000;
/// So many messages.
const MOST_MESSAGES: usize = 2_000;
/// So many bytes.
const MOST_BYTES: usize = 4 << 20;
/// Of what is wrong with a message so much is told.
const MOST_SAID: usize = 500;
/// So many bad events of one message are described.
const DESCRIBED: usize = 3;

/// A message that nobody can read, or not wholly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dead {
    pub(super) topic: usize,
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) reason: String,
    pub(super) key: Option<Vec<u8>>,
    /// The beginning of it, or all.
    pub(super) payload: Vec<u8>,
    /// How long it was.
    pub(super) length: usize,
    /// Its own headers that fit beside ours.
    pub(super) headers: Vec<(String, Option<Vec<u8>>)>,
}

/// Of a dead message so much is kept: what a topic takes that nobody has set up for more.
const KEPT: usize = 900_000;
/// So many of its own headers, and so many bytes of each.
const HEADERS: (usize, usize) = (32, 1_024);

/// What was read and is not handed over yet.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) events: Vec<Event>,
    pub(super) bytes: usize,
    /// How far, by topic and partition.
    pub(super) next: BTreeMap<(usize, i32), i64>,
    /// Messages and events by topic.
    pub(super) counts: BTreeMap<usize, (u64, u64)>,
    pub(super) dead: Vec<Dead>,
    messages: usize,
}

/// How messages are read.
pub(super) struct Reading<'a> {
    pub(super) read: &'a Read,
    pub(super) now: Timestamp,
    pub(super) longest: usize,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.next.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.events.len() >= MOST_EVENTS || self.messages >= MOST_MESSAGES || self.bytes >= MOST_BYTES
    }

    /// Takes a message of the topic at this place, whose messages are of this format.
    pub(super) fn take(&mut self, (topic, format): (usize, &str), message: &impl Message, reading: &Reading<'_>) {
        let payload = message.payload().unwrap_or_default();
        self.next.insert((topic, message.partition()), message.offset() + 1);
        self.messages += 1;
        self.bytes = self.bytes.saturating_add(payload.len());
        let counts = self.counts.entry(topic).or_default();
        counts.0 += 1;
        // A message without a value removes a key from a compacted topic: nothing is said by it.
        if message.payload().is_none() {
            return;
        }
        let reason = match parse(format, message, reading) {
            Ok(mut parsed) => {
                counts.1 += parsed.events.len() as u64;
                let reason = what_is_bad(&parsed);
                self.events.append(&mut parsed.events);
                reason
            }
            Err(reason) => Some(reason),
        };
        self.dead.extend(reason.map(|reason| dead(topic, message, &reason)));
    }
}

fn parse(format: &str, message: &impl Message, reading: &Reading<'_>) -> Result<Parsed, String> {
    let bytes = message.payload().unwrap_or_default();
    if bytes.len() > reading.longest {
        let (long, most) = (bytes.len(), reading.longest);
        return Err(format!("the message has {long} bytes, and at most {most} are read (limits.body)"));
    }
    // What says nothing of its time happened when it was written.
    let written = message.timestamp().to_millis().map(Timestamp::from_millis).filter(|at| *at <= reading.now);
    let content_type = header(message, "content-type");
    let received = written.unwrap_or(reading.now);
    let body = Body { bytes, content_type: content_type.as_deref(), query: None, received };
    let parsed = catch_unwind(AssertUnwindSafe(|| (reading.read)(format, &body)));
    let mut parsed = parsed
        .map_err(|_| "the message made its reader fail: please report it as a bug".to_owned())?
        .map_err(|error| error.to_string())?;
    for event in &mut parsed.events {
        event.received = Some(reading.now);
    }
    Ok(parsed)
}

fn header(message: &impl Message, name: &str) -> Option<String> {
    let headers = message.headers()?;
    let found = headers.iter().find(|header| header.key.eq_ignore_ascii_case(name))?;
    String::from_utf8(found.value?.to_vec()).ok()
}

/// Why a message is not wholly good.
fn what_is_bad(parsed: &Parsed) -> Option<String> {
    if parsed.bad() == 0 {
        return None;
    }
    let told: Vec<String> = parsed.rejected.iter().take(DESCRIBED).map(ToString::to_string).collect();
    let kept = if parsed.events.is_empty() { "" } else { "; the good events beside them were taken" };
    Some(format!("{} of its events are bad: {}{kept}", parsed.bad(), told.join("; ")))
}

fn dead(topic: usize, message: &impl Message, reason: &str) -> Dead {
    let payload = message.payload().unwrap_or_default();
    let mut headers = Vec::new();
    if let Some(own) = message.headers() {
        let few = own.iter().take(HEADERS.0);
        let kept = few.filter(|header| header.value.is_none_or(|value| value.len() <= HEADERS.1));
        headers.extend(kept.map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))));
    }
    Dead {
        topic,
        partition: message.partition(),
        offset: message.offset(),
        reason: clean::line(reason, MOST_SAID),
        key: message.key().filter(|key| key.len() <= HEADERS.1).map(<[u8]>::to_vec),
        payload: payload[..payload.len().min(KEPT)].to_vec(),
        length: payload.len(),
        headers,
    }
}
