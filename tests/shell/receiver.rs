//! A webhook receiver for tests: takes what comes, or refuses it, and remembers every request it took.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// A receiver that listens until it is dropped.
pub(crate) struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    /// (key, body) of each request that was taken, in order.
    taken: Mutex<Vec<(String, String)>>,
    /// The status that it refuses with; 0 = it takes what comes.
    refuses: AtomicU16,
    stopped: AtomicBool,
}

impl Receiver {
    /// Listens on a free port.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if own.stopped.load(Ordering::SeqCst) {
                    return;
                }
                // A sender that is killed breaks off; that is what it is for.
                let own = Arc::clone(&own);
                let _ = stream.map(|stream| thread::spawn(move || while own.serve(&stream).is_some() {}));
            }
        });
        Self { address, shared, thread: Some(thread) }
    }

    /// A rule file that sends everything here.
    pub(crate) fn routes(&self) -> String {
        format!(
            "receivers:\n  - name: hook\n    webhook: {{url: \"{}\"}}\n\
             routes:\n  - name: everything\n    receivers: [hook]\n",
            self.url()
        )
    }

    /// From now on requests are refused with 500, or taken again.
    pub(crate) fn refuse(&self, refuse: bool) {
        self.refuse_with(if refuse { 500 } else { 0 });
    }

    /// From now on requests are refused with this status; 0 = they are taken.
    pub(crate) fn refuse_with(&self, status: u16) {
        self.shared.refuses.store(status, Ordering::SeqCst);
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// What was taken: (key, body), in order.
    pub(crate) fn taken(&self) -> Vec<(String, String)> {
        self.shared.taken.lock().unwrap().clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the loop up.
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Shared {
    /// One request of a connection; `None` = the connection is over.
    fn serve(&self, stream: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream);
        let (mut key, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let Some((name, value)) = line.trim().split_once(':') else {
                if line.trim().is_empty() {
                    break;
                }
                continue;
            };
            match name.to_ascii_lowercase().as_str() {
                "idempotency-key" => value.trim().clone_into(&mut key),
                "content-length" => length = value.trim().parse().ok()?,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let refuses = self.refuses.load(Ordering::SeqCst);
        if refuses == 0 {
            self.taken.lock().unwrap().push((key, String::from_utf8(body).ok()?));
        }
        let status = if refuses == 0 { 200 } else { refuses };
        let mut stream = stream;
        stream.write_all(format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n").as_bytes()).ok()
    }
}
