//! SMS by Twilio: <https://www.twilio.com/docs/messaging/api/message-resource>. One request a number.
//!
//! A text message costs money and is short, so only what one must know is told: pages, that it is back, that it is
//! over.

use super::letter::{Letter, Turning};
use super::markup::{Unit, short};
use super::receiver::{Address, Secret};
use super::request::{Locator, Place, Request, Wire};
use super::text::component;

/// The settings of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twilio {
    /// The API: `https://api.twilio.com`.
    pub url: Address,
    /// The account, `AC…`. No secret.
    pub account: String,
    /// Its auth token.
    pub token: Secret,
    /// The number that it comes from, or a messaging service, `MG…`.
    pub from: String,
    /// The numbers that get it; never none.
    pub to: Vec<String>,
    /// How it is spoken to.
    pub wire: Wire,
}

/// Three segments of the smaller alphabet. Twilio takes 1,600.
const BODY: usize = 459;

impl Twilio {
    /// Where the API is.
    pub const URL: &'static str = "https://api.twilio.com";

    /// How it is spoken to.
    #[must_use]
    pub fn wire(&self) -> Wire {
        self.wire.clone()
    }

    /// What is told to it.
    #[must_use]
    pub fn compose(&self, letter: &Letter<'_>) -> Vec<Request> {
        if matches!(letter.turning(), Turning::Taken | Turning::Aside) {
            return Vec::new();
        }
        self.to.iter().map(|to| self.message(letter, to)).collect()
    }

    fn message(&self, letter: &Letter<'_>, to: &str) -> Request {
        let from = if self.from.starts_with("MG") { "MessagingServiceSid" } else { "From" };
        let origin = component(letter.origin());
        let body = match (letter.interrupts(), origin.as_str()) {
            (true, origin) if !origin.is_empty() => {
                format!("{} Origin: {origin}. squelch why {}", letter.wording.headline(), letter.incident().incident)
            }
            _ => letter.wording.headline(),
        };
        let pairs = [("To", to.to_owned()), (from, self.from.clone()), ("Body", short(&body, Unit::Utf16, BODY))];
        let path = format!("/2010-04-01/Accounts/{}/Messages.json", self.account);
        Request::form(Locator::new(&self.url, path), &letter.notification.key, &pairs)
            .secret(Place::Basic(self.account.clone()), &self.token)
    }
}
