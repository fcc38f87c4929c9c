//! The secrets of tools, read from where files and settings say, at the start and with the rules.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::config::{Mappings, Settings};
use crate::http::known::{Keys, Known};
use crate::sinks::{Receiver, ReceiverKind, Secret};

/// The secrets that the settings name.
#[derive(Clone)]
pub(super) struct Secrets {
    /// Of tools.
    tools: BTreeMap<String, Secret>,
    /// Of receivers, for what people say there.
    hooks: BTreeMap<String, Secret>,
    /// The tools whose bodies are read out of a log.
    read: BTreeSet<String>,
}

impl Secrets {
    pub(super) fn of(settings: &Settings) -> Self {
        let read = settings.kafka.iter().flat_map(|source| &source.topics).map(|topic| topic.format.clone()).collect();
        Self { tools: settings.sources.clone(), hooks: settings.hooks.clone(), read }
    }

    /// Messages have buttons where somebody listens to them.
    pub(super) fn give_buttons(&self, receivers: &mut [Receiver]) {
        for receiver in receivers {
            if let ReceiverKind::Slack(slack) = &mut receiver.kind {
                slack.buttons = self.hooks.contains_key("slack");
            }
        }
    }
}

/// The tools with their secrets. Of two secrets of one tool that of the settings counts.
pub(super) fn known(mappings: Mappings, settings: &Secrets) -> Result<Known, String> {
    let Mappings { sources, secrets } = mappings;
    let Secrets { tools: settings, hooks: named, read: topics } = settings;
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
    for unknown in topics.iter().filter_map(|tool| sources.find(tool).err()) {
        wrong.push(format!("`kafka` names a format that is not known: {unknown}"));
    }
    let mut hooks = BTreeMap::new();
    for (hook, secret) in named {
        match read(secret) {
            Ok(found) => drop(hooks.insert(hook.clone(), found)),
            Err(why) => wrong.push(format!("the secret of the hook `{hook}` cannot be used: {secret}: {why}")),
        }
    }
    if wrong.is_empty() { Ok(Known { sources, keys, hooks, policy: Arc::default() }) } else { Err(wrong.join("\n")) }
}

fn read(secret: &Secret) -> Result<Keys, String> {
    let text = match secret {
        Secret::File(path) => std::fs::read_to_string(path).map_err(|error| error.to_string())?,
        Secret::Env(name) => std::env::var(name).map_err(|error| error.to_string())?,
    };
    let keys = Keys::new(&text);
    if keys.is_empty() { Err("it is empty".to_owned()) } else { Ok(keys) }
}
