//! The terminal that the output goes to: how wide it is, and text that fits it.
//!
//! Deliberately nothing for pipes and files: what programs read stays as it is.

use std::io::{IsTerminal as _, stdout};

use super::fault::Fault;
use super::replay::print;
use crate::replay::wording::fitted;

/// The columns of the terminal on standard output; `COLUMNS` in the environment wins. `None` = there is none: as wide
/// as it likes.
pub(super) fn width() -> Option<usize> {
    let said = std::env::var("COLUMNS").ok().and_then(|text| text.trim().parse().ok());
    let seen = || {
        let out = stdout();
        let size = if out.is_terminal() { rustix::termios::tcgetwinsize(&out).ok() } else { None };
        size.map(|size| usize::from(size.ws_col))
    };
    said.or_else(seen).filter(|columns| *columns > 0)
}

/// Text for people on standard output, in lines that fit.
///
/// # Errors
/// When it cannot be written.
pub(super) fn show(text: &str) -> Result<(), Fault> {
    match width() {
        Some(columns) => print(&fitted(text, columns)),
        None => print(text),
    }
}

/// How many columns are left for the last cell of a row after `taken`; `usual` where there is no terminal.
pub(super) fn rest(taken: usize, usual: usize) -> usize {
    width().map_or(usual, |columns| columns.saturating_sub(taken).max(LEAST))
}

/// A cell narrower than this says nothing: the line is folded instead.
const LEAST: usize = 24;
