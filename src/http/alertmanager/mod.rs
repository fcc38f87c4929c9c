//! The Alertmanager API v2, as Alertmanager 0.28 speaks it: Prometheus, vmalert, Grafana, karma and amtool take Squelch
//! for an Alertmanager.
//!
//! Deliberately with Alertmanager's errors in its two shapes (a bare JSON string, or `{"code", "message"}`), not with
//! Squelch's: these clients know nothing else. What differs on purpose stands in `docs/ALERTMANAGER.md`.

mod alerts;
mod board;
mod config;
mod filter;
mod groups;
mod id;
mod inhibiting;
mod metrics;
mod new_silence;
mod silences;
mod status;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use serde::Serialize;
use serde_json::json;

use super::answer::{Failure, json_text};
use super::app::App;
use super::openapi::{self, Errors};
use crate::domain::Timestamp;

pub(super) use metrics::{Told, standing};

/// The Alertmanager whose API this is; what clients decide by.
const SPEAKS: &str = "0.28.1";

/// How long an alert without an end fires after it was last sent, as in Alertmanager's default.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(300);

/// A silence is a short body.
const SILENCE_BODY: usize = 1 << 20;

/// The paths of the API, and those of its first version, which is gone.
pub(super) fn router() -> Router<Arc<App>> {
    let gone = || any(gone);
    Router::new()
        .route("/api/v2/status", get(status::status))
        .route("/api/v2/receivers", get(status::receivers))
        .route("/api/v2/alerts", get(alerts::list).post(alerts::take))
        .route("/api/v2/alerts/", get(alerts::list).post(alerts::take))
        .route("/api/v2/alerts/groups", get(groups::list))
        .route("/api/v2/silences", get(silences::list).post(silences::set))
        .route("/api/v2/silence/{id}", get(silences::one).delete(silences::expire))
        .route("/api/v2/", any(unknown))
        .route("/api/v2/{*rest}", any(unknown))
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn(speaks_json))
        .layer(DefaultBodyLimit::max(SILENCE_BODY))
        .route("/api/v1/alerts", gone())
        .route("/api/v1/alerts/groups", gone())
        .route("/api/v1/status", gone())
        .route("/api/v1/receivers", gone())
        .route("/api/v1/silence/{id}", gone())
}

/// What Alertmanager answers: a code and a message, with the HTTP status that belongs to the code.
#[derive(Debug)]
struct Coded(u16, String);

impl IntoResponse for Coded {
    fn into_response(self) -> Response {
        // OpenAPI's own codes begin at 600, and all of them are about what was sent.
        let status = StatusCode::from_u16(self.0).ok().filter(|_| self.0 < 600);
        let status = status.unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
        json_text(status, json!({"code": self.0, "message": self.1}).to_string())
    }
}

/// A refusal of the API: in one of its two shapes, or Squelch's own trouble in the first.
#[derive(Debug)]
enum Refused {
    Coded(Coded),
    /// A bare JSON string.
    Said(StatusCode, String),
    /// A status alone.
    Bare(StatusCode),
    Trouble(Failure),
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Coded(coded) => coded.into_response(),
            Self::Said(status, text) => json_text(status, json!(text).to_string()),
            Self::Bare(status) => status.into_response(),
            Self::Trouble(failure) => {
                let retry = failure.retry_after.map(|span| span.as_secs_f64().ceil().max(1.0) as u64);
                let message = format!("{}; {}", failure.message, failure.help);
                let mut response = Coded(failure.status.as_u16(), message).into_response();
                if let Some(seconds) = retry {
                    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
                }
                response
            }
        }
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Trouble(failure)
    }
}

impl From<crate::inbox::Refusal> for Refused {
    fn from(refusal: crate::inbox::Refusal) -> Self {
        Self::Trouble(refusal.into())
    }
}

/// 400 with a bare JSON string.
fn bad(text: impl Into<String>) -> Refused {
    Refused::Said(StatusCode::BAD_REQUEST, text.into())
}

/// A value as the answer.
fn shown(value: &impl Serialize) -> Response {
    match serde_json::to_string(value) {
        Ok(text) => json_text(StatusCode::OK, text),
        Err(error) => Coded(500, format!("the answer cannot be written: {error}")).into_response(),
    }
}

