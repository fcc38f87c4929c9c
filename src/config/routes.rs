//! Checked values into routes: what they name must exist, and every page must reach somebody.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::findings::{Complaint, Findings, Spot, quoted, suggestion};
use super::lower::{name, takes_all, warn_of_shadowed};
use super::rotations;
use super::route_fields::months;
use super::rule_fields::days;
use super::value::Checked;
use crate::domain::interval::{Interval, Span};
use crate::domain::route::{Route, Step};
use crate::domain::zone::Zone;

/// The intervals of all files, by name.
pub(super) type Intervals = BTreeMap<String, Arc<Interval>>;

/// Lowers intervals.
pub(super) fn intervals(given: &[&Checked], zone: &Zone, findings: &mut Findings<'_>) -> Intervals {
    for when in given.iter().filter_map(|given| given.record().get("when")) {
        if when.items().is_empty() && !findings.has_mistake_at(when) {
            let complaint = Complaint::new("an interval without a time is never in force");
            findings.mistake(when.spot, &when.path, complaint.help("write `when: {hours: \"22:00-07:00\"}`"));
        }
    }
    let lower = |given: &&Checked| {
        let spans = given.record().items("when").iter().map(|when| span(when, zone)).collect();
        (name(given), Arc::new(Interval { name: name(given), spans }))
    };
    given.iter().map(lower).collect()
}

fn span(given: &Checked, zone: &Zone) -> Span {
    let record = given.record();
    Span {
        hours: record.all_hours("hours"),
        days: record.places("on", &days()),
        dates: record.ranges("dates"),
        months: record.places("months", &months()).into_iter().filter_map(|at| u8::try_from(at + 1).ok()).collect(),
        years: record.ranges("years"),
        zone: record.text("zone").and_then(Zone::named).unwrap_or_else(|| zone.clone()),
    }
}

/// Lowers routes; those that name no receivers have those of the route above.
pub(super) fn routes(given: &[&Checked], above: &[String], intervals: &Intervals) -> Vec<Route> {
    given.iter().map(|given| route(given, above, intervals)).collect()
}

fn route(given: &Checked, above: &[String], intervals: &Intervals) -> Route {
    let record = given.record();
    let own = record.texts("receivers");
    let receivers = if own.is_empty() { above.to_vec() } else { own };
    let named = |key| record.items(key).iter().filter_map(|name| intervals.get(name.text()).cloned()).collect();
    let below: Vec<&Checked> = record.items("routes").iter().collect();
    Route {
        name: name(given),
        matchers: record.matchers("match"),
        labels: record.matchers("labels"),
        goes_on: record.flag("continue").unwrap_or(false),
        active: named("active"),
        mute: named("mute"),
        unacknowledged: record.items("unacknowledged").iter().map(step).collect(),
        repeat: record.duration("repeat"),
        routes: routes(&below, &receivers, intervals),
        receivers,
    }
}

fn step(given: &Checked) -> Step {
    let record = given.record();
    Step { after: record.duration("after").unwrap_or_default(), receivers: record.texts("receivers") }
}

/// A route and all below it, with whether it stands at the top.
fn tree<'c>(routes: &[&'c Checked], top: bool) -> Vec<(&'c Checked, bool)> {
    let below = |route: &'c Checked| tree(&route.record().items("routes").iter().collect::<Vec<_>>(), false);
    routes.iter().flat_map(|route| std::iter::once((*route, top)).chain(below(route))).collect()
}

/// Every receiver that a route names must exist; one that no route names is told as a warning.
pub(super) fn check_receivers(
    receivers: &[&Checked],
    rotations: &[&Checked],
    (routes, digests): (&[&Checked], &[&Checked]),
    findings: &mut Findings<'_>,
) {
    let names = |all: &[&'_ Checked]| -> BTreeSet<String> {
        all.iter().filter_map(|one| one.record().text("name").map(str::to_owned)).collect()
    };
    let (people, turns) = (names(receivers), names(rotations));
    let people: BTreeSet<&str> = people.iter().map(String::as_str).collect();
    let known: BTreeSet<&str> = people.iter().copied().chain(turns.iter().map(String::as_str)).collect();
    let mut used = rotations::check(rotations, &people, findings);
    for (route, top) in tree(routes, true) {
        check_told(route, top, findings);
        check_steps(route, findings);
        let steps = route.record().items("unacknowledged").iter().flat_map(|step| step.record().items("receivers"));
        for target in route.record().items("receivers").iter().chain(steps) {
            used.insert(target.text());
            if !known.contains(target.text()) && !findings.is_incomplete() {
                let complaint = Complaint::new(format!("there is no receiver {}", quoted(target.text())));
                let help = suggestion(target.text(), known.iter().copied());
                findings.mistake(target.spot, &target.path, complaint.help(help));
            }
        }
    }
    used.extend(digests.iter().flat_map(|digest| digest.record().items("receivers")).map(Checked::text));
    used.extend(check_fallbacks(receivers, &people, findings));
    for named in receivers.iter().chain(rotations) {
        let what =
            if people.contains(named.record().text("name").unwrap_or_default()) { "receiver" } else { "rotation" };
        if let Some(name) = named.record().get("name").filter(|name| !used.contains(name.text()))
            && !findings.is_shipped(name.spot)
        {
            let complaint =
                Complaint::new(format!("no route names the {what} {}: it is never told", quoted(name.text())));
            findings.warning(name.spot, &name.path, complaint.help("add it to `receivers` of a route, or remove it"));
        }
    }
}

