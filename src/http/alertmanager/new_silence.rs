//! A silence as it is posted: read as Alertmanager reads it, its mistakes told in the same order and words.

use serde_json::{Map, Value};

use super::{Coded, Refused, bad};
use crate::domain::matcher::{Matcher, Operator, alertmanager};
use crate::domain::{LooksAt, Silence, Timestamp};
use crate::formats::prometheus::posting;

/// What is asked for.
#[derive(Debug)]
pub(super) struct NewSilence {
    /// Which one is to be changed; empty = none.
    pub(super) id: String,
    pub(super) matchers: Vec<Matcher>,
    /// `None` = now.
    pub(super) starts: Option<Timestamp>,
    pub(super) ends: Timestamp,
    created_by: String,
    comment: String,
}

impl NewSilence {
    /// Reads a body.
    pub(super) fn read(body: &[u8]) -> Result<Self, Refused> {
        if body.is_empty() {
            return Err(required("silence"));
        }
        let mut reader = serde_json::Deserializer::from_slice(body);
        let value: Value = serde::Deserialize::deserialize(&mut reader)
            .map_err(|error: serde_json::Error| unparsed(&error.to_string()))?;
        let fields = match value {
            Value::Object(fields) => fields,
            Value::Null => Map::new(),
            other => return Err(unparsed(&format!("it is {}, not an object", noun(&other)))),
        };
        // What cannot be read is told before what is missing, and both in order of name.
        let (comment, created_by) = (text(&fields, "comment")?, text(&fields, "createdBy")?);
        let (ends, id, starts) = (text(&fields, "endsAt")?, text(&fields, "id")?, text(&fields, "startsAt")?);
        let (ends, starts) =
            (ends.map(|ends| time(&ends)).transpose()?, starts.map(|starts| time(&starts)).transpose()?);
        let given = given_matchers(&fields)?;
        Ok(Self {
            comment: comment.ok_or_else(|| required("comment"))?,
            created_by: created_by.ok_or_else(|| required("createdBy"))?,
            // Go's zero time is before everything.
            ends: ends.ok_or_else(|| required("endsAt"))?.unwrap_or(Timestamp::EPOCH),
            matchers: matchers(given)?,
            starts: starts.ok_or_else(|| required("startsAt"))?,
            id: id.unwrap_or_default(),
        })
    }

    /// Whether it makes sense at `now`.
    pub(super) fn check(self, now: Timestamp) -> Result<Self, Refused> {
        if self.starts.is_some_and(|starts| starts >= self.ends) {
            return Err(bad("Failed to create silence: start time must be before end time"));
        }
        if self.ends < now {
            return Err(bad("Failed to create silence: end time can't be in the past"));
        }
        if self.matchers.iter().all(|matcher| matcher.operator().is_equal() && matcher.fits_value("")) {
            return Err(bad("invalid silence: at least one matcher must not match the empty string"));
        }
        for (name, text) in [("createdBy", &self.created_by), ("comment", &self.comment)] {
            if text.trim().is_empty() {
                return Err(bad(format!(
                    "invalid silence: {name} is empty, and somebody must be able to ask why it is quiet"
                )));
            }
        }
        Ok(self)
    }

    /// What it says, to tell it from others of the same moment.
    pub(super) fn says(&self) -> String {
        let matchers: Vec<_> = self.matchers.iter().map(alertmanager::written).collect();
        format!("{} {} {} {}", matchers.join(","), self.ends, self.created_by, self.comment)
    }

    /// It, under this name. It begins now at the earliest, unless it changes one that began before.
    pub(super) fn into_silence(self, id: String, now: Timestamp) -> Silence {
        let changes = !self.id.is_empty();
        let from = self.starts.unwrap_or(now);
        Silence {
            id,
            matchers: self.matchers,
            looks_at: LooksAt::Posted,
            from: if changes { from } else { from.max(now) },
            until: self.ends,
            owner: self.created_by,
            reason: self.comment,
            updated: now,
        }
    }
}

fn required(name: &str) -> Refused {
    Refused::Coded(Coded(602, format!("{name} in body is required")))
}

fn unparsed(cause: &str) -> Refused {
    Refused::Coded(Coded(400, format!("parsing silence body from \"\" failed, because {cause}")))
}

fn noun(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn text(fields: &Map<String, Value>, name: &str) -> Result<Option<String>, Refused> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(unparsed(&format!("{name} is {}, not a string", noun(other)))),
    }
}

fn flag(fields: &Map<String, Value>, name: &str) -> Result<Option<bool>, Refused> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(other) => Err(unparsed(&format!("{name} is {}, not true or false", noun(other)))),
    }
}

fn time(text: &str) -> Result<Option<Timestamp>, Refused> {
    posting::time(text).map_err(|text| unparsed(&format!("{text:?} is no time")))
}

/// A matcher as it was sent.
struct Given {
    name: Option<String>,
    value: Option<String>,
    is_regex: Option<bool>,
    is_equal: Option<bool>,
}

fn given_matchers(fields: &Map<String, Value>) -> Result<Option<Vec<Given>>, Refused> {
    let list = match fields.get("matchers") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(list)) => list,
        Some(other) => return Err(unparsed(&format!("matchers is {}, not a list", noun(other)))),
    };
    let read = |value: &Value| match value {
        Value::Object(fields) => Ok(Given {
            name: text(fields, "name")?,
            value: text(fields, "value")?,
            is_regex: flag(fields, "isRegex")?,
            is_equal: flag(fields, "isEqual")?,
        }),
        other => Err(unparsed(&format!("a matcher is {}, not an object", noun(other)))),
    };
    list.iter().map(read).collect::<Result<_, _>>().map(Some)
}

fn matchers(given: Option<Vec<Given>>) -> Result<Vec<Matcher>, Refused> {
    let given = given.ok_or_else(|| required("matchers"))?;
    if given.is_empty() {
        return Err(Refused::Coded(Coded(612, "matchers in body should have at least 1 items".to_owned())));
    }
    for (at, given) in given.iter().enumerate() {
        let missing =
            [("isRegex", given.is_regex.is_none()), ("name", given.name.is_none()), ("value", given.value.is_none())];
        if let Some((name, _)) = missing.into_iter().find(|(_, missing)| *missing) {
            return Err(required(&format!("matchers.{at}.{name}")));
        }
    }
    given.into_iter().enumerate().map(|(at, given)| matcher(at, given)).collect()
}

fn matcher(at: usize, given: Given) -> Result<Matcher, Refused> {
    let (name, value) = (given.name.unwrap_or_default(), given.value.unwrap_or_default());
    if name.is_empty() {
        return Err(bad(format!("invalid silence: invalid label matcher {at}: invalid label name \"\"")));
    }
    let operator = Operator::of(given.is_equal.unwrap_or(true), given.is_regex.unwrap_or(false));
    Matcher::new(name, operator, value.clone()).map_err(|error| {
        bad(format!(
            "invalid silence: invalid label matcher {at}: invalid regular expression {value:?}: error parsing regexp: {}: `{value}`",
            error.help
        ))
    })
}
