//! `squelch serve` in one process: what is acknowledged is durable, faults are loud, rules reload.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "shell/client.rs"]
mod client;
#[path = "shell/receiver.rs"]
mod receiver;
#[path = "shell/running.rs"]
mod running;

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use client::{get, post, request};
use receiver::Receiver;
use running::{Running, settings};
use serde_json::{Value, json};
use squelch::domain::Input;
use squelch::service::Probe;

/// How often a condition is asked for over HTTP before the test gives up: each time is a round trip.
const PATIENCE: usize = 200_000;

fn event(check: &str) -> String {
    json!({"source": "cron", "check": check, "host": "db-1", "severity": "critical"}).to_string()
}

fn tally(to: SocketAddr) -> Value {
    get(to, "/api/v1/tally").json()
}

/// `accepted = waiting + the sum of verdicts`, the promise.
fn sums_hold(tally: &Value) -> bool {
    let verdicts: u64 = tally["verdicts"].as_object().unwrap().values().map(|sum| sum.as_u64().unwrap()).sum();
    tally["accepted"].as_u64().unwrap() == tally["waiting"].as_u64().unwrap() + verdicts
}

/// Asks until it is so.
fn until(what: &str, mut so: impl FnMut() -> bool) {
    assert!((0..PATIENCE).any(|_| so()), "still not so: {what}");
}

/// A judge that fails on events of the check `poison`.
fn poisoned() -> Option<Probe> {
    Some(Box::new(|input| {
        if let Input::Event { event, .. } = input {
            assert_ne!(event.check, "poison", "made to fail on purpose");
        }
    }))
}

#[test]
fn what_was_acknowledged_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(settings(dir.path()), None);
    for n in 0..5 {
        let answer = post(running.address(), "/api/v1/events", &event(&format!("check-{n}")));
        assert_eq!(answer.json()["first_seq"], n);
    }
    let before = tally(running.address());
    assert_eq!(before["accepted"], 5);
    assert!(sums_hold(&before), "{before}");
    running.stop();
    let running = Running::start(settings(dir.path()), None);
    let answer = post(running.address(), "/api/v1/events", &event("check-9"));
    assert_eq!(answer.json()["first_seq"], 5, "no number is used twice");
    running.stop();
}

#[test]
fn a_question_is_answered_as_of_now() {
    let dir = tempfile::tempdir().unwrap();
    let ticks = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&ticks);
    let probe: Probe = Box::new(move |input| {
        seen.fetch_add(usize::from(matches!(input, Input::Tick)), Ordering::Relaxed);
    });
    let running = Running::start(settings(dir.path()), Some(probe));
    // Nothing is known, so nothing is ever due: time moves because somebody asks. (The vigil over silences asks, too.)
    for _ in 0..3 {
        let before = ticks.load(Ordering::Relaxed);
        tally(running.address());
        assert!(ticks.load(Ordering::Relaxed) > before);
    }
    running.stop();
}

