//! The constants of the judgement, each with what it means to an on-call engineer. One set for all data.
//!
//! Where a number comes from a measurement, `docs/EVALUATION.md` has it. Deliberately no per-rule copies: what a
//! rule may change is in [`super::policy::Handling`].

use super::signal::vocabulary;

vocabulary! {
    /// How much fresh surprise makes a page, as people say it.
    #[derive(Default)]
    Sensitivity {
        /// 7 bits: only what is very unusual.
        Quiet = "quiet",
        /// 5 bits.
        #[default]
        Normal = "normal",
        /// 4.5 bits: rather one page too many.
        Sensitive = "sensitive",
    }
}

impl Sensitivity {
    /// The threshold in bits of fresh surprise.
    #[must_use]
    pub const fn threshold(self) -> f64 {
        match self {
            Self::Quiet => 7.0,
            Self::Normal => 5.0,
            Self::Sensitive => 4.5,
        }
    }
}

/// The constants. Times are in seconds, rates in starts a second, surprise in bits.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// How much makes a page.
    pub sensitivity: Sensitivity,
    /// A threshold in bits in place of the sensitivity's: for replays that ask what another one would have done. Rules
    /// cannot set it.
    pub what_if: Option<f64>,
    /// Surprise is smoothed over this long, so that a one-minute blip fades away (120 s).
    pub settle: f64,
    /// Surprise fades with this time constant: what stays on becomes old news (1,200 s).
    pub fade: f64,
    /// A start is judged against the chance of at least one start in such a window (900 s).
    pub window: f64,
    /// How often a series of a check never seen before is taken to start: once in this long (5 days).
    pub stranger_starts_every: f64,
    /// How much history of its own a series needs until it counts as much as the shared prior (1 day).
    pub own_history: f64,
    /// How many series' worth the prior counts against what the same check does elsewhere (2).
    pub family_weight: f64,
    /// How much history of an hour of the day counts as much as the whole day's (12 hours).
    pub hour_history: f64,
    /// How many days an hour of the day needs until "it comes daily at this hour" counts as much as the rate (5).
    pub daily_habit: f64,
    /// How many weeks a day of the week needs until "it comes on this day at this hour" counts as much as the rate (3).
    pub weekly_habit: f64,
    /// The chance that a start of an unknown check is critical (0.3) …
    pub critical_chance: f64,
    /// … and how many starts that guess is worth (8).
    pub critical_weight: f64,
    /// What a warning or error is worth against a critical (0.62).
    pub warning_weight: f64,
    /// In the first so many seconds of a stream warnings grow from nothing to their full weight (1 day).
    pub learning: f64,
    /// The most that one series can be worth (10.5 bits), so that no single one pages within its first minute.
    pub most: f64,
    /// The most that a value can add (6 bits) …
    pub value_most: f64,
    /// … and how much twice the usual excess over the limit adds (0.5 nats).
    pub value_weight: f64,
    /// A trend remembers the values of so long (2 hours) …
    pub trend_memory: f64,
    /// … counts when its slope is so many times its standard error (5) …
    pub trend_certainty: f64,
    /// … and has been for so long (15 minutes) …
    pub trend_holds: f64,
    /// … and is told when it reaches its limit within so long (1 day).
    pub trend_horizon: f64,
    /// What is on and reaches the end of its scale within so long pages (1 hour).
    pub trend_pages_within: f64,
    /// The share of the callers' fresh bits that is lent to a service that is itself loud (0.6).
    pub caller_share: f64,
    /// Point events (exceptions): the memory of the count (300 s).
    pub burst_memory: f64,
    /// Point events: how improbable the count must be to be a burst, in powers of ten (3).
    pub burst_improbability: f64,
    /// How often a talkative source of point events is taken to burst: once in this long (1 day).
    pub chatty_bursts_every: f64,
    /// A component may page again when its surprise fell below this share of the threshold (0.5).
    pub rearm: f64,
    /// Components that surge within this long of an incident's opening may join it (180 s).
    pub join_window: f64,
    /// An incident that was calm for this long takes no new component (300 s).
    pub calm: f64,
    /// An origin that paged is remembered this long after it last surprised: more of the same updates it (1 hour).
    pub remember: f64,
    /// What counts as surprising there, and what makes a kind of tool known there (2 bits).
    pub alive: f64,
    /// Bits of onset and duration together that make an alert which outlives its kind a page (12: once in 4,000).
    pub outlived: f64,
    /// How long alerts of an unknown check are taken to last: half of them resolve within this long (300 s) …
    pub prior_duration: f64,
    /// … and how many episodes that guess is worth (3).
    pub duration_weight: f64,
    /// What was learned counts half after this long (30 days).
    pub half_life: f64,
    /// What made an incident page teaches nothing about what is ordinary for so long after its latest surge
    /// (30 minutes) …
    pub frozen: f64,
    /// … and no longer than this after the incident was opened, because what stays is the new ordinary (1 day).
    pub frozen_most: f64,
    /// A source that has spoken for this long is expected to go on: when it falls silent for three times its longest
    /// pause, that pages (7 days).
    pub source_known_after: f64,
    /// What is usual of samples is known after so long (2 days): before that nothing about them is unusual.
    pub samples_known_after: f64,
    /// An incident is over when all its alerts are, for this long (300 s).
    pub resolve_after: f64,
    /// The share of what an onset is worth that one word of a person takes (noise) or gives (useful) (0.3) …
    pub feedback: f64,
    /// … and the most that all words together move (0.6): what people say dulls and sharpens, it never silences …
    pub feedback_most: f64,
    /// … and what a word about the same check elsewhere counts (0.25).
    pub feedback_kin: f64,
    /// For this long after a change (a deploy) of its service or host, a start of what tells of a host, or of a new exception, is worth more (2 hours) …
    pub sharpened: f64,
    /// … by this share of what lacks to the most, fading to nothing (0.3).
    pub sharpening: f64,
    /// Events older than this when they arrive are suppressed as `late` (1 hour).
    pub late: f64,
}

