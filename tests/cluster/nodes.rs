//! A node of a cluster: the real binary in a folder of its own. It is killed when this is dropped.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::servers::Servers;

/// How many partitions the clusters of the tests have.
pub(crate) const PARTITIONS: i32 = 4;

/// A cluster: its name, and the folder with what its nodes read and write.
pub(crate) struct Cluster {
    pub(crate) name: String,
    pub(crate) partitions: i32,
    dir: tempfile::TempDir,
    more: String,
}

impl Cluster {
    /// Fills a folder for nodes of a cluster of this name. `more` = further keys of its section.
    pub(crate) fn new(servers: &impl Servers, name: &str, (rules, more): (&str, &str)) -> Self {
        let more = format!(", replication: {}{more}", servers.copies());
        let dir = tempfile::tempdir().unwrap();
        let cluster = Self { name: name.to_owned(), partitions: PARTITIONS, dir, more };
        fs::create_dir_all(cluster.path("rules")).unwrap();
        fs::write(cluster.path("rules/rules.yaml"), rules).unwrap();
        cluster.write("squelch.yaml", &servers.addresses());
        cluster
    }

    /// Settings for nodes that reach the brokers at these places.
    pub(crate) fn write(&self, file: &str, brokers: &[String]) {
        let Self { name, partitions, more, .. } = self;
        let settings = format!(
            "limits: {{per_source: 1000000 events/s}}\n\
             cluster: {{name: {name}, prefix: {name}, brokers: {brokers:?}, partitions: {partitions}, scope: scope, session: 6s{more}}}\n",
        );
        fs::write(self.path(file), settings).unwrap();
    }

    /// The same with another name and other partitions, and a folder of its own.
    pub(crate) fn moved(&self, servers: &impl Servers, name: &str, partitions: i32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let cluster = Self { name: name.to_owned(), partitions, dir, more: self.more.clone() };
        fs::create_dir_all(cluster.path("rules")).unwrap();
        fs::copy(self.path("rules/rules.yaml"), cluster.path("rules/rules.yaml")).unwrap();
        cluster.write("squelch.yaml", &servers.addresses());
        cluster
    }

    /// One of its topics.
    pub(crate) fn topic(&self, what: &str) -> String {
        format!("{}.{what}", self.name)
    }

    /// A file of it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Starts a node with a number of its own, for its files.
    pub(crate) fn node(&self, number: usize, roles: &str) -> Node {
        self.node_by("squelch.yaml", number, roles)
    }

    /// The same, by other settings.
    pub(crate) fn node_by(&self, settings: &str, number: usize, roles: &str) -> Node {
        Node::start(&self.path(settings), &self.path("rules"), &self.path(&format!("node-{number}")), roles)
    }
}

/// A process of its own.
pub(crate) struct Node {
    child: Child,
    address: Option<SocketAddr>,
    log: PathBuf,
}

impl Node {
    fn start(settings: &Path, rules: &Path, data: &Path, roles: &str) -> Self {
        fs::create_dir_all(data).unwrap();
        let log = data.join("log");
        let file = File::options().append(true).create(true).open(&log).unwrap();
        // For measuring with another profile than that of the tests.
        let binary = std::env::var_os("SQUELCH_CLUSTER_BINARY");
        let child = Command::new(binary.unwrap_or_else(|| env!("CARGO_BIN_EXE_squelch").into()))
            .args(["serve", "--cluster", "--role", roles, "--listen", "127.0.0.1:0", "--config"])
            .arg(settings)
            .arg("--rules")
            .arg(rules)
            .arg("--data-dir")
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .unwrap();
        Self { child, address: None, log }
    }

    /// Where it listens, once it says so.
    pub(crate) fn address(&mut self) -> SocketAddr {
        if let Some(address) = self.address {
            return address;
        }
        let mut lines = BufReader::new(self.child.stdout.take().unwrap()).lines();
        let line = lines.next().unwrap_or_else(|| panic!("it ended before it listened:\n{}", self.log())).unwrap();
        thread::spawn(move || lines.for_each(drop));
        let address = line.rsplit('/').next().unwrap().parse().unwrap();
        self.address = Some(address);
        address
    }

    /// What it wrote into its log.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The time that it has had of the machine's cores.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // Behind the name, which may hold spaces: `utime` and `stime` are the fields 14 and 15, in hundredths of a second.
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }

    /// The memory that it has now, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until it ends by itself, which is a failure; gives its log.
    pub(crate) fn until_ended(mut self) -> String {
        let status = self.child.wait().unwrap();
        assert!(!status.success());
        self.log()
    }

    /// Has it stop in order.
    pub(crate) fn stop(mut self) {
        self.signal("TERM");
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}:\n{}", self.log());
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // SIGKILL.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Node {
    /// Waits until it can do its work: its log takes events, and each shard that it has judges. It may have none yet.
    pub(crate) fn until_ready(&mut self) {
        self.until_it_holds(0);
    }

    /// The same, and at least so many shards have come to it.
    pub(crate) fn until_it_holds(&mut self, shards: i32) {
        let address = self.address();
        for _ in 0..600 {
            let ready = crate::client::get(address, "/-/ready");
            let told = crate::client::get(address, "/metrics").body;
            let value = |name: &str| -> Option<f64> {
                let line = told.lines().find(|line| line.starts_with(name))?;
                line.rsplit(' ').next()?.parse().ok()
            };
            let reading = value("squelch_kafka_reading{") == Some(1.0);
            let held = value("squelch_kafka_partitions{").unwrap_or(0.0);
            if ready.status == 200 && reading && held >= f64::from(shards) {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("it is never ready:\n{}", self.log());
    }
}
