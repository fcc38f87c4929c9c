//! A notification with its wording, and with what the receiver knows of its incident already: what every kind of
//! receiver composes its requests from.

use serde::{Deserialize, Serialize};

use super::text::Wording;
use super::{clean, when};
use crate::domain::{
    Content, Fingerprint, IncidentId, IncidentSummary, NoticeAction, Notification, Origin, Page, PageAction, Severity,
};

/// A message that a receiver has about an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// By what name the service knows the message.
    pub id: String,
    /// The latest page that it shows, so that what changes it later need not forget the evidence.
    pub page: Option<Box<Page>>,
}

/// What a notification is to a receiver that keeps count of incidents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turning {
    /// It begins: a page.
    Opens,
    /// It is clearly worse: a page.
    Worse,
    /// Nobody has taken it: a page, again or for somebody else.
    Untaken,
    /// Somebody has taken it.
    Taken,
    /// It was over, and is on again.
    Back,
    /// It is over.
    Over,
    /// Anything else that is told.
    Aside,
}

/// A notification, ready to be laid out.
#[derive(Clone, Debug)]
pub struct Letter<'a> {
    /// What is told.
    pub notification: &'a Notification,
    /// In words.
    pub wording: Wording,
    /// The message that the receiver has about the incident.
    pub known: Option<&'a Known>,
}

impl<'a> Letter<'a> {
    /// The letter for a notification.
    #[must_use]
    pub fn of(notification: &'a Notification, known: Option<&'a Known>) -> Self {
        Self { notification, wording: Wording::of(notification), known }
    }

    /// The same as the message of the incident is to show it: what a notice leaves out is taken from the page that it
    /// shows already.
    #[must_use]
    pub fn with_page_of_known(&self) -> Self {
        let mut letter = self.clone();
        if let (None, Some(page)) = (self.page(), self.known.and_then(|known| known.page.as_deref())) {
            letter.wording.keep_of(page, self.incident());
        }
        letter
    }

    /// What it is to a receiver that keeps count of incidents.
    #[must_use]
    pub fn turning(&self) -> Turning {
        match &self.notification.content {
            Content::Page(page) => match page.action {
                PageAction::Open => Turning::Opens,
                PageAction::Escalate => Turning::Worse,
            },
            Content::Reminder(_) => Turning::Untaken,
            Content::Digest(_) => Turning::Aside,
            Content::Notice(notice) if notice.incident.is_none() => Turning::Aside,
            Content::Notice(notice) => match notice.action {
                NoticeAction::Ack => Turning::Taken,
                NoticeAction::Reopen => Turning::Back,
                NoticeAction::Resolve => Turning::Over,
                NoticeAction::Update
                | NoticeAction::Flapping
                | NoticeAction::Steady
                | NoticeAction::Withheld
                | NoticeAction::Expire => Turning::Aside,
            },
        }
    }

    /// The page, when it is one.
    #[must_use]
    pub fn page(&self) -> Option<&'a Page> {
        self.notification.content.page()
    }

    /// The incident as it stood then.
    #[must_use]
    pub const fn incident(&self) -> &'a IncidentSummary {
        &self.notification.incident
    }

    /// The severity of the page, or else of the incident.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.page().map_or(self.incident().severity, |page| page.severity)
    }

    /// The most likely origin: of the page, or else of the incident.
    #[must_use]
    pub fn origin(&self) -> &'a Origin {
        self.page().map_or(&self.incident().origin, |page| &page.origin)
    }

    /// The same for all messages of an incident, whoever is told: its number, which begins anew with a new store, and
    /// its opening, which makes it one of a kind. ASCII, at most 50 characters.
    #[must_use]
    pub fn incident_key(&self) -> String {
        incident_key(self.incident())
    }

    /// Whether a person is interrupted.
    #[must_use]
    pub fn interrupts(&self) -> bool {
        self.notification.content.page().is_some()
    }

    /// Whether it should make a sound: a page, and what was told to be over and is on again.
    #[must_use]
    pub fn rings(&self) -> bool {
        self.interrupts() || self.turning() == Turning::Back
    }

    /// The same in short, as an answer to a message that says the rest: pages as they are, of notices the first lines.
    #[must_use]
    pub fn as_answer(&self) -> Self {
        let mut letter = self.clone();
        if !self.interrupts() {
            letter.wording.parts.clear();
        }
        letter
    }

    /// The runbook, and where to look, as addresses that people may follow.
    #[must_use]
    pub fn links(&self) -> Vec<(&'static str, String)> {
        let page = self.page().or_else(|| self.known.and_then(|known| known.page.as_deref()));
        let link = |what, url: Option<&String>| Some((what, clean::link(url?)?));
        let both = page.map(|page| [link("runbook", page.runbook_url.as_ref()), link("source", page.url.as_ref())]);
        both.into_iter().flatten().flatten().collect()
    }

    /// When it was decided: RFC 3339, UTC.
    #[must_use]
    pub fn ts(&self) -> String {
        when::iso(super::text::decided(self.notification))
    }
}

/// The same for all messages of an incident: see [`Letter::incident_key`].
#[must_use]
pub fn incident_key(incident: &IncidentSummary) -> String {
    let opened = Fingerprint::of(&[&incident.opened.millis().to_string()]);
    format!("squelch-{}-{opened}", incident.incident)
}

/// The number and the key of an incident in what a receiver gives back: its key, or what begins with it
/// (`squelch-7-…-worse`).
#[must_use]
pub fn keyed(text: &str) -> Option<(IncidentId, &str)> {
    let rest = text.strip_prefix("squelch-")?;
    let (number, rest) = rest.split_once('-')?;
    let tail = rest.split_once('-').map_or(0, |(_, tail)| tail.len() + 1);
    Some((IncidentId(number.parse().ok()?), &text[..text.len() - tail]))
}

#[cfg(test)]
mod tests {
    use super::keyed;
    use crate::domain::IncidentId;

    #[test]
    fn a_key_is_found_in_what_receivers_give_back() {
        for text in ["squelch-7-00ff", "squelch-7-00ff-worse", "squelch-7-00ff-3-x"] {
            assert_eq!(keyed(text), Some((IncidentId(7), "squelch-7-00ff")), "{text}");
        }
        for text in ["", "squelch-", "squelch-7", "squelch--", "squelch-x-00ff", "other-7-00ff", "7"] {
            assert_eq!(keyed(text), None, "{text}");
        }
    }
}
