//! What is open and what is heard: the first page of the console.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::incidents::by_urgency;
use super::sums::Sums;
use crate::domain::{IncidentSummary, SourceView, Tally, Timestamp};
use crate::inbox::numbered::{Numbered, Renamed};
use crate::inbox::question::Question;
use crate::inbox::view::View;

/// What is open, most urgent first, what was over last, the sums and the sources.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Now {
    /// So many open incidents are told.
    pub open: usize,
    /// So many of those that are over.
    pub over: usize,
}

/// What [`Now`] is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// When.
    pub now: Timestamp,
    /// Whether nobody is paged.
    pub shadow: bool,
    /// The open incidents, most urgent first.
    pub open: Vec<IncidentSummary>,
    /// How many more are open.
    pub more: usize,
    /// The latest of those that are over, latest first.
    pub closed: Vec<IncidentSummary>,
    /// The sums.
    pub tally: Tally,
    /// The sources, in order of name.
    pub sources: Vec<SourceView>,
}

impl Numbered for Now {}

impl Numbered for Standing {
    fn number(&mut self, renamed: Renamed<'_>) {
        self.open.number(renamed);
        self.closed.number(renamed);
    }
}

impl Question for Now {
    const NAME: &'static str = "now";
    type Answer = Standing;

    fn answer(&self, view: &View<'_>) -> Standing {
        let (mut open, closed) = view.latest_incidents(self.over);
        open.sort_by(|a, b| by_urgency(a, b));
        let more = open.len().saturating_sub(self.open);
        open.truncate(self.open);
        Standing {
            now: view.engine.now(),
            shadow: view.engine.policy().shadow,
            open: open.into_iter().cloned().collect(),
            more,
            closed: closed.into_iter().cloned().collect(),
            tally: Sums.answer(view),
            sources: view.engine.sources(),
        }
    }

    fn join(&self, all: &mut Standing, other: Standing) {
        all.now = all.now.max(other.now);
        all.shadow |= other.shadow;
        all.open.extend(other.open);
        all.more += other.more;
        all.closed.extend(other.closed);
        Sums.join(&mut all.tally, other.tally);
        all.sources.extend(other.sources);
    }

    fn settle(&self, all: &mut Standing) {
        all.open.sort_by(by_urgency);
        all.more += all.open.len().saturating_sub(self.open);
        all.open.truncate(self.open);
        all.closed.sort_by_key(|summary| std::cmp::Reverse((summary.opened, summary.incident)));
        all.closed.truncate(self.over);
        let mut sources: BTreeMap<Arc<str>, SourceView> = BTreeMap::new();
        for source in std::mem::take(&mut all.sources) {
            match sources.get_mut(&source.name) {
                Some(known) => heard(known, &source),
                None => drop(sources.insert(Arc::clone(&source.name), source)),
            }
        }
        all.sources = sources.into_values().collect();
    }
}

/// A source that several scopes hear of: it is silent when it is so in all of them.
fn heard(source: &mut SourceView, other: &SourceView) {
    source.first = source.first.min(other.first);
    source.last = source.last.max(other.last);
    source.longest_pause = source.longest_pause.max(other.longest_pause);
    source.silent &= other.silent;
    source.resolves |= other.resolves;
}
