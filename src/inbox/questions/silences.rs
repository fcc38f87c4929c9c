//! Questions about silences. They hold in all scopes, so any engine knows them; how much each covers all say together.

use serde::{Deserialize, Serialize};

use crate::domain::{Silence, Timestamp};
use crate::inbox::numbered::Numbered;
use crate::inbox::question::{Question, Whom};
use crate::inbox::view::View;

/// All silences: those of the rule files, and those that people set, with those that are over and remembered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AllSilences;

impl Numbered for AllSilences {}

impl Question for AllSilences {
    const NAME: &'static str = "all_silences";
    type Answer = Vec<Silence>;

    fn whom(&self) -> Whom {
        Whom::Any
    }

    fn answer(&self, view: &View<'_>) -> Self::Answer {
        view.engine.all_silences()
    }

    fn join(&self, all: &mut Self::Answer, other: Self::Answer) {
        unite(all, other);
    }
}

/// The silences in force or to come, and which of them the rule files set.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetSilences;

/// What [`SetSilences`] is told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Listed {
    /// In force or to come.
    pub silences: Vec<Silence>,
    /// The names of those of the rule files.
    pub of_files: Vec<String>,
}

impl Numbered for SetSilences {}
impl Numbered for Listed {}

impl Question for SetSilences {
    const NAME: &'static str = "set_silences";
    type Answer = Listed;

    fn whom(&self) -> Whom {
        Whom::Any
    }

    fn answer(&self, view: &View<'_>) -> Listed {
        let of_files = view.engine.policy().silences.iter().map(|silence| silence.id.clone()).collect();
        Listed { silences: view.engine.silences(), of_files }
    }

    fn join(&self, all: &mut Listed, other: Listed) {
        unite(&mut all.silences, other.silences);
        all.of_files.extend(other.of_files);
    }
}

/// The silences in force or to come, with how many of the alerts that fire each covers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Covering;

/// What [`Covering`] is told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Covered {
    /// In force or to come.
    pub silences: Vec<Silence>,
    /// The names of those in force, each with how many alerts it covers.
    pub covers: Vec<(String, usize)>,
    /// When.
    pub now: Timestamp,
}

impl Covered {
    /// How many alerts a silence covers; `None` = it is not in force.
    #[must_use]
    pub fn covers(&self, id: &str) -> Option<usize> {
        self.covers.iter().find(|(name, _)| name == id).map(|(_, count)| *count)
    }
}

impl Numbered for Covering {}
impl Numbered for Covered {}

impl Question for Covering {
    const NAME: &'static str = "covering";
    type Answer = Covered;

    fn answer(&self, view: &View<'_>) -> Covered {
        let covers = view.engine.covering().into_iter().map(|(silence, count)| (silence.id, count)).collect();
        Covered { silences: view.engine.silences(), covers, now: view.engine.now() }
    }

    fn join(&self, all: &mut Covered, other: Covered) {
        unite(&mut all.silences, other.silences);
        for (name, count) in other.covers {
            match all.covers.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sum)) => *sum += count,
                None => all.covers.push((name, count)),
            }
        }
        all.now = all.now.max(other.now);
    }

    fn settle(&self, all: &mut Covered) {
        // A scope where nothing comes does not know yet that one is over.
        let now = all.now;
        all.silences.retain(|silence| silence.until > now);
        let known = |id: &str| all.silences.iter().any(|silence| silence.id == id && silence.in_force(now));
        all.covers.retain(|(id, _)| known(id));
    }
}

/// Each silence once, as it was changed last.
pub(super) fn unite(all: &mut Vec<Silence>, other: Vec<Silence>) {
    for silence in other {
        match all.iter_mut().find(|known| known.id == silence.id) {
            Some(known) if known.updated < silence.updated => *known = silence,
            Some(_) => {}
            None => all.push(silence),
        }
    }
}
