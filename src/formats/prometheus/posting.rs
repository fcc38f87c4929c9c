//! A POST to `/api/v2/alerts`, read as strictly as Alertmanager reads it: the same bodies are refused, with the same
//! status, and of a body with a bad alert the good ones are taken, as there.
//!
//! Deliberately the only place that minds; `/ingest/prometheus` takes whatever can be understood.

use std::time::Duration;

use serde::Deserialize;

use super::{Alert, Around, Texts};
use crate::domain::{Event, Timestamp};
use crate::formats::scalar::Scalar;
use crate::formats::{Parsed, instant};

/// What became of a body that could be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Postings {
    /// The good alerts.
    pub events: Vec<Event>,
    /// What is wrong with each of the others, in Alertmanager's words.
    pub refused: Vec<String>,
}

/// A body of which nothing is taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unreadable {
    /// The code in the answer; from 600 on it is one of OpenAPI's, and the status is 422.
    pub code: u16,
    /// What is wrong.
    pub message: String,
}

/// Reads a body that arrived at `received`. An alert without an end ends `resolve_timeout` later unless it is sent
/// again.
///
/// # Errors
/// When the body is not what Alertmanager's API takes; nothing is taken then.
pub fn read(bytes: &[u8], received: Timestamp, resolve_timeout: Duration) -> Result<Postings, Unreadable> {
    if bytes.is_empty() {
        return Err(Unreadable { code: 602, message: "alerts in body is required".to_owned() });
    }
    // What follows the first value is ignored, as there.
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let alerts = Option::<Vec<Alert<'_>>>::deserialize(&mut reader).map_err(|error| unparsed(&error.to_string()))?;
    let alerts = alerts.unwrap_or_default();
    let mut times = Vec::with_capacity(alerts.len());
    for (index, alert) in alerts.iter().enumerate() {
        times.push(check_form(alert)?);
        check_schema(index, alert)?;
    }
    let mut postings = Postings { events: Vec::with_capacity(alerts.len()), refused: Vec::new() };
    let around = Around { source: super::FORMAT.name, received, group_resolved: false };
    let mut parsed = Parsed::default();
    for ((index, alert), times) in alerts.into_iter().enumerate().zip(times) {
        match Span::of(times, received, resolve_timeout).and_then(|span| check_texts(&alert).map(|()| span)) {
            Ok(span) => add(alert, (index, around), span, &mut parsed),
            Err(refused) => postings.refused.push(refused.to_owned()),
        }
    }
    postings.events = parsed.events;
    Ok(postings)
}

fn add(mut alert: Alert<'_>, (index, around): (usize, Around), span: Span, parsed: &mut Parsed) {
    // There is no such field in the API, and it must not decide anything.
    alert.status = Scalar::Null;
    let before = parsed.events.len();
    alert.add(index, around, parsed);
    for event in &mut parsed.events[before..] {
        let ends = Some(span.ends).filter(|ends| *ends > around.received);
        event.ends = ends;
        if ends.is_none() {
            // The last word counts, as in Alertmanager, even when it says that the alert ended before it was heard of.
            event.ts = Some(around.received);
        }
        if let Some(posted) = &mut event.posted {
            (posted.starts, posted.ends, posted.timeout) = (Some(span.starts), ends, span.timeout);
        }
    }
}

fn unparsed(cause: &str) -> Unreadable {
    Unreadable { code: 400, message: format!("parsing alerts body from \"\" failed, because {cause}") }
}

/// The first and the last moment that an alert tells.
type Times = (Option<Timestamp>, Option<Timestamp>);

/// What Alertmanager's reader of JSON minds; the times of the alert, where it minds nothing.
fn check_form(alert: &Alert<'_>) -> Result<Times, Unreadable> {
    let odd = |texts: &Option<Texts<'_>>| texts.as_ref().and_then(Texts::odd);
    for (name, odd) in [("labels", odd(&alert.labels)), ("annotations", odd(&alert.annotations))] {
        if let Some(noun) = odd {
            return Err(unparsed(&format!("a value of {name} is {noun}, not a string")));
        }
    }
    for (name, value) in
        [("startsAt", &alert.starts_at), ("endsAt", &alert.ends_at), ("generatorURL", &alert.generator_url)]
    {
        if !matches!(value, Scalar::Null | Scalar::Text(_)) {
            return Err(unparsed(&format!("{name} is {}, not a string", value.noun())));
        }
    }
    let when =
        |name: &str, value: &Scalar<'_>| when(value).map_err(|text| unparsed(&format!("{name} is no time: {text:?}")));
    Ok((when("startsAt", &alert.starts_at)?, when("endsAt", &alert.ends_at)?))
}

/// What its OpenAPI description minds.
fn check_schema(index: usize, alert: &Alert<'_>) -> Result<(), Unreadable> {
    if let Scalar::Text(url) = &alert.generator_url
        && !url.is_empty()
        && !is_request_uri(url)
    {
        let message = format!("{index}.generatorURL in body must be of type uri: {url:?}");
        return Err(Unreadable { code: 601, message });
    }
    if alert.labels.is_none() {
        return Err(Unreadable { code: 602, message: format!("{index}.labels in body is required") });
    }
    Ok(())
}

