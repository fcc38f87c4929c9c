//! What people did, into the audit log; and the log, for people and programs.
//!
//! Every path that changes something by a person's will is in [`DEEDS`]; the gate writes the line when the answer is
//! known. What tools bring is no deed. Deliberately nothing of bodies but what the handlers say of what they did.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use tracing::warn;

use super::admission::Who;
use super::answer::{Failure, json_answer};
use super::app::App;
use super::listener::Peer;
use crate::audit::{Entry, SHOWN};
use crate::domain::Silence;
use crate::inbox::Order;
use crate::sinks::clean;

/// So many entries are told where nobody asks for another number.
const USUAL: usize = 100;
/// So long may a part of an entry be, in characters.
const LONGEST: usize = 300;

/// Method, path and word of everything that a person may do.
const DEEDS: &[(&str, &str, &str)] = &[
    ("POST", "/incidents/{id}/ack", "ack"),
    ("POST", "/incidents/{id}/resolve", "resolve"),
    ("POST", "/incidents/{id}/feedback", "feedback"),
    ("POST", "/incidents/{id}/split", "split"),
    ("POST", "/silences", "silence"),
    ("POST", "/silences/{id}/expire", "expire"),
    ("POST", "/silences/{id}/extend", "extend"),
    ("POST", "/api/v1/incidents/{id}/ack", "ack"),
    ("POST", "/api/v1/incidents/{id}/resolve", "resolve"),
    ("POST", "/api/v1/incidents/{id}/feedback", "feedback"),
    ("POST", "/api/v1/incidents/{id}/split", "split"),
    ("POST", "/api/v1/silences", "silence"),
    ("DELETE", "/api/v1/silences/{id}", "expire"),
    ("POST", "/shadow", "shadow"),
    ("POST", "/noise/what-if", "what-if"),
    ("POST", "/api/v1/drill", "drill"),
    ("POST", "/api/v1/shadow", "shadow"),
    ("POST", "/api/v1/what-if", "what-if"),
    ("GET", "/api/v1/backup", "backup"),
    ("POST", "/-/reload", "reload"),
    ("POST", "/api/v2/silences", "silence"),
    ("DELETE", "/api/v2/silence/{id}", "expire"),
    ("POST", "/hooks/pagerduty", "hook"),
    ("POST", "/hooks/slack", "hook"),
];

/// The word for what a request wants; `None` = it is no deed.
pub(super) fn deed(method: &str, pattern: &str) -> Option<&'static str> {
    DEEDS.iter().find(|deed| (deed.0, deed.1) == (method, pattern)).map(|deed| deed.2)
}

/// What was done, as whoever did it tells it. Goes with the answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Deed {
    /// The word, where the path alone does not say it.
    pub(super) action: Option<&'static str>,
    pub(super) on: String,
    /// The name that was given with it.
    pub(super) by: String,
    pub(super) detail: String,
}

#[derive(Clone, Default)]
struct Done(Vec<Deed>);

impl Deed {
    /// What an order about an incident does; `None` = it is none.
    pub(super) fn of(order: &Order) -> Option<Self> {
        let (id, by, detail) = match order {
            Order::Acknowledge(id, by) | Order::Resolve(id, by) => (id, by, String::new()),
            Order::Feedback(id, opinion, by) => (id, by, opinion.to_string()),
            Order::Split(id, part, by) => (id, by, format!("off {part}")),
            _ => return None,
        };
        Some(Self { action: None, on: format!("incident {id}"), by: by.clone(), detail })
    }

    pub(super) fn of_silence(silence: &Silence) -> Self {
        let matchers: Vec<_> = silence.matchers.iter().map(ToString::to_string).collect();
        let until = crate::replay::wording::date_and_time(silence.until);
        let detail = format!("{} until {until} UTC: {}", matchers.join(", "), silence.reason);
        Self { action: None, on: format!("silence {}", silence.id), by: silence.owner.clone(), detail }
    }

    /// Something without a name of its own.
    pub(super) fn on(on: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { on: on.into(), detail: detail.into(), ..Self::default() }
    }

    /// The answer, with this deed.
    pub(super) fn with(self, mut answer: Response) -> Response {
        let mut done = answer.extensions_mut().remove::<Done>().unwrap_or_default();
        done.0.push(self);
        answer.extensions_mut().insert(done);
        answer
    }
}