#[test]
fn what_the_judge_fails_on_is_paged_and_the_rest_is_judged() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(settings(dir.path()), poisoned());
    let to = running.address();
    let batch = format!("[{},{},{}]", event("disk"), event("poison"), event("swap"));
    assert_eq!(post(to, "/api/v1/events", &batch).status, 200);
    assert_eq!(post(to, "/api/v1/events", &event("poison")).status, 200, "a repeat joins");
    let sums = tally(to);
    assert_eq!((&sums["accepted"], &sums["verdicts"]["judge_failed"]), (&json!(4), &json!(2)), "{sums}");
    assert!(sums_hold(&sums), "{sums}");
    let incidents = get(to, "/api/v1/incidents?state=open").json();
    let own: Vec<_> = incidents["incidents"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|incident| incident["paged"].is_number() && incident["title"].as_str().unwrap().contains("poison"))
        .collect();
    assert_eq!(own.len(), 1, "{incidents}");
    let path = format!("/api/v1/incidents/{}", own[0]["incident"].as_str().unwrap());
    let why = get(to, &format!("{path}/why"));
    assert!(why.body.contains("could not judge"), "{}", why.body);
    assert_eq!(post(to, &format!("{path}/ack"), r#"{"by":"ann"}"#).status, 200);
    let own = post(to, &format!("{path}/feedback"), r#"{"verdict":"noise","by":"ann"}"#);
    assert_eq!(own.status, 409, "it is no judgement that could be moved: {}", own.body);
    assert_eq!(post(to, &format!("{path}/resolve"), r#"{"by":"ann"}"#).json()["open"], false);
    assert!(get(to, "/metrics").body.contains("\nsquelch_judge_failures_total 2\n"));
    let console = running.stop();
    assert_eq!(console.matches("db-1: poison (not judged)").count().min(1), 1, "{console}");

    let running = Running::start(settings(dir.path()), None);
    let again = tally(running.address());
    assert_eq!((&again["accepted"], &again["verdicts"]["judge_failed"]), (&json!(4), &json!(2)), "{again}");
    running.stop();
}

#[test]
fn what_a_person_says_of_an_incident_is_told_by_why_survives_a_restart_and_can_be_withdrawn() {
    let dir = tempfile::tempdir().unwrap();
    let settings = || settings(dir.path());
    let start = settings();
    let rule = "rules:\n  - name: loud\n    match: ['severity=\"critical\"']\n    page: always\n";
    fs::write(dir.path().join("rules/app.yaml"), rule).unwrap();
    let running = Running::start(start, None);
    let to = running.address();
    assert_eq!(post(to, "/api/v1/events", &event("disk")).status, 200);
    let say = |to, body: &str| post(to, "/api/v1/incidents/1/feedback", body);
    for bad in ["", "{}", r#"{"verdict":"boring"}"#, r#"{"verdict":"noise","who":"ann"}"#] {
        let answer = say(to, bad);
        assert_eq!(answer.status, 400, "{bad}: {}", answer.body);
        assert!(answer.body.contains("withdraw"), "no help: {}", answer.body);
    }
    assert_eq!(post(to, "/api/v1/incidents/7/feedback", r#"{"verdict":"noise"}"#).status, 404);
    let told = say(to, "{\"verdict\":\"noise\",\"by\":\"ann\\n\\u001b[2Jb\"}");
    assert_eq!((told.status, &told.json()["incident"]), (200, &json!("1")), "{}", told.body);
    assert!(
        told.body.contains("ann [2Jb called it noise: the next start of its series counts for less"),
        "{}",
        told.body
    );
    running.stop();

    let running = Running::start(settings(), None);
    let to = running.address();
    let why = || get(to, "/api/v1/incidents/1/why").json();
    let words = |of: &Value| (of["feedback"][0]["verdict"].clone(), of["feedback"][0]["by"].clone());
    let stands = why();
    assert_eq!(words(&stands), (json!("noise"), json!("ann [2Jb")), "{stands}");
    assert_eq!(words(&stands["members"][0]), words(&stands), "{stands}");
    let share = stands["members"][0]["feedback_share_critical"].as_f64().unwrap();
    assert!((share + 0.3).abs() < 1e-3, "{share}");
    let text = request(to, ("GET", "/api/v1/incidents/1/why"), &["Accept: text/plain"], b"").unwrap().body;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("Its next start counts for 30% less."), "{text}");
    assert_eq!(say(to, r#"{"verdict":"withdraw","by":"ben"}"#).status, 200);
    let taken_back = why();
    assert_eq!((&taken_back["feedback"], &taken_back["members"][0]["feedback"]), (&json!([]), &json!([])));
    assert!(taken_back["moments"].to_string().contains("ben withdrew what was said of it"), "{taken_back}");
    running.stop();
}

#[test]
fn a_judge_that_fails_on_everything_pages_everything_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let probe: Probe = Box::new(|input| assert!(!matches!(input, Input::Event { .. }), "made to fail on purpose"));
    let running = Running::start(settings(dir.path()), Some(probe));
    let to = running.address();
    for n in 0..20 {
        assert_eq!(post(to, "/api/v1/events", &event(&format!("check-{n}"))).status, 200);
    }
    let sums = tally(to);
    assert_eq!((&sums["accepted"], &sums["verdicts"]["judge_failed"]), (&json!(20), &json!(20)), "{sums}");
    let console = running.stop();
    for n in 0..20 {
        assert!(console.contains(&format!("check-{n} (not judged)")), "check-{n} was not paged:\n{console}");
    }
}

#[test]
fn in_shadow_mode_even_a_failing_judge_pages_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path());
    settings.shadow = true;
    let running = Running::start(settings, poisoned());
    assert_eq!(post(running.address(), "/api/v1/events", &event("poison")).status, 200);
    assert_eq!(tally(running.address())["pages"]["open"], 1, "it is judged");
    assert_eq!(tally(running.address())["outbox"], 0, "and nobody is told");
    assert_eq!(running.stop(), "");
}

/// Some megabytes of disk that are taken and given back.
fn ballast(path: &Path, bytes: u64) -> u64 {
    let file = fs::File::create(path).unwrap();
    rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, bytes).unwrap();
    let stat = rustix::fs::statvfs(path).unwrap();
    stat.f_bavail * stat.f_frsize
}

#[test]
fn a_full_disk_refuses_new_events_and_ends_by_itself_when_there_is_space() {
    const BALLAST: u64 = 2 << 30;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ballast");
    let mut settings = settings(dir.path());
    // Half of the ballast as margin to either side, for others use this disk, too.
    settings.store.min_free = ballast(&file, BALLAST) + BALLAST / 2;
    let running = Running::start(settings, None);
    let to = running.address();
    let first = post(to, "/api/v1/events", &event("disk"));
    assert_eq!(first.status, 503, "{}", first.body);
    assert!(first.head.contains("\nretry-after: "), "{}", first.head);
    assert!(first.json()["error"]["message"].as_str().unwrap().contains("cannot be stored"), "{}", first.body);
    assert_eq!(post(to, "/api/v1/events", &event("swap")).status, 503);
    let ready = get(to, "/-/ready");
    assert_eq!((ready.status, &ready.json()["ready"]), (503, &json!(false)));
    assert!(get(to, "/metrics").body.contains("\nsquelch_storage_refusing 1\n"));
    assert_eq!(tally(to)["accepted"], 1, "the one that met the full disk is judged from memory");
    fs::remove_file(file).unwrap();
    until("it takes events again", || get(to, "/-/ready").status == 200);
    assert_eq!(post(to, "/api/v1/events", &event("swap")).status, 200);
    assert_eq!(tally(to)["accepted"], 2);
    let console = running.stop();
    assert!(console.contains("it cannot store new events"), "{console}");
    let running = Running::start(self::settings(dir.path()), None);
    assert_eq!(tally(running.address())["accepted"], 2, "what was held in memory is stored");
    running.stop();
}

#[test]
fn good_rules_come_into_force_and_bad_ones_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let rule = dir.path().join("rules/app.yaml");
    let running = Running::start(settings(dir.path()), None);
    let to = running.address();
    fs::write(&rule, "rules:\n  - name: quiet\n    match: ['check=\"disk\"']\n    page: never\n").unwrap();
    let answer = post(to, "/-/reload", "");
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.body.contains("1 rules are in force"), "{}", answer.body);

    fs::write(&rule, "rules:\n  - name: quiet\n    pgae: never\n    hold: soon\n").unwrap();
    let answer = post(to, "/-/reload", "");
    assert_eq!(answer.status, 400);
    let report = answer.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(report.contains("app.yaml:3") && report.contains("app.yaml:4"), "all mistakes at once: {report}");
    assert!(get(to, "/metrics").body.contains("\nsquelch_rules_last_reload_successful 0\n"));
    let ready = get(to, "/-/ready");
    assert_eq!(ready.status, 200, "the old rules do their work");
    assert!(ready.body.contains("app.yaml:3"), "{}", ready.body);

    fs::write(&rule, "rules: []\n").unwrap();
    until("the changed file is read by itself", || get(to, "/-/ready").json()["warnings"] == json!([]));
    assert!(get(to, "/metrics").body.contains("\nsquelch_rules_last_reload_successful 1\n"));
    running.stop();
}

#[test]
fn wrong_rules_at_the_start_are_told_with_all_mistakes() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path());
    fs::write(dir.path().join("rules/app.yaml"), "rules:\n  - name: quiet\n    pgae: never\n").unwrap();
    let options = squelch::service::Options {
        settings,
        couriers: squelch::deliver::Options::default(),
        probe: None,
        fetch: None,
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let error = runtime.block_on(squelch::service::Service::start(options)).err().unwrap();
    assert!(error.to_string().contains("app.yaml:3"), "{error}");
}

