//! Two runs over the same events, page by page: the same, earlier, later, lost, gained, and why.
//!
//! Pages are paired by the events that they are about, then by their origin. Deliberately no judgement of which run
//! is better: that is for whoever knows what the pages were worth.

pub mod json;
pub mod text;

use rustc_hash::FxHashMap;

use super::decided::Decided;
use crate::domain::{Outcome, Page, Reason};

/// Pages this close in time are the same, in seconds.
pub const SAME: f64 = 60.0;
/// Pages of one origin that share no event are still one page within this, in seconds.
pub const NEAR: f64 = 900.0;

/// A page and what became of it in the other run.
#[derive(Clone, Debug)]
pub enum Difference<'a> {
    /// Both paged, at most [`SAME`] apart.
    Same(&'a Page, &'a Page),
    /// Both paged, the second run earlier by so many seconds.
    Earlier(&'a Page, &'a Page, f64),
    /// Both paged, the second run later by so many seconds.
    Later(&'a Page, &'a Page, f64),
    /// Only the first run paged; what the second made of it.
    Lost(&'a Page, String),
    /// Only the second run paged; what the first made of it.
    Gained(&'a Page, String),
}

impl Difference<'_> {
    /// The kind of difference in one word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Same(..) => "same",
            Self::Earlier(..) => "earlier",
            Self::Later(..) => "later",
            Self::Lost(..) => "lost",
            Self::Gained(..) => "gained",
        }
    }

    /// The page that it is about; of two, that of the first run.
    #[must_use]
    pub const fn page(&self) -> &Page {
        match self {
            Self::Same(page, _)
            | Self::Earlier(page, ..)
            | Self::Later(page, ..)
            | Self::Lost(page, _)
            | Self::Gained(page, _) => page,
        }
    }
}

/// All pages of both runs, by time, each once.
#[must_use]
pub fn compare<'a>(first: &'a Decided, second: &'a Decided) -> Vec<Difference<'a>> {
    let partners = pairs(first, second);
    let mut taken = vec![false; second.pages.len()];
    let mut all: Vec<Difference<'_>> = Vec::new();
    for (at, page) in first.pages.iter().enumerate() {
        all.push(match partners[at] {
            Some(partner) => {
                taken[partner] = true;
                both(page, &second.pages[partner])
            }
            None => Difference::Lost(page, instead(first, at, second)),
        });
    }
    for (at, page) in second.pages.iter().enumerate().filter(|(at, _)| !taken[*at]) {
        all.push(Difference::Gained(page, instead(second, at, first)));
    }
    all.sort_by_key(|difference| difference.page().ts);
    all
}

fn both<'a>(first: &'a Page, second: &'a Page) -> Difference<'a> {
    let later = second.ts.since(first.ts);
    if later.abs() <= SAME {
        Difference::Same(first, second)
    } else if later > 0.0 {
        Difference::Later(first, second, later)
    } else {
        Difference::Earlier(first, second, -later)
    }
}

/// For each page of the first run the place of its partner in the second, nearest in time first.
fn pairs(first: &Decided, second: &Decided) -> Vec<Option<usize>> {
    let mut about: FxHashMap<u64, Vec<usize>> = FxHashMap::default();
    for place in 0..second.pages.len() {
        for seq in second.fresh(place) {
            about.entry(*seq).or_default().push(place);
        }
    }
    // The rank of a pair: events in common come before a common origin; then the smaller distance.
    let mut candidates: Vec<(bool, i64, usize, usize)> = Vec::new();
    let distance = |a: usize, b: usize| (first.pages[a].ts.millis() - second.pages[b].ts.millis()).abs();
    for a in 0..first.pages.len() {
        let mut others: Vec<usize> =
            first.fresh(a).iter().filter_map(|seq| about.get(seq)).flatten().copied().collect();
        others.sort_unstable();
        others.dedup();
        candidates.extend(others.into_iter().map(|b| (false, distance(a, b), a, b)));
        let from = second.pages.partition_point(|page| page.ts.since(first.pages[a].ts) < -NEAR);
        let near = second.pages[from..].iter().take_while(|page| page.ts.since(first.pages[a].ts) <= NEAR);
        let alike = near.enumerate().filter(|(_, page)| same_origin(page, &first.pages[a]));
        candidates.extend(alike.map(|(b, _)| (true, distance(a, from + b), a, from + b)));
    }
    candidates.sort_unstable();
    let mut partners = vec![None; first.pages.len()];
    let mut taken = vec![false; second.pages.len()];
    for (_, _, a, b) in candidates {
        if partners[a].is_none() && !taken[b] {
            (partners[a], taken[b]) = (Some(b), true);
        }
    }
    partners
}

fn same_origin(a: &Page, b: &Page) -> bool {
    a.action == b.action && a.origin.service == b.origin.service && a.origin.host == b.origin.host
}

/// What the other run made of a page that it did not send.
fn instead(run: &Decided, place: usize, other: &Decided) -> String {
    let fates = run.fresh(place).iter().filter_map(|seq| other.fate(*seq)).collect::<Vec<_>>();
    let paged = fates.iter().find_map(|fate| {
        let incident = fate.incident?;
        other.first_page(incident).map(|at| (incident, at))
    });
    if let Some((incident, at)) = paged {
        return format!("part of incident #{incident}, which had paged at {}", super::wording::day_and_time(at));
    }
    let mut counts: Vec<(usize, Reason)> = Vec::new();
    for fate in &fates {
        match counts.iter_mut().find(|(_, reason)| *reason == fate.reason) {
            Some((count, _)) => *count += 1,
            None => counts.push((1, fate.reason)),
        }
    }
    // The reason of most of its events; of equals, the one that came first.
    let Some(&(_, reason)) = counts.iter().rev().max_by_key(|(count, _)| *count) else {
        return "no event of it was heard".to_owned();
    };
    let bits = fates.iter().filter(|fate| fate.reason == reason).filter_map(|fate| fate.bits).fold(None, most);
    let enough = bits.map(|(bits, threshold)| format!(" ({bits:.1} of {threshold:.1} bits)")).unwrap_or_default();
    format!("{}: {}{enough}", past(reason.outcome()), reason.sentence())
}

fn most(best: Option<(f32, f32)>, next: (f32, f32)) -> Option<(f32, f32)> {
    Some(best.filter(|best| best.0 >= next.0).unwrap_or(next))
}

const fn past(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Page => "paged",
        Outcome::Join => "joined an incident that had not paged",
        Outcome::Suppress => "held back",
        Outcome::Record => "recorded",
    }
}
