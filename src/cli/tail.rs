//! `squelch tail`: what a running Squelch decides, a line each, as it decides it.
//!
//! Deliberately with a short memory: what went by is in `squelch why` and in the console.

use std::fmt::Write as _;

use serde_json::Value;

use super::client::{Server, Stream};
use super::fault::Fault;
use super::replay::{ink, print};
use super::terminal::show;
use crate::domain::{Reason, Severity, Timestamp};
use crate::replay::wording::{Ink, WIDTH, cut, day_and_time};

/// What `squelch tail` is asked to do.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only what people are told: pages, and news of incidents
    #[arg(long)]
    pages: bool,
    /// Print every decision as a line of JSON, as `squelch replay --decisions` writes it
    #[arg(long)]
    json: bool,
    /// So many of the latest decisions first
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 10)]
    lines: u64,
    /// Only lines that have all these words
    #[arg(value_name = "WORDS")]
    words: Vec<String>,
    #[command(flatten)]
    server: Server,
}

/// Runs the command, until it is stopped or Squelch is.
///
/// # Errors
/// When nobody answers, or standard output is closed.
pub(super) fn run(args: &Args) -> Result<(), Fault> {
    let path = format!("/live?form=decisions&last={}", args.lines);
    let ink = ink();
    args.server.stream(&path, &mut |part| {
        let text = match &part {
            Stream::Data(json) if args.json => format!("{json}\n"),
            Stream::Data(json) => line(json, args.pages, ink),
            Stream::Missed(count) => format!("{}\n", ink.dim(&format!("… {count} more went by"))),
        };
        let fits = args.words.iter().all(|word| text.contains(word.as_str()));
        match (text.is_empty() || !fits, args.json) {
            (true, _) => Ok(()),
            (false, true) => print(&text),
            (false, false) => show(&text),
        }
    })
}

/// A decision in one line; empty = nothing that is asked for.
fn line(json: &str, pages: bool, ink: Ink) -> String {
    let Ok(decision) = serde_json::from_str::<Value>(json) else { return String::new() };
    let text = |name: &str| decision[name].as_str().unwrap_or_default();
    let time = decision["ts"].as_f64().and_then(Timestamp::from_secs).map(day_and_time).unwrap_or_default();
    let time = ink.dim(&time);
    let incident = decision["incident"].as_str().map(|id| format!("#{id} ")).unwrap_or_default();
    let mut out = String::new();
    match text("type") {
        "verdict" if !pages => {
            let reason = Reason::ALL.iter().find(|reason| reason.word() == text("reason"));
            let because = reason.map_or("", |reason| reason.sentence());
            let series = cut(text("series"), WIDTH / 2);
            let words = format!("{:<8} {:<16} {series}", text("verdict"), text("reason"));
            let words = if text("verdict") == "page" { ink.bold(&words) } else { words };
            let _ = writeln!(out, "{time}  {words}  {}", ink.dim(&format!("{incident}{because}")));
        }
        "page" => {
            let severity: Severity = text("severity").parse().unwrap_or(Severity::Critical);
            let head = format!("PAGE     {incident}{}", text("title"));
            let _ = writeln!(out, "{time}  {} {} {}", ink.severity(severity), ink.bold(&head), ink.dim(text("why")));
        }
        "notice" if !pages || !incident.is_empty() => {
            let _ = writeln!(out, "{time}  {:<8} {incident}{}", text("action"), text("text"));
        }
        _ => {}
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_a_page_and_a_notice_are_a_line_each() {
        let verdict = r#"{"type":"verdict","ts":1800000000,"verdict":"suppress","reason":"transient","series":"nagios/host/shop/web-1/load","incident":null}"#;
        let page = r#"{"type":"page","ts":1800000000,"incident":"7","severity":"critical","title":"disk full on db-1","why":"5.2 bits"}"#;
        let notice =
            r#"{"type":"notice","ts":1800000000,"action":"resolve","incident":"7","text":"all its alerts are over"}"#;
        let lines = [verdict, page, notice].map(|json| line(json, false, Ink::Plain));
        assert_eq!(
            lines[0],
            "01-15 08:00:00  suppress transient        nagios/host/shop/web-1/load  it resolved by itself within its hold\n"
        );
        assert_eq!(lines[1], "01-15 08:00:00  critical PAGE     #7 disk full on db-1 5.2 bits\n");
        assert_eq!(lines[2], "01-15 08:00:00  resolve  #7 all its alerts are over\n");
        assert_eq!(line(verdict, true, Ink::Plain), "", "no page");
    }
}
