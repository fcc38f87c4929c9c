//! `/noise/what-if`: turn a knob, and see what would have paged on the stored history, before and after.
//!
//! Deliberately a form that needs no script, and an answer that is a page: what was turned stands in it, to be turned on.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{FromRequest, Query, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use serde_json::{Map, Value};

use super::frame::Frame;
use super::paper::Moment;
use crate::config::{Knobs, Source, constants};
use crate::domain::{Policy, Timestamp, duration};
use crate::http::admission::Who;
use crate::http::answer::Failure;
use crate::http::app::App;
use crate::http::what_if::{Answer, Changed, ask, deed, unturned, wanted};
use crate::replay::report::foreign;
use crate::replay::wording::{count, date_and_time, day_and_time, several, span};

/// So many pages of a kind are shown one by one.
const MOST: usize = 60;
/// The drawing's own units, and the rows of the two runs.
const WIDTH: f64 = 1200.0;
const LEFT: f64 = 96.0;
const ROWS: [f64; 2] = [24.0, 74.0];
const FOOT: f64 = 96.0;

/// The form, as it was filled in.
#[derive(Debug, Serialize)]
pub(super) struct Questions {
    knobs: Knobs,
    since: String,
    constants: Vec<Constant>,
    /// What turning the constant does that was chosen.
    says: &'static str,
    sensitivity: &'static str,
    page_from: &'static str,
    hold: String,
}

#[derive(Debug, Serialize)]
struct Constant {
    name: &'static str,
    usually: &'static str,
}

#[derive(Serialize)]
struct Page {
    frame: Frame,
    questions: Questions,
    told: Option<Told>,
}

/// What came of it.
#[derive(Serialize)]
struct Told {
    headline: String,
    replayed: String,
    nothing: bool,
    sums: Vec<Sum>,
    svg: String,
    kinds: Vec<Kind>,
    same: String,
    snippet: String,
}

#[derive(Serialize)]
struct Sum {
    class: &'static str,
    words: &'static str,
    count: String,
}

#[derive(Serialize)]
struct Kind {
    class: &'static str,
    title: &'static str,
    says: &'static str,
    pages: Vec<Row>,
    more: String,
}

#[derive(Serialize)]
struct Row {
    at: Moment,
    severity: &'static str,
    title: String,
    incident: Option<u64>,
    taken: bool,
    series: Option<String>,
    key: String,
    why: String,
    instead: String,
}

impl Questions {
    /// An empty form, with what is in force beside it.
    pub(super) fn empty(policy: &Policy) -> Self {
        Self::new(Knobs::default(), "7d", policy)
    }

    fn new(knobs: Knobs, since: &str, policy: &Policy) -> Self {
        let says = constants().find(|(name, ..)| *name == knobs.constant).map_or("", |(.., says)| says);
        Self {
            knobs,
            says,
            since: since.to_owned(),
            constants: constants().map(|(name, usually, _)| Constant { name, usually }).collect(),
            sensitivity: policy.judgement.sensitivity.word(),
            page_from: policy.defaults.page_from.word(),
            hold: duration::write(policy.defaults.hold.longest),
        }
    }
}

/// `GET /noise/what-if`: the form; what is in the address stands in it already.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    who: Who,
    Query(fields): Query<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let (knobs, since) = read(&fields)?;
    show(&app, &who, (knobs, &since), None).await
}

/// A form that somebody sent.
pub(super) struct Sent(Vec<(String, String)>);

impl FromRequest<Arc<App>> for Sent {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Failure> {
        let Form(fields) = Form::from_request(request, app).await.map_err(|error: FormRejection| {
            Failure::new(StatusCode::BAD_REQUEST, error.body_text(), "send it as the form of the page does").at("body")
        })?;
        Ok(Self(fields))
    }
}

