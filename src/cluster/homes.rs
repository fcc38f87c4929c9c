//! Where scopes live, by their seats: where they were born, except for those that moved.
//!
//! Every node reads the topic of moves before it begins. Deliberately only a look-up: a seat that nobody has is told by
//! the shard that should have it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;
use rdkafka::{Offset, TopicPartitionList};
use rustc_hash::FxHashMap;

use super::moved::{Moved, Origin};
use super::place::{self, Seat};
use super::topics::Topics;
use crate::broker::{self, Watcher};
use crate::clock::Stopwatch;
use crate::config::Cluster;

/// How long the reader waits for a record.
const WAIT: Duration = Duration::from_millis(100);
/// It takes no longer than this without a record.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the scopes live that moved. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Homes(Arc<Mutex<FxHashMap<Seat, i32>>>);

impl Homes {
    fn all(&self) -> MutexGuard<'_, FxHashMap<Seat, i32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The partition of the scope of this seat.
    #[must_use]
    pub fn of(&self, seat: Seat) -> i32 {
        self.all().get(&seat).copied().unwrap_or(seat.partition)
    }

    /// Notes a record among so many partitions.
    pub(super) fn hear(&self, moved: &Moved, partitions: u16) {
        if let Moved::Seat(seat, name) = moved {
            self.all().insert(*seat, place::partition(name, i32::from(partitions)));
        }
    }
}

/// Why a node may not begin.
pub(super) fn unfinished(origin: &Origin) -> Option<String> {
    (!origin.finished).then(|| {
        format!(
            "the move from `{}` to this cluster was broken off: run `squelch cluster move --apply` again with the same settings, then this node begins",
            origin.name
        )
    })
}

/// Reads all that moves have written down; what cannot be read is told.
///
/// # Errors
/// Why the topic cannot be read.
pub(super) fn read(settings: &Cluster) -> Result<(Vec<Moved>, Vec<String>), String> {
    let topic = Topics::of(settings).moved;
    let (mut found, mut unreadable) = (Vec::new(), Vec::new());
    each(settings, &topic, |key, value| {
        match Moved::read(key, value) {
            Ok(moved) => {
                // What was written later counts; it stands behind it until the topic is compacted.
                if matches!(moved, Moved::From(_)) {
                    found.retain(|one| !matches!(one, Moved::From(_)));
                }
                found.push(moved);
            }
            Err(why) => unreadable.push(format!("the topic `{topic}`: {why}")),
        }
        true
    })?;
    Ok((found, unreadable))
}

/// Hands over the records of all partitions of a topic up to its end, or until one is enough.
pub(super) fn each(settings: &Cluster, topic: &str, mut take: impl FnMut(&[u8], &[u8]) -> bool) -> Result<(), String> {
    let watcher = Watcher::default();
    let mut config = broker::reading(&settings.connection, &settings.name).map_err(|error| error.to_string())?;
    config.set("enable.partition.eof", "true").set("fetch.wait.max.ms", "10");
    let reader: BaseConsumer<Watcher> =
        config.create_with_context(watcher.clone()).map_err(|error| error.to_string())?;
    let mut list = TopicPartitionList::new();
    for partition in 0..i32::from(settings.partitions) {
        list.add_partition_offset(topic, partition, Offset::Beginning).map_err(|error| error.to_string())?;
    }
    reader.assign(&list).map_err(|error| error.to_string())?;
    let (mut ends, mut heard, mut last) = (std::collections::BTreeSet::new(), Stopwatch::start(), None);
    while ends.len() < usize::from(settings.partitions) {
        match reader.poll(WAIT) {
            Some(Ok(message)) => {
                heard = Stopwatch::start();
                // What was removed says nothing.
                let Some(value) = message.payload() else { continue };
                if !take(message.key().unwrap_or_default(), value) {
                    return Ok(());
                }
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => drop(ends.insert(partition)),
            Some(Err(error)) => last = Some(error.to_string()),
            None => {}
        }
        if heard.elapsed() > PATIENCE {
            let why = watcher.why_down().or(last).unwrap_or_else(|| "no broker answers".to_owned());
            return Err(format!("the topic `{topic}` cannot be read: {why}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_lives_where_it_was_born_or_where_its_name_leads_once_it_moved() {
        let (homes, seat) = (Homes::default(), Seat { partition: 3, scope: 2 });
        assert_eq!(homes.of(seat), 3);
        homes.hear(&Moved::Seat(seat, "prod/pay".to_owned()), 8);
        homes.hear(&Moved::From(Origin::default()), 8);
        assert_eq!(homes.of(seat), place::partition("prod/pay", 8));
        assert_eq!(homes.of(Seat { partition: 3, scope: 1 }), 3);
        assert!(unfinished(&Origin::default()).is_some());
    }
}
