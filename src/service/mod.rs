//! `squelch serve`: wires inbox, engine, store, couriers and HTTP together, and stops them in order.
//!
//! Deliberately without arguments, signals and output: those are `cli`'s. Whoever starts a [`Service`] stops it.

mod admission;
mod branches;
mod cluster;
mod feeds;
mod fetch;
mod heartbeat;
mod judge;
mod keeper;
mod patience;
mod post;
pub mod proposals;
mod pump;
mod reload;
mod secretary;
mod sources;
mod start;
mod tls;
mod vigil;
mod what_if;

use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinError, JoinHandle};
use tracing::{error, info};

use self::post::Mail;
use crate::config::Settings;
use crate::deliver;
use crate::domain::Fingerprint;
use crate::http::app::Condition;
use crate::http::sns::Fetch;
use crate::inbox::Inbox;
use crate::store::StoreError;

pub use self::cluster::ClusterService;
pub use self::judge::Probe;
pub use self::tls::TlsError;

/// How long the couriers may go on when Squelch stops.
const LAST_DELIVERIES: Duration = Duration::from_secs(10);

/// What a service is started with.
pub struct Options {
    /// The settings, with what the command line laid over them.
    pub settings: Settings,
    /// How couriers work.
    pub couriers: deliver::Options,
    /// Looks at every input before the engine does. Only tests have one.
    pub probe: Option<Probe>,
    /// Asks Amazon for certificates; `None` = by HTTPS. Only tests have another.
    pub fetch: Option<Fetch>,
}

/// Why a service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The rules are wrong: everything that is.
    #[error("{0}")]
    Rules(String),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot listen there.
    #[error("cannot listen on {address}: {cause}; give another --listen HOST:PORT")]
    Listen {
        /// Where.
        address: String,
        /// Why not.
        cause: io::Error,
    },
    /// Anybody on the network could send events and silence alerts.
    #[error(
        "{address} can be reached from other machines, and no token is set: set `auth: {{token_file: FILE}}` or \
         `auth: {{token_env: NAME}}` in the settings, or listen on 127.0.0.1"
    )]
    Open {
        /// Where.
        address: SocketAddr,
    },
    /// The token cannot be had.
    #[error("the token of `auth` cannot be used: {0}")]
    Token(String),
    /// The certificate or key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// What the settings ask for cannot be done in a cluster.
    #[error("{0}")]
    Cluster(String),
    /// Amazon cannot be asked for certificates.
    #[error("the client for Amazon SNS cannot be set up: {0}")]
    Fetch(String),
    /// The thread of the pump cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
}

/// A running Squelch.
pub struct Service {
    address: SocketAddr,
    rules: InForce,
    inbox: Inbox,
    condition: watch::Receiver<Condition>,
    mails: mpsc::Sender<Mail>,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
    reloader: JoinHandle<()>,
    vigil: JoinHandle<()>,
    secretary: JoinHandle<()>,
    analyst: JoinHandle<()>,
    feeds: JoinHandle<()>,
    heart: Option<JoinHandle<()>>,
    office: JoinHandle<()>,
    pump: thread::JoinHandle<()>,
    pump_ended: oneshot::Receiver<()>,
}

/// Which rules are in force at the start.
#[derive(Clone, Debug)]
pub struct InForce {
    /// The files, in order.
    pub files: Vec<String>,
    /// How many rules.
    pub rules: usize,
    /// The names of the receivers.
    pub receivers: Vec<String>,
    /// Names this set of files.
    pub fingerprint: Fingerprint,
    /// Whether nobody is paged.
    pub shadow: bool,
}

impl Service {
    /// Starts it: rules, store, listener, then everything that runs.
    ///
    /// # Errors
    /// See [`StartError`]; nothing runs then.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        start::start(options).await
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Which rules were in force when it started.
    #[must_use]
    pub fn rules(&self) -> &InForce {
        &self.rules
    }

    /// How it is.
    #[must_use]
    pub fn condition(&self) -> Condition {
        self.condition.borrow().clone()
    }

    /// Where events can be offered without HTTP.
    #[must_use]
    pub fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// Ends only when the pump ended by itself, which it never should: then nothing is judged any more.
    pub async fn failed(&mut self) {
        // Both an answer and a vanished sender mean that it ended.
        let _ = (&mut self.pump_ended).await;
    }

    /// Stops in order: takes nothing more, judges and stores what was taken, delivers for a limited time.
    pub async fn stop(self) {
        let Self {
            inbox, mails, stop, server, reloader, vigil, secretary, analyst, feeds, heart, office, pump, ..
        } = self;
        info!("stopping: no new connections, requests under way are finished");
        let _ = stop.send(true);
        ended("the listener", server.await);
        ended("the reloader", reloader.await);
        ended("the vigil over silences", vigil.await);
        ended("the secretary", secretary.await);
        ended("the analyst", analyst.await);
        ended("the watch over Kafka", feeds.await);
        if let Some(heart) = heart {
            ended("the heartbeat", heart.await);
        }
        // A question is answered after everything that was taken before it.
        let emptied = inbox.look(|view| view.engine.outbox().count() + view.alarms.outbox().count()).await;
        info!(outbox = emptied.unwrap_or_default(), "stopping: what was taken is judged and stored; delivering");
        let _ = mails.send(Mail::Stop(LAST_DELIVERIES)).await;
        ended("the couriers", office.await);
        inbox.close();
        let joined = tokio::task::spawn_blocking(move || pump.join()).await;
        match joined {
            Ok(Ok(())) => info!("stopped: everything is stored"),
            Ok(Err(_)) | Err(_) => error!("the pump ended with a panic; what was acknowledged is stored"),
        }
    }
}

fn ended(what: &str, result: Result<(), JoinError>) {
    if let Err(error) = result {
        error!(%error, "{what} ended badly");
    }
}
