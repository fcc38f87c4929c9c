//! Exactly once, whatever happens: workers are killed, paused past their session, added and removed, and the broker is killed,
//! while events flow. It prints its figures. `SQUELCH_CLUSTER_EVENTS=200000 SQUELCH_CLUSTER_KILLS=30` for the long run.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::{self, sleep};
use std::time::Duration;

use squelch::clock::Stopwatch;
use squelch::domain::{Event, Timestamp};
use squelch::formats::native;

use crate::broker::Broker;
use crate::copy::of_many;
use crate::decisions::{Decisions, assert_same};
use crate::dice::Dice;
use crate::log::{Writer, mixed};
use crate::nodes::{Cluster, Node, PARTITIONS};
use crate::receiver::Receiver;
use crate::streams::{Stream, expected, policy};

const SEED: u64 = 0x0c1a_57e2;
/// So many scopes.
pub(crate) const SCOPES: u64 = 12;
/// So many workers.
const WORKERS: usize = 3;
/// A session ends after 6 s; one that is paused longer is a zombie.
pub(crate) const PAUSE: Duration = Duration::from_secs(8);

pub(crate) fn given(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

/// Events of a scope, seven seconds apart, each with its number: noise, and now and then something that pages.
pub(crate) fn stream(scope: u64, count: u64) -> Stream {
    (0..count).map(|number| event(scope, number)).collect()
}

/// One of these.
pub(crate) fn event(scope: u64, number: u64) -> Event {
    let start = Timestamp::from_millis(1_780_000_000_000 + i64::try_from(scope).unwrap() * 1_000);
    let mut event = Event::new("bus", format!("c{}", number % 5));
    event.received = Some(start.after(7.0 * number as f64));
    (event.service, event.host) = (Some(format!("s{}", number % 7)), Some(format!("h{}", number % 40)));
    event.summary = Some(number.to_string());
    if number % 500 == 499 {
        event.severity = squelch::domain::Severity::Critical;
        event.check = format!("alarm-{}", number / 500);
    }
    native::read_line(native::write_line(&event).as_bytes()).unwrap()
}

/// Criticals page; everything goes to the receiver.
pub(crate) fn rules(receiver: &Receiver) -> String {
    let loud = "rules:\n  - name: loud\n    match: ['severity=\"critical\"']\n    page: always\n";
    format!("{loud}{}", receiver.routes())
}

/// Workers that come and go.
struct Crew<'a> {
    cluster: &'a Cluster,
    workers: Vec<Node>,
    started: usize,
}

impl Crew<'_> {
    fn hire(&mut self) {
        self.workers.push(self.cluster.node(self.started, "worker"));
        self.started += 1;
    }
}

/// What was done to them.
#[derive(Debug, Default)]
struct Deeds {
    kills: u64,
    pauses: u64,
    stops: u64,
    additions: u64,
    broker_kills: u64,
}

fn disturb(crew: &mut Crew<'_>, dice: &mut Dice, deeds: &mut Deeds) {
    let at = dice.below(crew.workers.len() as u64) as usize;
    match dice.below(12) {
        0 if deeds.pauses < 4 => {
            // A zombie: it wakes up when others have its shards.
            crew.workers[at].signal("STOP");
            sleep(PAUSE);
            crew.workers[at].signal("CONT");
            deeds.pauses += 1;
        }
        1 => {
            crew.workers.remove(at).stop();
            crew.hire();
            deeds.stops += 1;
        }
        2 if crew.workers.len() <= WORKERS => {
            crew.hire();
            deeds.additions += 1;
        }
        _ => {
            drop(crew.workers.remove(at));
            crew.hire();
            deeds.kills += 1;
        }
    }
    while crew.workers.len() > WORKERS + 1 {
        crew.workers.remove(0).stop();
    }
}

