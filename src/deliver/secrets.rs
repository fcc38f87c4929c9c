//! Secrets, read at the moment of sending so that a rotated one works at once, and kept out of every message.

use std::fmt;
use std::path::Path;

use crate::sinks::Secret;

/// A file with a secret or certificates is never larger (64 KiB).
const MOST: usize = 64 * 1024;

/// A secret's value. It cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Hidden(pub(super) String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A secret that cannot be had. Names the place, never the content.
#[derive(Debug, thiserror::Error)]
pub(super) enum SecretError {
    /// The file cannot be read.
    #[error("{place} cannot be read: {cause}")]
    Unreadable {
        /// Where it should be.
        place: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// It is no text, or too large.
    #[error("{0} is no text of at most 64 KiB")]
    NoText(String),
    /// There is nothing.
    #[error("{0} is empty or not set")]
    Empty(String),
}

/// Reads a secret.
pub(super) async fn read(secret: &Secret) -> Result<Hidden, SecretError> {
    let value = match secret {
        Secret::File(path) => {
            let bytes = read_file(path).await?;
            String::from_utf8(bytes).map_err(|_| SecretError::NoText(secret.to_string()))?
        }
        Secret::Env(name) => std::env::var_os(name)
            .unwrap_or_default()
            .into_string()
            .map_err(|_| SecretError::NoText(secret.to_string()))?,
    };
    match value.trim_end() {
        "" => Err(SecretError::Empty(secret.to_string())),
        value => Ok(Hidden(value.to_owned())),
    }
}

/// Reads a small file.
pub(super) async fn read_file(path: &Path) -> Result<Vec<u8>, SecretError> {
    use tokio::io::AsyncReadExt as _;
    let place = || format!("file {}", path.display());
    let unreadable = |cause| SecretError::Unreadable { place: place(), cause };
    let file = tokio::fs::File::open(path).await.map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(MOST as u64 + 1).read_to_end(&mut bytes).await.map_err(unreadable)?;
    if bytes.len() > MOST { Err(SecretError::NoText(place())) } else { Ok(bytes) }
}

/// The text with every occurrence of a secret blotted out: servers repeat what they were sent.
pub(super) fn blot(text: &str, secrets: &[String]) -> String {
    // The longest first, so that no rest of it stays behind a shorter one.
    let mut secrets: Vec<&str> = secrets.iter().map(String::as_str).filter(|secret| !secret.is_empty()).collect();
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
}

/// What must not be seen of an URL that is secret: the whole, and every part of its path and query that may be a key.
pub(super) fn parts_of(url: &crate::sinks::Url) -> Vec<String> {
    const SHORTEST_KEY: usize = 6;
    let query = url.query().unwrap_or_default();
    let values = url.query_pairs().flat_map(|(name, value)| [name.into_owned(), value.into_owned()]);
    let login = [url.username().to_owned(), url.password().unwrap_or_default().to_owned()];
    let parts = url.path().split('/').chain(query.split(['&', '='])).map(str::to_owned);
    let keys = parts.chain(values).filter(|part| part.len() >= SHORTEST_KEY);
    [url.to_string(), url.path().trim_matches('/').to_owned(), query.to_owned()]
        .into_iter()
        .chain(login)
        .chain(keys)
        .collect()
}

/// An error and all its causes in one line, each once.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text += ": ";
            text += &next;
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_a_secret_address_is_seen() {
        let url = crate::sinks::Url::parse("https://u:hush@h.example/services/T0CAFE/sEcReT77?key=abcdef1").unwrap();
        let text = format!("POST {url} failed: /services/T0CAFE/sEcReT77 unknown, sEcReT77, abcdef1, hush");
        let seen = blot(&text, &parts_of(&url));
        for secret in ["sEcReT77", "abcdef1", "hush", "T0CAFE"] {
            assert!(!seen.contains(secret), "{seen}");
        }
        assert_eq!(format!("{:?}", Hidden("hush".into())), "***");
    }
}
