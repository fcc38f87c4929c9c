//! What a person does at the console: forms that need no script, each answered with the page it came from.
//!
//! Deliberately nothing that the API cannot do: a form is read, and the same order is given.

use std::sync::Arc;

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use tracing::info;

use crate::domain::{IncidentId, Opinion};
use crate::http::admission::Who;
use crate::http::answer::Failure;
use crate::http::app::App;
use crate::http::audit::Deed;
use crate::http::incidents::{can_be_judged, can_be_split, incident_id, ordered};
use crate::http::{shadow, silences};
use crate::inbox::Order;

/// The fields that a form may have.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Fields {
    back: Option<String>,
    verdict: Option<String>,
    part: Option<String>,
    matcher: Option<String>,
    #[serde(rename = "for")]
    span: Option<String>,
    owner: Option<String>,
    reason: Option<String>,
    on: Option<String>,
}

/// A form that somebody sent, and who.
pub(super) struct Act {
    fields: Fields,
    by: String,
}

impl FromRequest<Arc<App>> for Act {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Failure> {
        let by = request.extensions().get::<Who>().cloned().unwrap_or_default().told("somebody at the console");
        let Form(fields) = Form::from_request(request, app).await.map_err(|error: FormRejection| {
            Failure::new(StatusCode::BAD_REQUEST, error.body_text(), "send it as the form of the page does").at("body")
        })?;
        Ok(Self { fields, by })
    }
}

/// Back to a page of this house; anything else is no place to go.
fn back(fields: &Fields, usual: &str) -> Response {
    let own = |path: &&String| path.starts_with('/') && !path.starts_with("//") && !path.contains('\\');
    Redirect::to(fields.back.as_ref().filter(own).map_or(usual, String::as_str)).into_response()
}

/// `POST /incidents/{id}/ack`.
pub(super) async fn acknowledge(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    act: Act,
) -> Result<Response, Failure> {
    give(&app, &id, &act, ("takes", Order::Acknowledge)).await
}

/// `POST /incidents/{id}/resolve`.
pub(super) async fn resolve(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    act: Act,
) -> Result<Response, Failure> {
    give(&app, &id, &act, ("resolves", Order::Resolve)).await
}

/// `POST /incidents/{id}/feedback`.
pub(super) async fn feedback(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    act: Act,
) -> Result<Response, Failure> {
    let opinion: Opinion = act.fields.verdict.as_deref().unwrap_or_default().parse().map_err(|_| {
        Failure::new(StatusCode::BAD_REQUEST, "nothing was said of it", "say `noise`, `useful` or `withdraw`")
            .at("verdict")
    })?;
    can_be_judged(&app, incident_id(&id)?).await?;
    give(&app, &id, &act, ("judges", |id, by| Order::Feedback(id, opinion, by))).await
}

/// `POST /incidents/{id}/split`.
pub(super) async fn split(State(app): State<Arc<App>>, Path(id): Path<String>, act: Act) -> Result<Response, Failure> {
    let part = act.fields.part.clone().unwrap_or_default();
    can_be_split(&app, incident_id(&id)?, &part).await?;
    give(&app, &id, &act, ("splits", |id, by| Order::Split(id, part, by))).await
}

async fn give(
    app: &App,
    id: &str,
    act: &Act,
    (does, order): (&str, impl FnOnce(IncidentId, String) -> Order),
) -> Result<Response, Failure> {
    let number = incident_id(id)?;
    let order = order(number, act.by.clone());
    let deed = Deed::of(&order).unwrap_or_default();
    ordered(app, number, order).await?;
    info!(incident = %number, by = act.by, does, "at the console");
    Ok(deed.with(back(&act.fields, &format!("/incidents/{number}"))))
}

/// `POST /silences`.
pub(super) async fn silence(State(app): State<Arc<App>>, Act { fields, by }: Act) -> Result<Response, Failure> {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let matchers = silences::matchers(&text(&fields.matcher))?;
    let silence =
        silences::set_from_now(&app, matchers, (&text(&fields.span), &text(&fields.owner), &text(&fields.reason)))
            .await?;
    info!(silence = silence.id, owner = silence.owner, by, "set at the console");
    Ok(Deed::of_silence(&silence).with(back(&fields, "/rules")))
}

/// `POST /silences/{id}/expire`.
pub(super) async fn expire(State(app): State<Arc<App>>, Path(id): Path<String>, act: Act) -> Result<Response, Failure> {
    let silence = silences::end(&app, &id).await?;
    info!(silence = id, by = act.by, "ended at the console");
    Ok(silences::ended(&silence).with(back(&act.fields, "/rules")))
}

/// `POST /silences/{id}/extend`.
pub(super) async fn extend(State(app): State<Arc<App>>, Path(id): Path<String>, act: Act) -> Result<Response, Failure> {
    let silence = silences::extend(&app, &id, act.fields.span.as_deref().unwrap_or_default()).await?;
    info!(silence = id, by = act.by, "extended at the console");
    Ok(silences::ended(&silence).with(back(&act.fields, "/rules")))
}

/// `POST /shadow`.
pub(super) async fn shadow(State(app): State<Arc<App>>, act: Act) -> Result<Response, Failure> {
    let on = match act.fields.on.as_deref() {
        Some("yes") => true,
        Some("no") => false,
        _ => {
            let message = "it is not said whether shadow mode is to be on";
            return Err(Failure::new(StatusCode::BAD_REQUEST, message, "say `yes` or `no`").at("on"));
        }
    };
    shadow::turn(&app, on, &act.by).await?;
    Ok(shadow::deed(on, &act.by).with(back(&act.fields, "/rules#shadow")))
}
