//! Nodes of a cluster, as processes of the real binary, against a real Apache Kafka. `SQUELCH_TEST_KAFKA` names a folder
//! with its jars (`.ci/run` fetches them); without it these tests are left out.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "tells its figures, and what is left out")]

mod asks;
mod bad_input;
mod copy;
mod decisions;
mod deployment;
mod digests;
mod disturbed;
mod equality;
mod live;
mod log;
mod mails;
mod moves;
mod nodes;
mod pace;
mod scarce;
mod servers;
mod streams;
mod three;
mod trio;
mod wire;

#[path = "../kafka/broker.rs"]
#[expect(dead_code, reason = "not every door is used here")]
mod broker;
#[path = "../shell/client.rs"]
mod client;
#[path = "../shell/dice.rs"]
#[expect(dead_code, reason = "names are not needed here")]
mod dice;
#[path = "../shell/receiver.rs"]
mod receiver;
