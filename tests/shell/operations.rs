//! What stands ready for operators speaks of what there is: every metric that a rule or the dashboard asks for is exported.

use std::collections::BTreeSet;

use crate::client::get;
use crate::with::with;

const ALERTS: &str = include_str!("../../docs/operations/alerts.yaml");
const DASHBOARD: &str = include_str!("../../docs/operations/grafana.json");
/// Metrics that are only there where Kafka is read, and those that are there once they count something.
const SELDOM: [&str; 2] = [include_str!("../../src/http/feeds.rs"), include_str!("../../src/http/metrics.rs")];

/// The metrics that a text asks for.
fn asked(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("squelch_")).collect()
}

/// The metric that a sample belongs to.
fn family(sample: &str) -> &str {
    let ends = ["_total", "_bucket", "_sum", "_count"];
    ends.iter().find_map(|end| sample.strip_suffix(end)).unwrap_or(sample)
}

#[test]
fn every_metric_that_rules_and_dashboard_ask_for_is_exported() {
    with(
        |_| (),
        |to| {
            let metrics = get(to, "/metrics").body;
            let families: BTreeSet<&str> =
                metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
            let registered = |name: &str| {
                let names =
                    [format!("\"{name}\""), format!("register(\"{}\"", family(name).replacen("squelch_", "", 1))];
                SELDOM.iter().any(|text| names.iter().any(|name| text.contains(name)))
            };
            let known = |name: &&str| families.contains(family(name)) || registered(name);
            for text in [ALERTS, DASHBOARD] {
                let asked = asked(text);
                assert!(asked.len() > 5, "{asked:?}");
                let missing: Vec<&str> = asked.into_iter().filter(|name| !known(name)).collect();
                assert!(missing.is_empty(), "{missing:?} are not in {families:?}");
            }
        },
    );
}

#[test]
fn the_dashboard_is_what_grafana_imports() {
    let dashboard: serde_json::Value = serde_json::from_str(DASHBOARD).unwrap();
    assert_eq!(dashboard["title"], "Squelch");
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len(), "every panel has a number of its own");
    let asks = |panel: &&serde_json::Value| panel["type"] != "row";
    for panel in panels.iter().filter(asks) {
        assert!(panel["targets"].as_array().is_some_and(|targets| !targets.is_empty()), "{}", panel["title"]);
        assert!(panel["description"].as_str().is_some_and(|text| !text.is_empty()), "{}", panel["title"]);
    }
}
