//! What if: a change of the rules tried on the stored history, page by page. For operators: it costs a core for seconds.
//!
//! Deliberately only the question and its answer: `service` replays, beside the pump, one question at a time.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::answer::{Failure, json_answer};
use super::app::App;
use super::audit::Deed;
use crate::config::{Knobs, Source, Unturned};
use crate::domain::{Fingerprint, IncidentId, Severity, Timestamp, duration};
use crate::inbox::Refusal;
use crate::sinks::clean;

/// So many may be worked out at the same time.
pub const AT_ONCE: usize = 1;
/// How far back pages are looked at when nobody says.
const SINCE: Duration = Duration::from_secs(7 * 24 * 3600);
/// Who comes while one is being worked out may come again after this long.
const AGAIN: Duration = Duration::from_secs(5);

/// A question.
#[derive(Debug)]
pub struct Ask {
    /// What is laid over the rules in force.
    pub change: Source,
    /// Only pages of so long ago, or later, are looked at; `None` = all.
    pub since: Option<Duration>,
    /// Who waits for it; when nobody does any more, it is broken off.
    pub reply: oneshot::Sender<Result<Answer, Untold>>,
    /// Its room, until it is worked out.
    pub room: OwnedSemaphorePermit,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Untold {
    /// The rules on disk are wrong, or cannot be read.
    InForce(String),
    /// The change is wrong.
    Change(String),
    /// The history cannot be read.
    History(String),
    /// It took too long: after so many events of so many.
    TooLong(usize, usize),
}

/// The pages of both runs, and what they were made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// How many events were replayed.
    pub events: usize,
    /// Whether the history has older ones, which were left out.
    pub cut: bool,
    /// When the first and the last of them were taken; `None` = there are none.
    pub stored: Option<(Timestamp, Timestamp)>,
    /// From when on pages are looked at.
    pub from: Timestamp,
    /// Pages under the rules in force.
    pub before: usize,
    /// Pages with the change.
    pub after: usize,
    /// What became of each page of either run, by time.
    pub pages: Vec<Changed>,
}

/// A page of either run.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    /// `same`, `lost`, `gained`, `earlier` or `later`.
    pub change: &'static str,
    /// When the rules in force page it.
    pub before: Option<Timestamp>,
    /// When it is paged with the change.
    pub after: Option<Timestamp>,
    /// Its severity.
    pub severity: Severity,
    /// What it says first.
    pub title: String,
    /// Why it pages.
    pub why: String,
    /// What the other run makes of it, or why it pages there.
    pub instead: String,
    /// The incident that people know it as.
    pub incident: Option<IncidentId>,
    /// Whether somebody took that, or called it useful.
    pub taken: bool,
    /// The series that it began with.
    pub series: Option<(String, Fingerprint)>,
}

impl Answer {
    /// How many pages became of this kind.
    #[must_use]
    pub fn count(&self, change: &str) -> usize {
        self.pages.iter().filter(|page| page.change == change).count()
    }
}

/// What is asked: knobs by their names, and `since`.
///
/// # Errors
/// When there is another name, or a length of time cannot be read.
pub(super) fn wanted(mut fields: Map<String, Value>) -> Result<(Knobs, Option<Duration>), Failure> {
    let since = match fields.remove("since") {
        None => Some(SINCE),
        Some(Value::String(text)) if text.is_empty() || text == "all" => None,
        Some(Value::String(text)) => Some(duration::parse(&text).map_err(|error| {
            bad("since", &format!("it is no length of time: {error}"), "write `7d`, or `all` for the whole history")
        })?),
        Some(_) => return Err(bad("since", "it is no text", "write `7d`, or `all` for the whole history")),
    };
    let knobs = serde_json::from_value(Value::Object(fields)).map_err(|error| {
        let help = "send {\"sensitivity\": \"quiet\", \"since\": \"7d\"}; docs/API.md has every knob";
        bad("body", &format!("the question cannot be read: {error}"), help)
    })?;
    Ok((knobs, since))
}

fn bad(place: &str, message: &str, help: &str) -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, message, help).at(place)
}

/// Works it out: waits until the history was replayed, or somebody else's question is in the way.
///
/// # Errors
/// When the change is wrong, the history cannot be replayed, or one is worked out already.
pub(super) async fn ask(app: &App, change: Source, since: Option<Duration>) -> Result<Answer, Failure> {
    app.inbox.is_alone()?;
    let Ok(room) = Arc::clone(&app.what_ifs).try_acquire_owned() else {
        let help = "each costs a core for seconds: try again when it is done";
        return Err(Failure::new(StatusCode::TOO_MANY_REQUESTS, "a what-if is being worked out already", help)
            .retry_after(AGAIN));
    };
    let (reply, answer) = oneshot::channel();
    app.trials.send(Ask { change, since, reply, room }).await.map_err(|_| Failure::from(Refusal::Stopping))?;
    answer.await.map_err(|_| Failure::from(Refusal::Stopping))?.map_err(untold)
}

