//! Bodies that nobody can read yet, and what people must do: kept for `GET /ingest`, bounded in every way, in memory.
//!
//! Deliberately not durable: a sample is an example, and the sender was told that it was not taken.

use std::collections::VecDeque;

use serde_json::{Value, json};

use crate::domain::Timestamp;
use crate::formats::mapping::{masked, propose};

/// Samples of so many tools.
const NAMES: usize = 16;
/// So many samples of each.
const EACH: usize = 3;
/// So many bytes of each sample.
const BYTES: usize = 16 << 10;
/// A larger body is not looked into for a proposal.
const LARGEST: usize = 256 << 10;
/// So many notices.
const NOTICES: usize = 20;

/// What was kept.
#[derive(Debug, Default)]
pub struct Samples {
    tools: VecDeque<Unknown>,
    notices: VecDeque<Notice>,
}

/// A tool that nobody can read yet.
#[derive(Debug)]
struct Unknown {
    name: String,
    count: u64,
    bodies: VecDeque<Sample>,
    proposal: String,
}

#[derive(Debug)]
struct Sample {
    received: Timestamp,
    content_type: String,
    text: String,
}

#[derive(Debug)]
struct Notice {
    received: Timestamp,
    tool: String,
    text: String,
}

impl Samples {
    /// Keeps a body of a tool that is not known, without its secrets; the tool that was silent longest makes room.
    pub fn keep(&mut self, name: &str, received: Timestamp, (content_type, body): (&str, &[u8])) {
        let mut tool = match self.tools.iter().position(|tool| tool.name == name) {
            Some(at) => self.tools.remove(at),
            None => None,
        }
        .unwrap_or_else(|| Unknown {
            name: name.to_owned(),
            count: 0,
            bodies: VecDeque::new(),
            proposal: String::new(),
        });
        tool.count += 1;
        if body.len() <= LARGEST
            && let Ok(document) = serde_json::from_slice::<Value>(body)
        {
            let proposal = propose(name, &document);
            if !proposal.is_empty() {
                tool.proposal = proposal;
            }
        }
        let content_type = content_type.chars().take(100).collect();
        let looked_at = &body[..body.len().min(LARGEST)];
        tool.bodies.push_front(Sample { received, content_type, text: masked(looked_at, BYTES) });
        tool.bodies.truncate(EACH);
        self.tools.push_front(tool);
        self.tools.truncate(NAMES);
    }

    /// Keeps what a person must do; the same again only once.
    pub fn notice(&mut self, tool: &str, received: Timestamp, text: &str) {
        let text: String = text.chars().take(2_000).collect();
        self.notices.retain(|notice| notice.text != text);
        self.notices.push_front(Notice { received, tool: tool.to_owned(), text });
        self.notices.truncate(NOTICES);
    }

    /// What was kept of tools that are not `known` by now, as JSON.
    #[must_use]
    pub fn shown(&self, known: &dyn Fn(&str) -> bool) -> Value {
        let unknown = self.tools.iter().filter(|tool| !known(&tool.name));
        let tools: Vec<Value> = unknown.map(Unknown::shown).collect();
        json!(tools)
    }

    /// What people must do, newest first, as JSON.
    #[must_use]
    pub fn notices(&self) -> Value {
        let notice =
            |notice: &Notice| json!({"received": notice.received.secs(), "tool": notice.tool, "notice": notice.text});
        json!(self.notices.iter().map(notice).collect::<Vec<_>>())
    }
}

impl Unknown {
    fn shown(&self) -> Value {
        let sample = |sample: &Sample| json!({"received": sample.received.secs(), "content_type": sample.content_type, "body": sample.text});
        let bodies: Vec<Value> = self.bodies.iter().map(sample).collect();
        json!({
            "tool": self.name,
            "count": self.count,
            "bodies": bodies,
            "proposed_file": format!("rules/sources/{}.yaml", self.name),
            "proposed_mapping": self.proposal,
        })
    }
}

/// Whether a tool may be called so: samples of other names are not kept.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.len() <= 60 && name.bytes().all(fits) && !name.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_and_without_secrets() {
        let mut samples = Samples::default();
        for number in 0..100 {
            let body =
                format!("{{\"token\": \"hush\", \"title\": \"t{number}\", \"long\": \"{}\"}}", "x".repeat(50_000));
            samples.keep(&format!("tool-{}", number / 2), Timestamp::EPOCH, ("application/json", body.as_bytes()));
            samples.notice("sns", Timestamp::EPOCH, &format!("open {}", number % 30));
        }
        let shown = samples.shown(&|name| name == "tool-48");
        assert_eq!(shown.as_array().unwrap().len(), NAMES - 1);
        assert_eq!(shown[0]["tool"], "tool-49");
        assert_eq!(shown[0]["count"], 2);
        assert!(shown[0]["proposed_mapping"].as_str().unwrap().contains("check: title"));
        let text = shown.to_string();
        assert!(!text.contains("hush") && text.len() < NAMES * EACH * (BYTES + 1_000), "{}", text.len());
        assert_eq!(samples.notices().as_array().unwrap().len(), NOTICES);
    }
}
