//! `POST /v2/alerts` and what ends or takes an alert, as Opsgenie answers them.
//!
//! Deliberately with one name for an alert: what stands in the path is its alias, whatever `identifierType` says.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{bytes, fresh_key, may_speak, shaped, store, told};
use crate::clock::Stopwatch;
use crate::domain::{Status, Timestamp};
use crate::formats::opsgenie::{self, Wrong};
use crate::formats::pagerduty::Read;
use crate::http::answer::Failure;
use crate::http::app::App;
use crate::http::listener::Peer;

/// `POST /v2/alerts`.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Result<Response, Refused> {
    take(&app, peer, request, |bytes, now| opsgenie::create(bytes, now, &fresh_key())).await
}

/// `POST /v2/alerts/{alias}/close`.
pub(super) async fn close(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    alias: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Refused> {
    let alias = named(alias)?;
    take(&app, peer, request, |bytes, now| opsgenie::act(bytes, now, (&alias, Status::Resolved))).await
}

/// `POST /v2/alerts/{alias}/acknowledge`.
pub(super) async fn acknowledge(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    alias: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Refused> {
    let alias = named(alias)?;
    take(&app, peer, request, |bytes, now| opsgenie::act(bytes, now, (&alias, Status::Acknowledged))).await
}

fn named(alias: Result<Path<String>, PathRejection>) -> Result<String, Refused> {
    let wrong = || Refused::Invalid(("alias", "the alias in the path is not UTF-8".to_owned()));
    alias.map(|Path(alias)| alias).map_err(|_| wrong())
}

async fn take(
    app: &App,
    peer: Peer,
    request: Request,
    reader: impl FnOnce(&[u8], Timestamp) -> Result<Read, Wrong>,
) -> Result<Response, Refused> {
    let watch = Stopwatch::start();
    let (parts, body) = request.into_parts();
    admit(app, &parts)?;
    let bytes = bytes(app, &parts, body).await?;
    let read = reader(&bytes, app.clock.now()).inspect_err(|_| app.metrics.refuse("bad_request", 1));
    let mut read = read.map_err(Refused::Invalid)?;
    store(app, peer, &mut read, bytes.len()).await?;
    let took = watch.elapsed().as_secs_f64();
    let answer = json!({
        "result": "Request will be processed", "took": took, "requestId": request_id(),
        "data": {"success": true, "alias": read.key},
    });
    Ok(told(StatusCode::ACCEPTED, answer, &read.warnings))
}

fn admit(app: &App, parts: &Parts) -> Result<(), Refused> {
    if may_speak(app, opsgenie::SOURCE, &parts.headers, genie_key(&parts.headers)) {
        return Ok(());
    }
    app.metrics.refuse("unauthorized", 1);
    let help = "send `Authorization: GenieKey KEY`: a secret of `opsgenie-alert`, or the token of the settings";
    Err(Failure::new(StatusCode::UNAUTHORIZED, "Could not authenticate", help).into())
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

/// What is not taken.
pub(super) enum Refused {
    Invalid(Wrong),
    Trouble(Failure),
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Trouble(failure)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let answer = |message: &str, errors: Value| json!({"message": message, "errors": errors, "took": 0.0, "requestId": request_id()});
        match self {
            Self::Invalid((field, why)) => {
                let failure = Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "", "");
                let message = "Request body is not processable. Please check the errors.";
                shaped(&failure, &answer(message, json!({field: why})))
            }
            Self::Trouble(failure) => shaped(&failure, &answer(&failure.message, json!({"help": failure.help}))),
        }
    }
}
