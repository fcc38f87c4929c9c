//! A digest without personal data: it goes by mail, and lies in files.
//!
//! Foreign texts are masked before they are put into words, and so before they are cut to length; what stands in words and in
//! JSON is looked at once more, for the names of silences. Hosts and services stay, wherever they stand.

use std::sync::Arc;

use serde_json::Value;

use super::gather::Gathered;
use super::paper::Paper;
use super::proposal::{Proposal, Proposals};
use crate::domain::mask::Mask;

/// What is masked, and which names are not.
pub(super) struct Hidden<'m> {
    mask: &'m Mask,
    keep: Vec<&'m str>,
}

impl<'m> Hidden<'m> {
    pub(super) fn new(mask: &'m Mask, gathered: &'m Gathered) -> Self {
        Self { mask, keep: gathered.names.iter().map(String::as_str).collect() }
    }

    fn text(&self, text: &str) -> String {
        self.mask.text(text, &self.keep).into_owned()
    }

    pub(super) fn gathered(&self, gathered: &Gathered) -> Gathered {
        let mut told = gathered.clone();
        let shown = |name: &Arc<str>| Arc::<str>::from(self.text(name));
        let extract = &mut told.extract;
        extract.chapters.iter_mut().for_each(|chapter| chapter.title = self.text(&chapter.title));
        extract.talks.iter_mut().for_each(|talk| talk.series = shown(&talk.series));
        extract.near.iter_mut().for_each(|near| near.series = shown(&near.series));
        extract.flaps.iter_mut().for_each(|flap| flap.series = shown(&flap.series));
        extract.fresh.iter_mut().for_each(|check| *check = shown(check));
        told.new_sources.iter_mut().for_each(|source| *source = self.text(source));
        for silence in &mut told.silences {
            (silence.owner, silence.reason) = (self.text(&silence.owner), self.text(&silence.reason));
        }
        told
    }

    pub(super) fn proposals(&self, proposals: &Proposals) -> Proposals {
        let change = |change: &Proposal| Proposal {
            words: self.text(&change.words),
            lost: change.lost.iter().map(|title| self.text(title)).collect(),
            pages: change.pages,
        };
        let changes = proposals.changes.iter().map(change).collect();
        Proposals { changes, patch: self.text(&proposals.patch), ..proposals.clone() }
    }

    pub(super) fn paper(&self, mut paper: Paper) -> Paper {
        for row in paper.sections.iter_mut().flat_map(|section| &mut section.rows) {
            row.head = self.text(&row.head);
            row.notes.iter_mut().for_each(|note| *note = self.text(note));
        }
        paper
    }

    pub(super) fn json(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.json(item)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.json(field)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}
