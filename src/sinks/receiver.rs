//! Receivers: who is told, and how they are reached. Settings that were checked.
//!
//! Deliberately holds references to secrets ([`Secret`]), never their values: those are read when a message is sent,
//! so that a rotated secret works without a restart and nothing here can leak one.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::kind::ReceiverKind;
use super::template::Templates;

pub use lettre::message::Mailbox;
pub use url::Url;

/// Somebody who is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Receiver {
    /// Its name, unique; routes, the outbox and metrics know it by this.
    pub name: String,
    /// How it is reached.
    pub kind: ReceiverKind,
    /// A message that was not taken for this long is told elsewhere, and that is a trouble of Squelch's own
    /// ([`Receiver::DEADLINE`]). It is tried on all the same.
    pub deadline: Duration,
    /// The names of the receivers that are told then.
    pub fallback: Vec<String>,
    /// The user's own words.
    pub templates: Templates,
}

impl Receiver {
    /// The default deadline.
    pub const DEADLINE: Duration = Duration::from_secs(300);

    /// A receiver without a fallback.
    #[must_use]
    pub const fn new(name: String, kind: ReceiverKind) -> Self {
        Self {
            name,
            kind,
            deadline: Self::DEADLINE,
            fallback: Vec::new(),
            templates: Templates { title: None, text: None },
        }
    }
}

/// Where a secret is found. Never the secret itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// The whole content of this file, without white space at its end.
    File(PathBuf),
    /// The value of this environment variable.
    Env(String),
}

/// Where it is, for messages: `file /run/secrets/token`, `environment variable TOKEN`.
impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Env(name) => write!(f, "environment variable {name}"),
        }
    }
}

/// The address of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// It stands in the rule file.
    Plain(Url),
    /// The whole URL is a secret (many services put their key into the path).
    Secret(Secret),
}

/// An URL that cannot be used. Deliberately does not repeat the URL: it may be secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It is no URL at all.
    #[error("this is no URL: write it as https://HOST/PATH")]
    Unreadable,
    /// Neither http nor https.
    #[error("the URL must begin with https:// or http://")]
    Scheme,
    /// It carries a user name or a password.
    #[error("the URL carries a user name or password: put the whole URL into a file and name that in `url_file`")]
    Login,
}

impl Address {
    /// An address that stands in the rule file.
    ///
    /// # Errors
    /// When it is no http(s) URL, or carries a user name or password.
    pub fn plain(text: &str) -> Result<Self, UrlError> {
        let url = read_url(text)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlError::Login);
        }
        Ok(Self::Plain(url))
    }
}

/// Reads an URL that a webhook can be sent to.
///
/// # Errors
/// When it is no http(s) URL.
pub fn read_url(text: &str) -> Result<Url, UrlError> {
    let url = Url::parse(text.trim()).map_err(|_| UrlError::Unreadable)?;
    if matches!(url.scheme(), "http" | "https") { Ok(url) } else { Err(UrlError::Scheme) }
}

/// The settings of mail by SMTP.
#[derive(Clone, Debug, PartialEq)]
pub struct Email {
    /// Who gets it; never empty.
    pub to: Vec<Mailbox>,
    /// Who it comes from.
    pub from: Mailbox,
    /// The host of the SMTP server: a name or an address.
    pub host: String,
    /// Its port ([`Tls::port`]).
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// A PEM file with the authorities to trust instead of the public ones.
    pub ca_file: Option<PathBuf>,
    /// How to log in; `None` = not at all.
    pub login: Option<Login>,
    /// How long one attempt may take ([`Email::TIMEOUT`]).
    pub timeout: Duration,
}

/// A login at an SMTP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The user's name.
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// How a connection to an SMTP server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    /// It begins in the clear and must be upgraded before anything else is said.
    #[default]
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// Not at all.
    None,
}

impl Tls {
    /// Every mode.
    pub const ALL: &'static [Self] = &[Self::StartTls, Self::Tls, Self::None];

    /// Its word in rule files.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::StartTls => "starttls",
            Self::Tls => "tls",
            Self::None => "none",
        }
    }

    /// The usual port: 587, 465, 25.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Tls => 465,
            Self::None => 25,
        }
    }
}

impl Email {
    /// The default time for one attempt.
    pub const TIMEOUT: Duration = Duration::from_secs(30);

    /// Whether the password would travel readable over a network: a login without TLS to another machine.
    /// Such settings are refused.
    #[must_use]
    pub fn exposes_password(&self) -> bool {
        let here = self.host == "localhost"
            || self.host.parse::<core::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        self.login.is_some() && self.tls == Tls::None && !here
    }
}
