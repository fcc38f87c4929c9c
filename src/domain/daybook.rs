//! The day book: what was decided, summed up for digests. Nothing is ever decided by it.
//!
//! The sums of each hour are exact. Beside them stand the series that spoke most on each day, at most a few hundred
//! (Metwally, Agrawal, El Abbadi: Efficient Computation of Frequent and Top-k Elements in Data Streams, 2005): what such a
//! series is said to have done, it has done; what others did is the difference to the sums of the hours. So numbers always
//! add up to the events, whatever was left out. A part of the book is what one team's digest tells: it has sums of its own
//! from when it was asked for.
//!
//! Deliberately without a word for people (`digest`), and without a second judgement: it is told of decisions, one at a
//! time, and keeps them for [`KEPT`] days.

mod extract;
mod leaves;
mod report;

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::decision::{IncidentSummary, Page, PageAction, Verdict};
use super::fingerprint::Fingerprint;
use super::reason::{Outcome, Reason};
use super::table::{Row, Slot, Table};
use super::time::Timestamp;
use super::turn::Change;

pub use extract::{Extract, Talk};
pub(crate) use leaves::Told;
pub use leaves::{Chapter, Counts, FlapEnd, Flapped, Holds, Hour, Near};
pub(crate) use report::earlier;
pub use report::{Before, Report};

/// How many series a day names.
const SEATS: usize = 256;
/// How many days are kept.
pub const KEPT: i64 = 35;
/// How many near misses a day keeps.
const NEAR: usize = 8;
/// How many episodes of flapping, and how many new checks, a day keeps.
const SELDOM: usize = 64;
/// How many incidents of a part are kept.
const CHAPTERS: usize = 4_000;
const HOURS: i64 = 24;

/// One in how many repeats of an alert asks for a seat, where its series has none. Repeats are most of all events, and a
/// seat costs far more than a count; who is loud soon asks again.
const KNOCK: u32 = 16;

/// Whether this repeat asks for a seat: told by the event alone, so that a run that is taken up again does the same.
fn knocks(verdict: &Verdict) -> bool {
    // The high bits of a product with 2^64 / golden ratio (Knuth, The Art of Computer Programming 3, 6.4).
    let mixed = (verdict.fingerprint.0 ^ verdict.seq).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed >> (64 - KNOCK.ilog2()) == 0
}

/// Which parts of the book something belongs to, a bit each; the first is the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parts(u32);

impl Parts {
    /// Only the book of everything.
    pub(crate) const WHOLE: Self = Self(1);
    /// How many parts there may be beside the whole.
    pub(crate) const MOST: usize = 31;

    /// The whole, and these others, in their order.
    pub(crate) fn of(others: impl Iterator<Item = bool>) -> Self {
        Self(others.zip(1..32).fold(1, |bits, (fits, at)| bits | u32::from(fits) << at))
    }

    fn each(self, parts: usize) -> impl Iterator<Item = usize> {
        (0..parts).filter(move |at| self.0 & (1 << at) != 0)
    }
}

/// What is at hand of a part. Follows from the leaves.
#[derive(Debug)]
struct Part {
    name: Fingerprint,
    /// The hour at hand.
    hour: Option<(i64, Slot)>,
    /// The day whose seats these are.
    day: Option<i64>,
    seats: Vec<(u32, Slot)>,
    places: FxHashMap<Fingerprint, u16>,
    chapters: Option<usize>,
}

impl Part {
    fn new(name: Fingerprint) -> Self {
        Self { name, hour: None, day: None, seats: Vec::new(), places: FxHashMap::default(), chapters: None }
    }
}

/// The day book.
#[derive(Debug)]
pub(crate) struct Daybook {
    parts: Vec<Part>,
    hours: Table<Hour>,
    talkers: Table<leaves::Talker>,
    days: Table<leaves::Day>,
    chapters: Table<Chapter>,
    pub(crate) told: Table<Told>,
    /// The day that was swept last.
    swept: i64,
}

/// The name under which the book of a digest's part stands; the empty one is the whole.
pub(crate) fn part_name(digest: &str) -> Fingerprint {
    if digest.is_empty() { Fingerprint(0) } else { Fingerprint::of(&["part", digest]) }
}

impl Default for Daybook {
    fn default() -> Self {
        Self {
            parts: vec![Part::new(part_name(""))],
            hours: Table::default(),
            talkers: Table::default(),
            days: Table::default(),
            chapters: Table::default(),
            told: Table::default(),
            swept: i64::MIN,
        }
    }
}

