//! A tree against a form: typed values come out, every mistake goes into the findings.
//!
//! Deliberately goes on after a mistake: what is good beside it is still read and checked.

use std::collections::BTreeMap;

use super::field::{Choice, Form, Object};
use super::findings::{Complaint, Findings, Spot, quoted, suggestion, with_article};
use super::scalar;
use super::tree::{Data, Node};
use super::value::{Checked, Record, Value};

/// Reads a value; `None` when nothing usable is there, which was told.
pub(super) fn value(node: &Node, form: Form, path: &str, findings: &mut Findings<'_>) -> Option<Checked> {
    let value = match (form, &node.data) {
        (Form::Object(object), Data::Map(_) | Data::Null) | (Form::Extract(object), Data::Map(_)) => {
            return Some(checked(node, path, Value::Record(record(&[node], object, path, findings))));
        }
        (Form::List(form) | Form::OneOrMany(form) | Form::ListOrMap(form, _), Data::List(items)) => {
            let at = |index| format!("{path}[{index}]");
            let items = items.iter().enumerate();
            Value::List(items.filter_map(|(index, item)| value(item, *form, &at(index), findings)).collect())
        }
        (Form::Again(object, _), Data::List(items)) => {
            let at = |index| format!("{path}[{index}]");
            let items = items.iter().enumerate();
            let form = Form::Object(object());
            Value::List(items.filter_map(|(index, item)| value(item, form, &at(index), findings)).collect())
        }
        // One, without the brackets.
        (Form::OneOrMany(form @ Form::Object(_)), Data::Map(_)) => {
            Value::List(value(node, *form, path, findings).into_iter().collect())
        }
        (Form::Extract(_), Data::List(items)) => {
            let at = |index| format!("{path}[{index}]");
            let items = items.iter().enumerate();
            Value::List(items.filter_map(|(index, item)| value(item, form, &at(index), findings)).collect())
        }
        (Form::Map(form) | Form::ListOrMap(_, form), Data::Map(pairs)) => Value::Map(map(pairs, *form, path, findings)),
        // A list may be left empty.
        (Form::List(_) | Form::Again(..) | Form::ListOrMap(..), Data::Null) => Value::List(Vec::new()),
        (Form::Map(_), Data::Null) => Value::Map(Vec::new()),
        (Form::OneOrMany(form), Data::Scalar { .. }) => {
            Value::List(value(node, *form, path, findings).into_iter().collect())
        }
        (_, Data::Broken) => return None,
        (form, Data::Scalar { text, plain }) => scalar_value(node, (text, *plain), (form, path), findings)?,
        (form, _) => {
            findings.mistake(node.spot, path, wrong_type(node, form));
            return None;
        }
    };
    Some(checked(node, path, value))
}

fn checked(node: &Node, path: &str, value: Value) -> Checked {
    Checked { spot: node.spot, path: path.to_owned(), value }
}

fn scalar_value(
    node: &Node,
    (text, plain): (&str, bool),
    (form, path): (Form, &str),
    findings: &mut Findings<'_>,
) -> Option<Value> {
    let found = kind_of(text, plain);
    let fits = match form {
        Form::Text | Form::Name | Form::Path | Form::Mail => found == "a text",
        Form::Number(..) | Form::Whole(..) => found == "a number",
        Form::Flag => found == "a flag" || (plain && found == "a text"),
        Form::List(_) | Form::OneOrMany(_) | Form::Object(_) | Form::Again(..) | Form::Map(_) | Form::ListOrMap(..) => {
            false
        }
        _ => true,
    };
    if !fits {
        findings.mistake(node.spot, path, wrong_type(node, form));
        return None;
    }
    match scalar::read(text, form) {
        Ok(value) => Some(value),
        Err(misfit) => {
            findings.mistake(findings.within(node.spot, text, misfit.at), path, misfit.complaint);
            None
        }
    }
}

/// What a scalar is by YAML's core schema.
fn kind_of(text: &str, plain: bool) -> &'static str {
    let numeric = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) && text.parse::<f64>().is_ok();
    match text {
        _ if !plain => "a text",
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => "a flag",
        ".inf" | "-.inf" | ".nan" => "a number",
        _ if numeric => "a number",
        _ => "a text",
    }
}

fn wrong_type(node: &Node, form: Form) -> Complaint {
    let (found, help) = match &node.data {
        Data::Null | Data::Broken => ("nothing", None),
        Data::List(_) => ("a list", None),
        Data::Map(_) => ("a map", None),
        Data::Scalar { text, plain } => {
            let kind = kind_of(text, *plain);
            let quotes = kind != "a text" && matches!(form, Form::Text | Form::Name | Form::Path);
            (kind, quotes.then(|| format!("put it in quotes: \"{text}\"")))
        }
    };
    let complaint = Complaint::new(format!("expected {}, found {found}", form.wanted()));
    match help {
        Some(help) => complaint.help(help),
        None if form.example().is_empty() => complaint,
        None => complaint.help(format!("for example `{}`", form.example())),
    }
}

