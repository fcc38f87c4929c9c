//! The reference tables of the documentation, from the same lists that files are read by.

use std::fmt::Write as _;

use super::field::{Field, Form, Object};
use super::{rule_fields, setting_fields, source_fields};

/// The tables for rule files, as Markdown.
#[must_use]
pub fn rules() -> String {
    document(&rule_fields::FILE)
}

/// The tables for the settings file, as Markdown.
#[must_use]
pub fn settings() -> String {
    document(&setting_fields::FILE)
}

/// The tables for mapping files, as Markdown.
#[must_use]
pub fn sources() -> String {
    document(&source_fields::FILE)
}

/// A key of a file and what could stand there, for tests and tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The name of the object that the key belongs to.
    pub object: &'static str,
    /// The key.
    pub key: &'static str,
    /// A value, as YAML; empty for sections that only hold other keys.
    pub value: &'static str,
    /// What holds where the key is left out, as YAML; empty = nothing.
    pub default: &'static str,
}

/// Every key of rule files with its example.
#[must_use]
pub fn rule_examples() -> Vec<Example> {
    examples(&rule_fields::FILE)
}

/// Every key of the settings file with its example.
#[must_use]
pub fn setting_examples() -> Vec<Example> {
    examples(&setting_fields::FILE)
}

/// Every key of mapping files with its example.
#[must_use]
pub fn source_examples() -> Vec<Example> {
    examples(&source_fields::FILE)
}

fn examples(file: &'static Object) -> Vec<Example> {
    let example = |object: &'static Object, field: &'static Field| Example {
        object: object.name,
        key: field.name,
        value: field.example,
        default: field.default,
    };
    objects(file).into_iter().flat_map(|object| object.fields.iter().map(move |field| example(object, field))).collect()
}

fn document(file: &'static Object) -> String {
    let tables: Vec<String> = objects(file).into_iter().map(table).collect();
    tables.join("\n")
}

/// An object and every one below it, each once, outermost first.
fn objects(root: &'static Object) -> Vec<&'static Object> {
    let mut found = vec![root];
    let mut at = 0;
    while let Some(object) = found.get(at).copied() {
        for inner in object.fields.iter().flat_map(|field| inner_objects(field.form)) {
            if !found.iter().any(|known| known.name == inner.name) {
                found.push(inner);
            }
        }
        at += 1;
    }
    found
}

fn inner_objects(form: Form) -> Vec<&'static Object> {
    match form {
        Form::Object(object) | Form::Extract(object) => vec![object],
        Form::List(form) | Form::OneOrMany(form) | Form::Map(form) => inner_objects(*form),
        Form::ListOrMap(list, map) => [inner_objects(*list), inner_objects(*map)].concat(),
        _ => Vec::new(),
    }
}

fn table(object: &Object) -> String {
    let mut text = format!("### {}\n\n{}\n", object.name, object.doc);
    if object.fields.is_empty() {
        return text;
    }
    text.push_str("\n| key | value | default | meaning |\n|---|---|---|---|\n");
    for field in object.fields {
        let default = match (field.required, field.default) {
            (true, _) => "**required**".to_owned(),
            (false, "") => "–".to_owned(),
            (false, default) => format!("`{default}`"),
        };
        // Writing to a String cannot fail.
        let _ =
            writeln!(text, "| `{}` | {} | {default} | {} |", field.name, cell(&field.form.words()), cell(field.doc));
    }
    text
}

/// A text as it may stand in a cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
