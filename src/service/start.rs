//! From settings to a running service: first everything that can fail, then everything that runs.
//!
//! Deliberately the only place that knows how the parts hang together.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tracing::{error, info, warn};

use super::admission::{Door, Places};
use super::feeds::{Feeds, Means};
use super::heartbeat::Heart;
use super::judge::{Judge, Probe};
use super::keeper::{self, DAMAGED, Keeper};
use super::post::{Mail, Office};
use super::pump::Pump;
use super::reload::{self, Read, Reloader};
use super::secretary::{Secretary, Station};
use super::sources::Secrets;
use super::vigil::Vigil;
use super::what_if::Analyst;
use super::{InForce, Options, Service, StartError, fetch, tls};
use crate::audit::Log;
use crate::clock::Clock;
use crate::config::{Bundle, Settings, Source};
use crate::deliver::{self, Couriers, References};
use crate::domain::{Alarms, Engine, Positions};
use crate::http::app::{Access, App, Condition, Handles, Limits, Reload};
use crate::http::console::chronicle::Chronicle;
use crate::http::digest::Ask;
use crate::http::drill::Fates;
use crate::http::feeds::Feed;
use crate::http::known::Known;
use crate::http::listener::{ConnectionLimits, Server};
use crate::http::metrics::Metrics;
use crate::http::rate::Rate;
use crate::http::router;
use crate::http::sns::{Fetch, Topics};
use crate::http::what_if;
use crate::inbox::{self, Capacity, Inbox, Order, Outlet};
use crate::sinks::Receiver;
use crate::store::StoreOptions;

/// A sender may send at once what it may send in so many seconds.
const BURST: f64 = 10.0;
/// How many things may wait between two parts.
pub(super) const QUEUE: usize = 1_024;

pub(super) async fn start(options: Options) -> Result<Service, StartError> {
    let Options { settings, couriers, probe, fetch } = options;
    let topics = topics(&settings, fetch)?;
    let (read, sources) = reload::read(settings.rules.as_deref(), shadow(&settings), &Secrets::of(&settings));
    let Read { bundle, known } = read.map_err(StartError::Rules)?;
    let (known, known_now) = watch::channel(Arc::new(known));
    for warning in &bundle.warnings {
        warn!("{warning}");
    }
    let places = Places::of(&settings);
    let texts = places.read();
    let (access, access_now) = watch::channel(Arc::new(places.access(&texts)?));
    let tls = settings.tls.as_ref().map(tls::server_config).transpose()?;
    let (listener, address) = listen(&settings.listen, settings.auth.is_some()).await?;
    let mut restored = restore(&settings, &bundle, probe)?;
    let rules = in_force(&bundle, &sources, &restored.judge.engine);
    let (parts, outlet) = Parts::new(&settings, &mut restored);
    let (mails, office) = parts.start_office(bundle.receivers, by_settings(couriers, &settings));
    parts.tell_damage(&restored.damage);
    let marks: Vec<_> = restored.positions.all().collect();
    let (pump, pump_ended) = parts.start_pump(restored, outlet, mails.clone()).map_err(StartError::Thread)?;
    let (stop, stopping) = watch::channel(false);
    let door = Door { places, last: texts, access, condition: Arc::clone(&parts.condition) };
    let (reload, reloader) = parts.start_reloader((&settings, door), (sources, known), mails.clone(), stopping.clone());
    let vigil = tokio::spawn(Vigil::new(parts.inbox.clone(), Arc::clone(&parts.condition)).run(stopping.clone()));
    let (digests, secretary) = parts.start_secretary((&settings, Station::alone(&settings)), stopping.clone());
    let (trials, analyst) = parts.start_analyst(&settings, stopping.clone());
    let (shown, feeds_now) = watch::channel(Vec::new());
    let means = parts.means(known_now.clone(), stopping.clone());
    let feeds = Feeds::start(&settings, &marks, shown, means).map_err(StartError::Thread)?;
    let feeds = tokio::spawn(feeds.run(stopping.clone()));
    let heart = settings.heartbeat.as_ref().map(|settings| {
        let heart = Heart::new(settings, parts.inbox.clone(), parts.condition.subscribe());
        tokio::spawn(heart.run(stopping.clone()))
    });
    let app =
        parts.app(&settings, (access_now, stopping.clone()), (known_now, topics, feeds_now), (reload, digests, trials));
    let server = tokio::spawn(Server::new(listener, tls, router(app), connections(&settings)).run(stopping));
    let Parts { inbox, condition, .. } = parts;
    let condition = condition.subscribe();
    Ok(Service {
        address,
        rules,
        inbox,
        condition,
        mails,
        stop,
        server,
        reloader,
        vigil,
        secretary,
        analyst,
        feeds,
        heart,
        office,
        pump,
        pump_ended,
    })
}

