//! A service inside the test's own process, with its console caught.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use squelch::config::Settings;
use squelch::deliver::{self, Console};
use squelch::service::{Options, Probe, Service};
use tokio::runtime::Runtime;

/// A running service.
pub(crate) struct Running {
    runtime: Runtime,
    service: Service,
    console: Caught,
}

#[derive(Clone, Default)]
struct Caught(Arc<Mutex<Vec<u8>>>);

impl Write for Caught {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Settings for a test in `dir`: a free port, data and rules of its own, and no need for free space.
pub(crate) fn settings(dir: &Path) -> Settings {
    let rules = dir.join("rules");
    std::fs::create_dir_all(&rules).unwrap();
    let mut settings = Settings {
        listen: "127.0.0.1:0".to_owned(),
        data_dir: dir.join("data"),
        rules: Some(rules),
        ..Settings::default()
    };
    settings.store.min_free = 0;
    settings
}

impl Running {
    /// Starts it.
    pub(crate) fn start(settings: Settings, probe: Option<Probe>) -> Self {
        let runtime = Runtime::new().unwrap();
        let console = Caught::default();
        let out = console.clone();
        let couriers =
            deliver::Options { console: Console::new(move || Box::new(out.clone())), ..deliver::Options::default() };
        let options = Options { settings, couriers, probe, fetch: None };
        let service = runtime.block_on(Service::start(options)).unwrap_or_else(|error| panic!("{error}"));
        Self { runtime, service, console }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.service.address()
    }

    /// Stops it in order; returns what it printed.
    pub(crate) fn stop(self) -> String {
        let Self { runtime, service, console } = self;
        runtime.block_on(service.stop());
        let bytes = console.0.lock().unwrap();
        String::from_utf8(bytes.clone()).unwrap()
    }
}
