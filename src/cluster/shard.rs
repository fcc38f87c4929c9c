//! A shard: what one partition holds, an engine for each scope. Messages in, rows, decisions and notifications out.
//!
//! Pure but for the guard against panics: the same messages give the same rows, whoever reads them and however often.
//! Deliberately without Kafka: `owner` reads and writes.

mod sorted;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::message::Said;
use super::place::Seat;
use super::record::{Key, Row, Shelf};
use super::rules::{RuleFiles, Rules};
use super::scope::{DEFAULT, OWN};
use super::seating::Seating;
use super::tenant::{Head, Tenant};
use super::word::{To, Word};
use crate::domain::{Decision, Notification, Silence, Timestamp};
use crate::replay::decisions;
use crate::sinks::Receiver;
use sorted::{Kept, Sorted};

/// Decisions are told in parts of about so many bytes.
const PART: usize = 200_000;

/// A shard.
#[derive(Debug)]
pub struct Shard {
    partition: i32,
    rules: Rules,
    /// In the order in which they came; the place in this list is their number here.
    tenants: Vec<Tenant>,
    numbers: FxHashMap<Arc<str>, u32>,
    seats: FxHashMap<Seat, u32>,
    seating: Seating,
    silences: BTreeMap<String, Silence>,
    /// When each scope needs a tick at the latest.
    due: BTreeSet<(Timestamp, u32)>,
    /// The deadline that stands in `due`, by number.
    deadlines: Vec<Option<Timestamp>>,
    /// The scopes that changed since the rows were last taken.
    changed: BTreeSet<u32>,
    /// Rows of the shard's own since they were last taken.
    own: BTreeMap<String, Option<Vec<u8>>>,
    rules_changed: bool,
    /// Everything that was stamped before then is judged: the latest tick.
    judged: Timestamp,
    /// Messages at these places made the judge fail: they are not judged again.
    spoiled: BTreeSet<i64>,
}

/// What came out of a turn.
#[derive(Debug, Default)]
pub struct Yield {
    /// What is to be stored.
    pub rows: Vec<Row>,
    /// Decisions as JSON Lines, scope by scope, in order.
    pub decisions: Vec<(Arc<str>, String)>,
    /// What is to be sent, once the rows are stored.
    pub notifications: Vec<Arc<Notification>>,
    /// Who is told from now on, where that changed.
    pub receivers: Option<Vec<Receiver>>,
}

impl Yield {
    /// Whether there is nothing to store.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.decisions.is_empty()
    }
}

/// A message could not be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Untaken {
    /// It says nothing that can be done: why. The shard stands as before.
    Told(String),
    /// It made the judge fail: the shard must be dropped.
    Failed(String),
}

/// A shard from its records, and how far its partition was read.
#[derive(Debug)]
pub struct Restored {
    /// The shard.
    pub shard: Shard,
    /// The offset of the next message; `None` = nothing was ever read.
    pub next: Option<i64>,
    /// What cannot be read of the records. It is left where it is.
    pub unreadable: Vec<String>,
}

impl Shard {
    /// A shard from the records of its partition. `own` = the rules of this node, for a partition that has none yet.
    #[must_use]
    pub fn restore(
        partition: i32,
        own: &Rules,
        records: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>,
        spoiled: BTreeSet<i64>,
    ) -> Restored {
        let mut sorted = Sorted::default();
        records.into_iter().for_each(|(key, value)| sorted.take(&key, value));
        let stored = sorted.rules.take();
        let rules_changed = stored.is_none();
        let mut shard = Self {
            partition,
            rules: stored.unwrap_or_else(|| own.clone()),
            tenants: Vec::new(),
            numbers: FxHashMap::default(),
            seats: FxHashMap::default(),
            seating: Seating::restore(partition, 0, []).seating,
            silences: std::mem::take(&mut sorted.silences),
            due: BTreeSet::new(),
            deadlines: Vec::new(),
            changed: BTreeSet::new(),
            own: BTreeMap::new(),
            rules_changed,
            judged: Timestamp::EPOCH,
            spoiled,
        };
        let mut unreadable = std::mem::take(&mut sorted.unreadable);
        shard.seat(sorted.first, sorted.scopes, &mut unreadable);
        Restored { shard, next: sorted.next, unreadable }
    }

    /// Gives every scope its seat again. One that has lost it gets a new one behind all others.
    fn seat(&mut self, first: u32, mut scopes: BTreeMap<String, Kept>, unreadable: &mut Vec<String>) {
        let heads = scopes.iter().filter_map(|(name, kept)| Some((name.clone(), kept.head?)));
        let seated = Seating::restore(self.partition, first, heads);
        self.seating = seated.seating;
        unreadable.extend(seated.told);
        for (name, head) in seated.scopes {
            let kept = scopes.remove(&name).unwrap_or_default();
            let (tenant, errors) = self.restored(&name, head, kept.records);
            unreadable.extend(errors);
            self.add(tenant);
        }
        for (name, kept) in scopes {
            unreadable.push(format!("the scope `{name}` lacks the record that says which it is"));
            let (mut seating, records) = (self.seating, kept.records.len());
            let Some(seat) = seating.give() else { continue };
            let (tenant, errors) = self.restored(&name, Head { number: seat.scope, ..Head::default() }, kept.records);
            // Of a scope that nobody of this cluster has written nothing is left.
            if errors.len() < records {
                self.add(tenant);
                self.seating = seating;
            }
            unreadable.extend(errors);
        }
    }

