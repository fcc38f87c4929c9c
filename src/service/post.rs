//! The post office: hands notifications to the couriers and their results back to the pump.
//!
//! Deliberately holds nothing that is not in the outbox: what is lost here with a crash is offered again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{error, info, warn};

use crate::deliver::{Couriers, Delivery, Offer};
use crate::domain::{Notification, NotificationKey};
use crate::http::drill::{Fate, Fates};
use crate::http::metrics::{DeliveryLabels, Metrics};
use crate::inbox::{Inbox, Order, Refusal};
use crate::sinks::Receiver;

/// What could not be handed on is tried again this often.
const TRY_AGAIN: Duration = Duration::from_millis(200);

/// What the post office is told.
pub(super) enum Mail {
    /// Send these, in order.
    Send(Vec<Arc<Notification>>),
    /// These receivers are in force.
    Receivers(Vec<Receiver>),
    /// End within this time.
    Stop(Duration),
}

/// The post office.
pub(super) struct Office {
    couriers: Couriers,
    results: mpsc::Receiver<Delivery>,
    desk: Desk,
    /// What a courier had no room for, oldest first; never more than the outbox.
    waiting: VecDeque<Arc<Notification>>,
}

/// What the pump is to know of a notification.
#[derive(Clone)]
enum News {
    Delivered(NotificationKey),
    Overdue(NotificationKey, String),
    GivenUp(NotificationKey, String),
}

impl News {
    fn order(self) -> Order {
        match self {
            Self::Delivered(key) => Order::Delivered(key),
            Self::Overdue(key, error) => Order::Overdue(key, error),
            Self::GivenUp(key, error) => Order::Undeliverable(key, error),
        }
    }
}

/// Where results are passed on to the pump.
struct Desk {
    inbox: Inbox,
    metrics: Metrics,
    fates: Fates,
    /// Results that the inbox had no room for; never more than the outbox.
    unreported: VecDeque<News>,
}

impl Office {
    pub(super) fn new(
        couriers: Couriers,
        results: mpsc::Receiver<Delivery>,
        (inbox, metrics, fates): (Inbox, Metrics, Fates),
    ) -> Self {
        let desk = Desk { inbox, metrics, fates, unreported: VecDeque::new() };
        Self { couriers, results, desk, waiting: VecDeque::new() }
    }

    /// Works until it is told to stop, or until nobody is left to tell it.
    pub(super) async fn run(mut self, mut mails: mpsc::Receiver<Mail>) {
        let mut again = interval(TRY_AGAIN);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let deadline = loop {
            let idle = self.waiting.is_empty() && self.desk.unreported.is_empty();
            tokio::select! {
                Some(delivery) = self.results.recv() => self.desk.settle(delivery),
                mail = mails.recv() => match mail {
                    Some(Mail::Send(notifications)) => {
                        self.waiting.extend(notifications);
                        self.offer();
                    }
                    Some(Mail::Receivers(receivers)) => self.couriers.replace(receivers),
                    Some(Mail::Stop(deadline)) => break deadline,
                    None => break Duration::ZERO,
                },
                _ = again.tick(), if !idle => {
                    self.offer();
                    self.desk.report();
                }
            }
        };
        self.stop(deadline).await;
    }

    /// Offers what waits. Messages of one receiver stay in order: after one that is busy, its others wait, too.
    fn offer(&mut self) {
        let mut busy: Vec<String> = Vec::new();
        for notification in std::mem::take(&mut self.waiting) {
            let key = notification.key.clone();
            if busy.contains(&key.receiver) {
                self.waiting.push_back(notification);
                continue;
            }
            match self.couriers.offer(Arc::clone(&notification)) {
                Offer::Taken => {}
                Offer::Busy => {
                    busy.push(key.receiver);
                    self.waiting.push_back(notification);
                }
                Offer::UnknownReceiver => self.desk.give_up(key, "no receiver has this name any more".to_owned()),
            }
        }
    }

    /// Lets the couriers end, and passes on what they report meanwhile: their end closes the results.
    async fn stop(self, deadline: Duration) {
        let Self { couriers, mut results, mut desk, waiting } = self;
        if !waiting.is_empty() {
            info!(count = waiting.len(), "notifications stay in the outbox for the next start");
        }
        let passing_on = async {
            while let Some(delivery) = results.recv().await {
                desk.settle(delivery);
            }
        };
        tokio::join!(couriers.stop(deadline), passing_on);
        desk.report();
    }
}

impl Desk {
    fn settle(&mut self, delivery: Delivery) {
        self.tell(&delivery);
        match delivery {
            Delivery::Delivered { key, attempts, took } => {
                info!(%key, attempts, ?took, "delivered");
                self.count(&key, "delivered");
                self.unreported.push_back(News::Delivered(key));
                self.report();
            }
            Delivery::Failing { key, attempts, error, again_in } => {
                warn!(%key, attempts, error, ?again_in, "not delivered yet");
                self.count(&key, "failing");
            }
            Delivery::Overdue { key, error } => {
                self.count(&key, "overdue");
                self.unreported.push_back(News::Overdue(key, error));
                self.report();
            }
            Delivery::Undeliverable { key, attempts: _, error } => self.give_up(key, error),
        }
    }

    /// For those who watch; mostly nobody does.
    fn tell(&self, delivery: &Delivery) {
        let last = !matches!(delivery, Delivery::Failing { .. });
        let (key, attempts, took, error) = match delivery {
            Delivery::Delivered { key, attempts, took } => (key, *attempts, *took, None),
            Delivery::Failing { key, attempts, error, .. } | Delivery::Undeliverable { key, attempts, error } => {
                (key, *attempts, Duration::ZERO, Some(error.clone()))
            }
            Delivery::Overdue { .. } => return,
        };
        let _ = self.fates.send(Fate { key: key.clone(), attempts, took, error, last });
    }

    fn give_up(&mut self, key: NotificationKey, error: String) {
        error!(%key, error, "a notification was given up: nobody was told");
        self.count(&key, "given_up");
        self.unreported.push_back(News::GivenUp(key, error));
        self.report();
    }

    fn count(&self, key: &NotificationKey, result: &'static str) {
        self.metrics.deliveries.get_or_create(&DeliveryLabels { receiver: key.receiver.clone(), result }).inc();
    }

    /// Passes results on until the inbox is full.
    fn report(&mut self) {
        while let Some(news) = self.unreported.front() {
            let order = news.clone().order();
            if matches!(self.inbox.submit(order), Err(Refusal::Full { .. })) {
                return;
            }
            self.unreported.pop_front();
        }
    }
}
