//! `/api/v2/alerts`: alerts as Prometheus and its kin post them, and as they stand.

use std::sync::Arc;

use axum::extract::{Extension, RawQuery, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::board::{Board, Shown};
use super::filter::Filter;
use super::{Coded, RESOLVE_TIMEOUT, Refused, bad, shown};
use crate::domain::Status;
use crate::formats::prometheus::posting::{self, Postings, Unreadable};
use crate::http::app::App;
use crate::http::body;
use crate::http::events;
use crate::http::listener::Peer;

/// A larger body is read on a thread of its own.
const LARGE: usize = 256 << 10;

/// `GET /api/v2/alerts`.
pub(super) async fn list(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Response, Refused> {
    let board = Board::ask(&app.inbox, Filter::read(query.as_deref())?).await?;
    let told = |alert: &&Shown| alert.receivers.iter().any(|name| board.filter.wants_receiver(name));
    Ok(shown(&board.alerts.iter().filter(told).collect::<Vec<_>>()))
}

/// `POST /api/v2/alerts`: 200 and nothing else when all of it is stored. Of a body with bad alerts the good ones are
/// stored, and the answer is 400.
pub(super) async fn take(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    let bytes =
        body::read(&parts.headers, body, app.limits.body).await.inspect_err(|_| app.metrics.refuse("bad_body", 1))?;
    let size = bytes.len();
    let read = read(&app, bytes).await.inspect_err(|_| app.metrics.refuse("bad_request", 1))?;
    let Postings { events, refused } = read;
    app.metrics.refuse("bad_event", refused.len());
    app.metrics.posted_invalid.inc_by(refused.len() as u64);
    let resolved = events.iter().filter(|event| event.status == Status::Resolved).count();
    let firing = events.len() - resolved;
    if !events.is_empty() {
        events::store(&app, peer, events, size).await?;
    }
    app.metrics.posted(firing, resolved);
    if refused.is_empty() { Ok(StatusCode::OK.into_response()) } else { Err(bad(refused.join("; "))) }
}

async fn read(app: &App, bytes: Vec<u8>) -> Result<Postings, Refused> {
    let received = app.clock.now();
    let large = bytes.len() > LARGE;
    let read = move || posting::read(&bytes, received, RESOLVE_TIMEOUT);
    // A large body takes milliseconds of one core: not on a thread that serves others.
    let result = if large { tokio::task::spawn_blocking(read).await.map_err(|_| failed())? } else { read() };
    result.map_err(|Unreadable { code, message }| Refused::Coded(Coded(code, message)))
}

fn failed() -> Refused {
    let message = "the body made its reader fail, and nothing of it was taken: please report it as a bug";
    Refused::Coded(Coded(500, message.to_owned()))
}
