//! Topics of Apache Kafka that are read: a thread for each set of brokers.
//!
//! Every partition is assigned here, by this Squelch alone, and begins where the store says: the store has how far a
//! partition was read in the same batch as what its events led to. The consumer group only shows the progress to
//! Kafka's own tools. Deliberately without judgement, and without knowledge of any tool's form: whoever starts it
//! hands over what reads a message.

mod batch;
mod dead;
mod partitions;
mod reader;
mod standing;

use std::io;
use std::thread;

use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::config::KafkaSource;
use crate::domain::Mark;
use crate::formats::{Body, FormatError, Parsed};
use crate::inbox::Inbox;

pub use standing::{Standing, State, TopicStanding};

/// Reads a message as the body of a tool. Its events come ready for the inbox.
pub type Read = Box<dyn Fn(&str, &Body<'_>) -> Result<Parsed, FormatError> + Send>;

/// What a source needs.
pub struct Options {
    /// The brokers and their topics.
    pub settings: KafkaSource,
    /// Where events go.
    pub inbox: Inbox,
    /// The time of receipt.
    pub clock: Clock,
    /// What reads a message.
    pub read: Read,
    /// How far the partitions were read, as the store has it.
    pub marks: Vec<Mark>,
    /// The longest message that is read, in bytes.
    pub longest: usize,
    /// Turns true when Squelch stops.
    pub stop: watch::Receiver<bool>,
}

/// A thread that reads the topics of one set of brokers.
#[derive(Debug)]
pub struct Source {
    thread: thread::JoinHandle<()>,
    standing: watch::Receiver<Standing>,
}

impl Source {
    /// Starts to read.
    ///
    /// # Errors
    /// When the thread cannot be started.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(options: Options) -> io::Result<Self> {
        let (told, standing) = watch::channel(Standing::of(&options.settings));
        let runtime = Handle::current();
        let name = format!("kafka-{}", options.settings.name);
        let thread = thread::Builder::new().name(name).spawn(move || reader::run(options, &runtime, &told))?;
        Ok(Self { thread, standing })
    }

    /// How it stands.
    #[must_use]
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }

    /// Waits until it has ended, which it does soon after `stop` turned true: what was taken is stored, what was not
    /// is read again after the next start. `false` = it ended with a panic.
    #[must_use]
    pub fn join(self) -> bool {
        self.thread.join().is_ok()
    }
}
