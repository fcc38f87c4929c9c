//! Budgets: which pages people bear, and what is told of those that they do not.
//!
//! A surge that a budget does not pay is withheld: no incident is opened, nobody counts as told, learning goes on. Its
//! component stays armed and asks for more: more surprise, or something critical, pages at once. When the period ends,
//! one message tells what was withheld and is not known yet, and what is still loud is judged anew.

use std::sync::Arc;

use super::Engine;
use super::incidents::Surge;
use super::wording::span;
use crate::domain::budget::{Budget, SAME, Spending, Withheld};
use crate::domain::decision::{Decision, IncidentId, IncidentSummary, Moment, Notice, NoticeAction, Origin};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::notification::Content;
use crate::domain::reason::Reason;
use crate::domain::signal::Severity;
use crate::domain::table::Slot;
use crate::domain::time::Timestamp;
use crate::domain::timers::Due;
use crate::domain::turn::Turn;

impl Engine {
    /// Whether a budget withholds the page of a surge; a page that it lets through is paid.
    pub(super) fn withheld_by_budget(&mut self, surge: &Surge, turn: &mut Turn) -> bool {
        let now = self.now();
        let free = surge.severity == Severity::Critical || matches!(surge.reason, Reason::Always | Reason::Silent);
        let policy = Arc::clone(&self.policy);
        let asked = self.budget_of(&policy.budgets, surge).filter(|_| !free);
        let Some((budget, period)) = asked else {
            self.tell_by_page(surge);
            return false;
        };
        let slot = self.spending(budget, period, turn);
        let known = self.withheld_before(slot, surge);
        let row = self.budgets.change(slot);
        if known.is_none() {
            row.wanted.add(1.0, now, policy.judgement.half_life);
        }
        let asked = row.asks(budget, now, &policy.judgement).map(|more| policy.judgement.threshold() + more);
        let meter = self.components.at(surge.component).meter;
        // What was forced brings its own evidence, and no sum of bits.
        let passes = asked.is_some_and(|asked| surge.reason != Reason::Surge || meter >= asked - 1e-9);
        if passes {
            self.budgets.change(slot).paid += 1;
            self.tell_by_page(surge);
            return false;
        }
        self.withhold(slot, known, (surge, asked), turn);
        true
    }

