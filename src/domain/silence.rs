//! Quiet by a person's order, from a rule file or over HTTP.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::event::Event;
use super::matcher::Matcher;
use super::posting::PostedText;
use super::time::Timestamp;

/// Alerts that match are held back while it is in force. What still fires when it ends is judged anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Silence {
    /// Its name: from the rule file, or made by the shell.
    pub id: String,
    /// All must match.
    pub matchers: Vec<Matcher>,
    /// What the matchers look at.
    pub looks_at: LooksAt,
    /// In force from here on.
    pub from: Timestamp,
    /// In force until just before this.
    pub until: Timestamp,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// When it was set, changed or ended by hand; the epoch for one of a rule file.
    pub updated: Timestamp,
}

/// What the matchers of a silence look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LooksAt {
    /// The fields of the event, as Squelch read them, and its labels.
    Fields,
    /// The labels as they were sent, as Alertmanager's silences do: `severity="page"` is what the sender wrote.
    Posted,
}

impl Silence {
    /// One that is over is remembered for so long, as Alertmanager does by default.
    pub const REMEMBERED: Duration = Duration::from_secs(120 * 3600);

    /// Whether it is in force.
    #[must_use]
    pub fn in_force(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.until
    }

    /// Whether its matchers fit an event, and what was posted with it as far as that is known.
    #[must_use]
    pub fn fits(&self, event: &Event, posted: Option<&PostedText>) -> bool {
        match (self.looks_at, posted) {
            (LooksAt::Posted, Some(text)) => self.fits_posted(text),
            (LooksAt::Posted, None) | (LooksAt::Fields, _) => self.matchers.iter().all(|matcher| matcher.fits(event)),
        }
    }

    /// Whether its matchers fit what was posted, where that is all there is.
    #[must_use]
    pub fn fits_posted(&self, text: &PostedText) -> bool {
        self.matchers.iter().all(|matcher| {
            matcher.fits_value(match self.looks_at {
                LooksAt::Posted => text.label(matcher.name()),
                LooksAt::Fields => text.field(matcher.name()),
            })
        })
    }
}
