//! What people and tools get to see, as golden files: one case a notification, one file a kind of receiver.
//! `UPDATE_EXPECT=1 cargo test --test sinks` writes them anew.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::time::Duration;

use expect_test::expect_file;
use proptest::prelude::*;
use squelch::domain::{
    Content, IncidentId, IncidentSummary, Moment, Notice, NoticeAction, Notification, NotificationKey, Origin, Page,
    PageAction, Reason, Severity, Timestamp,
};
use squelch::sinks::{
    Address, Answer, Email, Login, Message, Outcome, Paint, ReceiverKind, Secret, Tls, Webhook, compose, judge,
};

/// 2026-11-23T03:08:00Z
const OPENED: i64 = 1_795_403_280_000;

fn at(secs: f64) -> Timestamp {
    Timestamp::from_millis(OPENED).after(secs)
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|&name| name.to_owned()).collect()
}

fn origin() -> Origin {
    Origin { service: Some("shop".into()), host: Some("app-2".into()), check: Some("swap_used".into()) }
}

fn incident() -> IncidentSummary {
    IncidentSummary {
        incident: IncidentId(7),
        opened: at(0.0),
        paged: Some(at(245.0)),
        resolved: None,
        acknowledged: None,
        severity: Severity::Critical,
        title: "swap used 91 % on app-2, app-3 (shop)".into(),
        services: names(&["shop"]),
        hosts: names(&["app-2", "app-3"]),
        checks: names(&["swap_used"]),
        origin: origin(),
        alerts: 4,
        moments: vec![
            Moment { ts: at(0.0), text: "opened by swap_used on app-2".into() },
            Moment { ts: at(245.0), text: "paged team-mail".into() },
        ],
    }
}

fn page() -> Page {
    Page {
        ts: at(245.0),
        incident: IncidentId(7),
        action: PageAction::Open,
        severity: Severity::Critical,
        title: "swap used 91 % on app-2, app-3 (shop)".into(),
        services: names(&["shop"]),
        hosts: names(&["app-2", "app-3"]),
        origin: origin(),
        alerts: vec![11, 12, 15, 19],
        held_before: 17,
        reason: Reason::Surge,
        why: "8.1 bits of fresh surprise on shop/app-2 passed the threshold of 5.0: swap_used starts there 0.3 times \
              a day at this hour, and it is critical for the first time."
            .into(),
        evidence: vec![
            ("newrelic/host/shop/app-2/swap_used".into(), 6.24),
            ("pingdom/uptime/shop//https".into(), 1.86),
        ],
        suspects: names(&[
            "03:01 UTC deploy of shop 4.2.1 (7 min before)",
            "02:40 UTC app-3 was replaced (28 min before)",
        ]),
        url: Some("https://metrics.example.org/d/swap?host=app-2&from=1".into()),
        runbook_url: Some("https://wiki.example.org/runbooks/swap".into()),
    }
}

fn notification(content: Content, incident: IncidentSummary) -> Notification {
    let key = NotificationKey { incident: incident.incident, step: 1, receiver: "team-mail".into() };
    Notification { key, content, incident }
}

fn opens() -> Notification {
    notification(Content::Page(Box::new(page())), incident())
}

fn escalates() -> Notification {
    let mut incident = incident();
    incident.alerts = 26;
    incident.acknowledged = Some(at(400.0));
    incident.moments.push(Moment { ts: at(400.0), text: "taken by ada".into() });
    incident.moments.push(Moment { ts: at(900.0), text: "web joined: 5xx on lb-1".into() });
    incident.moments.push(Moment { ts: at(960.0), text: "uptime check of www fails".into() });
    let page = Page {
        ts: at(962.0),
        action: PageAction::Escalate,
        title: "www is down; swap used 98 % on app-2, app-3, lb-1".into(),
        services: names(&["shop", "web"]),
        hosts: names(&["app-2", "app-3", "lb-1"]),
        why: "A new kind of signal: the uptime check of www fails, 7.9 bits above what had paged.".into(),
        suspects: Vec::new(),
        ..page()
    };
    let mut notification = notification(Content::Page(Box::new(page)), incident);
    notification.key.step = 2;
    notification
}

fn tells(action: NoticeAction, step: u32, text: &str) -> Notification {
    let mut incident = incident();
    incident.alerts = 26;
    incident.acknowledged = Some(at(400.0));
    incident.resolved = (action == NoticeAction::Resolve).then(|| at(2_640.0));
    let notice = Notice { ts: at(2_940.0), action, incident: Some(incident.incident), series: None, text: text.into() };
    let mut notification = notification(Content::Notice(notice), incident);
    notification.key.step = step;
    notification
}

