//! Opsgenie by its Alert API: <https://docs.opsgenie.com/docs/alert-api>.
//!
//! An incident is one alert under a stable alias. As with PagerDuty, an open alias does not ring again, so what becomes
//! clearly worse opens a second one (`…-worse`); both are closed at the end.

use serde::Serialize;

use super::letter::{Letter, Turning};
use super::markup::{Markup, Unit, fit, short};
use super::pagerduty::Worse;
use super::receiver::{Address, Secret};
use super::request::{Locator, Place, Request, Wire};
use crate::domain::Severity;

/// The settings of an Opsgenie team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opsgenie {
    /// The API: `https://api.opsgenie.com`, or that of the EU.
    pub url: Address,
    /// The key of an API integration.
    pub api_key: Secret,
    /// Tags of every alert.
    pub tags: Vec<String>,
    /// What happens when an incident becomes clearly worse.
    pub worse: Worse,
    /// How it is spoken to.
    pub wire: Wire,
}

#[derive(Serialize)]
struct Alert {
    message: String,
    alias: String,
    description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    entity: String,
    source: &'static str,
    priority: &'static str,
    details: Details,
}

#[derive(Serialize)]
struct Details {
    incident: String,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    runbook: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
}

#[derive(Serialize)]
struct Note {
    source: &'static str,
    note: String,
}

const MESSAGE: usize = 130;
const DESCRIPTION: usize = 15_000;
const NOTE: usize = 25_000;
const ENTITY: usize = 512;
const TAGS: usize = 20;
const TAG: usize = 50;

impl Opsgenie {
    /// Where it usually is.
    pub const URL: &'static str = "https://api.opsgenie.com";

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
            Turning::Opens | Turning::Back | Turning::Untaken => vec![self.create(letter, &keys[0])],
            // The first may be closed by hand: then there is nothing to note, and the second still rings.
            Turning::Worse => {
                let note = self.change(letter, &keys[0], "notes");
                std::iter::once(note.lenient()).chain(keys[1..].iter().map(|key| self.create(letter, key))).collect()
            }
            Turning::Taken => keys.iter().map(|key| self.change(letter, key, "acknowledge")).collect(),
            Turning::Over => keys.iter().map(|key| self.change(letter, key, "close")).collect(),
            Turning::Aside => Vec::new(),
        }
    }

    fn create(&self, letter: &Letter<'_>, alias: &str) -> Request {
        let links = letter.links();
        let link = |what| links.iter().find(|(name, _)| *name == what).map(|(_, url)| url.clone());
        let alert = Alert {
            message: short(&letter.wording.headline(), Unit::Utf16, MESSAGE),
            alias: alias.to_owned(),
            description: text(letter, DESCRIPTION),
            tags: self.tags.iter().take(TAGS).map(|tag| short(tag, Unit::Utf16, TAG)).collect(),
            entity: short(&super::text::component(letter.origin()), Unit::Utf16, ENTITY),
            source: "Squelch",
            priority: priority(letter.severity()),
            details: Details {
                incident: letter.incident().incident.to_string(),
                severity: letter.severity().word(),
                runbook: link("runbook"),
                source: link("source"),
            },
        };
        self.send(letter, Locator::new(&self.url, "/v2/alerts"), &alert)
    }

    fn change(&self, letter: &Letter<'_>, alias: &str, what: &str) -> Request {
        let to = Locator::new(&self.url, format!("/v2/alerts/{alias}/{what}")).with("identifierType", "alias");
        self.send(letter, to, &Note { source: "Squelch", note: text(letter, NOTE) })
    }

    fn send(&self, letter: &Letter<'_>, to: Locator, body: &impl Serialize) -> Request {
        Request::json(to, &letter.notification.key, body)
            .secret(Place::Header("authorization", "GenieKey "), &self.api_key)
    }
}

fn text(letter: &Letter<'_>, most: usize) -> String {
    let mut lines = vec![letter.wording.headline()];
    lines.extend(Markup::Plain.below(&letter.wording));
    fit(&lines, Unit::Utf16, most)
}

const fn priority(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "P1",
        Severity::Error => "P2",
        Severity::Warning => "P3",
        Severity::Info => "P5",
    }
}
