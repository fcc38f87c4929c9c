//! The board: every alert that fires, as it was posted, with what silences and inhibits it and who is told.
//!
//! Worked out from what the engine holds whenever somebody asks; nothing is kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::ser::{SerializeMap, Serializer};
use serde::{Serialize, ser::SerializeSeq};

use super::filter::Filter;
use super::inhibiting::Inhibiting;
use super::{id, written};
use crate::domain::route::{self, Looks};
use crate::domain::{Fingerprint, Policy, PostedText, Posting, Silence, Timestamp};
use crate::inbox::questions::{Postings, Snapshot};
use crate::inbox::{Inbox, Refusal};

/// The board as it stands.
pub(super) struct Board {
    /// The alerts that are asked for, in order of their fingerprints. Receivers are not looked at.
    pub(super) alerts: Vec<Shown>,
    /// What was asked for.
    pub(super) filter: Filter,
    /// The silences, with those that are over.
    pub(super) silences: Vec<Silence>,
    pub(super) now: Timestamp,
}

impl Board {
    /// Asks the engine, and works out beside it what the filter lets through.
    pub(super) async fn ask(inbox: &Inbox, filter: Filter) -> Result<Self, Refusal> {
        let (snapshot, policy) = (inbox.ask(Postings).await?, inbox.policy().await?);
        Self::beside(snapshot, policy, filter).await
    }

    /// The same of the engines of this machine alone.
    pub(super) async fn ask_here(inbox: &Inbox, filter: Filter) -> Result<Self, Refusal> {
        let snapshot = inbox.ask_here(Postings).await?;
        Self::beside(snapshot, inbox.policy().await?, filter).await
    }

    async fn beside(snapshot: Snapshot, policy: Arc<Policy>, filter: Filter) -> Result<Self, Refusal> {
        // Ten thousand alerts take milliseconds: not on a thread that serves others.
        tokio::task::spawn_blocking(move || Self::of(&snapshot, &policy, filter)).await.map_err(|_| Refusal::Judge)
    }

    fn of(snapshot: &Snapshot, policy: &Policy, filter: Filter) -> Self {
        let Snapshot { postings, silences, now } = snapshot;
        let rules = policy.inhibitions.iter();
        let inhibiting: Vec<_> = rules.map(|rule| Inhibiting::of(rule, &policy.topology, postings)).collect();
        let in_force = silences.iter().filter(|silence| silence.in_force(*now));
        let in_force: Vec<_> = in_force.map(|silence| (silence, id::of(silence))).collect();
        let mut told = Told::of(policy);
        let mut alerts: Vec<_> = postings
            .iter()
            .filter(|posting| filter.fits(&posting.text))
            .map(|posting| {
                let mut silenced_by: Vec<_> = in_force
                    .iter()
                    .filter(|(silence, _)| silence.fits_posted(&posting.text))
                    .map(|(_, id)| id.clone())
                    .collect();
                silenced_by.sort();
                Shown {
                    fingerprint: fingerprint(&posting.text),
                    silenced_by,
                    inhibited_by: inhibiting.iter().find_map(|rule| rule.holds(&posting.text)).unwrap_or_default(),
                    receivers: told.receivers(&posting.text),
                    posting: posting.clone(),
                    only: None,
                }
            })
            .collect();
        alerts.retain(|alert| alert.is_wanted(&filter));
        alerts.sort_by_key(|alert| (alert.fingerprint, alert.posting.alert));
        Self { alerts, filter, silences: silences.clone(), now: *now }
    }
}

/// The identity that Alertmanager gives a label set: FNV-1a of 64 bits over name, 0xff, value, 0xff in order of name
/// (`model.LabelSet.Fingerprint`).
pub(super) fn fingerprint(text: &PostedText) -> u64 {
    const PRIME: u64 = 0x0100_0000_01b3;
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut add = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(PRIME);
        }
    };
    for (name, value) in text.labels() {
        add(name.as_bytes());
        add(&[0xff]);
        add(value.as_bytes());
        add(&[0xff]);
    }
    hash
}

/// Who would be told of an alert that pages by itself.
struct Told<'a> {
    policy: &'a Policy,
    looks: Looks,
    known: BTreeMap<Vec<&'a str>, Arc<[String]>>,
}

