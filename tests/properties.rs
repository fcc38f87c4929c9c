//! Promises that hold for every stream, on small random ones.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use squelch::domain::Matcher;
use squelch::domain::{
    Decision, Engine, Event, Input, Kind, Outcome, Page, Policy, Reason, Severity, Silence, Status, Timestamp, Turn,
};
use squelch::replay::decisions;

const START: f64 = 1_767_571_200.0;
const HOUR: f64 = 3600.0;

/// What a random stream is made of: seconds since the one before, who, what, how bad.
type Throw = (u32, u8, u8, u8, u8);

fn event((gap, place, check, severity, status): Throw, now: &mut f64) -> Event {
    *now += f64::from(gap);
    let mut event = Event::new(["nagios", "sentry", "pingdom"][usize::from(check % 3)], format!("check-{}", check % 4));
    event.received = Timestamp::from_secs(*now);
    event.ts = event.received;
    event.kind = [Kind::Host, Kind::Exception, Kind::Uptime][usize::from(check % 3)];
    event.service = Some(format!("service-{}", place % 3));
    event.host = (place % 2 == 0).then(|| format!("host-{}", place % 4));
    event.severity = Severity::ALL[usize::from(severity % 4)];
    event.status = match status % 12 {
        0..=5 => Status::Firing,
        6..=8 => Status::Resolved,
        9 => Status::Event,
        10 => Status::NoData,
        _ => Status::Sample,
    };
    event
}

fn throws() -> impl Strategy<Value = Vec<Throw>> {
    let gap = prop_oneof![4 => 0..120_u32, 2 => 120..1800_u32, 1 => 1800..40_000_u32];
    prop::collection::vec((gap, any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>()), 1..120)
}

fn stream(throws: &[Throw]) -> Vec<Event> {
    let mut now = START;
    throws.iter().map(|throw| event(*throw, &mut now)).collect()
}

/// The rules: one service silenced, one that never pages.
fn policy() -> Policy {
    let mut policy = Policy::default();
    policy.silences.push(Silence {
        id: "a silence".to_owned(),
        matchers: vec![Matcher::parse("check=\"check-3\"").unwrap()],
        from: Timestamp::EPOCH,
        until: Timestamp::MAX,
        owner: "ada".to_owned(),
        reason: "a test".to_owned(),
    });
    policy
}

/// A run; `cut` = stopped, saved and loaded before this event.
fn run(policy: &Policy, events: &[Event], cut: Option<usize>) -> (Vec<Decision>, Engine) {
    let policy = Arc::new(policy.clone());
    let mut engine = Engine::new(Arc::clone(&policy));
    let mut turn = Turn::default();
    for (seq, event) in events.iter().enumerate() {
        if cut == Some(seq) {
            let changes = engine.take_changes().into_iter();
            let records: BTreeMap<_, _> = changes.filter_map(|change| Some((change.key, change.value?))).collect();
            let (restored, errors) = Engine::restore(Arc::clone(&policy), records);
            assert!(errors.is_empty(), "{errors:?}");
            engine = restored;
        }
        engine.handle(event.received.unwrap(), Input::Event { seq: seq as u64, event }, &mut turn);
    }
    let end = engine.now().after(6.0 * HOUR);
    engine.finish(end, &mut turn);
    (turn.decisions, engine)
}

fn lines(decisions: &[Decision]) -> String {
    let mut text = String::new();
    decisions.iter().for_each(|decision| decisions::write(decision, &mut text));
    text
}

fn reasons(decisions: &[Decision]) -> BTreeMap<u64, Vec<Reason>> {
    let mut reasons: BTreeMap<u64, Vec<Reason>> = BTreeMap::new();
    for decision in decisions {
        if let Decision::Verdict(verdict) = decision {
            reasons.entry(verdict.seq).or_default().push(verdict.reason);
        }
    }
    reasons
}

