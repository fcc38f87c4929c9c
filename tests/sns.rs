//! Messages of SNS: what is believed of them, and which addresses are asked for it. The fixtures were signed by
//! `openssl dgst` with keys that are kept nowhere; `cert.pem` is the certificate of the first.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "shell/client.rs"]
mod client;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use client::{Answer, get, post, request};
use serde_json::{Value, json};
use squelch::config::Settings;
use squelch::deliver;
use squelch::http::sns::Fetch;
use squelch::service::{Options, Service};
use tokio::runtime::Runtime;

const TOPIC: &str = "arn:aws:sns:eu-west-1:000011112222:ops";
const CERTIFICATE: &str = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem";
const CONFIRM: &str = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-west-1:000011112222:ops&Token=t0";

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sns").join(name)).unwrap()
}

/// What was asked, in order.
type Asked = Arc<Mutex<Vec<String>>>;

/// Stands for Amazon: gives this certificate, and confirms everything.
fn amazon(certificate: Result<&str, &str>, asked: &Asked) -> Fetch {
    let (certificate, asked) = (certificate.map(fixture).map_err(str::to_owned), Arc::clone(asked));
    Arc::new(move |address: String| {
        let answer = if address.ends_with(".pem") {
            certificate.clone()
        } else {
            Ok(b"<ConfirmSubscriptionResponse/>".to_vec())
        };
        asked.lock().unwrap().push(address);
        Box::pin(async move { answer })
    })
}

/// Runs a service to which this topic may speak; what it asked of Amazon.
fn with(certificate: Result<&str, &str>, test: impl FnOnce(SocketAddr)) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("rules")).unwrap();
    let mut settings = Settings {
        listen: "127.0.0.1:0".to_owned(),
        data_dir: dir.path().join("data"),
        rules: Some(dir.path().join("rules")),
        sns_topics: vec!["arn:aws:sns:eu-west-1:000011112222:other".to_owned(), TOPIC.to_owned()],
        ..Settings::default()
    };
    settings.store.min_free = 0;
    let asked = Asked::default();
    let fetch = Some(amazon(certificate, &asked));
    let runtime = Runtime::new().unwrap();
    let options = Options { settings, couriers: deliver::Options::default(), probe: None, fetch };
    let service = runtime.block_on(Service::start(options)).unwrap_or_else(|error| panic!("{error}"));
    test(service.address());
    runtime.block_on(service.stop());
    let asked = asked.lock().unwrap();
    asked.clone()
}

fn send(to: SocketAddr, body: &[u8]) -> Answer {
    request(to, ("POST", "/ingest/cloudwatch-sns"), &["Content-Type: text/plain; charset=UTF-8"], body).unwrap()
}

/// A fixture with one field changed.
fn changed(name: &str, field: &str, value: Value) -> Vec<u8> {
    let mut body: Value = serde_json::from_slice(&fixture(name)).unwrap();
    body[field] = value;
    body.to_string().into_bytes()
}

#[test]
fn both_versions_of_the_signature_are_believed_and_the_certificate_is_asked_for_once() {
    let asked = with(Ok("cert.pem"), |to| {
        for name in ["version_1.json", "version_2.json", "without_subject.json"] {
            let answer = send(to, &fixture(name));
            assert_eq!((answer.status, &answer.json()["accepted"]), (200, &json!(1)), "{name}: {}", answer.body);
        }
    });
    assert_eq!(asked, [CERTIFICATE]);
}

