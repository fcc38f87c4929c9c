//! What each kind of receiver is sent: a file a kind, with a whole life of an incident and with odd content.

use std::time::Duration;

use proptest::prelude::*;
use squelch::domain::{Content, NoticeAction, Notification};
use squelch::sinks::alertmanager::Alertmanager;
use squelch::sinks::discord::Discord;
use squelch::sinks::google_chat::GoogleChat;
use squelch::sinks::mattermost::Mattermost;
use squelch::sinks::ntfy::{Ntfy, Topic};
use squelch::sinks::opsgenie::Opsgenie;
use squelch::sinks::pagerduty::{PagerDuty, Worse};
use squelch::sinks::pushover::Pushover;
use squelch::sinks::slack::{Slack, Way};
use squelch::sinks::teams::Teams;
use squelch::sinks::telegram::Telegram;
use squelch::sinks::twilio::Twilio;
use squelch::sinks::victorops::VictorOps;
use squelch::sinks::{
    Address, Answer, Known, Letter, Message, Outcome, Paint, Reading, ReceiverKind, Request, Secret, Wire,
};

use super::samples::{bare, escalates, incident, long, notification, odd, opens, page, reminds, tells, withheld};

fn plain(url: &str) -> Address {
    Address::plain(url).unwrap()
}

fn secret(name: &str) -> Secret {
    Secret::File(format!("/run/secrets/{name}").into())
}

fn hidden(name: &str) -> Address {
    Address::Secret(secret(name))
}

fn pagerduty(worse: Worse) -> ReceiverKind {
    let (url, routing_key) = (plain(PagerDuty::URL), secret("pagerduty"));
    ReceiverKind::PagerDuty(PagerDuty { url, routing_key, worse, wire: Wire::default() })
}

fn opsgenie() -> ReceiverKind {
    let (tags, worse) = (vec!["squelch".to_owned()], Worse::Page);
    let (url, api_key) = (plain(Opsgenie::URL), secret("opsgenie"));
    ReceiverKind::Opsgenie(Opsgenie { url, api_key, tags, worse, wire: Wire::default() })
}

fn slack_bot() -> ReceiverKind {
    let way = Way::Bot { url: plain(Slack::URL), token: secret("slack"), channel: "#alerts".to_owned() };
    ReceiverKind::Slack(Slack { way, buttons: true, wire: Wire::default() })
}

fn pushover() -> ReceiverKind {
    ReceiverKind::Pushover(Pushover {
        url: plain(Pushover::URL),
        user_key: secret("user"),
        token: secret("app"),
        retry: Pushover::RETRY,
        expire: Pushover::EXPIRE,
        wire: Wire::default(),
    })
}

fn ntfy() -> ReceiverKind {
    let topic = Topic::Secret(secret("topic"));
    ReceiverKind::Ntfy(Ntfy { url: plain(Ntfy::URL), topic, token: Some(secret("ntfy")), wire: Wire::default() })
}

fn telegram() -> ReceiverKind {
    let (url, token, chat) = (plain(Telegram::URL), secret("telegram"), "-100123".to_owned());
    ReceiverKind::Telegram(Telegram { url, token, chat, topic: Some(7), wire: Wire::default() })
}

fn twilio() -> ReceiverKind {
    ReceiverKind::Twilio(Twilio {
        url: plain(Twilio::URL),
        account: "AC0123".to_owned(),
        token: secret("twilio"),
        from: "+15005550006".to_owned(),
        to: vec!["+15005550001".to_owned(), "+15005550002".to_owned()],
        wire: Wire::default(),
    })
}

fn victorops() -> ReceiverKind {
    let (url, api_key, routing_key) = (plain(VictorOps::URL), secret("victorops"), "ops".to_owned());
    ReceiverKind::VictorOps(VictorOps { url, api_key, routing_key, worse: Worse::Update, wire: Wire::default() })
}

