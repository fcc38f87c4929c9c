//! The counter: where questions wait for the owners of the shards of this node, who answer between two turns.
//!
//! Deliberately bounded in number and in time: whoever asks never holds up the judging.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::oneshot;

use super::shard::Shard;
use crate::clock::Stopwatch;

/// So many questions wait for a shard.
const ROOM: usize = 256;
/// Answering takes so long at a time, and one question more.
const AT_A_TIME: Duration = Duration::from_millis(50);
/// An answer that is later than this is missed by nobody.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);
/// Who asked will ask again soon: within this time it is looked more often whether somebody asks …
const LIVELY: Duration = Duration::from_secs(2);
/// … namely so often.
const GLANCE: Duration = Duration::from_millis(10);

/// What a shard answers: JSON, or why it does not.
pub(super) type Answer = Result<Box<RawValue>, String>;

/// A question that waits.
pub(super) struct Put {
    /// What it is called.
    pub(super) name: Arc<str>,
    /// Itself as JSON.
    pub(super) text: Arc<RawValue>,
    /// Answered only once the message at this offset was taken.
    pub(super) after: Option<i64>,
    answer: oneshot::Sender<Answer>,
    since: Stopwatch,
}

impl Put {
    /// A question, and where its answer comes.
    pub(super) fn new(name: Arc<str>, text: Arc<RawValue>, after: Option<i64>) -> (Self, oneshot::Receiver<Answer>) {
        let (answer, told) = oneshot::channel();
        (Self { name, text, after, answer, since: Stopwatch::start() }, told)
    }
}

/// Where questions for the shards of this node are put. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Counter(Arc<Mutex<BTreeMap<i32, SyncSender<Put>>>>);

impl Counter {
    fn windows(&self) -> MutexGuard<'_, BTreeMap<i32, SyncSender<Put>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The owner of a shard answers from now on.
    pub(super) fn open(&self, shard: i32) -> Window {
        let (sender, asked) = sync_channel(ROOM);
        self.windows().insert(shard, sender);
        Window { asked, waiting: Vec::new(), last: None }
    }

    /// Nobody answers for a shard here.
    pub(super) fn close(&self, shard: i32) {
        self.windows().remove(&shard);
    }

    /// The shards of this node that answer.
    pub(super) fn shards(&self) -> Vec<i32> {
        self.windows().keys().copied().collect()
    }

    /// Puts a question to a shard.
    ///
    /// # Errors
    /// Why it is not taken.
    pub(super) fn put(&self, shard: i32, put: Put) -> Result<(), String> {
        let Some(window) = self.windows().get(&shard).cloned() else {
            return Err("it is no longer there".to_owned());
        };
        window.try_send(put).map_err(|_| "too many ask, or it is just going away".to_owned())
    }
}

/// Where the owner of a shard takes questions.
pub(super) struct Window {
    asked: Receiver<Put>,
    waiting: Vec<Put>,
    /// When somebody asked last.
    last: Option<Stopwatch>,
}

impl Window {
    /// Answers what can be answered now. `next` = the offset of the next message.
    pub(super) fn answer(&mut self, shard: &Shard, next: i64) {
        let watch = Stopwatch::start();
        self.waiting.extend(self.asked.try_iter());
        if self.waiting.is_empty() {
            return;
        }
        self.last = Some(Stopwatch::start());
        for put in std::mem::take(&mut self.waiting) {
            // Who waited so long has gone.
            if put.since.elapsed() > PATIENCE || put.answer.is_closed() {
                continue;
            }
            if watch.elapsed() > AT_A_TIME || put.after.is_some_and(|after| next <= after) {
                self.waiting.push(put);
                continue;
            }
            let _ = put.answer.send(shard.answer(&put.name, put.text.get()));
        }
    }

    /// How long the owner may wait for messages before it looks here again.
    pub(super) fn patience(&self, usual: Duration) -> Duration {
        if self.last.as_ref().is_some_and(|last| last.elapsed() < LIVELY) { GLANCE } else { usual }
    }
}
