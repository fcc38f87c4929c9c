//! `GET /incidents/{id}`: what happened, drawn and told; where it began; what it is made of; what a person can do.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use rustc_hash::FxHashSet;
use serde::Serialize;

use super::card::Card;
use super::frame::Frame;
use super::member::Member;
use super::paper::Moment;
use super::postmortem;
use crate::domain::{Candidate, Fingerprint, IncidentExplanation, IncidentId, IncidentSummary, Opinion, Timestamp};
use crate::http::admission::Who;
use crate::http::answer::Failure;
use crate::http::app::App;
use crate::http::incidents::{incident_id, no_incident};
use crate::inbox::questions::{InFull as Seen, WhyInFull};
use crate::replay::report::legend;
use crate::replay::wording::amount;
use crate::sinks::clean;

/// So many series are told in full, and so many earlier incidents are named.
const MOST_MEMBERS: usize = 30;
const MOST_SIMILAR: usize = 8;
/// So long may a moment be, in characters.
const MOMENT: usize = 400;

#[derive(Serialize)]
struct Page {
    frame: Frame,
    card: Card,
    open: bool,
    /// Whether a judge made it: then people can say what it was worth.
    judged: bool,
    standing: String,
    said: String,
    svg: String,
    legend: String,
    left_out: String,
    moments: Vec<Told>,
    origins: Vec<Ranked>,
    suspects: Vec<String>,
    parts: Vec<String>,
    matcher: String,
    members: Vec<Member>,
    more: usize,
    similar: Vec<Card>,
}

#[derive(Serialize)]
struct Told {
    at: Moment,
    text: String,
}

#[derive(Serialize)]
struct Ranked {
    service: String,
    score: String,
    own: String,
    answers: String,
    load: String,
    explains: String,
}

/// `GET /incidents/{id}`.
pub(super) async fn page(State(app): State<Arc<App>>, Path(id): Path<String>, who: Who) -> Result<Response, Failure> {
    let seen = look(&app, incident_id(&id)?).await?;
    let (summary, now) = (&seen.explanation.summary, seen.now);
    let drawing = draw(&app, &seen.explanation, now);
    let members = &seen.explanation.members;
    let page = Page {
        frame: Frame::new(&app, &who, "", seen.shadow),
        card: Card::of(summary, now),
        open: seen.explanation.open,
        judged: !members.is_empty(),
        standing: standing(&seen.explanation).to_owned(),
        said: said(&seen.explanation),
        svg: drawing.as_ref().map(|drawing| drawing.svg.clone()).unwrap_or_default(),
        legend: legend(),
        left_out: drawing.map(|drawing| drawing.left_out.join("; ")).unwrap_or_default(),
        moments: summary
            .moments
            .iter()
            .map(|moment| Told { at: Moment::of(moment.ts, now), text: clean::line(&moment.text, MOMENT) })
            .collect(),
        origins: seen.explanation.origins.iter().map(ranked).collect(),
        suspects: seen.explanation.suspects.iter().map(|suspect| clean::line(suspect, MOMENT)).collect(),
        parts: parts(summary),
        matcher: matcher(summary),
        members: members.iter().take(MOST_MEMBERS).map(|member| Member::of(member, now)).collect(),
        more: members.len().saturating_sub(MOST_MEMBERS),
        similar: seen.similar.iter().map(|summary| Card::of(summary, now)).collect(),
    };
    app.paper.page("incident.html", &page)
}

/// `GET /incidents/{id}/postmortem.md`: the timeline, the evidence, and the questions to answer.
pub(super) async fn postmortem(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, Failure> {
    let seen = look(&app, incident_id(&id)?).await?;
    let shown = postmortem::masked(seen.explanation, &app.mask);
    let mut response = postmortem::markdown(&shown, seen.now).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/markdown; charset=utf-8"));
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

async fn look(app: &App, id: IncidentId) -> Result<Seen, Failure> {
    let seen = app.inbox.ask(WhyInFull { incident: id, similar: MOST_SIMILAR }).await?;
    seen.ok_or_else(|| no_incident(id))
}

fn draw(app: &App, explanation: &IncidentExplanation, now: Timestamp) -> Option<crate::replay::report::Drawing> {
    let members: FxHashSet<Fingerprint> = explanation.members.iter().map(|member| member.fingerprint).collect();
    let summary = &explanation.summary;
    let story = app.chronicle.story(&members, Some(summary), (summary.opened, now));
    story.has_events().then(|| story.drawing())
}

fn standing(explanation: &IncidentExplanation) -> &'static str {
    match (explanation.open, explanation.summary.acknowledged.is_some()) {
        (true, true) => "open, taken",
        (true, false) => "open, nobody has taken it",
        (false, _) => "over",
    }
}

fn said(explanation: &IncidentExplanation) -> String {
    let Some(said) = &explanation.feedback else { return String::new() };
    let word = match said.opinion {
        Opinion::Noise => "noise",
        Opinion::Useful => "useful",
        _ => return String::new(),
    };
    format!("{} called it {word}; {} % of that counts still.", said.by, amount(100.0 * said.worth.abs()))
}

fn ranked(candidate: &Candidate) -> Ranked {
    let bits = |bits: f32| amount(f64::from(bits));
    Ranked {
        service: candidate.service.clone(),
        score: bits(candidate.score),
        own: bits(candidate.own),
        answers: bits(candidate.answers),
        load: bits(candidate.load),
        explains: bits(candidate.explains),
    }
}

/// What can be split off: an incident about one thing has no parts.
fn parts(summary: &IncidentSummary) -> Vec<String> {
    let several = |names: &[String]| if names.len() > 1 { names.to_vec() } else { Vec::new() };
    [several(&summary.services), several(&summary.hosts)].concat()
}

/// The matchers that a silence of this would most likely have.
fn matcher(summary: &IncidentSummary) -> String {
    let origin = &summary.origin;
    let fields = [("service", &origin.service), ("host", &origin.host), ("check", &origin.check)];
    let fields = fields.iter().filter_map(|(name, value)| Some(format!("{name}={:?}", value.as_deref()?)));
    fields.collect::<Vec<_>>().join(", ")
}
