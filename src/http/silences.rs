//! Silences that people set over HTTP.
//!
//! Deliberately not those of rule files: they are listed, and changed in their file.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Failure, json_answer};
use super::app::App;
use super::audit::Deed;
use crate::domain::matcher::alertmanager;
use crate::domain::{Fingerprint, LooksAt, Matcher, Silence, Timestamp, duration};
use crate::inbox::Order;
use crate::inbox::questions::{Covering, SetSilences};
use crate::sinks::clean;

/// A silence as it is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    matchers: Vec<String>,
    /// How long, such as `2h`.
    #[serde(rename = "for")]
    span: String,
    owner: String,
    reason: String,
}

/// `GET /api/v1/silences`.
pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Response, Failure> {
    let now = app.clock.now();
    let covered = app.inbox.ask(Covering).await?;
    let shown = |silence: &Silence| {
        let mut value = written(silence, now);
        value["covers"] = json!(covered.covers(&silence.id).unwrap_or(0));
        value["ends_soon"] = json!(silence.ends_soon(now));
        value["forgotten"] = json!(silence.is_forgotten(now));
        value
    };
    let list: Vec<_> = covered.silences.iter().map(shown).collect();
    Ok(json_answer(StatusCode::OK, &json!({"silences": list})))
}

/// `POST /api/v1/silences`.
pub(super) async fn create(State(app): State<Arc<App>>, body: Bytes) -> Result<Response, Failure> {
    let now = app.clock.now();
    let silence = set(&app, read(&body, now)?).await?;
    Ok(Deed::of_silence(&silence).with(json_answer(StatusCode::CREATED, &written(&silence, now))))
}

/// Sets a silence, under an identity that nobody has; done when it is durable.
pub(super) async fn set(app: &App, mut silence: Silence) -> Result<Silence, Failure> {
    if app.inbox.answers().is_err() {
        // Nobody here knows those of the other nodes: what it says makes it a name of its own.
        let said = format!("{:?} {} {}", silence.matchers, silence.owner, silence.reason);
        silence.id = format!("s{}-{:x}", silence.updated.millis(), Fingerprint::of(&[&said]).0 % 1_000_000);
        app.inbox.order(Order::Silence(silence.clone())).await?;
        return Ok(silence);
    }
    let taken: Vec<_> = app.inbox.ask(SetSilences).await?.silences.into_iter().map(|other| other.id).collect();
    for n in 1_u32.. {
        silence.id = format!("s{}-{n}", silence.updated.millis());
        if !taken.contains(&silence.id) {
            break;
        }
    }
    app.inbox.order(Order::Silence(silence.clone())).await?;
    Ok(silence)
}

/// The matchers of a list as in a rule: `host="db-1", check=~"disk.*"`.
pub(super) fn matchers(text: &str) -> Result<Vec<Matcher>, Failure> {
    let help = "write them as in a rule: host=\"db-1\", check=~\"disk.*\"";
    let wrong = |message: String| Failure::new(StatusCode::BAD_REQUEST, message, help).at("matcher");
    if text.trim().is_empty() {
        return Err(wrong("there is no matcher".to_owned()));
    }
    alertmanager::matchers(text).map_err(wrong)
}

/// Sets a silence from now on.
pub(super) async fn set_from_now(
    app: &App,
    matchers: Vec<Matcher>,
    (span, owner, reason): (&str, &str, &str),
) -> Result<Silence, Failure> {
    let now = app.clock.now();
    let wanted =
        Wanted { matchers: Vec::new(), span: span.to_owned(), owner: owner.to_owned(), reason: reason.to_owned() };
    set(app, checked(wanted, matchers, now)?).await
}

/// Lets a silence last longer.
pub(super) async fn extend(app: &App, id: &str, span: &str) -> Result<Silence, Failure> {
    let now = app.clock.now();
    let mut silence = of_people(app, id).await?;
    let more = length(span)?;
    (silence.until, silence.updated) = (silence.until.max(now) + more, now);
    app.inbox.order(Order::Silence(silence.clone())).await?;
    Ok(silence)
}

