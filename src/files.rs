//! The one reader of rule and settings files from disk.
//!
//! Deliberately no checking: the texts go to [`crate::config`] as they are.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::config::{LARGEST_FILE, Source, with_shipped, with_shipped_mappings};

/// The folder that is used where none is named, when it exists.
pub const RULES_DIR: &str = "rules";

/// The folder below it with the mapping files.
const SOURCES_DIR: &str = "sources";

/// A file or folder that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}: {error}", path.display())]
pub struct FileError {
    /// Which.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub error: io::Error,
}

/// The rule files of a folder, in order of name, laid over the shipped ones. `None` = [`RULES_DIR`] where it exists,
/// else the shipped ones alone.
///
/// Only `*.yaml` and `*.yml` directly in the folder are rules: `tests/` and other folders beside them are not, nor
/// are hidden files.
///
/// # Errors
/// When the folder, or a file in it, cannot be read.
pub fn read_rules(dir: Option<&Path>) -> Result<Vec<Source>, FileError> {
    let usual = Path::new(RULES_DIR);
    let Some(dir) = dir.or_else(|| usual.is_dir().then_some(usual)) else { return Ok(with_shipped(Vec::new())) };
    let users: Result<Vec<Source>, FileError> = rule_files(dir)?.iter().map(|path| read(path)).collect();
    Ok(with_shipped(users?))
}

/// The mapping files in `sources/` of a rules folder, in order of name, laid over the shipped ones. `None` as for
/// [`read_rules`].
///
/// # Errors
/// When the folder, or a file in it, cannot be read. A folder that is not there is empty.
pub fn read_mappings(dir: Option<&Path>) -> Result<Vec<Source>, FileError> {
    let dir = dir.unwrap_or(Path::new(RULES_DIR)).join(SOURCES_DIR);
    if !dir.is_dir() {
        return Ok(with_shipped_mappings(Vec::new()));
    }
    let users: Result<Vec<Source>, FileError> = rule_files(&dir)?.iter().map(|path| read(path)).collect();
    Ok(with_shipped_mappings(users?))
}

/// The rule files of a folder, in order of name.
fn rule_files(dir: &Path) -> Result<Vec<PathBuf>, FileError> {
    let entries = fs::read_dir(dir).map_err(at(dir))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(at(dir))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_yaml = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
        if is_yaml && !name.starts_with('.') && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// One file, as far as it could be of use: of a larger one only so much that it is seen to be too large.
///
/// # Errors
/// When it cannot be read.
pub fn read(path: &Path) -> Result<Source, FileError> {
    let mut text = Vec::new();
    let file = File::open(path).map_err(at(path))?;
    file.take(LARGEST_FILE as u64 + 1).read_to_end(&mut text).map_err(at(path))?;
    Ok(Source::new(path.display().to_string(), text))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> FileError {
    move |error| FileError { path: path.to_owned(), error }
}
