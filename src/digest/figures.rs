//! The figures of a digest's chart: events, incidents and pages by the day, or by the hour where the window is short.

use super::gather::Gathered;
use super::when;
use crate::domain::Timestamp;

/// So many bars at most in the small drawing beside a series.
const SPARKS: usize = 28;

/// One bar of the chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// `Mon 2 Mar`, or `14:00`.
    pub label: String,
    /// Events that got their verdict.
    pub events: u64,
    /// Incidents that opened.
    pub incidents: u64,
    /// Pages.
    pub pages: u64,
}

/// How many hours a bar is: a day, but where the window is short.
fn hours(all: usize) -> usize {
    match all {
        0..=26 => 1,
        27..=50 => 2,
        _ => 24,
    }
}

/// The bars, in order.
pub(super) fn buckets(gathered: &Gathered) -> Vec<Bucket> {
    let extract = &gathered.extract;
    let each = hours(extract.hours.len());
    let bucket = |hours: &[crate::domain::daybook::Hour]| {
        let at = |hour: i64| Timestamp::from_millis(hour * 3_600_000);
        let (first, last) = (hours[0].hour, hours[hours.len() - 1].hour + 1);
        let opened = |chapter: &&crate::domain::daybook::Chapter| {
            (at(first)..at(last)).contains(&chapter.opened) && !chapter.pages.is_empty()
        };
        Bucket {
            label: if each < 24 {
                when::clock(&gathered.zone, at(first))
            } else {
                when::day(&gathered.zone, at(first))
            },
            events: hours.iter().flat_map(|hour| hour.verdicts.each()).map(|(_, count)| count).sum(),
            incidents: extract.chapters.iter().filter(opened).count() as u64,
            pages: hours.iter().map(|hour| u64::from(hour.pages.0) + u64::from(hour.pages.1)).sum(),
        }
    };
    extract.hours.chunks(each).map(bucket).collect()
}

/// What a bar of the chart is, in words.
pub(super) fn bar(gathered: &Gathered) -> String {
    let extract = &gathered.extract;
    match hours(extract.hours.len()) {
        1 => "Each bar is an hour.".to_owned(),
        2 => "Each bar is two hours.".to_owned(),
        _ => match when::clock(&gathered.zone, extract.from).as_str() {
            "00:00" => "Each bar is a day.".to_owned(),
            begins => format!("Each bar is a day from {begins}."),
        },
    }
}

/// The hours of a series, as the bars of a small drawing.
pub(super) fn sparks(hours: &[u32]) -> Vec<u32> {
    let each = hours.len().div_ceil(SPARKS).max(1);
    hours.chunks(each).map(|chunk| chunk.iter().sum()).collect()
}
