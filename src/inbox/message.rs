//! What waits in the queue, and who waits for what becomes of it.
//!
//! Deliberately values alone: the queue itself is [`super::Inbox`].

use std::fs::File;

use tokio::sync::oneshot;

use super::{Order, Refusal, View};
use crate::domain::{Event, Mark};

/// The numbers that a batch of events was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The number of its first event; the others follow.
    pub first: u64,
    /// How many events it has.
    pub count: u64,
}

/// Tells the one who waits that a batch is durable, or why it is not.
pub type Ack = oneshot::Sender<Result<Receipt, Refusal>>;

/// Events that arrived together and are acknowledged together.
#[derive(Debug)]
pub struct Batch {
    /// The events, each stamped with its time of receipt.
    pub events: Vec<Event>,
    /// How many bytes they came as.
    pub bytes: usize,
    /// How far the logs were read that they came out of; stored with what they lead to.
    pub marks: Vec<Mark>,
    /// Fires when they are durable.
    pub ack: Ack,
}

/// Events out of a log, and how far it was read with them.
#[derive(Debug)]
pub struct Parcel {
    /// The events, each stamped with its time of receipt. There may be none: then only the marks are stored.
    pub events: Vec<Event>,
    /// How many bytes they came as.
    pub bytes: usize,
    /// How far the log was read.
    pub marks: Vec<Mark>,
}

/// Somebody looks: it answers by its own channel, and changes nothing.
pub type Look = Box<dyn FnOnce(&View<'_>) + Send>;

/// Tells the one who waits for a backup where it can be read, from its beginning, or why there is none.
pub type BackupAck = oneshot::Sender<Result<File, Refusal>>;

/// One thing that waits.
pub enum Message {
    /// Events.
    Events(Batch),
    /// A change, and who waits for its answer.
    Order(Order, Ack),
    /// Somebody looks, for a question or for himself.
    Look(Look),
    /// A backup of everything that is stored.
    Backup(BackupAck),
    /// Everything that came is to be in the history; told when it is, or cannot be.
    Spill(oneshot::Sender<()>),
}
