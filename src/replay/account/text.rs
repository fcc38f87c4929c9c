//! The account in words, in 100 columns.

use std::fmt::Write as _;

use super::Account;
use crate::domain::{IncidentSummary, Moment, NoticeAction, Outcome, Page, Reason};
use crate::replay::wording::{Ink, WIDTH, count, cut, date_and_time, day_and_time, names, several, span, wrapped};

/// How many sources, pages, incidents and withheld things are listed one by one.
const MOST_SOURCES: usize = 12;
const MOST_PAGES: usize = 30;
const MOST_INCIDENTS: usize = 15;
const MOST_WITHHELD: usize = 10;
/// How many series are named for each reason.
const LOUDEST: usize = 3;
/// How many moments of an incident are shown at its beginning, and at its end.
const MOMENTS: usize = 4;
/// The columns of the longest bar.
const BAR: u64 = 40;

impl Account {
    /// The whole account, for a person.
    #[must_use]
    pub fn text(&self, ink: Ink) -> String {
        let mut out = String::new();
        self.head(ink, &mut out);
        self.sources(ink, &mut out);
        self.outcomes(ink, &mut out);
        self.pages_out(ink, &mut out);
        self.held_back(ink, &mut out);
        self.incident_list(ink, &mut out);
        self.withheld_list(ink, &mut out);
        out
    }

    fn head(&self, ink: Ink, out: &mut String) {
        let pages = self.pages.len() as u64;
        let reduced = match (pages, self.events) {
            (_, 0) => String::new(),
            (0, _) => ", nobody was woken".to_owned(),
            (pages, events) => format!(", one for every {} events", count(events / pages)),
        };
        let head = format!("{} in, {} out{reduced}", several(self.events, "event"), several(pages, "page"));
        let _ = writeln!(out, "{}", ink.bold(&head));
        if let Some((first, last)) = self.between {
            let line = format!("{} to {} UTC, {}", date_and_time(first), date_and_time(last), span(last.since(first)));
            let _ = writeln!(out, "{}", ink.dim(&line));
        }
    }

    fn sources(&self, ink: Ink, out: &mut String) {
        section(ink, "events in, by source", out);
        let mut sources: Vec<_> = self.sources.iter().map(|(name, count)| (name.as_str(), *count)).collect();
        sources.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let most = sources.first().map_or(1, |source| source.1);
        for (name, number) in sources.iter().take(MOST_SOURCES) {
            let _ = writeln!(out, "  {:>11}  {:<24} {}", count(*number), cut(name, 24), ink.dim(&bar(*number, most)));
        }
        if let Some(more) = sources.get(MOST_SOURCES..).filter(|more| !more.is_empty()) {
            let sum = more.iter().map(|source| source.1).sum();
            let _ = writeln!(out, "  {:>11}  from {} more sources", count(sum), more.len());
        }
        if self.samples > 0 {
            let _ = writeln!(out, "  {:>11}  of these are samples: they feed the baselines only", count(self.samples));
        }
        if self.rejected > 0 {
            let line =
                format!("{} no valid event and left out", if self.rejected == 1 { "line was" } else { "lines were" });
            let _ = writeln!(out, "  {:>11}  {}", count(self.rejected), ink.red(&line));
        }
    }

    fn outcomes(&self, ink: Ink, out: &mut String) {
        section(ink, "what became of them", out);
        for outcome in Outcome::ALL {
            let number = self.became(*outcome);
            let share = format!("{:.1} %", 100.0 * number as f64 / self.events.max(1) as f64);
            let _ = writeln!(out, "  {:>11}  {outcome:<10} {share:>7}   {}", count(number), meaning(*outcome));
        }
        let sum: u64 = Outcome::ALL.iter().map(|outcome| self.became(*outcome)).sum();
        let verdict = if sum == self.events {
            ink.green("every event accounted for, exactly once")
        } else {
            ink.red(&format!("{} came in: this is a fault of Squelch, please report it", several(self.events, "event")))
        };
        let _ = writeln!(out, "  {:>11}  {:<10} {:>7}   {verdict}", count(sum), "all", "");
    }

    fn pages_out(&self, ink: Ink, out: &mut String) {
        section(ink, "pages out", out);
        if self.pages.is_empty() {
            out.push_str("  none\n");
        }
        for page in self.pages.iter().take(MOST_PAGES) {
            write_page(page, ink, out);
        }
        let more = self.pages.len().saturating_sub(MOST_PAGES) as u64;
        if more > 0 {
            let _ = writeln!(out, "  and {} (--decisions lists them all)", several(more, "more page"));
        }
    }

    fn held_back(&self, ink: Ink, out: &mut String) {
        section(ink, "held back, and why", out);
        let mut reasons: Vec<_> = Reason::ALL.iter().filter(|reason| reason.outcome() == Outcome::Suppress).collect();
        reasons.sort_by_key(|reason| std::cmp::Reverse(self.because(**reason)));
        for reason in reasons.into_iter().filter(|reason| self.because(**reason) > 0) {
            self.write_reason(*reason, ink, out);
        }
        if self.became(Outcome::Suppress) == 0 {
            out.push_str("  nothing\n");
        }
        let told = [NoticeAction::Flapping, NoticeAction::Steady, NoticeAction::Expire]
            .iter()
            .filter_map(|action| self.notices.get(action).map(|number| format!("{} × {action}", count(*number))))
            .collect::<Vec<_>>();
        if !told.is_empty() {
            let _ = writeln!(out, "  {:>11}  {}", "told:", told.join(", "));
        }
    }

