//! How much a shard is asked, and by whom: one scope is judged by one thread, and may outgrow it.
//!
//! Pure. How far behind a shard is, its own ticks tell: they stand in the log between the events and say what time it was.
//! Deliberately no alarm while it catches up: after a worker's death every shard is behind, and soon is not.

use std::fmt;

use rustc_hash::FxHashMap;

use crate::domain::Timestamp;

/// Who is so far behind, in seconds, may be outgrown: a page that comes half a minute late is felt.
const LATE: f64 = 30.0;
/// Who is no further behind, in seconds, has caught up: ticks are a second apart, and turns take a part of one.
const CAUGHT_UP: f64 = 5.0;
/// It is looked again after so many seconds.
const WINDOW: f64 = 60.0;
/// Who catches up with less than so many seconds of the log in a window does not count as catching up.
const GAIN: f64 = WINDOW / 2.0;

/// What is asked of a shard.
#[derive(Debug, Default)]
pub(super) struct Load {
    /// Events by scope, those of earlier windows halved with each.
    counts: FxHashMap<Box<str>, u64>,
    /// What the last tick said that was read.
    ticked: Option<Timestamp>,
    /// When the window began, and how far behind the shard was then.
    begun: Option<(Timestamp, f64)>,
    outgrown: Option<Outgrown>,
}

/// A shard that is asked for more than it can judge.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outgrown {
    /// The scope with most of its events.
    pub(super) scope: String,
    /// Its part of them, 0 to 1.
    pub(super) share: f64,
    /// How many scopes had any.
    pub(super) scopes: usize,
    /// How far it is behind, in seconds.
    pub(super) behind: f64,
}

impl fmt::Display for Outgrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scope, share, scopes, behind } = self;
        let percent = 100.0 * share;
        write!(f, "it is {behind:.0} s behind and does not catch up: ")?;
        if *share > 0.5 {
            write!(
                f,
                "the scope `{scope}` has outgrown it with {percent:.0} % of its events, and one thread judges a scope; \
                 name more fields in `cluster.scope`, so that it becomes several, or send less of it"
            )
        } else {
            write!(
                f,
                "{scopes} scopes have events (most of them, {percent:.0} %, `{scope}`); more workers help, as long as \
                 this one has several shards"
            )
        }
    }
}

impl Load {
    /// An event of this scope was judged.
    pub(super) fn event(&mut self, scope: &str) {
        match self.counts.get_mut(scope) {
            Some(count) => *count += 1,
            None => drop(self.counts.insert(scope.into(), 1)),
        }
    }

    /// A tick was read: at its place of the log it was this time.
    pub(super) const fn tick(&mut self, at: Timestamp) {
        self.ticked = Some(at);
    }

    /// Whether the shard is outgrown now. To be asked after each turn that read something.
    pub(super) fn look(&mut self, now: Timestamp) -> Option<&Outgrown> {
        let behind = now.since(self.ticked?).max(0.0);
        let (begun, before) = *self.begun.get_or_insert((now, behind));
        if behind < CAUGHT_UP {
            self.outgrown = None;
        }
        if now.since(begun) >= WINDOW {
            let grows = behind > LATE && behind > before - GAIN;
            self.outgrown = if grows { self.largest(behind) } else { None };
            self.begun = Some((now, behind));
            self.counts.retain(|_, count| {
                *count /= 2;
                *count > 0
            });
        }
        self.outgrown.as_ref()
    }

    fn largest(&self, behind: f64) -> Option<Outgrown> {
        let all: u64 = self.counts.values().sum();
        // Of two equal ones the first by name, whatever the order of the map.
        let (scope, count) = self.counts.iter().max_by(|a, b| a.1.cmp(b.1).then_with(|| b.0.cmp(a.0)))?;
        let share = *count as f64 / all.max(1) as f64;
        Some(Outgrown { scope: scope.to_string(), share, scopes: self.counts.len(), behind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Timestamp {
        Timestamp::from_millis(1_780_000_000_000).after(seconds)
    }

    /// A shard that judges a second of the log in so many seconds, from so far behind; each second nine events of one
    /// scope and one of another. What it says after so long.
    fn after(behind: f64, pace: f64, seconds: u32) -> Option<Outgrown> {
        let mut load = Load::default();
        let mut last = None;
        for second in 0..seconds {
            (0..9).for_each(|_| load.event("shop"));
            load.event("bank");
            let now = f64::from(second);
            load.tick(at((now * pace - behind).min(now)));
            last = load.look(at(now)).cloned();
        }
        last
    }

    #[test]
    fn a_shard_that_falls_behind_names_the_scope_that_outgrew_it() {
        let outgrown = after(0.0, 0.4, 90).unwrap();
        assert_eq!((outgrown.scope.as_str(), outgrown.scopes), ("shop", 2));
        assert!((outgrown.share - 0.9).abs() < 1e-9 && outgrown.behind > LATE, "{outgrown:?}");
        assert!(outgrown.to_string().contains("the scope `shop` has outgrown it with 90 %"), "{outgrown}");
    }

    #[test]
    fn a_shard_that_catches_up_after_a_death_says_nothing() {
        for seconds in [30, 61, 90, 200, 600] {
            assert_eq!(after(600.0, 3.0, seconds), None, "{seconds}");
        }
    }

    #[test]
    fn a_shard_that_stays_behind_says_so_and_stops_once_it_has_caught_up() {
        assert!(after(120.0, 1.0, 70).is_some());
        let mut load = Load::default();
        load.event("shop");
        (0..=60).for_each(|second| {
            load.tick(at(f64::from(second) - 120.0));
            load.look(at(f64::from(second)));
        });
        assert!(load.look(at(60.0)).is_some());
        load.tick(at(59.0));
        assert_eq!(load.look(at(61.0)), None);
    }

    #[test]
    fn without_ticks_nobody_knows_how_far_behind_it_is() {
        let mut load = Load::default();
        (0..200).for_each(|second| {
            load.event("shop");
            assert_eq!(load.look(at(f64::from(second))), None);
        });
    }

    #[test]
    fn where_no_scope_has_most_it_is_more_workers_that_help() {
        let many = Outgrown { scope: "a".into(), share: 0.2, scopes: 40, behind: 75.0 };
        assert!(many.to_string().contains("40 scopes have events"), "{many}");
    }
}
