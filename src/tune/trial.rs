//! A change of the rules tried on a recorded history: both runs side by side, then page by page.
//!
//! Deliberately no opinion: whether fewer pages are better pages, people see by what was lost. Whoever asks can break it off,
//! so that a long history costs no more time than somebody waits.

use super::{History, Replayed};
use crate::config::{self, Source};
use crate::diagnostic::Report;
use crate::domain::{Policy, Timestamp};
use crate::replay::Run;
use crate::replay::compare::{Difference, compare};
use crate::replay::decided::Decided;

/// It is asked whether to go on after so many events.
const LOOKS_UP: usize = 512;

/// Both runs.
#[derive(Debug)]
pub struct Trial {
    /// What the rules in force decide.
    pub before: Decided,
    /// What they decide with the change.
    pub after: Decided,
    window: (Timestamp, Timestamp),
}

/// Why there is none.
#[derive(Debug)]
pub enum Untried {
    /// The rules in force are wrong.
    InForce(Report),
    /// The change is wrong, or does not go with them.
    Change(Report),
    /// It was broken off after so many events.
    BrokenOff(usize),
}

impl Trial {
    /// How many pages fall into the window: before, after.
    #[must_use]
    pub fn pages(&self) -> (usize, usize) {
        let count = |run: &Decided| run.pages.iter().filter(|page| self.shows(page.ts)).count();
        (count(&self.before), count(&self.after))
    }

    /// The pages of the window, of both runs, by time, each once.
    #[must_use]
    pub fn differences(&self) -> Vec<Difference<'_>> {
        let mut all = compare(&self.before, &self.after);
        all.retain(|difference| self.shows(difference.page().ts));
        all
    }

    /// Whether a time is one that is looked at; what was before only teaches what is ordinary.
    #[must_use]
    pub fn shows(&self, at: Timestamp) -> bool {
        (self.window.0..=self.window.1).contains(&at)
    }
}

/// Replays a history under the rules in force, and under the same with `change` laid over them. `goes_on` is asked now and
/// then.
///
/// # Errors
/// See [`Untried`].
pub fn try_change(history: &History<'_>, change: &Source, goes_on: &mut dyn FnMut() -> bool) -> Result<Trial, Untried> {
    let policy = |sources: &[Source]| config::load(sources).map(|bundle| bundle.policy);
    let own = policy(history.sources).map_err(Untried::InForce)?;
    let other = policy(&[history.sources, std::slice::from_ref(change)].concat()).map_err(Untried::Change)?;
    let with_graph = |policy: Policy| Policy { topology: policy.topology.joined(history.graph), ..policy };
    let (mut first, mut second) = (Run::new(with_graph(own)), Run::new(with_graph(other)));
    let (mut before, mut after) = (Replayed::default(), Replayed::default());
    for (place, (seq, event)) in history.events.iter().enumerate() {
        if place % LOOKS_UP == 0 && !goes_on() {
            return Err(Untried::BrokenOff(place));
        }
        first.event(*seq, event.clone(), &mut |decision| before.take(decision));
        second.event(*seq, event.clone(), &mut |decision| after.take(decision));
    }
    first.finish(&mut |decision| before.take(decision));
    second.finish(&mut |decision| after.take(decision));
    let window = history.scope.window.unwrap_or((Timestamp::EPOCH, Timestamp::MAX));
    Ok(Trial { before: before.decided, after: after.decided, window })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Knobs, with_shipped};
    use crate::domain::Topology;
    use crate::tune::Scope;

    fn story() -> Vec<(u64, crate::domain::Event)> {
        (0..).zip(crate::story::events(7)).collect()
    }

    #[test]
    fn a_quieter_judgement_pages_less_and_every_page_is_accounted_for() {
        let (events, sources, graph) = (story(), with_shipped(Vec::new()), Topology::default());
        let history = History { events: &events, sources: &sources, graph: &graph, scope: Scope::default() };
        let change = Knobs { sensitivity: "quiet".to_owned(), ..Knobs::default() }.source().unwrap();
        let trial = try_change(&history, &change, &mut || true).unwrap();
        let (before, after) = trial.pages();
        assert!(after < before, "{after} of {before}");
        let differences = trial.differences();
        let count = |word: &str| differences.iter().filter(|difference| difference.word() == word).count();
        assert_eq!(count("gained") + before, count("lost") + after);
        assert_eq!(differences.len(), before + count("gained"));
    }

    #[test]
    fn it_can_be_broken_off_and_a_wrong_change_is_told() {
        let (events, sources, graph) = (story(), with_shipped(Vec::new()), Topology::default());
        let history = History { events: &events, sources: &sources, graph: &graph, scope: Scope::default() };
        let change = |text: &str| Source::tried("what-if.yaml", text);
        let broken = try_change(&history, &change("judgement: {sensitivity: quiet}\n"), &mut || false);
        assert!(matches!(broken, Err(Untried::BrokenOff(0))));
        let wrong = try_change(&history, &change("defaults: {hold: {longest: soon}}\n"), &mut || true);
        let Err(Untried::Change(report)) = wrong else { panic!("it is wrong") };
        assert!(report.to_string().contains("what-if.yaml:1:"), "{report}");
    }
}
