//! Mending: the history's row of segments after damage, and records written anew.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::ops::Not;
use std::path::Path;

use super::damage::{Damage, Loss, Quarantine};
use super::durable::Marks;
use super::error::{Saying, StoreError};
use super::history::{self, History, Segment, Survey};
use super::look::{Places, Records};
use super::snapshot::Writer;
use crate::domain::Change;

/// Writes all records, in order of key, in parts of about `part` bytes.
pub(super) fn write_records(writer: &mut Writer, records: &Records, part: usize) -> io::Result<()> {
    let mut keys: Vec<_> = records.keys().collect();
    keys.sort_unstable();
    let (mut changes, mut size) = (Vec::new(), 0);
    for key in keys {
        let value = records.get(key).cloned();
        size += key.len() + value.as_ref().map_or(0, Vec::len);
        changes.push(Change { key: key.clone(), value });
        if size >= part {
            writer.add(&changes)?;
            changes.clear();
            size = 0;
        }
    }
    writer.add(&changes)
}

/// Checks the row of segments and mends it; what was damaged is kept and told.
///
/// `held` is the earliest event that the journal still has: events missing at the end of the history are not lost
/// when the journal has them.
pub(super) fn history(
    places: &Places,
    quarantine: &Quarantine,
    mut surveys: Vec<Survey>,
    marks: &Marks,
    held: Option<u64>,
) -> Result<(History, Vec<Damage>), StoreError> {
    let expected = (marks.history_from < marks.history_until).then_some(marks.history_from);
    let mut row = Row { dir: &places.history, told: Vec::new(), segments: VecDeque::new(), until: expected };
    for survey in &mut surveys {
        row.put_away(quarantine, survey)?;
    }
    surveys.sort_by_key(|survey| survey.blocks.first().map(|block| block.index));
    for survey in surveys {
        row.add(&survey)?;
    }
    let until = row.until.unwrap_or(marks.history_until);
    if until < marks.history_until && held.is_none_or(|held| held > until) {
        row.missing(&places.history, until, marks.history_until);
    }
    Ok((History::new(places.history.clone(), row.segments, until), row.told))
}

struct Row<'a> {
    dir: &'a Path,
    told: Vec<Damage>,
    segments: VecDeque<Segment>,
    /// The event number that the next block should follow; `None` = any.
    until: Option<u64>,
}

impl Row<'_> {
    /// Moves a damaged segment into the quarantine; its good blocks are read from there.
    fn put_away(&mut self, quarantine: &Quarantine, survey: &mut Survey) -> Result<(), StoreError> {
        let misnamed = survey.blocks.first().is_some_and(|first| survey.path != history::path(self.dir, first.index));
        let disordered = survey.blocks.is_sorted_by(|one, next| one.until <= next.index).not();
        let what = match survey.wrong {
            Some(what) => what,
            None if survey.blocks.is_empty() => "it is empty",
            None if misnamed => "its name does not fit its events",
            None if disordered => "its blocks are not in order",
            None => return Ok(()),
        };
        let place = survey.path.clone();
        let kept = quarantine.take(&place, "history").saying("quarantine", &place)?;
        survey.path = kept.join(place.file_name().unwrap_or_default());
        let good = survey.blocks.len();
        let means = format!("its {good} good blocks were written anew; if events are missing, that is told, too");
        let what = format!("a history segment: {what}");
        let damage = Damage { what, place, means, loss: Loss::Nothing, kept: Some(kept) };
        Quarantine::label(&damage);
        self.told.push(damage);
        Ok(())
    }

    /// Takes the blocks of a segment that go on with the row.
    fn add(&mut self, survey: &Survey) -> Result<(), StoreError> {
        let Some(first) = survey.blocks.first() else { return Ok(()) };
        let path = history::path(self.dir, first.index);
        let mut anew = survey.path != path;
        let mut good = Vec::new();
        for block in &survey.blocks {
            let until = self.until.unwrap_or(block.follows);
            if block.index < until {
                // It stands twice (which was told), or is older than what is kept: its removal was interrupted.
                anew = true;
                continue;
            }
            if block.follows > until {
                self.missing(&path, until, block.follows);
                anew = true;
            }
            good.push((block.index, block.follows.min(until)));
            self.until = Some(block.until);
        }
        if anew {
            let rewritten = history::rewrite(&survey.path, &path, &good)?;
            self.segments.extend(rewritten);
        } else {
            self.segments.extend(survey.segment(path));
        }
        Ok(())
    }

    fn missing(&mut self, place: &Path, from: u64, until: u64) {
        self.told.push(Damage {
            what: format!("the events from {from} to {} are missing in the history", until - 1),
            place: place.to_owned(),
            means: "what-if and digests do not see them; what was decided about them stands".into(),
            loss: Loss::History,
            kept: None,
        });
    }
}

/// Whether a directory has nothing in it, or is not there.
pub(super) fn is_empty(dir: &Path) -> io::Result<bool> {
    match fs::read_dir(dir) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}
