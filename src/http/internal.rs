//! `POST /internal/v1/ask`: another node of the cluster asks the shards of this one.
//!
//! Deliberately no path for people or tools: the secret of the cluster opens it and nothing else, and what is said there
//! is between nodes of one version.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::answer::{Failure, json_text};
use super::app::App;
use crate::inbox::desk::Unheard;
use crate::inbox::{Refusal, desk};

/// The path.
pub(super) const PATH: &str = desk::ASK;

/// `POST /internal/v1/ask`.
pub(super) async fn ask(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Result<Response, Failure> {
    let Some(desk) = app.inbox.desk() else {
        return Err(Failure::from(Refusal::Elsewhere("this Squelch is no node of a cluster: nobody asks it so")));
    };
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    if !shown.is_some_and(|shown| desk.knows(shown)) {
        let message = "only nodes of the same cluster ask here, and the secret is not that of this one";
        let help = "give all nodes the same `cluster.secret_file` or `cluster.secret_env`";
        return Err(Failure::new(StatusCode::UNAUTHORIZED, message, help).at("header Authorization"));
    }
    match desk.hear(&body).await {
        Ok(text) => String::from_utf8(text).map(|text| json_text(StatusCode::OK, text)).map_err(|_| unread("no text")),
        Err(Unheard::Unread(why)) => Err(unread(&why)),
        Err(Unheard::Busy) => {
            let help = "ask again after Retry-After seconds";
            Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, "too many nodes ask at once", help)
                .retry_after(Duration::from_secs(1)))
        }
    }
}

fn unread(why: &str) -> Failure {
    let help = "let all nodes be of one version; while they are upgraded some answers are missing";
    Failure::new(StatusCode::BAD_REQUEST, format!("the question cannot be read: {why}"), help).at("body")
}
