//! Secrets in bodies that are shown or kept: their values become `***`.

use serde_json::Value;

use crate::domain::mask::is_secret;
use crate::formats::form;

/// A body as it may be shown: JSON and forms without the values of fields that are secrets by their name, any other
/// text without what follows such a name; addresses without their login and query. At most `most` bytes.
#[must_use]
pub fn masked(body: &[u8], most: usize) -> String {
    let trimmed = body.trim_ascii();
    let mut text = if let Ok(mut value) = serde_json::from_slice::<Value>(trimmed) {
        mask(&mut value);
        serde_json::to_string_pretty(&value).unwrap_or_default()
    } else if trimmed.contains(&b'=') && !trimmed.contains(&b'\n') && !trimmed.starts_with(b"{") {
        let hide = |(name, value): (String, String)| {
            let value = if is_secret(&name) { "***".to_owned() } else { inner(&value) };
            format!("{name}={value}")
        };
        form::fields(trimmed).into_iter().map(hide).collect::<Vec<_>>().join("\n")
    } else {
        plain(&String::from_utf8_lossy(trimmed))
    };
    if text.len() > most {
        let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push_str("… (cut)");
    }
    text
}

fn mask(value: &mut Value) {
    match value {
        Value::Object(map) => map.iter_mut().for_each(|(name, value)| {
            if is_secret(name) && !value.is_null() {
                *value = Value::String("***".to_owned());
            } else {
                mask(value);
            }
        }),
        Value::Array(list) => list.iter_mut().for_each(mask),
        Value::String(text) => {
            let shown = inner(text);
            if shown != *text {
                *text = shown;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A text inside a body: JSON of its own, an address, or just text.
fn inner(text: &str) -> String {
    if text.starts_with(['{', '['])
        && let Ok(mut value) = serde_json::from_str::<Value>(text)
    {
        mask(&mut value);
        return value.to_string();
    }
    plain(text)
}

/// A text without what follows a secret's name, and addresses without login and query.
fn plain(text: &str) -> String {
    text.split_inclusive([' ', '\n', '\t', ',', '&'])
        .scan(false, |hide, word| {
            let bare = word.trim_end_matches([' ', '\n', '\t', ',', '&']);
            let rest = &word[bare.len()..];
            let hidden = std::mem::replace(hide, false);
            let lower = bare.to_ascii_lowercase();
            *hide = lower == "bearer" || lower == "basic" || (is_secret(&lower) && lower.ends_with([':', '=']));
            let shown = match bare.split_once(['=', ':']) {
                _ if hidden && !bare.is_empty() && !*hide => "***".to_owned(),
                Some((name, value)) if is_secret(name) && !value.is_empty() => format!("{name}=***"),
                _ if bare.contains("://") => address(bare),
                _ => bare.to_owned(),
            };
            Some(shown + rest)
        })
        .collect()
}

fn address(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let rest = rest.rsplit_once('@').map_or_else(|| rest.to_owned(), |(_, rest)| format!("***@{rest}"));
    let rest = rest.split_once('?').map_or_else(|| rest.clone(), |(path, _)| format!("{path}?***"));
    format!("{scheme}://{rest}")
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn no_secret_is_shown() {
        for body in [
            r#"{"a":{"Token":"hush","x":1},"routing_key":"hush","u":"https://me:hush@h/p?k=hush","j":"{\"secret\":\"hush\"}"}"#,
            "Token=hush&a=1&payload={\"api_key\":\"hush\"}",
            "Authorization: Bearer hush\npassword: hush\nsecret=hush\nat https://x/y?token=hush",
        ] {
            let shown = masked(body.as_bytes(), 1000);
            assert!(!shown.contains("hush"), "{shown}");
        }
        assert_eq!(masked(b"plain text, 5 of 7", 100), "plain text, 5 of 7");
        assert!(masked("ä".repeat(100).as_bytes(), 11).len() < 30);
    }
}
