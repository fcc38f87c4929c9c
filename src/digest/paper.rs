//! A digest in words: once, for all its forms.

use super::figures::{self, Bucket};
use super::gather::Gathered;
use super::proposal::Proposals;
use super::{sections, when};
use crate::domain::{Outcome, Timestamp};
use crate::replay::wording::{count, names, several};
use crate::sinks::clean;

/// How long the name of a digest may be where it is shown.
const NAME: usize = 60;

/// A digest in words.
#[derive(Clone, Debug, PartialEq)]
pub struct Paper {
    /// The subject of the mail: its sentence, shortened.
    pub subject: String,
    /// Whose digest it is.
    pub kicker: String,
    /// From when until when it tells.
    pub period: String,
    /// All of it in one sentence.
    pub headline: String,
    /// What should be known beside: what was before, what is missing.
    pub lead: Vec<String>,
    /// Events, incidents, pages: number and noun.
    pub figures: [(u64, &'static str); 3],
    /// The bars of the chart.
    pub buckets: Vec<Bucket>,
    /// What a bar is.
    pub bar: String,
    /// The sections that have something to tell.
    pub sections: Vec<Section>,
    /// What there was nothing of.
    pub nothing: Option<String>,
    /// How the numbers add up.
    pub account: String,
}

/// A section.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    /// Its heading.
    pub title: &'static str,
    /// A sentence before the rows.
    pub lead: String,
    /// Its rows.
    pub rows: Vec<Row>,
    /// A patch.
    pub patch: String,
    /// A sentence after all.
    pub foot: String,
}

/// A row of a section.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// What it is about. Foreign text: one line, cleaned.
    pub head: String,
    /// Its number.
    pub figure: String,
    /// What there is to say.
    pub notes: Vec<String>,
    /// How much of the largest it is, 0 to 1; a bar beside it.
    pub share: Option<f32>,
    /// When: the bars of a small drawing.
    pub sparks: Vec<u32>,
}

impl Paper {
    /// Puts a digest into words.
    #[must_use]
    pub fn of(gathered: &Gathered, proposals: Option<&Proposals>) -> Self {
        let extract = &gathered.extract;
        let (opened, worse) = extract.pages();
        let decided = extract.decided();
        let name = clean::line(&gathered.digest, NAME);
        let all = sections::all(gathered, proposals);
        let headline = headline(gathered, (decided, opened, opened + worse));
        let kicker = if name.is_empty() { "Squelch digest".to_owned() } else { format!("Squelch digest · {name}") };
        let (sections, empty): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, section)| section.is_some());
        Self {
            subject: subject(gathered, &name, (decided, opened + worse)),
            kicker,
            period: when::period(&gathered.zone, extract.from, extract.until),
            headline,
            lead: lead(gathered),
            figures: [(decided, "events"), (opened, "incidents"), (opened + worse, "pages")],
            buckets: figures::buckets(gathered),
            bar: figures::bar(gathered),
            sections: sections.into_iter().filter_map(|(_, section)| section).collect(),
            nothing: nothing(&empty.iter().map(|(what, _)| *what).filter(|what| !what.is_empty()).collect::<Vec<_>>()),
            account: account(gathered),
        }
    }
}

fn subject(gathered: &Gathered, name: &str, (decided, pages): (u64, u64)) -> String {
    let of = if name.is_empty() { String::new() } else { format!("{name}: ") };
    let would = if gathered.shadow { " in shadow mode" } else { "" };
    let some = if gathered.missing.is_empty() { "" } else { " · not all" };
    let day = when::day(&gathered.zone, gathered.extract.until);
    format!("{of}{} out of {}{would} · digest of {day}{some}", several(pages, "page"), several(decided, "event"))
}

/// All of it in one sentence.
fn headline(gathered: &Gathered, (decided, opened, pages): (u64, u64, u64)) -> String {
    let extract = &gathered.extract;
    let span = when::span(extract.from, extract.until);
    let events = several(decided, "event");
    let of = if gathered.parted { format!(" of {}", clean::line(&gathered.digest, NAME)) } else { String::new() };
    if decided == 0 {
        return format!("{span} nothing came in.");
    }
    let told = |pages: u64| {
        let about = if opened == 0 { String::new() } else { format!(" about {}", several(opened, "incident")) };
        format!("{}{about}", several(pages, "page"))
    };
    match (pages, gathered.shadow) {
        (0, _) => format!("{span} {events}{of} came in, and nobody was woken."),
        (pages, true) => {
            format!("{span} {events}{of} would have become {} (shadow mode: nobody is paged).", told(pages))
        }
        (pages, false) => format!("{span} {events}{of} became {}; the rest stayed quiet.", told(pages)),
    }
}

fn lead(gathered: &Gathered) -> Vec<String> {
    let extract = &gathered.extract;
    let mut lead = Vec::new();
    if !gathered.missing.is_empty() {
        lead.push(format!(
            "This is not all: the {} of the cluster did not answer, and what was decided there is missing in all numbers.",
            shards(&gathered.missing)
        ));
    }
    if let Some(before) = gathered.before.filter(|before| before.decided > 0) {
        let (events, pages) = (several(before.decided, "event"), several(before.pages, "page"));
        lead.push(format!("The same time before: {events}, {} held back, {pages}.", count(before.held)));
    }
    match extract.kept_since {
        Some(since) if since > extract.from => {
            let since = when::moment(&gathered.zone, since);
            lead.push(format!("Nothing is known from before {since}: the book was begun then."));
        }
        Some(_) | None => {}
    }
    lead
}

/// `shard 3`, `shards 3 and 5`.
fn shards(missing: &[i32]) -> String {
    let numbers: Vec<String> = missing.iter().map(ToString::to_string).collect();
    format!("shard{} {}", if numbers.len() == 1 { "" } else { "s" }, names(&numbers, numbers.len()))
}

/// What there was nothing of, told once.
fn nothing(empty: &[&str]) -> Option<String> {
    (!empty.is_empty()).then(|| format!("Nothing to tell of: {}.", empty.join(", ")))
}

/// How the numbers add up.
fn account(gathered: &Gathered) -> String {
    let extract = &gathered.extract;
    let of = |outcome| count(extract.count(outcome));
    let sum = format!(
        "{} paged + {} joined an incident + {} held back + {} recorded = {} decided",
        of(Outcome::Page),
        of(Outcome::Join),
        of(Outcome::Suppress),
        of(Outcome::Record),
        count(extract.decided())
    );
    if gathered.parted {
        return format!("Every event of this part is accounted for: {sum}.");
    }
    let waits = |number: u64| if number == 1 { "1 waited".to_owned() } else { format!("{} waited", count(number)) };
    let all = if gathered.missing.is_empty() { "" } else { " of all other shards" };
    let mut text = format!("Every event{all} is accounted for: {} came in", count(extract.accepted()));
    if extract.waited > 0 {
        text += &format!(", and {} from before", waits(extract.waited));
    }
    text += &format!("; {sum}");
    if extract.waits > 0 {
        text += &format!(
            "; {} for {} verdict at the end",
            waits(extract.waits),
            if extract.waits == 1 { "its" } else { "their" }
        );
    }
    text + "."
}

/// When something happened, for rows.
pub(super) fn at(gathered: &Gathered, time: Timestamp) -> String {
    when::moment(&gathered.zone, time)
}
