//! The leaves of the day book: what is written down, a row each.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::decision::{IncidentId, IncidentSummary};
use super::super::fingerprint::Fingerprint;
use super::super::reason::{Outcome, Reason};
use super::super::signal::Severity;
use super::super::table::Row;
use super::super::time::Timestamp;

/// How many sources, and how many silences, an hour counts by name. All others are in its sums alone.
const NAMED: usize = 32;

/// How often something was decided for a reason, by the place of the reason in [`Reason::ALL`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts(Vec<(u8, u32)>);

impl Counts {
    /// Counts one more.
    pub(super) fn add(&mut self, reason: Reason) {
        let at = reason as u8;
        match self.0.iter_mut().find(|(known, _)| *known == at) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => self.0.push((at, 1)),
        }
    }

    /// Adds what another hour had.
    pub(super) fn join(&mut self, other: &Self) {
        for &(at, count) in &other.0 {
            match self.0.iter_mut().find(|(known, _)| *known == at) {
                Some((_, sum)) => *sum = sum.saturating_add(count),
                None => self.0.push((at, count)),
            }
        }
    }

    /// Each reason with its count, in no order that means anything.
    pub fn each(&self) -> impl Iterator<Item = (Reason, u64)> + '_ {
        self.0.iter().filter_map(|&(at, count)| Some((*Reason::ALL.get(usize::from(at))?, u64::from(count))))
    }
}

/// What became of the alerts that were waited out: one for each hold that ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Holds {
    /// It resolved by itself meanwhile: the hold did what it is for.
    pub by_itself: u32,
    /// It was still on, and nothing special.
    pub ordinary: u32,
    /// It became part of an incident that people knew of.
    pub joined: u32,
    /// It paged in the end: so much later than it could have.
    pub paged: u32,
    /// It was held back for another reason (flapping, a silence, a budget).
    pub otherwise: u32,
    /// How long those that paged had waited, all together, in seconds.
    pub late: f64,
    /// The longest of these waits, in seconds.
    pub latest: f64,
}

impl Holds {
    /// Counts a hold that ended so, after so many seconds.
    pub(super) fn end(&mut self, reason: Reason, waited: f64) {
        match reason {
            Reason::Transient => self.by_itself += 1,
            Reason::Ordinary => self.ordinary += 1,
            other => match other.outcome() {
                Outcome::Page => {
                    self.paged += 1;
                    self.late += waited;
                    self.latest = self.latest.max(waited);
                }
                Outcome::Join => self.joined += 1,
                Outcome::Suppress | Outcome::Record => self.otherwise += 1,
            },
        }
    }

    /// Adds what another hour had.
    pub fn add(&mut self, other: &Self) {
        self.by_itself += other.by_itself;
        self.ordinary += other.ordinary;
        self.joined += other.joined;
        self.paged += other.paged;
        self.otherwise += other.otherwise;
        self.late += other.late;
        self.latest = self.latest.max(other.latest);
    }
}

/// The exact sums of one hour (UTC): everything that was decided in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Hour {
    /// Whose book this is.
    pub(super) part: Fingerprint,
    /// The hour since the epoch.
    pub hour: i64,
    /// Events that came in, samples left out. Of a team's part this is not known: what is told there is what was decided.
    pub accepted: u64,
    /// Events that waited for their verdict when it ended.
    pub waiting: u64,
    /// Verdicts by reason.
    pub verdicts: Counts,
    /// Pages that opened an incident, and pages that told of a worse one.
    pub pages: (u32, u32),
    /// Holds that ended.
    pub holds: Holds,
    /// Verdicts by source and outcome, in the order of [`Outcome::ALL`]; the first few sources.
    pub sources: Vec<(Arc<str>, [u32; 4])>,
    /// Events that a silence held back, by silence; the first few.
    pub silences: Vec<(Arc<str>, u32)>,
    /// Series that were never heard of before.
    pub new_series: u32,
}

impl Hour {
    pub(super) fn new(part: Fingerprint, hour: i64) -> Self {
        Self { part, hour, ..Self::default() }
    }

