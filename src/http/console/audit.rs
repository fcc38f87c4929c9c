//! `GET /audit`: what people did, newest first.
//!
//! Deliberately the latest only: the files in the data directory hold the rest.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::frame::Frame;
use super::paper::Moment;
use crate::audit::Entry;
use crate::domain::Timestamp;
use crate::http::admission::Who;
use crate::http::answer::Failure;
use crate::http::app::App;
use crate::replay::wording::several;

/// So many are shown.
const MOST: usize = 300;

#[derive(Serialize)]
struct Page {
    frame: Frame,
    words: String,
    entries: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    at: Moment,
    who: String,
    login: &'static str,
    from: String,
    door: String,
    action: String,
    on: String,
    /// The page of what it was done to; empty = it has none.
    href: String,
    detail: String,
    outcome: String,
    done: bool,
}

/// `GET /audit`.
pub(super) async fn page(State(app): State<Arc<App>>, who: Who) -> Result<Response, Failure> {
    let now = app.clock.now();
    let shadow = app.inbox.shadow().await?.on;
    let entries: Vec<Row> = app.audit.latest(MOST).into_iter().map(|entry| row(entry, now)).collect();
    let words = match entries.len() as u64 {
        0 => "Nobody has done anything yet.".to_owned(),
        count => format!("The latest {}, newest first.", several(count, "action")),
    };
    app.paper.page("audit.html", &Page { frame: Frame::new(&app, &who, "/audit", shadow), words, entries })
}

fn row(entry: Entry, now: Timestamp) -> Row {
    let number = entry.on.strip_prefix("incident ").filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()));
    Row {
        at: Moment::of(Timestamp::from_secs(entry.at).unwrap_or_default(), now),
        href: number.map(|id| format!("/incidents/{id}")).unwrap_or_default(),
        login: worth(&entry.login),
        done: entry.outcome == "done",
        who: entry.who,
        from: entry.from,
        door: entry.door,
        action: entry.action,
        on: entry.on,
        detail: entry.detail,
        outcome: entry.outcome,
    }
}

/// What the name is worth, in words.
fn worth(login: &str) -> &'static str {
    match login {
        "proxy" => "known by the proxy",
        "password" => "by password",
        "token" => "had the token; the name is as given",
        "signature" => "signed by the service",
        _ => "nobody was asked; the name is as given",
    }
}
