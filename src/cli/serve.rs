//! `squelch serve`: settings, logs and signals around a [`Service`].
//!
//! Deliberately nothing of what it serves: that is `service`.
#![expect(clippy::print_stdout, reason = "says where to send events, and prints the pages of the console")]
#![expect(clippy::print_stderr, reason = "says why it cannot start")]

use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{error, info, warn};
use tracing_subscriber::EnvFilter;

use crate::cluster::Roles;
use crate::config::{self, Log, LogFormat, Settings};
use crate::deliver;
use crate::files;
use crate::service::{ClusterService, InForce, Options, Service, StartError};
use crate::sinks::Paint;

/// The arguments of `squelch serve`. None is needed.
#[derive(Args, Debug)]
pub struct ServeArgs {
    /// The settings file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder with the rule files, laid over the shipped ones [default: ./rules, where it exists]
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Where the store lives [default: ./squelch-data]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where to listen [default: 127.0.0.1:9393]
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// Judge everything, page nobody; nothing that is said while it runs turns it off
    #[arg(long)]
    shadow: bool,
    /// A rehearsal: the clock goes on from where the store ends, PACE times as fast (2 to 10000)
    #[arg(long, value_name = "PACE", value_parser = clap::value_parser!(u32).range(2..=10_000))]
    rehearse: Option<u32>,
    /// Be a node of the cluster that the settings name
    #[arg(long)]
    cluster: bool,
    /// What this node of the cluster does [default: both]
    #[arg(long, value_name = "ROLE", value_enum, value_delimiter = ',', requires = "cluster")]
    role: Vec<Role>,
}

/// What a node of a cluster does.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Takes events over HTTP, and writes them into the log
    Http,
    /// Judges what is in the log, and tells people
    Worker,
}

impl ServeArgs {
    /// What this node of a cluster does; `None` = it is a machine of its own.
    fn roles(&self) -> Option<Roles> {
        let does = |role| self.role.is_empty() || self.role.contains(&role);
        self.cluster.then(|| Roles { http: does(Role::Http), worker: does(Role::Worker) })
    }
}

/// What runs.
enum Running {
    Machine(Box<Service>),
    Node(Box<ClusterService>),
}

impl Running {
    async fn start(options: Options, roles: Option<Roles>) -> Result<Self, StartError> {
        Ok(match roles {
            Some(roles) => Self::Node(Box::new(ClusterService::start(options, roles).await?)),
            None => Self::Machine(Box::new(Service::start(options).await?)),
        })
    }

    fn address(&self) -> SocketAddr {
        match self {
            Self::Machine(service) => service.address(),
            Self::Node(node) => node.address(),
        }
    }

    fn rules(&self) -> &InForce {
        match self {
            Self::Machine(service) => service.rules(),
            Self::Node(node) => node.rules(),
        }
    }

    async fn failed(&mut self) {
        match self {
            Self::Machine(service) => service.failed().await,
            Self::Node(node) => node.failed().await,
        }
    }

    async fn stop(self) {
        match self {
            Self::Machine(service) => service.stop().await,
            Self::Node(node) => node.stop().await,
        }
    }
}

