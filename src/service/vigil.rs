//! The vigil over silences: tells before one ends, when one holds back more than when it was set, and of one that
//! everybody has forgotten.
//!
//! It tells the log and `/-/ready`, and changes nothing. Deliberately not the engine's: no page hangs on it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tracing::warn;

use crate::domain::{Silence, Timestamp, duration};
use crate::http::app::Condition;
use crate::inbox::Inbox;
use crate::replay::wording::{several, span};

/// How often it looks.
const LOOK: Duration = Duration::from_secs(30);
/// What its warnings begin with.
const SILENCE: &str = "the silence ";

/// The vigil, with what it remembers from one look to the next.
pub(super) struct Vigil {
    inbox: Inbox,
    condition: Arc<watch::Sender<Condition>>,
    /// How many alerts each silence covered when it was first seen in force.
    at_first: BTreeMap<String, usize>,
    /// What was told already.
    told: Vec<String>,
}

impl Vigil {
    pub(super) fn new(inbox: Inbox, condition: Arc<watch::Sender<Condition>>) -> Self {
        Self { inbox, condition, at_first: BTreeMap::new(), told: Vec::new() }
    }

    /// Looks until `stop` turns true.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                // A vanished sender means the same.
                _ = stop.wait_for(|stop| *stop) => return,
                _ = ticks.tick() => {}
            }
            // Who cannot be asked now is asked again.
            if let Ok((now, covering)) = self.inbox.look(|view| (view.engine.now(), view.engine.covering())).await {
                let concerns = self.concerns(now, &covering);
                self.tell(concerns);
            }
        }
    }

    /// What people should know: which silence, and what of it.
    fn concerns(&mut self, now: Timestamp, covering: &[(Silence, usize)]) -> Vec<(String, String)> {
        self.at_first.retain(|id, _| covering.iter().any(|(silence, _)| silence.id == *id));
        let mut concerns = Vec::new();
        for (silence, covers) in covering {
            let first = *self.at_first.entry(silence.id.clone()).or_insert(*covers);
            let who = format!("{SILENCE}{} of {} ({})", silence.id, silence.owner, silence.reason);
            if silence.ends_soon(now) && *covers > 0 {
                let left = Duration::from_secs(silence.until.since(now).max(0.0) as u64);
                let held = several(*covers as u64, "alert");
                let text =
                    format!("{who} ends in {}, and holds {held} that will be judged then", duration::write(left));
                concerns.push((format!("{} ends", silence.id), text));
            }
            if silence.is_forgotten(now) {
                let touched = span(now.since(silence.from.max(silence.updated)));
                let held = several(*covers as u64, "alert");
                let text = format!(
                    "{who} was set {touched} ago and goes on for {}; it holds {held}: end it, or extend it if it is still meant",
                    span(silence.until.since(now))
                );
                concerns.push((format!("{} forgotten", silence.id), text));
            }
            if Silence::hides_much(*covers, first) {
                let held = several(*covers as u64, "alert");
                let text = format!("{who} holds {held}, and held {first} when it was set: look what it hides");
                concerns.push((format!("{} hides", silence.id), text));
            }
        }
        concerns
    }

    /// Logs what is new, and has `/-/ready` show what is.
    fn tell(&mut self, concerns: Vec<(String, String)>) {
        for (_, text) in concerns.iter().filter(|(what, _)| !self.told.contains(what)) {
            warn!("{text}");
        }
        self.told = concerns.iter().map(|(what, _)| what.clone()).collect();
        let texts: Vec<String> = concerns.into_iter().map(|(_, text)| text).collect();
        let shown = |warning: &String| warning.starts_with(SILENCE);
        self.condition.send_if_modified(|condition| {
            if condition.warnings.iter().filter(|warning| shown(warning)).eq(&texts) {
                return false;
            }
            condition.warnings.retain(|warning| !shown(warning));
            condition.warnings.extend(texts);
            true
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{LooksAt, Matcher};
    use crate::inbox::{Capacity, bounded};

    fn silence(from: Timestamp) -> Silence {
        Silence {
            id: "s1".to_owned(),
            matchers: vec![Matcher::parse("host=db-1").unwrap()],
            looks_at: LooksAt::Posted,
            from,
            until: from.after(3600.0),
            owner: "ada".to_owned(),
            reason: "disk swap".to_owned(),
            updated: from,
        }
    }

    #[test]
    fn it_tells_of_a_silence_that_ends_and_of_one_that_hides_more() {
        let start = Timestamp::from_millis(1_795_000_000_000);
        let condition = Arc::new(watch::Sender::new(Condition::default()));
        let mut vigil = Vigil::new(bounded(Capacity::default()).0, Arc::clone(&condition));
        let mut look = |after: f64, covers: usize| {
            let concerns = vigil.concerns(start.after(after), &[(silence(start), covers)]);
            vigil.tell(concerns);
            condition.borrow().warnings.clone()
        };
        assert_eq!(look(0.0, 1), Vec::<String>::new());
        assert_eq!(
            look(60.0, 6),
            ["the silence s1 of ada (disk swap) holds 6 alerts, and held 1 when it was set: look what it hides"]
        );
        assert_eq!(look(90.0, 1), Vec::<String>::new());
        assert_eq!(
            look(3300.0, 1),
            ["the silence s1 of ada (disk swap) ends in 5m, and holds 1 alert that will be judged then"]
        );
    }
}
