//! Templates of users: a receiver's own title and text, in the language of Jinja.
//!
//! They see what a webhook gets, and the words that Squelch would use. No files, no network, no clock, and so much
//! work at most (`FUEL`). A template that fails at three in the morning costs no page: then Squelch's own words are
//! sent, and say so.

use std::collections::BTreeSet;
use std::ops::Range;

use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use super::clean;
use super::letter::Letter;
use super::request::idempotency_key;
use super::webhook::{Body, body};

/// So many steps of work at most; a text of a hundred lines takes some hundreds.
const FUEL: u64 = 50_000;
/// No line is longer, in characters.
const LINE: usize = 2_000;
/// No text has more lines.
const LINES: usize = 200;

/// The templates of a receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Templates {
    /// In the place of the first line.
    pub title: Option<String>,
    /// In the place of everything below it.
    pub text: Option<String>,
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// In one sentence.
    pub message: String,
    /// The bytes of the template that are wrong; empty = unknown.
    pub at: Range<usize>,
    /// The name that is not known, and those that are.
    pub unknown: Option<(String, Vec<String>)>,
}

/// What a template sees: the fields of a webhook's body, and Squelch's own words.
#[derive(Serialize)]
struct Seen<'a> {
    #[serde(flatten)]
    body: Body<'a>,
    /// `CRITICAL`
    tag: &'static str,
    /// The first line.
    headline: String,
    /// Since when, or from when to when.
    when: String,
    /// What happened to which incident.
    lead: String,
    /// The receiver's name.
    receiver: String,
}

fn seen(letter: &Letter<'_>) -> Result<serde_json::Value, String> {
    let key = idempotency_key(&letter.notification.key);
    let wording = &letter.wording;
    let seen = Seen {
        body: body(letter, &key),
        tag: wording.tag,
        headline: wording.headline(),
        when: wording.when.clone(),
        lead: wording.lead.clone(),
        receiver: clean::line(&letter.notification.key.receiver, LINE),
    };
    // By way of JSON, so that names and values are those of the webhook.
    let mut json = serde_json::to_value(&seen).map_err(|error| error.to_string())?;
    empty_for_null(&mut json);
    Ok(json)
}

/// What is not known reads as nothing, and is as good as false.
fn empty_for_null(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Null => *value = serde_json::Value::from(""),
        serde_json::Value::Array(items) => items.iter_mut().for_each(empty_for_null),
        serde_json::Value::Object(fields) => fields.values_mut().for_each(empty_for_null),
        _ => {}
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_fuel(Some(FUEL));
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment
}

fn render(source: &str, letter: &Letter<'_>) -> Result<String, Flaw> {
    let environment = environment();
    let flaw = |error: &minijinja::Error| Flaw {
        message: error
            .detail()
            .map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind())),
        at: error.range().unwrap_or_default(),
        unknown: None,
    };
    let template = environment.template_from_str(source).map_err(|error| flaw(&error))?;
    let seen = seen(letter).map_err(|message| Flaw { message, at: 0..0, unknown: None })?;
    let text = template.render(minijinja::Value::from_serialize(&seen)).map_err(|error| flaw(&error))?;
    let lines = text.lines().take(LINES).map(|line| clean::line(line, LINE));
    Ok(lines.collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned())
}

/// What is wrong with a template: its form, names that nothing has, and what fails with any of these letters.
///
/// # Errors
/// The first that is found.
pub fn check(source: &str, letters: &[Letter<'_>]) -> Result<(), Flaw> {
    let environment = environment();
    if let Ok(template) = environment.template_from_str(source)
        && let Some(letter) = letters.first()
    {
        let known = seen(letter).unwrap_or_default();
        let global = |name: &String| environment.globals().any(|(global, _)| global == name);
        let names: BTreeSet<String> =
            template.undeclared_variables(true).into_iter().filter(|name| !global(name)).collect();
        for name in names {
            let mut at = &known;
            for part in name.split('.') {
                let Some(object) = at.as_object() else { break };
                let Some(next) = object.get(part) else {
                    return Err(unknown(source, part, object.keys().cloned().collect()));
                };
                at = next;
            }
        }
    }
    letters.iter().try_for_each(|letter| render(source, letter).map(drop))
}

fn unknown(source: &str, name: &str, known: Vec<String>) -> Flaw {
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let whole =
        |at: &usize| !word(source[..*at].chars().next_back()) && !word(source[*at + name.len()..].chars().next());
    let at = source.match_indices(name).map(|(at, _)| at).find(whole);
    let message = format!("nothing is called `{name}` in a template");
    Flaw { message, at: at.map_or(0..0, |at| at..at + name.len()), unknown: Some((name.to_owned(), known)) }
}

impl Letter<'_> {
    /// The same in the words of these templates; where one fails, in Squelch's own, which then say so.
    #[must_use]
    pub fn worded_by(mut self, templates: &Templates) -> Self {
        let title = templates.title.as_deref().map(|source| render(source, &self));
        let text = templates.text.as_deref().map(|source| render(source, &self));
        match text {
            None => {}
            Some(Ok(text)) => self.wording.say_instead(text),
            Some(Err(flaw)) => self.wording.lead += &format!(" (The template of the text failed: {}.)", flaw.message),
        }
        match title {
            None => {}
            Some(Ok(title)) => self.wording.title_instead(&title),
            Some(Err(flaw)) => self.wording.lead += &format!(" (The template of the title failed: {}.)", flaw.message),
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sinks::samples;

    fn flaw(source: &str) -> Option<Flaw> {
        let told = samples::life("chat");
        let letters: Vec<_> = told.iter().map(|(_, notification)| Letter::of(notification, None)).collect();
        check(source, &letters).err()
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for good in
            ["{{ title | upper }}", "{% for h in hosts %}{{ h }}{% endfor %}", "{{ origin.service }}{{ range(2) }}"]
        {
            assert_eq!(flaw(good), None);
        }
        let unknown = flaw("a {{ titel }}").unwrap();
        assert_eq!((unknown.message.as_str(), unknown.at), ("nothing is called `titel` in a template", 5..10));
        assert_eq!(flaw("{{ origin.servce }}").unwrap().at, 10..16);
        assert_eq!(flaw("{{ title | louder }}").unwrap().message, "unknown filter: filter louder is unknown");
        assert!(flaw("{{ title").unwrap().message.starts_with("syntax error: "));
        let endless = "{% for a in range(9999) %}{% for b in range(9999) %}.{% endfor %}{% endfor %}";
        assert_eq!(flaw(endless).unwrap().message, "engine ran out of fuel");
    }

    #[test]
    fn a_template_that_fails_costs_no_page() {
        let (_, page) = samples::life("chat").remove(0);
        let templates = Templates { title: Some("{{ hosts[99] }}".to_owned()), text: Some("{{ why }}".to_owned()) };
        let letter = Letter::of(&page, None).worded_by(&templates);
        assert!(letter.wording.headline().starts_with("CRITICAL: swap used 91 %"));
        let lead = "8.1 bits of fresh surprise on shop/app-2 passed the threshold of 5.0 (The template of the title failed: undefined value.)";
        assert_eq!(letter.wording.lead, lead);
    }
}
