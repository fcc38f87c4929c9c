//! Three brokers of a real Apache Kafka and their controller, each a process of its own; they end with the test. Every node
//! of Squelch reaches them by wires of its own, which can be cut: a listener of each broker tells it no other way.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, sleep};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use squelch::clock::Stopwatch;
use tempfile::TempDir;

use crate::broker;
use crate::servers::Servers;
use crate::wire::Wire;

/// So many brokers.
pub(crate) const BROKERS: usize = 3;
/// So many nodes can have wires of their own.
pub(crate) const LANES: usize = 4;
/// The number of the controller.
const CONTROLLER: usize = 100;

/// Three brokers, with their files.
pub(crate) struct Trio {
    dir: TempDir,
    jars: PathBuf,
    /// In the clear and by no wire, one a broker.
    plain: Vec<u16>,
    /// By lane, then by broker.
    lanes: Vec<Vec<Wire>>,
    controller: Mutex<Option<Child>>,
    brokers: Vec<Mutex<Option<Child>>>,
    /// Held by the test whose turn it is.
    turn: Mutex<()>,
}

impl Servers for Trio {
    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", addresses(&self.plain).join(","));
        config.set_log_level(rdkafka::config::RDKafkaLogLevel::Emerg);
        config
    }

    fn addresses(&self) -> Vec<String> {
        addresses(&self.plain)
    }

    fn copies(&self) -> usize {
        BROKERS
    }
}

fn addresses(ports: &[u16]) -> Vec<String> {
    ports.iter().map(|port| format!("127.0.0.1:{port}")).collect()
}

impl Trio {
    /// The one that tests share; `None` = there are no jars. It ends when no test holds it any more.
    pub(crate) fn shared() -> Option<Arc<Self>> {
        static SHARED: Mutex<Weak<Trio>> = Mutex::new(Weak::new());
        let jars = broker::jars()?;
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        Some(shared.upgrade().unwrap_or_else(|| {
            let trio = Arc::new(Self::start(jars));
            *shared = Arc::downgrade(&trio);
            trio
        }))
    }

