//! Inhibiting: which alerts inhibit, and what they hold back; a source that comes late still wins over a target that
//! nobody was told of yet.

use std::sync::Arc;

use super::Engine;
use crate::domain::alert::Mute;
use crate::domain::event::Event;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::inhibition::Key;
use crate::domain::table::Slot;
use crate::domain::turn::Turn;

/// With more targets than this those that wait no longer are forgotten.
const MOST_TARGETS: usize = 10_000;

impl Engine {
    /// The inhibition that holds back an event, if one does. `alert` = where its alert is, if it fires already.
    pub(super) fn inhibited_by(&self, event: &Event, alert: Option<Slot>) -> Option<Mute> {
        if self.inhibiting.is_empty() {
            return None;
        }
        let own = alert.map(|slot| &self.alerts.at(slot).inhibits);
        // An alert never inhibits itself.
        let by_itself = |key: &Key| u32::from(own.is_some_and(|own| own.contains(key)));
        let others = |key: &Key| self.inhibiting.get(key).copied().unwrap_or(0).saturating_sub(by_itself(key));
        let mut inhibitions = self.policy.inhibitions.iter();
        let holds = inhibitions.find(|inhibition| inhibition.holds(event, &self.policy.topology, others));
        holds.map(|inhibition| Mute::Inhibited(inhibition.name.clone()))
    }

    /// The inhibitions that an alert of this event is a source of; counts it there.
    pub(super) fn start_inhibiting(&mut self, event: &Event) -> Vec<Key> {
        let policy = Arc::clone(&self.policy);
        let keys: Vec<Key> = policy.inhibitions.iter().flat_map(|inhibition| inhibition.counts(event)).collect();
        for key in &keys {
            *self.inhibiting.entry(key.clone()).or_default() += 1;
        }
        keys
    }

    /// An alert inhibits nothing any more; whether it did.
    pub(super) fn stop_inhibiting(&mut self, slot: Slot) -> bool {
        if self.alerts.at(slot).inhibits.is_empty() {
            return false;
        }
        for key in std::mem::take(&mut self.alerts.change(slot).inhibits) {
            if let Some(count) = self.inhibiting.get_mut(&key) {
                *count = count.saturating_sub(1);
            }
            if self.inhibiting.get(&key) == Some(&0) {
                self.inhibiting.remove(&key);
            }
        }
        true
    }

    /// Whether an event is the target of an inhibition.
    pub(super) fn is_target(&self, event: &Event) -> bool {
        self.policy.inhibitions.iter().any(|inhibition| inhibition.is_target(event))
    }

    /// An alert that is the target of an inhibition fires and is judged: a source may still come.
    pub(super) fn may_be_inhibited(&mut self, alert: Fingerprint) {
        self.targets.insert(alert);
        if self.targets.len() > MOST_TARGETS {
            self.targets = self.waiting_targets().into_iter().collect();
        }
    }

    /// The targets of which nothing became yet.
    fn waiting_targets(&self) -> Vec<Fingerprint> {
        let waits = |alert: &Fingerprint| {
            let row = self.alerts.get(*alert).filter(|row| row.mute.is_none() && row.event.is_some())?;
            let slot = self.series_of_alert(row)?;
            (!self.series.at(slot).waiting.is_empty() && self.is_target(row.event.as_deref()?)).then_some(*alert)
        };
        self.targets.iter().filter_map(waits).collect()
    }

    /// A source fires: targets that still wait for their verdict are taken from the judgement.
    pub(super) fn inhibit_waiting(&mut self, turn: &mut Turn) {
        let waiting = self.waiting_targets();
        self.targets = waiting.iter().copied().collect();
        for alert in waiting {
            let Some(slot) = self.alerts.find(alert) else { continue };
            let Some(event) = self.alerts.at(slot).event.clone() else { continue };
            let Some(mute) = self.inhibited_by(&event, Some(slot)) else { continue };
            self.targets.remove(&alert);
            self.mute_judged(slot, mute, turn);
        }
    }
}