    fn write_reason(&self, reason: Reason, ink: Ink, out: &mut String) {
        let name = ink.bold(&format!("{reason:<15}"));
        let _ = writeln!(out, "  {:>11}  {name} {}", count(self.because(reason)), reason.sentence());
        let (loudest, all) = self.loudest(reason, LOUDEST);
        let named = loudest.len();
        for (series, number) in loudest {
            let line = format!("{:>26}  {}", count(number), cut(series, WIDTH - 32));
            let _ = writeln!(out, "  {}", ink.dim(&line));
        }
        if all > named {
            let _ =
                writeln!(out, "  {:>26}  {}", "", ink.dim(&format!("and {} more series", count((all - named) as u64))));
        }
    }

    fn incident_list(&self, ink: Ink, out: &mut String) {
        section(ink, "incidents", out);
        if self.incidents.is_empty() {
            out.push_str("  none\n");
        }
        for summary in self.incidents.values().take(MOST_INCIDENTS) {
            write_incident(summary, ink, out);
        }
        let more = self.incidents.len().saturating_sub(MOST_INCIDENTS) as u64;
        if more > 0 {
            let _ = writeln!(out, "  and {} (--decisions lists them all)", several(more, "more incident"));
        }
    }

    fn withheld_list(&self, ink: Ink, out: &mut String) {
        if self.withheld.is_empty() {
            return;
        }
        section(ink, "withheld", out);
        for notice in self.withheld.iter().take(MOST_WITHHELD) {
            let _ = writeln!(out, "  {}  {}", day_and_time(notice.ts), wrapped(&notice.text, 18));
        }
        let more = self.withheld.len().saturating_sub(MOST_WITHHELD);
        if more > 0 {
            let _ = writeln!(out, "  and {} more", count(more as u64));
        }
    }
}

fn section(ink: Ink, title: &str, out: &mut String) {
    let _ = writeln!(out, "\n{}", ink.bold(&title.to_uppercase()));
}

fn bar(number: u64, most: u64) -> String {
    "▪".repeat((number * BAR).div_ceil(most.max(1)) as usize)
}

const fn meaning(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Page => "part of a page: somebody was interrupted for it",
        Outcome::Join => "joined an incident that had paged already",
        Outcome::Suppress => "held back, with a reason",
        Outcome::Record => "nothing to decide: a resolve, a change",
    }
}

fn write_page(page: &Page, ink: Ink, out: &mut String) {
    let number = format!("#{}", page.incident);
    let _ = writeln!(
        out,
        "  {}  {number:<5} {} {}  {}",
        day_and_time(page.ts),
        ink.severity(page.severity),
        if page.action.word() == "open" { "page    " } else { "escalate" },
        ink.bold(&wrapped(&page.title, 43)),
    );
    let _ = writeln!(out, "{:18}{}", "", wrapped(&page.why, 18));
    for suspect in page.suspects.iter().take(1) {
        let _ = writeln!(out, "{:18}{}", "", wrapped(&format!("suspect: {suspect}"), 18));
    }
}

fn write_incident(summary: &IncidentSummary, ink: Ink, out: &mut String) {
    let number = format!("#{}", summary.incident);
    let _ =
        writeln!(out, "  {number:<5} {} {}", ink.severity(summary.severity), ink.bold(&wrapped(&summary.title, 17)));
    let _ = writeln!(out, "{:8}{}", "", wrapped(&course(summary), 8));
    let (moments, left_out) = ends(&summary.moments);
    for (at, moment) in moments.iter().enumerate() {
        if left_out > 0 && at == MOMENTS {
            let _ = writeln!(out, "{:8}{}", "", ink.dim(&format!("… {} more", count(left_out as u64))));
        }
        let _ = writeln!(out, "{:8}{}  {}", "", ink.dim(&day_and_time(moment.ts)), cut(&moment.text, WIDTH - 24));
    }
}

/// The first and the last moments, and how many lie between.
fn ends(moments: &[Moment]) -> (Vec<&Moment>, usize) {
    let left_out = moments.len().saturating_sub(2 * MOMENTS);
    let shown = moments.iter().enumerate();
    (shown.filter(|(at, _)| *at < MOMENTS || *at >= MOMENTS + left_out).map(|(_, moment)| moment).collect(), left_out)
}

/// An incident's course in one sentence.
pub(in crate::replay) fn course(summary: &IncidentSummary) -> String {
    let mut text = format!("opened {}", day_and_time(summary.opened));
    match summary.paged {
        Some(paged) if paged == summary.opened => text.push_str(", paged at once"),
        Some(paged) => {
            let _ = write!(text, ", paged {} later", span(paged.since(summary.opened)));
        }
        None => text.push_str(", never paged"),
    }
    match summary.resolved {
        Some(resolved) => {
            let _ = write!(text, ", over after {}", span(resolved.since(summary.opened)));
        }
        None => text.push_str(", still open"),
    }
    let _ = write!(text, "; {}", several(summary.alerts, "event"));
    let place = [&summary.origin.service, &summary.origin.host, &summary.origin.check];
    let place: Vec<_> = place.into_iter().flatten().map(String::as_str).collect();
    if !place.is_empty() {
        let _ = write!(text, "; most likely origin {}", place.join("/"));
    }
    for (noun, all) in [("service", &summary.services), ("host", &summary.hosts)] {
        if all.len() > 1 {
            let _ = write!(text, "; {noun}s {}", names(all, 6));
        }
    }
    text
}
