//! How a source stands: what it does, how far behind it is, what it counted.

use crate::config::KafkaSource;

/// What a source does at present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It looks for the brokers.
    Connecting,
    /// It reads, or waits for messages.
    Reading,
    /// It has messages that cannot be taken now, for this reason.
    Held(String),
    /// It cannot read, or not everything, for these reasons.
    Troubled(Vec<String>),
}

impl State {
    /// Its word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Reading => "reading",
            Self::Held(_) => "held",
            Self::Troubled(_) => "troubled",
        }
    }
}

/// How a source stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What its brokers are called.
    pub name: String,
    /// What it does.
    pub state: State,
    /// What people should know although it reads; the latest last.
    pub warnings: Vec<String>,
    /// Its topics.
    pub topics: Vec<TopicStanding>,
}

/// How a topic stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicStanding {
    /// The topic.
    pub topic: String,
    /// What its messages are.
    pub format: String,
    /// How many partitions are read.
    pub partitions: usize,
    /// How many messages are not read yet; `None` = not known.
    pub lag: Option<u64>,
    /// Messages taken since the start.
    pub messages: u64,
    /// Events in them.
    pub events: u64,
    /// Messages that nobody could read, or not wholly.
    pub dead: u64,
}

impl Standing {
    pub(super) fn of(settings: &KafkaSource) -> Self {
        let topic = |topic: &crate::config::KafkaTopic| TopicStanding {
            topic: topic.name.clone(),
            format: topic.format.clone(),
            ..TopicStanding::default()
        };
        Self {
            name: settings.name.clone(),
            state: State::Connecting,
            warnings: Vec::new(),
            topics: settings.topics.iter().map(topic).collect(),
        }
    }
}