#[test]
fn it_does_not_listen_to_the_network_without_a_token() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path());
    settings.listen = "0.0.0.0:0".to_owned();
    let options = squelch::service::Options {
        settings,
        couriers: squelch::deliver::Options::default(),
        probe: None,
        fetch: None,
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let error = runtime.block_on(squelch::service::Service::start(options)).err().unwrap();
    assert!(error.to_string().contains("no token is set"), "{error}");
}

#[test]
fn a_page_that_was_not_delivered_is_offered_again_under_its_key() {
    let dir = tempfile::tempdir().unwrap();
    let hook = Receiver::start();
    let settings = settings(dir.path());
    fs::write(dir.path().join("rules/routes.yaml"), hook.routes()).unwrap();
    hook.refuse(true);
    let running = Running::start(settings.clone(), poisoned());
    let to = running.address();
    assert_eq!(post(to, "/api/v1/events", &event("poison")).status, 200);
    until("the receiver refuses it", || get(to, "/metrics").body.contains("result=\"failing\""));
    running.stop();
    assert_eq!(hook.taken(), []);

    hook.refuse(false);
    let running = Running::start(settings, None);
    until("it is delivered", || tally(running.address())["outbox"] == 0);
    running.stop();
    let taken = hook.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].0, "1000000000000.1.hook");
    assert!(taken[0].1.contains("judge_failed"), "{}", taken[0].1);
}