/// The name of a file, the kind, and the name that the service gives to its message.
fn kinds() -> Vec<(&'static str, ReceiverKind, Option<&'static str>)> {
    let wire = Wire::default;
    let hook = Way::Hook(hidden("slack-hook"));
    let alertmanager = Alertmanager { url: plain("http://karma.example.org/hook"), token: None, wire: wire() };
    vec![
        ("pagerduty", pagerduty(Worse::Page), None),
        ("opsgenie", opsgenie(), None),
        ("slack-bot", slack_bot(), Some("C024BE91L/1482960137.003543")),
        ("slack-hook", ReceiverKind::Slack(Slack { way: hook, buttons: true, wire: wire() }), None),
        ("alertmanager", ReceiverKind::Alertmanager(alertmanager), None),
        ("teams", ReceiverKind::Teams(Teams { url: hidden("teams"), wire: wire() }), None),
        ("discord", ReceiverKind::Discord(Discord { url: hidden("discord"), wire: wire() }), Some("1148")),
        ("telegram", telegram(), Some("381")),
        ("ntfy", ntfy(), None),
        ("pushover", pushover(), None),
        (
            "mattermost",
            ReceiverKind::Mattermost(Mattermost { url: hidden("mattermost"), channel: None, wire: wire() }),
            None,
        ),
        ("google-chat", ReceiverKind::GoogleChat(GoogleChat { url: hidden("chat"), wire: wire() }), None),
        ("twilio", twilio(), None),
        ("victorops", victorops(), None),
    ]
}

/// A request as it is sent, but for its secrets.
fn shown(request: &Request) -> String {
    let body = match serde_json::from_str::<serde_json::Value>(&request.body) {
        Ok(value) => format!("{value:#}"),
        Err(_) => url::form_urlencoded::parse(request.body.as_bytes())
            .map(|(name, value)| format!("{name}={}", value.replace('\n', "\n  ")))
            .collect::<Vec<_>>()
            .join("\n"),
    };
    let secrets: String = request.secrets.iter().map(|(place, secret)| format!("{place:?} from {secret}\n")).collect();
    let lenient = if request.lenient { " (may be refused)" } else { "" };
    format!("{} {}{lenient}\n{secrets}{body}\n\n", request.method, request.to)
}

fn requests(kind: &ReceiverKind, notification: &Notification, known: Option<&Known>) -> Vec<Request> {
    match kind.compose(&Letter::of(notification, known), Paint::Plain) {
        Message::Http(requests) => requests,
        other => panic!("{other:?}"),
    }
}

/// The life of an incident, in order; then what belongs to none.
fn life() -> Vec<(&'static str, Notification)> {
    vec![
        ("a page opens it", opens()),
        ("nobody takes it", reminds()),
        ("somebody takes it", tells(NoticeAction::Ack, 2, "ada has taken it")),
        ("it is clearly worse", escalates()),
        ("it is over", tells(NoticeAction::Resolve, 3, "all its alerts are over; it lasted 44 min")),
        ("it is back", tells(NoticeAction::Reopen, 4, "it is back, and nothing worse than what was paged")),
        ("a budget tells what it withheld", withheld()),
    ]
}

#[test]
fn every_kind_tells_the_life_of_an_incident_as_its_golden_file_says() {
    for (name, kind, id) in kinds() {
        let mut text = String::new();
        let mut known: Option<Known> = None;
        for (what, notification) in life() {
            // What is about no incident has no message yet.
            let known_now = if what.starts_with("a budget") { None } else { known.as_ref() };
            let requests = requests(&kind, &notification, known_now);
            text += &format!("## {what}\n\n");
            text += &requests.iter().map(shown).collect::<String>();
            if requests.is_empty() {
                text += "(nothing)\n\n";
            }
            if let (Content::Page(page), Some(id)) = (&notification.content, id) {
                known = Some(Known { id: id.to_owned(), page: Some(page.clone()) });
            }
        }
        super::check(name, "requests.txt", &text);
    }
}

