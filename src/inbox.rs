//! The bounded queue between the edge and the engine. When it is full it says so; it never drops.
//!
//! Deliberately without judgement and without HTTP: who offers decides how to tell the sender.

pub mod desk;
mod message;
pub mod missing;
pub mod numbered;
mod order;
pub mod question;
pub mod questions;
mod refusal;
mod view;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::fs::File;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::domain::{Event, Policy};
use desk::{Asked, Desk};
use question::{Question, merged};
use questions::{Shadow, Standing};

pub use message::{Ack, BackupAck, Batch, Look, Message, Parcel, Receipt};
pub use order::Order;
pub use refusal::Refusal;
pub use view::View;

/// What the queue may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Events that wait.
    pub events: usize,
    /// Bytes that these events came as.
    pub bytes: usize,
    /// Orders and questions that wait.
    pub asked: usize,
}

impl Default for Capacity {
    fn default() -> Self {
        Self { events: 10_000, bytes: 64 << 20, asked: 1_000 }
    }
}

/// The sending side. Clones share the queue.
#[derive(Clone)]
pub struct Inbox(Arc<Shared>);

/// The receiving side: one owner.
pub struct Outlet(Arc<Shared>);

struct Shared {
    capacity: Capacity,
    queue: Mutex<Queue>,
    arrived: Condvar,
}

#[derive(Default)]
struct Queue {
    messages: VecDeque<Message>,
    events: usize,
    bytes: usize,
    asked: usize,
    /// Set while events cannot be stored.
    refusing: Option<Refusal>,
    /// Where questions go when the owner of the outlet holds no engine.
    desk: Option<Arc<dyn Desk>>,
    /// Set when nothing more is taken.
    closed: bool,
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Inbox").field(&self.depth()).finish()
    }
}

/// A queue of this capacity.
#[must_use]
pub fn bounded(capacity: Capacity) -> (Inbox, Outlet) {
    let shared = Arc::new(Shared { capacity, queue: Mutex::default(), arrived: Condvar::new() });
    (Inbox(Arc::clone(&shared)), Outlet(shared))
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked(&self, message: Message) -> Result<(), Refusal> {
        let mut queue = self.queue();
        if queue.closed {
            return Err(Refusal::Stopping);
        }
        if queue.asked >= self.capacity.asked {
            return Err(Refusal::Full { waiting: queue.events });
        }
        queue.asked += 1;
        queue.messages.push_back(message);
        self.arrived.notify_one();
        Ok(())
    }
}

impl Inbox {
    /// Offers events that came as `bytes` bytes. The answer comes when they are durable.
    ///
    /// # Errors
    /// When they do not fit, cannot be stored now, or Squelch is stopping. None of them is taken then.
    /// A batch that is larger than the whole queue is taken when the queue is empty, so that it is not refused forever.
    pub fn offer(
        &self,
        events: Vec<Event>,
        bytes: usize,
    ) -> Result<oneshot::Receiver<Result<Receipt, Refusal>>, Refusal> {
        self.offer_parcel(Parcel { events, bytes, marks: Vec::new() }).map_err(|(refusal, _)| refusal)
    }

    /// Offers events out of a log with how far it was read: both are stored in one batch.
    ///
    /// # Errors
    /// As [`Inbox::offer`]; the parcel comes back, to be offered again.
    pub fn offer_parcel(
        &self,
        parcel: Parcel,
    ) -> Result<oneshot::Receiver<Result<Receipt, Refusal>>, (Refusal, Parcel)> {
        let mut queue = self.0.queue();
        if queue.closed {
            return Err((Refusal::Stopping, parcel));
        }
        if let Some(refusal) = &queue.refusing {
            return Err((refusal.clone(), parcel));
        }
        let Parcel { events, bytes, marks } = parcel;
        let fits = queue.events + events.len() <= self.0.capacity.events
            && queue.bytes.saturating_add(bytes) <= self.0.capacity.bytes;
        if !fits && queue.events > 0 {
            return Err((Refusal::Full { waiting: queue.events }, Parcel { events, bytes, marks }));
        }
        queue.events += events.len();
        queue.bytes = queue.bytes.saturating_add(bytes);
        let (ack, answer) = oneshot::channel();
        queue.messages.push_back(Message::Events(Batch { events, bytes, marks, ack }));
        self.0.arrived.notify_one();
        Ok(answer)
    }

    /// Asks for a change. The answer comes when it is durable, and says where it stands in the log, if it is in one.
    ///
    /// # Errors
    /// When too much is asked for already, when it cannot be stored now, or when Squelch is stopping.
    pub async fn order(&self, order: Order) -> Result<Receipt, Refusal> {
        let (ack, answer) = oneshot::channel();
        self.0.asked(Message::Order(order, ack))?;
        answer.await.unwrap_or(Err(Refusal::Stopping))
    }

    /// Asks for a change whose outcome nobody waits for.
    ///
    /// # Errors
    /// When too much is asked for already, or when Squelch is stopping.
    pub fn submit(&self, order: Order) -> Result<(), Refusal> {
        self.0.asked(Message::Order(order, oneshot::channel().0))
    }

