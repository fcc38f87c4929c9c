//! Knobs: the few changes of the rules that people turn when they ask what would have been, as a rule file.
//!
//! Deliberately no checking of values: what comes out is read as any rule file, and every mistake is told there.

use serde::{Deserialize, Serialize};

use super::source::Source;
use crate::domain::matcher::alertmanager;

/// The file that knobs are written into; stands in mistakes.
const NAME: &str = "what-if.yaml";
/// What the things in it are called.
const CALLED: &str = "what if";

/// What is turned. What is empty stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Knobs {
    /// `quiet`, `normal` or `sensitive`.
    pub sensitivity: String,
    /// The least severity that may page.
    pub page_from: String,
    /// No event waits longer for its verdict.
    pub hold: String,
    /// What never pages: matchers, separated by commas, of which all must fit.
    pub never: String,
    /// So many pages: `2 a night`.
    pub budget: String,
    /// The name of a constant of the judgement …
    pub constant: String,
    /// … and its value.
    pub value: String,
    /// A rule file of one's own, instead of all others.
    pub rules: String,
}

/// Why knobs are no change of the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unturned {
    /// The knob.
    pub knob: &'static str,
    /// What is wrong with it.
    pub message: String,
    /// How to mend it.
    pub help: &'static str,
}

impl Knobs {
    /// The change as a rule file that is laid over those in force.
    ///
    /// # Errors
    /// When nothing is turned, when it is said in two ways, or when matchers cannot be read.
    pub fn source(&self) -> Result<Source, Unturned> {
        let wrong = |knob, message: &str, help| Err(Unturned { knob, message: message.to_owned(), help });
        let turned = Self { rules: String::new(), ..self.clone() } != Self::default();
        match (self.rules.trim().is_empty(), turned) {
            (false, true) => {
                wrong("rules", "rules and other knobs are said at once", "say everything in `rules`, or nothing there")
            }
            (false, false) => Ok(Source::tried(NAME, self.rules.replace("\r\n", "\n"))),
            (true, false) => wrong("", "nothing is turned", "turn at least one knob, or write rules"),
            (true, true) => self.written().map(|text| Source::tried(NAME, text)),
        }
    }

    fn written(&self) -> Result<String, Unturned> {
        let mut constants = entry("sensitivity", &self.sensitivity);
        match (self.constant.trim(), self.value.trim()) {
            ("", "") => {}
            ("", _) | (_, "") => {
                let message = "a constant and its value go together".to_owned();
                return Err(Unturned { knob: "value", message, help: "give both, or neither" });
            }
            (constant, value) => constants.extend(entry(constant, value)),
        }
        let hold = entry("longest", &self.hold);
        let mut defaults = entry("page_from", &self.page_from);
        defaults.extend((!hold.is_empty()).then(|| format!("hold: {{{}}}", hold.join(", "))));
        let sections = [("judgement", constants), ("defaults", defaults)];
        let mut out = String::new();
        for (name, entries) in sections.iter().filter(|(_, entries)| !entries.is_empty()) {
            out += &format!("{name}: {{{}}}\n", entries.join(", "));
        }
        if !self.never.trim().is_empty() {
            let matchers = never(&self.never)?;
            out += &format!("rules:\n  - {{name: {CALLED}, match: [{}], page: never}}\n", matchers.join(", "));
        }
        if let [pages] = entry("pages", &self.budget).as_slice() {
            out += &format!("budgets:\n  - {{name: {CALLED}, {pages}}}\n");
        }
        Ok(out)
    }
}

/// A key with its value, if there is one.
fn entry(key: &str, value: &str) -> Vec<String> {
    let value = value.trim();
    if value.is_empty() { Vec::new() } else { vec![format!("{}: {}", scalar(key), scalar(value))] }
}

/// A word of a person as a scalar of YAML: as it is where it can mean nothing else.
fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ' ' | '_');
    if text.chars().all(plain) { text.to_owned() } else { quoted(text) }
}

