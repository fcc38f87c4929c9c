//! Checked values into the policy and the receivers: defaults laid over, names resolved, order decided.
//!
//! Deliberately reports only what takes more than one value to see.

use std::collections::BTreeMap;

use super::digests;
use super::findings::{Complaint, Findings, Spot, quoted};
use super::judgement_fields;
use super::receivers;
use super::rotations;
use super::routes::{self, check_reach, check_receivers, check_tree};
use super::rule_fields;
use super::scalar;
use super::source::Source;
use super::value::{Checked, Record, Value};
use crate::domain::budget::{self, Budget, Per};
use crate::domain::inhibition::{Along, Condition, Inhibition};
use crate::domain::maintenance::{Maintenance, When};
use crate::domain::policy::{AdaptiveRule, FlapRule, Handling, HeartbeatRule, Rule};
use crate::domain::{Judgement, LooksAt, Policy, Severity, Silence, Timestamp, Topology, Zone};
use crate::sinks::receiver::Receiver;

/// Lowers all files, which stand in the order of the sources.
pub(super) fn lower(files: &[&Record], findings: &mut Findings<'_>) -> (Policy, Vec<Receiver>) {
    let mut judgement = Judgement::default();
    let mut defaults = Handling::default();
    for file in by_layer(files, findings, true) {
        if let Some(record) = file.record("judgement") {
            judgement_fields::lay_over(&mut judgement, record);
        }
        if let Some(given) = file.get("defaults") {
            lay_over(&mut defaults, given, findings);
        }
    }
    let mut zone = Zone::default();
    for file in by_layer(files, findings, true) {
        zone = file.text("zone").and_then(Zone::named).unwrap_or(zone);
    }
    let budgets = named(files, "budgets", findings);
    warn_of_shadowed("budget", &budgets, findings);
    let receivers = named(files, "receivers", findings);
    let routes = named(files, "routes", findings);
    let rotations = named(files, "rotations", findings);
    let digests = named(files, "digests", findings);
    check_receivers(&receivers, &rotations, (&routes, &digests), findings);
    let intervals = routes::intervals(&named(files, "intervals", findings), &zone, findings);
    check_tree(&routes, &intervals, findings);
    check_reach(&routes, findings);
    let rules = named(files, "rules", findings);
    warn_of_shadowed("rule", &rules, findings);
    let lowered: Vec<_> = receivers.iter().filter_map(|given| receivers::lower(given, findings)).collect();
    let names: Vec<&str> = receivers.iter().filter_map(|given| given.record().text("name")).collect();
    digests::check_receivers(&digests, &names, &lowered, findings);
    let policy = Policy {
        digests: digests::digests(&digests, &zone, findings),
        judgement,
        rules: rules.iter().map(|given| rule(given, &defaults, findings)).collect(),
        silences: named(files, "silences", findings).iter().map(|given| silence(given, findings)).collect(),
        inhibitions: named(files, "inhibitions", findings).iter().map(|given| inhibition(given, findings)).collect(),
        maintenance: named(files, "maintenance", findings)
            .iter()
            .map(|given| maintenance(given, &zone, findings))
            .collect(),
        heartbeats: named(files, "heartbeats", findings).iter().map(|given| heartbeat(given, findings)).collect(),
        budgets: budgets.iter().map(|given| budget(given, &zone, findings)).collect(),
        topology: topology(files),
        owners: owners(files, findings),
        routes: routes::routes(&routes, &[], &intervals),
        rotations: rotations::lower(&rotations, &zone, findings),
        zone,
        defaults,
        fallbacks: lowered
            .iter()
            .filter(|receiver| !receiver.fallback.is_empty())
            .map(|receiver| (receiver.name.clone(), receiver.fallback.clone()))
            .collect(),
        shadow: false,
        shadow_held: false,
    };
    (policy, lowered)
}

/// The files of one layer after those of the other: the shipped ones first where later values win, the users'
/// first (and before them what is only tried) where the first that fits decides.
fn by_layer<'f>(files: &[&'f Record], findings: &Findings<'_>, shipped_first: bool) -> Vec<&'f Record> {
    let mut all: Vec<(u8, &Record)> =
        files.iter().zip(findings.sources()).map(|(file, source)| (source.layer(), *file)).collect();
    all.sort_by_key(|(layer, _)| if shipped_first { *layer } else { u8::MAX - *layer });
    all.into_iter().map(|(_, file)| file).collect()
}

