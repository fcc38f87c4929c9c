//! `POST /api/v1/drill`: a marked test page through the real path, and how long each step took.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use tokio::time::timeout;

use super::answer::{Failure, json_text};
use super::app::App;
use super::audit::Deed;
use crate::clock::Stopwatch;
use crate::domain::alarm::Drill;
use crate::domain::{IncidentId, NotificationKey, Policy, Route, Timestamp};
use crate::inbox::Order;
use crate::inbox::questions::Drilled;

/// What became of an attempt to deliver, for those who watch.
#[derive(Clone, Debug)]
pub struct Fate {
    /// Of which notification.
    pub key: NotificationKey,
    /// Attempts made.
    pub attempts: u32,
    /// From the beginning of the first attempt to the end of the last, when it was delivered.
    pub took: Duration,
    /// What went wrong; `None` = it was delivered.
    pub error: Option<String>,
    /// Whether nothing more comes: it was delivered, or given up.
    pub last: bool,
}

/// Where they are told.
pub type Fates = broadcast::Sender<Fate>;

/// So long the answers of receivers are waited for; what comes later comes all the same.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// The route; left out: the first that takes everything.
    route: Option<String>,
    /// Whether the incident stays open, so that somebody can take it.
    #[serde(default)]
    open: bool,
}

/// What came of a drill: the answer of the path, which `squelch drill` reads. Times are in milliseconds.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    /// The incident that was made for it.
    pub incident: u64,
    /// The route that was drilled.
    pub route: String,
    /// From the request until it was judged and on the disk.
    pub stored_ms: f64,
    /// What became of the page.
    pub told: Vec<Told>,
    /// What became of the news that it is over.
    pub over: Vec<Told>,
}

/// What became of one message.
#[derive(Debug, Serialize, Deserialize)]
pub struct Told {
    /// Who was to be told.
    pub receiver: String,
    /// Whether the receiver took it.
    pub delivered: bool,
    /// How often it was tried.
    pub attempts: u32,
    /// What the attempts took.
    pub attempt_ms: f64,
    /// From the request, or from its resolve, until it was delivered or seen to fail.
    pub after_ms: f64,
    /// Why it was not delivered.
    pub error: Option<String>,
}

/// `POST /api/v1/drill`, with `{"route": "NAME", "open": false}` or no body.
pub(super) async fn drill(State(app): State<Arc<App>>, body: Bytes) -> Result<Response, Failure> {
    let Wanted { route, open } = if body.is_empty() {
        Wanted::default()
    } else {
        serde_json::from_slice(&body).map_err(|error| {
            let help = "send {\"route\": \"NAME\"}, or no body";
            Failure::new(StatusCode::BAD_REQUEST, format!("the body cannot be read: {error}"), help).at("body")
        })?
    };
    app.inbox.is_alone()?;
    let watch = Stopwatch::start();
    let mut fates = app.fates.subscribe();
    let policy = app.inbox.policy().await?;
    let drill = plan(&policy, route, app.clock.now())?;
    let (tag, receivers) = (drill.tag.clone(), drill.receivers.clone());
    let route = drill.route.clone();
    let taken = app.inbox.order(Order::Drill(drill)).await?;
    let stored_ms = millis(watch.elapsed());
    let found = app.inbox.ask_after(taken, Drilled(tag)).await?;
    let Some(id) = found else {
        let message = "the drill was taken and is not there any more";
        return Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, message, "try again"));
    };
    let told = heard(&mut fates, (id, 1), &receivers, watch).await;
    let mut over = Vec::new();
    if !open {
        let resolving = Stopwatch::start();
        app.inbox.order(Order::Resolve(id, "the drill".to_owned())).await?;
        // Who has not taken the page will not take its end either, not so soon.
        let reached = told.iter().filter(|told| told.delivered).map(|told| told.receiver.clone()).collect();
        over = heard(&mut fates, (id, 2), &reached, resolving).await;
    }
    let deed = Deed::on(format!("incident {id}"), format!("route {route}"));
    let report = Report { incident: id.0, route, stored_ms, told, over };
    let text = serde_json::to_string(&report).map_err(|error| {
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, format!("no answer can be made: {error}"), "report a bug")
    })?;
    Ok(deed.with(json_text(StatusCode::OK, text)))
}

/// Whom the drill is to tell.
fn plan(policy: &Policy, route: Option<String>, now: Timestamp) -> Result<Drill, Failure> {
    if policy.shadow {
        let message = "in shadow mode nobody is paged, not by a drill either";
        return Err(Failure::new(
            StatusCode::CONFLICT,
            message,
            "turn it off on the console's Rules page, or in the settings",
        ));
    }
    let routes: Vec<&Route> = crate::domain::route::all(&policy.routes).collect();
    let found = match &route {
        Some(name) => routes.iter().find(|route| route.name == *name).copied(),
        None => {
            let any = |route: &&&Route| route.takes_all();
            let tells = |route: &&Route| route.takes_all() && route.kept_by(now).is_none();
            routes.iter().copied().find(tells).or_else(|| routes.iter().find(any).copied())
        }
    };
    let Some(found) = found else {
        let names: Vec<_> = routes.iter().map(|route| format!("`{}`", route.name)).collect();
        let message = format!("there is no route `{}`", crate::sinks::clean::line(&route.unwrap_or_default(), 100));
        let help = format!("there are {}", names.join(", "));
        return Err(Failure::new(StatusCode::NOT_FOUND, message, help).at("route"));
    };
    let receivers = found.receivers.iter().map(|name| policy.on_call(name, now).to_owned()).collect();
    Ok(Drill { tag: format!("drill {}", now.millis()), route: found.name.clone(), receivers })
}

/// What became of a step of the incident at each receiver: waits until all have it, or for so long.
async fn heard(
    fates: &mut broadcast::Receiver<Fate>,
    (incident, step): (IncidentId, u32),
    receivers: &BTreeSet<String>,
    watch: Stopwatch,
) -> Vec<Told> {
    let mut told: BTreeMap<String, Told> = receivers.iter().map(|name| (name.clone(), Told::not_yet(name))).collect();
    let all = async {
        let mut waiting = receivers.clone();
        while !waiting.is_empty() {
            let fate = match fates.recv().await {
                Ok(fate) => fate,
                Err(broadcast::error::RecvError::Lagged(_)) => continue,
                Err(broadcast::error::RecvError::Closed) => return,
            };
            if (fate.key.incident, fate.key.step) != (incident, step) {
                continue;
            }
            if let Some(told) = told.get_mut(&fate.key.receiver) {
                (told.delivered, told.attempts) = (fate.error.is_none(), fate.attempts);
                (told.attempt_ms, told.after_ms) = (millis(fate.took), millis(watch.elapsed()));
                told.error = fate.error;
                if fate.last {
                    waiting.remove(&fate.key.receiver);
                }
            }
        }
    };
    // What is missing then says so.
    let _ = timeout(PATIENCE.saturating_sub(watch.elapsed()), all).await;
    told.into_values().collect()
}

impl Told {
    fn not_yet(receiver: &str) -> Self {
        Self {
            receiver: receiver.to_owned(),
            delivered: false,
            attempts: 0,
            attempt_ms: 0.0,
            after_ms: 0.0,
            error: Some("nothing was heard of it yet".to_owned()),
        }
    }
}

/// Milliseconds with one decimal.
fn millis(span: Duration) -> f64 {
    (span.as_secs_f64() * 10_000.0).round() / 10.0
}
