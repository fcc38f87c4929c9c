//! Events in: the native form, and the bodies of tools. An answer of 200 means durable.
//!
//! Deliberately without knowledge of any tool's form: that is `formats`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tracing::warn;

use super::answer::{Failure, json_answer};
use super::app::App;
use super::body;
use super::known::{Known, Shown};
use super::listener::Peer;
use super::remote_write;
use super::samples::is_name;
use super::sns::Believed;
use crate::domain::{Event, Posted, Status};
use crate::formats::{self, FormatError, Parsed, Rejected, Warning};
use crate::inbox::{Receipt, Refusal};

/// Squelch's own form.
const NATIVE: &str = "native";
/// More bad events than this are counted, not listed.
const MOST_LISTED: usize = 100;

/// `POST /api/v1/events`.
pub(super) async fn native(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Result<Response, Failure> {
    readable(request.headers()).inspect_err(|_| app.metrics.refuse("bad_request", 1))?;
    ingest(&app, peer, Door::of(NATIVE), request).await
}

/// `POST /ingest/{tool}`.
pub(super) async fn tool(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    Path(tool): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    ingest(&app, peer, Door { tool, secret: None }, request).await
}

/// `POST /ingest/{tool}/{secret}`: for tools that can send no header.
pub(super) async fn tool_with_secret(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    Path((tool, secret)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Failure> {
    ingest(&app, peer, Door { tool, secret: Some(secret) }, request).await
}

/// `POST /ingest/prometheus/api/v2/alerts`: Prometheus adds this path to its `path_prefix`.
pub(super) async fn prometheus(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Result<Response, Failure> {
    ingest(&app, peer, Door::of("prometheus"), request).await
}

/// `POST /ingest/vmalert/api/v2/alerts`: so does vmalert.
pub(super) async fn vmalert(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Result<Response, Failure> {
    ingest(&app, peer, Door::of("vmalert"), request).await
}

/// Where a body came in.
pub(super) struct Door {
    /// The name of the tool.
    tool: String,
    /// What stands in the path behind it.
    secret: Option<String>,
}

impl Door {
    pub(super) fn of(tool: &str) -> Self {
        Self { tool: tool.to_owned(), secret: None }
    }
}

/// A body of a tool that nobody can read: kept as a sample, and answered with how to read it.
fn unknown(app: &App, tool: &str, parts: &Parts, bytes: &[u8]) -> Failure {
    let known = app.known();
    let Err(unknown) = known.sources.find(tool) else { return Failure::new(StatusCode::NOT_FOUND, "", "") };
    let mut help = unknown.help;
    if is_name(tool) {
        let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let body = (content_type.unwrap_or_default(), bytes);
        app.samples(|samples| samples.keep(tool, app.clock.now(), body));
        help.push_str(&format!(
            "; nothing was taken, the body is kept as a sample: GET /ingest shows it, with a mapping proposed for \
             rules/sources/{tool}.yaml"
        ));
    }
    Failure::new(StatusCode::NOT_FOUND, format!("unknown tool `{}`", unknown.name), help).at("path")
}

/// `GET /ingest`.
pub(super) async fn tools(State(app): State<Arc<App>>) -> Response {
    let known = app.known();
    let tools: Vec<Value> = known
        .sources
        .readers()
        .into_iter()
        .map(|reader| {
            let path = format!("/ingest/{}", reader.name());
            let signature = reader.signature().map(|signature| signature.header.clone());
            json!({
                "tool": reader.name(), "title": reader.title(), "path": path, "setup": reader.setup(),
                "signature_header": signature, "secret": known.guards(reader.name()),
            })
        })
        .collect();
    let is_known = |name: &str| known.sources.find(name).is_ok();
    let (samples, notices) = app.samples(|samples| (samples.shown(&is_known), samples.notices()));
    json_answer(StatusCode::OK, &json!({"tools": tools, "samples": samples, "notices": notices}))
}

/// What `curl -d` says of every body, whatever is in it.
const FORM: &str = "application/x-www-form-urlencoded";

fn media(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().unwrap_or_default();
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// The native form is JSON. What says that it is a form may be JSON nevertheless: [`is_json`] looks at it.
fn readable(headers: &HeaderMap) -> Result<(), Failure> {
    let Some(media) = media(headers) else { return Ok(()) };
    let known = ["application/json", "application/x-ndjson", "application/jsonl", "application/x-jsonlines", FORM];
    if known.contains(&media.as_str()) || media.starts_with("application/") && media.ends_with("+json") {
        return Ok(());
    }
    Err(no_json(headers))
}

/// A body that says it is a form must at least begin as JSON.
fn is_json(headers: &HeaderMap, bytes: &[u8]) -> Result<(), Failure> {
    let begins = bytes.trim_ascii_start().first().is_none_or(|first| b"{[".contains(first));
    if begins || media(headers).is_none_or(|media| media != FORM) { Ok(()) } else { Err(no_json(headers)) }
}

fn no_json(headers: &HeaderMap) -> Failure {
    let value = headers.get(header::CONTENT_TYPE);
    let value = value.map_or_else(String::new, |value| format!(" {value:?}"));
    Failure::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        format!("events are JSON, and the body is{value}"),
        "send `Content-Type: application/json` (an object or an array), or `application/x-ndjson` (one object a line)",
    )
    .at("header Content-Type")
}

pub(super) async fn ingest(app: &App, peer: Peer, door: Door, request: Request) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    let result = take(app, peer, &door, (&parts, body)).await;
    if let Err((reason, _)) = &result {
        app.metrics.refuse(reason, 1);
    }
    result.map_err(|(_, failure)| failure)
}

/// The word for `/metrics`, and the answer.
type Refused = (&'static str, Failure);

async fn take(app: &App, peer: Peer, door: &Door, (parts, body): (&Parts, Body)) -> Result<Response, Refused> {
    let tool = door.tool.as_str();
    let bytes = body::read(&parts.headers, body, app.limits.body).await.map_err(|failure| ("bad_body", failure))?;
    let known = app.known();
    if known.sources.find(tool).is_err() {
        return Err(("unknown_tool", unknown(app, tool, parts, &bytes)));
    }
    let shown = Shown { headers: &parts.headers, uri: &parts.uri, segment: door.secret.as_deref() };
    known.admit(tool, shown, &bytes).map_err(|failure| ("unauthorized", failure))?;
    if tool == formats::sns::TOOL
        && let Some(topics) = &app.topics
        && let Believed::Confirmed(topic) = topics.believe(&bytes).await.map_err(disbelieved)?
    {
        return Ok(json_answer(StatusCode::OK, &json!({"accepted": 0, "rejected": 0, "confirmed": topic})));
    }
    if tool == NATIVE {
        is_json(&parts.headers, &bytes).map_err(|failure| ("bad_request", failure))?;
    }
    let size = bytes.len();
    let mut parsed = parse(app, (known, tool), parts, bytes).await.map_err(|failure| ("bad_request", failure))?;
    tell(app, tool, &parsed);
    app.metrics.refuse("bad_event", parsed.rejected.len());
    let events = std::mem::take(&mut parsed.events);
    if events.is_empty() && parsed.left_out == 0 {
        return nothing_taken(&parsed).map_err(|failure| ("bad_request", failure));
    }
    let receipt = if events.is_empty() { None } else { Some(offer(app, peer, events, size).await?) };
    Ok(taken(receipt.as_ref(), &parsed))
}

fn disbelieved(failure: Failure) -> Refused {
    (if failure.status == StatusCode::UNAUTHORIZED { "unauthorized" } else { "unreachable" }, failure)
}

/// Stores events that were read elsewhere; done when they are durable.
pub(super) async fn store(app: &App, peer: Peer, events: Vec<Event>, size: usize) -> Result<Receipt, Failure> {
    let count = events.len();
    offer(app, peer, events, size).await.map_err(|(reason, failure)| {
        app.metrics.refuse(reason, count);
        failure
    })
}

/// Offers at least one event that came within `size` bytes, within what its sender may send.
async fn offer(app: &App, peer: Peer, events: Vec<Event>, size: usize) -> Result<Receipt, Refused> {
    let source = events[0].source.as_str();
    app.take((peer.0.ip(), source), events.len()).map_err(|wait| {
        let help = "nothing of this request was taken: send it again after Retry-After seconds, and fewer at once";
        let failure = Failure::new(StatusCode::TOO_MANY_REQUESTS, format!("`{source}` sends too much"), help);
        ("rate", failure.retry_after(wait))
    })?;
    let answer = app.inbox.offer(events, size).map_err(refused)?;
    answer.await.unwrap_or(Err(Refusal::Stopping)).map_err(refused)
}

/// What fires is shown by the Alertmanager API, whatever tool it comes from.
pub(super) fn show(event: &mut Event) {
    if event.posted.is_none() && matches!(event.status, Status::Firing | Status::Event) {
        event.posted = Some(Box::new(Posted::of(event)));
    }
}

/// What a person must do goes into the log, and is shown by `GET /ingest`.
fn tell(app: &App, tool: &str, parsed: &Parsed) {
    remote_write::tell(app, parsed);
    for notice in parsed.notices.iter().take(10) {
        warn!(tool, "{notice}");
        app.samples(|samples| samples.notice(tool, app.clock.now(), notice));
    }
}

fn refused(refusal: Refusal) -> Refused {
    let reason = match refusal {
        Refusal::Full { .. } => "full",
        Refusal::Storage(_) | Refusal::Backup(_) => "storage",
        Refusal::Judge => "judge",
        Refusal::Log(_) | Refusal::Elsewhere(_) | Refusal::Silent(_) => "log",
        Refusal::Stopping => "stopping",
    };
    (reason, Failure::from(refusal))
}

async fn parse(app: &App, (known, tool): (Arc<Known>, &str), parts: &Parts, bytes: Vec<u8>) -> Result<Parsed, Failure> {
    let received = app.clock.now();
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let query = parts.uri.query().map(str::to_owned);
    let large = bytes.len() > 256 << 10;
    let name = tool.to_owned();
    let parse = move || {
        let body =
            formats::Body { bytes: &bytes, content_type: content_type.as_deref(), query: query.as_deref(), received };
        let setup = known.sources.find(&name).map_or("", |reader| reader.setup());
        known.read(&name, &body).map_err(|error| unusable(error, setup))
    };
    // A large body takes milliseconds of one core: not on a thread that serves others.
    if !large {
        return parse();
    }
    tokio::task::spawn_blocking(parse).await.unwrap_or_else(|_| Err(failed(tool, "the body made its reader fail")))
}

fn failed(tool: &str, message: &str) -> Failure {
    let help = "nothing of this request was taken: please report it with the body as a bug";
    Failure::new(StatusCode::INTERNAL_SERVER_ERROR, format!("{tool}: {message}"), help)
}

/// A body of which nothing can be used.
fn unusable(error: FormatError, setup: &str) -> Failure {
    let help = error.help.unwrap_or_else(|| format!("nothing of this request was taken; {setup}"));
    Failure::new(StatusCode::BAD_REQUEST, format!("{}: {}", error.tool, error.message), help)
        .at(if error.path.is_empty() { "body".to_owned() } else { error.path })
}

/// 200, or 207 with what was bad.
fn taken(receipt: Option<&Receipt>, parsed: &Parsed) -> Response {
    let status = if parsed.rejected.is_empty() { StatusCode::OK } else { StatusCode::MULTI_STATUS };
    let mut answer = account(parsed);
    if let Some(receipt) = receipt {
        answer["accepted"] = json!(receipt.count);
        answer["first_seq"] = json!(receipt.first);
    }
    json_answer(status, &answer)
}

/// A body without a good event: 200 when there was nothing bad in it either.
fn nothing_taken(parsed: &Parsed) -> Result<Response, Failure> {
    let Some(first) = parsed.rejected.first() else {
        return Ok(json_answer(StatusCode::OK, &account(parsed)));
    };
    let count = parsed.rejected.len();
    let others = if count > 1 { format!(" (and {} more are bad)", count - 1) } else { String::new() };
    let help = first.help.clone().unwrap_or_else(|| "mend it and send it again".to_owned());
    let place = format!("event {}{}{}", first.index, if first.path.is_empty() { "" } else { "." }, first.path);
    Err(Failure::new(StatusCode::BAD_REQUEST, format!("no event is usable: {}{others}", first.message), help).at(place))
}

fn account(parsed: &Parsed) -> Value {
    let rejected: Vec<_> = parsed.rejected.iter().take(MOST_LISTED).map(rejection).collect();
    let warnings: Vec<_> = parsed.warnings.iter().take(MOST_LISTED).map(warning).collect();
    let mut answer = json!({"accepted": 0, "rejected": parsed.rejected.len()});
    if parsed.left_out > 0 {
        answer["left_out"] = json!(parsed.left_out);
    }
    if !rejected.is_empty() {
        answer["errors"] = json!(rejected);
    }
    if !warnings.is_empty() {
        answer["warnings"] = json!(warnings);
    }
    answer
}

fn rejection(bad: &Rejected) -> Value {
    json!({"index": bad.index, "where": bad.path, "message": bad.message, "help": bad.help})
}

fn warning(warning: &Warning) -> Value {
    json!({"index": warning.index, "where": warning.path, "message": warning.message})
}

/// An answer to a path that does not exist.
pub(super) fn unknown_path(path: &str) -> Response {
    let help = format!("these exist: {}", super::paths());
    let path: String = path.chars().take(200).collect();
    Failure::new(StatusCode::NOT_FOUND, format!("there is no {path}"), help).at("path").into_response()
}