/// What stands under a key in all files, users' first. A name that stands twice is a mistake; a user's thing with
/// the name of a shipped one replaces it, and so does what is tried with any.
fn named<'f>(files: &[&'f Record], key: &str, findings: &mut Findings<'_>) -> Vec<&'f Checked> {
    let mut known: BTreeMap<&str, Spot> = BTreeMap::new();
    let mut things = Vec::new();
    for thing in by_layer(files, findings, false).into_iter().flat_map(|file| file.items(key)) {
        let Some(name) = thing.record().get("name") else {
            things.push(thing);
            continue;
        };
        let layer = |spot: Spot| findings.sources().get(spot.file).map(Source::layer);
        match known.get(name.text()) {
            None => {
                known.insert(name.text(), name.spot);
                things.push(thing);
            }
            Some(first) if layer(name.spot) < layer(*first) => {}
            Some(first) => {
                let complaint =
                    Complaint::new(format!("the name {} stands twice among the {key}", quoted(name.text())))
                        .help(format!("the first is at {}: choose another name", findings.place(*first)));
                findings.mistake(name.spot, &name.path, complaint);
            }
        }
    }
    things
}

/// Lays what a rule or `defaults` says over a handling.
fn lay_over(handling: &mut Handling, given: &Checked, findings: &mut Findings<'_>) {
    let record = given.record();
    handling.page = record.word("page").unwrap_or(handling.page);
    handling.page_from = record.word("page_from").unwrap_or(handling.page_from);
    handling.expire = record.duration("expire").unwrap_or(handling.expire);
    if let Some(hold) = record.record("hold") {
        handling.hold.longest = hold.duration("longest").unwrap_or(handling.hold.longest);
        handling.hold.critical_longest = hold.duration("critical_longest").unwrap_or(handling.hold.critical_longest);
    }
    if let Some(flap) = record.get("flap") {
        lay_over_flap(&mut handling.flap, flap, findings);
    }
}

fn lay_over_flap(rule: &mut FlapRule, given: &Checked, findings: &mut Findings<'_>) {
    let record = given.record();
    if let Some(mut enter) = record.paces("enter") {
        enter.sort_by_key(|pace| (pace.window, pace.changes));
        rule.enter = enter;
    }
    rule.leave = record.pace("leave").unwrap_or(rule.leave);
    rule.promote_after = record.duration("promote_after").unwrap_or(rule.promote_after);
    if record.get("promote_when").is_some() {
        rule.promote_when = record.items("promote_when").iter().filter_map(|word| word.text().parse().ok()).collect();
    }
    rule.spread = record.whole("spread").and_then(|spread| u32::try_from(spread).ok()).unwrap_or(rule.spread);
    let leave = rule.leave;
    // What enters would be steady again at once: no hysteresis.
    let at_once = rule.enter.iter().find(|enter| enter.changes <= leave.changes && enter.window >= leave.window);
    if let Some(enter) = at_once {
        let message = format!(
            "what flaps at {} changes in {} is steady again at once at {} changes in {}",
            enter.changes,
            crate::domain::duration::write(enter.window),
            leave.changes,
            crate::domain::duration::write(leave.window),
        );
        let spot = record.get("leave").or(record.get("enter")).unwrap_or(given);
        let help = "`leave` must ask for fewer changes, or a longer window, than every `enter`";
        findings.mistake(spot.spot, &spot.path, Complaint::new(message).help(help));
    }
}

fn rule(given: &Checked, defaults: &Handling, findings: &mut Findings<'_>) -> Rule {
    let mut handling = defaults.clone();
    lay_over(&mut handling, given, findings);
    handling.adaptive = given.record().get("adaptive").map(adaptive);
    if let (Some(rule), Some(given)) = (&handling.adaptive, given.record().get("adaptive"))
        && rule.severity < handling.page_from
    {
        let message =
            format!("an alert of severity `{}` never pages: `page_from` is `{}`", rule.severity, handling.page_from);
        let help = "raise `severity`, or lower `page_from` of this rule";
        findings.mistake(given.spot, &given.path, Complaint::new(message).help(help));
    }
    Rule { name: name(given), matchers: given.record().matchers("match"), handling }
}

fn adaptive(given: &Checked) -> AdaptiveRule {
    let (record, default) = (given.record(), AdaptiveRule::default());
    AdaptiveRule {
        severity: record.word("severity").unwrap_or(default.severity),
        lasts: record.duration("for").unwrap_or(default.lasts),
        keep_firing_for: record.duration("keep_firing_for").unwrap_or(default.keep_firing_for),
        side: record.word("side").unwrap_or(default.side),
        tolerance: record.number("tolerance").unwrap_or(default.tolerance),
    }
}

