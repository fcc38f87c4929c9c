//! PagerDuty by its Events API v2: <https://developer.pagerduty.com/docs/send-alert-event>.
//!
//! An incident is one alert under a stable `dedup_key`, acknowledged and resolved with it. PagerDuty does not notify
//! again for a key that is open, so what becomes clearly worse is also triggered under a second key (`…-worse`) unless
//! `worse: update` says otherwise; both are closed at the end. Both are sent whether or not they are open: what is
//! not open is ignored there, and nothing must be remembered here.

use serde::Serialize;

use super::letter::{Letter, Turning};
use super::markup::{Unit, short};
use super::receiver::{Address, Secret};
use super::request::{Locator, Place, Request, Wire};
use super::text::{Part, component};
use crate::domain::Severity;

/// The settings of a PagerDuty service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PagerDuty {
    /// The API: `https://events.pagerduty.com`, or that of the EU.
    pub url: Address,
    /// The integration key of the service.
    pub routing_key: Secret,
    /// What happens when an incident becomes clearly worse.
    pub worse: Worse,
    /// How it is spoken to.
    pub wire: Wire,
}

/// What a pager is told when an incident becomes clearly worse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Worse {
    /// A second alert, so that it rings again.
    #[default]
    Page,
    /// Only the first alert is brought up to date.
    Update,
}

impl Worse {
    /// Both.
    pub const ALL: &'static [Self] = &[Self::Page, Self::Update];

    /// Its word in rule files.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Update => "update",
        }
    }

    /// The keys under which an incident may stand at a pager.
    pub(super) fn keys(self, letter: &Letter<'_>) -> Vec<String> {
        let first = letter.incident_key();
        match self {
            Self::Page => vec![first.clone(), format!("{first}-worse")],
            Self::Update => vec![first],
        }
    }
}

#[derive(Serialize)]
struct Event {
    event_action: &'static str,
    dedup_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Payload>,
}

#[derive(Serialize)]
struct Link {
    href: String,
    text: &'static str,
}

#[derive(Serialize)]
struct Payload {
    summary: String,
    source: String,
    severity: &'static str,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    custom_details: Details,
}

/// Headings and what stands below them, in the order in which they are read.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct Details(#[serde(serialize_with = "in_order")] Vec<(&'static str, String)>);

fn in_order<S: serde::Serializer>(pairs: &[(&'static str, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, text)| (name, text)))
}

/// The wording as headings and texts, in at most so many bytes.
pub(super) fn details(letter: &Letter<'_>, most: usize) -> Details {
    let text = |part: &Part| part.lines.iter().map(super::text::Line::plain).collect::<Vec<_>>().join("\n");
    let all = std::iter::once(("In short", letter.wording.lead.clone()))
        .chain(letter.wording.parts.iter().map(|part| (part.label, text(part))));
    let mut room = most;
    Details(
        all.map(|(label, text)| {
            let text = Unit::Bytes.cut(&text, room);
            room = room.saturating_sub(text.len());
            (label, text)
        })
        .collect(),
    )
}

/// The limit of a summary.
const SUMMARY: usize = 1_024;
/// Other fields are kept shorter than PagerDuty asks for.
const FIELD: usize = 255;
/// Of the 512 KB that an event may have.
const DETAILS: usize = 60_000;

impl PagerDuty {
    /// Where it usually is.
    pub const URL: &'static str = "https://events.pagerduty.com";

    /// How it is spoken to.
    #[must_use]
    pub fn wire(&self) -> Wire {
        self.wire.clone()
    }

    /// What is told to it. What belongs to no incident is not for a pager.
    #[must_use]
    pub fn compose(&self, letter: &Letter<'_>) -> Vec<Request> {
        let keys = self.worse.keys(letter);
        match letter.turning() {
            Turning::Opens | Turning::Back | Turning::Untaken => vec![self.trigger(letter, &keys[0])],
            Turning::Worse => keys.iter().map(|key| self.trigger(letter, key)).collect(),
            Turning::Taken => keys.iter().map(|key| self.change(letter, key, "acknowledge")).collect(),
            Turning::Over => keys.iter().map(|key| self.change(letter, key, "resolve")).collect(),
            Turning::Aside => Vec::new(),
        }
    }

    fn trigger(&self, letter: &Letter<'_>, key: &str) -> Request {
        let origin = letter.origin();
        let field = |text: &Option<String>| {
            text.as_deref().map(|text| short(text, Unit::Utf16, FIELD)).filter(|text| !text.is_empty())
        };
        let source = field(&origin.host).or_else(|| field(&origin.service));
        let links = letter.links().into_iter().map(|(text, href)| Link { href, text }).collect();
        let payload = Payload {
            summary: short(&letter.wording.headline(), Unit::Utf16, SUMMARY),
            source: source.unwrap_or_else(|| short(&component(origin), Unit::Utf16, FIELD)),
            severity: severity(letter.severity()),
            timestamp: letter.ts(),
            component: field(&origin.service),
            class: field(&origin.check),
            custom_details: details(letter, DETAILS),
        };
        let payload = Payload {
            source: if payload.source.is_empty() { "squelch".to_owned() } else { payload.source },
            ..payload
        };
        self.send(
            letter,
            &Event {
                event_action: "trigger",
                dedup_key: key.to_owned(),
                client: Some("Squelch"),
                links,
                payload: Some(payload),
            },
        )
    }

    fn change(&self, letter: &Letter<'_>, key: &str, action: &'static str) -> Request {
        let (dedup_key, links) = (key.to_owned(), Vec::new());
        self.send(letter, &Event { event_action: action, dedup_key, client: None, links, payload: None })
    }

    fn send(&self, letter: &Letter<'_>, event: &Event) -> Request {
        Request::json(Locator::new(&self.url, "/v2/enqueue"), &letter.notification.key, event)
            .secret(Place::Field("routing_key"), &self.routing_key)
    }
}

/// The severities are the same there.
const fn severity(severity: Severity) -> &'static str {
    severity.word()
}
