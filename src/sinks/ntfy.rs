//! ntfy, at ntfy.sh or a server of one's own: <https://docs.ntfy.sh/publish/#publish-as-json>.
//!
//! Who knows a topic can read it, so the topic may be a secret.

use serde::Serialize;

use super::letter::Letter;
use super::markup::{Markup, Unit, fit, short};
use super::receiver::{Address, Secret};
use super::request::{Locator, Place, Request, Wire};
use super::text::Tone;
use crate::domain::Severity;

/// The settings of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ntfy {
    /// The server.
    pub url: Address,
    /// The topic.
    pub topic: Topic,
    /// The access token.
    pub token: Option<Secret>,
    /// How it is spoken to.
    pub wire: Wire,
}

/// The name of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topic {
    /// It stands in the rule file.
    Plain(String),
    /// It is a secret.
    Secret(Secret),
}

#[derive(Serialize)]
struct Post<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<&'a str>,
    title: String,
    message: String,
    priority: u8,
    tags: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    click: Option<String>,
}

/// In bytes: what is longer becomes an attachment.
const MESSAGE: usize = 4_096;
const TITLE: usize = 250;

impl Ntfy {
    /// The public server.
    pub const URL: &'static str = "https://ntfy.sh";

    /// How it is spoken to.
    #[must_use]
    pub fn wire(&self) -> Wire {
        self.wire.clone()
    }

    /// What is told to it: everything. What does not ring has a low priority.
    #[must_use]
    pub fn compose(&self, letter: &Letter<'_>) -> Vec<Request> {
        let post = Post {
            topic: match &self.topic {
                Topic::Plain(name) => Some(name),
                Topic::Secret(_) => None,
            },
            title: short(&letter.wording.headline(), Unit::Bytes, TITLE),
            message: fit(&Markup::Plain.below(&letter.wording), Unit::Bytes, MESSAGE),
            priority: priority(letter),
            tags: [match letter.wording.tone {
                Tone::Alarm => "rotating_light",
                Tone::Warning => "warning",
                Tone::Over => "white_check_mark",
                Tone::Quiet => "information_source",
            }],
            click: letter.links().into_iter().next().map(|(_, url)| url),
        };
        let mut request = Request::json(Locator::new(&self.url, ""), &letter.notification.key, &post);
        if let Topic::Secret(secret) = &self.topic {
            request = request.secret(Place::Field("topic"), secret);
        }
        vec![match &self.token {
            Some(token) => request.secret(Place::Header("authorization", "Bearer "), token),
            None => request,
        }]
    }
}

/// 5 rings until it is seen, 4 rings, 2 makes no sound.
fn priority(letter: &Letter<'_>) -> u8 {
    match (letter.rings(), letter.severity()) {
        (true, Severity::Critical) => 5,
        (true, _) => 4,
        (false, _) => 2,
    }
}
