//! A rule test file into cases: every mistake at once, with its place.
//!
//! Deliberately without an engine: [`crate::rule_test`] runs the cases. The whole grammar is in `grammar`, and for
//! people in `docs/RULE_TESTS.md`.

pub mod case;
pub mod expectation;
mod grammar;
pub mod shape;
mod timeline;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use self::case::{Act, Case, START, Step};
use self::expectation::{Count, Ending, Expectation, Expected};
use self::grammar::FILE;
use self::shape::{IncidentShape, NoticeShape, PageShape, Within};
use self::timeline::{Signals, Steps};
use crate::config::findings::{Complaint, Findings, quoted, suggestion};
use crate::config::value::{Checked, Record, Value};
use crate::config::{Source, lower, read_file, rule_fields};
use crate::diagnostic::Report;
use crate::domain::{Origin, Policy, Timestamp};

/// A run goes on this long after the last step unless a test says otherwise: 1 hour.
const GOES_ON: Duration = Duration::from_secs(3600);

/// Reads a test file. `rules` are the rule files in force, over which a test lays its own.
///
/// # Errors
/// All mistakes of the test file and of the rules in it.
pub fn read(rules: &[Source], test: &Source) -> Result<Vec<Case>, Report> {
    // What a test says comes before what is in force, as a user's rule comes before a shipped one. The test file
    // stands there twice: once for the rules of all its tests, once for those of one.
    let mut sources: Vec<Source> = rules.iter().map(|rule| Source { shipped: true, ..rule.clone() }).collect();
    let file = sources.len();
    sources.extend([test.clone(), test.clone()]);
    let mut findings = Findings::new(&sources);
    let in_force: Vec<Record> = (0..file).map(|rules| read_file(rules, &rule_fields::FILE, &mut findings)).collect();
    let record = read_file(file, &FILE, &mut findings);
    let mut reader = Reader { file: test, record: &record, in_force: &in_force, findings };
    let cases = match record.get("tests") {
        None => vec![reader.case(&record, 1)],
        Some(tests) => tests.items().iter().map(|test| reader.case(test.record(), test.spot.line)).collect(),
    };
    reader.findings.finish()?;
    Ok(cases)
}

struct Reader<'a> {
    file: &'a Source,
    /// The whole file.
    record: &'a Record,
    /// The rule files in force.
    in_force: &'a [Record],
    findings: Findings<'a>,
}

impl Reader<'_> {
    fn case(&mut self, test: &Record, line: usize) -> Case {
        let alone = std::ptr::eq(test, self.record);
        let policy = self.policy(test.record("rules").filter(|_| !alone));
        let mut signals = Signals::new();
        for record in [self.record, test] {
            signals.extend(named(record, "signals").map(|(name, signal)| (name, signal.record())));
        }
        let mut steps = Steps::new(signals);
        if let Some(history) = test.record("history").or(self.record.record("history")) {
            steps.history(history, &mut self.findings);
        }
        for step in test.items("timeline") {
            match step.record().record("rules") {
                Some(rules) => {
                    let at = START + step.record().duration("at").unwrap_or_default();
                    steps.push(at, Act::Rules(self.policy(Some(rules))));
                }
                None => steps.line(step, &mut self.findings),
            }
        }
        let steps = steps.finish();
        let expectations = self.expectations(test, &steps);
        let last = steps.last().map_or(START, |step| step.at.max(START));
        Case {
            name: test.text("name").map_or_else(|| sentence(self.file.file_name()), str::to_owned),
            place: (self.file.name.clone(), line),
            policy,
            until: test.duration("until").map_or(last + GOES_ON, |until| START + until),
            steps,
            expectations,
        }
    }

    /// The rules in force with those of the file and those of one test laid over.
    fn policy(&mut self, of_test: Option<&Record>) -> Arc<Policy> {
        const NOTHING: &Record = &Record { fields: BTreeMap::new() };
        let own = [self.record.record("rules"), of_test].map(|rules| rules.unwrap_or(NOTHING));
        let files: Vec<&Record> = self.in_force.iter().chain(own).collect();
        Arc::new(lower::lower(&files, &mut self.findings).0)
    }

    fn expectations(&mut self, test: &Record, steps: &[Step]) -> Vec<Expectation> {
        let mut expectations = Vec::new();
        for item in test.items("expect") {
            let line = item.spot.line;
            let expected = self.expected(item.record(), steps);
            expectations.extend(expected.into_iter().map(|expected| Expectation { line, expected }));
        }
        expectations
    }

    fn expected(&mut self, item: &Record, steps: &[Step]) -> Vec<Expected> {
        let mut all = Vec::new();
        all.extend(count(item, "pages").map(Expected::Pages));
        all.extend(count(item, "incidents").map(Expected::Incidents));
        for (key, or) in [("page", Count::SOME), ("no_page", Count::NONE)] {
            all.extend(
                item.record(key).map(|page| Expected::Page(page_shape(page), count(page, "times").unwrap_or(or))),
            );
        }
        for (key, or) in [("notice", Count::SOME), ("no_notice", Count::NONE)] {
            let notice = item.record(key);
            all.extend(
                notice.map(|notice| Expected::Notice(notice_shape(notice), count(notice, "times").unwrap_or(or))),
            );
        }
        all.extend(item.record("incident").map(|incident| {
            Expected::Incident(incident_shape(incident), count(incident, "times").unwrap_or(Count::SOME))
        }));
        all.extend(self.verdicts(item));
        all.extend(self.events(item, steps));
        all.extend(
            named(item, "told")
                .filter_map(|(receiver, told)| Some(Expected::Told(receiver.to_owned(), Count::parse(told.text())?))),
        );
        all
    }

    fn verdicts(&mut self, item: &Record) -> Vec<Expected> {
        let mut all = Vec::new();
        for (word, number) in named(item, "verdicts") {
            match Ending::parse(word) {
                Some(ending) => all.extend(Count::parse(number.text()).map(|count| Expected::Verdicts(ending, count))),
                None => {
                    let complaint = Complaint::new(format!("there is no outcome or reason {}", quoted(word)));
                    let words: Vec<_> = Ending::words().collect();
                    let help = suggestion(word, words.into_iter());
                    self.findings.mistake(number.spot, &number.path, complaint.help(help));
                }
            }
        }
        all
    }

    fn events(&mut self, item: &Record, steps: &[Step]) -> Vec<Expected> {
        let mut all = Vec::new();
        for (id, ending) in named(item, "events") {
            let known: BTreeMap<&str, ()> = steps.iter().filter_map(|step| Some((step.id.as_deref()?, ()))).collect();
            if known.contains_key(id) {
                all.extend(Ending::parse(ending.text()).map(|ending| Expected::Event(Arc::from(id), ending)));
            } else {
                let complaint = Complaint::new(format!("no step has the `id` {}", quoted(id)));
                let help = suggestion(id, known.keys().copied());
                self.findings.mistake(ending.spot, &ending.path, complaint.help(help));
            }
        }
        all
    }
}

