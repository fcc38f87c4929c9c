//! `GET /`: what is open, most urgent first, and the river of what is judged beside it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::card::Card;
use super::frame::Frame;
use super::paper::Moment;
use crate::domain::decision::Verdict;
use crate::domain::{Decision, Outcome, SourceView, Tally, Timestamp};
use crate::http::admission::Who;
use crate::http::answer::Failure;
use crate::http::app::App;
use crate::inbox::questions::{self, NowStanding as Seen};
use crate::replay::wording::{count, several, span};

/// So many open incidents have a card, and so many that are over have a line.
const MOST_OPEN: usize = 50;
const MOST_OVER: usize = 8;
/// So many verdicts stand in the river at first.
const RIVER: usize = 40;
/// So many sources are listed.
const MOST_SOURCES: usize = 100;
/// So long may the name of a series be in the river, in characters.
const NAME: usize = 90;

#[derive(Serialize)]
struct Now {
    frame: Frame,
    headline: String,
    sums: Vec<Sum>,
    open: Vec<Card>,
    more: usize,
    closed: Vec<Card>,
    calm: String,
    river: Vec<Item>,
    next: u64,
    sources: Vec<SourceRow>,
}

#[derive(Serialize)]
struct Sum {
    class: &'static str,
    words: &'static str,
    count: String,
    share: String,
}

#[derive(Serialize)]
struct SourceRow {
    name: String,
    heard: Moment,
    first: Moment,
    pause: String,
    silent: bool,
    resolves: &'static str,
}

/// A verdict in one line.
#[derive(Debug, Serialize)]
pub(super) struct Item {
    pub(super) at: Moment,
    pub(super) outcome: &'static str,
    pub(super) reason: &'static str,
    pub(super) series: String,
    pub(super) key: String,
    pub(super) because: &'static str,
}

impl Item {
    /// The line of a verdict, seen at `now`.
    pub(super) fn of(verdict: &Verdict, now: Timestamp) -> Self {
        Self {
            at: Moment::of(verdict.ts, now),
            outcome: verdict.reason.outcome().word(),
            reason: verdict.reason.word(),
            series: crate::sinks::clean::line(&verdict.series, NAME),
            key: verdict.fingerprint.to_string(),
            because: verdict.reason.sentence(),
        }
    }
}

/// `GET /`.
pub(super) async fn page(State(app): State<Arc<App>>, who: Who) -> Result<Response, Failure> {
    let seen = app.inbox.ask(questions::Now { open: MOST_OPEN, over: MOST_OVER }).await?;
    let news = app.chronicle.since(u64::MAX, 0);
    let verdicts = app.chronicle.latest(RIVER, |decision| matches!(decision, Decision::Verdict(_)));
    let river = verdicts.iter().filter_map(|decision| match decision {
        Decision::Verdict(verdict) => Some(Item::of(verdict, seen.now)),
        _ => None,
    });
    let page = Now {
        frame: Frame::new(&app, &who, "/", seen.shadow),
        headline: headline(&seen),
        sums: outcomes(&seen.tally),
        open: seen.open.iter().map(|summary| Card::of(summary, seen.now)).collect(),
        more: seen.more,
        closed: seen.closed.iter().map(|summary| Card::of(summary, seen.now)).collect(),
        calm: calm(&seen),
        river: river.collect(),
        next: news.next,
        sources: seen.sources.iter().take(MOST_SOURCES).map(|source| row(source, seen.now)).collect(),
    };
    app.paper.page("now.html", &page)
}

fn headline(seen: &Seen) -> String {
    let all = seen.open.len() + seen.more;
    let untaken = seen.open.iter().filter(|summary| summary.acknowledged.is_none()).count() + seen.more;
    match (all, untaken) {
        (0, _) => "Nothing needs you".to_owned(),
        (all, 0) => format!("{}, all taken", several(all as u64, "open incident")),
        (all, untaken) if untaken == all => format!("{} nobody has taken", several(all as u64, "open incident")),
        (all, untaken) => format!("{}, {} not taken", several(all as u64, "open incident"), count(untaken as u64)),
    }
}

fn calm(seen: &Seen) -> String {
    let Some(over) = seen.closed.iter().filter_map(|summary| summary.resolved).max() else {
        return String::new();
    };
    format!("The last incident was over {} ago.", span(seen.now.since(over)))
}

/// What became of all events; the sums add up to what was accepted.
fn outcomes(tally: &Tally) -> Vec<Sum> {
    let share = |number: u64| format!("{:.1} %", 100.0 * number as f64 / tally.accepted.max(1) as f64);
    let of = |outcome, class, words| {
        let number = tally.outcome(outcome);
        Sum { class, words, count: count(number), share: share(number) }
    };
    let pages = tally.pages.0 + tally.pages.1;
    vec![
        of(Outcome::Page, "paged", "part of a page"),
        of(Outcome::Join, "join", "joined an incident"),
        of(Outcome::Suppress, "held", "held back, with a reason"),
        of(Outcome::Record, "rec", "recorded"),
        Sum { class: "rec", words: "wait for a verdict", count: count(tally.waiting), share: String::new() },
        Sum { class: "all", words: "accepted", count: count(tally.accepted), share: several(pages, "page") },
    ]
}

fn row(source: &SourceView, now: Timestamp) -> SourceRow {
    SourceRow {
        name: source.name.to_string(),
        heard: Moment::of(source.last, now),
        first: Moment::of(source.first, now),
        pause: if source.longest_pause > 0.0 { span(source.longest_pause) } else { "–".to_owned() },
        silent: source.silent,
        resolves: if source.resolves { "yes" } else { "no" },
    }
}