    /// Where questions go when the engines are elsewhere.
    #[must_use]
    pub fn desk(&self) -> Option<Arc<dyn Desk>> {
        self.0.queue().desk.clone()
    }

    /// Whether questions are answered.
    ///
    /// # Errors
    /// Why they never are.
    pub fn answers(&self) -> Result<(), Refusal> {
        self.desk().map_or(Ok(()), |desk| desk.is_open())
    }

    /// Whether the engine is in this process.
    ///
    /// # Errors
    /// When it is not.
    pub fn is_alone(&self) -> Result<(), Refusal> {
        self.desk().map_or(Ok(()), |_| Err(Refusal::Elsewhere(Refusal::NOT_HERE)))
    }

    /// Puts a question and waits for its answer: that of the engine here, or of all whom it concerns. Whose answer is
    /// missing is noted ([`missing`]).
    ///
    /// # Errors
    /// When too much is asked for already, when nobody whom it concerns answers, or when Squelch is stopping.
    pub async fn ask<Q: Question>(&self, question: Q) -> Result<Q::Answer, Refusal> {
        self.put(question, (false, None)).await
    }

    /// The same, once an order was followed.
    ///
    /// # Errors
    /// As [`Inbox::ask`].
    pub async fn ask_after<Q: Question>(&self, order: Receipt, question: Q) -> Result<Q::Answer, Refusal> {
        self.put(question, (false, Some(order.first))).await
    }

    /// The same of the engines of this machine alone.
    ///
    /// # Errors
    /// As [`Inbox::ask`]; when there are none here.
    pub async fn ask_here<Q: Question>(&self, question: Q) -> Result<Q::Answer, Refusal> {
        self.put(question, (true, None)).await
    }

    async fn put<Q: Question>(&self, question: Q, (here, after): (bool, Option<u64>)) -> Result<Q::Answer, Refusal> {
        let Some(desk) = self.desk() else { return self.look(move |view| question.answer(view)).await };
        let text = serde_json::value::to_raw_value(&question).map_err(|error| Refusal::Silent(error.to_string()))?;
        let asked = Asked { name: Q::NAME, text: Arc::from(text), whom: question.whom(), here, after };
        let heard = desk.ask(asked).await?;
        let (mut told, mut silent) = (Vec::new(), BTreeMap::new());
        for (shard, answer) in heard {
            let read = answer.and_then(|answer| {
                serde_json::from_str::<Q::Answer>(answer.get())
                    .map_err(|error| format!("its answer cannot be read here, it is of another version: {error}"))
            });
            match read {
                Ok(answer) => told.push(answer),
                Err(why) => drop(silent.insert(shard, why)),
            }
        }
        silent.iter().for_each(|(shard, why)| missing::note(*shard, why));
        merged(&question, told).ok_or_else(|| nobody(&silent))
    }

    /// The rules in force.
    ///
    /// # Errors
    /// When too much is asked for already, when nobody answers, or when Squelch is stopping.
    pub async fn policy(&self) -> Result<Arc<Policy>, Refusal> {
        match self.desk() {
            Some(desk) => desk.policy().await,
            None => self.look(|view| Arc::clone(view.engine.policy())).await,
        }
    }

    /// How shadow mode stands.
    ///
    /// # Errors
    /// As [`Inbox::ask`].
    pub async fn shadow(&self) -> Result<Standing, Refusal> {
        self.ask(Shadow).await
    }

    /// Looks at the engine of this process, and waits for what is seen.
    ///
    /// # Errors
    /// When too much is asked for already, when there is no engine here, or when Squelch is stopping.
    pub async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&View<'_>) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let (sender, answer) = oneshot::channel();
        self.is_alone()?;
        let look: Look = Box::new(move |view| {
            // Whoever asked may be gone; then nobody misses the answer.
            let _ = sender.send(look(view));
        });
        self.0.asked(Message::Look(look))?;
        answer.await.map_err(|_| Refusal::Stopping)
    }

    /// Asks for a backup as a file without a name, to be read once.
    ///
    /// # Errors
    /// When too much is asked for already, when it cannot be written, or when Squelch is stopping.
    pub async fn backup(&self) -> Result<File, Refusal> {
        self.is_alone()?;
        let (ack, answer) = oneshot::channel();
        self.0.asked(Message::Backup(ack))?;
        answer.await.unwrap_or(Err(Refusal::Stopping))
    }

    /// Has everything that came copied into the history, and waits for it.
    ///
    /// # Errors
    /// When too much is asked for already, or when Squelch is stopping.
    pub async fn spill(&self) -> Result<(), Refusal> {
        let (done, answer) = oneshot::channel();
        self.0.asked(Message::Spill(done))?;
        answer.await.map_err(|_| Refusal::Stopping)
    }

    /// Takes nothing more; what waits is still handed out.
    pub fn close(&self) {
        self.0.queue().closed = true;
        self.0.arrived.notify_one();
    }

    /// How many events wait, and how many bytes they came as.
    #[must_use]
    pub fn depth(&self) -> (usize, usize) {
        let queue = self.0.queue();
        (queue.events, queue.bytes)
    }

    /// Why events are refused at present.
    #[must_use]
    pub fn refusing(&self) -> Option<Refusal> {
        self.0.queue().refusing.clone()
    }
}

