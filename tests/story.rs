//! The story that ships with the project: the same to the byte for one seed, true to its tale for every seed.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use expect_test::expect;
use squelch::domain::{Event, Kind, Severity, Status};
use squelch::formats::native;
use squelch::story;

fn lines(seed: u64) -> String {
    story::events(seed).iter().map(|event| native::write_line(event) + "\n").collect()
}

#[test]
fn one_seed_gives_the_same_story_to_the_byte() {
    assert_eq!(lines(story::SEED), lines(story::SEED));
    assert_ne!(lines(1), lines(2));
    // A change of the dice or of the tale shows here, and must be meant: README and scenarios tell its numbers.
    let whole = squelch::domain::Fingerprint::of(&[&lines(story::SEED)]);
    expect!["c85fc44bd88b94d6"].assert_eq(&whole.to_string());
}

#[test]
fn the_story_has_this_cast() {
    let mut counts = BTreeMap::new();
    for event in story::events(story::SEED) {
        let key = format!("{} {} {} {}", event.source, event.check, event.severity, event.status);
        *counts.entry(key).or_insert(0) += 1;
    }
    let table: String = counts.iter().map(|(key, count)| format!("{key}: {count}\n")).collect();
    expect![[r#"
        cloud instance_replaced info event: 1
        deployer deploy info event: 13
        monit cpu_busy warning firing: 269
        monit cpu_busy warning resolved: 269
        monit disk_used critical firing: 6
        monit disk_used warning firing: 10
        monit disk_used warning resolved: 1
        monit io_wait warning firing: 14
        monit io_wait warning resolved: 14
        monit load_average warning firing: 6
        monit load_average warning resolved: 6
        monit memory_used warning firing: 23
        monit memory_used warning resolved: 23
        monit ping critical firing: 1
        monit swap_used critical firing: 2
        monit swap_used warning firing: 91
        monit swap_used warning resolved: 91
        newrelic apdex critical firing: 1
        newrelic apdex warning resolved: 1
        newrelic error_rate critical firing: 2
        newrelic error_rate warning firing: 1
        newrelic error_rate warning resolved: 2
        newrelic response_time_p95 critical firing: 1
        newrelic response_time_p95 warning firing: 14
        newrelic response_time_p95 warning resolved: 15
        pingdom http critical firing: 7
        pingdom http critical resolved: 7
        sentry ActionController::UnknownFormat error event: 1220
        sentry Bundler::GemNotFound error event: 379
        sentry Cache::ServerGone error event: 145
        sentry Cart::ItemGone error event: 423
        sentry OAuth::TokenExpired error event: 753
        sentry Payment::GatewayRefused error event: 388
        sentry Redis::TimeoutError error event: 103
        sentry Search::IndexStale error event: 168
    "#]]
    .assert_eq(&table);
}

#[test]
fn every_seed_tells_it_in_order_at_the_usual_length() {
    for seed in 0..20 {
        let events = story::events(seed);
        assert!((3_000..5_000).contains(&events.len()), "{} events", events.len());
        assert!(events.is_sorted_by_key(|event| event.ts));
        assert!(events.iter().all(|event| event.ts.unwrap() >= story::START && event.ts.unwrap() < story::END));
    }
}

#[test]
fn its_events_survive_the_wire() {
    for event in story::events(7) {
        assert_eq!(native::read_line(native::write_line(&event).as_bytes()).unwrap(), event);
    }
}

fn within<'a>(events: &'a [Event], fault: &story::Fault, margin: f64) -> Vec<&'a Event> {
    let inside = |event: &&Event| {
        let ts = event.ts.unwrap();
        ts >= fault.start && ts <= fault.end.after(margin)
    };
    events.iter().filter(inside).collect()
}

#[test]
fn each_fault_speaks_before_its_deadline() {
    for seed in 0..20 {
        let events = story::events(seed);
        for fault in story::truth() {
            assert!(fault.start < fault.deadline && fault.deadline < fault.end, "{}", fault.name);
            let spoken = within(&events, &fault, 0.0).into_iter().any(|event| {
                event.ts.unwrap() < fault.deadline
                    && event.service.as_deref().is_some_and(|service| fault.services.contains(&service))
                    && (fault.hosts.is_empty() || event.host.as_deref().is_some_and(|host| fault.hosts.contains(&host)))
            });
            assert!(spoken, "seed {seed}: nothing is heard of {} in time", fault.name);
        }
    }
}

#[test]
fn swap_flaps_for_hours_on_three_hosts_before_the_site_is_down() {
    let events = story::events(story::SEED);
    let memory = story::truth()[2];
    for host in memory.hosts {
        let changes = events
            .iter()
            .filter(|event| event.check == "swap_used" && event.host.as_deref() == Some(host))
            .filter(|event| event.ts.unwrap() < memory.deadline)
            .count();
        assert!(changes >= 30, "{host}: {changes} changes");
    }
}

#[test]
fn four_tools_see_the_outage() {
    let events = story::events(story::SEED);
    let memory = story::truth()[2];
    for kind in [Kind::Host, Kind::Exception, Kind::Apm, Kind::Uptime] {
        let seen = within(&events, &memory, 0.0).into_iter().any(|event| {
            event.kind == kind && event.severity >= Severity::Error && event.ts.unwrap() > memory.deadline
        });
        assert!(seen, "{kind}");
    }
}

#[test]
fn what_fires_is_resolved_unless_its_host_is_gone() {
    for seed in 0..20 {
        let mut open = BTreeMap::new();
        for event in story::events(seed) {
            let key = (event.source.clone(), event.host.clone(), event.check.clone());
            match event.status {
                Status::Firing => drop(open.insert(key, event)),
                Status::Resolved => assert!(open.remove(&key).is_some(), "seed {seed}: not firing: {key:?}"),
                _ => {}
            }
        }
        // The tale ends in the middle of an ordinary evening.
        let last_hour = story::END.after(-3_600.0);
        open.retain(|(_, host, _), event| host.as_deref() != Some("web-1") && event.ts.unwrap() < last_hour);
        assert!(open.is_empty(), "seed {seed}: {:?}", open.keys());
    }
}
