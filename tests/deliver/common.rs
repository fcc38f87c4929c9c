//! What all these tests share: notifications, results, and a hand on the clock.

use std::sync::Arc;
use std::time::Duration;

use squelch::deliver::{Couriers, Delivery, Options};
use squelch::domain::{
    Content, IncidentId, IncidentSummary, Notice, NoticeAction, Notification, NotificationKey, Origin, Page,
    PageAction, Reason, Reminder, Severity, Timestamp,
};
use squelch::sinks::{Receiver, ReceiverKind};
use tokio::sync::mpsc;

pub(crate) fn notification(receiver: &str, incident: u64, step: u32) -> Arc<Notification> {
    let ts = Timestamp::from_millis(1_795_403_280_000);
    let incident = IncidentId(incident);
    let text = format!("message {incident}.{step}");
    let notice = Notice { ts, action: NoticeAction::Update, incident: Some(incident), series: None, text };
    let incident = IncidentSummary {
        incident,
        opened: ts,
        paged: None,
        resolved: None,
        acknowledged: None,
        severity: Severity::Error,
        title: "swap used 91 % on app-2".into(),
        services: Vec::new(),
        hosts: Vec::new(),
        checks: Vec::new(),
        origin: Origin::default(),
        alerts: 1,
        moments: Vec::new(),
    };
    let key = NotificationKey { incident: incident.incident, step, receiver: receiver.into() };
    Arc::new(Notification { key, content: Content::Notice(notice), incident })
}

/// The same as one that every kind of receiver is told of.
pub(crate) fn resolve(receiver: &str, incident: u64, step: u32) -> Arc<Notification> {
    let mut notification = Arc::unwrap_or_clone(notification(receiver, incident, step));
    if let Content::Notice(notice) = &mut notification.content {
        notice.action = NoticeAction::Resolve;
    }
    Arc::new(notification)
}

/// The same as a reminder that nobody has taken it.
pub(crate) fn reminder(receiver: &str, incident: u64, step: u32) -> Arc<Notification> {
    let mut notification = Arc::unwrap_or_clone(notification(receiver, incident, step));
    let (ts, id) = (Timestamp::from_millis(1_795_403_280_000), IncidentId(incident));
    let page = Page {
        ts,
        incident: id,
        action: PageAction::Open,
        severity: Severity::Error,
        title: "swap used 91 % on app-2".into(),
        services: Vec::new(),
        hosts: Vec::new(),
        origin: Origin::default(),
        alerts: Vec::new(),
        held_before: 0,
        reason: Reason::Surge,
        why: format!("message {incident}.{step}"),
        evidence: Vec::new(),
        suspects: Vec::new(),
        url: None,
        runbook_url: None,
    };
    notification.content = Content::Reminder(Box::new(Reminder { ts, since: ts, page }));
    Arc::new(notification)
}

pub(crate) fn receiver(name: &str, kind: ReceiverKind) -> Receiver {
    Receiver { deadline: Duration::from_secs(7 * 86_400), ..Receiver::new(name.into(), kind) }
}

pub(crate) fn start(receivers: Vec<Receiver>, options: Options) -> (Couriers, mpsc::Receiver<Delivery>) {
    let (results, told) = mpsc::channel(1_000);
    (Couriers::start(receivers, options, results), told)
}

/// Keeps the paused clock from running ahead by itself while bytes travel; dropping it lets go.
pub(crate) fn hold_time() -> std::sync::mpsc::Sender<()> {
    let (hold, held) = std::sync::mpsc::channel();
    // Not for ever: a test that waits for what never comes should fail instead.
    tokio::task::spawn_blocking(move || held.recv_timeout(Duration::from_secs(30)));
    hold
}

/// `12.1 delivered after 3`: what matters of a result.
pub(crate) fn short(delivery: &Delivery) -> String {
    match delivery {
        Delivery::Delivered { key, attempts, .. } => {
            format!("{}.{} delivered after {attempts}", key.incident, key.step)
        }
        Delivery::Failing { key, attempts, .. } => format!("{}.{} failing after {attempts}", key.incident, key.step),
        Delivery::Overdue { key, .. } => format!("{}.{} overdue", key.incident, key.step),
        Delivery::Undeliverable { key, attempts, .. } => {
            format!("{}.{} undeliverable after {attempts}", key.incident, key.step)
        }
    }
}

/// The next attempt must fail; moves the clock to the one after it and returns the error and the wait.
pub(crate) async fn fails_and_waits(told: &mut mpsc::Receiver<Delivery>) -> (String, Duration) {
    match told.recv().await.unwrap() {
        Delivery::Failing { error, again_in, .. } => {
            // Timers count whole milliseconds.
            tokio::time::advance(again_in + Duration::from_millis(1)).await;
            (error, again_in)
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn undeliverable(told: &mut mpsc::Receiver<Delivery>) -> String {
    match told.recv().await.unwrap() {
        Delivery::Undeliverable { error, .. } => error,
        other => panic!("{other:?}"),
    }
}