    fn restored(&self, name: &str, head: Head, records: Vec<(Vec<u8>, Vec<u8>)>) -> (Tenant, Vec<String>) {
        let whose = (Arc::from(name), head.seat(self.partition), head);
        let (tenant, errors) = Tenant::restore(whose, &self.rules.policy_of(name), records);
        (tenant, errors.iter().map(ToString::to_string).collect())
    }

    fn add(&mut self, tenant: Tenant) -> u32 {
        let number = u32::try_from(self.tenants.len()).unwrap_or(u32::MAX);
        self.numbers.insert(Arc::clone(&tenant.name), number);
        self.seats.insert(tenant.seat, number);
        self.tenants.push(tenant);
        self.deadlines.push(None);
        self.look_again(number);
        number
    }

    /// The rules in force.
    #[must_use]
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Its scopes, in the order in which they came.
    pub(super) fn tenants(&self) -> &[Tenant] {
        &self.tenants
    }

    /// Everything that was stamped before then is judged.
    pub(super) const fn judged(&self) -> Timestamp {
        self.judged
    }

    /// How many scopes it has.
    #[must_use]
    pub fn scopes(&self) -> usize {
        self.tenants.len()
    }

    /// What is owed to receivers.
    #[must_use]
    pub fn outbox(&self) -> Vec<Arc<Notification>> {
        self.tenants.iter().flat_map(Tenant::outbox).collect()
    }

    /// Takes the message at this offset. `key` = the name of its scope.
    ///
    /// # Errors
    /// See [`Untaken`].
    pub fn take(&mut self, offset: i64, key: Option<&str>, said: &Said) -> Result<(), Untaken> {
        if self.spoiled.contains(&offset) {
            return self.without_judge(key, said);
        }
        catch_unwind(AssertUnwindSafe(|| self.judge(key, said)))
            .unwrap_or_else(|panic| Err(Untaken::Failed(told(panic.as_ref()))))
    }

    fn judge(&mut self, key: Option<&str>, said: &Said) -> Result<(), Untaken> {
        match said {
            Said::Event(event) => {
                let number = self.scope(key.unwrap_or(DEFAULT), event.received)?;
                self.tenants[number as usize].event(event);
                self.touched(number);
            }
            Said::Tick(at) => self.tick(key, *at)?,
            Said::Order(word, at) => self.order(word, *at)?,
        }
        Ok(())
    }

    /// A tick with the name of a scope has it be there, and know since when its digests are to tell.
    fn tick(&mut self, key: Option<&str>, at: Timestamp) -> Result<(), Untaken> {
        if let Some(name) = key {
            let number = self.scope(name, Some(at))?;
            if self.tenants[number as usize].know_digests(at) {
                self.touched(number);
            }
        }
        self.judged = self.judged.max(at);
        while let Some(&(due, number)) = self.due.first().filter(|(due, _)| *due <= at) {
            self.tenants[number as usize].tick(at);
            self.touched(number);
            // A deadline that did not move would be asked for forever.
            if self.deadlines[number as usize] == Some(due) {
                self.due.remove(&(due, number));
                self.deadlines[number as usize] = None;
            }
        }
        Ok(())
    }

    fn order(&mut self, word: &Word, at: Timestamp) -> Result<(), Untaken> {
        match (word.to(), word) {
            (To::Seat(seat), _) => {
                let Some(&number) = self.seats.get(&seat) else {
                    return Err(Untaken::Told(format!(
                        "an order is about scope {} of partition {}, which is not here",
                        seat.scope, seat.partition
                    )));
                };
                self.tenants[number as usize].order(at, word);
                self.touched(number);
            }
            (To::Own, _) => {
                let number = self.scope(OWN, Some(at))?;
                self.tenants[number as usize].order(at, word);
                self.touched(number);
            }
            (To::All, Word::Silence { silence }) => {
                let kept = silence.until > at;
                let name = format!("{}{}", Key::SILENCE, silence.id);
                self.own.insert(name, kept.then(|| serde_json::to_vec(silence).unwrap_or_default()));
                if kept {
                    self.silences.insert(silence.id.clone(), silence.clone());
                } else {
                    self.silences.remove(&silence.id);
                }
                self.each(|tenant| tenant.silence(at, silence));
            }
            (To::All, Word::Rules { files }) => self.follow(files, at)?,
            (To::All, _) => {}
        }
        Ok(())
    }

