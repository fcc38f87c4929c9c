//! The JSON Schemas and the tables of the documentation, kept in step with what is read.
//! `UPDATE_EXPECT=1 cargo test --test reference` writes them anew.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use squelch::config::{self, Source, reference, schema, with_shipped};

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

const BEGIN: &str = "<!-- Written by `UPDATE_EXPECT=1 cargo test --test reference`. -->\n";
const END: &str = "<!-- End of the tables. -->";

/// A document with its tables replaced.
fn with_tables(document: &str, tables: &str) -> String {
    let (head, rest) = document.split_once(BEGIN).unwrap();
    let (_, tail) = rest.split_once(END).unwrap();
    format!("{head}{BEGIN}\n{tables}\n{END}{tail}")
}

#[test]
fn the_shipped_schemas_are_those_of_the_code() {
    expect_test::expect_file![file("rules/squelch.schema.json")].assert_eq(&schema::rules());
    expect_test::expect_file![file("rules/squelch-source.schema.json")].assert_eq(&schema::sources());
    expect_test::expect_file![file("docs/squelch-settings.schema.json")].assert_eq(&schema::settings());
}

#[test]
fn the_tables_of_the_documentation_are_those_of_the_code() {
    for (path, tables) in [
        ("docs/RULES.md", reference::rules()),
        ("docs/SETTINGS.md", reference::settings()),
        ("docs/SOURCES.md", reference::sources()),
    ] {
        let path = file(path);
        let document = fs::read_to_string(&path).unwrap();
        expect_test::expect_file![path].assert_eq(&with_tables(&document, &tables));
    }
}

/// The YAML blocks of a document.
fn blocks(path: &str) -> Vec<Source> {
    let document = fs::read_to_string(file(path)).unwrap();
    let block = |rest: &str| Source::new(path, rest.split("```").next().unwrap());
    document.split("```yaml\n").skip(1).map(block).collect()
}

#[test]
fn every_file_in_the_documentation_is_right() {
    let (rules, settings) = (blocks("docs/RULES.md"), blocks("docs/SETTINGS.md"));
    assert!(rules.len() >= 8 && !settings.is_empty());
    for source in rules.into_iter().chain(blocks("docs/RECEIVERS.md")) {
        config::load(&with_shipped(vec![source])).unwrap_or_else(|report| panic!("{report}"));
    }
    let mappings = blocks("docs/SOURCES.md");
    assert!(mappings.len() >= 2);
    for source in mappings {
        let source = Source { name: "acme.yaml".to_owned(), ..source };
        config::mappings(&[source]).unwrap_or_else(|report| panic!("{report}"));
    }
    for source in settings {
        config::settings(&source).unwrap_or_else(|report| panic!("{report}"));
    }
}

/// What is told about a file in which this key has this value. Only what is at the key itself.
fn told(object: &str, key: &str, value: &str) -> Vec<String> {
    let line = format!("{key}: {value}");
    let text = match object {
        "rule file" => line,
        "defaults section" => format!("defaults: {{{line}}}"),
        "judgement section" => format!("judgement: {{{line}}}"),
        "flap section" => format!("defaults: {{flap: {{{line}}}}}"),
        "hold section" => format!("defaults: {{hold: {{{line}}}}}"),
        "adaptive section" => format!("rules: [{{name: a, match: 'check=\"a\"', adaptive: {{{line}}}}}]"),
        "topology section" => format!("topology: {{{line}}}"),
        "edge" => format!("topology: {{edges: [{{{line}}}]}}"),
        "rule" | "budget" | "digest" | "silence" | "inhibition" | "heartbeat" | "receiver" | "route" | "interval" => {
            format!("{object}s: [{{{line}}}]")
        }
        "maintenance window" => format!("maintenance: [{{{line}}}]"),
        "source of an inhibition" => format!("inhibitions: [{{sources: [{{{line}}}]}}]"),
        "rotation" => format!("rotations: [{{{line}}}]"),
        "override of a rotation" => format!("rotations: [{{overrides: [{{{line}}}]}}]"),
        "step of a route" => format!("routes: [{{unacknowledged: [{{{line}}}]}}]"),
        "span of an interval" => format!("intervals: [{{when: {{{line}}}}}]"),
        "kafka tls" => format!("receivers: [{{kafka: {{tls: {{{line}}}}}}}]"),
        "kafka login" => format!("receivers: [{{kafka: {{sasl: {{{line}}}}}}}]"),
        "smtp section" => format!("receivers: [{{email: {{smtp: {{{line}}}}}}}]"),
        other => match other.strip_suffix(" receiver") {
            Some(kind) => format!("receivers: [{{{kind}: {{{line}}}}}]"),
            None => panic!("add a place for the keys of `{other}`"),
        },
    };
    let report = config::load(&with_shipped(vec![Source::new("a.yaml", text.as_bytes())]));
    let mistakes = report.err().map(|report| report.diagnostics).unwrap_or_default();
    let at_key = |path: &str| path.split(['.', '[']).any(|part| part == key);
    let here = |mistake: &&squelch::diagnostic::Diagnostic| {
        (at_key(&mistake.path) && !mistake.message.contains(" has no"))
            || mistake.message.starts_with("unknown key")
            || mistake.message.contains("YAML")
    };
    mistakes.iter().filter(here).map(|mistake| format!("{text}\n{mistake}")).collect()
}

