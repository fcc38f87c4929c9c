//! The bounds of an event's fields, kept for every format.
//!
//! What is too long is cut, with a warning, and never refused: an alert with a monstrous label is still an alert.
//! A name that is cut keeps the fingerprint of the whole, so that two long names stay two.

use crate::domain::{Event, Fingerprint};

use super::Warning;

/// The longest name (source, service, host, check, unit, keys, label names), in characters.
const NAME: usize = 1_000;
/// The longest text (summary, URLs, label values), in characters.
const TEXT: usize = 10_000;
/// The most labels.
const LABELS: usize = 100;

/// Cuts what is too long, and warns of each.
pub(super) fn bound(event: &mut Event, index: usize, warnings: &mut Vec<Warning>) {
    let mut warn = |path: &str, message: String| {
        warnings.push(Warning::new(index, path, message));
    };
    for (path, name) in [
        ("source", Some(&mut event.source)),
        ("check", Some(&mut event.check)),
        ("service", event.service.as_mut()),
        ("host", event.host.as_mut()),
        ("unit", event.unit.as_mut()),
        ("dedup_key", event.dedup_key.as_mut()),
        ("identity", event.identity.as_mut()),
    ] {
        if name.is_some_and(cut_name) {
            warn(path, format!("cut to {NAME} characters, with the fingerprint of the whole at its end"));
        }
    }
    for (path, text) in
        [("summary", event.summary.as_mut()), ("url", event.url.as_mut()), ("runbook_url", event.runbook_url.as_mut())]
    {
        if text.is_some_and(|text| cut(text, TEXT)) {
            warn(path, format!("cut to {TEXT} characters"));
        }
    }
    let count = event.labels.len();
    if count > LABELS {
        event.labels = std::mem::take(&mut event.labels).into_iter().take(LABELS).collect();
        warn("labels", format!("{count} labels: only the first {LABELS} in order of name are kept"));
    }
    if event.labels.keys().any(|name| name.len() > NAME) {
        event.labels.retain(|name, _| name.chars().nth(NAME).is_none());
        warn("labels", format!("labels with names longer than {NAME} characters are dropped"));
    }
    for (name, value) in &mut event.labels {
        if cut(value, TEXT) {
            warn(&format!("labels.{name}"), format!("cut to {TEXT} characters"));
        }
    }
}

fn cut_name(name: &mut String) -> bool {
    if name.len() <= NAME || name.chars().nth(NAME).is_none() {
        return false;
    }
    let whole = Fingerprint::of(&[name]);
    cut(name, NAME - 17);
    name.push_str(&format!("~{whole}"));
    true
}

fn cut(text: &mut String, limit: usize) -> bool {
    if text.len() <= limit {
        return false;
    }
    let Some((end, _)) = text.char_indices().nth(limit) else { return false };
    text.truncate(end);
    true
}
