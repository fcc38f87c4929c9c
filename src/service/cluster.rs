//! `squelch serve --cluster`: the HTTP side, the couriers and a node of the cluster between them.
//!
//! Deliberately without store and pump: the state is in Kafka's topics, and each shard judges for itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::{error, info, warn};

use super::admission::{self, Door, Places};
use super::branches::Branches;
use super::heartbeat::Heart;
use super::reload::{self, Read};
use super::secretary::Station;
use super::sources::Secrets;
use super::start::{self, Parts};
use super::{InForce, Options, StartError, ended, tls};
use crate::clock::{Clock, Stopwatch};
use crate::cluster::word::Word;
use crate::cluster::{
    self, Advertised, Asking, Board, Node, Posted, Roles, RuleFiles, Rules, Scribe, ShardStanding, Standing,
};
use crate::config::{Cluster, Settings, Source};
use crate::deliver;
use crate::domain::{Fingerprint, Timestamp};
use crate::http::app::{Condition, Reload};
use crate::http::feeds::Feed;
use crate::http::known::Known;
use crate::http::listener::Server;
use crate::http::router;
use crate::inbox::{Inbox, missing};

/// How often it looks how the node stands.
const LOOK: Duration = Duration::from_secs(1);
/// How long shards may take to be let go, and couriers then to report.
const LET_GO: (Duration, Duration) = (Duration::from_secs(10), Duration::from_millis(300));
/// What its warnings begin with.
const CLUSTER: &str = "cluster: ";

