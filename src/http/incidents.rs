//! The incidents, the series and their reasons, for programs; and what people do to incidents.
//!
//! Deliberately without wording of its own: the JSON and the sentences (for `Accept: text/plain`) are those of
//! `replay`.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::admission::Who;
use super::answer::{Failure, json_answer, json_text};
use super::app::App;
use super::audit::Deed;
use crate::domain::{IncidentId, Opinion};
use crate::inbox::Order;
use crate::inbox::questions::{CanSplit, FindSeries, Incident, Incidents, IsOwn, Parts, Sums, Why, WhySeries};
use crate::replay::explanations::{incident_json, series_json, summary_json};
use crate::replay::sentences;
use crate::replay::wording::Ink;
use crate::sinks::clean;

/// So many incidents when nobody says how many.
const USUAL_LIMIT: usize = 100;
/// So long may the name of who does something be, in characters.
const NAME_LENGTH: usize = 100;
/// So many series are suggested for a name that fits several.
const MOST_SUGGESTED: usize = 20;

/// Which incidents.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    /// `open`, `closed` or `all`.
    state: Option<String>,
    limit: Option<usize>,
}

/// `GET /api/v1/incidents`.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    filter: Result<Query<Filter>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Failure> {
    let Query(filter) = filter.map_err(|error| bad_query(&error.body_text()))?;
    let open = match filter.state.as_deref() {
        None | Some("all") => None,
        Some("open") => Some(true),
        Some("closed") => Some(false),
        Some(other) => return Err(bad_query(&format!("`{other}` is no state"))),
    };
    let limit = filter.limit.unwrap_or(USUAL_LIMIT);
    let incidents = app.inbox.ask(Incidents { open, limit }).await?;
    let list: Vec<_> = incidents.iter().map(|(summary, open)| summary_json(summary, *open)).collect();
    Ok(json_text(StatusCode::OK, format!("{{\"incidents\":[{}]}}", list.join(","))))
}

fn bad_query(message: &str) -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, message, "write it as ?state=open, closed or all, and &limit=NUMBER")
        .at("query")
}

/// `GET /api/v1/incidents/{id}`.
pub(super) async fn one(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = incident_id(&id)?;
    let (summary, open) = app.inbox.ask(Incident(id)).await?.ok_or_else(|| no_incident(id))?;
    Ok(json_text(StatusCode::OK, summary_json(&summary, open)))
}

/// `GET /api/v1/incidents/{id}/why`.
pub(super) async fn why(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let id = incident_id(&id)?;
    let (explanation, now) = app.inbox.ask(Why(id)).await?.ok_or_else(|| no_incident(id))?;
    if wants_sentences(&headers) {
        return Ok(sentences::incident(&explanation, now, Ink::Plain).into_response());
    }
    Ok(json_text(StatusCode::OK, incident_json(&explanation)))
}

/// Whether the asker would rather read plain text, as `squelch why` does.
fn wants_sentences(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|kinds| kinds.to_str().ok())
        .is_some_and(|kinds| kinds.starts_with("text/plain"))
}

/// Who does it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct By {
    by: Option<String>,
}

/// `POST /api/v1/incidents/{id}/ack`, with `{"by": "NAME"}`.
pub(super) async fn acknowledge(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    who: Who,
    body: axum::body::Bytes,
) -> Result<Response, Failure> {
    act(&app, (&id, &who), &body, Order::Acknowledge).await
}

/// `POST /api/v1/incidents/{id}/resolve`, with `{"by": "NAME"}`.
pub(super) async fn resolve(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    who: Who,
    body: axum::body::Bytes,
) -> Result<Response, Failure> {
    act(&app, (&id, &who), &body, Order::Resolve).await
}

/// What a person says, and who.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    verdict: String,
    by: Option<String>,
}

