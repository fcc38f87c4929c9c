//! The secretary: puts digests together, when one is due and when somebody asks.
//!
//! What a digest tells is asked of the engine, or of all engines of a cluster; words, pictures and replays are made beside
//! the pump. That one was sent is the engine's to know: the order that owes it to its receivers also notes until when it
//! told, so that a crash at any point sends it once. In a cluster that is the engine of what is about Squelch itself, and
//! the secretary of the node that holds it is the one who sends.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{error, info, warn};

use super::patience::Patience;
use super::proposals::{Latest, propose};
use crate::clock::Clock;
use crate::cluster::Board;
use crate::config::Settings;
use crate::digest::{Gathered, Rendered, render, standalone};
use crate::domain::daybook::Report;
use crate::domain::mask::Mask;
use crate::domain::{DigestRule, Engine, Policy, Timestamp};
use crate::files;
use crate::http::digest::{Answer, Ask, Untold};
use crate::inbox::questions::{AllSilences, DigestReport, DueDigests};
use crate::inbox::{Inbox, Order, Refusal, missing};
use crate::store::history;

/// How often it looks whether one is due, in seconds; in a rehearsal as much more often as its clock is faster.
const LOOK: f64 = 20.0;
/// But no more often than this.
const OFTEN: Duration = Duration::from_millis(100);
/// How often it looks in a cluster, in seconds, where another node may have held the shard until now.
const LOOK_TOGETHER: f64 = 5.0;
/// What was stamped before a digest is due has come to every shard of a cluster so many seconds later.
const ON_THE_WAY: f64 = 12.0;

/// Puts digests together.
pub(super) struct Secretary {
    pub(super) inbox: Inbox,
    pub(super) clock: Clock,
    /// What is masked of personal data.
    pub(super) mask: Arc<Mask>,
    pub(super) station: Station,
}

/// Where a secretary works.
pub(super) enum Station {
    /// Beside the only engine, with its history, and the rules on disk.
    Alone { data_dir: PathBuf, rules: Option<PathBuf> },
    /// On one node of a cluster with so many shards.
    Cluster { board: Board, partitions: u16 },
}

impl Station {
    /// Of a single process with these settings.
    pub(super) fn alone(settings: &Settings) -> Self {
        Self::Alone { data_dir: settings.data_dir.clone(), rules: settings.rules.clone() }
    }

    /// How often it looks, in seconds.
    const fn look(&self) -> f64 {
        match self {
            Self::Alone { .. } => LOOK,
            Self::Cluster { .. } => LOOK_TOGETHER,
        }
    }

    /// Whether it is the one who sends.
    fn sends(&self) -> bool {
        match self {
            Self::Alone { .. } => true,
            Self::Cluster { board, partitions } => board.holds_own(*partitions),
        }
    }
}

/// What is told of a window, and whose part is missing.
type Told = (Gathered, BTreeMap<i32, String>);

impl Secretary {
    /// Works until `stop` turns true.
    pub(super) async fn run(self, mut asked: mpsc::Receiver<Ask>, mut stop: watch::Receiver<bool>) {
        let mut ticks = interval(Duration::from_secs_f64(self.clock.takes(self.station.look())).max(OFTEN));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut patience = Patience::default();
        let work = async {
            loop {
                tokio::select! {
                    ask = asked.recv() => match ask {
                        Some(ask) => self.answer(ask).await,
                        None => return,
                    },
                    _ = ticks.tick() => self.send_due(&mut patience).await,
                }
            }
        };
        tokio::select! {
            biased;
            // A vanished sender means the same.
            _ = stop.wait_for(|stop| *stop) => {}
            () = work => {}
        }
    }

    /// Sends what is due. What fails is due still, and tried at a later look.
    async fn send_due(&self, patience: &mut Patience) {
        if !self.station.sends() {
            return *patience = Patience::default();
        }
        let Ok(now) = self.time().await else { return };
        // In a cluster what came before is on its way still.
        let settled = if matches!(self.station, Station::Alone { .. }) { now } else { now.after(-ON_THE_WAY) };
        let Ok(due) = self.inbox.ask(DueDigests { now: settled }).await else { return };
        if due.is_empty() {
            return;
        }
        let Ok(policy) = self.inbox.policy().await else { return };
        for (name, window) in due {
            let rule = policy.digests.iter().find(|rule| rule.name == name);
            if rule.is_none() || !patience.is_time(&name, window.1, now) {
                continue;
            }
            let judged = Some(window.1.after(ON_THE_WAY));
            match self.told((rule, &policy), (window, now), judged).await {
                Ok((gathered, missing)) if missing.is_empty() || patience.ends(&name, now) => {
                    if !missing.is_empty() {
                        warn!(digest = name, missing = missing::named(&missing), "a digest is sent without them");
                    }
                    if self.send(&name, gathered).await {
                        patience.ordered(&name, window.1, now);
                    }
                }
                Ok((_, missing)) => warn!(digest = name, missing = missing::named(&missing), "a digest waits for them"),
                Err(refusal) => {
                    // Without any answer there is nothing to tell, however long that takes.
                    patience.ends(&name, now);
                    warn!(digest = name, %refusal, "a digest waits for answers");
                }
            }
        }
    }

