//! The policy: rule files after they were checked. Immutable; a reload brings a whole new one.
//!
//! Deliberately not how rules are written (`config`) nor how receivers are reached (`sinks`).

use std::collections::BTreeMap;
use std::time::Duration;

use super::budget::Budget;
use super::digest::DigestRule;
use super::event::Event;
use super::inhibition::Inhibition;
use super::judgement::Judgement;
use super::maintenance::Maintenance;
use super::matcher::Matcher;
use super::rotation::Rotation;
use super::route::{self, Owned, Routable, Route};
use super::signal::{Severity, vocabulary};
use super::silence::Silence;
use super::time::Timestamp;
use super::topology::Topology;
use super::zone::Zone;

/// All rules in force.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// The constants of the judgement, one set for everything.
    pub judgement: Judgement,
    /// How alerts are handled where no rule says otherwise.
    pub defaults: Handling,
    /// The rules, in order: the first whose matchers all fit decides.
    pub rules: Vec<Rule>,
    /// Silences from rule files.
    pub silences: Vec<Silence>,
    /// Inhibitions, all of which hold.
    pub inhibitions: Vec<Inhibition>,
    /// Planned work, during which alerts are held back.
    pub maintenance: Vec<Maintenance>,
    /// The heartbeats that are waited for.
    pub heartbeats: Vec<HeartbeatRule>,
    /// Who calls whom.
    pub topology: Topology,
    /// Which team owns a service.
    pub owners: BTreeMap<String, String>,
    /// How many pages people bear, in order: the first that fits counts.
    pub budgets: Vec<Budget>,
    /// Whose clocks tell the hour of the day and the day of the week.
    pub zone: Zone,
    /// Who is told: a tree ([`super::route`]).
    pub routes: Vec<Route>,
    /// People who take turns, by the name that stands in routes.
    pub rotations: BTreeMap<String, Rotation>,
    /// Which receivers are told what another one does not take.
    pub fallbacks: BTreeMap<String, Vec<String>>,
    /// The digests that are sent by themselves.
    pub digests: Vec<DigestRule>,
    /// Judge everything, page nobody: no page leaves.
    pub shadow: bool,
    /// Whether that holds against what people say while it runs.
    pub shadow_held: bool,
}

impl Policy {
    /// The rule for an event and its place in [`Policy::rules`]; `None` = the defaults.
    #[must_use]
    pub fn rule_for(&self, event: &Event) -> Option<usize> {
        self.rules.iter().position(|rule| rule.matchers.iter().all(|matcher| matcher.fits(event)))
    }

    /// The routes that an alert ends at, in order.
    #[must_use]
    pub fn routes_of(&self, alert: &impl Routable) -> Vec<&Route> {
        route::find(&self.routes, &Owned(alert, &self.owners))
    }

    /// The receiver of this name, or who is on call where it is a rotation.
    #[must_use]
    pub fn on_call<'p>(&'p self, name: &'p str, at: Timestamp) -> &'p str {
        self.rotations.get(name).map_or(name, |rotation| rotation.on_call(at))
    }

    /// Whether any rule asks for adaptive thresholds.
    #[must_use]
    pub fn adapts(&self) -> bool {
        self.rules.iter().any(|rule| rule.handling.adaptive.is_some())
    }

    /// Whether a rule asks for what this measures: its rule says `adaptive`.
    #[must_use]
    pub fn watches(&self, event: &Event) -> bool {
        self.adapts() && self.handling(self.rule_for(event)).adaptive.is_some()
    }

    /// The handling of the rule at this place, or the defaults.
    #[must_use]
    pub fn handling(&self, rule: Option<usize>) -> &Handling {
        rule.and_then(|at| self.rules.get(at)).map_or(&self.defaults, |rule| &rule.handling)
    }
}

/// A rule: which alerts, and how they are handled.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its name, unique among the rules; stands in explanations.
    pub name: String,
    /// All must fit; none = everything.
    pub matchers: Vec<Matcher>,
    /// How: the defaults with what the rule says laid over them.
    pub handling: Handling,
}

/// A heartbeat that is waited for: a dead man's switch.
#[derive(Clone, Debug, PartialEq)]
pub struct HeartbeatRule {
    /// Its name, unique among the heartbeats.
    pub name: String,
    /// Which events are this heartbeat: all must fit. They are recorded and never judged.
    pub matchers: Vec<Matcher>,
    /// It pages when none came for this long.
    pub every: Duration,
    /// How severe that is.
    pub severity: Severity,
}

