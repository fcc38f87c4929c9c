//! What people say at a receiver and comes back by its webhook: PagerDuty's, and the buttons of Slack.
//!
//! Deliberately deaf until the settings name a secret (`hooks: {pagerduty: {secret_file: FILE}}`): the signature of a body
//! is what is believed here, not the token of all. What is said twice, or came too late, does nothing.

mod pagerduty;
mod slack;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::post;
use serde_json::json;
use tracing::info;

use super::answer::{Failure, json_answer};
use super::app::App;
use super::audit::Deed;
use super::body;
use super::known::{Keys, is_signed};
use crate::domain::{IncidentId, IncidentSummary, NoticeAction, Timestamp};
use crate::formats::Signature;
use crate::inbox::Order;
use crate::inbox::questions::Incident;
use crate::sinks::{clean, letter};

/// The paths of those who sign what they send.
const PATHS: &[&str] = &["/hooks/pagerduty", "/hooks/slack"];
/// The longest body, in bytes: Slack repeats the message of a button, in a form.
const LONGEST: usize = 1 << 20;
/// So many keys of one body are looked at: PagerDuty groups alerts.
const MOST_KEYS: usize = 100;
/// So long may a name or a key be where it is repeated, in characters.
const NAME_LENGTH: usize = 100;

/// The paths.
pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route("/hooks/pagerduty", post(pagerduty::hook)).route("/hooks/slack", post(slack::hook))
}

/// Whether whoever serves this path checks a signature instead of the token.
pub(super) fn asks_for_signature(path: &str) -> bool {
    PATHS.contains(&path)
}

/// What a person said elsewhere.
struct Said {
    act: Act,
    /// The keys of the incidents, as receivers give them back.
    keys: Vec<String>,
    /// Who: `Ada via PagerDuty`.
    by: String,
    /// When; `None` = now.
    at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Takes,
    Resolves,
}

impl Act {
    const fn word(self) -> &'static str {
        match self {
            Self::Takes => "ack",
            Self::Resolves => "resolve",
        }
    }
}

/// The name of a person, and where it was said.
fn via(name: Option<&str>, place: &str) -> String {
    let name = name.map(|name| clean::line(name, NAME_LENGTH)).filter(|name| !name.is_empty());
    format!("{} via {place}", name.as_deref().unwrap_or("somebody"))
}

/// The secrets of a hook.
fn keys(app: &App, hook: &str) -> Result<Keys, Failure> {
    app.known().hooks.get(hook).cloned().ok_or_else(|| {
        let help =
            format!("set it in the settings: `hooks: {{{hook}: {{secret_file: FILE}}}}` (see docs/RECEIVERS.md)");
        Failure::new(StatusCode::NOT_FOUND, "no secret is set for this hook, so nothing it says is believed", help)
            .at("settings")
    })
}

async fn read(app: &App, request: Request) -> Result<(HeaderMap, Vec<u8>), Failure> {
    let (parts, body) = request.into_parts();
    let bytes = body::read(&parts.headers, body, LONGEST.min(app.limits.body)).await?;
    Ok((parts.headers, bytes))
}

/// Whether these bytes are signed with one of the secrets.
fn believe(keys: &Keys, signature: &Signature, headers: &HeaderMap, signed: &[u8]) -> Result<(), Failure> {
    if is_signed(signature, keys, headers, signed) {
        return Ok(());
    }
    let message = "the body is not signed, or with another secret";
    let help = "hold the secret of the settings against the one that the service shows; nothing was done";
    Err(Failure::new(StatusCode::UNAUTHORIZED, message, help).at(format!("header {}", signature.header)))
}

fn unreadable(message: &str) -> Failure {
    let help = "nothing was done: only the webhooks of the service itself belong here";
    Failure::new(StatusCode::BAD_REQUEST, message, help).at("body")
}

