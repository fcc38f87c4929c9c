//! The lines of a timeline into steps: repeated, copied, resolved, in order of time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::case::{Act, START, Step};
use super::grammar::SIGNAL_VERBS;
use crate::config::findings::{Complaint, Findings, quoted, suggestion};
use crate::config::value::{Checked, Record, Value};
use crate::domain::{Event, IncidentId, LooksAt, Opinion, Silence, Status, Timestamp};

/// More steps than this are no test.
const MOST_STEPS: usize = 1_000_000;
/// A name stands for at most this many.
const MOST_COPIES: u64 = 10_000;

/// The signals of a test, by name.
pub(super) type Signals<'r> = BTreeMap<&'r str, &'r Record>;

/// Steps that are being collected.
pub(super) struct Steps<'r> {
    signals: Signals<'r>,
    steps: Vec<Step>,
    silences: BTreeMap<String, Silence>,
}

impl<'r> Steps<'r> {
    pub(super) fn new(signals: Signals<'r>) -> Self {
        Self { signals, steps: Vec::new(), silences: BTreeMap::new() }
    }

    /// All steps, in order of time; what stands first happens first.
    pub(super) fn finish(mut self) -> Vec<Step> {
        self.steps.sort_by_key(|step| step.at);
        self.steps
    }

    /// Adds the time before time 0.
    pub(super) fn history(&mut self, history: &Record, findings: &mut Findings<'_>) {
        let beginning = START - Duration::from_secs(86_400 * history.whole("days").unwrap_or(0));
        self.begin(beginning);
        for habit in history.items("of") {
            let record = habit.record();
            let (Some(every), after) = (record.duration("every"), record.duration("after").unwrap_or_default()) else {
                continue;
            };
            let mut at = beginning + after;
            while at < START && self.has_room(habit, findings) {
                self.signal(at, habit, findings);
                at = at + every;
            }
        }
        // A copy that is staggered beyond time 0 belongs to the timeline no more.
        self.steps.retain(Step::is_history);
    }

    /// The first thing ever heard: a change that concerns nobody, so that the stream has a beginning.
    fn begin(&mut self, at: Timestamp) {
        let mut event = Event::new("history", "beginning");
        event.kind = crate::domain::Kind::Change;
        event.status = Status::Event;
        (event.ts, event.received) = (Some(at), Some(at));
        self.steps.push(Step { at, act: Act::Event(Box::new(event)), id: None });
    }

    /// Adds a line of the timeline that is no reload of the rules.
    pub(super) fn line(&mut self, line: &Checked, findings: &mut Findings<'_>) {
        for at in times(line, findings) {
            if !self.has_room(line, findings) {
                return;
            }
            self.once(at, line, findings);
        }
    }

    /// Adds something that is neither signal nor silence.
    pub(super) fn push(&mut self, at: Timestamp, act: Act) {
        self.steps.push(Step { at, act, id: None });
    }

    fn has_room(&self, line: &Checked, findings: &mut Findings<'_>) -> bool {
        let room = self.steps.len() < MOST_STEPS;
        if !room {
            let complaint = Complaint::new(format!("the test has more than {MOST_STEPS} steps"));
            findings.mistake(line.spot, &line.path, complaint.help("repeat it less often"));
        }
        room
    }

    fn once(&mut self, at: Timestamp, line: &Checked, findings: &mut Findings<'_>) {
        let record = line.record();
        let by = || record.text("by").unwrap_or("somebody").to_owned();
        if let Some(silence) = record.record("silence") {
            self.silence(at, silence);
        } else if let Some(name) = record.get("end_silence") {
            self.end_silence(at, name, findings);
        } else if let Some(incident) = record.whole("take") {
            self.push(at, Act::Acknowledge(IncidentId(incident), by()));
        } else if let Some(incident) = record.whole("close") {
            self.push(at, Act::Resolve(IncidentId(incident), by()));
        } else if let Some(incident) = record.whole("split") {
            let part = record.text("part").unwrap_or_default().to_owned();
            self.push(at, Act::Split(IncidentId(incident), part, by()));
        } else if let Some((opinion, incident)) = opinion(record) {
            self.push(at, Act::Feedback(IncidentId(incident), opinion, by()));
        } else if record.flag("restart") == Some(true) {
            self.push(at, Act::Restart);
        } else {
            self.signal(at, line, findings);
        }
    }

    fn silence(&mut self, at: Timestamp, given: &Record) {
        let silence = Silence {
            id: given.text("name").unwrap_or_default().to_owned(),
            matchers: given.matchers("match"),
            looks_at: LooksAt::Fields,
            from: at,
            until: at + given.duration("for").unwrap_or_default(),
            owner: given.text("owner").unwrap_or("somebody").to_owned(),
            reason: given.text("reason").unwrap_or("a test").to_owned(),
            updated: at,
        };
        self.silences.insert(silence.id.clone(), silence.clone());
        self.push(at, Act::Silence(silence));
    }

    fn end_silence(&mut self, at: Timestamp, name: &Checked, findings: &mut Findings<'_>) {
        match self.silences.get(name.text()) {
            Some(silence) => {
                let ended = Silence { until: at, ..silence.clone() };
                self.push(at, Act::Silence(ended));
            }
            None => {
                let help = suggestion(name.text(), self.silences.keys().map(String::as_str));
                let complaint = Complaint::new(format!("no line above sets the silence {}", quoted(name.text())));
                findings.mistake(name.spot, &name.path, complaint.help(help));
            }
        }
    }

