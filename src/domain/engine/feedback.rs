//! Feedback: a person says of an incident that it was noise, or useful; what that means for its series and their kin.
//!
//! Deliberately nothing is changed but the word itself: each start looks up what is said of it, so that a word which
//! is withdrawn, or has faded, was never there. A word moves the bits of starts alone: what pages by a rule, by its
//! length, by its value or by its flapping pages as before.

use std::sync::Arc;

use super::Engine;
use crate::domain::decision::IncidentId;
use crate::domain::explain::Said;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::incident::Incident;
use crate::domain::level::Level;
use crate::domain::opinion::{About, Feedback, Opinion};
use crate::domain::stage::feedback;
use crate::domain::table::Slot;

/// A word of which less than this is left counts no longer: after five half-lives.
const FAINT: f64 = 1.0 / 32.0;

impl Engine {
    /// A person says what an incident was worth.
    pub(super) fn hear_opinion(&mut self, id: IncidentId, opinion: Opinion, by: &str) {
        let now = self.now();
        let Some(incident) = self.incident(id) else { return };
        let about = |&series: &Fingerprint| {
            let check = self.series.get(series)?.check;
            Some(About { series, check, critical: incident.critical.contains(&series) })
        };
        let about: Vec<About> = incident.members.iter().filter_map(about).collect();
        let text = match opinion {
            Opinion::Noise => format!("{by} called it noise: the next start of its {} counts for less", series(&about)),
            Opinion::Useful => {
                format!("{by} called it useful: the next start of its {} counts for more", series(&about))
            }
            Opinion::Withdraw if self.feedback.find(Incident::key(id)).is_none() => return,
            Opinion::Withdraw => format!("{by} withdrew what was said of it"),
        };
        if opinion == Opinion::Withdraw {
            self.feedback.remove(Incident::key(id));
        } else {
            self.feedback.insert(Feedback { incident: id, opinion, by: Arc::from(by), at: now, about });
        }
        if let Some(incident) = self.incident_mut(id) {
            incident.tell(now, text);
        }
        self.forget_old_words();
        self.find_said();
    }

    /// Words that have faded are forgotten, and the oldest where there are too many.
    fn forget_old_words(&mut self) {
        let (now, half_life) = (self.now(), self.policy.judgement.half_life);
        let mut words: Vec<_> = self.feedback.rows().map(|(_, word)| (word.at, word.incident)).collect();
        words.sort_unstable();
        let surplus = words.len().saturating_sub(Feedback::MOST);
        for (place, (at, id)) in words.into_iter().enumerate() {
            if place < surplus || crate::domain::stage::forget::left(now.since(at), half_life) < FAINT {
                self.feedback.remove(Incident::key(id));
            }
        }
    }

    /// Works out which words are about which series and checks.
    pub(super) fn find_said(&mut self) {
        self.said.clear();
        let mut words: Vec<&Feedback> = self.feedback.rows().map(|(_, word)| word).collect();
        words.sort_unstable_by_key(|word| word.incident);
        for word in words {
            for about in &word.about {
                for whom in [about.series, about.check] {
                    let said = self.said.entry(whom).or_default();
                    match said.last_mut() {
                        Some((incident, critical)) if *incident == word.incident => *critical |= about.critical,
                        _ => said.push((word.incident, about.critical)),
                    }
                }
            }
        }
    }

    /// The word that stands about an incident.
    fn word(&self, id: IncidentId) -> Option<&Feedback> {
        self.feedback.get(Incident::key(id))
    }

    /// Whether a word about an incident stands.
    pub(super) fn is_talked_of(&self, id: IncidentId) -> bool {
        self.word(id).is_some()
    }

    /// The words that count for a series: about itself, then about its check elsewhere; by incident.
    pub(super) fn said_of(&self, slot: Slot) -> Vec<Said> {
        let series = self.series.at(slot);
        let about = |whom: Fingerprint| self.said.get(&whom).map_or(&[][..], Vec::as_slice);
        let (own, kin) = (about(series.fingerprint), about(series.check));
        let elsewhere = |(id, _): &&(IncidentId, bool)| own.binary_search_by_key(id, |(own, _)| *own).is_err();
        let said = |words: &(IncidentId, bool), own: bool| Some(self.said(self.word(words.0)?, words.1, own));
        let own_words = own.iter().filter_map(|words| said(words, true));
        own_words.chain(kin.iter().filter(elsewhere).filter_map(|words| said(words, false))).collect()
    }

    /// The word that stands about an incident, for explanations.
    #[must_use]
    pub fn said_about(&self, id: IncidentId) -> Option<Said> {
        self.word(id).map(|word| self.said(word, word.about.iter().any(|about| about.critical), true))
    }

    fn said(&self, word: &Feedback, critical: bool, own: bool) -> Said {
        let secs = self.now().since(word.at);
        Said {
            incident: word.incident,
            opinion: word.opinion,
            by: Arc::clone(&word.by),
            at: word.at,
            own,
            critical,
            worth: feedback::worth(word.opinion, own, secs, &self.policy.judgement),
        }
    }

    /// The share of the bits of a start at this level that people's words take (below 0) or give. Noise speaks of
    /// nothing worse than what it was said of.
    pub(super) fn feedback_share(&self, slot: Slot, level: Level) -> f64 {
        if self.said.is_empty() {
            return 0.0;
        }
        let speaks = |said: &Said| said.opinion == Opinion::Useful || said.critical || level < Level::Critical;
        let (mut own, mut kin) = (0.0, 0.0);
        for said in self.said_of(slot).iter().filter(|said| speaks(said)) {
            *(if said.own { &mut own } else { &mut kin }) += said.worth;
        }
        feedback::share(own, kin, &self.policy.judgement)
    }
}

/// How many series these are, in words.
fn series(about: &[About]) -> String {
    match about.len() {
        1 => "series".to_owned(),
        count => format!("{count} series"),
    }
}