/// A time as the API writes it: RFC 3339 in UTC, with milliseconds. Three stand in each alert, so it is not left to
/// a general formatter.
fn written(at: Timestamp) -> String {
    const DAY: i64 = 86_400_000;
    let (days, within) = (at.millis().div_euclid(DAY), at.millis().rem_euclid(DAY));
    let (year, month, day) = civil(days);
    let (hours, minutes) = (within / 3_600_000, within / 60_000 % 60);
    let mut text = String::with_capacity(24);
    for (number, digits, after) in [
        (year, 4, '-'),
        (month, 2, '-'),
        (day, 2, 'T'),
        (hours, 2, ':'),
        (minutes, 2, ':'),
        (within / 1000 % 60, 2, '.'),
        (within % 1000, 3, 'Z'),
    ] {
        for place in (0..digits).rev() {
            text.push(char::from(b'0' + (number / 10_i64.pow(place) % 10) as u8));
        }
        text.push(after);
    }
    text
}

/// Year, month and day of a day since the epoch (Howard Hinnant, `chrono`-Compatible Low-Level Date Algorithms).
const fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, of_year - (153 * shifted + 2) / 5 + 1)
}

/// What every request to the API passes: it sends and takes JSON, or is told so.
async fn speaks_json(request: Request, next: Next) -> Response {
    let refused = takes_json(request.headers()).and_then(|()| match *request.method() {
        Method::POST => sends_json(request.headers()),
        _ => Ok(()),
    });
    let mut response = match refused {
        Ok(()) => next.run(request).await,
        Err(coded) => coded.into_response(),
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn takes_json(headers: &HeaderMap) -> Result<(), Coded> {
    let Some(kinds) = headers.get(header::ACCEPT).and_then(|kinds| kinds.to_str().ok()) else { return Ok(()) };
    let mut kinds = kinds.split(',').map(|kind| kind.split(';').next().unwrap_or_default().trim());
    if kinds.any(|kind| ["", "*/*", "application/*", "application/json"].contains(&kind)) {
        return Ok(());
    }
    Err(Coded(406, "unsupported media type requested, only [application/json] are available".to_owned()))
}

fn sends_json(headers: &HeaderMap) -> Result<(), Coded> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or("application/octet-stream").split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Coded(415, format!("unsupported media type {kind:?}, only [application/json] are allowed")))
}

async fn unknown(uri: Uri) -> Response {
    let path: String = uri.path().chars().take(200).collect();
    Coded(404, format!("path {path} was not found")).into_response()
}

async fn wrong_method(method: Method, uri: Uri) -> Response {
    let path = uri.path().trim_end_matches('/');
    let known = |entry: &&str| match entry.split_once(' ') {
        Some((_, pattern)) => match pattern.strip_suffix("{id}") {
            Some(start) => path.starts_with(start),
            None => path == pattern,
        },
        None => false,
    };
    let lines = openapi::lines(|errors| errors == Errors::Alertmanager).into_iter();
    let methods: Vec<_> = lines.filter(known).filter_map(|entry| Some(entry.split_once(' ')?.0)).collect();
    let refused = Coded(405, format!("method {method} is not allowed, but [{}] are", methods.join(",")));
    ([(header::ALLOW, methods.join(","))], refused).into_response()
}

/// The first version of the API.
async fn gone() -> Response {
    let error = "The Alertmanager v1 API was deprecated in version 0.16.0 and is removed as of version 0.27.0 - please \
                 use the equivalent route in the v2 API";
    json_text(StatusCode::GONE, json!({"status": "deprecated", "error": error}).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_a_general_formatter_writes_them() {
        let edges = [0, 1, 951_782_399_999, 951_782_400_000, 4_102_444_800_000, 253_402_207_200_000 - 1];
        let many = (0..5_000).map(|n| n * 50_123_456_789 % 250_000_000_000_000);
        for millis in edges.into_iter().chain(many) {
            let known = jiff::Timestamp::from_millisecond(millis).unwrap();
            assert_eq!(written(Timestamp::from_millis(millis)), format!("{known:.3}"));
        }
        assert_eq!(written(Timestamp::MAX), "9999-12-31T23:59:59.999Z");
    }
}
