//! Which partitions there are, and where to begin with each.
//!
//! A partition begins where the store says. One that the store does not know begins where the settings say when its
//! topic is new, and at its beginning when the topic was read before: it was added since.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;

use crate::broker::Watcher;
use crate::config::{Begin, KafkaTopic};

/// How long a broker is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where to begin with a partition, and what people should know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) next: i64,
    pub(super) warning: Option<String>,
}

/// The partitions of a topic.
///
/// # Errors
/// Why they are not known: the topic does not exist, must not be read, or no broker answers.
pub(super) fn of(consumer: &BaseConsumer<Watcher>, topic: &str) -> Result<Vec<i32>, String> {
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE).map_err(|error| in_words(&error, topic))?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    let Some(found) = found else { return Err(missing(topic)) };
    match found.error() {
        None => Ok(found.partitions().iter().map(rdkafka::metadata::MetadataPartition::id).collect()),
        Some(error) => Err(refused(error, topic)),
    }
}

fn refused(error: RDKafkaRespErr, topic: &str) -> String {
    in_words(&KafkaError::MetadataFetch(error.into()), topic)
}

fn missing(topic: &str) -> String {
    format!("there is no topic `{topic}`: create it, or mend its name in the settings")
}

/// What an error about a topic means.
pub(super) fn in_words(error: &KafkaError, topic: &str) -> String {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::UnknownTopic | RDKafkaErrorCode::UnknownTopicOrPartition) => missing(topic),
        Some(RDKafkaErrorCode::TopicAuthorizationFailed) => {
            format!("the brokers do not let this user read the topic `{topic}`: allow it (ACL: READ, DESCRIBE)")
        }
        _ => format!("the topic `{topic}` cannot be looked up: {error}"),
    }
}

/// Where to begin with a partition of a topic.
///
/// # Errors
/// When nobody says where it begins and ends.
pub(super) fn start(
    consumer: &BaseConsumer<Watcher>,
    (topic, partition): (&KafkaTopic, i32),
    stored: Option<i64>,
    topic_is_new: bool,
) -> Result<Start, String> {
    let (low, high) = consumer
        .fetch_watermarks(&topic.name, partition, PATIENCE)
        .map_err(|error| format!("partition {partition} of the topic `{}` cannot be read: {error}", topic.name))?;
    Ok(settle((topic, partition), (low, high), stored, topic_is_new))
}

fn settle(
    (topic, partition): (&KafkaTopic, i32),
    (low, high): (i64, i64),
    stored: Option<i64>,
    topic_is_new: bool,
) -> Start {
    let name = &topic.name;
    match stored {
        Some(next) if next < low => Start {
            next: low,
            warning: Some(format!(
                "{} messages of partition {partition} of the topic `{name}` were deleted before they were read (offsets {next} to {}): keep them longer (retention.ms), or let Squelch run",
                low - next,
                low - 1
            )),
        },
        Some(next) if next > high => Start {
            next: low,
            warning: Some(format!(
                "partition {partition} of the topic `{name}` ends at {high}, and was read up to {next}: it was made anew, and is read from its beginning",
            )),
        },
        Some(next) => Start { next, warning: None },
        None if topic_is_new && topic.from == Begin::Latest => Start { next: high, warning: None },
        None => Start { next: low, warning: None },
    }
}

/// The partitions that are read, and how far.
pub(super) type Next = BTreeMap<(usize, i32), i64>;

#[cfg(test)]
mod tests {
    use super::*;

    fn begins(from: Begin, stored: Option<i64>, new: bool) -> (i64, bool) {
        let topic = KafkaTopic { name: "alerts".to_owned(), format: "native".to_owned(), from };
        let start = settle((&topic, 3), (10, 20), stored, new);
        (start.next, start.warning.is_some())
    }

    #[test]
    fn what_the_store_says_wins_and_what_is_gone_is_told() {
        for from in [Begin::Earliest, Begin::Latest] {
            for new in [true, false] {
                assert_eq!(begins(from, Some(15), new), (15, false));
                assert_eq!(begins(from, Some(20), new), (20, false));
                assert_eq!(begins(from, Some(9), new), (10, true), "retention was faster");
                assert_eq!(begins(from, Some(21), new), (10, true), "the topic was made anew");
            }
        }
    }

    #[test]
    fn a_new_topic_begins_where_the_settings_say_and_a_new_partition_at_its_beginning() {
        assert_eq!(begins(Begin::Earliest, None, true), (10, false));
        assert_eq!(begins(Begin::Latest, None, true), (20, false));
        assert_eq!(begins(Begin::Latest, None, false), (10, false));
    }
}
