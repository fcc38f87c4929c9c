//! The settings of `squelch serve`, checked.
//!
//! Deliberately no rules: how alerts are judged stands in rule files, and is reloaded; this is read once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::admission::{self, Admission};
use super::findings::Findings;
use super::masking::{self, Masking};
use super::setting_fields::FILE;
use super::source::Source;
use super::value::{Record, Value};
use super::{cluster, kafka, read_file, receivers};
use crate::diagnostic::Report;
use crate::domain::signal::vocabulary;
use crate::sinks::kafka::Connection;
use crate::sinks::receiver::{Address, Secret};

/// Everything that `squelch serve` can be told by its settings file.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Where to listen: `HOST:PORT`.
    pub listen: String,
    /// Where the store lives.
    pub data_dir: PathBuf,
    /// The folder with the rule files; `None` = `./rules`, where it exists.
    pub rules: Option<PathBuf>,
    /// Where people and tools reach this Squelch, without a slash at its end.
    pub external_url: Option<String>,
    /// Judge everything, page nobody.
    pub shadow: bool,
    /// Whether the command line says so: then nothing that is said while it runs turns it off.
    pub shadow_held: bool,
    /// The clock goes on from where the store ends, so many times as fast, for a rehearsal; `None` = it is the machine's.
    pub rehearse: Option<u32>,
    /// What it tells about itself.
    pub log: Log,
    /// TLS on the listener; `None` = plain HTTP.
    pub tls: Option<TlsFiles>,
    /// The token that senders must show; `None` = none.
    pub auth: Option<Secret>,
    /// Who else may speak to it.
    pub admission: Admission,
    /// The secrets of single tools, by name.
    pub sources: BTreeMap<String, Secret>,
    /// The topics of SNS whose signed messages count, by ARN; empty = signatures of SNS are not checked.
    pub sns_topics: Vec<String>,
    /// The secrets with which receivers sign what people say there, by the name of the hook.
    pub hooks: BTreeMap<String, Secret>,
    /// What is masked of personal data.
    pub masking: Masking,
    /// Who hears regularly that Squelch is well; `None` = nobody.
    pub heartbeat: Option<Heartbeat>,
    /// The topics of Apache Kafka that are read.
    pub kafka: Vec<KafkaSource>,
    /// What `--cluster` makes this a node of; `None` = the file names no cluster.
    pub cluster: Option<Cluster>,
    /// How much is taken at once.
    pub limits: Limits,
    /// How much is kept.
    pub store: StoreLimits,
}

/// Who hears regularly that Squelch is well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// The address.
    pub url: Address,
    /// How often ([`Heartbeat::EVERY`]).
    pub every: Duration,
}

impl Heartbeat {
    /// How often where nobody says.
    pub const EVERY: Duration = Duration::from_secs(60);
}

/// Brokers of Apache Kafka whose topics are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaSource {
    /// What they are called; how far they were read is stored by it.
    pub name: String,
    /// How they are reached.
    pub connection: Connection,
    /// What is read; never empty.
    pub topics: Vec<KafkaTopic>,
    /// The consumer group that shows the progress.
    pub group: String,
    /// The topic of what nobody can read; `None` = there is none.
    pub dead_letters: Option<String>,
}

/// The cluster that a process is a node of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// What it is called: its consumer group, and the beginning of its transactional ids.
    pub name: String,
    /// What the names of its topics begin with.
    pub prefix: String,
    /// How its brokers are reached.
    pub connection: Connection,
    /// How many partitions its topics have, 1 to 999.
    pub partitions: u16,
    /// On how many brokers each lies, where Squelch creates them.
    pub replication: u16,
    /// The fields or labels that say what may be correlated; empty = everything may be.
    pub scope: Vec<String>,
    /// What services belong to, by field or label, for events that do not say it.
    pub services: BTreeMap<String, BTreeMap<String, String>>,
    /// How often the time is written into each partition.
    pub tick: Duration,
    /// A worker that was not heard for so long has lost its partitions.
    pub session: Duration,
    /// Whether every decision is written to a topic of its own.
    pub decisions: bool,
    /// What nodes show each other; `None` = they cannot ask each other.
    pub secret: Option<Secret>,
    /// Under which `HOST:PORT` other nodes reach this one; `None` = where it listens.
    pub advertise: Option<String>,
    /// A PEM file with the authorities for the certificates of nodes; `None` = the public ones.
    pub ca_file: Option<PathBuf>,
}

