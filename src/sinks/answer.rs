//! What an answer means: whether a message was taken, is worth another try, or is refused; and by what name the
//! service knows the message from now on.

use serde_json::Value;

use super::{Outcome, clean};

/// What an answer says that matters here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The status.
    pub status: u16,
    /// The header `Retry-After`.
    pub retry_after: Option<&'a str>,
    /// The header `Date`: a date in `Retry-After` is read against the sender's own clock, not ours.
    pub date: Option<&'a str>,
    /// The (beginning of the) body.
    pub body: &'a str,
}

/// How an answer is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reading {
    /// By its status alone.
    #[default]
    Status,
    /// Slack's Web API: 200 also when it fails; the message is known by channel and time.
    Slack,
    /// Telegram: how long to wait stands in the body; the message is known by its number.
    Telegram,
    /// Discord: the message is known by its id.
    Discord,
    /// Teams: may say in the body of a 200 that it failed.
    Teams,
}

impl Reading {
    /// What the answer means, and by what name the service knows the message, where it says.
    #[must_use]
    pub fn of(self, answer: &Answer<'_>) -> (Outcome, Option<String>) {
        let body: Value = serde_json::from_str(answer.body).unwrap_or_default();
        match self {
            Self::Status => (judge(answer), None),
            Self::Slack if answer.status == 200 => slack(answer, &body),
            Self::Telegram => telegram(answer, &body),
            Self::Discord => (judge(answer), body["id"].as_str().map(str::to_owned)),
            Self::Teams if answer.status == 200 && answer.body.contains("failed with error") => {
                (Outcome::Retry { after: retry_after(answer), why: told(answer) }, None)
            }
            Self::Slack | Self::Teams => (judge(answer), None),
        }
    }
}

/// What a status means: 2xx is taken; 408, 425, 429 and 5xx are worth another try; everything else is refused.
#[must_use]
pub fn judge(answer: &Answer<'_>) -> Outcome {
    match answer.status {
        200..=299 => Outcome::Delivered,
        408 | 425 | 429 | 500..=599 => Outcome::Retry { after: retry_after(answer), why: told(answer) },
        300..=399 => {
            Outcome::Rejected { why: format!("{}: redirects are not followed: set the new URL", told(answer)) }
        }
        _ => Outcome::Rejected { why: told(answer) },
    }
}

/// Errors of Slack that pass by themselves.
const SLACK_PASSES: &[&str] =
    &["ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"];

fn slack(answer: &Answer<'_>, body: &Value) -> (Outcome, Option<String>) {
    if body["ok"] == true {
        let name = body["channel"].as_str().zip(body["ts"].as_str());
        return (Outcome::Delivered, name.map(|(channel, ts)| format!("{channel}/{ts}")));
    }
    let error = clean::line(body["error"].as_str().unwrap_or("no answer that can be read"), 100);
    let help = match error.as_str() {
        "not_in_channel" => ": invite the app into the channel",
        "channel_not_found" => ": there is no such channel, or it is private and the app is not in it",
        "invalid_auth" | "not_authed" | "token_revoked" | "account_inactive" => ": the bot token is not valid",
        "missing_scope" => ": give the app the scope chat:write",
        _ => "",
    };
    let why = format!("Slack says {error}{help}");
    let outcome = if SLACK_PASSES.contains(&error.as_str()) || body["error"].is_null() {
        Outcome::Retry { after: retry_after(answer), why }
    } else {
        Outcome::Rejected { why }
    };
    (outcome, None)
}

fn telegram(answer: &Answer<'_>, body: &Value) -> (Outcome, Option<String>) {
    let said = body["description"].as_str().unwrap_or_default();
    if answer.status == 400 && said.contains("message is not modified") {
        return (Outcome::Delivered, None);
    }
    let outcome = match judge(answer) {
        Outcome::Retry { after: None, why } => {
            let asked = body["parameters"]["retry_after"].as_u64();
            Outcome::Retry { after: asked.map(std::time::Duration::from_secs), why }
        }
        outcome => outcome,
    };
    (outcome, body["result"]["message_id"].as_i64().map(|id| id.to_string()))
}

/// `HTTP 503: upstream is down`
fn told(answer: &Answer<'_>) -> String {
    match clean::line(answer.body, 200) {
        body if body.is_empty() => format!("HTTP {}", answer.status),
        body => format!("HTTP {}: {body}", answer.status),
    }
}

fn retry_after(answer: &Answer<'_>) -> Option<std::time::Duration> {
    let text = answer.retry_after?.trim();
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok().map(std::time::Duration::from_secs);
    }
    // Some services give fractions of a second.
    if text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return std::time::Duration::try_from_secs_f64(text.parse().ok()?).ok();
    }
    let date = |text: &str| jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok();
    let wait = date(text)?.duration_since(date(answer.date?)?);
    Some(wait.try_into().unwrap_or_default())
}