#[test]
fn what_a_receiver_refuses_goes_to_its_fallback_and_the_failure_pages_until_it_takes_again() {
    let dir = tempfile::tempdir().unwrap();
    let (pager, mail) = (Receiver::start(), Receiver::start());
    let rules = format!(
        "receivers:\n  - name: pager\n    webhook: {{url: \"{}\"}}\n    fallback: [mail]\n  \
         - name: mail\n    webhook: {{url: \"{}\"}}\n\
         routes:\n  - name: everything\n    receivers: [pager]\n\
         rules:\n  - name: all\n    page: always\n",
        pager.url(),
        mail.url()
    );
    let settings = settings(dir.path());
    fs::write(dir.path().join("rules/routes.yaml"), rules).unwrap();
    pager.refuse_with(401);
    let running = Running::start(settings, None);
    let to = running.address();
    assert_eq!(post(to, "/api/v1/events", &event("disk")).status, 200);
    let keys = |receiver: &Receiver| receiver.taken().into_iter().map(|(key, _)| key).collect::<BTreeSet<_>>();
    until("the page is told elsewhere, and the failure, too", || tally(to).is_object() && keys(&mail).len() == 2);
    assert_eq!(keys(&mail), ["1.1.mail".to_owned(), "1000000000000.1.mail".to_owned()].into());
    let alarm = mail.taken().into_iter().find(|(key, _)| key.starts_with("1000")).unwrap().1;
    assert!(alarm.contains("the receiver pager does not take messages") && alarm.contains("HTTP 401"), "{alarm}");

    pager.refuse(false);
    assert_eq!(post(to, "/api/v1/incidents/1/ack", r#"{"by":"ada"}"#).status, 200);
    until("both are told that it is taken, and that the pager is well", || {
        tally(to).is_object() && keys(&mail).contains("1.2.mail") && keys(&mail).contains("1000000000000.2.mail")
    });
    until("nothing is owed any more", || tally(to)["outbox"] == 0);
    assert!(keys(&pager).contains("1.2.pager"));
    running.stop();
    let all: Vec<_> = mail.taken().into_iter().map(|(key, _)| key).collect();
    assert_eq!(all.len(), keys(&mail).len(), "each once: {all:?}");
}

#[test]
fn a_drill_goes_the_real_way_and_tells_how_long_each_step_took() {
    let dir = tempfile::tempdir().unwrap();
    let hook = Receiver::start();
    let settings = settings(dir.path());
    fs::write(dir.path().join("rules/routes.yaml"), hook.routes()).unwrap();
    let running = Running::start(settings, None);
    let to = running.address();
    let report = post(to, "/api/v1/drill", r#"{"route": "everything"}"#).json();
    assert_eq!((&report["route"], &report["incident"]), (&json!("everything"), &json!(1_000_000_000_000_u64)));
    for step in ["told", "over"] {
        let told = &report[step][0];
        let facts = (&told["receiver"], &told["delivered"], &told["attempts"], &told["error"]);
        assert_eq!(facts, (&json!("hook"), &json!(true), &json!(1), &Value::Null), "{report}");
        assert!(told["after_ms"].as_f64().unwrap() >= told["attempt_ms"].as_f64().unwrap(), "{report}");
    }
    let taken = hook.taken();
    assert_eq!(
        taken.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(),
        ["1000000000000.1.hook", "1000000000000.2.hook"]
    );
    assert!(taken.iter().all(|(_, body)| body.contains("DRILL of the route everything")), "{taken:?}");

    let open = post(to, "/api/v1/drill", r#"{"open": true}"#).json();
    assert_eq!((&open["over"], &open["route"]), (&json!([]), &json!("everything")), "yours before the shipped one");
    assert_eq!(get(to, "/api/v1/incidents?state=open").json()["incidents"].as_array().unwrap().len(), 1);
    let unknown = post(to, "/api/v1/drill", r#"{"route": "nights"}"#);
    assert_eq!(unknown.status, 404);
    assert!(unknown.body.contains("there is no route `nights`") && unknown.body.contains("`everything`"));
    hook.refuse_with(401);
    let refused = post(to, "/api/v1/drill", r#"{"open": true}"#);
    assert!(refused.body.contains("HTTP 401"), "{}", refused.body);
    running.stop();
}

#[test]
fn a_damaged_store_is_told_to_everybody() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(settings(dir.path()), None);
    assert_eq!(post(running.address(), "/api/v1/events", &event("disk")).status, 200);
    running.stop();
    fs::write(dir.path().join("data/durable"), b"overwritten").unwrap();
    let running = Running::start(settings(dir.path()), None);
    let ready = get(running.address(), "/-/ready");
    assert_eq!(ready.status, 200, "it works with what it has");
    assert!(ready.body.contains("damaged"), "{}", ready.body);
    let console = running.stop();
    assert!(console.contains("its store was damaged"), "{console}");
}

#[test]
fn damage_that_is_found_while_it_runs_is_told_to_everybody() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(settings(dir.path()), poisoned());
    let to = running.address();
    assert_eq!(post(to, "/api/v1/events", &event("disk")).status, 200);
    assert_eq!(get(to, "/-/ready").json()["warnings"], json!([]));
    fs::write(dir.path().join("data/durable"), b"overwritten").unwrap();
    // The judge fails, and its records are read again: that is when the damage is found. Which numbers were given is
    // known to the process, so the event in hand keeps its own, is stored under it, and is answered truthfully.
    let answer = post(to, "/api/v1/events", &event("poison"));
    assert_eq!((answer.status, &answer.json()["first_seq"]), (200, &json!(1)), "{}", answer.body);
    assert_eq!(get(to, "/-/ready").status, 200);
    assert!(get(to, "/-/ready").body.contains("its store was damaged"));
    assert_eq!(post(to, "/api/v1/events", &event("swap")).json()["first_seq"], 2);
    let titles = get(to, "/api/v1/incidents?state=open").body;
    assert!(titles.contains("its store was damaged"), "{titles}");
    let console = running.stop();
    assert!(console.contains("its store was damaged"), "{console}");
    let running = Running::start(settings(dir.path()), None);
    let again = get(running.address(), "/api/v1/incidents?state=open").body;
    assert!(again.contains("its store was damaged"), "it stays open until somebody resolves it: {again}");
    running.stop();
}

#[test]
fn the_metrics_hold_the_sums() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(settings(dir.path()), None);
    let to = running.address();
    post(to, "/api/v1/events", &format!("[{},{}]", event("disk"), event("swap")));
    post(to, "/api/v1/events", "no JSON");
    let text = get(to, "/metrics").body;
    let number = |name: &str| -> f64 {
        text.lines()
            .filter(|line| line.starts_with(name))
            .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
            .sum()
    };
    assert_eq!(number("squelch_events_accepted_total"), 2.0);
    assert_eq!(number("squelch_events_waiting") + number("squelch_verdicts_total"), 2.0);
    assert_eq!(number("squelch_events_refused_total{reason=\"bad_request\"}"), 1.0);
    assert_eq!(number("squelch_commit_events_count"), 1.0);
    assert_eq!(request(to, ("GET", "/metrics"), &[], b"").unwrap().status, 200);
    running.stop();
}

/// Bodies that page, join, repeat, resolve, and page again; one service each, so that nothing hangs on milliseconds.
fn bodies() -> Vec<Value> {
    let event = |service: &str, check: &str, status: &str| {
        json!({"source": "nagios", "kind": "host", "service": service, "host": format!("{service}-1"), "check": check,
               "severity": "critical", "status": status})
    };
    let mut bodies = Vec::new();
    for service in ["mail", "shop", "search", "queue"] {
        bodies.push(json!([event(service, "disk", "firing"), event(service, "disk", "firing")]));
        bodies.push(json!([event(service, "swap", "firing")]));
    }
    bodies.push(json!([event("mail", "disk", "resolved"), event("shop", "disk", "resolved")]));
    bodies
}

/// What a run tells of its incidents, without times, which are those of the clock.
fn report(to: SocketAddr) -> Vec<Value> {
    let mut incidents = get(to, "/api/v1/incidents?state=all").json()["incidents"].take();
    for incident in incidents.as_array_mut().unwrap() {
        for field in ["opened", "paged", "resolved", "acknowledged"] {
            incident[field] = json!(incident[field].is_number());
        }
        incident.as_object_mut().unwrap().remove("moments");
    }
    let mut incidents = incidents.as_array().unwrap().clone();
    incidents.sort_by_key(|incident| incident["incident"].to_string());
    incidents
}

#[test]
fn beside_a_live_squelch_one_in_shadow_mode_reports_the_pages_that_the_live_one_sends() {
    let hook = Receiver::start();
    let rules = hook.routes() + "rules:\n  - name: loud\n    match: ['severity=\"critical\"']\n    page: always\n";
    let run = |shadow: bool| {
        let home = tempfile::tempdir().unwrap();
        let mut settings = settings(home.path());
        settings.shadow = shadow;
        fs::write(home.path().join("rules/rules.yaml"), &rules).unwrap();
        let running = Running::start(settings, None);
        let to = running.address();
        for body in bodies() {
            assert_eq!(post(to, "/api/v1/events", &body.to_string()).status, 200);
        }
        while get(to, "/api/v1/tally").json()["outbox"] != 0 {}
        let told = (report(to), get(to, "/api/v1/tally").json()["pages"].clone());
        running.stop();
        told
    };
    let shadow = run(true);
    assert_eq!(hook.taken(), [], "shadow mode pages nobody");
    let live = run(false);
    assert_eq!(shadow, live);
    let sent: BTreeSet<u64> = hook
        .taken()
        .iter()
        .map(|(_, body)| serde_json::from_str::<Value>(body).unwrap())
        .filter(|message| message["page"] == true)
        .map(|page| page["incident"].as_u64().unwrap())
        .collect();
    let paged = shadow.0.iter().filter(|incident| incident["paged"] == true);
    let paged: BTreeSet<u64> =
        paged.map(|incident| incident["incident"].to_string().trim_matches('"').parse().unwrap()).collect();
    assert!(paged.len() >= 4, "{shadow:?}");
    assert_eq!(paged, sent);
}
