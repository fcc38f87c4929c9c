//! What stands in the topic of events: events in the contract's JSON, orders, and ticks.
//!
//! Pure. A message without the header [`KIND`] is an event that somebody else wrote, in the same JSON.

use serde::{Deserialize, Serialize};

use super::word::Word;
use crate::domain::{Event, Posted, Timestamp};
use crate::formats::native;

/// The header that says what a message is.
pub const KIND: &str = "squelch-kind";
/// The header with what the sender wrote, where the event was read from something else.
pub const POSTED: &str = "squelch-posted";

/// A time of receipt so far after the message was written is not believed, in seconds.
const AHEAD: f64 = 3600.0;

/// What a message says.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// An event.
    Event(Box<Event>),
    /// An order, and when it was given.
    Order(Word, Timestamp),
    /// It is so late.
    Tick(Timestamp),
}

/// A message as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The word of the header [`KIND`].
    pub kind: &'static str,
    /// The value.
    pub value: Vec<u8>,
    /// The header [`POSTED`].
    pub posted: Option<Vec<u8>>,
}

#[derive(Serialize, Deserialize)]
struct Dated<T> {
    at: Timestamp,
    #[serde(flatten)]
    what: T,
}

#[derive(Serialize, Deserialize)]
struct Nothing {}

/// An event for the log.
#[must_use]
pub fn event(event: &Event) -> Written {
    let posted = event.posted.as_ref().and_then(|posted| postcard::to_stdvec(posted).ok());
    Written { kind: "event", value: native::write_line(event).into_bytes(), posted }
}

/// An order for the log.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn order(word: &Word, at: Timestamp) -> Result<Written, String> {
    let value = serde_json::to_vec(&Dated { at, what: word }).map_err(|error| error.to_string())?;
    Ok(Written { kind: "order", value, posted: None })
}

/// A tick for the log.
#[must_use]
pub fn tick(at: Timestamp) -> Written {
    // A number is always JSON.
    let value = serde_json::to_vec(&Dated { at, what: Nothing {} }).unwrap_or_default();
    Written { kind: "tick", value, posted: None }
}

/// Reads a message that was written at `written` by the log's own word.
///
/// # Errors
/// What is wrong with it.
pub fn read(kind: Option<&str>, value: &[u8], posted: Option<&[u8]>, written: Timestamp) -> Result<Said, String> {
    let json = |error: serde_json::Error| error.to_string();
    match kind {
        None | Some("event") => {
            let mut event = native::read_line(value).map_err(|rejected| rejected.to_string())?;
            // What says nothing of its receipt, or says that it came long after it was written, came when it was written:
            // nobody's wrong word carries a scope into the future.
            let believed = |received: &Timestamp| received.since(written) <= AHEAD;
            event.received = event.received.filter(believed).or(Some(written));
            event.posted = posted.and_then(|bytes| postcard::from_bytes::<Posted>(bytes).ok()).map(Box::new);
            Ok(Said::Event(Box::new(event)))
        }
        Some("order") => serde_json::from_slice(value).map(|Dated { at, what }| Said::Order(what, at)).map_err(json),
        Some("tick") => serde_json::from_slice::<Dated<Nothing>>(value).map(|tick| Said::Tick(tick.at)).map_err(json),
        Some(other) => Err(format!("its {KIND} is `{other}`: a newer version may have written it")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{IncidentId, Status};

    fn back(written: &Written) -> Said {
        let now = Timestamp::from_millis(1_795_000_000_200);
        read(Some(written.kind), &written.value, written.posted.as_deref(), now).unwrap()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut one = Event::new("test", "disk");
        one.received = Some(Timestamp::from_millis(1_795_000_000_123));
        one.status = Status::Resolved;
        one.posted = Some(Box::new(Posted::of(&one)));
        assert_eq!(back(&event(&one)), Said::Event(Box::new(one)));
        let at = Timestamp::from_millis(1_795_000_000_001);
        assert_eq!(back(&tick(at)), Said::Tick(at));
        let word = Word::Acknowledge { incident: IncidentId(700_002_003), by: "ada".to_owned() };
        assert_eq!(back(&order(&word, at).unwrap()), Said::Order(word, at));
    }

    #[test]
    fn what_others_write_came_when_it_was_written_and_what_nobody_can_read_is_told() {
        let written = Timestamp::from_millis(7_000);
        let line = br#"{"source":"cron","check":"backup"}"#;
        let Said::Event(event) = read(None, line, None, written).unwrap() else { panic!() };
        assert_eq!((event.received, event.check.as_str()), (Some(written), "backup"));
        let line = br#"{"source":"cron","check":"backup","received":253402300000}"#;
        let Said::Event(event) = read(None, line, None, written).unwrap() else { panic!() };
        assert_eq!(event.received, Some(written), "not in the year 9999");
        for (kind, value) in [(None, &b"no json"[..]), (Some("order"), b"{}"), (Some("tick"), b"1"), (Some("new"), b"")]
        {
            assert!(read(kind, value, None, written).is_err());
        }
    }
}
