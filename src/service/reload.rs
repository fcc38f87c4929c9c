//! New rules while running: when files change, when asked over HTTP, and on SIGHUP. What is wrong changes nothing.
//!
//! Deliberately not the reading and checking themselves: those are `files` and `config`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{RecursiveMode, Watcher};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::{error, info, warn};

use super::admission::{self, Door};
use super::post::Mail;
use super::sources::{self, Secrets};
use crate::clock::Clock;
use crate::config::{self, Bundle, Source};
use crate::files;
use crate::http::app::{Condition, Reload};
use crate::http::known::Known;
use crate::http::metrics::Metrics;
use crate::inbox::{Inbox, Order};

/// Editors write a file in several steps; it is read when nothing has changed for so long.
const SETTLE: Duration = Duration::from_millis(300);
/// What the warning about bad rules begins with.
const BAD: &str = "the rules on disk are wrong, and the old ones are in force: ";

/// Reads rules again.
pub(super) struct Reloader {
    pub(super) dir: Option<PathBuf>,
    /// Whether the settings say shadow mode, and whether the command line does.
    pub(super) shadow: (bool, bool),
    /// Who may ask.
    pub(super) door: Door,
    pub(super) inbox: Inbox,
    pub(super) mails: mpsc::Sender<Mail>,
    pub(super) metrics: Metrics,
    pub(super) condition: Arc<watch::Sender<Condition>>,
    pub(super) clock: Clock,
    /// The secrets that the settings name.
    pub(super) secrets: Secrets,
    /// Where new mappings go.
    pub(super) known: watch::Sender<Arc<Known>>,
    /// The files as they were last tried.
    pub(super) last: Vec<Source>,
}

/// What was read from the files.
pub(super) struct Read {
    /// The rules.
    pub(super) bundle: Bundle,
    /// The tools that can be read, with their secrets.
    pub(super) known: Known,
}

/// Rules and mappings from their files: everything that is wrong, in words. Beside it the files themselves.
pub(super) fn read(dir: Option<&Path>, shadow: (bool, bool), secrets: &Secrets) -> (Result<Read, String>, Vec<Source>) {
    let read = files::read_rules(dir).and_then(|rules| Ok((rules, files::read_mappings(dir)?)));
    let (rules, mappings) = match read {
        Ok(read) => read,
        Err(error) => return (Err(error.to_string()), Vec::new()),
    };
    let bundle = config::load(&rules).map_err(|report| report.to_string());
    let known = config::mappings(&mappings).map_err(|report| report.to_string());
    let known = known.and_then(|mappings| sources::known(mappings, secrets));
    let result = match (bundle, known) {
        (Ok(mut bundle), Ok(mut known)) => {
            (bundle.policy.shadow, bundle.policy.shadow_held) = shadow;
            secrets.give_buttons(&mut bundle.receivers);
            known.policy = Arc::new(bundle.policy.clone());
            Ok(Read { bundle, known })
        }
        (bundle, known) => {
            let wrong: Vec<String> = [bundle.err(), known.err()].into_iter().flatten().collect();
            Err(wrong.join("\n\n"))
        }
    };
    (result, rules.into_iter().chain(mappings).collect())
}

