//! Telegram by a bot: one message an incident, changed in place; what comes after answers it.
//! <https://core.telegram.org/bots/api#sendmessage>.

use serde::Serialize;

use super::answer::Reading;
use super::letter::Letter;
use super::markup::{Markup, Unit, fit, short};
use super::receiver::{Address, Secret};
use super::request::{Locator, Piece, Request, Wire};

/// The settings of a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telegram {
    /// The API: `https://api.telegram.org`.
    pub url: Address,
    /// The bot's token.
    pub token: Secret,
    /// The chat: its number, or `@name` of a channel.
    pub chat: String,
    /// The topic within a group that has topics.
    pub topic: Option<u64>,
    /// How it is spoken to.
    pub wire: Wire,
}

#[derive(Serialize)]
struct Post<'a> {
    chat_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_thread_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<i64>,
    text: String,
    parse_mode: &'static str,
    link_preview_options: Preview,
    #[serde(skip_serializing_if = "Option::is_none")]
    disable_notification: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_parameters: Option<Reply>,
}

#[derive(Serialize)]
struct Preview {
    is_disabled: bool,
}

#[derive(Serialize)]
struct Reply {
    message_id: i64,
    allow_sending_without_reply: bool,
}

/// Counted without markup there, and with it here.
const TEXT: usize = 4_096;
const HEADLINE: usize = 500;

impl Telegram {
    /// Where the API is.
    pub const URL: &'static str = "https://api.telegram.org";

    /// How it is spoken to.
    #[must_use]
    pub fn wire(&self) -> Wire {
        self.wire.clone()
    }

    /// What is told to it: everything. What does not ring makes no sound.
    #[must_use]
    pub fn compose(&self, letter: &Letter<'_>) -> Vec<Request> {
        let silent = (!letter.rings()).then_some(true);
        let Some(first) = letter.known.and_then(|known| known.id.parse::<i64>().ok()) else {
            let post = Post { disable_notification: silent, ..self.post(letter) };
            return vec![self.call(letter, "sendMessage", &post).read_as(Reading::Telegram)];
        };
        let edit = Post { message_id: Some(first), message_thread_id: None, ..self.post(&letter.with_page_of_known()) };
        let answers = Reply { message_id: first, allow_sending_without_reply: true };
        let reply =
            Post { disable_notification: silent, reply_parameters: Some(answers), ..self.post(&letter.as_answer()) };
        vec![
            self.call(letter, "editMessageText", &edit).read_as(Reading::Telegram).lenient(),
            self.call(letter, "sendMessage", &reply).read_as(Reading::Telegram),
        ]
    }

    fn call(&self, letter: &Letter<'_>, method: &str, post: &Post<'_>) -> Request {
        let to = Locator::new(&self.url, "/bot")
            .then(Piece::Secret(self.token.clone()))
            .then(Piece::Text(format!("/{method}")));
        Request::json(to, &letter.notification.key, post)
    }

    fn post(&self, letter: &Letter<'_>) -> Post<'_> {
        let mut lines = vec![Markup::Html.bold(&short(&letter.wording.headline(), Unit::Utf16, HEADLINE))];
        lines.extend(Markup::Html.below(&letter.wording));
        Post {
            chat_id: &self.chat,
            message_thread_id: self.topic,
            message_id: None,
            text: fit(&lines, Unit::Utf16, TEXT),
            parse_mode: "HTML",
            link_preview_options: Preview { is_disabled: true },
            disable_notification: None,
            reply_parameters: None,
        }
    }
}
