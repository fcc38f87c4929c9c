//! What a receiver does not take is told elsewhere, and that is a trouble of Squelch's own.
//!
//! Deliberately in the alarms: it must work while the engine does not, and the trouble's timeline remembers what was
//! passed on already.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::incident::about_trouble;
use super::{Alarms, FIRST_ALARM};
use crate::domain::notification::{Content, Notification, NotificationKey};
use crate::domain::policy::Policy;
use crate::domain::time::Timestamp;
use crate::domain::turn::Turn;

/// The title of the trouble with a receiver.
fn title(receiver: &str) -> String {
    format!("the receiver {receiver} does not take messages")
}

impl Alarms {
    /// A message was not taken in time, or not at all: the receiver's fallbacks get it under the same incident and step,
    /// unless they are among `addressed`, who get it anyway. Squelch's own pages went to them already.
    pub fn pass_on(
        &mut self,
        now: Timestamp,
        (notification, addressed, why): (&Notification, &BTreeSet<String>, &str),
        policy: &Policy,
        turn: &mut Turn,
    ) {
        // That a digest comes late wakes nobody: the log and the metrics tell of it.
        if matches!(notification.content, Content::Digest(_)) {
            return;
        }
        let NotificationKey { incident, step, receiver } = &notification.key;
        let title = title(receiver);
        let instead = policy.fallbacks.get(receiver).map(Vec::as_slice).unwrap_or_default();
        let told = if instead.is_empty() { "nobody is told instead".to_owned() } else { instead.join(", ") };
        let meaning = format!("{why}; what it does not take goes to: {told}");
        self.trouble(now, (&title, &meaning), policy, turn);
        let open = self.open_about(about_trouble(&title));
        let Some((id, alarm)) = open.and_then(|id| Some((id, self.alarms.get_mut(&id)?))) else { return };
        if incident.0 >= FIRST_ALARM || policy.shadow {
            return;
        }
        for name in instead.iter().filter(|name| !addressed.contains(*name)) {
            let key = NotificationKey { incident: *incident, step: *step, receiver: name.clone() };
            let moment = format!("message {} went to {name} instead", notification.key);
            if alarm.summary.moments.iter().any(|known| known.text == moment) {
                continue;
            }
            alarm.moment(now, moment);
            let copy = Arc::new(Notification { key, ..notification.clone() });
            alarm.owed.push(Arc::clone(&copy));
            turn.notifications.push(copy);
            self.changed.insert(id);
        }
    }

    /// The receiver takes messages: a trouble with it is over.
    pub fn takes_again(&mut self, now: Timestamp, receiver: &str, policy: &Policy, turn: &mut Turn) {
        if !self.alarms.is_empty() {
            self.trouble_over(now, &title(receiver), policy, turn);
        }
    }

    /// The message that is owed under this key.
    #[must_use]
    pub fn owed(&self, key: &NotificationKey) -> Option<&Arc<Notification>> {
        self.outbox().find(|notification| notification.key == *key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::decision::{IncidentId, IncidentSummary, Notice, NoticeAction, Origin};
    use crate::domain::route::Route;
    use crate::domain::signal::Severity;

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    fn policy() -> Policy {
        let route = Route { name: "all".to_owned(), receivers: vec!["pager".to_owned()], ..Route::default() };
        let fallbacks = [("pager".to_owned(), vec!["mail".to_owned(), "chat".to_owned()])].into();
        Policy { routes: vec![route], fallbacks, ..Policy::default() }
    }

    fn owed(step: u32) -> Notification {
        let incident = IncidentId(7);
        let text = "it is back".to_owned();
        let notice = Notice { ts: NOW, action: NoticeAction::Reopen, incident: Some(incident), series: None, text };
        let summary = IncidentSummary {
            incident,
            opened: NOW,
            paged: None,
            resolved: None,
            acknowledged: None,
            severity: Severity::Error,
            title: "swap".to_owned(),
            services: Vec::new(),
            hosts: Vec::new(),
            checks: Vec::new(),
            origin: Origin::default(),
            alerts: 1,
            moments: Vec::new(),
        };
        let key = NotificationKey { incident, step, receiver: "pager".to_owned() };
        Notification { key, content: Content::Notice(notice), incident: summary }
    }

    fn keys(turn: &Turn) -> Vec<String> {
        turn.notifications.iter().map(|notification| notification.key.to_string()).collect()
    }

    #[test]
    fn what_is_not_taken_goes_elsewhere_once_and_the_trouble_pages_until_the_receiver_takes_again() {
        let (mut alarms, mut turn, policy) = (Alarms::default(), Turn::default(), policy());
        let addressed = ["chat".to_owned()].into();
        for _ in 0..2 {
            alarms.pass_on(NOW, (&owed(1), &addressed, "HTTP 503"), &policy, &mut turn);
        }
        let trouble = "1000000000000";
        let expected = [format!("{trouble}.1.chat"), format!("{trouble}.1.mail"), format!("{trouble}.1.pager")];
        let mut first = keys(&turn);
        assert_eq!(first.pop().as_deref(), Some("7.1.mail"), "who gets it anyway gets it once");
        first.sort();
        assert_eq!(first, expected, "the trouble is told to the fallbacks, too");
        assert!(!alarms.settled(&NotificationKey { receiver: "mail".to_owned(), ..owed(1).key }));
        assert_eq!(alarms.outbox().count(), 3);
        let mut turn = Turn::default();
        alarms.takes_again(NOW, "pager", &policy, &mut turn);
        assert_eq!(turn.notifications.len(), 3, "the end is told to the same");
        alarms.takes_again(NOW, "pager", &policy, &mut turn);
        assert_eq!(turn.notifications.len(), 3);
    }

    #[test]
    fn without_a_fallback_the_trouble_alone_is_told() {
        let (mut alarms, mut turn) = (Alarms::default(), Turn::default());
        let policy = Policy { fallbacks: [].into(), ..policy() };
        alarms.pass_on(NOW, (&owed(1), &BTreeSet::new(), "HTTP 401"), &policy, &mut turn);
        assert_eq!(keys(&turn), ["1000000000000.1.pager"]);
        let shadow = Policy { shadow: true, ..self::policy() };
        let (mut alarms, mut turn) = (Alarms::default(), Turn::default());
        alarms.pass_on(NOW, (&owed(1), &BTreeSet::new(), "HTTP 401"), &shadow, &mut turn);
        assert!(turn.notifications.is_empty());
    }
}
