//! Google Chat by a webhook of a space: all messages of an incident are one thread.
//! <https://developers.google.com/workspace/chat/quickstart/webhooks>.

use serde::Serialize;

use super::letter::Letter;
use super::markup::{Markup, Unit, fit, short};
use super::receiver::Address;
use super::request::{Locator, Request, Wire};

/// The settings of a space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoogleChat {
    /// The address of the webhook, with its key and token.
    pub url: Address,
    /// How it is spoken to.
    pub wire: Wire,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Post {
    text: String,
    thread: Thread,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Thread {
    thread_key: String,
}

/// In bytes, as the whole message is limited there.
const TEXT: usize = 4_000;
const HEADLINE: usize = 500;

impl GoogleChat {
    /// How it is spoken to.
    #[must_use]
    pub fn wire(&self) -> Wire {
        self.wire.clone()
    }

    /// What is told to it: everything.
    #[must_use]
    pub fn compose(&self, letter: &Letter<'_>) -> Vec<Request> {
        let mut lines = vec![Markup::Chat.bold(&short(&letter.wording.headline(), Unit::Bytes, HEADLINE))];
        lines.extend(Markup::Chat.below(&letter.wording));
        let thread = Thread { thread_key: letter.incident_key() };
        let post = Post { text: fit(&lines, Unit::Bytes, TEXT), thread };
        let to = Locator::new(&self.url, "").with("messageReplyOption", "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD");
        vec![Request::json(to, &letter.notification.key, &post)]
    }
}
