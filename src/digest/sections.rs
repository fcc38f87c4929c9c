//! The sections of a digest. Each is left out where it has nothing to tell.

use std::collections::BTreeMap;

use super::figures::sparks;
use super::gather::Gathered;
use super::paper::{Row, Section, at};
use super::proposal::Proposals;
use crate::domain::daybook::{Chapter, FlapEnd, Flapped};
use crate::domain::{Opinion, Outcome, Reason, Silence, Timestamp};
use crate::replay::wording::{count, names, several, span};
use crate::sinks::clean;

/// How many rows a section has.
const ROWS: usize = 8;
/// How many rows a section of what is rare has.
const FEW: usize = 5;
/// How long a name or a title may be.
const NAME: usize = 90;

/// All sections in their order; where one has nothing to tell, what there was nothing of.
pub(super) fn all(gathered: &Gathered, proposals: Option<&Proposals>) -> Vec<(&'static str, Option<Section>)> {
    vec![
        ("pages without an answer", unanswered(gathered)),
        ("", reasons(gathered)),
        ("noise", noisy(gathered)),
        ("near misses", near(gathered)),
        ("flapping", flapping(gathered)),
        ("silences at work", silences(gathered)),
        ("holds", holds(gathered)),
        ("news", news(gathered)),
        ("", proposals.and_then(|proposals| proposed(gathered, proposals))),
    ]
}

fn section(title: &'static str, rows: Vec<Row>) -> Option<Section> {
    (!rows.is_empty()).then(|| Section { title, rows, ..Section::default() })
}

/// `swap_used on web-1 (shop)`, and who says so.
pub(super) fn called(series: &str) -> (String, String) {
    let parts: Vec<&str> = series.splitn(5, '/').collect();
    let [source, _, service, host, check] = parts.as_slice() else {
        return (clean::line(series, NAME), String::new());
    };
    let check = if check.is_empty() { "an unnamed check" } else { check };
    let place = match (*host, *service) {
        ("", "") => String::new(),
        ("", service) => format!(" of {service}"),
        (host, "") => format!(" on {host}"),
        (host, service) if host == service => format!(" on {host}"),
        (host, service) => format!(" on {host} ({service})"),
    };
    (clean::line(&format!("{check}{place}"), NAME), clean::line(source, 40))
}

/// What a reason is called in a list of numbers.
const fn label(reason: Reason) -> &'static str {
    match reason {
        Reason::Surge => "paged",
        Reason::Outlived => "paged, because it lasted",
        Reason::Worse => "paged, because it got worse",
        Reason::FlappingLasts => "paged, because it went on flapping",
        Reason::FlappingEndedBad => "paged, because it stayed bad",
        Reason::Always => "paged, as a rule says",
        Reason::Silent => "paged, because it fell silent",
        Reason::JudgeFailed => "paged without a judgement",
        Reason::NearsLimit => "paged before its limit",
        Reason::OpenIncident | Reason::Related | Reason::SameOrigin => "joined an incident",
        Reason::Flapping => "flapping",
        Reason::Transient => "over by itself",
        Reason::Ordinary => "ordinary",
        Reason::Duplicate => "repeats",
        Reason::Silenced => "silenced",
        Reason::Inhibited => "inhibited",
        Reason::BelowSeverity => "below severity",
        Reason::Late => "too late",
        Reason::Never => "never paged, as a rule says",
        Reason::Budget => "over budget",
        Reason::Resolved
        | Reason::NothingToResolve
        | Reason::Change
        | Reason::Acknowledged
        | Reason::Heartbeat
        | Reason::NoData => "recorded",
    }
}

