//! `POST /v2/enqueue` and `POST /v2/change/enqueue`, as PagerDuty answers them.
//!
//! Deliberately without PagerDuty's rule that a key has 32 characters: here any secret of
//! `sources: {pagerduty-events: {secret_file: …}}` is a key, or else Squelch's token.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::{Value, json};

use super::{Refused, Words, bytes, fresh_key, may_speak, shaped, store, told};
use crate::domain::Timestamp;
use crate::formats::pagerduty::{Read, SOURCE, Sent};
use crate::http::answer::{Failure, json_answer};
use crate::http::app::App;
use crate::http::listener::Peer;

/// Takes a body apart.
type Reader = fn(&Sent, Timestamp) -> Result<Read, Vec<String>>;

/// `POST /v2/enqueue`.
pub(super) async fn enqueue(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Result<Response, Refused<Wrong>> {
    let (parts, body) = request.into_parts();
    let read = |sent: &Sent, received| sent.alert(received, &fresh_key());
    let read = take(&app, peer, (&parts, body), read).await?;
    let answer = json!({"status": "success", "message": "Event processed", "dedup_key": read.key});
    Ok(told(StatusCode::ACCEPTED, answer, &read.warnings))
}

/// `POST /v2/change/enqueue`.
pub(super) async fn change(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Result<Response, Refused<Wrong>> {
    let (parts, body) = request.into_parts();
    let read = take(&app, peer, (&parts, body), Sent::change).await?;
    let answer = json!({"status": "success", "message": "Change event processed"});
    Ok(told(StatusCode::ACCEPTED, answer, &read.warnings))
}

async fn take(app: &App, peer: Peer, (parts, body): (&Parts, Body), reader: Reader) -> Result<Read, Refused<Wrong>> {
    let bytes = bytes(app, parts, body).await?;
    let invalid = |errors| Refused::Invalid(Wrong("Event object is invalid", errors));
    let read = Sent::read(&bytes).map_err(invalid).and_then(|sent| {
        if sent.routing_key().is_some_and(|key| !may_speak(app, SOURCE, &parts.headers, Some(&key))) {
            return Err(Refused::Invalid(Wrong("Invalid routing key", vec![WRONG_KEY.to_owned()])));
        }
        reader(&sent, app.clock.now()).map_err(invalid)
    });
    let mut read = read.inspect_err(|_| app.metrics.refuse("bad_request", 1))?;
    store(app, peer, &mut read, bytes.len()).await?;
    Ok(read)
}

const WRONG_KEY: &str = "'routing_key' is neither a secret of `pagerduty-events` nor the token of the settings";

/// What is wrong with an event: in one line, then one by one.
pub(super) struct Wrong(&'static str, Vec<String>);

impl Words for Wrong {
    fn invalid(self) -> Response {
        json_answer(StatusCode::BAD_REQUEST, &answer("invalid event", self.0, &self.1))
    }

    fn trouble(failure: &Failure) -> Response {
        let status = match failure.status {
            StatusCode::TOO_MANY_REQUESTS => "throttle exceeded",
            StatusCode::SERVICE_UNAVAILABLE => "unavailable",
            _ => "invalid event",
        };
        shaped(failure, &answer(status, &failure.message, std::slice::from_ref(&failure.help)))
    }
}

fn answer(status: &str, message: &str, errors: &[String]) -> Value {
    json!({"status": status, "message": message, "errors": errors})
}
