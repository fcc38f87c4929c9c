//! `squelch why`: an incident or a series in plain sentences, with the numbers of every stage.

use std::fmt::Write as _;

use super::account::text::course;
use super::wording::{Ink, amount, date_and_time, day_and_time, names, several, span, wrapped};
use crate::domain::explain::Course;
use crate::domain::{Candidate, Evidence, IncidentExplanation, Opinion, Said, SeriesExplanation, Timestamp, Verdict};

/// How many of an incident's series are explained in full.
const MOST_MEMBERS: usize = 8;

/// Everything about an incident, for a person. `now` is the time from which it is told.
#[must_use]
pub fn incident(explanation: &IncidentExplanation, now: Timestamp, ink: Ink) -> String {
    let summary = &explanation.summary;
    let mut out = String::new();
    let state = if explanation.open { "open" } else { "over" };
    let head = format!("Incident {} ({state}, {}): {}", summary.incident, summary.severity, summary.title);
    let _ = writeln!(out, "{}", ink.bold(&wrapped(&head, 2)));
    paragraph(&mut out, &format!("It {}.", course(summary)));
    if let Some(taken) = summary.acknowledged {
        paragraph(&mut out, &format!("A person took it at {} UTC.", date_and_time(taken)));
    }
    if let Some(said) = &explanation.feedback {
        let left = amount(100.0 * said.worth.abs());
        paragraph(&mut out, &format!("{}; {left}% of that is left.", word(said)));
    }
    if !explanation.origins.is_empty() {
        let ranked: Vec<String> = explanation.origins.iter().map(arithmetic).collect();
        paragraph(&mut out, &format!("Where it most likely began, in bits when it paged: {}.", names(&ranked, 5)));
    }
    for suspect in &explanation.suspects {
        paragraph(&mut out, &format!("Changed shortly before: {suspect}."));
    }
    heading(&mut out, ink, "What happened");
    for moment in &summary.moments {
        let _ = writeln!(out, "  {}  {}", ink.dim(&day_and_time(moment.ts)), wrapped(&moment.text, 18));
    }
    heading(&mut out, ink, "What it is made of");
    for member in explanation.members.iter().take(MOST_MEMBERS) {
        out.push_str(&series(member, now, ink));
        out.push('\n');
    }
    let more = explanation.members.len().saturating_sub(MOST_MEMBERS);
    if more > 0 {
        let _ = writeln!(out, "  and {more} more series: squelch why --series NAME explains each of them");
    }
    out
}

/// Everything about a series, for a person. `now` is the time from which it is told.
#[must_use]
pub fn series(series: &SeriesExplanation, now: Timestamp, ink: Ink) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{} {}", ink.bold(&series.name), ink.dim(&format!("({})", series.fingerprint)));
    paragraph(&mut out, &present(series, now));
    paragraph(&mut out, &habits(series));
    paragraph(&mut out, &stage_flap(series));
    if let Some((low, high)) = series.usual {
        paragraph(&mut out, &format!("Its samples are usual from {} to {} at this hour.", amount(low), amount(high)));
    }
    if let Some(course) = &series.course {
        paragraph(&mut out, &trend(course, now));
    }
    if !series.feedback.is_empty() {
        paragraph(&mut out, &feedback(series));
    }
    let rule = series.rule.as_ref().map_or_else(
        || "No rule speaks of it: the defaults apply.".to_owned(),
        |rule| format!("The rule `{rule}` applies."),
    );
    paragraph(&mut out, &rule);
    if series.waiting > 0 {
        paragraph(
            &mut out,
            &format!(
                "{} for a verdict.",
                if series.waiting == 1 {
                    "1 event waits".to_owned()
                } else {
                    format!("{} events wait", series.waiting)
                }
            ),
        );
    }
    for verdict in &series.verdicts {
        let _ = writeln!(out, "  {}  {}", ink.dim(&day_and_time(verdict.ts)), wrapped(&judged(verdict), 18));
    }
    out
}

/// A verdict in one or two sentences, with the numbers behind it.
#[must_use]
pub fn judged(verdict: &Verdict) -> String {
    let mut text = format!("{} ({})", verdict.reason.outcome(), verdict.reason);
    if let Some(incident) = verdict.incident {
        let _ = write!(text, ", incident {incident}");
    }
    let _ = write!(text, ": {}.", verdict.reason.sentence());
    let numbers = numbers(&verdict.evidence);
    if !numbers.is_empty() {
        let _ = write!(text, " {numbers}");
    }
    text
}