/// The name of a thing; empty where it is missing, which was told.
pub(super) fn name(given: &Checked) -> String {
    given.record().text("name").unwrap_or_default().to_owned()
}

/// The matchers of a key that must have one.
fn some_matchers(given: &Checked, key: &str, findings: &mut Findings<'_>) {
    if let Some(list) =
        given.record().get(key).filter(|list| matches!(&list.value, Value::List(items) if items.is_empty()))
        && !findings.has_mistake_at(list)
    {
        let complaint = Complaint::new("without a matcher this would be every alert");
        findings.mistake(list.spot, &list.path, complaint.help("if that is meant, write it: 'severity=~\".*\"'"));
    }
}

fn silence(given: &Checked, findings: &mut Findings<'_>) -> Silence {
    some_matchers(given, "match", findings);
    let record = given.record();
    let from = record.time("from").unwrap_or(Timestamp::EPOCH);
    let until = record.time("until").unwrap_or(Timestamp::MAX);
    if let Some(end) = record.get("until").filter(|_| until <= from) {
        let complaint = Complaint::new("the silence ends before it begins");
        findings.mistake(end.spot, &end.path, complaint.help("`until` must be later than `from`; mind the zones"));
    }
    Silence {
        id: name(given),
        matchers: record.matchers("match"),
        looks_at: LooksAt::Fields,
        from,
        until,
        owner: record.text("owner").unwrap_or_default().to_owned(),
        reason: record.text("reason").unwrap_or_default().to_owned(),
        updated: Timestamp::EPOCH,
    }
}

fn inhibition(given: &Checked, findings: &mut Findings<'_>) -> Inhibition {
    some_matchers(given, "source", findings);
    some_matchers(given, "target", findings);
    let record = given.record();
    let one = Condition { matchers: record.matchers("source"), at_least: 1 };
    let several = record.items("sources").iter().map(|source| {
        some_matchers(source, "match", findings);
        let at_least = source.record().whole("at_least").and_then(|least| u32::try_from(least).ok()).unwrap_or(1);
        Condition { matchers: source.record().matchers("match"), at_least }
    });
    let several: Vec<Condition> = several.collect();
    let looks_at = if record.text("looks_at") == Some("labels") { LooksAt::Posted } else { LooksAt::Fields };
    if looks_at == LooksAt::Fields {
        let sources = record.items("sources").iter().flat_map(|source| source.record().items("match"));
        check_words(record.items("source").iter().chain(record.items("target")).chain(sources), findings);
    }
    if let Some(list) = record.get("sources").filter(|_| several.is_empty())
        && !findings.has_mistake_at(list)
    {
        let complaint = Complaint::new("an inhibition without a source would never hold");
        findings.mistake(list.spot, &list.path, complaint.help("write `sources: [{match: 'check=\"host down\"'}]`"));
    }
    Inhibition {
        name: name(given),
        sources: if several.is_empty() { vec![one] } else { several },
        target: record.matchers("target"),
        equal: record.texts("equal"),
        looks_at,
        along: record.text("along").map(|_| Along::Calls),
    }
}

/// Fields that have only some words must be asked for one of them.
fn check_words<'c>(matchers: impl Iterator<Item = &'c Checked>, findings: &mut Findings<'_>) {
    for given in matchers {
        if let Value::Matcher(matcher) = &given.value
            && let Some(complaint) = scalar::unknown_word(matcher)
        {
            let help = "if it is what the sender wrote, say `looks_at: labels`";
            findings.mistake(given.spot, &given.path, complaint.also(help));
        }
    }
}

fn maintenance(given: &Checked, zone: &Zone, findings: &mut Findings<'_>) -> Maintenance {
    some_matchers(given, "match", findings);
    some_matchers(given, "after", findings);
    let record = given.record();
    let own_zone = record.text("zone").and_then(Zone::named);
    let misplaced: &[&str] = match (record.get("hours"), record.get("after")) {
        (None, Some(_)) => &["on", "zone"],
        (Some(_), None) => &["for", "equal"],
        _ => &[],
    };
    for key in misplaced.iter().filter_map(|key| record.get(key)) {
        let complaint = Complaint::new("this says nothing here");
        let help = "`on` and `zone` go with `hours`, `for` and `equal` with `after`";
        findings.mistake(key.spot, &key.path, complaint.help(help));
    }
    let when = match record.hours("hours") {
        Some((from, to)) => {
            let place = |item: &Checked| rule_fields::days().into_iter().position(|day| day == item.text());
            let days = record.items("on").iter().filter_map(place).collect();
            When::Calendar { days, from, to, zone: own_zone.unwrap_or_else(|| zone.clone()) }
        }
        None => When::Change {
            matchers: record.matchers("after"),
            lasts: record.duration("for").unwrap_or(std::time::Duration::from_secs(600)),
            equal: record.get("equal").map_or_else(|| vec!["service".to_owned()], |_| record.texts("equal")),
        },
    };
    let text = |key| record.text(key).unwrap_or_default().to_owned();
    let matchers = record.matchers("match");
    Maintenance { name: name(given), matchers, when, owner: text("owner"), reason: text("reason") }
}

