//! The outbox: what is owed to whom, until it is delivered.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Engine;
use crate::domain::decision::{Decision, IncidentId, IncidentSummary, Notice, NoticeAction};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::notification::{Content, Notification, NotificationKey};
use crate::domain::table::Row;
use crate::domain::turn::Turn;

/// A row of the outbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Owed(pub(super) Arc<Notification>);

impl Row for Owed {
    const KIND: u8 = b'n';

    fn fingerprint(&self) -> Fingerprint {
        row(&self.0.key)
    }
}

/// The identity of a row.
fn row(key: &NotificationKey) -> Fingerprint {
    Fingerprint::of(&["outbox", &key.to_string()])
}

impl Engine {
    /// The first byte of the keys of the outbox's records.
    pub const OUTBOX: u8 = Owed::KIND;

    /// What is owed to receivers, in the order in which it was decided.
    pub fn outbox(&self) -> impl Iterator<Item = &Arc<Notification>> {
        let mut rows: Vec<_> = self.outbox.rows().map(|(_, row)| &row.0).collect();
        rows.sort_by(|a, b| a.key.cmp(&b.key));
        rows.into_iter()
    }

    /// Owes a notice to those who were paged, if it is one that they need: that it is over, that it is back, that
    /// somebody has taken it.
    pub(super) fn owe_notice(&mut self, notice: Notice, turn: &mut Turn) {
        let tells = match notice.action {
            NoticeAction::Resolve | NoticeAction::Reopen | NoticeAction::Ack => true,
            NoticeAction::Update
            | NoticeAction::Flapping
            | NoticeAction::Steady
            | NoticeAction::Withheld
            | NoticeAction::Expire => false,
        };
        let told = notice.incident.and_then(|id| self.incident(id)).map(|incident| incident.told.clone());
        if let (true, Some(id), Some(told)) = (tells, notice.incident, told) {
            if self.policy.shadow && !told.is_empty() {
                self.keep_notice(id, notice.clone());
            }
            self.owe(id, &told, &Content::Notice(notice), turn);
        }
    }

    /// Owes a message about an incident; in shadow mode to nobody.
    pub(super) fn owe(&mut self, id: IncidentId, receivers: &BTreeSet<String>, content: &Content, turn: &mut Turn) {
        if self.policy.shadow || receivers.is_empty() {
            return;
        }
        let Some(incident) = self.incident_mut(id) else { return };
        incident.step += 1;
        let (step, summary) = (incident.step, incident.summary.clone());
        self.put_out((id, step), receivers, (content, &summary), turn);
    }

    /// Owes a message that is about no incident of its own: it stands under number 0, with a summary for people.
    pub(super) fn owe_apart(
        &mut self,
        receivers: &BTreeSet<String>,
        content: &Content,
        summary: &IncidentSummary,
        turn: &mut Turn,
    ) {
        if !self.policy.shadow {
            self.owe_always(receivers, content, summary, turn);
        }
    }

    /// Owes a message that is about no incident, also in shadow mode: it interrupts nobody.
    pub(super) fn owe_always(
        &mut self,
        receivers: &BTreeSet<String>,
        content: &Content,
        summary: &IncidentSummary,
        turn: &mut Turn,
    ) {
        let book = self.ledger.change(self.book);
        book.apart += 1;
        let step = book.apart;
        self.put_out((summary.incident, step), receivers, (content, summary), turn);
    }

    fn put_out(
        &mut self,
        (incident, step): (IncidentId, u32),
        receivers: &BTreeSet<String>,
        (content, summary): (&Content, &IncidentSummary),
        turn: &mut Turn,
    ) {
        let now = self.now();
        let people: BTreeSet<String> = receivers.iter().map(|to| self.policy.on_call(to, now).to_owned()).collect();
        for receiver in people {
            let key = NotificationKey { incident, step, receiver };
            let notification = Arc::new(Notification { key, content: content.clone(), incident: summary.clone() });
            self.outbox.insert(Owed(Arc::clone(&notification)));
            turn.notifications.push(notification);
        }
    }

    /// A receiver took it.
    pub(super) fn delivered(&mut self, key: &NotificationKey) {
        self.outbox.remove(row(key));
    }

    /// The message that is owed under this key, and the receivers that get the same by themselves: of a page those that
    /// it is owed to, of what follows all that were told.
    #[must_use]
    pub fn owed(&self, key: &NotificationKey) -> Option<(&Arc<Notification>, BTreeSet<String>)> {
        let notification = &self.outbox.get(row(key))?.0;
        let told = |id| self.incident(id).map(|incident| incident.told.clone()).unwrap_or_default();
        let addressed = match &notification.content {
            Content::Page(_) | Content::Reminder(_) => {
                let all = self.outbox.rows().map(|(_, owed)| &owed.0.key);
                let same = all.filter(|other| (other.incident, other.step) == (key.incident, key.step));
                same.map(|other| other.receiver.clone()).collect()
            }
            Content::Notice(_) => told(key.incident),
            Content::Digest(_) => BTreeSet::new(),
        };
        Some((notification, addressed))
    }

    /// Those who take the place of a receiver are told of a page; so they are told of its end.
    pub(super) fn told_instead(&mut self, key: &NotificationKey) {
        let paged = self.outbox.get(row(key)).is_some_and(|owed| owed.0.content.page().is_some());
        let instead = self.policy.fallbacks.get(&key.receiver).filter(|_| paged).cloned().unwrap_or_default();
        if let Some(incident) = self.incident_mut(key.incident).filter(|_| !instead.is_empty()) {
            incident.told.extend(instead);
        }
    }

    /// It was given up. That stands in the incident's timeline.
    pub(super) fn undeliverable(&mut self, key: &NotificationKey, error: &str, turn: &mut Turn) {
        self.told_instead(key);
        if self.outbox.remove(row(key)).is_some() {
            let text = format!("message {} to {} was given up: {error}", key.step, key.receiver);
            if self.incident(key.incident).is_some() {
                return self.notify(key.incident, NoticeAction::Withheld, text, turn);
            }
            let (ts, action) = (self.now(), NoticeAction::Withheld);
            turn.decisions.push(Decision::Notice(Box::new(Notice { ts, action, incident: None, series: None, text })));
        }
    }
}