fn map(
    pairs: &[(std::rc::Rc<Node>, std::rc::Rc<Node>)],
    form: Form,
    path: &str,
    findings: &mut Findings<'_>,
) -> Vec<(String, Checked)> {
    let mut seen = BTreeMap::new();
    let mut values = Vec::new();
    for (key, node) in pairs {
        let Some(name) = key_name(key, path, &mut seen, findings) else { continue };
        if let Err(misfit) = scalar::read(name, Form::Name) {
            findings.mistake(key.spot, path, misfit.complaint);
            continue;
        }
        if let Some(value) = value(node, form, &join(path, name), findings) {
            values.push((name.to_owned(), value));
        }
    }
    values
}

/// Reads the keys of an object from the maps that make it up (a file that was read in parts has several).
pub(super) fn record(nodes: &[&Node], object: &'static Object, path: &str, findings: &mut Findings<'_>) -> Record {
    let mut seen = BTreeMap::new();
    let mut record = Record::default();
    for node in nodes {
        let Data::Map(pairs) = &node.data else { continue };
        for (key, node) in pairs {
            let Some(name) = key_name(key, path, &mut seen, findings) else { continue };
            let Some(field) = object.field(name) else {
                findings.mistake(key.spot, path, unknown_key(name, object));
                continue;
            };
            if let Some(value) = value(node, field.form, &join(path, name), findings) {
                record.fields.insert(field.name, value);
            }
        }
    }
    let at = nodes.first().map_or(Spot { file: 0, line: 1, column: 1, width: 0 }, |node| node.spot);
    for field in object.fields.iter().filter(|field| field.required && !seen.contains_key(field.name)) {
        let complaint = Complaint::new(format!("the {} has no `{}`", object.name, field.name));
        findings.mistake(at, path, complaint.help(format!("add `{}: {}`", field.name, field.example)));
    }
    for choice in object.choices {
        check_choice(choice, (object, at, path), &seen, findings);
    }
    record
}

fn join(path: &str, name: &str) -> String {
    let name = if name.contains(['.', '[', ' ']) || name.is_empty() { quoted(name) } else { name.to_owned() };
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

/// The text of a key that is new in its map.
fn key_name<'n>(
    key: &'n Node,
    path: &str,
    seen: &mut BTreeMap<&'n str, Spot>,
    findings: &mut Findings<'_>,
) -> Option<&'n str> {
    let Data::Scalar { text, .. } = &key.data else {
        findings.mistake(key.spot, path, Complaint::new("a key must be a text").help("write `key: value`"));
        return None;
    };
    if let Some(first) = seen.get(text.as_str()) {
        let help = format!("the first is at {}", findings.place(*first));
        findings.mistake(
            key.spot,
            path,
            Complaint::new(format!("the key {} stands here twice", quoted(text))).help(help),
        );
        return None;
    }
    seen.insert(text, key.spot);
    Some(text)
}

/// Keys under which people would write a secret.
const SECRETS: &[&str] = &["password", "passwd", "token", "secret", "api_key"];

fn unknown_key(name: &str, object: &Object) -> Complaint {
    let message = format!("unknown key {} in {}", quoted(name), with_article(object.name));
    let by_reference: Vec<String> = object
        .fields
        .iter()
        .filter(|field| SECRETS.contains(&name) && field.name.starts_with(name))
        .map(|field| format!("`{}`", field.name))
        .collect();
    if !by_reference.is_empty() {
        let keys = by_reference.join(" or ");
        return Complaint::new(message).help(format!("secrets do not stand in files that people share: use {keys}"));
    }
    if name == "<<" {
        return Complaint::new(message).help("merge keys are not read: write the keys out");
    }
    Complaint::new(message).help(suggestion(name, object.fields.iter().map(|field| field.name)))
}

fn check_choice(
    choice: &Choice,
    (object, at, path): (&Object, Spot, &str),
    seen: &BTreeMap<&str, Spot>,
    findings: &mut Findings<'_>,
) {
    let given: Vec<(&str, Spot)> =
        choice.fields.iter().filter_map(|name| seen.get(name).map(|spot| (*name, *spot))).collect();
    let names = choice.fields.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match given.as_slice() {
        [] if choice.required => {
            let complaint = Complaint::new(format!("the {} has none of {names}", object.name));
            findings.mistake(at, path, complaint.help("give exactly one of them"));
        }
        [(first, _), rest @ ..] => {
            for (name, spot) in rest {
                let complaint = Complaint::new(format!("`{first}` and `{name}` exclude each other"));
                findings.mistake(*spot, path, complaint.help("give only one of them"));
            }
        }
        [] => {}
    }
}
