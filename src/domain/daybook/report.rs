//! A report: what one engine has to say for a digest, and how those of several engines become one.
//!
//! All sums are added, so that nothing is told of more or fewer events than there were. Lists of what is named are put
//! together, and cut to what a digest can show and a message can carry: what is cut is counted with all others, or as so
//! many more. A series is told by what each engine says that it did, which is what it did or less (Agarwal et al.:
//! Mergeable Summaries, 2012); so the difference to the sums never is less than nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::decision::IncidentId;
use super::super::opinion::Opinion;
use super::super::reason::Outcome;
use super::super::time::Timestamp;
use super::{CHAPTERS, Daybook, Extract, Hour, Near, Talk, part_name};

/// So many series are told of together.
const TALKS: usize = 512;
/// So many near misses.
const NEARS: usize = 64;
/// So many episodes of flapping, and so many new checks.
const SELDOM: usize = 512;
/// So many sources, and so many silences, of one hour.
const NAMED: usize = 64;
/// So many names of hosts and services.
const NAMES: usize = 20_000;

/// What was before, to compare with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// Events that were decided.
    pub decided: u64,
    /// Of these, how many were held back.
    pub held: u64,
    /// Pages.
    pub pages: u64,
}

/// What one engine, or several, have to say for a digest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What was decided.
    pub extract: Extract,
    /// What is known of the same length of time before.
    pub before: Before,
    /// All sources, each with when it was heard of for the first time; none where it is the report of a part.
    pub sources: Vec<(Arc<str>, Timestamp)>,
    /// What people said of its incidents.
    pub words: Vec<(IncidentId, Opinion)>,
    /// The hosts and services of its incidents.
    pub names: Vec<String>,
    /// Whether there are more engines that were not asked.
    pub more: bool,
}

impl Report {
    /// When the time before began, as long as the one that is told.
    #[must_use]
    pub fn earlier(&self) -> Timestamp {
        earlier(&self.extract)
    }

    /// Takes in what another engine reports of the same window.
    pub fn join(&mut self, other: Self) {
        self.extract.join(other.extract);
        self.before.decided += other.before.decided;
        self.before.held += other.before.held;
        self.before.pages += other.before.pages;
        for (source, first) in other.sources {
            match self.sources.iter_mut().find(|(known, _)| *known == source) {
                Some((_, known)) => *known = first.min(*known),
                None => self.sources.push((source, first)),
            }
        }
        self.words.extend(other.words);
        self.names.extend(other.names);
        self.more |= other.more;
    }

    /// Puts what was joined in order, and cuts its lists. Doing it again changes nothing.
    pub fn settle(&mut self) {
        self.extract.settle();
        self.sources.sort_unstable();
        self.words.sort_unstable_by_key(|(incident, _)| *incident);
        self.names.sort_unstable();
        self.names.dedup();
        self.names.truncate(NAMES);
    }
}

/// When a time as long as that of an extract began, which ended where it begins.
pub(crate) fn earlier(extract: &Extract) -> Timestamp {
    Timestamp::from_millis(2 * extract.from.millis() - extract.until.millis())
}

impl Daybook {
    /// The sums of the full hours from `from` until `until`.
    pub(crate) fn sums(&self, digest: &str, (from, until): (Timestamp, Timestamp)) -> Before {
        let part = part_name(digest);
        let hours = (from.hour()..until.hour()).filter_map(|hour| self.hours.get(Hour::key(part, hour)));
        hours.fold(Before::default(), |mut sum, hour| {
            for (reason, count) in hour.verdicts.each() {
                sum.decided += count;
                sum.held += if reason.outcome() == Outcome::Suppress { count } else { 0 };
            }
            sum.pages += u64::from(hour.pages.0) + u64::from(hour.pages.1);
            sum
        })
    }
}

impl Hour {
    /// Adds what the same hour was elsewhere.
    fn join(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.waiting += other.waiting;
        self.verdicts.join(&other.verdicts);
        self.pages = (self.pages.0.saturating_add(other.pages.0), self.pages.1.saturating_add(other.pages.1));
        self.holds.add(&other.holds);
        self.new_series = self.new_series.saturating_add(other.new_series);
        for (source, counts) in &other.sources {
            match self.sources.iter_mut().find(|(known, _)| known == source) {
                Some((_, sums)) => sums.iter_mut().zip(counts).for_each(|(sum, one)| *sum = sum.saturating_add(*one)),
                None => self.sources.push((Arc::clone(source), *counts)),
            }
        }
        for (silence, count) in &other.silences {
            match self.silences.iter_mut().find(|(known, _)| known == silence) {
                Some((_, sum)) => *sum = sum.saturating_add(*count),
                None => self.silences.push((Arc::clone(silence), *count)),
            }
        }
    }

