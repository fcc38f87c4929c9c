//! Three brokers, three copies of everything: brokers die one after the other, wires are cut past the session, workers are
//! killed, and still each event counts once. It prints its figures. `SQUELCH_CLUSTER_EVENTS=200000
//! SQUELCH_CLUSTER_KILLS=30` for the long run.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, sleep};
use std::time::Duration;

use squelch::clock::Stopwatch;

use crate::decisions::{Decisions, assert_same};
use crate::dice::Dice;
use crate::disturbed::{PAUSE, SCOPES, counted, each_page_has_one_key, event, given, rules, stream};
use crate::log::{Writer, mixed};
use crate::nodes::{Cluster, Node};
use crate::receiver::Receiver;
use crate::streams::{Stream, expected, policy};
use crate::trio::{BROKERS, Trio};

const SEED: u64 = 0x3b40_7e25;
/// So many workers, each with wires of its own.
const WORKERS: usize = 3;
/// A broker is gone for so long.
const GONE: Duration = Duration::from_secs(4);

/// Workers, each at its wires.
struct Crew<'a> {
    trio: &'a Trio,
    cluster: &'a Cluster,
    workers: Vec<Node>,
}

impl<'a> Crew<'a> {
    fn new(trio: &'a Trio, cluster: &'a Cluster, workers: usize) -> Self {
        (0..workers).for_each(|lane| cluster.write(&settings(lane), &trio.by(lane)));
        let mut crew = Self { trio, cluster, workers: Vec::new() };
        for lane in 0..workers {
            let node = crew.hired(lane);
            crew.workers.push(node);
        }
        crew.workers.iter_mut().for_each(Node::until_ready);
        crew
    }

    fn hired(&self, lane: usize) -> Node {
        // In the same folder as the one before it, with what that one kept of its shards.
        self.cluster.node_by(&settings(lane), lane, "worker")
    }

    /// Nothing passes between a worker and the brokers, for longer than its session lasts.
    fn cut(&self, lane: usize) {
        self.trio.cut(lane, true);
        sleep(PAUSE);
        self.trio.cut(lane, false);
    }

    fn pause(&self, lane: usize) {
        self.workers[lane].signal("STOP");
        sleep(PAUSE);
        self.workers[lane].signal("CONT");
    }
}

fn settings(lane: usize) -> String {
    format!("lane-{lane}.yaml")
}

/// What was done to them.
#[derive(Debug, Default)]
struct Deeds {
    kills: u64,
    pauses: u64,
    cuts: u64,
    stops: u64,
}

fn disturb(crew: &mut Crew<'_>, dice: &mut Dice, deeds: &mut Deeds) {
    let lane = dice.below(WORKERS as u64) as usize;
    match (deeds.kills, dice.below(10)) {
        // Each at least once, and not too often: they take their time.
        (kills, _) if deeds.cuts <= kills / 8 => {
            crew.cut(lane);
            deeds.cuts += 1;
        }
        (kills, _) if deeds.pauses < kills / 8 => {
            crew.pause(lane);
            deeds.pauses += 1;
        }
        (_, 0) => {
            crew.workers.remove(lane).stop();
            let next = crew.hired(lane);
            crew.workers.insert(lane, next);
            deeds.stops += 1;
        }
        _ => {
            drop(crew.workers.remove(lane));
            let next = crew.hired(lane);
            crew.workers.insert(lane, next);
            deeds.kills += 1;
        }
    }
}

/// Kills one broker after the other, and starts it again, until it is told to stop; all at least once.
fn kill_brokers(trio: &Trio, stop: &AtomicBool) -> u64 {
    let mut killed = 0;
    while !stop.load(Ordering::SeqCst) || killed < BROKERS as u64 {
        let number = killed as usize % BROKERS;
        trio.kill(number);
        sleep(GONE);
        trio.run(number);
        // The next one only when this one has everything again: two of three would stop all writing.
        trio.until_whole();
        killed += 1;
    }
    killed
}

