//! The templates of receivers: checked when rules are read, with the place of what is wrong.

use std::ops::Range;

use super::findings::{Complaint, Findings, Spot, suggestion};
use super::value::{Checked, Record};
use crate::sinks::template::{self, Flaw};
use crate::sinks::{Letter, Templates, samples};

/// Lowers the templates of a receiver.
pub(super) fn lower(receiver: &Record, findings: &mut Findings<'_>) -> Templates {
    let told = samples::life("sample");
    let letters: Vec<_> = told.iter().map(|(_, notification)| Letter::of(notification, None)).collect();
    let mut checked = |key| {
        let given = receiver.get(key)?;
        if let Err(flaw) = template::check(given.text(), &letters) {
            complain(given, flaw, findings);
        }
        Some(given.text().to_owned())
    };
    Templates { title: checked("title"), text: checked("text") }
}

fn complain(given: &Checked, flaw: Flaw, findings: &mut Findings<'_>) {
    let complaint = Complaint::new(flaw.message);
    let complaint = match &flaw.unknown {
        Some((name, known)) => complaint.help(suggestion(name, known.iter().map(String::as_str))),
        None => complaint.help("the language is Jinja: `{{ title }}`, `{% for host in hosts %}…{% endfor %}`"),
    };
    let spot = place(given, flaw.at, findings);
    findings.mistake(spot, &given.path, complaint);
}

/// Where these bytes of a text stand in the file: in its line, or in a block below its key.
fn place(given: &Checked, at: Range<usize>, findings: &Findings<'_>) -> Spot {
    let text = given.text();
    let before = text.get(..at.start).unwrap_or_default();
    let number = before.matches('\n').count();
    let begin = before.rfind('\n').map_or(0, |end| end + 1);
    let line = text[begin..].lines().next().unwrap_or_default();
    let within = at.start - begin..at.end.saturating_sub(begin).min(line.len());
    if !text.contains('\n') {
        return findings.within(given.spot, text, at);
    }
    // In a block the text begins below the line of its key.
    findings.in_block(Spot { line: given.spot.line + number + 1, ..given.spot }, line, within).unwrap_or(given.spot)
}
