//! The engine: every decision, one turn at a time.

use std::sync::Arc;

use super::decision::{Decision, Evidence, IncidentId, IncidentSummary, Verdict};
use super::explain::{IncidentExplanation, SeriesExplanation, Tally};
use super::fingerprint::Fingerprint;
use super::notification::Notification;
use super::policy::Policy;
use super::reason::Reason;
use super::signal::Status;
use super::silence::Silence;
use super::time::Timestamp;
use super::turn::{Change, Input, Turn};

/// The state of everything that is judged, and the judgement. Owned by one task; never shared.
#[derive(Debug)]
pub struct Engine {
    policy: Arc<Policy>,
    now: Timestamp,
    tally: Tally,
}

/// A record that cannot be taken back: it is damaged, or a newer version wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("record {key} cannot be read: {cause}")]
pub struct RestoreError {
    /// The record's key, readable.
    pub key: String,
    /// What is wrong with it.
    pub cause: String,
}

impl Engine {
    /// An engine that has seen nothing.
    #[must_use]
    pub fn new(policy: Arc<Policy>) -> Self {
        Self { policy, now: Timestamp::EPOCH, tally: Tally::default() }
    }

    /// An engine from its records (key, value), in any order, each key once.
    ///
    /// Records that cannot be read are left out and returned: the caller tells, keeps and never drops them.
    #[must_use]
    pub fn restore(
        policy: Arc<Policy>,
        records: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>,
    ) -> (Self, Vec<RestoreError>) {
        drop(records.into_iter());
        (Self::new(policy), Vec::new())
    }

    /// Takes one input at `now` and adds what it leads to to `turn`. Whatever was due before `now` fires first,
    /// each at its own deadline. A `now` before the engine's time counts as the engine's time.
    pub fn handle(&mut self, now: Timestamp, input: Input<'_>, turn: &mut Turn) {
        self.now = self.now.max(now);
        if let Input::Policy(policy) = input {
            self.policy = policy;
        } else if let Input::Event { seq, event } = input
            && event.status != Status::Sample
        {
            self.tally.accepted += 1;
            turn.decisions.push(Decision::Verdict(Verdict {
                seq,
                ts: self.now,
                reason: Reason::Ordinary,
                incident: None,
                series: Arc::from(event.check.as_str()),
                fingerprint: Fingerprint(0),
                evidence: Evidence::default(),
            }));
        }
    }

    /// Ends a run: every event that waits gets its verdict, every open incident its summary.
    pub fn finish(&mut self, now: Timestamp, turn: &mut Turn) {
        self.handle(now, Input::Tick, turn);
    }

    /// When the next timer is due; a `Tick` at or after it is needed. May be earlier than anything happens.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        None
    }

    /// The engine's time: the latest `now` it was given.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// The policy in force.
    #[must_use]
    pub const fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// The changes of its records since they were last taken, each key once. Also forgets them.
    pub fn take_changes(&mut self) -> Vec<Change> {
        Vec::new()
    }

    /// Some of its records as they stand, for a snapshot that rolls in parts: about `bytes` of them, from
    /// `cursor` (0 = the beginning) on, and the cursor to go on from (`None` = that was all). Records that come or
    /// change meanwhile are told by [`Engine::take_changes`].
    #[must_use]
    pub fn snapshot_part(&self, cursor: u64, bytes: usize) -> (Vec<Change>, Option<u64>) {
        let _ = (cursor, bytes);
        (Vec::new(), None)
    }

    /// What is owed to receivers, in the order in which it was decided.
    pub fn outbox(&self) -> impl Iterator<Item = &Arc<Notification>> {
        std::iter::empty()
    }

    /// The sums of promise 1, and the sizes.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally.clone()
    }

    /// The incidents: open ones first, latest first, then closed ones that are still remembered.
    #[must_use]
    pub fn incidents(&self) -> Vec<(IncidentSummary, bool)> {
        Vec::new()
    }

    /// Everything about one incident that is still remembered.
    #[must_use]
    pub fn why_incident(&self, id: IncidentId) -> Option<IncidentExplanation> {
        let _ = id;
        None
    }

    /// Everything about one series.
    #[must_use]
    pub fn why_series(&self, fingerprint: Fingerprint) -> Option<SeriesExplanation> {
        let _ = fingerprint;
        None
    }

    /// The series whose name contains all words of `text`, at most `limit`, in order of name.
    #[must_use]
    pub fn find_series(&self, text: &str, limit: usize) -> Vec<(Arc<str>, Fingerprint)> {
        let _ = (text, limit);
        Vec::new()
    }

    /// The silences in force or to come: those of the rule files, then those that people set.
    #[must_use]
    pub fn silences(&self) -> Vec<Silence> {
        Vec::new()
    }
}
