//! One mail to a server that other people wrote. `SQUELCH_TEST_AIOSMTPD` names a Python that has aiosmtpd.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use squelch::deliver::{Delivery, Options};
use squelch::digest::{gather, render};
use squelch::domain::{Content, IncidentId, Notification, NotificationKey, Policy};
use squelch::replay::Run;
use squelch::sinks::{Email, Login, ReceiverKind, Secret, Tls};
use squelch::story;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::common::{notification, receiver, short, start};

const USER: &str = "squelch";
const PASSWORD: &str = "correct horse";

/// Starts the server, with its certificate and the password in this folder; it ends with the test.
async fn serve(python: &str, folder: &Path) -> (Child, Lines<BufReader<ChildStdout>>, u16) {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(folder.join("certificate.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(folder.join("password"), format!("{PASSWORD}\n")).unwrap();
    let mut server = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/deliver/real_smtp.py"))
        .args([folder.join("certificate.pem"), folder.join("key.pem")])
        .args([USER, PASSWORD])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let port = lines.next_line().await.unwrap().expect("the server names its port").parse().unwrap();
    (server, lines, port)
}

/// The digest of the story's last day.
fn digest(receiver: &str) -> Arc<Notification> {
    let mut run = Run::new(Policy::default());
    (0..).zip(story::events(story::SEED)).for_each(|(seq, event)| run.event(seq, event, &mut drop));
    let engine = run.finish(&mut drop);
    let gathered = gather(&engine, None, (engine.now().after(-86_400.0), engine.now()));
    let dispatch = render(&gathered, None, None).unwrap().dispatch;
    let key = NotificationKey { incident: IncidentId(0), step: 1, receiver: receiver.to_owned() };
    Arc::new(Notification { key, incident: dispatch.summary(), content: Content::Digest(Box::new(dispatch)) })
}

/// As Python's own parser reads it: text first, then HTML with its images, each of which is shown.
fn is_the_digest(mail: &serde_json::Value) {
    let text = |name: &str| mail[name].as_str().unwrap();
    let shape = ["multipart/alternative", "text/plain", "multipart/related", "text/html"];
    assert_eq!(mail["shape"], serde_json::json!(shape));
    assert_eq!((&mail["inline"], &mail["defects"]), (&true.into(), &serde_json::json!([])));
    assert!(mail["headers"]["Subject"].as_str().unwrap().ends_with(" · digest of Sun 8 Mar"));
    assert!(mail["headers"].get("In-Reply-To").is_none());
    assert!(text("text").starts_with("In the last day "), "{}", text("text"));
    let images: Vec<&str> = mail["images"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    assert!(images.len() > 3, "{images:?}");
    for id in &images {
        let shown = format!("\"cid:{}\"", id.trim_matches(['<', '>']));
        assert!(text("html").contains(&shown), "{shown}");
    }
    assert_eq!(text("html").matches("\"cid:").count(), images.len());
}

async fn conversation(python: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (_server, mut mails, port) = serve(python, folder.path()).await;
    let email = |password: &str| Email {
        to: vec!["ada@example.org".parse().unwrap(), "Bob <bob@example.org>".parse().unwrap()],
        from: "Squelch <squelch@example.org>".parse().unwrap(),
        host: "127.0.0.1".into(),
        port,
        tls: Tls::StartTls,
        ca_file: Some(folder.path().join("certificate.pem")),
        login: Some(Login { username: USER.into(), password: Secret::File(folder.path().join(password)) }),
        timeout: Email::TIMEOUT,
    };
    std::fs::write(folder.path().join("wrong"), "battery staple").unwrap();
    let wary = Email { ca_file: None, ..email("password") };
    let receivers = [("mail", email("password")), ("wrong", email("wrong")), ("wary", wary)];
    let receivers = receivers.map(|(name, email)| receiver(name, ReceiverKind::Email(email)));
    let (mut couriers, mut told) = start(receivers.into(), Options::default());

    couriers.offer(notification("mail", 7, 1));
    let result = told.recv().await.unwrap();
    assert_eq!(short(&result), "7.1 delivered after 1", "{result:?}");
    let mail: serde_json::Value = serde_json::from_str(&mails.next_line().await.unwrap().unwrap()).unwrap();
    assert_eq!((&mail["tls"], &mail["login"]), (&true.into(), &true.into()));
    assert_eq!(mail["to"], serde_json::json!(["ada@example.org", "bob@example.org"]));
    assert_eq!(mail["headers"]["Subject"], "[UPDATE] swap used 91 % on app-2 (#7)");
    assert_eq!(mail["defects"], serde_json::json!([]));
    assert!(mail["text"].as_str().unwrap().starts_with("UPDATE: swap used 91 % on app-2"));
    assert!(mail["html"].as_str().unwrap().contains("<h1"));

    couriers.offer(digest("mail"));
    let result = told.recv().await.unwrap();
    assert_eq!(short(&result), "0.1 delivered after 1", "{result:?}");
    let mail: serde_json::Value = serde_json::from_str(&mails.next_line().await.unwrap().unwrap()).unwrap();
    is_the_digest(&mail);

    couriers.offer(notification("wrong", 7, 2));
    let Delivery::Undeliverable { error, .. } = told.recv().await.unwrap() else { panic!() };
    assert_eq!(error, "the login was refused (535)");
    couriers.offer(notification("wary", 7, 3));
    let Delivery::Failing { error, .. } = told.recv().await.unwrap() else { panic!() };
    assert!(error.contains("certificate"), "{error}");
    couriers.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "a test that was left out must say so")]
async fn a_real_server_takes_a_mail_with_starttls_and_login() {
    match std::env::var("SQUELCH_TEST_AIOSMTPD") {
        Ok(python) => tokio::time::timeout(Duration::from_secs(60), conversation(&python)).await.unwrap(),
        Err(_) => eprintln!("left out: SQUELCH_TEST_AIOSMTPD does not name a Python that has aiosmtpd"),
    }
}
