//! `route` into `routes`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use super::intervals::Intervals;
use super::receivers::Receivers;
use super::section::Section;
use super::written::{flow, text};
use super::{Work, keys};
use crate::config::findings::{Complaint, quoted, suggestion};
use crate::config::tree::Data;
use crate::domain::duration;
use crate::domain::matcher::{Matcher, Operator, alertmanager};

/// What `repeat` of a route may be.
const LEAST_REPEAT: Duration = Duration::from_secs(60);
const MOST_REPEAT: Duration = Duration::from_secs(30 * 86_400);

/// What names what.
struct Known<'k> {
    receivers: &'k Receivers,
    intervals: &'k Intervals,
    /// The names of routes so far.
    names: BTreeSet<String>,
}

/// What a route has of the one above it.
#[derive(Clone, Copy, Default)]
struct Above<'n> {
    receiver: &'n str,
    repeat: Option<Duration>,
}

impl Work<'_, '_> {
    /// The routes as a part of a rule file.
    pub(super) fn routes(&mut self, root: &Section<'_>, receivers: &Receivers, intervals: &Intervals) -> String {
        let mut known = Known { receivers, intervals, names: BTreeSet::new() };
        let route = root.section("route", keys::ROUTE, &mut self.findings);
        if route.at.is_none() {
            let help = "add `route: {receiver: …}`: what everything goes to that no other route takes";
            self.findings.mistake_of_file(0, Complaint::new("there is no `route`").help(help));
            return String::new();
        }
        self.check_root(&route);
        let mut out = "routes:\n".to_owned();
        self.route(&route, &mut known, (0, Above::default()), &mut out);
        out
    }

    /// What the root of Alertmanager's tree may not have.
    fn check_root(&mut self, route: &Section<'_>) {
        if route.text("receiver", &mut self.findings).is_none()
            && let Some(place) = &route.at
        {
            let complaint = Complaint::new("the root route has no `receiver`");
            let help = "name the receiver of everything that no other route takes";
            self.findings.mistake(place.spot, &place.path, complaint.help(help));
        }
        for key in ["match", "match_re", "matchers", "mute_time_intervals", "active_time_intervals"] {
            if let Some(place) = route.place(key) {
                let complaint = Complaint::new(format!("the root route must not have `{key}`: it takes everything"));
                self.findings.mistake(place.spot, &place.path, complaint.help("put it into a route below"));
            }
        }
    }

    /// Writes a route and those below it.
    fn route<'n>(
        &mut self,
        route: &Section<'n>,
        known: &mut Known<'_>,
        (depth, above): (usize, Above<'n>),
        out: &mut String,
    ) {
        let Some(place) = route.at.clone() else { return };
        let receiver = self.receiver_of(route, known).unwrap_or(above.receiver);
        let own = Above { receiver, repeat: self.repeat_of(route, above.repeat) };
        let pad = "    ".repeat(depth);
        let line = place.spot.line;
        let name = unused(receiver, line, known, depth == 0);
        let _ = writeln!(out, "{pad}  - name: {}  # line {line}", text(&name));
        let matchers = self.matchers(route, ["matchers", "match", "match_re"]);
        if !matchers.is_empty() && depth > 0 {
            let _ = writeln!(out, "{pad}    labels: {}", flow(&matchers));
        }
        let told = known.receivers.parts(receiver);
        let _ = writeln!(out, "{pad}    receivers: {}", flow(&told.iter().map(|name| text(name)).collect::<Vec<_>>()));
        for (key, ours) in [("active_time_intervals", "active"), ("mute_time_intervals", "mute")] {
            let intervals = self.intervals_of(route, key, known);
            if !intervals.is_empty() && depth > 0 {
                let _ = writeln!(out, "{pad}    {ours}: {}", flow(&intervals));
            }
        }
        if let Some(repeat) = own.repeat {
            let _ = writeln!(out, "{pad}    repeat: {}", duration::write(repeat));
        }
        if route.flag("continue", &mut self.findings) == Some(true) && depth > 0 {
            let _ = writeln!(out, "{pad}    continue: true");
        }
        self.note_grouping(route);
        let below = route.sections("routes", keys::ROUTE, &mut self.findings);
        if !below.is_empty() {
            let _ = writeln!(out, "{pad}    routes:");
        }
        for route in &below {
            self.route(route, known, (depth + 1, own), out);
        }
    }