/// A topic that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaTopic {
    /// Its name.
    pub name: String,
    /// The tool whose bodies its messages are.
    pub format: String,
    /// Where to begin when it was never read.
    pub from: Begin,
}

vocabulary! {
    /// Where to begin with a topic that was never read.
    Begin {
        /// With the oldest message that is left.
        Earliest = "earliest",
        /// With what comes from now on.
        Latest = "latest",
    }
}

/// What Squelch tells about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// How.
    pub format: LogFormat,
    /// The least that is told.
    pub level: LogLevel,
}

vocabulary! {
    /// The form of the log.
    LogFormat {
        /// For people.
        Text = "text",
        /// For collectors: one JSON object a line.
        Json = "json",
    }
}

vocabulary! {
    /// The levels of the log, least talkative first.
    LogLevel {
        /// Only what went wrong.
        Error = "error",
        /// And what soon may.
        Warn = "warn",
        /// And what happens.
        Info = "info",
        /// And how.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    }
}

/// The PEM files of the listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate chain.
    pub cert_file: PathBuf,
    /// The private key.
    pub key_file: PathBuf,
}

/// How much is taken at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// The largest body of a request, unpacked, in bytes.
    pub body: u64,
    /// How many events may wait for the engine.
    pub inbox: usize,
    /// How many connections at once.
    pub connections: usize,
    /// How long a request may take as a whole.
    pub request_timeout: Duration,
    /// How many events a second one source may send.
    pub per_source: f64,
}

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreLimits {
    /// With less free space on the disk, in bytes, new events are refused.
    pub min_free: u64,
    /// How long closed incidents and their reasons are kept.
    pub history: Duration,
    /// How much memory the store may use for itself, in bytes.
    pub cache: u64,
    /// A snapshot is begun after so many bytes of journal; up to four times as many when the state is large.
    pub snapshot_every: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:9393".to_owned(),
            data_dir: "./squelch-data".into(),
            rules: None,
            external_url: None,
            shadow: false,
            shadow_held: false,
            rehearse: None,
            log: Log { format: LogFormat::Text, level: LogLevel::Info },
            tls: None,
            auth: None,
            admission: Admission::default(),
            sources: BTreeMap::new(),
            sns_topics: Vec::new(),
            hooks: BTreeMap::new(),
            masking: Masking::default(),
            heartbeat: None,
            kafka: Vec::new(),
            cluster: None,
            limits: Limits::default(),
            store: StoreLimits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 10_000_000,
            inbox: 10_000,
            connections: 1000,
            request_timeout: Duration::from_secs(30),
            per_source: 1000.0,
        }
    }
}

impl Default for StoreLimits {
    fn default() -> Self {
        Self {
            min_free: 256_000_000,
            history: Duration::from_secs(30 * 86_400),
            cache: 64_000_000,
            snapshot_every: 64_000_000,
        }
    }
}

/// Reads the settings file.
///
/// # Errors
/// All mistakes at once.
pub fn settings(source: &Source) -> Result<Settings, Report> {
    let sources = std::slice::from_ref(source);
    let mut findings = Findings::new(sources);
    let record = read_file(0, &FILE, &mut findings);
    let heartbeat = record.record("heartbeat").and_then(|given| heartbeat(given, &mut findings));
    let admission = record.record("auth").map(|auth| admission::lower(auth, &mut findings)).unwrap_or_default();
    let kafka = kafka::sources(&record, &mut findings);
    let cluster = cluster::cluster(&record, &mut findings);
    let masking = record.record("mask").map(|given| masking::lower(given, &mut findings)).unwrap_or_default();
    findings.finish()?;
    Ok(Settings { heartbeat, admission, kafka, cluster, masking, ..lower(&record) })
}

