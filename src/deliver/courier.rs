//! One courier: carries the messages of one receiver, one after the other, and repeats what failed.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Sleep, sleep, timeout};

use super::http::Client;
use super::line::{Line, Pushed};
use super::{Delivery, Options, exec, kafka, retry, smtp};
use crate::clock::Stopwatch;
use crate::domain::Notification;
use crate::sinks::masked::masked;
use crate::sinks::{Known, Letter, Message, Outcome, Receiver, ReceiverKind, Request, Wire, clean, when};

/// What a courier is told.
#[derive(Clone, Debug)]
pub(super) enum Order {
    /// Carry on, with these settings.
    Serve(Arc<Receiver>),
    /// The receiver is gone: try once more what is left, report what fails, and end.
    Retire,
    /// Squelch ends: try what was never tried, leave the rest in the outbox, and end.
    Stop,
}

/// The state of a courier's task.
pub(super) struct Courier {
    pub(super) receiver: Arc<Receiver>,
    pub(super) orders: watch::Receiver<Order>,
    pub(super) queue: mpsc::Receiver<Arc<Notification>>,
    pub(super) results: mpsc::Sender<Delivery>,
    pub(super) options: Options,
    pub(super) line: Line,
    pub(super) client: Client,
    pub(super) kafka: kafka::Client,
}

/// What came of an attempt.
enum Attempt {
    /// It is settled, reported and out of the line.
    Settled,
    /// It stays in the line and is to be tried again after this time.
    Failed(Duration),
}

impl Courier {
    /// Works until it is told to end.
    pub(super) async fn run(mut self) {
        while self.serves() {
            if self.line.is_empty() {
                self.idle().await;
            } else if let Attempt::Failed(wait) = self.attempt(0).await {
                // Runs from here: what is done for others meanwhile must not delay the first.
                let wait = pin!(sleep(wait));
                if self.line.may_be_passed() {
                    self.let_others_pass().await;
                }
                self.rest(wait).await;
            }
        }
        self.end().await;
    }

    /// Takes the latest orders; whether to go on.
    fn serves(&mut self) -> bool {
        let abandoned = self.orders.has_changed().is_err();
        match &*self.orders.borrow_and_update() {
            Order::Serve(receiver) => self.receiver = Arc::clone(receiver),
            Order::Retire | Order::Stop => return false,
        }
        !abandoned
    }

    /// Waits for something to do.
    async fn idle(&mut self) {
        tokio::select! {
            _ = self.orders.changed() => {}
            Some(notification) = self.queue.recv() => { self.take_in(notification).await; }
        }
    }

    /// Tries what waits behind the first, until one fails: then it is the receiver, not the message.
    async fn let_others_pass(&mut self) {
        let mut from = 1;
        while let Some(at) = self.line.next_free(from) {
            if let Attempt::Failed(_) = self.attempt(at).await {
                return;
            }
            from = at;
        }
    }

    /// Waits, and takes in what comes meanwhile. New orders end the wait: they may be what mends it.
    async fn rest(&mut self, mut wait: Pin<&mut Sleep>) {
        loop {
            self.tell_overdue().await;
            let room = self.line.len() < self.options.queue;
            let due = self.line.next_due(self.receiver.deadline);
            tokio::select! {
                () = &mut wait => return,
                _ = self.orders.changed() => return,
                () = sleep(due.unwrap_or_default()), if due.is_some() => {}
                Some(notification) = self.queue.recv(), if room => self.welcome(notification).await,
            }
        }
    }

    /// Reports what has waited longer than the receiver's deadline, each once.
    async fn tell_overdue(&mut self) {
        let error = match self.line.last_error() {
            "" => "it does not answer".to_owned(),
            error => error.to_owned(),
        };
        for key in self.line.overdue(self.receiver.deadline) {
            let waited = when::span(self.receiver.deadline.as_secs_f64());
            let error = format!("not taken within {waited}: {error}");
            tracing::error!(receiver = self.receiver.name, %key, error, "a message is overdue: it is told elsewhere, too");
            self.report(Delivery::Overdue { key, error }).await;
        }
    }

    /// Puts a message into the line, and gives its place. One that was delivered lately is reported again.
    async fn take_in(&mut self, notification: Arc<Notification>) -> Option<usize> {
        let key = notification.key.clone();
        match self.line.push(notification) {
            Pushed::At(place) => Some(place),
            Pushed::Known => None,
            Pushed::Delivered => {
                self.report(Delivery::Delivered { key, attempts: 0, took: Duration::ZERO }).await;
                None
            }
        }
    }

    /// Takes in a message while the first one waits; tries it at once when it may pass.
    async fn welcome(&mut self, notification: Arc<Notification>) {
        if let Some(at) = self.take_in(notification).await
            && self.line.may_be_passed()
            && self.line.next_free(at) == Some(at)
        {
            self.attempt(at).await;
        }
    }

    /// The last round.
    async fn end(&mut self) {
        let retired = matches!(*self.orders.borrow(), Order::Retire);
        self.queue.close();
        while let Ok(notification) = self.queue.try_recv() {
            self.take_in(notification).await;
        }
        let mut at = 0;
        while let Some(job) = self.line.job(at) {
            let untried = job.attempts == 0;
            if !untried && !retired {
                at += 1;
            } else if let Attempt::Failed(_) = self.attempt(at).await {
                if !retired {
                    // It is down; the rest goes out after the next start.
                    return;
                }
                let error = format!("the receiver {} is gone, and the last attempt failed", self.receiver.name);
                self.give_up(at, error).await;
            }
        }
    }