/// `a_lost_probe.yaml` → `a lost probe`
fn sentence(file: &str) -> String {
    file.split('.').next().unwrap_or_default().replace(['_', '-'], " ")
}

/// The entries of the map at a key.
fn named<'r>(record: &'r Record, key: &str) -> impl Iterator<Item = (&'r str, &'r Checked)> {
    let entries: &[(String, Checked)] = match record.get(key) {
        Some(Checked { value: Value::Map(entries), .. }) => entries,
        _ => &[],
    };
    entries.iter().map(|(name, value)| (name.as_str(), value))
}

fn count(record: &Record, key: &str) -> Option<Count> {
    Count::parse(record.text(key)?)
}

fn within(record: &Record, key: &str) -> Option<Within> {
    let moment = |at: usize| match record.items(key).get(at)?.value {
        Value::Duration(offset) => Some(START + offset),
        _ => None,
    };
    Some(Within(moment(0)?, moment(1).unwrap_or(Timestamp::MAX)))
}

fn texts(record: &Record, key: &str) -> Option<Vec<String>> {
    record.get(key).map(|_| record.texts(key))
}

fn origin(record: &Record) -> Origin {
    let Some(origin) = record.record("origin") else { return Origin::default() };
    let text = |key: &str| origin.text(key).map(str::to_owned);
    Origin { service: text("service"), host: text("host"), check: text("check") }
}

fn page_shape(page: &Record) -> PageShape {
    let text = |key: &str| page.text(key).map(str::to_owned);
    PageShape {
        within: within(page, "within"),
        action: page.word("action"),
        severity: page.word("severity"),
        reason: page.word("reason"),
        service: text("service"),
        host: text("host"),
        services: texts(page, "services"),
        hosts: texts(page, "hosts"),
        origin: origin(page),
        title: text("title"),
        why: text("why"),
        suspect: text("suspect"),
        held_before: page.whole("held_before"),
    }
}

fn notice_shape(notice: &Record) -> NoticeShape {
    NoticeShape {
        within: within(notice, "within"),
        action: notice.word("action"),
        series: notice.text("series").map(str::to_owned),
        text: notice.text("text").map(str::to_owned),
    }
}

fn incident_shape(incident: &Record) -> IncidentShape {
    IncidentShape {
        opened: within(incident, "opened"),
        resolved: within(incident, "resolved"),
        open: incident.flag("open"),
        severity: incident.word("severity"),
        service: incident.text("service").map(str::to_owned),
        host: incident.text("host").map(str::to_owned),
        services: texts(incident, "services"),
        origin: origin(incident),
        alerts: incident.whole("alerts"),
    }
}
