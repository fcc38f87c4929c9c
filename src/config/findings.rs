//! The mistakes and warnings found so far, each with its place and its line.
//!
//! Deliberately knows nothing of rules: it turns (where, what, how to mend it) into [`Diagnostic`]s, and keeps
//! secrets out of the lines that they show.

use std::ops::Range;

use super::source::Source;
use super::value::Checked;
use crate::diagnostic::{Diagnostic, Place, Report};

/// A place in one of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    /// Which file, by its place among the sources.
    pub(super) file: usize,
    /// The line, from 1.
    pub(super) line: usize,
    /// The column in characters, from 1.
    pub(super) column: usize,
    /// How many characters are meant; 0 = to the end of the line.
    pub(super) width: usize,
}

/// What is wrong, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Complaint {
    message: String,
    help: Option<String>,
}

impl Complaint {
    /// What is wrong: lower case, no full stop.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    /// Another way to mend it.
    pub(super) fn also(mut self, help: &str) -> Self {
        self.help = Some(self.help.map_or_else(|| help.to_owned(), |before| format!("{before}; {help}")));
        self
    }

    /// How to mend it.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// More mistakes than this are not listed: nobody reads them, and a hostile file must not fill the memory.
const MOST: usize = 1000;

/// Longer lines are not shown, only named by number.
const LONGEST_LINE: usize = 400;

/// Collects what is found.
pub(super) struct Findings<'a> {
    sources: &'a [Source],
    lines: Vec<Vec<&'a str>>,
    mistakes: Vec<(Spot, Diagnostic)>,
    warnings: Vec<(Spot, Diagnostic)>,
    incomplete: bool,
}

impl<'a> Findings<'a> {
    /// Nothing found yet in these files.
    pub(super) fn new(sources: &'a [Source]) -> Self {
        let lines = sources.iter().map(|source| readable(&source.text).lines());
        Self {
            sources,
            lines: lines.map(Iterator::collect).collect(),
            mistakes: Vec::new(),
            warnings: Vec::new(),
            incomplete: false,
        }
    }

    /// A mistake at a place, at the field with this path.
    pub(super) fn mistake(&mut self, spot: Spot, path: &str, complaint: Complaint) {
        if self.mistakes.len() < MOST {
            let diagnostic = self.diagnostic(spot, path, complaint);
            // Two checks may see one mistake, and an alias may show it twice.
            if !self.mistakes.iter().any(|(_, known)| known.place == diagnostic.place && *known == diagnostic) {
                self.mistakes.push((spot, diagnostic));
            }
        } else if self.mistakes.len() == MOST {
            let complaint = Complaint::new(format!("there are more than {MOST} mistakes: the rest is not listed"));
            let last = Spot { file: usize::MAX, line: 0, column: 0, width: 0 };
            let diagnostic = Diagnostic { file: self.name(spot.file), ..self.whole(complaint) };
            self.mistakes.push((last, diagnostic));
        }
    }

    /// A mistake of a file as a whole.
    pub(super) fn mistake_of_file(&mut self, file: usize, complaint: Complaint) {
        let spot = Spot { file, line: 0, column: 0, width: 0 };
        let diagnostic = Diagnostic { file: self.name(file), ..self.whole(complaint) };
        self.mistakes.push((spot, diagnostic));
    }

    /// Something that is allowed, but hardly meant.
    pub(super) fn warning(&mut self, spot: Spot, path: &str, complaint: Complaint) {
        if self.warnings.len() < MOST {
            let diagnostic = self.diagnostic(spot, path, complaint);
            self.warnings.push((spot, diagnostic));
        }
    }

    /// All mistakes, in order of place, or the warnings if there are none.
    pub(super) fn finish(mut self) -> Result<Vec<Diagnostic>, Report> {
        if self.mistakes.is_empty() {
            self.warnings.sort_by_key(|(spot, _)| *spot);
            return Ok(self.warnings.into_iter().map(|(_, warning)| warning).collect());
        }
        self.mistakes.sort_by_key(|(spot, _)| *spot);
        Err(Report { diagnostics: self.mistakes.into_iter().map(|(_, mistake)| mistake).collect() })
    }

    /// How another place is named in a message: `rules/app.yaml:4:12`.
    pub(super) fn place(&self, spot: Spot) -> String {
        format!("{}:{}:{}", self.name(spot.file), spot.line, spot.column)
    }

    /// Whether something at or below this value was found to be wrong.
    pub(super) fn has_mistake_at(&self, value: &Checked) -> bool {
        self.mistakes
            .iter()
            .any(|(spot, mistake)| spot.file == value.spot.file && mistake.path.starts_with(&value.path))
    }

    /// From here on a file, or a part of one, is known to be missing: what refers to it cannot be judged.
    pub(super) const fn set_incomplete(&mut self) {
        self.incomplete = true;
    }

    /// Whether a file, or a part of one, could not be read at all.
    pub(super) const fn is_incomplete(&self) -> bool {
        self.incomplete
    }

    /// Whether a place is in a file that ships in the binary.
    pub(super) fn is_shipped(&self, spot: Spot) -> bool {
        self.sources.get(spot.file).is_some_and(|source| source.shipped)
    }