/// `POST /api/v1/incidents/{id}/feedback`, with `{"verdict": "noise", "by": "NAME"}`.
pub(super) async fn feedback(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    who: Who,
    body: axum::body::Bytes,
) -> Result<Response, Failure> {
    const HELP: &str = "send {\"verdict\": \"noise\", \"useful\" or \"withdraw\", \"by\": \"YOUR NAME\"}";
    let id = incident_id(&id)?;
    let Word { verdict, by } = serde_json::from_slice(&body).map_err(|error| {
        Failure::new(StatusCode::BAD_REQUEST, format!("the body cannot be read: {error}"), HELP).at("body")
    })?;
    let opinion: Opinion = verdict.parse().map_err(|_| {
        let message = format!("`{}` is nothing that can be said of an incident", clean::line(&verdict, NAME_LENGTH));
        Failure::new(StatusCode::BAD_REQUEST, message, HELP).at("verdict")
    })?;
    can_be_judged(&app, id).await?;
    ordered(&app, id, Order::Feedback(id, opinion, named(by, &who))).await
}

/// Whether people can say what an incident was worth.
pub(super) async fn can_be_judged(app: &App, id: IncidentId) -> Result<(), Failure> {
    if app.inbox.answers().is_err() {
        return Ok(());
    }
    if app.inbox.ask(IsOwn(id)).await? {
        let message = format!("incident {id} is about Squelch itself: no judgement made it, so none can be moved");
        return Err(Failure::new(StatusCode::CONFLICT, message, "take it or resolve it instead").at("path"));
    }
    Ok(())
}

/// What leaves, and who says so.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Leaves {
    part: String,
    by: Option<String>,
}

/// `POST /api/v1/incidents/{id}/split`, with `{"part": "SERVICE OR HOST", "by": "NAME"}`.
pub(super) async fn split(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    who: Who,
    body: axum::body::Bytes,
) -> Result<Response, Failure> {
    const HELP: &str = "send {\"part\": \"A SERVICE OR HOST OF THE INCIDENT\", \"by\": \"YOUR NAME\"}";
    let id = incident_id(&id)?;
    let Leaves { part, by } = serde_json::from_slice(&body).map_err(|error| {
        Failure::new(StatusCode::BAD_REQUEST, format!("the body cannot be read: {error}"), HELP).at("body")
    })?;
    can_be_split(&app, id, &part).await?;
    ordered(&app, id, Order::Split(id, part, named(by, &who))).await
}

/// Whether something can be split from an incident under this name.
pub(super) async fn can_be_split(app: &App, id: IncidentId, part: &str) -> Result<(), Failure> {
    if app.inbox.answers().is_err() {
        return Ok(());
    }
    let Parts { incident, possible } = app.inbox.ask(CanSplit { incident: id, part: part.to_owned() }).await?;
    let (summary, open) = incident.ok_or_else(|| no_incident(id))?;
    if !possible {
        let names = [summary.services, summary.hosts].concat().join(", ");
        let message = format!("nothing can be split from incident {id} under `{}`", clean::line(part, NAME_LENGTH));
        let help = match open {
            true => format!("it must be about some of the incident, and not about all of it: {names}"),
            false => "only what is open can be split".to_owned(),
        };
        return Err(Failure::new(StatusCode::CONFLICT, message, help).at("part"));
    }
    Ok(())
}

async fn act(
    app: &App,
    (id, who): (&str, &Who),
    body: &[u8],
    order: fn(IncidentId, String) -> Order,
) -> Result<Response, Failure> {
    let id = incident_id(id)?;
    let By { by } = if body.is_empty() {
        By::default()
    } else {
        serde_json::from_slice(body).map_err(|error| {
            let help = "send {\"by\": \"YOUR NAME\"}, or no body";
            Failure::new(StatusCode::BAD_REQUEST, format!("the body cannot be read: {error}"), help).at("body")
        })?
    };
    ordered(app, id, order(id, named(by, who))).await
}

/// Who does it: one line of a name, as given, or as shown.
fn named(by: Option<String>, who: &Who) -> String {
    let name = by.map(|by| clean::line(&by, NAME_LENGTH)).filter(|by| !by.trim().is_empty());
    name.unwrap_or_else(|| who.told("somebody over HTTP"))
}

/// Gives an order about an incident that exists, and answers with the incident as it is then.
pub(super) async fn ordered(app: &App, id: IncidentId, order: Order) -> Result<Response, Failure> {
    if app.inbox.answers().is_err() {
        // Nobody here knows the incident: its shard does what can be done.
        let deed = Deed::of(&order).unwrap_or_default();
        app.inbox.order(order).await?;
        let answer = json!({"incident": id.to_string(), "ordered": true, "note": "it is in the log; the shard of this incident does it"});
        return Ok(deed.with(json_answer(StatusCode::ACCEPTED, &answer)));
    }
    app.inbox.ask(Incident(id)).await?.ok_or_else(|| no_incident(id))?;
    let deed = Deed::of(&order).unwrap_or_default();
    let taken = app.inbox.order(order).await?;
    let (summary, open) = app.inbox.ask_after(taken, Incident(id)).await?.ok_or_else(|| no_incident(id))?;
    Ok(deed.with(json_text(StatusCode::OK, summary_json(&summary, open))))
}

