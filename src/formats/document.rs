//! A JSON document read by paths: for tools whose bodies come in many shapes and few a minute, where a tree of values
//! costs nothing that matters.

use std::borrow::Cow;

use serde_json::Value;

use crate::domain::{Event, Timestamp};

use super::{FormatError, Rejected, instant, split};

/// A JSON value and what is asked of it. Paths are JSON pointers (`/data/event/title`, RFC 6901).
#[derive(Clone, Debug, Default)]
pub(super) struct Document(Value);

impl Document {
    /// Reads a body that must be JSON.
    pub(super) fn read(bytes: &[u8], tool: &'static str, help: &str) -> Result<Self, FormatError> {
        serde_json::from_slice(split::trimmed(bytes))
            .map(Self)
            .map_err(|error| FormatError::new(tool, error.to_string(), help))
    }

    /// Takes the part at `path` out as a document of its own.
    pub(super) fn part(&mut self, path: &str) -> Option<Self> {
        self.0.pointer_mut(path).filter(|value| !value.is_null()).map(|value| Self(value.take()))
    }

    /// What stands at `path`, unless it is `null`.
    pub(super) fn at(&self, path: &str) -> Option<&Value> {
        self.0.pointer(path).filter(|value| !value.is_null())
    }

    /// The text at the first of `paths` that has some. Numbers and truths count as their text, lists as their first
    /// element; blanks and `N/A` (a variable without value) count as nothing.
    pub(super) fn text(&self, paths: &[&str]) -> Option<Cow<'_, str>> {
        paths.iter().filter_map(|path| self.at(path)).find_map(scalar)
    }

    /// As [`Self::text`], owned.
    pub(super) fn owned(&self, paths: &[&str]) -> Option<String> {
        self.text(paths).map(Cow::into_owned)
    }

    /// The time at the first of `paths` that has one.
    pub(super) fn time(&self, paths: &[&str]) -> Option<Timestamp> {
        paths.iter().find_map(|path| instant::lenient(&self.text(&[path])?))
    }

    /// Copies scalars into labels: (path, label).
    pub(super) fn label(&self, event: &mut Event, wanted: &[(&str, &str)]) {
        for (path, label) in wanted {
            if let Some(text) = self.owned(&[path]) {
                event.labels.insert((*label).to_owned(), text);
            }
        }
    }
}

fn scalar(value: &Value) -> Option<Cow<'_, str>> {
    let text = match value {
        Value::String(text) => Cow::Borrowed(text.trim()),
        Value::Number(number) => Cow::Owned(number.to_string()),
        Value::Bool(truth) => Cow::Borrowed(if *truth { "true" } else { "false" }),
        Value::Array(list) => return list.iter().find_map(scalar),
        Value::Null | Value::Object(_) => return None,
    };
    (!text.is_empty() && text != "N/A").then_some(text)
}

/// The one event of a body cannot be read.
pub(super) fn rejected(path: &str, message: impl Into<String>, help: &str) -> Rejected {
    Rejected { index: 0, path: path.to_owned(), message: message.into(), help: Some(help.to_owned()) }
}
