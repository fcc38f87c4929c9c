//! Slack: a bot, which keeps one message an incident up to date and tells its timeline in the thread; or an incoming
//! webhook, which can only add messages. <https://api.slack.com/methods/chat.postMessage>.
//!
//! What a press of a button does is not known here: it comes back over HTTP (`http::hooks`).

use serde::Serialize;

use super::answer::Reading;
use super::letter::{Known, Letter, Turning};
use super::markup::{Markup, Unit, fit, short};
use super::receiver::{Address, Secret};
use super::request::{Locator, Place, Request, Wire};
use super::text::Tone;
use crate::domain::Content;

/// The `action_id` of the button with which somebody takes an incident. Its `value` is the incident's number, and the
/// `block_id` begins with the incident's key.
pub const TAKE: &str = "squelch_take";
/// The same of the button that declares an incident to be over.
pub const OVER: &str = "squelch_over";

/// The settings of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slack {
    /// Which way.
    pub way: Way,
    /// Whether a bot's messages have buttons: somebody must listen to them.
    pub buttons: bool,
    /// How it is spoken to.
    pub wire: Wire,
}

/// The ways into Slack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// An incoming webhook: its address.
    Hook(Address),
    /// A bot.
    Bot {
        /// The API: `https://slack.com/api`.
        url: Address,
        /// The bot's token, `xoxb-…`.
        token: Secret,
        /// The channel: its id, or its name.
        channel: String,
    },
}

#[derive(Serialize)]
struct Post<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_ts: Option<&'a str>,
    #[serde(skip_serializing_if = "is_false")]
    reply_broadcast: bool,
    text: String,
    unfurl_links: bool,
    unfurl_media: bool,
    attachments: Vec<Attachment>,
}

#[derive(Serialize)]
struct Attachment {
    color: &'static str,
    fallback: String,
    blocks: Vec<Block>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Section { text: Text },
    Actions { block_id: String, elements: Vec<Button> },
}

#[derive(Serialize)]
struct Button {
    r#type: &'static str,
    action_id: &'static str,
    value: String,
    text: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    style: Option<&'static str>,
}

#[derive(Serialize)]
struct Text {
    r#type: &'static str,
    text: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// Of 40,000: what is longer is cut in notifications.
const TEXT: usize = 3_000;
/// The limit of a section.
const SECTION: usize = 3_000;
/// Of 50 blocks.
const SECTIONS: usize = 20;

impl Slack {
    /// Where the API is.
    pub const URL: &'static str = "https://slack.com/api";

    /// How it is spoken to.
    #[must_use]
    pub fn wire(&self) -> Wire {
        self.wire.clone()
    }

    /// What is told to it: everything. A bot changes its message of the incident, and adds what is new to the thread;
    /// what rings is shown in the channel, too.
    #[must_use]
    pub fn compose(&self, letter: &Letter<'_>) -> Vec<Request> {
        let key = &letter.notification.key;
        match &self.way {
            Way::Hook(address) => vec![Request::json(Locator::new(address, ""), key, &post(letter))],
            Way::Bot { url, token, channel } => {
                let call = |method: &str, post: &Post<'_>| {
                    Request::json(Locator::new(url, format!("/{method}")), key, post)
                        .secret(Place::Header("authorization", "Bearer "), token)
                        .read_as(Reading::Slack)
                };
                let Some((place, ts)) = letter.known.and_then(at) else {
                    return vec![call("chat.postMessage", &Post { channel: Some(channel), ..self.post(letter) })];
                };
                let update = Post { channel: Some(place), ts: Some(ts), ..self.post(&letter.with_page_of_known()) };
                let reply = Post {
                    channel: Some(place),
                    thread_ts: Some(ts),
                    reply_broadcast: letter.rings(),
                    ..post(&letter.as_answer())
                };
                vec![call("chat.update", &update).lenient(), call("chat.postMessage", &reply)]
            }
        }
    }

    /// The message of the incident, which is kept up to date, with its buttons.
    fn post(&self, letter: &Letter<'_>) -> Post<'static> {
        let mut post = post(letter);
        let elements = if self.buttons { buttons(letter) } else { Vec::new() };
        if let (Some(attachment), false) = (post.attachments.first_mut(), elements.is_empty()) {
            // Slack asks for another name whenever a message changes.
            let block_id = format!("{}-{}", letter.incident_key(), letter.notification.key.step);
            attachment.blocks.push(Block::Actions { block_id, elements });
        }
        post
    }
}

/// What can be done about an incident that is open.
fn buttons(letter: &Letter<'_>) -> Vec<Button> {
    let incident = letter.incident();
    let of_none = matches!(&letter.notification.content, Content::Notice(notice) if notice.incident.is_none());
    if of_none || letter.turning() == Turning::Over || incident.resolved.is_some() {
        return Vec::new();
    }
    let button = |action_id, label: &str, style| Button {
        r#type: "button",
        action_id,
        value: incident.incident.to_string(),
        text: Text { r#type: "plain_text", text: label.to_owned() },
        style,
    };
    let taken = letter.turning() == Turning::Taken || incident.acknowledged.is_some();
    let take = (!taken).then(|| button(TAKE, "I take it", Some("primary")));
    take.into_iter().chain([button(OVER, "It is over", None)]).collect()
}

/// `C024BE91L/1482960137.003543`
fn at(known: &Known) -> Option<(&str, &str)> {
    known.id.split_once('/')
}

fn post(letter: &Letter<'_>) -> Post<'static> {
    let wording = &letter.wording;
    let mut blocks = Vec::new();
    if !wording.lead.is_empty() {
        let lines: Vec<String> = wording.lead.lines().map(|line| Markup::Slack.text(line)).collect();
        blocks.push(section(fit(&lines, Unit::Utf16, SECTION)));
    }
    let parts = wording.parts.iter().take(SECTIONS).map(|part| Markup::Slack.part(part));
    blocks.extend(parts.map(|lines| section(fit(&lines, Unit::Utf16, SECTION))));
    let headline = short(&wording.headline(), Unit::Utf16, TEXT / 5);
    let fallback = Markup::Slack.text(&headline);
    Post {
        channel: None,
        ts: None,
        thread_ts: None,
        reply_broadcast: false,
        text: Markup::Slack.bold(&headline),
        unfurl_links: false,
        unfurl_media: false,
        attachments: vec![Attachment { color: colour(wording.tone), fallback, blocks }],
    }
}

const fn section(text: String) -> Block {
    Block::Section { text: Text { r#type: "mrkdwn", text } }
}

/// The colours of mails, so that all media agree.
pub(super) const fn colour(tone: Tone) -> &'static str {
    match tone {
        Tone::Alarm => "#b3261e",
        Tone::Warning => "#8a5300",
        Tone::Over => "#1b6e3c",
        Tone::Quiet => "#4a5568",
    }
}
