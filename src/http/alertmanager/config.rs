//! The rules in force as an Alertmanager configuration, for clients that draw the routes (`status.config.original`).
//!
//! Deliberately only what Alertmanager's strict reader knows: routes, receivers by name, inhibitions. How receivers
//! are reached stays out, for there may be secrets in it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::RESOLVE_TIMEOUT;
use crate::domain::LooksAt;
use crate::domain::duration;
use crate::domain::interval::Span;
use crate::domain::matcher::{Matcher, alertmanager};
use crate::domain::policy::Policy;
use crate::domain::route::{self, Route};

/// The names of the receivers, in the order in which routes name them.
pub(super) fn receivers(policy: &Policy) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for name in route::all(&policy.routes).flat_map(|route| &route.receivers) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names
}

/// The configuration as YAML. Receivers of one route become routes that `continue`.
pub(super) fn original(policy: &Policy) -> String {
    let names = receivers(policy);
    let mut text = format!("global:\n  resolve_timeout: {}\n", duration::write(RESOLVE_TIMEOUT));
    add_routes(&mut text, policy, names.first().copied().unwrap_or("nobody"));
    add_inhibitions(&mut text, policy);
    text.push_str("receivers:\n");
    for name in if names.is_empty() { vec!["nobody"] } else { names } {
        let _ = writeln!(text, "- name: {}", quoted(name));
    }
    add_intervals(&mut text, policy);
    text.push_str("templates: []\n");
    text
}

/// The tree. Its root is the first route that takes everything at all times, where Alertmanager could say it so.
fn add_routes(text: &mut String, policy: &Policy, any: &str) {
    let always =
        |route: &Route| route.takes_all() && !route.goes_on && route.active.is_empty() && route.mute.is_empty();
    let end = policy.routes.iter().position(always);
    let (before, root) = match end {
        Some(end) => (&policy.routes[..end], Some(&policy.routes[end])),
        None => (policy.routes.as_slice(), None),
    };
    let receiver = root.and_then(|root| root.receivers.first()).map_or(any, String::as_str);
    let _ = write!(text, "route:\n  receiver: {}\n  group_by:\n  - alertname\n", quoted(receiver));
    let goes_on = before.iter().any(|route| route.goes_on);
    let below = match root {
        Some(root) if before.is_empty() && root.receivers.len() == 1 => root.routes.iter().collect(),
        Some(root) if goes_on || root.receivers.len() > 1 || !root.routes.is_empty() => {
            before.iter().chain([root]).collect()
        }
        _ => before.iter().collect::<Vec<_>>(),
    };
    if !below.is_empty() {
        text.push_str("  routes:\n");
    }
    for route in below {
        add_route(text, route, 2);
    }
}

fn add_route(text: &mut String, route: &Route, indent: usize) {
    let pad = " ".repeat(indent);
    for (at, receiver) in route.receivers.iter().enumerate() {
        let _ = writeln!(text, "{pad}- receiver: {}", quoted(receiver));
        let matchers = route.matchers.iter().map(written_field).chain(route.labels.iter().map(alertmanager::written));
        add_list(text, &format!("{pad}  matchers"), matchers.collect());
        for (key, intervals) in [("active_time_intervals", &route.active), ("mute_time_intervals", &route.mute)] {
            add_list(text, &format!("{pad}  {key}"), intervals.iter().map(|interval| interval.name.clone()).collect());
        }
        if let Some(repeat) = route.repeat {
            let _ = writeln!(text, "{pad}  repeat_interval: {}", duration::write(repeat));
        }
        let goes_on = route.goes_on || at + 1 < route.receivers.len();
        let _ = writeln!(text, "{pad}  continue: {goes_on}");
        if !route.routes.is_empty() {
            let _ = writeln!(text, "{pad}  routes:");
        }
        for below in &route.routes {
            add_route(text, below, indent + 2);
        }
    }
}

/// The intervals that routes name. What goes over midnight becomes two, the second a day later.
fn add_intervals(text: &mut String, policy: &Policy) {
    let named = route::all(&policy.routes).flat_map(|route| route.active.iter().chain(&route.mute));
    let intervals: BTreeMap<_, _> = named.map(|interval| (interval.name.as_str(), interval)).collect();
    if !intervals.is_empty() {
        text.push_str("time_intervals:\n");
    }
    for (name, interval) in intervals {
        let _ = writeln!(text, "- name: {}\n  time_intervals:", quoted(name));
        for span in &interval.spans {
            let (over, within): (Vec<_>, Vec<_>) = span.hours.iter().partition(|(from, to)| from >= to);
            let evening = within.into_iter().copied().chain(over.iter().map(|(from, _)| (*from, 1440)));
            add_span(text, &Span { hours: evening.collect(), ..span.clone() });
            let morning: Vec<_> = over.iter().map(|(_, to)| (0, *to)).filter(|(_, to)| *to > 0).collect();
            if !morning.is_empty() {
                let days = span.days.iter().map(|day| (day + 1) % 7).collect();
                add_span(text, &Span { hours: morning, days, ..span.clone() });
            }
        }
    }
}

fn add_span(text: &mut String, span: &Span) {
    const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let ranges = |ranges: &[(i32, i32)]| ranges.iter().map(|(from, to)| format!("{from}:{to}")).collect::<Vec<_>>();
    let _ = writeln!(text, "  - location: {}", quoted(span.zone.name()));
    if !span.hours.is_empty() {
        text.push_str("    times:\n");
    }
    for (from, to) in &span.hours {
        let clock = |minute: &u16| quoted(&format!("{:02}:{:02}", minute / 60, minute % 60));
        let _ = writeln!(text, "    - start_time: {}\n      end_time: {}", clock(from), clock(to));
    }
    add_list(text, "    weekdays", span.days.iter().map(|day| DAYS[day % 7].to_owned()).collect());
    add_list(text, "    days_of_month", ranges(&span.dates));
    add_list(text, "    months", span.months.iter().map(ToString::to_string).collect());
    add_list(text, "    years", ranges(&span.years));
}

