//! A digest on its real way: Squelch was down when one was due, is started, and sends it once, to a mail server of a few
//! lines. (`tests/deliver/real_smtp.rs` has one that other people wrote.)
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "shell/client.rs"]
mod client;
#[path = "shell/running.rs"]
mod running;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use client::{get, post, request};
use running::{Running, settings};
use squelch::config::Settings;
use squelch::domain::{Engine, Event, Input, Turn};
use squelch::store::{Batch, Store, StoreOptions};
use squelch::{config, files, story};

/// A mail server that takes everything; gives the port, and each mail as it came.
fn mail_server() -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (taken, mails) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut say = |text: &str| stream.write_all(format!("{text}\r\n").as_bytes());
            say("220 here").unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while let Some(Ok(line)) = lines.next() {
                let mut say = |text: &str| stream.write_all(format!("{text}\r\n").as_bytes());
                if line == "DATA" {
                    say("354 go on").unwrap();
                    let mail: Vec<String> =
                        lines.by_ref().map_while(Result::ok).take_while(|line| line != ".").collect();
                    taken.send(mail.join("\n")).unwrap();
                }
                let done = say(if line == "QUIT" { "221 bye" } else { "250 ok" });
                if done.is_err() || line == "QUIT" {
                    break;
                }
            }
        }
    });
    (port, mails)
}

/// A store in which the story has happened, and a digest was due half an hour before the end.
fn store(dir: &Path, port: u16) -> Settings {
    let mut settings = settings(dir);
    // The clock goes on from where the store ends.
    settings.rehearse = Some(1);
    let rules = settings.rules.clone().unwrap();
    let text = format!(
        "receivers:\n  - {{name: mail, email: {{to: [ada@example.org], from: squelch@example.org, smtp: {{host: \
         127.0.0.1, port: {port}, tls: none}}}}}}\nroutes:\n  - {{name: all, receivers: [console]}}\ndigests:\n  - \
         {{name: shop, receivers: [mail], on: sunday, at: \"07:00\"}}\n"
    );
    fs::write(rules.join("digest.yaml"), text).unwrap();
    let policy = config::load(&files::read_rules(Some(&rules)).unwrap()).unwrap().policy;
    let (mut engine, mut turn) = (Engine::new(Arc::new(policy)), Turn::default());
    let mut events: Vec<Event> = story::events(story::SEED);
    events.iter_mut().for_each(|event| event.received = event.ts);
    for (seq, event) in (0..).zip(&events) {
        engine.handle(event.ts.unwrap(), Input::Event { seq, event }, &mut turn);
    }
    engine.handle(story::END.after(7.5 * 3600.0), Input::Tick, &mut turn);
    for owed in engine.outbox().map(|owed| owed.key.clone()).collect::<Vec<_>>() {
        engine.handle(engine.now(), Input::Delivered(&owed), &mut turn);
    }
    let options = StoreOptions { min_free: 0, ..StoreOptions::default() };
    let (mut store, _) = Store::open(&settings.data_dir, &options).unwrap();
    let numbered: Vec<(u64, &Event)> = (0..).zip(&events).collect();
    let changes = engine.take_changes();
    store.commit(&Batch { events: &numbered, changes: &changes, now: engine.now() }).unwrap();
    settings
}

#[test]
fn what_was_due_while_it_was_down_is_sent_once() {
    let dir = tempfile::tempdir().unwrap();
    let (port, mails) = mail_server();
    let settings = store(dir.path(), port);
    let running = Running::start(settings.clone(), None);
    let mail = mails.recv_timeout(Duration::from_secs(120)).unwrap();
    for part in ["Subject: ", "multipart/alternative", "multipart/related", "Content-ID: <week."] {
        assert!(mail.contains(part), "{part}");
    }
    assert!(mail.contains("Last week 4,470 events became "), "{mail}");
    running.stop();

    let running = Running::start(settings, None);
    let to = running.address();
    // Whoever asks is answered by the same hand that would send.
    for _ in 0..8 {
        let asked = request(to, ("GET", "/api/v1/digest?since=7d"), &["Accept: text/plain"], b"").unwrap();
        assert!(asked.body.contains("4,470 came in"), "{}", asked.body);
    }
    let json = get(to, "/api/v1/digest?since=7d&digest=shop").json();
    assert_eq!(json["events"]["accepted"], 4_470);
    let page = request(to, ("GET", "/api/v1/digest?since=7d"), &["Accept: text/html"], b"").unwrap().body;
    assert!(page.contains("\"data:image/png;base64,") && !page.contains("cid:"));
    assert_eq!(post(to, "/api/v1/digest", "{}").status, 405, "it is only read");
    assert_eq!(get(to, "/api/v1/digest?since=1m").status, 400);
    assert_eq!(get(to, "/api/v1/digest?since=soon").status, 400);
    let unknown = get(to, "/api/v1/digest?digest=shp");
    assert_eq!((unknown.status, unknown.body.contains("`shop`")), (404, true), "{}", unknown.body);
    running.stop();
    assert!(mails.try_recv().is_err(), "it was sent twice");
}