/// A node that serves.
pub struct ClusterService {
    address: SocketAddr,
    rules: InForce,
    condition: watch::Receiver<Condition>,
    inbox: Inbox,
    board: Board,
    stop: watch::Sender<bool>,
    let_go: watch::Sender<bool>,
    tasks: Vec<(&'static str, JoinHandle<()>)>,
    branches: JoinHandle<()>,
    node: Node,
}

impl ClusterService {
    /// Starts it: rules, listener, then everything that runs. Brokers that do not answer are waited for.
    ///
    /// # Errors
    /// See [`StartError`]; nothing runs then.
    pub async fn start(options: Options, roles: Roles) -> Result<Self, StartError> {
        let Options { settings, couriers, fetch, .. } = options;
        let cluster = possible(&settings)?.clone();
        let topics = start::topics(&settings, fetch)?;
        let secrets = Secrets::of(&settings);
        let (read, sources) = reload::read(settings.rules.as_deref(), start::shadow(&settings), &secrets);
        let Read { bundle, known } = read.map_err(StartError::Rules)?;
        bundle.warnings.iter().for_each(|warning| warn!("{warning}"));
        let places = Places::of(&settings);
        let texts = places.read();
        let (access, access_now) = watch::channel(Arc::new(places.access(&texts)?));
        let tls = settings.tls.as_ref().map(tls::server_config).transpose()?;
        let (listener, address) = start::listen(&settings.listen, settings.auth.is_some()).await?;
        let asking = asking(&cluster)?;
        let own = rule_files(&sources, settings.shadow).load().map_err(StartError::Rules)?;
        let (parts, outlet) = Parts::of(&settings, Clock::start(Timestamp::EPOCH), warnings(&settings, &own));
        let ((stop, stopping), (let_go, letting_go)) = (watch::channel(false), watch::channel(false));
        let (posted, told) = mpsc::channel(start::QUEUE);
        let branches = Branches::new(&parts, start::by_settings(couriers, &settings), secrets.clone());
        let branches = tokio::spawn(branches.run(told));
        let board = Board::of_one_that_begins();
        let node = cluster::Options {
            settings: cluster.clone(),
            roles,
            own: own.clone(),
            post: post(posted),
            data_dir: settings.data_dir.clone(),
            clock: parts.clock.clone(),
            board: board.clone(),
            asking,
            advertised: Advertised { given: cluster.advertise.clone(), bound: address, tls: tls.is_some() },
            stop: letting_go,
        };
        let node = Node::start(node, outlet).map_err(StartError::Thread)?;
        let (known, known_now) = watch::channel(Arc::new(known));
        let (reload, asked_for) = mpsc::channel(start::QUEUE);
        // Nobody tries changes; who asks is refused before.
        let ((feeds, feeds_now), (trials, _)) = (watch::channel(Vec::new()), mpsc::channel(1));
        let station = Station::Cluster { board: board.clone(), partitions: cluster.partitions };
        let (digests, secretary) = parts.start_secretary((&settings, station), stopping.clone());
        let (clock, condition) = (parts.clock.clone(), Arc::clone(&parts.condition));
        let door = Door { places, last: texts, access, condition: Arc::clone(&condition) };
        let pusher = Pusher { settings: settings.clone(), cluster: cluster.clone(), secrets, known, clock, door };
        let look = Look { cluster, board: board.clone(), own: own.fingerprint, condition, feeds };
        let mut tasks = vec![
            ("the pusher of rules", tokio::spawn(pusher.run(asked_for, stopping.clone()))),
            ("the watch over the cluster", tokio::spawn(look.run(stopping.clone()))),
            ("the secretary", secretary),
        ];
        if let Some(heartbeat) = &settings.heartbeat {
            let heart = Heart::new(heartbeat, parts.inbox.clone(), parts.condition.subscribe());
            tasks.push(("the heartbeat", tokio::spawn(heart.run(stopping.clone()))));
        }
        let desks = (reload, digests, trials);
        let app = parts.app(&settings, (access_now, stopping.clone()), (known_now, topics, feeds_now), desks);
        let server = Server::new(listener, tls, router(app), start::connections(&settings));
        tasks.insert(0, ("the listener", tokio::spawn(server.run(stopping))));
        let rules = start::told_in_force(&bundle, &sources, settings.shadow);
        let (condition, inbox) = (parts.condition.subscribe(), parts.inbox.clone());
        Ok(Self { address, rules, condition, inbox, board, stop, let_go, tasks, branches, node })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The rules of its own disk.
    #[must_use]
    pub fn rules(&self) -> &InForce {
        &self.rules
    }

    /// How it is.
    #[must_use]
    pub fn condition(&self) -> Condition {
        self.condition.borrow().clone()
    }

    /// Ends only when the node ended by itself, which it never should.
    pub async fn failed(&mut self) {
        let mut ticks = interval(LOOK);
        while !self.node.is_over() {
            ticks.tick().await;
        }
    }

    /// Stops in order: no new requests, shards finish their turns and go elsewhere, what was taken is written.
    pub async fn stop(self) {
        let Self { inbox, board, stop, let_go, tasks, branches, node, .. } = self;
        info!("stopping: no new connections, requests under way are finished");
        let _ = stop.send(true);
        for (what, task) in tasks {
            ended(what, task.await);
        }
        let _ = let_go.send(true);
        // The gateway still takes what couriers report.
        let closer = tokio::spawn(close_when_let_go(inbox, board));
        let joined = tokio::task::spawn_blocking(move || node.join()).await;
        ended("the inbox", closer.await);
        ended("the couriers", branches.await);
        match joined {
            Ok(true) => info!("stopped: the shards are let go"),
            Ok(false) | Err(_) => error!("the node ended with a panic; what was committed stands"),
        }
    }
}

/// The inbox takes nothing more once all shards are let go, and couriers have had a moment to report.
async fn close_when_let_go(inbox: Inbox, board: Board) {
    let watch = Stopwatch::start();
    while !board.read().shards.is_empty() && watch.elapsed() < LET_GO.0 {
        sleep(Duration::from_millis(20)).await;
    }
    sleep(LET_GO.1).await;
    inbox.close();
}

/// The cluster of the settings, where everything else in them can be had in one.
fn possible(settings: &Settings) -> Result<&Cluster, StartError> {
    let no = |text: &str| Err(StartError::Cluster(text.to_owned()));
    if !settings.kafka.is_empty() {
        return no(
            "topics of `kafka` are not read by a cluster yet: each node would read all of them. Let one Squelch without \
             --cluster read them, or write events into the topic of events",
        );
    }
    if settings.rehearse.is_some() {
        return no("--rehearse and --cluster do not go together: the time of a cluster is that of its log");
    }
    settings.cluster.as_ref().ok_or_else(|| {
        let text =
            "--cluster needs a `cluster` section in the settings file: at least `cluster: {brokers: [HOST:PORT]}`";
        StartError::Cluster(text.to_owned())
    })
}

/// How nodes ask each other.
fn asking(cluster: &Cluster) -> Result<Asking, StartError> {
    let secret = cluster.secret.as_ref().map(|place| admission::secret(place).map(cluster::Secret::new)).transpose()?;
    let pem = cluster.ca_file.as_ref().map(|path| {
        std::fs::read(path)
            .map_err(|error| StartError::Cluster(format!("cluster.ca_file: {}: {error}", path.display())))
    });
    let client = deliver::calling(pem.transpose()?.as_deref())
        .map_err(|error| StartError::Cluster(format!("nodes cannot ask each other: {error}")))?;
    Ok(Asking { secret, client })
}

/// What people should know from the start.
fn warnings(settings: &Settings, own: &Rules) -> Vec<String> {
    let mut warnings = Vec::new();
    if settings.cluster.as_ref().is_some_and(|cluster| cluster.scope.is_empty()) {
        warnings.push(format!(
            "{CLUSTER}`cluster.scope` names no fields: everything is one scope, and one partition does all the work"
        ));
    }
    if settings.cluster.as_ref().is_some_and(|cluster| !cluster.scope.is_empty()) && !own.policy.heartbeats.is_empty() {
        warnings.push(format!(
            "{CLUSTER}each scope waits for heartbeats of its own: those of the rules must come in every scope"
        ));
    }
    if settings.cluster.as_ref().is_some_and(|cluster| cluster.secret.is_none()) {
        warnings.push(format!("{CLUSTER}{}", cluster::NO_SECRET));
    }
    warnings
}

/// The rule files alone: mappings are read by each node from its own disk.
fn rule_files(sources: &[Source], shadow: bool) -> RuleFiles {
    let rules: Vec<Source> = sources.iter().filter(|source| !source.name.contains("sources/")).cloned().collect();
    RuleFiles::of(&rules, shadow)
}

/// Hands over to the branches.
fn post(posted: mpsc::Sender<(i32, Posted)>) -> cluster::Post {
    Arc::new(move |partition, what| {
        if posted.blocking_send((partition, what)).is_err() {
            info!("the couriers have ended: what is owed stays in the outbox");
        }
    })
}

/// Pushes rules to all shards, when somebody asks for it.
struct Pusher {
    settings: Settings,
    cluster: Cluster,
    secrets: Secrets,
    known: watch::Sender<Arc<Known>>,
    clock: Clock,
    door: Door,
}

impl Pusher {
    async fn run(mut self, mut asked: mpsc::Receiver<Reload>, mut stop: watch::Receiver<bool>) {
        let mut hangup = reload::hangup();
        let mut looks = interval(admission::LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = reload::stopped(&mut stop) => return,
                asked = asked.recv() => {
                    let Some(reply) = asked else { return };
                    // Who asked may have gone.
                    let _ = reply.send(self.push().await);
                }
                // What is wrong is told there.
                _ = looks.tick() => drop(self.door.look().await),
                () = reload::next(&mut hangup) => match self.push().await {
                    Ok(message) => info!("{message}"),
                    Err(report) => error!("the rules are wrong, and the old ones stay in force:\n{report}"),
                },
            }
        }
    }

