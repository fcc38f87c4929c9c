//! Mappings: how the body of a tool without code of its own becomes events. Data, from `rules/sources/NAME.yaml`.
//!
//! ```yaml
//! title: "Acme Watch: webhook"                 # who posts this
//! setup: "Settings > Webhooks: /ingest/acme"   # what to enter there
//! each: alerts                                 # one event for each element; left out: one for the body
//! check: rule.name | title                     # the first path that says something
//! host: labels.instance
//! summary: "{rule.name} on {labels.instance}"  # a join; `{part?}` may be missing
//! severity: {from: priority, map: {P1: critical, P2: error}, default: warning}
//! status: {from: state, map: {open: firing, closed: resolved, note: ignore}}
//! dedup_key: id                                # the same for a firing and its resolve
//! ts: changed_at
//! ```
//!
//! The way of a body: `documents` makes JSON documents of it (JSON, JSON Lines, a form, a query); `ignore` leaves
//! tests and greetings out; the first of the `variants` whose `when` holds reads it; each of its fields is an
//! [`Extract`]: an expression of paths, then a captured part, then the meaning of the word. `read` puts the
//! event together and notes where each field came from, which `squelch check --source` shows.
//!
//! Deliberately no loops, no arithmetic and no code: what a mapping cannot say belongs into a file beside this module.
//! What was not found is absent; what cannot be judged (an unknown state) is an error with its place, never a guess.
//! Variables that the sender did not fill in say nothing and are told.

mod condition;
mod documents;
mod expression;
mod extract;
mod glob;
mod mask;
mod number;
mod path;
mod propose;
mod read;
mod scope;
mod time;
mod words;

pub use self::extract::Extract;
pub use self::mask::masked;
pub use self::path::PathMistake;
pub use self::propose::propose;
pub use self::time::TimeForm;

use std::collections::BTreeMap;

use self::condition::Condition;
use self::expression::Expression;
use self::path::Path;
use super::{Body, FormatError, Parsed, Signature};
use crate::domain::signal::vocabulary;

vocabulary! {
    /// A field of the event that a mapping can fill.
    Target {
        /// The check, metric, rule or exception class.
        Check = "check",
        /// The service it is about.
        Service = "service",
        /// The host it is about.
        Host = "host",
        /// What the sender says about the alert.
        Status = "status",
        /// How bad it is.
        Severity = "severity",
        /// What sort of thing speaks.
        Kind = "kind",
        /// What pairs a firing with its resolve.
        DedupKey = "dedup_key",
        /// When it happened.
        Ts = "ts",
        /// One line for people.
        Summary = "summary",
        /// What was measured.
        Value = "value",
        /// The limit that it crossed.
        Threshold = "threshold",
        /// The unit of both.
        Unit = "unit",
        /// Where to look.
        Url = "url",
        /// What to do.
        RunbookUrl = "runbook_url",
        /// The tool that speaks.
        Source = "source",
    }
}

/// How the bodies of one tool become events.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// The name in `/ingest/{name}`.
    pub name: String,
    /// The tool's name for people.
    pub title: String,
    /// What to enter in the tool.
    pub setup: String,
    /// The field of a form that holds the document as JSON.
    pub payload_field: Option<String>,
    /// How the sender signs its bodies.
    pub signature: Option<Signature>,
    /// Whether plain text is taken, too.
    pub plain_text: bool,
    /// Texts that hold JSON, to be read in place.
    unpack: Vec<Path>,
    ignore: Vec<Ignore>,
    variants: Vec<Variant>,
}

/// One shape of a tool's bodies.
#[derive(Clone, Debug, Default)]
pub struct Variant {
    when: Vec<Condition>,
    each: Option<Path>,
    require: Vec<Expression>,
    fields: BTreeMap<Target, Vec<Extract>>,
    labels: BTreeMap<String, Vec<Extract>>,
    keep: Vec<Path>,
}

/// Bodies, or elements of them, that say nothing to be judged.
#[derive(Clone, Debug)]
pub struct Ignore {
    when: Vec<Condition>,
    why: String,
}

