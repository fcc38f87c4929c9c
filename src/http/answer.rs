//! Answers: JSON for what went well, and errors that say what is wrong, where, and how to mend it.
//!
//! Deliberately one form of error for every path: `{"error": {"message", "where", "help"}}`.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::inbox::Refusal;

/// A request that was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The HTTP status.
    pub status: StatusCode,
    /// What is wrong.
    pub message: String,
    /// Where: a field, a header, a path. May be empty.
    pub place: String,
    /// How to mend it.
    pub help: String,
    /// When to try again.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// A failure without a place.
    #[must_use]
    pub fn new(status: StatusCode, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { status, message: message.into(), place: String::new(), help: help.into(), retry_after: None }
    }

    /// The same failure, in this place.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = place.into();
        self
    }

    /// The same failure, which is gone after this long.
    #[must_use]
    pub fn retry_after(mut self, span: Duration) -> Self {
        self.retry_after = Some(span);
        self
    }
}

/// The value as a JSON answer.
#[must_use]
pub fn json_answer(status: StatusCode, value: &Value) -> Response {
    json_text(status, value.to_string())
}

/// JSON text as an answer.
#[must_use]
pub fn json_text(status: StatusCode, mut text: String) -> Response {
    text.push('\n');
    (status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// Tells when to try again: whole seconds, at least one.
pub(super) fn retry_after(response: &mut Response, span: Option<Duration>) {
    if let Some(span) = span {
        let seconds = span.as_secs_f64().ceil().max(1.0) as u64;
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let error = json!({"error": {"message": self.message, "where": self.place, "help": self.help}});
        let mut response = json_answer(self.status, &error);
        retry_after(&mut response, self.retry_after);
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // For whoever tells it in another form.
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        if let Refusal::Elsewhere(why) = refusal {
            let help = "events and orders are taken here; docs/CLUSTER.md says what a cluster answers, and where";
            return Self::new(StatusCode::NOT_IMPLEMENTED, why, help);
        }
        let (seconds, help) = match refusal {
            Refusal::Full { .. } => (1, "nothing of this request was taken: send it again after Retry-After seconds"),
            Refusal::Storage(_) => (
                10,
                "squelch refuses new events until it can store them and keeps judging what it holds: \
                 free space in its data directory (GET /-/ready tells when), and send this again",
            ),
            Refusal::Backup(_) => (10, "nothing was changed; the log and GET /-/ready tell more"),
            Refusal::Judge => (10, "nothing was changed: ask again after Retry-After seconds"),
            Refusal::Log(_) | Refusal::Elsewhere(_) => (
                5,
                "send it again after Retry-After seconds: what was written already counts as a repeat (GET /-/ready tells more)",
            ),
            Refusal::Silent(_) => (
                5,
                "their workers died, are cut off, or are just handing over: ask again after Retry-After seconds (GET /-/ready tells more)",
            ),
            Refusal::Stopping => (5, "nothing of this request was taken: send it again when squelch is up again"),
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, refusal.to_string(), help).retry_after(Duration::from_secs(seconds))
    }
}