#[test]
fn odd_content_reads_as_the_golden_files_say() {
    for (name, kind, _) in kinds() {
        let text: String =
            [odd(), bare()].iter().flat_map(|one| requests(&kind, one, None)).map(|r| shown(&r)).collect();
        super::check(name, "odd.txt", &text);
    }
}

/// The texts of a body, wherever they stand, with the names that lead to them.
fn texts(value: &serde_json::Value, path: &str, found: &mut Vec<(String, String)>) {
    match value {
        serde_json::Value::String(text) => found.push((path.to_owned(), text.clone())),
        serde_json::Value::Array(items) => items.iter().for_each(|item| texts(item, path, found)),
        serde_json::Value::Object(fields) => {
            fields.iter().for_each(|(name, item)| texts(item, &format!("{path}/{name}"), found));
        }
        _ => {}
    }
}

fn pairs(request: &Request) -> Vec<(String, String)> {
    match serde_json::from_str::<serde_json::Value>(&request.body) {
        Ok(value) => {
            let mut found = Vec::new();
            texts(&value, "", &mut found);
            found
        }
        Err(_) => url::form_urlencoded::parse(request.body.as_bytes())
            .map(|(name, value)| (format!("/{name}"), value.into_owned()))
            .collect(),
    }
}

/// What the services document: the kind, the field, the most characters, whether bytes are counted.
const LIMITS: &[(&str, &str, usize, bool)] = &[
    ("pagerduty", "/payload/summary", 1_024, false),
    ("pagerduty", "/payload/source", 255, false),
    ("pagerduty", "/dedup_key", 255, true),
    ("opsgenie", "/message", 130, false),
    ("opsgenie", "/alias", 512, false),
    ("opsgenie", "/description", 15_000, false),
    ("opsgenie", "/entity", 512, false),
    ("opsgenie", "/note", 25_000, false),
    ("slack-bot", "/text", 4_000, false),
    ("slack-bot", "/attachments/blocks/text/text", 3_000, false),
    ("slack-hook", "/attachments/blocks/text/text", 3_000, false),
    ("discord", "/content", 2_000, false),
    ("discord", "/embeds/description", 4_096, false),
    ("telegram", "/text", 4_096, false),
    ("ntfy", "/message", 4_096, true),
    ("ntfy", "/title", 250, true),
    ("pushover", "/message", 1_024, false),
    ("pushover", "/title", 250, false),
    ("pushover", "/url", 512, false),
    ("mattermost", "/attachments/text", 7_600, false),
    ("google-chat", "/text", 4_096, true),
    ("twilio", "/Body", 459, false),
    ("victorops", "/state_message", 20_480, false),
];

/// What services take as a whole, in bytes.
const WHOLE: &[(&str, usize)] = &[("pagerduty", 512 * 1_000), ("teams", 28_000), ("discord", 20_000)];

fn keeps_limits(notification: &Notification) {
    for (name, kind, id) in kinds() {
        let known = id.map(|id| Known { id: id.to_owned(), page: None });
        for request in [None, known.as_ref()].iter().flat_map(|known| requests(&kind, notification, *known)) {
            for (path, text) in pairs(&request) {
                for (_, _, most, bytes) in LIMITS.iter().filter(|(kind, at, ..)| *kind == name && *at == path) {
                    let long = if *bytes { text.len() } else { text.encode_utf16().count() };
                    assert!(long <= *most, "{name}{path}: {long} of {most}: {text}");
                }
            }
            for (_, most) in WHOLE.iter().filter(|(kind, _)| *kind == name) {
                assert!(request.body.len() <= *most, "{name}: {} bytes", request.body.len());
            }
        }
    }
}

