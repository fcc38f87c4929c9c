//! Splunk On-Call (VictorOps) by its REST endpoint: one entity an incident, acknowledged and recovered with it.
//! <https://help.victorops.com/knowledge-base/rest-endpoint-integration-guide/>.

use serde::Serialize;

use super::letter::{Letter, Turning};
use super::markup::{Markup, Unit, fit, short};
use super::pagerduty::Worse;
use super::receiver::{Address, Secret};
use super::request::{Locator, Piece, Request, Wire};
use crate::domain::Severity;

/// The settings of a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VictorOps {
    /// The endpoint without its key.
    pub url: Address,
    /// The key of the REST integration.
    pub api_key: Secret,
    /// The routing key: which team. No secret.
    pub routing_key: String,
    /// What happens when an incident becomes clearly worse.
    pub worse: Worse,
    /// How it is spoken to.
    pub wire: Wire,
}

#[derive(Serialize)]
struct Alert {
    message_type: &'static str,
    entity_id: String,
    entity_display_name: String,
    state_message: String,
    state_start_time: i64,
    monitoring_tool: &'static str,
}

const NAME: usize = 500;
const MESSAGE: usize = 20_000;

impl VictorOps {
    /// Where it is.
    pub const URL: &'static str = "https://alert.victorops.com/integrations/generic/20131114/alert";

    /// How it is spoken to.
    #[must_use]
    pub fn wire(&self) -> Wire {
        self.wire.clone()
    }

    /// What is told to it. What belongs to no incident is not for a pager.
    #[must_use]
    pub fn compose(&self, letter: &Letter<'_>) -> Vec<Request> {
        let keys = self.worse.keys(letter);
        let rings = match letter.severity() {
            Severity::Critical | Severity::Error => "CRITICAL",
            Severity::Warning => "WARNING",
            Severity::Info => "INFO",
        };
        let (word, keys) = match letter.turning() {
            Turning::Opens | Turning::Back | Turning::Untaken => (rings, &keys[..1]),
            Turning::Worse => (rings, &keys[..]),
            Turning::Taken => ("ACKNOWLEDGEMENT", &keys[..]),
            Turning::Over => ("RECOVERY", &keys[..]),
            Turning::Aside => return Vec::new(),
        };
        keys.iter().map(|key| self.alert(letter, key, word)).collect()
    }

    fn alert(&self, letter: &Letter<'_>, key: &str, message_type: &'static str) -> Request {
        let mut lines = vec![letter.wording.headline()];
        lines.extend(Markup::Plain.below(&letter.wording));
        let alert = Alert {
            message_type,
            entity_id: key.to_owned(),
            entity_display_name: short(&letter.wording.headline(), Unit::Utf16, NAME),
            state_message: fit(&lines, Unit::Utf16, MESSAGE),
            state_start_time: letter.incident().opened.millis().div_euclid(1_000),
            monitoring_tool: "Squelch",
        };
        let to = Locator::new(&self.url, "/")
            .then(Piece::Secret(self.api_key.clone()))
            .then(Piece::Text(format!("/{}", self.routing_key)));
        Request::json(to, &letter.notification.key, &alert)
    }
}