fn present(series: &SeriesExplanation, now: Timestamp) -> String {
    let last = format!("last heard of at {} UTC", date_and_time(series.heard.1));
    match (series.firing, series.since) {
        (Some(severity), Some(since)) => {
            let alerts = if series.alerts > 1 { format!(" with {} alerts", series.alerts) } else { String::new() };
            format!(
                "It fires ({severity}){alerts} since {} UTC, for {}; {last}.",
                date_and_time(since),
                span(now.since(since))
            )
        }
        _ => format!("It does not fire; {last}."),
    }
}

fn habits(series: &SeriesExplanation) -> String {
    let (starts, critical) = series.starts;
    let mut text = format!(
        "Starts since {} UTC: {}, {} of these critical; a day has {} to {} of them (eight times in ten), at this hour \
         a rate of {} a day is usual, and it stands at {} bits of fresh surprise.",
        date_and_time(series.heard.0),
        amount(starts),
        amount(critical),
        amount(series.likely_per_day.0),
        amount(series.likely_per_day.1),
        amount(series.usual_per_day),
        amount(series.fresh_bits),
    );
    if series.insufficient_history {
        text.push_str(
            " That is too little history to judge it by itself: what other series of its check do counts, too.",
        );
    }
    match series.lasts {
        Some((half, most)) => {
            let _ = write!(text, " Half of its episodes last up to {}, nine of ten up to {}.", span(half), span(most));
        }
        None => text.push_str(" No episode of it has ended yet."),
    }
    text
}

/// So many of the words about a series are told one by one.
const MOST_WORDS: usize = 5;

/// What people said that counts for a series, and what it comes to.
fn feedback(series: &SeriesExplanation) -> String {
    let told = |said: &Said| {
        let whom = if said.own { "" } else { " of its check elsewhere" };
        format!("{} (incident {}{whom}, worth {} of a word now)", word(said), said.incident, amount(said.worth.abs()))
    };
    let latest: Vec<String> = series.feedback.iter().rev().map(told).collect();
    let (warning, critical) = series.feedback_share;
    let sum = |share: f64| {
        let percent = amount(100.0 * share.abs());
        match share {
            0.0 => "counts in full".to_owned(),
            ..0.0 => format!("counts for {percent}% less"),
            _ => format!("is lifted by {percent}% of what lacks to the most"),
        }
    };
    let sum = match warning.total_cmp(&critical) {
        std::cmp::Ordering::Equal => format!("Its next start {}", sum(warning)),
        _ => format!("Its next start {}; one that is critical {}", sum(warning), sum(critical)),
    };
    format!("People said of it: {}. {sum}.", names(&latest, MOST_WORDS))
}

/// Who said what, and when.
fn word(said: &Said) -> String {
    let called = match said.opinion {
        Opinion::Noise => "noise",
        Opinion::Useful => "useful",
        Opinion::Withdraw => "withdrawn",
    };
    format!("{} called it {called} at {} UTC", said.by, date_and_time(said.at))
}

/// Where the value of a series leads.
fn trend(course: &Course, now: Timestamp) -> String {
    let end = if course.hard { "the end of its scale" } else { "its threshold" };
    format!(
        "Its value is {} and changes by {} an hour: at this pace it reaches {}, {end}, at {} UTC, in {}.",
        amount(course.value),
        amount(course.per_hour),
        amount(course.limit),
        date_and_time(course.at),
        span(course.at.since(now)),
    )
}

fn stage_flap(series: &SeriesExplanation) -> String {
    let changes = several(u64::from(series.changes), "change");
    match series.flapping_since {
        Some(since) => {
            format!("It is flapping since {} UTC: {changes} of state in its longest window.", date_and_time(since))
        }
        None => format!("It is not flapping: {changes} of state in its longest window."),
    }
}

