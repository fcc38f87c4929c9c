//! Microsoft Teams: an Adaptive Card to the address of a workflow ("Post to a channel when a webhook request is
//! received"), which took the place of connectors. Cards cannot be changed later that way, so each message is one.
//!
//! All foreign text stands in text runs, which know no markup.

use serde::Serialize;

use super::answer::Reading;
use super::letter::Letter;
use super::markup::{Unit, short};
use super::receiver::Address;
use super::request::{Locator, Request, Wire};
use super::text::{Line, Part, Tone};

/// The settings of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Teams {
    /// The address of the workflow.
    pub url: Address,
    /// How it is spoken to.
    pub wire: Wire,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    r#type: &'static str,
    attachments: [Attachment; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Attachment {
    content_type: &'static str,
    content: Card,
}

#[derive(Serialize)]
struct Card {
    #[serde(rename = "$schema")]
    schema: &'static str,
    r#type: &'static str,
    version: &'static str,
    /// What a notification shows.
    #[serde(rename = "fallbackText")]
    fallback: String,
    body: Vec<Block>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<Action>,
    msteams: Width,
}

#[derive(Serialize)]
struct Width {
    width: &'static str,
}

#[derive(Serialize)]
struct Block {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    separator: Option<bool>,
    inlines: Vec<Run>,
}

#[derive(Serialize)]
struct Run {
    r#type: &'static str,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<&'static str>,
    #[serde(rename = "fontType", skip_serializing_if = "Option::is_none")]
    font: Option<&'static str>,
}

#[derive(Serialize)]
struct Action {
    r#type: &'static str,
    title: &'static str,
    url: String,
}

/// The limit of a whole message is 28 KB; texts take at most this, in bytes, before they are escaped.
const TEXT: usize = 8_000;
const HEADLINE: usize = 500;

impl Teams {
    /// How it is spoken to.
    #[must_use]
    pub fn wire(&self) -> Wire {
        self.wire.clone()
    }

    /// What is told to it: everything.
    #[must_use]
    pub fn compose(&self, letter: &Letter<'_>) -> Vec<Request> {
        let wording = &letter.wording;
        let headline = short(&wording.headline(), Unit::Utf16, HEADLINE);
        let colour = match wording.tone {
            Tone::Alarm => "Attention",
            Tone::Warning => "Warning",
            Tone::Over => "Good",
            Tone::Quiet => "Default",
        };
        let head = Run { size: Some("Medium"), color: Some(colour), ..bold(headline.clone()) };
        let mut body = vec![block(vec![head])];
        let mut room = TEXT;
        for line in wording.lead.lines() {
            body.extend(spend(&mut room, line).map(|text| block(vec![run(text)])));
        }
        for part in &wording.parts {
            body.extend(lines(part, &mut room));
        }
        let action = |(title, url)| Action { r#type: "Action.OpenUrl", title, url };
        let card = Card {
            schema: "http://adaptivecards.io/schemas/adaptive-card.json",
            r#type: "AdaptiveCard",
            version: "1.4",
            fallback: headline,
            body,
            actions: letter.links().into_iter().map(action).collect(),
            msteams: Width { width: "Full" },
        };
        let content_type = "application/vnd.microsoft.card.adaptive";
        let message = Envelope { r#type: "message", attachments: [Attachment { content_type, content: card }] };
        vec![Request::json(Locator::new(&self.url, ""), &letter.notification.key, &message).read_as(Reading::Teams)]
    }
}

/// The heading, then each line; links stand as buttons below the card.
fn lines(part: &Part, room: &mut usize) -> Vec<Block> {
    let shown = part.lines.iter().filter(|line| !matches!(line, Line::Link(..)));
    let told = shown.filter_map(|line| {
        Some(match line {
            Line::Bits(bits, name) => vec![bold(format!("{bits:.1} bits ")), run(spend(room, name)?)],
            Line::Command(command) => vec![Run { font: Some("Monospace"), ..run(spend(room, command)?) }],
            Line::Text(_) | Line::Link(..) => vec![run(spend(room, &line.plain())?)],
        })
    });
    let told: Vec<_> = told.map(block).collect();
    if told.is_empty() {
        return told;
    }
    let heading = Block { separator: Some(true), ..block(vec![bold(part.label.to_owned())]) };
    std::iter::once(heading).chain(told).collect()
}

/// The text, when there is room for it.
fn spend(room: &mut usize, text: &str) -> Option<String> {
    *room = room.checked_sub(text.len())?;
    Some(text.to_owned())
}

const fn block(inlines: Vec<Run>) -> Block {
    Block { r#type: "RichTextBlock", separator: None, inlines }
}

const fn run(text: String) -> Run {
    Run { r#type: "TextRun", text, weight: None, size: None, color: None, font: None }
}

fn bold(text: String) -> Run {
    Run { weight: Some("Bolder"), ..run(text) }
}
