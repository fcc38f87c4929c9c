//! The rules in force as an Alertmanager configuration, for clients that draw the routes (`status.config.original`).
//!
//! Deliberately only what Alertmanager's strict reader knows: routes, receivers by name, inhibitions. How receivers
//! are reached stays out, for there may be secrets in it.

use std::fmt::Write as _;

use super::RESOLVE_TIMEOUT;
use crate::domain::duration;
use crate::domain::matcher::{Matcher, alertmanager};
use crate::domain::policy::Policy;

/// The names of the receivers, in the order in which routes name them.
pub(super) fn receivers(policy: &Policy) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for name in policy.routes.iter().flat_map(|route| &route.receivers) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names
}

/// The configuration as YAML. Receivers of one route become routes that `continue`.
pub(super) fn original(policy: &Policy) -> String {
    let end = policy.routes.iter().position(|route| route.matchers.is_empty());
    let (before, root) = policy.routes.split_at(end.unwrap_or(policy.routes.len()));
    let names = receivers(policy);
    let root = root.first().map_or(&[][..], |route| route.receivers.as_slice());
    let mut text = format!("global:\n  resolve_timeout: {}\n", duration::write(RESOLVE_TIMEOUT));
    let first = root.first().map(String::as_str).or(names.first().copied()).unwrap_or("nobody");
    let _ = write!(text, "route:\n  receiver: {}\n  group_by:\n  - alertname\n", quoted(first));
    if !before.is_empty() || root.len() > 1 {
        text.push_str("  routes:\n");
    }
    for route in before {
        add_route(&mut text, &route.matchers, &route.receivers);
    }
    if root.len() > 1 {
        add_route(&mut text, &[], root);
    }
    add_inhibitions(&mut text, policy);
    text.push_str("receivers:\n");
    for name in if names.is_empty() { vec!["nobody"] } else { names } {
        let _ = writeln!(text, "- name: {}", quoted(name));
    }
    text.push_str("templates: []\n");
    text
}

fn add_route(text: &mut String, matchers: &[Matcher], receivers: &[String]) {
    for (at, receiver) in receivers.iter().enumerate() {
        let _ = writeln!(text, "  - receiver: {}", quoted(receiver));
        add_matchers(text, "    matchers", matchers);
        let goes_on = at + 1 < receivers.len();
        let _ = writeln!(text, "    continue: {goes_on}");
    }
}

fn add_inhibitions(text: &mut String, policy: &Policy) {
    // What asks for several sources, or for the graph, Alertmanager has no words for.
    let plain: Vec<_> = policy.inhibitions.iter().filter_map(|rule| Some((rule, rule.source()?))).collect();
    if !plain.is_empty() {
        text.push_str("inhibit_rules:\n");
    }
    for (inhibition, source) in plain {
        add_matchers(text, "- source_matchers", source);
        add_matchers(text, "  target_matchers", &inhibition.target);
        text.push_str("  equal:\n");
        for name in &inhibition.equal {
            let _ = writeln!(text, "  - {}", quoted(label(name)));
        }
        if inhibition.equal.is_empty() {
            text.truncate(text.len() - 1);
            text.push_str(" []\n");
        }
    }
}

/// A list of matchers under a key; the second line's indent is that of the key.
fn add_matchers(text: &mut String, key: &str, matchers: &[Matcher]) {
    if matchers.is_empty() {
        return;
    }
    let _ = writeln!(text, "{key}:");
    let indent = " ".repeat(key.len() - key.trim_start_matches([' ', '-']).len());
    for matcher in matchers {
        let named = Matcher::new(label(matcher.name()), matcher.operator(), matcher.value());
        let written = alertmanager::written(named.as_ref().unwrap_or(matcher));
        let _ = writeln!(text, "{indent}- {}", quoted(&written));
    }
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
    use super::*;
    use crate::domain::inhibition::Inhibition;
    use crate::domain::policy::Route;

    #[test]
    fn routes_with_several_receivers_become_routes_that_go_on() {
        let matcher = |text| Matcher::parse(text).unwrap();
        let route = |name: &str, matchers: Vec<Matcher>, receivers: &[&str]| Route {
            name: name.to_owned(),
            matchers,
            receivers: receivers.iter().map(ToString::to_string).collect(),
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
}