    /// The first budget that fits a surge, and the period at hand. Outside of its period none is asked.
    fn budget_of<'b>(&self, budgets: &'b [Budget], surge: &Surge) -> Option<(&'b Budget, (Timestamp, Timestamp))> {
        let face = super::audience::face(&surge.origin.0, surge.severity);
        let budget = budgets.iter().find(|budget| budget.matchers.iter().all(|matcher| matcher.fits(&face)))?;
        Some((budget, budget.period(self.now())?))
    }

    /// The row of a budget, in the period at hand.
    fn spending(&mut self, budget: &Budget, period: (Timestamp, Timestamp), turn: &mut Turn) -> Slot {
        let now = self.now();
        let key = Spending::key(&budget.name);
        let slot = self.budgets.find(key).unwrap_or_else(|| self.budgets.insert(Spending::new(&budget.name, now)));
        if self.budgets.at(slot).period != period {
            self.period_ends(slot, turn);
            let row = self.budgets.change(slot);
            (row.period, row.paid) = (period, 0);
            self.timers.set(period.1, Due::Budget, key);
        }
        slot
    }

    /// The place of the withheld page that a surge is more of: of the same component or a related one, not long ago.
    fn withheld_before(&self, slot: Slot, surge: &Surge) -> Option<usize> {
        let now = self.now();
        let component = self.components.at(surge.component);
        let services = self.services_about(component);
        let related = |known: &&Fingerprint| {
            self.components.get(**known).is_some_and(|known| self.near(component, &services, known).is_some())
        };
        let same = |page: &Withheld| {
            now.since(page.latest) <= SAME.as_secs_f64() && page.components.iter().any(|known| related(&known))
        };
        self.budgets.at(slot).withheld.iter().rposition(same)
    }

    /// Withholds a page: its component asks for more, and its events have the reason.
    fn withhold(&mut self, slot: Slot, known: Option<usize>, (surge, asked): (&Surge, Option<f64>), turn: &mut Turn) {
        let now = self.now();
        let component = self.components.change(surge.component);
        (component.armed, component.asked) = (true, Some(asked.unwrap_or(f64::INFINITY)));
        let (name, meter) = (component.fingerprint, component.meter);
        for maker in surge.makers() {
            self.series.change(maker).evidence.change(|evidence| {
                (evidence.component_bits, evidence.threshold) = (Some(meter as f32), asked.map(|bits| bits as f32));
            });
        }
        let (title, receivers) = (self.title(surge), self.audience(surge).all());
        let Some(series) = surge.makers().next().map(|slot| self.series.at(slot).fingerprint) else { return };
        let row = self.budgets.change(slot);
        match known {
            Some(at) => {
                let page = &mut row.withheld[at];
                page.latest = now;
                if !page.components.contains(&name) && page.components.len() < Spending::MOST {
                    page.components.push(name);
                }
            }
            None if row.withheld.len() < Spending::MOST => {
                let (components, receivers) = (vec![name], receivers.into_iter().collect());
                let reason = surge.reason;
                row.withheld.push(Withheld { ts: now, latest: now, reason, title, components, series, receivers });
                self.tell_withheld(slot, surge, asked, turn);
            }
            None => row.more += 1,
        }
    }

    /// Says at once, without interrupting anybody, that a page was withheld.
    fn tell_withheld(&mut self, slot: Slot, surge: &Surge, asked: Option<f64>, turn: &mut Turn) {
        let name = &self.budgets.at(slot).name;
        let why = match asked {
            Some(bits) => format!("it asks for {bits:.1} bits now"),
            None => "all its pages are paid".to_owned(),
        };
        let text = format!("no page for \"{}\": withheld by the budget {name} ({why})", self.title(surge));
        let series = surge.makers().next().map(|slot| Arc::clone(&self.series.at(slot).name.full));
        let notice = Notice { ts: self.now(), action: NoticeAction::Withheld, incident: None, series, text };
        turn.decisions.push(Decision::Notice(Box::new(notice)));
    }

    /// What was withheld and pages now after all is known, and need not be told at the end.
    fn tell_by_page(&mut self, surge: &Surge) {
        self.components.change(surge.component).asked = None;
        let known: Vec<(Slot, usize)> = self
            .budgets
            .rows()
            .filter_map(|(slot, _)| self.withheld_before(slot, surge).map(|at| (slot, at)))
            .collect();
        for (slot, at) in known {
            let page = self.budgets.change(slot).withheld.remove(at);
            for component in page.components {
                if let Some(slot) = self.components.find(component) {
                    self.components.change(slot).asked = None;
                }
            }
        }
    }

    /// Whether what a series does is withheld by a budget now.
    pub(super) fn is_withheld(&self, slot: Slot) -> bool {
        let mut components = self.known_components(slot).into_iter().flatten();
        !self.policy.budgets.is_empty() && components.any(|slot| self.components.at(slot).asked.is_some())
    }

    /// Whether a page about the components of a series was withheld in the period at hand, and nobody knows of it.
    pub(super) fn was_withheld(&self, slot: Slot) -> bool {
        let names = self.series.at(slot).name.components();
        let about = |page: &Withheld| page.components.iter().any(|name| names.contains(&Some(*name)));
        self.budgets.rows().any(|(_, row)| row.withheld.iter().any(about))
    }

    /// New rules: a budget that is gone tells what it withheld, and is forgotten.
    pub(super) fn follow_budgets(&mut self, turn: &mut Turn) {
        let policy = Arc::clone(&self.policy);
        let gone = |row: &Spending| !policy.budgets.iter().any(|budget| budget.name == row.name);
        let mut gone: Vec<_> =
            self.budgets.rows().filter(|(_, row)| gone(row)).map(|(slot, row)| (row.name.clone(), slot)).collect();
        gone.sort_by(|a, b| a.0.cmp(&b.0));
        for (name, slot) in gone {
            self.period_ends(slot, turn);
            self.budgets.remove(Spending::key(&name));
        }
    }

    /// The period of a budget is over.
    pub(super) fn budget_due(&mut self, whom: Fingerprint, turn: &mut Turn) {
        if let Some(slot) = self.budgets.find(whom)
            && self.budgets.at(slot).period.1 <= self.now()
        {
            self.period_ends(slot, turn);
        }
    }

    /// Tells what was withheld, and judges anew what is still loud.
    fn period_ends(&mut self, slot: Slot, turn: &mut Turn) {
        let row = self.budgets.change(slot);
        let (withheld, more) = (std::mem::take(&mut row.withheld), std::mem::take(&mut row.more));
        if withheld.is_empty() {
            return;
        }
        self.owe_withheld(slot, &withheld, more, turn);
        for page in withheld {
            self.judge_withheld(&page, turn);
        }
    }

    /// What a budget withheld pages after all when it is still loud, or still flaps, in the next period.
    fn judge_withheld(&mut self, page: &Withheld, turn: &mut Turn) {
        let policy = Arc::clone(&self.policy);
        for &component in &page.components {
            if let Some(slot) = self.components.find(component) {
                let row = self.components.change(slot);
                row.asked = None;
                row.advance(self.ledger.at(self.book).now, &policy.judgement);
                self.look(slot, turn);
            }
        }
        let forced = page.reason != Reason::Surge;
        if let Some(slot) = self.series.find(page.series)
            && forced
            && self.series.at(slot).troubled()
            && self.member_of(slot).is_none()
        {
            self.force(slot, page.reason, turn);
        }
    }

    /// One message for everything that a budget withheld in its period.
    fn owe_withheld(&mut self, slot: Slot, withheld: &[Withheld], more: u32, turn: &mut Turn) {
        /// More lines would not be read.
        const TOLD: usize = 20;
        let ts = self.now();
        let row = self.budgets.at(slot);
        let count = withheld.len() + more as usize;
        let pages = if count == 1 { "page" } else { "pages" };
        let zone = self.policy.budgets.iter().find(|budget| budget.name == row.name).map(|budget| budget.zone.clone());
        let zone = zone.unwrap_or_default();
        let line = |page: &Withheld| {
            let on = self.series.get(page.series).is_some_and(crate::domain::series::Series::troubled);
            let state =
                if on { "still on".to_owned() } else { format!("last loud {} ago", span(ts.since(page.latest))) };
            let text = format!("{}  {} ({state})", zone.clock(page.ts).time_of_day(), page.title);
            Moment { ts: page.ts, text }
        };
        let mut moments: Vec<Moment> = withheld.iter().take(TOLD).map(line).collect();
        if count > TOLD {
            moments.push(Moment { ts, text: format!("and {} more", count - TOLD) });
        }
        let title = format!("{count} {pages} withheld by the budget {}", row.name);
        let on = moments.iter().filter(|moment| moment.text.ends_with("(still on)")).count();
        let paid = row.paid;
        let text = format!("{title}: it paid {paid} before its period ended; {on} of what it withheld is still on");
        let notice = Notice { ts, action: NoticeAction::Withheld, incident: None, series: None, text };
        turn.decisions.push(Decision::Notice(Box::new(notice.clone())));
        let summary = IncidentSummary {
            incident: IncidentId(0),
            opened: withheld[0].ts,
            paged: None,
            resolved: None,
            acknowledged: None,
            severity: Severity::Warning,
            title,
            services: Vec::new(),
            hosts: Vec::new(),
            checks: Vec::new(),
            origin: Origin::default(),
            alerts: 0,
            moments,
        };
        let receivers = withheld.iter().flat_map(|page| page.receivers.iter().cloned()).collect();
        self.owe_apart(&receivers, &Content::Notice(notice), &summary, turn);
    }
}