/// Where the fields of one event came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explained {
    /// Its place in the body.
    pub index: usize,
    /// Which of the variants read it, from 0.
    pub variant: usize,
    /// What was found: the field, the path that gave it, and the text there.
    pub found: Vec<(String, String, String)>,
    /// Fields that the mapping names and that were not found.
    pub missed: Vec<String>,
}

impl Mapping {
    /// A mapping of this name that knows no shape yet.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            title: name.to_owned(),
            setup: format!("webhook URL: /ingest/{name}"),
            payload_field: None,
            signature: None,
            plain_text: false,
            unpack: Vec::new(),
            ignore: Vec::new(),
            variants: Vec::new(),
        }
    }

    /// Texts at this path hold JSON.
    ///
    /// # Errors
    /// When the text is no path.
    pub fn unpack(&mut self, path: &str) -> Result<(), PathMistake> {
        self.unpack.push(Path::parse(path)?);
        Ok(())
    }

    /// Bodies for which this holds are left out.
    pub fn ignore(&mut self, ignore: Ignore) {
        self.ignore.push(ignore);
    }

    /// A shape that is tried after those before it.
    pub fn variant(&mut self, variant: Variant) {
        self.variants.push(variant);
    }

    /// Reads one body. The good is kept beside the bad.
    ///
    /// # Errors
    /// When nothing in it is usable.
    pub fn parse(&self, body: &Body<'_>) -> Result<Parsed, FormatError> {
        self.explain(body).map(|(parsed, _)| parsed)
    }

    /// As [`Mapping::parse`], with where everything came from: one for each event.
    ///
    /// # Errors
    /// When nothing in it is usable.
    pub fn explain(&self, body: &Body<'_>) -> Result<(Parsed, Vec<Explained>), FormatError> {
        read::read(self, body)
    }
}

impl Ignore {
    /// Leaves out what all of the conditions hold for.
    #[must_use]
    pub fn new(why: &str) -> Self {
        Self { when: Vec::new(), why: why.to_owned() }
    }

    /// Only what this holds for, too.
    ///
    /// # Errors
    /// When the text is no condition.
    pub fn when(&mut self, condition: &str) -> Result<(), PathMistake> {
        self.when.push(Condition::parse(condition)?);
        Ok(())
    }
}

impl Variant {
    /// Only bodies that this holds for, too.
    ///
    /// # Errors
    /// When the text is no condition.
    pub fn when(&mut self, condition: &str) -> Result<(), PathMistake> {
        self.when.push(Condition::parse(condition)?);
        Ok(())
    }

    /// One event for each element there.
    ///
    /// # Errors
    /// When the text is no path.
    pub fn each(&mut self, path: &str) -> Result<(), PathMistake> {
        self.each = Some(Path::parse(path)?);
        Ok(())
    }

    /// Without this the event is refused.
    ///
    /// # Errors
    /// When the text is no expression.
    pub fn require(&mut self, expression: &str) -> Result<(), PathMistake> {
        self.require.push(Expression::parse(expression)?);
        Ok(())
    }

    /// Fills a field: the first way that gives something.
    pub fn field(&mut self, target: Target, ways: Vec<Extract>) {
        self.fields.insert(target, ways);
    }

    /// Fills a label.
    pub fn label(&mut self, name: &str, ways: Vec<Extract>) {
        self.labels.insert(name.to_owned(), ways);
    }

    /// Keeps everything scalar there as labels.
    ///
    /// # Errors
    /// When the text is no path.
    pub fn keep(&mut self, path: &str) -> Result<(), PathMistake> {
        self.keep.push(Path::parse(path)?);
        Ok(())
    }
}

/// Whether a text is a path, an expression or a condition.
///
/// # Errors
/// What is wrong, how to mend it, and where.
pub fn check(text: &str, as_what: Grammar) -> Result<(), PathMistake> {
    match as_what {
        Grammar::Path => Path::parse(text).map(drop),
        Grammar::Expression => Expression::parse(text).map(drop),
        Grammar::Condition => Condition::parse(text).map(drop),
    }
}

/// The little languages of mapping files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grammar {
    /// `alerts[].name`
    Path,
    /// `title | name | 'text'`, `"{host}/{check}"`
    Expression,
    /// `state = open`, `!alerts`, `type =~ "a.*"`
    Condition,
}
