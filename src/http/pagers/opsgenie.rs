//! `POST /v2/alerts` and what ends, takes or snoozes an alert, as Opsgenie answers them.
//!
//! Deliberately with one name for an alert: what stands in the path is its alias, whatever `identifierType` says.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

use super::{Refused, Words, bytes, fresh_key, may_speak, shaped, store, told};
use crate::clock::Stopwatch;
use crate::domain::matcher::{MatcherError, Operator};
use crate::domain::{LooksAt, Matcher, Silence, Status, Timestamp};
use crate::formats::Warning;
use crate::formats::opsgenie::{self, Snooze, Wrong};
use crate::formats::pagerduty::Read;
use crate::http::answer::Failure;
use crate::http::app::App;
use crate::http::listener::Peer;
use crate::http::silences;

/// `POST /v2/alerts`.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Result<Response, Refused<Wrong>> {
    take(&app, peer, request, |bytes, now| opsgenie::create(bytes, now, &fresh_key())).await
}

/// The alias in a path.
type Alias = Result<Path<String>, PathRejection>;

/// `POST /v2/alerts/{alias}/close`.
pub(super) async fn close(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    alias: Alias,
    request: Request,
) -> Result<Response, Refused<Wrong>> {
    act(&app, peer, request, (alias, Status::Resolved)).await
}

/// `POST /v2/alerts/{alias}/acknowledge`.
pub(super) async fn acknowledge(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    alias: Alias,
    request: Request,
) -> Result<Response, Refused<Wrong>> {
    act(&app, peer, request, (alias, Status::Acknowledged)).await
}

/// `POST /v2/alerts/{alias}/snooze`: a silence of this alert, until then.
pub(super) async fn snooze(
    State(app): State<Arc<App>>,
    alias: Alias,
    request: Request,
) -> Result<Response, Refused<Wrong>> {
    let watch = Stopwatch::start();
    let alias = named(alias)?;
    let (parts, body) = request.into_parts();
    admit(&app, &parts)?;
    let bytes = bytes(&app, &parts, body).await?;
    let now = app.clock.now();
    let snooze = opsgenie::snooze(&bytes, now).inspect_err(|_| app.metrics.refuse("bad_request", 1));
    let silence = silence(&alias, snooze.map_err(Refused::Invalid)?, now)?;
    silences::set(&app, silence).await?;
    Ok(told(StatusCode::ACCEPTED, taken(&watch, &alias), &[]))
}

/// `POST /v2/alerts/{alias}/notes`.
pub(super) async fn note(
    State(app): State<Arc<App>>,
    alias: Alias,
    request: Request,
) -> Result<Response, Refused<Wrong>> {
    let watch = Stopwatch::start();
    let alias = named(alias)?;
    let (parts, body) = request.into_parts();
    admit(&app, &parts)?;
    let bytes = bytes(&app, &parts, body).await?;
    opsgenie::note(&bytes).inspect_err(|_| app.metrics.refuse("bad_request", 1)).map_err(Refused::Invalid)?;
    Ok(told(StatusCode::ACCEPTED, taken(&watch, &alias), &[Warning::new(0, "note", NOT_KEPT)]))
}

const NOT_KEPT: &str = "read and not kept: a note of its own says nothing about whether its alert is on. The note of a close \
                        or an acknowledgement is";

/// A silence of the alert of this alias.
fn silence(alias: &str, snooze: Snooze, now: Timestamp) -> Result<Silence, Refused<Wrong>> {
    let equal = |name: &str, value: &str| Matcher::new(name, Operator::Equal, value);
    let matchers: Result<Vec<_>, MatcherError> =
        [equal("source", opsgenie::SOURCE), equal(opsgenie::ALIAS, alias)].into_iter().collect();
    Ok(Silence {
        id: String::new(),
        matchers: matchers.map_err(|error| Refused::Invalid(("alias", error.message)))?,
        looks_at: LooksAt::Fields,
        from: now,
        until: snooze.until,
        owner: snooze.by,
        reason: snooze.note,
        updated: now,
    })
}

fn named(alias: Alias) -> Result<String, Refused<Wrong>> {
    let wrong = || Refused::Invalid(("alias", "the alias in the path is not UTF-8".to_owned()));
    alias.map(|Path(alias)| alias).map_err(|_| wrong())
}

async fn act(
    app: &App,
    peer: Peer,
    request: Request,
    (alias, status): (Alias, Status),
) -> Result<Response, Refused<Wrong>> {
    let alias = named(alias)?;
    take(app, peer, request, |bytes, now| opsgenie::act(bytes, now, (&alias, status))).await
}

async fn take(
    app: &App,
    peer: Peer,
    request: Request,
    reader: impl FnOnce(&[u8], Timestamp) -> Result<Read, Wrong>,
) -> Result<Response, Refused<Wrong>> {
    let watch = Stopwatch::start();
    let (parts, body) = request.into_parts();
    admit(app, &parts)?;
    let bytes = bytes(app, &parts, body).await?;
    let read = reader(&bytes, app.clock.now()).inspect_err(|_| app.metrics.refuse("bad_request", 1));
    let mut read = read.map_err(Refused::Invalid)?;
    store(app, peer, &mut read, bytes.len()).await?;
    Ok(told(StatusCode::ACCEPTED, taken(&watch, &read.key), &read.warnings))
}

fn taken(watch: &Stopwatch, alias: &str) -> Value {
    json!({
        "result": "Request will be processed", "took": watch.elapsed().as_secs_f64(), "requestId": request_id(),
        "data": {"success": true, "alias": alias},
    })
}

fn admit(app: &App, parts: &Parts) -> Result<(), Failure> {
    if may_speak(app, opsgenie::SOURCE, &parts.headers, genie_key(&parts.headers)) {
        return Ok(());
    }
    app.metrics.refuse("unauthorized", 1);
    let help = "send `Authorization: GenieKey KEY`: a secret of `opsgenie-alert`, or the token of the settings";
    Err(Failure::new(StatusCode::UNAUTHORIZED, "Could not authenticate", help))
}

/// The key in `Authorization: GenieKey …`.
fn genie_key(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("geniekey").then(|| key.trim())
}

/// A fresh UUID.
fn request_id() -> String {
    let digits = fresh_key();
    format!("{}-{}-8{}-8{}-{}", &digits[..8], &digits[8..12], &digits[13..16], &digits[17..20], &digits[20..])
}

impl Words for Wrong {
    fn invalid(self) -> Response {
        let (field, why) = self;
        let failure = Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "", "");
        shaped(&failure, &answer("Request body is not processable. Please check the errors.", &json!({field: why})))
    }

    fn trouble(failure: &Failure) -> Response {
        shaped(failure, &answer(&failure.message, &json!({"help": failure.help})))
    }
}

fn answer(message: &str, errors: &Value) -> Value {
    json!({"message": message, "errors": errors, "took": 0.0, "requestId": request_id()})
}
