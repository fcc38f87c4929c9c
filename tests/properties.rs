//! Promises that hold for every stream, on small random ones.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use squelch::domain::budget::Per;
use squelch::domain::policy::{AdaptiveRule, Handling, Rule};
use squelch::domain::{
    Budget, Decision, Engine, Event, IncidentId, Input, Kind, LooksAt, Matcher, NoticeAction, Opinion, Outcome, Page,
    Policy, Reason, Severity, Silence, Status, Timestamp, Turn, Zone,
};
use squelch::replay::decisions;

const START: f64 = 1_767_571_200.0;
const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;

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
    event.value = (place % 4 < 3).then(|| f64::from(status) / 2.56);
    event.unit = (check % 2 == 0).then(|| "%".to_owned());
    event.status = match status % 12 {
        0..=5 => Status::Firing,
        6..=8 => Status::Resolved,
        9 => Status::Event,
        10 => Status::NoData,
        _ => Status::Sample,
    };
    event
}

/// A process that is critical.
fn process(at: Timestamp, status: Status) -> Event {
    let mut event = Event::new("nagios", "process");
    (event.kind, event.severity, event.status) = (Kind::Host, Severity::Critical, status);
    (event.service, event.host) = (Some("service-0".to_owned()), Some("host-0".to_owned()));
    (event.ts, event.received) = (Some(at), Some(at));
    event
}

/// It is critical for eight minutes, on this day.
fn blip(day: usize) -> [Event; 2] {
    let at = Timestamp::from_secs(START + DAY * day as f64).unwrap();
    [process(at, Status::Firing), process(at.after(8.0 * 60.0), Status::Resolved)]
}

fn throws() -> impl Strategy<Value = Vec<Throw>> {
    let gap = prop_oneof![4 => 0..120_u32, 2 => 120..1800_u32, 1 => 1800..40_000_u32];
    prop::collection::vec((gap, any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>()), 1..120)
}

fn stream(throws: &[Throw]) -> Vec<Event> {
    let mut now = START;
    throws.iter().map(|throw| event(*throw, &mut now)).collect()
}

/// The rules: one check silenced, and one service with a budget.
fn policy() -> Policy {
    let mut policy = Policy::default();
    let matchers = vec![Matcher::parse("service=\"service-1\"").unwrap()];
    policy.budgets.push(Budget { name: "one".to_owned(), matchers, pages: 1, per: Per::Day, zone: Zone::default() });
    policy.silences.push(Silence {
        id: "a silence".to_owned(),
        matchers: vec![Matcher::parse("check=\"check-3\"").unwrap()],
        looks_at: LooksAt::Fields,
        from: Timestamp::EPOCH,
        until: Timestamp::MAX,
        owner: "ada".to_owned(),
        reason: "a test".to_owned(),
        updated: Timestamp::EPOCH,
    });
    policy
}

/// What people say in between: before which event, of which incident, what.
type Word = (usize, u64, Opinion);

fn words() -> impl Strategy<Value = Vec<Word>> {
    let opinion = prop::sample::select(Opinion::ALL.to_vec());
    prop::collection::vec((0..120_usize, 1..8_u64, opinion), 0..24)
}

/// A run; `cut` = stopped, saved and loaded before this event.
fn run(policy: &Policy, events: &[Event], cut: Option<usize>) -> (Vec<Decision>, Engine) {
    run_with(policy, events, cut, &[])
}

/// A run in which people say something.
fn run_with(policy: &Policy, events: &[Event], cut: Option<usize>, words: &[Word]) -> (Vec<Decision>, Engine) {
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
        let now = event.received.unwrap();
        for &(_, incident, opinion) in words.iter().filter(|(before, ..)| *before == seq) {
            engine.handle(now, Input::Feedback { incident: IncidentId(incident), opinion, by: "ada" }, &mut turn);
        }
        engine.handle(now, Input::Event { seq: seq as u64, event }, &mut turn);
    }
    let end = engine.now().after(6.0 * HOUR);
    engine.finish(end, &mut turn);
    (turn.decisions, engine)
}

