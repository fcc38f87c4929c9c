//! `squelch silence`: sets, lists and ends silences of a running Squelch, with the matchers and durations of amtool.
//!
//! Deliberately over the Alertmanager API, so that there is one way to set a silence.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::client::Server;
use super::fault::Fault;
use super::replay::print;
use super::terminal::show as show_text;
use crate::domain::matcher::{Matcher, Operator, alertmanager};
use crate::domain::{Timestamp, duration};
use crate::formats;
use crate::replay::wording::{cut, day_and_time, span};

/// What `squelch silence` is asked to do.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Hold alerts back for a time: `squelch silence add --for 2h -c 'disk swap' alertname=DiskFull 'host=~"db-.*"'`
    Add(Add),
    /// List silences in force and to come
    #[command(visible_alias = "query")]
    List(List),
    /// End silences now
    Expire(Expire),
}

#[derive(Debug, clap::Args)]
struct Add {
    /// How long, such as 30m, 2h or 1d
    #[arg(short = 'd', long = "for", alias = "duration", value_name = "SPAN", default_value = "1h")]
    span: String,
    /// From when on, in RFC 3339 [default: now]
    #[arg(long, value_name = "TIME")]
    start: Option<String>,
    /// Until when, in RFC 3339, instead of `--for`
    #[arg(long, value_name = "TIME")]
    end: Option<String>,
    /// Why
    #[arg(short, long, value_name = "TEXT")]
    comment: String,
    /// Who answers for it [default: the user's name]
    #[arg(short, long, value_name = "NAME")]
    author: Option<String>,
    /// Which alerts: all must match their labels as they were sent. A word alone is an `alertname`
    #[arg(required = true, value_name = "MATCHER")]
    matchers: Vec<String>,
    /// Print JSON instead of the bare identity
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Server,
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only those with these matchers
    #[arg(value_name = "MATCHER")]
    matchers: Vec<String>,
    /// Those that are over, too: they are remembered for five days
    #[arg(long)]
    expired: bool,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Print the identities alone
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    server: Server,
}

#[derive(Debug, clap::Args)]
struct Expire {
    /// Their identities, as `squelch silence list` shows them
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    /// Print as JSON which have ended; else nothing is printed
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Server,
}

/// Runs the command.
///
/// # Errors
/// When a matcher or a time cannot be read, nobody answers, or Squelch says no.
pub(super) fn run(args: &Args) -> Result<(), Fault> {
    match &args.action {
        Action::Add(add) => set(add),
        Action::List(list) => show(list),
        Action::Expire(expire) => end(expire),
    }
}

fn set(args: &Add) -> Result<(), Fault> {
    let matchers = args.matchers.iter().map(|text| matcher(text)).collect::<Result<Vec<_>, _>>()?;
    let author = args.author.clone().or_else(|| std::env::var("USER").ok()).filter(|name| !name.trim().is_empty());
    let author = author.ok_or_else(|| Fault::Usage("nobody answers for it: name somebody with --author".to_owned()))?;
    let start = args.start.as_deref().map(time).transpose()?.unwrap_or_else(now);
    let end = match &args.end {
        Some(end) => time(end)?,
        None => start + length(&args.span)?,
    };
    let silence = json!({
        "matchers": matchers.iter().map(form).collect::<Vec<_>>(),
        "startsAt": rfc3339(start),
        "endsAt": rfc3339(end),
        "createdBy": author,
        "comment": args.comment,
    });
    let answer = args.server.post("/api/v2/silences", &silence)?;
    let id = serde_json::from_str::<Value>(&answer).ok().and_then(|json| Some(json["silenceID"].as_str()?.to_owned()));
    let id = id.ok_or_else(|| Fault::Wrong(format!("it answered with {answer}")))?;
    print(&if args.json { format!("{}\n", json!({"silenceID": id})) } else { format!("{id}\n") })
}

fn matcher(text: &str) -> Result<Matcher, Fault> {
    let alone = !text.contains(['=', '!', '~', '{', '"']);
    let read = if alone {
        Matcher::new("alertname", Operator::Equal, text).map_err(|error| error.to_string())
    } else {
        alertmanager::matcher(text)
    };
    read.map_err(|error| Fault::Usage(format!("`{text}` is no matcher: {error}\n{FORM}")))
}

const FORM: &str = "write it as name=value, name!=value, name=~regex or name!~regex; one matcher an argument, in quotes where the shell needs them";

