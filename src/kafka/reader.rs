//! The thread of a source: it takes what is there, hands it over, waits until it is stored, and goes on.
//!
//! One batch is under way at a time. While the inbox has no room nothing more is taken; the client then fetches until
//! its bounded queue is full, and stops: a pause without a protocol.

use std::thread;
use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::topic_partition_list::Offset;
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use tracing::{debug, info, warn};

use super::batch::{Batch, Reading};
use super::dead::Office;
use super::partitions::{self, Next};
use super::{Options, Standing, State};
use crate::broker::{self, Watcher};
use crate::clock::Stopwatch;
use crate::domain::{Mark, Partition};
use crate::inbox::{Parcel, Receipt, Refusal};

/// How long it waits for a message.
const WAIT: Duration = Duration::from_millis(200);
/// How long it waits before it offers again what was refused.
const AGAIN: Duration = Duration::from_millis(20);
/// How often it looks for partitions, and how soon after something was missing.
const LOOK: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(2));
/// Brokers that do not answer for so long are called anew, with the password as it is then.
const SILENCE: Duration = Duration::from_secs(20);
/// How often its progress is shown to Kafka's own tools.
const SHOW: Duration = Duration::from_secs(5);
/// How often it tells how it stands.
const TELL: Duration = Duration::from_millis(500);
/// So many warnings are kept.
const WARNINGS: usize = 10;

type Answer = oneshot::Receiver<Result<Receipt, Refusal>>;

/// Reads until it is told to stop.
pub(super) fn run(options: Options, runtime: &Handle, told: &watch::Sender<Standing>) {
    let mut reader = Reader::new(options, runtime, told);
    while !reader.stops() {
        match reader.connect() {
            Ok(consumer) => reader.read_on(&consumer),
            Err(error) => {
                reader.tell(State::Troubled(vec![error]));
                reader.rest(LOOK.1);
            }
        }
    }
    info!(brokers = reader.options.settings.name, "Kafka: nothing more is read");
}

struct Reader<'a> {
    options: Options,
    runtime: &'a Handle,
    told: &'a watch::Sender<Standing>,
    /// What is told, as it was told last.
    standing: Standing,
    since_told: Stopwatch,
    watcher: Watcher,
    office: Office,
    /// How far the partitions were read: what the store has.
    next: Next,
    /// Which of them are assigned to the client of now.
    assigned: Vec<(usize, i32)>,
    /// Why not everything can be read.
    missing: Vec<String>,
}

impl<'a> Reader<'a> {
    fn new(options: Options, runtime: &'a Handle, told: &'a watch::Sender<Standing>) -> Self {
        let settings = &options.settings;
        let place = |mark: &Mark| {
            let topic = settings.topics.iter().position(|topic| topic.name == mark.partition.topic)?;
            (mark.partition.log == settings.name).then_some(((topic, mark.partition.number), mark.next))
        };
        let next = options.marks.iter().filter_map(place).collect();
        Self {
            standing: Standing::of(settings),
            runtime,
            told,
            since_told: Stopwatch::start(),
            watcher: Watcher::default(),
            office: Office::default(),
            next,
            assigned: Vec::new(),
            missing: Vec::new(),
            options,
        }
    }

    fn stops(&self) -> bool {
        // A vanished sender means the same.
        *self.options.stop.borrow() || self.options.stop.has_changed().is_err()
    }

    /// Waits, unless it is to stop.
    fn rest(&self, time: Duration) {
        let watch = Stopwatch::start();
        while watch.elapsed() < time && !self.stops() {
            thread::sleep(AGAIN);
        }
    }

    fn connect(&mut self) -> Result<BaseConsumer<Watcher>, String> {
        let settings = &self.options.settings;
        self.assigned.clear();
        self.missing.clear();
        self.watcher = self.watcher.of_next_client();
        let config = broker::reading(&settings.connection, &settings.group).map_err(|error| error.to_string())?;
        config.create_with_context(self.watcher.clone()).map_err(|error| error.to_string())
    }

    /// Reads with this client until it is told to stop, or nobody answers any more.
    fn read_on(&mut self, consumer: &BaseConsumer<Watcher>) {
        let (mut looked, mut shown, mut heard) = (None, Stopwatch::start(), Stopwatch::start());
        while !self.stops() && heard.elapsed() < SILENCE {
            let due = if self.missing.is_empty() { LOOK.0 } else { LOOK.1 };
            if self.watcher.is_up() && looked.is_none_or(|watch: Stopwatch| watch.elapsed() >= due) {
                self.look_for_partitions(consumer);
                looked = Some(Stopwatch::start());
            }
            let batch = self.collect(consumer);
            if !batch.is_empty() && !self.hand_over(batch) {
                break;
            }
            if self.watcher.is_up() {
                heard = Stopwatch::start();
            }
            self.observe();
            if shown.elapsed() >= SHOW {
                shown = Stopwatch::start();
                self.show(consumer);
            }
        }
        self.show(consumer);
    }

