//! What goes where when everything moves to another number of partitions.
//!
//! Pure. A scope goes where its name leads among the new partitions, with its seat; what is every partition's (rules,
//! silences) goes to all. Ticks stay behind: the new owners say what time it is.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use crate::cluster::message::Said;
use crate::cluster::moved::Moved;
use crate::cluster::place::{self, Seat};
use crate::cluster::record::{Key, Row, Shelf};
use crate::cluster::scope::{self, DEFAULT, OWN};
use crate::cluster::seating::Seating;
use crate::cluster::tenant::Head;
use crate::cluster::word::To;
use crate::domain::Engine;

/// What one of the old partitions holds.
#[derive(Clone, Debug, Default)]
pub struct Estate {
    /// The scopes that say which they are.
    pub heads: BTreeMap<String, Head>,
    /// All scopes.
    pub scopes: BTreeSet<String>,
    /// The rules in force.
    pub rules: Option<Vec<u8>>,
    /// The silences, by their names.
    pub silences: BTreeMap<String, Vec<u8>>,
    /// The first number that it gave itself.
    pub first: u32,
    /// The offset of the next message of its events; `None` = it was never read.
    pub next: Option<i64>,
    /// How many records it has, and how many of them are owed to receivers.
    pub records: (u64, u64),
    /// What is left behind, and why.
    pub told: Vec<String>,
    /// What was said to all scopes and is not judged here yet, in order.
    pub orders: Vec<Vec<u8>>,
    /// How many messages are not judged yet.
    pub messages: u64,
}

impl Estate {
    /// Looks at a record.
    pub fn take(&mut self, key: &[u8], value: &[u8]) {
        self.records.0 += 1;
        let left = |why: &str| Some(format!("record {}: {why}", key.escape_ascii()));
        let told = match Key::read(key) {
            Some(Key::Scope(name, key)) => {
                self.records.1 += u64::from(shelf(&key) == Shelf::Outbox);
                let head = (key == [Key::HEAD]).then(|| Head::read(value)).transpose();
                self.scopes.insert(name.clone());
                match head {
                    Ok(head) => {
                        head.map(|head| self.heads.insert(name, head));
                        None
                    }
                    Err(why) => left(&why),
                }
            }
            Some(Key::Shard(name)) => self.own(&name, value).err().and_then(|why| left(&why)),
            None => left("nobody of this cluster wrote it"),
        };
        self.told.extend(told);
    }

    fn own(&mut self, name: &str, value: &[u8]) -> Result<(), String> {
        match name {
            Key::RULES => self.rules = Some(value.to_vec()),
            Key::OFFSET => self.next = Some(Row::read_offset(value).ok_or("it is no offset")?.0),
            Key::SEATS => self.first = serde_json::from_slice(value).map_err(|error| error.to_string())?,
            _ if name.starts_with(Key::SILENCE) => drop(self.silences.insert(name.to_owned(), value.to_vec())),
            _ => return Err("its name is unknown: a newer version may have written it".to_owned()),
        }
        Ok(())
    }
}

fn shelf(key: &[u8]) -> Shelf {
    if key.first() == Some(&Engine::OUTBOX) { Shelf::Outbox } else { Shelf::State }
}

/// Where a message goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// Into this partition, under this key.
    To(i32, Option<String>),
    /// Into all, once.
    All,
    /// Nowhere: it says what time it was.
    Stays,
    /// Nowhere, which people should know.
    Left(String),
}

/// What goes where.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    partitions: i32,
    /// The scopes by their old places, with what they are called from now on, and their heads.
    scopes: BTreeMap<(i32, String), (String, Option<Head>)>,
    /// The scopes by their seats.
    seats: FxHashMap<Seat, String>,
    /// The first number that each new partition gives.
    first: Vec<u32>,
    rules: Option<Vec<u8>>,
    silences: BTreeMap<String, Vec<u8>>,
    /// What people should know.
    pub told: Vec<String>,
}

