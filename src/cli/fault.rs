//! Why a command failed, and the exit code that says so.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;

/// Why a command failed.
#[derive(Debug)]
pub(super) enum Fault {
    /// The input or the rules are wrong, or the world is: exit code 1.
    Wrong(String),
    /// The command was called in a way that makes no sense: exit code 2.
    Usage(String),
    /// Everything was told already: exit code 1 without another word.
    Told,
    /// Whoever read our output has seen enough (`squelch … | head`): no fault at all, exit code 0.
    ReaderLeft,
}

impl Fault {
    /// A file that cannot be read or written, with what was tried.
    #[must_use]
    pub(super) fn file(tried: &str, path: &Path, error: &io::Error) -> Self {
        Self::Wrong(format!("cannot {tried} {}: {error}", path.display()))
    }

    /// Output that could not be written.
    #[must_use]
    pub(super) fn output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::ReaderLeft
        } else {
            Self::Wrong(format!("cannot write the output: {error}"))
        }
    }

    /// The exit code.
    #[must_use]
    pub(super) fn code(&self) -> ExitCode {
        match self {
            Self::Wrong(_) | Self::Told => ExitCode::from(1),
            Self::Usage(_) => ExitCode::from(2),
            Self::ReaderLeft => ExitCode::SUCCESS,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong(what) | Self::Usage(what) => f.write_str(what),
            Self::Told | Self::ReaderLeft => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}