    /// Assigns the partitions that are not read yet, each from where it begins.
    fn look_for_partitions(&mut self, consumer: &BaseConsumer<Watcher>) {
        self.missing.clear();
        let mut batch = Batch::default();
        let mut list = TopicPartitionList::new();
        for (at, topic) in self.options.settings.topics.clone().iter().enumerate() {
            let found = match partitions::of(consumer, &topic.name) {
                Ok(found) => found,
                Err(why) => {
                    self.missing.push(why);
                    continue;
                }
            };
            let is_new = !self.next.keys().any(|(known, _)| *known == at);
            for partition in found {
                let place = (at, partition);
                if self.assigned.contains(&place) {
                    continue;
                }
                let stored = self.next.get(&place).copied();
                match partitions::start(consumer, (topic, partition), stored, is_new) {
                    Ok(start) => {
                        start.warning.into_iter().for_each(|warning| self.warn(warning));
                        batch.next.insert(place, start.next);
                        // The offset is not negative, and the list takes any other.
                        let _ = list.add_partition_offset(&topic.name, partition, Offset::Offset(start.next));
                    }
                    Err(why) => self.missing.push(why),
                }
            }
        }
        // Where it begins is stored before anything is read: what comes between here and a crash is not passed over.
        let places: Vec<_> = batch.next.keys().copied().collect();
        if places.is_empty() || !self.hand_over(batch) {
            return;
        }
        match consumer.incremental_assign(&list) {
            Ok(()) => {
                info!(brokers = self.options.settings.name, partitions = places.len(), "Kafka: reading");
                self.assigned.extend(places);
            }
            Err(error) => self.missing.push(format!("partitions cannot be assigned: {error}")),
        }
        for (at, topic) in self.standing.topics.iter_mut().enumerate() {
            topic.partitions = self.assigned.iter().filter(|(topic, _)| *topic == at).count();
        }
    }

    /// Takes the messages that are there.
    fn collect(&mut self, consumer: &BaseConsumer<Watcher>) -> Batch {
        let mut batch = Batch::default();
        let mut wait = WAIT;
        while !batch.is_full() {
            let message = match consumer.poll(wait) {
                None => break,
                Some(Ok(message)) => message,
                Some(Err(error)) => {
                    self.note(consumer, &error);
                    break;
                }
            };
            wait = Duration::ZERO;
            let Some(at) = self.place(message.topic()) else { continue };
            let place = (at, message.partition());
            let before = batch.next.get(&place).or_else(|| self.next.get(&place));
            // After an assignment the client may still hold what came before.
            if !self.assigned.contains(&place) || before.is_some_and(|next| message.offset() < *next) {
                continue;
            }
            let reading =
                Reading { read: &self.options.read, now: self.options.clock.now(), longest: self.options.longest };
            batch.take((at, &self.options.settings.topics[at].format), &message, &reading);
        }
        batch
    }

    fn place(&self, topic: &str) -> Option<usize> {
        self.options.settings.topics.iter().position(|known| known.name == topic)
    }