fn lower(record: &Record) -> Settings {
    let defaults = Settings::default();
    let tls = record.record("tls");
    Settings {
        listen: record.text("listen").map_or(defaults.listen, str::to_owned),
        data_dir: record.text("data_dir").map_or(defaults.data_dir, PathBuf::from),
        rules: record.text("rules").map(PathBuf::from),
        external_url: record.text("external_url").map(|url| url.trim_end_matches('/').to_owned()),
        shadow: record.flag("shadow").unwrap_or(defaults.shadow),
        shadow_held: false,
        rehearse: defaults.rehearse,
        log: record.record("log").map_or(defaults.log, |log| Log {
            format: log.word("format").unwrap_or(defaults.log.format),
            level: log.word("level").unwrap_or(defaults.log.level),
        }),
        tls: tls.and_then(|tls| {
            Some(TlsFiles { cert_file: tls.text("cert_file")?.into(), key_file: tls.text("key_file")?.into() })
        }),
        auth: record.record("auth").and_then(|auth| receivers::secret(auth, "token")),
        admission: Admission::default(),
        sources: sources(record),
        sns_topics: record.record("sns").map(topics).unwrap_or_default(),
        hooks: record.record("hooks").map(hooks).unwrap_or_default(),
        masking: Masking::default(),
        heartbeat: None,
        kafka: Vec::new(),
        cluster: None,
        limits: record.record("limits").map_or(defaults.limits, limits),
        store: record.record("store").map_or(defaults.store, store),
    }
}

fn sources(record: &Record) -> BTreeMap<String, Secret> {
    let Some(Value::Map(given)) = record.get("sources").map(|sources| &sources.value) else { return BTreeMap::new() };
    let secret = |(name, given): &(String, super::value::Checked)| {
        Some((name.clone(), receivers::secret(given.record(), "secret")?))
    };
    given.iter().filter_map(secret).collect()
}

fn hooks(given: &Record) -> BTreeMap<String, Secret> {
    let secret = |name: &str| Some((name.to_owned(), receivers::secret(given.record(name)?, "secret")?));
    ["pagerduty", "slack"].into_iter().filter_map(secret).collect()
}

fn heartbeat(given: &Record, findings: &mut Findings<'_>) -> Option<Heartbeat> {
    let every = given.duration("every").unwrap_or(Heartbeat::EVERY);
    Some(Heartbeat { url: receivers::address(given, findings)?, every })
}

fn topics(sns: &Record) -> Vec<String> {
    sns.items("topics").iter().map(|topic| topic.text().to_owned()).collect()
}

fn limits(record: &Record) -> Limits {
    let defaults = Limits::default();
    let count = |key, default| record.whole(key).and_then(|count| usize::try_from(count).ok()).unwrap_or(default);
    Limits {
        body: record.whole("body").unwrap_or(defaults.body),
        inbox: count("inbox", defaults.inbox),
        connections: count("connections", defaults.connections),
        request_timeout: record.duration("request_timeout").unwrap_or(defaults.request_timeout),
        per_source: record.number("per_source").unwrap_or(defaults.per_source),
    }
}

fn store(record: &Record) -> StoreLimits {
    let defaults = StoreLimits::default();
    StoreLimits {
        min_free: record.whole("min_free").unwrap_or(defaults.min_free),
        history: record.duration("history").unwrap_or(defaults.history),
        cache: record.whole("cache").unwrap_or(defaults.cache),
        snapshot_every: record.whole("snapshot_every").unwrap_or(defaults.snapshot_every),
    }
}
