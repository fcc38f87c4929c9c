//! An engine run over recorded events in virtual time: decisions as JSON Lines, and an account for people.
//! Pure.
//!
//! - [`Run`] drives the engine; [`pace`] says which time an event happens at.
//! - [`decisions`] is the JSON of every decision, [`explanations`] that of `squelch why`.
//! - [`decided`] keeps what a run decided, [`compare`] holds two runs against each other, [`report`] draws one as HTML.
//! - [`account`] and [`sentences`] are the same things for people.
//!
//! Deliberately without files, arguments or a terminal: those are `cli`'s. How a run's results are compared with
//! what a person expects is `rule_test`'s.

pub mod account;
pub mod compare;
pub mod decided;
pub mod decisions;
pub mod explanations;
pub mod graph;
mod json;
pub mod pace;
pub mod report;
mod run;
pub mod sentences;
pub mod wording;

pub use run::{RUNS_ON, Run};
