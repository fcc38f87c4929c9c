//! The kinds of receivers, by the key that a receiver has.

use super::findings::{Complaint, Findings};
use super::kafka;
use super::receivers::{address, address_or, email, secret, webhook, wire};
use super::value::{Checked, Record};
use crate::sinks::ReceiverKind;
use crate::sinks::alertmanager::Alertmanager;
use crate::sinks::discord::Discord;
use crate::sinks::exec::Exec;
use crate::sinks::google_chat::GoogleChat;
use crate::sinks::mattermost::Mattermost;
use crate::sinks::ntfy::{Ntfy, Topic};
use crate::sinks::opsgenie::Opsgenie;
use crate::sinks::pagerduty::{PagerDuty, Worse};
use crate::sinks::pushover::Pushover;
use crate::sinks::slack::{Slack, Way};
use crate::sinks::teams::Teams;
use crate::sinks::telegram::Telegram;
use crate::sinks::twilio::Twilio;
use crate::sinks::victorops::VictorOps;

type Lower = fn(&Record, &mut Findings<'_>) -> Option<ReceiverKind>;

/// What reads the settings under a key.
const KINDS: &[(&str, Lower)] = &[
    ("console", |_, _| Some(ReceiverKind::Console)),
    ("webhook", webhook),
    ("email", |record, findings| email(record, findings).map(ReceiverKind::Email)),
    ("pagerduty", pagerduty),
    ("opsgenie", opsgenie),
    ("slack", slack),
    ("alertmanager", alertmanager),
    ("teams", teams),
    ("discord", discord),
    ("telegram", telegram),
    ("ntfy", ntfy),
    ("pushover", pushover),
    ("mattermost", mattermost),
    ("google_chat", google_chat),
    ("twilio", twilio),
    ("victorops", victorops),
    ("exec", exec),
];

/// Lowers the kind of a receiver; `None` when its settings do not make one, which was told.
pub(super) fn lower(receiver: &Record, findings: &mut Findings<'_>) -> Option<ReceiverKind> {
    if let Some(settings) = receiver.get("kafka") {
        return kafka::receiver(settings, findings);
    }
    let (settings, lower) =
        KINDS.iter().find_map(|(key, lower)| receiver.get(key).map(|settings| (settings, lower)))?;
    if let Some(channel) = settings.record().get("channel").filter(|_| secret(settings.record(), "url").is_some()) {
        let complaint = Complaint::new("an incoming webhook has its channel already");
        findings.mistake(channel.spot, &channel.path, complaint.help("leave `channel` out, or use a bot's token"));
    }
    if settings.record().get("channel").is_none() {
        tell_missing_channel(settings, receiver, findings);
    }
    lower(settings.record(), findings)
}

fn tell_missing_channel(settings: &Checked, receiver: &Record, findings: &mut Findings<'_>) {
    if receiver.get("slack").is_some()
        && secret(settings.record(), "token").is_some()
        && !findings.has_mistake_at(settings)
    {
        let complaint = Complaint::new("a bot must be told its channel");
        findings.mistake(settings.spot, &settings.path, complaint.help("add `channel: \"#alerts\"`"));
    }
}

fn worse(record: &Record) -> Worse {
    Worse::ALL.iter().copied().find(|worse| Some(worse.word()) == record.text("worse")).unwrap_or_default()
}

fn pagerduty(record: &Record, findings: &mut Findings<'_>) -> Option<ReceiverKind> {
    Some(ReceiverKind::PagerDuty(PagerDuty {
        url: address_or(record, "url", PagerDuty::URL, findings)?,
        routing_key: secret(record, "routing_key")?,
        worse: worse(record),
        wire: wire(record),
    }))
}

fn opsgenie(record: &Record, findings: &mut Findings<'_>) -> Option<ReceiverKind> {
    Some(ReceiverKind::Opsgenie(Opsgenie {
        url: address_or(record, "url", Opsgenie::URL, findings)?,
        api_key: secret(record, "api_key")?,
        tags: record.texts("tags"),
        worse: worse(record),
        wire: wire(record),
    }))
}

fn slack(record: &Record, findings: &mut Findings<'_>) -> Option<ReceiverKind> {
    let way = match secret(record, "token") {
        None => Way::Hook(address(record, findings)?),
        Some(token) => {
            let url = address_or(record, "api_url", Slack::URL, findings)?;
            Way::Bot { url, token, channel: record.text("channel")?.to_owned() }
        }
    };
    Some(ReceiverKind::Slack(Slack { way, buttons: false, wire: wire(record) }))
}

fn alertmanager(record: &Record, findings: &mut Findings<'_>) -> Option<ReceiverKind> {
    let (url, token) = (address(record, findings)?, secret(record, "token"));
    Some(ReceiverKind::Alertmanager(Alertmanager { url, token, wire: wire(record) }))
}

fn teams(record: &Record, findings: &mut Findings<'_>) -> Option<ReceiverKind> {
    Some(ReceiverKind::Teams(Teams { url: address(record, findings)?, wire: wire(record) }))
}

fn discord(record: &Record, findings: &mut Findings<'_>) -> Option<ReceiverKind> {
    Some(ReceiverKind::Discord(Discord { url: address(record, findings)?, wire: wire(record) }))
}

fn telegram(record: &Record, findings: &mut Findings<'_>) -> Option<ReceiverKind> {
    Some(ReceiverKind::Telegram(Telegram {
        url: address_or(record, "url", Telegram::URL, findings)?,
        token: secret(record, "token")?,
        chat: record.text("chat")?.to_owned(),
        topic: record.whole("topic"),
        wire: wire(record),
    }))
}

fn ntfy(record: &Record, findings: &mut Findings<'_>) -> Option<ReceiverKind> {
    let topic = match record.text("topic") {
        Some(name) => Topic::Plain(name.to_owned()),
        None => Topic::Secret(secret(record, "topic")?),
    };
    Some(ReceiverKind::Ntfy(Ntfy {
        url: address_or(record, "url", Ntfy::URL, findings)?,
        topic,
        token: secret(record, "token"),
        wire: wire(record),
    }))
}

fn pushover(record: &Record, findings: &mut Findings<'_>) -> Option<ReceiverKind> {
    Some(ReceiverKind::Pushover(Pushover {
        url: address_or(record, "url", Pushover::URL, findings)?,
        user_key: secret(record, "user_key")?,
        token: secret(record, "token")?,
        retry: record.duration("retry").unwrap_or(Pushover::RETRY),
        expire: record.duration("expire").unwrap_or(Pushover::EXPIRE),
        wire: wire(record),
    }))
}

fn mattermost(record: &Record, findings: &mut Findings<'_>) -> Option<ReceiverKind> {
    let channel = record.text("channel").map(str::to_owned);
    Some(ReceiverKind::Mattermost(Mattermost { url: address(record, findings)?, channel, wire: wire(record) }))
}

fn google_chat(record: &Record, findings: &mut Findings<'_>) -> Option<ReceiverKind> {
    Some(ReceiverKind::GoogleChat(GoogleChat { url: address(record, findings)?, wire: wire(record) }))
}

fn twilio(record: &Record, findings: &mut Findings<'_>) -> Option<ReceiverKind> {
    let to = record.get("to")?;
    if to.items().is_empty() && !findings.has_mistake_at(to) {
        let complaint = Complaint::new("a text message to nobody");
        findings.mistake(to.spot, &to.path, complaint.help("name at least one number"));
    }
    Some(ReceiverKind::Twilio(Twilio {
        url: address_or(record, "url", Twilio::URL, findings)?,
        account: path_segment(record, "account", findings)?,
        token: secret(record, "token")?,
        from: record.text("from")?.to_owned(),
        to: record.texts("to"),
        wire: wire(record),
    }))
}

fn victorops(record: &Record, findings: &mut Findings<'_>) -> Option<ReceiverKind> {
    Some(ReceiverKind::VictorOps(VictorOps {
        url: address_or(record, "url", VictorOps::URL, findings)?,
        api_key: secret(record, "api_key")?,
        routing_key: path_segment(record, "routing_key", findings)?,
        worse: worse(record),
        wire: wire(record),
    }))
}

fn exec(record: &Record, findings: &mut Findings<'_>) -> Option<ReceiverKind> {
    let program = record.get("program")?;
    if !std::path::Path::new(program.text()).is_absolute() {
        let complaint = Complaint::new("the program must be named by its absolute path");
        findings.mistake(program.spot, &program.path, complaint.help("write `/usr/local/bin/ring-the-bell`"));
    }
    Some(ReceiverKind::Exec(Exec {
        program: program.text().into(),
        arguments: record.texts("arguments"),
        timeout: record.duration("timeout").unwrap_or(Exec::TIMEOUT),
    }))
}

/// Whether a text can be one segment of a path as it stands (the unreserved characters of RFC 3986, 2.3).
pub(super) fn is_segment(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.~".contains(c))
}

/// A text that becomes one segment of a path.
fn path_segment(record: &Record, key: &str, findings: &mut Findings<'_>) -> Option<String> {
    let given = record.get(key)?;
    if !is_segment(given.text()) {
        let complaint = Complaint::new("only letters, digits and `-_.~` can stand here");
        findings.mistake(given.spot, &given.path, complaint.help("it becomes a part of an address"));
    }
    Some(given.text().to_owned())
}
