//! `GET /noise`: what is held back, by reason, by source and over time; the sums add up to what was accepted.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::chronicle::{self, by_outcome};
use super::frame::Frame;
use super::what_if::Questions;
use crate::domain::{Outcome, Reason, Tally, Timestamp};
use crate::http::admission::Who;
use crate::http::answer::Failure;
use crate::http::app::App;
use crate::inbox::questions::{Loudest, Sums};
use crate::replay::wording::{count, day_and_time, several};

/// So many series are named.
const LOUDEST: usize = 20;
/// The chart's own units.
const WIDTH: f64 = 1200.0;
const HEIGHT: f64 = 180.0;
const LEFT: f64 = 52.0;
const FOOT: f64 = 24.0;

#[derive(Serialize)]
struct Page {
    frame: Frame,
    headline: String,
    since: String,
    chart: String,
    reasons: Vec<ReasonRow>,
    all: String,
    adds: String,
    sources: Vec<SourceRow>,
    loudest: Vec<Loud>,
    questions: Questions,
}

#[derive(Serialize)]
struct ReasonRow {
    class: &'static str,
    count: String,
    reason: &'static str,
    because: &'static str,
}

#[derive(Serialize)]
struct SourceRow {
    name: String,
    count: String,
    held: String,
    paged: String,
    reason: &'static str,
}

#[derive(Serialize)]
struct Loud {
    count: String,
    name: String,
    key: String,
    reason: String,
}

/// `GET /noise`.
pub(super) async fn page(State(app): State<Arc<App>>, who: Who) -> Result<Response, Failure> {
    let (tally, policy) = (app.inbox.ask(Sums).await?, app.inbox.policy().await?);
    let (loudest, now) = app.inbox.ask(Loudest(LOUDEST)).await?;
    let hours = app.chronicle.hours();
    let (held, paged) = (tally.outcome(Outcome::Suppress), tally.pages.0 + tally.pages.1);
    let page = Page {
        frame: Frame::new(&app, &who, "/noise", policy.shadow),
        headline: format!("{} held back, {} sent", several(held, "event"), several(paged, "page")),
        since: since(&hours),
        chart: chart(&hours, now),
        reasons: reasons(&tally),
        all: count(tally.by_reason.iter().map(|(_, sum)| sum).sum()),
        adds: adds_up(&tally),
        sources: sources(&hours),
        questions: Questions::empty(&policy),
        loudest: loudest
            .into_iter()
            .map(|one| Loud {
                count: count(one.held),
                name: one.name.to_string(),
                key: one.fingerprint.to_string(),
                reason: one.latest.map(|reason| reason.sentence().to_owned()).unwrap_or_default(),
            })
            .collect(),
    };
    app.paper.page("noise.html", &page)
}

fn since(hours: &[(i64, chronicle::Sums)]) -> String {
    match hours.first() {
        Some((hour, _)) => format!(
            "Sums by reason are of all time; those by hour and by source since {} UTC, a week at most, and since Squelch was started.",
            day_and_time(begin(*hour))
        ),
        None => "Sums by reason are of all time; those by hour and by source begin when Squelch is started.".to_owned(),
    }
}

fn begin(hour: i64) -> Timestamp {
    Timestamp::from_millis(hour * 3_600_000)
}

fn reasons(tally: &Tally) -> Vec<ReasonRow> {
    let mut rows: Vec<_> = tally.by_reason.iter().filter(|(_, sum)| *sum > 0).collect();
    rows.sort_by_key(|(_, sum)| std::cmp::Reverse(*sum));
    let row = |(reason, sum): &(Reason, u64)| ReasonRow {
        class: reason.outcome().word(),
        count: count(*sum),
        reason: reason.word(),
        because: reason.sentence(),
    };
    rows.into_iter().map(row).collect()
}

fn adds_up(tally: &Tally) -> String {
    let sum: u64 = tally.by_reason.iter().map(|(_, sum)| sum).sum();
    if sum + tally.waiting == tally.accepted {
        format!(
            "and {} for a verdict: every one of {} accepted, exactly once",
            if tally.waiting == 1 { "1 waits".to_owned() } else { format!("{} wait", count(tally.waiting)) },
            count(tally.accepted)
        )
    } else {
        format!("of {} accepted: this is a fault of Squelch, please report it", count(tally.accepted))
    }
}