impl Plan {
    /// A plan for these estates, by partition, of which so many were the cluster's own.
    ///
    /// # Errors
    /// Why there can be none.
    pub fn new(estates: &[Estate], old: u16, partitions: u16) -> Result<Self, Vec<String>> {
        let mut plan =
            Self { partitions: i32::from(partitions), first: vec![0; usize::from(partitions)], ..Self::default() };
        let mut wrong = Vec::new();
        for (partition, estate) in (0..).zip(estates) {
            plan.told
                .extend(estate.told.iter().map(|text| format!("partition {partition}: {text}; it is left behind")));
            let seated = Seating::restore(partition, estate.first, estate.heads.clone());
            plan.told.extend(seated.told.into_iter().map(|text| format!("partition {partition}: {text}")));
            plan.given(Seat { partition, scope: seated.seating.next() });
            for (name, head) in seated.scopes {
                let seat = head.seat(partition);
                let there = plan.name((partition, i32::from(old)), &name, estates);
                plan.given(Seat { scope: seat.scope + 1, ..seat });
                let head = Head { born: Some(seat.partition), ..head };
                if let Some(other) = plan.seats.insert(seat, there.clone()) {
                    wrong.push(format!(
                        "the scopes `{other}` and `{there}` have the same seat {seat:?}: please report it as a bug"
                    ));
                }
                plan.scopes.insert((partition, name), (there, Some(head)));
            }
            for name in estate.scopes.iter().filter(|name| !estate.heads.contains_key(*name)) {
                plan.told.push(format!(
                    "partition {partition}: the scope `{name}` lacks the record that says which it is: its incidents get other numbers"
                ));
                let there = plan.name((partition, i32::from(old)), name, estates);
                plan.scopes.insert((partition, name.clone()), (there, None));
            }
        }
        plan.shared(estates);
        if wrong.is_empty() { Ok(plan) } else { Err(wrong) }
    }

    /// For what comes after a move: where the scopes are that moved then.
    #[must_use]
    pub fn after(moved: &[Moved], partitions: u16) -> Self {
        let seat = |moved: &Moved| match moved {
            Moved::Seat(seat, name) => Some((*seat, name.clone())),
            Moved::From(_) => None,
        };
        Self { partitions: i32::from(partitions), seats: moved.iter().filter_map(seat).collect(), ..Self::default() }
    }

    /// A number below which all are given.
    fn given(&mut self, next: Seat) {
        // Of a partition that there will not be the seats are known by their scopes.
        let Some(first) = usize::try_from(next.partition).ok().and_then(|at| self.first.get_mut(at)) else { return };
        *first = (*first).max(next.scope);
    }

    /// What a scope is called from now on. One name stands once: where other producers have put events of a scope into
    /// a partition that is not its own, what came of them stays apart.
    fn name(&mut self, (partition, old): (i32, i32), name: &str, estates: &[Estate]) -> String {
        let has = |at: i32| {
            usize::try_from(at).ok().and_then(|at| estates.get(at)).is_some_and(|one| one.scopes.contains(name))
        };
        let count = i32::try_from(estates.len()).unwrap_or(i32::MAX);
        let right = place::partition(name, old);
        let first = if has(right) { Some(right) } else { (0..count).find(|at| has(*at)) };
        if first.is_none_or(|first| first == partition) {
            return name.to_owned();
        }
        let apart = scope::apart(name, partition);
        if name != OWN {
            self.told.push(format!(
                "the scope `{name}` is in partition {partition}, too, where it does not belong: what is known there goes on as `{apart}`"
            ));
        }
        apart
    }

    /// Rules and silences, from those who are least far with what was said to all.
    fn shared(&mut self, estates: &[Estate]) {
        let mut least: Vec<(i32, &Estate)> = (0..).zip(estates).collect();
        least.sort_by_key(|(partition, estate)| (std::cmp::Reverse(estate.orders.len()), *partition));
        for (_, estate) in &least {
            for (name, silence) in &estate.silences {
                self.silences.entry(name.clone()).or_insert_with(|| silence.clone());
            }
        }
        let mut ruled =
            least.iter().filter_map(|(partition, one)| Some((*partition, one.orders.len(), one.rules.as_ref()?)));
        let Some((whose, orders, rules)) = ruled.next() else { return };
        for (partition, _, _) in ruled.filter(|(_, left, other)| *left == orders && *other != rules) {
            self.told.push(format!(
                "partition {partition} is judged by other rules than partition {whose}: all will be judged by those of partition {whose}, until somebody pushes others (POST /-/reload)"
            ));
        }
        self.rules = Some(rules.clone());
    }

