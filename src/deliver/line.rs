//! The order in which a courier's messages go out. Pure.
//!
//! First come, first served, and the messages of one incident never overtake one another. But a message that is
//! refused again and again must not keep all others back: once the first has failed [`PATIENCE`] times, those of
//! other incidents may pass it.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::smtp::Recipients;
use crate::clock::Stopwatch;
use crate::domain::{Content, Notification, NotificationKey};

/// After so many failed attempts (about a quarter of a minute) others may pass.
pub(super) const PATIENCE: u32 = 5;
/// So many settled keys are remembered, so that what is offered again before its row is gone is not sent again.
const REMEMBERED: usize = 1_024;

/// A message on its way.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) notification: Arc<Notification>,
    pub(super) attempts: u32,
    /// Runs since the first attempt.
    pub(super) watch: Option<Stopwatch>,
    pub(super) recipients: Recipients,
    /// How many of its requests were performed.
    pub(super) done: usize,
    /// Runs since it was taken in.
    since: Stopwatch,
    /// Whether it was told that it is overdue.
    overdue: bool,
}

/// What became of a message that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    /// It waits at this place.
    At(usize),
    /// It waits already, or was given up lately.
    Known,
    /// It was delivered lately: whoever offers it again has not heard of that.
    Delivered,
}

/// The messages that wait, and the keys that were settled lately.
#[derive(Debug, Default)]
pub(super) struct Line {
    jobs: VecDeque<Job>,
    /// And whether they were delivered.
    settled: VecDeque<(NotificationKey, bool)>,
    /// What happened last.
    error: String,
}

impl Line {
    /// Adds a message at the end, unless its key waits already or was settled lately.
    pub(super) fn push(&mut self, notification: Arc<Notification>) -> Pushed {
        let key = &notification.key;
        if let Some((_, delivered)) = self.settled.iter().find(|(settled, _)| settled == key) {
            return if *delivered { Pushed::Delivered } else { Pushed::Known };
        }
        if self.jobs.iter().any(|job| job.notification.key == *key) {
            return Pushed::Known;
        }
        self.jobs.push_back(Job {
            notification,
            attempts: 0,
            watch: None,
            recipients: Recipients::default(),
            done: 0,
            since: Stopwatch::start(),
            overdue: false,
        });
        Pushed::At(self.jobs.len() - 1)
    }

    pub(super) fn len(&self) -> usize {
        self.jobs.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    pub(super) fn job(&mut self, at: usize) -> Option<&mut Job> {
        self.jobs.get_mut(at)
    }

    /// What happened at the last attempt that failed; empty = none did.
    pub(super) fn last_error(&self) -> &str {
        &self.error
    }

    /// An attempt failed.
    pub(super) fn failed(&mut self, error: &str) {
        error.clone_into(&mut self.error);
    }

    /// The keys of those that wait for longer than this and were not told yet.
    pub(super) fn overdue(&mut self, deadline: Duration) -> Vec<NotificationKey> {
        let late = self.jobs.iter_mut().filter(|job| !job.overdue && job.since.elapsed() >= deadline);
        late.map(|job| {
            job.overdue = true;
            job.notification.key.clone()
        })
        .collect()
    }

    /// In how long the next one has waited for longer than this.
    pub(super) fn next_due(&self, deadline: Duration) -> Option<Duration> {
        let waiting = self.jobs.iter().filter(|job| !job.overdue);
        waiting.map(|job| deadline.saturating_sub(job.since.elapsed())).min()
    }

    /// Takes a message out of the line and remembers its key.
    pub(super) fn settle(&mut self, at: usize, delivered: bool) -> Option<Job> {
        let job = self.jobs.remove(at)?;
        if self.settled.len() == REMEMBERED {
            self.settled.pop_front();
        }
        self.settled.push_back((job.notification.key.clone(), delivered));
        Some(job)
    }

    /// Whether it is a reminder, and something later about its incident waits behind it: that somebody has taken it, that it
    /// is over, or another reminder.
    pub(super) fn is_outdated(&self, at: usize) -> bool {
        let Some(job) = self.jobs.get(at).filter(|job| job.done == 0) else { return false };
        let incident = job.notification.key.incident;
        matches!(job.notification.content, Content::Reminder(_))
            && self.jobs.iter().skip(at + 1).any(|later| later.notification.key.incident == incident)
    }

    /// Whether the first has failed so often that others may pass.
    pub(super) fn may_be_passed(&self) -> bool {
        self.jobs.front().is_some_and(|job| job.attempts >= PATIENCE)
    }

    /// The first message from place `from` on that has none of its own incident before it.
    pub(super) fn next_free(&self, from: usize) -> Option<usize> {
        let mut seen = BTreeSet::new();
        let mut free = self.jobs.iter().map(|job| seen.insert(job.notification.key.incident));
        let place = free.by_ref().enumerate().position(|(at, first)| at >= from && first);
        drop(free);
        place
    }
}
