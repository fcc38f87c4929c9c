//! The notifications of these tests: one a case.

use squelch::domain::{
    Content, IncidentId, IncidentSummary, Moment, Notice, NoticeAction, Notification, NotificationKey, Origin, Page,
    PageAction, Reason, Reminder, Severity, Timestamp,
};

/// 2026-11-23T03:08:00Z
const OPENED: i64 = 1_795_403_280_000;

pub(crate) fn at(secs: f64) -> Timestamp {
    Timestamp::from_millis(OPENED).after(secs)
}

pub(crate) fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|&name| name.to_owned()).collect()
}

pub(crate) fn origin() -> Origin {
    Origin { service: Some("shop".into()), host: Some("app-2".into()), check: Some("swap_used".into()) }
}

pub(crate) fn incident() -> IncidentSummary {
    IncidentSummary {
        incident: IncidentId(7),
        opened: at(0.0),
        paged: Some(at(245.0)),
        resolved: None,
        acknowledged: None,
        severity: Severity::Critical,
        title: "swap used 91 % on app-2, app-3 (shop)".into(),
        services: names(&["shop"]),
        hosts: names(&["app-2", "app-3"]),
        checks: names(&["swap_used"]),
        origin: origin(),
        alerts: 4,
        moments: vec![
            Moment { ts: at(0.0), text: "opened by swap_used on app-2".into() },
            Moment { ts: at(245.0), text: "paged team-mail".into() },
        ],
    }
}

pub(crate) fn page() -> Page {
    Page {
        ts: at(245.0),
        incident: IncidentId(7),
        action: PageAction::Open,
        severity: Severity::Critical,
        title: "swap used 91 % on app-2, app-3 (shop)".into(),
        services: names(&["shop"]),
        hosts: names(&["app-2", "app-3"]),
        origin: origin(),
        alerts: vec![11, 12, 15, 19],
        held_before: 17,
        reason: Reason::Surge,
        why: "8.1 bits of fresh surprise on shop/app-2 passed the threshold of 5.0: swap_used starts there 0.3 times \
              a day at this hour, and it is critical for the first time."
            .into(),
        evidence: vec![
            ("newrelic/host/shop/app-2/swap_used".into(), 6.24),
            ("pingdom/uptime/shop//https".into(), 1.86),
        ],
        suspects: names(&[
            "03:01 UTC deploy of shop 4.2.1 (7 min before)",
            "02:40 UTC app-3 was replaced (28 min before)",
        ]),
        url: Some("https://metrics.example.org/d/swap?host=app-2&from=1".into()),
        runbook_url: Some("https://wiki.example.org/runbooks/swap".into()),
    }
}

pub(crate) fn notification(content: Content, incident: IncidentSummary) -> Notification {
    let key = NotificationKey { incident: incident.incident, step: 1, receiver: "team-mail".into() };
    Notification { key, content, incident }
}

pub(crate) fn opens() -> Notification {
    notification(Content::Page(Box::new(page())), incident())
}

pub(crate) fn escalates() -> Notification {
    let mut incident = incident();
    incident.alerts = 26;
    incident.acknowledged = Some(at(400.0));
    incident.moments.push(Moment { ts: at(400.0), text: "taken by ada".into() });
    incident.moments.push(Moment { ts: at(900.0), text: "web joined: 5xx on lb-1".into() });
    incident.moments.push(Moment { ts: at(960.0), text: "uptime check of www fails".into() });
    let page = Page {
        ts: at(962.0),
        action: PageAction::Escalate,
        title: "www is down; swap used 98 % on app-2, app-3, lb-1".into(),
        services: names(&["shop", "web"]),
        hosts: names(&["app-2", "app-3", "lb-1"]),
        why: "A new kind of signal: the uptime check of www fails, 7.9 bits above what had paged.".into(),
        suspects: Vec::new(),
        ..page()
    };
    let mut notification = notification(Content::Page(Box::new(page)), incident);
    notification.key.step = 2;
    notification
}

/// Nobody has taken it for half an hour.
pub(crate) fn reminds() -> Notification {
    let mut incident = incident();
    let ts = at(245.0 + 1_800.0);
    incident.moments.push(Moment { ts, text: "nobody has taken it for 30 min: told to team".to_owned() });
    notification(Content::Reminder(Box::new(Reminder { ts, since: at(245.0), page: page() })), incident)
}

