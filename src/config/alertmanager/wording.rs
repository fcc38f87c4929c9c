//! Wording: a template of Alertmanager (Go's language) as one of Squelch's (Jinja's), where it says what both know.
//!
//! An incident is told as one thing: `range` over alerts is gone through once, and labels that all alerts have in common are
//! what the incident is about. Deliberately no half a translation: what cannot be said as a whole is not carried.

use std::iter::Peekable;

/// The template in Jinja's language; `None` = something in it cannot be said.
pub(super) fn translated(go: &str) -> Option<String> {
    let mut out = String::with_capacity(go.len());
    let mut open: Vec<Block> = Vec::new();
    let mut rest = go;
    while let Some((before, after)) = rest.split_once("{{") {
        let (action, after) = after.split_once("}}")?;
        let (action, trims_left) = action.strip_prefix('-').map_or((action, false), |action| (action, true));
        let (action, trims_right) = action.strip_suffix('-').map_or((action, false), |action| (action, true));
        out.push_str(plain(if trims_left { before.trim_end() } else { before })?);
        out.push_str(&said(action.trim(), &mut open)?);
        rest = if trims_right { after.trim_start() } else { after };
    }
    out.push_str(plain(rest)?);
    open.is_empty().then_some(out)
}

/// Text between actions: what Jinja would take for its own cannot be written plainly.
fn plain(text: &str) -> Option<&str> {
    (!["{%", "{#", "}}", "%}"].iter().any(|own| text.contains(own))).then_some(text)
}

/// What an `end` ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    If,
    /// Gone through once.
    Range,
}

/// An action in Jinja's words.
fn said(action: &str, open: &mut Vec<Block>) -> Option<String> {
    if action.starts_with("/*") && action.ends_with("*/") {
        return Some(String::new());
    }
    let words = words(action)?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["range", alerts] if is_alerts(alerts) => {
            open.push(Block::Range);
            Some(String::new())
        }
        ["if", condition @ ..] => {
            open.push(Block::If);
            Some(format!("{{% if {} %}}", condition_of(condition)?))
        }
        ["else"] if open.last() == Some(&Block::If) => Some("{% else %}".to_owned()),
        ["else", "if", condition @ ..] if open.last() == Some(&Block::If) => {
            Some(format!("{{% elif {} %}}", condition_of(condition)?))
        }
        ["end"] => match open.pop()? {
            Block::If => Some("{% endif %}".to_owned()),
            Block::Range => Some(String::new()),
        },
        value => Some(format!("{{{{ {} }}}}", value_of(value)?)),
    }
}

fn condition_of(words: &[&str]) -> Option<String> {
    match words {
        ["eq", left, right] => Some(format!("{} == {}", value_of(&[left])?, value_of(&[right])?)),
        ["ne", left, right] => Some(format!("{} != {}", value_of(&[left])?, value_of(&[right])?)),
        value => value_of(value),
    }
}

/// A value with the functions that it is piped through.
fn value_of(words: &[&str]) -> Option<String> {
    let mut pipe = words.split(|word| *word == "|");
    let first = pipe.next()?;
    let mut value = match first {
        ["len", alerts] if is_alerts(alerts) => "alerts".to_owned(),
        [function, value] => format!("{} | {}", field(value)?, filter(function)?),
        [alerts] if is_alerts(alerts) => {
            // Alerts are only counted.
            return (pipe.next()? == ["len"] && pipe.next().is_none()).then(|| "alerts".to_owned());
        }
        [value] => field(value)?,
        _ => return None,
    };
    for function in pipe {
        let [function] = function else { return None };
        value = format!("{value} | {}", filter(function)?);
    }
    Some(value)
}

fn is_alerts(word: &str) -> bool {
    matches!(word, ".Alerts" | ".Alerts.Firing")
}

fn filter(function: &str) -> Option<&'static str> {
    match function {
        "toUpper" => Some("upper"),
        "toLower" => Some("lower"),
        "title" => Some("title"),
        _ => None,
    }
}

