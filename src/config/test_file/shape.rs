//! Shapes: what a page, a notice or an incident should look like, as far as a test says.
//!
//! A field that a test does not name fits everything. Texts fit when they contain what is written.

use std::fmt;

use super::case::offset;
use crate::domain::{IncidentSummary, Notice, NoticeAction, Origin, Page, PageAction, Reason, Severity, Timestamp};

/// A stretch of a timeline, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Within(pub Timestamp, pub Timestamp);

impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", offset(self.0), offset(self.1))
    }
}

/// What a page should look like.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PageShape {
    /// When it comes.
    pub within: Option<Within>,
    /// Whether it opens or escalates.
    pub action: Option<PageAction>,
    /// Its severity.
    pub severity: Option<Severity>,
    /// Its reason.
    pub reason: Option<Reason>,
    /// A service that is among its services.
    pub service: Option<String>,
    /// A host that is among its hosts.
    pub host: Option<String>,
    /// All its services, in any order.
    pub services: Option<Vec<String>>,
    /// All its hosts, in any order.
    pub hosts: Option<Vec<String>>,
    /// Its most likely origin, as far as it is named.
    pub origin: Origin,
    /// What its title contains.
    pub title: Option<String>,
    /// What its sentence contains.
    pub why: Option<String>,
    /// What one of its suspects contains.
    pub suspect: Option<String>,
    /// At least so many signals had been held before.
    pub held_before: Option<u64>,
}

impl PageShape {
    /// In what the page differs first; `None` when it fits.
    #[must_use]
    pub fn differs(&self, page: &Page) -> Option<String> {
        let held = self.held_before.filter(|least| page.held_before < *least);
        within(self.within, page.ts)
            .or_else(|| word("action", self.action, page.action))
            .or_else(|| word("severity", self.severity, page.severity))
            .or_else(|| word("reason", self.reason, page.reason))
            .or_else(|| among("services", self.service.as_ref(), &page.services))
            .or_else(|| among("hosts", self.host.as_ref(), &page.hosts))
            .or_else(|| all("services", self.services.as_ref(), &page.services))
            .or_else(|| all("hosts", self.hosts.as_ref(), &page.hosts))
            .or_else(|| origin(&self.origin, &page.origin))
            .or_else(|| contains("title", self.title.as_ref(), &page.title))
            .or_else(|| contains("why", self.why.as_ref(), &page.why))
            .or_else(|| contains("suspects", self.suspect.as_ref(), &page.suspects.join("; ")))
            .or_else(|| held.map(|_| format!("held_before is {}", page.held_before)))
    }
}

impl fmt::Display for PageShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Parts::default();
        parts.add("within", self.within.as_ref());
        parts.add("action", self.action.as_ref());
        parts.add("severity", self.severity.as_ref());
        parts.add("reason", self.reason.as_ref());
        parts.add("service", self.service.as_ref());
        parts.add("host", self.host.as_ref());
        parts.add("services", joined(self.services.as_ref()).as_ref());
        parts.add("hosts", joined(self.hosts.as_ref()).as_ref());
        parts.origin(&self.origin);
        parts.add("title", self.title.as_ref());
        parts.add("why", self.why.as_ref());
        parts.add("suspect", self.suspect.as_ref());
        parts.add("held_before at least", self.held_before.as_ref());
        parts.finish(f)
    }
}

/// What a notice should look like.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NoticeShape {
    /// When it comes.
    pub within: Option<Within>,
    /// What it tells.
    pub action: Option<NoticeAction>,
    /// What the name of its series contains.
    pub series: Option<String>,
    /// What its sentence contains.
    pub text: Option<String>,
}

impl NoticeShape {
    /// In what the notice differs first; `None` when it fits.
    #[must_use]
    pub fn differs(&self, notice: &Notice) -> Option<String> {
        within(self.within, notice.ts)
            .or_else(|| word("action", self.action, notice.action))
            .or_else(|| contains("series", self.series.as_ref(), notice.series.as_deref().unwrap_or_default()))
            .or_else(|| contains("text", self.text.as_ref(), &notice.text))
    }
}

impl fmt::Display for NoticeShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Parts::default();
        parts.add("within", self.within.as_ref());
        parts.add("action", self.action.as_ref());
        parts.add("series", self.series.as_ref());
        parts.add("text", self.text.as_ref());
        parts.finish(f)
    }
}

