//! The engine: every decision, one turn at a time.
//!
//! One event's way: `intake` finds its alert and its series (identity), and ends what is nothing new (repeats,
//! resolves, changes); `mutes` holds back what a silence or an inhibition covers; `onset` works out how
//! surprising the start is (`stage::surprise`, `value`, `burst`) and hands its bits to its components, whose meters
//! (`surge`) say when it is enough; `flapping` takes over what changes too often; `incidents` opens, joins,
//! escalates (`kinship` finds which, `budgets` what people bear, `paging` tells people, `audience` whom, `closing` ends it, `feedback` is what people say of it); `ledger` keeps the sums. What may still become a page waits
//! for its verdict, no longer than its hold.
//!
//! Deliberately without I/O, clock, randomness, logging, locks or statics, and without any order that depends on
//! how the state came about: an engine restored from its records decides as if it had never stopped.

mod audience;
mod budgets;
mod bursts;
mod closing;
mod covering;
mod daybook;
mod expiry;
mod feedback;
mod flapping;
mod habits;
mod hearing;
mod incidents;
mod inhibiting;
mod intake;
mod kinship;
mod limits;
mod links;
mod mutes;
mod onset;
mod origin;
mod outbox;
mod paging;
mod postings;
mod records;
mod reminding;
mod samples;
mod shadowing;
mod split;
mod surge;
mod unsent;
mod verdicts;
mod views;
mod wording;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

pub use records::RestoreError;

use super::alert::Alert;
use super::budget::Spending;
use super::check::Check;
use super::component::Component;
use super::daybook::{Daybook, Parts};
use super::decision::IncidentId;
use super::fingerprint::Fingerprint;
use super::heartbeat::Heartbeat;
use super::incident::Incident;
use super::ledger::{Changes, Ledger};
use super::opinion::Feedback;
use super::policy::Policy;
use super::posting::Posting;
use super::route::Looks;
use super::series::Series;
use super::shadow::ShadowWord;
use super::source::Source;
use super::table::{Slot, Table};
use super::time::Timestamp;
use super::timers::{Due, Timers};
use super::turn::{Input, Turn};

/// The state of everything that is judged, and the judgement. Owned by one task; never shared.
#[derive(Debug)]
pub struct Engine {
    /// In force: the given one, but for what a person said of shadow mode.
    policy: Arc<Policy>,
    given: Arc<Policy>,
    ledger: Table<Ledger>,
    book: Slot,
    changes: Table<Changes>,
    suspects: Slot,
    sources: Table<Source>,
    checks: Table<Check>,
    series: Table<Series>,
    alerts: Table<Alert>,
    postings: Table<Posting>,
    components: Table<Component>,
    incidents: Table<Incident>,
    silences: Table<mutes::Ordered>,
    heartbeats: Table<Heartbeat>,
    feedback: Table<Feedback>,
    budgets: Table<Spending>,
    shadow: Table<ShadowWord>,
    unsent: Table<unsent::Unsent>,
    outbox: Table<outbox::Owed>,
    /// What was decided, for digests.
    daybook: Daybook,
    /// The parts of the day book that series belong to. Follows from the policy and the names of the series.
    parts: FxHashMap<Fingerprint, Parts>,
    /// Whether it is noted since when the digests of the policy are known.
    digests_known: bool,
    timers: Timers,
    /// The latest incident of each origin. Follows from `incidents`.
    known: FxHashMap<Option<Arc<str>>, IncidentId>,
    /// The incidents of which a word about a series, or about a check, was said, ascending, and whether it speaks of
    /// criticals. Follows from `feedback`.
    said: FxHashMap<Fingerprint, Vec<(IncidentId, bool)>>,
    /// How many incidents are closed but still remembered. Follows from `incidents`.
    closed: usize,
    /// The series that are flapping, by check. Follows from `series`.
    flapping: FxHashMap<Fingerprint, BTreeSet<Fingerprint>>,
    /// How many alerts fire that inhibit, by inhibition and values to agree on. Follows from `alerts`.
    inhibiting: BTreeMap<(String, Fingerprint), u32>,
    /// The alerts that are judged although they are targets of inhibitions: a source may still come. Follows from `alerts`.
    targets: BTreeSet<Fingerprint>,
    /// When planned work begins or ends next: a timer is set for that. In the past = it was not asked for yet.
    maintained: Timestamp,
    /// Whether the heartbeats of the policy are waited for: not before the first input.
    expects_heartbeats: bool,
    /// Whether a timer will sweep up the postings. Follows from `postings`.
    sweeps: bool,
    /// What routes look at, and the name of that. Follows from the policy.
    looks: (Looks, Fingerprint),
    /// Names, so that equal ones share their memory. Follows from everything else.
    names: rustc_hash::FxHashSet<Arc<str>>,
}

impl Engine {
    /// An engine that has seen nothing.
    #[must_use]
    pub fn new(policy: Arc<Policy>) -> Self {
        let (mut ledger, mut changes) = (Table::default(), Table::default());
        let mut engine = Self {
            given: Arc::clone(&policy),
            policy,
            book: ledger.insert(Ledger::default()),
            ledger,
            suspects: changes.insert(Changes::default()),
            changes,
            sources: Table::default(),
            checks: Table::default(),
            series: Table::default(),
            alerts: Table::default(),
            postings: Table::default(),
            components: Table::default(),
            incidents: Table::default(),
            silences: Table::default(),
            heartbeats: Table::default(),
            feedback: Table::default(),
            budgets: Table::default(),
            shadow: Table::default(),
            unsent: Table::default(),
            outbox: Table::default(),
            daybook: Daybook::default(),
            parts: FxHashMap::default(),
            digests_known: false,
            timers: Timers::default(),
            known: FxHashMap::default(),
            said: FxHashMap::default(),
            closed: 0,
            flapping: FxHashMap::default(),
            inhibiting: BTreeMap::new(),
            targets: BTreeSet::new(),
            maintained: Timestamp::EPOCH,
            expects_heartbeats: false,
            sweeps: false,
            looks: (Looks::default(), Fingerprint(0)),
            names: rustc_hash::FxHashSet::default(),
        };
        engine.look_again();
        engine.set_silence_timers();
        engine.follow_digests();
        engine
    }

