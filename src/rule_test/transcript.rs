//! What happened in a test, as a person reads it: what came in, and what was decided, in order of time.

use std::fmt::Write as _;

use super::rehearsal::Outcome;
use super::verdict::{Failure, describe_notice, describe_page};
use crate::config::test_file::case::{Act, Case, START, Step, offset};
use crate::domain::{Decision, Event, Timestamp};

/// How many lines are shown at the beginning, and at the end, of a long transcript.
const SHOWN: usize = 25;

/// A failed test: what was expected, what came instead, and the transcript around it.
#[must_use]
pub fn failed(case: &Case, outcome: &Outcome, failures: &[Failure]) -> String {
    let mut text = String::new();
    for failure in failures {
        let _ = writeln!(text, "  {}:{}", case.place.0, failure.line);
        let _ = writeln!(text, "    expected  {}", failure.expected);
        for (at, line) in failure.actual.iter().enumerate() {
            let _ = writeln!(text, "    {}  {line}", if at == 0 { "actual  " } else { "        " });
        }
    }
    let lines = lines(case, outcome);
    text.push_str("  what happened\n");
    let left_out = lines.len().saturating_sub(2 * SHOWN);
    for (at, line) in lines.iter().enumerate() {
        if left_out > 0 && at == SHOWN {
            let _ = writeln!(text, "    … {left_out} more lines");
        }
        if at < SHOWN || at >= SHOWN + left_out {
            let _ = writeln!(text, "    {line}");
        }
    }
    text
}

/// Every line of the transcript from time 0 on.
#[must_use]
pub fn lines(case: &Case, outcome: &Outcome) -> Vec<String> {
    let steps = case.steps.iter().filter(|step| !step.is_history());
    let mut lines: Vec<(Timestamp, String)> = steps.map(|step| (step.at, came_in(step))).collect();
    lines.extend(outcome.decisions.iter().filter_map(|decision| decided(case, outcome, decision)));
    lines.sort_by_key(|(at, _)| *at);
    lines.into_iter().map(|(at, text)| format!("{:>9}  {text}", offset(at))).collect()
}

fn came_in(step: &Step) -> String {
    match &step.act {
        Act::Event(event) => signal(event),
        Act::Silence(silence) => format!("silence `{}` until {}", silence.id, offset(silence.until)),
        Act::Acknowledge(incident, by) => format!("{by} takes #{incident}"),
        Act::Resolve(incident, by) => format!("{by} closes #{incident}"),
        Act::Feedback(incident, opinion, by) => format!("{by} says of #{incident}: {opinion}"),
        Act::Split(incident, part, by) => format!("{by} splits {part} from #{incident}"),
        Act::Rules(_) => "new rules".to_owned(),
        Act::Restart => "restart".to_owned(),
    }
}

fn signal(event: &Event) -> String {
    let place = [Some(event.source.as_str()), event.service.as_deref(), event.host.as_deref(), Some(&event.check)];
    let place: Vec<&str> = place.into_iter().flatten().collect();
    format!("{} {} {}", event.status, event.severity, place.join("/"))
}

fn decided(case: &Case, outcome: &Outcome, decision: &Decision) -> Option<(Timestamp, String)> {
    Some(match decision {
        Decision::Verdict(verdict) => {
            let step = outcome.steps.get(usize::try_from(verdict.seq).ok()?).and_then(|step| case.steps.get(*step))?;
            if step.is_history() {
                return None;
            }
            let incident = verdict.incident.map(|id| format!(" #{id}")).unwrap_or_default();
            let came = offset(step.at);
            (
                verdict.ts,
                format!(
                    "  → {} ({}){incident}: {} of {came}",
                    verdict.reason.outcome(),
                    verdict.reason,
                    verdict.series
                ),
            )
        }
        Decision::Page(page) => (page.ts, format!("  ⇒ PAGE {}", describe_page(page))),
        Decision::Notice(notice) => (notice.ts, format!("  ⇒ notice {}", describe_notice(notice))),
        Decision::Incident(summary) => {
            let at = summary.resolved.unwrap_or(case.until);
            (
                at,
                format!(
                    "  ⇒ incident #{} {}",
                    summary.incident,
                    if summary.resolved.is_some() { "over" } else { "open" }
                ),
            )
        }
    })
    .filter(|(at, _)| *at >= START)
}
