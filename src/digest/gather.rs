//! What a digest tells, from the reports of one engine or of many: values alone, so that nothing is held up while it is put
//! into words.

use std::collections::BTreeMap;

use crate::domain::daybook::{Before, Report};
use crate::domain::{DigestRule, Engine, Extract, IncidentId, Opinion, Policy, Silence, Timestamp, Zone};

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
    /// The shards of a cluster of which not all is in it.
    pub missing: Vec<i32>,
}

/// Takes out what a digest tells of a window of time; without a rule it tells of everything.
#[must_use]
pub fn gather(engine: &Engine, rule: Option<&DigestRule>, window: (Timestamp, Timestamp)) -> Gathered {
    let book = rule.map_or("", Engine::book_of);
    let report = engine.report(book, window, engine.now());
    Gathered::of((rule, engine.policy()), report, engine.all_silences(), window.1)
}

impl Gathered {
    /// What a report says, under these rules; `until` = until when it was asked for.
    #[must_use]
    pub fn of(
        (rule, policy): (Option<&DigestRule>, &Policy),
        report: Report,
        silences: Vec<Silence>,
        until: Timestamp,
    ) -> Self {
        let (earlier, names) = (report.earlier(), names(&report));
        let Report { extract, before, sources, words, .. } = report;
        let fresh = |first: Timestamp| (extract.from..extract.until).contains(&first);
        let new_sources = sources.iter().filter(|(_, first)| fresh(*first)).map(|(name, _)| name.to_string());
        Self {
            digest: rule.map(|rule| rule.name.clone()).unwrap_or_default(),
            parted: rule.is_some_and(|rule| !Engine::book_of(rule).is_empty()),
            zone: rule.map_or_else(|| policy.zone.clone(), |rule| rule.zone.clone()),
            shadow: policy.shadow,
            until,
            before: extract.kept_since.filter(|since| *since <= earlier).map(|_| before),
            silences,
            words: words.into_iter().collect(),
            names,
            new_sources: new_sources.collect(),
            missing: Vec::new(),
            extract,
        }
    }
}

/// The hosts and services of the series and incidents of a report.
fn names(report: &Report) -> Vec<String> {
    let extract = &report.extract;
    let series = extract.talks.iter().map(|talk| &talk.series);
    let series = series.chain(extract.near.iter().map(|near| &near.series));
    let series = series.chain(extract.flaps.iter().map(|flap| &flap.series));
    let mut names: Vec<String> =
        series.flat_map(|series| series.splitn(5, '/').skip(2).take(2)).map(str::to_owned).collect();
    names.extend(report.names.iter().cloned());
    names.sort_unstable();
    names.dedup();
    names.retain(|name| !name.is_empty());
    names
}
