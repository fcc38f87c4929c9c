//! What a digest tells, taken out of the engine between two turns: values alone, so that nothing is held up while it is put
//! into words.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{DigestRule, Engine, Extract, IncidentId, Opinion, Outcome, Silence, Timestamp, Zone};

/// What was before, to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Before {
    /// Events that were decided.
    pub decided: u64,
    /// Of these, how many were held back.
    pub held: u64,
    /// Pages.
    pub pages: u64,
}

/// What a digest tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Gathered {
    /// Its name; empty = nobody named it.
    pub digest: String,
    /// Whether it tells of a part only.
    pub parted: bool,
    /// Whose clocks its times are told by.
    pub zone: Zone,
    /// Whether nobody is paged.
    pub shadow: bool,
    /// Until when it was asked for.
    pub until: Timestamp,
    /// What was decided.
    pub extract: Extract,
    /// The same length of time before, where the book goes back so far.
    pub before: Option<Before>,
    /// All silences that are remembered.
    pub silences: Vec<Silence>,
    /// What people said of incidents.
    pub words: BTreeMap<IncidentId, Opinion>,
    /// Sources that were heard of for the first time.
    pub new_sources: Vec<String>,
    /// The hosts and services that it speaks of: these names are never masked.
    pub names: Vec<String>,
}

/// Takes out what a digest tells of a window of time; without a rule it tells of everything.
#[must_use]
pub fn gather(engine: &Engine, rule: Option<&DigestRule>, (from, until): (Timestamp, Timestamp)) -> Gathered {
    let book = rule.map_or("", Engine::book_of);
    let extract = engine.extract(book, (from, until));
    let earlier = Timestamp::from_millis(2 * extract.from.millis() - extract.until.millis());
    let before = extract.kept_since.filter(|since| *since <= earlier).map(|_| {
        let before = engine.extract(book, (earlier, extract.from));
        let (open, worse) = before.pages();
        Before { decided: before.decided(), held: before.count(Outcome::Suppress), pages: open + worse }
    });
    let policy = engine.policy();
    let word = |id: IncidentId| Some((id, engine.said_about(id)?.opinion));
    let fresh = |first: Timestamp| (extract.from..extract.until).contains(&first);
    let sources = engine.sources().into_iter().filter(|source| fresh(source.first) && book.is_empty());
    Gathered {
        digest: rule.map(|rule| rule.name.clone()).unwrap_or_default(),
        parted: !book.is_empty(),
        zone: rule.map_or_else(|| policy.zone.clone(), |rule| rule.zone.clone()),
        shadow: policy.shadow,
        until,
        before,
        silences: engine.all_silences(),
        words: extract.chapters.iter().filter_map(|chapter| word(chapter.incident)).collect(),
        names: names(engine, &extract),
        new_sources: sources.map(|source| source.name.to_string()).collect(),
        extract,
    }
}

/// The hosts and services of the series and incidents of an extract.
fn names(engine: &Engine, extract: &Extract) -> Vec<String> {
    let series = extract.talks.iter().map(|talk| &talk.series);
    let series = series.chain(extract.near.iter().map(|near| &near.series));
    let series = series.chain(extract.flaps.iter().map(|flap| &flap.series));
    let mut names: Vec<String> =
        series.flat_map(|series| series.splitn(5, '/').skip(2).take(2)).map(str::to_owned).collect();
    let told: BTreeSet<IncidentId> = extract.chapters.iter().map(|chapter| chapter.incident).collect();
    for incident in engine.incidents_that(|summary| told.contains(&summary.incident)) {
        names.extend(crate::sinks::masked::names(incident));
    }
    names.sort_unstable();
    names.dedup();
    names.retain(|name| !name.is_empty());
    names
}