    /// The client cannot read something.
    fn note(&mut self, consumer: &BaseConsumer<Watcher>, error: &KafkaError) {
        debug!(%error, "Kafka: the client reports an error");
        match error.rdkafka_error_code() {
            // A position that does not exist (any more): all begin anew from where the store says.
            Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange) => {
                if let Err(error) = consumer.unassign() {
                    warn!(%error, "Kafka: partitions cannot be let go");
                }
                self.assigned.clear();
                self.look_for_partitions(consumer);
            }
            Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::TopicAuthorizationFailed) => {
                let topics = self.options.settings.topics.clone();
                let gone = topics.iter().filter_map(|topic| partitions::of(consumer, &topic.name).err());
                self.missing = gone.collect();
                self.let_go_of_what_is_gone(consumer);
            }
            _ => {}
        }
    }

    /// Topics that are not there any more are looked for anew, and found again when they are back.
    fn let_go_of_what_is_gone(&mut self, consumer: &BaseConsumer<Watcher>) {
        if self.missing.is_empty() {
            return;
        }
        if let Err(error) = consumer.unassign() {
            warn!(%error, "Kafka: partitions cannot be let go");
        }
        self.assigned.clear();
        self.look_for_partitions(consumer);
    }

    /// Hands a batch over and waits until it is stored. `false` = it was not taken, because Squelch stops.
    fn hand_over(&mut self, batch: Batch) -> bool {
        let Batch { events, bytes, next, counts, dead, .. } = batch;
        if !dead.is_empty()
            && let Err(why) = self.office.send(&self.options.settings, &dead, self.runtime)
        {
            self.warn(why);
        }
        let marks = next.iter().map(|(place, next)| self.mark(*place, *next)).collect();
        let Some(answer) = self.offer(Parcel { events, bytes, marks }) else { return false };
        // That storing failed is told by who stores: the events are judged, and are stored with their marks as soon
        // as anything is. To offer them again would count them twice.
        if answer.blocking_recv().is_err() {
            return false;
        }
        self.next.extend(next);
        for (at, (messages, events)) in counts {
            let topic = &mut self.standing.topics[at];
            topic.messages += messages;
            topic.events += events;
        }
        for dead in dead {
            self.standing.topics[dead.topic].dead += 1;
        }
        true
    }

    fn mark(&self, (topic, number): (usize, i32), next: i64) -> Mark {
        let settings = &self.options.settings;
        let topic = settings.topics[topic].name.clone();
        Mark { partition: Partition { log: settings.name.clone(), topic, number }, next }
    }

    /// Offers until it is taken; `None` = Squelch stops.
    fn offer(&mut self, mut parcel: Parcel) -> Option<Answer> {
        loop {
            match self.options.inbox.offer_parcel(parcel) {
                Ok(answer) => return Some(answer),
                Err((Refusal::Stopping, _)) => return None,
                Err((refusal, refused)) => {
                    if self.stops() {
                        return None;
                    }
                    parcel = refused;
                    self.tell(State::Held(refusal.to_string()));
                    thread::sleep(AGAIN);
                }
            }
        }
    }

    fn warn(&mut self, warning: String) {
        warn!(brokers = self.options.settings.name, "Kafka: {warning}");
        let warnings = &mut self.standing.warnings;
        warnings.retain(|other| *other != warning);
        warnings.push(warning);
        let surplus = warnings.len().saturating_sub(WARNINGS);
        warnings.drain(..surplus);
    }

    /// Works out how it stands, and tells it.
    fn observe(&mut self) {
        let state = match self.watcher.why_down() {
            Some(error) => State::Troubled(vec![format!("no broker can be reached: {error}")]),
            None if !self.missing.is_empty() => State::Troubled(self.missing.clone()),
            None if self.watcher.is_up() && !self.assigned.is_empty() => State::Reading,
            None => State::Connecting,
        };
        self.tell(state);
    }

    fn tell(&mut self, state: State) {
        if state == self.standing.state && self.since_told.elapsed() < TELL {
            return;
        }
        self.since_told = Stopwatch::start();
        if state != self.standing.state {
            self.log(&state);
        }
        self.standing.state = state;
        for at in 0..self.standing.topics.len() {
            self.standing.topics[at].lag = self.lag(at);
        }
        self.told.send_replace(self.standing.clone());
    }

    fn log(&self, state: &State) {
        let brokers = &self.options.settings.name;
        match state {
            State::Troubled(reasons) => warn!(brokers, "Kafka: {}", reasons.join("; ")),
            State::Held(reason) => debug!(brokers, reason, "Kafka: held"),
            State::Connecting | State::Reading => debug!(brokers, "Kafka: {}", state.word()),
        }
    }

    /// How many messages of a topic are not read yet, as far as the brokers said.
    fn lag(&self, at: usize) -> Option<u64> {
        let name = &self.options.settings.topics[at].name;
        let places = self.assigned.iter().filter(|(topic, _)| *topic == at);
        let each = places.map(|place| {
            let end = self.watcher.end(name, place.1)?;
            u64::try_from(end - self.next.get(place)?).ok().or(Some(0))
        });
        each.collect::<Option<Vec<u64>>>().filter(|lags| !lags.is_empty()).map(|lags| lags.iter().sum())
    }

    /// Shows the progress to Kafka's own tools. Nobody goes by it.
    fn show(&self, consumer: &BaseConsumer<Watcher>) {
        let mut list = TopicPartitionList::new();
        for place in &self.assigned {
            if let Some(next) = self.next.get(place) {
                let name = &self.options.settings.topics[place.0].name;
                // The offset is not negative, and the list takes any other.
                let _ = list.add_partition_offset(name, place.1, Offset::Offset(*next));
            }
        }
        if list.count() > 0
            && let Err(error) = consumer.commit(&list, CommitMode::Async)
        {
            debug!(%error, "Kafka: the progress cannot be shown");
        }
    }
}
