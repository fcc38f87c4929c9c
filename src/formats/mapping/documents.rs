//! A body into JSON documents: JSON, a list of such, JSON Lines, a form, a multipart form, a query, plain text.

use serde_json::{Map, Value};

use super::Mapping;
use crate::formats::{Body, FormatError, Rejected, form, split};

/// One document, or why it is none.
pub(super) type Document = Result<Value, Rejected>;

/// The documents of a body, in order. A list is as many documents as it has elements.
pub(super) fn documents(mapping: &Mapping, body: &Body<'_>) -> Result<Vec<Document>, FormatError> {
    let bytes = split::trimmed(body.bytes);
    let documents = match bytes.first() {
        Some(b'{' | b'[') => json(mapping, bytes)?,
        None => vec![Ok(fields(mapping, body.query.unwrap_or_default().as_bytes()))],
        Some(_) => match multipart(body.content_type, bytes) {
            Some(parts) => vec![Ok(payload(mapping, parts))],
            None if is_form(bytes) => vec![Ok(fields(mapping, bytes))],
            None if mapping.plain_text => vec![Ok(Value::Null)],
            None => return Err(no_document(mapping, "the body is neither JSON nor a form")),
        },
    };
    Ok(documents)
}

fn no_document(mapping: &Mapping, message: &str) -> FormatError {
    FormatError::new(&mapping.name, message, mapping.setup.clone())
}

fn json(mapping: &Mapping, bytes: &[u8]) -> Result<Vec<Document>, FormatError> {
    let whole = serde_json::from_slice::<Value>(bytes);
    match whole {
        Ok(Value::Array(list)) => Ok(list.into_iter().map(Ok).collect()),
        Ok(document) => Ok(vec![Ok(document)]),
        Err(_) if bytes.starts_with(b"[") => {
            let elements = split::elements(bytes).into_iter().enumerate();
            Ok(elements.map(|(index, text)| one(text, index)).collect())
        }
        Err(error) => {
            let mut lines = split::lines(bytes);
            let first = lines.next().filter(|(_, line)| serde_json::from_slice::<Value>(line).is_ok());
            let Some((index, first)) = first else { return Err(no_document(mapping, &error.to_string())) };
            Ok(std::iter::once((index, first)).chain(lines).map(|(index, line)| one(line, index)).collect())
        }
    }
}

fn one(text: &[u8], index: usize) -> Document {
    serde_json::from_slice(text).map_err(|error| Rejected {
        index,
        path: String::new(),
        message: error.to_string(),
        help: Some("it is no JSON: those beside it were read".to_owned()),
    })
}

/// Whether a body looks like a form, whatever its content type says.
fn is_form(bytes: &[u8]) -> bool {
    let name = bytes.iter().position(|byte| *byte == b'=').map(|end| &bytes[..end]);
    name.is_some_and(|name| !name.is_empty() && !name.iter().any(|byte| b" \t\n\r<>{}:\"".contains(byte)))
}

fn fields(mapping: &Mapping, text: &[u8]) -> Value {
    payload(mapping, object(form::fields(text)))
}

fn object(fields: impl IntoIterator<Item = (String, String)>) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name, Value::String(value))).collect()
}

/// The document inside the field that holds it as JSON; the fields themselves where there is none.
fn payload(mapping: &Mapping, fields: Map<String, Value>) -> Value {
    let text = mapping.payload_field.as_ref().and_then(|name| fields.get(name)).and_then(Value::as_str);
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Object(fields))
}

/// The texts of a multipart form.
fn multipart(content_type: Option<&str>, bytes: &[u8]) -> Option<Map<String, Value>> {
    let content_type = content_type.filter(|value| value.starts_with("multipart/form-data"))?;
    let (_, boundary) = content_type.split_once("boundary=")?;
    let boundary = format!("--{}", boundary.split(';').next()?.trim().trim_matches('"'));
    let text = String::from_utf8_lossy(bytes);
    let parts = text.split(boundary.as_str()).filter_map(|part| {
        let (head, value) = part.split_once("\r\n\r\n")?;
        let (_, name) = head.split_once(" name=\"")?;
        Some((name.split('"').next()?.to_owned(), value.trim_end_matches("\r\n").to_owned()))
    });
    Some(object(parts))
}

/// The fields of the URL's query.
pub(super) fn query(body: &Body<'_>) -> Value {
    Value::Object(object(form::fields(body.query.unwrap_or_default().as_bytes())))
}

/// Reads the texts in place that hold JSON.
pub(super) fn unpack(mapping: &Mapping, document: &mut Value) {
    for path in &mapping.unpack {
        path.change(document, &mut |value| {
            if let Value::String(text) = &*value
                && let Ok(inner) = serde_json::from_str::<Value>(text)
                && (inner.is_object() || inner.is_array())
            {
                *value = inner;
            }
        });
    }
}
