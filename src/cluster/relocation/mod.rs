//! A move of everything to other topics with another number of partitions, while no worker runs: `squelch cluster move`.
//!
//! It reads the state, what is owed, and what is not judged yet of each old partition, and writes all of it into the new
//! topics in **one transaction**: broken off anywhere, nothing was moved, and it is begun again. The old topics stay as
//! they are. Run once more it brings what came into the old log since. Deliberately not while workers run: who judges
//! meanwhile would judge for nobody.

mod haul;
pub mod plan;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Message as _;
use rdkafka::producer::{Producer as _, ThreadedProducer};

use super::changelog::Changelog;
use super::copy::Records;
use super::homes;
use super::letter::Letter;
use super::message::Said;
use super::moved::{Moved, Origin};
use super::topics::{self, Topics};
use super::transaction::{Wish, repeated};
use super::word::To;
use crate::broker::{self, Watcher};
use crate::clock::Stopwatch;
use crate::config::Cluster;
use haul::{Haul, Pen};
use plan::{Estate, Plan, rounds};

/// How long the brokers are waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// Each call has so long.
const STEP: Duration = Duration::from_secs(10);
/// How long it waits for a message.
const WAIT: Duration = Duration::from_millis(200);

/// A move from one cluster to another, by their settings.
pub struct Relocation<'a> {
    /// As it was.
    pub from: &'a Cluster,
    /// As it will be.
    pub to: &'a Cluster,
    /// Hears how far it is.
    pub tell: &'a dyn Fn(&str),
}

/// What there is to be moved.
pub struct Sight {
    estates: Vec<Estate>,
    plan: Plan,
    /// From where to where the events of each old partition are moved.
    stretches: Vec<(i64, i64)>,
    /// The number of orders to all before each partition comes in.
    rounds: Vec<usize>,
    /// Whether all was moved before, and this only brings what came since.
    again: bool,
    /// What people should know.
    pub told: Vec<String>,
}

impl Sight {
    /// The same as numbers.
    #[must_use]
    pub fn sums(&self) -> serde_json::Value {
        let sum = |what: fn(&Estate) -> u64| self.estates.iter().map(what).sum::<u64>();
        let (scopes, silences) = self.plan.counts();
        serde_json::json!({
            "again": self.again,
            "scopes": scopes,
            "records": sum(|one| one.records.0),
            "owed": sum(|one| one.records.1),
            "silences": silences,
            "messages": self.messages(),
            "warnings": self.told,
        })
    }

    fn messages(&self) -> u64 {
        self.estates.iter().map(|estate| estate.messages).sum()
    }
}

impl fmt::Display for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.again {
            return write!(f, "  it was moved before; since then {} messages came into the old log", self.messages());
        }
        let sum = |what: fn(&Estate) -> u64| self.estates.iter().map(what).sum::<u64>();
        let (scopes, silences) = self.plan.counts();
        writeln!(
            f,
            "  {scopes} scopes with {} records, {} of them owed to receivers",
            sum(|one| one.records.0),
            sum(|one| one.records.1)
        )?;
        writeln!(f, "  {silences} silences, and the rules in force, for every partition")?;
        writeln!(f, "  {} messages that are not judged yet (events, orders, ticks)", self.messages())?;
        let spread: Vec<String> = self.plan.spread().values().map(ToString::to_string).collect();
        write!(f, "  scopes in each new partition: {}", spread.join(" "))
    }
}

