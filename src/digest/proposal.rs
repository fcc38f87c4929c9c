//! Rule changes that are proposed: what a replay of the stored history said of them.
//!
//! Deliberately without the replay itself: who puts a digest together brings them along (`tune`).

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// What it does, in words.
    pub words: String,
    /// Pages with it alone.
    pub pages: u64,
    /// The titles of the pages that would not have come.
    pub lost: Vec<String>,
}

/// What is proposed for a window of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposals {
    /// Pages of the window when the stored history is replayed under the rules in force.
    pub pages: u64,
    /// Pages with all changes together.
    pub together: u64,
    /// How many pages that people acknowledged were looked after: none of them comes later, or not at all.
    pub acknowledged: u64,
    /// The changes, the one that saves most first.
    pub changes: Vec<Proposal>,
    /// The changes as a patch of the rules; empty where there is none.
    pub patch: String,
}
