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

/// How the parts of a mistake stand out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    /// Before the place.
    pub place: &'static str,
    /// Before what is wrong, and the mark.
    pub mistake: &'static str,
    /// Before line numbers and gutters.
    pub gutter: &'static str,
    /// Before the help.
    pub help: &'static str,
    /// After each of them.
    pub off: &'static str,
}

impl Palette {
    /// No colours: for files, pipes and logs.
    pub const PLAIN: Self = Self { place: "", mistake: "", gutter: "", help: "", off: "" };
    /// ANSI colours: for terminals. A mistake is bold red.
    pub const COLOUR: Self =
        Self { place: "\x1b[1m", mistake: "\x1b[1;31m", gutter: "\x1b[34m", help: "\x1b[32m", off: "\x1b[0m" };
    /// ANSI colours for what is only a warning: bold yellow.
    pub const WARNING: Self = Self { mistake: "\x1b[1;33m", ..Self::COLOUR };
}

/// ```text
/// rules/app.yaml:4:12: unknown key `pgae` (at rules[0])
///   |
/// 4 |     pgae: auto
///   |     ^^^^
///   = help: did you mean `page`?
/// ```
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, Palette::PLAIN)
    }
}

impl Diagnostic {
    /// The text of its [`fmt::Display`], with colours.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn write(&self, f: &mut impl fmt::Write, palette: Palette) -> fmt::Result {
        let Palette { place: bold, mistake, gutter: quiet, help: green, off } = palette;
        write!(f, "{bold}{}", self.file)?;
        if let Some(place) = self.place {
            write!(f, ":{}:{}", place.line, place.column)?;
        }
        write!(f, ":{off} {mistake}{}{off}", self.message)?;
        if !self.path.is_empty() {
            write!(f, " (at {})", self.path)?;
        }
        if let (Some(place), Some(excerpt)) = (self.place, &self.excerpt) {
            let number = place.line.to_string();
            let gutter = " ".repeat(number.len());
            let mark = "^".repeat(self.width.max(1));
            // A tab stays a tab, so that the mark stands below what it marks.
            let before = excerpt.chars().chain(std::iter::repeat(' ')).take(place.column.saturating_sub(1));
            let before: String = before.map(|c| if c == '\t' { c } else { ' ' }).collect();
            write!(f, "\n{quiet}{gutter} |\n{number} |{off} {excerpt}\n{quiet}{gutter} |{off} ")?;
            write!(f, "{before}{mistake}{mark}{off}")?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  {quiet}={off} {green}help:{off} {help}")?;
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
