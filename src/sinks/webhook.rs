//! Squelch's own JSON by `POST`, with `Idempotency-Key` so that a repeat is harmless.
//!
//! The body always has all these fields, in this order; later versions may add some:
//!
//! | field | type | meaning |
//! |---|---|---|
//! | `version` | number | 1 |
//! | `key` | string | the identity of this message, also the `Idempotency-Key`; a repeat has the same |
//! | `action` | string | a page: `open`, `escalate`, or again for want of an answer: `reminder`; a notice: `resolve`, `reopen`, `update`, `ack`, … |
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

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::receiver::{Address, Secret};
use super::request::{Locator, Place, Request, Wire, idempotency_key};
use super::text::{decided, sentence, title};
use super::{Letter, clean, when};
use crate::domain::{Content, Origin, Page};

/// The settings of a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Where to.
    pub address: Address,
    /// Sent as `Authorization: Bearer …`.
    pub token: Option<Secret>,
    /// A PEM file with the authorities to trust instead of the public ones.
    pub ca_file: Option<PathBuf>,
    /// How long one attempt may take ([`Webhook::TIMEOUT`]).
    pub timeout: Duration,
}

impl Webhook {
    /// The default time for one attempt.
    pub const TIMEOUT: Duration = Wire::TIMEOUT;

    /// A webhook with nothing but an address.
    #[must_use]
    pub const fn new(address: Address) -> Self {
        Self { address, token: None, ca_file: None, timeout: Self::TIMEOUT }
    }

    /// How it is spoken to.
    #[must_use]
    pub fn wire(&self) -> Wire {
        Wire { ca_file: self.ca_file.clone(), timeout: self.timeout }
    }

    /// What is told to it: everything.
    #[must_use]
    pub fn compose(&self, letter: &Letter<'_>) -> Vec<Request> {
        let key = idempotency_key(&letter.notification.key);
        let mut request = Request::json(Locator::new(&self.address, ""), &letter.notification.key, &body(letter, &key));
        request.headers.push(("idempotency-key", key));
        vec![match &self.token {
            Some(token) => request.secret(Place::Header("authorization", "Bearer "), token),
            None => request,
        }]
    }
}

/// Squelch's own JSON.
#[derive(Serialize)]
pub(super) struct Body<'a> {
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

/// The body under this key.
pub(super) fn body<'a>(letter: &Letter<'a>, key: &'a str) -> Body<'a> {
    let notification = letter.notification;
    let incident = &notification.incident;
    let page = notification.content.page();
    let (action, notice) = match &notification.content {
        Content::Page(page) => (page.action.word(), None),
        Content::Reminder(_) => ("reminder", None),
        Content::Notice(notice) => (notice.action.word(), Some(notice)),
        Content::Digest(_) => ("digest", None),
    };
    Body {
        version: 1,
        key,
        action,
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
        text: letter.wording.plain(),
    }
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
