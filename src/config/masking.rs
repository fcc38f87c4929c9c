//! What is masked of personal data, and where.
//!
//! Deliberately checked patterns in words: [`Masking::mask`] makes of them what looks.

use std::collections::BTreeSet;

use super::findings::{Complaint, Findings};
use super::value::Record;
use crate::domain::mask::{Mask, Personal};

/// What is masked. Mails and exports always are, by this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Masking {
    /// The kinds.
    pub kinds: BTreeSet<Personal>,
    /// Name and expression of each pattern of the user.
    pub patterns: Vec<(String, String)>,
    /// Whether what all other receivers are told is masked, too.
    pub chats: bool,
}

impl Default for Masking {
    fn default() -> Self {
        let kinds = Personal::ALL.iter().copied().filter(|kind| kind.is_usual()).collect();
        Self { kinds, patterns: Vec::new(), chats: false }
    }
}

impl Masking {
    /// What looks for it.
    #[must_use]
    pub fn mask(&self) -> Mask {
        let patterns = self.patterns.iter().map(|(name, pattern)| (name.as_str(), pattern.as_str()));
        // The patterns were tried when they were read.
        Mask::new(self.kinds.iter().copied(), patterns).unwrap_or_default()
    }
}

/// The words of the kinds.
pub(super) fn kinds() -> Vec<&'static str> {
    Personal::ALL.iter().map(|kind| kind.word()).collect()
}

/// Lowers the section.
pub(super) fn lower(given: &Record, findings: &mut Findings<'_>) -> Masking {
    let mut masking = Masking::default();
    let words =
        |key: &str| given.texts(key).into_iter().filter_map(|word| word.parse().ok()).collect::<Vec<Personal>>();
    masking.kinds.extend(words("on"));
    for kind in words("off") {
        masking.kinds.remove(&kind);
    }
    for pattern in given.items("patterns") {
        let record = pattern.record();
        let (Some(name), Some(text)) = (record.text("name"), record.get("match")) else { continue };
        match Mask::pattern(text.text()) {
            Ok(_) => masking.patterns.push((name.to_owned(), text.text().to_owned())),
            Err(error) => {
                let complaint = Complaint::new(format!("the pattern cannot be used: {error}"));
                findings.mistake(text.spot, &text.path, complaint.help("write a regular expression, in quotes"));
            }
        }
    }
    masking.chats = given.flag("chats").unwrap_or(false);
    masking
}
