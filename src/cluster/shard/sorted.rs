//! The records of a partition, sorted by whose they are.

use std::collections::BTreeMap;

use crate::cluster::record::{Key, Row};
use crate::cluster::rules::{RuleFiles, Rules};
use crate::cluster::tenant::Head;
use crate::domain::Silence;

/// The records of a partition, by whose they are.
#[derive(Default)]
pub(super) struct Sorted {
    pub(super) next: Option<i64>,
    pub(super) rules: Option<Rules>,
    /// The first number that the partition gives itself.
    pub(super) first: u32,
    pub(super) silences: BTreeMap<String, Silence>,
    pub(super) scopes: BTreeMap<String, Kept>,
    pub(super) unreadable: Vec<String>,
}

/// The records of a scope.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) head: Option<Head>,
    pub(super) records: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Sorted {
    pub(super) fn take(&mut self, key: &[u8], value: Vec<u8>) {
        let taken = match Key::read(key) {
            Some(Key::Scope(scope, key)) => self.scope(scope, key, value),
            Some(Key::Shard(name)) => self.own(&name, value),
            None => Err("nobody of this cluster wrote it".to_owned()),
        };
        if let Err(why) = taken {
            self.unreadable.push(format!("record {}: {why}", key.escape_ascii()));
        }
    }

    fn scope(&mut self, scope: String, key: Vec<u8>, value: Vec<u8>) -> Result<(), String> {
        let kept = self.scopes.entry(scope).or_default();
        if key == [Key::HEAD] {
            kept.head = Some(Head::read(&value)?);
        } else {
            kept.records.push((key, value));
        }
        Ok(())
    }

    fn own(&mut self, name: &str, value: Vec<u8>) -> Result<(), String> {
        if let Some(id) = name.strip_prefix(Key::SILENCE) {
            let silence = serde_json::from_slice(&value).map_err(|error| error.to_string())?;
            self.silences.insert(id.to_owned(), silence);
        } else if name == Key::OFFSET {
            let read = Row::read_offset(&value);
            let no = || format!("`{}` is no offset", String::from_utf8_lossy(&value));
            self.next = Some(read.ok_or_else(no)?.0);
        } else if name == Key::SEATS {
            self.first = serde_json::from_slice(&value).map_err(|error| error.to_string())?;
        } else if name == Key::RULES {
            let files: RuleFiles = serde_json::from_slice(&value).map_err(|error| error.to_string())?;
            self.rules = Some(files.load()?);
        } else {
            return Err("its name is unknown: a newer version may have written it".to_owned());
        }
        Ok(())
    }
}
