//! What people and tools get to see, as golden files: one case a notification, one file a kind of receiver.
//! `UPDATE_EXPECT=1 cargo test --test sinks` writes them anew.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "sinks/kinds.rs"]
mod kinds;
#[path = "sinks/samples.rs"]
mod samples;

use std::path::Path;
use std::time::Duration;

use expect_test::expect_file;
use proptest::prelude::*;
use squelch::domain::{Content, NoticeAction, Notification};
use squelch::sinks::{
    Address, Answer, Email, Letter, Login, Message, Outcome, Paint, ReceiverKind, Secret, Tls, Webhook, judge,
};

use samples::{at, cases, escalates, incident, notification, odd, opens, page, tells};

fn webhook() -> Webhook {
    Webhook::new(Address::plain("https://hooks.example.org/squelch").unwrap())
}

fn email() -> Email {
    Email {
        to: vec!["On Call <oncall@example.org>".parse().unwrap(), "ada@example.org".parse().unwrap()],
        from: "Squelch <squelch@example.org>".parse().unwrap(),
        host: "mail.example.org".into(),
        port: Tls::StartTls.port(),
        tls: Tls::StartTls,
        ca_file: None,
        login: Some(Login { username: "squelch".into(), password: Secret::Env("MAIL_PASSWORD".into()) }),
        timeout: Email::TIMEOUT,
    }
}

fn compose(kind: &ReceiverKind, notification: &Notification, paint: Paint) -> Message {
    kind.compose(&Letter::of(notification, None), paint)
}

fn kinds() -> [ReceiverKind; 3] {
    [ReceiverKind::Console, ReceiverKind::Webhook(webhook()), ReceiverKind::Email(email())]
}

fn check(name: &str, ending: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sinks").join(format!("{name}.{ending}"));
    expect_file![path].assert_eq(text);
}

fn mail(notification: &Notification) -> String {
    let Message::Mail(mail) = compose(&ReceiverKind::Email(email()), notification, Paint::Plain) else { panic!() };
    String::from_utf8(mail.message().unwrap().formatted()).unwrap()
}

#[test]
fn every_case_reads_as_its_golden_files_say() {
    for (name, notification) in cases() {
        for kind in kinds() {
            match compose(&kind, &notification, Paint::Plain) {
                Message::Console(lines) => check(name, "console.txt", &(lines.join("\n") + "\n")),
                Message::Http(requests) => {
                    let [request] = requests.as_slice() else { panic!() };
                    let value: serde_json::Value = serde_json::from_str(&request.body).unwrap();
                    let head = format!("{} {}\n{:#?}\n", request.method, request.to, request.headers);
                    check(name, "webhook.txt", &format!("{head}{value:#}\n"));
                }
                Message::Exec(_) | Message::Kafka(_) => panic!(),
                Message::Mail(mail) => {
                    check(name, "mail.txt", &format!("Subject: {}\n\n{}", mail.subject, mail.text));
                    check(name, "mail.html", &mail.html);
                }
            }
        }
    }
}

#[test]
fn a_mail_on_the_wire_reads_as_its_golden_file_says() {
    let crlf_gone = mail(&opens()).replace("\r\n", "\n").replace("=\n", "=⏎\n");
    check("a_page_opens", "mail.eml", &crlf_gone);
}

#[test]
fn a_terminal_gets_colours_only_when_asked() {
    let lines = |paint| match compose(&ReceiverKind::Console, &opens(), paint) {
        Message::Console(lines) => lines.join("\n"),
        Message::Http(_) | Message::Mail(_) | Message::Exec(_) | Message::Kafka(_) => panic!(),
    };
    assert!(!lines(Paint::Plain).contains('\u{1b}'));
    check("a_page_opens", "colour.txt", &(lines(Paint::Colour).replace('\u{1b}', "␛") + "\n"));
}

#[test]
fn all_mails_of_an_incident_are_one_thread_and_each_has_its_own_id() {
    let header = |notification: &Notification, name: &str| {
        let text = mail(notification);
        let line = text.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
        line.split_once(": ").unwrap().1.to_owned()
    };
    let all = [opens(), escalates(), tells(NoticeAction::Resolve, 3, "over"), tells(NoticeAction::Reopen, 4, "back")];
    let mut ids: Vec<_> = all.iter().map(|one| header(one, "Message-ID")).collect();
    let mut threads: Vec<_> =
        all.iter().flat_map(|one| [header(one, "In-Reply-To"), header(one, "References")]).collect();
    ids.sort();
    ids.dedup();
    threads.dedup();
    assert_eq!((ids.len(), threads.len()), (4, 1));
    assert_eq!(mail(&opens()), mail(&opens()), "a repeat is the same mail to the byte");
    let mut later = opens();
    later.incident.opened = at(1.0);
    assert_ne!(header(&opens(), "In-Reply-To"), header(&later, "In-Reply-To"), "another store counts from 1 again");
}

