//! A drill: a page that is marked as a test, through everything that a real one goes through.
//!
//! Deliberately an incident of Squelch's own: no judgement may hold it back, and nothing is learned of it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Alarms;
use super::incident::{Alarm, about_trouble};
use crate::domain::decision::IncidentId;
use crate::domain::policy::Policy;
use crate::domain::time::Timestamp;
use crate::domain::turn::Turn;

/// What a drill is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drill {
    /// Tells it from other drills.
    pub tag: String,
    /// The route whose receivers are told; for people.
    pub route: String,
    /// Who is told.
    pub receivers: BTreeSet<String>,
}

impl Alarms {
    /// Pages the receivers of a drill, and nobody in their places.
    pub fn drill(&mut self, now: Timestamp, drill: &Drill, policy: &Policy, turn: &mut Turn) {
        let title = format!("DRILL of the route {}: nothing is wrong, and nobody need do anything", drill.route);
        let why = "somebody asked with `squelch drill` whether pages arrive";
        let mut alarm = Alarm::of_trouble(now, self.next_id(), &title, why);
        alarm.subject = about_trouble(&drill.tag);
        alarm.to.clone_from(&drill.receivers);
        self.open(alarm, None, policy, turn);
    }

    /// The incident of a drill.
    #[must_use]
    pub fn drilled(&self, tag: &str) -> Option<IncidentId> {
        let subject = about_trouble(tag);
        self.alarms.values().rev().find(|alarm| alarm.subject == subject).map(|alarm| alarm.summary.incident)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::route::Route;

    #[test]
    fn a_drill_tells_its_receivers_alone_from_first_to_last_also_after_a_restart() {
        let now = Timestamp::from_millis(1_000);
        let route = Route { name: "all".to_owned(), receivers: vec!["console".to_owned()], ..Route::default() };
        let policy = Policy { routes: vec![route], ..Policy::default() };
        let (mut alarms, mut turn) = (Alarms::default(), Turn::default());
        let receivers = ["pager".to_owned()].into();
        alarms.drill(now, &Drill { tag: "t".into(), route: "night".into(), receivers }, &policy, &mut turn);
        let id = alarms.drilled("t").unwrap();
        let changes = alarms.take_changes().into_iter().filter_map(|change| Some((change.key, change.value?)));
        let (mut alarms, errors) = Alarms::restore(changes);
        assert_eq!(errors, []);
        assert!(alarms.resolve(now, (id, "ada"), &policy, &mut turn));
        let keys: Vec<_> = turn.notifications.iter().map(|one| one.key.to_string()).collect();
        assert_eq!(keys, ["1000000000000.1.pager", "1000000000000.2.pager"]);
    }
}
