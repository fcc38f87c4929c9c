//! A series: what is learned about one check of one component, and what it does now.
//!
//! Deliberately without any judgement: the stages read and write their own part of it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::alert::AlertText;
use super::decision::Verdict;
use super::fingerprint::Fingerprint;
use super::level::Level;
use super::remembered::{Numbers, Remembered};
use super::signal::{Kind, Severity};
use super::stage::burst::Burst;
use super::stage::detector::Detector;
use super::stage::duration::Episodes;
use super::stage::flap::Flap;
use super::stage::surprise::Starts;
use super::stage::trend::Trend;
use super::stage::value::Excess;
use super::table::{Row, Slot, decode_pulse, encode_pulse};
use super::time::Timestamp;
use super::watch::Watch;

/// What identifies a series to people: the parts of its key, those that live one deployment masked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SeriesName {
    /// `source/kind/service/host/check`.
    pub(crate) full: Arc<str>,
    /// What sort of thing speaks.
    pub(crate) kind: Kind,
    /// The service, as last heard.
    pub(crate) service: Option<Arc<str>>,
    /// The host, as last heard: unmasked, because people look for it.
    pub(crate) host: Option<Arc<str>>,
    /// The check, as last heard.
    pub(crate) check: Arc<str>,
}

impl SeriesName {
    /// The components that it speaks about: its service, and its host where that has another name. What names
    /// neither stands for itself.
    pub(crate) fn components(&self) -> [Option<Fingerprint>; 2] {
        let host = self.host.as_ref().filter(|host| Some(*host) != self.service.as_ref());
        let service = self.service.as_ref().map(|name| Fingerprint::of(&["service", name]));
        let host = host.map(|name| Fingerprint::of(&["host", name]));
        if service.or(host).is_none() {
            [Some(Fingerprint::of(&["check", &self.check])), None]
        } else {
            [service, host]
        }
    }
}

/// Where the rows are that a series has to do with. Follows from its name and its check.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Links {
    /// Its check.
    pub(crate) check: Option<Slot>,
    /// Its components, once all of them were heard of.
    pub(crate) components: Option<[Option<Slot>; 2]>,
    /// Whether these were told by which service it speaks.
    pub(crate) introduced: bool,
}

/// A series. What every event touches stands first and together, within two lines of the processor's cache: with many
/// series the cost of an event is the memory that it touches.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[repr(C, align(64))]
pub(crate) struct Series {
    /// Its identity.
    pub(crate) fingerprint: Fingerprint,
    /// The alert that resolved last, and when by the sender's clock: a firing from before it came too late.
    pub(crate) last_resolved: Option<(Fingerprint, Timestamp)>,
    /// When the timer goes off that was to look after that alert: it serves the next time that it fires, too.
    #[serde(skip)]
    pub(crate) reminder: Timestamp,
    /// First and last heard of.
    pub(crate) heard: (Timestamp, Timestamp),
    /// The numbers of its latest onset.
    pub(crate) evidence: Numbers,
    /// The place of the rule that applied to its latest firing; `None` = the defaults.
    pub(crate) rule: Option<usize>,
    /// How many of its events were suppressed since it last belonged to an incident.
    pub(crate) held: u64,
    /// Whether it ever made an incident page. If not, no incident has it as a member. Follows from the incidents.
    #[serde(skip)]
    pub(crate) paged: bool,
    /// Where its check and its components are.
    #[serde(skip)]
    pub(crate) links: Links,
    /// Its name.
    pub(crate) name: SeriesName,

    /// How bad it is now.
    pub(crate) level: Level,
    /// How many of its alerts fire, by severity. Muted ones do not count.
    pub(crate) firing: [u32; Severity::ALL.len()],
    /// Bits of its latest onset while it is on.
    pub(crate) bits: f64,
    /// Its own slow memory of these bits, and when it was brought up to date.
    pub(crate) slow: (f64, Timestamp),
    /// Since when it is on.
    pub(crate) since: Timestamp,
    /// Events that wait for their verdict.
    pub(crate) waiting: Vec<u64>,
    /// How many of its alerts were judged, fire, and are muted since. Follows from the alerts.
    #[serde(skip)]
    pub(crate) muted: u32,
    /// They wait until then at most.
    pub(crate) hold_until: Timestamp,
    /// Its latest verdicts, oldest first, at most [`Series::VERDICTS`].
    verdicts: Vec<Remembered>,
    /// What people are told of it, from its latest firing; while it is on.
    pub(crate) text: Option<Box<AlertText>>,
    /// When to look again whether it has outlived its kind.
    pub(crate) outlive_at: Option<Timestamp>,

