//! The outgoing heartbeat: somebody outside hears that Squelch is well, and raises the alarm when that stays out.
//!
//! Deliberately silent when it is not well: a beat that says "not well" could be lost, its absence cannot.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{info, warn};

use crate::config::Heartbeat;
use crate::deliver::Beacon;
use crate::http::app::Condition;
use crate::inbox::{Inbox, Refusal};

/// A judge that does not answer for so long does not judge.
const PATIENCE: Duration = Duration::from_secs(10);
const NOT_READY: &str = "squelch is not ready (GET /-/ready tells why)";
const NO_JUDGE: &str = "the judge does not answer";

/// What beats.
pub(super) struct Heart {
    beacon: Beacon,
    every: Duration,
    inbox: Inbox,
    condition: watch::Receiver<Condition>,
    /// Why the last beat was not heard: told once, not each time.
    ails: Option<String>,
}

impl Heart {
    pub(super) fn new(settings: &Heartbeat, inbox: Inbox, condition: watch::Receiver<Condition>) -> Self {
        Self { beacon: Beacon::new(&settings.url), every: settings.every, inbox, condition, ails: None }
    }

    /// Beats until `stop` turns true.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut ticks = interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let beats = async {
            loop {
                ticks.tick().await;
                let ails = self.beat().await.err();
                self.tell(ails);
            }
        };
        tokio::select! {
            biased;
            // A vanished sender means the same.
            _ = stop.wait_for(|stop| *stop) => {}
            () = beats => {}
        }
    }

    /// `Err`: why nobody heard it.
    async fn beat(&mut self) -> Result<(), String> {
        if !self.condition.borrow().problems.is_empty() {
            return Err(NOT_READY.to_owned());
        }
        match timeout(PATIENCE, self.inbox.look(|_| ())).await {
            // A node of a cluster judges for itself whether it is ready.
            Ok(Ok(()) | Err(Refusal::Elsewhere(_))) => self.beacon.send().await,
            Ok(Err(_)) | Err(_) => Err(NO_JUDGE.to_owned()),
        }
    }

    /// Logs what has changed.
    fn tell(&mut self, ails: Option<String>) {
        if ails == self.ails {
            return;
        }
        match &ails {
            Some(why) => warn!("the heartbeat stays out: {why}"),
            None => info!("the heartbeat is heard again"),
        }
        self.ails = ails;
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::inbox::{Capacity, bounded};
    use crate::sinks::Address;

    #[tokio::test]
    async fn nobody_is_asked_while_it_is_not_ready_or_nothing_is_judged() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = Address::plain(&format!("http://{}/ping", listener.local_addr().unwrap())).unwrap();
        let (condition, seen) =
            watch::channel(Condition { problems: vec!["no room".to_owned()], warnings: Vec::new() });
        let (inbox, outlet) = bounded(Capacity::default());
        let mut heart = Heart::new(&Heartbeat { url, every: Heartbeat::EVERY }, inbox.clone(), seen);
        assert_eq!(heart.beat().await, Err(NOT_READY.to_owned()));
        condition.send_modify(|condition| condition.problems.clear());
        inbox.close();
        drop(outlet);
        assert_eq!(heart.beat().await, Err(NO_JUDGE.to_owned()));
        assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "nobody came");
    }
}