/// How couriers work, by the settings.
pub(super) fn by_settings(couriers: deliver::Options, settings: &Settings) -> deliver::Options {
    let mask = Arc::new(settings.masking.mask());
    deliver::Options { references: references(settings), mask, mask_chats: settings.masking.chats, ..couriers }
}

/// By what names services know the messages of incidents. Without them changes come as new messages: no reason not to
/// start.
fn references(settings: &Settings) -> References {
    let path = settings.data_dir.join("messages.jsonl");
    References::open(&path).unwrap_or_else(|error| {
        warn!(%error, path = %path.display(), "the names of messages cannot be read: what changes comes as a new message");
        References::default()
    })
}

/// What is read from disk before anything runs.
struct Restored {
    judge: Judge,
    keeper: Keeper,
    positions: Positions,
    next_seq: u64,
    /// What was damaged.
    damage: Vec<String>,
}

fn restore(settings: &Settings, bundle: &Bundle, probe: Option<Probe>) -> Result<Restored, StartError> {
    let limits = &settings.store;
    let options = StoreOptions {
        cache: limits.cache,
        min_free: limits.min_free,
        history_age: limits.history,
        snapshot_after: limits.snapshot_every,
        ..StoreOptions::default()
    };
    let (keeper, recovered) = Keeper::open(&settings.data_dir, &options)?;
    let mut damage: Vec<_> = recovered.damage.iter().map(ToString::to_string).collect();
    let count = recovered.records.len();
    let own = |key: &[u8]| key.first() == Some(&Alarms::KEY);
    let (alarms, records): (Vec<_>, Vec<_>) = recovered.records.into_iter().partition(|(key, _)| own(key));
    let read = |key: &[u8]| key.first() == Some(&Positions::KEY);
    let (positions, records): (Vec<_>, Vec<_>) = records.into_iter().partition(|(key, _)| read(key));
    let (positions, unreadable) = Positions::restore(positions);
    damage.extend(unreadable.iter().map(ToString::to_string));
    let (alarms, unreadable) = Alarms::restore(alarms);
    damage.extend(unreadable.iter().map(ToString::to_string));
    let (engine, unreadable) = Engine::restore(Arc::new(bundle.policy.clone()), records);
    damage.extend(unreadable.iter().map(ToString::to_string));
    for damage in &damage {
        error!("the store was damaged: {damage}");
    }
    info!(records = count, batches = recovered.batches, next_seq = recovered.next_seq, "the state is restored");
    Ok(Restored { judge: Judge::new(engine, alarms, probe), keeper, positions, next_seq: recovered.next_seq, damage })
}

/// Where a reload is asked for, a digest, and a what-if.
pub(super) type Desks = (mpsc::Sender<Reload>, mpsc::Sender<Ask>, mpsc::Sender<what_if::Ask>);

/// What the parts share.
pub(super) struct Parts {
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
    pub(super) condition: Arc<watch::Sender<Condition>>,
    pub(super) inbox: Inbox,
    chronicle: Arc<Chronicle>,
    pub(super) fates: Fates,
}

/// What requests look at: the tools, the topics of SNS, and what is read out of logs.
pub(super) type Shown = (watch::Receiver<Arc<Known>>, Option<Topics>, watch::Receiver<Vec<Feed>>);

/// So many fates are kept for one who watches and is slow.
const FATES: usize = 1_024;

impl Parts {
    fn new(settings: &Settings, restored: &mut Restored) -> (Self, Outlet) {
        let stands = restored.judge.engine.now();
        let clock = match settings.rehearse {
            Some(pace) => Clock::rehearse(stands, pace),
            None => Clock::start(stands),
        };
        if let Some(pace) = settings.rehearse {
            warn!(
                clock = stands.secs(),
                pace, "this is a rehearsal: the clock goes on from where the store ends, and faster"
            );
        }
        restored.judge.engine.resume(clock.now());
        let warnings = restored.damage.iter().map(|damage| format!("{DAMAGED}: {damage}")).collect();
        Self::of(settings, clock, warnings)
    }

