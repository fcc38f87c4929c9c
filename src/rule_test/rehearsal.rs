//! A rule test run through the engine, in virtual time.
//!
//! Deliberately without an opinion: what came of it is compared in [`super::verdict`].

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::test_file::case::{Act, Case, Step};
use crate::domain::{Decision, Engine, Input, Notification, Policy, Timestamp, Turn};
use crate::replay::decisions;

/// How a case is run. All ways must come to the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// From step to step.
    Plain,
    /// With a tick at every deadline in between.
    Ticking,
    /// Stopped, saved and loaded before every step that counts.
    Cut,
    /// Stopped, saved and loaded before this step alone.
    CutBefore(usize),
}

/// What came of a case.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Everything that was decided, in order.
    pub decisions: Vec<Decision>,
    /// The same as JSON Lines: equal runs are equal here to the byte.
    pub lines: String,
    /// What was owed to receivers, in order.
    pub told: Vec<Arc<Notification>>,
    /// Records that could not be restored: none, ever.
    pub damage: Vec<String>,
    /// The place among the steps, by event number.
    pub steps: Vec<usize>,
}

/// Runs a case. Every notification counts as delivered at once.
#[must_use]
pub fn rehearse(case: &Case, manner: Manner) -> Outcome {
    let mut stage = Stage {
        engine: Engine::new(Arc::clone(&case.policy)),
        policy: Arc::clone(&case.policy),
        records: BTreeMap::new(),
        turn: Turn::default(),
        outcome: Outcome::default(),
    };
    for (at, step) in case.steps.iter().enumerate() {
        if manner == Manner::Ticking {
            // A clock that was set back has not reached the step's own time.
            stage.tick_until(step.received().min(step.at));
        }
        if manner == Manner::CutBefore(at) || (manner == Manner::Cut && !step.is_history()) {
            stage.restart();
        }
        stage.act(at, step);
    }
    if manner == Manner::Ticking {
        stage.tick_until(case.until);
    }
    stage.engine.finish(case.until, &mut stage.turn);
    stage.collect();
    stage.outcome
}

struct Stage {
    engine: Engine,
    policy: Arc<Policy>,
    /// What a store would hold.
    records: BTreeMap<Vec<u8>, Vec<u8>>,
    turn: Turn,
    outcome: Outcome,
}

impl Stage {
    fn act(&mut self, place: usize, step: &Step) {
        let now = step.received();
        match &step.act {
            Act::Event(event) => {
                let seq = self.outcome.steps.len() as u64;
                self.outcome.steps.push(place);
                self.engine.handle(now, Input::Event { seq, event }, &mut self.turn);
            }
            Act::Silence(silence) => self.engine.handle(now, Input::Silence(silence), &mut self.turn),
            Act::Feedback(incident, opinion, by) => {
                let input = Input::Feedback { incident: *incident, opinion: *opinion, by };
                self.engine.handle(now, input, &mut self.turn);
            }
            Act::Acknowledge(incident, by) => {
                self.engine.handle(now, Input::Acknowledge { incident: *incident, by }, &mut self.turn);
            }
            Act::Resolve(incident, by) => {
                self.engine.handle(now, Input::Resolve { incident: *incident, by }, &mut self.turn);
            }
            Act::Split(incident, part, by) => {
                self.engine.handle(now, Input::Split { incident: *incident, part, by }, &mut self.turn);
            }
            Act::Rules(policy) => {
                self.policy = Arc::clone(policy);
                self.engine.handle(now, Input::Policy(Arc::clone(policy)), &mut self.turn);
            }
            Act::Restart => self.restart(),
        }
        self.collect();
    }

    /// Ticks at every deadline up to `time`, as the shell does.
    fn tick_until(&mut self, time: Timestamp) {
        let mut last = None;
        while let Some(due) = self.engine.next_deadline().filter(|due| *due <= time && last < Some(*due)) {
            self.engine.handle(due, Input::Tick, &mut self.turn);
            self.collect();
            last = Some(due);
        }
    }

    /// Takes what was decided, and confirms what was to be sent.
    fn collect(&mut self) {
        let now = self.engine.now();
        loop {
            for decision in self.turn.decisions.drain(..) {
                decisions::write(&decision, &mut self.outcome.lines);
                self.outcome.decisions.push(decision);
            }
            let owed = std::mem::take(&mut self.turn.notifications);
            if owed.is_empty() {
                break;
            }
            for notification in owed {
                self.engine.handle(now, Input::Delivered(&notification.key), &mut self.turn);
                self.outcome.told.push(notification);
            }
        }
    }

    fn restart(&mut self) {
        for change in self.engine.take_changes() {
            match change.value {
                Some(value) => self.records.insert(change.key, value),
                None => self.records.remove(&change.key),
            };
        }
        let records = self.records.iter().map(|(key, value)| (key.clone(), value.clone()));
        let (engine, errors) = Engine::restore(Arc::clone(&self.policy), records);
        self.engine = engine;
        self.outcome.damage.extend(errors.iter().map(ToString::to_string));
    }
}