/// What a budget withheld: about no incident, with the pages that nobody got as moments.
fn withheld() -> Notification {
    let mut told = incident();
    (told.incident, told.paged, told.alerts) = (IncidentId(0), None, 0);
    (told.services, told.hosts, told.origin) = (Vec::new(), Vec::new(), Origin::default());
    told.title = "2 pages withheld by the budget quiet nights".into();
    told.moments = vec![
        Moment { ts: at(0.0), text: "03:12  queue on mail (and 1 more) (last loud 3 h ago)".into() },
        Moment { ts: at(900.0), text: "03:27  disk used 81 % on db-1 (still on)".into() },
    ];
    let text = format!("{}: it paid 2 before its period ended; 1 of what it withheld is still on", told.title);
    let notice = Notice { ts: at(13_000.0), action: NoticeAction::Withheld, incident: None, series: None, text };
    notification(Content::Notice(notice), told)
}

/// Everything that can be missing is missing.
fn bare() -> Notification {
    let page = Page {
        ts: at(0.0),
        severity: Severity::Warning,
        title: String::new(),
        services: Vec::new(),
        hosts: Vec::new(),
        origin: Origin::default(),
        alerts: Vec::new(),
        held_before: 0,
        reason: Reason::JudgeFailed,
        why: String::new(),
        evidence: Vec::new(),
        suspects: Vec::new(),
        url: None,
        runbook_url: None,
        ..page()
    };
    let incident = IncidentSummary {
        paged: None,
        title: String::new(),
        services: Vec::new(),
        hosts: Vec::new(),
        checks: Vec::new(),
        origin: Origin::default(),
        alerts: 1,
        moments: Vec::new(),
        ..incident()
    };
    notification(Content::Page(Box::new(page)), incident)
}

/// Text as an enemy or a broken tool would send it.
fn odd() -> Notification {
    let page = Page {
        title:
            "диск полон 磁盘已满 🔥\r\nBcc: victim@example.org\r\n\r\n<script>alert(1)</script>\u{1b}[2J\u{7}\u{202e}"
                .into(),
        hosts: (0..12).map(|n| format!("näme-{n}\n")).collect(),
        origin: Origin { service: Some("\u{0}".into()), host: Some("h\"><b>&'".into()), check: None },
        why: "line one\nline two\tand \u{9b}31m a C1 control".into(),
        evidence: vec![("a/\u{1b}]0;title\u{7}b".into(), f32::NAN), ("c".into(), 1e30)],
        suspects: names(&["", "\n", "deploy <b>x</b>"]),
        url: Some("javascript:alert(document.cookie)".into()),
        runbook_url: Some("https://wiki.example.org/a b?x=\"><script>\r\nX-Evil: 1".into()),
        ..page()
    };
    let mut notification = notification(Content::Page(Box::new(page)), incident());
    notification.key.receiver = "équipe mail\r\nX-Evil: 1".into();
    notification
}

fn long() -> Notification {
    let text = "a very long title without end ".repeat(340);
    let page = Page { title: text.clone(), why: text.repeat(10), suspects: vec![text; 50], ..page() };
    notification(Content::Page(Box::new(page)), incident())
}

/// Name of the case, and what is told.
fn cases() -> Vec<(&'static str, Notification)> {
    vec![
        ("a_page_opens", opens()),
        ("a_page_escalates", escalates()),
        (
            "an_incident_resolves",
            tells(NoticeAction::Resolve, 3, "Incident 7 is over: all its alerts have been for 5 min."),
        ),
        ("an_incident_is_back", tells(NoticeAction::Reopen, 4, "Incident 7 is back: swap_used on app-2 fires again.")),
        ("a_budget_withheld_pages", withheld()),
        ("nothing_is_known", bare()),
        ("odd_content", odd()),
        ("ten_kilobytes_of_title", long()),
    ]
}

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
                Message::Http(request) => {
                    let value: serde_json::Value = serde_json::from_str(&request.body).unwrap();
                    let head = format!("{} {}\n{:#?}\n", request.method, request.url.unwrap(), request.headers);
                    check(name, "webhook.txt", &format!("{head}{value:#}\n"));
                }
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
        Message::Http(_) | Message::Mail(_) => panic!(),
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
    let Message::Http(request) = compose(&ReceiverKind::Webhook(webhook()), &odd(), Paint::Plain) else { panic!() };
    assert!(request.headers.iter().all(|(_, value)| value.bytes().all(|b| (0x20..0x7f).contains(&b))));
}

#[test]
fn a_secret_address_is_left_to_the_moment_of_sending() {
    let secret = Webhook::new(Address::Secret(Secret::File("/run/secrets/hook".into())));
    let Message::Http(request) = compose(&ReceiverKind::Webhook(secret), &opens(), Paint::Plain) else { panic!() };
    assert_eq!(request.url, None);
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
