//! What every request may use, and what it may cost.
//!
//! Deliberately only handles: the state is the engine's, and one thread owns it.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use super::admission::Admission;
use super::console::LISTENERS;
use super::console::chronicle::Chronicle;
use super::console::paper::Paper;
use super::digest::Ask;
use super::drill::Fates;
use super::feeds::Feed;
use super::known::Known;
use super::metrics::Metrics;
use super::rate::{Limiter, Rate};
use super::samples::Samples;
use super::sns::Topics;
use super::what_if;
use crate::audit::Log;
use crate::clock::Clock;
use crate::domain::mask::{Mask, Personal};
use crate::inbox::Inbox;

/// What a request may cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// The longest body, as sent and unpacked, in bytes.
    pub body: usize,
    /// How long a request may take.
    pub request: Duration,
    /// How much one sender may send; `None` = as much as it likes.
    pub rate: Option<Rate>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 10 << 20, request: Duration::from_secs(30), rate: None }
    }
}

/// How Squelch is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// Why it is not ready to take events; empty = ready.
    pub problems: Vec<String>,
    /// What people should know although it is ready.
    pub warnings: Vec<String>,
}

/// A reload that was asked for: how it went, in words, or everything that is wrong with the rules.
pub type Reload = oneshot::Sender<Result<String, String>>;

/// A token that callers must show. Never shown itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Vec<u8>);

impl Token {
    /// A token.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }

    /// Whether this is it; takes as long for a near miss as for a far one.
    #[must_use]
    pub fn is(&self, shown: &[u8]) -> bool {
        subtle::ConstantTimeEq::ct_eq(self.0.as_slice(), shown).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Who may ask. Changes while it runs: tokens and passwords are read again.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The token that callers must show; `None` = nobody is asked.
    pub token: Option<Token>,
    /// Who else may ask, where anybody is asked.
    pub admission: Admission,
}

/// What every request may use: the [`Handles`], and what is only HTTP's.
#[derive(Debug)]
pub struct App {
    handles: Handles,
    /// What a request may cost.
    pub limits: Limits,
    /// The templates of the console.
    pub paper: Paper,
    /// What is never written down: tokens, keys, passwords.
    pub hide: Mask,
    /// Room for those who listen to what is decided.
    pub listeners: Arc<Semaphore>,
    /// Room for what-ifs.
    pub what_ifs: Arc<Semaphore>,
    /// The buckets of the senders.
    limiter: Option<Mutex<Limiter>>,
    /// Bodies that nobody can read yet.
    samples: Mutex<Samples>,
}

/// What comes from elsewhere. An [`App`] lends it out as its own.
#[derive(Debug)]
pub struct Handles {
    /// Where events, orders and questions go.
    pub inbox: Inbox,
    /// The time of receipt.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Metrics,
    /// Who may ask.
    pub access: watch::Receiver<Arc<Access>>,
    /// How Squelch is.
    pub condition: watch::Receiver<Condition>,
    /// Asks for the rules to be read again.
    pub reload: mpsc::Sender<Reload>,
    /// Who puts digests together.
    pub digests: mpsc::Sender<Ask>,
    /// Who tries changes of the rules.
    pub trials: mpsc::Sender<what_if::Ask>,
    /// Where what becomes of deliveries is told.
    pub fates: Fates,
    /// The tools that are known now.
    pub known: watch::Receiver<Arc<Known>>,
    /// The topics of SNS whose messages count; `None` = nobody asks whether SNS signed them.
    pub topics: Option<Topics>,
    /// What was decided lately, for the console.
    pub chronicle: Arc<Chronicle>,
    /// Logs that events are read out of.
    pub feeds: watch::Receiver<Vec<Feed>>,
    /// Tells that Squelch stops.
    pub stopping: watch::Receiver<bool>,
    /// Where what people do is written.
    pub audit: Arc<Log>,
    /// What is masked in exports.
    pub mask: Arc<Mask>,
}

impl Deref for App {
    type Target = Handles;

    fn deref(&self) -> &Handles {
        &self.handles
    }
}

impl App {
    /// An app from its parts.
    #[must_use]
    pub fn new(handles: Handles, limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            handles,
            limits,
            paper: Paper::default(),
            hide: Mask::new([Personal::Token, Personal::Secret], []).unwrap_or_default(),
            listeners: Arc::new(Semaphore::new(LISTENERS)),
            what_ifs: Arc::new(Semaphore::new(what_if::AT_ONCE)),
            limiter: limits.rate.map(|rate| Mutex::new(Limiter::new(rate))),
            samples: Mutex::default(),
        })
    }

    /// Who may ask now.
    #[must_use]
    pub fn access(&self) -> Arc<Access> {
        Arc::clone(&self.access.borrow())
    }

    /// How Squelch is, with what is wrong with the audit log.
    #[must_use]
    pub fn condition(&self) -> Condition {
        let mut condition = self.condition.borrow().clone();
        condition.warnings.extend(self.audit.trouble());
        condition
    }

    /// The tools that are known now.
    #[must_use]
    pub fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.borrow())
    }

    /// Works with the kept bodies, for a moment.
    pub fn samples<T>(&self, work: impl FnOnce(&mut Samples) -> T) -> T {
        work(&mut self.samples.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Takes `events` from the bucket of this sender.
    ///
    /// # Errors
    /// How long to wait until there is something in it.
    pub fn take(&self, sender: (std::net::IpAddr, &str), events: usize) -> Result<(), Duration> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        let mut limiter = limiter.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        limiter.take(sender, events, self.clock.now())
    }
}
