//! Mattermost (and what reads its webhooks, such as Rocket.Chat) by an incoming webhook:
//! <https://developers.mattermost.com/integrate/webhooks/incoming/>. Such messages cannot be changed later.

use serde::Serialize;

use super::letter::Letter;
use super::markup::{Markup, Unit, fit, short};
use super::receiver::Address;
use super::request::{Locator, Request, Wire};
use super::slack::colour;

/// The settings of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mattermost {
    /// The address of the webhook.
    pub url: Address,
    /// Another channel than the webhook's own.
    pub channel: Option<String>,
    /// How it is spoken to.
    pub wire: Wire,
}

#[derive(Serialize)]
struct Post<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'a str>,
    text: String,
    attachments: [Attachment; 1],
}

#[derive(Serialize)]
struct Attachment {
    color: &'static str,
    fallback: String,
    text: String,
}

const HEADLINE: usize = 500;
/// Of 16,383 characters: what is longer becomes several messages.
const TEXT: usize = 7_600;

impl Mattermost {
    /// How it is spoken to.
    #[must_use]
    pub fn wire(&self) -> Wire {
        self.wire.clone()
    }

    /// What is told to it: everything.
    #[must_use]
    pub fn compose(&self, letter: &Letter<'_>) -> Vec<Request> {
        let headline = short(&letter.wording.headline(), Unit::Utf16, HEADLINE);
        let text = fit(&Markup::Markdown.below(&letter.wording), Unit::Utf16, TEXT);
        let post = Post {
            channel: self.channel.as_deref(),
            text: Markup::Markdown.bold(&headline),
            attachments: [Attachment { color: colour(letter.wording.tone), fallback: headline, text }],
        };
        vec![Request::json(Locator::new(&self.url, ""), &letter.notification.key, &post)]
    }
}