fn pages(decisions: &[Decision]) -> impl Iterator<Item = &Page> {
    decisions.iter().filter_map(|decision| if let Decision::Page(page) = decision { Some(&**page) } else { None })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn every_event_ends_exactly_once_and_the_sums_hold(throws in throws()) {
        let events = stream(&throws);
        let (decisions, engine) = run(&policy(), &events, None);
        let reasons = reasons(&decisions);
        for (seq, event) in (0..).zip(&events) {
            let endings = reasons.get(&seq).map_or(0, Vec::len);
            prop_assert_eq!(endings, usize::from(event.status != Status::Sample), "event {} {:?}", seq, event);
        }
        let tally = engine.tally();
        let sum: u64 = Outcome::ALL.iter().map(|outcome| tally.outcome(*outcome)).sum();
        prop_assert_eq!((tally.waiting, tally.accepted), (0, sum));
        prop_assert_eq!(tally.accepted + tally.samples, events.len() as u64);
        prop_assert_eq!(tally.pages.0 + tally.pages.1, pages(&decisions).count() as u64);
    }

    #[test]
    fn equal_streams_give_equal_decisions_also_when_cut_in_two(throws in throws(), cut in any::<prop::sample::Index>()) {
        let events = stream(&throws);
        let whole = lines(&run(&policy(), &events, None).0);
        prop_assert_eq!(&whole, &lines(&run(&policy(), &events, None).0));
        let cut = cut.index(events.len());
        prop_assert_eq!(&whole, &lines(&run(&policy(), &events, Some(cut)).0), "cut before event {}", cut);
    }

    #[test]
    fn what_is_suppressed_is_on_no_page(throws in throws()) {
        let (decisions, _) = run(&policy(), &stream(&throws), None);
        let reasons = reasons(&decisions);
        let paged: BTreeSet<u64> = pages(&decisions).flat_map(|page| page.alerts.iter().copied()).collect();
        for seq in paged {
            for reason in reasons.get(&seq).into_iter().flatten() {
                prop_assert!(matches!(reason.outcome(), Outcome::Page | Outcome::Join), "event {} is {}", seq, reason);
            }
        }
    }

    #[test]
    fn a_silence_always_holds(throws in throws()) {
        let events = stream(&throws);
        let (decisions, _) = run(&policy(), &events, None);
        for (seq, reasons) in reasons(&decisions) {
            if events[seq as usize].check == "check-3" {
                prop_assert!(reasons.iter().all(|reason| reason.outcome() != Outcome::Page), "event {} {:?}", seq, reasons);
            }
        }
    }

    #[test]
    fn a_critical_that_stays_is_told_within_its_bound(throws in throws()) {
        // Whatever came before: a component of its own goes critical at the end and stays.
        let mut events = stream(&throws);
        let policy = policy();
        let began = events.last().and_then(|event| event.received).unwrap().after(60.0);
        let mut last = Event::new("nagios", "process");
        (last.kind, last.severity) = (Kind::Host, Severity::Critical);
        (last.service, last.host) = (Some("service-0".to_owned()), Some("host-0".to_owned()));
        (last.ts, last.received) = (Some(began), Some(began));
        events.push(last);
        let (decisions, engine) = run(&policy, &events, None);
        let told = reasons(&decisions)[&(events.len() as u64 - 1)][0];
        let bound = began + policy.defaults.hold.critical_longest;
        let in_time = pages(&decisions).any(|page| page.ts >= began && page.ts <= bound);
        let open = engine.incidents().iter().any(|(summary, open)| *open && summary.severity == Severity::Critical);
        prop_assert!(in_time || (told.outcome() == Outcome::Join && open), "it ended as {}", told);
    }

    #[test]
    fn noise_far_away_hides_no_outage(throws in throws()) {
        let (mut now, mut events) = (START, Vec::new());
        for throw in throws {
            let mut noise = event(throw, &mut now);
            noise.service = noise.service.map(|name| format!("far-{name}"));
            noise.host = noise.host.map(|name| format!("far-{name}"));
            events.push(noise);
        }
        let mut outage = Event::new("nagios", "process");
        (outage.kind, outage.severity) = (Kind::Host, Severity::Critical);
        (outage.service, outage.host) = (Some("payment".to_owned()), Some("pay-1".to_owned()));
        outage.received = Timestamp::from_secs(now + 1.0);
        outage.ts = outage.received;
        events.push(outage);
        let (decisions, _) = run(&Policy::default(), &events, None);
        prop_assert!(pages(&decisions).any(|page| page.hosts.iter().any(|host| host == "pay-1")));
    }

    #[test]
    fn a_storm_that_was_learned_hides_no_fault(hosts in 2..30_u32, rounds in 2..40_u32, gap in 1..90_u32) {
        // Hours of the same two warnings on all hosts, flapping; then one of these hosts breaks for good.
        let (mut now, mut events) = (START, Vec::new());
        let mut say = |host: u32, check: &str, severity, status, seconds: f64| {
            now += seconds;
            let mut event = Event::new("nagios", check);
            (event.kind, event.severity, event.status) = (Kind::Host, severity, status);
            (event.service, event.host) = (Some("web".to_owned()), Some(format!("web-{host}")));
            event.received = Timestamp::from_secs(now);
            event.ts = event.received;
            events.push(event);
            now
        };
        for round in 0..rounds {
            let status = if round % 2 == 0 { Status::Firing } else { Status::Resolved };
            for host in 0..hosts {
                say(host, "swap", Severity::Warning, status, f64::from(gap));
                say(host, "load", Severity::Warning, status, 1.0);
            }
        }
        let began = say(0, "process", Severity::Critical, Status::Firing, 60.0);
        let (decisions, _) = run(&Policy::default(), &events, None);
        let bound = Timestamp::from_secs(began).unwrap() + Policy::default().defaults.hold.critical_longest;
        let told = pages(&decisions).any(|page| page.ts.secs() >= began && page.ts <= bound && page.severity == Severity::Critical);
        prop_assert!(told, "{} pages", pages(&decisions).count());
    }
}
