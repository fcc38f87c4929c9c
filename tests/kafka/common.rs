//! A service that reads from the broker, what is written for it, and what it says.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer};
use squelch::config::{self, Settings, Source};

use crate::broker::{Broker, Door};
use crate::client::get;
use crate::running;

/// Settings in a folder of its own, with this `kafka` section.
pub(crate) fn settings(dir: &Path, kafka: &str) -> Settings {
    let read = config::settings(&Source::new("squelch.yaml", format!("kafka: {kafka}")));
    let kafka = read.unwrap_or_else(|report| panic!("{report}")).kafka;
    Settings { kafka, ..running::settings(dir) }
}

/// A `kafka` section that reads topics in the clear.
pub(crate) fn plain(broker: &Broker, topics: &str) -> String {
    format!("{{brokers: \"{}\", topics: {topics}, dead_letters: dead}}", broker.at(Door::Plain))
}

/// Writes messages: partition and value.
pub(crate) fn write(broker: &Broker, topic: &str, messages: impl IntoIterator<Item = (i32, String)>) {
    write_with(&mut broker.client(), topic, messages);
}

/// The same with other settings of the client.
pub(crate) fn write_with(client: &mut ClientConfig, topic: &str, messages: impl IntoIterator<Item = (i32, String)>) {
    client.set("queue.buffering.max.messages", "1000000").set("message.max.bytes", "62914560");
    client.set("enable.idempotence", "true").set("linger.ms", "5");
    let failures = Failures::default();
    let producer: ThreadedProducer<Failures> = client.create_with_context(failures.clone()).unwrap();
    for (partition, value) in messages {
        let record: BaseRecord<'_, (), str> = BaseRecord::to(topic).partition(partition).payload(&value);
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(Duration::from_secs(60)).unwrap();
    assert_eq!(*failures.0.lock().unwrap(), Vec::<String>::new());
}

/// Messages that the brokers did not take.
#[derive(Clone, Default)]
struct Failures(Arc<Mutex<Vec<String>>>);

impl ClientContext for Failures {}

impl ProducerContext for Failures {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            self.0.lock().unwrap().push(error.to_string());
        }
    }
}

/// An event with a number of its own.
pub(crate) fn event(number: u64) -> String {
    format!(
        "{{\"source\":\"bus\",\"check\":\"c{}\",\"service\":\"s{}\",\"host\":\"h{}\",\"summary\":\"{number}\"}}",
        number % 5,
        number % 7,
        number % 40
    )
}

/// Looks until `done` says so; the test fails when that takes more than a minute.
pub(crate) fn until<T: std::fmt::Debug>(what: &str, mut look: impl FnMut() -> T, done: impl Fn(&T) -> bool) -> T {
    let mut seen = look();
    for _ in 0..1_200 {
        if done(&seen) {
            return seen;
        }
        sleep(Duration::from_millis(50));
        seen = look();
    }
    panic!("{what}: at last {seen:?}");
}

/// What `/metrics` says.
pub(crate) fn metrics(to: SocketAddr) -> BTreeMap<String, f64> {
    let text = get(to, "/metrics").body;
    let pairs = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.rsplit_once(' '));
    pairs.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect()
}

/// How many events were accepted.
pub(crate) fn accepted(to: SocketAddr) -> u64 {
    metrics(to).get("squelch_events_accepted_total").copied().unwrap_or_default() as u64
}

/// Waits until so many events were accepted, and for a moment more: one too many would show.
pub(crate) fn until_accepted(to: SocketAddr, count: u64) {
    until("events accepted", || (accepted(to), warnings(to)), |(accepted, _)| *accepted >= count);
    sleep(Duration::from_millis(300));
    assert_eq!(accepted(to), count);
}

/// The warnings of `/-/ready`.
pub(crate) fn warnings(to: SocketAddr) -> String {
    get(to, "/-/ready").json()["warnings"].to_string()
}

/// Waits until a warning says this.
pub(crate) fn until_warned(to: SocketAddr, text: &str) {
    until(text, || warnings(to), |warnings| warnings.contains(text));
}

/// A message, as it is compared.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) key: String,
    pub(crate) value: Vec<u8>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) partition: i32,
}

/// Reads so many messages of a topic from its beginning.
pub(crate) fn read(broker: &Broker, topic: &str, count: usize) -> Vec<Taken> {
    let mut config = broker.client();
    config.set("group.id", "test").set("auto.offset.reset", "earliest").set("fetch.message.max.bytes", "62914560");
    let consumer: BaseConsumer = config.create().unwrap();
    consumer.subscribe(&[topic]).unwrap();
    let mut taken = Vec::new();
    for _ in 0..600 {
        if taken.len() >= count {
            break;
        }
        if let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) {
            taken.push(take(&message));
        }
    }
    assert_eq!(taken.len(), count, "messages in {topic}");
    taken
}

fn take(message: &BorrowedMessage<'_>) -> Taken {
    let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
    let headers =
        message.headers().map(|headers| headers.iter().map(|one| (one.key.to_owned(), text(one.value))).collect());
    Taken {
        key: text(message.key()),
        value: message.payload().unwrap_or_default().to_vec(),
        headers: headers.unwrap_or_default(),
        partition: message.partition(),
    }
}
