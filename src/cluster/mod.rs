//! A node of a cluster: the log of Apache Kafka before the engine, and its transactions behind it.
//!
//! ```text
//! inbox ─ gateway ─► PREFIX.events ─ owner ─► shard: an engine a scope ─► one transaction ─► post ─► couriers
//!                    a partition a shard                                  PREFIX.state, PREFIX.outbox,
//!                                                                         PREFIX.decisions, the offset
//! ```
//!
//! - **Pure**: [`scope`] (whose event it is), [`place`] (where that is), [`message`], [`word`] and `dispatched` (what
//!   stands in the log), [`record`] (what stands in the changelog), [`seating`] and [`moved`] (who sits where, also after
//!   a move), [`rules`], [`shard`] and [`tenant`] (what is judged),
//!   `answers` (what is told of it).
//! - **A move** to another number of partitions, while no worker runs: [`relocation`].
//! - **With Kafka**: `topics` (how they must be), `scribe` and `gateway` (into the log), `member` (whose partition is
//!   whose), `owner`, `letter`, `changelog`, `copy`, `load`, `stall` and `transaction` (one shard), `counter` and `clerk` (who is asked, and
//!   asks), [`homes`] (where scopes live that moved), `owners` (where the owners are), `survey` (what is wrong with the partitions), [`standing`]
//!   (how it all stands).
//!
//! Deliberately no protocol of its own: who owns what, what is stored together and who is fenced is Kafka's to say.

mod answers;
mod changelog;
mod clerk;
mod copy;
mod counter;
mod dispatched;
mod gateway;
pub mod homes;
mod letter;
mod load;
mod member;
pub mod message;
pub mod moved;
mod owner;
mod owners;
pub mod place;
pub mod record;
pub mod relocation;
pub mod rules;
pub mod scope;
mod scribe;
pub mod seating;
pub mod shard;
mod stall;
pub mod standing;
mod survey;
pub mod tenant;
mod topics;
mod transaction;
pub mod word;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::clock::{Clock, Stopwatch};
use crate::config::Cluster;
use crate::domain::Notification;
use crate::inbox::Outlet;
use crate::sinks::Receiver;

pub use clerk::{Asking, NO_SECRET, Secret};
pub use owners::Advertised;
pub use rules::{RuleFiles, Rules};
pub use scribe::Scribe;
pub use standing::{Board, ShardStanding, Standing};
pub use topics::Topics;

/// How soon what failed at the start is tried again.
const AGAIN: Duration = Duration::from_secs(2);

/// What the couriers of a shard are told.
pub enum Posted {
    /// These receivers are in force.
    Receivers(Vec<Receiver>),
    /// Send these, in order; all of them are stored.
    Send(Vec<Arc<Notification>>),
    /// The shard is somebody else's now.
    Leave,
}

/// Hands over what the couriers of a partition are told.
pub type Post = Arc<dyn Fn(i32, Posted) + Send + Sync>;

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles {
    /// Whether it takes events and orders.
    pub http: bool,
    /// Whether it judges.
    pub worker: bool,
}

impl Roles {
    /// Both.
    pub const ALL: Self = Self { http: true, worker: true };
}

/// What a node needs.
pub struct Options {
    /// The cluster.
    pub settings: Cluster,
    /// What it does.
    pub roles: Roles,
    /// The rules of its own disk, for a cluster that has none yet.
    pub own: Rules,
    /// Where notifications go once they are stored.
    pub post: Post,
    /// Where copies of shards are kept.
    pub data_dir: PathBuf,
    /// The time of orders and ticks.
    pub clock: Clock,
    /// Where it is told how the node stands.
    pub board: Board,
    /// How nodes ask each other.
    pub asking: Asking,
    /// Under which address others ask this one.
    pub advertised: Advertised,
    /// Turns true when the node is to let go of its shards.
    pub stop: watch::Receiver<bool>,
}

impl Options {
    fn stops(&self) -> bool {
        // A vanished sender means the same.
        *self.stop.borrow() || self.stop.has_changed().is_err()
    }

    fn rest(&self, time: Duration) {
        let watch = Stopwatch::start();
        while watch.elapsed() < time && !self.stops() {
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A node that runs.
pub struct Node {
    thread: thread::JoinHandle<()>,
}

impl Node {
    /// Starts it; events and orders come out of `outlet`. What cannot be reached is told on the board, and tried again.
    ///
    /// # Errors
    /// When no thread can be started.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(options: Options, outlet: Outlet) -> io::Result<Self> {
        let runtime = Handle::current();
        let clerk = clerk::Clerk::new(options.settings.partitions, options.board.clone(), options.asking.clone());
        runtime.spawn(clerk.clone().watch(options.stop.clone()));
        outlet.send_to(Arc::new(clerk));
        let thread = thread::Builder::new().name("cluster".to_owned()).spawn(move || run(&options, outlet, runtime))?;
        Ok(Self { thread })
    }

    /// Waits until its shards are let go and its inbox is closed and empty. `false` = it ended with a panic.
    #[must_use]
    pub fn join(self) -> bool {
        self.thread.join().is_ok()
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.thread.is_finished()
    }
}

fn run(options: &Options, outlet: Outlet, runtime: Handle) {
    let gateway = gateway::Gateway {
        outlet,
        settings: options.settings.clone(),
        clock: options.clock.clone(),
        board: options.board.clone(),
        runtime,
        takes_events: options.roles.http,
    };
    let Some(scribe) = prepare(options, &gateway) else { return };
    info!(cluster = options.settings.name, "the topics of the cluster are there");
    let own = Arc::new(options.own.clone());
    thread::scope(|scope| {
        scope.spawn(|| survey::run(options, &gateway.runtime));
        scope.spawn(|| owners::run(options));
        if options.roles.worker {
            let (own, scribe) = (&own, &scribe);
            scope.spawn(move || member::run(options, own, scribe));
        }
        gateway.run(scribe.clone());
    });
}

/// A writer, once it is known where scopes live that moved.
fn scribe(options: &Options) -> Result<Scribe, Vec<String>> {
    let (moved, unreadable) = homes::read(&options.settings).map_err(|error| vec![error])?;
    unreadable.iter().for_each(|text| warn!("{text}"));
    let homes = &options.board.homes;
    for record in &moved {
        homes.hear(record, options.settings.partitions);
        if let moved::Moved::From(origin) = record
            && let Some(why) = homes::unfinished(origin)
        {
            return Err(vec![why]);
        }
    }
    let scribe = Scribe::new(&options.settings, options.clock.clone()).map_err(|error| vec![error])?;
    Ok(scribe.knowing(homes.clone()))
}

/// Waits for the brokers and the topics; `None` = the node stops before.
fn prepare(options: &Options, gateway: &gateway::Gateway) -> Option<Scribe> {
    loop {
        let prepared = gateway.runtime.block_on(topics::prepare(&options.settings));
        let prepared = prepared.and_then(|()| scribe(options));
        let wrong = match prepared {
            Ok(scribe) => return Some(scribe),
            Err(wrong) => wrong,
        };
        warn!("the cluster cannot be joined yet: {}", wrong.join("; "));
        options.board.close(wrong.clone());
        let watch = Stopwatch::start();
        while watch.elapsed() < AGAIN {
            if !gateway.hold(&wrong) || options.stops() {
                return None;
            }
        }
    }
}