#[test]
fn the_longest_text_stays_within_the_limits_of_every_service() {
    keeps_limits(&long());
    let mut page = page();
    page.title = "🔥&<>\"@*".repeat(400);
    page.why = "&".repeat(5_000);
    page.suspects = vec!["<@*".repeat(500); 20];
    page.evidence = vec![("🔥".repeat(500), 3.0); 20];
    page.origin.host = Some("é".repeat(2_000));
    keeps_limits(&notification(Content::Page(Box::new(page)), incident()));
}

#[test]
fn a_pager_gets_the_same_keys_from_first_to_last_and_every_one_is_closed() {
    for worse in [Worse::Page, Worse::Update] {
        let keys = |notification: &Notification, action: &str| -> Vec<String> {
            let sent = requests(&pagerduty(worse), notification, None);
            let bodies = sent.iter().map(|request| serde_json::from_str::<serde_json::Value>(&request.body).unwrap());
            bodies
                .inspect(|body| assert_eq!(body["event_action"], action))
                .map(|body| body["dedup_key"].as_str().unwrap().to_owned())
                .collect()
        };
        let opened: Vec<_> = [keys(&opens(), "trigger"), keys(&escalates(), "trigger")].concat();
        let closed = keys(&tells(NoticeAction::Resolve, 3, "over"), "resolve");
        assert!(opened.iter().all(|key| closed.contains(key)), "{opened:?} {closed:?}");
        assert_eq!(closed.len(), if worse == Worse::Page { 2 } else { 1 });
    }
}

#[test]
fn answers_of_services_are_read_in_their_own_way() {
    let said = |reading: Reading, status, body| {
        let (outcome, name) = reading.of(&Answer { status, retry_after: None, date: None, body });
        let outcome = match outcome {
            Outcome::Delivered => "taken".to_owned(),
            Outcome::Retry { after, why } => format!("again after {after:?}: {why}"),
            Outcome::Rejected { why } => format!("refused: {why}"),
        };
        format!("{status} {body}\n  {outcome}{}\n", name.map(|name| format!(", known as {name}")).unwrap_or_default())
    };
    let table = [
        said(Reading::Slack, 200, r#"{"ok":true,"channel":"C1","ts":"1.2"}"#),
        said(Reading::Slack, 200, r#"{"ok":false,"error":"not_in_channel"}"#),
        said(Reading::Slack, 200, r#"{"ok":false,"error":"invalid_auth"}"#),
        said(Reading::Slack, 200, r#"{"ok":false,"error":"internal_error"}"#),
        said(Reading::Slack, 200, "<html>"),
        said(Reading::Slack, 429, ""),
        said(Reading::Telegram, 200, r#"{"ok":true,"result":{"message_id":381}}"#),
        said(Reading::Telegram, 429, r#"{"ok":false,"parameters":{"retry_after":35}}"#),
        said(Reading::Telegram, 400, r#"{"ok":false,"description":"Bad Request: message is not modified"}"#),
        said(Reading::Telegram, 401, r#"{"ok":false,"description":"Unauthorized"}"#),
        said(Reading::Discord, 200, r#"{"id":"1148"}"#),
        said(Reading::Discord, 404, r#"{"message":"Unknown Message"}"#),
        said(Reading::Teams, 202, ""),
        said(Reading::Teams, 200, "Webhook message delivery failed with error: HTTP error 429"),
        said(Reading::Status, 202, r#"{"id":"not looked at"}"#),
    ];
    super::check("answers_of_services", "txt", &table.concat());
    let limited = Answer { status: 429, retry_after: Some("0.65"), date: None, body: "" };
    let after = Some(Duration::from_millis(650));
    assert_eq!(Reading::Discord.of(&limited).0, Outcome::Retry { after, why: "HTTP 429".to_owned() });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_breaks_a_limit_or_a_body(title in any::<String>(), why in ".{0,900}", name in any::<String>()) {
        let mut page = page();
        (page.title, page.why) = (title, why);
        page.origin.service = Some(name.clone());
        page.suspects = vec![name; 8];
        keeps_limits(&notification(Content::Page(Box::new(page)), incident()));
    }
}