/// Serves until it is told to stop. Exit code 1 = it could not start, or it failed.
#[must_use]
pub fn run(args: &ServeArgs) -> ExitCode {
    let settings = match settings(args) {
        Ok(settings) => settings,
        Err(report) => {
            eprintln!("{report}");
            return ExitCode::FAILURE;
        }
    };
    start_log(settings.log);
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(serve(settings, args.roles())),
        Err(error) => {
            eprintln!("squelch cannot start its runtime: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The settings file with the arguments laid over it.
fn settings(args: &ServeArgs) -> Result<Settings, String> {
    let mut settings = match &args.config {
        None => Settings::default(),
        Some(path) => {
            let source = files::read(path).map_err(|error| error.to_string())?;
            config::settings(&source).map_err(|report| report.to_string())?
        }
    };
    settings.rules = args.rules.clone().or(settings.rules);
    settings.shadow |= args.shadow;
    settings.shadow_held = args.shadow;
    settings.rehearse = args.rehearse;
    if let Some(dir) = &args.data_dir {
        settings.data_dir.clone_from(dir);
    }
    if let Some(listen) = &args.listen {
        settings.listen.clone_from(listen);
    }
    Ok(settings)
}

/// Logs go to standard error; `SQUELCH_LOG` (such as `debug` or `squelch::http=trace`) goes before the settings.
fn start_log(log: Log) {
    let usual = format!("{},hyper=warn,reqwest=warn,rustls=warn,sled=warn", log.level);
    let filter = EnvFilter::try_from_env("SQUELCH_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    // A line that cannot be written (the log is a file on a full disk) is lost. Telling of that on standard error would
    // fail as well, and panic.
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).log_internal_errors(false);
    match log.format {
        LogFormat::Json => builder.json().init(),
        LogFormat::Text => builder.with_ansi(io::stderr().is_terminal()).init(),
    }
}

async fn serve(settings: Settings, roles: Option<Roles>) -> ExitCode {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        eprintln!("squelch cannot listen for signals, so it could not be stopped in order");
        return ExitCode::FAILURE;
    };
    // A limit on the size of files (`ulimit -f`) would end the process by this signal; caught, the write fails, and the
    // store treats that as a full disk.
    let _caught = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()));
    let paint = if io::stdout().is_terminal() { Paint::Colour } else { Paint::Plain };
    let couriers = deliver::Options { paint, ..deliver::Options::default() };
    let options = Options { settings: settings.clone(), couriers, probe: None, fetch: None };
    let mut service = match Running::start(options, roles).await {
        Ok(service) => service,
        Err(error) => {
            error!("squelch cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    if roles.is_none() && settings.cluster.is_some() {
        warn!("the settings name a cluster, and --cluster is not given: this is a machine of its own");
    }
    println!("{}", welcome(&service, &settings, roles));
    let code = tokio::select! {
        () = told(&mut terminate, &mut interrupt) => ExitCode::SUCCESS,
        () = service.failed() => {
            error!("the pump has ended by itself: nothing is judged any more, so squelch ends");
            ExitCode::FAILURE
        }
    };
    tokio::select! {
        () = service.stop() => code,
        () = told(&mut terminate, &mut interrupt) => {
            warn!("told to stop a second time: ending at once; what was acknowledged is stored");
            ExitCode::FAILURE
        }
    }
}

async fn told(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => info!("told to stop by SIGTERM"),
        _ = interrupt.recv() => info!("told to stop by SIGINT"),
    }
}

/// What is printed at the start: where to send events, where the data is, which rules are in force, who is told.
fn welcome(service: &Running, settings: &Settings, roles: Option<Roles>) -> String {
    let data = match (roles, &settings.cluster) {
        (Some(roles), Some(cluster)) => {
            let does = [(roles.http, "http"), (roles.worker, "worker")];
            let does: Vec<&str> = does.iter().filter(|(does, _)| *does).map(|(_, word)| *word).collect();
            format!(
                "in Kafka: the topics {}.* ({}); the console and questions are not answered by a cluster yet",
                cluster.prefix,
                does.join(", ")
            )
        }
        _ => absolute(&settings.data_dir).display().to_string(),
    };
    let (scheme, insecure) = if settings.tls.is_some() { ("https", " --cacert CA.pem") } else { ("http", "") };
    let here = format!("{scheme}://{}", service.address());
    let url = settings.external_url.as_ref().unwrap_or(&here);
    let token = if settings.auth.is_some() { " -H \"Authorization: Bearer $TOKEN\"" } else { "" };
    let event = r#"{"source":"me","kind":"host","service":"shop","host":"db-1","check":"disk","severity":"critical","value":97}"#;
    let rules = service.rules();
    let told = if rules.shadow { "nobody: shadow mode".to_owned() } else { rules.receivers.join(", ") };
    format!(
        "squelch {version} listens on {here}\n\
         \n  send events  curl{insecure}{token} {url}/api/v1/events -H 'Content-Type: application/json' -d '{event}'\
         \n  other tools  {url}/ingest lists their webhooks\
         \n  look inside  {url}/ in a browser;  {url}/metrics  {url}/-/ready\
         \n  data         {data}\
         \n  rules        {count} in {files} ({fingerprint})\
         \n  told         {told}\n",
        version = env!("CARGO_PKG_VERSION"),
        count = rules.rules,
        files = rules.files.join(", "),
        fingerprint = rules.fingerprint,
    )
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
