//! `squelch learn`: what is ordinary, from recorded history, before the first live event.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;

use super::fault::Fault;
use super::replay::print;
use super::{recording, rules};
use crate::clock::Clock;
use crate::domain::{Engine, Event, Input, Policy, Timestamp, Turn};
use crate::replay::RUNS_ON;
use crate::replay::pace::{Pace, Paced};
use crate::replay::wording::{date_and_time, several};
use crate::store::{Batch, Step, Store, StoreOptions};

/// So many events are stored at once.
const GROUP: usize = 4096;

/// What `squelch learn` is asked to do.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where the store lives; it must not hold anything yet
    #[arg(long, value_name = "DIR", default_value = "squelch-data")]
    data_dir: PathBuf,
    /// The folder with the rules [default: ./rules where it exists, over those in the binary]
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Recorded events as JSON Lines, oldest first, plain or packed with gzip or zstd; `-` reads standard input
    #[arg(required = true, value_name = "FILE.jsonl")]
    inputs: Vec<PathBuf>,
    /// Print JSON instead of a sentence
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// When the store holds something already, the history cannot be read, or it cannot be stored.
pub(super) fn run(args: &Args) -> Result<(), Fault> {
    let policy = Policy { shadow: true, ..rules::policy(args.rules.as_deref())? };
    let mut pupil = Pupil::new(args, policy)?;
    let mut pace = Pace::default();
    recording::read(&args.inputs, false, |_, event| {
        if let Some(paced) = event.and_then(|event| pace.push(0, event)) {
            pupil.take(paced);
        }
    })?;
    while let Some(paced) = pace.release() {
        pupil.take(paced);
    }
    print(&pupil.finish(args.json)?)
}

/// An engine that learns, and the store that it learns for.
struct Pupil {
    engine: Engine,
    store: Store,
    turn: Turn,
    events: Vec<Event>,
    learned: u64,
    today: Timestamp,
    /// The first failure; told at the end.
    failed: Option<Fault>,
}

impl Pupil {
    fn new(args: &Args, policy: Policy) -> Result<Self, Fault> {
        let wrong = |error: &dyn std::fmt::Display| Fault::Wrong(format!("{}: {error}", args.data_dir.display()));
        let (store, recovered) =
            Store::open(&args.data_dir, &StoreOptions::default()).map_err(|error| wrong(&error))?;
        if recovered.next_seq > 0 || !recovered.records.is_empty() {
            return Err(wrong(
                &"this store holds events already, and learning comes before the first of them; name an empty \
                 directory with --data-dir",
            ));
        }
        Ok(Self {
            engine: Engine::new(Arc::new(policy)),
            store,
            turn: Turn::default(),
            events: Vec::new(),
            learned: 0,
            today: Clock::start(Timestamp::EPOCH).now(),
            failed: None,
        })
    }

    fn take(&mut self, paced: Paced) {
        if self.failed.is_some() {
            return;
        }
        if paced.now > self.today {
            let when = date_and_time(paced.now);
            self.failed =
                Some(Fault::Wrong(format!("the history reaches into the future ({when} UTC): mend its times")));
            return;
        }
        let event = Event { received: Some(paced.now), ..paced.event };
        let seq = self.learned + self.events.len() as u64;
        self.engine.handle(paced.now, Input::Event { seq, event: &event }, &mut self.turn);
        self.turn.clear();
        self.events.push(event);
        if self.events.len() >= GROUP {
            self.store_group();
        }
    }

    fn store_group(&mut self) {
        let changes = self.engine.take_changes();
        let events: Vec<(u64, &Event)> = (self.learned..).zip(&self.events).collect();
        let batch = Batch { events: &events, changes: &changes, now: self.engine.now() };
        if let Err(error) = self.store.commit(&batch) {
            self.failed = Some(Fault::Wrong(format!("cannot store what was learned: {error}")));
        }
        self.learned += self.events.len() as u64;
        self.events.clear();
    }

    /// What still waits is decided, and everything is stored.
    fn finish(mut self, json: bool) -> Result<String, Fault> {
        let last = self.engine.now();
        // Not beyond today: the live engine's time must not begin ahead of the clock.
        self.engine.finish(last.after(RUNS_ON).min(self.today).max(last), &mut self.turn);
        self.store_group();
        self.store.ask_for_snapshot();
        while self.failed.is_none() {
            let engine = &self.engine;
            match self.store.maintain(engine.now(), |cursor, bytes| engine.snapshot_part(cursor, bytes)) {
                Ok(Step::Idle) => break,
                Ok(_) => {}
                Err(error) => self.failed = Some(Fault::Wrong(format!("cannot store what was learned: {error}"))),
            }
        }
        if let Some(fault) = self.failed {
            return Err(fault);
        }
        let tally = self.engine.tally();
        if json {
            let sums = json!({"events": self.learned, "until": last.secs(), "series": tally.series});
            return Ok(format!("{sums}\n"));
        }
        Ok(format!(
            "learned from {} up to {} UTC: {} known; `squelch serve` goes on from here\n",
            several(self.learned, "event"),
            date_and_time(last),
            several(tally.series, "series"),
        ))
    }
}
