//! Whether what a rule test expects came.

use crate::config::test_file::case::{Act, Case, START, offset};
use crate::config::test_file::expectation::{Count, Ending, Expected};
use crate::domain::{self, Decision, IncidentSummary, Notice, Page, Reason, Verdict};

use super::rehearsal::Outcome;

/// An expectation that was not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The line of the test file.
    pub line: usize,
    /// What was expected.
    pub expected: String,
    /// What came instead, one thing a line.
    pub actual: Vec<String>,
}

/// What came of a case, as far as it counts.
struct Actual<'a> {
    case: &'a Case,
    outcome: &'a Outcome,
}

/// All expectations of a case that were not met. That every event ends exactly once is always expected.
#[must_use]
pub fn failures(case: &Case, outcome: &Outcome) -> Vec<Failure> {
    let actual = Actual { case, outcome };
    let unmet = case.expectations.iter().filter_map(|expectation| {
        actual.unmet(&expectation.expected).map(|lines| Failure {
            line: expectation.line,
            expected: expectation.expected.to_string(),
            actual: lines,
        })
    });
    unmet.chain(actual.unaccounted()).chain(actual.damaged()).collect()
}

impl Actual<'_> {
    /// What came instead; `None` when the expectation is met.
    fn unmet(&self, expected: &Expected) -> Option<Vec<String>> {
        match expected {
            Expected::Pages(count) => self.judge(*count, self.pages(), |_| None, describe_page),
            Expected::Page(shape, count) => self.judge(*count, self.pages(), |page| shape.differs(page), describe_page),
            Expected::Notice(shape, count) => {
                self.judge(*count, self.notices(), |notice| shape.differs(notice), describe_notice)
            }
            Expected::Incidents(count) => self.judge(*count, self.incidents(), |_| None, describe_incident),
            Expected::Incident(shape, count) => {
                self.judge(*count, self.incidents(), |incident| shape.differs(incident), describe_incident)
            }
            Expected::Verdicts(ending, count) => self.verdicts_unmet(*ending, *count),
            Expected::Event(id, ending) => self.event_unmet(id, *ending),
            Expected::Told(receiver, count) => {
                let told = self.outcome.told.iter().filter(|told| told.key.receiver == *receiver).count();
                (!count.holds(told)).then(|| vec![format!("{told} messages to {receiver}")])
            }
        }
    }

    fn judge<'a, T: 'a>(
        &self,
        count: Count,
        all: Vec<&'a T>,
        differs: impl Fn(&T) -> Option<String>,
        describe: fn(&T) -> String,
    ) -> Option<Vec<String>> {
        let fitting = all.iter().filter(|item| differs(item).is_none()).count();
        if count.holds(fitting) {
            return None;
        }
        let mut lines = vec![format!("{fitting} of {} fit", all.len())];
        lines.extend(all.iter().map(|item| match differs(item) {
            Some(difference) => format!("{}: {difference}", describe(item)),
            None => format!("{}: fits", describe(item)),
        }));
        Some(lines)
    }

    fn verdicts_unmet(&self, ending: Ending, count: Count) -> Option<Vec<String>> {
        let fitting = self.verdicts().filter(|verdict| ending.fits(verdict)).count();
        if count.holds(fitting) {
            return None;
        }
        let sums = Reason::ALL.iter().filter_map(|reason| {
            let sum = self.verdicts().filter(|verdict| verdict.reason == *reason).count();
            (sum > 0).then(|| format!("{sum} {reason}"))
        });
        Some(vec![format!("{fitting} {ending}; all verdicts: {}", sums.collect::<Vec<_>>().join(", "))])
    }

    fn event_unmet(&self, id: &str, ending: Ending) -> Option<Vec<String>> {
        let named = |verdict: &&Verdict| {
            self.step_of(verdict.seq).is_some_and(|step| self.case.steps[step].id.as_deref() == Some(id))
        };
        let unfit: Vec<String> = self
            .verdicts()
            .filter(named)
            .filter(|verdict| !ending.fits(verdict))
            .map(|verdict| format!("{id} ended as {} ({})", verdict.reason.outcome(), verdict.reason))
            .collect();
        (!unfit.is_empty()).then_some(unfit)
    }

    fn unaccounted(&self) -> Option<Failure> {
        let mut endings = vec![0_u32; self.outcome.steps.len()];
        for decision in &self.outcome.decisions {
            if let Decision::Verdict(verdict) = decision
                && let Some(ending) = endings.get_mut(verdict.seq as usize)
            {
                *ending += 1;
            }
        }
        let wrong: Vec<String> = (endings.iter().enumerate())
            .filter(|(seq, endings)| **endings != u32::from(!self.is_sample(*seq)))
            .take(10)
            .map(|(seq, endings)| format!("event {seq} at {} has {endings}", self.when(seq)))
            .collect();
        let expected = "exactly one verdict for every event".to_owned();
        (!wrong.is_empty()).then_some(Failure { line: self.case.place.1, expected, actual: wrong })
    }

    fn damaged(&self) -> Option<Failure> {
        let damage = &self.outcome.damage;
        let expected = "every record restored".to_owned();
        (!damage.is_empty()).then(|| Failure { line: self.case.place.1, expected, actual: damage.clone() })
    }

    fn is_sample(&self, seq: usize) -> bool {
        let step = self.step_of(seq as u64).and_then(|step| self.case.steps.get(step));
        step.is_some_and(|step| matches!(&step.act, Act::Event(event) if event.status == domain::Status::Sample))
    }

    fn when(&self, seq: usize) -> String {
        self.step_of(seq as u64).map_or_else(String::new, |step| offset(self.case.steps[step].at))
    }

    fn step_of(&self, seq: u64) -> Option<usize> {
        self.outcome.steps.get(usize::try_from(seq).ok()?).copied()
    }

    fn verdicts(&self) -> impl Iterator<Item = &Verdict> {
        self.outcome.decisions.iter().filter_map(|decision| match decision {
            Decision::Verdict(verdict) => {
                let step = self.step_of(verdict.seq)?;
                (!self.case.steps[step].is_history()).then_some(verdict)
            }
            _ => None,
        })
    }

    fn pages(&self) -> Vec<&Page> {
        let pages = self.outcome.decisions.iter().filter_map(|decision| match decision {
            Decision::Page(page) if page.ts >= START => Some(&**page),
            _ => None,
        });
        pages.collect()
    }

    fn notices(&self) -> Vec<&Notice> {
        let notices = self.outcome.decisions.iter().filter_map(|decision| match decision {
            Decision::Notice(notice) if notice.ts >= START => Some(&**notice),
            _ => None,
        });
        notices.collect()
    }

    fn incidents(&self) -> Vec<&IncidentSummary> {
        let incidents = self.outcome.decisions.iter().filter_map(|decision| match decision {
            Decision::Incident(summary) if summary.resolved.is_none_or(|resolved| resolved >= START) => {
                Some(&**summary)
            }
            _ => None,
        });
        incidents.collect()
    }
}

/// A page in one line.
pub(super) fn describe_page(page: &Page) -> String {
    format!("{} {} {} #{} ({}) {}", offset(page.ts), page.action, page.severity, page.incident, page.reason, page.title)
}

/// A notice in one line.
pub(super) fn describe_notice(notice: &Notice) -> String {
    let incident = notice.incident.map(|id| format!(" #{id}")).unwrap_or_default();
    format!("{} {}{incident} {}", offset(notice.ts), notice.action, notice.text)
}

fn describe_incident(summary: &IncidentSummary) -> String {
    let end = summary.resolved.map_or_else(|| "open".to_owned(), |resolved| format!("to {}", offset(resolved)));
    format!("#{} from {} {end} {}", summary.incident, offset(summary.opened), summary.title)
}