    /// Counts a verdict on an event of this source.
    pub(super) fn count(&mut self, reason: Reason, source: &str) {
        self.verdicts.add(reason);
        let outcome = reason.outcome() as usize;
        match self.sources.iter().position(|(name, _)| **name == *source) {
            Some(at) => {
                let counts = &mut self.sources[at].1;
                counts[outcome] = counts[outcome].saturating_add(1);
            }
            None if self.sources.len() < NAMED => {
                let mut counts = [0; 4];
                counts[outcome] = 1;
                self.sources.push((Arc::from(source), counts));
            }
            None => {}
        }
    }

    /// Counts an event that this silence held back.
    pub(super) fn hide(&mut self, silence: &str) {
        match self.silences.iter().position(|(name, _)| **name == *silence) {
            Some(at) => self.silences[at].1 = self.silences[at].1.saturating_add(1),
            None if self.silences.len() < NAMED => self.silences.push((Arc::from(silence), 1)),
            None => {}
        }
    }

    /// The row's identity.
    pub(super) fn key(part: Fingerprint, hour: i64) -> Fingerprint {
        key(part, [hour, 0])
    }
}

/// How many events of a series ended so, in one hour of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cell {
    /// The hour of the day (UTC).
    pub(super) hour: u8,
    /// The place of the reason in [`Reason::ALL`].
    pub(super) reason: u8,
    /// How many.
    pub(super) count: u32,
}

/// One of the series that spoke most on a day (UTC).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Talker {
    pub(super) part: Fingerprint,
    pub(super) day: i64,
    /// Its seat: who leaves gives it to another.
    pub(super) seat: u16,
    /// What the one who left before it had: it may have been heard so often before it got a seat.
    pub(super) floor: u32,
    pub(super) series: Arc<str>,
    pub(super) fingerprint: Fingerprint,
    /// In the order of the hours.
    pub(super) cells: Vec<Cell>,
}

impl Talker {
    /// Counts one more event that ended so.
    pub(super) fn count(&mut self, hour: u8, reason: Reason) {
        let reason = reason as u8;
        let now = self.cells.iter_mut().rev().take_while(|cell| cell.hour == hour);
        match now.into_iter().find(|cell| cell.reason == reason) {
            Some(cell) => cell.count = cell.count.saturating_add(1),
            None => self.cells.push(Cell { hour, reason, count: 1 }),
        }
    }

    /// What it is ranked by: what it said since it has its seat, and what it may have said before.
    pub(super) fn rank(&self) -> u32 {
        self.cells.iter().fold(self.floor, |sum, cell| sum.saturating_add(cell.count))
    }

    pub(super) fn key(part: Fingerprint, day: i64, seat: u16) -> Fingerprint {
        key(part, [day, i64::from(seat)])
    }
}

/// What nearly paged: a start that was held back although its component was close to the threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Near {
    /// Which series.
    pub series: Arc<str>,
    /// Its identity.
    pub fingerprint: Fingerprint,
    /// When it was decided.
    pub at: Timestamp,
    /// Bits of fresh surprise on its component.
    pub bits: f32,
    /// The bits that would have paged.
    pub threshold: f32,
    /// Why it was held back.
    pub reason: Reason,
}

impl Near {
    /// Less of the threshold is not near.
    pub(crate) const LEAST: f64 = 0.5;

    /// How much of the threshold it reached; 1 is a page.
    #[must_use]
    pub fn share(&self) -> f32 {
        self.bits / self.threshold
    }
}

/// How flapping ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FlapEnd {
    /// It flaps on.
    Not,
    /// It is steady, and all is well.
    Well,
    /// It is steady in a bad state.
    Bad,
}

/// An episode of flapping.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flapped {
    /// Which series.
    pub series: Arc<str>,
    /// Its identity.
    pub fingerprint: Fingerprint,
    /// When it began.
    pub since: Timestamp,
    /// When it was steady again.
    pub until: Option<Timestamp>,
    /// How often it changed.
    pub changes: u32,
    /// How it ended.
    pub end: FlapEnd,
    /// Whether it became a page.
    pub paged: bool,
}

/// What happens seldom on a day (UTC).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Day {
    pub(super) part: Fingerprint,
    pub(super) day: i64,
    /// The nearest misses.
    pub(super) near: Vec<Near>,
    /// Episodes of flapping that began.
    pub(super) flaps: Vec<Flapped>,
    /// How many episodes there was no room for.
    pub(super) more_flaps: u32,
    /// Checks that were heard of for the first time, as `source: check`.
    pub(super) fresh: Vec<(Timestamp, Arc<str>)>,
    /// How many such checks there was no room for.
    pub(super) more_fresh: u32,
}