    /// Reads the files of this node, checks them, and writes them into the log for all.
    async fn push(&self) -> Result<String, String> {
        let (dir, shadow, secrets) = (self.settings.rules.clone(), start::shadow(&self.settings), self.secrets.clone());
        let (cluster, clock) = (self.cluster.clone(), self.clock.clone());
        let work = move || {
            let (read, sources) = reload::read(dir.as_deref(), shadow, &secrets);
            let Read { bundle, known } = read?;
            let files = rule_files(&sources, shadow.0);
            Scribe::new(&cluster, clock)?.to_all(&Word::Rules { files })?;
            let message =
                format!("{} rules were pushed to all shards ({})", bundle.policy.rules.len(), bundle.fingerprint);
            Ok((message, known))
        };
        let pushed: Result<(String, Known), String> = tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| "reading the rules failed; please report it as a bug".to_owned())?;
        let (message, known) = pushed?;
        self.known.send_replace(Arc::new(known));
        Ok(message)
    }
}

/// Puts these texts of the cluster in the place of those before; whether that changed anything.
fn replace(texts: &mut Vec<String>, new: Vec<String>) -> bool {
    let own = |text: &String| text.starts_with(CLUSTER);
    if texts.iter().filter(|text| own(text)).eq(&new) {
        return false;
    }
    texts.retain(|text| !own(text));
    texts.extend(new);
    true
}