fn add_inhibitions(text: &mut String, policy: &Policy) {
    // What asks for several sources, or for the graph, Alertmanager has no words for.
    let plain: Vec<_> = policy.inhibitions.iter().filter_map(|rule| Some((rule, rule.source()?))).collect();
    if !plain.is_empty() {
        text.push_str("inhibit_rules:\n");
    }
    for (inhibition, source) in plain {
        let as_sent = inhibition.looks_at == LooksAt::Posted;
        let written = |matchers: &[Matcher]| {
            matchers.iter().map(if as_sent { alertmanager::written } else { written_field }).collect()
        };
        add_list(text, "- source_matchers", written(source));
        add_list(text, "  target_matchers", written(&inhibition.target));
        text.push_str("  equal:\n");
        for name in &inhibition.equal {
            let _ = writeln!(text, "  - {}", quoted(if as_sent { name } else { label(name) }));
        }
        if inhibition.equal.is_empty() {
            text.truncate(text.len() - 1);
            text.push_str(" []\n");
        }
    }
}

/// A list of texts under a key, unless it is empty; the indent of its lines is that of the key.
fn add_list(text: &mut String, key: &str, items: Vec<String>) {
    if items.is_empty() {
        return;
    }
    let _ = writeln!(text, "{key}:");
    let indent = " ".repeat(key.len() - key.trim_start_matches([' ', '-']).len());
    for item in items {
        let _ = writeln!(text, "{indent}- {}", quoted(&item));
    }
}

/// A matcher on a field, as Alertmanager would write it.
fn written_field(matcher: &Matcher) -> String {
    let named = Matcher::new(label(matcher.name()), matcher.operator(), matcher.value());
    alertmanager::written(named.as_ref().unwrap_or(matcher))
}

/// What Prometheus people call a field.
fn label(name: &str) -> &str {
    if name == "check" { "alertname" } else { name }
}

/// A text as YAML takes it whatever it holds: JSON's form.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::inhibition::Inhibition;
    use crate::domain::interval::Interval;

    #[test]
    fn routes_with_several_receivers_become_routes_that_go_on() {
        let matcher = |text| Matcher::parse(text).unwrap();
        let route = |name: &str, matchers: Vec<Matcher>, receivers: &[&str]| Route {
            name: name.to_owned(),
            matchers,
            receivers: receivers.iter().map(ToString::to_string).collect(),
            ..Route::default()
        };
        let policy = Policy {
            routes: vec![
                route("shop", vec![matcher("check=~\"Shop.*\""), matcher("severity=critical")], &["a", "b"]),
                route("rest", vec![], &["c"]),
            ],
            inhibitions: vec![Inhibition::by_one(
                "down".to_owned(),
                vec![matcher("check=Down")],
                vec![matcher("severity=warning")],
                vec!["host".to_owned()],
            )],
            ..Policy::default()
        };
        expect_test::expect![[r#"
            global:
              resolve_timeout: 5m
            route:
              receiver: "c"
              group_by:
              - alertname
              routes:
              - receiver: "a"
                matchers:
                - "alertname=~\"Shop.*\""
                - "severity=\"critical\""
                continue: true
              - receiver: "b"
                matchers:
                - "alertname=~\"Shop.*\""
                - "severity=\"critical\""
                continue: false
            inhibit_rules:
            - source_matchers:
              - "alertname=\"Down\""
              target_matchers:
              - "severity=\"warning\""
              equal:
              - "host"
            receivers:
            - name: "a"
            - name: "b"
            - name: "c"
            templates: []
        "#]]
        .assert_eq(&original(&policy));
    }

    #[test]
    fn a_tree_with_intervals_is_written_as_a_tree() {
        let nights = Interval {
            name: "nights".to_owned(),
            spans: vec![Span { hours: vec![(1320, 420)], days: vec![6], ..Span::default() }],
        };
        let route = |name: &str, labels: &[&str], routes| Route {
            name: name.to_owned(),
            labels: labels.iter().map(|text| Matcher::parse(text).unwrap()).collect(),
            receivers: vec![name.to_owned()],
            routes,
            ..Route::default()
        };
        let quiet = Route { mute: vec![Arc::new(nights)], goes_on: true, ..route("db chat", &["check=x"], vec![]) };
        let policy = Policy {
            routes: vec![route("all", &[], vec![route("db", &["team=db"], vec![quiet])])],
            ..Policy::default()
        };
        expect_test::expect![[r#"
            global:
              resolve_timeout: 5m
            route:
              receiver: "all"
              group_by:
              - alertname
              routes:
              - receiver: "db"
                matchers:
                - "team=\"db\""
                continue: false
                routes:
                - receiver: "db chat"
                  matchers:
                  - "check=\"x\""
                  mute_time_intervals:
                  - "nights"
                  continue: true
            receivers:
            - name: "all"
            - name: "db"
            - name: "db chat"
            time_intervals:
            - name: "nights"
              time_intervals:
              - location: "UTC"
                times:
                - start_time: "22:00"
                  end_time: "24:00"
                weekdays:
                - "sunday"
              - location: "UTC"
                times:
                - start_time: "00:00"
                  end_time: "07:00"
                weekdays:
                - "monday"
            templates: []
        "#]]
        .assert_eq(&original(&policy));
    }
}
