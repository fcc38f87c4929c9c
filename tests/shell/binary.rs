//! The real binary, serving from a folder of its own. It is killed when this is dropped: a test that fails leaves no
//! process behind.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

/// A process of its own.
pub(crate) struct Binary {
    pub(crate) child: Child,
}

/// Fills a folder for it: a rule file, and settings beside a limit of events that no test reaches.
pub(crate) fn house(dir: &Path, rules: &str, store: &str) {
    fs::create_dir_all(dir.join("rules")).unwrap();
    fs::write(dir.join("rules/rules.yaml"), rules).unwrap();
    let settings = format!("limits: {{per_source: 1000000 events/s}}\nstore: {{{store}}}\n");
    fs::write(dir.join("squelch.yaml"), settings).unwrap();
}

impl Binary {
    /// Starts it in a folder that [`house`] filled.
    pub(crate) fn start(dir: &Path, log: Stdio) -> Self {
        Self::run(Command::new(env!("CARGO_BIN_EXE_squelch")), dir, log)
    }

    /// The same, with a command that ends in the binary's path.
    pub(crate) fn run(mut command: Command, dir: &Path, log: Stdio) -> Self {
        let child = command
            .args(["serve", "--listen", "127.0.0.1:0", "--config"])
            .arg(dir.join("squelch.yaml"))
            .arg("--rules")
            .arg(dir.join("rules"))
            .arg("--data-dir")
            .arg(dir.join("data"))
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { child }
    }

    /// Waits until it says where it listens. What it prints later is read, so that it never blocks.
    pub(crate) fn address(&mut self) -> SocketAddr {
        let mut lines = BufReader::new(self.child.stdout.take().unwrap()).lines();
        let line = lines.next().expect("it ended before it listened").unwrap();
        thread::spawn(move || lines.for_each(drop));
        line.rsplit('/').next().unwrap().parse().unwrap()
    }
}

impl Drop for Binary {
    fn drop(&mut self) {
        // SIGKILL.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
