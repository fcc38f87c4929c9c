//! The wording of a notification, shared by all kinds of receivers: for an engineer at three in the morning, so the
//! first line says what is wrong, where and since when; then the likely origin, what changed, the numbers, and how
//! to look further.
//!
//! Deliberately without any medium's form: `console`, `email` and `webhook` lay it out. All text here is already
//! one line each and free of control characters ([`super::clean`]).

use super::clean;
use super::when;
use crate::domain::{
    Content, Dispatch, IncidentSummary, Notice, NoticeAction, Notification, Origin, Page, PageAction, Reminder,
    Severity, Timestamp,
};

/// What a notification says, in the order in which it is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Wording {
    /// The first word: `CRITICAL`, `WORSE`, `RESOLVED`.
    pub tag: &'static str,
    /// How it should look.
    pub tone: Tone,
    /// What is wrong, and where.
    pub title: String,
    /// Since when, or from when to when.
    pub when: String,
    /// One or two sentences: what happened to which incident, and what it costs people as far as is known.
    pub lead: String,
    /// The rest; parts without a line are left out.
    pub parts: Vec<Part>,
    /// Whether the first line is a user's own.
    pub own_title: bool,
    /// Whether what stands below it is a user's own.
    pub own_text: bool,
}

/// How loud it should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// People may be hurt.
    Alarm,
    /// Something is wrong.
    Warning,
    /// It is over.
    Over,
    /// For the record.
    Quiet,
}

/// One part: a heading and its lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The heading.
    pub label: &'static str,
    /// The lines; never none.
    pub lines: Vec<Line>,
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// Words.
    Text(String),
    /// A number in front of a name.
    Bits(f32, String),
    /// A command to type.
    Command(String),
    /// A link: what it is, and the address.
    Link(&'static str, String),
}

/// The heading of how to look further.
const FURTHER: &str = "Look further";

const TITLE: usize = 200;
const SENTENCE: usize = 600;
const NAME: usize = 160;
const NAMES: usize = 6;
const LIST: usize = 6;
const MOMENTS: usize = 4;

impl Wording {
    /// Puts a notification into words.
    #[must_use]
    pub fn of(notification: &Notification) -> Self {
        match &notification.content {
            Content::Page(page) => of_page(page, &notification.incident),
            Content::Reminder(reminder) => of_reminder(reminder, &notification.incident),
            Content::Notice(notice) => of_notice(notice, &notification.incident),
            Content::Digest(digest) => of_digest(digest),
        }
    }

    /// A user's own words in the place of everything below the first line.
    pub fn say_instead(&mut self, text: String) {
        (self.lead, self.own_text) = (text, true);
        self.parts.clear();
    }

    /// A user's own words in the place of the first line.
    pub fn title_instead(&mut self, text: &str) {
        (self.title, self.own_title) = (title(text), true);
    }

    /// Takes from a page what this one leaves out; what both have stays as it is here.
    pub fn keep_of(&mut self, page: &Page, incident: &IncidentSummary) {
        if self.own_text {
            return;
        }
        let mut kept = of_page(page, incident).parts;
        for part in &mut kept {
            // The page's origin has its evidence, and its links lead somewhere.
            let own = self.parts.iter().position(|own| own.label == part.label).map(|at| self.parts.remove(at));
            if let Some(own) = own.filter(|own| own.lines.len() > part.lines.len()) {
                *part = own;
            }
        }
        let end = kept.iter().position(|part| part.label == FURTHER).unwrap_or(kept.len());
        kept.splice(end..end, std::mem::take(&mut self.parts));
        self.parts = kept;
    }

    /// The first line: what is wrong, where, since when.
    #[must_use]
    pub fn headline(&self) -> String {
        if self.own_title {
            return self.title.clone();
        }
        format!("{}: {} ({})", self.tag, self.title, self.when)
    }

    /// All of it as plain text: paragraphs with headings, ending with a line end.
    #[must_use]
    pub fn plain(&self) -> String {
        let mut text = format!("{}\n{}\n", self.headline(), self.lead);
        for part in &self.parts {
            text += &format!("\n{}\n", part.label);
            for line in &part.lines {
                text += &format!("  {}\n", line.plain());
            }
        }
        text
    }
}

impl Line {
    /// The line as plain text.
    #[must_use]
    pub fn plain(&self) -> String {
        match self {
            Self::Text(text) | Self::Command(text) => text.clone(),
            Self::Bits(bits, name) => format!("{bits:.1} bits  {name}"),
            Self::Link(what, url) => format!("{what}: {url}"),
        }
    }
}

/// The title in one line, never empty.
#[must_use]
pub fn title(text: &str) -> String {
    let line = clean::line(text, TITLE);
    if line.is_empty() { "an incident without a title".to_owned() } else { line }
}

