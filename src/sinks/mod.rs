//! Notifications into requests of other tools: one file a kind of receiver.
//! Pure: no network, no clock, no secrets. `deliver` performs what is composed here.

pub mod alertmanager;
pub mod answer;
pub mod clean;
pub mod console;
pub mod discord;
pub mod email;
pub mod exec;
pub mod google_chat;
pub mod kafka;
pub mod kind;
pub mod letter;
pub mod markup;
pub mod masked;
pub mod mattermost;
pub mod ntfy;
pub mod opsgenie;
pub mod pagerduty;
pub mod pushover;
pub mod receiver;
pub mod request;
pub mod samples;
pub mod slack;
pub mod teams;
pub mod telegram;
pub mod template;
pub mod text;
pub mod twilio;
pub mod victorops;
pub mod webhook;
pub mod when;

use std::time::Duration;

pub use answer::{Answer, Reading, judge};
pub use console::Paint;
pub use email::Mail;
pub use kind::ReceiverKind;
pub use letter::{Known, Letter, Turning};
pub use receiver::{Address, Email, Login, Mailbox, Receiver, Secret, Tls, Url, UrlError};
pub use request::{Locator, Piece, Place, Request, Wire};
pub use template::Templates;
pub use webhook::Webhook;

/// What is to be sent, ready but for the secrets.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// Lines to be written.
    Console(Vec<String>),
    /// Requests to be performed, in this order; none = nothing of this is told to such a receiver.
    Http(Vec<Request>),
    /// A mail to be sent.
    Mail(Box<Mail>),
    /// A program to be started.
    Exec(exec::Start),
    /// A message into a topic.
    Kafka(Box<kafka::Record>),
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
