//! The branches of the post office: one for each shard of a node, with the receivers of the shard's own rules.
//!
//! Deliberately apart from each other: a shard that goes elsewhere takes its couriers along at once, and one whose rules
//! are younger changes nothing for the others.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::error;

use super::post::{Mail, Office};
use super::sources::Secrets;
use super::start::{Parts, QUEUE};
use crate::cluster::Posted;
use crate::deliver::{self, Couriers};
use crate::http::drill::Fates;
use crate::http::metrics::Metrics;
use crate::inbox::Inbox;
use crate::sinks::Receiver;

/// What is under way when a shard leaves may be finished within this time; the next owner sends the rest.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long deliveries may go on when the node stops.
const LAST_DELIVERIES: Duration = Duration::from_secs(5);

/// All branches of a node.
pub(super) struct Branches {
    inbox: Inbox,
    metrics: Metrics,
    fates: Fates,
    options: deliver::Options,
    secrets: Secrets,
    open: BTreeMap<i32, Branch>,
    leaving: Vec<JoinHandle<()>>,
}

struct Branch {
    mails: mpsc::Sender<Mail>,
    task: JoinHandle<()>,
}

impl Branches {
    pub(super) fn new(parts: &Parts, options: deliver::Options, secrets: Secrets) -> Self {
        let (inbox, metrics, fates) = (parts.inbox.clone(), parts.metrics.clone(), parts.fates.clone());
        Self { inbox, metrics, fates, options, secrets, open: BTreeMap::new(), leaving: Vec::new() }
    }

    /// Works until nobody is left to tell it anything, and all branches are closed.
    pub(super) async fn run(mut self, mut told: mpsc::Receiver<(i32, Posted)>) {
        while let Some((partition, posted)) = told.recv().await {
            match posted {
                Posted::Receivers(receivers) => self.receivers(partition, receivers).await,
                Posted::Send(notifications) => self.mail(partition, Mail::Send(notifications)).await,
                Posted::Leave => self.close(partition, FAREWELL).await,
            }
        }
        let all: Vec<i32> = self.open.keys().copied().collect();
        for partition in all {
            self.close(partition, LAST_DELIVERIES).await;
        }
        for task in self.leaving {
            if let Err(error) = task.await {
                error!(%error, "a branch of the post office ended badly");
            }
        }
    }

    async fn receivers(&mut self, partition: i32, mut receivers: Vec<Receiver>) {
        self.secrets.give_buttons(&mut receivers);
        if self.open.contains_key(&partition) {
            return self.mail(partition, Mail::Receivers(receivers)).await;
        }
        let (results, delivered) = mpsc::channel(QUEUE);
        let (mails, mailbox) = mpsc::channel(QUEUE);
        let couriers = Couriers::start(receivers, self.options.clone(), results);
        let shared = (self.inbox.clone(), self.metrics.clone(), self.fates.clone());
        let task = tokio::spawn(Office::new(couriers, delivered, shared).run(mailbox));
        self.open.insert(partition, Branch { mails, task });
    }

    async fn mail(&mut self, partition: i32, mail: Mail) {
        if let Some(branch) = self.open.get(&partition)
            && branch.mails.send(mail).await.is_err()
        {
            error!(partition, "a branch of the post office has ended: what is owed stays in the outbox");
        }
    }

    async fn close(&mut self, partition: i32, deadline: Duration) {
        self.leaving.retain(|task| !task.is_finished());
        if let Some(branch) = self.open.remove(&partition) {
            // One that has ended already is waited for all the same.
            let _ = branch.mails.send(Mail::Stop(deadline)).await;
            self.leaving.push(branch.task);
        }
    }
}
