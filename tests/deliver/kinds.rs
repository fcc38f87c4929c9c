//! Kinds of receivers that take more than one request, or none by HTTP.

use std::time::Duration;

use squelch::deliver::{Offer, Options, References};
use squelch::sinks::exec::Exec;
use squelch::sinks::slack::{Slack, Way};
use squelch::sinks::telegram::Telegram;
use squelch::sinks::twilio::Twilio;
use squelch::sinks::{Address, Receiver, ReceiverKind, Secret, Wire};

use super::common::{fails_and_waits, hold_time, notification, receiver, short, start, undeliverable};
use super::http::{Act, OK, Server, header};

/// A file with a secret in a folder.
fn secret(folder: &tempfile::TempDir, name: &str, value: &str) -> Secret {
    let path = folder.path().join(name);
    std::fs::write(&path, value).unwrap();
    Secret::File(path)
}

fn slack(server: &Server, token: &Secret) -> Receiver {
    let url = Address::plain(&server.url("/api")).unwrap();
    let way = Way::Bot { url, token: token.clone(), channel: "#alerts".to_owned() };
    receiver("chat", ReceiverKind::Slack(Slack { way, buttons: false, wire: Wire::default() }))
}

const POSTED: Act = Act::Answer(200, "", r#"{"ok":true,"channel":"C1","ts":"1.2"}"#);
const GONE: Act = Act::Answer(200, "", r#"{"ok":false,"error":"message_not_found"}"#);

fn what(request: &str) -> String {
    let line = request.lines().next().unwrap();
    let thread = if request.contains("\"thread_ts\":\"1.2\"") { " in the thread" } else { "" };
    format!("{}{thread}", line.split(' ').nth(1).unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_message_is_changed_and_answered_also_after_a_restart_and_when_it_is_gone() {
    let _hold = hold_time();
    let folder = tempfile::tempdir().unwrap();
    let token = secret(&folder, "token", "xoxb-1");
    let path = folder.path().join("messages.jsonl");
    let options = || Options { references: References::open(&path).unwrap(), ..Options::default() };
    let down = Act::Answer(503, "", "");
    let mut server = Server::start(&[POSTED, POSTED, down, POSTED, GONE, POSTED]).await;
    let (mut couriers, mut told) = start(vec![slack(&server, &token)], options());
    couriers.offer(notification("chat", 7, 1));
    assert_eq!(short(&told.recv().await.unwrap()), "7.1 delivered after 1");
    drop((couriers, told));

    let (mut couriers, mut told) = start(vec![slack(&server, &token)], options());
    couriers.offer(notification("chat", 7, 2));
    fails_and_waits(&mut told).await;
    assert_eq!(short(&told.recv().await.unwrap()), "7.2 delivered after 2");
    couriers.offer(notification("chat", 7, 3));
    assert_eq!(short(&told.recv().await.unwrap()), "7.3 delivered after 1", "a message that is gone is no reason");
    let mut seen = Vec::new();
    for _ in 0..6 {
        let request = server.requests.recv().await.unwrap();
        assert_eq!(header(&request, "authorization"), Some("Bearer xoxb-1"));
        seen.push(what(&request));
    }
    let (post, reply, change) = ("/api/chat.postMessage", "/api/chat.postMessage in the thread", "/api/chat.update");
    assert_eq!(seen, [post, change, reply, reply, change, reply], "what was done is not done again");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_token_is_told_at_once() {
    let _hold = hold_time();
    let folder = tempfile::tempdir().unwrap();
    let token = secret(&folder, "token", "xoxb-1");
    let server = Server::start(&[Act::Answer(200, "", r#"{"ok":false,"error":"invalid_auth"}"#)]).await;
    let (mut couriers, mut told) = start(vec![slack(&server, &token)], Options::default());
    couriers.offer(notification("chat", 7, 1));
    assert_eq!(undeliverable(&mut told).await, "Slack says invalid_auth: the bot token is not valid");
}

#[tokio::test(start_paused = true)]
async fn secrets_in_paths_and_logins_arrive_and_are_never_told() {
    let _hold = hold_time();
    let folder = tempfile::tempdir().unwrap();
    // Repeats the whole request in its error.
    let echo = Act::Answer(500, "", "%");
    let mut server = Server::start(&[echo, OK, echo, OK]).await;
    let url = Address::plain(&server.url("/")).unwrap();
    let token = secret(&folder, "telegram", "12:s3cr3t/x");
    let telegram = Telegram { url: url.clone(), token, chat: "-1".into(), topic: None, wire: Wire::default() };
    let twilio = Twilio {
        url,
        account: "AC1".into(),
        token: secret(&folder, "twilio", "s3cr3t"),
        from: "+1".into(),
        to: vec!["+2".into()],
        wire: Wire::default(),
    };
    let kinds = [("bot", ReceiverKind::Telegram(telegram)), ("sms", ReceiverKind::Twilio(twilio))];
    for (name, kind) in kinds {
        let (mut couriers, mut told) = start(vec![receiver(name, kind)], Options::default());
        couriers.offer(super::common::resolve(name, 7, 1));
        let (error, _) = fails_and_waits(&mut told).await;
        // `s3cr3t` with and without the account, in base64.
        for secret in ["s3cr3t", "QUMxOnMzY3IzdA=="] {
            assert!(!error.contains(secret), "{error}");
        }
        told.recv().await.unwrap();
        let request = server.requests.recv().await.unwrap();
        match name {
            "bot" => assert!(request.starts_with("POST /bot12:s3cr3t%2Fx/sendMessage HTTP/1.1"), "{request}"),
            _ => assert_eq!(header(&request, "authorization"), Some("Basic QUMxOnMzY3IzdA==")),
        }
        server.requests.recv().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_or_closes_or_limits_delays_no_other() {
    let _hold = hold_time();
    let limits = Act::Answer(429, "retry-after: 3600\r\n", "");
    let mut told_by = Vec::new();
    let mut servers = Vec::new();
    for acts in [[Act::Hang, OK], [Act::Close, Act::Close], [limits, OK], [Act::Answer(500, "", ""), OK]] {
        servers.push(Server::start(&acts).await);
    }
    let well = Server::start(&[]).await;
    let mut receivers: Vec<_> =
        servers.iter().zip(0..).map(|(server, n)| server.receiver(&format!("ill-{n}"))).collect();
    receivers.push(well.receiver("well"));
    let (mut couriers, mut told) = start(receivers, Options::default());
    for step in 1..=20 {
        for name in ["ill-0", "ill-1", "ill-2", "ill-3", "well"] {
            assert_eq!(couriers.offer(notification(name, 7, step)), Offer::Taken);
        }
    }
    // The clock stands still: nobody waited for anybody.
    while told_by.len() < 20 {
        let text = short(&told.recv().await.unwrap());
        if text.contains("delivered") {
            told_by.push(text);
        }
    }
    let expected: Vec<_> = (1..=20).map(|step| format!("7.{step} delivered after 1")).collect();
    assert_eq!(told_by, expected);
}

fn program(script: &str, timeout: u64) -> Receiver {
    let exec = Exec {
        program: "/bin/sh".into(),
        arguments: vec!["-c".to_owned(), script.to_owned()],
        timeout: Duration::from_secs(timeout),
    };
    receiver("bell", ReceiverKind::Exec(exec))
}

#[tokio::test]
async fn a_program_reads_the_message_and_little_else() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let script = format!("cat > {0} && env >> {0}", out.display());
    let (mut couriers, mut told) = start(vec![program(&script, 20)], Options::default());
    couriers.offer(notification("bell", 7, 1));
    assert_eq!(short(&told.recv().await.unwrap()), "7.1 delivered after 1");
    let text = std::fs::read_to_string(out).unwrap();
    let (body, env) = text.split_once('\n').unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!((&body["key"], &body["incident"]), (&"7.1.bell".into(), &7.into()));
    let ours: Vec<_> =
        env.lines().filter(|line| !["PATH=", "PWD=", "_=", "SHLVL="].iter().any(|own| line.starts_with(own))).collect();
    assert!(ours.is_empty(), "{ours:?}");
}

#[tokio::test]
async fn a_program_that_fails_or_hangs_is_told_and_started_again() {
    let failing = |receiver: Receiver| async {
        let (mut couriers, mut told) = start(vec![receiver], Options::default());
        couriers.offer(notification("bell", 7, 1));
        match told.recv().await.unwrap() {
            squelch::deliver::Delivery::Failing { error, .. } => error,
            other => panic!("{other:?}"),
        }
    };
    let said = failing(program("echo the bell is broken >&2; exit 3", 20)).await;
    assert_eq!(said, "/bin/sh ended with exit status: 3: the bell is broken");
    assert_eq!(failing(program("exec sleep 60", 1)).await, "no answer within 1 s");
    let exec = Exec { program: "/no/such/bell".into(), arguments: Vec::new(), timeout: Exec::TIMEOUT };
    let said = failing(receiver("bell", ReceiverKind::Exec(exec))).await;
    assert!(said.starts_with("/no/such/bell cannot be run: "), "{said}");
}