/// What follows a page follows in order, and each step tells somebody.
fn check_steps(route: &Checked, findings: &mut Findings<'_>) {
    let mut latest = None;
    for step in route.record().items("unacknowledged") {
        let record = step.record();
        let after = record.duration("after");
        if let Some(value) = record.get("after").filter(|_| after.is_some() && after <= latest) {
            let complaint = Complaint::new("this step does not come after the one before it");
            findings.mistake(
                value.spot,
                &value.path,
                complaint.help("both count from the page: put the later one last"),
            );
        }
        latest = after.or(latest);
        if let Some(list) = record.get("receivers").filter(|list| list.items().is_empty())
            && !findings.has_mistake_at(list)
        {
            let complaint = Complaint::new("a step without a receiver tells nobody");
            findings.mistake(list.spot, &list.path, complaint.help("name a receiver, or leave the step out"));
        }
    }
}

/// A route tells somebody: itself, or as the one above it does.
fn check_told(route: &Checked, top: bool, findings: &mut Findings<'_>) {
    match route.record().get("receivers") {
        None if top && !findings.has_mistake_at(route) => {
            let complaint = Complaint::new("the route has no `receivers`");
            findings.mistake(route.spot, &route.path, complaint.help("add `receivers: [night shift, console]`"));
        }
        Some(list) if list.items().is_empty() && !findings.has_mistake_at(list) => {
            let complaint = Complaint::new("a route without a receiver tells nobody");
            let help = "name a receiver; to be quiet, use a rule with `page: never`";
            findings.mistake(list.spot, &list.path, complaint.help(help));
        }
        Some(_) | None => {}
    }
}

/// Routes below others: their names are unique, too, and all that routes say of intervals is known.
pub(super) fn check_tree(routes: &[&Checked], intervals: &Intervals, findings: &mut Findings<'_>) {
    let mut known: BTreeMap<&str, Spot> = BTreeMap::new();
    for (route, _) in tree(routes, true) {
        let record = route.record();
        if let Some(name) = record.get("name") {
            if let Some(first) = known.get(name.text()) {
                let complaint =
                    Complaint::new(format!("the name {} stands twice among the routes", quoted(name.text())))
                        .help(format!("the first is at {}: choose another name", findings.place(*first)));
                findings.mistake(name.spot, &name.path, complaint);
            } else {
                known.insert(name.text(), name.spot);
            }
        }
        for named in record.items("active").iter().chain(record.items("mute")) {
            if !intervals.contains_key(named.text()) && !findings.is_incomplete() {
                let complaint = Complaint::new(format!("there is no interval {}", quoted(named.text())));
                let help = match intervals.is_empty() {
                    true => "add it: `intervals: [{name: nights, when: {hours: \"22:00-07:00\"}}]`".to_owned(),
                    false => suggestion(named.text(), intervals.keys().map(String::as_str)),
                };
                findings.mistake(named.spot, &named.path, complaint.help(help));
            }
        }
        let below: Vec<&Checked> = record.items("routes").iter().collect();
        warn_of_shadowed("route", &below, findings);
    }
}

/// Every receiver that another falls back to must exist, and be another. Gives their names.
fn check_fallbacks<'c>(receivers: &[&'c Checked], known: &BTreeSet<&str>, findings: &mut Findings<'_>) -> Vec<&'c str> {
    let mut used = Vec::new();
    for receiver in receivers {
        for target in receiver.record().items("fallback") {
            used.push(target.text());
            if Some(target.text()) == receiver.record().text("name") {
                let complaint = Complaint::new("a receiver cannot take the place of itself");
                findings.mistake(target.spot, &target.path, complaint.help("name another one"));
            } else if !known.contains(target.text()) && !findings.is_incomplete() {
                let complaint = Complaint::new(format!("there is no receiver {}", quoted(target.text())));
                let help = suggestion(target.text(), known.iter().copied());
                findings.mistake(target.spot, &target.path, complaint.help(help));
            }
        }
    }
    used
}

/// Every page must reach somebody: some route takes everything.
pub(super) fn check_reach(routes: &[&Checked], findings: &mut Findings<'_>) {
    if findings.is_incomplete() {
        return;
    }
    if let Some(last) = routes.last().filter(|_| !routes.iter().any(|route| takes_all(route))) {
        let complaint = Complaint::new("no route takes every page: what fits none would reach nobody");
        findings.mistake(last.spot, &last.path, complaint.help("end with a route without `match`"));
    } else if routes.is_empty() {
        let help = "add a route without `match`: `routes: [{name: everything, receivers: [console]}]`";
        findings
            .mistake_of_file(usize::MAX, Complaint::new("there is no route: no page would reach anybody").help(help));
    }
    warn_of_shadowed("route", routes, findings);
}
