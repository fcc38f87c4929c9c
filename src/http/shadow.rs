//! Shadow mode over HTTP: what the settings say, what a person said, and turning it on and off.
//!
//! Deliberately one switch for everything: who wants quiet about a part sets a silence.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::warn;

use super::admission::Who;
use super::answer::{Failure, json_answer};
use super::app::App;
use super::audit::Deed;
use crate::inbox::Order;
use crate::inbox::questions::Standing;

/// What is wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    on: bool,
    #[serde(default)]
    by: String,
}

/// `GET /api/v1/shadow`.
pub(super) async fn told(State(app): State<Arc<App>>) -> Result<Response, Failure> {
    let standing = app.inbox.shadow().await?;
    Ok(json_answer(StatusCode::OK, &written(&standing)))
}

/// `POST /api/v1/shadow`, with `{"on": true, "by": "ada"}`.
pub(super) async fn switch(State(app): State<Arc<App>>, who: Who, body: Bytes) -> Result<Response, Failure> {
    let Wanted { on, by } = serde_json::from_slice(&body).map_err(|error| {
        let help = "send {\"on\": true, \"by\": \"NAME\"}";
        Failure::new(StatusCode::BAD_REQUEST, format!("the body cannot be read: {error}"), help).at("body")
    })?;
    let by = if by.trim().is_empty() { who.told("somebody over the API") } else { by };
    let standing = turn(&app, on, &by).await?;
    Ok(deed(on, &by).with(json_answer(StatusCode::OK, &written(&standing))))
}

/// Turns it on or off; done when it is durable.
///
/// # Errors
/// When the command line holds it on.
pub(super) async fn turn(app: &App, on: bool, by: &str) -> Result<Standing, Failure> {
    let standing = app.inbox.shadow().await?;
    if standing.held && !on {
        let help = "start it without `--shadow`; nothing else pages anybody";
        let message = "squelch was started with --shadow, which holds against every word";
        return Err(Failure::new(StatusCode::CONFLICT, message, help));
    }
    app.inbox.order(Order::Shadow(on, by.to_owned())).await?;
    warn!(by, on, "shadow mode: {}", if on { "nobody is paged from now on" } else { "pages are sent again" });
    Ok(app.inbox.shadow().await?)
}

/// What the audit log tells of it.
pub(super) fn deed(on: bool, by: &str) -> Deed {
    let told = if on { "on: nobody is paged" } else { "off: pages are sent" };
    Deed { by: by.to_owned(), ..Deed::on("shadow mode", told) }
}

fn written(standing: &Standing) -> Value {
    let said = standing.word.as_ref();
    json!({
        "shadow": standing.on,
        "settings": standing.settings,
        "command_line": standing.held,
        "said": said.map(|word| json!({"on": word.on, "by": word.by, "at": word.at.secs()})),
    })
}

/// What `/metrics` tells of it; `None` = nobody answered.
#[derive(Debug)]
pub(super) struct Shown(pub(super) Option<bool>);

impl Collector for Shown {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(on) = self.0 else { return Ok(()) };
        let gauge = prometheus_client::metrics::gauge::ConstGauge::new(i64::from(on));
        let help = "1 = shadow mode: everything is judged, and nobody is paged";
        let metric = encoder.encode_descriptor("squelch_shadow", help, None, MetricType::Gauge)?;
        gauge.encode(metric)
    }
}
