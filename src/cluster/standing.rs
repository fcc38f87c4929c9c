//! How a node of a cluster stands: what is wrong, and each shard that it holds.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::counter::Counter;
use super::homes::Homes;
use super::owners::Owners;
use super::place;
use super::scope::OWN;
use crate::domain::Fingerprint;
use crate::inbox::desk::Heard;

/// How a shard stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShardStanding {
    /// Whether it judges; else it is being rebuilt.
    pub judges: bool,
    /// What is wrong at present.
    pub trouble: Option<String>,
    /// What people should know: records that cannot be read, messages that were left out.
    pub warnings: Vec<String>,
    /// That it is asked for more than it can judge, and by which scope.
    pub outgrown: Option<String>,
    /// How many scopes it has.
    pub scopes: usize,
    /// Messages taken since it came here.
    pub messages: u64,
    /// Events in them.
    pub events: u64,
    /// Messages that said nothing that could be done.
    pub dead: u64,
    /// Messages that are not read yet; `None` = not known.
    pub lag: Option<u64>,
    /// The rules by which it judges.
    pub rules: Option<Fingerprint>,
}

/// How a node stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Why the log does not take events.
    pub closed: Vec<String>,
    /// What is wrong with the topic of events: partitions that nobody leads, or of which there are too few copies.
    pub topic: Vec<String>,
    /// What else is wrong: a group that cannot be joined.
    pub troubles: Vec<String>,
    /// The shards that were asked and did not answer, with why.
    pub silent: BTreeMap<i32, String>,
    /// The shards that it holds, by partition.
    pub shards: BTreeMap<i32, ShardStanding>,
}

/// Where it is told. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Board {
    standing: Arc<Mutex<Standing>>,
    /// Where the shards of this node are asked.
    pub(super) counter: Counter,
    /// Where scopes live that moved.
    pub(super) homes: Homes,
    /// Who owns the others.
    pub(super) owners: Owners,
}

impl Board {
    /// Of a node that has not asked the brokers for anything yet.
    #[must_use]
    pub fn of_one_that_begins() -> Self {
        let board = Self::default();
        board.close(vec!["the brokers are asked for its topics".to_owned()]);
        board
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As it was told last.
    #[must_use]
    pub fn read(&self) -> Standing {
        self.standing().clone()
    }

    /// Whether the node holds the shard that has what is about Squelch itself, among so many.
    #[must_use]
    pub fn holds_own(&self, partitions: u16) -> bool {
        let own = place::partition(OWN, i32::from(partitions));
        self.standing().shards.get(&own).is_some_and(|shard| shard.judges)
    }

    pub(super) fn close(&self, why: Vec<String>) {
        self.standing().closed = why;
    }

    pub(super) fn survey(&self, found: Vec<String>) {
        self.standing().topic = found;
    }

    pub(super) fn trouble(&self, troubles: Vec<String>) {
        self.standing().troubles = troubles;
    }

    pub(super) fn shard(&self, partition: i32, standing: &ShardStanding) {
        self.standing().shards.insert(partition, standing.clone());
    }

    /// Notes who did not answer, and who did.
    pub(super) fn heard(&self, heard: &Heard) {
        let mut standing = self.standing();
        for (shard, answer) in heard {
            match answer {
                Ok(_) => drop(standing.silent.remove(shard)),
                Err(why) => drop(standing.silent.insert(*shard, why.clone())),
            }
        }
    }

    pub(super) fn leave(&self, partition: i32) {
        self.standing().shards.remove(&partition);
    }
}
