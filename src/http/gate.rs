//! What every request passes: who asks and what they may, the time limit, the count, the audit log.
//!
//! Deliberately before every handler: what is not said here, nobody has to remember.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use super::admission::{Who, only_looks};
use super::answer::Failure;
use super::app::App;
use super::audit::{self, Asked};
use super::backup;
use super::console;
use super::hooks;
use super::internal;
use super::known::needs_token;
use super::listener::Peer;
use super::pagers;
use crate::clock::Stopwatch;
use crate::inbox::missing;

/// Paths that need no token: who looks after the process has none, and nodes show a secret of their own.
const OPEN: &[&str] = &["/-/healthy", "/-/ready", internal::PATH];
/// Names the shards whose answers are missing in what is told.
const MISSING: HeaderName = HeaderName::from_static("x-squelch-missing");

/// Counts the request, lets it pass or not, and breaks it off when it takes too long.
pub(super) async fn gate(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let watch = Stopwatch::start();
    // The pattern, not the path: a counter for each made-up path would never end.
    let path =
        request.extensions().get::<MatchedPath>().map_or_else(|| "unknown".to_owned(), |path| path.as_str().to_owned());
    let page = wants_page(&request);
    let deed = audit::deed(request.method().as_str(), &path);
    let (peer, asked) = (request.extensions().get::<Peer>().copied(), request.uri().path().to_owned());
    let admitted = admit(&app, &mut request).and_then(|()| allow(&request));
    let who = request.extensions().get::<Who>().cloned();
    let response = match admitted {
        Err(failure) => failure.into_response(),
        Ok(()) => match timeout(patience(&app, &path), missing::noting(next.run(request))).await {
            Ok((response, missing)) => named(in_words(response), &missing),
            Err(_) => too_slow(&app).into_response(),
        },
    };
    if let Some(action) = deed {
        let entries = audit::entries(&app, &Asked { who: who.clone(), peer, action, path: asked }, &response);
        audit::note(&app, entries).await;
    }
    let response = if page { as_page(&app, &who.unwrap_or_default(), response) } else { response };
    app.metrics.request(&path, response.status().as_u16(), watch.elapsed());
    response
}

/// Whether a person in a browser asks for a page.
fn wants_page(request: &Request) -> bool {
    let accepts = request.headers().get(header::ACCEPT).and_then(|kinds| kinds.to_str().ok());
    console::is_page(request.uri().path()) && accepts.is_some_and(|kinds| kinds.contains("text/html"))
}

/// A failure as a page, where a person asked. A browser then asks for name and token where these lack.
fn as_page(app: &App, who: &Who, response: Response) -> Response {
    let failure = response.extensions().get::<Failure>();
    let Some(mut page) = failure.and_then(|failure| console::sorry(app, who, failure)) else { return response };
    if page.status() == StatusCode::UNAUTHORIZED {
        let asks = HeaderValue::from_static("Basic realm=\"squelch: your name, and the token\", charset=\"UTF-8\"");
        page.headers_mut().insert(header::WWW_AUTHENTICATE, asks);
    }
    page
}

fn admit(app: &App, request: &mut Request) -> Result<(), Failure> {
    if brings(request) && from_a_web_page(request.headers()) {
        return Err(Failure::new(
            StatusCode::FORBIDDEN,
            "this request comes from a web page of another site",
            "send it from a program, or from a page that squelch serves",
        )
        .at("header Sec-Fetch-Site"));
    }
    let access = app.access();
    let Some(token) = &access.token else {
        request.extensions_mut().insert(Who::anybody());
        return Ok(());
    };
    // A tool with a secret of its own shows that instead; whoever reads its body checks it.
    if !needs_token(&app.known(), access.token.as_ref(), request.uri().path()) {
        return Ok(());
    }
    // Clients of other services show their key in the body, the path or a header of their own.
    let path = request.uri().path();
    if OPEN.contains(&path) || hooks::asks_for_signature(path) || pagers::shows_key(request) {
        return Ok(());
    }
    let from = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    let who = access.admission.who(token, request.headers_mut(), from)?;
    request.extensions_mut().insert(who);
    Ok(())
}

/// Old hooks of tools bring events by GET.
fn brings(request: &Request) -> bool {
    request.uri().path().starts_with("/ingest/") || !matches!(*request.method(), Method::GET | Method::HEAD)
}

/// Whether who asks may do that. A backup is everything at once, and work: it is for operators.
fn allow(request: &Request) -> Result<(), Failure> {
    let who = request.extensions().get::<Who>();
    let acts = brings(request) || request.uri().path() == backup::PATH;
    if acts && who.is_some_and(|who| !who.may_act()) { Err(only_looks()) } else { Ok(()) }
}

/// A browser tells when a page of another site makes it send something; without this check any page that somebody
/// looks at could acknowledge incidents on their machine. Browsers leave `Sec-Fetch-Site` out where the address is
/// neither local nor TLS; then `Origin` tells.
fn from_a_web_page(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site != "same-origin" && site != "none";
    }
    let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or_default());
    let host = text(header::HOST).unwrap_or_default();
    text(header::ORIGIN)
        .is_some_and(|origin| origin.split_once("://").is_none_or(|(_, from)| !from.eq_ignore_ascii_case(host)))
}

/// The answer, with who is missing in it.
fn named(mut response: Response, missing: &BTreeMap<i32, String>) -> Response {
    if !missing.is_empty()
        && let Ok(value) = HeaderValue::from_str(&missing::named(missing))
    {
        response.headers_mut().insert(MISSING, value);
    }
    response
}

/// What the router itself refuses is plain text: it is told as everything else is.
fn in_words(response: Response) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE);
    if !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain")) {
        return response;
    }
    match response.status() {
        status @ StatusCode::BAD_REQUEST => {
            let help = "write it in UTF-8, and what is no letter or digit as %XX";
            Failure::new(status, "the path or the body cannot be read", help).at("path").into_response()
        }
        status @ StatusCode::PAYLOAD_TOO_LARGE => {
            let help = "send less: only events may be long";
            Failure::new(status, "the body is longer than this path takes", help).at("body").into_response()
        }
        _ => response,
    }
}

/// A backup is written as a whole before it is sent.
fn patience(app: &App, path: &str) -> Duration {
    if path == backup::PATH { app.limits.request.max(backup::PATIENCE) } else { app.limits.request }
}

fn too_slow(app: &App) -> Failure {
    Failure::new(
        StatusCode::REQUEST_TIMEOUT,
        format!("the request took longer than {} s", app.limits.request.as_secs_f64()),
        "send it again: what was stored already counts as a repeat",
    )
}