    /// The loudest alone are named.
    fn settle(&mut self) {
        if self.sources.len() > NAMED {
            let all = |counts: &[u32; 4]| counts.iter().map(|count| u64::from(*count)).sum::<u64>();
            self.sources.sort_by(|a, b| all(&b.1).cmp(&all(&a.1)).then_with(|| a.0.cmp(&b.0)));
            self.sources.truncate(NAMED);
        }
        if self.silences.len() > NAMED {
            self.silences.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            self.silences.truncate(NAMED);
        }
    }
}

impl Extract {
    /// Takes in what another engine tells of the same window.
    fn join(&mut self, other: Self) {
        self.hours.iter_mut().zip(&other.hours).for_each(|(hour, more)| hour.join(more));
        self.until = self.until.max(other.until);
        self.waited += other.waited;
        self.waits += other.waits;
        self.kept_since = match (self.kept_since, other.kept_since) {
            (Some(one), Some(another)) => Some(one.min(another)),
            (one, another) => one.or(another),
        };
        self.talks.extend(other.talks);
        self.near.extend(other.near);
        self.flaps.extend(other.flaps);
        self.more_flaps += other.more_flaps;
        self.chapters.extend(other.chapters);
        self.fresh.extend(other.fresh);
        self.more_fresh += other.more_fresh;
    }

    fn settle(&mut self) {
        self.hours.iter_mut().for_each(Hour::settle);
        nearest(&mut self.near);
        self.talks = loudest(std::mem::take(&mut self.talks), &self.near);
        self.flaps.sort_by(|a, b| (a.since, &a.series).cmp(&(b.since, &b.series)));
        self.more_flaps += cut(&mut self.flaps);
        let mut known = BTreeSet::new();
        self.fresh.retain(|check| known.insert(Arc::clone(check)));
        self.more_fresh += cut(&mut self.fresh);
        // Those that opened last are those that people may do something about.
        self.chapters.sort_by_key(|chapter| std::cmp::Reverse((chapter.opened, chapter.incident)));
        self.chapters.truncate(CHAPTERS);
        self.chapters.sort_by_key(|chapter| chapter.incident);
    }
}

/// Cuts a list; gives how many were cut off.
fn cut<T>(all: &mut Vec<T>) -> u64 {
    let more = all.len().saturating_sub(SELDOM);
    all.truncate(SELDOM);
    more as u64
}

/// Each series once, the nearest first.
fn nearest(all: &mut Vec<Near>) {
    all.sort_by(|a, b| b.share().total_cmp(&a.share()).then_with(|| (a.at, &a.series).cmp(&(b.at, &b.series))));
    let mut known = BTreeSet::new();
    all.retain(|near| known.insert(near.fingerprint));
    all.truncate(NEARS);
}

/// Each series once, with what it did everywhere; the loudest first. What nearly paged stays, for it is looked up.
fn loudest(mut all: Vec<Talk>, near: &[Near]) -> Vec<Talk> {
    all.sort_by_key(|talk| talk.fingerprint);
    let mut talks: Vec<Talk> = Vec::with_capacity(all.len());
    for talk in all {
        match talks.last_mut().filter(|known| known.fingerprint == talk.fingerprint) {
            Some(known) => {
                talk.reasons.iter().for_each(|(reason, count)| *known.reasons.entry(*reason).or_default() += count);
                known.hours.iter_mut().zip(&talk.hours).for_each(|(sum, one)| *sum = sum.saturating_add(*one));
            }
            None => talks.push(talk),
        }
    }
    talks.sort_by_cached_key(|talk| (std::cmp::Reverse(talk.count(Outcome::Suppress)), Arc::clone(&talk.series)));
    let kept: BTreeSet<_> = near.iter().map(|near| near.fingerprint).collect();
    let mut place = 0..;
    talks.retain(|talk| place.next().is_some_and(|place| place < TALKS) || kept.contains(&talk.fingerprint));
    talks
}