    /// The receiver that a route names; it must exist.
    fn receiver_of<'n>(&mut self, route: &Section<'n>, known: &Known<'_>) -> Option<&'n str> {
        let receiver = route.text("receiver", &mut self.findings)?;
        if !known.receivers.has(receiver)
            && let Some(place) = route.place("receiver")
        {
            let complaint = Complaint::new(format!("there is no receiver {}", quoted(receiver)));
            let help = suggestion(receiver, known.receivers.names());
            self.findings.mistake(place.spot, &place.path, complaint.help(help));
        }
        Some(receiver)
    }

    /// The intervals that a route names; they must exist.
    fn intervals_of(&mut self, route: &Section<'_>, key: &str, known: &Known<'_>) -> Vec<String> {
        let mut names = Vec::new();
        for (name, place) in route.texts(key, &mut self.findings) {
            if !known.intervals.iter().any(|(other, _)| other == name) {
                let complaint = Complaint::new(format!("there is no time interval {}", quoted(name)));
                let help = "name one of `time_intervals`";
                self.findings.mistake(place.spot, &place.path, complaint.help(help));
            }
            names.push(text(name));
        }
        names
    }

    /// How often a route repeats what it told.
    fn repeat_of(&mut self, route: &Section<'_>, above: Option<Duration>) -> Option<Duration> {
        let (Some(given), Some(place)) =
            (route.text("repeat_interval", &mut self.findings), route.place("repeat_interval"))
        else {
            return above;
        };
        match duration::parse(given) {
            Ok(repeat) if repeat > MOST_REPEAT => {
                let help = "left out, it is never told again; a page still is when it gets clearly worse";
                self.left.add(place, "`repeat_interval` of more than 30 days is carried as never", help);
                None
            }
            Ok(repeat) if repeat < LEAST_REPEAT => {
                self.left.add(
                    place,
                    "`repeat_interval` of less than a minute is carried as one",
                    "one minute is the least",
                );
                Some(LEAST_REPEAT)
            }
            Ok(repeat) => Some(repeat),
            Err(_) => {
                let complaint = Complaint::new(format!("{} is no duration", quoted(given)));
                self.findings.mistake(place.spot, &place.path, complaint.help("write it as `4h`"));
                above
            }
        }
    }

    fn note_grouping(&mut self, route: &Section<'_>) {
        for key in ["group_by", "group_wait", "group_interval"] {
            if let Some(place) = route.place(key) {
                let help = "grouping is Squelch's work: what belongs together is one incident, and pages once";
                self.left.add(place, format!("`{key}` is not carried"), help);
            }
        }
    }

    /// Matchers in their three forms, as Alertmanager writes them, ready for a list in a rule file.
    pub(super) fn matchers(&mut self, section: &Section<'_>, [list, equal, regex]: [&str; 3]) -> Vec<String> {
        let mut all = Vec::new();
        for (line, place) in section.texts(list, &mut self.findings) {
            match alertmanager::matchers(line) {
                Ok(matchers) => all.extend(matchers),
                Err(error) => {
                    let help =
                        "write it as `name=\"value\"`, `name!=\"value\"`, `name=~\"regex\"` or `name!~\"regex\"`";
                    self.findings.mistake(place.spot, &place.path, Complaint::new(error).help(help));
                }
            }
        }
        for (key, operator) in [(equal, Operator::Equal), (regex, Operator::Matches)] {
            let pairs = section.section(key, &[], &mut self.findings);
            for (name, place) in pairs.places() {
                let value = pairs.value(name).map_or("", |node| match &node.data {
                    Data::Scalar { text, .. } => text,
                    _ => "",
                });
                if !is_classic(name) {
                    let complaint = Complaint::new(format!("{} is no label name that `{key}` takes", quoted(name)));
                    let help = format!("write it in `{list}`: '\"my label\"=\"value\"'");
                    self.findings.mistake(place.spot, &place.path, complaint.help(help));
                    continue;
                }
                match Matcher::new(name, operator, value) {
                    Ok(matcher) => all.push(matcher),
                    Err(error) => {
                        let complaint = Complaint::new(error.message).help(error.help);
                        self.findings.mistake(place.spot, &place.path, complaint);
                    }
                }
            }
        }
        all.iter().map(|matcher| text(&alertmanager::written(matcher))).collect()
    }
}

/// Whether a label name is one of letters, digits and underscores.
fn is_classic(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A name for a route: unique, and telling.
fn unused(receiver: &str, line: usize, known: &mut Known<'_>, root: bool) -> String {
    let short: String = receiver.chars().take(60).collect();
    let base = if root { "alertmanager".to_owned() } else { format!("{short}, line {line}") };
    let mut name = base.clone();
    let mut more = 2;
    while !known.names.insert(name.clone()) {
        name = format!("{base}.{more}");
        more += 1;
    }
    name
}
