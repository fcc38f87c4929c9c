//! Unsent: what shadow mode kept from people, so that they know it when it ends.
//!
//! Who ends shadow mode expects to be told of what is wrong *now*: the latest page of each incident that is open and that nobody
//! has taken, to whom it concerned. And who was told of an incident before shadow mode began must not go on believing what
//! is over, or over what is back. What opened and ended meanwhile is not told: it stands in the digest.
//!
//! Deliberately no decision: what would have paged was decided, and stands in the history, when it happened.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Engine;
use super::audience::{Audience, listed};
use crate::domain::decision::{IncidentId, Notice, NoticeAction, Page};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::incident::Incident;
use crate::domain::notification::Content;
use crate::domain::table::Row;
use crate::domain::timers::Due;
use crate::domain::turn::Turn;

/// What shadow mode kept of one incident.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Unsent {
    incident: IncidentId,
    /// Its latest page, and whom its pages concern.
    page: Option<Kept>,
    /// That it is over, back, or taken: the latest, for those who were told of the incident before.
    notice: Option<Notice>,
}

/// A page that was kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    page: Page,
    receivers: BTreeSet<String>,
    routes: BTreeSet<String>,
}

impl Unsent {
    const fn of(incident: IncidentId) -> Self {
        Self { incident, page: None, notice: None }
    }
}

impl Row for Unsent {
    const KIND: u8 = b'v';

    fn fingerprint(&self) -> Fingerprint {
        Incident::key(self.incident)
    }
}

impl Engine {
    /// What is kept of an incident, to change.
    fn unsent_mut(&mut self, id: IncidentId) -> &mut Unsent {
        let slot = self.unsent.find(Incident::key(id)).unwrap_or_else(|| self.unsent.insert(Unsent::of(id)));
        self.unsent.change(slot)
    }

    /// Shadow mode keeps a page; those whom earlier ones concerned are told this one.
    pub(super) fn keep_page(&mut self, page: Page, audience: &Audience) {
        let unsent = self.unsent_mut(page.incident);
        let before = unsent.page.take();
        let (mut receivers, mut routes) = before.map(|kept| (kept.receivers, kept.routes)).unwrap_or_default();
        receivers.extend(audience.now.iter().cloned());
        routes.extend(audience.routes.iter().cloned());
        unsent.page = Some(Kept { page, receivers, routes });
    }

    /// Shadow mode keeps a notice. That it is over and that it is back cancel each other.
    pub(super) fn keep_notice(&mut self, id: IncidentId, notice: Notice) {
        let unsent = self.unsent_mut(id);
        let over = unsent.notice.as_ref().is_some_and(|before| before.action == NoticeAction::Resolve);
        unsent.notice = Some(notice).filter(|notice| !(over && notice.action == NoticeAction::Reopen));
    }

    /// Shadow mode may be over: what it kept is told next.
    pub(super) fn tell_after_shadow(&mut self) {
        if self.policy.shadow {
            return;
        }
        let now = self.now();
        for (_, unsent) in self.unsent.rows() {
            self.timers.set(now, Due::Unsent, unsent.fingerprint());
        }
    }

    /// What shadow mode kept of an incident that is back is told now that it is over.
    pub(super) fn wake_unsent(&mut self, id: IncidentId) {
        if !self.policy.shadow && self.unsent.find(Incident::key(id)).is_some() {
            self.timers.set(self.now(), Due::Unsent, Incident::key(id));
        }
    }

    /// An incident is forgotten, and with it what was kept of it.
    pub(super) fn forget_unsent(&mut self, id: IncidentId) {
        self.unsent.remove(Incident::key(id));
    }

    /// Tells what shadow mode kept of an incident. A page of what is over by now stays: it may come back.
    pub(super) fn unsent_due(&mut self, whom: Fingerprint, turn: &mut Turn) {
        let Some(slot) = self.unsent.find(whom).filter(|_| !self.policy.shadow) else { return };
        let Unsent { incident: id, page, notice } = self.unsent.at(slot).clone();
        let Some(incident) = self.incident(id) else { return self.forget_unsent(id) };
        let (open, taken, told) = (incident.open, incident.summary.acknowledged.is_some(), incident.told.clone());
        if open || page.is_none() || taken {
            self.forget_unsent(id);
        } else {
            self.unsent.change(slot).notice = None;
        }
        if let Some(notice) = notice {
            self.owe(id, &told, &Content::Notice(notice), turn);
        }
        if let Some(kept) = page.filter(|_| open && !taken) {
            self.tell_kept(kept, turn);
        }
    }

    fn tell_kept(&mut self, kept: Kept, turn: &mut Turn) {
        let Kept { page, receivers, routes } = kept;
        let mut audience = Audience { now: receivers, routes, ..Audience::default() };
        self.still_known(&mut audience.now, &page);
        if audience.now.is_empty() {
            return;
        }
        let (now, text) = (self.now(), format!("told to {} now: shadow mode is over", listed(audience.now.iter())));
        if let Some(incident) = self.incident_mut(page.incident) {
            incident.tell(now, text);
        }
        self.owe_page(page, audience, turn);
    }
}
