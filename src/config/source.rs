//! A file that was handed in, and the rules that ship in the binary.
//!
//! Deliberately no reading from disk: that is [`crate::files`].

use crate::domain::Fingerprint;

/// The text of one rule or settings file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name as the user gave it; stands in every mistake.
    pub name: String,
    /// Its content; may be anything.
    pub text: Vec<u8>,
    /// Whether it ships in the binary: users' files come before it, and win.
    pub shipped: bool,
    /// Whether it is only tried: it comes before users' files, and wins.
    pub tried: bool,
}

impl Source {
    /// A user's file.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), text: text.into(), shipped: false, tried: false }
    }

    /// A file that is laid over the users' to see what it would do.
    #[must_use]
    pub fn tried(name: impl Into<String>, text: impl Into<Vec<u8>>) -> Self {
        Self { tried: true, ..Self::new(name, text) }
    }

    /// A file in the binary.
    pub(super) fn shipped(name: String, text: &str) -> Self {
        Self { shipped: true, ..Self::new(name, text) }
    }

    /// Which wins: of two things with one name that of the higher layer.
    pub(super) const fn layer(&self) -> u8 {
        match (self.shipped, self.tried) {
            (_, true) => 2,
            (false, _) => 1,
            (true, _) => 0,
        }
    }

    /// The name without its folders.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.name.rsplit(['/', '\\']).next().unwrap_or_default()
    }
}

/// The rule files in the binary: name and text, in order of name.
pub const SHIPPED: &[(&str, &str)] = &[
    ("defaults.yaml", include_str!("../../rules/defaults.yaml")),
    ("routes.yaml", include_str!("../../rules/routes.yaml")),
    ("topology.yaml", include_str!("../../rules/topology.yaml")),
];

/// The users' files laid over the shipped ones: a user's file replaces the shipped file of the same name.
#[must_use]
pub fn with_shipped(users: Vec<Source>) -> Vec<Source> {
    let replaced = |name: &str| users.iter().any(|user| user.file_name() == name);
    let mut sources: Vec<Source> = SHIPPED
        .iter()
        .filter(|(name, _)| !replaced(name))
        .map(|(name, text)| Source::shipped(format!("(shipped) {name}"), text))
        .collect();
    sources.extend(users);
    sources
}

/// What names a set of files: it changes with every byte of them.
pub(super) fn fingerprint(sources: &[Source]) -> Fingerprint {
    let texts: Vec<_> = sources.iter().map(|source| String::from_utf8_lossy(&source.text)).collect();
    let parts: Vec<&str> =
        sources.iter().zip(&texts).flat_map(|(source, text)| [source.file_name(), text.as_ref()]).collect();
    Fingerprint::of(&parts)
}
