//! The kinds of receivers: what is to be sent to each for a letter.
//!
//! Deliberately a list and nothing else: what a kind says stands in the file with its name.

use super::alertmanager::Alertmanager;
use super::discord::Discord;
use super::exec::Exec;
use super::google_chat::GoogleChat;
use super::kafka::Kafka;
use super::mattermost::Mattermost;
use super::ntfy::Ntfy;
use super::opsgenie::Opsgenie;
use super::pagerduty::PagerDuty;
use super::pushover::Pushover;
use super::receiver::Email;
use super::request::{Request, Wire};
use super::slack::Slack;
use super::teams::Teams;
use super::telegram::Telegram;
use super::twilio::Twilio;
use super::victorops::VictorOps;
use super::webhook::Webhook;
use super::{Letter, Message, Paint, console, email};

/// How a receiver is reached.
#[derive(Clone, Debug, PartialEq)]
pub enum ReceiverKind {
    /// Lines on standard output.
    Console,
    /// Squelch's own JSON, by `POST`.
    Webhook(Webhook),
    /// A mail, by SMTP.
    Email(Email),
    /// PagerDuty, by its Events API v2.
    PagerDuty(PagerDuty),
    /// Opsgenie, by its Alert API.
    Opsgenie(Opsgenie),
    /// Slack, by a bot or by an incoming webhook.
    Slack(Slack),
    /// What takes Alertmanager's webhooks.
    Alertmanager(Alertmanager),
    /// Microsoft Teams, by a workflow.
    Teams(Teams),
    /// Discord, by a webhook.
    Discord(Discord),
    /// Telegram, by a bot.
    Telegram(Telegram),
    /// ntfy.
    Ntfy(Ntfy),
    /// Pushover.
    Pushover(Pushover),
    /// Mattermost, by an incoming webhook.
    Mattermost(Mattermost),
    /// Google Chat, by a webhook.
    GoogleChat(GoogleChat),
    /// SMS, by Twilio.
    Twilio(Twilio),
    /// Splunk On-Call (VictorOps).
    VictorOps(VictorOps),
    /// A program.
    Exec(Exec),
    /// A topic of Apache Kafka.
    Kafka(Kafka),
}

/// Does the same with the settings of every kind that is spoken to by HTTP.
macro_rules! by_http {
    ($kind:expr, $settings:ident => $done:expr, else $other:expr) => {
        match $kind {
            ReceiverKind::Console | ReceiverKind::Email(_) | ReceiverKind::Exec(_) | ReceiverKind::Kafka(_) => $other,
            ReceiverKind::Webhook($settings) => $done,
            ReceiverKind::PagerDuty($settings) => $done,
            ReceiverKind::Opsgenie($settings) => $done,
            ReceiverKind::Slack($settings) => $done,
            ReceiverKind::Alertmanager($settings) => $done,
            ReceiverKind::Teams($settings) => $done,
            ReceiverKind::Discord($settings) => $done,
            ReceiverKind::Telegram($settings) => $done,
            ReceiverKind::Ntfy($settings) => $done,
            ReceiverKind::Pushover($settings) => $done,
            ReceiverKind::Mattermost($settings) => $done,
            ReceiverKind::GoogleChat($settings) => $done,
            ReceiverKind::Twilio($settings) => $done,
            ReceiverKind::VictorOps($settings) => $done,
        }
    };
}

impl ReceiverKind {
    /// The word for it in rule files, logs and metrics.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Webhook(_) => "webhook",
            Self::Email(_) => "email",
            Self::PagerDuty(_) => "pagerduty",
            Self::Opsgenie(_) => "opsgenie",
            Self::Slack(_) => "slack",
            Self::Alertmanager(_) => "alertmanager",
            Self::Teams(_) => "teams",
            Self::Discord(_) => "discord",
            Self::Telegram(_) => "telegram",
            Self::Ntfy(_) => "ntfy",
            Self::Pushover(_) => "pushover",
            Self::Mattermost(_) => "mattermost",
            Self::GoogleChat(_) => "google_chat",
            Self::Twilio(_) => "twilio",
            Self::VictorOps(_) => "victorops",
            Self::Exec(_) => "exec",
            Self::Kafka(_) => "kafka",
        }
    }

    /// How it is spoken to, when that is by HTTP.
    #[must_use]
    pub fn wire(&self) -> Option<Wire> {
        by_http!(self, settings => Some(settings.wire()), else None)
    }

    /// What is to be sent, in this order.
    #[must_use]
    pub fn compose(&self, letter: &Letter<'_>, paint: Paint) -> Message {
        match self {
            Self::Console => Message::Console(console::compose(&letter.wording, letter.notification, paint)),
            Self::Email(email) => Message::Mail(Box::new(email::compose(email, letter))),
            Self::Exec(exec) => Message::Exec(exec.compose(letter)),
            Self::Kafka(kafka) => Message::Kafka(Box::new(kafka.compose(letter))),
            other => Message::Http(other.requests(letter)),
        }
    }

    fn requests(&self, letter: &Letter<'_>) -> Vec<Request> {
        by_http!(self, settings => settings.compose(letter), else Vec::new())
    }
}
