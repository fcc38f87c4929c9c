//! What is wrong is named, and what is right is read all the same.

use std::fs;

use crate::broker::{Broker, Door, PASSWORD, shown};
use crate::client::get;
use crate::common::{event, metrics, plain, read, settings, until, until_accepted, until_warned, warnings, write};
use crate::running::Running;

#[test]
fn a_topic_that_does_not_exist_is_named_and_read_once_it_does() {
    let Some(broker) = Broker::shared() else { return };
    broker.create("there", 1);
    write(&broker, "there", (0..5).map(|n| (0, event(n))));
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(settings(dir.path(), &plain(&broker, "[{topic: nowhere}, {topic: there}]")), None);
    let address = running.address();
    until_accepted(address, 5);
    until_warned(address, "there is no topic `nowhere`: create it, or mend its name in the settings");
    assert_eq!(get(address, "/-/ready").status, 200, "everything else is taken");
    broker.create("nowhere", 1);
    write(&broker, "nowhere", (5..8).map(|n| (0, event(n))));
    until_accepted(address, 8);
    until("no warning", || warnings(address), |warnings| warnings == "[]");
    running.stop();
}

#[test]
fn a_topic_that_was_made_anew_is_read_from_its_beginning() {
    let Some(broker) = Broker::shared() else { return };
    broker.create("anew", 1);
    write(&broker, "anew", (0..20).map(|n| (0, event(n))));
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(settings(dir.path(), &plain(&broker, "{topic: anew}")), None);
    until_accepted(running.address(), 20);
    broker.remove("anew");
    until_warned(running.address(), "there is no topic `anew`");
    broker.create("anew", 1);
    write(&broker, "anew", (20..25).map(|n| (0, event(n))));
    until_accepted(running.address(), 25);
    until_warned(running.address(), "it was made anew, and is read from its beginning");
    running.stop();
}

#[test]
fn a_wrong_password_is_named_and_the_right_one_works_without_a_restart() {
    let Some(broker) = Broker::shared() else { return };
    broker.create("secret", 1);
    write(&broker, "secret", (0..5).map(|n| (0, event(n))));
    let dir = tempfile::tempdir().unwrap();
    let password = dir.path().join("password");
    fs::write(&password, "a wrong one").unwrap();
    let section = format!(
        "{{brokers: \"{}\", topics: {{topic: secret}}, sasl: {{username: squelch, password_file: {}}}}}",
        broker.at(Door::Login),
        shown(&password)
    );
    let running = Running::start(settings(dir.path(), &section), None);
    until_warned(running.address(), "invalid credentials");
    assert!(!warnings(running.address()).contains("a wrong one"));
    fs::remove_file(&password).unwrap();
    until_warned(running.address(), "the password cannot be used: file ");
    fs::write(&password, PASSWORD).unwrap();
    until_accepted(running.address(), 5);
    until("no warning", || warnings(running.address()), |warnings| warnings == "[]");
    running.stop();
}

/// Needs no broker: it is not there.
#[test]
fn a_broker_that_is_not_there_is_named_and_keeps_nothing_else_from_working() {
    let dir = tempfile::tempdir().unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let section = format!("{{brokers: \"{address}\", topics: {{topic: alerts}}}}");
    let running = Running::start(settings(dir.path(), &section), None);
    until_warned(running.address(), "no broker can be reached");
    assert!(warnings(running.address()).contains("Connection refused"), "{}", warnings(running.address()));
    assert_eq!(crate::client::post(running.address(), "/api/v1/events", &event(1)).status, 200);
    let told = metrics(running.address());
    assert_eq!(told["squelch_kafka_reading{brokers=\"kafka\",topic=\"alerts\"}"], 0.0);
    running.stop();
}

#[test]
fn a_message_that_nobody_can_read_goes_to_the_dead_letters_with_the_reason() {
    let Some(broker) = Broker::own() else { return };
    broker.create("poison", 1);
    broker.create("dead", 1);
    let bad = "7";
    let messages = [
        event(1),
        "no JSON".to_owned(),
        format!("[{},{bad},{}]", event(2), event(3)),
        "\u{0}".repeat(50 << 20),
        event(4),
    ];
    write(&broker, "poison", messages.map(|message| (0, message)));
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(settings(dir.path(), &plain(&broker, "{topic: poison}")), None);
    until_accepted(running.address(), 4);
    let dead = read(&broker, "dead", 3);
    let reasons: Vec<_> = dead.iter().map(|dead| dead.headers["squelch-reason"].as_str()).collect();
    for (reason, said) in reasons.iter().zip([
        "native",
        "1 of its events are bad: event 1: ",
        "the message has 52428800 bytes, and at most 10000000 are read (limits.body)",
    ]) {
        assert!(reason.contains(said), "{said} is not in {reason}");
    }
    assert!(reasons[1].ends_with("the good events beside them were taken"), "{}", reasons[1]);
    assert_eq!(dead[0].value, b"no JSON");
    assert_eq!(dead[2].headers["squelch-cut-from-bytes"], "52428800");
    let place = ["squelch-brokers", "squelch-topic", "squelch-partition", "squelch-offset", "squelch-format"];
    assert_eq!(place.map(|name| dead[1].headers[name].as_str()), ["kafka", "poison", "0", "2", "native"]);
    let name = "squelch_kafka_dead_letters_total{brokers=\"kafka\",topic=\"poison\"}";
    until("the count", || metrics(running.address()), |told| told.get(name) == Some(&3.0));
    running.stop();
}

#[test]
fn dead_letters_that_cannot_be_written_hold_no_alert_up() {
    let Some(broker) = Broker::shared() else { return };
    broker.create("stuck", 1);
    write(&broker, "stuck", ["no JSON".to_owned(), event(1)].map(|message| (0, message)));
    let dir = tempfile::tempdir().unwrap();
    let section = plain(&broker, "{topic: stuck}").replace("dead_letters: dead", "dead_letters: no-such-topic");
    let running = Running::start(settings(dir.path(), &section), None);
    until_accepted(running.address(), 1);
    until_warned(running.address(), "could not be written to the topic no-such-topic");
    running.stop();
}
