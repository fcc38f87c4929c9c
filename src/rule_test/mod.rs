//! The rules' own tests: timelines and what is to come of them, run through the engine in virtual time.
//! Pure.
//!
//! ```yaml
//! signals:
//!   swap: {source: nagios, kind: host, service: web, host: app-1, check: swap}
//! tests:
//!   - name: swap that flaps for hours becomes one page
//!     history: {days: 14, of: [{every: 20h, fire: swap, for: 3m}]}
//!     timeline:
//!       - {from: 1h, to: 6h, every: 10m, fire: swap, for: 5m}
//!     expect:
//!       - pages: 1
//!       - page: {within: [1h45m, 3h], service: web, reason: flapping_lasts}
//! ```
//!
//! The whole grammar is in `docs/RULE_TESTS.md`. The way of a test: [`crate::config::test_file`] turns the text into
//! cases, [`rehearse`] runs one, [`failures`] compares, [`transcript`] tells.
//!
//! Deliberately no files and no output: those are `cli`'s.

pub mod rehearsal;
pub mod transcript;
pub mod verdict;

pub use rehearsal::{Manner, Outcome, rehearse};
pub use verdict::{Failure, failures};
