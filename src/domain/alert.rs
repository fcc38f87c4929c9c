//! An alert that fires: what pairs a firing with its resolve.
//!
//! Deliberately small and short-lived: what is learned belongs to its series, and it goes when it resolves.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::event::Event;
use super::fingerprint::Fingerprint;
use super::signal::Severity;
use super::table::{Row, Slot, decode_pulse, encode_pulse};
use super::time::Timestamp;

/// Why an alert that fires is kept from the judgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Mute {
    /// A silence with this identity covers it.
    Silenced(String),
    /// The inhibition of this name holds it.
    Inhibited(String),
    /// Its rule says `page: never`.
    Never,
    /// It was judged when it started; this came while it fired. An incident that it is a member of goes on until it
    /// is over.
    Later(Box<Mute>),
}

impl Mute {
    /// The same, for an alert that was judged before.
    pub(crate) fn later(self) -> Self {
        if self.is_later() { self } else { Self::Later(Box::new(self)) }
    }

    /// Whether the alert was judged before this came.
    pub(crate) const fn is_later(&self) -> bool {
        matches!(self, Self::Later(_))
    }
}

/// An alert that fires. What a repeat touches stands first, within one line of the processor's cache.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[repr(C, align(64))]
pub(crate) struct Alert {
    /// The alert key: its sender's identity, else its tool's, else its series'.
    pub(crate) fingerprint: Fingerprint,
    /// Where its series is. Follows from that.
    #[serde(skip)]
    pub(crate) slot: Option<Slot>,
    /// How bad it is.
    pub(crate) severity: Severity,
    /// Firing since, by the sender's clock.
    pub(crate) since: Timestamp,
    /// Last heard of.
    pub(crate) heard: Timestamp,
    /// Given up then, if nothing is heard of it.
    pub(crate) expires: Timestamp,
    /// Whether the sender said so: then it is over, and not given up.
    pub(crate) ends: bool,
    /// When the timer that looks after that goes off: not later.
    #[serde(skip)]
    pub(crate) reminder: Timestamp,
    /// Why it is kept from the judgement.
    pub(crate) mute: Option<Box<Mute>>,
    /// Its series.
    pub(crate) series: Fingerprint,
    /// Its source.
    pub(crate) source: Fingerprint,
    /// The inhibitions that it is a source of, with the fingerprint of the values to agree on.
    pub(crate) inhibits: Vec<(String, Fingerprint)>,
    /// All fields and labels that silences and inhibitions may look at again while it fires; only where the
    /// policy has any.
    pub(crate) event: Option<Box<Event>>,
}

/// What people are told of an alert.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AlertText {
    /// One line.
    pub(crate) summary: Option<Arc<str>>,
    /// Where to look.
    pub(crate) url: Option<Arc<str>>,
    /// What to do.
    pub(crate) runbook_url: Option<Arc<str>>,
}

impl AlertText {
    /// What an event tells people.
    pub(crate) fn of(event: &Event) -> Self {
        let text = |field: &Option<String>| field.as_deref().map(Arc::from);
        Self { summary: text(&event.summary), url: text(&event.url), runbook_url: text(&event.runbook_url) }
    }
}

impl Row for Alert {
    const KIND: u8 = b'a';
    const VERSION: u8 = 3;
    const PULSE: u8 = b'A';

    fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    fn pulse(&self) -> Vec<u8> {
        encode_pulse(&(self.heard, self.expires, self.ends))
    }

    fn take_pulse(&mut self, value: &[u8]) -> Result<(), String> {
        (self.heard, self.expires, self.ends) = decode_pulse(value)?;
        Ok(())
    }
}
