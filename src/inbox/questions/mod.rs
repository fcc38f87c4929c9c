//! All questions, and which of them a name means.
//!
//! Pure. Deliberately only questions of which the answer can be written down; who needs the engine itself looks
//! ([`Inbox::look`](super::Inbox::look)), which only a single process lets him.

mod board;
mod digest;
mod incidents;
mod now;
mod series;
mod shadow;
mod silences;
mod sums;

use super::question::Question;

pub use board::{Postings, Snapshot};
pub use digest::{DigestReport, DueDigests};
pub use incidents::{CanSplit, Drilled, InFull, Incident, Incidents, IsOwn, Parts, Why, WhyInFull, by_urgency};
pub use now::{Now, Standing as NowStanding};
pub use series::{FindSeries, Series, Sought, Told as SeriesTold, WhySeries};
pub use shadow::{Shadow, Standing, Untold};
pub use silences::{AllSilences, Covered, Covering, Listed, SetSilences};
pub use sums::{Loudest, Sums};

/// Does something with a question of which only the name is known.
pub trait Named {
    /// What comes of it.
    type Out;
    /// The name means this question.
    fn with<Q: Question>(self) -> Self::Out;
}

macro_rules! questions {
    ($($question:ty),+ $(,)?) => {
        /// The question of this name; `None` = there is none.
        pub fn named<N: Named>(name: &str, work: N) -> Option<N::Out> {
            $(if name == <$question>::NAME { return Some(work.with::<$question>()); })+
            None
        }

        /// What all are called.
        pub const NAMES: &[&str] = &[$(<$question>::NAME),+];
    };
}

questions![
    AllSilences,
    CanSplit,
    Covering,
    DigestReport,
    Drilled,
    DueDigests,
    FindSeries,
    Incident,
    Incidents,
    IsOwn,
    Loudest,
    Now,
    Postings,
    Series,
    SetSilences,
    Shadow,
    Sums,
    Untold,
    Why,
    WhyInFull,
    WhySeries,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_questions_have_the_same_name() {
        let names: BTreeSet<_> = NAMES.iter().collect();
        assert_eq!(names.len(), NAMES.len());
    }
}
