//! Episodes in rows, a row a component, in cells of equal time, so that a million alerts draw as fast as ten.

use rustc_hash::FxHashMap;

use super::episodes::{Episode, Look};
use super::{Report, escape};
use crate::domain::{IncidentId, Reason, Timestamp};
use crate::replay::wording::{count, day_and_time, span};

/// How many components have a lane of their own.
pub(super) const MOST_LANES: usize = 32;
/// How many cells a lane has.
pub(super) const CELLS: usize = 560;
/// How many checks a stretch names.
const NAMED: usize = 4;

/// Time cut into cells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
}

impl Scale {
    /// The length of the run in seconds, at least a second.
    pub(super) fn length(&self) -> f64 {
        self.last.since(self.first).max(1.0)
    }

    /// The share of the run that has passed at a time, 0 to 1.
    pub(super) fn share(&self, at: Timestamp) -> f64 {
        (at.since(self.first) / self.length()).clamp(0.0, 1.0)
    }

    /// The cell of a time.
    pub(super) fn cell(&self, at: Timestamp) -> usize {
        ((self.share(at) * CELLS as f64) as usize).min(CELLS - 1)
    }

    /// When a cell begins.
    pub(super) fn begin(&self, cell: usize) -> Timestamp {
        let secs = self.length() * cell as f64 / CELLS as f64;
        Timestamp::from_millis(self.first.millis() + (secs * 1000.0) as i64)
    }
}

/// A row of the drawing.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) name: String,
    /// The components that it shows: their names' places. More than one only in the last lane.
    pub(super) components: Vec<u32>,
    pub(super) episodes: usize,
    pub(super) events: u64,
    pub(super) paged: u64,
    pub(super) stretches: Vec<Stretch>,
}

/// A run of cells that look alike.
#[derive(Debug)]
pub(super) struct Stretch {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) look: Look,
    /// What it says when it is pointed at.
    pub(super) words: String,
}

/// The lanes: the components that paged first, then the loudest; the rest in one.
pub(super) fn lanes(report: &Report, episodes: &[Episode], scale: Scale) -> Vec<Lane> {
    let mut weights: FxHashMap<u32, (u64, u64)> = FxHashMap::default();
    for episode in episodes {
        let (paged, events) = weights.entry(episode.component).or_default();
        *paged += u64::from(episode.look >= Look::Joined) + 1000 * u64::from(episode.look == Look::Paged);
        *events += number(episode);
    }
    let mut order: Vec<_> = weights.into_iter().collect();
    order.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| report.named(a.0).cmp(report.named(b.0))));
    let rest = order.split_off(order.len().min(MOST_LANES));
    let mut groups: Vec<Vec<u32>> = order.iter().map(|(component, _)| vec![*component]).collect();
    if !rest.is_empty() {
        groups.push(rest.iter().map(|(component, _)| *component).collect());
    }
    let mut place: FxHashMap<u32, usize> = FxHashMap::default();
    for (at, group) in groups.iter().enumerate() {
        place.extend(group.iter().map(|component| (*component, at)));
    }
    let mut parts: Vec<Vec<&Episode>> = vec![Vec::new(); groups.len()];
    for episode in episodes {
        parts[place[&episode.component]].push(episode);
    }
    groups.into_iter().zip(parts).map(|(group, part)| lane(report, group, &part, scale)).collect()
}

fn number(episode: &Episode) -> u64 {
    episode.reasons.iter().map(|(_, number)| u64::from(*number)).sum()
}

fn lane(report: &Report, components: Vec<u32>, episodes: &[&Episode], scale: Scale) -> Lane {
    let name = match components.as_slice() {
        [one] => escape::line(report.named(*one), 60),
        more => format!("{} more components", count(more.len() as u64)),
    };
    let paged = episodes.iter().flat_map(|episode| &episode.reasons);
    let paged =
        paged.filter(|(reason, _)| Look::of(*reason) == Look::Paged).map(|(_, number)| u64::from(*number)).sum();
    Lane {
        name,
        components,
        episodes: episodes.len(),
        events: episodes.iter().map(|episode| number(episode)).sum(),
        paged,
        stretches: stretches(report, episodes, scale),
    }
}

/// The strongest look of each cell, and runs of equal ones.
fn stretches(report: &Report, episodes: &[&Episode], scale: Scale) -> Vec<Stretch> {
    let mut cells: Vec<Option<(Look, Option<IncidentId>)>> = vec![None; CELLS];
    let mut starts: Vec<Vec<u32>> = vec![Vec::new(); CELLS];
    for (at, episode) in episodes.iter().enumerate() {
        let (from, to) = (scale.cell(episode.from), scale.cell(episode.to));
        starts[from].push(at as u32);
        let own = Some((episode.look, episode.incident.filter(|_| episode.look >= Look::Joined)));
        for cell in &mut cells[from..=to] {
            *cell = (*cell).max(own);
        }
    }
    let mut all: Vec<Stretch> = Vec::new();
    let mut from = 0;
    while from < CELLS {
        let Some(own) = cells[from] else {
            from += 1;
            continue;
        };
        let to = from + cells[from..].iter().take_while(|cell| **cell == Some(own)).count();
        let begun = starts[from..to].iter().flatten().map(|at| episodes[*at as usize]);
        let words = words(report, begun, own, (scale.begin(from), scale.begin(to)));
        all.push(Stretch { from, to, look: own.0, words });
        from = to;
    }
    all
}

/// What a stretch says: when, what became of what began in it, and the loudest checks.
fn words<'a>(
    report: &Report,
    begun: impl Iterator<Item = &'a Episode>,
    own: (Look, Option<IncidentId>),
    (from, to): (Timestamp, Timestamp),
) -> String {
    let mut reasons: Vec<(Reason, u64)> = Vec::new();
    let mut checks: Vec<(u32, u64)> = Vec::new();
    for episode in begun {
        for (reason, more) in &episode.reasons {
            match reasons.iter_mut().find(|(known, _)| known == reason) {
                Some((_, count)) => *count += u64::from(*more),
                None => reasons.push((*reason, u64::from(*more))),
            }
        }
        match checks.iter_mut().find(|(known, _)| *known == episode.check) {
            Some((_, count)) => *count += 1,
            None => checks.push((episode.check, 1)),
        }
    }
    reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(Look::of(*reason)), std::cmp::Reverse(*count)));
    checks.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| report.named(a.0).cmp(report.named(b.0))));
    let mut text = format!("{} – {} ({})", day_and_time(from), day_and_time(to), span(to.since(from)));
    if let Some(incident) = own.1 {
        text.push_str(&format!("\nincident #{incident}"));
    }
    if reasons.is_empty() {
        text.push_str("\nstill on from before");
    }
    for (reason, number) in &reasons {
        text.push_str(&format!("\n{} × {}: {}", count(*number), reason.word(), reason.sentence()));
    }
    let named: Vec<_> = checks.iter().take(NAMED).map(|(check, _)| escape::line(report.named(*check), 40)).collect();
    if !named.is_empty() {
        let more = checks.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        text.push_str(&format!("\n{}{more}", named.join(", ")));
    }
    text
}