    /// Makes one attempt with the message at this place, and reports what came of it.
    async fn attempt(&mut self, at: usize) -> Attempt {
        if self.line.is_outdated(at) {
            if let Some(job) = self.line.settle(at, true) {
                let key = job.notification.key.clone();
                tracing::info!(receiver = self.receiver.name, %key, "a reminder is left out: what comes after it says more");
                self.report(Delivery::Delivered { key, attempts: job.attempts, took: Duration::ZERO }).await;
            }
            return Attempt::Settled;
        }
        let Some(job) = self.line.job(at) else { return Attempt::Settled };
        job.attempts += 1;
        let watch = *job.watch.get_or_insert_with(Stopwatch::start);
        let (key, attempts) = (job.notification.key.clone(), job.attempts);
        let Some(outcome) = self.carry(at).await else { return Attempt::Settled };
        match outcome {
            Outcome::Delivered => {
                self.line.settle(at, true);
                self.report(Delivery::Delivered { key, attempts, took: watch.elapsed() }).await;
                Attempt::Settled
            }
            Outcome::Rejected { why } => {
                self.give_up(at, clean::line(&why, MOST_ERROR)).await;
                Attempt::Settled
            }
            Outcome::Retry { after, why } => {
                let error = clean::line(&why, MOST_ERROR);
                let wait = retry::wait(attempts, after, &key);
                let tried = watch.elapsed();
                if tried + wait > self.options.give_up {
                    let tried = when::span(tried.as_secs_f64());
                    self.give_up(at, format!("given up after {attempts} attempts in {tried}; the last one: {error}"))
                        .await;
                    return Attempt::Settled;
                }
                self.line.failed(&error);
                tracing::warn!(receiver = self.receiver.name, %key, attempts, again_in = ?wait, error, "a delivery failed");
                // For metrics only: a full channel must not hold up the next attempt.
                let _ = self.results.try_send(Delivery::Failing { key, attempts, error, again_in: wait });
                Attempt::Failed(wait)
            }
        }
    }

    async fn give_up(&mut self, at: usize, error: String) {
        if let Some(job) = self.line.settle(at, false) {
            let key = job.notification.key.clone();
            tracing::error!(receiver = self.receiver.name, %key, attempts = job.attempts, error, "a message is undeliverable");
            self.report(Delivery::Undeliverable { key, attempts: job.attempts, error }).await;
        }
    }

    async fn report(&self, delivery: Delivery) {
        // Nobody listens any more only when the service is gone; the outbox still has the row.
        let _ = self.results.send(delivery).await;
    }
}

/// How much longer than it may take an attempt is waited for that ends by itself.
const SLACK: Duration = Duration::from_secs(5);
/// Errors are cut to so many characters.
const MOST_ERROR: usize = 300;

impl Courier {
    /// One attempt with the message at this place; `None` = there is none.
    async fn carry(&mut self, at: usize) -> Option<Outcome> {
        let receiver = Arc::clone(&self.receiver);
        let kind = &receiver.kind;
        let job = self.line.job(at)?;
        let notification = Arc::clone(&job.notification);
        let known = self.options.references.known(&self.receiver.name, &notification.incident);
        let hidden = (matches!(kind, ReceiverKind::Email(_)) || self.options.mask_chats)
            .then(|| masked(&notification, &self.options.mask));
        let shown = hidden.as_ref().unwrap_or(&notification);
        let letter = Letter::of(shown, known.as_ref()).worded_by(&receiver.templates);
        Some(match kind.compose(&letter, self.options.paint) {
            Message::Console(lines) => self.options.console.write(lines).await,
            Message::Mail(mail) => {
                let ReceiverKind::Email(email) = kind else { return None };
                within(email.timeout, smtp::send(email, &mail, &mut job.recipients)).await
            }
            Message::Exec(start) => {
                let ReceiverKind::Exec(settings) = kind else { return None };
                within(settings.timeout, exec::run(&start)).await
            }
            Message::Kafka(record) => {
                let ReceiverKind::Kafka(settings) = kind else { return None };
                // The client gives up by itself; this is for one that does not.
                within(settings.timeout + SLACK, self.kafka.send(settings, &record)).await
            }
            Message::Http(requests) => {
                let wire = kind.wire().unwrap_or_default();
                self.perform(at, &wire, &letter, &requests).await
            }
        })
    }

    /// Performs the requests that were not performed by an earlier attempt, in order, and keeps the name that the
    /// service gives to the message.
    async fn perform(&mut self, at: usize, wire: &Wire, letter: &Letter<'_>, requests: &[Request]) -> Outcome {
        let mut name = letter.known.map(|known| known.id.clone());
        while let Some(job) = self.line.job(at)
            && let Some(request) = requests.get(job.done)
        {
            let attempt = timeout(wire.timeout, self.client.send(wire, request));
            let (outcome, told) = attempt.await.unwrap_or_else(|_| (no_answer(wire.timeout), None));
            match outcome {
                Outcome::Delivered => name = name.or(told),
                Outcome::Rejected { why } if request.lenient => {
                    let key = &letter.notification.key;
                    tracing::info!(receiver = self.receiver.name, %key, why, "an older message cannot be changed any more");
                }
                other => return other,
            }
            job.done += 1;
        }
        let page = letter.page().cloned().map(Box::new);
        let fresh = letter.known.is_none() || page.is_some();
        if let Some(id) = name.filter(|_| fresh) {
            let known = Known { id, page };
            self.options.references.keep(&self.receiver.name, letter.incident(), known).await;
        }
        Outcome::Delivered
    }
}

fn no_answer(limit: Duration) -> Outcome {
    Outcome::Retry { after: None, why: format!("no answer within {}", when::span(limit.as_secs_f64())) }
}

async fn within(limit: Duration, attempt: impl Future<Output = Outcome>) -> Outcome {
    timeout(limit, attempt).await.unwrap_or_else(|_| no_answer(limit))
}
