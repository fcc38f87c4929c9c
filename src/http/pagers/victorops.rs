//! `POST /integrations/generic/20131114/alert/{key}/{routing}`, as VictorOps answers it.
//!
//! Deliberately an answer in the 400s where something is wrong: a sender that looks at the status alone must see it.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::{Refused, Words, bytes, fresh_key, may_speak, shaped, store, told};
use crate::formats::victorops;
use crate::http::answer::Failure;
use crate::http::app::App;
use crate::http::listener::Peer;

/// `POST /integrations/generic/20131114/alert/{key}/{routing}`.
pub(super) async fn alert(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Result<Response, Refused<Wrong>> {
    let bad = |message: &str| Failure::new(StatusCode::BAD_REQUEST, message, "mend it and send it again");
    let Path((key, routing)) = path.map_err(|_| bad("the path is not UTF-8"))?;
    let (parts, body) = request.into_parts();
    if !may_speak(&app, victorops::SOURCE, &parts.headers, Some(&key)) {
        app.metrics.refuse("unauthorized", 1);
        let help = "the key in the path is a secret of `victorops`, or the token of the settings";
        return Err(Failure::new(StatusCode::UNAUTHORIZED, "the API key is wrong", help).into());
    }
    let bytes = bytes(&app, &parts, body).await?;
    let read = victorops::read(&bytes, app.clock.now(), (&routing, &fresh_key()));
    let mut read = read.map_err(|why| bad(&why)).inspect_err(|_| app.metrics.refuse("bad_request", 1))?;
    store(&app, peer, &mut read, bytes.len()).await?;
    Ok(told(StatusCode::OK, json!({"result": "success", "entity_id": read.key}), &read.warnings))
}

/// VictorOps has one form for everything that is wrong.
pub(super) enum Wrong {}

impl Words for Wrong {
    fn invalid(self) -> Response {
        match self {}
    }

    fn trouble(failure: &Failure) -> Response {
        shaped(failure, &json!({"result": "failure", "message": format!("{}; {}", failure.message, failure.help)}))
    }
}
