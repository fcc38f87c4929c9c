//! Notifications into requests of other tools: one file a kind of receiver.
//! Pure: no network, no clock.

pub mod receiver;

pub use receiver::{Address, Email, Login, Mailbox, Receiver, ReceiverKind, Secret, Tls, Url, UrlError, Webhook};
