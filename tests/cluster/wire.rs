//! A wire between somebody and a broker, which can be cut: nothing passes then, and nobody is told, as when a switch
//! dies. What was under way arrives when it is mended.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::Duration;

/// How soon a wire that was mended passes on what waits.
const LOOK: Duration = Duration::from_millis(20);

/// A wire from a port of its own.
pub(crate) struct Wire {
    /// Where it begins.
    pub(crate) port: u16,
    cut: Arc<AtomicBool>,
}

impl Wire {
    /// A wire to this port of this machine; its threads end with the process.
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let wire = Self { port: listener.local_addr().unwrap().port(), cut: Arc::default() };
        let cut = Arc::clone(&wire.cut);
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let cut = Arc::clone(&cut);
                thread::spawn(move || connect(&near, port, &cut));
            }
        });
        wire
    }

    /// Cuts it, or mends it.
    pub(crate) fn cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::SeqCst);
    }
}

fn wait(cut: &AtomicBool) {
    while cut.load(Ordering::SeqCst) {
        sleep(LOOK);
    }
}

fn connect(near: &TcpStream, port: u16, cut: &AtomicBool) {
    wait(cut);
    // Nobody listens: the caller finds its connection closed.
    let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else { return };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    thread::scope(|scope| {
        scope.spawn(|| carry(near, &far, cut));
        carry(&far, near, cut);
    });
}

fn carry(mut from: &TcpStream, mut to: &TcpStream, cut: &AtomicBool) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        wait(cut);
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    wait(cut);
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