pub(crate) fn tells(action: NoticeAction, step: u32, text: &str) -> Notification {
    let mut incident = incident();
    incident.alerts = 26;
    incident.acknowledged = Some(at(400.0));
    incident.resolved = (action == NoticeAction::Resolve).then(|| at(2_640.0));
    let notice = Notice { ts: at(2_940.0), action, incident: Some(incident.incident), series: None, text: text.into() };
    let mut notification = notification(Content::Notice(notice), incident);
    notification.key.step = step;
    notification
}

/// What a budget withheld: about no incident, with the pages that nobody got as moments.
pub(crate) fn withheld() -> Notification {
    let mut told = incident();
    (told.incident, told.paged, told.alerts) = (IncidentId(0), None, 0);
    (told.services, told.hosts, told.origin) = (Vec::new(), Vec::new(), Origin::default());
    told.title = "2 pages withheld by the budget quiet nights".into();
    told.moments = vec![
        Moment { ts: at(0.0), text: "03:12  queue on mail (and 1 more) (last loud 3 h ago)".into() },
        Moment { ts: at(900.0), text: "03:27  disk used 81 % on db-1 (still on)".into() },
    ];
    let text = format!("{}: it paid 2 before its period ended; 1 of what it withheld is still on", told.title);
    let notice = Notice { ts: at(13_000.0), action: NoticeAction::Withheld, incident: None, series: None, text };
    notification(Content::Notice(notice), told)
}

/// Everything that can be missing is missing.
pub(crate) fn bare() -> Notification {
    let page = Page {
        ts: at(0.0),
        severity: Severity::Warning,
        title: String::new(),
        services: Vec::new(),
        hosts: Vec::new(),
        origin: Origin::default(),
        alerts: Vec::new(),
        held_before: 0,
        reason: Reason::JudgeFailed,
        why: String::new(),
        evidence: Vec::new(),
        suspects: Vec::new(),
        url: None,
        runbook_url: None,
        ..page()
    };
    let incident = IncidentSummary {
        paged: None,
        title: String::new(),
        services: Vec::new(),
        hosts: Vec::new(),
        checks: Vec::new(),
        origin: Origin::default(),
        alerts: 1,
        moments: Vec::new(),
        ..incident()
    };
    notification(Content::Page(Box::new(page)), incident)
}

/// Text as an enemy or a broken tool would send it.
pub(crate) fn odd() -> Notification {
    let page = Page {
        title:
            "диск полон 磁盘已满 🔥\r\nBcc: victim@example.org\r\n\r\n<script>alert(1)</script>\u{1b}[2J\u{7}\u{202e}"
                .into(),
        hosts: (0..12).map(|n| format!("näme-{n}\n")).collect(),
        origin: Origin { service: Some("\u{0}".into()), host: Some("h\"><b>&'".into()), check: None },
        why: "line one\nline two\tand \u{9b}31m a C1 control".into(),
        evidence: vec![("a/\u{1b}]0;title\u{7}b".into(), f32::NAN), ("c".into(), 1e30)],
        suspects: names(&["", "\n", "deploy <b>x</b>"]),
        url: Some("javascript:alert(document.cookie)".into()),
        runbook_url: Some("https://wiki.example.org/a b?x=\"><script>\r\nX-Evil: 1".into()),
        ..page()
    };
    let mut notification = notification(Content::Page(Box::new(page)), incident());
    notification.key.receiver = "équipe mail\r\nX-Evil: 1".into();
    notification
}

pub(crate) fn long() -> Notification {
    let text = "a very long title without end ".repeat(340);
    let page = Page { title: text.clone(), why: text.repeat(10), suspects: vec![text; 50], ..page() };
    notification(Content::Page(Box::new(page)), incident())
}

/// Name of the case, and what is told.
pub(crate) fn cases() -> Vec<(&'static str, Notification)> {
    vec![
        ("a_page_opens", opens()),
        ("a_page_escalates", escalates()),
        ("nobody_takes_it", reminds()),
        (
            "an_incident_resolves",
            tells(NoticeAction::Resolve, 3, "Incident 7 is over: all its alerts have been for 5 min."),
        ),
        ("an_incident_is_back", tells(NoticeAction::Reopen, 4, "Incident 7 is back: swap_used on app-2 fires again.")),
        ("a_budget_withheld_pages", withheld()),
        ("nothing_is_known", bare()),
        ("odd_content", odd()),
        ("ten_kilobytes_of_title", long()),
    ]
}