impl Relocation<'_> {
    /// Looks what there is to be moved, and changes nothing.
    ///
    /// # Errors
    /// Why it cannot be moved, and how to mend it.
    pub fn look(&self) -> Result<Sight, String> {
        self.sensible()?;
        nobody_works(self.from, "old")?;
        let count = self.old_partitions()?;
        match self.origin()? {
            Some((origin, moved)) if origin.finished => self.look_again(count, &origin, &moved),
            _ => self.look_first(count),
        }
    }

    /// Moves it.
    ///
    /// # Errors
    /// Why it was not moved, and how to mend it. Nothing of it counts then.
    pub fn carry(&self) -> Result<Sight, String> {
        self.sensible()?;
        nobody_works(self.from, "old")?;
        self.fence()?;
        let sight = self.look()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        runtime.block_on(topics::prepare(self.to)).map_err(|wrong| wrong.join("\n"))?;
        let pen = Pen::take(self.to)?;
        let origin = |finished, up_to| {
            let (name, prefix) = (self.from.name.clone(), self.from.prefix.clone());
            Moved::From(Origin { name, prefix, up_to, finished })
        };
        if !sight.again {
            // From here on no node begins until all is there.
            pen.all_or_nothing(|| pen.moved(&origin(false, Vec::new())))?;
        }
        let haul = Haul { from: self.from, to: self.to, sight: &sight, pen: &pen, tell: self.tell };
        pen.all_or_nothing(|| {
            if !sight.again {
                haul.state()?;
            }
            haul.log()?;
            pen.moved(&origin(true, sight.stretches.iter().map(|(_, end)| *end).collect()))?;
            nobody_works(self.from, "old")
        })?;
        Ok(sight)
    }

    /// Whether the two settings make a move.
    fn sensible(&self) -> Result<(), String> {
        let (from, to) = (self.from, self.to);
        let mut wrong = Vec::new();
        if from.name == to.name || from.prefix == to.prefix {
            wrong.push(
                "the new cluster must have another `name` and another `prefix` than the old one: nodes of the two must not be taken for each other"
                    .to_owned(),
            );
        }
        if from.scope != to.scope {
            wrong.push(format!(
                "`scope` is {:?} in the old settings and {:?} in the new ones: a move leaves scopes as they are",
                from.scope, to.scope
            ));
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
    }

    /// How many partitions the old log has, which may be more than the settings say.
    fn old_partitions(&self) -> Result<usize, String> {
        let known = topics::look(self.from)?;
        let (topics, said) = (Topics::of(self.from), usize::from(self.from.partitions));
        let mut events = 0;
        for name in [&topics.state, &topics.outbox, &topics.events] {
            let Some((_, count)) = known.iter().find(|(known, _)| known == name) else {
                return Err(format!(
                    "there is no topic `{name}`: nothing was ever judged by the old settings (`prefix: {}`), or it was deleted",
                    self.from.prefix
                ));
            };
            if *count < said || (*count > said && *name != topics.events) {
                return Err(format!(
                    "the topic `{name}` has {count} partitions, and the old settings say {said}: give them as they were"
                ));
            }
            events = *count;
        }
        Ok(events)
    }

    /// What an earlier run wrote into the new topics; else they must be empty, or not there.
    fn origin(&self) -> Result<Option<(Origin, Vec<Moved>)>, String> {
        let known = topics::look(self.to)?;
        let topics = Topics::of(self.to);
        let there: Vec<_> =
            topics.all().into_iter().filter_map(|(name, _)| known.iter().find(|(known, _)| known == name)).collect();
        for (name, count) in &there {
            if *count != usize::from(self.to.partitions) {
                return Err(format!(
                    "the topic `{name}` has {count} partitions, and the new settings say {}",
                    self.to.partitions
                ));
            }
        }
        let mut found = None;
        if there.iter().any(|(name, _)| *name == topics.moved) {
            let (moved, _) = homes::read(self.to)?;
            let origin =
                moved.iter().find_map(|one| if let Moved::From(origin) = one { Some(origin.clone()) } else { None });
            found = origin.map(|origin| (origin, moved));
        }
        if let Some((origin, _)) = &found {
            if (&origin.name, &origin.prefix) != (&self.from.name, &self.from.prefix) {
                return Err(format!(
                    "the new topics `{}.*` hold what was moved from `{}`, and not from `{}`: name new ones",
                    self.to.prefix, origin.prefix, self.from.prefix
                ));
            }
            if origin.finished {
                return Ok(found);
            }
        }
        nobody_works(self.to, "new")?;
        for (name, _) in there.iter().filter(|(name, _)| *name != topics.moved) {
            let mut empty = true;
            homes::each(self.to, name, |_, _| {
                empty = false;
                false
            })?;
            if !empty {
                return Err(format!(
                    "the topic `{name}` is not empty, and no move wrote what is in it: give the new cluster a `prefix` that nobody has used, or delete its topics `{}.*`",
                    self.to.prefix
                ));
            }
        }
        Ok(found)
    }

    fn look_first(&self, count: usize) -> Result<Sight, String> {
        let (mut estates, mut stretches, mut told) = (Vec::new(), Vec::new(), Vec::new());
        for partition in 0..i32::try_from(count).unwrap_or(i32::MAX) {
            (self.tell)(&format!("partition {partition} of {count} is read"));
            let mut estate = Estate::default();
            let log = Changelog::new(self.from, partition)?;
            for (key, value) in records(self.from, partition, &log)? {
                estate.take(&key, &value);
            }
            let (next, warning) = log.begin(estate.next)?;
            told.extend(warning);
            stretches.push((next, pending(&log, next, (partition, &mut estate))?));
            estates.push(estate);
        }
        let plan = Plan::new(&estates, self.from.partitions, self.to.partitions).map_err(|wrong| wrong.join("\n"))?;
        told.extend(plan.told.iter().cloned());
        Ok(Sight { rounds: rounds(&estates)?, estates, plan, stretches, again: false, told })
    }

    fn look_again(&self, count: usize, origin: &Origin, moved: &[Moved]) -> Result<Sight, String> {
        let (mut estates, mut stretches, mut told) = (Vec::new(), Vec::new(), Vec::new());
        for partition in 0..i32::try_from(count).unwrap_or(i32::MAX) {
            let mut estate = Estate::default();
            let log = Changelog::new(self.from, partition)?;
            let stored = usize::try_from(partition).ok().and_then(|at| origin.up_to.get(at)).copied();
            let (next, warning) = log.begin(stored)?;
            told.extend(warning);
            stretches.push((next, pending(&log, next, (partition, &mut estate))?));
            estates.push(estate);
        }
        let plan = Plan::after(moved, self.to.partitions);
        Ok(Sight { rounds: rounds(&estates)?, estates, plan, stretches, again: true, told })
    }

    /// Takes all names under which the old nodes write, so that none of them can store anything any more.
    fn fence(&self) -> Result<(), String> {
        let shards = (0..self.from.partitions).map(|partition| format!("{}-shard-{partition}", self.from.name));
        for id in shards.chain([format!("{}-orders", self.from.name)]) {
            let mut config = broker::writing(&self.from.connection, PATIENCE).map_err(|error| error.to_string())?;
            config.set("transactional.id", &id);
            let fenced =
                config.create_with_context(Watcher::default()).and_then(|producer: ThreadedProducer<Watcher>| {
                    repeated(&patient(), || producer.init_transactions(STEP))
                });
            fenced.map_err(|error| {
                format!("the transactional id `{id}` cannot be taken: {error} (ACL: WRITE, DESCRIBE)")
            })?;
        }
        Ok(())
    }
}