/// Tells how the node stands: on `/-/ready` and `/metrics`.
struct Look {
    cluster: Cluster,
    board: Board,
    own: Fingerprint,
    condition: Arc<watch::Sender<Condition>>,
    feeds: watch::Sender<Vec<Feed>>,
}

impl Look {
    async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // What was told at the start stays.
        let always: Vec<String> =
            self.condition.borrow().warnings.iter().filter(|text| text.starts_with(CLUSTER)).cloned().collect();
        loop {
            tokio::select! {
                biased;
                () = reload::stopped(&mut stop) => return,
                _ = ticks.tick() => {}
            }
            let standing = self.board.read();
            let mut warnings = always.clone();
            warnings.extend(self.warnings(&standing));
            let problems: Vec<String> = standing.closed.iter().map(|text| format!("{CLUSTER}{text}")).collect();
            self.condition.send_if_modified(|condition| {
                replace(&mut condition.problems, problems) | replace(&mut condition.warnings, warnings)
            });
            self.feeds.send_replace(vec![self.feed(&standing)]);
        }
    }

    fn warnings(&self, standing: &Standing) -> Vec<String> {
        let mut texts = [&standing.topic[..], &standing.troubles].concat();
        for (partition, shard) in &standing.shards {
            texts.extend(shard.trouble.iter().map(|why| format!("shard {partition}: {why}")));
            let known = shard.outgrown.iter().chain(&shard.warnings);
            texts.extend(known.map(|text| format!("shard {partition}: {text}")));
        }
        if let Some(why) = standing.silent.values().next() {
            texts.push(format!("the {} do not answer: {why}", missing::named(&standing.silent)));
        }
        let others: Vec<String> = standing
            .shards
            .iter()
            .filter(|(_, shard)| shard.rules.is_some_and(|rules| rules != self.own))
            .map(|(partition, _)| partition.to_string())
            .collect();
        if !others.is_empty() {
            texts.push(format!(
                "the shards {} judge by other rules than those on the disk of this node ({}): POST /-/reload at the node whose rules are to be in force everywhere",
                others.join(", "),
                self.own
            ));
        }
        texts.iter().map(|text| format!("{CLUSTER}{text}")).collect()
    }

    fn feed(&self, standing: &Standing) -> Feed {
        let sum = |what: fn(&ShardStanding) -> u64| standing.shards.values().map(what).sum();
        let lags: Option<Vec<u64>> = standing.shards.values().map(|shard| shard.lag).collect();
        Feed {
            brokers: self.cluster.name.clone(),
            topic: cluster::Topics::of(&self.cluster).events,
            reading: standing.closed.is_empty() && standing.shards.values().all(|shard| shard.judges),
            partitions: standing.shards.len() as u64,
            lag: lags.map(|lags| lags.iter().sum()),
            messages: sum(|shard| shard.messages),
            events: sum(|shard| shard.events),
            dead: sum(|shard| shard.dead),
        }
    }
}