#[test]
fn every_example_and_default_can_be_written() {
    for example in reference::rule_examples() {
        for value in [example.value, example.default].into_iter().filter(|value| !value.is_empty()) {
            let unknown_receiver =
                |told: &String| told.contains("there is no receiver") || told.contains("there is no interval");
            let mut told = told(example.object, example.key, value);
            told.retain(|told| !unknown_receiver(told));
            assert!(told.is_empty(), "{}.{}\n{}", example.object, example.key, told.join("\n"));
        }
    }
}

#[test]
fn every_example_of_a_mapping_can_be_written() {
    for example in reference::source_examples() {
        for value in [example.value, example.default].into_iter().filter(|value| !value.is_empty()) {
            let line = format!("{}: {value}", example.key);
            let text = match example.object {
                "mapping file" => line,
                "variant" => format!("variants: [{{{line}}}]"),
                "ignore rule" if example.key == "when" => format!("ignore: [{{{line}, why: a test}}]"),
                "ignore rule" => format!("ignore: [{{{line}, when: a}}]"),
                "extract" if example.key == "from" => format!("check: {{{line}}}"),
                "extract" => format!("check: {{from: a, {line}}}"),
                "signature section" if example.key == "header" => format!("signature: {{{line}}}"),
                "signature section" => format!("signature: {{header: X, {line}}}"),
                other => panic!("add a place for the keys of `{other}`"),
            };
            let read = config::mappings(&[Source::new("acme.yaml", text.as_bytes())]);
            read.map(drop).unwrap_or_else(|report| panic!("{text}\n{report}"));
        }
    }
}

/// Settings of Kafka in which this key has this value, beside what must be there.
fn kafka_place(object: &str, key: &str, value: &str) -> String {
    let also = |needed: &[(&str, &str)]| -> String {
        let missing = needed.iter().filter(|(needed, _)| *needed != key);
        let given = std::iter::once((key, value)).chain(missing.copied());
        given.map(|(key, value)| format!("{key}: {value}")).collect::<Vec<_>>().join(", ")
    };
    let of = |rest: &str| format!("kafka: {{brokers: 'k:9092', topics: {{topic: a}}, {rest}}}");
    match object {
        "kafka topic" => format!("kafka: {{brokers: 'k:9092', topics: {{{}}}}}", also(&[("topic", "a")])),
        "kafka tls" if key == "ca_file" => of(&format!("tls: {{{}}}", also(&[]))),
        "kafka tls" => of(&format!("tls: {{{}}}", also(&[("cert_file", "a.pem"), ("key_file", "b.pem")]))),
        "kafka login" if key.starts_with("password") => of(&format!("sasl: {{{}}}", also(&[("username", "a")]))),
        "kafka login" => of(&format!("sasl: {{{}}}", also(&[("username", "a"), ("password_env", "P")])))
            .replace("PLAIN", "SCRAM-SHA-256"),
        _ => format!("kafka: {{{}}}", also(&[("brokers", "'k:9092'"), ("topics", "{topic: a}")])),
    }
}

#[test]
fn every_setting_can_be_written_and_its_default_changes_nothing() {
    let mut keys = BTreeSet::new();
    for example in reference::setting_examples() {
        assert!(keys.insert((example.object, example.key)));
        let section = example.object.strip_suffix(" section");
        let place = |value: &str| match section {
            None if example.object == "source secret" => format!("sources: {{acme: {{{}: {value}}}}}", example.key),
            None if example.object == "hook secret" => format!("hooks: {{slack: {{{}: {value}}}}}", example.key),
            _ if ["kafka section", "kafka topic", "kafka tls", "kafka login"].contains(&example.object) => {
                kafka_place(example.object, example.key, value)
            }
            Some("cluster") if example.key == "brokers" => format!("cluster: {{brokers: {value}}}"),
            Some("cluster") => format!("cluster: {{brokers: 'k:9092', {}: {value}}}", example.key),
            Some("heartbeat") if example.key == "every" => format!("heartbeat: {{url_env: BEAT, every: {value}}}"),
            None if example.object == "mask pattern" && example.key == "name" => {
                format!("mask: {{patterns: [{{name: {value}, match: x}}]}}")
            }
            None if example.object == "mask pattern" => format!("mask: {{patterns: [{{name: x, match: {value}}}]}}"),
            Some("auth") if !example.key.starts_with("token") => {
                format!("auth: {{token_env: T, {}: {value}}}", example.key)
            }
            Some("proxy") if example.key == "from" => format!("auth: {{token_env: T, proxy: {{from: {value}}}}}"),
            Some("proxy") => format!("auth: {{token_env: T, proxy: {{from: 127.0.0.1, {}: {value}}}}}", example.key),
            Some(section) => format!("{section}: {{{}: {value}}}", example.key),
            None => format!("{}: {value}", example.key),
        };
        let read = |value: &str| config::settings(&Source::new("squelch.yaml", place(value)));
        if example.object.starts_with("kafka ") {
            for value in [example.value, example.default].into_iter().filter(|value| !value.is_empty()) {
                read(value).unwrap_or_else(|report| panic!("{}\n{report}", place(value)));
            }
        } else if !example.default.is_empty() {
            let usual = if section == Some("cluster") { "cluster: {brokers: 'k:9092'}" } else { "{}" };
            let usual = config::settings(&Source::new("squelch.yaml", usual));
            assert_eq!(read(example.default), usual, "{}", example.key);
        } else if section != Some("tls") {
            read(example.value).unwrap_or_else(|report| panic!("{}\n{report}", place(example.value)));
        }
    }
}