    /// The parts with this clock, and what people should know from the start.
    pub(super) fn of(settings: &Settings, clock: Clock, warnings: Vec<String>) -> (Self, Outlet) {
        let metrics = Metrics::new(clock.now());
        metrics.reload_successful.set(1);
        metrics.reload_at.set(clock.now().secs());
        let condition = Arc::new(watch::Sender::new(Condition { problems: Vec::new(), warnings }));
        let (inbox, outlet) = inbox::bounded(Capacity { events: settings.limits.inbox, ..Capacity::default() });
        let fates = Fates::new(FATES);
        (Self { clock, metrics, condition, inbox, chronicle: Arc::default(), fates }, outlet)
    }

    fn start_office(
        &self,
        receivers: Vec<Receiver>,
        options: deliver::Options,
    ) -> (mpsc::Sender<Mail>, JoinHandle<()>) {
        let (results, delivered) = mpsc::channel(QUEUE);
        let (mails, mailbox) = mpsc::channel(QUEUE);
        let couriers = Couriers::start(receivers, options, results);
        let office = Office::new(couriers, delivered, (self.inbox.clone(), self.metrics.clone(), self.fates.clone()));
        (mails, tokio::spawn(office.run(mailbox)))
    }

    fn tell_damage(&self, damage: &[String]) {
        if damage.is_empty() {
            return;
        }
        let trouble = Order::Trouble(DAMAGED.to_owned(), keeper::meaning(damage));
        if let Err(refusal) = self.inbox.submit(trouble) {
            error!(%refusal, "the damage could not be told to people");
        }
    }

    fn start_pump(
        &self,
        restored: Restored,
        outlet: Outlet,
        mails: mpsc::Sender<Mail>,
    ) -> std::io::Result<(thread::JoinHandle<()>, oneshot::Receiver<()>)> {
        let Restored { judge, keeper, positions, next_seq, damage: _ } = restored;
        let pump = Pump {
            judge,
            keeper,
            positions,
            outlet,
            clock: self.clock.clone(),
            metrics: self.metrics.clone(),
            condition: Arc::clone(&self.condition),
            post: Box::new(move |notifications| {
                if !notifications.is_empty() && mails.blocking_send(Mail::Send(notifications.to_vec())).is_err() {
                    info!("the couriers have ended: what is owed stays in the outbox");
                }
            }),
            chronicle: Arc::clone(&self.chronicle),
            next_seq,
            spilling: Vec::new(),
        };
        let (ended, pump_ended) = oneshot::channel();
        let thread = thread::Builder::new().name("pump".to_owned()).spawn(move || {
            // Dropped at the end, also when the pump panics: that is the signal.
            let _ended = ended;
            pump.run();
        })?;
        Ok((thread, pump_ended))
    }

    fn start_reloader(
        &self,
        (settings, door): (&Settings, Door),
        (last, known): (Vec<Source>, watch::Sender<Arc<Known>>),
        mails: mpsc::Sender<Mail>,
        stopping: watch::Receiver<bool>,
    ) -> (mpsc::Sender<Reload>, JoinHandle<()>) {
        let (reload, asked) = mpsc::channel(QUEUE);
        let reloader = Reloader {
            dir: settings.rules.clone(),
            shadow: shadow(settings),
            door,
            inbox: self.inbox.clone(),
            mails,
            metrics: self.metrics.clone(),
            condition: Arc::clone(&self.condition),
            clock: self.clock.clone(),
            secrets: Secrets::of(settings),
            known,
            last,
        };
        (reload, tokio::spawn(reloader.run(asked, stopping)))
    }

    pub(super) fn start_secretary(
        &self,
        (settings, station): (&Settings, Station),
        stopping: watch::Receiver<bool>,
    ) -> (mpsc::Sender<Ask>, JoinHandle<()>) {
        let (digests, asked) = mpsc::channel(QUEUE);
        let secretary = Secretary {
            inbox: self.inbox.clone(),
            clock: self.clock.clone(),
            mask: Arc::new(settings.masking.mask()),
            station,
        };
        (digests, tokio::spawn(secretary.run(asked, stopping)))
    }

