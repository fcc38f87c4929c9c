//! The node as a member of the consumer group, which says whose partition is whose.
//!
//! The member itself reads nothing: it only is in the group. Each partition that it is given gets an owner, who reads
//! by its own client from where the state says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use rdkafka::{Statistics, TopicPartitionList};
use tracing::{error, info, warn};

use super::Options;
use super::owner::{Means, Owner};
use super::rules::Rules;
use super::scribe::Scribe;
use super::topics::Topics;
use crate::broker::{self, Watcher};
use crate::clock::Stopwatch;

/// How long it waits for the group.
const WAIT: Duration = Duration::from_millis(100);
/// A shard that is taken away may finish its turn within this time.
const FAREWELL: Duration = Duration::from_secs(5);
/// How soon it tries again to join.
const AGAIN: Duration = Duration::from_secs(5);

/// What the group says. Clones share the client.
#[derive(Clone)]
pub(super) struct Member(Arc<BaseConsumer<Steward>>);

impl Member {
    pub(super) fn consumer(&self) -> &BaseConsumer<Steward> {
        &self.0
    }

    /// Whether the group has given this partition to this node, as far as is known.
    pub(super) fn holds(&self, partition: i32) -> bool {
        self.0.context().held().contains_key(&partition)
    }
}

/// Who hears what the group says.
pub(super) struct Steward {
    watcher: Watcher,
    topic: String,
    /// The partitions of this node; `None` = its owner is not started yet.
    held: Mutex<BTreeMap<i32, Option<Owner>>>,
}

impl Steward {
    fn held(&self) -> MutexGuard<'_, BTreeMap<i32, Option<Owner>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn numbers(&self, list: &TopicPartitionList) -> Vec<i32> {
        list.elements_for_topic(&self.topic)
            .iter()
            .map(rdkafka::topic_partition_list::TopicPartitionListElem::partition)
            .collect()
    }

    /// Has these owners finish their turns and end.
    fn let_go(&self, partitions: &[i32]) {
        let owners: Vec<Owner> = partitions.iter().filter_map(|number| self.held().remove(number).flatten()).collect();
        owners.iter().for_each(Owner::stop);
        owners.into_iter().for_each(|owner| owner.wait(FAREWELL));
    }
}

impl ClientContext for Steward {
    fn log(&self, level: RDKafkaLogLevel, fac: &str, message: &str) {
        self.watcher.log(level, fac, message);
    }

    fn stats(&self, statistics: Statistics) {
        self.watcher.stats(statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.watcher.error(error, reason);
    }
}

impl ConsumerContext for Steward {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(list) = rebalance {
            let numbers = self.numbers(list);
            info!(partitions = ?numbers, "shards are taken away");
            self.let_go(&numbers);
        }
    }

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(list) = rebalance {
            // The member reads nothing itself.
            if let Err(error) = consumer.pause(list) {
                warn!(%error, "the partitions cannot be paused: they are read twice, and counted once");
            }
            let numbers = self.numbers(list);
            info!(partitions = ?numbers, "shards come here");
            let before: Vec<Owner> =
                numbers.into_iter().filter_map(|number| self.held().insert(number, None).flatten()).collect();
            // Only one of this node may go on trying.
            before.iter().for_each(Owner::stop);
        }
    }
}

/// Is a member of the group until it is told to stop.
pub(super) fn run(options: &Options, own: &Arc<Rules>, scribe: &Scribe) {
    while !options.stops() {
        match join(options) {
            Ok(member) => work(options, &member, own, scribe),
            Err(why) => {
                error!(why, "the group cannot be joined");
                options.board.trouble(vec![format!("the group cannot be joined: {why}")]);
                options.rest(AGAIN);
            }
        }
    }
}

fn join(options: &Options) -> Result<Member, String> {
    let settings = &options.settings;
    let session = settings.session.as_millis();
    let mut config = broker::reading(&settings.connection, &settings.name).map_err(|error| error.to_string())?;
    config
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", session.to_string())
        .set("heartbeat.interval.ms", (session / 5).clamp(500, 3_000).to_string())
        .set("max.poll.interval.ms", session.max(300_000).to_string())
        // Where to begin is the owner's; the member's own place is of no use to anybody.
        .set("auto.offset.reset", "latest");
    let topic = Topics::of(settings).events;
    let steward = Steward { watcher: Watcher::default(), topic: topic.clone(), held: Mutex::default() };
    let consumer: BaseConsumer<Steward> = config.create_with_context(steward).map_err(|error| error.to_string())?;
    consumer.subscribe(&[&topic]).map_err(|error| error.to_string())?;
    Ok(Member(Arc::new(consumer)))
}

fn work(options: &Options, member: &Member, own: &Arc<Rules>, scribe: &Scribe) {
    let means = Arc::new(Means {
        settings: options.settings.clone(),
        member: member.clone(),
        scribe: scribe.clone(),
        own: Arc::clone(own),
        post: Arc::clone(&options.post),
        board: options.board.clone(),
        clock: options.clock.clone(),
        data_dir: options.data_dir.clone(),
        advertised: options.advertised.clone(),
    });
    options.board.trouble(Vec::new());
    while !options.stops() {
        if let Some(Err(error)) = member.0.poll(WAIT) {
            warn!(%error, "the group is in trouble");
        }
        start_owners(member, &means);
    }
    let steward = member.0.context();
    let all: Vec<i32> = steward.held().keys().copied().collect();
    steward.let_go(&all);
    // So that the others need not wait for the session to end.
    member.0.unsubscribe();
    let watch = Stopwatch::start();
    while watch.elapsed() < WAIT {
        drop(member.0.poll(WAIT));
    }
    info!("the group is left");
}

fn start_owners(member: &Member, means: &Arc<Means>) {
    let steward = member.0.context();
    let waiting: Vec<i32> =
        steward.held().iter().filter(|(_, owner)| owner.is_none()).map(|(number, _)| *number).collect();
    for number in waiting {
        match Owner::start(number, Arc::clone(means)) {
            Ok(owner) => drop(steward.held().insert(number, Some(owner))),
            Err(error) => error!(%error, partition = number, "no thread can be started for a shard"),
        }
    }
}
