//! The secretary: puts digests together, when one is due and when somebody asks.
//!
//! What a digest tells is taken out of the engine as values; words, pictures and replays are made beside the pump. That one
//! was sent is the engine's to know: the order that owes it to its receivers also notes until when it told, so that a crash
//! at any point sends it once.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{error, info, warn};

use super::proposals::{Latest, propose};
use crate::clock::Clock;
use crate::digest::{Gathered, Rendered, gather, render, standalone};
use crate::domain::Timestamp;
use crate::domain::mask::Mask;
use crate::files;
use crate::http::digest::{Answer, Ask, Unknown};
use crate::inbox::{Inbox, Order};
use crate::store::history;

/// How often it looks whether one is due, in seconds; in a rehearsal as much more often as its clock is faster.
const LOOK: f64 = 20.0;
/// But no more often than this.
const OFTEN: Duration = Duration::from_millis(100);

/// Puts digests together.
pub(super) struct Secretary {
    pub(super) inbox: Inbox,
    pub(super) clock: Clock,
    pub(super) data_dir: PathBuf,
    pub(super) rules: Option<PathBuf>,
    /// What is masked of personal data.
    pub(super) mask: Arc<Mask>,
}

impl Secretary {
    /// Works until `stop` turns true.
    pub(super) async fn run(self, mut asked: mpsc::Receiver<Ask>, mut stop: watch::Receiver<bool>) {
        let mut ticks = interval(Duration::from_secs_f64(self.clock.takes(LOOK)).max(OFTEN));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let work = async {
            loop {
                tokio::select! {
                    ask = asked.recv() => match ask {
                        Some(ask) => self.answer(ask).await,
                        None => return,
                    },
                    _ = ticks.tick() => self.send_due().await,
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

    /// Sends what is due. What fails is due still, and tried at the next look.
    async fn send_due(&self) {
        let due = self.inbox.look(|view| {
            let due = view.engine.due_digests().into_iter();
            due.map(|(rule, window)| gather(view.engine, Some(&rule), window)).collect::<Vec<_>>()
        });
        for gathered in due.await.unwrap_or_default() {
            let name = gathered.digest.clone();
            let Some(rendered) = self.render(gathered, false).await else { continue };
            match self.inbox.order(Order::Digest(Box::new(rendered.dispatch))).await {
                Ok(_) => info!(digest = name, "a digest is on its way"),
                Err(refusal) => warn!(digest = name, %refusal, "a digest could not be sent yet"),
            }
        }
    }

    async fn answer(&self, ask: Ask) {
        let Ask { since, digest, raw, reply } = ask;
        let gathered = self.inbox.look(move |view| {
            let rule = match &digest {
                None => None,
                Some(name) => {
                    Some(view.engine.policy().digests.iter().find(|rule| rule.name == *name).ok_or_else(|| {
                        Unknown(view.engine.policy().digests.iter().map(|rule| rule.name.clone()).collect())
                    })?)
                }
            };
            let now = view.engine.now();
            Ok(gather(view.engine, rule, (now.after(-since.as_secs_f64()), now)))
        });
        let answer = match gathered.await {
            Ok(Ok(gathered)) => match self.render(gathered, raw).await {
                Some(Rendered { dispatch, json }) => {
                    Ok(Answer { html: standalone(&dispatch), text: dispatch.text, json })
                }
                None => return,
            },
            Ok(Err(unknown)) => Err(unknown),
            // Who asked sees that nobody answers.
            Err(_) => return,
        };
        // Who asked may have gone.
        let _ = reply.send(answer);
    }

    /// In all its forms; `None` = it cannot be made, which is told.
    async fn render(&self, gathered: Gathered, raw: bool) -> Option<Rendered> {
        if gathered.extract.pages() != (0, 0) && self.inbox.spill().await.is_err() {
            return None;
        }
        let (data_dir, rules) = (self.data_dir.clone(), self.rules.clone());
        let mask = (!raw).then(|| Arc::clone(&self.mask));
        let made = spawn_blocking(move || {
            let proposals = proposals(&data_dir, rules.as_deref(), &gathered);
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
    if gathered.extract.pages() == (0, 0) {
        return None;
    }
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
