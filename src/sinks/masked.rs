//! A notification without personal data and secrets in its texts.
//!
//! Deliberately before it is worded: templates of users, HTML and JSON are made of what is masked already. Names of hosts
//! and services stay, wherever they stand.

use crate::domain::mask::Mask;
use crate::domain::notification::Reminder;
use crate::domain::{Content, IncidentSummary, Notice, Notification, Page};

/// The same notification, masked.
#[must_use]
pub fn masked(notification: &Notification, mask: &Mask) -> Notification {
    let names = names(&notification.incident);
    let keep: Vec<&str> = names.iter().map(String::as_str).collect();
    let page = |page: &Page| masked_page(page, mask, &keep);
    let content = match &notification.content {
        Content::Page(told) => Content::Page(Box::new(page(told))),
        Content::Notice(told) => {
            Content::Notice(Notice { text: mask.text(&told.text, &keep).into_owned(), ..told.clone() })
        }
        // It was masked when it was put together, where the names of its hosts and services were known.
        Content::Digest(told) => Content::Digest(told.clone()),
        Content::Reminder(told) => {
            Content::Reminder(Box::new(Reminder { page: page(&told.page), ..Reminder::clone(told) }))
        }
    };
    Notification { key: notification.key.clone(), content, incident: masked_incident(&notification.incident, mask) }
}

/// The same incident, masked.
#[must_use]
pub fn masked_incident(incident: &IncidentSummary, mask: &Mask) -> IncidentSummary {
    let mut incident = incident.clone();
    let names = names(&incident);
    let keep: Vec<&str> = names.iter().map(String::as_str).collect();
    let texts = std::iter::once(&mut incident.title).chain(incident.moments.iter_mut().map(|moment| &mut moment.text));
    for text in texts.chain(&mut incident.checks).chain(&mut incident.origin.check) {
        hide(text, mask, &keep);
    }
    incident
}

/// The names of a verdict, which are never masked: its services and hosts.
#[must_use]
pub fn names(incident: &IncidentSummary) -> Vec<String> {
    incident.names().cloned().collect()
}

/// The same page, masked; its own services and hosts stay, and what is in `keep`.
#[must_use]
pub fn masked_page(page: &Page, mask: &Mask, keep: &[&str]) -> Page {
    let mut page = page.clone();
    let names: Vec<String> = page.services.iter().chain(&page.hosts).cloned().collect();
    let keep: Vec<&str> = keep.iter().copied().chain(names.iter().map(String::as_str)).collect();
    let texts = [&mut page.title, &mut page.why].into_iter();
    let links = [&mut page.url, &mut page.runbook_url].into_iter().flatten();
    for text in texts.chain(&mut page.suspects).chain(links).chain(&mut page.origin.check) {
        hide(text, mask, &keep);
    }
    page
}

fn hide(text: &mut String, mask: &Mask, keep: &[&str]) {
    if let std::borrow::Cow::Owned(shown) = mask.text(text, keep) {
        *text = shown;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sinks::samples;

    #[test]
    fn texts_are_masked_and_names_and_numbers_stay() {
        let (_, mut page) = samples::life("on call").into_iter().next().unwrap();
        let Content::Page(told) = &mut page.content else { panic!("the first of them is a page") };
        let host = told.hosts.first().cloned().unwrap_or_default();
        told.why = format!("ada@example.org on {host}: password=hunter2, 5.2 bits");
        told.suspects = vec!["deploy by grace@example.org".to_owned()];
        told.url = Some("https://me:hush@graphs.example.org/d/7".to_owned());
        page.incident.title = "mail to bob@example.org bounced".to_owned();
        let before = page.clone();
        let shown = masked(&page, &Mask::default());
        let Content::Page(told) = &shown.content else { panic!("it is a page still") };
        assert_eq!(told.why, format!("[e-mail] on {host}: password=[secret], 5.2 bits"));
        assert_eq!(told.suspects, ["deploy by [e-mail]"]);
        assert_eq!(told.url.as_deref(), Some("https://[token]@graphs.example.org/d/7"));
        assert_eq!(shown.incident.title, "mail to [e-mail] bounced");
        assert_eq!((&shown.key, &shown.incident.hosts), (&before.key, &before.incident.hosts));
    }

    #[test]
    fn what_holds_nothing_personal_is_the_same_to_the_byte() {
        for (_, notification) in samples::life("on call") {
            assert_eq!(masked(&notification, &Mask::default()), notification);
        }
    }
}
