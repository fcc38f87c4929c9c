//! The HTTP side: events in, incidents and reasons out, operations.
//!
//! Deliberately without decisions: it asks the one owner of the engine through the inbox.

pub mod admission;
mod alertmanager;
pub mod answer;
pub mod app;
mod audit;
mod backup;
pub mod body;
pub mod console;
pub mod digest;
pub mod drill;
mod events;
pub mod feeds;
mod gate;
mod hooks;
mod incidents;
mod internal;
pub mod known;
pub mod listener;
pub mod metrics;
mod openapi;
mod operations;
mod pagers;
pub mod rate;
mod remote_write;
pub mod samples;
mod shadow;
mod silences;
pub mod sns;
pub mod what_if;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};

use answer::Failure;
use app::App;
use openapi::Errors;

/// What exists, in one line, for those who ask for something that does not. Alertmanager's own are left out: its clients
/// know them.
fn paths() -> String {
    let told = |errors: Errors| !matches!(errors, Errors::Alertmanager | Errors::Gone);
    openapi::lines(told).join(", ")
}

/// Bodies that are not events are short.
const SHORT_BODY: usize = 64 << 10;

/// All paths.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/api/v1/events", post(events::native))
        .route("/api/v1/write", post(remote_write::write))
        .route("/ingest", get(events::tools))
        .route("/ingest/{tool}", post(events::tool).get(events::tool))
        .route("/ingest/{tool}/{secret}", post(events::tool_with_secret).get(events::tool_with_secret))
        .route("/ingest/prometheus/api/v2/alerts", post(events::prometheus))
        .route("/ingest/vmalert/api/v2/alerts", post(events::vmalert))
        .route("/api/v1/incidents", get(incidents::list))
        .route("/api/v1/incidents/{id}", get(incidents::one))
        .route("/api/v1/incidents/{id}/why", get(incidents::why))
        .route("/api/v1/incidents/{id}/ack", post(incidents::acknowledge))
        .route("/api/v1/incidents/{id}/feedback", post(incidents::feedback))
        .route("/api/v1/incidents/{id}/resolve", post(incidents::resolve))
        .route("/api/v1/incidents/{id}/split", post(incidents::split))
        .route("/api/v1/digest", get(digest::digest))
        .route("/api/v1/drill", post(drill::drill))
        .route("/api/v1/shadow", get(shadow::told).post(shadow::switch))
        .route("/api/v1/what-if", post(what_if::what_if))
        .route("/api/v1/series", get(incidents::series))
        .route("/api/v1/series/{*key}", get(incidents::why_series))
        .route("/api/v1/silences", get(silences::list).post(silences::create))
        .route("/api/v1/silences/{id}", delete(silences::expire))
        .route("/api/v1/tally", get(incidents::tally))
        .route("/api/v1/audit", get(audit::list))
        .route(backup::PATH, get(backup::backup))
        .route(internal::PATH, post(internal::ask))
        .route("/metrics", get(operations::metrics))
        .route("/-/healthy", get(operations::healthy))
        .route("/-/ready", get(operations::ready))
        .route("/-/reload", post(operations::reload))
        .route("/openapi.json", get(openapi::describe))
        .layer(DefaultBodyLimit::max(SHORT_BODY))
        .merge(console::router())
        .merge(alertmanager::router())
        .merge(hooks::router())
        .method_not_allowed_fallback(wrong_method)
        .merge(pagers::router())
        .fallback(unknown)
        .layer(from_fn_with_state(Arc::clone(&app), gate::gate))
        .with_state(app)
}

async fn unknown(request: Request) -> Response {
    events::unknown_path(request.uri().path())
}

async fn wrong_method(method: Method, uri: Uri) -> Response {
    let help = format!("these exist: {}", paths());
    let message = format!("{method} does not fit {}", uri.path());
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, message, help).at("method").into_response()
}
