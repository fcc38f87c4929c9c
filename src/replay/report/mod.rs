//! A run as one self-contained HTML file: lanes, bands, pages, what was held back, and what another threshold would
//! have done.
//!
//! [`Report`] collects, `episodes` makes intervals of events, `lanes` puts them into rows, `drawing` draws
//! these as SVG, `page` is the document around it. Deliberately without a library in the browser: all is drawn
//! here, and the script only shows and hides.

mod drawing;
mod episodes;
mod escape;
mod hidden;
mod lanes;
mod page;
mod what_if;
mod words;

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::account::Account;
use super::decided::Decided;
use crate::domain::{
    Decision, Event, Fingerprint, IncidentId, IncidentSummary, Notice, NoticeAction, Severity, Status, Timestamp,
};

pub use drawing::Drawing;
pub use escape::foreign;
pub use page::{DRAWING_STYLE, POINT_SCRIPT};
pub use what_if::{Steps, WhatIf};
pub use words::legend;

/// What a report remembers of a run.
#[derive(Debug, Default)]
pub struct Report {
    decided: Decided,
    /// The events that are no samples, by number.
    heard: Vec<Heard>,
    names: Vec<Arc<str>>,
    name_of: FxHashMap<Arc<str>, u32>,
    /// The sources that say when something is over.
    resolving: FxHashSet<u32>,
    changes: Vec<(Timestamp, String)>,
    /// Series, and when their flapping began (true) or ended.
    flapping: Vec<(Timestamp, Arc<str>, bool)>,
    /// When a series was given up.
    expired: Vec<(Timestamp, Arc<str>)>,
    series: FxHashMap<Arc<str>, u32>,
    incidents: std::collections::BTreeMap<IncidentId, IncidentSummary>,
    between: Option<(Timestamp, Timestamp)>,
    latest: Option<Timestamp>,
    /// What of its texts is not shown; `None` = everything is.
    hidden: Option<hidden::Hidden>,
}

/// One event, as far as it is drawn.
#[derive(Clone, Copy, Debug)]
struct Heard {
    seq: u64,
    at: Timestamp,
    alert: Fingerprint,
    source: u32,
    component: u32,
    check: u32,
    status: Status,
    severity: Severity,
}

impl Report {
    /// An event came in, under its number.
    pub fn event(&mut self, seq: u64, event: &Event) {
        if event.status == Status::Sample {
            return;
        }
        let at = event.ts.or(event.received).or(self.latest).unwrap_or(Timestamp::EPOCH);
        self.latest = Some(at);
        let place = event.host.as_deref().or(event.service.as_deref());
        let fallback = if event.check.is_empty() { &event.source } else { &event.check };
        let key = event.dedup_key.as_deref().or(event.identity.as_deref()).unwrap_or_default();
        let [host, service] = [&event.host, &event.service].map(|part| part.as_deref().unwrap_or_default());
        let heard = Heard {
            seq,
            at,
            alert: Fingerprint::of(&[&event.source, service, host, &event.check, key]),
            source: self.name(&event.source),
            component: self.name(place.unwrap_or(fallback)),
            check: self.name(&event.check),
            status: event.status,
            severity: event.severity,
        };
        match event.status {
            Status::Resolved => {
                self.resolving.insert(heard.source);
            }
            _ if event.kind == crate::domain::Kind::Change => self.changes.push((at, change(event))),
            _ => {}
        }
        self.heard.push(heard);
    }

    /// Something was decided.
    pub fn decision(&mut self, decision: &Decision) {
        self.decided.take(decision);
        match decision {
            Decision::Verdict(verdict) => {
                self.passed(verdict.ts);
                let heard = self.heard.binary_search_by_key(&verdict.seq, |heard| heard.seq);
                if let Ok(place) = heard {
                    let component = self.heard[place].component;
                    self.series.entry(Arc::clone(&verdict.series)).or_insert(component);
                }
            }
            Decision::Page(page) => self.passed(page.ts),
            Decision::Notice(notice) => self.notice(notice),
            // An incident that was over and came back is summed up again: the last sum counts.
            Decision::Incident(summary) => {
                self.incidents.insert(summary.incident, (**summary).clone());
            }
        }
    }

    /// The whole document. `account` = the sums of the same run; `rules` = what the rules are called.
    #[must_use]
    pub fn html(&self, account: &Account, steps: WhatIf, rules: &str) -> String {
        page::html(self, account, &self.hide(steps), rules)
    }

    /// The drawing alone, for a page that has the rest.
    #[must_use]
    pub fn drawing(&self) -> Drawing {
        drawing::draw(self, &WhatIf::none())
    }

    /// The drawing reaches to this time at least, be it before the first event or after the last.
    pub fn reaches(&mut self, time: Timestamp) {
        self.passed(time);
    }

    /// Whether there is anything to draw.
    #[must_use]
    pub fn has_events(&self) -> bool {
        !self.heard.is_empty() && self.between.is_some()
    }

    /// The run's pages and fates.
    #[must_use]
    pub const fn decided(&self) -> &Decided {
        &self.decided
    }

    fn notice(&mut self, notice: &Notice) {
        self.passed(notice.ts);
        let Some(series) = &notice.series else { return };
        match notice.action {
            NoticeAction::Flapping => self.flapping.push((notice.ts, Arc::clone(series), true)),
            NoticeAction::Steady => self.flapping.push((notice.ts, Arc::clone(series), false)),
            NoticeAction::Expire => self.expired.push((notice.ts, Arc::clone(series))),
            _ => {}
        }
    }

    fn passed(&mut self, time: Timestamp) {
        let (first, last) = self.between.unwrap_or((time, time));
        self.between = Some((first.min(time), last.max(time)));
    }

    fn name(&mut self, text: &str) -> u32 {
        if let Some(place) = self.name_of.get(text) {
            return *place;
        }
        let (place, name) = (u32::try_from(self.names.len()).unwrap_or(u32::MAX), Arc::<str>::from(text));
        self.names.push(Arc::clone(&name));
        self.name_of.insert(name, place);
        place
    }

    fn named(&self, place: u32) -> &str {
        &self.names[place as usize]
    }
}

/// A change in one line.
fn change(event: &Event) -> String {
    let place: Vec<_> = [&event.service, &event.host].into_iter().flatten().map(String::as_str).collect();
    let what = event.summary.as_deref().unwrap_or(&event.check);
    if place.is_empty() { what.to_owned() } else { format!("{}: {what}", place.join("/")) }
}
