//! Diagnostics: what is wrong, where, and how to mend it. All mistakes at once.
//!
//! Deliberately without any knowledge of what is being checked.

use std::fmt;

/// A place in a file. Lines and columns count from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file's name, as the user gave it.
    pub file: String,
    /// Where in it; `None` = the file as a whole.
    pub place: Option<Place>,
    /// The line itself, without its end.
    pub excerpt: Option<String>,
    /// How many characters are marked, from the column on.
    pub width: usize,
    /// The path of the field, such as `rules[2].flap.enter`; may be empty.
    pub path: String,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

/// ```text
/// rules/app.yaml:4:12: unknown key `pgae` in rules[0]
///   |
/// 4 |     pgae: auto
///   |     ^^^^
///   = help: did you mean `page`?
/// ```
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(place) = self.place {
            write!(f, ":{}:{}", place.line, place.column)?;
        }
        write!(f, ": {}", self.message)?;
        if !self.path.is_empty() {
            write!(f, " (at {})", self.path)?;
        }
        if let (Some(place), Some(excerpt)) = (self.place, &self.excerpt) {
            let number = place.line.to_string();
            let gutter = " ".repeat(number.len());
            let mark = "^".repeat(self.width.max(1));
            let before = " ".repeat(place.column.saturating_sub(1));
            write!(f, "\n{gutter} |\n{number} | {excerpt}\n{gutter} | {before}{mark}")?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  = help: {help}")?;
        }
        Ok(())
    }
}

/// All mistakes that were found, in order of place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The mistakes.
    pub diagnostics: Vec<Diagnostic>,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for diagnostic in &self.diagnostics {
            writeln!(f, "{diagnostic}\n")?;
        }
        let count = self.diagnostics.len();
        write!(f, "{count} mistake{} found", if count == 1 { "" } else { "s" })
    }
}

impl std::error::Error for Report {}