impl Daybook {
    /// These are the parts from now on, beside the whole. What is known of others is kept until it is old.
    pub(crate) fn set_parts<'a>(&mut self, digests: impl Iterator<Item = &'a str>) {
        let names = std::iter::once("").chain(digests.take(Parts::MOST));
        self.parts = names.map(|name| Part::new(part_name(name))).collect();
    }

    /// So many events came in by now, and so many wait.
    pub(crate) fn accept(&mut self, now: Timestamp, (accepted, waiting): (u64, u64)) {
        let hour = self.hour(0, now);
        hour.accepted += accepted;
        hour.waiting = waiting;
    }

    /// An event got its verdict; so many still wait.
    pub(crate) fn verdict(&mut self, parts: Parts, verdict: &Verdict, waiting: u64) {
        self.hour(0, verdict.ts).waiting = waiting;
        let source = verdict.series.split('/').next().unwrap_or_default();
        for part in parts.each(self.parts.len()) {
            self.hour(part, verdict.ts).count(verdict.reason, source);
            if verdict.reason.outcome() != Outcome::Record {
                self.talk(part, verdict);
            }
        }
    }

    /// The hour at hand.
    fn hour(&mut self, part: usize, now: Timestamp) -> &mut Hour {
        let hour = now.hour();
        let at = &mut self.parts[part];
        let slot = match at.hour {
            Some((known, slot)) if known == hour => slot,
            _ => {
                let found = self.hours.find(Hour::key(at.name, hour));
                let slot = found.unwrap_or_else(|| self.hours.insert(Hour::new(at.name, hour)));
                at.hour = Some((hour, slot));
                slot
            }
        };
        self.hours.change(slot)
    }

    /// A series spoke: it is counted by name if it has a seat, or gets one.
    fn talk(&mut self, part: usize, verdict: &Verdict) {
        let (day, hour) = (verdict.ts.hour().div_euclid(HOURS), verdict.ts.hour_of_day() as u8);
        if self.parts[part].day != Some(day) {
            self.take_seats(part, day);
        }
        let at = &mut self.parts[part];
        if let Some(&place) = at.places.get(&verdict.fingerprint) {
            let (rank, slot) = &mut at.seats[usize::from(place)];
            *rank = rank.saturating_add(1);
            return self.talkers.change(*slot).count(hour, verdict.reason);
        }
        if verdict.reason == Reason::Duplicate && !knocks(verdict) {
            return;
        }
        let least = at.seats.iter().map(|(rank, _)| *rank).enumerate().min_by_key(|(_, rank)| *rank);
        let (place, floor) = least.filter(|_| at.seats.len() >= SEATS).unwrap_or((at.seats.len(), 0));
        let seat = place as u16;
        let mut talker = leaves::Talker {
            part: at.name,
            day,
            seat,
            floor,
            series: Arc::clone(&verdict.series),
            fingerprint: verdict.fingerprint,
            cells: Vec::new(),
        };
        talker.count(hour, verdict.reason);
        if let Some((_, slot)) = at.seats.get(place) {
            at.places.remove(&self.talkers.at(*slot).fingerprint);
        }
        at.places.insert(verdict.fingerprint, seat);
        let entry = (talker.rank(), self.talkers.insert(talker));
        match at.seats.get_mut(place) {
            Some(taken) => *taken = entry,
            None => at.seats.push(entry),
        }
    }

    /// A day begins, or a run is taken up again in its midst.
    fn take_seats(&mut self, part: usize, day: i64) {
        self.sweep(day);
        let at = &mut self.parts[part];
        at.day = Some(day);
        at.places.clear();
        let seated = (0..SEATS as u16).map_while(|seat| self.talkers.find(leaves::Talker::key(at.name, day, seat)));
        at.seats = seated.map(|slot| (self.talkers.at(slot).rank(), slot)).collect();
        for (place, (_, slot)) in at.seats.iter().enumerate() {
            at.places.insert(self.talkers.at(*slot).fingerprint, place as u16);
        }
    }

    fn day(&mut self, part: usize, day: i64) -> &mut leaves::Day {
        let name = self.parts[part].name;
        let found = self.days.find(leaves::Day::key(name, day));
        let slot = found.unwrap_or_else(|| self.days.insert(leaves::Day::new(name, day)));
        self.days.change(slot)
    }

    /// Something was held back although it was close to a page.
    pub(crate) fn nearly_paged(&mut self, parts: Parts, near: &Near) {
        for part in parts.each(self.parts.len()) {
            let day = self.day(part, near.at.hour().div_euclid(HOURS));
            match day.near.iter_mut().find(|known| known.fingerprint == near.fingerprint) {
                Some(known) if known.share() < near.share() => *known = near.clone(),
                Some(_) => {}
                None => day.near.push(near.clone()),
            }
            day.near.sort_by(|a, b| b.share().total_cmp(&a.share()).then(a.at.cmp(&b.at)));
            day.near.truncate(NEAR);
        }
    }

    /// An alert that waited has its verdict, after so many seconds.
    pub(crate) fn hold_ended(&mut self, parts: Parts, now: Timestamp, (reason, waited): (Reason, f64)) {
        for part in parts.each(self.parts.len()) {
            self.hour(part, now).holds.end(reason, waited);
        }
    }

    /// A silence held back an event.
    pub(crate) fn hidden(&mut self, parts: Parts, now: Timestamp, silence: &str) {
        for part in parts.each(self.parts.len()) {
            self.hour(part, now).hide(silence);
        }
    }

    /// A series was never heard of before; if its check was neither, that is named.
    pub(crate) fn fresh(&mut self, parts: Parts, now: Timestamp, check: Option<(&str, &str)>) {
        for part in parts.each(self.parts.len()) {
            self.hour(part, now).new_series += 1;
            let Some((source, check)) = check else { continue };
            let day = self.day(part, now.hour().div_euclid(HOURS));
            if day.fresh.len() < SELDOM {
                day.fresh.push((now, Arc::from(format!("{source}: {check}"))));
            } else {
                day.more_fresh += 1;
            }
        }
    }

    /// A series flaps. What flaps again after a pause goes on with the episode that it had.
    pub(crate) fn flapping_began(&mut self, parts: Parts, flapped: &Flapped, again: bool) {
        for part in parts.each(self.parts.len()) {
            if again
                && self.flap(part, flapped.fingerprint, flapped.since, |known| {
                    (known.until, known.end) = (None, FlapEnd::Not)
                })
            {
                continue;
            }
            let day = self.day(part, flapped.since.hour().div_euclid(HOURS));
            if day.flaps.len() < SELDOM {
                day.flaps.push(flapped.clone());
            } else {
                day.more_flaps += 1;
            }
        }
    }

    /// Changes the latest episode of a series, which began on this day or the one before.
    pub(crate) fn flap_changed(
        &mut self,
        parts: Parts,
        (series, since): (Fingerprint, Timestamp),
        mut change: impl FnMut(&mut Flapped),
    ) {
        for part in parts.each(self.parts.len()) {
            self.flap(part, series, since, &mut change);
        }
    }

    fn flap(&mut self, part: usize, series: Fingerprint, since: Timestamp, change: impl FnOnce(&mut Flapped)) -> bool {
        let (name, day) = (self.parts[part].name, since.hour().div_euclid(HOURS));
        let latest = |day: &leaves::Day| day.flaps.iter().rposition(|known| known.fingerprint == series);
        let found = [day, day - 1].into_iter().find_map(|day| {
            let slot = self.days.find(leaves::Day::key(name, day))?;
            Some((slot, latest(self.days.at(slot))?))
        });
        if let Some((slot, at)) = found {
            change(&mut self.days.change(slot).flaps[at]);
        }
        found.is_some()
    }

    /// An event of these parts is part of an incident: their books tell of it, too.
    pub(crate) fn concerns(&mut self, parts: Parts, summary: &IncidentSummary) {
        for part in parts.each(self.parts.len()).filter(|part| *part > 0) {
            self.chapter(part, summary);
        }
    }

    /// A person was interrupted.
    pub(crate) fn paged(&mut self, page: &Page, summary: &IncidentSummary) {
        self.chapter(0, summary);
        for part in 0..self.parts.len() {
            let Some(slot) = self.chapters.find(Chapter::key(self.parts[part].name, page.incident)) else { continue };
            let chapter = self.chapters.change(slot);
            if chapter.pages.is_empty() {
                chapter.first = page.alerts.iter().copied().take(Chapter::SEQS).collect();
            }
            if chapter.pages.len() < Chapter::PAGES {
                chapter.pages.push((page.ts, page.action == PageAction::Escalate));
            }
            let pages = &mut self.hour(part, page.ts).pages;
            match page.action {
                PageAction::Open => pages.0 += 1,
                PageAction::Escalate => pages.1 += 1,
            }
        }
    }

    /// An incident has changed.
    pub(crate) fn follow(&mut self, summary: &IncidentSummary) {
        for part in &self.parts {
            if let Some(slot) = self.chapters.find(Chapter::key(part.name, summary.incident)) {
                self.chapters.change(slot).follow(summary);
            }
        }
    }

    fn chapter(&mut self, part: usize, summary: &IncidentSummary) {
        let name = self.parts[part].name;
        if self.chapters.find(Chapter::key(name, summary.incident)).is_some() {
            return;
        }
        let count = || self.chapters.rows().filter(|(_, chapter)| chapter.part == name).count();
        let count = self.parts[part].chapters.unwrap_or_else(count);
        if count < CHAPTERS {
            self.chapters.insert(Chapter::new(name, summary));
            self.parts[part].chapters = Some(count + 1);
        }
    }

    /// Until when a digest has told; `None` = it is not known yet.
    pub(crate) fn told_until(&self, digest: &str) -> Option<Timestamp> {
        self.told.get(Told::key(digest)).map(|told| told.until)
    }

    /// A digest has told until then.
    pub(crate) fn tell(&mut self, digest: &str, until: Timestamp) {
        self.told.insert(Told { digest: digest.to_owned(), until });
    }

    /// Only these digests are known; what stood of others is forgotten.
    pub(crate) fn keep_told(&mut self, known: impl Fn(&str) -> bool) {
        let gone = self.told.rows().filter(|(_, told)| !known(&told.digest));
        let gone: Vec<Fingerprint> = gone.map(|(_, told)| told.fingerprint()).collect();
        for told in gone {
            self.told.remove(told);
        }
    }

    /// Once a day, what is too old goes.
    fn sweep(&mut self, today: i64) {
        if self.swept == today {
            return;
        }
        self.swept = today;
        let first = today - KEPT;
        sweep(&mut self.hours, |hour| hour.hour >= first * HOURS);
        sweep(&mut self.talkers, |talker| talker.day >= first);
        sweep(&mut self.days, |day| day.day >= first);
        let latest = |chapter: &Chapter| chapter.pages.last().map_or(chapter.opened, |(at, _)| *at);
        sweep(&mut self.chapters, |chapter| latest(chapter).hour() >= first * HOURS);
        for part in &mut self.parts {
            part.hour = None;
            part.chapters = None;
        }
    }

    /// Takes back a row that was stored; `None` = its kind is not one of this book.
    pub(crate) fn restore(&mut self, key: &[u8], value: &[u8]) -> Option<Result<(), String>> {
        Some(match *key.first()? {
            Hour::KIND => self.hours.restore(value).map(drop),
            leaves::Talker::KIND => self.talkers.restore(value).map(drop),
            leaves::Day::KIND => self.days.restore(value).map(drop),
            Chapter::KIND => self.chapters.restore(value).map(drop),
            Told::KIND => self.told.restore(value).map(drop),
            _ => return None,
        })
    }

    /// See [`Table::take_changes`].
    pub(crate) fn take_changes(&mut self, changes: &mut Vec<Change>) {
        self.hours.take_changes(changes);
        self.talkers.take_changes(changes);
        self.days.take_changes(changes);
        self.chapters.take_changes(changes);
        self.told.take_changes(changes);
    }

    /// How many tables it has.
    pub(crate) const TABLES: u64 = 5;

    /// See [`Table::part`]; of the table with this number.
    pub(crate) fn part(&self, table: u64, from: u32, bytes: usize, changes: &mut Vec<Change>) -> Option<u32> {
        match table {
            0 => self.hours.part(from, bytes, changes),
            1 => self.talkers.part(from, bytes, changes),
            2 => self.days.part(from, bytes, changes),
            3 => self.chapters.part(from, bytes, changes),
            _ => self.told.part(from, bytes, changes),
        }
    }
}

fn sweep<T: Row>(table: &mut Table<T>, keep: impl Fn(&T) -> bool) {
    let old: Vec<Fingerprint> = table.rows().filter(|(_, row)| !keep(row)).map(|(_, row)| row.fingerprint()).collect();
    for row in old {
        table.remove(row);
    }
}