    /// Takes one input at `now` and adds what it leads to to `turn`. Whatever was due before `now` fires first,
    /// each at its own deadline. A `now` before the engine's time counts as the engine's time.
    pub fn handle(&mut self, now: Timestamp, input: Input<'_>, turn: &mut Turn) {
        let before = (turn.decisions.len(), self.ledger.at(self.book).accepted);
        self.run_to(now, turn);
        self.know_digests();
        if !self.expects_heartbeats {
            self.expect_heartbeats(turn);
        }
        match input {
            Input::Event { seq, event } => self.event(seq, event, turn),
            Input::Tick => {}
            Input::Policy(policy) => self.follow(policy, turn),
            Input::Acknowledge { incident, by } => self.acknowledge(incident, by, turn),
            Input::Resolve { incident, by } => self.resolve_by_hand(incident, by, turn),
            Input::Split { incident, part, by } => self.split((incident, part), by, turn),
            Input::Feedback { incident, opinion, by } => self.hear_opinion(incident, opinion, by),
            Input::Silence(silence) => self.order_silence(silence, turn),
            Input::Shadow { on, by } => self.switch_shadow(on, by),
            Input::Delivered(key) => self.delivered(key),
            Input::Overdue(key) => self.told_instead(key),
            Input::Undeliverable { key, error } => self.undeliverable(key, error, turn),
            Input::Digest(dispatch) => self.dispatch(dispatch, turn),
        }
        let accepted = self.ledger.at(self.book).accepted - before.1;
        self.write_down(accepted, &turn.decisions[before.0..]);
    }

    /// Ends a run: every event that waits gets its verdict, every open incident its summary.
    pub fn finish(&mut self, now: Timestamp, turn: &mut Turn) {
        let before = turn.decisions.len();
        self.run_to(now, turn);
        let mut waiting: Vec<_> = self
            .series
            .rows()
            .filter(|(_, series)| !series.waiting.is_empty())
            .map(|(slot, series)| (series.waiting[0], slot))
            .collect();
        waiting.sort_unstable_by_key(|(seq, _)| *seq);
        for (_, slot) in waiting {
            self.end_hold(slot, turn);
        }
        self.report_open_incidents(turn);
        self.write_down(0, &turn.decisions[before..]);
    }

    /// When the next timer is due; a `Tick` at or after it is needed. May be earlier than anything happens.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.timers.next()
    }

    /// The engine's time: the latest `now` it was given.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.ledger.at(self.book).now
    }

    /// The policy in force.
    #[must_use]
    pub const fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// Moves time to `now`; fires what is due on the way, each at its own time.
    fn run_to(&mut self, now: Timestamp, turn: &mut Turn) {
        while let Some((at, what, whom)) = self.timers.due(now) {
            let book = self.ledger.change(self.book);
            book.now = book.now.max(at);
            self.fire(what, whom, turn);
        }
        if self.now() < now {
            self.ledger.change(self.book).now = now;
        }
    }

    /// Fires one timer, unless what it reminds of has another deadline by now.
    fn fire(&mut self, what: Due, whom: Fingerprint, turn: &mut Turn) {
        match what {
            Due::Burst => self.burst_ends(whom, turn),
            Due::Expire => self.expire(whom, turn),
            Due::Cross => self.cross_due(whom, turn),
            Due::Outlive => self.outlive(whom, turn),
            Due::Hold => self.hold_due(whom, turn),
            Due::Steady => self.steady_due(whom, turn),
            Due::Promote => self.promote_due(whom, turn),
            Due::Calm => self.calm(whom, turn),
            Due::Silence => self.silences_changed(turn),
            Due::Heartbeat => self.heartbeat_due(whom, turn),
            Due::Source => self.source_due(whom, turn),
            Due::Sweep => self.sweep_postings(),
            Due::Budget => self.budget_due(whom, turn),
            Due::Later => self.later_due(whom, turn),
            Due::Remind => self.remind_due(whom, turn),
            Due::Unsent => self.unsent_due(whom, turn),
        }
    }

    /// Puts new rules into force. All state is kept; what still fires is judged by them from its next change on.
    fn follow(&mut self, policy: Arc<Policy>, turn: &mut Turn) {
        self.given = policy;
        self.put_in_force();
        self.set_silence_timers();
        self.silences_changed(turn);
        self.expect_heartbeats(turn);
        self.watch_sources();
        self.follow_budgets(turn);
        self.follow_routes();
        self.follow_digests();
        self.know_digests();
    }

    /// A shared copy of a name.
    fn name(&mut self, text: &str) -> Arc<str> {
        if let Some(name) = self.names.get(text) {
            return Arc::clone(name);
        }
        let name: Arc<str> = Arc::from(text);
        self.names.insert(Arc::clone(&name));
        name
    }

    /// When the engine first heard of anything; at the first event, just before it.
    fn start(&self) -> Timestamp {
        self.ledger.at(self.book).start.unwrap_or_else(|| self.now())
    }
}
