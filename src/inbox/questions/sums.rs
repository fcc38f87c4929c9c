//! Questions about sums.

use serde::{Deserialize, Serialize};

use crate::domain::{HeldBack, Tally, Timestamp};
use crate::inbox::numbered::Numbered;
use crate::inbox::question::Question;
use crate::inbox::view::View;

/// The engine's sums with those of the alarms.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sums;

impl Numbered for Sums {}

impl Question for Sums {
    const NAME: &'static str = "sums";
    type Answer = Tally;

    fn answer(&self, view: &View<'_>) -> Tally {
        let mut tally = view.engine.tally();
        view.alarms.add_to(&mut tally);
        tally
    }

    fn join(&self, all: &mut Tally, other: Tally) {
        for (reason, count) in other.by_reason {
            match all.by_reason.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, sum)) => *sum += count,
                None => all.by_reason.push((reason, count)),
            }
        }
        all.accepted += other.accepted;
        all.samples += other.samples;
        all.waiting += other.waiting;
        all.pages = (all.pages.0 + other.pages.0, all.pages.1 + other.pages.1);
        all.open_incidents += other.open_incidents;
        all.series += other.series;
        all.firing += other.firing;
        all.flapping += other.flapping;
        all.outbox += other.outbox;
    }
}

/// The series of which most was held back, loudest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Loudest(
    /// So many.
    pub usize,
);

impl Numbered for Loudest {}

impl Question for Loudest {
    const NAME: &'static str = "loudest";
    type Answer = (Vec<HeldBack>, Timestamp);

    fn answer(&self, view: &View<'_>) -> Self::Answer {
        (view.engine.loudest(self.0), view.engine.now())
    }

    fn join(&self, all: &mut Self::Answer, other: Self::Answer) {
        all.0.extend(other.0);
        all.1 = all.1.max(other.1);
    }

    fn settle(&self, all: &mut Self::Answer) {
        all.0.sort_by(|a, b| b.held.cmp(&a.held).then_with(|| a.name.cmp(&b.name)));
        all.0.truncate(self.0);
    }
}
