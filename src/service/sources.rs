//! The secrets of tools, read from where files and settings say, at the start and with the rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::Mappings;
use crate::http::known::{Keys, Known};
use crate::sinks::Secret;

/// The tools with their secrets. Of two secrets of one tool that of the settings counts.
pub(super) fn known(mappings: Mappings, settings: &BTreeMap<String, Secret>) -> Result<Known, String> {
    let Mappings { sources, secrets } = mappings;
    let mut keys = BTreeMap::new();
    let mut wrong = Vec::new();
    for (tool, secret) in secrets.iter().filter(|(tool, _)| !settings.contains_key(*tool)).chain(settings) {
        match read(secret) {
            Ok(found) => drop(keys.insert(tool.clone(), found)),
            Err(why) => wrong.push(format!("the secret of `{tool}` cannot be used: {secret}: {why}")),
        }
        if let Err(unknown) = sources.find(tool) {
            wrong.push(format!("`sources` names a tool that is not known: {unknown}"));
        }
    }
    if wrong.is_empty() { Ok(Known { sources, keys, policy: Arc::default() }) } else { Err(wrong.join("\n")) }
}

fn read(secret: &Secret) -> Result<Keys, String> {
    let text = match secret {
        Secret::File(path) => std::fs::read_to_string(path).map_err(|error| error.to_string())?,
        Secret::Env(name) => std::env::var(name).map_err(|error| error.to_string())?,
    };
    let keys = Keys::new(&text);
    if keys.is_empty() { Err("it is empty".to_owned()) } else { Ok(keys) }
}