    /// Whether it was ordered.
    async fn send(&self, name: &str, gathered: Gathered) -> bool {
        let Some(rendered) = self.render(gathered, false).await else { return false };
        let ordered = self.inbox.order(Order::Digest(Box::new(rendered.dispatch))).await;
        match &ordered {
            Ok(_) => info!(digest = name, "a digest is on its way"),
            Err(refusal) => warn!(digest = name, %refusal, "a digest could not be sent yet"),
        }
        ordered.is_ok()
    }

    /// The time of who judges.
    async fn time(&self) -> Result<Timestamp, Refusal> {
        match self.station {
            Station::Alone { .. } => self.inbox.look(|view| view.engine.now()).await,
            Station::Cluster { .. } => Ok(self.clock.now()),
        }
    }

    /// What a digest tells of a window; `judged` = only by who has judged everything that came before then.
    async fn told(
        &self,
        (rule, policy): (Option<&DigestRule>, &Policy),
        (window, now): ((Timestamp, Timestamp), Timestamp),
        judged: Option<Timestamp>,
    ) -> Result<Told, Refusal> {
        let book = rule.map_or("", Engine::book_of).to_owned();
        let question = DigestReport { book, window, now, judged, some: (0, DigestReport::AT_ONCE) };
        let (report, missing) = missing::noting(self.reported(question)).await;
        let (report, silences) = (report?, self.inbox.ask(AllSilences).await?);
        let mut gathered = Gathered::of((rule, policy), report, silences, window.1);
        gathered.missing = missing.keys().copied().collect();
        Ok((gathered, missing))
    }

    /// What all engines report, asked a few at a time.
    async fn reported(&self, mut question: DigestReport) -> Result<Report, Refusal> {
        let mut all = self.inbox.ask(question.clone()).await?;
        while std::mem::take(&mut all.more) {
            question.some.0 += question.some.1;
            all.join(self.inbox.ask(question.clone()).await?);
            all.settle();
        }
        Ok(all)
    }

    async fn answer(&self, ask: Ask) {
        let Ask { since, digest, raw, reply } = ask;
        let answer = match self.asked((since, digest)).await {
            Ok((gathered, missing)) => match self.render(gathered, raw).await {
                Some(Rendered { dispatch, json }) => {
                    Ok(Answer { html: standalone(&dispatch), text: dispatch.text, json, missing })
                }
                // Who asked sees that nobody answers.
                None => return,
            },
            Err(untold) => Err(untold),
        };
        // Who asked may have gone.
        let _ = reply.send(answer);
    }

    /// What somebody asks for: so far back, by the name of a rule.
    async fn asked(&self, (since, digest): (Duration, Option<String>)) -> Result<Told, Untold> {
        let policy = self.inbox.policy().await.map_err(Untold::Refused)?;
        let known = || policy.digests.iter().map(|rule| rule.name.clone()).collect();
        let rule = match &digest {
            None => None,
            Some(name) => {
                let found = policy.digests.iter().find(|rule| rule.name == *name);
                Some(found.ok_or_else(|| Untold::Unknown(known()))?)
            }
        };
        let now = self.time().await.map_err(Untold::Refused)?;
        let window = (now.after(-since.as_secs_f64()), now);
        self.told((rule, &policy), (window, now), None).await.map_err(Untold::Refused)
    }

    /// In all its forms; `None` = it cannot be made, which is told.
    async fn render(&self, gathered: Gathered, raw: bool) -> Option<Rendered> {
        let past = match &self.station {
            Station::Alone { data_dir, rules } if gathered.extract.pages() != (0, 0) => {
                self.inbox.spill().await.ok()?;
                Some((data_dir.clone(), rules.clone()))
            }
            // Nothing would page less, or there is no history here.
            Station::Alone { .. } | Station::Cluster { .. } => None,
        };
        let mask = (!raw).then(|| Arc::clone(&self.mask));
        let made = spawn_blocking(move || {
            let proposals = past.and_then(|(data_dir, rules)| proposals(&data_dir, rules.as_deref(), &gathered));
            render(&gathered, proposals.as_ref(), mask.as_deref())
        });
        match made.await {
            Ok(Ok(rendered)) => Some(rendered),
            Ok(Err(cause)) => {
                error!(cause, "a digest cannot be put together");
                None
            }
            Err(cause) => {
                error!(%cause, "a digest cannot be put together");
                None
            }
        }
    }
}

/// Changes of the rules on disk, from the history on disk; none where either cannot be read.
fn proposals(data_dir: &Path, rules: Option<&Path>, gathered: &Gathered) -> Option<crate::digest::Proposals> {
    let past = history::read(data_dir, Timestamp::EPOCH, gathered.extract.until);
    let past =
        past.inspect_err(|error| warn!(%error, "the history cannot be read: the digest proposes nothing")).ok()?;
    let mut latest = Latest::default();
    // What is damaged was told when it was found.
    past.flatten().for_each(|past| latest.take(past.seq, past.event));
    let sources = files::read_rules(rules);
    let sources = sources.inspect_err(|error| warn!(%error, "the rules cannot be read: the digest proposes nothing"));
    propose(latest, &sources.ok()?, gathered)
}
