//! The console: pages for people at 3 a.m. and over coffee, served by the same program at `/`.
//!
//! Every page is whole without a script; with one it is live. Each asks the engine for little, and bounded: an open
//! page costs the judgement nothing. Deliberately without a state of its own but the [`chronicle`]: what a page shows is
//! what the API tells.

mod act;
mod audit;
mod card;
pub mod chronicle;
mod course;
mod frame;
mod habits;
mod incident;
mod live;
mod member;
mod noise;
mod now;
pub mod paper;
mod postmortem;
mod rules;
mod series;
mod values;
mod what_if;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Serialize;

use super::admission::Who;
use super::answer::Failure;
use super::app::App;
use frame::Frame;

/// So many may listen to what is decided at the same time.
pub const LISTENERS: usize = 64;

/// The pages, and the forms on them.
pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(now::page))
        .route("/incidents/{id}", get(incident::page))
        .route("/incidents/{id}/postmortem.md", get(incident::postmortem))
        .route("/incidents/{id}/ack", post(act::acknowledge))
        .route("/incidents/{id}/resolve", post(act::resolve))
        .route("/incidents/{id}/feedback", post(act::feedback))
        .route("/incidents/{id}/split", post(act::split))
        .route("/series", get(series::find))
        .route("/series/{key}", get(series::page))
        .route("/noise", get(noise::page))
        .route("/noise/what-if", get(what_if::page).post(what_if::answer))
        .route("/rules", get(rules::page))
        .route("/shadow", post(act::shadow))
        .route("/silences", post(act::silence))
        .route("/silences/{id}/expire", post(act::expire))
        .route("/silences/{id}/extend", post(act::extend))
        .route("/audit", get(audit::page))
        .route("/live", get(live::stream))
        .route("/console.css", get(async || paper::style()))
        .route("/console.js", get(async || paper::script()))
}

/// Whether a path is a page for people, whose failures are pages, too.
pub(super) fn is_page(path: &str) -> bool {
    path == "/"
        || ["/incidents", "/series", "/noise", "/rules", "/shadow", "/silences", "/audit"]
            .iter()
            .any(|page| path.strip_prefix(page).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

#[derive(Serialize)]
struct Sorry {
    frame: Frame,
    message: String,
    help: String,
}

/// A failure as a page.
pub(super) fn sorry(app: &App, who: &Who, failure: &Failure) -> Option<Response> {
    let page =
        Sorry { frame: Frame::new(app, who, "", false), message: failure.message.clone(), help: failure.help.clone() };
    app.paper.text("sorry.html", &page).ok().map(|text| paper::html(failure.status, text))
}