impl Reloader {
    /// Works until nobody can ask any more (`asked` is closed) or `stop` turns true.
    pub(super) async fn run(mut self, mut asked: mpsc::Receiver<Reload>, mut stop: watch::Receiver<bool>) {
        let (changed, mut changes) = mpsc::channel(1);
        // The watcher's thread ends when it is dropped.
        let _watcher = self.watch(changed);
        let mut hangup = hangup();
        let mut looks = interval(admission::LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stopped(&mut stop) => return,
                reload = asked.recv() => {
                    let Some(reload) = reload else { return };
                    let result = self.reload_all().await;
                    // Who asked may have gone.
                    let _ = reload.send(result);
                }
                () = next(&mut hangup) => drop(self.reload_all().await),
                // What is wrong is told there.
                _ = looks.tick() => drop(self.door.look().await),
                Some(()) = changes.recv() => {
                    sleep(SETTLE).await;
                    while changes.try_recv().is_ok() {}
                    drop(self.reload(Cause::Changed).await);
                }
            }
        }
    }

    fn watch(&self, changed: mpsc::Sender<()>) -> Option<notify::RecommendedWatcher> {
        let dir = self.dir.clone().or_else(|| Some(PathBuf::from(files::RULES_DIR)).filter(|dir| dir.is_dir()))?;
        let told = move |event: notify::Result<notify::Event>| {
            if event.is_ok_and(|event| !event.kind.is_access()) {
                // One waiting change is enough.
                let _ = changed.try_send(());
            }
        };
        let watcher = notify::recommended_watcher(told).and_then(|mut watcher| {
            // Mapping files lie in a folder of their own.
            watcher.watch(&dir, RecursiveMode::Recursive)?;
            Ok(watcher)
        });
        match watcher {
            Ok(watcher) => Some(watcher),
            Err(error) => {
                warn!(%error, dir = %dir.display(), "the rules cannot be watched: POST /-/reload after a change");
                None
            }
        }
    }

    /// Reads rules and secrets: neither waits for the other to be right.
    async fn reload_all(&mut self) -> Result<String, String> {
        let rules = self.reload(Cause::Asked).await;
        let door = self.door.look().await;
        match (rules, door) {
            (Ok(rules), Ok(changed)) => {
                let rules = rules.unwrap_or_default();
                Ok(if changed { format!("{rules}; new tokens or people hold") } else { rules })
            }
            (rules, door) => {
                let wrong: Vec<String> = [rules.err(), door.err()].into_iter().flatten().collect();
                Err(wrong.join("\n\n"))
            }
        }
    }

    /// Reads the files; `None` = nothing has changed since they were last tried.
    async fn reload(&mut self, cause: Cause) -> Result<Option<String>, String> {
        let (dir, shadow, secrets) = (self.dir.clone(), self.shadow, self.secrets.clone());
        let read = tokio::task::spawn_blocking(move || read(dir.as_deref(), shadow, &secrets)).await;
        let (read, sources) = read.map_err(|_| "reading the rules failed; please report it as a bug".to_owned())?;
        if cause == Cause::Changed && sources == self.last {
            return Ok(None);
        }
        self.last = sources;
        match read {
            Ok(Read { bundle, known }) => {
                self.known.send_replace(Arc::new(known));
                self.put_in_force(bundle).await.map(Some)
            }
            Err(report) => Err(self.refuse(report)),
        }
    }

    async fn put_in_force(&mut self, bundle: Bundle) -> Result<String, String> {
        for warning in &bundle.warnings {
            warn!("{warning}");
        }
        let Bundle { policy, receivers, fingerprint, warnings } = bundle;
        let message = format!("{} rules are in force ({fingerprint}), {} warnings", policy.rules.len(), warnings.len());
        // First the receivers: a page under the new policy must find its courier.
        self.mails.send(Mail::Receivers(receivers)).await.map_err(|_| "squelch is stopping".to_owned())?;
        self.inbox.order(Order::Policy(Arc::new(policy))).await.map_err(|refusal| refusal.to_string())?;
        info!("{message}");
        self.metrics.reload_successful.set(1);
        self.metrics.reload_at.set(self.clock.now().secs());
        self.condition.send_modify(|condition| condition.warnings.retain(|warning| !warning.starts_with(BAD)));
        Ok(message)
    }

    fn refuse(&self, report: String) -> String {
        error!("the rules are wrong, and the old ones stay in force:\n{report}");
        self.metrics.reload_successful.set(0);
        self.condition.send_modify(|condition| {
            condition.warnings.retain(|warning| !warning.starts_with(BAD));
            condition.warnings.push(format!("{BAD}{report}"));
        });
        report
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// Somebody wants it.
    Asked,
    /// Something in the folder moved; it may be nothing.
    Changed,
}

pub(super) type Hangup = Option<tokio::signal::unix::Signal>;

pub(super) fn hangup() -> Hangup {
    tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())
        .inspect_err(|error| warn!(%error, "SIGHUP cannot be listened for"))
        .ok()
}

pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A vanished sender means the same.
    drop(stop.wait_for(|stop| *stop).await);
}

pub(super) async fn next(hangup: &mut Hangup) {
    match hangup {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}
