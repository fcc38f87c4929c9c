//! Documents into events, by a mapping.

use serde_json::Value;

use super::condition::Condition;
use super::expression::{Said, Unfilled};
use super::number::number;
use super::scope::{Scope, scalar};
use super::{Explained, Mapping, Target, Variant, documents, words};
use crate::domain::mask::is_secret;
use crate::domain::{Event, Kind, Severity, Status, Timestamp};
use crate::formats::{Body, FormatError, Parsed, Rejected, Warning, level};

/// More events than this in one body are refused: a tool that posts so many means something else.
const MOST: usize = 2_000;
/// What a state changed longer ago, in seconds, counts at its receipt: a firing only says that it fires still, and the
/// time of a resolve that is older than its firing (many tools send the beginning with both) would resolve nothing.
const FRESH: f64 = 300.0;
/// How far ahead of the receipt the sender's clock may be, in seconds.
const AHEAD: f64 = 60.0;

/// The events of a body, and where each came from.
pub(super) fn read(mapping: &Mapping, body: &Body<'_>) -> Result<(Parsed, Vec<Explained>), FormatError> {
    let query = documents::query(body);
    let text = if mapping.plain_text { String::from_utf8_lossy(body.bytes) } else { "".into() };
    let mut reading = Reading { mapping, received: body.received, parsed: Parsed::default(), explained: Vec::new() };
    let mut index = 0;
    let documents = documents::documents(mapping, body)?;
    let single = documents.len() == 1;
    for document in documents {
        if index >= MOST {
            reading.too_many(index);
            break;
        }
        let mut document = match document {
            Ok(document) => document,
            Err(rejected) => {
                index = rejected.index + 1;
                reading.parsed.reject(rejected);
                continue;
            }
        };
        documents::unpack(mapping, &mut document);
        let scope = Scope { element: &document, key: "", document: &document, query: &query, text: &text };
        let Some((at, variant)) = reading.variant(&scope, index) else {
            if single && reading.parsed == Parsed::default() {
                return Err(no_shape(mapping));
            }
            index += 1;
            continue;
        };
        reading.elements((at, variant), &scope, &mut index);
    }
    Ok((reading.parsed, reading.explained))
}

fn no_shape(mapping: &Mapping) -> FormatError {
    let help = format!("`squelch check --source {} BODY` shows what is read of it", mapping.name);
    FormatError::new(&mapping.name, "the body has none of the shapes that are known of this tool", help)
}

fn all_hold(conditions: &[Condition], scope: &Scope<'_>) -> bool {
    conditions.iter().all(|condition| condition.holds(scope))
}

struct Reading<'m> {
    mapping: &'m Mapping,
    received: Timestamp,
    parsed: Parsed,
    explained: Vec<Explained>,
}

impl<'m> Reading<'m> {
    /// The variant that fits a document; `None` = there is none, which is told, or it is to be left out.
    fn variant(&mut self, scope: &Scope<'_>, index: usize) -> Option<(usize, &'m Variant)> {
        if self.is_ignored(scope, index) {
            return None;
        }
        let mapping = self.mapping;
        let found = mapping.variants.iter().enumerate().find(|(_, variant)| all_hold(&variant.when, scope));
        if found.is_none() && index > 0 {
            let error = no_shape(mapping);
            self.parsed.reject(Rejected { index, path: String::new(), message: error.message, help: error.help });
        }
        found
    }

    fn is_ignored(&mut self, scope: &Scope<'_>, index: usize) -> bool {
        let ignore = self.mapping.ignore.iter().find(|ignore| all_hold(&ignore.when, scope));
        if let Some(ignore) = ignore {
            self.parsed.warn(Warning::new(index, "", format!("left out: {}", ignore.why)));
        }
        ignore.is_some()
    }

