//! Squelch's own JSON by `POST`, with `Idempotency-Key` so that a repeat is harmless.
//!
//! The body always has all these fields, in this order; later versions may add some:
//!
//! | field | type | meaning |
//! |---|---|---|
//! | `version` | number | 1 |
//! | `key` | string | the identity of this message, also the `Idempotency-Key`; a repeat has the same |
//! | `action` | string | a page: `open`, `escalate`; a notice: `resolve`, `reopen`, `update`, `ack`, … |
//! | `page` | bool | whether a person is to be interrupted |
//! | `incident` | number | the incident; equal for all messages about it |
//! | `ts`, `opened` | string | when this was decided, when the incident opened: RFC 3339, UTC |
//! | `acknowledged`, `resolved` | string or null | when somebody took it, when it was over |
//! | `severity` | string | `info`, `warning`, `error`, `critical`: the worst of the incident |
//! | `title` | string | one line: what is wrong, and where |
//! | `services`, `hosts` | array of strings | what is affected, most likely origin first |
//! | `origin` | object | `service`, `host`, `check`: strings or null |
//! | `why` | string | a page: one sentence with the numbers; a notice: what it tells |
//! | `reason` | string or null | why it paged, as a word of the closed list of reasons |
//! | `evidence` | array of objects | `series`, `bits`: what spoke loudest, loudest first |
//! | `suspects` | array of strings | changes shortly before, latest first |
//! | `held_before` | number | signals of these series that had been held back before |
//! | `alerts` | number | events that are part of the incident |
//! | `url`, `runbook_url` | string or null | where to look, what to do |
//! | `text` | string | all of it for people, as plain text with line ends |

use serde::Serialize;

use super::text::{Wording, decided, sentence, title};
use super::{Outcome, Webhook, clean, when};
use crate::domain::{Content, Notification, NotificationKey, Origin, Page};

/// A request to be performed. The token is added when it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The HTTP method.
    pub method: &'static str,
    /// Where to; `None` = the address is a secret, read when it is sent.
    pub url: Option<super::Url>,
    /// The headers, names in lower case, values visible ASCII.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
    /// Equal for every repeat of one message.
    pub idempotency_key: String,
}

/// The request for a notification.
#[must_use]
pub fn compose(webhook: &Webhook, notification: &Notification) -> Request {
    let key = idempotency_key(&notification.key);
    let url = match &webhook.address {
        super::Address::Plain(url) => Some(url.clone()),
        super::Address::Secret(_) => None,
    };
    let headers = vec![
        ("content-type", "application/json".to_owned()),
        ("user-agent", concat!("squelch/", env!("CARGO_PKG_VERSION")).to_owned()),
        ("idempotency-key", key.clone()),
    ];
    Request { method: "POST", url, headers, body: body(notification, &key), idempotency_key: key }
}

/// The key as visible ASCII without white space: what else a receiver's name may hold is percent-encoded.
#[must_use]
pub fn idempotency_key(key: &NotificationKey) -> String {
    url::form_urlencoded::byte_serialize(key.to_string().as_bytes()).collect()
}

#[derive(Serialize)]
struct Body<'a> {
    version: u32,
    key: &'a str,
    action: &'a str,
    page: bool,
    incident: u64,
    ts: String,
    opened: String,
    acknowledged: Option<String>,
    resolved: Option<String>,
    severity: &'a str,
    title: String,
    services: Vec<String>,
    hosts: Vec<String>,
    origin: OriginBody,
    why: String,
    reason: Option<&'a str>,
    evidence: Vec<EvidenceBody>,
    suspects: Vec<String>,
    held_before: u64,
    alerts: u64,
    url: Option<String>,
    runbook_url: Option<String>,
    text: String,
}

#[derive(Serialize)]
struct OriginBody {
    service: Option<String>,
    host: Option<String>,
    check: Option<String>,
}

#[derive(Serialize)]
struct EvidenceBody {
    series: String,
    bits: f32,
}

fn body(notification: &Notification, key: &str) -> String {
    let incident = &notification.incident;
    let (page, notice) = match &notification.content {
        Content::Page(page) => (Some(page.as_ref()), None),
        Content::Notice(notice) => (None, Some(notice)),
    };
    let body = Body {
        version: 1,
        key,
        action: page.map_or_else(|| notice.map_or("", |notice| notice.action.word()), |page| page.action.word()),
        page: page.is_some(),
        incident: incident.incident.0,
        ts: when::iso(decided(notification)),
        opened: when::iso(incident.opened),
        acknowledged: incident.acknowledged.map(when::iso),
        resolved: incident.resolved.map(when::iso),
        severity: page.map_or(incident.severity, |page| page.severity).word(),
        title: title(page.map_or(&incident.title, |page| &page.title)),
        services: lines(page.map_or(&incident.services, |page| &page.services)),
        hosts: lines(page.map_or(&incident.hosts, |page| &page.hosts)),
        origin: origin(page.map_or(&incident.origin, |page| &page.origin)),
        why: sentence(page.map_or_else(|| notice.map_or("", |notice| &notice.text), |page| &page.why)),
        reason: page.map(|page| page.reason.word()),
        evidence: page.map(evidence).unwrap_or_default(),
        suspects: page.map(|page| lines(&page.suspects)).unwrap_or_default(),
        held_before: page.map_or(0, |page| page.held_before),
        alerts: incident.alerts,
        url: page.and_then(|page| page.url.as_deref()).and_then(clean::link),
        runbook_url: page.and_then(|page| page.runbook_url.as_deref()).and_then(clean::link),
        text: Wording::of(notification).plain(),
    };
    serde_json::to_string(&body).expect("a body has only strings as keys")
}

const NAME: usize = 1_000;
/// No list is longer: a body stays well below what receivers take.
const LIST: usize = 200;

fn lines(list: &[String]) -> Vec<String> {
    list.iter().take(LIST).map(|text| clean::line(text, NAME)).collect()
}

fn origin(origin: &Origin) -> OriginBody {
    let line = |text: &Option<String>| text.as_deref().map(|text| clean::line(text, NAME));
    OriginBody { service: line(&origin.service), host: line(&origin.host), check: line(&origin.check) }
}

fn evidence(page: &Page) -> Vec<EvidenceBody> {
    let line = |(series, bits): &(String, f32)| EvidenceBody { series: clean::line(series, NAME), bits: *bits };
    page.evidence.iter().filter(|(_, bits)| bits.is_finite()).take(LIST).map(line).collect()
}

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

/// What an answer means: 2xx is taken; 408, 425, 429 and 5xx are worth another try; everything else is refused.
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
    let date = |text: &str| jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok();
    let wait = date(text)?.duration_since(date(answer.date?)?);
    Some(wait.try_into().unwrap_or_default())
}