/// How alerts are handled.
#[derive(Clone, Debug, PartialEq)]
pub struct Handling {
    /// Whether they may page.
    pub page: PageMode,
    /// The least severity that may page. Below it: suppressed as `below_severity`.
    pub page_from: Severity,
    /// When a series counts as flapping.
    pub flap: FlapRule,
    /// How long to wait out what usually resolves by itself.
    pub hold: HoldRule,
    /// An alert that never resolves is given up this long after it last spoke (at the latest; sooner where its
    /// source usually repeats itself).
    pub expire: Duration,
    /// Whether its samples raise an alert when they are unusual.
    pub adaptive: Option<AdaptiveRule>,
}

/// When samples that are unusual raise an alert of Squelch's own: an alerting rule without a threshold.
#[derive(Clone, Debug, PartialEq)]
pub struct AdaptiveRule {
    /// How severe that alert is.
    pub severity: Severity,
    /// It fires when all samples were unusual for this long.
    pub lasts: Duration,
    /// It is over when all samples were usual for this long.
    pub keep_firing_for: Duration,
    /// Which side counts.
    pub side: Side,
    /// A value is unusual when it lies so many times as far off as it usually does.
    pub tolerance: f64,
}

impl Default for AdaptiveRule {
    fn default() -> Self {
        Self {
            severity: Severity::Warning,
            lasts: Duration::from_secs(10 * MINUTE),
            keep_firing_for: Duration::from_secs(15 * MINUTE),
            side: Side::Both,
            tolerance: 5.0,
        }
    }
}

vocabulary! {
    /// Which values are unusual.
    Side {
        /// Those above what is usual.
        Above = "above",
        /// Those below.
        Below = "below",
        /// Both.
        Both = "both",
    }
}

vocabulary! {
    /// Whether alerts may page.
    PageMode {
        /// The judgement decides.
        Auto = "auto",
        /// Each new alert pages at once, unless silenced, inhibited or part of an open incident.
        Always = "always",
        /// They never page; they may join.
        Never = "never",
    }
}

/// When a series counts as flapping. Counted in wall time, over all severities.
#[derive(Clone, Debug, PartialEq)]
pub struct FlapRule {
    /// It is flapping when any of these is reached; shortest window first. Empty = never.
    pub enter: Vec<Pace>,
    /// It is steady again when there are at most this many changes in this window.
    pub leave: Pace,
    /// Flapping that lasts this long may become a page of its own …
    pub promote_after: Duration,
    /// … when any of these holds.
    pub promote_when: Vec<PromoteWhen>,
    /// `spreading` means: the same check flaps on at least this many hosts.
    pub spread: u32,
}

/// Some changes in some window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How many state changes, 1 to [`Pace::MOST_CHANGES`] (0 only in `leave`).
    pub changes: u32,
    /// Within how long.
    pub window: Duration,
}

impl Pace {
    /// How many changes a series remembers.
    pub const MOST_CHANGES: u32 = 16;
}

vocabulary! {
    /// What turns lasting flapping into a page.
    PromoteWhen {
        /// It is in the bad state for more of the time, or more severely, than in its first half.
        Worsening = "worsening",
        /// The same check flaps on more hosts.
        Spreading = "spreading",
        /// Lasting is enough.
        Lasting = "lasting",
    }
}

/// How long to wait out what usually resolves by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldRule {
    /// No event waits longer for its verdict.
    pub longest: Duration,
    /// A critical alert that is on for this long pages whatever was learned.
    pub critical_longest: Duration,
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

impl Default for Handling {
    fn default() -> Self {
        Self {
            page: PageMode::Auto,
            page_from: Severity::Warning,
            flap: FlapRule::default(),
            hold: HoldRule::default(),
            expire: Duration::from_secs(24 * HOUR),
            adaptive: None,
        }
    }
}

impl Default for FlapRule {
    fn default() -> Self {
        let pace = |changes, secs| Pace { changes, window: Duration::from_secs(secs) };
        Self {
            enter: vec![pace(5, 20 * MINUTE), pace(6, 2 * HOUR), pace(10, 12 * HOUR)],
            leave: pace(1, HOUR),
            promote_after: Duration::from_secs(45 * MINUTE),
            promote_when: vec![PromoteWhen::Worsening, PromoteWhen::Spreading],
            spread: 3,
        }
    }
}

impl Default for HoldRule {
    fn default() -> Self {
        Self { longest: Duration::from_secs(10 * MINUTE), critical_longest: Duration::from_secs(4 * HOUR) }
    }
}
