//! The same events under other thresholds: what moving the one number would have done, replayed, not guessed.

use crate::domain::{Event, Policy};
use crate::replay::Run;
use crate::replay::decided::Decided;

/// The thresholds that are tried, in bits of fresh surprise.
const TRIED: &[f64] = &[3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 7.0, 8.0, 10.0];

/// Runs beside the run in force, one for each other threshold.
#[derive(Debug)]
pub struct Steps {
    own: f64,
    runs: Vec<(f64, Run, Decided)>,
}

impl WhatIf {
    /// Nothing else was tried.
    pub(super) const fn none() -> Self {
        Self { own: 0.0, others: Vec::new() }
    }
}

/// What each threshold led to.
#[derive(Debug)]
pub struct WhatIf {
    /// The threshold in force.
    pub own: f64,
    /// The others, lowest first.
    pub others: Vec<(f64, Decided)>,
}

impl Steps {
    /// Runs under the same rules but for the threshold.
    #[must_use]
    pub fn new(policy: &Policy) -> Self {
        let own = policy.judgement.threshold();
        let others = TRIED.iter().filter(|bits| (**bits - own).abs() > 1e-9);
        let runs = others.map(|bits| {
            let mut policy = policy.clone();
            policy.judgement.what_if = Some(*bits);
            (*bits, Run::new(policy), Decided::default())
        });
        Self { own, runs: runs.collect() }
    }

    /// Takes the next event, as [`Run::event`] does.
    pub fn event(&mut self, seq: u64, event: &Event) {
        for (_, run, decided) in &mut self.runs {
            run.event(seq, event.clone(), &mut |decision| decided.take(&decision));
        }
    }

    /// Ends all runs.
    #[must_use]
    pub fn finish(self) -> WhatIf {
        let end = |(bits, run, mut decided): (f64, Run, Decided)| {
            run.finish(&mut |decision| decided.take(&decision));
            (bits, decided)
        };
        WhatIf { own: self.own, others: self.runs.into_iter().map(end).collect() }
    }
}