impl Outlet {
    /// Moves what waits to `into`, in order, up to about `most` events; waits up to `patience` while there is
    /// nothing. `false` = closed and empty: nothing will ever come again.
    pub fn drain(&self, most: usize, patience: Duration, into: &mut Vec<Message>) -> bool {
        let queue = self.0.queue();
        let (mut queue, _) = self
            .0
            .arrived
            .wait_timeout_while(queue, patience, |queue| queue.messages.is_empty() && !queue.closed)
            .unwrap_or_else(PoisonError::into_inner);
        let mut taken = 0;
        while taken < most
            && let Some(message) = queue.messages.pop_front()
        {
            if let Message::Events(batch) = &message {
                taken += batch.events.len();
                queue.events -= batch.events.len();
                queue.bytes -= batch.bytes;
            } else {
                queue.asked -= 1;
            }
            into.push(message);
        }
        !(queue.closed && queue.messages.is_empty() && into.is_empty())
    }

    /// Refuses events from now on for this reason; `None` = takes them again. Orders and questions are always taken.
    pub fn refuse(&self, refusal: Option<Refusal>) {
        self.0.queue().refusing = refusal;
    }

    /// Sends every question to this desk from now on: who owns this outlet holds no engine.
    pub fn send_to(&self, desk: Arc<dyn Desk>) {
        self.0.queue().desk = Some(desk);
    }
}

/// Why there is no answer at all.
fn nobody(silent: &BTreeMap<i32, String>) -> Refusal {
    match silent.values().next() {
        Some(why) => Refusal::Silent(format!("{} (the first: {why})", missing::named(silent))),
        None => Refusal::Elsewhere(Refusal::NOT_HERE),
    }
}

/// When the owner is gone nobody would ever answer.
impl Drop for Outlet {
    fn drop(&mut self) {
        let mut queue = self.0.queue();
        queue.closed = true;
        queue.messages.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Capacity = Capacity { events: 3, bytes: 100, asked: 1 };

    fn events(count: usize) -> Vec<Event> {
        vec![Event::new("test", "disk"); count]
    }

    fn drained(outlet: &Outlet) -> (usize, bool) {
        let mut messages = Vec::new();
        let open = outlet.drain(100, Duration::ZERO, &mut messages);
        (messages.len(), open)
    }

    #[test]
    fn a_full_queue_says_so_and_takes_again_when_it_is_drained() {
        let (inbox, outlet) = bounded(SMALL);
        assert!(inbox.offer(events(2), 10).is_ok());
        assert_eq!(inbox.offer(events(2), 10).unwrap_err(), Refusal::Full { waiting: 2 });
        assert_eq!(inbox.offer(events(1), 91).unwrap_err(), Refusal::Full { waiting: 2 });
        assert_eq!(inbox.depth(), (2, 10));
        assert_eq!(drained(&outlet), (1, true));
        assert!(inbox.offer(events(2), 10).is_ok());
    }

    #[test]
    fn a_batch_larger_than_the_queue_is_taken_when_the_queue_is_empty() {
        let (inbox, outlet) = bounded(SMALL);
        assert!(inbox.offer(events(7), 1_000).is_ok());
        assert!(inbox.offer(events(1), 1).is_err());
        assert_eq!(drained(&outlet), (1, true));
    }

    #[test]
    fn while_events_are_refused_orders_are_taken() {
        let (inbox, outlet) = bounded(SMALL);
        outlet.refuse(Some(Refusal::Storage("no space".to_owned())));
        assert_eq!(inbox.offer(events(1), 1).unwrap_err(), Refusal::Storage("no space".to_owned()));
        assert!(inbox.submit(Order::TroubleOver("storage".to_owned())).is_ok());
        assert!(inbox.submit(Order::TroubleOver("storage".to_owned())).is_err(), "orders are bounded, too");
        outlet.refuse(None);
        assert!(inbox.offer(events(1), 1).is_ok());
    }

    #[test]
    fn after_closing_what_waits_is_still_handed_out() {
        let (inbox, outlet) = bounded(SMALL);
        let mut answer = inbox.offer(events(1), 1).unwrap();
        inbox.close();
        assert_eq!(inbox.offer(events(1), 1).unwrap_err(), Refusal::Stopping);
        assert_eq!(drained(&outlet), (1, true));
        assert_eq!(drained(&outlet), (0, false));
        assert!(answer.try_recv().is_err());
    }

    #[test]
    fn when_the_owner_is_gone_nobody_waits_forever() {
        let (inbox, outlet) = bounded(SMALL);
        let answer = inbox.offer(events(1), 1).unwrap();
        drop(outlet);
        assert!(answer.blocking_recv().is_err());
        assert_eq!(inbox.offer(events(1), 1).unwrap_err(), Refusal::Stopping);
    }
}