/// Waits for the brokers, and for nobody else.
fn patient() -> Wish<'static> {
    Wish { stops: &|| false, waits: &|_| {} }
}

/// The records of an old partition. One that somebody has added to the log alone has none.
fn records(settings: &Cluster, partition: i32, log: &Changelog) -> Result<Records, String> {
    if partition >= i32::from(settings.partitions) {
        return Ok(Records::new());
    }
    let watch = Stopwatch::start();
    let down = || log.watcher.why_down().filter(|_| watch.elapsed() > PATIENCE);
    let (found, _) = log.records(None, || down().is_some()).map_err(|error| down().unwrap_or(error))?;
    Ok(found.records)
}

/// Looks at what is not judged yet; gives where it ends.
fn pending(log: &Changelog, from: i64, (partition, estate): (i32, &mut Estate)) -> Result<i64, String> {
    let (mut next, mut heard) = (from, Stopwatch::start());
    while !log.is_at_end() {
        let Some(message) = log.poll(WAIT)? else {
            if heard.elapsed() > PATIENCE && !log.is_at_end() {
                return Err(log
                    .watcher
                    .why_down()
                    .unwrap_or_else(|| format!("partition {partition} of the events cannot be read to its end")));
            }
            continue;
        };
        heard = Stopwatch::start();
        let letter = Letter::of(&message);
        if let Some(Ok(Said::Order(word, _))) = &letter.said
            && word.to() == To::All
        {
            estate.orders.push(message.payload().unwrap_or_default().to_vec());
        }
        estate.messages += 1;
        next = message.offset() + 1;
    }
    Ok(next)
}

/// Fails when a worker is a member of the cluster's group.
fn nobody_works(settings: &Cluster, which: &str) -> Result<(), String> {
    let watcher = Watcher::default();
    let config = broker::reading(&settings.connection, &settings.name).map_err(|error| error.to_string())?;
    let asker: BaseConsumer<Watcher> =
        config.create_with_context(watcher.clone()).map_err(|error| error.to_string())?;
    let groups = asker.fetch_group_list(Some(&settings.name), STEP).map_err(|error| {
        let why = watcher.why_down().unwrap_or_else(|| error.to_string());
        format!("the group `{}` cannot be asked for: {why}", settings.name)
    })?;
    let hosts: Vec<String> = groups
        .groups()
        .iter()
        .filter(|group| group.name() == settings.name)
        .flat_map(|group| group.members().iter().map(|member| member.client_host().trim_start_matches('/').to_owned()))
        .collect();
    if hosts.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} workers of the {which} cluster `{}` are running (at {}): stop all of them first; one that was killed counts until its session ends ({} s)",
        hosts.len(),
        settings.name,
        hosts.join(", "),
        settings.session.as_secs()
    ))
}