#[test]
fn workers_and_broker_are_disturbed_while_events_flow_and_each_counts_once() {
    let Some(broker) = Broker::own() else { return };
    let (events, kills) = (given("SQUELCH_CLUSTER_EVENTS", 24_000), given("SQUELCH_CLUSTER_KILLS", 5));
    let receiver = Receiver::start();
    let cluster = Cluster::new(&broker, "disturbed", (&rules(&receiver), ", tick: 1h"));
    let streams: BTreeMap<String, Stream> =
        (0..SCOPES).map(|scope| (format!("scope-{scope}"), stream(scope, events / SCOPES))).collect();
    let policy = policy(&cluster.path("rules"));
    let wanted: BTreeMap<&String, String> =
        streams.iter().map(|(scope, stream)| (scope, expected(&policy, stream, None))).collect();
    let mut crew = Crew { cluster: &cluster, workers: Vec::new(), started: 0 };
    (0..WORKERS).for_each(|_| crew.hire());
    crew.workers.iter_mut().for_each(Node::until_ready);
    let (mut decisions, mut deeds, mut dice) = (Decisions::new(&broker, &cluster), Deeds::default(), Dice(SEED));
    let watch = Stopwatch::start();
    thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let (writer, all) = (Writer::new(&broker, &cluster), mixed(&streams));
            // In pieces, so that they flow as long as somebody is disturbed.
            for piece in all.chunks((all.len() / (6 * kills as usize)).max(1)) {
                piece.iter().for_each(|(scope, event)| writer.event(scope, event));
                sleep(Duration::from_millis(400));
            }
            writer.flush();
        });
        while deeds.kills < kills || !writing.is_finished() {
            disturb(&mut crew, &mut dice, &mut deeds);
            if deeds.kills * 3 / kills.max(1) > deeds.broker_kills && deeds.broker_kills < 2 {
                broker.kill();
                broker.run();
                deeds.broker_kills += 1;
            }
            decisions.read(Duration::from_millis(200 + dice.below(2_500)));
        }
        writing.join().unwrap();
    });
    let bytes = wanted.values().map(String::len).sum();
    decisions.read_all(bytes, Duration::from_secs(120));
    let took = watch.elapsed();
    for (scope, wanted) in &wanted {
        assert_same(scope, decisions.text.get(*scope).map_or("", String::as_str), wanted);
    }
    assert_eq!(decisions.text.len(), streams.len());
    let (lost, twice) = counted(&decisions, &wanted);
    println!(
        "{events} events in {SCOPES} scopes within {took:?}: {deeds:?}; {lost} lost, {twice} counted twice, {} verdicts, {bytes} bytes of decisions as undisturbed",
        decisions.verdicts()
    );
    assert_eq!((lost, twice), (0, 0));
    each_page_has_one_key(&receiver, &wanted);
}

/// How many events have no verdict that should have one, and how many have more than one.
pub(crate) fn counted(decisions: &Decisions, wanted: &BTreeMap<&String, String>) -> (usize, usize) {
    let numbers = |text: &str| -> Vec<u64> {
        let verdict = |line: &str| line.strip_prefix("{\"type\":\"verdict\",\"seq\":")?.split(',').next()?.parse().ok();
        text.lines().filter_map(verdict).collect()
    };
    let (mut lost, mut twice) = (0, 0);
    for (scope, wanted) in wanted {
        let found = numbers(&decisions.text[*scope]);
        let once: BTreeSet<u64> = found.iter().copied().collect();
        twice += found.len() - once.len();
        lost += numbers(wanted).iter().filter(|number| !once.contains(number)).count();
    }
    (lost, twice)
}