/// What its own check of an alert minds.
fn check_texts(alert: &Alert<'_>) -> Result<(), &'static str> {
    let given = |texts: &Option<Texts<'_>>, all: bool, wanted: fn(&str) -> bool| {
        texts.iter().flat_map(Texts::iter).any(|(name, value)| (all || !value.is_empty()) && wanted(name))
    };
    if !given(&alert.labels, false, |_| true) {
        return Err("at least one label pair required");
    }
    if given(&alert.labels, false, str::is_empty) {
        return Err("invalid label set: invalid name \"\"");
    }
    if given(&alert.annotations, true, str::is_empty) {
        return Err("invalid annotations: invalid name \"\"");
    }
    Ok(())
}

/// From when to when an alert fires.
#[derive(Clone, Copy, Debug)]
struct Span {
    starts: Timestamp,
    ends: Timestamp,
    timeout: bool,
}

impl Span {
    fn of((starts, ends): Times, received: Timestamp, resolve_timeout: Duration) -> Result<Self, &'static str> {
        let starts = starts.or(ends).unwrap_or(received);
        let timeout = ends.is_none();
        let ends = ends.unwrap_or(received + resolve_timeout);
        if ends < starts { Err("start time must be before end time") } else { Ok(Self { starts, ends, timeout }) }
    }
}

fn when(value: &Scalar<'_>) -> Result<Option<Timestamp>, String> {
    let Scalar::Text(text) = value else { return Ok(None) };
    time(text)
}

/// A time as Alertmanager reads it: `None` for Go's zero time, the epoch for an empty text, and a day alone.
///
/// # Errors
/// The text, when it is no time.
pub fn time(text: &str) -> Result<Option<Timestamp>, String> {
    if text.is_empty() {
        return Ok(Some(Timestamp::EPOCH));
    }
    let day = |text: &str| instant::rfc3339(&format!("{text}T00:00:00Z"));
    match instant::rfc3339(text).or_else(|| day(text)) {
        Some(at) => Ok(Some(at)),
        None if text.starts_with("0001-01-01T00:00:00") => Ok(None),
        None if text.parse::<jiff::Timestamp>().is_ok_and(|at| at < jiff::Timestamp::UNIX_EPOCH) => {
            Ok(Some(Timestamp::EPOCH))
        }
        None => Err(text.chars().take(60).collect()),
    }
}

/// Whether Go's `url.ParseRequestURI` takes it: a path from the root, or anything with a scheme.
fn is_request_uri(text: &str) -> bool {
    if text.chars().any(|c| c.is_ascii_control()) {
        return false;
    }
    if text.starts_with('/') {
        return true;
    }
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let named = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let authority = rest.strip_prefix("//").map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    named && !authority.is_some_and(|host| host.contains(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

    fn read(body: &str) -> Result<Postings, (u16, String)> {
        let timeout = Duration::from_secs(300);
        super::read(body.as_bytes(), NOW, timeout).map_err(|error| (error.code, error.message))
    }

    #[test]
    fn one_bad_alert_leaves_the_good_ones() {
        let read =
            read(r#"[{"labels":{"alertname":"A"}},{"labels":{}},{"labels":{"alertname":"B","gone":""}}]"#).unwrap();
        let names: Vec<_> = read.events.iter().map(|event| event.check.as_str()).collect();
        assert_eq!((names, read.refused), (vec!["A", "B"], vec!["at least one label pair required".to_owned()]));
        let posted = read.events[1].posted.as_ref().unwrap();
        assert_eq!(posted.text.labels().count(), 1);
        assert_eq!((posted.timeout, posted.ends), (true, Some(NOW + Duration::from_secs(300))));
    }

    #[test]
    fn bodies_are_refused_as_alertmanager_does() {
        for (body, code, message) in [
            ("", 602, "alerts in body is required"),
            ("[{}]", 602, "0.labels in body is required"),
            ("{}", 400, "parsing alerts body"),
            ("[null]", 400, "parsing alerts body"),
            (r#"[{"labels":{"a":1}}]"#, 400, "parsing alerts body"),
            (r#"[{"labels":{"a":"b"},"startsAt":"foo"}]"#, 400, "parsing alerts body"),
            (r#"[{"labels":{"a":"b"},"generatorURL":"foo bar"}]"#, 601, "0.generatorURL in body must be of type uri"),
        ] {
            let refused = read(body).unwrap_err();
            assert!(refused.0 == code && refused.1.starts_with(message), "{body}: {refused:?}");
        }
        for body in ["null", "[]", r#"[{"labels":{"a":"b"}}] and more"#] {
            assert!(read(body).is_ok(), "{body}");
        }
    }

    #[test]
    fn an_end_that_has_passed_resolves() {
        let read = read(r#"[{"labels":{"a":"b"},"endsAt":"2019-01-01T00:00:00Z"}]"#).unwrap();
        assert_eq!((read.events[0].status, read.events[0].ends), (crate::domain::Status::Resolved, None));
        assert!(read.events[0].posted.is_none());
    }
}