    fn start_analyst(
        &self,
        settings: &Settings,
        stopping: watch::Receiver<bool>,
    ) -> (mpsc::Sender<what_if::Ask>, JoinHandle<()>) {
        let (trials, asked) = mpsc::channel(what_if::AT_ONCE);
        let analyst = Analyst {
            inbox: self.inbox.clone(),
            clock: self.clock.clone(),
            data_dir: settings.data_dir.clone(),
            rules: settings.rules.clone(),
        };
        (trials, tokio::spawn(analyst.run(asked, stopping)))
    }

    fn means(&self, known: watch::Receiver<Arc<Known>>, stop: watch::Receiver<bool>) -> Means {
        let (inbox, clock, condition) = (self.inbox.clone(), self.clock.clone(), Arc::clone(&self.condition));
        Means { inbox, clock, condition, known, stop }
    }

    pub(super) fn app(
        &self,
        settings: &Settings,
        (access, stopping): (watch::Receiver<Arc<Access>>, watch::Receiver<bool>),
        (known, topics, feeds): Shown,
        (reload, digests, trials): Desks,
    ) -> Arc<App> {
        let handles = Handles {
            inbox: self.inbox.clone(),
            clock: self.clock.clone(),
            metrics: self.metrics.clone(),
            access,
            condition: self.condition.subscribe(),
            reload,
            digests,
            trials,
            fates: self.fates.clone(),
            known,
            topics,
            chronicle: Arc::clone(&self.chronicle),
            feeds,
            stopping,
            audit: Arc::new(Log::new(&settings.data_dir)),
            mask: Arc::new(settings.masking.mask()),
        };
        let rate = settings.limits.per_source;
        let limits = Limits {
            body: usize::try_from(settings.limits.body).unwrap_or(usize::MAX),
            request: settings.limits.request_timeout,
            rate: rate.is_finite().then_some(Rate { per_second: rate, burst: rate * BURST }),
        };
        App::new(handles, limits)
    }
}

/// How many connections there may be.
pub(super) fn connections(settings: &Settings) -> ConnectionLimits {
    ConnectionLimits { connections: settings.limits.connections, ..ConnectionLimits::default() }
}

/// What is believed of SNS; nothing is ever asked where the settings name no topic.
pub(super) fn topics(settings: &Settings, fetch: Option<Fetch>) -> Result<Option<Topics>, StartError> {
    if settings.sns_topics.is_empty() {
        return Ok(None);
    }
    let fetch = fetch.map_or_else(|| fetch::https().map_err(StartError::Fetch), Ok)?;
    Ok(Some(Topics::new(settings.sns_topics.clone(), fetch)))
}

/// What the settings say of shadow mode, and whether the command line does.
pub(super) const fn shadow(settings: &Settings) -> (bool, bool) {
    (settings.shadow, settings.shadow_held)
}

fn in_force(bundle: &Bundle, sources: &[Source], engine: &Engine) -> InForce {
    if let Some(word) = engine.shadow_word() {
        let (who, said) = (&word.by, if word.on { "on" } else { "off" });
        let held = engine.policy().shadow != word.on;
        warn!(who, held, "shadow mode was turned {said} while it ran, against what the settings say");
    }
    told_in_force(bundle, sources, engine.policy().shadow)
}

/// What is told of the rules at the start.
pub(super) fn told_in_force(bundle: &Bundle, sources: &[Source], shadow: bool) -> InForce {
    InForce {
        // Of the mappings only those of the user: the shipped ones are many, and the same everywhere.
        files: sources.iter().filter(|source| is_told(source)).map(|source| source.name.clone()).collect(),
        rules: bundle.policy.rules.len(),
        receivers: bundle.receivers.iter().map(|receiver| receiver.name.clone()).collect(),
        fingerprint: bundle.fingerprint,
        shadow,
    }
}

fn is_told(source: &Source) -> bool {
    !source.shipped || !source.name.contains("sources/")
}

/// Listens there; on an address that others can reach only with a token.
pub(super) async fn listen(address: &str, has_token: bool) -> Result<(TcpListener, SocketAddr), StartError> {
    let fails = |cause| StartError::Listen { address: address.to_owned(), cause };
    let listener = TcpListener::bind(address).await.map_err(fails)?;
    let bound = listener.local_addr().map_err(fails)?;
    if !bound.ip().is_loopback() && !has_token {
        return Err(StartError::Open { address: bound });
    }
    Ok((listener, bound))
}
