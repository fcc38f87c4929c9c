//! Logs that events are read out of, as `/metrics` shows them.
//!
//! Deliberately only what is shown: who reads them tells how they stand.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use super::metrics::{count_of, gauge_of, labelled};

/// A topic that is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Feed {
    /// What its brokers are called.
    pub brokers: String,
    /// The topic.
    pub topic: String,
    /// Whether it is read, and nothing holds it up.
    pub reading: bool,
    /// How many partitions are read.
    pub partitions: u64,
    /// How many messages are not read yet; `None` = not known.
    pub lag: Option<u64>,
    /// Messages taken since the start.
    pub messages: u64,
    /// Events in them.
    pub events: u64,
    /// Messages that nobody could read, or not wholly.
    pub dead: u64,
}

/// What `/metrics` tells of them.
#[derive(Debug)]
pub(super) struct Fed(pub(super) Vec<Feed>);

impl Collector for Fed {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let out = &mut encoder;
        let each = |value: fn(&Feed) -> u64| {
            let labels = |feed: &Feed| [("brokers", feed.brokers.clone()), ("topic", feed.topic.clone())];
            self.0.iter().map(move |feed| (labels(feed), value(feed)))
        };
        let reading = each(|feed| u64::from(feed.reading));
        labelled(
            out,
            ("squelch_kafka_reading", "1 = the topic is read, and nothing holds it up"),
            reading.map(gauge_of),
        )?;
        labelled(
            out,
            ("squelch_kafka_partitions", "Partitions that are read"),
            each(|feed| feed.partitions).map(gauge_of),
        )?;
        let known = |feed: &&Feed| feed.lag.is_some();
        let lags = self.0.iter().filter(known).map(|feed| {
            let labels = [("brokers", feed.brokers.clone()), ("topic", feed.topic.clone())];
            (labels, feed.lag.unwrap_or_default())
        });
        labelled(out, ("squelch_kafka_lag", "Messages that are not read yet"), lags.map(gauge_of))?;
        labelled(out, ("squelch_kafka_messages", "Messages taken"), each(|feed| feed.messages).map(count_of))?;
        labelled(out, ("squelch_kafka_events", "Events in these messages"), each(|feed| feed.events).map(count_of))?;
        let help = "Messages that could not be read, or not wholly";
        labelled(out, ("squelch_kafka_dead_letters", help), each(|feed| feed.dead).map(count_of))
    }
}