    /// How many scopes move, and how many silences.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.scopes.len(), self.silences.len())
    }

    /// How many scopes each new partition gets.
    #[must_use]
    pub fn spread(&self) -> BTreeMap<i32, usize> {
        let mut spread: BTreeMap<i32, usize> = (0..self.partitions).map(|partition| (partition, 0)).collect();
        for (name, _) in self.scopes.values() {
            *spread.entry(self.home(name)).or_default() += 1;
        }
        spread
    }

    fn home(&self, name: &str) -> i32 {
        place::partition(name, self.partitions)
    }

    /// Where a record of an old partition goes; `None` = it is not a scope's.
    #[must_use]
    pub fn row(&self, partition: i32, key: &[u8], value: &[u8]) -> Option<(i32, Row)> {
        let Some(Key::Scope(name, key)) = Key::read(key) else { return None };
        let (name, head) = self.scopes.get(&(partition, name))?;
        let value = if key == [Key::HEAD] { serde_json::to_vec(&(*head)?).ok()? } else { value.to_vec() };
        let row = Row { shelf: shelf(&key), key: Key::Scope(name.clone(), key).write(), value: Some(value) };
        Some((self.home(name), row))
    }

    /// What each new partition gets of its own.
    #[must_use]
    pub fn own(&self) -> Vec<(i32, Row)> {
        let row = |name: &str, value: Vec<u8>| Row {
            shelf: Shelf::State,
            key: Key::Shard(name.to_owned()).write(),
            value: Some(value),
        };
        let mut rows = Vec::new();
        for (partition, first) in (0..self.partitions).zip(&self.first) {
            rows.push((partition, row(Key::SEATS, first.to_string().into_bytes())));
            rows.extend(self.rules.iter().map(|rules| (partition, row(Key::RULES, rules.clone()))));
            rows.extend(self.silences.iter().map(|(name, silence)| (partition, row(name, silence.clone()))));
        }
        rows
    }

    /// The seats of all scopes.
    #[must_use]
    pub fn moved(&self) -> Vec<Moved> {
        let mut seats: Vec<_> = self.seats.iter().map(|(seat, name)| (*seat, name.clone())).collect();
        seats.sort();
        seats.into_iter().map(|(seat, name)| Moved::Seat(seat, name)).collect()
    }

    /// Where a message of an old partition goes. `key` = the name of its scope.
    #[must_use]
    pub fn way(&self, partition: i32, key: Option<&str>, said: &Said) -> Way {
        match said {
            Said::Tick(_) => Way::Stays,
            Said::Event(_) => {
                let name = key.unwrap_or(DEFAULT).replace('\0', "_");
                let known = self.scopes.get(&(partition, name)).map(|(name, _)| name.as_str());
                let name = known.or(key);
                Way::To(self.home(name.unwrap_or(DEFAULT)), name.map(str::to_owned))
            }
            Said::Order(word, _) => match word.to() {
                To::All => Way::All,
                To::Own => Way::To(self.home(OWN), Some(OWN.to_owned())),
                To::Seat(seat) => match self.seats.get(&seat) {
                    Some(name) => Way::To(self.home(name), None),
                    None => Way::Left(format!(
                        "an order is about scope {} of partition {}, which nobody knows",
                        seat.scope, seat.partition
                    )),
                },
            },
        }
    }
}

/// How far each partition lags behind the furthest with what was said to all: the number of rounds before it comes in.
///
/// # Errors
/// When the partitions do not end with the same.
pub fn rounds(estates: &[Estate]) -> Result<Vec<usize>, String> {
    let longest = estates.iter().map(|estate| &estate.orders).max_by_key(|orders| orders.len());
    let Some(longest) = longest else { return Ok(Vec::new()) };
    let mut rounds = Vec::new();
    for (partition, estate) in estates.iter().enumerate() {
        if !longest.ends_with(&estate.orders) {
            return Err(format!(
                "partition {partition} has other orders for all scopes (silences, rules) than the others, not judged yet: somebody gave one just now, or a message was lost. Stop the HTTP nodes and try again; where that does not help, let the old workers judge what is there first"
            ));
        }
        rounds.push(longest.len() - estate.orders.len());
    }
    Ok(rounds)
}
