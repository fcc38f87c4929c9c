//! Mapping files into checked mappings.
//!
//! Deliberately apart from the rules: a mapping says how a tool's bodies are read, never how they are judged.

use std::collections::BTreeMap;

use super::findings::{Complaint, Findings, quoted, suggestion};
use super::receivers;
use super::shipped_sources::SHIPPED_SOURCES;
use super::source::Source;
use super::source_fields::FILE;
use super::value::{Checked, Record, Value};
use super::{read_file, source_name};
use crate::diagnostic::Report;
use crate::domain::{Kind, Severity, Status};
use crate::formats::mapping::{Extract, Ignore, Mapping, Target, TimeForm, Variant};
use crate::formats::{Signature, Sources};
use crate::sinks::receiver::Secret;

/// All mapping files, checked.
#[derive(Clone, Debug, Default)]
pub struct Mappings {
    /// Everything that can be read: formats in code, with the mappings laid over them.
    pub sources: Sources,
    /// The secrets that mapping files refer to, by tool.
    pub secrets: BTreeMap<String, Secret>,
}

/// Users' mapping files laid over those in the binary: a user's file replaces the shipped one of the same name.
#[must_use]
pub fn with_shipped_mappings(users: Vec<Source>) -> Vec<Source> {
    let replaced = |name: &str| users.iter().any(|user| source_name(user) == name);
    let mut sources: Vec<Source> = SHIPPED_SOURCES
        .iter()
        .filter(|(name, _)| !replaced(name))
        .map(|(name, text)| Source::shipped(format!("(shipped) sources/{name}.yaml"), text))
        .collect();
    sources.extend(users);
    sources
}

/// Reads mapping files; the name of each is the name of its tool.
///
/// # Errors
/// All mistakes of all files. Nothing of any file is used then.
pub fn mappings(sources: &[Source]) -> Result<Mappings, Report> {
    let mut findings = Findings::new(sources);
    let mut secrets = BTreeMap::new();
    let mut read = Vec::new();
    for (file, source) in sources.iter().enumerate() {
        let record = read_file(file, &FILE, &mut findings);
        let name = source_name(source);
        if !is_name(name) {
            let message = format!("{} is no name of a tool", quoted(name));
            let help = "name the file of lower-case letters, digits and `-`: it becomes /ingest/NAME";
            findings.mistake_of_file(file, Complaint::new(message).help(help));
        }
        if let Some(secret) = record.record("signature").and_then(|signature| receivers::secret(signature, "secret")) {
            secrets.insert(name.to_owned(), secret);
        }
        read.push(lower(name, &record, &mut findings));
    }
    findings.finish()?;
    Ok(Mappings { sources: Sources::new(read), secrets })
}

fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.len() <= 60 && name.bytes().all(fits) && !name.starts_with('-')
}

fn lower(name: &str, record: &Record, findings: &mut Findings<'_>) -> Mapping {
    let mut mapping = Mapping::new(name);
    if let Some(title) = record.text("title") {
        title.clone_into(&mut mapping.title);
    }
    if let Some(setup) = record.text("setup") {
        setup.clone_into(&mut mapping.setup);
    }
    mapping.payload_field = record.text("payload_field").map(str::to_owned);
    mapping.plain_text = record.flag("plain_text").unwrap_or(false);
    mapping.signature = record.record("signature").and_then(signature);
    for path in texts(record, "unpack") {
        // Texts that are no path were told when they were read.
        let _ = mapping.unpack(path);
    }
    for rule in record.items("ignore") {
        let mut ignore = Ignore::new(rule.record().text("why").unwrap_or_default());
        texts(rule.record(), "when").for_each(|condition| drop(ignore.when(condition)));
        mapping.ignore(ignore);
    }
    let variants = record.items("variants");
    if variants.is_empty() {
        mapping.variant(variant(&[record], findings));
    }
    for given in variants {
        mapping.variant(variant(&[record, given.record()], findings));
    }
    mapping
}

