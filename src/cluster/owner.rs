//! The owner of a shard: a thread that takes the partition over, rebuilds the shard, and then judges, stores and only
//! then hands over what is to be sent. One transaction is under way at a time.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rdkafka::error::KafkaError;
use tracing::{error, info, warn};

use super::changelog::{Changelog, Found};
use super::copy::{self, Kept, LocalCopy, Place, fresh};
use super::counter::Window;
use super::letter::Letter;
use super::load::Load;
use super::member::Member;
use super::message::Said;
use super::owners::{Advertised, SAYS};
use super::place;
use super::record::{Row, Shelf};
use super::rules::Rules;
use super::scope::{DEFAULT, OWN};
use super::scribe::Scribe;
use super::shard::{Restored, Shard, Untaken};
use super::stall::Stall;
use super::standing::{Board, ShardStanding};
use super::topics::Topics;
use super::transaction::{Lost, Pen, Wish};
use super::{Post, Posted};
use crate::clock::{Clock, Stopwatch};
use crate::config::Cluster;
use crate::sinks::clean;

/// So many messages are judged and stored together, and so many bytes.
const TURN: (usize, usize) = (10_000, 8 << 20);
/// How long it waits for a message.
const WAIT: Duration = Duration::from_millis(100);
/// A tick says what time it was so long ago, in seconds: what was stamped before may still be on its way.
const BEHIND: f64 = 1.0;
/// How soon a shard that failed is begun anew, and one that was fenced: by then the group knows whose it is.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(4));
/// How far events were read is stored at least so often, also when they led to nothing.
const KEEP: Duration = Duration::from_secs(60);
/// Where nothing comes for so long, the brokers are asked whether there is nothing.
const QUIET: Duration = Duration::from_secs(30);
/// So many warnings are kept.
const WARNINGS: usize = 20;
/// Of what is wrong with a message so much is told.
const MOST_SAID: usize = 300;

/// What an owner needs.
pub(super) struct Means {
    pub(super) settings: Cluster,
    pub(super) member: Member,
    pub(super) scribe: Scribe,
    pub(super) own: Arc<Rules>,
    pub(super) post: Post,
    pub(super) board: Board,
    pub(super) clock: Clock,
    pub(super) data_dir: PathBuf,
    pub(super) advertised: Advertised,
}

/// The owner of one partition, while it runs.
pub(super) struct Owner {
    stop: Arc<AtomicBool>,
    thread: thread::JoinHandle<()>,
}

impl Owner {
    pub(super) fn start(partition: i32, means: Arc<Means>) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = thread::Builder::new().name(format!("shard-{partition}")).spawn(move || {
            let mut work =
                Work { partition, means, stop: told, standing: ShardStanding::default(), spoiled: BTreeSet::new() };
            work.run();
        })?;
        Ok(Self { stop, thread })
    }

    /// Tells it to end its turn and let go.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// Waits for its end, but no longer than this: it can do no harm, whoever comes after it fences it.
    pub(super) fn wait(self, patience: Duration) {
        let watch = Stopwatch::start();
        while !self.thread.is_finished() && watch.elapsed() < patience {
            thread::sleep(Duration::from_millis(5));
        }
        if self.thread.is_finished() && self.thread.join().is_err() {
            error!("the owner of a shard ended with a panic; what was committed stands");
        }
    }
}

struct Work {
    partition: i32,
    means: Arc<Means>,
    stop: Arc<AtomicBool>,
    standing: ShardStanding,
    /// Messages that made the judge fail.
    spoiled: BTreeSet<i64>,
}

/// A shard at work.
struct Life {
    pen: Pen,
    log: Changelog,
    shard: Shard,
    next: i64,
    copy: Kept,
    window: Window,
    ticked: Stopwatch,
    /// When a message came last, or it was looked whether one should have.
    heard: Stopwatch,
    stall: Stall,
    load: Load,
    /// When it was last said whose the shard is.
    said: Stopwatch,
    /// When something was stored last.
    stored: Stopwatch,
}