    fn elements(&mut self, (at, variant): (usize, &'m Variant), scope: &Scope<'_>, index: &mut usize) {
        let Some(each) = &variant.each else {
            self.one((at, variant), scope, *index);
            *index += 1;
            return;
        };
        let found = each.elements(scope.document, MOST + 1);
        if found.is_empty() {
            let message = format!("`{}` holds nothing: the body has no events", each.text());
            self.parsed.warn(Warning::new(*index, each.text(), message));
        }
        for (key, element) in &found {
            if *index >= MOST {
                return self.too_many(*index);
            }
            let scope = Scope { element, key, ..*scope };
            if !self.is_ignored(&scope, *index) {
                self.one((at, variant), &scope, *index);
            }
            *index += 1;
        }
    }

    fn too_many(&mut self, index: usize) {
        let message = format!("more than {MOST} events in one body: the rest was not read");
        let help = Some("send fewer at once".to_owned());
        self.parsed.reject(Rejected { index, path: String::new(), message, help });
    }

    fn one(&mut self, (at, variant): (usize, &'m Variant), scope: &Scope<'_>, index: usize) {
        let mut builder = Builder {
            variant,
            scope,
            index,
            unfilled: Vec::new(),
            warnings: Vec::new(),
            explained: Explained { index, variant: at, ..Explained::default() },
        };
        let built = builder.event(&self.mapping.name, self.received);
        let Builder { unfilled, warnings, explained, .. } = builder;
        let mut told: Vec<&str> = Vec::new();
        for (path, text) in &unfilled {
            if !told.contains(&path.as_str()) {
                told.push(path);
                let message = format!("`{text}` is a variable that the sender did not fill in: not used");
                self.parsed.warn(Warning::new(index, path, message));
            }
        }
        warnings.into_iter().for_each(|warning| self.parsed.warn(warning));
        match built {
            Ok(Some(event)) => {
                self.parsed.keep(index, event);
                self.explained.push(explained);
            }
            Ok(None) => {}
            Err(rejected) => self.parsed.reject(rejected),
        }
    }
}

struct Builder<'m, 's, 'v> {
    variant: &'m Variant,
    scope: &'s Scope<'v>,
    index: usize,
    unfilled: Unfilled,
    warnings: Vec<Warning>,
    explained: Explained,
}

impl<'m: 'v, 'v> Builder<'m, '_, 'v> {
    /// The event; `None` = its status says that there is nothing to judge.
    fn event(&mut self, name: &str, received: Timestamp) -> Result<Option<Event>, Rejected> {
        self.require()?;
        let source = self.text(Target::Source).unwrap_or_else(|| name.to_owned());
        let mut event = Event::new(source, self.text(Target::Check).unwrap_or_default());
        event.received = Some(received);
        event.kind = self.kind();
        let Some(status) = self.status(event.kind)? else { return Ok(None) };
        event.status = status;
        event.severity = self.severity(event.kind);
        event.service = self.text(Target::Service);
        event.host = self.text(Target::Host);
        event.dedup_key = self.text(Target::DedupKey);
        event.summary = self.text(Target::Summary);
        self.measure(&mut event);
        self.links(&mut event);
        event.ts = self.time(status, received);
        self.labels(&mut event);
        let named = [&event.service, &event.host, &event.dedup_key, &event.summary].into_iter().any(Option::is_some);
        if event.check.is_empty() && !named && self.unfilled.is_empty() {
            let help = "a mapping must find a check, service, host, summary or dedup_key in it";
            return Err(self.rejected("", "nothing of the mapping is in the body", help));
        }
        Ok(Some(event))
    }

    fn rejected(&self, path: &str, message: &str, help: &str) -> Rejected {
        let (index, help) = (self.index, Some(help.to_owned()));
        Rejected { index, path: path.to_owned(), message: message.to_owned(), help }
    }

    fn require(&mut self) -> Result<(), Rejected> {
        for wanted in &self.variant.require {
            if !wanted.is_there(self.scope, &mut self.unfilled) {
                let path = wanted.paths().next().map_or("", super::path::Path::text);
                let help = "the tool always sends it: look at its template";
                return Err(self.rejected(path, "is missing", help));
            }
        }
        Ok(())
    }

    /// The text of a field, noted with where it came from.
    fn said(&mut self, target: Target) -> Option<Said<'v>> {
        let ways = self.variant.fields.get(&target)?;
        let whole = target == Target::Summary;
        let said = ways.iter().find_map(|way| way.say(self.scope, whole, &mut self.unfilled));
        match &said {
            Some(said) => {
                let note = (target.word().to_owned(), said.from.to_string(), said.text.to_string());
                self.explained.found.push(note);
            }
            None => self.explained.missed.push(target.word().to_owned()),
        }
        said
    }

    fn text(&mut self, target: Target) -> Option<String> {
        self.said(target).map(|said| said.text.into_owned())
    }

    fn warn(&mut self, path: &str, message: String) {
        self.warnings.push(Warning::new(self.index, path, message));
    }

    fn kind(&mut self) -> Kind {
        let Some(said) = self.said(Target::Kind) else { return Kind::Other };
        let word = said.text.to_ascii_lowercase();
        word.parse().unwrap_or_else(|_| {
            self.warn(&said.from, format!("`{}` is no kind: taken as other", shown(&said.text)));
            Kind::Other
        })
    }

    fn severity(&mut self, kind: Kind) -> Severity {
        let Some(said) = self.said(Target::Severity) else {
            return if kind == Kind::Change { Severity::Info } else { Severity::Warning };
        };
        level::severity(&said.text).unwrap_or_else(|| {
            let message = format!("`{}` is no severity that is known: taken as warning", shown(&said.text));
            self.warn(&said.from, message);
            Severity::Warning
        })
    }

    fn status(&mut self, kind: Kind) -> Result<Option<Status>, Rejected> {
        if !self.variant.fields.contains_key(&Target::Status) {
            return Ok(Some(if kind == Kind::Change { Status::Event } else { Status::Firing }));
        }
        let before = self.unfilled.len();
        let Some(said) = self.said(Target::Status) else {
            if let Some((path, text)) = self.unfilled.get(before).cloned() {
                let message = format!("`{text}` is a variable that the sender did not fill in");
                return Err(self.rejected(&path, &message, "without a status nothing can be judged"));
            }
            let help = "without a status nothing can be judged; give it a `default` in the mapping if it may be absent";
            return Err(self.rejected("status", "is missing", help));
        };
        if said.text.eq_ignore_ascii_case("ignore") {
            let path = if said.from == "fixed" { "" } else { &*said.from };
            self.warn(path, "left out: nothing to judge".to_owned());
            return Ok(None);
        }
        let Some(status) = words::status(&said.text) else {
            let message = format!("`{}` is no status that is known", shown(&said.text));
            let help = "name it in the mapping: `status: {from: …, map: {WORD: firing}}`";
            return Err(self.rejected(&said.from, &message, help));
        };
        Ok(Some(status))
    }