/// Reads the number of an incident, or the key of one of its notifications (`7.1.team-mail`).
pub(super) fn incident_id(text: &str) -> Result<IncidentId, Failure> {
    let number = text.split('.').next().unwrap_or_default();
    number.parse().map(IncidentId).map_err(|_| {
        let help = "write the number of an incident, as GET /api/v1/incidents lists them";
        Failure::new(StatusCode::BAD_REQUEST, format!("`{text}` is no number"), help).at("path")
    })
}

pub(super) fn no_incident(id: IncidentId) -> Failure {
    let help = "GET /api/v1/incidents lists those that are remembered";
    Failure::new(StatusCode::NOT_FOUND, format!("there is no incident {id}"), help).at("path")
}

/// Which series.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Find {
    #[serde(default)]
    find: String,
    limit: Option<usize>,
}

/// `GET /api/v1/series?find=WORDS`.
pub(super) async fn series(
    State(app): State<Arc<App>>,
    find: Result<Query<Find>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Failure> {
    let Query(find) = find.map_err(|error| {
        let help = "write it as ?find=WORDS OF ITS NAME, and &limit=NUMBER";
        Failure::new(StatusCode::BAD_REQUEST, error.body_text(), help).at("query")
    })?;
    let limit = find.limit.unwrap_or(USUAL_LIMIT);
    let found = app.inbox.ask(FindSeries { words: find.find, limit }).await?;
    let list: Vec<_> = found.iter().map(|(name, key)| json!({"series": &**name, "key": key.to_string()})).collect();
    Ok(json_answer(StatusCode::OK, &json!({"series": list})))
}

/// `GET /api/v1/series/{key}/why`: by key, by name (its slashes may stay as they are), or by words of its name.
pub(super) async fn why_series(
    State(app): State<Arc<App>>,
    Path(rest): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let Some(text) = rest.strip_suffix("/why").map(str::to_owned) else {
        return Ok(super::events::unknown_path(&format!("/api/v1/series/{rest}")));
    };
    let asked = text.clone();
    match app.inbox.ask(WhySeries { text, suggested: MOST_SUGGESTED }).await?.found() {
        Ok((explanation, now)) if wants_sentences(&headers) => {
            Ok(sentences::series(&explanation, now, Ink::Plain).into_response())
        }
        Ok((explanation, _)) => Ok(json_text(StatusCode::OK, series_json(&explanation))),
        Err(near) if near.is_empty() => {
            let help = "GET /api/v1/series?find=WORDS lists the series whose name has these words";
            Err(Failure::new(StatusCode::NOT_FOUND, format!("there is no series `{asked}`"), help).at("path"))
        }
        Err(near) => {
            let mut help = String::from("ask for one of them by its key:");
            for (name, key) in near {
                let _ = write!(help, " {key} = {name};");
            }
            Err(Failure::new(StatusCode::NOT_FOUND, format!("`{asked}` fits more than one series"), help).at("path"))
        }
    }
}

/// `GET /api/v1/tally`: the sums of promise 1, and the sizes.
pub(super) async fn tally(State(app): State<Arc<App>>) -> Result<Response, Failure> {
    let tally = app.inbox.ask(Sums).await?;
    let verdicts: serde_json::Map<_, _> =
        tally.by_reason.iter().map(|(reason, sum)| (reason.word().to_owned(), json!(sum))).collect();
    let answer = json!({
        "accepted": tally.accepted,
        "samples": tally.samples,
        "waiting": tally.waiting,
        "verdicts": verdicts,
        "pages": {"open": tally.pages.0, "escalate": tally.pages.1},
        "open_incidents": tally.open_incidents,
        "series": tally.series,
        "firing": tally.firing,
        "flapping": tally.flapping,
        "outbox": tally.outbox,
    });
    Ok(json_answer(StatusCode::OK, &answer))
}
