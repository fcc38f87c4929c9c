//! How rule files are written: texts, lists, heads.

use std::fmt::Write as _;

use super::intervals::Intervals;
use super::receivers::Receivers;

/// Words that YAML, old or new, takes for something else than a text.
const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

/// A text as YAML takes it: plain where that is safe.
pub(super) fn text(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '/');
    let safe = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.ends_with(' ')
        && text.chars().all(plain)
        && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    if safe {
        text.to_owned()
    } else if text.chars().any(char::is_control) {
        // JSON's form is YAML's, and has escapes.
        serde_json::Value::from(text).to_string()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

/// A list in brackets, or its one entry. The entries are written already.
pub(super) fn flow(items: &[String]) -> String {
    if let [one] = items { one.clone() } else { format!("[{}]", items.join(", ")) }
}

/// The first lines of a file.
pub(super) fn head(name: &str, part: &str) -> String {
    let name: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!(
        "# yaml-language-server: $schema=squelch.schema.json\n#\n# The {part} of {name}, by `squelch import`. Lines are those of that file.\n\n"
    )
}

/// The intervals as a part of a rule file; empty where there are none.
pub(super) fn intervals(intervals: &Intervals) -> String {
    let mut out = String::new();
    for (name, interval) in intervals {
        let _ = writeln!(out, "  - name: {}  # line {}\n    when:", text(name), interval.line);
        for span in &interval.spans {
            let _ = writeln!(out, "      - {span}");
        }
    }
    if out.is_empty() { out } else { format!("intervals:\n{out}\n") }
}

/// The receivers as a rule file.
pub(super) fn receivers(receivers: &Receivers) -> String {
    let mut out = "receivers:\n".to_owned();
    for part in receivers.all() {
        for note in &part.notes {
            let _ = writeln!(out, "  # {note}");
        }
        let _ = writeln!(out, "  - name: {}  # line {}", text(&part.name), part.line);
        if part.settings.is_empty() {
            let _ = writeln!(out, "    {}: {{}}", part.kind);
        } else {
            let _ = writeln!(out, "    {}:", part.kind);
        }
        for (key, value) in &part.settings {
            let _ = writeln!(out, "      {key}: {value}");
        }
        for (key, value) in &part.wording {
            let _ = writeln!(out, "    {key}: {value}");
        }
    }
    out
}
