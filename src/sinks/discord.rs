//! Discord by a webhook: one message an incident, changed in place; what interrupts, and what is over, is also said
//! anew. <https://discord.com/developers/docs/resources/webhook>.

use serde::Serialize;

use super::answer::Reading;
use super::letter::Letter;
use super::markup::{Markup, Unit, fit, short};
use super::receiver::Address;
use super::request::{Locator, Request, Wire};
use super::text::Tone;

/// The settings of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discord {
    /// The address of the webhook.
    pub url: Address,
    /// How it is spoken to.
    pub wire: Wire,
}

#[derive(Serialize)]
struct Post {
    content: String,
    embeds: Vec<Embed>,
    /// Nobody is called, whatever foreign text says.
    allowed_mentions: Mentions,
}

#[derive(Serialize)]
struct Mentions {
    parse: [&'static str; 0],
}

#[derive(Serialize)]
struct Embed {
    description: String,
    color: u32,
}

const CONTENT: usize = 2_000;
/// Embeds take 4,096 in one description, and 6,000 in all.
const DESCRIPTION: usize = 4_096;

impl Discord {
    /// How it is spoken to.
    #[must_use]
    pub fn wire(&self) -> Wire {
        self.wire.clone()
    }

    /// What is told to it: everything.
    #[must_use]
    pub fn compose(&self, letter: &Letter<'_>) -> Vec<Request> {
        let new = Locator::new(&self.url, "").with("wait", "true");
        let post = Request::json(new, &letter.notification.key, &post(letter, true));
        let Some(known) = letter.known else { return vec![post.read_as(Reading::Discord)] };
        let to = Locator::new(&self.url, format!("/messages/{}", known.id));
        let shown = letter.with_page_of_known();
        let edit = Request::json(to, &letter.notification.key, &self::post(&shown, true));
        let edit = Request { method: "PATCH", ..edit.lenient() };
        let brief = self::post(letter, letter.interrupts());
        let new = Locator::new(&self.url, "").with("wait", "true");
        vec![edit, Request::json(new, &letter.notification.key, &brief)]
    }
}

fn post(letter: &Letter<'_>, whole: bool) -> Post {
    let wording = &letter.wording;
    // A sign may become two.
    let content = Markup::Markdown.bold(&short(&wording.headline(), Unit::Utf16, CONTENT / 2 - 4));
    let description = fit(&Markup::Markdown.below(wording), Unit::Utf16, DESCRIPTION);
    let color = match wording.tone {
        Tone::Alarm => 0x00b3_261e,
        Tone::Warning => 0x008a_5300,
        Tone::Over => 0x001b_6e3c,
        Tone::Quiet => 0x004a_5568,
    };
    let embeds = if whole { vec![Embed { description, color }] } else { Vec::new() };
    Post { content, embeds, allowed_mentions: Mentions { parse: [] } }
}
