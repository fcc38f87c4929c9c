//! A notification as a mail: plain text and HTML that a phone shows well, by day and by night.
//!
//! All mails of an incident refer to one made-up first message, so that mail programs show them as one thread even
//! where the first mail went to somebody else. A repeat has the same `Message-ID`. A digest is a mail of its own, with the images
//! that it brings. Deliberately no tracking, nothing loaded from anywhere.

use std::time::{Duration, SystemTime};

use lettre::message::header::{ContentDisposition, ContentId, ContentType, HeaderName, HeaderValue};
use lettre::message::{MultiPart, SinglePart};

use super::clean::html as escape;
use super::text::{Line, Tone, Wording, decided};
use super::{Email, Letter, Mailbox};
use crate::domain::{Content, Dispatch, Fingerprint, Image, Notification, Severity};

/// The parts of a mail.
#[derive(Clone, Debug, PartialEq)]
pub struct Mail {
    /// Who it comes from.
    pub from: Mailbox,
    /// Who gets it.
    pub to: Vec<Mailbox>,
    /// The subject, in one line.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The HTML.
    pub html: String,
    /// The images that the HTML refers to.
    pub images: Vec<Image>,
    /// Milliseconds since the epoch: when it was decided, not when it is sent.
    pub date: i64,
    /// `<…>`: derived from the notification's key.
    pub message_id: String,
    /// `<…>`: the same for all mails of one incident; empty = it belongs to none.
    pub thread: String,
    /// Further headers: name and value, visible ASCII.
    pub headers: Vec<(&'static str, String)>,
}

/// The mail for a notification.
#[must_use]
pub fn compose(email: &Email, letter: &Letter<'_>) -> Mail {
    match &letter.notification.content {
        Content::Digest(digest) => of_digest(email, letter, digest),
        Content::Page(_) | Content::Reminder(_) | Content::Notice(_) => of_incident(email, letter),
    }
}

/// A digest was put together before; only its images get their names here.
fn of_digest(email: &Email, letter: &Letter<'_>, digest: &Dispatch) -> Mail {
    let cid = |image: &Image| format!("{}.{}@{}", image.name, Fingerprint::of(&[&digest.digest]), domain(&email.from));
    let html = digest.images.iter().fold(digest.html.clone(), |html, image| {
        html.replace(&format!("\"cid:{}\"", image.name), &format!("\"cid:{}\"", cid(image)))
    });
    let images = digest.images.iter().map(|image| Image { name: cid(image), png: image.png.clone() }).collect();
    Mail {
        subject: digest.subject.clone(),
        text: digest.text.clone(),
        html,
        images,
        thread: String::new(),
        ..of_incident(email, letter)
    }
}

fn of_incident(email: &Email, letter: &Letter<'_>) -> Mail {
    let (notification, wording) = (letter.notification, &letter.wording);
    let incident = &notification.incident;
    let key = &notification.key;
    let domain = domain(&email.from);
    // The number of an incident begins anew with a new store; its opening makes it one of a kind.
    let opened = Fingerprint::of(&[&incident.opened.millis().to_string()]);
    let receiver = Fingerprint::of(&[&key.receiver]);
    let (number, step) = (key.incident, key.step);
    // What is about no incident stands under number 0, which says nothing to people.
    let which = if number.0 == 0 { String::new() } else { format!(" (#{number})") };
    Mail {
        from: email.from.clone(),
        to: email.to.clone(),
        subject: if wording.own_title {
            wording.title.clone()
        } else {
            format!("[{}] {}{which}", wording.tag, wording.title)
        },
        text: wording.plain(),
        html: html(wording),
        images: Vec::new(),
        date: decided(notification).millis(),
        message_id: format!("<{number}.{step}.{receiver}.{opened}@{domain}>"),
        thread: format!("<{number}.{opened}@{domain}>"),
        headers: headers(notification),
    }
}

/// The sender's domain in its ASCII form.
fn domain(from: &Mailbox) -> String {
    url::Host::parse(from.email.domain()).map_or_else(|_| "squelch.invalid".to_owned(), |host| host.to_string())
}

/// Vacation answers stay silent; a page that hurts people is marked as urgent.
fn headers(notification: &Notification) -> Vec<(&'static str, String)> {
    let mut headers = vec![
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("X-Squelch-Key", super::request::idempotency_key(&notification.key)),
    ];
    if notification.content.page().is_some_and(|page| page.severity == Severity::Critical) {
        headers.push(("Importance", "high".to_owned()));
        headers.push(("X-Priority", "1".to_owned()));
    }
    headers
}

impl Mail {
    /// The mail in the form in which it travels.
    ///
    /// # Errors
    /// When it has no recipient.
    pub fn message(&self) -> Result<lettre::Message, lettre::error::Error> {
        let date = SystemTime::UNIX_EPOCH + Duration::from_millis(self.date.max(0).unsigned_abs());
        let mut builder = lettre::Message::builder()
            .from(self.from.clone())
            .subject(&self.subject)
            .date(date)
            .message_id(Some(self.message_id.clone()));
        if !self.thread.is_empty() {
            builder = builder.in_reply_to(self.thread.clone()).references(self.thread.clone());
        }
        for to in &self.to {
            builder = builder.to(to.clone());
        }
        for (name, value) in &self.headers {
            builder = builder.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), value.clone()));
        }
        // Derived, so that a repeat is the same mail to the byte.
        let boundary = Fingerprint::of(&[&self.message_id, &self.text]);
        let both = MultiPart::alternative()
            .boundary(format!("squelch-{boundary}"))
            .singlepart(SinglePart::plain(self.text.clone()));
        builder.multipart(match self.images.as_slice() {
            [] => both.singlepart(SinglePart::html(self.html.clone())),
            images => both.multipart(self.illustrated(images, boundary)),
        })
    }

    /// The HTML with its images (RFC 2387, RFC 2392).
    fn illustrated(&self, images: &[Image], boundary: Fingerprint) -> MultiPart {
        let html = MultiPart::related()
            .boundary(format!("squelch-images-{boundary}"))
            .singlepart(SinglePart::html(self.html.clone()));
        images.iter().fold(html, |parts, image| {
            let part = SinglePart::builder()
                .header(ContentType::parse("image/png").unwrap_or(ContentType::TEXT_PLAIN))
                .header(ContentDisposition::inline())
                .header(ContentId::from(format!("<{}>", image.name)));
            parts.singlepart(part.body(image.png.clone()))
        })
    }
}

