//! Quiet by a person's order, from a rule file or over HTTP.

use serde::{Deserialize, Serialize};

use super::matcher::Matcher;
use super::time::Timestamp;

/// Alerts that match are held back while it is in force. What still fires when it ends is judged anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Silence {
    /// Its name: from the rule file, or made by the shell.
    pub id: String,
    /// All must match.
    pub matchers: Vec<Matcher>,
    /// In force from here on.
    pub from: Timestamp,
    /// In force until just before this.
    pub until: Timestamp,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
}

impl Silence {
    /// Whether it is in force.
    #[must_use]
    pub fn in_force(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.until
    }
}