/// Does what was said, and answers with what was done and what not. What nobody here knows is no mistake: a service tells
/// all its hooks about everything.
async fn obey(app: &App, said: Said) -> Result<Response, Failure> {
    let (mut done, mut notes) = (BTreeSet::new(), Vec::new());
    let keys: BTreeSet<String> = said.keys.into_iter().take(MOST_KEYS).collect();
    for key in keys {
        let Some(incident) = find(app, &key).await? else {
            notes.push(format!("no incident that is remembered has the key `{}`", clean::line(&key, NAME_LENGTH)));
            continue;
        };
        let id = incident.incident;
        if done.contains(&id) {
            continue;
        }
        if let Some(why_not) = why_not(&incident, said.act, said.at) {
            notes.push(format!("incident {id} {why_not}"));
            continue;
        }
        info!(incident = %id, by = said.by, act = ?said.act, "said elsewhere");
        app.inbox.order(order(said.act, id, said.by.clone())).await?;
        done.insert(id);
    }
    let answer = heard(&done, &notes);
    let deed = |id: &IncidentId| Deed {
        action: Some(said.act.word()),
        ..Deed::of(&order(said.act, *id, said.by.clone())).unwrap_or_default()
    };
    Ok(done.iter().map(deed).fold(answer, |answer, deed| deed.with(answer)))
}

fn order(act: Act, id: IncidentId, by: String) -> Order {
    match act {
        Act::Takes => Order::Acknowledge(id, by),
        Act::Resolves => Order::Resolve(id, by),
    }
}

async fn find(app: &App, key: &str) -> Result<Option<IncidentSummary>, Failure> {
    let Some((id, key)) = letter::keyed(key) else { return Ok(None) };
    let found = app.inbox.ask(Incident(id)).await?.map(|(summary, _)| summary);
    Ok(found.filter(|summary| letter::incident_key(summary) == key))
}

/// Why nothing is done about an incident.
fn why_not(incident: &IncidentSummary, act: Act, at: Option<Timestamp>) -> Option<&'static str> {
    if incident.resolved.is_some() {
        return Some("is over already");
    }
    if at.zip(last_over(incident)).is_some_and(|(at, over)| at < over) {
        return Some("was over since, and is on again");
    }
    (act == Act::Takes && incident.acknowledged.is_some()).then_some("is taken already")
}

/// When an incident that is on was last over: what was said before that was said of an earlier life.
fn last_over(incident: &IncidentSummary) -> Option<Timestamp> {
    let begin = format!("{}: ", NoticeAction::Resolve);
    incident.moments.iter().rev().find(|moment| moment.text.starts_with(&begin)).map(|moment| moment.ts)
}

/// The answer when there is nothing to do.
fn nothing(note: &str) -> Response {
    heard(&BTreeSet::new(), &[note.to_owned()])
}

fn heard(done: &BTreeSet<IncidentId>, notes: &[String]) -> Response {
    let incidents: Vec<String> = done.iter().map(ToString::to_string).collect();
    json_answer(StatusCode::OK, &json!({"incidents": incidents, "notes": notes}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Moment;
    use crate::sinks::samples;

    #[test]
    fn what_was_said_of_an_earlier_life_of_an_incident_says_nothing_of_this_one() {
        let (_, notification) = samples::life("on call").into_iter().next().unwrap();
        let mut incident = notification.incident;
        let over = Timestamp::from_millis(incident.opened.millis() + 600_000);
        let moment = |action: NoticeAction, text: &str| Moment { ts: over, text: format!("{action}: {text}") };
        let says = |incident: &IncidentSummary, after: f64| why_not(incident, Act::Resolves, Some(over.after(after)));
        assert_eq!(says(&incident, -1.0), None, "it was never over");
        incident.moments = vec![moment(NoticeAction::Resolve, "over"), moment(NoticeAction::Reopen, "it is back")];
        assert_eq!(says(&incident, -1.0), Some("was over since, and is on again"));
        assert_eq!((says(&incident, 1.0), why_not(&incident, Act::Resolves, None)), (None, None));
        incident.resolved = Some(over);
        assert_eq!(says(&incident, 1.0), Some("is over already"));
    }

    #[test]
    fn a_name_is_one_line() {
        let names = [Some("Ada"), Some("a\n\u{1b}[2Jb"), Some(" \n"), None].map(|name| via(name, "Slack"));
        assert_eq!(names, ["Ada via Slack", "a [2Jb via Slack", "somebody via Slack", "somebody via Slack"]);
    }
}