impl Work {
    fn stops(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    fn run(&mut self) {
        while !self.stops() {
            let Err(lost) = self.live();
            self.means.board.counter.close(self.partition);
            self.standing.judges = false;
            match &lost {
                Lost::Stopped => {}
                Lost::Fenced => warn!(partition = self.partition, "another worker has taken the shard over"),
                Lost::Failed(why) => {
                    error!(partition = self.partition, why, "the shard is rebuilt from its changelog");
                    self.standing.trouble = Some(why.clone());
                }
            }
            self.tell();
            (self.means.post)(self.partition, Posted::Leave);
            self.rest(if lost == Lost::Fenced { AGAIN.1 } else { AGAIN.0 });
        }
        self.means.board.leave(self.partition);
        info!(partition = self.partition, "the shard is let go");
    }

    fn rest(&self, time: Duration) {
        let watch = Stopwatch::start();
        while !self.stops() && watch.elapsed() < time {
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn tell(&self) {
        self.means.board.shard(self.partition, &self.standing);
    }

    fn warn(&mut self, text: String) {
        warn!(partition = self.partition, "{text}");
        let warnings = &mut self.standing.warnings;
        warnings.retain(|other| *other != text);
        warnings.push(text);
        let surplus = warnings.len().saturating_sub(WARNINGS);
        warnings.drain(..surplus);
    }

    /// Does what may take long where the brokers are in trouble; people are told why it takes so long.
    fn while_it_waits<T>(&self, work: impl FnOnce(&Wish<'_>) -> T) -> T {
        let waits = |error: &KafkaError| {
            let why = format!("what was decided is not stored yet: {}", clean::line(&error.to_string(), MOST_SAID));
            self.means.board.shard(self.partition, &ShardStanding { trouble: Some(why), ..self.standing.clone() });
        };
        work(&Wish { stops: &|| self.stops(), waits: &waits })
    }

    /// One life of the shard, from taking it over to losing it.
    fn live(&mut self) -> Result<std::convert::Infallible, Lost> {
        let mut life = self.rebuild()?;
        loop {
            if self.stops() {
                return Err(Lost::Stopped);
            }
            life.window.answer(&life.shard, life.next);
            self.turn(&mut life)?;
            self.look(&mut life)?;
            self.tick(&mut life);
            self.say(&mut life);
            self.standing.lag = life.log.lag(life.next);
            self.standing.trouble = life.log.watcher.why_down().map(|why| format!("no broker can be reached: {why}"));
            self.tell();
        }
    }

    fn rebuild(&mut self) -> Result<Life, Lost> {
        let watch = Stopwatch::start();
        self.tell();
        let means = Arc::clone(&self.means);
        // First of all: from here on nobody else can write for this partition, so its records have an end.
        let pen =
            self.while_it_waits(|wish| Pen::take_over(&means.settings, self.partition, means.member.clone(), wish))?;
        let log = Changelog::new(&means.settings, self.partition).map_err(Lost::Failed)?;
        let (found, copy) = self.records(&log)?;
        let (records, messages, copied) = (found.records.len(), found.messages, found.copied);
        let Restored { shard, next, unreadable } =
            Shard::restore(self.partition, &means.own, found.records, self.spoiled.clone());
        for record in unreadable {
            self.warn(format!("a record of the state cannot be read, and stays where it is: {record}"));
        }
        let (next, warning) = log.begin(next).map_err(Lost::Failed)?;
        warning.into_iter().for_each(|warning| self.warn(warning));
        self.standing.judges = true;
        self.standing.trouble = None;
        self.standing.scopes = shard.scopes();
        self.standing.rules = Some(shard.rules().fingerprint);
        let owed = shard.outbox();
        let took = watch.elapsed();
        info!(
            partition = self.partition,
            records,
            copied,
            messages,
            next,
            owed = owed.len(),
            ?took,
            "the shard is rebuilt"
        );
        self.tell();
        (means.post)(self.partition, Posted::Receivers(shard.rules().receivers.clone()));
        (means.post)(self.partition, Posted::Send(owed));
        let (window, said) = (means.board.counter.open(self.partition), self.say_now());
        let (ticked, heard, stored) = (Stopwatch::start(), Stopwatch::start(), Stopwatch::start());
        Ok(Life {
            pen,
            log,
            shard,
            next,
            copy,
            window,
            ticked,
            heard,
            stall: Stall::default(),
            load: Load::default(),
            said,
            stored,
        })
    }

    /// The records of the shard, from the local copy as far as that goes, and the copy to be kept from here on.
    fn records(&self, log: &Changelog) -> Result<(Found, Kept), Lost> {
        let lost = |why| if self.stops() { Lost::Stopped } else { Lost::Failed(why) };
        let (means, now) = (&self.means, self.means.clock.now());
        let topic = Topics::of(&means.settings).state;
        let dir = copy::folder(&means.data_dir, &topic, self.partition);
        let (disk, copied) = LocalCopy::open(&dir, now);
        let (mut found, used) = log.records(copied, || self.stops()).map_err(lost)?;
        let brand = found.brand.take().filter(|(brand, _)| !brand.is_empty());
        let offset = brand.as_ref().map(|(_, offset)| *offset);
        let brand = brand.map_or_else(|| fresh(self.partition, now), |(brand, _)| brand);
        let disk = disk.filter(|_| used);
        let place = Place { cluster: log.cluster().unwrap_or_default(), topic, brand, offset: 0, at: now };
        let mut copy = Kept { copy: LocalCopy::keep(&dir, disk), place };
        copy.take(std::mem::take(&mut found.changed), offset, now);
        Ok((found, copy))
    }

    /// Judges what is there, stores it, and only then sends.
    fn turn(&mut self, life: &mut Life) -> Result<(), Lost> {
        let (mut count, mut bytes, mut wait) = (0, 0, life.window.patience(WAIT));
        let mut failed = None;
        while count < TURN.0 && bytes < TURN.1 {
            let Some(message) = life.log.poll(wait).map_err(Lost::Failed)? else { break };
            (count, wait) = (count + 1, Duration::ZERO);
            let letter = Letter::of(&message);
            bytes += letter.bytes;
            let offset = letter.offset;
            match take((&mut life.shard, &mut life.load), letter) {
                Ok(events) => self.standing.events += events,
                Err(Untaken::Told(why)) => {
                    self.standing.dead += 1;
                    failed = Some(format!(
                        "the message at offset {offset} of partition {} was left out: {why}",
                        self.partition
                    ));
                }
                Err(Untaken::Failed(why)) => {
                    self.spoiled.insert(offset);
                    return Err(Lost::Failed(format!(
                        "the judge failed at offset {offset}: {why}; it is paged instead"
                    )));
                }
            }
            life.next = offset + 1;
        }
        failed.into_iter().for_each(|text| self.warn(clean::line(&text, MOST_SAID)));
        self.standing.messages += count as u64;
        if count == 0 {
            return Ok(());
        }
        (life.heard, life.stall) = (Stopwatch::start(), Stall::default());
        self.standing.outgrown = life.load.look(self.means.clock.now()).map(ToString::to_string);
        let mut out = life.shard.take_yield(life.next).map_err(Lost::Failed)?;
        if out.is_empty() {
            if life.stored.elapsed() < KEEP {
                return Ok(());
            }
            // Else what was read long ago, and led to nothing, would one day seem to be lost.
            out.rows.push(Row::offset(life.next));
        }
        let offset = Row::offset_key();
        out.rows.iter_mut().filter(|row| row.key == offset).for_each(|row| row.brand(&life.copy.place.brand));
        let place = self.while_it_waits(|wish| life.pen.store(&out, life.next, wish))?;
        let rows = out.rows.into_iter().filter(|row| row.shelf == Shelf::State);
        let changed = rows.map(|row| (row.key, row.value)).collect();
        life.copy.take(changed, Some(place).filter(|place| *place >= 0), self.means.clock.now());
        life.stored = Stopwatch::start();
        self.standing.scopes = life.shard.scopes();
        self.standing.rules = Some(life.shard.rules().fingerprint);
        if let Some(receivers) = out.receivers {
            (self.means.post)(self.partition, Posted::Receivers(receivers));
        }
        if !out.notifications.is_empty() {
            (self.means.post)(self.partition, Posted::Send(out.notifications));
        }
        Ok(())
    }

    /// Where nothing comes for long, it asks the brokers whether there is nothing.
    fn look(&self, life: &mut Life) -> Result<(), Lost> {
        if life.heard.elapsed() < QUIET {
            return Ok(());
        }
        life.heard = Stopwatch::start();
        // Brokers that do not answer are told of elsewhere.
        let Some(end) = life.log.end() else { return Ok(()) };
        if !life.stall.stands_still(life.next, end, life.log.is_at_end()) {
            return Ok(());
        }
        Err(Lost::Failed(format!(
            "partition {} goes up to offset {end}, and for {} s nothing was handed over behind {}",
            self.partition,
            QUIET.as_secs(),
            life.next
        )))
    }

    /// Says where the shard is asked.
    fn say_now(&self) -> Stopwatch {
        if let Some(address) = self.means.advertised.address(&self.means.settings.connection.brokers) {
            self.means.scribe.owner(self.partition, &address);
        }
        Stopwatch::start()
    }

    fn say(&self, life: &mut Life) {
        if life.said.elapsed() > SAYS {
            life.said = self.say_now();
        }
    }

    /// Writes the time into the partition, once there is somebody whose timers go by it, or who waits for it to be told.
    fn tick(&self, life: &mut Life) {
        let settings = &self.means.settings;
        let digests = !life.shard.rules().policy.digests.is_empty();
        if life.ticked.elapsed() < settings.tick || (life.shard.scopes() == 0 && !digests) {
            return;
        }
        life.ticked = Stopwatch::start();
        let owes = digests && self.partition == place::partition(OWN, i32::from(settings.partitions));
        self.means.scribe.tick(self.partition, owes.then_some(OWN), self.means.clock.now().after(-BEHIND));
    }
}

/// Hands a message to the shard; gives how many events were in it.
fn take((shard, load): (&mut Shard, &mut Load), letter: Letter<'_>) -> Result<u64, Untaken> {
    let Some(said) = letter.said else { return Ok(0) };
    let said = said.map_err(Untaken::Told)?;
    shard.take(letter.offset, letter.scope, &said)?;
    match said {
        Said::Event(_) => load.event(letter.scope.unwrap_or(DEFAULT)),
        Said::Tick(at) => load.tick(at),
        Said::Order(..) => {}
    }
    Ok(u64::from(matches!(said, Said::Event(_))))
}
