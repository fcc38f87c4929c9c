//! Expiry: alerts that end by their sender's word, or are given up because they never resolved.

use super::Engine;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::table::Slot;
use crate::domain::timers::Due;
use crate::domain::turn::Turn;

impl Engine {
    /// The time has come at which an alert ends by its sender's word. While nothing could be heard no time passed.
    fn over(&mut self, slot: Slot, turn: &mut Turn) {
        let (now, listens_since) = (self.now(), self.listens_since());
        let alert = self.alerts.at(slot);
        let whom = alert.fingerprint;
        if alert.heard >= listens_since || alert.expires > listens_since {
            self.end_alert(whom, now, turn);
            return;
        }
        let expires = listens_since.after(alert.expires.since(alert.heard));
        let alert = self.alerts.change(slot);
        (alert.expires, alert.reminder) = (expires, expires);
        self.timers.set(expires, Due::Expire, whom);
    }

    /// An alert that never resolved is given up, when nothing was heard of it for too long.
    pub(super) fn expire(&mut self, whom: Fingerprint, turn: &mut Turn) {
        let Some(slot) = self.alerts.find(whom) else { return };
        let alert = self.alerts.at(slot);
        let (now, expires, heard) = (self.now(), alert.expires, alert.heard);
        if expires > now {
            self.alerts.at_mut(slot).reminder = expires;
            return self.timers.set(expires, Due::Expire, whom);
        }
        if alert.ends {
            return self.over(slot, turn);
        }
        let (series, source) = (self.series_of_alert(alert), self.sources.find(alert.source));
        if let Some(source) = source {
            let source = self.sources.change(source);
            source.given_up = source.given_up.saturating_add(1);
        }
        self.end_alert(whom, now, turn);
        if let Some(slot) = series {
            self.notice_expired(slot, now.since(heard), turn);
        }
    }
}