impl Judgement {
    /// The threshold in bits.
    #[must_use]
    pub const fn threshold(&self) -> f64 {
        match self.what_if {
            Some(bits) => bits,
            None => self.sensitivity.threshold(),
        }
    }
}

const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;

impl Default for Judgement {
    fn default() -> Self {
        Self {
            sensitivity: Sensitivity::Normal,
            what_if: None,
            settle: 120.0,
            fade: 1200.0,
            window: 900.0,
            stranger_starts_every: 5.0 * DAY,
            own_history: DAY,
            family_weight: 2.0,
            hour_history: 12.0 * HOUR,
            daily_habit: 5.0,
            weekly_habit: 3.0,
            critical_chance: 0.3,
            critical_weight: 8.0,
            warning_weight: 0.62,
            learning: DAY,
            most: 10.5,
            value_most: 6.0,
            value_weight: 0.5,
            trend_memory: 2.0 * HOUR,
            trend_certainty: 5.0,
            trend_holds: 900.0,
            trend_horizon: DAY,
            trend_pages_within: HOUR,
            caller_share: 0.6,
            burst_memory: 300.0,
            burst_improbability: 3.0,
            chatty_bursts_every: DAY,
            rearm: 0.5,
            join_window: 180.0,
            calm: 300.0,
            remember: HOUR,
            alive: 2.0,
            outlived: 12.0,
            prior_duration: 300.0,
            duration_weight: 3.0,
            half_life: 30.0 * DAY,
            frozen: 1800.0,
            frozen_most: DAY,
            source_known_after: 7.0 * DAY,
            samples_known_after: 2.0 * DAY,
            resolve_after: 300.0,
            feedback: 0.3,
            feedback_most: 0.6,
            feedback_kin: 0.25,
            sharpened: 2.0 * HOUR,
            sharpening: 0.3,
            late: HOUR,
        }
    }
}