impl<'a> Told<'a> {
    fn of(policy: &'a Policy) -> Self {
        Self { policy, looks: Looks::of(&policy.routes), known: BTreeMap::new() }
    }

    fn receivers(&mut self, text: &'a PostedText) -> Arc<[String]> {
        let (policy, looks) = (self.policy, &self.looks);
        let fields = route::OF_A_PAGE.into_iter().chain(looks.fields.iter().map(String::as_str));
        let seen = fields.map(|name| text.field(name)).chain(looks.labels.iter().map(|name| text.label(name)));
        let told = self.known.entry(seen.collect()).or_insert_with(|| {
            let mut told: Vec<String> = Vec::new();
            for receiver in policy.routes_of(text).into_iter().flat_map(|route| &route.receivers) {
                if !told.contains(receiver) {
                    told.push(receiver.clone());
                }
            }
            Arc::from(told)
        });
        Arc::clone(told)
    }
}

/// One alert of the board. Written as JSON it is Alertmanager's `gettableAlert`.
#[derive(Clone)]
pub(super) struct Shown {
    pub(super) posting: Posting,
    pub(super) fingerprint: u64,
    silenced_by: Vec<String>,
    inhibited_by: Vec<u64>,
    pub(super) receivers: Arc<[String]>,
    /// In a group only the receiver that was asked for is shown.
    only: Option<Arc<[String]>>,
}

impl Shown {
    /// Whether it is silenced or inhibited.
    pub(super) fn is_suppressed(&self) -> bool {
        !self.silenced_by.is_empty() || !self.inhibited_by.is_empty()
    }

    /// It, as if only these receivers were told.
    pub(super) fn told_only(&self, receivers: Arc<[String]>) -> Self {
        Self { only: Some(receivers), ..self.clone() }
    }

    /// Whether it is asked for by its state.
    fn is_wanted(&self, filter: &Filter) -> bool {
        (filter.active || self.is_suppressed())
            && (filter.silenced || self.silenced_by.is_empty())
            && (filter.inhibited || self.inhibited_by.is_empty())
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Posting { starts, updated, ends, text, .. } = &self.posting;
        let inhibited_by: Vec<_> = self.inhibited_by.iter().map(|by| Fingerprint(*by).to_string()).collect();
        let state = if self.is_suppressed() { "suppressed" } else { "active" };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("annotations", &Pairs(|| text.annotations()))?;
        map.serialize_entry("endsAt", &written(ends.unwrap_or(*updated)))?;
        map.serialize_entry("fingerprint", &Fingerprint(self.fingerprint).to_string())?;
        map.serialize_entry("receivers", &Named(self.only.as_ref().unwrap_or(&self.receivers)))?;
        map.serialize_entry("startsAt", &written(*starts))?;
        map.serialize_entry(
            "status",
            &Status { inhibited_by: &inhibited_by, muted_by: &[], silenced_by: &self.silenced_by, state },
        )?;
        map.serialize_entry("updatedAt", &written(*updated))?;
        if !text.generator_url().is_empty() {
            map.serialize_entry("generatorURL", text.generator_url())?;
        }
        map.serialize_entry("labels", &Pairs(|| text.labels()))?;
        map.end()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status<'a> {
    inhibited_by: &'a [String],
    muted_by: &'a [String],
    silenced_by: &'a [String],
    state: &'static str,
}

/// A map, from an iterator that can be had anew.
struct Pairs<F>(F);

impl<'a, I: Iterator<Item = (&'a str, &'a str)>, F: Fn() -> I> Serialize for Pairs<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map((self.0)())
    }
}

/// Receivers as a list of objects with a name.
struct Named<'a>(&'a [String]);

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Receiver<'a> {
            name: &'a str,
        }
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for name in self.0 {
            list.serialize_element(&Receiver { name })?;
        }
        list.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Event;

    #[test]
    fn fingerprints_are_those_of_alertmanager() {
        let event = Event::new("prometheus", "");
        let of = |labels: &[(&'static str, &'static str)]| {
            let text = PostedText::new(labels.iter().copied(), [], &event);
            Fingerprint(fingerprint(&text)).to_string()
        };
        // As a real Alertmanager showed them.
        assert_eq!(of(&[("a", "b")]), "d2b371819297f98a");
        assert_eq!(of(&[("a-b", "x")]), "1a2dd6b0c71042a1");
        assert_eq!(of(&[]), "cbf29ce484222325");
    }
}
