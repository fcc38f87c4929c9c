//! `POST /hooks/slack`: the buttons of Slack's messages. <https://api.slack.com/interactivity/handling>.
//!
//! Deliberately without an answer in Slack: the message of the incident changes as it does for every acknowledgement.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::Value;

use super::{Act, Said, believe, keys, nothing, obey, read, unreadable, via};
use crate::formats::{Encoding, Signature};
use crate::http::answer::Failure;
use crate::http::app::App;
use crate::sinks::letter;
use crate::sinks::slack::{OVER, TAKE};

const SIGNATURE: Signature = Signature {
    header: Cow::Borrowed("X-Slack-Signature"),
    prefix: Cow::Borrowed("v0="),
    encoding: Encoding::Hex,
    timestamp_header: None,
};
const TIMESTAMP: &str = "X-Slack-Request-Timestamp";
/// A request that was signed so many seconds ago may be a repeat by somebody else.
const OLDEST: u64 = 300;

/// `POST /hooks/slack`.
pub(super) async fn hook(State(app): State<Arc<App>>, request: Request) -> Result<Response, Failure> {
    let keys = keys(&app, "slack")?;
    let (headers, bytes) = read(&app, request).await?;
    let stamp = stamp(&headers, app.clock.now().millis() / 1000)?;
    let signed = [b"v0:", stamp.as_bytes(), b":", &bytes].concat();
    believe(&keys, &SIGNATURE, &headers, &signed)?;
    let mut fields = url::form_urlencoded::parse(&bytes);
    let payload = fields.find(|(name, _)| name == "payload").map(|(_, value)| value.into_owned());
    let payload = payload.ok_or_else(|| unreadable("it has no field `payload`"))?;
    let payload: Value =
        serde_json::from_str(&payload).map_err(|error| unreadable(&format!("its payload is no JSON: {error}")))?;
    match said(&payload) {
        Some(said) => obey(&app, said).await,
        None => Ok(nothing("no button of an incident was pressed")),
    }
}

/// The time of a request, as it was signed.
fn stamp(headers: &HeaderMap, now: i64) -> Result<&str, Failure> {
    let stamp = headers.get(TIMESTAMP).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match stamp.parse::<i64>() {
        Ok(then) if now.abs_diff(then) <= OLDEST => Ok(stamp),
        _ => {
            let message = "the time of the request is missing, or more than 5 minutes off";
            let help = "nothing was done; if Slack itself sent it, set the clock of this machine";
            Err(Failure::new(StatusCode::UNAUTHORIZED, message, help).at(format!("header {TIMESTAMP}")))
        }
    }
}

/// What a person said with a button. A press is one action.
fn said(payload: &Value) -> Option<Said> {
    let action = payload["actions"].as_array()?.first()?;
    let act = match action["action_id"].as_str()? {
        TAKE => Act::Takes,
        OVER => Act::Resolves,
        _ => return None,
    };
    // The key beside the number: a new store counts from 1 again, and messages stay.
    let key = action["block_id"].as_str()?;
    let (id, _) = letter::keyed(key)?;
    let user = &payload["user"];
    let name = ["name", "username", "id"].into_iter().find_map(|field| user[field].as_str());
    (action["value"].as_str()? == id.to_string()).then(|| Said {
        act,
        keys: vec![key.to_owned()],
        by: via(name, "Slack"),
        at: None,
    })
}