impl Day {
    pub(super) fn new(part: Fingerprint, day: i64) -> Self {
        Self { part, day, ..Self::default() }
    }

    pub(super) fn key(part: Fingerprint, day: i64) -> Fingerprint {
        key(part, [day, 0])
    }
}

/// An incident as a digest tells it. It outlives the incident, which is forgotten one day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chapter {
    pub(super) part: Fingerprint,
    /// Its number.
    pub incident: IncidentId,
    /// When it opened.
    pub opened: Timestamp,
    /// When it paged, and whether that told of a worse one; at most [`Chapter::PAGES`].
    pub pages: Vec<(Timestamp, bool)>,
    /// When it was over.
    pub resolved: Option<Timestamp>,
    /// When a person took it.
    pub acknowledged: Option<Timestamp>,
    /// Its worst severity.
    pub severity: Severity,
    /// The title of its page.
    pub title: String,
    /// How many events are part of it.
    pub alerts: u64,
    /// The numbers of the first events of its first page; at most [`Chapter::SEQS`].
    pub first: Vec<u64>,
}

impl Chapter {
    /// How many pages of an incident are kept.
    pub const PAGES: usize = 50;
    /// How many events of its first page are kept.
    pub const SEQS: usize = 16;

    pub(super) fn new(part: Fingerprint, summary: &IncidentSummary) -> Self {
        let mut chapter = Self {
            part,
            incident: summary.incident,
            opened: summary.opened,
            pages: Vec::new(),
            resolved: None,
            acknowledged: None,
            severity: summary.severity,
            title: String::new(),
            alerts: 0,
            first: Vec::new(),
        };
        chapter.follow(summary);
        chapter
    }

    /// Takes over what the incident has become.
    pub(super) fn follow(&mut self, summary: &IncidentSummary) {
        // That it got worse since does not undo that somebody took it.
        (self.resolved, self.acknowledged) = (summary.resolved, summary.acknowledged.or(self.acknowledged));
        (self.severity, self.alerts) = (summary.severity, summary.alerts);
        self.title.clone_from(&summary.title);
    }

    pub(super) fn key(part: Fingerprint, incident: IncidentId) -> Fingerprint {
        key(part, [incident.0 as i64, 0])
    }
}

/// Until when a digest has told. It is what keeps one from being sent twice, or never.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Told {
    /// The name of the digest.
    pub(crate) digest: String,
    /// Until when; where it was never sent, since when it is known.
    pub(crate) until: Timestamp,
}

impl Told {
    pub(crate) fn key(digest: &str) -> Fingerprint {
        Fingerprint::of(&["digest", digest])
    }
}

/// The identity of a row of this part's book.
fn key(part: Fingerprint, numbers: [i64; 2]) -> Fingerprint {
    let mut bytes = [0; 24];
    bytes[..8].copy_from_slice(&part.0.to_le_bytes());
    bytes[8..16].copy_from_slice(&numbers[0].to_le_bytes());
    bytes[16..].copy_from_slice(&numbers[1].to_le_bytes());
    Fingerprint(xxhash_rust::xxh3::xxh3_64(&bytes))
}

impl Row for Hour {
    const KIND: u8 = b'u';
    fn fingerprint(&self) -> Fingerprint {
        Self::key(self.part, self.hour)
    }
}

impl Row for Talker {
    const KIND: u8 = b't';
    fn fingerprint(&self) -> Fingerprint {
        Self::key(self.part, self.day, self.seat)
    }
}

impl Row for Day {
    const KIND: u8 = b'd';
    fn fingerprint(&self) -> Fingerprint {
        Self::key(self.part, self.day)
    }
}

impl Row for Chapter {
    const KIND: u8 = b'k';
    fn fingerprint(&self) -> Fingerprint {
        Self::key(self.part, self.incident)
    }
}

impl Row for Told {
    const KIND: u8 = b'm';
    fn fingerprint(&self) -> Fingerprint {
        Self::key(&self.digest)
    }
}
