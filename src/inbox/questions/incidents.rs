//! Questions about incidents.

use std::cmp::{Ordering, Reverse};

use serde::{Deserialize, Serialize};

use crate::domain::{IncidentExplanation, IncidentId, IncidentSummary, Timestamp};
use crate::inbox::numbered::{Numbered, Renamed};
use crate::inbox::question::{Question, Whom};
use crate::inbox::view::View;

/// The most urgent first: what nobody took, the worst, the latest.
#[must_use]
pub fn by_urgency(a: &IncidentSummary, b: &IncidentSummary) -> Ordering {
    let key = |one: &IncidentSummary| (one.acknowledged.is_none(), one.severity, one.opened, one.incident);
    key(b).cmp(&key(a))
}

/// The incidents: open ones first, latest first, then closed ones that are still remembered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Incidents {
    /// Only those that are open, or only those that are not; `None` = both.
    pub open: Option<bool>,
    /// So many at most.
    pub limit: usize,
}

impl Numbered for Incidents {}

impl Question for Incidents {
    const NAME: &'static str = "incidents";
    type Answer = Vec<(IncidentSummary, bool)>;

    fn answer(&self, view: &View<'_>) -> Self::Answer {
        let wanted = |open: bool| self.open.is_none_or(|wanted| wanted == open);
        view.incidents().into_iter().filter(|(_, open)| wanted(*open)).take(self.limit).collect()
    }

    fn join(&self, all: &mut Self::Answer, other: Self::Answer) {
        all.extend(other);
    }

    fn settle(&self, all: &mut Self::Answer) {
        all.sort_by_key(|(summary, open)| (!open, Reverse(summary.opened)));
        all.truncate(self.limit);
    }
}

/// One incident, and whether it is open.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Incident(pub IncidentId);

impl Numbered for Incident {
    fn number(&mut self, renamed: Renamed<'_>) {
        self.0.number(renamed);
    }
}

impl Question for Incident {
    const NAME: &'static str = "incident";
    type Answer = Option<(IncidentSummary, bool)>;

    fn whom(&self) -> Whom {
        Whom::Incident(self.0)
    }

    fn answer(&self, view: &View<'_>) -> Self::Answer {
        view.incidents().into_iter().find(|(summary, _)| summary.incident == self.0)
    }

    fn join(&self, all: &mut Self::Answer, other: Self::Answer) {
        *all = all.take().or(other);
    }
}

/// Everything about one incident, and when that is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Why(pub IncidentId);

impl Numbered for Why {
    fn number(&mut self, renamed: Renamed<'_>) {
        self.0.number(renamed);
    }
}

impl Question for Why {
    const NAME: &'static str = "why";
    type Answer = Option<(IncidentExplanation, Timestamp)>;

    fn whom(&self) -> Whom {
        Whom::Incident(self.0)
    }

    fn answer(&self, view: &View<'_>) -> Self::Answer {
        Some((view.why_incident(self.0)?, view.engine.now()))
    }

    fn join(&self, all: &mut Self::Answer, other: Self::Answer) {
        *all = all.take().or(other);
    }
}

/// Everything about one incident, with earlier ones like it: those that began in the same place, or about the same
/// check, latest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WhyInFull {
    /// Which.
    pub incident: IncidentId,
    /// So many like it.
    pub similar: usize,
}

/// What [`WhyInFull`] is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InFull {
    /// When.
    pub now: Timestamp,
    /// Whether nobody is paged.
    pub shadow: bool,
    /// Everything about it.
    pub explanation: IncidentExplanation,
    /// Those like it.
    pub similar: Vec<IncidentSummary>,
}

impl Numbered for WhyInFull {
    fn number(&mut self, renamed: Renamed<'_>) {
        self.incident.number(renamed);
    }
}

impl Numbered for InFull {
    fn number(&mut self, renamed: Renamed<'_>) {
        self.explanation.number(renamed);
        self.similar.number(renamed);
    }
}

impl Question for WhyInFull {
    const NAME: &'static str = "why_in_full";
    type Answer = Option<InFull>;

    fn whom(&self) -> Whom {
        Whom::Incident(self.incident)
    }

    fn answer(&self, view: &View<'_>) -> Self::Answer {
        let explanation = view.why_incident(self.incident)?;
        let similar = similar(view, &explanation.summary, self.similar);
        Some(InFull { now: view.engine.now(), shadow: view.engine.policy().shadow, explanation, similar })
    }

    fn join(&self, all: &mut Self::Answer, other: Self::Answer) {
        *all = all.take().or(other);
    }
}

fn similar(view: &View<'_>, summary: &IncidentSummary, most: usize) -> Vec<IncidentSummary> {
    let like = |other: &IncidentSummary| {
        let same = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
        let (a, b) = (&other.origin, &summary.origin);
        other.incident < summary.incident
            && (same(&a.service, &b.service) || same(&a.host, &b.host))
            && same(&a.check, &b.check)
    };
    let mut all = view.engine.incidents_that(like);
    all.sort_by_key(|other| Reverse(other.incident));
    all.into_iter().take(most).cloned().collect()
}

/// Whether an incident is about Squelch itself: no judgement made it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IsOwn(pub IncidentId);

impl Numbered for IsOwn {
    fn number(&mut self, renamed: Renamed<'_>) {
        self.0.number(renamed);
    }
}

impl Question for IsOwn {
    const NAME: &'static str = "is_own";
    type Answer = bool;

    fn whom(&self) -> Whom {
        Whom::Incident(self.0)
    }

    fn answer(&self, view: &View<'_>) -> bool {
        view.alarms.why_incident(self.0).is_some()
    }

    fn join(&self, all: &mut bool, other: bool) {
        *all |= other;
    }
}

/// Whether something can be split from an incident under this name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CanSplit {
    /// Which.
    pub incident: IncidentId,
    /// The name of a service or host.
    pub part: String,
}

/// What [`CanSplit`] is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parts {
    /// The incident and whether it is open; `None` = there is none.
    pub incident: Option<(IncidentSummary, bool)>,
    /// Whether it can be split so.
    pub possible: bool,
}

impl Numbered for CanSplit {
    fn number(&mut self, renamed: Renamed<'_>) {
        self.incident.number(renamed);
    }
}

impl Numbered for Parts {
    fn number(&mut self, renamed: Renamed<'_>) {
        self.incident.number(renamed);
    }
}

impl Question for CanSplit {
    const NAME: &'static str = "can_split";
    type Answer = Parts;

    fn whom(&self) -> Whom {
        Whom::Incident(self.incident)
    }

    fn answer(&self, view: &View<'_>) -> Parts {
        let incident = Incident(self.incident).answer(view);
        Parts { incident, possible: view.engine.can_split(self.incident, &self.part) }
    }

    fn join(&self, all: &mut Parts, other: Parts) {
        if all.incident.is_none() {
            *all = other;
        }
    }
}

/// The incident of the drill with this tag.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Drilled(pub String);

impl Numbered for Drilled {}

impl Question for Drilled {
    const NAME: &'static str = "drilled";
    type Answer = Option<IncidentId>;

    fn whom(&self) -> Whom {
        Whom::Own
    }

    fn answer(&self, view: &View<'_>) -> Self::Answer {
        view.alarms.drilled(&self.0)
    }

    fn join(&self, all: &mut Self::Answer, other: Self::Answer) {
        *all = all.or(other);
    }
}
