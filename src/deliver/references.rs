//! By what name each service knows the message of an incident, so that the message can be changed and answered later.
//!
//! One file of JSON lines beside the store. A line is on the disk before the delivery is reported, and the outbox
//! keeps its row until then: after a crash in between, the message is sent once more, under a new name. So the worst
//! that this file can do, lost or damaged, is an additional message. Deliberately not in the store: nothing is decided
//! by it.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::domain::IncidentSummary;
use crate::sinks::Known;
use crate::sinks::letter::incident_key;

/// So many incidents are remembered, over all receivers; the oldest are forgotten first.
const MOST: usize = 2_000;

/// What the services know. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct References(Arc<Mutex<Shelf>>);

#[derive(Debug, Default)]
struct Shelf {
    known: BTreeMap<(String, String), (u64, Known)>,
    /// Counts what was kept, so that the oldest is known.
    count: u64,
    lines: usize,
    /// `None` = nothing is written down.
    path: Option<PathBuf>,
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
struct Row {
    receiver: String,
    incident: String,
    #[serde(flatten)]
    known: Known,
}

impl References {
    /// Reads the file, which need not exist. Lines that cannot be read are left out.
    ///
    /// # Errors
    /// When the file exists and cannot be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut shelf = Shelf { path: Some(path.to_owned()), ..Shelf::default() };
        match File::open(path) {
            Ok(file) => {
                for line in BufReader::new(file).split(b'\n') {
                    shelf.lines += 1;
                    if let Ok(row) = serde_json::from_slice::<Row>(&line?) {
                        shelf.insert(row);
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(Self(Arc::new(Mutex::new(shelf))))
    }

    /// The message of an incident at a receiver.
    pub(super) fn known(&self, receiver: &str, incident: &IncidentSummary) -> Option<Known> {
        let key = (receiver.to_owned(), incident_key(incident));
        self.shelf().known.get(&key).map(|(_, known)| known.clone())
    }

    /// Keeps it. That it cannot be written down costs an additional message after a restart, and is logged.
    pub(super) async fn keep(&self, receiver: &str, incident: &IncidentSummary, known: Known) {
        let row = Row { receiver: receiver.to_owned(), incident: incident_key(incident), known };
        let shared = self.clone();
        let written = tokio::task::spawn_blocking(move || shared.shelf().keep(row)).await;
        if let Ok(Err(error)) = written {
            tracing::warn!(%error, receiver, "the name of a message could not be written down: after a restart its changes come as a new message");
        }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    fn insert(&mut self, row: Row) {
        self.count += 1;
        self.known.insert((row.receiver, row.incident), (self.count, row.known));
        if self.known.len() > MOST
            && let Some(oldest) = self.known.iter().min_by_key(|(_, (count, _))| *count).map(|(key, _)| key.clone())
        {
            self.known.remove(&oldest);
        }
    }

    fn keep(&mut self, row: Row) -> io::Result<()> {
        let mut line = serde_json::to_vec(&row)?;
        line.push(b'\n');
        self.insert(row);
        let Some(path) = &self.path else { return Ok(()) };
        if self.lines > 2 * MOST {
            return self.write_anew();
        }
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        // A line that was torn by a crash must not swallow the next one.
        if file.metadata()?.len() > 0 {
            line.insert(0, b'\n');
        }
        file.write_all(&line)?;
        self.lines += 1;
        file.sync_data()
    }

    /// Leaves out what is forgotten: a new file takes the place of the old one.
    fn write_anew(&mut self) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let mut rows: Vec<_> = self.known.iter().collect();
        rows.sort_by_key(|(_, (count, _))| *count);
        let beside = path.with_extension("new");
        let mut file = File::create(&beside)?;
        for ((receiver, incident), (_, known)) in rows {
            let row = Row { receiver: receiver.clone(), incident: incident.clone(), known: known.clone() };
            serde_json::to_writer(&mut file, &row)?;
            file.write_all(b"\n")?;
        }
        file.sync_all()?;
        std::fs::rename(&beside, path)?;
        self.lines = self.known.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{IncidentId, Origin, Severity, Timestamp};

    fn incident(number: u64) -> IncidentSummary {
        IncidentSummary {
            incident: IncidentId(number),
            opened: Timestamp::from_millis(5),
            paged: None,
            resolved: None,
            acknowledged: None,
            severity: Severity::Error,
            title: String::new(),
            services: Vec::new(),
            hosts: Vec::new(),
            checks: Vec::new(),
            origin: Origin::default(),
            alerts: 1,
            moments: Vec::new(),
        }
    }

    fn named(id: &str) -> Known {
        Known { id: id.to_owned(), page: None }
    }

    #[tokio::test]
    async fn names_outlive_a_restart_and_a_torn_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("messages.jsonl");
        let first = References::open(&path).unwrap();
        first.keep("chat", &incident(1), named("a")).await;
        first.keep("chat", &incident(2), named("b")).await;
        std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"receiver\":\"ch").unwrap();
        let again = References::open(&path).unwrap();
        again.keep("chat", &incident(3), named("c")).await;
        let again = References::open(&path).unwrap();
        let found = [1, 2, 3, 4].map(|number| again.known("chat", &incident(number)).map(|known| known.id));
        assert_eq!(found, [Some("a".to_owned()), Some("b".to_owned()), Some("c".to_owned()), None]);
        assert_eq!(again.known("other", &incident(1)), None);
    }

    #[test]
    fn the_oldest_are_forgotten_and_the_file_stays_small() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("messages.jsonl");
        let mut shelf = Shelf { path: Some(path.clone()), lines: 2 * MOST + 1, ..Shelf::default() };
        let row = |number: usize| Row { receiver: "chat".into(), incident: number.to_string(), known: named("x") };
        for number in 0..MOST + 10 {
            shelf.insert(row(number));
        }
        shelf.keep(row(MOST + 10)).unwrap();
        let again = References::open(&path).unwrap();
        let known = &again.shelf().known;
        assert_eq!((known.len(), shelf.lines), (MOST, MOST));
        assert!(!known.contains_key(&("chat".to_owned(), "10".to_owned())));
        assert!(known.contains_key(&("chat".to_owned(), "11".to_owned())));
    }
}