/// Pages of the window that nobody took.
fn unanswered(gathered: &Gathered) -> Option<Section> {
    let extract = &gathered.extract;
    let within = |at: &Timestamp| (extract.from..extract.until).contains(at);
    let paged = |chapter: &Chapter| chapter.pages.iter().filter(|(at, _)| within(at)).count() as u64;
    let alone = |chapter: &&Chapter| {
        paged(chapter) > 0
            && chapter.acknowledged.is_none()
            && gathered.words.get(&chapter.incident) != Some(&Opinion::Useful)
    };
    let mut all: Vec<&Chapter> = extract.chapters.iter().filter(alone).collect();
    all.sort_by_key(|chapter| (std::cmp::Reverse(chapter.severity), chapter.incident));
    let row = |chapter: &&Chapter| {
        let end = match chapter.resolved {
            Some(end) => format!("over by itself after {}", span(end.since(chapter.opened))),
            None => "still open".to_owned(),
        };
        let said = gathered.words.get(&chapter.incident).filter(|word| **word == Opinion::Noise);
        let mut notes = vec![format!("{}, {} · {end}", at(gathered, chapter.opened), chapter.severity)];
        notes.extend(said.map(|_| "somebody said that it was noise".to_owned()));
        Row {
            head: clean::line(&format!("#{} {}", chapter.incident, chapter.title), NAME + 30),
            figure: several(paged(chapter), "page"),
            notes,
            ..Row::default()
        }
    };
    let title = if gathered.shadow { "What would have paged" } else { "Pages nobody acted on" };
    let mut section = section(title, all.iter().take(ROWS).map(row).collect())?;
    section.lead = match (gathered.shadow, all.len()) {
        (true, _) => "Nobody was paged: this is shadow mode.".to_owned(),
        (false, 1) => "Nobody took this one, nor said that it was useful. Was it worth waking somebody?".to_owned(),
        (false, _) => "Nobody took these, nor said that they were useful. Were they worth waking somebody?".to_owned(),
    };
    section.foot = more(all.len(), ROWS, "incident");
    Some(section)
}

/// How many more there are than are shown.
fn more(all: usize, shown: usize, what: &str) -> String {
    match all.saturating_sub(shown) {
        0 => String::new(),
        1 => format!("And 1 more {what}."),
        more => format!("And {} more {what}s.", count(more as u64)),
    }
}