    /// The files.
    pub(super) const fn sources(&self) -> &'a [Source] {
        self.sources
    }

    /// The part of a scalar that these bytes of its text stand at; the whole scalar where that cannot be told
    /// (escapes, more than one line).
    pub(super) fn within(&self, spot: Spot, text: &str, bytes: Range<usize>) -> Spot {
        let raw: Vec<char> = self.line(spot).unwrap_or_default().chars().skip(spot.column - 1).collect();
        let quoted = usize::from(raw.first().is_some_and(|c| matches!(c, '"' | '\'')));
        let stands = text.chars().enumerate().all(|(at, c)| raw.get(at + quoted) == Some(&c));
        let (Some(before), Some(marked)) = (text.get(..bytes.start), text.get(bytes)) else { return spot };
        if !stands || marked.is_empty() {
            return spot;
        }
        Spot { column: spot.column + quoted + before.chars().count(), width: marked.chars().count(), ..spot }
    }

    /// Where these bytes of a line of a block stand; `None` = that line of the file is another one.
    pub(super) fn in_block(&self, spot: Spot, line: &str, bytes: Range<usize>) -> Option<Spot> {
        let raw = self.line(spot)?;
        let indent = raw.find(line).filter(|_| !line.is_empty() && raw.trim() == line.trim())?;
        let (before, marked) = (line.get(..bytes.start)?, line.get(bytes)?);
        let column = raw[..indent].chars().count() + before.chars().count() + 1;
        Some(Spot { column, width: marked.chars().count(), ..spot })
    }

    fn name(&self, file: usize) -> String {
        self.sources.get(file).map_or_else(|| "rules".to_owned(), |source| source.name.clone())
    }

    fn line(&self, spot: Spot) -> Option<&'a str> {
        self.lines.get(spot.file)?.get(spot.line.checked_sub(1)?).map(|line| line.trim_start_matches('\u{feff}'))
    }

    fn whole(&self, complaint: Complaint) -> Diagnostic {
        Diagnostic {
            file: String::new(),
            place: None,
            excerpt: None,
            width: 0,
            path: String::new(),
            message: complaint.message,
            help: complaint.help,
        }
    }

    fn diagnostic(&self, spot: Spot, path: &str, complaint: Complaint) -> Diagnostic {
        let excerpt = self.line(spot).filter(|line| line.len() <= LONGEST_LINE).map(excerpt);
        let rest = excerpt.as_ref().map_or(1, |line| line.chars().count().saturating_sub(spot.column - 1));
        let width = if spot.width == 0 { rest } else { spot.width.min(rest) };
        Diagnostic {
            file: self.name(spot.file),
            place: Some(Place { line: spot.line, column: spot.column }),
            excerpt,
            width: width.max(1),
            path: path.to_owned(),
            ..self.whole(complaint)
        }
    }
}

/// The text up to the first byte that is no UTF-8.
fn readable(text: &[u8]) -> &str {
    match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&text[..error.valid_up_to()]).unwrap_or_default(),
    }
}

/// A line as it may be shown: without what looks like a secret and without control characters. Columns stay.
fn excerpt(line: &str) -> String {
    let shown = line.trim_end().chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect();
    without_secrets(shown)
}

/// Keys whose values are not shown, wherever they are written.
const SECRET_KEYS: &[&str] = &["password", "passwd", "token", "secret", "api_key", "apikey", "routing_key", "bearer"];

fn without_secrets(line: String) -> String {
    let lower = line.to_ascii_lowercase();
    let mut hidden: Vec<Range<usize>> = Vec::new();
    for (at, key) in SECRET_KEYS.iter().flat_map(|key| lower.match_indices(key)) {
        let after = lower[at + key.len()..].trim_start_matches(['"', '\'', ' ']);
        if let Some(value) = after.strip_prefix([':', '=']) {
            let start = line.len() - value.trim_start().len();
            // Inside braces the value ends where the next key begins; elsewhere it is the rest of the line.
            let end = if lower[..at].contains('{') { flow_value(&line[start..]) } else { line.len() - start };
            hidden.push(start..start + end);
        }
    }
    for (at, scheme) in lower.match_indices("://") {
        let start = at + scheme.len();
        let address = line[start..].split(|c: char| c.is_whitespace() || "\"'".contains(c)).next().unwrap_or_default();
        if let Some(login) = address.rfind('@') {
            hidden.push(start..start + login);
        }
    }
    let is_hidden = |at: usize| hidden.iter().any(|range| range.contains(&at));
    line.char_indices().map(|(at, c)| if is_hidden(at) { '*' } else { c }).collect()
}

/// How long a value in braces is, in bytes.
fn flow_value(text: &str) -> usize {
    let end = match text.chars().next() {
        Some(quote @ ('"' | '\'')) => text[1..].find(quote).map(|at| at + 2),
        _ => text.find([',', '}', ']']),
    };
    end.unwrap_or(text.len())
}

/// A noun with its article.
pub(super) fn with_article(noun: &str) -> String {
    let vowel = noun.starts_with(['a', 'e', 'i', 'o', 'u']) || noun.starts_with("smtp");
    format!("{} {noun}", if vowel { "an" } else { "a" })
}

/// A text as it may stand in a message: short, without control characters, in backquotes.
pub(super) fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(80).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(80).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// "did you mean `x`?" where one of the words is near, else a list of them all.
pub(super) fn suggestion<'w>(text: &str, words: impl Iterator<Item = &'w str> + Clone) -> String {
    // Nothing that long is near, and comparing would cost its length.
    let text = if text.len() > 100 { String::new() } else { text.to_lowercase() };
    let begins = |word: &str| text.len() > 2 && (word.starts_with(&text) || text.starts_with(word));
    let near = words
        .clone()
        .map(|word| (strsim::damerau_levenshtein(&text, word), word))
        .filter(|(distance, word)| *distance <= 1 + word.len() / 4 || begins(word))
        .min();
    match near {
        Some((_, word)) => format!("did you mean `{word}`?"),
        None => format!("allowed here: {}", words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")),
    }
}