fn heartbeat(given: &Checked, findings: &mut Findings<'_>) -> HeartbeatRule {
    some_matchers(given, "match", findings);
    let record = given.record();
    HeartbeatRule {
        name: name(given),
        matchers: record.matchers("match"),
        every: record.duration("every").unwrap_or_default(),
        severity: record.word("severity").unwrap_or(Severity::Critical),
    }
}

fn budget(given: &Checked, zone: &Zone, findings: &mut Findings<'_>) -> Budget {
    let record = given.record();
    let (pages, word) = record.allowance("pages").unwrap_or((0, "night"));
    let per = match (word, record.hours("hours")) {
        ("day", _) => Per::Day,
        ("week", _) => Per::Week,
        (_, Some((from, to))) => Per::Night { from, to },
        (_, None) => budget::NIGHT,
    };
    if let (Some(hours), Per::Day | Per::Week) = (record.get("hours"), per) {
        let complaint = Complaint::new(format!("`hours` say what a night is, and this budget counts by the {word}"));
        findings.mistake(hours.spot, &hours.path, complaint.help("write `N a night`, or leave `hours` out"));
    }
    let zone = record.text("zone").and_then(Zone::named).unwrap_or_else(|| zone.clone());
    Budget { name: name(given), matchers: record.matchers("match"), pages, per, zone }
}

fn topology(files: &[&Record]) -> Topology {
    let edges = files.iter().filter_map(|file| file.record("topology")?.get("edges"));
    Topology::new(edges.flat_map(|edges| {
        match &edges.value {
            Value::List(items) => items.iter().filter_map(pair).collect(),
            Value::Map(callers) => callers
                .iter()
                .flat_map(|(caller, callees)| {
                    callees.items().iter().map(|callee| (caller.clone(), callee.text().to_owned()))
                })
                .collect(),
            _ => Vec::new(),
        }
    }))
}

/// The team of each service; a service has one.
fn owners(files: &[&Record], findings: &mut Findings<'_>) -> BTreeMap<String, String> {
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    for given in files.iter().filter_map(|file| file.record("topology")?.get("owners")) {
        let Value::Map(teams) = &given.value else { continue };
        for (team, services) in teams {
            for service in services.items() {
                let before = owners.insert(service.text().to_owned(), team.clone());
                if let Some(other) = before.filter(|other| other != team) {
                    let complaint =
                        Complaint::new(format!("{} is of the team {} already", quoted(service.text()), quoted(&other)));
                    let help =
                        "a service has one owner: name it once, and tell others by a route that says `continue: true`";
                    findings.mistake(service.spot, &service.path, complaint.help(help));
                }
            }
        }
    }
    owners
}

fn pair(edge: &Checked) -> Option<(String, String)> {
    Some((edge.record().text("caller")?.to_owned(), edge.record().text("callee")?.to_owned()))
}

/// Whether it has no matchers.
pub(super) fn takes_all(thing: &Checked) -> bool {
    thing.record().items("match").is_empty() && thing.record().items("labels").is_empty()
}

/// Only the first that fits decides: what stands after one that fits everything never does.
pub(super) fn warn_of_shadowed(kind: &str, things: &[&Checked], findings: &mut Findings<'_>) {
    let mut first: Option<&Checked> = None;
    for thing in things {
        if let Some(first) = first.filter(|_| !findings.is_shipped(thing.spot)) {
            let complaint = Complaint::new(format!("this {kind} is never reached"));
            let help = format!("the {kind} at {} takes everything: move it to the end", findings.place(first.spot));
            findings.warning(thing.spot, &thing.path, complaint.help(help));
        }
        if first.is_none() && takes_all(thing) && thing.record().flag("continue") != Some(true) {
            first = Some(thing);
        }
    }
}