#[test]
fn brokers_die_wires_are_cut_workers_are_killed_and_each_event_counts_once() {
    let Some(trio) = Trio::shared() else { return };
    let _turn = trio.turn();
    let (events, kills) = (given("SQUELCH_CLUSTER_EVENTS", 12_000), given("SQUELCH_CLUSTER_KILLS", 3));
    let receiver = Receiver::start();
    let cluster = Cluster::new(&trio, "three", (&rules(&receiver), ", tick: 1h"));
    let streams: BTreeMap<String, Stream> =
        (0..SCOPES).map(|scope| (format!("scope-{scope}"), stream(scope, events / SCOPES))).collect();
    let policy = policy(&cluster.path("rules"));
    let wanted: BTreeMap<&String, String> =
        streams.iter().map(|(scope, stream)| (scope, expected(&policy, stream, None))).collect();
    let mut crew = Crew::new(&trio, &cluster, WORKERS);
    let (mut decisions, mut deeds, mut dice) = (Decisions::new(&trio, &cluster), Deeds::default(), Dice(SEED));
    let (watch, done, killed) = (Stopwatch::start(), AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let (writer, all) = (Writer::new(&trio, &cluster), mixed(&streams));
            // In pieces, so that they flow as long as somebody is disturbed.
            for piece in all.chunks((all.len() / (10 * kills as usize)).max(1)) {
                piece.iter().for_each(|(scope, event)| writer.event(scope, event));
                sleep(Duration::from_millis(800));
            }
            writer.flush();
        });
        scope.spawn(|| killed.store(kill_brokers(&trio, &done), Ordering::SeqCst));
        while deeds.kills < kills || !writing.is_finished() {
            disturb(&mut crew, &mut dice, &mut deeds);
            decisions.read(Duration::from_millis(500 + dice.below(3_000)));
        }
        done.store(true, Ordering::SeqCst);
        writing.join().unwrap();
    });
    let bytes = wanted.values().map(String::len).sum();
    decisions.read_all(bytes, Duration::from_secs(240));
    let took = watch.elapsed();
    for (scope, wanted) in &wanted {
        assert_same(scope, decisions.text.get(*scope).map_or("", String::as_str), wanted);
    }
    assert_eq!(decisions.text.len(), streams.len());
    let (lost, twice) = counted(&decisions, &wanted);
    println!(
        "{events} events in {SCOPES} scopes within {took:?}: {deeds:?}, {} brokers killed; {lost} lost, {twice} counted twice, {} verdicts, {bytes} bytes of decisions as undisturbed",
        killed.into_inner(),
        decisions.verdicts()
    );
    assert_eq!((lost, twice), (0, 0));
    each_page_has_one_key(&receiver, &wanted);
}

/// What a worker says when it finds that its shard is somebody else's.
const FENCED: &str = "another worker has taken the shard over";

#[test]
fn a_worker_that_slept_or_was_cut_off_past_its_session_is_fenced_and_nothing_of_it_counts() {
    let Some(trio) = Trio::shared() else { return };
    let _turn = trio.turn();
    const EACH: u64 = 20_000;
    let cluster = Cluster::new(&trio, "zombies", (crate::disturbed::QUIET, ", tick: 1h"));
    let mut crew = Crew::new(&trio, &cluster, 2);
    let (writer, mut decisions) = (Writer::new(&trio, &cluster), Decisions::new(&trio, &cluster));
    let mut raw = Decisions::of_all(&trio, &cluster);
    // Each way until it was caught in the middle of a turn, which is almost always the first time.
    let (mut rounds, mut fenced) = (0, [0, 0]);
    while fenced.contains(&0) && rounds < 6 {
        let way = usize::from(fenced[0] > 0);
        let (begun, told) = (decisions.verdicts(), crew.workers[0].log().matches(FENCED).count());
        for number in rounds * EACH..(rounds + 1) * EACH {
            let scope = number % SCOPES;
            writer.event(&format!("scope-{scope}"), &event(scope, number / SCOPES));
        }
        while decisions.verdicts() == begun {
            decisions.read(Duration::from_millis(1));
        }
        if way == 0 {
            crew.pause(0);
        } else {
            crew.cut(0);
        }
        rounds += 1;
        let watch = Stopwatch::start();
        while decisions.verdicts() < (rounds * EACH) as usize && watch.elapsed() < Duration::from_secs(60) {
            decisions.read(Duration::from_millis(50));
        }
        let now = || crew.workers[0].log().matches(FENCED).count() - told;
        while now() == 0 && watch.elapsed() < Duration::from_secs(20) {
            sleep(Duration::from_millis(100));
        }
        fenced[way] += now();
        // It works again, as one that is new.
        crew.workers[0].until_ready();
    }
    decisions.read(Duration::from_secs(1));
    raw.read(Duration::from_secs(3));
    let written = raw.verdicts();
    println!(
        "{rounds} zombies: {} shards fenced after a pause, {} after a cut; {written} verdicts written, {} count",
        fenced[0],
        fenced[1],
        decisions.verdicts()
    );
    assert!(!fenced.contains(&0), "{}", crew.workers[0].log());
    assert_eq!(decisions.verdicts(), (rounds * EACH) as usize);
    assert!(written > decisions.verdicts(), "what they had begun to write stands there, and counts for nobody");
    for (scope, text) in &decisions.text {
        let stream = (0..rounds * EACH).filter(|number| format!("scope-{}", number % SCOPES) == *scope);
        let stream: Stream = stream.map(|number| event(number % SCOPES, number / SCOPES)).collect();
        assert_same(scope, text, &expected(&policy(&cluster.path("rules")), &stream, None));
    }
}
