//! What a stopped Squelch knows, read from its data directory.
//!
//! Deliberately as it stood when it stopped: nothing is judged, time stands still, and nothing is written: a damaged
//! store is told of and not mended.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fault::Fault;
use super::recording::tell;
use super::rules;
use crate::domain::{Alarms, Engine, Positions};
use crate::inbox::View;
use crate::store::{Store, StoreError};

/// Where the store of a stopped Squelch is.
#[derive(Debug, clap::Args)]
pub(super) struct DataDir {
    /// Ask no running Squelch: read the data directory of a stopped one
    #[arg(long, value_name = "DIR", conflicts_with_all = ["server", "token_file"])]
    pub(super) data_dir: Option<PathBuf>,
}

/// What it knows.
pub(super) struct Stopped {
    engine: Engine,
    alarms: Alarms,
}

impl Stopped {
    /// Reads it, under the rules of a folder: of those, only names and windows of time matter here.
    ///
    /// # Errors
    /// When there is no store, it is in use or cannot be read, or the rules are wrong.
    pub(super) fn read(dir: &Path, rules: Option<&Path>) -> Result<Self, Fault> {
        let policy = rules::policy(rules)?;
        if !dir.join("durable").exists() && !dir.join("sled").exists() {
            return Err(Fault::Wrong(format!("there is no store in {}: name its directory", dir.display())));
        }
        let recovered = Store::peek(dir).map_err(|error| in_words(&error))?;
        let mut damage: Vec<_> = recovered.damage.iter().map(ToString::to_string).collect();
        let own = |key: &[u8]| key.first() == Some(&Alarms::KEY);
        let (alarms, records): (Vec<_>, Vec<_>) = recovered.records.into_iter().partition(|(key, _)| own(key));
        let read = |key: &[u8]| key.first() == Some(&Positions::KEY);
        let records = records.into_iter().filter(|(key, _)| !read(key));
        let (alarms, unreadable) = Alarms::restore(alarms);
        damage.extend(unreadable.iter().map(ToString::to_string));
        let (engine, unreadable) = Engine::restore(Arc::new(policy), records);
        damage.extend(unreadable.iter().map(ToString::to_string));
        for damage in &damage {
            tell(&format!("squelch: damage: {damage}"));
        }
        if !damage.is_empty() {
            tell(
                "squelch: the store was only read: what is damaged is mended, and kept, when `squelch serve` opens it",
            );
        }
        Ok(Self { engine, alarms })
    }

    /// To look at.
    pub(super) fn view(&self) -> View<'_> {
        View { engine: &self.engine, alarms: &self.alarms }
    }
}

fn in_words(error: &StoreError) -> Fault {
    let help = match error {
        StoreError::Locked { .. } => "; a running Squelch is asked with --server URL instead of --data-dir",
        _ => "",
    };
    Fault::Wrong(format!("{error}{help}"))
}
