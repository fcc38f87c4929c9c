//! What is left behind: the parts of a configuration that rules cannot say, each told once, with all its lines.

use super::section::Place;
use crate::config::findings::{Complaint, Findings};

/// What is left behind so far.
#[derive(Default)]
pub(super) struct Left {
    found: Vec<(String, String, Vec<Place>)>,
}

impl Left {
    /// Adds one: what, and what to make of it.
    pub(super) fn add(&mut self, place: Place, what: impl Into<String>, help: impl Into<String>) {
        let (what, help) = (what.into(), help.into());
        match self.found.iter_mut().find(|(known, its, _)| known == &what && its == &help) {
            Some((.., places)) => places.push(place),
            None => self.found.push((what, help, vec![place])),
        }
    }

    /// Tells them all as warnings, each at its first place.
    pub(super) fn tell(self, findings: &mut Findings<'_>) {
        for (what, help, mut places) in self.found {
            places.sort_by_key(|place| place.spot);
            places.dedup_by_key(|place| place.spot);
            let Some((first, more)) = places.split_first() else { continue };
            let lines: Vec<String> = more.iter().map(|place| place.spot.line.to_string()).collect();
            let what = match lines.len() {
                0 => what,
                1 => format!("{what} (nor in line {})", lines[0]),
                _ => format!("{what} (nor in lines {})", lines.join(", ")),
            };
            findings.warning(first.spot, &first.path, Complaint::new(what).help(help));
        }
    }
}