#[test]
fn a_payload_cannot_add_a_header() {
    let mail = mail(&odd());
    let head = mail.split("\r\n\r\n").next().unwrap();
    let names: Vec<_> = head
        .lines()
        .filter(|line| !line.starts_with(' '))
        .map(|line| line.split_once(':').unwrap().0.to_ascii_lowercase())
        .collect();
    for evil in ["bcc", "x-evil"] {
        assert!(!names.iter().any(|name| name == evil), "{head}");
    }
    assert!(mail.is_ascii() && mail.lines().all(|line| line.len() <= 998));
    let Message::Http(requests) = compose(&ReceiverKind::Webhook(webhook()), &odd(), Paint::Plain) else { panic!() };
    assert!(requests[0].headers.iter().all(|(_, value)| value.bytes().all(|b| (0x20..0x7f).contains(&b))));
}

#[test]
fn a_secret_address_is_left_to_the_moment_of_sending() {
    let secret = Webhook::new(Address::Secret(Secret::File("/run/secrets/hook".into())));
    let Message::Http(requests) = compose(&ReceiverKind::Webhook(secret), &opens(), Paint::Plain) else { panic!() };
    assert_eq!(requests[0].to.to_string(), "(the address in file /run/secrets/hook)");
}

#[test]
fn answers_are_judged_by_what_they_mean() {
    let said = |status, retry_after, date| match judge(&Answer { status, retry_after, date, body: "no\nway" }) {
        Outcome::Delivered => "taken".to_owned(),
        Outcome::Retry { after, why } => format!("again after {after:?}: {why}"),
        Outcome::Rejected { why } => format!("refused: {why}"),
    };
    let date = Some("Mon, 23 Nov 2026 03:08:00 GMT");
    let rows = [
        (200, None, None),
        (204, None, None),
        (301, None, None),
        (400, None, None),
        (401, None, None),
        (404, Some("5"), None),
        (408, None, None),
        (425, None, None),
        (429, Some("120"), None),
        (429, Some(" 7 "), date),
        (429, Some("Mon, 23 Nov 2026 03:10:30 GMT"), date),
        (429, Some("Mon, 23 Nov 2026 03:00:00 GMT"), date),
        (429, Some("Mon, 23 Nov 2026 03:10:30 GMT"), None),
        (429, Some("soon"), date),
        (429, Some("99999999999999999999999"), None),
        (429, Some(""), None),
        (500, None, None),
        (503, Some("1"), None),
        (599, None, None),
        (600, None, None),
    ];
    let table: String = rows
        .iter()
        .map(|&(status, after, date)| {
            format!("{status} {after:?}{}: {}\n", if date.is_some() { " dated" } else { "" }, said(status, after, date))
        })
        .collect();
    check("answers", "txt", &table);
}

#[test]
fn settings_say_what_is_wrong_and_never_repeat_an_address() {
    let wrong = |text: &str| Address::plain(text).unwrap_err().to_string();
    for text in ["hooks.example.org/k3y", "ftp://example.org/k3y", "https://me:k3y@example.org/"] {
        assert!(!wrong(text).contains("k3y"), "{}", wrong(text));
    }
    let mut exposed = email();
    assert!(!exposed.exposes_password());
    exposed.tls = Tls::None;
    assert!(exposed.exposes_password());
    exposed.host = "127.0.0.1".into();
    assert!(!exposed.exposes_password());
    assert_eq!(webhook().timeout, Duration::from_secs(10));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_text_steers_a_terminal_or_breaks_a_mail(title in any::<String>(), why in any::<String>(), name in any::<String>()) {
        let mut page = page();
        page.title = title;
        page.why = why;
        page.origin.service = Some(name.clone());
        page.suspects = vec![name.clone()];
        let mut notification = notification(Content::Page(Box::new(page)), incident());
        notification.key.receiver = name;
        let Message::Console(lines) = compose(&ReceiverKind::Console, &notification, Paint::Plain) else { panic!() };
        prop_assert!(lines.iter().all(|line| !line.chars().any(char::is_control)));
        let mail = mail(&notification);
        prop_assert!(mail.is_ascii());
        let head = mail.split("\r\n\r\n").next().unwrap();
        prop_assert!(head.lines().filter(|line| !line.starts_with(' ')).all(|line| line.contains(": ")));
        prop_assert_eq!(head.matches("Subject:").count(), 1);
    }
}
