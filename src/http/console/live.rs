//! `GET /live`: what is decided, as it is decided, as server-sent events (HTML Living Standard, 9.2).
//!
//! Deliberately without memory of who listens: whoever fell behind is told how much was missed.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use http_body_util::Channel;
use hyper::body::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::LISTENERS;
use super::chronicle::Chronicle;
use super::now::Item;
use crate::domain::{Decision, Timestamp};
use crate::http::answer::Failure;
use crate::http::app::App;
use crate::replay::decisions;

/// So many decisions are sent at once; of more only the latest.
const MOST: usize = 200;
/// Between two sendings there is this much time, so that a storm is a row of portions.
const PORTION: Duration = Duration::from_millis(250);
/// Something is sent this often, so that nobody in between takes the connection for dead.
const PULSE: Duration = Duration::from_secs(20);

/// From where on, and in which form.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct From {
    from: Option<String>,
    form: Option<String>,
    /// So many of the latest decisions first; instead of `from`.
    last: Option<u64>,
}

/// `GET /live?from=NUMBER`; `form=decisions` sends whole decisions, as `squelch replay --decisions` writes them.
pub(super) async fn stream(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    asked: Result<Query<From>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Failure> {
    let bad = |message: &str| {
        Failure::new(axum::http::StatusCode::BAD_REQUEST, message, "write it as ?from=NUMBER, &form=lines or decisions")
            .at("query")
    };
    let Query(asked) = asked.map_err(|error| bad(&error.body_text()))?;
    let whole = match asked.form.as_deref() {
        None | Some("lines") => false,
        Some("decisions") => true,
        Some(_) => return Err(bad("there is no such form")),
    };
    let Ok(permit) = Arc::clone(&app.listeners).try_acquire_owned() else {
        let message = format!("{LISTENERS} listen already");
        return Err(Failure::new(axum::http::StatusCode::TOO_MANY_REQUESTS, message, "close a page, or try again")
            .retry_after(PULSE));
    };
    // A browser that connects again says what it saw last.
    let seen = headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned).or(asked.from);
    let now = app.chronicle.since(u64::MAX, 0).next;
    let latest = now.saturating_sub(asked.last.unwrap_or(0));
    let from = seen.and_then(|text| text.parse().ok()).unwrap_or(latest);
    let (sender, body) = Channel::<Bytes, Infallible>::new(4);
    tokio::spawn(async move {
        let _permit = permit;
        send(app, sender, from, whole).await;
    });
    let mut response = Response::new(Body::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn send(
    app: Arc<App>,
    mut sender: http_body_util::channel::Sender<Bytes, Infallible>,
    mut from: u64,
    whole: bool,
) {
    let mut news = app.chronicle.watch();
    let mut stopping = app.stopping.clone();
    let mut text = String::from(": hello\n\n");
    loop {
        if !text.is_empty() && sender.send_data(Bytes::from(std::mem::take(&mut text))).await.is_err() {
            return;
        }
        let waits = async {
            let _ = news.wait_for(|next| *next > from).await;
        };
        tokio::select! {
            () = waits => {}
            () = tokio::time::sleep(PULSE) => text.push_str(": still here\n\n"),
            _ = stopping.wait_for(|stops| *stops) => return,
        }
        from = write(&app.chronicle, from, (app.clock.now(), whole), &mut text);
        tokio::time::sleep(PORTION).await;
    }
}

fn write(chronicle: &Chronicle, from: u64, (now, whole): (Timestamp, bool), text: &mut String) -> u64 {
    use std::fmt::Write as _;
    let news = chronicle.since(from, MOST);
    let first = news.next - news.decisions.len() as u64;
    if news.missed > 0 {
        let _ = write!(text, "event: missed\ndata: {}\n\n", news.missed);
    }
    for (number, decision) in (first + 1..).zip(&news.decisions) {
        let _ = writeln!(text, "id: {number}");
        if whole {
            text.push_str("event: decision\ndata: ");
            decisions::write(decision, text);
            text.push('\n');
            continue;
        }
        let incident = match decision {
            Decision::Verdict(verdict) => {
                let item = Item::of(verdict, now);
                let _ = write!(text, "event: verdict\ndata: {}\n\n", item.news(verdict.incident.map(|id| id.0)));
                continue;
            }
            Decision::Page(page) => Some(page.incident),
            Decision::Notice(notice) => notice.incident,
            Decision::Incident(summary) => Some(summary.incident),
        };
        let _ = write!(text, "event: incident\ndata: {}\n\n", incident.map_or(0, |id| id.0));
    }
    news.next
}

impl Item {
    fn news(&self, incident: Option<u64>) -> serde_json::Value {
        let (iso, at) = self.at.both();
        json!({
            "at": at, "iso": iso, "outcome": self.outcome, "reason": self.reason, "series": self.series, "key": self.key,
            "because": self.because, "incident": incident,
        })
    }
}