    /// Adds what a signal does once: all its copies, and their resolves.
    fn signal(&mut self, at: Timestamp, line: &Checked, findings: &mut Findings<'_>) {
        let record = line.record();
        let verb = SIGNAL_VERBS.iter().find_map(|verb| Some((*verb, record.get(verb)?)));
        let Some((verb, name)) = verb else { return };
        let Some(signal) = self.signals.get(name.text()) else {
            let help = suggestion(name.text(), self.signals.keys().copied());
            let complaint = Complaint::new(format!("there is no signal {}", quoted(name.text())));
            findings.mistake(name.spot, &name.path, complaint.help(help));
            return;
        };
        let mut event = Event::new(name.text(), name.text());
        lay_over(&mut event, signal);
        lay_over(&mut event, record);
        event.status = status(verb);
        let id: Option<Arc<str>> = record.text("id").map(Arc::from);
        let stagger = record.duration("stagger").unwrap_or_default();
        let mut at = at;
        for _ in 0..record.whole("times").unwrap_or(1) {
            for copy in copies(&event) {
                self.comes(at, (&copy, record), id.clone());
                at = at + stagger;
            }
        }
    }

    /// Adds one event, and its resolve where it has a length.
    fn comes(&mut self, at: Timestamp, (event, record): (&Event, &Record), id: Option<Arc<str>>) {
        let mut add = |at: Timestamp, mut event: Event, id: Option<Arc<str>>| {
            let late = record.duration("late").unwrap_or_default();
            event.ts = Some(record.time("ts").unwrap_or(at - late));
            event.received = Some(record.duration("received").map_or(at, |received| START + received));
            self.steps.push(Step { at, act: Act::Event(Box::new(event)), id });
        };
        add(at, event.clone(), id);
        if let Some(length) = record.duration("for") {
            add(at + length, Event { status: Status::Resolved, ..event.clone() }, None);
        }
    }
}

/// When a line happens.
fn times(line: &Checked, findings: &mut Findings<'_>) -> Vec<Timestamp> {
    let record = line.record();
    if let Some(at) = record.duration("at") {
        return vec![START + at];
    }
    let (Some(from), Some(to), Some(every)) =
        (record.duration("from"), record.duration("to"), record.duration("every"))
    else {
        let complaint = Complaint::new("`from` without `to` and `every`");
        findings.mistake(line.spot, &line.path, complaint.help("write `from: 1h, to: 9h, every: 12m`"));
        return Vec::new();
    };
    let (mut at, last) = (START + from, START + to);
    let mut times = Vec::new();
    while at <= last && times.len() <= MOST_STEPS {
        times.push(at);
        at = at + every;
    }
    times
}

/// What is said of which incident: the keys are the words of [`Opinion`].
fn opinion(record: &Record) -> Option<(Opinion, u64)> {
    Opinion::ALL.iter().find_map(|&opinion| Some((opinion, record.whole(opinion.word())?)))
}

fn status(verb: &str) -> Status {
    match verb {
        "resolve" => Status::Resolved,
        "event" => Status::Event,
        "sample" => Status::Sample,
        "nodata" => Status::NoData,
        "acknowledged" => Status::Acknowledged,
        _ => Status::Firing,
    }
}

/// Lays the fields that are given over an event.
fn lay_over(event: &mut Event, given: &Record) {
    let text = |key: &str| given.text(key).map(str::to_owned);
    event.source = text("source").unwrap_or_else(|| event.source.clone());
    event.kind = given.word("kind").unwrap_or(event.kind);
    event.service = text("service").or(event.service.take());
    event.host = text("host").or(event.host.take());
    event.check = text("check").unwrap_or_else(|| event.check.clone());
    event.severity = given.word("severity").unwrap_or(event.severity);
    event.value = given.number("value").or(event.value);
    event.threshold = given.number("threshold").or(event.threshold);
    event.unit = text("unit").or(event.unit.take());
    event.summary = text("summary").or(event.summary.take());
    event.dedup_key = text("dedup_key").or(event.dedup_key.take());
    event.url = text("url").or(event.url.take());
    event.runbook_url = text("runbook_url").or(event.runbook_url.take());
    if let Some(Checked { value: Value::Map(labels), .. }) = given.get("labels") {
        event.labels.extend(labels.iter().map(|(name, value)| (name.clone(), value.text().to_owned())));
    }
}

/// The event, once for each number of a `[1..9]` in its names.
fn copies(event: &Event) -> Vec<Event> {
    let names = [event.service.as_deref(), event.host.as_deref(), Some(&event.check), event.dedup_key.as_deref()];
    let Some((pattern, first, last)) = names.into_iter().flatten().find_map(range) else {
        return vec![event.clone()];
    };
    let numbers = first..=last.min(first.saturating_add(MOST_COPIES));
    let copy = |number: u64| {
        let put = |name: &str| name.replace(&pattern, &number.to_string());
        Event {
            service: event.service.as_deref().map(put),
            host: event.host.as_deref().map(put),
            check: put(&event.check),
            dedup_key: event.dedup_key.as_deref().map(put),
            ..event.clone()
        }
    };
    numbers.map(copy).collect()
}

/// The first `[1..9]` of a name, as written, and its ends.
fn range(name: &str) -> Option<(String, u64, u64)> {
    let open = name.find('[')?;
    let close = open + name[open..].find(']')?;
    let (first, last) = name[open + 1..close].split_once("..")?;
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then(|| (name[open..=close].to_owned(), first, last))
}