    fn measure(&mut self, event: &mut Event) {
        let mut unit = None;
        for (target, field) in [(Target::Value, &mut event.value), (Target::Threshold, &mut event.threshold)] {
            let Some(said) = self.said(target) else { continue };
            match number(&said.text) {
                Some((value, with)) => {
                    *field = Some(value);
                    unit = unit.or_else(|| with.map(ToOwned::to_owned));
                }
                None => {
                    self.warn(&said.from, format!("`{}` is no number: not used as {}", shown(&said.text), target));
                }
            }
        }
        event.unit = self.text(Target::Unit).or(unit);
    }

    fn links(&mut self, event: &mut Event) {
        for target in [Target::Url, Target::RunbookUrl] {
            let Some(link) = self.text(target) else { continue };
            if !link.starts_with("http://") && !link.starts_with("https://") {
                event.labels.insert(target.word().to_owned(), link);
            } else if target == Target::Url {
                event.url = Some(link);
            } else {
                event.runbook_url = Some(link);
            }
        }
    }

    fn time(&mut self, status: Status, received: Timestamp) -> Option<Timestamp> {
        let ways = self.variant.fields.get(&Target::Ts)?;
        for way in ways {
            let Some(said) = way.say(self.scope, false, &mut self.unfilled) else { continue };
            if is_unset(&said.text) {
                continue;
            }
            let Some(time) = way.time.read(&said.text) else {
                self.warn(&said.from, format!("`{}` is no time that can be read", shown(&said.text)));
                continue;
            };
            let since = received.since(time);
            let occurred = matches!(status, Status::Event | Status::Sample);
            let counts = since >= -AHEAD && (occurred || since <= FRESH);
            let note = if counts { "" } else { " (counts at its receipt)" };
            self.explained.found.push(("ts".to_owned(), said.from.to_string(), format!("{}{note}", said.text)));
            return counts.then_some(time);
        }
        self.explained.missed.push("ts".to_owned());
        None
    }

    fn labels(&mut self, event: &mut Event) {
        for path in &self.variant.keep {
            path.visit(self.scope, &mut |hit| {
                if let super::path::Hit::Value(value) = hit {
                    keep(value, path.last_name().unwrap_or("value"), 0, event);
                }
                super::path::Look::Taken
            });
        }
        for (name, ways) in &self.variant.labels {
            if let Some(said) = ways.iter().find_map(|way| way.say(self.scope, true, &mut self.unfilled)) {
                self.explained.found.push((format!("labels.{name}"), said.from.to_string(), said.text.to_string()));
                event.labels.insert(name.clone(), said.text.into_owned());
            }
        }
    }
}

/// Everything scalar at or below a value, as labels; what looks like a secret is not.
fn keep(value: &Value, name: &str, depth: usize, event: &mut Event) {
    // The bound on labels is kept by all formats; this one keeps a hostile body cheap.
    if depth > 4 || event.labels.len() >= 200 || is_secret(name) {
        return;
    }
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            let name = if depth == 0 { key.clone() } else { format!("{name}.{key}") };
            keep(value, &name, depth + 1, event);
        }),
        Value::Array(list) => {
            let pairs: Vec<(&str, &Value)> = list.iter().filter_map(pair).collect();
            if pairs.is_empty() {
                let texts: Vec<_> = list.iter().filter_map(scalar).collect();
                if !texts.is_empty() {
                    event.labels.insert(name.to_owned(), texts.join(", "));
                }
            }
            for (key, value) in pairs {
                match scalar(value).filter(|_| !is_secret(key)) {
                    Some(text) => drop(event.labels.insert(key.to_owned(), text.into_owned())),
                    None => keep(value, key, depth + 1, event),
                }
            }
        }
        value => {
            if let Some(text) = scalar(value) {
                event.labels.insert(name.to_owned(), text.into_owned());
            }
        }
    }
}

/// A tag of a list: `[name, value]`, or an object with `key` or `name`, and `value`.
fn pair(tag: &Value) -> Option<(&str, &Value)> {
    match tag {
        Value::Array(pair) if pair.len() == 2 => Some((pair[0].as_str()?, &pair[1])),
        Value::Object(map) => {
            let key = ["key", "name", "Key", "Name"].iter().find_map(|key| map.get(*key))?.as_str()?;
            Some((key, ["value", "Value"].iter().find_map(|value| map.get(*value))?))
        }
        _ => None,
    }
}

/// What stands where a time is not known yet: `0`, `-1`, Go's zero time.
fn is_unset(text: &str) -> bool {
    text == "0" || text.starts_with('-') || text.starts_with("0001-")
}

fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}