/// What an incident should look like at its close, or at the end of the run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IncidentShape {
    /// When it opens.
    pub opened: Option<Within>,
    /// When it is over.
    pub resolved: Option<Within>,
    /// Whether it is still open at the end.
    pub open: Option<bool>,
    /// Its worst severity.
    pub severity: Option<Severity>,
    /// A service that had a signal in it.
    pub service: Option<String>,
    /// A host that had a signal in it.
    pub host: Option<String>,
    /// All services that had a signal in it, in any order.
    pub services: Option<Vec<String>>,
    /// Its most likely origin, as far as it is named.
    pub origin: Origin,
    /// At least so many events are part of it.
    pub alerts: Option<u64>,
}

impl IncidentShape {
    /// In what the incident differs first; `None` when it fits.
    #[must_use]
    pub fn differs(&self, summary: &IncidentSummary) -> Option<String> {
        let open = summary.resolved.is_none();
        let resolved = match (self.resolved, summary.resolved) {
            (Some(_), None) => Some("it is still open".to_owned()),
            (Some(stretch), Some(at)) => within(Some(stretch), at).map(|difference| format!("its end: {difference}")),
            (None, _) => None,
        };
        within(self.opened, summary.opened)
            .or(resolved)
            .or_else(|| self.open.filter(|wanted| *wanted != open).map(|_| format!("open is {open}")))
            .or_else(|| word("severity", self.severity, summary.severity))
            .or_else(|| among("services", self.service.as_ref(), &summary.services))
            .or_else(|| among("hosts", self.host.as_ref(), &summary.hosts))
            .or_else(|| all("services", self.services.as_ref(), &summary.services))
            .or_else(|| origin(&self.origin, &summary.origin))
            .or_else(|| {
                self.alerts.filter(|least| summary.alerts < *least).map(|_| format!("alerts is {}", summary.alerts))
            })
    }
}

impl fmt::Display for IncidentShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Parts::default();
        parts.add("opened", self.opened.as_ref());
        parts.add("resolved", self.resolved.as_ref());
        parts.add("open", self.open.as_ref());
        parts.add("severity", self.severity.as_ref());
        parts.add("service", self.service.as_ref());
        parts.add("host", self.host.as_ref());
        parts.add("services", joined(self.services.as_ref()).as_ref());
        parts.origin(&self.origin);
        parts.add("alerts at least", self.alerts.as_ref());
        parts.finish(f)
    }
}

fn within(wanted: Option<Within>, at: Timestamp) -> Option<String> {
    wanted.filter(|wanted| at < wanted.0 || at > wanted.1).map(|_| format!("it comes at {}", offset(at)))
}

fn word<T: PartialEq + fmt::Display>(name: &str, wanted: Option<T>, is: T) -> Option<String> {
    wanted.filter(|wanted| *wanted != is).map(|_| format!("{name} is {is}"))
}

fn among(name: &str, wanted: Option<&String>, are: &[String]) -> Option<String> {
    wanted.filter(|wanted| !are.contains(wanted)).map(|_| format!("{name} are [{}]", are.join(", ")))
}

fn all(name: &str, wanted: Option<&Vec<String>>, are: &[String]) -> Option<String> {
    let same = |wanted: &&Vec<String>| wanted.len() == are.len() && wanted.iter().all(|one| are.contains(one));
    wanted.filter(|wanted| !same(wanted)).map(|_| format!("{name} are [{}]", are.join(", ")))
}

fn contains(name: &str, wanted: Option<&String>, is: &str) -> Option<String> {
    wanted.filter(|wanted| !is.contains(wanted.as_str())).map(|_| format!("{name}: {is}"))
}

fn origin(wanted: &Origin, is: &Origin) -> Option<String> {
    let differs = |wanted: &Option<String>, is: &Option<String>| wanted.is_some() && wanted != is;
    let show = |part: &Option<String>| part.clone().unwrap_or_else(|| "-".to_owned());
    (differs(&wanted.service, &is.service) || differs(&wanted.host, &is.host) || differs(&wanted.check, &is.check))
        .then(|| format!("origin is {}/{}/{}", show(&is.service), show(&is.host), show(&is.check)))
}

fn joined(names: Option<&Vec<String>>) -> Option<String> {
    names.map(|names| format!("[{}]", names.join(", ")))
}

/// What a shape says, as one line.
#[derive(Default)]
struct Parts(Vec<String>);

impl Parts {
    fn add(&mut self, name: &str, value: Option<&impl fmt::Display>) {
        self.0.extend(value.map(|value| format!("{name} {value}")));
    }

    fn origin(&mut self, origin: &Origin) {
        self.add("origin service", origin.service.as_ref());
        self.add("origin host", origin.host.as_ref());
        self.add("origin check", origin.check.as_ref());
    }

    fn finish(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { write!(f, "anything") } else { write!(f, "{}", self.0.join(", ")) }
    }
}
