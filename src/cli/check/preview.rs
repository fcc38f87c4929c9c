//! `squelch check --receiver NAME`: what a receiver would be sent, without sending it. No secret is read.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the command line speaks to people")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use crate::config;
use crate::files;
use crate::sinks::{Known, Letter, Message, Paint, Place, Receiver, Request, samples};

/// Prints what this receiver would be sent in the life of an incident.
pub(super) fn run(dir: Option<&Path>, name: &str, json: bool) -> ExitCode {
    let bundle = files::read_rules(dir)
        .map_err(|error| error.to_string())
        .and_then(|sources| config::load(&sources).map_err(|report| super::mistakes(&report)));
    let found = bundle.and_then(|bundle| {
        let names: Vec<_> = bundle.receivers.iter().map(|receiver| format!("`{}`", receiver.name)).collect();
        let found = bundle.receivers.into_iter().find(|receiver| receiver.name == name);
        found.ok_or_else(|| format!("there is no receiver `{name}`\nthere are {}", names.join(", ")))
    });
    match found {
        Ok(receiver) => {
            if json {
                let steps: Vec<_> = steps(&receiver)
                    .iter()
                    .map(|(when, text)| json!({"when": when, "sent": text.trim_end()}))
                    .collect();
                println!("{}", json!({"receiver": receiver.name, "messages": steps}));
            } else {
                print!("{}", life(&receiver));
            }
            ExitCode::SUCCESS
        }
        Err(said) => {
            eprintln!("{said}");
            ExitCode::from(1)
        }
    }
}

/// The life of an incident as the receiver sees it.
fn life(receiver: &Receiver) -> String {
    steps(receiver).into_iter().map(|(when, text)| format!("── {when}\n\n{text}")).collect()
}

/// What happens, and what the receiver is sent then.
fn steps(receiver: &Receiver) -> Vec<(String, String)> {
    let mut known: Option<Known> = None;
    let mut steps = Vec::new();
    for (what, notification) in samples::life(&receiver.name) {
        let letter = Letter::of(&notification, known.as_ref()).worded_by(&receiver.templates);
        let text = message(&receiver.kind.compose(&letter, Paint::Plain));
        let page = letter.page().cloned().map(Box::new);
        known = page.map(|page| Known { id: "CHANNEL/MESSAGE".to_owned(), page: Some(page) }).or(known);
        steps.push((what.to_string(), text));
    }
    steps
}

fn message(message: &Message) -> String {
    match message {
        Message::Console(lines) => lines.join("\n") + "\n\n",
        Message::Mail(mail) => format!("Subject: {}\n\n{}\n", mail.subject, mail.text),
        Message::Exec(start) => {
            let program = start.program.display();
            format!("{program} {}\n{}\n", start.arguments.join(" "), pretty(&start.input))
        }
        Message::Kafka(record) => {
            let headers: String = record.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
            format!(
                "to the topic {} under the key {}\n{headers}{}\n\n",
                record.topic,
                record.key,
                pretty(&record.value)
            )
        }
        Message::Http(requests) if requests.is_empty() => "(nothing)\n\n".to_owned(),
        Message::Http(requests) => requests.iter().map(request).collect(),
    }
}

fn request(request: &Request) -> String {
    let mut text = format!("{} {}\n", request.method, request.to);
    for (place, secret) in &request.secrets {
        let colon = if matches!(place, Place::Header(..)) { "" } else { ":" };
        let _ = writeln!(text, "{}{colon} *** (from {secret})", place.to_string().trim_end());
    }
    text + &pretty(&request.body) + "\n\n"
}

/// A body as people read it: JSON with line ends, a form as one pair a line.
fn pretty(body: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(body) {
        Ok(value) => format!("{value:#}"),
        Err(_) => url::form_urlencoded::parse(body.as_bytes())
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Source, load, with_shipped};

    #[test]
    fn a_preview_shows_what_is_sent_in_the_words_of_the_user_and_no_secret() {
        let rules = "receivers:\n  - name: chat\n    slack: {token_file: /run/secrets/slack, channel: \"#alerts\"}\n    \
                     title: \"{{ severity | upper }} {{ title }}\"\n    text: |\n      {% for host in hosts %}\n      \
                     * {{ host }}\n      {% endfor %}\nroutes:\n  - {name: all, receivers: [chat]}\n";
        let bundle = load(&with_shipped(vec![Source::new("a.yaml", rules)])).unwrap();
        let receiver = bundle.receivers.iter().find(|receiver| receiver.name == "chat").unwrap();
        expect_test::expect_file!["../../../tests/fixtures/sinks/preview.txt"].assert_eq(&life(receiver));
    }
}
