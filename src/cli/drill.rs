//! `squelch drill`: does a page arrive, and how long does each step take?
//!
//! Deliberately by a running Squelch: what is tested is the path that a real page takes, with its store and couriers.

use std::fmt::Write as _;

use super::client::Server;
use super::fault::Fault;
use super::replay::print;
use super::terminal::show;
use crate::http::drill::Report;

/// What to drill.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The route whose receivers are told [default: the first that takes everything]
    #[arg(long, value_name = "NAME")]
    route: Option<String>,
    /// Leave the incident open, so that somebody can take it; else it is resolved at once
    #[arg(long)]
    open: bool,
    /// Print JSON instead of sentences
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Server,
}

/// Runs the command.
///
/// # Errors
/// When nobody answers, Squelch says no, or a receiver has not taken the page.
pub(super) fn run(args: &Args) -> Result<(), Fault> {
    let body = serde_json::json!({"route": args.route, "open": args.open});
    let answer = args.server.post("/api/v1/drill", &body)?;
    let report: Report = serde_json::from_str(&answer)
        .map_err(|error| Fault::Wrong(format!("what it answered cannot be read: {error}")))?;
    if args.json {
        print(&format!("{answer}\n"))?;
    } else {
        show(&written(&report))?;
    }
    let missing = report.told.iter().chain(&report.over).filter(|told| !told.delivered).count();
    match missing {
        0 => Ok(()),
        _ => Err(Fault::Wrong(
            "not everybody was reached; what is missing is tried on, and the log says more".to_owned(),
        )),
    }
}

fn written(report: &Report) -> String {
    let wide = report.told.iter().map(|told| told.receiver.chars().count()).max().unwrap_or(0).max(6);
    let mut text = format!("drill of the route {}: incident {}\n", report.route, report.incident);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "  {:wide$}  judged and stored   {:>9}", "", shown(report.stored_ms));
    for (told, what) in
        report.told.iter().map(|told| (told, "page")).chain(report.over.iter().map(|told| (told, "end of it")))
    {
        let name = &told.receiver;
        let _ = match (&told.error, told.delivered) {
            (None, true) => writeln!(
                text,
                "  {name:wide$}  {what:9} delivered {:>9}  (after {}, attempts: {})",
                shown(told.attempt_ms),
                shown(told.after_ms),
                told.attempts
            ),
            (error, _) => {
                writeln!(text, "  {name:wide$}  {what:9} NOT YET: {}", error.as_deref().unwrap_or("no word of it"))
            }
        };
    }
    text
}

fn shown(millis: f64) -> String {
    if millis < 1_000.0 { format!("{millis:.1} ms") } else { format!("{:.2} s", millis / 1_000.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::drill::Told;

    #[test]
    fn every_step_is_told_with_its_time() {
        let told = |receiver: &str, error: Option<&str>| Told {
            receiver: receiver.to_owned(),
            delivered: error.is_none(),
            attempts: 1,
            attempt_ms: 81.25,
            after_ms: 1_093.0,
            error: error.map(str::to_owned),
        };
        let report = Report {
            incident: 1_000_000_000_000,
            route: "nights".to_owned(),
            stored_ms: 3.4,
            told: vec![told("on call", None), told("chat", Some("HTTP 503"))],
            over: vec![told("on call", None)],
        };
        expect_test::expect![[r#"
            drill of the route nights: incident 1000000000000
                       judged and stored      3.4 ms
              on call  page      delivered   81.2 ms  (after 1.09 s, attempts: 1)
              chat     page      NOT YET: HTTP 503
              on call  end of it delivered   81.2 ms  (after 1.09 s, attempts: 1)
        "#]]
        .assert_eq(&written(&report));
    }
}