/// The numbers behind a verdict, stage by stage; empty where no stage had a say.
fn numbers(evidence: &Evidence) -> String {
    let mut parts = Vec::new();
    if let Some(surprise) = evidence.surprise {
        parts.push(surprising(evidence, f64::from(surprise)));
    }
    if let (Some(bits), Some(threshold)) = (evidence.component_bits, evidence.threshold) {
        parts.push(format!(
            "Its component stood at {} bits; a page needs {}.",
            amount(f64::from(bits)),
            amount(f64::from(threshold))
        ));
    }
    match (evidence.lasted, evidence.usually_lasts) {
        (Some(lasted), Some(usually)) => parts.push(format!(
            "It had lasted {}; nine of ten end within {}.",
            span(f64::from(lasted)),
            span(f64::from(usually))
        )),
        (Some(lasted), None) => parts.push(format!("It had lasted {}.", span(f64::from(lasted)))),
        (None, Some(usually)) => parts.push(format!("Nine of ten end within {}.", span(f64::from(usually)))),
        (None, None) => {}
    }
    if let Some(changes) = evidence.changes {
        let window = evidence.window.map(|secs| format!(" in {}", span(f64::from(secs)))).unwrap_or_default();
        parts.push(format!("Its state changed {}{window}.", several(u64::from(changes), "time")));
    }
    if let Some(secs) = evidence.limit_in {
        parts.push(format!("At the pace of its value it reached its limit in {}.", span(f64::from(secs))));
    }
    parts.join(" ")
}

fn surprising(evidence: &Evidence, surprise: f64) -> String {
    let term = |bits: Option<f32>, what: &str| {
        bits.filter(|bits| *bits >= 0.05).map(|bits| format!("{} {what}", amount(f64::from(bits))))
    };
    let rare = match evidence.usual_per_day {
        Some(usual) => format!("for its rarity ({} a day are usual)", amount(f64::from(usual))),
        None => "for its rarity".to_owned(),
    };
    let terms = [
        term(evidence.rate_bits, &rare),
        term(evidence.severity_bits, "for its severity"),
        term(evidence.value_bits, "for its value"),
    ];
    let terms: Vec<String> = terms.into_iter().flatten().collect();
    let mut text = format!("Its start was worth {} bits of surprise", amount(surprise));
    if !terms.is_empty() {
        let _ = write!(text, ": {}", names(&terms, terms.len()));
    }
    let sum: f32 = [evidence.rate_bits, evidence.severity_bits, evidence.value_bits].into_iter().flatten().sum();
    let said = f64::from(evidence.feedback_bits.unwrap_or(0.0));
    let surprise = surprise - said - f64::from(evidence.change_bits.unwrap_or(0.0));
    if f64::from(sum) >= surprise + 0.05 && surprise > 0.0 {
        let share = 100.0 * surprise / f64::from(sum);
        let why = if evidence.severity_bits.is_some() { "more is no more" } else { "it was no critical" };
        let _ = write!(text, "; {share:.0}% of their sum counts, because {why}");
    }
    if evidence.feedback_bits.is_some() {
        let verb = if said < 0.0 { "took" } else { "added" };
        let _ = write!(text, "; what people said of earlier incidents {verb} {} bits", amount(said.abs()));
    }
    if let Some(bits) = evidence.change_bits {
        let _ = write!(text, "; a change shortly before added {} bits", amount(f64::from(bits)));
    }
    if evidence.insufficient_history {
        text.push_str(", by what its kind does elsewhere, for want of history");
    }
    text.push('.');
    text
}

fn paragraph(out: &mut String, text: &str) {
    let _ = writeln!(out, "  {}", wrapped(text, 2));
}

fn heading(out: &mut String, ink: Ink, text: &str) {
    let _ = writeln!(out, "\n{}", ink.bold(text));
}

/// A candidate for the origin with the arithmetic of its rank: only the terms that are there.
fn arithmetic(candidate: &Candidate) -> String {
    let bits = |bits: f32| amount(f64::from(bits));
    let terms = [
        (candidate.own, "1.5 × ", "of its own trouble"),
        (candidate.answers, "", "of slow answers and errors"),
        (candidate.load, "0.3 × ", "of traffic"),
        (candidate.explains, "0.6 × ", "of its callers' that it explains"),
    ];
    let terms: Vec<String> = terms
        .iter()
        .filter(|(much, ..)| *much >= 0.05)
        .map(|(much, weight, what)| format!("{weight}{} {what}", bits(*much)))
        .collect();
    match terms.is_empty() {
        true => candidate.service.clone(),
        false => format!("{} ({} = {})", candidate.service, bits(candidate.score), terms.join(" + ")),
    }
}