/// Whoever asked for something, and how.
pub(super) struct Asked {
    pub(super) who: Option<Who>,
    pub(super) peer: Option<Peer>,
    pub(super) action: &'static str,
    pub(super) path: String,
}

/// Writes what came of it. Waits for the disk; a disk that takes nothing is told, and stops nobody.
pub(super) async fn note(app: &Arc<App>, entries: Vec<Entry>) {
    if entries.is_empty() {
        return;
    }
    let log = Arc::clone(&app.audit);
    let written = tokio::task::spawn_blocking(move || entries.into_iter().try_for_each(|entry| log.add(entry)));
    if let Ok(Err(error)) = written.await {
        warn!(%error, "the audit log cannot be written: what people do is kept in memory until it can");
    }
}

/// What came of it, as the log has it: a line a deed.
pub(super) fn entries(app: &App, asked: &Asked, response: &Response) -> Vec<Entry> {
    let done = response.extensions().get::<Done>().cloned().unwrap_or_default().0;
    // Who is nobody and did nothing is a stranger at the door: the metrics count those.
    if asked.who.is_none() && done.is_empty() {
        return Vec::new();
    }
    let done = if done.is_empty() { vec![Deed::on(asked.path.clone(), "")] } else { done };
    done.into_iter().map(|deed| entry(app, asked, deed, response)).collect()
}

fn entry(app: &App, asked: &Asked, deed: Deed, response: &Response) -> Entry {
    let status = response.status();
    let good = status.is_success() || status.is_redirection();
    // A mistake in a file is told with its line and column to whoever made it: here it is enough that there was one.
    let first = |failure: &Failure| failure.message.lines().next().unwrap_or_default().trim_end_matches(':').to_owned();
    let failure = response.extensions().get::<Failure>().map(first);
    // People write anything into a reason: no secret stays in the log.
    let word = |text: &str| clean::line(&app.hide.text(text, &[]), LONGEST);
    let who = asked.who.clone().unwrap_or_default();
    let proven = !who.name().is_empty();
    let told = if proven && !deed.by.is_empty() && deed.by != who.name() {
        format!(" (as {})", deed.by)
    } else {
        String::new()
    };
    let role = asked.who.as_ref().map_or("", |who| who.role.word());
    Entry {
        at: app.clock.now().secs(),
        who: word(if proven { who.name() } else { &deed.by }),
        login: asked.who.as_ref().map_or("signature", |who| who.login.word()).to_owned(),
        role: role.to_owned(),
        from: asked.peer.map(|peer| peer.0.ip().to_canonical().to_string()).unwrap_or_default(),
        door: door(&asked.path).to_owned(),
        action: deed.action.unwrap_or(asked.action).to_owned(),
        on: word(&deed.on),
        detail: word(&(deed.detail + &told)),
        outcome: if good { "done".to_owned() } else { word(&failure.unwrap_or_else(|| status.to_string())) },
        status: status.as_u16(),
    }
}

fn door(path: &str) -> &'static str {
    let doors = [("/api/v2/", "alertmanager"), ("/api/", "api"), ("/-/", "api"), ("/hooks/", "hook")];
    doors.iter().find(|(begin, _)| path.starts_with(begin)).map_or("console", |(_, door)| door)
}

/// How many.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Last {
    last: Option<usize>,
}

/// `GET /api/v1/audit?last=N`: the latest entries, newest first.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    last: Result<Query<Last>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Failure> {
    let Query(Last { last }) = last.map_err(|error| {
        let help = format!("write it as ?last=NUMBER; at most {SHOWN} are told, the files hold more");
        Failure::new(StatusCode::BAD_REQUEST, error.body_text(), help).at("query")
    })?;
    Ok(json_answer(StatusCode::OK, &json!({"entries": app.audit.latest(last.unwrap_or(USUAL))})))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::openapi;

    #[test]
    fn every_path_that_changes_something_is_a_deed_or_brings_events() {
        let brings = [
            "/api/v1/events",
            "/api/v1/write",
            "/ingest/",
            "/v2/",
            "/integrations/",
            "/api/v2/alerts",
            "/api/v1/alerts",
            "/api/v1/silence/",
        ];
        for line in openapi::lines(|_| true) {
            let (method, path) = line.split_once(' ').unwrap();
            let looks = method == "GET" || brings.iter().any(|begin| path.starts_with(begin));
            assert!(looks || deed(method, path).is_some(), "{line} is in no list: add it to DEEDS");
        }
    }
}
