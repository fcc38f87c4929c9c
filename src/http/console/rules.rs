//! `GET /rules`: the rules in force, who is told, and the silences, which can be set, extended and ended here.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::frame::Frame;
use super::paper::Moment;
use crate::domain::interval::Interval;
use crate::domain::matcher::{Matcher, alertmanager};
use crate::domain::policy::{Handling, Rule};
use crate::domain::route::Route;
use crate::domain::{Policy, Silence, Timestamp};
use crate::http::admission::Who;
use crate::http::answer::Failure;
use crate::http::app::App;
use crate::inbox::questions::{Covering, Standing, Untold};
use crate::replay::wording::{date_and_time, several, span};

#[derive(Serialize)]
struct Page {
    frame: Frame,
    shadow: Shadow,
    silences: Vec<SilenceRow>,
    rules: Vec<RuleRow>,
    otherwise: String,
    routes: Vec<RouteRow>,
}

/// Shadow mode: how it is, who says so, and what can be done.
#[derive(Serialize)]
struct Shadow {
    on: bool,
    /// The command line holds it on.
    held: bool,
    says: String,
    /// What is open, that nobody was told of.
    untold: String,
}

#[derive(Serialize)]
struct SilenceRow {
    id: String,
    matchers: String,
    until: Moment,
    left: String,
    covers: String,
    owner: String,
    reason: String,
    from_file: bool,
    soon: bool,
}

#[derive(Serialize)]
struct RuleRow {
    name: String,
    matchers: String,
    page: &'static str,
    page_from: &'static str,
    hold: String,
}

#[derive(Serialize)]
struct RouteRow {
    name: String,
    /// How many routes stand above it.
    depth: usize,
    matchers: String,
    receivers: String,
}

/// `GET /rules`.
pub(super) async fn page(State(app): State<Arc<App>>, who: Who) -> Result<Response, Failure> {
    let (covered, (standing, untold)) = (app.inbox.ask(Covering).await?, app.inbox.ask(Untold).await?);
    let (policy, now) = (app.inbox.policy().await?, covered.now);
    let covers = |id: &str| covered.covers(id).map(|covers| covers as u64);
    let rows = covered.silences.iter().map(|silence| silence_row(silence, covers(&silence.id), &policy, now));
    let page = Page {
        frame: Frame::new(&app, &who, "/rules", standing.on),
        shadow: shadow(&standing, untold as u64, now),
        silences: rows.collect(),
        rules: policy.rules.iter().map(rule_row).collect(),
        otherwise: otherwise(&policy),
        routes: routes(&policy),
    };
    app.paper.page("rules.html", &page)
}

fn shadow(standing: &Standing, untold: u64, now: Timestamp) -> Shadow {
    let switch = |on: bool| if on { "on" } else { "off" };
    let settings = format!("The settings say {}", switch(standing.settings));
    let says = match &standing.word {
        _ if standing.held => "Squelch was started with --shadow: that holds until it is started without.".to_owned(),
        None => format!("{settings}, and nobody said otherwise."),
        Some(word) => format!(
            "{} turned it {} at {} UTC, {} ago. {settings}.",
            word.by,
            switch(word.on),
            date_and_time(word.at),
            span(now.since(word.at))
        ),
    };
    let untold = if untold > 0 { several(untold, "open incident") } else { String::new() };
    Shadow { on: standing.on, held: standing.held, says, untold }
}

fn written(matchers: &[Matcher]) -> String {
    if matchers.is_empty() {
        return "everything".to_owned();
    }
    matchers.iter().map(alertmanager::written).collect::<Vec<_>>().join(", ")
}

fn silence_row(silence: &Silence, covers: Option<u64>, policy: &Policy, now: Timestamp) -> SilenceRow {
    let left = match silence.in_force(now) {
        true if silence.is_forgotten(now) => {
            format!("{} left; forgotten?", span(silence.until.since(now)))
        }
        true => format!("{} left", span(silence.until.since(now))),
        false => format!("begins in {}", span(silence.from.since(now))),
    };
    SilenceRow {
        id: silence.id.clone(),
        matchers: written(&silence.matchers),
        until: Moment::of(silence.until, now),
        left,
        covers: covers.map_or_else(|| "not yet".to_owned(), |covers| several(covers, "alert")),
        owner: silence.owner.clone(),
        reason: silence.reason.clone(),
        from_file: policy.silences.iter().any(|own| own.id == silence.id),
        soon: silence.ends_soon(now) || silence.is_forgotten(now),
    }
}

fn rule_row(rule: &Rule) -> RuleRow {
    RuleRow {
        name: rule.name.clone(),
        matchers: written(&rule.matchers),
        page: rule.handling.page.word(),
        page_from: rule.handling.page_from.word(),
        hold: hold(&rule.handling),
    }
}

fn hold(handling: &Handling) -> String {
    let spans = [handling.hold.longest, handling.hold.critical_longest].map(|length| span(length.as_secs_f64()));
    format!("{}; critical {}", spans[0], spans[1])
}

fn otherwise(policy: &Policy) -> String {
    let defaults = &policy.defaults;
    format!(
        "Where no rule fits: page {}, from {}, hold {}. The threshold is {} bits of fresh surprise.",
        defaults.page.word(),
        defaults.page_from.word(),
        hold(defaults),
        policy.judgement.threshold()
    )
}

/// The tree of routes, in the order in which they are looked at.
fn routes(policy: &Policy) -> Vec<RouteRow> {
    let mut rows = Vec::new();
    for route in &policy.routes {
        add_route(route, 0, &mut rows);
    }
    rows
}

fn add_route(route: &Route, depth: usize, rows: &mut Vec<RouteRow>) {
    let named = |word: &str, intervals: &[Arc<Interval>]| match intervals {
        [] => String::new(),
        some => format!("; {word} {}", some.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ")),
    };
    let matchers = [route.matchers.as_slice(), route.labels.as_slice()].concat();
    let then = if route.goes_on { "; then its neighbours" } else { "" };
    rows.push(RouteRow {
        name: route.name.clone(),
        depth,
        matchers: written(&matchers),
        receivers: format!(
            "{}{}{}{then}",
            route.receivers.join(", "),
            named("only during", &route.active),
            named("not during", &route.mute)
        ),
    });
    for below in &route.routes {
        add_route(below, depth + 1, rows);
    }
}
