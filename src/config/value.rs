//! Values that were read and found good, each with its place.
//!
//! Deliberately looked up by key and form: what is absent, was wrong, or has another form is `None`; whoever lowers
//! them has nothing left to report about forms.

use std::collections::BTreeMap;
use std::time::Duration;

use super::findings::Spot;
use crate::domain::Timestamp;
use crate::domain::matcher::Matcher;
use crate::domain::policy::Pace;

/// A good value.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) spot: Spot,
    /// The path of the field, such as `rules[2].flap.enter`.
    pub(super) path: String,
    pub(super) value: Value,
}

/// What it is.
#[derive(Debug)]
pub(super) enum Value {
    Text(String),
    Flag(bool),
    Number(f64),
    Whole(u64),
    Duration(Duration),
    Pace(Pace),
    Matcher(Matcher),
    Time(Timestamp),
    /// From and to, as minutes of the day.
    Hours((u16, u16)),
    /// From and to.
    Range((i32, i32)),
    /// How many, and the word of what they are counted by.
    Allowance((u32, &'static str)),
    List(Vec<Checked>),
    Record(Record),
    Map(Vec<(String, Checked)>),
}

/// The known keys of a map.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) fields: BTreeMap<&'static str, Checked>,
}

impl Checked {
    /// The record that it is; an empty one when it is none.
    pub(super) fn record(&self) -> &Record {
        const EMPTY: &Record = &Record { fields: BTreeMap::new() };
        if let Value::Record(record) = &self.value { record } else { EMPTY }
    }

    /// The entries, when it is a list.
    pub(super) fn items(&self) -> &[Self] {
        if let Value::List(items) = &self.value { items } else { &[] }
    }

    /// The text that it is; empty when it is none.
    pub(super) fn text(&self) -> &str {
        if let Value::Text(text) = &self.value { text } else { "" }
    }
}

impl Record {
    /// The value at a key.
    pub(super) fn get(&self, key: &str) -> Option<&Checked> {
        self.fields.get(key)
    }

    /// The record at a key.
    pub(super) fn record(&self, key: &str) -> Option<&Self> {
        self.get(key).map(Checked::record)
    }

    /// The entries of the list at a key.
    pub(super) fn items(&self, key: &str) -> &[Checked] {
        self.get(key).map_or(&[], Checked::items)
    }

    /// The text at a key.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.get(key).map(Checked::text)
    }

    /// The flag at a key.
    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        if let Value::Flag(flag) = self.get(key)?.value { Some(flag) } else { None }
    }

    /// The number at a key; a duration in seconds.
    pub(super) fn number(&self, key: &str) -> Option<f64> {
        match self.get(key)?.value {
            Value::Number(number) => Some(number),
            Value::Duration(span) => Some(span.as_secs_f64()),
            _ => None,
        }
    }

    /// The whole number at a key: a count, or a size in bytes.
    pub(super) fn whole(&self, key: &str) -> Option<u64> {
        if let Value::Whole(number) = self.get(key)?.value { Some(number) } else { None }
    }

    /// The duration at a key.
    pub(super) fn duration(&self, key: &str) -> Option<Duration> {
        if let Value::Duration(span) = self.get(key)?.value { Some(span) } else { None }
    }

    /// The pace at a key.
    pub(super) fn pace(&self, key: &str) -> Option<Pace> {
        if let Value::Pace(pace) = self.get(key)?.value { Some(pace) } else { None }
    }

    /// The time at a key.
    pub(super) fn time(&self, key: &str) -> Option<Timestamp> {
        if let Value::Time(time) = self.get(key)?.value { Some(time) } else { None }
    }

    /// The hours at a key, as minutes of the day.
    pub(super) fn hours(&self, key: &str) -> Option<(u16, u16)> {
        if let Value::Hours(hours) = self.get(key)?.value { Some(hours) } else { None }
    }

    /// The allowance at a key: how many, and the word of what they are counted by.
    pub(super) fn allowance(&self, key: &str) -> Option<(u32, &'static str)> {
        if let Value::Allowance(allowance) = self.get(key)?.value { Some(allowance) } else { None }
    }

    /// The paces in the list at a key; `None` = there is no such key.
    pub(super) fn paces(&self, key: &str) -> Option<Vec<Pace>> {
        let pace = |item: &Checked| if let Value::Pace(pace) = item.value { Some(pace) } else { None };
        Some(self.get(key)?.items().iter().filter_map(pace).collect())
    }

    /// The matchers in the list at a key.
    pub(super) fn matchers(&self, key: &str) -> Vec<Matcher> {
        let matcher =
            |item: &Checked| if let Value::Matcher(matcher) = &item.value { Some(matcher.clone()) } else { None };
        self.items(key).iter().filter_map(matcher).collect()
    }

    /// The spans of hours in the list at a key, as minutes of the day.
    pub(super) fn all_hours(&self, key: &str) -> Vec<(u16, u16)> {
        let hours = |item: &Checked| if let Value::Hours(hours) = item.value { Some(hours) } else { None };
        self.items(key).iter().filter_map(hours).collect()
    }

    /// The ranges in the list at a key.
    pub(super) fn ranges(&self, key: &str) -> Vec<(i32, i32)> {
        let range = |item: &Checked| if let Value::Range(range) = item.value { Some(range) } else { None };
        self.items(key).iter().filter_map(range).collect()
    }

    /// The places of the words in the list at a key among all words that may stand there.
    pub(super) fn places(&self, key: &str, words: &[&str]) -> Vec<usize> {
        self.items(key).iter().filter_map(|item| words.iter().position(|word| *word == item.text())).collect()
    }

    /// The texts in the list at a key.
    pub(super) fn texts(&self, key: &str) -> Vec<String> {
        self.items(key).iter().map(|item| item.text().to_owned()).collect()
    }

    /// The word at a key, as what it stands for.
    pub(super) fn word<T: std::str::FromStr>(&self, key: &str) -> Option<T> {
        self.text(key)?.parse().ok()
    }
}
