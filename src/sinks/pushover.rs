//! Pushover: <https://pushover.net/api>. What is critical is an emergency there: it rings again and again until
//! somebody confirms it; that ends when the incident is taken or over.

use super::letter::{Letter, Turning};
use super::markup::{Markup, Unit, fit, short};
use super::receiver::{Address, Secret};
use super::request::{Locator, Piece, Place, Request, Wire};
use super::text::decided;
use crate::domain::Severity;

use std::time::Duration;

/// The settings of a user or group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushover {
    /// The API: `https://api.pushover.net`.
    pub url: Address,
    /// The key of the user or group.
    pub user_key: Secret,
    /// The token of the application.
    pub token: Secret,
    /// An emergency rings this often: 30 s to 3 h.
    pub retry: Duration,
    /// An emergency rings for this long: at most 3 h.
    pub expire: Duration,
    /// How it is spoken to.
    pub wire: Wire,
}

const MESSAGE: usize = 1_024;
const TITLE: usize = 250;
const URL: usize = 512;

impl Pushover {
    /// Where it is.
    pub const URL: &'static str = "https://api.pushover.net";
    /// How often an emergency rings, if nothing else is said.
    pub const RETRY: Duration = Duration::from_secs(60);
    /// For how long, if nothing else is said.
    pub const EXPIRE: Duration = Duration::from_secs(3_600);

    /// How it is spoken to.
    #[must_use]
    pub fn wire(&self) -> Wire {
        self.wire.clone()
    }

    /// What is told to it: everything. When somebody has taken it, or it is over, the ringing is ended first.
    #[must_use]
    pub fn compose(&self, letter: &Letter<'_>) -> Vec<Request> {
        let ends = matches!(letter.turning(), Turning::Taken | Turning::Over);
        let quiet = ends.then(|| self.quiet(letter).lenient());
        quiet.into_iter().chain([self.message(letter)]).collect()
    }

    fn message(&self, letter: &Letter<'_>) -> Request {
        let priority = priority(letter);
        let at = decided(letter.notification).millis().div_euclid(1_000);
        let mut pairs = vec![
            ("title", short(&letter.wording.headline(), Unit::Utf16, TITLE)),
            ("message", fit(&Markup::Plain.below(&letter.wording), Unit::Utf16, MESSAGE)),
            ("priority", priority.to_string()),
            ("timestamp", at.to_string()),
        ];
        if priority == 2 {
            pairs.push(("retry", self.retry.as_secs().to_string()));
            pairs.push(("expire", self.expire.as_secs().to_string()));
            pairs.push(("tags", letter.incident_key()));
        }
        if let Some((what, url)) = letter.links().into_iter().find(|(_, url)| url.len() <= URL) {
            pairs.push(("url", url));
            pairs.push(("url_title", what.to_owned()));
        }
        Request::form(Locator::new(&self.url, "/1/messages.json"), &letter.notification.key, &pairs)
            .secret(Place::Field("token"), &self.token)
            .secret(Place::Field("user"), &self.user_key)
    }

    /// Ends the ringing of all emergencies of the incident.
    fn quiet(&self, letter: &Letter<'_>) -> Request {
        let path = format!("/1/receipts/cancel_by_tag/{}.json", letter.incident_key());
        let to = Locator::new(&self.url, "").then(Piece::Text(path));
        Request::form(to, &letter.notification.key, &[]).secret(Place::Field("token"), &self.token)
    }
}

/// 2 is an emergency, 1 passes quiet hours, -1 makes no sound.
fn priority(letter: &Letter<'_>) -> i8 {
    match (letter.rings(), letter.severity()) {
        (true, Severity::Critical) => 2,
        (true, _) => 1,
        (false, _) => -1,
    }
}