/// The texts of a key that may hold one or many.
fn texts<'r>(record: &'r Record, key: &str) -> impl Iterator<Item = &'r str> {
    record.items(key).iter().map(Checked::text)
}

fn signature(record: &Record) -> Option<Signature> {
    Some(Signature {
        header: record.text("header")?.to_owned().into(),
        prefix: record.text("prefix").unwrap_or_default().to_owned().into(),
        encoding: record.word("encoding").unwrap_or(crate::formats::Encoding::Hex),
        timestamp_header: record.text("timestamp_header").map(|name| name.to_owned().into()),
    })
}

/// A variant from the file's own fields and, after them, its own.
fn variant(layers: &[&Record], findings: &mut Findings<'_>) -> Variant {
    let mut variant = Variant::default();
    for record in layers {
        texts(record, "when").for_each(|condition| drop(variant.when(condition)));
        texts(record, "require").for_each(|wanted| drop(variant.require(wanted)));
        texts(record, "keep").for_each(|path| drop(variant.keep(path)));
        if let Some(path) = record.text("each") {
            let _ = variant.each(path);
        }
        for target in Target::ALL {
            if let Some(given) = record.get(target.word()) {
                variant.field(*target, ways(given, Some(*target), findings));
            }
        }
        if let Some(Value::Map(labels)) = record.get("labels").map(|labels| &labels.value) {
            for (name, given) in labels {
                variant.label(name, ways(given, None, findings));
            }
        }
    }
    variant
}

/// The ways to fill a field, in order.
fn ways(given: &Checked, target: Option<Target>, findings: &mut Findings<'_>) -> Vec<Extract> {
    match &given.value {
        Value::List(items) => items.iter().flat_map(|item| ways(item, target, findings)).collect(),
        Value::Record(record) => way(record, target, findings).into_iter().collect(),
        Value::Text(text) if words(target).contains(&text.as_str()) => vec![Extract::fixed(text)],
        Value::Text(text) => Extract::parse(text).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn way(record: &Record, target: Option<Target>, findings: &mut Findings<'_>) -> Option<Extract> {
    let mut way = Extract::parse(record.text("from")?).ok()?;
    if let Some(pattern) = record.text("match") {
        way = way.capture(pattern).ok()?;
    }
    let known = words(target);
    if let Some(Value::Map(pairs)) = record.get("map").map(|map| &map.value) {
        for (_, meaning) in pairs {
            check_word(meaning, &known, findings);
        }
        let pairs: Vec<(String, String)> =
            pairs.iter().map(|(word, meaning)| (word.clone(), meaning.text().to_owned())).collect();
        way = way.map(&pairs);
    }
    if let Some(default) = record.get("default") {
        check_word(default, &known, findings);
        way = way.default(default.text());
    }
    let formats = texts(record, "format").map(str::to_owned).collect();
    Some(way.time(TimeForm::new(formats, record.text("zone")).unwrap_or_default()))
}

/// The words that a field of a closed vocabulary may have; none = any.
fn words(target: Option<Target>) -> Vec<&'static str> {
    match target {
        Some(Target::Kind) => Kind::ALL.iter().map(|kind| kind.word()).collect(),
        Some(Target::Severity) => Severity::ALL.iter().map(|severity| severity.word()).collect(),
        Some(Target::Status) => Status::ALL.iter().map(|status| status.word()).chain(["ignore"]).collect(),
        _ => Vec::new(),
    }
}

fn check_word(given: &Checked, known: &[&'static str], findings: &mut Findings<'_>) {
    let word = given.text();
    if !known.is_empty() && !known.contains(&word) {
        let complaint = Complaint::new(format!("unknown word {}", quoted(word)));
        findings.mistake(given.spot, &given.path, complaint.help(suggestion(word, known.iter().copied())));
    }
}
