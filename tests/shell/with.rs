//! A service for the length of one test, in a folder of its own.

use std::net::SocketAddr;

use squelch::config::Settings;

use crate::running::{Running, settings};

/// Runs the test against a service with settings changed by `change`.
pub(crate) fn with(change: impl FnOnce(&mut Settings), test: impl FnOnce(SocketAddr)) {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path());
    change(&mut settings);
    let running = Running::start(settings, None);
    test(running.address());
    running.stop();
}