fn time(text: &str) -> Result<Timestamp, Fault> {
    let wrong = || Fault::Usage(format!("`{text}` is no time: write it as 2026-11-23T05:00:00Z"));
    formats::time(text).ok_or_else(wrong)
}

fn length(text: &str) -> Result<Duration, Fault> {
    match duration::parse(text) {
        Ok(span) if !span.is_zero() => Ok(span),
        Ok(_) => Err(Fault::Usage("--for 0s ends at once: write how long, such as 30m, 2h or 1d".to_owned())),
        Err(error) => Err(Fault::Usage(format!("--for: {error}; write how long, such as 30m, 2h or 1d"))),
    }
}

fn form(matcher: &Matcher) -> Value {
    let (name, value, operator) = (matcher.name(), matcher.value(), matcher.operator());
    json!({"name": name, "value": value, "isRegex": operator.is_regex(), "isEqual": operator.is_equal()})
}

/// A silence as it is listed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Silence {
    id: String,
    status: State,
    matchers: Vec<Listed>,
    starts_at: String,
    ends_at: String,
    created_by: String,
    comment: String,
}

#[derive(Deserialize)]
struct State {
    state: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    name: String,
    value: String,
    is_regex: bool,
    is_equal: bool,
}

fn show(args: &List) -> Result<(), Fault> {
    let mut query = String::new();
    for text in &args.matchers {
        let filter = alertmanager::written(&matcher(text)?);
        let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        let _ = write!(query, "{}filter={filter}", if query.is_empty() { '?' } else { '&' });
    }
    let answer = args.server.get(&format!("/api/v2/silences{query}"), "application/json")?;
    let silences: Vec<Value> = serde_json::from_str(&answer).map_err(|error| not_understood(&error))?;
    let wanted = |silence: &Value| args.expired || silence["status"]["state"] != "expired";
    let silences: Vec<Value> = silences.into_iter().filter(wanted).collect();
    if args.json {
        return print(&format!("{}\n", Value::from(silences)));
    }
    let silences: Vec<Silence> = serde_json::from_value(silences.into()).map_err(|error| not_understood(&error))?;
    if args.quiet {
        return print(&silences.iter().map(|silence| format!("{}\n", silence.id)).collect::<String>());
    }
    show_text(&table(&silences, now()))
}

fn not_understood(error: &serde_json::Error) -> Fault {
    Fault::Wrong(format!("the answer cannot be understood: {error}"))
}

fn table(silences: &[Silence], now: Timestamp) -> String {
    if silences.is_empty() {
        return "no silences\n".to_owned();
    }
    let mut text = String::new();
    for silence in silences {
        let matchers: Vec<_> = silence.matchers.iter().map(Listed::written).collect();
        let when =
            match (silence.status.state.as_str(), formats::time(&silence.starts_at), formats::time(&silence.ends_at)) {
                ("active", _, Some(end)) => format!("ends in {}", span(end.since(now))),
                ("pending", Some(start), _) => format!("begins in {}", span(start.since(now))),
                (_, _, Some(end)) => format!("ended {}", day_and_time(end)),
                _ => silence.status.state.clone(),
            };
        let _ = writeln!(text, "{}  {when}", silence.id);
        let _ = writeln!(text, "    {}", matchers.join(", "));
        let _ = writeln!(text, "    {}: {}", cut(&silence.created_by, 40), cut(&silence.comment, 100));
    }
    text
}

impl Listed {
    fn written(&self) -> String {
        let operator = Operator::of(self.is_equal, self.is_regex);
        let matcher = Matcher::new(self.name.clone(), operator, self.value.clone());
        matcher.map_or_else(|_| self.name.clone(), |matcher| alertmanager::written(&matcher))
    }
}

fn end(args: &Expire) -> Result<(), Fault> {
    for id in &args.ids {
        let id: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
        args.server.delete(&format!("/api/v2/silence/{id}")).map_err(|fault| match fault {
            Fault::Wrong(text) => Fault::Wrong(format!("{id}: {text}")),
            other => other,
        })?;
    }
    if args.json { print(&format!("{}\n", json!({"expired": args.ids}))) } else { Ok(()) }
}

fn now() -> Timestamp {
    crate::clock::Clock::start(Timestamp::EPOCH).now()
}

fn rfc3339(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.millis()).map_or_else(|_| String::new(), |at| format!("{at:.3}"))
}
