//! Squelch: alert noise reduction that people can trust.
//!
//! The map of the crate, lowest layer first; a module imports only from lower ranks (`tests/layers.rs` keeps it):
//!
//! | rank | module | what it is |
//! |---|---|---|
//! | 0 | [`domain`] | what the product decides: pure |
//! | 0 | [`diagnostic`] | what is wrong, where, and how to mend it |
//! | 1 | [`formats`] | bytes of other tools into events: pure |
//! | 1 | [`sinks`] | notifications into requests of other tools: pure |
//! | 1 | [`story`] | the seed's story as a stream of events: pure |
//! | 2 | [`config`] | rule and settings files into a checked policy: pure |
//! | 2 | [`replay`] | the engine over recorded events in virtual time: pure |
//! | 2 | [`store`] | the durable copy of the engine's state, in sled |
//! | 2 | [`inbox`] | the bounded queue in front of the engine |
//! | 2 | [`clock`] | the one reader of the clock |
//! | 2 | [`audit`] | what people did, line by line on disk |
//! | 2 | [`broker`] | a connection to Apache Kafka |
//! | 3 | [`digest`] | what was decided in a day or a week, as a mail: pure |
//! | 3 | [`files`] | the one reader of rule and settings files from disk |
//! | 3 | [`rule_test`] | the rules' own tests, in virtual time: pure |
//! | 3 | [`tune`] | rule changes proposed from a history, each replayed: pure |
//! | 3 | [`http`] | the HTTP side |
//! | 3 | [`kafka`] | topics of Apache Kafka that are read |
//! | 3 | [`cluster`] | a node of many: the log of Kafka before the engine, its transactions behind it |
//! | 3 | [`deliver`] | couriers that carry notifications to receivers |
//! | 4 | [`service`] | `squelch serve`: everything wired together |
//! | 5 | [`cli`] | the command line |
//!
//! Start with [`domain`], then [`domain::engine`], then one stage, one scenario under `tests/scenarios`, and
//! [`service`]. `docs/ARCHITECTURE.md` has the way of one event, the invariants and their reasons.

pub mod audit;
pub mod broker;
pub mod cli;
pub mod clock;
pub mod cluster;
pub mod config;
pub mod deliver;
pub mod diagnostic;
pub mod digest;
pub mod domain;
pub mod files;
pub mod formats;
pub mod http;
pub mod inbox;
pub mod kafka;
pub mod replay;
pub mod rule_test;
pub mod service;
pub mod sinks;
pub mod store;
pub mod story;
pub mod tune;