/// `POST /noise/what-if`: works it out.
pub(super) async fn answer(State(app): State<Arc<App>>, who: Who, Sent(fields): Sent) -> Result<Response, Failure> {
    let (knobs, since) = read(&fields)?;
    let back = wanted(map(&fields))?.1;
    let change = knobs.source().map_err(unturned)?;
    let answer = ask(&app, change.clone(), back).await?;
    let told = Told::of(&answer, &change, app.clock.now());
    Ok(deed(&change).with(show(&app, &who, (knobs, &since), Some(told)).await?))
}

fn map(fields: &[(String, String)]) -> Map<String, Value> {
    fields.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect()
}

fn read(fields: &[(String, String)]) -> Result<(Knobs, String), Failure> {
    let since = fields.iter().find(|(name, _)| name == "since").map_or("7d", |(_, since)| since.as_str());
    Ok((wanted(map(fields))?.0, since.to_owned()))
}

async fn show(app: &App, who: &Who, asked: (Knobs, &str), told: Option<Told>) -> Result<Response, Failure> {
    let policy = app.inbox.policy().await?;
    let frame = Frame::new(app, who, "/noise", policy.shadow);
    app.paper.page("what_if.html", &Page { frame, questions: Questions::new(asked.0, asked.1, &policy), told })
}

impl Told {
    fn of(answer: &Answer, change: &Source, now: Timestamp) -> Self {
        let (before, after) = (answer.before as u64, answer.after as u64);
        let count_of = |word: &str| answer.count(word) as u64;
        let sum = |class, words, number: u64| Sum { class, words, count: count(number) };
        let nothing = answer.pages.iter().all(|page| page.change == "same");
        Self {
            headline: match (nothing, before) {
                (true, 0) => "No page before, and none after".to_owned(),
                (true, _) => format!("{}, and the same after", several(before, "page")),
                _ => format!("{} instead of {}", several(after, "page"), count(before)),
            },
            replayed: replayed(answer),
            nothing,
            sums: vec![
                sum("all", "pages as it is", before),
                sum("all", "pages with the change", after),
                sum("paged", "lost", count_of("lost")),
                sum("join", "gained", count_of("gained")),
                sum("held", "later", count_of("later")),
                sum("rec", "earlier", count_of("earlier")),
            ],
            svg: drawing(answer),
            kinds: KINDS.iter().filter_map(|kind| listed(answer, *kind, now)).collect(),
            same: if nothing || count_of("same") == 0 { String::new() } else { several(count_of("same"), "page") },
            snippet: String::from_utf8_lossy(&change.text).trim().to_owned(),
        }
    }
}

fn replayed(answer: &Answer) -> String {
    let Some((first, last)) = answer.stored else {
        return "Nothing is stored yet: there is nothing to replay.".to_owned();
    };
    let (begin, end) = (date_and_time(first), date_and_time(last));
    let older = if answer.cut { ", the latest that are stored" } else { ", all that is stored" };
    let from = if answer.from > first {
        format!(" Pages since {} UTC count; what was before teaches what is ordinary.", day_and_time(answer.from))
    } else {
        String::new()
    };
    format!("Replayed: {}{older}, from {begin} to {end} UTC.{from}", several(answer.events as u64, "event"))
}

/// Word, class, title and meaning of what is listed.
const KINDS: [(&str, &str, &str, &str); 4] = [
    ("lost", "paged", "Lost", "These pages would not have come."),
    ("gained", "join", "Gained", "These pages would have come, too."),
    ("later", "held", "Later", "These pages would have come later."),
    ("earlier", "rec", "Earlier", "These pages would have come earlier."),
];

