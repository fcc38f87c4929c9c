//! The topics of Apache Kafka that are read: started, watched, and told of.
//!
//! Deliberately without the reading itself: that is `kafka`'s.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{error, warn};

use crate::clock::{Clock, Stopwatch};
use crate::config::Settings;
use crate::domain::Mark;
use crate::http::app::Condition;
use crate::http::feeds::Feed;
use crate::http::known::Known;
use crate::inbox::{Inbox, Order};
use crate::kafka::{self, Source, Standing, State};
use crate::replay::wording::span;

/// How often it looks.
const LOOK: Duration = Duration::from_secs(1);
/// A source that cannot read for so long is a trouble of Squelch's own: alerts may be missed.
const PATIENCE: Duration = Duration::from_secs(120);
/// What its warnings begin with.
const KAFKA: &str = "Kafka";

/// The sources of a service.
pub(super) struct Feeds {
    sources: Vec<Source>,
    inbox: Inbox,
    condition: Arc<watch::Sender<Condition>>,
    shown: watch::Sender<Vec<Feed>>,
    /// For each source: since when it cannot read, and whether people were told.
    troubled: Vec<Option<(Stopwatch, bool)>>,
}

/// What all sources use.
pub(super) struct Means {
    pub(super) inbox: Inbox,
    pub(super) clock: Clock,
    pub(super) condition: Arc<watch::Sender<Condition>>,
    pub(super) known: watch::Receiver<Arc<Known>>,
    pub(super) stop: watch::Receiver<bool>,
}

impl Feeds {
    /// Starts to read what the settings name, from where the store says.
    pub(super) fn start(
        settings: &Settings,
        marks: &[Mark],
        shown: watch::Sender<Vec<Feed>>,
        means: Means,
    ) -> io::Result<Self> {
        let Means { inbox, clock, condition, known, stop } = means;
        let mut sources = Vec::new();
        for source in &settings.kafka {
            let known = known.clone();
            sources.push(Source::start(kafka::Options {
                settings: source.clone(),
                inbox: inbox.clone(),
                clock: clock.clone(),
                read: Box::new(move |tool, body| Arc::clone(&known.borrow()).read(tool, body)),
                marks: marks.to_vec(),
                longest: usize::try_from(settings.limits.body).unwrap_or(usize::MAX),
                stop: stop.clone(),
            })?);
        }
        let troubled = sources.iter().map(|_| None).collect();
        Ok(Self { sources, inbox, condition, shown, troubled })
    }

    /// Watches until `stop` turns true; then waits until nothing more is read.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.sources.is_empty() {
            tokio::select! {
                biased;
                // A vanished sender means the same.
                _ = stop.wait_for(|stop| *stop) => break,
                _ = ticks.tick() => self.look(),
            }
        }
        let sources = std::mem::take(&mut self.sources);
        let ended = tokio::task::spawn_blocking(move || sources.into_iter().all(Source::join)).await;
        if !ended.unwrap_or(false) {
            error!("a thread that reads from Kafka ended with a panic; what was acknowledged is stored");
        }
    }

    fn look(&mut self) {
        let standings: Vec<Standing> = self.sources.iter().map(|source| source.standing().borrow().clone()).collect();
        for (at, standing) in standings.iter().enumerate() {
            self.raise_the_alarm(at, standing);
        }
        self.warn(standings.iter().flat_map(warnings).collect());
        let shown: Vec<Feed> = standings.iter().flat_map(feeds).collect();
        self.shown.send_if_modified(|before| {
            let changed = *before != shown;
            *before = shown;
            changed
        });
    }

    /// `/-/ready` shows what is.
    fn warn(&self, texts: Vec<String>) {
        let shown = |warning: &String| warning.starts_with(KAFKA);
        self.condition.send_if_modified(|condition| {
            if condition.warnings.iter().filter(|warning| shown(warning)).eq(&texts) {
                return false;
            }
            condition.warnings.retain(|warning| !shown(warning));
            condition.warnings.extend(texts);
            true
        });
    }

    /// A source that stays blind pages, once; that it sees again is told.
    fn raise_the_alarm(&mut self, at: usize, standing: &Standing) {
        let title = format!("it cannot read from Kafka ({})", standing.name);
        let troubled = &mut self.troubled[at];
        match (&standing.state, troubled.as_mut()) {
            (State::Troubled(_), None) => *troubled = Some((Stopwatch::start(), false)),
            (State::Troubled(reasons), Some((since, told))) if !*told && since.elapsed() >= PATIENCE => {
                let why = format!(
                    "for {}: {}; alerts that come this way are not judged until it can, and nothing of them is lost",
                    span(since.elapsed().as_secs_f64()),
                    reasons.join("; ")
                );
                // An inbox that is full takes it at the next look.
                *told = self.inbox.submit(Order::Trouble(title, why)).is_ok();
            }
            (State::Reading, Some((_, true))) => {
                if self.inbox.submit(Order::TroubleOver(title)).is_ok() {
                    *troubled = None;
                } else {
                    warn!("the inbox is full: that Kafka can be read again is told later");
                }
            }
            (State::Reading, Some((_, false))) => *troubled = None,
            _ => {}
        }
    }
}

fn warnings(standing: &Standing) -> Vec<String> {
    let name = &standing.name;
    let now = match &standing.state {
        State::Troubled(reasons) => reasons.clone(),
        State::Held(reason) => vec![format!("messages wait: {reason}")],
        State::Connecting | State::Reading => Vec::new(),
    };
    now.iter().chain(&standing.warnings).map(|text| format!("{KAFKA} ({name}): {text}")).collect()
}

fn feeds(standing: &Standing) -> Vec<Feed> {
    let feed = |topic: &kafka::TopicStanding| Feed {
        brokers: standing.name.clone(),
        topic: topic.topic.clone(),
        reading: standing.state == State::Reading,
        partitions: topic.partitions as u64,
        lag: topic.lag,
        messages: topic.messages,
        events: topic.events,
        dead: topic.dead,
    };
    standing.topics.iter().map(feed).collect()
}