fn sources(hours: &[(i64, chronicle::Sums)]) -> Vec<SourceRow> {
    let mut all: BTreeMap<&Arc<str>, BTreeMap<Reason, u64>> = BTreeMap::new();
    for ((source, reason), sum) in hours.iter().flat_map(|(_, sums)| sums) {
        *all.entry(source).or_default().entry(*reason).or_default() += sum;
    }
    let of = |reasons: &BTreeMap<Reason, u64>, outcome| {
        reasons.iter().filter(|(reason, _)| reason.outcome() == outcome).map(|(_, sum)| sum).sum::<u64>()
    };
    let mut rows: Vec<_> =
        all.into_iter().map(|(source, reasons)| (reasons.values().sum::<u64>(), source, reasons)).collect();
    rows.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    let row = |(sum, source, reasons): (u64, &Arc<str>, BTreeMap<Reason, u64>)| SourceRow {
        name: source.to_string(),
        count: count(sum),
        held: count(of(&reasons, Outcome::Suppress)),
        paged: count(of(&reasons, Outcome::Page)),
        reason: reasons.iter().max_by_key(|(_, sum)| **sum).map_or("", |(reason, _)| reason.word()),
    };
    rows.into_iter().map(row).collect()
}

/// A bar an hour, of the last two days at most; the height grows with the square root, so that a storm hides no quiet hour.
fn chart(hours: &[(i64, chronicle::Sums)], now: Timestamp) -> String {
    const SHOWN: i64 = 48;
    let last = now.millis().div_euclid(3_600_000);
    let first = last - SHOWN + 1;
    let shown: Vec<(i64, [u64; 4])> =
        hours.iter().filter(|(hour, _)| *hour >= first).map(|(hour, sums)| (*hour, by_outcome(sums))).collect();
    let most = shown.iter().map(|(_, sums)| sums.iter().sum::<u64>()).max().unwrap_or(0).max(1);
    let width = (WIDTH - LEFT) / SHOWN as f64;
    let mut out = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"Events of the last {SHOWN} hours by what became of them; at most {most} an hour\">",
        HEIGHT + FOOT
    );
    let _ = write!(
        out,
        "<path class=\"grid\" d=\"M{LEFT} {HEIGHT}H{WIDTH}\"/><text class=\"row\" x=\"{:.0}\" y=\"14\">{}</text><text class=\"row\" x=\"{:.0}\" y=\"{HEIGHT}\">0</text>",
        LEFT - 8.0,
        count(most),
        LEFT - 8.0
    );
    for (hour, sums) in &shown {
        let x = LEFT + (hour - first) as f64 * width;
        let all: u64 = sums.iter().sum();
        let height = (HEIGHT - 6.0) * (all as f64 / most as f64).sqrt();
        let mut y = HEIGHT;
        let _ = write!(
            out,
            "<g><title>{} UTC: {} part of a page, {} joined, {} held back, {} recorded</title>",
            day_and_time(begin(*hour)),
            sums[0],
            sums[1],
            sums[2],
            sums[3]
        );
        for (class, part) in [("paged", sums[0]), ("join", sums[1]), ("held", sums[2]), ("rec", sums[3])] {
            let tall = height * part as f64 / all.max(1) as f64;
            y -= tall;
            if part > 0 {
                let _ = write!(
                    out,
                    "<rect class=\"{class}\" x=\"{:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{tall:.1}\"/>",
                    x + 1.0,
                    width - 2.0
                );
            }
        }
        out.push_str("</g>");
    }
    for hour in (first..=last).filter(|hour| hour.rem_euclid(6) == 0) {
        let x = LEFT + (hour - first) as f64 * width;
        let _ = write!(
            out,
            "<text class=\"tick\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
            HEIGHT + 17.0,
            &day_and_time(begin(hour))[..11]
        );
    }
    out.push_str("</svg>");
    out
}
