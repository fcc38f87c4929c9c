//! The beginning of a postmortem, as Markdown: what is known stands in it, what only people know is asked.

use std::fmt::Write as _;

use crate::domain::mask::Mask;
use crate::domain::{IncidentExplanation, Timestamp};
use crate::replay::wording::{amount, date_and_time, span};
use crate::sinks::{clean, masked};

/// So long may a line be, in characters.
const LINE: usize = 400;

/// The same incident without personal data: the document is sent around.
pub(super) fn masked(explanation: IncidentExplanation, mask: &Mask) -> IncidentExplanation {
    let names = masked::names(&explanation.summary);
    let keep: Vec<&str> = names.iter().map(String::as_str).collect();
    let suspects = explanation.suspects.iter().map(|suspect| mask.text(suspect, &keep).into_owned()).collect();
    let summary = masked::masked_incident(&explanation.summary, mask);
    let mut members = explanation.members.clone();
    members.iter_mut().for_each(|member| member.name = mask.text(&member.name, &keep).into());
    IncidentExplanation { summary, suspects, members, ..explanation }
}

/// The document.
pub(super) fn markdown(explanation: &IncidentExplanation, now: Timestamp) -> String {
    let summary = &explanation.summary;
    let mut out = format!("# {}\n\n", text(&summary.title));
    facts(explanation, now, &mut out);
    let _ = writeln!(out, "\n## What people noticed\n\n_Who was affected, how, for how long?_\n\n## Timeline (UTC)\n");
    for moment in &summary.moments {
        let _ = writeln!(out, "- {}: {}", date_and_time(moment.ts), text(&moment.text));
    }
    out.push_str("\n## Where it began\n\n");
    for origin in &explanation.origins {
        let _ = writeln!(
            out,
            "- {} ({} bits: own {}, answers {}, explains {})",
            text(&origin.service),
            amount(f64::from(origin.score)),
            amount(f64::from(origin.own)),
            amount(f64::from(origin.answers)),
            amount(f64::from(origin.explains))
        );
    }
    for suspect in &explanation.suspects {
        let _ = writeln!(out, "- changed shortly before: {}", text(suspect));
    }
    out.push_str("\n## Signals\n\n");
    for member in &explanation.members {
        let _ = writeln!(out, "- `{}`", clean::line(&member.name, LINE).replace('`', "'"));
    }
    out.push_str("\n## Five whys\n\n");
    for number in 1..=5 {
        let _ = writeln!(out, "{number}. Why? _…_");
    }
    out.push_str("\n## What went well, what went badly, where we were lucky\n\n- _…_\n\n## What we change\n\n| what | who | until |\n|---|---|---|\n| _…_ | | |\n");
    out
}

fn facts(explanation: &IncidentExplanation, now: Timestamp, out: &mut String) {
    let summary = &explanation.summary;
    let mut fact = |name: &str, value: String| {
        let _ = writeln!(out, "- **{name}**: {value}");
    };
    fact("incident", format!("#{}, {}", summary.incident, summary.severity));
    fact("began", format!("{} UTC", date_and_time(summary.opened)));
    if let Some(paged) = summary.paged {
        fact("paged", format!("{} UTC, {} after it opened", date_and_time(paged), span(paged.since(summary.opened))));
    }
    if let Some(taken) = summary.acknowledged {
        fact("taken", format!("{} UTC, after {}", date_and_time(taken), span(taken.since(summary.opened))));
    }
    match summary.resolved {
        Some(over) => {
            fact("over", format!("{} UTC, it lasted {}", date_and_time(over), span(over.since(summary.opened))))
        }
        None => fact("over", format!("not yet, after {}", span(now.since(summary.opened)))),
    }
    fact("events", summary.alerts.to_string());
    for (name, all) in [("services", &summary.services), ("hosts", &summary.hosts), ("checks", &summary.checks)] {
        if !all.is_empty() {
            fact(name, text(&all.join(", ")));
        }
    }
}

/// Foreign text in Markdown: one line, and nothing that means something there.
fn text(raw: &str) -> String {
    let line = clean::line(raw, LINE);
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
