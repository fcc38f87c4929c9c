//! Checked values into routes: what they name must exist, and every page must reach somebody.

use std::collections::BTreeSet;

use super::findings::{Complaint, Findings, quoted, suggestion};
use super::lower::{name, takes_all, warn_of_shadowed};
use super::value::Checked;
use crate::domain::policy::Route;

/// Lowers a route.
pub(super) fn route(given: &Checked) -> Route {
    let record = given.record();
    Route { name: name(given), matchers: record.matchers("match"), receivers: record.texts("receivers") }
}

/// Every receiver that a route names must exist; one that no route names is told as a warning.
pub(super) fn check_receivers(receivers: &[&Checked], routes: &[&Checked], findings: &mut Findings<'_>) {
    let known: BTreeSet<&str> = receivers.iter().filter_map(|receiver| receiver.record().text("name")).collect();
    let mut used = BTreeSet::new();
    for route in routes {
        let targets = route.record().items("receivers");
        if let Some(list) = route.record().get("receivers").filter(|_| targets.is_empty())
            && !findings.has_mistake_at(list)
        {
            let complaint = Complaint::new("a route without a receiver tells nobody");
            findings.mistake(
                list.spot,
                &list.path,
                complaint.help("name a receiver; to be quiet, use a rule with `page: never`"),
            );
        }
        for target in targets {
            used.insert(target.text());
            if !known.contains(target.text()) && !findings.is_incomplete() {
                let complaint = Complaint::new(format!("there is no receiver {}", quoted(target.text())));
                let help = suggestion(target.text(), known.iter().copied());
                findings.mistake(target.spot, &target.path, complaint.help(help));
            }
        }
    }
    for receiver in receivers {
        if let Some(name) = receiver.record().get("name").filter(|name| !used.contains(name.text()))
            && !findings.is_shipped(name.spot)
        {
            let complaint =
                Complaint::new(format!("no route names the receiver {}: it is never told", quoted(name.text())));
            findings.warning(name.spot, &name.path, complaint.help("add it to `receivers` of a route, or remove it"));
        }
    }
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
