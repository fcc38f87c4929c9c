//! `squelch test`: the rules' own tests, in virtual time.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::fault::Fault;
use super::recording::tell;
use super::replay::{ink, print};
use super::rules;
use super::terminal::show;
use crate::config::Source;
use crate::config::test_file::{self, case::Case};
use crate::files;
use crate::replay::wording::{Ink, several};
use crate::rule_test::{Failure, Manner, failures, rehearse, transcript};

/// Where tests are looked for when none is named.
const TESTS: &str = "rules/tests";

/// What `squelch test` is asked to do.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder with the rules [default: ./rules where it exists, over those in the binary]
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// The test files [default: rules/tests/*.yaml]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print JSON instead of lines and transcripts
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// When a file cannot be read, or a test fails.
pub(super) fn run(args: &Args) -> Result<(), Fault> {
    let rules = rules::sources(args.rules.as_deref())?;
    let paths = if args.files.is_empty() { found(args.rules.as_deref())? } else { args.files.clone() };
    let mut sums = Sums { json: args.json, ..Sums::default() };
    for path in &paths {
        let source = files::read(path).map_err(|error| Fault::Wrong(error.to_string()))?;
        sums.words(&format!("{}\n", ink().bold(&source.name)))?;
        sums.file(&rules, &source)?;
    }
    sums.end()?;
    if sums.is_good() { Ok(()) } else { Err(Fault::Told) }
}

/// The test files beside the rules, in order of name.
fn found(rules: Option<&Path>) -> Result<Vec<PathBuf>, Fault> {
    let dir = rules.map_or_else(|| PathBuf::from(TESTS), |rules| rules.join("tests"));
    let entries = std::fs::read_dir(&dir).map_err(|error| Fault::file("read", &dir, &error))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "yaml" || end == "yml"));
    paths.sort();
    if paths.is_empty() {
        return Err(Fault::Wrong(format!("there are no tests in {}: name a file, or put one there", dir.display())));
    }
    Ok(paths)
}

#[derive(Default)]
struct Sums {
    passed: u64,
    failed: u64,
    unreadable: u64,
    json: bool,
    /// What came of each case, when JSON is wanted.
    cases: Vec<Value>,
}

impl Sums {
    fn file(&mut self, rules: &[Source], source: &Source) -> Result<(), Fault> {
        match test_file::read(rules, source) {
            Ok(cases) => cases.iter().try_for_each(|case| self.case(case)),
            Err(report) => {
                self.unreadable += 1;
                tell(&report.to_string());
                Ok(())
            }
        }
    }

    fn case(&mut self, case: &Case) -> Result<(), Fault> {
        let outcome = rehearse(case, Manner::Plain);
        let failures = failures(case, &outcome);
        if self.json {
            self.cases.push(in_json(case, &failures));
        }
        if failures.is_empty() {
            self.passed += 1;
            self.words(&format!("  {}  {}\n", ink().green("ok  "), case.name))
        } else {
            self.failed += 1;
            self.words(&format!("  {}  {}\n", ink().red("FAIL"), case.name))?;
            self.words(&transcript::failed(case, &outcome, &failures))
        }
    }

    /// Prints for people, as it goes on.
    fn words(&self, text: &str) -> Result<(), Fault> {
        if self.json { Ok(()) } else { show(text) }
    }

    fn end(&mut self) -> Result<(), Fault> {
        if !self.json {
            return print(&format!("\n{}\n", self.sum()));
        }
        let cases = std::mem::take(&mut self.cases);
        let (passed, failed, unreadable) = (self.passed, self.failed, self.unreadable);
        let all = json!({"passed": passed, "failed": failed, "unreadable": unreadable, "tests": cases});
        print(&format!("{all}\n"))
    }

    const fn is_good(&self) -> bool {
        self.failed == 0 && self.unreadable == 0
    }

    fn sum(&self) -> String {
        let mut words = vec![format!("{} passed", several(self.passed, "test"))];
        if self.failed > 0 {
            words.push(format!("{} failed", self.failed));
        }
        if self.unreadable > 0 {
            words.push(format!("{} cannot be read", several(self.unreadable, "file")));
        }
        let words = words.join(", ");
        match (self.is_good(), ink()) {
            (_, Ink::Plain) => words,
            (true, ink) => ink.green(&words),
            (false, ink) => ink.red(&words),
        }
    }
}

/// A case and what is wrong with it.
fn in_json(case: &Case, failures: &[Failure]) -> Value {
    let wrong =
        |failure: &Failure| json!({"line": failure.line, "expected": failure.expected, "actual": failure.actual});
    let failures: Vec<_> = failures.iter().map(wrong).collect();
    json!({"file": case.place.0, "line": case.place.1, "name": case.name, "passed": failures.is_empty(), "failures": failures})
}
