//! An address that is asked by `GET` again and again, so that somebody hears when nobody asks any more.
//!
//! Deliberately without repeats: the next beat is the repeat.

use tokio::time::timeout;

use super::http::Client;
use super::secrets::{blot, parts_of};
use crate::sinks::{Address, Locator, Outcome, Reading, Request, Wire};

/// An address to be asked.
#[derive(Debug)]
pub struct Beacon {
    client: Client,
    wire: Wire,
    request: Request,
    /// What must not be seen of an address that stands in the settings.
    hidden: Vec<String>,
}

impl Beacon {
    /// A beacon for this address.
    #[must_use]
    pub fn new(to: &Address) -> Self {
        let request = Request {
            method: "GET",
            to: Locator::new(to, ""),
            headers: vec![("user-agent", concat!("squelch/", env!("CARGO_PKG_VERSION")).to_owned())],
            body: String::new(),
            secrets: Vec::new(),
            reading: Reading::Status,
            lenient: false,
            idempotency_key: String::new(),
        };
        let hidden = match to {
            Address::Plain(url) => parts_of(url),
            Address::Secret(_) => Vec::new(),
        };
        Self { client: Client::default(), wire: Wire::default(), request, hidden }
    }

    /// Asks once, for at most [`Wire::TIMEOUT`]. Redirects are not followed.
    ///
    /// # Errors
    /// Why it was not heard, without anything of the address that may be secret.
    pub async fn send(&mut self) -> Result<(), String> {
        match timeout(self.wire.timeout, self.client.send(&self.wire, &self.request)).await {
            Err(_) => Err(format!("no answer within {} s", self.wire.timeout.as_secs())),
            Ok((Outcome::Delivered, _)) => Ok(()),
            Ok((Outcome::Retry { why, .. } | Outcome::Rejected { why }, _)) => Err(blot(&why, &self.hidden)),
        }
    }
}