/// Why events were held back, all of them.
fn reasons(gathered: &Gathered) -> Option<Section> {
    let sums = gathered.extract.reasons();
    let mut held: Vec<(Reason, u64)> =
        sums.into_iter().filter(|(reason, _)| reason.outcome() == Outcome::Suppress).collect();
    held.sort_by_key(|(reason, number)| (std::cmp::Reverse(*number), *reason));
    let most = held.first()?.1 as f32;
    let all: u64 = held.iter().map(|(_, number)| number).sum();
    let row = |(reason, number): &(Reason, u64)| Row {
        head: sentence(reason.sentence()),
        figure: count(*number),
        share: Some(*number as f32 / most),
        ..Row::default()
    };
    let mut section = section("Why events were held back", held.iter().map(row).collect())?;
    section.lead = format!("{} in all.", several(all, "event"));
    Some(section)
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The series of which most was held back.
fn noisy(gathered: &Gathered) -> Option<Section> {
    let talks = gathered.extract.talks.iter().filter(|talk| talk.count(Outcome::Suppress) > 0);
    let shown: Vec<_> = talks.take(ROWS).collect();
    let row = |talk: &&crate::domain::daybook::Talk| {
        let (head, source) = called(&talk.series);
        let mut by_label: BTreeMap<&str, u64> = BTreeMap::new();
        for (reason, number) in &talk.reasons {
            *by_label.entry(label(*reason)).or_default() += number;
        }
        let mut why: Vec<_> = by_label.into_iter().collect();
        why.sort_by_key(|(label, number)| (std::cmp::Reverse(*number), *label));
        let why: Vec<String> = why.iter().map(|(label, number)| format!("{} {label}", count(*number))).collect();
        Row {
            head,
            figure: count(talk.count(Outcome::Suppress)),
            notes: vec![format!("{source}: {}", why.join(" · "))],
            sparks: sparks(&talk.hours),
            ..Row::default()
        }
    };
    let mut section = section("The noisiest series", shown.iter().map(row).collect())?;
    let all = gathered.extract.count(Outcome::Suppress);
    let named: u64 = shown.iter().map(|talk| talk.count(Outcome::Suppress)).sum();
    section.lead = "Events that were held back, why, and when they came.".to_owned();
    if all > named {
        section.foot = format!("All other series together: {}.", count(all - named));
    }
    Some(section)
}

/// What nearly paged.
fn near(gathered: &Gathered) -> Option<Section> {
    let row = |near: &crate::domain::daybook::Near| {
        let (head, source) = called(&near.series);
        Row {
            head,
            figure: format!("{:.0} %", (100.0 * near.share()).min(99.0)),
            notes: vec![
                format!(
                    "{}, by {source}: {:.1} of {:.1} bits of surprise",
                    at(gathered, near.at),
                    near.bits,
                    near.threshold
                ),
                format!("held back because {}", near.reason.sentence()),
            ],
            share: Some(near.share().min(1.0)),
            ..Row::default()
        }
    };
    // What paged in the end is told there.
    let pages = |near: &crate::domain::daybook::Near| {
        let talk = gathered.extract.talks.iter().find(|talk| talk.fingerprint == near.fingerprint);
        talk.is_some_and(|talk| talk.count(Outcome::Page) > 0)
    };
    let shown = gathered.extract.near.iter().filter(|near| !pages(near)).take(FEW);
    let mut section = section("What nearly paged", shown.map(row).collect())?;
    section.lead = "How much of the threshold it reached; at 100 % it would have been a page.".to_owned();
    Some(section)
}

/// What flapped, and how it ended.
fn flapping(gathered: &Gathered) -> Option<Section> {
    let mut flaps: Vec<&Flapped> = gathered.extract.flaps.iter().collect();
    let lasted = |flap: &Flapped| flap.until.unwrap_or(gathered.extract.until).since(flap.since);
    flaps.sort_by(|a, b| (b.paged, lasted(b)).partial_cmp(&(a.paged, lasted(a))).unwrap_or(std::cmp::Ordering::Equal));
    let row = |flap: &&Flapped| {
        let (head, source) = called(&flap.series);
        let end = match (flap.end, flap.until) {
            (FlapEnd::Well, Some(end)) => format!("steady and well at {}", at(gathered, end)),
            (FlapEnd::Bad, Some(end)) => format!("steady in a bad state at {}", at(gathered, end)),
            (FlapEnd::Not, _) | (_, None) => "flaps on".to_owned(),
        };
        let paged = if flap.paged { " · it became a page" } else { "" };
        let changes =
            if flap.changes > 0 { format!(", {}", several(flap.changes.into(), "change")) } else { String::new() };
        Row {
            head,
            figure: span(lasted(flap)),
            notes: vec![format!("{source}: from {}{changes} · {end}{paged}", at(gathered, flap.since))],
            ..Row::default()
        }
    };
    let mut section = section("Flapping", flaps.iter().take(FEW).map(row).collect())?;
    let all = flaps.len() as u64 + gathered.extract.more_flaps;
    let well = flaps.iter().filter(|flap| flap.end == FlapEnd::Well).count() as u64;
    let paged = flaps.iter().filter(|flap| flap.paged).count() as u64;
    section.lead = format!("{}: {} ended well, {} became a page.", several(all, "episode"), count(well), count(paged));
    section.foot = more(all as usize, FEW, "episode");
    Some(section)
}

/// Silences that hid something, and those that everybody has forgotten.
fn silences(gathered: &Gathered) -> Option<Section> {
    let hid = gathered.extract.silences();
    let until = gathered.extract.until;
    let known = |id: &str| gathered.silences.iter().find(|silence| silence.id == id);
    let row = |id: &str, number: u64| {
        let mut notes = Vec::new();
        if let Some(silence) = known(id) {
            notes.push(clean::line(&format!("{}: {}", silence.owner, silence.reason), 140));
            notes.push(lasts(gathered, silence));
        }
        Row { head: clean::line(id, NAME), figure: several(number, "event"), notes, ..Row::default() }
    };
    let mut rows: Vec<Row> = hid.iter().take(ROWS).map(|(id, number)| row(id, *number)).collect();
    let named = |silence: &&Silence| hid.iter().any(|(id, _)| **id == *silence.id);
    let forgotten = gathered.silences.iter().filter(|silence| silence.is_forgotten(until) && !named(silence));
    // Which part of the events a silence would hide nobody knows: the whole tells of it.
    let forgotten = forgotten.filter(|_| !gathered.parted);
    rows.extend(forgotten.take(ROWS).map(|silence| row(&silence.id, 0)));
    let mut section = section("Silences", rows)?;
    section.lead = "What people's silences and planned work held back, and those that may be forgotten.".to_owned();
    Some(section)
}

/// How long a silence goes on, and whether somebody still knows of it.
fn lasts(gathered: &Gathered, silence: &Silence) -> String {
    let until = gathered.extract.until;
    if silence.is_forgotten(until) {
        let touched = span(until.since(silence.from.max(silence.updated)));
        return format!(
            "set {touched} ago and goes on until {}: end it, or extend it if it is still meant",
            far(gathered, silence.until)
        );
    }
    match silence.until {
        Timestamp::MAX => "without an end".to_owned(),
        end if end <= until => format!("ended at {}", at(gathered, end)),
        end => format!("goes on until {}", far(gathered, end)),
    }
}

/// When something will happen: with its year, if that is another one.
fn far(gathered: &Gathered, time: Timestamp) -> String {
    super::when::far(&gathered.zone, time, gathered.extract.until)
}

/// How well the learned holds did.
fn holds(gathered: &Gathered) -> Option<Section> {
    let holds = gathered.extract.holds();
    let all = holds.by_itself + holds.ordinary + holds.joined + holds.paged + holds.otherwise;
    if all == 0 {
        return None;
    }
    let row = |head: &str, number: u32, notes: Vec<String>| Row {
        head: head.to_owned(),
        figure: count(number.into()),
        notes,
        share: Some(number as f32 / all as f32),
        ..Row::default()
    };
    let late = (holds.paged > 0).then(|| {
        let mean = span(holds.late / f64::from(holds.paged));
        format!("{mean} after they began on average, {} at most", span(holds.latest))
    });
    let rows = [
        row("resolved by themselves: nobody had to know", holds.by_itself, Vec::new()),
        row("went on, and were nothing special", holds.ordinary, Vec::new()),
        row("became part of an incident", holds.joined, Vec::new()),
        row("paged in the end", holds.paged, late.into_iter().collect()),
        row("were held back for another reason", holds.otherwise, Vec::new()),
    ];
    let numbers = [holds.by_itself, holds.ordinary, holds.joined, holds.paged, holds.otherwise];
    let rows = rows.into_iter().zip(numbers).filter(|(_, number)| *number > 0).map(|(row, _)| row).collect();
    let mut section = section("How the learned holds did", rows)?;
    section.lead = format!("{} waited out, each as long as its kind usually takes. Of these:", {
        if all == 1 { "1 alert was".to_owned() } else { format!("{} were", several(all.into(), "alert")) }
    });
    Some(section)
}

/// What is new since last time.
fn news(gathered: &Gathered) -> Option<Section> {
    let extract = &gathered.extract;
    let mut rows = Vec::new();
    let named = |all: &[String], more: u64| {
        let more = more as usize + all.len().saturating_sub(ROWS);
        let shown = all.iter().take(ROWS).cloned().collect::<Vec<_>>().join(", ");
        vec![if more > 0 { format!("{shown} and {} more", count(more as u64)) } else { shown }]
    };
    let clean_all = |all: &mut dyn Iterator<Item = &str>| all.map(|name| clean::line(name, 60)).collect::<Vec<_>>();
    if !gathered.new_sources.is_empty() {
        let sources = clean_all(&mut gathered.new_sources.iter().map(String::as_str));
        let head = "sources that never spoke before".to_owned();
        let figure = count(sources.len() as u64);
        rows.push(Row { head, figure, notes: named(&sources, 0), ..Row::default() });
    }
    if !extract.fresh.is_empty() {
        let checks = clean_all(&mut extract.fresh.iter().map(|check| &**check));
        let figure = count(checks.len() as u64 + extract.more_fresh);
        let head = "checks that were never heard of before".to_owned();
        rows.push(Row { head, figure, notes: named(&checks, extract.more_fresh), ..Row::default() });
    }
    if extract.new_series() > 0 {
        let head = "series that were never heard of before".to_owned();
        rows.push(Row { head, figure: count(extract.new_series()), ..Row::default() });
    }
    section("New since last time", rows)
}

/// What could be changed, and what that would have given.
fn proposed(gathered: &Gathered, proposals: &Proposals) -> Option<Section> {
    let row = |proposal: &super::proposal::Proposal| {
        let lost: Vec<String> = proposal.lost.iter().map(|title| clean::line(title, NAME)).collect();
        let without = (!lost.is_empty()).then(|| format!("without: {}", names(&lost, 3)));
        Row {
            head: clean::line(&proposal.words, 140),
            figure: format!("{} instead of {}", count(proposal.pages), count(proposals.pages)),
            notes: without.into_iter().collect(),
            ..Row::default()
        }
    };
    let mut section = section("A quieter week", proposals.changes.iter().map(row).collect())?;
    let spared = match proposals.acknowledged {
        0 => ", and delayed nothing serious".to_owned(),
        1 => ", and not delayed the one that somebody took".to_owned(),
        some => format!(", and delayed none of the {} that people took", count(some)),
    };
    let span = super::when::span(gathered.extract.from, gathered.extract.until);
    let mut letters = span.chars();
    let span: String = letters.next().map(|c| c.to_lowercase().chain(letters).collect()).unwrap_or_default();
    section.lead = format!(
        "{span} these changes would have given {} instead of {}{spared}. This was replayed from the stored history; nothing was changed.",
        several(proposals.together, "page"),
        count(proposals.pages)
    );
    section.lead = sentence(&section.lead);
    section.patch.clone_from(&proposals.patch);
    Some(section)
}