    fn follow(&mut self, files: &RuleFiles, at: Timestamp) -> Result<(), Untaken> {
        let wrong = |why| {
            Untaken::Told(format!("rules that were pushed cannot be used here, and the old ones stay in force: {why}"))
        };
        self.rules = files.clone().load().map_err(wrong)?;
        self.rules_changed = true;
        let rules = self.rules.clone();
        self.each(|tenant| tenant.follow(at, &rules.policy_of(&tenant.name)));
        Ok(())
    }

    fn each(&mut self, mut work: impl FnMut(&mut Tenant)) {
        self.tenants.iter_mut().for_each(&mut work);
        (0..self.tenants.len()).for_each(|number| self.touched(u32::try_from(number).unwrap_or(u32::MAX)));
    }

    /// What made the judge fail: events are paged, the rest is told.
    fn without_judge(&mut self, key: Option<&str>, said: &Said) -> Result<(), Untaken> {
        let (scope, at) = match said {
            Said::Event(event) => (key.unwrap_or(DEFAULT), event.received),
            Said::Order(_, at) | Said::Tick(at) => (OWN, Some(*at)),
        };
        let number = self.scope(scope, at)?;
        let tenant = &mut self.tenants[number as usize];
        match said {
            Said::Event(event) => tenant.fail_open(event),
            Said::Order(_, at) | Said::Tick(at) => tenant.failed(*at),
        }
        self.touched(number);
        Ok(())
    }

    /// The number of a scope; a new one knows the silences in force.
    fn scope(&mut self, name: &str, at: Option<Timestamp>) -> Result<u32, Untaken> {
        let name: Arc<str> = Arc::from(name.replace('\0', "_"));
        if let Some(number) = self.numbers.get(&name) {
            return Ok(*number);
        }
        let Some(seat) = self.seating.give() else {
            return Err(Untaken::Told(format!(
                "the partition has had {} scopes, and no more fit: name fewer fields in `scope`",
                Seat::SCOPES
            )));
        };
        let policy = self.rules.policy_of(&name);
        let number = self.add(Tenant::new(name, seat, &policy));
        let at = at.unwrap_or(Timestamp::EPOCH);
        for silence in self.silences.values().filter(|silence| silence.until > at) {
            self.tenants[number as usize].silence(at, silence);
        }
        Ok(number)
    }

    fn touched(&mut self, number: u32) {
        self.changed.insert(number);
        self.look_again(number);
    }

    /// Notes when a scope needs a tick.
    fn look_again(&mut self, number: u32) {
        let next = self.tenants[number as usize].next_deadline();
        let before = std::mem::replace(&mut self.deadlines[number as usize], next);
        if before != next {
            before.map(|before| self.due.remove(&(before, number)));
            next.map(|next| self.due.insert((next, number)));
        }
    }

    /// What came of the messages since this was last asked, to be stored together with `next`, the offset up to
    /// which they were read.
    ///
    /// # Errors
    /// What the judge said when it failed at it: the shard must be dropped.
    pub fn take_yield(&mut self, next: i64) -> Result<Yield, String> {
        catch_unwind(AssertUnwindSafe(|| self.gather(next))).map_err(|panic| told(panic.as_ref()))
    }

    fn gather(&mut self, next: i64) -> Yield {
        let mut out = Yield::default();
        for number in std::mem::take(&mut self.changed) {
            let tenant = &mut self.tenants[number as usize];
            tenant.take_rows(&mut out.rows);
            tell(&tenant.name, tenant.turn.decisions.drain(..), &mut out.decisions);
            let seat = tenant.seat;
            out.notifications.extend(tenant.turn.notifications.drain(..).map(|owed| seat.shown(&owed)));
        }
        if std::mem::take(&mut self.rules_changed) {
            self.own.insert(Key::RULES.to_owned(), serde_json::to_vec(&self.rules.files).ok());
            out.receivers = Some(self.rules.receivers.clone());
        }
        if !out.rows.is_empty() || !self.own.is_empty() {
            out.rows.push(Row::offset(next));
        }
        let own = std::mem::take(&mut self.own).into_iter();
        out.rows.extend(own.map(|(name, value)| Row { shelf: Shelf::State, key: Key::Shard(name).write(), value }));
        out
    }
}

/// Decisions of a scope as JSON Lines, in parts that fit a message.
fn tell(scope: &Arc<str>, all: impl Iterator<Item = Decision>, told: &mut Vec<(Arc<str>, String)>) {
    let mut text = String::new();
    for decision in all {
        decisions::write(&decision, &mut text);
        if text.len() >= PART {
            told.push((Arc::clone(scope), std::mem::take(&mut text)));
        }
    }
    if !text.is_empty() {
        told.push((Arc::clone(scope), text));
    }
}

/// What a panic said.
fn told(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("it panicked without a word").to_owned()
}
