//! The digest of the last hours or days, for whoever asks: as text, as HTML that opens anywhere, or as JSON.
//!
//! Deliberately only the question and its answer: the secretary (`service`) puts it together, beside the pump.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::sync::oneshot;

use super::admission::Who;
use super::answer::{Failure, json_text};
use super::app::App;
use crate::domain::{daybook, duration};
use crate::inbox::{Refusal, missing};
use crate::sinks::clean;

/// How far back when nobody says.
const SINCE: Duration = Duration::from_secs(24 * 3600);
const HOUR: Duration = Duration::from_secs(3600);
/// The book goes no further back.
const LONGEST: Duration = Duration::from_secs(daybook::KEPT.unsigned_abs() * 24 * 3600);

/// A digest that is asked for.
#[derive(Debug)]
pub struct Ask {
    /// How far back.
    pub since: Duration,
    /// By the name of a digest of the rules; `None` = everything.
    pub digest: Option<String>,
    /// Whether personal data in it is left as it is.
    pub raw: bool,
    /// Who waits for it.
    pub reply: oneshot::Sender<Result<Answer, Untold>>,
}

/// A digest.
#[derive(Clone, Debug)]
pub struct Answer {
    /// As plain text.
    pub text: String,
    /// As HTML with its images inside.
    pub html: String,
    /// As JSON.
    pub json: String,
    /// The shards of a cluster of which not all is in it, each with why.
    pub missing: BTreeMap<i32, String>,
}

/// Why there is no digest.
#[derive(Clone, Debug)]
pub enum Untold {
    /// No digest has this name: those that there are.
    Unknown(Vec<String>),
    /// Nobody tells.
    Refused(Refusal),
}

/// What is asked.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    since: Option<String>,
    digest: Option<String>,
    #[serde(default)]
    raw: bool,
}

/// `GET /api/v1/digest?since=24h`. It is made to be sent around, so it is masked; operators may have it as it is.
pub(super) async fn digest(
    State(app): State<Arc<App>>,
    who: Who,
    wanted: Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    app.inbox.answers()?;
    let Query(wanted) = wanted.map_err(|error| bad(&error.body_text()))?;
    let since = wanted.since.as_deref().map_or(Ok(SINCE), |text| {
        duration::parse(text).map_err(|error| bad(&format!("`since` is no length of time: {error}")))
    })?;
    if !(HOUR..=LONGEST).contains(&since) {
        return Err(bad(&format!(
            "`since` is {}, and must be 1h to {}",
            duration::write(since),
            duration::write(LONGEST)
        )));
    }
    if wanted.raw && !who.may_act() {
        let message = "a digest with personal data is for operators";
        return Err(Failure::new(StatusCode::FORBIDDEN, message, "leave `raw` out: it is masked then").at("query"));
    }
    let name = wanted.digest.clone().unwrap_or_default();
    let (reply, answer) = oneshot::channel();
    let gone = |_| Failure::new(StatusCode::SERVICE_UNAVAILABLE, "nobody puts a digest together now", "try again");
    app.digests.send(Ask { since, digest: wanted.digest, raw: wanted.raw, reply }).await.map_err(|_| gone(()))?;
    let answer = answer.await.map_err(|_| gone(()))?.map_err(|untold| match untold {
        Untold::Unknown(known) => unknown(&name, &known),
        Untold::Refused(refusal) => refusal.into(),
    })?;
    answer.missing.iter().for_each(|(shard, why)| missing::note(*shard, why));
    let kinds = headers.get(header::ACCEPT).and_then(|kinds| kinds.to_str().ok()).unwrap_or_default();
    if kinds.starts_with("text/plain") {
        return Ok(answer.text.into_response());
    }
    if kinds.starts_with("text/html") {
        return Ok(html(answer.html));
    }
    Ok(json_text(StatusCode::OK, answer.json))
}

/// No digest has this name.
fn unknown(name: &str, known: &[String]) -> Failure {
    let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    let help =
        if known.is_empty() { "the rules name none".to_owned() } else { format!("there are {}", known.join(", ")) };
    Failure::new(StatusCode::NOT_FOUND, format!("there is no digest `{}`", clean::line(name, 100)), help).at("digest")
}

/// A page that may load nothing and run nothing.
fn html(text: String) -> Response {
    const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'";
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, text).into_response()
}

fn bad(message: &str) -> Failure {
    let help =
        "write it as ?since=24h or ?since=7d, and &digest=NAME for one of the rules, &raw=true for what is masked";
    Failure::new(StatusCode::BAD_REQUEST, message, help).at("query")
}