fn listed(
    answer: &Answer,
    (word, class, title, says): (&str, &'static str, &'static str, &'static str),
    now: Timestamp,
) -> Option<Kind> {
    let all: Vec<&Changed> = answer.pages.iter().filter(|page| page.change == word).collect();
    if all.is_empty() {
        return None;
    }
    let left = all.len().saturating_sub(MOST) as u64;
    let more =
        if left > 0 { format!("and {}: the API tells them all", several(left, "more page")) } else { String::new() };
    Some(Kind { class, title, says, pages: all.into_iter().take(MOST).map(|page| row(page, now)).collect(), more })
}

fn row(page: &Changed, now: Timestamp) -> Row {
    let at = page.before.or(page.after).unwrap_or(now);
    let instead = match (page.before, page.after) {
        (Some(before), Some(after)) => {
            let apart = span((after.millis() - before.millis()).unsigned_abs() as f64 / 1e3);
            format!("With the change {apart} {}, at {}: {}", page.change, day_and_time(after), page.instead)
        }
        (Some(_), None) => format!("With the change: {}", page.instead),
        (None, _) => format!("As it is: {}", page.instead),
    };
    Row {
        at: Moment::of(at, now),
        severity: page.severity.word(),
        title: page.title.clone(),
        incident: page.incident.map(|id| id.0),
        taken: page.taken,
        series: page.series.as_ref().map(|(name, _)| name.clone()),
        key: page.series.as_ref().map(|(_, key)| key.to_string()).unwrap_or_default(),
        why: page.why.clone(),
        instead,
    }
}

/// Both runs as two rows over time: a mark a page, tied to its partner in the other run.
fn drawing(answer: &Answer) -> String {
    let times = || answer.pages.iter().flat_map(|page| [page.before, page.after]).flatten();
    let (Some(first), Some(last)) = (times().min(), times().max()) else { return String::new() };
    let from = answer.stored.map_or(first, |stored| stored.0.max(answer.from)).min(first);
    let until = answer.stored.map_or(last, |stored| stored.1).max(last);
    let long = until.since(from).max(1.0);
    let x = |at: Timestamp| LEFT + 10.0 + (WIDTH - LEFT - 24.0) * at.since(from) / long;
    let mut svg = format!(
        "<svg class=\"chart trial\" viewBox=\"0 0 {WIDTH} {:.0}\" role=\"img\" aria-label=\"Pages over time: {} as it is, {} with the change\">",
        FOOT + 22.0,
        answer.before,
        answer.after
    );
    for (row, name) in ROWS.iter().zip(["as it is", "with the change"]) {
        let _ = write!(
            svg,
            "<path class=\"grid\" d=\"M{LEFT} {row}H{WIDTH}\"/><text class=\"row\" x=\"{:.0}\" y=\"{:.0}\">{name}</text>",
            LEFT - 8.0,
            row + 4.0
        );
    }
    for page in &answer.pages {
        mark(&mut svg, page, x);
    }
    let mut last = String::new();
    for (part, anchor) in ["start", "middle", "middle", "middle", "middle", "end"].into_iter().enumerate() {
        let at = from.after(long * part as f64 / 5.0);
        let word = day_and_time(at).get(..11).unwrap_or_default().to_owned();
        // A short history has several marks in one minute.
        if word != last {
            let _ = write!(
                svg,
                "<text class=\"note\" text-anchor=\"{anchor}\" x=\"{:.0}\" y=\"{:.0}\">{word}</text>",
                x(at),
                FOOT + 16.0
            );
        }
        last = word;
    }
    svg + "</svg>"
}

fn mark(svg: &mut String, page: &Changed, x: impl Fn(Timestamp) -> f64) {
    let at = page.before.or(page.after).map(day_and_time).unwrap_or_default();
    let title = foreign(&format!("{at} UTC, {}: {}", page.change, page.title), 200);
    let _ = write!(svg, "<g class=\"{}\"><title>{title}</title>", page.change);
    if let (Some(before), Some(after)) = (page.before, page.after) {
        let _ = write!(svg, "<path class=\"tie\" d=\"M{:.1} {}L{:.1} {}\"/>", x(before), ROWS[0], x(after), ROWS[1]);
    }
    for (at, row) in [page.before, page.after].iter().zip(ROWS) {
        if let Some(at) = at {
            let _ = write!(svg, "<circle cx=\"{:.1}\" cy=\"{row}\" r=\"6\"/>", x(*at));
        }
    }
    svg.push_str("</g>");
}
