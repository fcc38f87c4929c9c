//! A mail server that other people wrote, behind a wire that can be cut. `SQUELCH_TEST_AIOSMTPD` names a Python that has
//! aiosmtpd.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::wire::Wire;

const USER: &str = "squelch";
const PASSWORD: &str = "correct horse";

/// The server, with what it took. It ends when this is dropped.
pub(crate) struct MailServer {
    process: Child,
    /// By what it is reached.
    pub(crate) wire: Wire,
    folder: PathBuf,
    taken: Arc<Mutex<Vec<serde_json::Value>>>,
}

impl MailServer {
    /// Starts it, with its certificate and the password in this folder; `None` = there is no such Python.
    pub(crate) fn start(folder: &Path) -> Option<Self> {
        let Ok(python) = std::env::var("SQUELCH_TEST_AIOSMTPD") else {
            eprintln!("left out: SQUELCH_TEST_AIOSMTPD does not name a Python that has aiosmtpd");
            return None;
        };
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        std::fs::write(folder.join("certificate.pem"), made.cert.pem()).unwrap();
        std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        std::fs::write(folder.join("password"), format!("{PASSWORD}\n")).unwrap();
        let mut process = Command::new(python)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/deliver/real_smtp.py"))
            .args([folder.join("certificate.pem"), folder.join("key.pem")])
            .args([USER, PASSWORD])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.next().unwrap().unwrap().parse().unwrap();
        let taken: Arc<Mutex<Vec<serde_json::Value>>> = Arc::default();
        let shared = Arc::clone(&taken);
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                shared.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        Some(Self { process, wire: Wire::to(port), folder: folder.to_owned(), taken })
    }

    /// A receiver of the rules that sends here.
    pub(crate) fn receiver(&self) -> String {
        let (folder, port) = (self.folder.display(), self.wire.port);
        format!(
            "  - name: mail\n    email:\n      to: [ada@example.org]\n      from: squelch@example.org\n      smtp: \
             {{host: 127.0.0.1, port: {port}, ca_file: {folder}/certificate.pem, username: {USER}, \
             password_file: {folder}/password}}\n"
        )
    }

    /// The mails that it took, in order.
    pub(crate) fn taken(&self) -> Vec<serde_json::Value> {
        self.taken.lock().unwrap().clone()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