/// What a field of Alertmanager's data is called here. Labels are those that Squelch reads a service, a host and a severity from.
fn field(word: &str) -> Option<String> {
    if word.len() >= 2 && word.starts_with('"') && word.ends_with('"') {
        let text = &word[1..word.len() - 1];
        return (!text.contains(['"', '\\'])).then(|| word.to_owned());
    }
    let ours = match word {
        ".Status" => "(\"resolved\" if resolved else \"firing\")",
        ".Receiver" => "receiver",
        ".ExternalURL" | ".GeneratorURL" => "url",
        ".StartsAt" => "opened",
        ".EndsAt" => "resolved",
        _ => {
            let (of, name) = word.strip_prefix('.')?.split_once('.')?;
            match (of, name) {
                ("CommonLabels" | "GroupLabels" | "Labels", "alertname") => "title",
                ("CommonLabels" | "GroupLabels" | "Labels", "severity") => "severity",
                ("CommonLabels" | "GroupLabels" | "Labels", "service" | "job" | "app") => "(services | join(\", \"))",
                ("CommonLabels" | "GroupLabels" | "Labels", "instance" | "host" | "node") => "(hosts | join(\", \"))",
                ("CommonAnnotations" | "Annotations", "summary" | "title" | "message") => "title",
                ("CommonAnnotations" | "Annotations", "description") => "why",
                ("CommonAnnotations" | "Annotations", "runbook_url" | "runbook") => "runbook_url",
                _ => return None,
            }
        }
    };
    Some(ours.to_owned())
}

/// The words of an action; quoted texts are one word with their quotes. `None` = there is something that no word of ours has.
fn words(action: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut chars = action.chars().peekable();
    while let Some(&c) = chars.peek() {
        match c {
            c if c.is_whitespace() => drop(chars.next()),
            '"' => words.push(quoted(&mut chars)?),
            '|' => {
                chars.next();
                words.push("|".to_owned());
            }
            _ => {
                let mut word = String::new();
                while let Some(c) = chars.next_if(|c| !c.is_whitespace() && !matches!(c, '|' | '"')) {
                    // Variables, calls in parentheses and raw texts have no counterpart.
                    if matches!(c, '$' | '(' | ')' | '`' | ',' | ':') {
                        return None;
                    }
                    word.push(c);
                }
                words.push(word);
            }
        }
    }
    Some(words)
}

fn quoted(chars: &mut Peekable<impl Iterator<Item = char>>) -> Option<String> {
    let mut word = String::from(chars.next()?);
    loop {
        let c = chars.next()?;
        word.push(c);
        if c == '"' {
            return Some(word);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::translated;

    #[test]
    fn what_both_languages_know_is_carried() {
        for (go, jinja) in [
            ("plain words", "plain words"),
            (
                "[{{ .Status | toUpper }}] {{ .CommonLabels.alertname }}",
                "[{{ (\"resolved\" if resolved else \"firing\") | upper }}] {{ title }}",
            ),
            ("{{ .GroupLabels.service }}: {{ .Alerts.Firing | len }}", "{{ (services | join(\", \")) }}: {{ alerts }}"),
            ("{{ len .Alerts }} of {{.Receiver}}", "{{ alerts }} of {{ receiver }}"),
            (
                "{{ range .Alerts }}* {{ .Annotations.summary }} on {{ .Labels.instance }}\n{{ end }}",
                "* {{ title }} on {{ (hosts | join(\", \")) }}\n",
            ),
            (
                "{{ if eq .Status \"firing\" -}} on {{- else }} off {{ end }}",
                "{% if (\"resolved\" if resolved else \"firing\") == \"firing\" %}on{% else %} off {% endif %}",
            ),
            ("{{/* a word to the reader */}}x", "x"),
        ] {
            assert_eq!(translated(go).as_deref(), Some(jinja), "{go}");
        }
    }

    #[test]
    fn what_cannot_be_said_as_a_whole_is_not_carried() {
        for go in [
            "{{ template \"slack.title\" . }}",
            "{{ .CommonLabels.team }}",
            "{{ range .CommonLabels.SortedPairs }}x{{ end }}",
            "{{ $x := .Status }}",
            "{{ (index .Alerts 0).Labels.a }}",
            "{{ .Status | reReplaceAll \"a\" \"b\" }}",
            "{{ if .Status }} never ended",
            "{{ end }}",
            "{{ else }}",
            "{{ .Status",
            "{% jinja %}",
            "{{ \"a\\\"b\" }}",
            "",
        ] {
            let carried = translated(go);
            assert!(carried.is_none() || go.is_empty(), "{go}: {carried:?}");
        }
    }
}