/// Ends a silence now.
pub(super) async fn end(app: &App, id: &str) -> Result<Silence, Failure> {
    let now = app.clock.now();
    let mut silence = of_people(app, id).await?;
    (silence.from, silence.until, silence.updated) = (silence.from.min(now), now, now);
    app.inbox.order(Order::Silence(silence.clone())).await?;
    Ok(silence)
}

/// `DELETE /api/v1/silences/{id}`: ends it now.
pub(super) async fn expire(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, Failure> {
    let silence = end(&app, &id).await?;
    Ok(ended(&silence).with(json_answer(StatusCode::OK, &written(&silence, app.clock.now()))))
}

/// What is told of a silence that somebody ended: whose it was is in its own line.
pub(super) fn ended(silence: &Silence) -> Deed {
    Deed { by: String::new(), ..Deed::of_silence(silence) }
}

/// A silence that people set, and may change.
async fn of_people(app: &App, id: &str) -> Result<Silence, Failure> {
    let set = app.inbox.ask(SetSilences).await?;
    if set.of_files.iter().any(|name| name == id) {
        let help = "take it out of its rule file; squelch reads the file again by itself";
        return Err(Failure::new(StatusCode::CONFLICT, format!("`{id}` is set by a rule file"), help).at("path"));
    }
    set.silences.into_iter().find(|silence| silence.id == id).ok_or_else(|| {
        let help = "GET /api/v1/silences lists those in force and to come";
        Failure::new(StatusCode::NOT_FOUND, format!("there is no silence `{id}`"), help).at("path")
    })
}

fn read(body: &[u8], now: Timestamp) -> Result<Silence, Failure> {
    let wanted: Wanted = serde_json::from_slice(body).map_err(|error| {
        let help = r#"send {"matchers": ["service=\"web\""], "for": "2h", "owner": "NAME", "reason": "WHY"}"#;
        Failure::new(StatusCode::BAD_REQUEST, format!("the silence cannot be read: {error}"), help).at("body")
    })?;
    if wanted.matchers.is_empty() {
        let help = "a silence of everything is what `squelch serve --shadow` is for";
        return Err(bad("matchers", "there is no matcher", help));
    }
    let mut matchers = Vec::new();
    for (at, text) in wanted.matchers.iter().enumerate() {
        match Matcher::parse(text) {
            Ok(matcher) => matchers.push(matcher),
            Err(error) => return Err(bad(&format!("matchers[{at}]"), &error.message, &error.help)),
        }
    }
    checked(wanted, matchers, now)
}

fn bad(place: &str, message: &str, help: &str) -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, message, help).at(place)
}

fn length(text: &str) -> Result<std::time::Duration, Failure> {
    const HELP: &str = "write how long, such as 30m, 2h or 1d";
    match duration::parse(text) {
        Ok(span) if !span.is_zero() => Ok(span),
        Ok(_) => Err(bad("for", "it ends at once", HELP)),
        Err(error) => Err(bad("for", &format!("`{}` is no length of time: {error}", clean::line(text, 40)), HELP)),
    }
}

/// The silence that is wanted, without an identity.
fn checked(wanted: Wanted, matchers: Vec<Matcher>, now: Timestamp) -> Result<Silence, Failure> {
    for (place, text) in [("owner", &wanted.owner), ("reason", &wanted.reason)] {
        if text.trim().is_empty() {
            return Err(bad(place, "it is empty", "somebody must be able to ask why it is quiet"));
        }
    }
    let span = length(&wanted.span)?;
    Ok(Silence {
        id: String::new(),
        matchers,
        looks_at: LooksAt::Fields,
        from: now,
        until: now + span,
        owner: wanted.owner,
        reason: wanted.reason,
        updated: now,
    })
}

fn written(silence: &Silence, now: Timestamp) -> Value {
    let matchers: Vec<_> = silence.matchers.iter().map(ToString::to_string).collect();
    json!({
        "id": silence.id,
        "matchers": matchers,
        "from": silence.from.secs(),
        "until": silence.until.secs(),
        "in_force": silence.in_force(now),
        "owner": silence.owner,
        "reason": silence.reason,
    })
}
