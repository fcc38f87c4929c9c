//! Who speaks in the story: the hosts and the tools, and how each of them puts things.

use crate::domain::{Event, Kind, Severity, Status, Timestamp};

use super::faults;

/// The web hosts that take requests at `at`: the outage takes `web-1`, a fresh instance comes for it.
pub(super) fn web_hosts(at: Timestamp) -> [&'static str; 4] {
    [if at < faults::DOWN { "web-1" } else { "web-5" }, "web-2", "web-3", "web-4"]
}

/// One occurrence of an exception in the shop, from Sentry.
pub(super) fn exception(at: Timestamp, host: &str, class: &str, summary: String) -> Event {
    Event {
        ts: Some(at),
        kind: Kind::Exception,
        service: Some("shop".to_owned()),
        host: Some(host.to_owned()),
        severity: Severity::Error,
        status: Status::Event,
        summary: Some(format!("{class}: {summary}")),
        labels: [("environment".to_owned(), "production".to_owned())].into(),
        ..Event::new("sentry", class)
    }
}

/// A change: it never pages, but it is remembered.
pub(super) fn change(at: Timestamp, source: &str, check: &str, host: Option<&str>, summary: String) -> Event {
    Event {
        ts: Some(at),
        kind: Kind::Change,
        service: Some("shop".to_owned()),
        host: host.map(ToOwned::to_owned),
        severity: Severity::Info,
        status: Status::Event,
        summary: Some(summary),
        ..Event::new(source, check)
    }
}

/// A check that compares a number with a limit, of monit, New Relic or Pingdom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Check {
    pub(super) source: &'static str,
    pub(super) kind: Kind,
    pub(super) service: &'static str,
    pub(super) host: Option<&'static str>,
    pub(super) name: &'static str,
    pub(super) unit: Option<&'static str>,
}

impl Check {
    /// A check of monit on a host.
    pub(super) const fn of_host(service: &'static str, host: &'static str, name: &'static str) -> Self {
        Self { source: "monit", kind: Kind::Host, service, host: Some(host), name, unit: Some("%") }
    }

    /// A check of New Relic inside the shop.
    pub(super) const fn of_shop(name: &'static str, unit: Option<&'static str>) -> Self {
        Self { source: "newrelic", kind: Kind::Apm, service: "shop", host: None, name, unit }
    }

    /// Pingdom's probe of the front page.
    pub(super) const fn of_front_page() -> Self {
        let host = Some("shop.example");
        Self { source: "pingdom", kind: Kind::Uptime, service: "shop", host, name: "http", unit: None }
    }

    /// It is over its limit.
    pub(super) fn fires(self, at: Timestamp, severity: Severity, value: f64, threshold: f64) -> Event {
        self.says(at, (severity, Status::Firing), (value, threshold))
    }

    /// It is below its limit again.
    pub(super) fn resolves(self, at: Timestamp, value: f64, threshold: f64) -> Event {
        self.says(at, (Severity::Warning, Status::Resolved), (value, threshold))
    }

    /// It cannot reach what it looks at.
    pub(super) fn fails(self, at: Timestamp, why: &str) -> Event {
        Event {
            value: None,
            threshold: None,
            summary: Some(format!("{}: {why}", self.place())),
            ..self.fires(at, Severity::Critical, 0.0, 0.0)
        }
    }

    /// It reaches it again.
    pub(super) fn answers(self, at: Timestamp) -> Event {
        Event { status: Status::Resolved, ..self.fails(at, "answers again") }
    }

    fn place(self) -> &'static str {
        self.host.unwrap_or(self.service)
    }

    fn says(self, at: Timestamp, (severity, status): (Severity, Status), (value, limit): (f64, f64)) -> Event {
        let value = (value * 10.0).round() / 10.0;
        let side = if status == Status::Firing { "past" } else { "back within" };
        Event {
            ts: Some(at),
            kind: self.kind,
            service: Some(self.service.to_owned()),
            host: self.host.map(ToOwned::to_owned),
            severity,
            status,
            value: Some(value),
            threshold: Some(limit),
            unit: self.unit.map(ToOwned::to_owned),
            summary: Some(format!(
                "{} on {}: {value}{}, {side} {limit}",
                self.name,
                self.place(),
                self.unit.map_or_else(String::new, |unit| format!(" {unit}")),
            )),
            ..Event::new(self.source, self.name)
        }
    }
}