/// Five days and more of samples, one in ten minutes; a throw of 99 takes the value away for two hours.
fn samples(throws: &[u8]) -> Vec<Event> {
    let mut away = 0;
    let sample = |(at, throw): (usize, &u8)| {
        away = if *throw == 99 { 12 } else { away.max(1) - 1 };
        let mut event = Event::new("collectd", "queue");
        event.received = Timestamp::from_secs(START + 600.0 * at as f64);
        (event.ts, event.status, event.service) = (event.received, Status::Sample, Some("shop".to_owned()));
        event.value = Some(f64::from(*throw % 10) + if away > 0 { 500.0 } else { 50.0 });
        event
    };
    throws.iter().enumerate().map(sample).collect()
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
    fn samples_raise_and_end_alerts_beside_the_sums(throws in prop::collection::vec(0..100_u8, 720..900), cut in 300..720_usize) {
        let adaptive = Handling { adaptive: Some(AdaptiveRule::default()), ..Handling::default() };
        let rule = Rule { name: "queues".to_owned(), matchers: Vec::new(), handling: adaptive };
        let policy = Policy { rules: vec![rule], ..Policy::default() };
        let events = samples(&throws);
        let (whole, engine) = run(&policy, &events, None);
        prop_assert_eq!(lines(&whole), lines(&run(&policy, &events, Some(cut)).0));
        prop_assert!(!whole.iter().any(|decision| matches!(decision, Decision::Verdict(_))));
        let tally = engine.tally();
        prop_assert_eq!((tally.accepted, tally.waiting, tally.samples), (0, 0, events.len() as u64));
        prop_assert!(tally.firing <= 1);
    }

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
    fn equal_streams_give_equal_decisions_also_when_cut_in_two(
        throws in throws(), words in words(), cut in any::<prop::sample::Index>(),
    ) {
        let events = stream(&throws);
        let whole = lines(&run_with(&policy(), &events, None, &words).0);
        prop_assert_eq!(&whole, &lines(&run_with(&policy(), &events, None, &words).0));
        let cut = cut.index(events.len());
        prop_assert_eq!(&whole, &lines(&run_with(&policy(), &events, Some(cut), &words).0), "cut before event {}", cut);
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
    fn a_silence_holds_what_fires_already(throws in throws(), late in 0..60_u32, lasts in 1..40_u32, blips in 0..8_usize) {
        let mut events: Vec<Event> = (0..blips).flat_map(blip).collect();
        let mut now = START + DAY * (blips + 1) as f64;
        events.extend(throws.iter().map(|throw| event(*throw, &mut now)));
        let began = events.last().and_then(|event| event.received).unwrap().after(60.0);
        events.push(process(began, Status::Firing));
        let from = began.after(f64::from(late));
        let until = from + Duration::from_secs(u64::from(lasts) * 1800);
        let matchers = vec![Matcher::parse("check=\"process\"").unwrap()];
        let silence = Silence { from, until, id: "late".to_owned(), matchers, ..policy().silences.remove(0) };
        let (mut engine, mut turn) = (Engine::new(Arc::new(Policy::default())), Turn::default());
        for (seq, event) in events.iter().enumerate() {
            engine.handle(event.received.unwrap(), Input::Event { seq: seq as u64, event }, &mut turn);
        }
        engine.handle(from, Input::Silence(&silence), &mut turn);
        engine.finish(until.after(-1.0), &mut turn);
        let told = reasons(&turn.decisions)[&(events.len() as u64 - 1)][0];
        let paged = pages(&turn.decisions).any(|page| page.ts >= from && page.origin.check.as_deref() == Some("process"));
        prop_assert!(!paged, "it paged, and its event ended as {}", told);
    }

    #[test]
    fn a_critical_that_stays_is_told_within_its_bound(throws in throws(), words in words(), blips in 0..8_usize) {
        // Whatever came before and whatever people said, also of the very same: it goes critical at the end and stays.
        let mut events: Vec<Event> = (0..blips).flat_map(blip).collect();
        let called_noise = (0..blips).map(|blip| (2 * blip + 1, blip as u64 + 1, Opinion::Noise));
        let words: Vec<Word> = words.into_iter().chain(called_noise).collect();
        let mut now = START + DAY * (blips + 1) as f64;
        events.extend(throws.iter().map(|throw| event(*throw, &mut now)));
        let policy = policy();
        let began = events.last().and_then(|event| event.received).unwrap().after(60.0);
        events.push(process(began, Status::Firing));
        let (decisions, engine) = run_with(&policy, &events, None, &words);
        let told = reasons(&decisions)[&(events.len() as u64 - 1)][0];
        let bound = began + policy.defaults.hold.critical_longest;
        let in_time = pages(&decisions).any(|page| page.ts >= began && page.ts <= bound);
        let open = engine.incidents().iter().any(|(summary, open)| *open && summary.severity == Severity::Critical);
        prop_assert!(in_time || (told.outcome() == Outcome::Join && open), "it ended as {}", told);
    }

    #[test]
    fn what_is_said_of_some_moves_no_page_of_others(throws in throws(), words in words()) {
        let (mut now, mut events) = (START, Vec::new());
        for throw in throws {
            let place = if throw.1 % 3 == 0 { "near" } else { "far" };
            let mut event = event(throw, &mut now);
            event.check = format!("{place}-{}", event.check);
            event.service = event.service.map(|name| format!("{place}-{name}"));
            event.host = event.host.map(|name| format!("{place}-{name}"));
            events.push(event);
        }
        let near = |page: &Page| page.services.iter().any(|service| service.starts_with("near"));
        let told = |decisions: &[Decision]| -> Vec<_> {
            let near = pages(decisions).filter(|page| near(page));
            near.map(|page| (page.ts, page.action, page.severity, page.title.clone(), page.alerts.clone())).collect()
        };
        let policy = Policy::default();
        let silent = told(&run(&policy, &events, None).0);
        // What is said of the near ones is left out: it may move them.
        let far = |(before, incident, opinion): Word| {
            let (_, engine) = run(&policy, &events[..before.min(events.len())], None);
            let about = engine.why_incident(IncidentId(incident))?;
            about.members.iter().all(|member| member.name.contains("far-")).then_some((before, incident, opinion))
        };
        let words: Vec<Word> = words.into_iter().filter_map(far).take(1).collect();
        prop_assert_eq!(silent, told(&run_with(&policy, &events, None, &words).0));
    }

    #[test]
    fn what_is_withdrawn_was_never_said(throws in throws(), words in words()) {
        let events = stream(&throws);
        let taken_back = |&(before, incident, opinion): &Word| {
            [(before, incident, opinion), (before, incident, Opinion::Withdraw)]
        };
        let words: Vec<Word> = words.iter().flat_map(taken_back).collect();
        let (mut said, _) = run_with(&policy(), &events, None, &words);
        let (mut silent, _) = run(&policy(), &events, None);
        for decision in said.iter_mut().chain(&mut silent) {
            if let Decision::Incident(summary) = decision {
                // The timeline tells that it was said, and that it was taken back.
                summary.moments.clear();
            }
        }
        prop_assert_eq!(lines(&said), lines(&silent));
    }

    #[test]
    fn a_budget_is_kept_and_what_it_withholds_is_told(throws in throws(), allowed in 0..3_u32) {
        let events = stream(&throws);
        let mut policy = Policy::default();
        let budget = Budget { name: "few".to_owned(), matchers: Vec::new(), pages: allowed, per: Per::Day, zone: Zone::default() };
        policy.budgets.push(budget);
        let (decisions, _) = run(&policy, &events, None);
        let mut paid: BTreeMap<i64, u32> = BTreeMap::new();
        for page in pages(&decisions).filter(|page| page.severity < Severity::Critical && page.reason != Reason::Silent) {
            *paid.entry(page.ts.hour().div_euclid(24)).or_default() += 1;
        }
        prop_assert!(paid.values().all(|pages| *pages <= allowed), "{paid:?}");
        let told = decisions.iter().any(|decision| {
            matches!(decision, Decision::Notice(notice) if notice.action == NoticeAction::Withheld && notice.incident.is_none())
        });
        let withheld = reasons(&decisions).values().flatten().any(|reason| *reason == Reason::Budget);
        prop_assert!(told || !withheld);
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