/// What was paged came, at least once, and never under two keys.
pub(crate) fn each_page_has_one_key(receiver: &Receiver, wanted: &BTreeMap<&String, String>) {
    let pages: usize =
        wanted.values().map(|text| text.lines().filter(|line| line.starts_with("{\"type\":\"page\"")).count()).sum();
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let watch = Stopwatch::start();
    let mut taken = receiver.taken();
    let of_pages = |taken: &[(String, String)]| {
        let page = |(key, body): &(String, String)| {
            let body: serde_json::Value = serde_json::from_str(body).unwrap();
            (body["page"] == true)
                .then(|| (key.clone(), format!("{} {} {}", body["incident"], body["ts"], body["why"])))
        };
        taken.iter().filter_map(page).collect::<Vec<_>>()
    };
    while of_pages(&taken).iter().map(|(key, _)| key).collect::<BTreeSet<_>>().len() < pages
        && watch.elapsed() < Duration::from_secs(60)
    {
        sleep(Duration::from_millis(200));
        taken = receiver.taken();
    }
    let came = of_pages(&taken);
    for (key, page) in &came {
        keys.entry(page.clone()).or_default().insert(key.clone());
    }
    let two = keys.values().filter(|keys| keys.len() > 1).count();
    let repeats = came.len() - keys.len();
    println!("{pages} pages: {} came, {repeats} of them again under the same key, {two} under two keys", keys.len());
    assert_eq!((keys.len(), two), (pages, 0));
}

/// Nothing pages, so that each event has its verdict at once.
pub(crate) const QUIET: &str = "rules:\n  - name: quiet\n    match: ['source=\"bus\"']\n    page: never\n";

/// Fills the shards with so many series each, on average, as `SQUELCH_CLUSTER_SERIES` says; gives how many these are in sum.
fn filled(writer: &Writer, decisions: &mut Decisions) -> usize {
    let of_scope = given("SQUELCH_CLUSTER_SERIES", 120) * PARTITIONS as u64 / SCOPES;
    for number in 0..of_scope {
        (0..SCOPES).for_each(|scope| writer.event(&format!("scope-{scope}"), &of_many(scope, number, of_scope)));
    }
    writer.flush();
    let (series, watch) = ((of_scope * SCOPES) as usize, Stopwatch::start());
    while decisions.verdicts() < series && watch.elapsed() < Duration::from_secs(240) {
        decisions.read(Duration::from_millis(100));
    }
    assert_eq!(decisions.verdicts(), series);
    series
}

#[test]
fn the_shards_of_a_worker_that_is_lost_are_judged_elsewhere_soon() {
    let Some(broker) = Broker::shared() else { return };
    let rounds = given("SQUELCH_CLUSTER_ROUNDS", 3) as usize;
    let cluster = Cluster::new(&broker, "lost", (QUIET, ", tick: 1h"));
    let mut crew = Crew { cluster: &cluster, workers: Vec::new(), started: 0 };
    (0..2).for_each(|_| crew.hire());
    crew.workers.iter_mut().for_each(Node::until_ready);
    let (writer, mut decisions) = (Writer::new(&broker, &cluster), Decisions::new(&broker, &cluster));
    let streams: Vec<Stream> = (0..SCOPES).map(|scope| stream(scope, 2 * rounds as u64 + 1)).collect();
    let series = filled(&writer, &mut decisions);
    // One event for each scope, and the time until all have their verdicts.
    let mut sent = 0;
    let mut round = || {
        for (scope, stream) in streams.iter().enumerate() {
            writer.event(&format!("scope-{scope}"), &stream[sent]);
        }
        writer.flush();
        sent += 1;
        let watch = Stopwatch::start();
        let wanted = series + sent * streams.len();
        while decisions.verdicts() < wanted && watch.elapsed() < Duration::from_secs(60) {
            decisions.read(Duration::from_millis(20));
        }
        assert_eq!(decisions.verdicts(), wanted);
        watch.elapsed()
    };
    round();
    let (mut calm, mut lost) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        calm.push(round());
        drop(crew.workers.remove(0));
        lost.push(round());
        crew.hire();
        crew.workers.iter_mut().for_each(Node::until_ready);
        sleep(Duration::from_secs(2));
    }
    calm.sort_unstable();
    lost.sort_unstable();
    let (median, longest) = (lost[rounds / 2], lost[rounds - 1]);
    println!(
        "{rounds} workers lost with SIGKILL, {} series a shard: all their shards judged elsewhere after {median:?} (median), {longest:?} (longest); nobody lost: {:?}",
        series / PARTITIONS as usize,
        calm[rounds / 2]
    );
    assert!(longest < Duration::from_secs(30), "a session of 6 s and a rebuild");
}
