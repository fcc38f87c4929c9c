//! One engine, driven over recorded events in virtual time.
//!
//! Deliberately without a clock: time is what the events say ([`super::pace`]), and the engine itself fires whatever
//! was due in between, each at its own deadline.

use std::sync::Arc;

use super::pace::{Pace, Paced};
use crate::domain::{Decision, Engine, Event, Input, Policy, Timestamp, Turn};

/// How long a run goes on after its last event, in seconds (1 hour), so that what is held is decided and what is
/// over is closed.
pub const RUNS_ON: f64 = 3600.0;

/// A run of the engine over recorded events.
#[derive(Debug)]
pub struct Run {
    engine: Engine,
    pace: Pace,
    turn: Turn,
    /// Events after this are left out; `None` = there is no such time.
    until: Option<Timestamp>,
}

impl Run {
    /// A run of an engine that has seen nothing. Nothing is owed to receivers: a replay pages nobody.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            engine: Engine::new(Arc::new(Policy { shadow: true, ..policy })),
            pace: Pace::default(),
            turn: Turn::default(),
            until: None,
        }
    }

    /// A run that stops at `time`: what comes after it does not happen, and what waits then still waits.
    #[must_use]
    pub fn up_to(self, time: Timestamp) -> Self {
        Self { until: Some(time), ..self }
    }

    /// Takes the next event under its number (the input line from 0) and hands out what was decided meanwhile.
    pub fn event(&mut self, seq: u64, event: Event, decided: &mut impl FnMut(Decision)) {
        if let Some(paced) = self.pace.push(seq, event) {
            self.judge(&paced, decided);
        }
    }

    /// Ends the run: [`RUNS_ON`] after the last event every verdict is given and every incident summed up.
    pub fn finish(mut self, decided: &mut impl FnMut(Decision)) -> Engine {
        while let Some(paced) = self.pace.release() {
            self.judge(&paced, decided);
        }
        match self.until {
            Some(time) => self.engine.handle(time, Input::Tick, &mut self.turn),
            None => {
                let end = self.engine.now().after(RUNS_ON);
                // That a recording ends is nobody's silence.
                self.engine.resume(end);
                self.engine.finish(end, &mut self.turn);
            }
        }
        self.turn.decisions.drain(..).for_each(decided);
        self.engine
    }

    /// The engine as it stands: up to [`super::pace::WINDOW`] events behind the input.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    fn judge(&mut self, paced: &Paced, decided: &mut impl FnMut(Decision)) {
        if self.until.is_some_and(|until| paced.now > until) {
            return;
        }
        self.engine.handle(paced.now, Input::Event { seq: paced.seq, event: &paced.event }, &mut self.turn);
        self.turn.decisions.drain(..).for_each(&mut *decided);
        self.turn.clear();
    }
}
