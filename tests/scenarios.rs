//! Every file under `tests/scenarios` is one behaviour, named by its file, and run through the runner of
//! `squelch test` under the shipped rules. Each is also run again, with a tick at every deadline, and stopped, saved
//! and loaded before every step: the transcript must be the same to the byte.
//!
//! `SCENARIO=part-of-a-name cargo test --test scenarios` runs some of them.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and tells its sums")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use squelch::config::test_file::case::Case;
use squelch::config::{Source, test_file, with_shipped};
use squelch::domain::{Decision, Outcome as Ending};
use squelch::rule_test::{Manner, Outcome, failures, rehearse, transcript};

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let wanted = std::env::var("SCENARIO").unwrap_or_default();
    let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
    let rules = with_shipped(Vec::new());
    let mut cases = Vec::new();
    for path in paths.iter().filter(|path| name(path).contains(&wanted)) {
        let source = Source::new(format!("tests/scenarios/{}.yaml", name(path)), fs::read(path).unwrap());
        cases.extend(test_file::read(&rules, &source).unwrap_or_else(|report| panic!("{report}")));
    }
    assert!(!cases.is_empty(), "there is no scenario `{wanted}`");
    cases
}

#[test]
fn every_scenario_comes_out_as_it_says() {
    let mut failed = String::new();
    let mut sums = [0_usize; 4];
    let cases = cases();
    for case in &cases {
        let outcome = rehearse(case, Manner::Plain);
        let unmet = failures(case, &outcome);
        if !unmet.is_empty() {
            writeln!(failed, "\n{}\n{}", case.name, transcript::failed(case, &outcome, &unmet)).unwrap();
        }
        for (sum, ending) in sums.iter_mut().zip(Ending::ALL) {
            *sum += verdicts(&outcome, *ending);
        }
    }
    let count = failed.matches("what happened").count();
    println!("{} scenarios; pages, joins, suppressed, recorded events: {sums:?}", cases.len());
    assert!(failed.is_empty(), "{failed}\n{count} of {} scenarios failed", cases.len());
}

fn verdicts(outcome: &Outcome, ending: Ending) -> usize {
    let fits =
        |decision: &&Decision| matches!(decision, Decision::Verdict(verdict) if verdict.reason.outcome() == ending);
    outcome.decisions.iter().filter(fits).count()
}

#[test]
fn every_scenario_comes_out_the_same_again() {
    same(Manner::Plain);
}

#[test]
fn every_scenario_comes_out_the_same_with_a_tick_at_every_deadline() {
    same(Manner::Ticking);
}

#[test]
fn every_scenario_comes_out_the_same_when_it_is_cut_at_every_step() {
    same(Manner::Cut);
}

fn same(manner: Manner) {
    let mut wrong = String::new();
    for case in cases() {
        let (plain, other) = (rehearse(&case, Manner::Plain), rehearse(&case, manner));
        if let Some(difference) = difference(&plain, &other) {
            writeln!(wrong, "\n{}\n{difference}{}", case.name, first_cut(&case, &plain, manner)).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The first line in which two runs differ.
fn difference(one: &Outcome, other: &Outcome) -> Option<String> {
    if !other.damage.is_empty() {
        return Some(format!("  not restored: {}\n", other.damage.join("; ")));
    }
    if one.lines == other.lines && one.told == other.told {
        return None;
    }
    let mut lines = one.lines.lines().zip(other.lines.lines());
    let text = match lines.find(|(one, other)| one != other) {
        Some((one, other)) => format!("  - {one}\n  + {other}\n"),
        None if one.lines.len() != other.lines.len() => "  one of them goes on where the other ends\n".to_owned(),
        None => "  the notifications differ\n".to_owned(),
    };
    Some(text)
}

/// Where a single cut suffices to make the difference.
fn first_cut(case: &Case, plain: &Outcome, manner: Manner) -> String {
    if manner != Manner::Cut {
        return String::new();
    }
    let first = (0..case.steps.len())
        .filter(|at| !case.steps[*at].is_history())
        .take(400)
        .find(|at| difference(plain, &rehearse(case, Manner::CutBefore(*at))).is_some());
    first.map_or_else(String::new, |at| format!("  a cut before step {at} alone is enough: {:?}\n", case.steps[at].act))
}
