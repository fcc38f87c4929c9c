//! The watch over the topic of events: which partitions nobody can use, and which have too few copies to be written.
//!
//! Every node looks for itself, also one that only takes events. Deliberately without a cure: brokers settle that.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::metadata::MetadataPartition;
use rdkafka::types::RDKafkaRespErr;
use tokio::runtime::Handle;

use super::Options;
use super::topics::Topics;
use crate::broker::{self, Watcher};

/// How often it looks.
const LOOK: Duration = Duration::from_secs(2);
/// How long the brokers are waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks until the node stops.
pub(super) fn run(options: &Options, runtime: &Handle) {
    let Some((asker, watcher)) = asker(options) else { return };
    let topic = Topics::of(&options.settings).events;
    let mut needed = None;
    while !options.stops() {
        // What it hears it tells when it is asked for messages, of which there are none.
        drop(asker.poll(Duration::ZERO));
        if needed.is_none() {
            needed = runtime.block_on(copies(options, &topic));
        }
        options.board.survey(match asker.fetch_metadata(Some(&topic), PATIENCE) {
            Ok(seen) => {
                let found = seen.topics().iter().find(|found| found.name() == topic);
                let partitions = found.map_or(&[][..], rdkafka::metadata::MetadataTopic::partitions);
                told(&topic, partitions, (options.settings.partitions, needed.unwrap_or(1)))
            }
            Err(error) => {
                vec![format!("no broker can be reached: {}", watcher.why_down().unwrap_or_else(|| error.to_string()))]
            }
        });
        options.rest(LOOK);
    }
}

fn asker(options: &Options) -> Option<(BaseConsumer<Watcher>, Watcher)> {
    let watcher = Watcher::default();
    let config = broker::reading(&options.settings.connection, &options.settings.name).ok()?;
    config.create_with_context(watcher.clone()).ok().map(|asker| (asker, watcher))
}

/// How many copies a write needs; `None` = nobody says so now.
async fn copies(options: &Options, topic: &str) -> Option<usize> {
    let admin: AdminClient<Watcher> =
        broker::calling(&options.settings.connection).ok()?.create_with_context(Watcher::default()).ok()?;
    let asked = AdminOptions::new().request_timeout(Some(PATIENCE));
    let answers = admin.describe_configs([&ResourceSpecifier::Topic(topic)], &asked).await.ok()?;
    let config = answers.into_iter().next()?.ok()?;
    config.get("min.insync.replicas")?.value.as_ref()?.parse().ok()
}

/// What is wrong with the partitions, in words. `needed` = so many copies make a write.
fn told(topic: &str, partitions: &[MetadataPartition], (expected, needed): (u16, usize)) -> Vec<String> {
    let gone = gone(partitions, expected);
    let mut told = Vec::new();
    if !gone.is_empty() {
        told.push(format!(
            "{} of {expected} partitions of the topic `{topic}` cannot be used: {}; events of their scopes wait or are refused",
            gone.len(),
            gone.join(", ")
        ));
    }
    if partitions.len() > usize::from(expected) {
        told.push(format!(
            "somebody has added partitions to the topic `{topic}`: it has {}, and this cluster {expected}; other producers write into those that nobody judges. Stop the nodes, and move everything with `squelch cluster move`",
            partitions.len()
        ));
    }
    let led = partitions.iter().filter(|found| found.leader() >= 0);
    let scarce: Vec<String> =
        led.filter(|found| found.isr().len() < needed).map(|found| found.id().to_string()).collect();
    if !scarce.is_empty() {
        told.push(format!(
            "too few brokers have the partitions {} of the topic `{topic}` (min.insync.replicas={needed}): events of their scopes are refused; start the brokers that are missing",
            scarce.join(", ")
        ));
    }
    told
}

/// Which partitions of a topic nobody can use now: their numbers and why.
fn gone(partitions: &[MetadataPartition], expected: u16) -> Vec<String> {
    let mut gone: Vec<String> = Vec::new();
    for number in 0..i32::from(expected) {
        match partitions.iter().find(|partition| partition.id() == number) {
            None => gone.push(format!("{number} (it is not there)")),
            Some(found) if found.leader() < 0 => gone.push(format!("{number} (no broker has it)")),
            Some(found) if found.error().is_some_and(|error| error != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR) => {
                gone.push(format!("{number} (it is in trouble)"));
            }
            Some(_) => {}
        }
    }
    gone
}
