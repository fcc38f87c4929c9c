//! Notifications as they could be: the life of one incident. For previews, and to try templates when they are read.

use crate::domain::{
    Content, IncidentId, IncidentSummary, Moment, Notice, NoticeAction, Notification, NotificationKey, Origin, Page,
    PageAction, Reason, Reminder, Severity, Timestamp,
};

/// 2026-11-23T03:08:00Z
const OPENED: Timestamp = Timestamp::from_millis(1_795_403_280_000);

/// What each is, and what is told to this receiver: a page, nobody takes it, somebody does, it
/// gets worse, the end.
#[must_use]
pub fn life(receiver: &str) -> Vec<(&'static str, Notification)> {
    let page = |action| Content::Page(Box::new(page(action)));
    let notice = |action, text: &str| {
        let (ts, text) = (OPENED.after(2_640.0), text.to_owned());
        Content::Notice(Notice { ts, action, incident: Some(IncidentId(7)), series: None, text })
    };
    let (since, ts) = (OPENED.after(245.0), OPENED.after(845.0));
    let reminder = Content::Reminder(Box::new(Reminder { ts, since, page: self::page(PageAction::Open) }));
    let told = [
        ("a page", page(PageAction::Open)),
        ("nobody has taken it", reminder),
        ("somebody has taken it", notice(NoticeAction::Ack, "ada has taken it")),
        ("an escalation", page(PageAction::Escalate)),
        ("it is over", notice(NoticeAction::Resolve, "all its alerts are over; it lasted 44 min")),
    ];
    let key = |step| NotificationKey { incident: IncidentId(7), step, receiver: receiver.to_owned() };
    let one = |(step, (what, content)): (u32, (&'static str, Content))| {
        (what, Notification { key: key(step), incident: incident(step), content })
    };
    (1..).zip(told).map(one).collect()
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|&name| name.to_owned()).collect()
}

fn origin() -> Origin {
    let part = |text: &str| Some(text.to_owned());
    Origin { service: part("shop"), host: part("app-2"), check: part("swap_used") }
}

/// The incident at this step of its life.
fn incident(step: u32) -> IncidentSummary {
    IncidentSummary {
        incident: IncidentId(7),
        opened: OPENED,
        paged: Some(OPENED.after(245.0)),
        resolved: (step == 5).then(|| OPENED.after(2_640.0)),
        acknowledged: (step == 3).then(|| OPENED.after(900.0)),
        severity: Severity::Critical,
        title: "swap used 91 % on app-2, app-3 (shop)".to_owned(),
        services: names(&["shop"]),
        hosts: names(&["app-2", "app-3"]),
        checks: names(&["swap_used"]),
        origin: origin(),
        alerts: 4,
        moments: vec![Moment { ts: OPENED.after(245.0), text: "paged: swap used 91 % on app-2".to_owned() }],
    }
}

fn page(action: PageAction) -> Page {
    let worse = action == PageAction::Escalate;
    Page {
        ts: OPENED.after(if worse { 962.0 } else { 245.0 }),
        incident: IncidentId(7),
        action,
        severity: Severity::Critical,
        title: if worse { "www is down; swap used 98 % on app-2" } else { "swap used 91 % on app-2, app-3 (shop)" }
            .to_owned(),
        services: names(&["shop"]),
        hosts: names(&["app-2", "app-3"]),
        origin: origin(),
        alerts: vec![11, 12, 15, 19],
        held_before: 17,
        reason: Reason::Surge,
        why: "8.1 bits of fresh surprise on shop/app-2 passed the threshold of 5.0".to_owned(),
        evidence: vec![("newrelic/host/shop/app-2/swap_used".to_owned(), 6.24)],
        suspects: names(&["03:01 UTC deploy of shop 4.2.1 (7 min before)"]),
        url: Some("https://metrics.example.org/d/swap".to_owned()),
        runbook_url: Some("https://wiki.example.org/runbooks/swap".to_owned()),
    }
}
