//! One incident of Squelch's own: what it says, and whom it is owed to.
//!
//! Deliberately without the list of them, which is [`super::Alarms`].

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::decision::{IncidentId, IncidentSummary, Moment, Origin, Page, PageAction};
use crate::domain::event::Event;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::notification::{Content, Notification, NotificationKey};
use crate::domain::policy::Policy;
use crate::domain::reason::Reason;
use crate::domain::signal::Severity;
use crate::domain::time::Timestamp;
use crate::domain::turn::Turn;

/// One incident of Squelch's own, one record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Alarm {
    pub(super) summary: IncidentSummary,
    /// What it is about: an alert that could not be judged, or the title of a trouble.
    pub(super) subject: Fingerprint,
    /// The notifications so far.
    pub(super) steps: u32,
    /// The events that are part of it.
    pub(super) seqs: Vec<u64>,
    pub(super) why: String,
    pub(super) owed: Vec<Arc<Notification>>,
    /// Whom alone it is told; none = whom its routes name.
    pub(super) to: BTreeSet<String>,
}

/// The same as a store of version 1 has it.
#[derive(Serialize, Deserialize)]
pub(super) struct AlarmV1 {
    summary: IncidentSummary,
    subject: Fingerprint,
    steps: u32,
    seqs: Vec<u64>,
    why: String,
    owed: Vec<Arc<Notification>>,
}

impl From<AlarmV1> for Alarm {
    fn from(before: AlarmV1) -> Self {
        let AlarmV1 { summary, subject, steps, seqs, why, owed } = before;
        Self { summary, subject, steps, seqs, why, owed, to: BTreeSet::new() }
    }
}

impl Alarm {
    pub(super) fn of_event(now: Timestamp, id: IncidentId, seq: u64, event: &Event, subject: Fingerprint) -> Self {
        let place = event.service.as_deref().or(event.host.as_deref()).unwrap_or(&event.source);
        let what = event.summary.as_deref().unwrap_or(&event.check);
        let why =
            format!("{} {}", "squelch could not judge this alert, and what cannot be judged is paged;", Self::HELP);
        let origin = Origin {
            service: event.service.clone(),
            host: event.host.clone(),
            check: Some(event.check.clone()).filter(|check| !check.is_empty()),
        };
        let title = format!("{place}: {what} (not judged)");
        let mut alarm = Self::new(now, (id, subject), title, why, origin);
        alarm.summary.severity = event.severity;
        alarm.summary.alerts = 1;
        alarm.seqs.push(seq);
        alarm
    }

    pub(super) fn of_trouble(now: Timestamp, id: IncidentId, title: &str, why: &str) -> Self {
        let origin = Origin { service: Some("squelch".to_owned()), host: None, check: Some(title.to_owned()) };
        Self::new(now, (id, about_trouble(title)), format!("squelch: {title}"), why.to_owned(), origin)
    }

    const HELP: &str = "its log has the cause: please report it as a bug";

    fn new(
        now: Timestamp,
        (incident, subject): (IncidentId, Fingerprint),
        title: String,
        why: String,
        origin: Origin,
    ) -> Self {
        let summary = IncidentSummary {
            incident,
            opened: now,
            paged: Some(now),
            resolved: None,
            acknowledged: None,
            severity: Severity::Critical,
            services: origin.service.iter().cloned().collect(),
            hosts: origin.host.iter().cloned().collect(),
            checks: origin.check.iter().cloned().collect(),
            origin,
            alerts: 0,
            moments: vec![Moment { ts: now, text: format!("paged: {why}") }],
            title,
        };
        Self { summary, subject, steps: 0, seqs: Vec::new(), why, owed: Vec::new(), to: BTreeSet::new() }
    }

    pub(super) fn page(&self, url: Option<String>) -> Page {
        let summary = &self.summary;
        Page {
            ts: summary.opened,
            incident: summary.incident,
            action: PageAction::Open,
            severity: summary.severity,
            title: summary.title.clone(),
            services: summary.services.clone(),
            hosts: summary.hosts.clone(),
            origin: summary.origin.clone(),
            alerts: self.seqs.clone(),
            held_before: 0,
            reason: Reason::JudgeFailed,
            why: self.why.clone(),
            evidence: Vec::new(),
            suspects: Vec::new(),
            url,
            runbook_url: None,
        }
    }

    pub(super) fn moment(&mut self, ts: Timestamp, text: String) {
        if self.summary.moments.len() < IncidentSummary::MOST_MOMENTS {
            self.summary.moments.push(Moment { ts, text });
        }
    }

    /// Owes the content to every receiver of its routes, whatever their hours say, and to those that take their
    /// places: what Squelch cannot judge must not wait, and a fault of Squelch is loud. To nobody in shadow mode.
    pub(super) fn tell(&mut self, content: &Content, policy: &Policy, turn: &mut Turn) {
        self.steps += 1;
        for receiver in self.audience(policy) {
            let notification = Arc::new(Notification {
                key: NotificationKey { incident: self.summary.incident, step: self.steps, receiver: receiver.clone() },
                content: content.clone(),
                incident: self.summary.clone(),
            });
            self.owed.push(Arc::clone(&notification));
            turn.notifications.push(notification);
        }
    }

    /// What routes see of it.
    fn audience(&self, policy: &Policy) -> BTreeSet<String> {
        if policy.shadow {
            return BTreeSet::new();
        }
        if !self.to.is_empty() {
            return self.to.clone();
        }
        let routes = policy.routes_of(&self.face()).into_iter();
        // Who was on call when it began is told of its end, too.
        let named = routes.flat_map(|route| &route.receivers).map(|name| policy.on_call(name, self.summary.opened));
        let instead = |name: &str| policy.fallbacks.get(name).into_iter().flatten().cloned();
        named.flat_map(|name| std::iter::once(name.to_owned()).chain(instead(name))).collect()
    }

    fn face(&self) -> Event {
        let origin = &self.summary.origin;
        let mut face = Event::new("squelch", origin.check.clone().unwrap_or_default());
        face.service.clone_from(&origin.service);
        face.host.clone_from(&origin.host);
        face.severity = self.summary.severity;
        face
    }
}

/// What pairs a trouble with its end.
pub(super) fn about_trouble(title: &str) -> Fingerprint {
    Fingerprint::of(&["trouble", title])
}