    /// Waits until no other test does anything to them; everything is whole then.
    pub(crate) fn turn(&self) -> MutexGuard<'_, ()> {
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        (0..BROKERS).for_each(|number| self.run(number));
        (0..LANES).for_each(|lane| self.cut(lane, false));
        self.until_whole();
        turn
    }

    fn start(jars: PathBuf) -> Self {
        let dir = tempfile::tempdir().unwrap();
        // All at once, so that they differ.
        let doors = BROKERS * (1 + LANES);
        let listeners: Vec<TcpListener> = (0..=doors).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports: Vec<u16> = listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        let inner = |lane: usize, number: usize| ports[BROKERS * (1 + lane) + number];
        let lane = |lane: usize| (0..BROKERS).map(|number| Wire::to(inner(lane, number))).collect();
        let lanes: Vec<Vec<Wire>> = (0..LANES).map(lane).collect();
        let (plain, controller) = (ports[..BROKERS].to_vec(), ports[doors]);
        let properties = |number: usize| {
            let named = |port: &dyn Fn(usize) -> u16| -> String {
                (0..LANES).map(|lane| format!(",LANE{lane}://127.0.0.1:{}", port(lane))).collect()
            };
            let (open, told) = (named(&|lane| inner(lane, number)), named(&|lane| lanes[lane][number].port));
            let own = format!("PLAIN://127.0.0.1:{}", plain[number]);
            let map: String = (0..LANES).map(|lane| format!(",LANE{lane}:PLAINTEXT")).collect();
            format!(
                "process.roles=broker\nlisteners={own}{open}\nadvertised.listeners={own}{told}\n\
                 inter.broker.listener.name=PLAIN\nlistener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAIN:PLAINTEXT{map}\n"
            )
        };
        for number in 0..BROKERS {
            write(dir.path(), number, &(properties(number) + &common(dir.path(), number, controller)));
        }
        let own = format!(
            "process.roles=controller\nlisteners=CONTROLLER://127.0.0.1:{controller}\n\
             listener.security.protocol.map=CONTROLLER:PLAINTEXT\n"
        );
        write(dir.path(), CONTROLLER, &(own + &common(dir.path(), CONTROLLER, controller)));
        drop(listeners);
        let brokers = (0..BROKERS).map(|_| Mutex::default()).collect();
        let trio = Self { dir, jars, plain, lanes, controller: Mutex::default(), brokers, turn: Mutex::default() };
        trio.format();
        *trio.controller.lock().unwrap() = Some(trio.process(CONTROLLER));
        (0..BROKERS).for_each(|number| trio.run(number));
        trio
    }

    fn file(&self, number: usize, end: &str) -> PathBuf {
        self.dir.path().join(format!("{number}{end}"))
    }

    fn format(&self) {
        thread::scope(|scope| {
            for number in (0..BROKERS).chain([CONTROLLER]) {
                scope.spawn(move || {
                    let formatted = broker::java(&self.jars, "kafka.tools.StorageTool")
                        .args(["format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c"])
                        .arg(self.file(number, ".properties"))
                        .output()
                        .unwrap();
                    assert!(formatted.status.success(), "{}", String::from_utf8_lossy(&formatted.stderr));
                });
            }
        });
    }

    fn process(&self, number: usize) -> Child {
        let log = File::options().create(true).append(true).open(self.file(number, ".log")).unwrap();
        broker::process(&self.jars, &self.file(number, ".properties"), log)
    }

    /// Starts a broker, if it does not run.
    pub(crate) fn run(&self, number: usize) {
        let mut process = self.brokers[number].lock().unwrap_or_else(PoisonError::into_inner);
        if process.is_none() {
            *process = Some(self.process(number));
        }
    }

    /// Ends a broker as a power cut would.
    pub(crate) fn kill(&self, number: usize) {
        broker::end(&mut self.brokers[number].lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Cuts all wires of a node, or mends them.
    pub(crate) fn cut(&self, lane: usize, cut: bool) {
        self.lanes[lane].iter().for_each(|wire| wire.cut(cut));
    }

    /// Where the brokers are for the node with these wires.
    pub(crate) fn by(&self, lane: usize) -> Vec<String> {
        addresses(&self.lanes[lane].iter().map(|wire| wire.port).collect::<Vec<_>>())
    }

    /// Waits until all brokers answer, and have everything that they are to have.
    pub(crate) fn until_whole(&self) {
        let client: BaseConsumer = self.client().create().unwrap();
        let watch = Stopwatch::start();
        while watch.elapsed() < Duration::from_secs(120) {
            let whole = client.fetch_metadata(None, Duration::from_secs(1)).is_ok_and(|seen| {
                let mut partitions = seen.topics().iter().flat_map(rdkafka::metadata::MetadataTopic::partitions);
                seen.brokers().len() == BROKERS
                    && partitions.all(|found| found.leader() >= 0 && found.isr().len() == found.replicas().len())
            });
            if whole {
                return;
            }
            sleep(Duration::from_millis(100));
        }
        let logs: Vec<String> = (0..BROKERS)
            .chain([CONTROLLER])
            .map(|number| fs::read_to_string(self.file(number, ".log")).unwrap_or_default())
            .collect();
        panic!("the brokers are never whole:\n{}", logs.join("\n---\n"));
    }

    /// Which broker leads a partition; `None` = none does.
    pub(crate) fn leader(&self, topic: &str, partition: i32) -> Option<usize> {
        let client: BaseConsumer = self.client().create().unwrap();
        let seen = client.fetch_metadata(Some(topic), Duration::from_secs(10)).unwrap();
        let found = seen.topics().first()?.partitions().iter().find(|found| found.id() == partition)?.leader();
        usize::try_from(found).ok()
    }
}

impl Drop for Trio {
    fn drop(&mut self) {
        (0..BROKERS).for_each(|number| self.kill(number));
        broker::end(&mut self.controller.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn write(dir: &Path, number: usize, properties: &str) {
    fs::write(dir.join(format!("{number}.properties")), properties).unwrap();
}

/// What all have. A broker that is silent for three seconds is taken for dead; two copies make a write.
fn common(dir: &Path, number: usize, controller: u16) -> String {
    format!(
        "node.id={number}\ncontroller.quorum.voters={CONTROLLER}@127.0.0.1:{controller}\n\
         controller.listener.names=CONTROLLER\nlog.dirs={}/{number}\nnum.partitions=1\nmin.insync.replicas=2\n\
         broker.session.timeout.ms=3000\nbroker.heartbeat.interval.ms=500\nreplica.lag.time.max.ms=4000\n\
         offsets.topic.replication.factor={BROKERS}\noffsets.topic.num.partitions=2\n\
         transaction.state.log.replication.factor={BROKERS}\ntransaction.state.log.min.isr=2\n\
         transaction.state.log.num.partitions=4\ngroup.initial.rebalance.delay.ms=0\nauto.create.topics.enable=false\n\
         message.max.bytes=8388608\nnum.network.threads=1\nnum.io.threads=2\nlog.cleaner.dedupe.buffer.size=2000000\n\
         log.retention.ms=-1\n",
        dir.display()
    )
}
