//! What-if: a change of the rules tried on the stored history, beside the pump, when somebody asks.
//!
//! Deliberately bounded: one question at a time, the latest events, and no longer than somebody waits. Nothing is changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tracing::{error, info};

use super::proposals::{EVENTS, Latest};
use crate::clock::{Clock, Stopwatch};
use crate::domain::daybook::Chapter;
use crate::domain::{Engine, Event, IncidentId, Opinion, Page, Timestamp, Topology};
use crate::files;
use crate::http::what_if::{Answer, Ask, Changed, Untold};
use crate::inbox::Inbox;
use crate::replay::compare::Difference;
use crate::store::history;
use crate::tune::{History, Scope, Trial, Untried, try_change};

/// After so long it is broken off.
const LONGEST: Duration = Duration::from_secs(20);

/// Who tries changes.
pub(super) struct Analyst {
    pub(super) inbox: Inbox,
    pub(super) clock: Clock,
    pub(super) data_dir: PathBuf,
    pub(super) rules: Option<PathBuf>,
}

/// An incident that people know, as far as its events tell.
type Known = BTreeMap<u64, (IncidentId, bool)>;

impl Analyst {
    /// Works until nobody can ask any more, or `stop` turns true.
    pub(super) async fn run(self, mut asked: mpsc::Receiver<Ask>, mut stop: watch::Receiver<bool>) {
        let stops = stop.clone();
        let next = async |asked: &mut mpsc::Receiver<Ask>, stop: &mut watch::Receiver<bool>| {
            tokio::select! {
                biased;
                // A vanished sender means the same.
                _ = stop.wait_for(|stop| *stop) => None,
                ask = asked.recv() => ask,
            }
        };
        while let Some(ask) = next(&mut asked, &mut stop).await {
            self.answer(ask, stops.clone()).await;
        }
    }

    async fn answer(&self, ask: Ask, stop: watch::Receiver<bool>) {
        let Ask { change, since, reply, room } = ask;
        let watch = Stopwatch::start();
        let now = self.clock.now();
        // Who asked sees that nobody answers.
        let Ok(known) = self.inbox.look(|view| known(view.engine)).await else { return };
        if self.inbox.spill().await.is_err() {
            return;
        }
        let from = since.map_or(Timestamp::EPOCH, |since| now.after(-since.as_secs_f64()));
        let (data_dir, rules) = (self.data_dir.clone(), self.rules.clone());
        let work = spawn_blocking(move || {
            let goes_on = || !reply.is_closed() && !*stop.borrow() && watch.elapsed() < LONGEST;
            let stored = Stored::read(&data_dir, &goes_on);
            let answer = stored.and_then(|stored| stored.answer(rules.as_deref(), (&change, from), (&known, &goes_on)));
            if let Ok(answer) = &answer {
                let seconds = watch.elapsed().as_secs_f64();
                info!(events = answer.events, before = answer.before, after = answer.after, seconds, "tried a change");
            }
            // Who asked may have gone.
            let _ = reply.send(answer);
            drop(room);
        });
        if let Err(cause) = work.await {
            error!(%cause, "a what-if failed");
        }
    }
}

/// Which incident an event was paged as, and whether somebody took it or called it useful.
fn known(engine: &Engine) -> Known {
    let book = engine.extract("", (Timestamp::EPOCH, engine.now().after(3600.0)));
    let useful = |id: IncidentId| engine.said_about(id).is_some_and(|said| said.opinion == Opinion::Useful);
    let taken = |chapter: &Chapter| chapter.acknowledged.is_some() || useful(chapter.incident);
    let events = |chapter: &Chapter| {
        let incident = (chapter.incident, taken(chapter));
        chapter.first.iter().map(|seq| (*seq, incident)).collect::<Vec<_>>()
    };
    book.chapters.iter().flat_map(events).collect()
}

