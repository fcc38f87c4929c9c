//! Notifications into requests of other tools: one file a kind of receiver.
//! Pure: no network, no clock, no secrets. `deliver` performs what is composed here.

pub mod clean;
pub mod console;
pub mod email;
pub mod receiver;
pub mod text;
pub mod webhook;
pub mod when;

use std::time::Duration;

use crate::domain::Notification;

pub use console::Paint;
pub use email::Mail;
pub use receiver::{Address, Email, Login, Mailbox, Receiver, ReceiverKind, Secret, Tls, Url, UrlError, Webhook};
pub use webhook::{Answer, Request, judge};

/// What is to be sent, ready but for the secrets.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// Lines to be written.
    Console(Vec<String>),
    /// A request to be performed.
    Http(Request),
    /// A mail to be sent.
    Mail(Box<Mail>),
}

/// What became of an attempt to deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver took it.
    Delivered,
    /// Worth another try.
    Retry {
        /// The receiver asks for this much time.
        after: Option<Duration>,
        /// What happened.
        why: String,
    },
    /// The receiver refuses it; another try would be refused, too.
    Rejected {
        /// What it says.
        why: String,
    },
}

/// What is to be sent to a receiver.
#[must_use]
pub fn compose(kind: &ReceiverKind, notification: &Notification, paint: Paint) -> Message {
    match kind {
        ReceiverKind::Console => Message::Console(console::compose(notification, paint)),
        ReceiverKind::Webhook(webhook) => Message::Http(webhook::compose(webhook, notification)),
        ReceiverKind::Email(email) => Message::Mail(Box::new(email::compose(email, notification))),
    }
}