/// When a notification was decided.
#[must_use]
pub fn decided(notification: &Notification) -> Timestamp {
    notification.content.ts()
}

/// The one sentence with the numbers, or what a notice tells.
#[must_use]
pub fn sentence(text: &str) -> String {
    clean::line(text, SENTENCE)
}

/// The component in words: `shop on app-2, check swap_used`; empty when nothing is known of it.
#[must_use]
pub fn component(origin: &Origin) -> String {
    let part =
        |text: &Option<String>| text.as_deref().map(|text| clean::line(text, NAME)).filter(|text| !text.is_empty());
    let place = match (part(&origin.service), part(&origin.host)) {
        (Some(service), Some(host)) => format!("{service} on {host}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => String::new(),
    };
    match part(&origin.check) {
        Some(check) if place.is_empty() => format!("check {check}"),
        Some(check) => format!("{place}, check {check}"),
        None => place,
    }
}

fn of_page(page: &Page, incident: &IncidentSummary) -> Wording {
    let (tag, done) = match page.action {
        PageAction::Open => (loud(page.severity), "opened"),
        PageAction::Escalate => ("WORSE", "became clearly worse"),
    };
    let so_far = match page.action {
        PageAction::Open => Vec::new(),
        PageAction::Escalate => moments(incident, page.ts),
    };
    Wording {
        own_title: false,
        own_text: false,
        tag,
        tone: if page.severity >= Severity::Error { Tone::Alarm } else { Tone::Warning },
        title: title(&page.title),
        when: course(incident, page.ts, false),
        lead: format!("Incident {} {done}. {}", page.incident, cost(page.severity)),
        parts: parts([
            ("Most likely origin", origin(page)),
            ("Changed just before", texts(&page.suspects)),
            ("Why", vec![Line::Text(why(page))]),
            ("Where", place(&page.services, &page.hosts)),
            ("So far", so_far),
            ("Held back before", held(page.held_before)),
            (FURTHER, further(page)),
        ]),
    }
}

/// The page again, as it stands now.
fn of_reminder(reminder: &Reminder, incident: &IncidentSummary) -> Wording {
    let page = &reminder.page;
    let waited = when::span(reminder.ts.since(reminder.since));
    let mut wording = of_page(page, incident);
    wording.tag = "NOT TAKEN";
    wording.when = course(incident, reminder.ts, false);
    wording.lead = format!("Nobody has taken incident {} for {waited}. {}", page.incident, cost(page.severity));
    if let Some(at) = wording.parts.iter().position(|part| part.label == "So far") {
        wording.parts.remove(at);
    }
    let end = wording.parts.iter().position(|part| part.label == FURTHER).unwrap_or(wording.parts.len());
    wording.parts.splice(end..end, parts([("So far", moments(incident, reminder.ts))]));
    wording
}

/// What it costs people, as far as it is known: that is what the sender says.
const fn cost(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical: its sender says that people are hurt now.",
        Severity::Error => "Error: something failed; whether people feel it is not known.",
        Severity::Warning => "Warning: no harm to people is known yet.",
        Severity::Info => "Info: no harm is known.",
    }
}

const fn loud(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "CRITICAL",
        Severity::Error => "ERROR",
        Severity::Warning => "WARNING",
        Severity::Info => "INFO",
    }
}

/// The component, then what spoke loudest.
fn origin(page: &Page) -> Vec<Line> {
    let component = component(&page.origin);
    let first = (!component.is_empty()).then_some(Line::Text(component));
    let finite = page.evidence.iter().filter(|(_, bits)| bits.is_finite()).take(LIST);
    let loudest = finite.map(|(series, bits)| Line::Bits(bits.clamp(0.0, 99.9), clean::line(series, NAME)));
    first.into_iter().chain(loudest).collect()
}

fn why(page: &Page) -> String {
    let why = sentence(&page.why);
    if why.is_empty() { format!("It paged because {}.", page.reason.sentence()) } else { why }
}

fn place(services: &[String], hosts: &[String]) -> Vec<Line> {
    [("services", services), ("hosts", hosts)]
        .into_iter()
        .map(|(what, names)| (what, clean::names(names, NAMES)))
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| Line::Text(format!("{what}: {names}")))
        .collect()
}

fn held(count: u64) -> Vec<Line> {
    match count {
        0 => Vec::new(),
        1 => vec![Line::Text("1 signal of these series was held back before this page".to_owned())],
        _ => vec![Line::Text(format!("{count} signals of these series were held back before this page"))],
    }
}

fn further(page: &Page) -> Vec<Line> {
    let link = |what, url: &Option<String>| url.as_deref().and_then(clean::link).map(|url| Line::Link(what, url));
    [link("runbook", &page.runbook_url), link("source", &page.url), Some(ask(&page.incident))]
        .into_iter()
        .flatten()
        .collect()
}

