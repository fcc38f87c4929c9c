//! Apache Kafka as a source and as a receiver, against a real broker. `SQUELCH_TEST_KAFKA` names a folder with its
//! jars (`.ci/run` fetches them); without it these tests are left out.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "tells its figures, and what is left out")]

mod bad_input;
mod broker;
mod common;
mod disturbed;
mod receiver;
mod source;

#[path = "../shell/binary.rs"]
mod binary;
#[path = "../shell/client.rs"]
mod client;
#[path = "../shell/dice.rs"]
#[expect(dead_code, reason = "names are not needed here")]
mod dice;
#[path = "../shell/running.rs"]
mod running;
