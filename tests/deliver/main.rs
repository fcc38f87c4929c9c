//! The couriers against servers on this machine. Time is virtual: [`common::hold_time`] keeps it still while bytes
//! travel, and tests move it by hand.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;
mod console;
mod http;
mod kinds;
mod real_smtp;
mod smtp;
