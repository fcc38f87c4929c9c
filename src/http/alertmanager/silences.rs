//! `/api/v2/silences` and `/api/v2/silence/{id}`: silences as Alertmanager's clients see and set them. Durable at once.
//!
//! Those of rule files and of Squelch's own API are shown, too, under the UUIDs of [`id`].

use std::cmp::Reverse;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::new_silence::NewSilence;
use super::{Coded, Refused, bad, id, shown, written};
use crate::domain::matcher::{Matcher, alertmanager};
use crate::domain::{Silence, Timestamp};
use crate::http::app::App;
use crate::http::audit::Deed;
use crate::http::silences::ended;
use crate::inbox::questions::AllSilences;
use crate::inbox::{Order, Refusal};

/// So many silences at most, with those that are over and remembered: each costs every event a look.
const MOST: usize = 10_000;

/// `GET /api/v2/silences`.
pub(super) async fn list(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Response, Refused> {
    let wanted = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .filter(|(name, _)| name == "filter")
        .map(|(_, text)| alertmanager::matcher(&text).map_err(bad))
        .collect::<Result<Vec<Matcher>, _>>()?;
    let now = app.clock.now();
    let mut silences = all(&app).await?;
    silences.retain(|silence| wanted.iter().all(|matcher| silence.matchers.contains(matcher)));
    silences.sort_by_cached_key(|silence| (order(silence, now), id::of(silence)));
    let list: Vec<_> = silences.iter().map(|silence| form(silence, now)).collect();
    Ok(shown(&list))
}

/// `GET /api/v2/silence/{id}`.
pub(super) async fn one(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, Refused> {
    check_id(&id)?;
    let found = find(&app, &id).await?.ok_or(Refused::Bare(StatusCode::NOT_FOUND))?;
    Ok(shown(&form(&found, app.clock.now())))
}

/// `POST /api/v2/silences`: sets one, or changes the one with this `id`. What would change the past makes a new one,
/// and ends the old.
pub(super) async fn set(State(app): State<Arc<App>>, body: Bytes) -> Result<Response, Refused> {
    let now = app.clock.now();
    let new = NewSilence::read(&body).and_then(|new| new.check(now))?;
    let before = match new.id.as_str() {
        "" => None,
        given => {
            let missing = || Refused::Said(StatusCode::NOT_FOUND, "silence not found".to_owned());
            Some(find(&app, &given.to_ascii_lowercase()).await?.ok_or_else(missing)?)
        }
    };
    if let Some(before) = &before {
        check_changeable(&app, before).await?;
    }
    let silence = match &before {
        Some(before) if can_change(before, &new, now) => new.into_silence(before.id.clone(), now),
        Some(_) | None => create(&app, new, now).await?,
    };
    let answer = json!({"silenceID": id::of(&silence)});
    let replaced = before.filter(|before| before.id != silence.id && before.until > now);
    // First the new one: between the two orders nothing may page.
    let deed = Deed::of_silence(&silence);
    app.inbox.order(Order::Silence(silence)).await?;
    if let Some(before) = replaced {
        end(&app, before, now).await?;
    }
    Ok(deed.with(shown(&answer)))
}

/// `DELETE /api/v2/silence/{id}`: ends it now.
pub(super) async fn expire(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, Refused> {
    check_id(&id)?;
    let silence = find(&app, &id).await?.ok_or(Refused::Bare(StatusCode::NOT_FOUND))?;
    check_changeable(&app, &silence).await?;
    let now = app.clock.now();
    let deed = ended(&silence);
    if silence.until > now {
        end(&app, silence, now).await?;
    }
    Ok(deed.with(StatusCode::OK.into_response()))
}

async fn all(app: &App) -> Result<Vec<Silence>, Refusal> {
    app.inbox.ask(AllSilences).await
}

async fn find(app: &App, uuid: &str) -> Result<Option<Silence>, Refusal> {
    Ok(all(app).await?.into_iter().find(|silence| id::of(silence) == uuid))
}

fn check_id(text: &str) -> Result<(), Refused> {
    let message = || format!("silenceID in path must be of type uuid: {text:?}");
    if id::is_uuid(text) { Ok(()) } else { Err(Refused::Coded(Coded(601, message()))) }
}

/// What a rule file says is changed there.
async fn check_changeable(app: &App, silence: &Silence) -> Result<(), Refused> {
    let policy = app.inbox.policy().await?;
    if !policy.silences.iter().any(|other| other.id == silence.id) {
        return Ok(());
    }
    let name = &silence.id;
    Err(Refused::Said(StatusCode::CONFLICT, format!("the silence {name:?} is set by a rule file: change it there")))
}

/// A new silence under a name that no other has.
async fn create(app: &App, new: NewSilence, now: Timestamp) -> Result<Silence, Refused> {
    let taken: Vec<_> = all(app).await?.into_iter().map(|silence| silence.id).collect();
    if taken.len() >= MOST {
        return Err(bad(format!("exceeded maximum number of silences: {} (limit: {MOST})", taken.len())));
    }
    let says = new.says();
    let free = (0..=taken.len()).map(|n| id::new(now, &says, n)).find(|name| !taken.contains(name));
    Ok(new.into_silence(free.unwrap_or_default(), now))
}

async fn end(app: &App, mut silence: Silence, now: Timestamp) -> Result<(), Refusal> {
    silence.from = silence.from.min(now);
    (silence.until, silence.updated) = (now, now);
    app.inbox.order(Order::Silence(silence)).await.map(drop)
}

/// Whether a change leaves what was silenced before as it was (`silence.canUpdate`).
fn can_change(before: &Silence, new: &NewSilence, now: Timestamp) -> bool {
    let seconds = |at: Timestamp| at.millis().div_euclid(1000);
    before.matchers == new.matchers
        && match state(before, now) {
            "active" => new.starts.is_some_and(|starts| seconds(starts) == seconds(before.from)) && new.ends >= now,
            "pending" => new.starts.is_some_and(|starts| starts >= now),
            _ => false,
        }
}

/// How a silence stands.
pub(super) fn state(silence: &Silence, now: Timestamp) -> &'static str {
    if now < silence.from {
        "pending"
    } else if now < silence.until {
        "active"
    } else {
        "expired"
    }
}

/// Active ones first, the next to end in front; then those to come; then those over, the latest in front.
fn order(silence: &Silence, now: Timestamp) -> (u8, Timestamp, Reverse<Timestamp>) {
    match state(silence, now) {
        "active" => (1, silence.until, Reverse(Timestamp::EPOCH)),
        "pending" => (2, silence.from, Reverse(Timestamp::EPOCH)),
        _ => (3, Timestamp::EPOCH, Reverse(silence.until)),
    }
}

/// A silence as the API shows it.
fn form(silence: &Silence, now: Timestamp) -> Value {
    let matchers: Vec<_> = silence
        .matchers
        .iter()
        .map(|matcher| {
            let (name, value, operator) = (matcher.name(), matcher.value(), matcher.operator());
            json!({"isEqual": operator.is_equal(), "isRegex": operator.is_regex(), "name": name, "value": value})
        })
        .collect();
    json!({
        "id": id::of(silence),
        "status": {"state": state(silence, now)},
        "updatedAt": written(silence.updated),
        "comment": silence.reason,
        "createdBy": silence.owner,
        "endsAt": written(silence.until),
        "matchers": matchers,
        "startsAt": written(silence.from),
    })
}
