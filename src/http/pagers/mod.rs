//! The paths of the services that page today: PagerDuty's Events API v2, Opsgenie's alert API, the REST endpoint of
//! VictorOps. What sends to them sends to Squelch by another address, and keeps its key.
//!
//! Deliberately with the answers and errors of those services, not with Squelch's: their clients know nothing else.
//! The key that a caller shows is looked at and forgotten: it is in no event, no answer and no log.

mod opsgenie;
mod pagerduty;
mod victorops;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};

use super::answer::{Failure, json_answer, retry_after};
use super::app::App;
use super::body;
use super::events;
use super::listener::Peer;
use super::openapi::{self, Errors};
use crate::formats::Warning;
use crate::formats::pagerduty::Read;

/// What the paths begin with.
const PREFIXES: &[&str] = &["/v2/enqueue", "/v2/change/enqueue", "/v2/alerts", "/integrations/generic/20131114/alert/"];

/// The longest body: what PagerDuty takes.
const LONGEST: usize = 512 << 10;

/// The paths.
pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/v2/enqueue", post(pagerduty::enqueue))
        .route("/v2/change/enqueue", post(pagerduty::change))
        .route("/v2/alerts", post(opsgenie::create))
        .route("/v2/alerts/{alias}/close", post(opsgenie::close))
        .route("/v2/alerts/{alias}/acknowledge", post(opsgenie::acknowledge))
        .route("/v2/alerts/{alias}/snooze", post(opsgenie::snooze))
        .route("/v2/alerts/{alias}/notes", post(opsgenie::note))
        .route("/integrations/generic/20131114/alert/{key}/{routing}", post(victorops::alert))
        .method_not_allowed_fallback(wrong_method)
}

/// Whether whoever serves a request checks its key: in the body, in a header of its own form, in the path.
pub(super) fn shows_key(request: &Request) -> bool {
    let path = request.uri().path();
    request.method() == Method::POST && PREFIXES.iter().any(|prefix| path.starts_with(prefix))
}

/// Whether a caller may speak for a source: nobody is asked; or its key is one of that source; or, where the source has
/// none of its own, the token is shown as the key or as everywhere else.
fn may_speak(app: &App, source: &str, headers: &HeaderMap, key: Option<&str>) -> bool {
    if let Some(keys) = app.known().keys.get(source) {
        return key.is_some_and(|key| keys.have(key.as_bytes()));
    }
    let access = app.access();
    let Some(token) = &access.token else { return true };
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().split_at_checked(7));
    let bearer = bearer.is_some_and(|(scheme, shown)| scheme.eq_ignore_ascii_case(b"bearer ") && token.is(shown));
    key.is_some_and(|key| token.is(key.as_bytes())) | bearer
}

async fn bytes(app: &App, parts: &Parts, body: Body) -> Result<Vec<u8>, Failure> {
    let limit = LONGEST.min(app.limits.body);
    body::read(&parts.headers, body, limit).await.inspect_err(|_| app.metrics.refuse("bad_body", 1))
}

/// Stores an event; done when it is durable.
async fn store(app: &App, peer: Peer, read: &mut Read, size: usize) -> Result<(), Failure> {
    let mut event = std::mem::replace(&mut read.event, crate::domain::Event::new("", ""));
    events::show(&mut event);
    events::store(app, peer, vec![event], size).await.map(|_| ())
}

/// A key for what has none: 32 hexadecimal digits that nobody had before.
fn fresh_key() -> String {
    // Each of these is seeded by the system and differs from all others.
    let half = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", half(), half())
}

/// An answer with what was taken otherwise than it was sent, where there is such a thing.
fn told(status: StatusCode, mut answer: Value, warnings: &[Warning]) -> Response {
    if !warnings.is_empty() {
        let text = |warning: &Warning| format!("{}: {}", warning.path, warning.message);
        answer["warnings"] = json!(warnings.iter().map(text).collect::<Vec<_>>());
    }
    json_answer(status, &answer)
}

/// What is not taken.
enum Refused<W> {
    /// For a reason that the service has words for.
    Invalid(W),
    /// For one that every path has.
    Trouble(Failure),
}

/// How a service says that something was not taken.
trait Words: Sized {
    fn invalid(self) -> Response;
    fn trouble(failure: &Failure) -> Response;
}

impl<W> From<Failure> for Refused<W> {
    fn from(failure: Failure) -> Self {
        Self::Trouble(failure)
    }
}

impl<W: Words> IntoResponse for Refused<W> {
    fn into_response(self) -> Response {
        match self {
            Self::Invalid(words) => words.invalid(),
            Self::Trouble(failure) => W::trouble(&failure),
        }
    }
}

/// A failure in the form of a service.
fn shaped(failure: &Failure, answer: &Value) -> Response {
    let mut response = json_answer(failure.status, answer);
    retry_after(&mut response, failure.retry_after);
    response
}

/// Without the path, which may hold a key.
async fn wrong_method(method: Method) -> Response {
    let told = |errors| matches!(errors, Errors::PagerDuty | Errors::Opsgenie | Errors::VictorOps);
    let help = format!("these exist: {}", openapi::lines(told).join(", "));
    let message = format!("{method} does not fit this path");
    let refused = Failure::new(StatusCode::METHOD_NOT_ALLOWED, message, help).at("method");
    ([(header::ALLOW, "POST")], refused).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_are_made_differ() {
        let keys: std::collections::BTreeSet<String> = (0..1_000).map(|_| fresh_key()).collect();
        assert_eq!(keys.len(), 1_000);
        assert!(keys.iter().all(|key| key.len() == 32));
    }
}
