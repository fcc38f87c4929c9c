//! Topics as a source: formats, places to begin, logins, codecs, room in the inbox.

use crate::broker::{Broker, Door, PASSWORD, shown};
use crate::client::get;
use crate::common::{
    accepted, event, metrics, plain, settings, until, until_accepted, until_warned, write, write_with,
};
use crate::running::Running;

#[test]
fn each_message_counts_once_also_over_a_restart_and_with_new_partitions() {
    let Some(broker) = Broker::shared() else { return };
    broker.create("once", 2);
    write(&broker, "once", (0..500).map(|n| ((n % 2) as i32, event(n))));
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path(), &plain(&broker, "[{topic: once}]"));
    let running = Running::start(settings.clone(), None);
    until_accepted(running.address(), 500);
    let told = until(
        "the lag",
        || metrics(running.address()),
        |told| told.get("squelch_kafka_lag{brokers=\"kafka\",topic=\"once\"}") == Some(&0.0),
    );
    assert_eq!(told["squelch_kafka_events_total{brokers=\"kafka\",topic=\"once\"}"], 500.0);
    assert_eq!(told["squelch_kafka_partitions{brokers=\"kafka\",topic=\"once\"}"], 2.0);
    running.stop();

    broker.grow("once", 3);
    write(&broker, "once", (500..900).map(|n| ((n % 3) as i32, event(n))));
    let running = Running::start(settings, None);
    until_accepted(running.address(), 900);
    assert_eq!(get(running.address(), "/-/ready").json()["warnings"].to_string(), "[]");
    running.stop();
}

#[test]
fn a_topic_may_hold_the_bodies_of_any_tool() {
    let Some(broker) = Broker::shared() else { return };
    broker.create("bodies", 1);
    let alert = r#"{"status":"firing","labels":{"alertname":"DiskFull","instance":"a:9100"},"annotations":{},"startsAt":"2026-11-23T10:00:00Z"}"#;
    write(&broker, "bodies", [(0, format!("{{\"version\":\"4\",\"alerts\":[{alert},{alert}]}}"))]);
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(settings(dir.path(), &plain(&broker, "{topic: bodies, format: alertmanager}")), None);
    until_accepted(running.address(), 2);
    running.stop();
}

#[test]
fn a_topic_may_begin_with_what_comes_from_now_on() {
    let Some(broker) = Broker::shared() else { return };
    broker.create("late", 1);
    write(&broker, "late", (0..10).map(|n| (0, event(n))));
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path(), &plain(&broker, "{topic: late, from: latest}"));
    let running = Running::start(settings.clone(), None);
    let reads = |running: &Running| {
        let address = running.address();
        until(
            "reading",
            || metrics(address),
            |told| told.get("squelch_kafka_partitions{brokers=\"kafka\",topic=\"late\"}") == Some(&1.0),
        );
    };
    reads(&running);
    running.stop();
    // While it is stopped: where it began is known, so this is not passed over.
    write(&broker, "late", (10..15).map(|n| (0, event(n))));
    let running = Running::start(settings, None);
    until_accepted(running.address(), 5);
    running.stop();
}

#[test]
fn tls_and_every_login_are_spoken() {
    let Some(broker) = Broker::shared() else { return };
    broker.create("doors", 1);
    write(&broker, "doors", (0..3).map(|n| (0, event(n))));
    let dir = tempfile::tempdir().unwrap();
    let password = dir.path().join("password");
    std::fs::write(&password, format!("{PASSWORD}\n")).unwrap();
    let ca = shown(&broker.file("ca.pem"));
    let client = format!(
        "{{ca_file: {ca}, cert_file: {}, key_file: {}}}",
        shown(&broker.file("client.pem")),
        shown(&broker.file("client.key"))
    );
    let login = |mechanism: &str| {
        format!("sasl: {{mechanism: {mechanism}, username: squelch, password_file: {}}}", shown(&password))
    };
    let section = |name: &str, door: Door, rest: &str| {
        format!("{{name: {name}, brokers: \"{}\", topics: {{topic: doors}}, {rest}}}", broker.at(door))
    };
    let sections = [
        section("certificate", Door::Tls, &format!("tls: {client}")),
        section("plain", Door::Login, &login("PLAIN")),
        section("scram256", Door::Login, &login("SCRAM-SHA-256")),
        section("scram512", Door::TlsLogin, &format!("tls: {{ca_file: {ca}}}, {}", login("SCRAM-SHA-512"))),
    ];
    let running = Running::start(settings(dir.path(), &format!("[{}]", sections.join(", "))), None);
    until_accepted(running.address(), 12);
    running.stop();
}

#[test]
fn every_codec_is_read() {
    let Some(broker) = Broker::shared() else { return };
    broker.create("codecs", 1);
    let codecs = ["none", "gzip", "snappy", "lz4", "zstd"];
    for codec in codecs {
        write_with(broker.client().set("compression.type", codec), "codecs", (0..100).map(|n| (0, event(n))));
    }
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(settings(dir.path(), &plain(&broker, "{topic: codecs}")), None);
    until_accepted(running.address(), 500);
    running.stop();
}

#[test]
fn a_full_inbox_holds_messages_up_and_drops_none() {
    let Some(broker) = Broker::shared() else { return };
    broker.create("flood", 4);
    write(&broker, "flood", (0..20_000).map(|n| ((n % 4) as i32, event(n))));
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path(), &plain(&broker, "{topic: flood}"));
    settings.limits.inbox = 10;
    let running = Running::start(settings, None);
    let address = running.address();
    // Others fill it, too.
    until("a beginning", || accepted(address), |accepted| *accepted > 0);
    let (mut taken, mut refused) = (0, 0);
    while accepted(address) < 20_000 {
        let answer = crate::client::post(address, "/api/v1/events", &event(1_000_000 + taken));
        match answer.status {
            200 => taken += 1,
            503 => refused += 1,
            other => panic!("{other}"),
        }
    }
    println!("beside 20000 events from Kafka {taken} by HTTP were taken and {refused} refused");
    until_accepted(address, 20_000 + taken);
    running.stop();
}

#[test]
fn messages_that_were_deleted_before_they_were_read_are_told_and_the_rest_is_read() {
    let Some(broker) = Broker::shared() else { return };
    broker.create("short", 1);
    write(&broker, "short", (0..10).map(|n| (0, event(n))));
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path(), &plain(&broker, "{topic: short}"));
    let running = Running::start(settings.clone(), None);
    until_accepted(running.address(), 10);
    running.stop();
    write(&broker, "short", (10..30).map(|n| (0, event(n))));
    broker.forget("short", 0, 25);
    let running = Running::start(settings, None);
    until_accepted(running.address(), 15);
    until_warned(
        running.address(),
        "15 messages of partition 0 of the topic `short` were deleted before they were read",
    );
    running.stop();
}
