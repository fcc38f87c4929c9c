//! Operations: is it alive, is it ready, what does it count, read the rules again.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::collector::Collector;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::alertmanager;
use super::answer::{Failure, json_answer};
use super::app::App;
use super::audit::Deed;
use super::feeds::Fed;
use super::shadow;
use crate::inbox::Refusal;
use crate::inbox::questions::{Shadow, Sums};

/// `/metrics` answers without the engine's sums when the engine does not answer for so long.
const ENGINE_PATIENCE: Duration = Duration::from_secs(5);

/// `GET /-/healthy`: the process answers.
pub(super) async fn healthy() -> &'static str {
    "squelch is healthy\n"
}

/// `GET /-/ready`: it takes events and can store them; else 503 with the reasons.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    let condition = app.condition();
    let ready = condition.problems.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let answer = json!({"ready": ready, "problems": condition.problems, "warnings": condition.warnings});
    json_answer(status, &answer)
}

/// `GET /metrics`.
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Result<Response, Failure> {
    let tally = timeout(ENGINE_PATIENCE, app.inbox.ask_here(Sums)).await.ok().and_then(Result::ok);
    let standing = timeout(ENGINE_PATIENCE, alertmanager::standing(&app.inbox)).await.ok().and_then(Result::ok);
    let shadow = timeout(ENGINE_PATIENCE, app.inbox.ask_here(Shadow)).await;
    let shadow = shadow::Shown(shadow.ok().and_then(Result::ok).map(|standing| standing.on));
    let others: Vec<Box<dyn Collector>> =
        vec![Box::new(alertmanager::Told(standing)), Box::new(Fed(app.feeds.borrow().clone())), Box::new(shadow)];
    let text = app.metrics.text(tally, app.inbox.depth(), others).map_err(|error| {
        let help = "please report it as a bug";
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the metrics cannot be written: {error}"), help)
    })?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// `POST /-/reload`: 200 when the new rules are in force, 400 with all mistakes when the old ones still are.
pub(super) async fn reload(State(app): State<Arc<App>>) -> Result<Response, Failure> {
    let (sender, answer) = oneshot::channel();
    app.reload.send(sender).await.map_err(|_| Failure::from(Refusal::Stopping))?;
    match answer.await.map_err(|_| Failure::from(Refusal::Stopping))? {
        Ok(message) => {
            let answer = json_answer(StatusCode::OK, &json!({"reloaded": true, "message": message}));
            Ok(Deed::on("rules", message).with(answer))
        }
        Err(report) => {
            let help = "mend the rule files and reload again; the old rules stay in force until then";
            Err(Failure::new(StatusCode::BAD_REQUEST, report, help).at("rules"))
        }
    }
}
