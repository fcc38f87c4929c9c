//! Rules as they go through the log: the files themselves, so that every shard judges by the same text.
//!
//! Pure. Deliberately without secrets: files refer to them, and each node reads its own.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::scope::hears_nothing;
use crate::config::{self, Source};
use crate::domain::{Fingerprint, Policy};
use crate::sinks::Receiver;

/// A set of rule files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleFiles {
    /// Name, text, and whether it ships in the binary of who wrote it.
    pub files: Vec<(String, String, bool)>,
    /// Whether nobody is paged.
    pub shadow: bool,
}

/// Rules that can be judged by.
#[derive(Clone, Debug)]
pub struct Rules {
    /// What they were read from.
    pub files: RuleFiles,
    /// The rules.
    pub policy: Arc<Policy>,
    /// Who is told.
    pub receivers: Vec<Receiver>,
    /// Names this set of files.
    pub fingerprint: Fingerprint,
}

impl Rules {
    /// The rules of a scope. What is about Squelch itself waits for nobody's heartbeat, nor does what nothing new comes to.
    #[must_use]
    pub fn policy_of(&self, scope: &str) -> Arc<Policy> {
        if !hears_nothing(scope) || self.policy.heartbeats.is_empty() {
            return Arc::clone(&self.policy);
        }
        Arc::new(Policy { heartbeats: Vec::new(), ..Policy::clone(&self.policy) })
    }
}

impl RuleFiles {
    /// From files as they were read.
    #[must_use]
    pub fn of(sources: &[Source], shadow: bool) -> Self {
        let file =
            |source: &Source| (source.name.clone(), String::from_utf8_lossy(&source.text).into_owned(), source.shipped);
        Self { files: sources.iter().map(file).collect(), shadow }
    }

    /// Reads and checks them.
    ///
    /// # Errors
    /// Everything that is wrong with them, in words.
    pub fn load(self) -> Result<Rules, String> {
        let source = |(name, text, shipped): &(String, String, bool)| Source {
            name: name.clone(),
            text: text.clone().into_bytes(),
            shipped: *shipped,
            tried: false,
        };
        let sources: Vec<Source> = self.files.iter().map(source).collect();
        let bundle = config::load(&sources).map_err(|report| report.to_string())?;
        let mut policy = bundle.policy;
        (policy.shadow, policy.shadow_held) = (self.shadow, self.shadow);
        let (receivers, fingerprint) = (bundle.receivers, bundle.fingerprint);
        Ok(Rules { files: self, policy: Arc::new(policy), receivers, fingerprint })
    }
}