fn ask(incident: &crate::domain::IncidentId) -> Line {
    Line::Command(format!("squelch why {incident}"))
}

/// What a budget withheld: it belongs to no incident, and the moments are the pages that nobody got.
fn of_withheld(notice: &Notice, told: &IncidentSummary) -> Wording {
    let (tag, tone) = manner(notice.action);
    let lines = told.moments.iter().map(|moment| Line::Text(clean::line(&moment.text, TITLE))).collect();
    Wording {
        own_title: false,
        own_text: false,
        tag,
        tone,
        title: title(&told.title),
        when: course(told, notice.ts, false),
        lead: capital(&sentence(notice.text.strip_prefix(&format!("{}: ", told.title)).unwrap_or(&notice.text))),
        parts: parts([("Nobody was woken for", lines)]),
    }
}

/// A sentence that begins as one.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn of_notice(notice: &Notice, incident: &IncidentSummary) -> Wording {
    if notice.incident.is_none() {
        return of_withheld(notice, incident);
    }
    let (tag, tone) = manner(notice.action);
    let told = sentence(&notice.text);
    let over = notice.action == NoticeAction::Resolve;
    let origin = component(&incident.origin);
    Wording {
        own_title: false,
        own_text: false,
        tag,
        tone,
        title: title(&incident.title),
        when: course(incident, notice.ts, over),
        lead: if told.is_empty() { format!("Incident {}: {}.", incident.incident, notice.action) } else { told },
        parts: parts([
            ("Most likely origin", if origin.is_empty() { Vec::new() } else { vec![Line::Text(origin)] }),
            ("Where", if over { Vec::new() } else { place(&incident.services, &incident.hosts) }),
            ("In short", vec![Line::Text(account(incident, notice.ts))]),
            (FURTHER, vec![ask(&incident.incident)]),
        ]),
    }
}

/// A digest where no mail is sent: its text.
fn of_digest(digest: &Dispatch) -> Wording {
    Wording {
        own_title: true,
        own_text: true,
        tag: "DIGEST",
        tone: Tone::Quiet,
        title: title(&digest.subject),
        when: String::new(),
        lead: digest.text.clone(),
        parts: Vec::new(),
    }
}

const fn manner(action: NoticeAction) -> (&'static str, Tone) {
    match action {
        NoticeAction::Resolve => ("RESOLVED", Tone::Over),
        NoticeAction::Reopen => ("BACK", Tone::Alarm),
        NoticeAction::Update => ("UPDATE", Tone::Quiet),
        NoticeAction::Flapping => ("FLAPPING", Tone::Warning),
        NoticeAction::Steady => ("STEADY", Tone::Over),
        NoticeAction::Withheld => ("WITHHELD", Tone::Quiet),
        NoticeAction::Ack => ("TAKEN", Tone::Quiet),
        NoticeAction::Expire => ("GIVEN UP", Tone::Quiet),
    }
}

/// From when to when it went, or since when it goes.
fn course(incident: &IncidentSummary, now: Timestamp, over: bool) -> String {
    let from = when::clock(incident.opened, now);
    if over {
        let end = incident.resolved.unwrap_or(now);
        let from = from.trim_end_matches(" UTC");
        format!("{from} to {}, {}", when::clock(end, now), when::span(end.since(incident.opened)))
    } else {
        let lasted = now.since(incident.opened);
        if lasted < 1.0 { format!("since {from}") } else { format!("since {from}, {}", when::span(lasted)) }
    }
}

/// `26 alerts, paged 03:12 UTC, taken 03:15 UTC`
fn account(incident: &IncidentSummary, now: Timestamp) -> String {
    let count = incident.alerts;
    let mut text = format!("{count} alert{}", if count == 1 { "" } else { "s" });
    for (what, at) in [("paged", incident.paged), ("taken", incident.acknowledged)] {
        if let Some(at) = at {
            text += &format!(", {what} {}", when::clock(at, now));
        }
    }
    text
}

/// The latest moments, oldest first.
fn moments(incident: &IncidentSummary, now: Timestamp) -> Vec<Line> {
    let from = incident.moments.len().saturating_sub(MOMENTS);
    incident.moments[from..]
        .iter()
        .map(|moment| Line::Text(format!("{}  {}", when::clock(moment.ts, now), clean::line(&moment.text, NAME))))
        .collect()
}

fn texts(list: &[String]) -> Vec<Line> {
    list.iter().take(LIST).map(|text| clean::line(text, NAME)).filter(|t| !t.is_empty()).map(Line::Text).collect()
}

fn parts<const N: usize>(all: [(&'static str, Vec<Line>); N]) -> Vec<Part> {
    all.into_iter().filter(|(_, lines)| !lines.is_empty()).map(|(label, lines)| Part { label, lines }).collect()
}