#[test]
fn what_is_altered_unsigned_or_of_another_topic_is_not_believed() {
    let asked = with(Ok("cert.pem"), |to| {
        let altered = |field: &str, value: &str| changed("version_2.json", field, json!(value));
        for (what, body) in [
            ("the message", altered("Message", "{\"AlarmName\": \"other\"}")),
            ("the subject", altered("Subject", "OK")),
            ("no subject", changed("version_2.json", "Subject", Value::Null)),
            ("the time", altered("Timestamp", "2027-01-01T00:00:00.000Z")),
            ("the type", altered("Type", "SubscriptionConfirmation")),
            ("the version", altered("SignatureVersion", "1")),
            ("an unknown version", altered("SignatureVersion", "3")),
            ("the signature", altered("Signature", "AAAA")),
            ("no base64", altered("Signature", "!")),
            ("another topic", altered("TopicArn", "arn:aws:sns:eu-west-1:999999999999:ops")),
            ("a topic that is named, and not this", altered("TopicArn", "arn:aws:sns:eu-west-1:000011112222:other")),
            ("raw delivery", b"{\"AlarmName\": \"db cpu\", \"NewStateValue\": \"ALARM\"}".to_vec()),
            ("a record of Lambda", b"{\"Records\": [{\"Sns\": {\"Message\": \"{}\"}}]}".to_vec()),
            ("nothing", Vec::new()),
        ] {
            let answer = send(to, &body);
            assert_eq!(answer.status, 401, "{what}: {}", answer.body);
            assert!(answer.json()["error"]["help"].is_string(), "{what}: {}", answer.body);
        }
        assert_eq!(get(to, "/api/v1/tally").json()["accepted"], 0);
        // Other tools sign in ways of their own.
        assert_eq!(post(to, "/ingest/native", "{\"source\": \"cron\"}").status, 200);
    });
    assert!(asked.iter().all(|address| address == CERTIFICATE), "{asked:?}");
}

#[test]
fn no_address_of_a_body_is_asked_but_that_of_sns_in_the_region_of_the_topic() {
    let asked = with(Ok("cert.pem"), |to| {
        for address in [
            "http://sns.eu-west-1.amazonaws.com/x.pem",
            "https://evil.example/x.pem",
            "https://sns.us-east-1.amazonaws.com/x.pem",
            "https://sns.eu-west-1.amazonaws.com.evil.example/x.pem",
            "https://sns.eu-west-1.amazonaws.com:8443/x.pem",
            "https://sns.eu-west-1.amazonaws.com/?Action=Publish",
            "https://sns.eu-west-1.amazonaws.com/?x=.pem",
            "http://169.254.169.254/latest/meta-data/x.pem",
        ] {
            assert_eq!(send(to, &changed("version_2.json", "SigningCertURL", json!(address))).status, 401, "{address}");
        }
    });
    assert!(asked.is_empty(), "{asked:?}");
}

#[test]
fn a_subscription_of_a_named_topic_is_confirmed_and_no_other() {
    let asked = with(Ok("cert.pem"), |to| {
        let answer = send(to, &fixture("confirmation.json"));
        assert_eq!((answer.status, &answer.json()["confirmed"]), (200, &json!(TOPIC)), "{}", answer.body);
        assert_eq!(send(to, &fixture("confirmation_elsewhere.json")).status, 401);
        assert_eq!(send(to, &changed("confirmation.json", "Token", json!("t1"))).status, 401);
        assert_eq!(get(to, "/ingest").json()["notices"], json!([]));
    });
    assert_eq!(asked, [CERTIFICATE, CONFIRM]);
}

#[test]
fn another_certificate_does_not_fit_and_is_not_kept() {
    for certificate in ["other.pem", "version_2.json"] {
        let asked = with(Ok(certificate), |to| {
            for _ in 0..2 {
                assert_eq!(send(to, &fixture("version_2.json")).status, 401);
            }
        });
        assert_eq!(asked.len(), 2);
    }
}

#[test]
fn sns_is_told_to_send_again_what_could_not_be_checked() {
    with(Err("no route to host"), |to| {
        let answer = send(to, &fixture("version_2.json"));
        assert_eq!(answer.status, 503, "{}", answer.body);
        assert!(answer.head.contains("retry-after: 20") && answer.body.contains("no route to host"), "{}", answer.body);
    });
}
