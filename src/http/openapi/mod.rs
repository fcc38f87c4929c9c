//! `GET /openapi.json`: every path with what it takes and every status that it answers, as OpenAPI 3.1.
//!
//! Deliberately written down in a table of its own ([`table`]) and not derived from the handlers' types: most answers
//! are those of other tools. `tests/openapi.rs` holds the table against the router, path by path and method by method.

mod table;

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::answer::{Failure, json_answer};
pub(super) use table::Errors;
use table::{OPERATIONS, Operation};

/// The shapes of bodies and answers, by name.
const SCHEMAS: &str = include_str!("schemas.json");

/// What exists, a method and a path each, of those whose errors are of such a shape.
pub(super) fn lines(of: impl Fn(Errors) -> bool) -> Vec<&'static str> {
    OPERATIONS.iter().filter(|operation| of(operation.errors)).map(|operation| operation.line).collect()
}

/// `GET /openapi.json`.
pub(super) async fn describe() -> Result<Response, Failure> {
    let document = document().map_err(|error| {
        let help = "please report it as a bug";
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the description cannot be written: {error}"), help)
    })?;
    Ok(json_answer(StatusCode::OK, &document))
}

fn document() -> Result<Value, serde_json::Error> {
    let schemas: Value = serde_json::from_str(SCHEMAS)?;
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let (method, path) = operation.line.split_once(' ').unwrap_or(("GET", operation.line));
        let entry = paths.entry(path).or_insert_with(|| json!({}));
        entry[method.to_ascii_lowercase()] = described(operation, path);
    }
    Ok(json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Squelch",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Alert noise reduction that people can trust.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }))
}

fn described(operation: &Operation, path: &str) -> Value {
    let mut shown = json!({
        "summary": operation.says,
        "parameters": parameters(operation, path),
        "responses": responses(operation),
    });
    if let Some((schema, medias)) = operation.body {
        let content: Map<_, _> = medias.iter().map(|media| (String::from(*media), shape(schema))).collect();
        shown["requestBody"] = json!({"content": content});
    }
    if operation.errors == Errors::Gone {
        shown["deprecated"] = json!(true);
    }
    shown
}

fn parameters(operation: &Operation, path: &str) -> Vec<Value> {
    let in_path = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = in_path.map(
        |name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}}),
    );
    let in_query = operation
        .query
        .iter()
        .map(|(name, kind, says)| json!({"name": name, "in": "query", "description": says, "schema": {"type": kind}}));
    in_path.chain(in_query).collect()
}

fn responses(operation: &Operation) -> Map<String, Value> {
    let mut responses = Map::new();
    for (status, says, schema, medias) in operation.answers {
        let mut answer = json!({"description": says});
        if !medias.is_empty() {
            let content: Map<_, _> = medias.iter().map(|media| (String::from(*media), shape(schema))).collect();
            answer["content"] = json!(content);
        }
        responses.insert(status.to_string(), answer);
    }
    for status in operation.statuses {
        let says = StatusCode::from_u16(*status).ok().and_then(|status| status.canonical_reason());
        let mut answer = json!({
            "description": says.unwrap_or_default(),
            "content": {"application/json": shape(operation.errors.schema())},
        });
        if [429, 503].contains(status) {
            let seconds = json!({"description": "seconds to wait", "schema": {"type": "integer", "minimum": 1}});
            answer["headers"] = json!({"Retry-After": seconds});
        }
        responses.insert(status.to_string(), answer);
    }
    responses
}

/// A reference to a shape; without a name anything.
fn shape(name: &str) -> Value {
    if name.is_empty() { json!({}) } else { json!({"schema": {"$ref": format!("#/components/schemas/{name}")}}) }
}