/// No background but on the tag, no text colour: the reader's own light or dark stays.
const HEAD: &str = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\">\
<style>:root{color-scheme:light dark}</style></head>\n\
<body style=\"margin:0;padding:16px;font:16px/1.45 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif\">\n\
<div style=\"max-width:600px;margin:0 auto;overflow-wrap:anywhere\">\n";

fn html(wording: &Wording) -> String {
    let colour = match wording.tone {
        Tone::Alarm => "#b3261e",
        Tone::Warning => "#8a5300",
        Tone::Over => "#1b6e3c",
        Tone::Quiet => "#4a5568",
    };
    let mut out = HEAD.to_owned();
    out += &format!(
        "<p style=\"margin:0 0 8px\"><span style=\"background:{colour};color:#fff;font-weight:700;font-size:13px;\
padding:3px 8px;border-radius:4px\">{}</span> <span style=\"font-size:14px\">{}</span></p>\n",
        escape(wording.tag),
        escape(&wording.when)
    );
    out += &format!("<h1 style=\"font-size:20px;line-height:1.3;margin:0 0 8px\">{}</h1>\n", escape(&wording.title));
    out += &format!("<p style=\"margin:0\">{}</p>\n", escape(&wording.lead).replace('\n', "<br>\n"));
    for part in &wording.parts {
        out += &format!("<h2 style=\"font-size:13px;margin:18px 0 4px;opacity:.7\">{}</h2>\n", escape(part.label));
        for line in &part.lines {
            out += &format!("<p style=\"margin:0 0 4px\">{}</p>\n", line_html(line));
        }
    }
    out += "</div></body></html>\n";
    out
}

fn line_html(line: &Line) -> String {
    match line {
        Line::Text(text) => escape(text),
        Line::Bits(bits, name) => {
            format!("<b>{bits:.1} bits</b> <span style=\"font-size:14px\">{}</span>", escape(name))
        }
        Line::Command(command) => {
            format!("<code style=\"font:14px ui-monospace,Menlo,Consolas,monospace\">{}</code>", escape(command))
        }
        Line::Link(what, url) => format!("{}: <a href=\"{1}\">{1}</a>", escape(what), escape(url)),
    }
}
