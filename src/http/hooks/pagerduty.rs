//! `POST /hooks/pagerduty`: PagerDuty's webhooks, version 3. <https://developer.pagerduty.com/docs/webhooks-overview>.
//!
//! Only what a person does there counts. What Squelch itself sent comes back with an integration as its agent, and what
//! PagerDuty ends after its own time with none: neither says anything new, so nothing goes round in a circle.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::Value;

use super::{Act, Said, believe, keys, nothing, obey, read, unreadable, via};
use crate::formats::{self, Encoding, Signature};
use crate::http::answer::Failure;
use crate::http::app::App;

const SIGNATURE: Signature = Signature {
    header: Cow::Borrowed("X-PagerDuty-Signature"),
    prefix: Cow::Borrowed("v1="),
    encoding: Encoding::Hex,
    timestamp_header: None,
};

/// `POST /hooks/pagerduty`.
pub(super) async fn hook(State(app): State<Arc<App>>, request: Request) -> Result<Response, Failure> {
    let keys = keys(&app, "pagerduty")?;
    let (headers, bytes) = read(&app, request).await?;
    believe(&keys, &SIGNATURE, &headers, &bytes)?;
    let body: Value = serde_json::from_slice(&bytes).map_err(|error| unreadable(&format!("no JSON: {error}")))?;
    match said(&body["event"])? {
        Ok(said) => obey(&app, said).await,
        Err(note) => Ok(nothing(note)),
    }
}

/// What a person said by an event; `Ok(Err)`: nothing, and why.
fn said(event: &Value) -> Result<Result<Said, &'static str>, Failure> {
    let kind = event["event_type"].as_str().ok_or_else(|| unreadable("it has no event.event_type"))?;
    let act = match kind {
        "incident.acknowledged" => Act::Takes,
        "incident.resolved" => Act::Resolves,
        _ => return Ok(Err("only incident.acknowledged and incident.resolved say something here")),
    };
    let agent = &event["agent"];
    if !matches!(agent["type"].as_str(), Some("user_reference" | "user")) {
        return Ok(Err("no person did it"));
    }
    let keys = keys_of(&event["data"]);
    if keys.is_empty() {
        return Ok(Err("the incident has no key"));
    }
    let at = event["occurred_at"].as_str().and_then(formats::time);
    Ok(Ok(Said { act, keys, by: via(agent["summary"].as_str(), "PagerDuty"), at }))
}

/// The `dedup_key` of what Squelch sent: of the incident, and of alerts where they are told.
fn keys_of(data: &Value) -> Vec<String> {
    let alerts = data["alerts"].as_array().into_iter().flatten().map(|alert| &alert["alert_key"]);
    let all = [&data["incident_key"], &data["alert_key"]].into_iter().chain(alerts);
    all.filter_map(Value::as_str).filter(|key| !key.is_empty()).map(str::to_owned).collect()
}
