//! The JSON Schema (draft 2020-12) of rule and settings files, for editors.
//!
//! Deliberately looser than [`super::load`] where a schema cannot say it (durations in range, names that exist):
//! an editor helps while typing, `squelch check` decides.

use serde_json::{Map, Value, json};

use super::field::{Choice, Field, Form, Object};
use super::{rule_fields, setting_fields, source_fields};

/// The schema of rule files, as JSON text.
#[must_use]
pub fn rules() -> String {
    document(&rule_fields::FILE, "Squelch rules")
}

/// The schema of the settings file, as JSON text.
#[must_use]
pub fn settings() -> String {
    document(&setting_fields::FILE, "Squelch settings")
}

/// The schema of mapping files (`rules/sources/*.yaml`), as JSON text.
#[must_use]
pub fn sources() -> String {
    document(&source_fields::FILE, "Squelch sources")
}

fn document(object: &Object, title: &str) -> String {
    let mut schema = object_schema(object);
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".to_owned(), json!(title));
    // A value of strings and numbers always has a text.
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

fn object_schema(object: &Object) -> Map<String, Value> {
    let properties: Map<String, Value> =
        object.fields.iter().map(|field| (field.name.to_owned(), field_schema(field))).collect();
    let required: Vec<&str> = object.fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    let mut schema = Map::new();
    // A section may be left empty when nothing in it is required.
    let empty = required.is_empty() && !object.choices.iter().any(|choice| choice.required);
    schema.insert("type".to_owned(), if empty { json!(["object", "null"]) } else { json!("object") });
    schema.insert("description".to_owned(), json!(object.doc));
    schema.insert("properties".to_owned(), Value::Object(properties));
    schema.insert("additionalProperties".to_owned(), json!(false));
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    let choices: Vec<Value> = object.choices.iter().map(choice_schema).collect();
    if !choices.is_empty() {
        schema.insert("allOf".to_owned(), Value::Array(choices));
    }
    schema
}

/// At most one, or exactly one, of some keys.
fn choice_schema(choice: &Choice) -> Value {
    let mut cases: Vec<Value> = choice.fields.iter().map(|name| json!({ "required": [name] })).collect();
    if !choice.required {
        let none: Vec<Value> = cases.clone();
        cases.push(json!({ "not": { "anyOf": none } }));
    }
    json!({ "oneOf": cases })
}

fn field_schema(field: &Field) -> Value {
    let mut schema = form_schema(field.form);
    if let Value::Object(entries) = &mut schema {
        entries.insert("description".to_owned(), json!(description(field)));
    }
    schema
}

fn description(field: &Field) -> String {
    if field.default.is_empty() { field.doc.to_owned() } else { format!("{} Default: {}.", field.doc, field.default) }
}

const DURATION: &str = "^(?=[0-9])([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$";

fn form_schema(form: Form) -> Value {
    let text = |pattern: &str, example: String| json!({ "type": "string", "pattern": pattern, "examples": [example] });
    match form {
        Form::Text | Form::Name | Form::Path | Form::Mail => json!({ "type": "string", "minLength": 1 }),
        Form::Flag => json!({ "type": "boolean" }),
        Form::Word(words) => json!({ "enum": words() }),
        Form::Duration(..) => json!({ "anyOf": [
            { "type": "string", "pattern": DURATION, "examples": ["5m", "1h30m"] },
            { "const": 0 },
        ] }),
        Form::Pace(_) => text("^[0-9]+ changes? in +[0-9]", form.example()),
        Form::Matcher => text("^[^=!]*(=|!=)", "service=~\"web|api\"".to_owned()),
        Form::PageMatcher => text("^ *(service|host|check|severity) *(=|!=|!~)", "service=~\"web|api\"".to_owned()),
        Form::LabelMatcher | Form::EitherMatcher => text("^.*(=|!=|!~)", "team=\"db\"".to_owned()),
        Form::Range(least, most) => json!({ "anyOf": [
            { "type": "string", "pattern": "^-?[0-9]+(\\.\\.-?[0-9]+)?$", "examples": [form.example()] },
            { "type": "integer", "minimum": least, "maximum": most },
        ] }),
        Form::Time => text("^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ].+(Z|z|[+-][0-9]{2}(:?[0-9]{2})?)", form.example()),
        Form::Zone => text("^[A-Za-z]", form.example()),
        Form::Clock => text("^[0-2][0-9]:[0-5][0-9]$", form.example()),
        Form::Hours => text("^[0-2][0-9]:[0-5][0-9] *- *[0-2][0-9]:[0-5][0-9]$", form.example()),
        Form::Allowance => text("^(at most )?[0-9]+ a (night|day|week)$", form.example()),
        Form::Number(least, most) => json!({ "type": "number", "minimum": least, "maximum": most }),
        Form::Whole(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Form::Count(unit, ..) => {
            json!({ "type": ["string", "integer"], "pattern": format!("^[0-9]+ *({unit})?$"), "examples": [form.example()] })
        }
        Form::Size(..) => text("^[0-9]+ *([kKMGT]?B|[KMGT]iB)$", form.example()),
        Form::Rate => text("^[0-9.]+ *(events)? */ *[smh]$", form.example()),
        Form::Address => text("^.+:[0-9]+$", form.example()),
        Form::Url => text("^https?://", form.example()),
        Form::List(form) => json!({ "type": ["array", "null"], "items": form_schema(*form) }),
        Form::OneOrMany(form) => {
            let one = form_schema(*form);
            json!({ "oneOf": [one, { "type": "array", "items": one }] })
        }
        Form::Object(object) => Value::Object(object_schema(object)),
        Form::Again(_, place) => json!({ "type": ["array", "null"], "items": { "$ref": place } }),
        Form::Map(form) => json!({ "type": "object", "additionalProperties": form_schema(*form) }),
        Form::Grammar(_) | Form::Pattern | Form::TimeFormat => {
            json!({ "type": "string", "minLength": 1, "examples": [form.example().trim_matches('\'')] })
        }
        Form::Offset => text("^(UTC|GMT|Z|[+-][0-9]{2}:?[0-9]{2})$", "+01:00".to_owned()),
        Form::Extract(object) => {
            let one = json!({ "anyOf": [{ "type": "string", "minLength": 1 }, Value::Object(object_schema(object))] });
            json!({ "anyOf": [one, { "type": "array", "items": one }] })
        }
        Form::Tally => json!({ "type": ["string", "integer"], "examples": [form.example()] }),
        Form::ListOrMap(list, map) => json!({ "oneOf": [
            { "type": ["array", "null"], "items": form_schema(*list) },
            { "type": "object", "additionalProperties": form_schema(*map) },
        ] }),
    }
}
