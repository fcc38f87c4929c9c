//! The couriers: they perform the requests that sinks compose, and retry.
//!
//! One task and one bounded queue a receiver, so that no receiver holds up another. Within a receiver messages go out
//! in order (`line`). What is not delivered stays in the outbox, which is the engine's: the couriers hold nothing
//! that is not there, so a crash or a full queue loses nothing. Deliberately without knowledge of wording (`sinks`)
//! and of what is owed (the service offers it).

mod beacon;
mod console;
mod courier;
mod exec;
mod http;
mod kafka;
mod line;
mod references;
pub mod retry;
mod secrets;
mod smtp;

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::domain::mask::Mask;
use crate::domain::{Notification, NotificationKey};
use crate::sinks::{Paint, Receiver};

pub use beacon::Beacon;
pub use console::Console;
use courier::{Courier, Order};
pub use http::calling;
pub use references::References;

/// How couriers work.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many messages may wait for one receiver, 1 or more. When that many wait, the next ones are
    /// [`Offer::Busy`] and are to be offered again later.
    pub queue: usize,
    /// How long a message is tried before it is undeliverable.
    pub give_up: Duration,
    /// Whether the console gets colours.
    pub paint: Paint,
    /// Where the console is.
    pub console: Console,
    /// By what name services know the messages of incidents.
    pub references: References,
    /// What is masked in mails.
    pub mask: Arc<Mask>,
    /// Whether it is masked for all others, too.
    pub mask_chats: bool,
}

impl Default for Options {
    /// 256 messages, 24 hours, standard output without colours.
    fn default() -> Self {
        let day = Duration::from_secs(24 * 3_600);
        let (console, references) = (Console::stdout(), References::default());
        let (mask, mask_chats) = (Arc::default(), false);
        Self { queue: 256, give_up: day, paint: Paint::Plain, console, references, mask, mask_chats }
    }
}

/// What became of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// A courier has it (perhaps already had it). A result will come.
    Taken,
    /// The queue is full: offer it again later.
    Busy,
    /// No receiver has this name.
    UnknownReceiver,
}

/// What a courier reports. No error ever holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The receiver took it.
    Delivered {
        /// Which.
        key: NotificationKey,
        /// Attempts made, the last one included.
        attempts: u32,
        /// From the beginning of the first attempt to the end of the last.
        took: Duration,
    },
    /// An attempt failed; the courier goes on. For metrics and the log: left out when the channel is full.
    Failing {
        /// Which.
        key: NotificationKey,
        /// Attempts made so far.
        attempts: u32,
        /// What happened.
        error: String,
        /// When the next attempt is.
        again_in: Duration,
    },
    /// It was not taken within the receiver's deadline; the courier goes on. Once a message.
    Overdue {
        /// Which.
        key: NotificationKey,
        /// What happened last.
        error: String,
    },
    /// It was given up.
    Undeliverable {
        /// Which.
        key: NotificationKey,
        /// Attempts made.
        attempts: u32,
        /// Why.
        error: String,
    },
}

/// All couriers.
#[derive(Debug)]
pub struct Couriers {
    stands: BTreeMap<String, Stand>,
    /// Of receivers that are gone: they still end what they have.
    leaving: Vec<JoinHandle<()>>,
    options: Options,
    results: mpsc::Sender<Delivery>,
}

/// What is held of one courier.
#[derive(Debug)]
struct Stand {
    receiver: Arc<Receiver>,
    orders: watch::Sender<Order>,
    queue: mpsc::Sender<Arc<Notification>>,
    task: JoinHandle<()>,
}

impl Couriers {
    /// Starts a courier for each receiver. Results come through `results`; whoever holds the other end must keep
    /// reading it, also while [`Couriers::stop`] runs.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn start(receivers: Vec<Receiver>, options: Options, results: mpsc::Sender<Delivery>) -> Self {
        let mut couriers = Self { stands: BTreeMap::new(), leaving: Vec::new(), options, results };
        couriers.replace(receivers);
        couriers
    }

    /// Hands a message to the courier of its receiver. A key that the courier has, or has settled lately, is not
    /// sent again.
    pub fn offer(&mut self, notification: Arc<Notification>) -> Offer {
        use mpsc::error::TrySendError;
        let name = notification.key.receiver.clone();
        let Some(stand) = self.stands.get(&name) else { return Offer::UnknownReceiver };
        match stand.queue.try_send(notification) {
            Ok(()) => Offer::Taken,
            Err(TrySendError::Full(_)) => Offer::Busy,
            Err(TrySendError::Closed(_)) => {
                tracing::error!(receiver = name, "a courier has died; a new one takes its place");
                let stand = self.stand(Arc::clone(&stand.receiver));
                self.stands.insert(name, stand);
                Offer::Busy
            }
        }
    }

    /// New receivers are in force. Couriers of receivers that stay keep what they have and go on with the new
    /// settings at once; those of receivers that are gone try once more what they have.
    pub fn replace(&mut self, receivers: Vec<Receiver>) {
        self.leaving.retain(|task| !task.is_finished());
        let mut before = std::mem::take(&mut self.stands);
        for receiver in receivers {
            let (name, receiver) = (receiver.name.clone(), Arc::new(receiver));
            let stand = match before.remove(&name) {
                Some(stand) => stand.serve(receiver),
                None => self.stand(receiver),
            };
            self.stands.insert(name, stand);
        }
        for stand in before.into_values() {
            stand.orders.send_replace(Order::Retire);
            self.leaving.push(stand.task);
        }
    }

    /// Ends all couriers: attempts under way and first attempts are finished, until `deadline` from now; the rest
    /// stays in the outbox.
    pub async fn stop(self, deadline: Duration) {
        let Self { stands, mut leaving, options: _, results: _ } = self;
        for stand in stands.into_values() {
            stand.orders.send_replace(Order::Stop);
            leaving.push(stand.task);
        }
        let mut over = pin!(tokio::time::sleep(deadline));
        for mut task in leaving {
            tokio::select! {
                biased;
                _ = &mut task => {}
                () = &mut over => {
                    task.abort();
                    let _ = task.await;
                }
            }
        }
    }

    fn stand(&self, receiver: Arc<Receiver>) -> Stand {
        let (orders, told) = watch::channel(Order::Serve(Arc::clone(&receiver)));
        let (queue, offered) = mpsc::channel(self.options.queue.max(1));
        let courier = Courier {
            receiver: Arc::clone(&receiver),
            orders: told,
            queue: offered,
            results: self.results.clone(),
            options: self.options.clone(),
            line: line::Line::default(),
            client: http::Client::default(),
            kafka: kafka::Client::default(),
        };
        Stand { receiver, orders, queue, task: tokio::spawn(courier.run()) }
    }
}

impl Stand {
    fn serve(mut self, receiver: Arc<Receiver>) -> Self {
        if *self.receiver != *receiver {
            self.receiver = receiver;
            self.orders.send_replace(Order::Serve(Arc::clone(&self.receiver)));
        }
        self
    }
}
