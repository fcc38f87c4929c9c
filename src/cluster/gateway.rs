//! The node's inbox into the log: events and orders are written, and answered when all replicas have them.
//!
//! Deliberately without an engine: questions go to the desk.

use std::thread;
use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::DeliveryFuture;
use tokio::runtime::Handle;
use tracing::{error, info};

use super::scribe::Scribe;
use super::standing::Board;
use super::word::{To, Word};
use crate::clock::Clock;
use crate::config::Cluster;
use crate::inbox::{Ack, Batch, Message, Order, Outlet, Receipt, Refusal};

/// So many events are handed to the client before it looks up again.
const GROUP: usize = 2_000;
/// It looks up at least this often.
const LOOK_UP: Duration = Duration::from_millis(500);
/// How long it waits for room in the client.
const AGAIN: Duration = Duration::from_millis(5);

/// Events and orders into the log.
pub(super) struct Gateway {
    pub(super) outlet: Outlet,
    pub(super) settings: Cluster,
    pub(super) clock: Clock,
    pub(super) board: Board,
    pub(super) runtime: Handle,
    /// Whether it takes events; orders it always takes.
    pub(super) takes_events: bool,
}

/// Why events are refused by a node that only judges.
const ONLY_JUDGES: &str = "this node of the cluster only judges: send events to one with `--role http`";

impl Gateway {
    /// Answers for as long as the log cannot be written at all; `false` = the inbox is closed.
    pub(super) fn hold(&self, why: &[String]) -> bool {
        self.outlet.refuse(Some(Refusal::Log(why.join("; "))));
        let mut messages = Vec::new();
        let open = self.outlet.drain(GROUP, LOOK_UP, &mut messages);
        let refusal = || Refusal::Log(why.join("; "));
        for message in messages {
            match message {
                Message::Events(batch) => drop(batch.ack.send(Err(refusal()))),
                Message::Order(_, ack) => drop(ack.send(Err(refusal()))),
                Message::Look(_) | Message::Backup(_) | Message::Spill(_) => {}
            }
        }
        open
    }

    /// Writes until the inbox is closed and empty.
    pub(super) fn run(&self, mut scribe: Scribe) {
        self.refuse(None);
        self.board.close(Vec::new());
        let mut messages = Vec::new();
        loop {
            let open = self.outlet.drain(GROUP, LOOK_UP, &mut messages);
            for message in messages.drain(..) {
                match message {
                    Message::Events(batch) => self.events(&scribe, batch),
                    Message::Order(order, ack) => self.order(&scribe, order, ack),
                    // They go to the desk, or are refused before they come here.
                    Message::Look(_) | Message::Backup(_) | Message::Spill(_) => {}
                }
            }
            let down = scribe.why_down().map(|why| format!("no broker can be reached: {why}"));
            self.refuse(down.clone());
            self.board.close(down.into_iter().collect());
            if scribe.is_broken() {
                error!("the client that writes events has failed for good: another one takes its place");
                let homes = self.board.homes.clone();
                scribe = Scribe::new(&self.settings, self.clock.clone()).map_or(scribe, |new| new.knowing(homes));
            }
            if !open {
                break;
            }
        }
        scribe.flush();
        info!("the inbox is empty; everything in it was handed to the log");
    }

    fn refuse(&self, down: Option<String>) {
        let never = (!self.takes_events).then_some(Refusal::Elsewhere(ONLY_JUDGES));
        self.outlet.refuse(never.or(down.map(Refusal::Log)));
    }

    fn events(&self, scribe: &Scribe, batch: Batch) {
        let Batch { events, ack, .. } = batch;
        let count = events.len() as u64;
        let mut answers = Vec::with_capacity(events.len());
        for event in &events {
            match with_room(|| scribe.event(event)) {
                Ok(answer) => answers.push(answer),
                // The others are written; who sends all again repeats them.
                Err(why) => return drop(ack.send(Err(Refusal::Log(why)))),
            }
        }
        self.answer(scribe.clone(), answers, count, ack);
    }

    fn order(&self, scribe: &Scribe, order: Order, ack: Ack) {
        let Some(word) = Word::of(order) else { return drop(ack.send(Err(Refusal::Elsewhere(Refusal::NOT_HERE)))) };
        if word.to() == To::All {
            let (scribe, done) = (scribe.clone(), Receipt { first: 0, count: 0 });
            self.runtime.spawn_blocking(move || ack.send(scribe.to_all(&word).map(|()| done).map_err(Refusal::Log)));
            return;
        }
        match with_room(|| scribe.order(&word)) {
            Ok(answer) => self.answer(scribe.clone(), vec![answer], 0, ack),
            Err(why) => drop(ack.send(Err(Refusal::Log(why)))),
        }
    }

    /// Answers when all replicas have all of it. The receipt has the place of the first in its partition.
    fn answer(&self, scribe: Scribe, answers: Vec<DeliveryFuture>, count: u64, ack: Ack) {
        let board = self.board.clone();
        self.runtime.spawn(async move {
            let (mut first, mut failed) = (None, None);
            for answer in answers {
                match answer.await {
                    Ok(Ok(delivery)) => first = first.or(u64::try_from(delivery.offset).ok()),
                    Ok(Err((error, _))) => failed = Some(why(&scribe, &board, &error)),
                    Err(_) => failed = Some("squelch is stopping".to_owned()),
                }
            }
            let receipt = Receipt { first: first.unwrap_or_default(), count };
            // Who sent it may have gone; it is in the log all the same.
            let _ = ack.send(failed.map_or(Ok(receipt), |why| Err(Refusal::Log(why))));
        });
    }
}

/// Why something was not written: what is known of the topic says more than that it took too long.
fn why(scribe: &Scribe, board: &Board, error: &KafkaError) -> String {
    let late = error.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageTimedOut);
    let known = board.read().topic;
    if late && !known.is_empty() { known.join("; ") } else { scribe.why(error) }
}

/// Tries until the client has room. It bounds itself: a message is in it for ten seconds at most.
fn with_room(mut send: impl FnMut() -> Result<Option<DeliveryFuture>, String>) -> Result<DeliveryFuture, String> {
    loop {
        if let Some(answer) = send()? {
            return Ok(answer);
        }
        thread::sleep(AGAIN);
    }
}
