//! Questions for digests: which are due, and what there is to tell.
//!
//! Each engine keeps a day book of its own; one alone remembers until when a digest told, so that it goes out once for
//! all of them.

use serde::{Deserialize, Serialize};

use crate::domain::Timestamp;
use crate::domain::daybook::Report;
use crate::inbox::numbered::{Numbered, Renamed};
use crate::inbox::question::{Question, Whom};
use crate::inbox::view::View;

/// From when until when.
type Window = (Timestamp, Timestamp);

/// The digests that are due, each with its window.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DueDigests {
    /// When that is asked. The engine's own time may be behind.
    pub now: Timestamp,
}

impl Numbered for DueDigests {}

impl Question for DueDigests {
    const NAME: &'static str = "due_digests";
    type Answer = Vec<(String, Window)>;

    fn whom(&self) -> Whom {
        Whom::Own
    }

    fn answer(&self, view: &View<'_>) -> Self::Answer {
        let due = view.engine.due_digests_at(self.now).into_iter();
        due.map(|(rule, window)| (rule.name, window)).collect()
    }

    fn join(&self, all: &mut Self::Answer, other: Self::Answer) {
        all.extend(other);
    }
}

/// What there is to tell of a window of time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DigestReport {
    /// The digest whose part of the books is told; empty = everything.
    pub book: String,
    /// Of which time.
    pub window: Window,
    /// When that is asked.
    pub now: Timestamp,
    /// Only who has judged everything that came before then answers; `None` = as it stands.
    pub judged: Option<Timestamp>,
    /// Of the engines that one holds, so many from this place on. [`Report::more`] says whether there are others behind them.
    pub some: (usize, usize),
}

impl DigestReport {
    /// So many engines are asked at once: their time is that of the judging.
    pub const AT_ONCE: usize = 50;
}

impl Numbered for DigestReport {}

impl Numbered for Report {
    fn number(&mut self, renamed: Renamed<'_>) {
        self.extract.chapters.iter_mut().for_each(|chapter| chapter.incident.number(renamed));
        self.words.iter_mut().for_each(|(incident, _)| incident.number(renamed));
    }
}

impl Question for DigestReport {
    const NAME: &'static str = "digest_report";
    type Answer = Report;

    fn judged(&self) -> Option<Timestamp> {
        self.judged
    }

    fn some(&self) -> Option<(usize, usize)> {
        Some(self.some)
    }

    fn more(&self, all: &mut Report) {
        all.more = true;
    }

    fn answer(&self, view: &View<'_>) -> Report {
        view.engine.report(&self.book, self.window, self.now)
    }

    fn join(&self, all: &mut Report, other: Report) {
        all.join(other);
    }

    fn settle(&self, all: &mut Report) {
        all.settle();
    }
}
