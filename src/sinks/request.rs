//! A request to be performed, complete but for its secrets: those are put in when it is sent.
//!
//! Deliberately holds where a secret goes, never what it is, so that a request can be shown to anybody.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::answer::Reading;
use super::receiver::{Address, Secret};
use crate::domain::NotificationKey;

/// How a service is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wire {
    /// A PEM file with the authorities to trust instead of the public ones.
    pub ca_file: Option<PathBuf>,
    /// How long one attempt may take ([`Wire::TIMEOUT`]).
    pub timeout: Duration,
}

impl Wire {
    /// The default time for one attempt.
    pub const TIMEOUT: Duration = Duration::from_secs(10);
}

impl Default for Wire {
    fn default() -> Self {
        Self { ca_file: None, timeout: Self::TIMEOUT }
    }
}

/// A request to be performed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The HTTP method.
    pub method: &'static str,
    /// Where to.
    pub to: Locator,
    /// The headers, names in lower case, values visible ASCII.
    pub headers: Vec<(&'static str, String)>,
    /// The body: a JSON object, or a form.
    pub body: String,
    /// The secrets that are put in, and where.
    pub secrets: Vec<(Place, Secret)>,
    /// How the answer is to be read.
    pub reading: Reading,
    /// Whether the next request goes out, too, when this one is refused: the change of an older message that may
    /// be gone.
    pub lenient: bool,
    /// Equal for every repeat of one message.
    pub idempotency_key: String,
}

/// An address: a base, what is added to its path, and to its query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locator {
    /// The base; the whole of it may be a secret.
    pub base: Address,
    /// Added to its path.
    pub path: Vec<Piece>,
    /// Added to its query.
    pub query: Vec<(&'static str, String)>,
}

/// A piece of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text, slashes included.
    Text(String),
    /// One segment, or a part of it, that must not be seen.
    Secret(Secret),
}

/// Where a secret is put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Into a header, behind these words.
    Header(&'static str, &'static str),
    /// The password of HTTP's basic authentication, with this name.
    Basic(String),
    /// A field of the body: at its beginning in JSON, at its end in a form.
    Field(&'static str),
}

impl Locator {
    /// A base, and what is added to its path.
    #[must_use]
    pub fn new(base: &Address, path: impl Into<String>) -> Self {
        let path = path.into();
        let path = if path.is_empty() { Vec::new() } else { vec![Piece::Text(path)] };
        Self { base: base.clone(), path, query: Vec::new() }
    }

    /// The same with something more in its path.
    #[must_use]
    pub fn then(mut self, piece: Piece) -> Self {
        self.path.push(piece);
        self
    }

    /// The same with a pair more in its query.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }
}

/// `authorization: Bearer`, `field routing_key`
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name, before) => write!(f, "{name}: {}", before.trim_end()),
            Self::Basic(user) => write!(f, "basic login of {user}"),
            Self::Field(name) => write!(f, "field {name}"),
        }
    }
}

/// The address as people may see it: `https://api.telegram.org/bot***/sendMessage`.
impl fmt::Display for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path: String = self.path.iter().map(Piece::shown).collect();
        match &self.base {
            Address::Plain(url) if path.is_empty() => f.write_str(url.as_str())?,
            Address::Plain(url) => write!(f, "{}{path}", url.as_str().trim_end_matches('/'))?,
            Address::Secret(secret) => write!(f, "(the address in {secret}){path}")?,
        }
        for (at, (name, value)) in self.query.iter().enumerate() {
            write!(f, "{}{name}={value}", if at == 0 { '?' } else { '&' })?;
        }
        Ok(())
    }
}

impl Piece {
    fn shown(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Secret(_) => "***",
        }
    }
}

impl Request {
    /// A JSON object by `POST`.
    ///
    /// # Panics
    /// Never: what is composed here has only strings as keys.
    #[must_use]
    pub fn json(to: Locator, key: &NotificationKey, body: &impl Serialize) -> Self {
        let body = serde_json::to_string(body).expect("a body has only strings as keys");
        Self::new(to, "application/json", key, body)
    }

    /// A form by `POST`.
    #[must_use]
    pub fn form(to: Locator, key: &NotificationKey, pairs: &[(&str, String)]) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        Self::new(to, "application/x-www-form-urlencoded", key, body)
    }

    fn new(to: Locator, content_type: &str, key: &NotificationKey, body: String) -> Self {
        let headers = vec![
            ("content-type", content_type.to_owned()),
            ("user-agent", concat!("squelch/", env!("CARGO_PKG_VERSION")).to_owned()),
        ];
        let idempotency_key = idempotency_key(key);
        let (reading, lenient) = (Reading::Status, false);
        Self { method: "POST", to, headers, body, secrets: Vec::new(), reading, lenient, idempotency_key }
    }

    /// The same with a secret in a place.
    #[must_use]
    pub fn secret(mut self, place: Place, secret: &Secret) -> Self {
        self.secrets.push((place, secret.clone()));
        self
    }

    /// The same with another reading of its answer.
    #[must_use]
    pub fn read_as(self, reading: Reading) -> Self {
        Self { reading, ..self }
    }

    /// The same as one that may be refused.
    #[must_use]
    pub fn lenient(self) -> Self {
        Self { lenient: true, ..self }
    }
}

/// The key as visible ASCII without white space: what else a receiver's name may hold is percent-encoded.
#[must_use]
pub fn idempotency_key(key: &NotificationKey) -> String {
    url::form_urlencoded::byte_serialize(key.to_string().as_bytes()).collect()
}