/// The latest events that are stored.
struct Stored {
    /// Numbered anew, so that a run over few events of a long life takes little memory.
    events: Vec<(u64, Event)>,
    /// The numbers that they have in the store.
    numbers: Vec<u64>,
    cut: bool,
}

impl Stored {
    fn read(data_dir: &Path, goes_on: &dyn Fn() -> bool) -> Result<Self, Untold> {
        let wrong = |error: crate::store::StoreError| Untold::History(error.to_string());
        let (past, older) = history::latest(data_dir, EVENTS as u64).map_err(wrong)?;
        let mut latest = Latest::default();
        let mut count = 0;
        // What is damaged was told when it was found.
        for past in past.flatten() {
            if count % 4_096 == 0 && !goes_on() {
                return Err(Untold::TooLong(0, count));
            }
            count += 1;
            latest.take(past.seq, past.event);
        }
        let (numbers, events): (Vec<u64>, Vec<Event>) = latest.into_events().unzip();
        Ok(Self { events: (0..).zip(events).collect(), numbers, cut: older || count > EVENTS })
    }

    fn answer(
        &self,
        rules: Option<&Path>,
        (change, from): (&crate::config::Source, Timestamp),
        (known, goes_on): (&Known, &dyn Fn() -> bool),
    ) -> Result<Answer, Untold> {
        let sources = files::read_rules(rules).map_err(|error| Untold::InForce(error.to_string()))?;
        let graph = Topology::default();
        let scope = Scope { window: Some((from, Timestamp::MAX)), ..Scope::default() };
        let history = History { events: &self.events, sources: &sources, graph: &graph, scope };
        let trial = try_change(&history, change, &mut || goes_on()).map_err(|untried| match untried {
            Untried::InForce(report) => Untold::InForce(report.to_string()),
            Untried::Change(report) => Untold::Change(report.to_string()),
            Untried::BrokenOff(done) => Untold::TooLong(done, self.events.len()),
        })?;
        Ok(self.told(&trial, from, known))
    }

    fn told(&self, trial: &Trial, from: Timestamp, known: &Known) -> Answer {
        let (before, after) = trial.pages();
        let at = |event: Option<&(u64, Event)>| event.and_then(|(_, event)| event.received.or(event.ts));
        let stored = at(self.events.first()).zip(at(self.events.last()));
        let pages = trial.differences().iter().map(|difference| self.changed(difference, known)).collect();
        Answer { events: self.events.len(), cut: self.cut, stored, from, before, after, pages }
    }

    fn changed(&self, difference: &Difference<'_>, known: &Known) -> Changed {
        let page = difference.page();
        let (before, after, instead) = match difference {
            Difference::Same(first, second)
            | Difference::Earlier(first, second, _)
            | Difference::Later(first, second, _) => (Some(first.ts), Some(second.ts), second.why.clone()),
            Difference::Lost(first, instead) => (Some(first.ts), None, instead.clone()),
            Difference::Gained(second, instead) => (None, Some(second.ts), instead.clone()),
        };
        let incident = self.incident(page, known);
        Changed {
            change: difference.word(),
            before,
            after,
            severity: page.severity,
            title: page.title.clone(),
            why: page.why.clone(),
            instead,
            incident: incident.map(|(id, _)| id),
            taken: incident.is_some_and(|(_, taken)| taken),
            series: self.first_event(page).map(|event| (event.series_name(), event.series())),
        }
    }

    /// The incident that people know a page as: one of its events paged then, too.
    fn incident(&self, page: &Page, known: &Known) -> Option<(IncidentId, bool)> {
        let number = |place: &u64| usize::try_from(*place).ok().and_then(|place| self.numbers.get(place));
        page.alerts.iter().filter_map(number).find_map(|number| known.get(number).copied())
    }

    fn first_event(&self, page: &Page) -> Option<&Event> {
        let place = page.alerts.first().and_then(|place| usize::try_from(*place).ok())?;
        self.events.get(place).map(|(_, event)| event)
    }
}
