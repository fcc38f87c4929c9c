//! The journal batch: what one group commit makes durable at once, as bytes.
//!
//! The changes stand in full (they are the truth after a restart); the events beside them are history and are never
//! judged again. Deliberately without checksums: frames have them.

use crate::domain::{Change, Event, Timestamp};

/// What one commit stores.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// The events of the group, in order of their numbers; each number above all before.
    pub events: &'a [(u64, &'a Event)],
    /// The changes of the engine's records, in order.
    pub changes: &'a [Change],
    /// The time of the group, by the shell's clock; history is found and aged by it.
    pub now: Timestamp,
}

/// An event as the journal holds it: its number, when it was taken, and its bytes (postcard).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RawEvent {
    pub(super) seq: u64,
    pub(super) now: Timestamp,
    pub(super) bytes: Vec<u8>,
}

/// The bytes say something impossible although their checksums are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the content makes no sense")]
pub(super) struct Nonsense;

/// Writes a batch into `out`, which is emptied first. `next_seq` is the first event number not yet used.
pub(super) fn write(out: &mut Vec<u8>, batch: &Batch<'_>, next_seq: u64) -> Result<(), postcard::Error> {
    out.clear();
    out.extend_from_slice(&batch.now.millis().to_be_bytes());
    out.extend_from_slice(&next_seq.to_be_bytes());
    // About what an alert of Prometheus takes.
    let mut events = Vec::with_capacity(batch.events.len() * 768);
    for (seq, event) in batch.events {
        let start = events.len() + 12;
        put_event_head(&mut events, *seq);
        events = postcard::to_extend(event, events)?;
        let length = (events.len() - start) as u32;
        events[start - 4..start].copy_from_slice(&length.to_be_bytes());
    }
    put_varint(out, batch.events.len() as u64);
    out.reserve(events.len() + batch.changes.iter().map(weight).sum::<usize>());
    put_bytes(out, &events);
    write_changes(out, batch.changes);
    Ok(())
}

/// About the bytes that a change takes.
fn weight(change: &Change) -> usize {
    change.key.len() + change.value.as_ref().map_or(0, Vec::len) + 8
}

/// A number and room for the length.
fn put_event_head(out: &mut Vec<u8>, seq: u64) {
    out.extend_from_slice(&seq.to_be_bytes());
    out.extend_from_slice(&[0; 4]);
}

/// A batch without its changes: what it means for history.
pub(super) fn events(bytes: &[u8]) -> Result<Vec<RawEvent>, Nonsense> {
    let mut from = Reader(bytes);
    let now = Timestamp::from_millis(from.u64()? as i64);
    from.u64()?;
    let count = from.varint()?;
    let mut inner = Reader(from.bytes()?);
    let mut events = Vec::new();
    for _ in 0..count {
        let seq = inner.u64()?;
        let length = inner.u32()? as usize;
        events.push(RawEvent { seq, now, bytes: inner.exactly(length)?.to_vec() });
    }
    Ok(events)
}

/// A batch without its events: the next event number, and the changes.
pub(super) fn changes(bytes: &[u8]) -> Result<(u64, Vec<Change>), Nonsense> {
    let mut from = Reader(bytes);
    from.u64()?;
    let next_seq = from.u64()?;
    from.varint()?;
    from.bytes()?;
    Ok((next_seq, read_changes(from.0)?))
}

/// Adds changes to `out`, up to its end.
pub(super) fn write_changes(out: &mut Vec<u8>, changes: &[Change]) {
    for change in changes {
        put_bytes(out, &change.key);
        match &change.value {
            None => out.push(0),
            Some(value) => {
                out.push(1);
                put_bytes(out, value);
            }
        }
    }
}

/// All changes in `bytes`.
pub(super) fn read_changes(bytes: &[u8]) -> Result<Vec<Change>, Nonsense> {
    let mut from = Reader(bytes);
    let mut changes = Vec::new();
    while !from.0.is_empty() {
        let key = from.bytes()?.to_vec();
        let value = match from.exactly(1)? {
            [0] => None,
            [1] => Some(from.bytes()?.to_vec()),
            _ => return Err(Nonsense),
        };
        changes.push(Change { key, value });
    }
    Ok(changes)
}

pub(super) fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Takes values off the front of bytes.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn exactly(&mut self, length: usize) -> Result<&'a [u8], Nonsense> {
        let (part, rest) = self.0.split_at_checked(length).ok_or(Nonsense)?;
        self.0 = rest;
        Ok(part)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Nonsense> {
        Ok(u64::from_be_bytes(*self.exactly(8)?.first_chunk().ok_or(Nonsense)?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, Nonsense> {
        Ok(u32::from_be_bytes(*self.exactly(4)?.first_chunk().ok_or(Nonsense)?))
    }

    pub(super) fn varint(&mut self) -> Result<u64, Nonsense> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = u64::from(self.exactly(1)?[0]);
            number |= (byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Nonsense)
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Nonsense> {
        let length = usize::try_from(self.varint()?).map_err(|_| Nonsense)?;
        self.exactly(length)
    }
}

/// An event from its form on disk. One that was written before events had an end of their own lacks the last byte.
pub(super) fn event(bytes: &[u8]) -> Result<Event, postcard::Error> {
    postcard::from_bytes(bytes).or_else(|_| postcard::from_bytes(&[bytes, &[0]].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_without_an_end_of_its_own_is_still_read() {
        let written = Event { value: Some(1.5), host: Some("a".into()), ..Event::new("nagios", "swap") };
        let bytes = postcard::to_stdvec(&written).unwrap();
        let (last, older) = bytes.split_last().unwrap();
        assert_eq!((*last, event(older)), (0, Ok(written.clone())));
        assert_eq!(event(&bytes), Ok(written));
        assert!(event(&older[..older.len() - 1]).is_err());
    }

    /// The form on disk of an event is the order and types of its fields. If this fails, an event's fields have
    /// changed: let [`event`] read what was written before, or raise `frame::VERSION`, keep the old struct beside the reader, and convert (`docs/STORE.md`).
    #[test]
    fn the_form_of_an_event_on_disk_has_not_changed() {
        let event = Event { value: Some(1.5), host: Some("a".into()), ..Event::new("nagios", "swap") };
        let bytes = postcard::to_stdvec(&event).unwrap();
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        expect_test::expect!["0000066e6167696f7305000101610473776170010001000000000000f83f000000000000000000"]
            .assert_eq(&text);
    }

    #[test]
    fn a_batch_comes_back_as_it_was() {
        let event = Event::new("nagios", "swap");
        let list = [
            Change { key: vec![1, 2], value: Some(vec![9; 300]) },
            Change { key: vec![], value: None },
            Change { key: vec![3], value: Some(vec![]) },
        ];
        let batch = Batch { events: &[(4, &event), (9, &event)], changes: &list, now: Timestamp::from_millis(-5) };
        let mut bytes = Vec::new();
        write(&mut bytes, &batch, 10).unwrap();
        assert_eq!(changes(&bytes), Ok((10, list.to_vec())));
        let taken = events(&bytes).unwrap();
        assert_eq!(taken.iter().map(|event| event.seq).collect::<Vec<_>>(), [4, 9]);
        assert_eq!(taken[1].now, Timestamp::from_millis(-5));
        assert_eq!(postcard::from_bytes::<Event>(&taken[1].bytes).unwrap(), event);
        for length in 0..bytes.len() {
            let _ = changes(&bytes[..length]);
            let _ = events(&bytes[..length]);
        }
    }
}
