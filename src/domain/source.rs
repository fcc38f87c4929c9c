//! A source: how the tool behind it talks.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use super::table::Row;
use super::time::Timestamp;

/// What is learned of the way a source talks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Source {
    /// Its identity.
    pub(crate) fingerprint: Fingerprint,
    /// Its name.
    pub(crate) name: Arc<str>,
    /// Resolves heard.
    pub(crate) resolves: u64,
    /// Repeats of alerts that were firing already, and the usual time between two of them, in seconds.
    pub(crate) repeats: u32,
    /// See above.
    pub(crate) repeats_every: f64,
    /// Alerts of it that were given up: neither resolved nor heard of for many of its repeats.
    pub(crate) given_up: u32,
    /// First and last heard.
    pub(crate) heard: (Timestamp, Timestamp),
    /// The pauses that it makes.
    pub(crate) pauses: Pauses,
    /// Whether it is silent for longer than it ever is, and people were told.
    pub(crate) silent: bool,
}

/// The longest pauses of a source, of this fortnight and of the one before: what is older is forgotten.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Pauses {
    /// In seconds, of this fortnight and of the one before.
    longest: [f32; 2],
    /// When this fortnight began.
    since: Timestamp,
    /// How often it spoke, at most [`Pauses::ENOUGH`].
    heard: u16,
}

impl Pauses {
    /// So often a source must have spoken before its silence means anything.
    const ENOUGH: u16 = 1000;

    /// It spoke after a pause of so many seconds. Whether less silence is allowed than before.
    pub(crate) fn hear(&mut self, pause: f64, now: Timestamp) -> bool {
        const FORTNIGHT: f64 = 14.0 * 86_400.0;
        let next = now.since(self.since) >= FORTNIGHT;
        if next {
            (self.longest, self.since) = ([0.0, self.longest[0]], now);
        }
        self.longest[0] = self.longest[0].max(pause as f32);
        let known = self.heard == Self::ENOUGH;
        self.heard += u16::from(!known);
        next || (!known && self.heard == Self::ENOUGH)
    }

    /// The longest pause of the last two to four weeks, in seconds.
    pub(crate) fn longest(&self) -> f64 {
        f64::from(self.longest[0].max(self.longest[1]))
    }

    /// How long it may be silent, in seconds: three times its longest pause, and a quarter of an hour at least.
    /// `None` = it speaks too seldom, or pauses for hours anyway.
    pub(crate) fn longest_allowed(&self) -> Option<f64> {
        const TIMES: f64 = 3.0;
        const LEAST: f64 = 900.0;
        const SELDOM: f64 = 2.0 * 3600.0;
        let longest = self.longest();
        (self.heard >= Self::ENOUGH && longest <= SELDOM).then(|| (TIMES * longest).max(LEAST))
    }
}

impl Source {
    /// A source that was never heard of.
    pub(crate) fn new(fingerprint: Fingerprint, name: Arc<str>, now: Timestamp) -> Self {
        Self {
            fingerprint,
            name,
            resolves: 0,
            repeats: 0,
            repeats_every: 0.0,
            given_up: 0,
            heard: (now, now),
            pauses: Pauses::default(),
            silent: false,
        }
    }

    /// Whether it speaks in point events: it repeated the same alerts often and never sent a resolve, and either
    /// several of them fell silent, or a day passed. (A storm is over sooner, and a source that resends what fires
    /// does not fall silent while it does.)
    pub(crate) fn never_resolves(&self) -> bool {
        const ENOUGH: u32 = 20;
        const SILENT: u32 = 5;
        const LONG: f64 = 86_400.0;
        let long = || self.heard.1.since(self.heard.0) >= LONG;
        self.resolves == 0 && self.repeats >= ENOUGH && (self.given_up >= SILENT || long())
    }

    /// Learns from a repeat of a firing alert after `gap` seconds (exponential average over about ten).
    pub(crate) fn repeat(&mut self, gap: f64) {
        self.repeats = self.repeats.saturating_add(1);
        let weight = (1.0 / f64::from(self.repeats)).max(0.1);
        self.repeats_every += weight * (gap - self.repeats_every);
    }

    /// How long an alert of this source may keep quiet before it is given up, in seconds: ten of its usual
    /// repeats and at least a quarter of an hour, once twenty repeats taught them; never more than `most`.
    pub(crate) fn patience(&self, most: f64) -> f64 {
        const TAUGHT: u32 = 20;
        const LEAST: f64 = 900.0;
        if self.repeats < TAUGHT { most } else { (10.0 * self.repeats_every).max(LEAST).min(most) }
    }
}

impl Row for Source {
    const KIND: u8 = b'o';

    fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}