    /// The identity of its check, whose priors it shares.
    pub(crate) check: Fingerprint,
    /// What is learned of its starts.
    pub(crate) starts: Starts,
    /// What is learned of its values.
    pub(crate) excess: Excess,
    /// What is learned of its durations.
    pub(crate) episodes: Episodes,
    /// Its state changes.
    pub(crate) flap: Flap,
    /// The trend of its values, where it has any.
    pub(crate) trend: Option<Box<Trend>>,
    /// Its samples, where it has any.
    pub(crate) detector: Option<Box<Detector>>,
    /// The watch over these, where a rule asks for it.
    pub(crate) watch: Option<Box<Watch>>,
    /// Its point events, where it has any.
    pub(crate) burst: Option<Box<Burst>>,
    /// What routes look at of its alerts, where they look at labels.
    pub(crate) routed: Option<Box<Routed>>,
}

/// What routes look at of the latest alerts of a series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Routed {
    /// The names that routes looked at then ([`super::route::Looks::fingerprint`]).
    pub(crate) names: Fingerprint,
    /// What they saw, without what was absent; different ones only, at most [`Routed::MOST`].
    pub(crate) seen: Vec<Seen>,
}

impl Routed {
    /// Of more alerts of one series that differ in what routes look at, the latest count.
    pub(crate) const MOST: usize = 8;
}

/// What routes look at of one alert: names and values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// Fields and labels, as Squelch reads them.
    pub(crate) fields: Vec<(String, String)>,
    /// Labels, as they were sent.
    pub(crate) labels: Vec<(String, String)>,
}

impl Seen {
    /// The value of a field or label; empty without it.
    pub(crate) fn field(&self, name: &str) -> &str {
        value(&self.fields, name)
    }

    /// The value of a label as it was sent; empty without it.
    pub(crate) fn label(&self, name: &str) -> &str {
        value(&self.labels, name)
    }
}

fn value<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    pairs.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

impl Series {
    /// How many verdicts a series remembers.
    pub(crate) const VERDICTS: usize = 2;
    /// How many events of one series may wait for their verdict.
    pub(crate) const WAITING: usize = 8;

    /// A series that was never heard of before `now`.
    pub(crate) fn new(fingerprint: Fingerprint, name: SeriesName, check: Fingerprint, now: Timestamp) -> Self {
        Self {
            fingerprint,
            check,
            links: Links::default(),
            paged: false,
            reminder: Timestamp::EPOCH,
            name,
            rule: None,
            heard: (now, now),
            starts: Starts::default(),
            excess: Excess::default(),
            episodes: Episodes::default(),
            trend: None,
            detector: None,
            watch: None,
            burst: None,
            routed: None,
            flap: Flap::default(),
            level: Level::Off,
            firing: [0; Severity::ALL.len()],
            text: None,
            since: now,
            bits: 0.0,
            slow: (0.0, now),
            evidence: Numbers::default(),
            waiting: Vec::new(),
            muted: 0,
            hold_until: now,
            outlive_at: None,
            last_resolved: None,
            held: 0,
            verdicts: Vec::new(),
        }
    }

    /// Bits of its onset beyond its own slow memory of them: what is fresh about it.
    pub(crate) fn fresh(&self) -> f64 {
        (self.bits - self.slow.0).max(0.0)
    }

    /// The worst severity of what fires now: its alerts, and its burst.
    pub(crate) fn severity(&self) -> Option<Severity> {
        let of_alerts = Severity::ALL.iter().rev().copied().find(|&severity| self.firing[severity as usize] > 0);
        of_alerts.max(self.burst.as_ref().and_then(|burst| burst.on))
    }

    /// The level that this makes.
    pub(crate) fn target(&self) -> Level {
        self.severity().map_or(Level::Off, Level::of)
    }

    /// Whether something is wrong with it: it is on, though it may be muted by now, or it flaps.
    pub(crate) fn troubled(&self) -> bool {
        self.level > Level::Off || self.muted > 0 || self.flap.episode.is_some()
    }

    /// Remembers a verdict.
    pub(crate) fn remember(&mut self, verdict: &Verdict) {
        if self.verdicts.len() == Self::VERDICTS {
            self.verdicts.remove(0);
        }
        self.verdicts.reserve_exact(1);
        self.verdicts.push(verdict.into());
    }

    /// Its latest verdicts, oldest first.
    pub(crate) fn verdicts(&self) -> Vec<Verdict> {
        self.verdicts.iter().map(|verdict| verdict.verdict(&self.name.full, self.fingerprint)).collect()
    }
}

impl Row for Series {
    const KIND: u8 = b's';
    const VERSION: u8 = 9;
    const PULSE: u8 = b'S';

    fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    fn pulse(&self) -> Vec<u8> {
        encode_pulse(&(self.heard.1, self.held))
    }

    fn take_pulse(&mut self, value: &[u8]) -> Result<(), String> {
        (self.heard.1, self.held) = decode_pulse(value)?;
        Ok(())
    }
}
