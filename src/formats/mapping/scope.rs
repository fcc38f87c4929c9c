//! What the paths of one event look at, and how a value becomes text.

use std::borrow::Cow;

use serde_json::Value;

use super::path::Hit;

/// What the paths of one event look at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'v> {
    /// The element that becomes an event; the document itself where each body is one event.
    pub(super) element: &'v Value,
    /// Its key among the elements.
    pub(super) key: &'v str,
    /// All of the document.
    pub(super) document: &'v Value,
    /// The fields of the URL's query.
    pub(super) query: &'v Value,
    /// The body as it came.
    pub(super) text: &'v str,
}

impl<'v> Hit<'v> {
    /// It as text when it says something: scalars as they are written, of a list its first that says something, of a
    /// map with one value (`{"stringValue": "x"}`) that value. Blanks, `N/A` and the like say nothing.
    pub(super) fn text(self) -> Option<Cow<'v, str>> {
        match self {
            Self::Text(text) => said(text),
            Self::Value(value) => scalar(value),
        }
    }

    /// As [`Hit::text`], but all of a list, with commas between.
    pub(super) fn whole(self) -> Option<Cow<'v, str>> {
        match self {
            Self::Value(Value::Array(list)) => {
                let parts: Vec<Cow<'_, str>> = list.iter().filter_map(scalar).collect();
                (!parts.is_empty()).then(|| Cow::Owned(parts.join(", ")))
            }
            hit => hit.text(),
        }
    }
}

/// What tools write where they have nothing to say.
const NOTHING: &[&str] = &["n/a", "null", "none", "undefined", "-"];

fn said(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim();
    let nothing = text.is_empty() || NOTHING.iter().any(|word| word.eq_ignore_ascii_case(text));
    (!nothing).then_some(Cow::Borrowed(text))
}

/// The text of a scalar. Whole numbers are written without a fraction, however they came.
pub(super) fn scalar(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => said(text),
        Value::Number(number) => Some(Cow::Owned(match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e15 => format!("{float:.0}"),
            _ => number.to_string(),
        })),
        Value::Bool(truth) => Some(Cow::Borrowed(if *truth { "true" } else { "false" })),
        Value::Array(list) => list.iter().find_map(scalar),
        Value::Object(map) if map.len() == 1 => map.values().next().filter(|value| !value.is_object()).and_then(scalar),
        Value::Null | Value::Object(_) => None,
    }
}
