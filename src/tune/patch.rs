//! Proposals as a rule file of their own, and as a unified diff that adds it.

use std::fmt::Write as _;

use super::candidate::{Candidate, matchers};
use super::{MILD, Tuning};
use crate::config::quoted;
use crate::replay::wording::{names, several, span};

/// The file that the changes go into.
pub(super) const NAME: &str = "tuned.yaml";
/// How many lost pages are named for each proposal.
const NAMED: usize = 3;

/// A rule file with these changes.
pub(super) fn rules(changes: &[&Candidate]) -> String {
    let mut out = String::new();
    if changes.contains(&&Candidate::Quiet) {
        out.push_str("judgement: {sensitivity: quiet}\n");
    }
    let rules: Vec<_> = changes.iter().filter_map(|change| rule(change)).collect();
    if !rules.is_empty() {
        out.push_str("rules:\n");
        out.extend(rules);
    }
    out
}

fn rule(change: &Candidate) -> Option<String> {
    let (source, check, host, handling) = match change {
        Candidate::OnlyCritical { source, check, host } => {
            (source, check, host.as_deref(), "page_from: critical".to_owned())
        }
        Candidate::FlapsLonger { source, check, hours } => {
            (source, check, None, format!("flap: {{promote_after: {hours}h}}"))
        }
        Candidate::Quiet => return None,
    };
    let matchers: Vec<_> = matchers(source, check, host).iter().map(|matcher| quoted(matcher)).collect();
    let (name, matchers) = (quoted(&format!("tuned: {}", change.words())), matchers.join(", "));
    Some(format!("  - name: {name}\n    match: [{matchers}]\n    {handling}\n"))
}

/// What is proposed, in words and as a unified diff against the folder `dir`; `file` = the new file's name in it.
#[must_use]
pub fn patch(tuning: &Tuning, dir: &str, file: &str) -> String {
    let mut out = String::new();
    let pages = several(tuning.pages as u64, "page");
    let _ = writeln!(out, "# {pages} under the rules in force; {} replayed.", several(tuning.tried as u64, "change"));
    if tuning.proposals.is_empty() {
        out.push_str("# Nothing to propose: no change that was tried pages less and leaves what was serious alone.\n");
        return out;
    }
    for (number, proposal) in tuning.proposals.iter().enumerate() {
        let (words, now) = (proposal.candidate.words(), several(proposal.pages as u64, "page"));
        let _ = writeln!(out, "# {}. {}: {now} instead of {}.", number + 1, plain(&words), tuning.pages);
        if !proposal.lost.is_empty() {
            let titles: Vec<_> = proposal.lost.iter().map(|title| plain(title)).collect();
            let _ = writeln!(out, "#    No longer paged: {}.", names(&titles, NAMED));
        }
    }
    let together = several(tuning.together as u64, "page");
    let _ = writeln!(out, "# All together: {together} instead of {}.", tuning.pages);
    let serious = several(tuning.serious as u64, "paged incident");
    let _ = writeln!(
        out,
        "# Not lost and not delayed: every page of the {serious} that became critical, spread, or lasted over {}.",
        span(MILD)
    );
    out.push_str("# This was so in this history; it need not be in the next. Nothing was changed. To take it:\n");
    out.push_str("# git apply, or patch -p1, in the folder above the rules; then squelch check.\n");
    let changes: Vec<_> = tuning.proposals.iter().map(|proposal| &proposal.candidate).collect();
    let text = rules(&changes);
    let _ = writeln!(out, "--- /dev/null\n+++ b/{dir}/{file}\n@@ -0,0 +1,{} @@", text.lines().count());
    for line in text.lines() {
        let _ = writeln!(out, "+{line}");
    }
    out
}

/// Foreign text on one line, so that it cannot pass for a part of the patch.
fn plain(text: &str) -> String {
    crate::sinks::clean::line(text, 100)
}
