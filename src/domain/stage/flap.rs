//! Flapping: many state changes in wall time, over all severities, at several time scales, with hysteresis.
//!
//! Counted in time, not in checks: a state that flips each 20 minutes for hours is flapping, too (Nagios and
//! Icinga count checks and never see it). Deliberately no effect on anything: what flapping means for events and
//! pages is decided by the engine.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::level::Level;
use crate::domain::policy::{FlapRule, Pace, PromoteWhen};
use crate::domain::time::Timestamp;

const REMEMBERED: usize = Pace::MOST_CHANGES as usize;

/// What a series remembers of its state changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Flap {
    /// Its latest changes, oldest first, at most [`Pace::MOST_CHANGES`].
    changes: Vec<Timestamp>,
    /// Whether it stopped flapping in a bad state, and has been in it since.
    pub(crate) ended_bad: bool,
    /// When it was steady last.
    left: Option<Timestamp>,
    /// The episode of flapping that it is in.
    pub(crate) episode: Option<Box<FlapEpisode>>,
}

/// An episode of flapping.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct FlapEpisode {
    /// Since when: the first change that counted for it.
    pub(crate) since: Timestamp,
    /// When it was recognised.
    pub(crate) entered: Timestamp,
    /// The pace that made it.
    pub(crate) pace: (u32, f64),
    /// Whether it goes on with what people were told of: it was steady for less than the window of its pace.
    pub(crate) again: bool,
    /// The worst level in it.
    pub(crate) worst: Level,
    /// The worst level when it was recognised: worse than that is worsening.
    worst_then: Level,
    /// Seconds in a bad state, up to `counted`, in its first and in its second period.
    bad: [f64; 2],
    /// Seconds, in its first and in its second period.
    all: [f64; 2],
    /// Changes, in its first and in its second period.
    turns: [u32; 2],
    /// The state since `counted`.
    level: Level,
    counted: Timestamp,
    /// When to look whether it is over.
    pub(crate) steady_at: Timestamp,
    /// When to look whether it has lasted.
    pub(crate) promote_at: Timestamp,
    /// Whether it has paged, or joined an incident, already.
    pub(crate) promoted: bool,
    /// Changes in it so far.
    pub(crate) count: u32,
}

impl Flap {
    /// How many changes there were in the window before `now`.
    pub(crate) fn count(&self, window: Duration, now: Timestamp) -> u32 {
        let since = now - window;
        self.changes.iter().filter(|&&at| at > since).count() as u32
    }

    /// Records a change of state from `before` to `level`; whether flapping begins with it.
    pub(crate) fn change(&mut self, before: Level, level: Level, now: Timestamp, rule: &FlapRule) -> bool {
        if self.changes.len() == REMEMBERED {
            self.changes.remove(0);
        }
        if self.changes.len() == self.changes.capacity() {
            self.changes.reserve_exact(4);
        }
        self.changes.push(now);
        if let Some(episode) = &mut self.episode {
            episode.account(now, rule);
            episode.turns[episode.period(rule)] += 1;
            episode.level = level;
            episode.worst = episode.worst.max(level);
            episode.count += 1;
            return false;
        }
        let Some(pace) = rule.enter.iter().find(|pace| self.count(pace.window, now) >= pace.changes) else {
            return false;
        };
        let first = self.changes.len() - (pace.changes as usize).min(self.changes.len());
        self.episode = Some(Box::new(FlapEpisode {
            since: self.changes[first],
            entered: now,
            pace: (pace.changes, pace.window.as_secs_f64()),
            again: self.left.is_some_and(|left| now < left + pace.window),
            worst: level.max(before),
            worst_then: level.max(before),
            bad: [0.0; 2],
            all: [0.0; 2],
            turns: [0; 2],
            level,
            counted: now,
            steady_at: now,
            promote_at: self.changes[first] + rule.promote_after,
            promoted: false,
            count: pace.changes,
        }));
        true
    }

    /// When the changes in the window of `leave` will have become few enough, if no more come.
    pub(crate) fn steady_at(&self, leave: Pace) -> Option<Timestamp> {
        let too_many = (leave.changes as usize + 1).min(self.changes.len());
        (too_many > 0).then(|| self.changes[self.changes.len() - too_many] + leave.window)
    }

    /// Ends the episode of flapping at `now`.
    pub(crate) fn settle(&mut self, now: Timestamp) -> Option<Box<FlapEpisode>> {
        self.left = Some(now);
        self.episode.take()
    }
}

impl FlapEpisode {
    /// The period that `counted` lies in: the first lasts until `promote_after`.
    fn period(&self, rule: &FlapRule) -> usize {
        usize::from(self.counted >= self.since + rule.promote_after)
    }

    /// Adds the time since it was last counted to the period that it belongs to.
    pub(crate) fn account(&mut self, now: Timestamp, rule: &FlapRule) {
        let period = self.period(rule);
        let passed = now.since(self.counted).max(0.0);
        self.all[period] += passed;
        if self.level > Level::Off {
            self.bad[period] += passed;
        }
        self.counted = now;
    }

    /// Whether it got worse; or, once the second period has lasted as long as the first, whether it is in the bad state
    /// for more of the time, or changes twice as fast.
    fn worsens(&self, rule: &FlapRule) -> bool {
        /// A quarter more of the time, and at least a tenth of all time: less is chance.
        const MORE: f64 = 1.25;
        const MARGIN: f64 = 0.1;
        /// Fewer changes say nothing of how fast they come.
        const MANY: u32 = 8;
        let share = |period: usize| if self.all[period] > 0.0 { self.bad[period] / self.all[period] } else { 0.0 };
        let comparable = self.all[1] >= rule.promote_after.as_secs_f64() && self.all[0] > 0.0;
        // One change more in the first period than was seen: it may have been recognised late.
        let pace = |period: usize| f64::from(self.turns[period] + u32::from(period == 0)) / self.all[period];
        let longer = || share(1) > (share(0) * MORE).max(share(0) + MARGIN);
        let faster = || self.turns[1] >= MANY && pace(1) >= 2.0 * pace(0);
        self.worst > self.worst_then || (comparable && (longer() || faster()))
    }

    /// Whether it may page now: it lasted, and one of the rule's conditions holds. `hosts` flap by this check.
    pub(crate) fn promotes(&self, now: Timestamp, rule: &FlapRule, hosts: u32) -> bool {
        !self.promoted
            && now >= self.promote_at
            && rule.promote_when.iter().any(|when| match when {
                PromoteWhen::Worsening => self.worsens(rule),
                PromoteWhen::Spreading => hosts >= rule.spread,
                PromoteWhen::Lasting => true,
            })
    }
}