/// A scalar of YAML on one line, whatever it holds. Single quotes are easier to read; where they do not do, double
/// ones: every string of JSON is a double-quoted scalar (YAML 1.2.2, 5.7).
#[must_use]
pub fn quoted(text: &str) -> String {
    if text.chars().any(|c| c == '\'' || c.is_control()) {
        serde_json::Value::from(text).to_string()
    } else {
        format!("'{text}'")
    }
}

fn never(text: &str) -> Result<Vec<String>, Unturned> {
    let help = "write them as in a rule: host=\"db-1\", check=~\"disk.*\"";
    let matchers = alertmanager::matchers(text).map_err(|message| Unturned { knob: "never", message, help })?;
    if matchers.is_empty() {
        return Err(Unturned { knob: "never", message: "there is no matcher".to_owned(), help });
    }
    Ok(matchers.iter().map(|matcher| quoted(&matcher.to_string())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{load, with_shipped};

    fn text(knobs: &Knobs) -> String {
        String::from_utf8(knobs.source().unwrap().text).unwrap()
    }

    fn word(text: &str) -> String {
        text.to_owned()
    }

    #[test]
    fn every_knob_is_a_line_that_is_a_right_rule_file() {
        let knobs = Knobs {
            sensitivity: word("quiet"),
            page_from: word("error"),
            hold: word("5m"),
            never: word("check=~\"disk.*\", host=\"db's\""),
            budget: word("2 a night"),
            constant: word("settle"),
            value: word("4m"),
            rules: String::new(),
        };
        let expected = "judgement: {sensitivity: quiet, settle: 4m}\n\
                        defaults: {page_from: error, hold: {longest: 5m}}\n\
                        rules:\n  - {name: what if, match: ['check=~\"disk.*\"', \"host=\\\"db's\\\"\"], page: never}\n\
                        budgets:\n  - {name: what if, pages: 2 a night}\n";
        assert_eq!(text(&knobs), expected);
        let sources = with_shipped(vec![knobs.source().unwrap()]);
        load(&sources).unwrap();
    }

    #[test]
    fn what_is_tried_wins_over_the_files_of_people_wherever_it_stands() {
        let own =
            "judgement: {sensitivity: sensitive}\nrules: [{name: disks, match: 'check=\"disk\"', page: always}]\n";
        for first in [true, false] {
            let mut files = vec![Source::new("own.yaml", own)];
            let knobs = Knobs { sensitivity: word("quiet"), never: word("check=disk"), ..Knobs::default() };
            files.insert(usize::from(!first), knobs.source().unwrap());
            let policy = load(&with_shipped(files)).unwrap().policy;
            assert_eq!(policy.judgement.sensitivity.word(), "quiet");
            assert_eq!(policy.rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), ["what if", "disks"]);
        }
        let replaced = Source::tried(NAME, "rules: [{name: disks, match: 'check=\"disk\"', page: never}]\n");
        let policy = load(&with_shipped(vec![Source::new("own.yaml", own), replaced])).unwrap().policy;
        assert_eq!(policy.rules.len(), 1, "a name that people use is replaced");
        assert_eq!(policy.rules[0].handling.page.word(), "never");
    }

    #[test]
    fn what_cannot_be_turned_is_told_with_its_knob() {
        let knob = |knobs: Knobs| knobs.source().unwrap_err().knob;
        assert_eq!(knob(Knobs::default()), "");
        assert_eq!(knob(Knobs { constant: word("settle"), ..Knobs::default() }), "value");
        assert_eq!(knob(Knobs { never: word("host=~\"(\""), ..Knobs::default() }), "never");
        assert_eq!(knob(Knobs { rules: word("rules: []"), hold: word("5m"), ..Knobs::default() }), "rules");
    }

    #[test]
    fn no_word_of_a_person_becomes_another_key() {
        let knobs = Knobs { hold: word("5m}, page: {never: 1"), ..Knobs::default() };
        let mistakes = load(&with_shipped(vec![knobs.source().unwrap()])).unwrap_err().to_string();
        assert!(mistakes.contains("is no duration"), "{mistakes}");
    }
}