fn untold(untold: Untold) -> Failure {
    match untold {
        Untold::InForce(report) => {
            let message = format!("the rules on disk cannot be replayed:\n{report}");
            Failure::new(StatusCode::CONFLICT, message, "mend them first: `squelch check` says how").at("rules")
        }
        Untold::Change(report) => {
            let help = "docs/RULES.md has every key and its form";
            bad("change", &format!("the change is no rule file:\n{report}"), help)
        }
        Untold::History(cause) => {
            let help = "GET /-/ready and the log tell more";
            Failure::new(StatusCode::SERVICE_UNAVAILABLE, format!("the history cannot be read: {cause}"), help)
                .retry_after(AGAIN)
        }
        Untold::TooLong(done, all) => {
            let message = format!("it took too long: {done} of {all} events were replayed when it was broken off");
            let help = "try again when less comes in, or replay elsewhere: `squelch backup`, then \
                        `squelch replay --data-dir DIR --compare RULES`";
            Failure::new(StatusCode::SERVICE_UNAVAILABLE, message, help).retry_after(AGAIN)
        }
    }
}

/// A knob that cannot be turned.
pub(super) fn unturned(unturned: Unturned) -> Failure {
    bad(unturned.knob, &unturned.message, unturned.help)
}

/// What was asked, for the audit log.
pub(super) fn deed(change: &Source) -> Deed {
    let text = String::from_utf8_lossy(&change.text);
    Deed::on("the stored history", clean::line(&text.trim().replace('\n', "; "), 200))
}

/// `POST /api/v1/what-if`.
pub(super) async fn what_if(State(app): State<Arc<App>>, body: Bytes) -> Result<Response, Failure> {
    let fields: Map<String, Value> = serde_json::from_slice(&body).map_err(|error| {
        let help = "send a JSON object, such as {\"sensitivity\": \"quiet\", \"since\": \"7d\"}";
        bad("body", &format!("the body cannot be read: {error}"), help)
    })?;
    let (knobs, since) = wanted(fields)?;
    let change = knobs.source().map_err(unturned)?;
    let answer = ask(&app, change.clone(), since).await?;
    Ok(deed(&change).with(json_answer(StatusCode::OK, &written(&answer, &change))))
}

fn written(answer: &Answer, change: &Source) -> Value {
    let secs = |at: Option<Timestamp>| at.map(Timestamp::secs);
    let page = |page: &Changed| {
        let series = page.series.as_ref();
        json!({
            "change": page.change,
            "before": secs(page.before),
            "after": secs(page.after),
            "severity": page.severity.word(),
            "title": page.title,
            "why": page.why,
            "instead": page.instead,
            "incident": page.incident.map(|id| id.to_string()),
            "taken": page.taken,
            "series": series.map(|(name, _)| name),
            "series_key": series.map(|(_, key)| key.to_string()),
        })
    };
    json!({
        "rules": String::from_utf8_lossy(&change.text),
        "history": {
            "events": answer.events,
            "older_left_out": answer.cut,
            "first": secs(answer.stored.map(|stored| stored.0)),
            "last": secs(answer.stored.map(|stored| stored.1)),
            "from": answer.from.secs(),
        },
        "pages": {"before": answer.before, "after": answer.after},
        "same": answer.count("same"),
        "lost": answer.count("lost"),
        "gained": answer.count("gained"),
        "earlier": answer.count("earlier"),
        "later": answer.count("later"),
        "changes": answer.pages.iter().map(page).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Knobs, Option<Duration>), String> {
        wanted(serde_json::from_str(text).unwrap()).map_err(|failure| failure.place)
    }

    #[test]
    fn a_question_has_knobs_by_name_and_a_time() {
        let (knobs, since) = read(r#"{"sensitivity": "quiet", "since": "36h"}"#).unwrap();
        assert_eq!((knobs.sensitivity.as_str(), since), ("quiet", Some(Duration::from_secs(36 * 3600))));
        assert_eq!(read("{}").unwrap().1, Some(SINCE));
        assert_eq!(read(r#"{"since": "all"}"#).unwrap().1, None);
        assert_eq!(read(r#"{"since": "soon"}"#), Err("since".to_owned()));
        assert_eq!(read(r#"{"sensitive": "quiet"}"#), Err("body".to_owned()));
    }
}
