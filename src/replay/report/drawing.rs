//! The run as SVG: a row of pages, the stream's density, changes, a lane a component, bands of paged incidents.
//!
//! Colour never says anything alone: what paged is tall, what joined is lower, what was held is thin.

use std::fmt::Write as _;

use super::episodes::{Look, episodes};
use super::escape::{html, line};
use super::lanes::{CELLS, Lane, Scale, lanes};
use super::what_if::WhatIf;
use super::words::{incident_words, page_words};
use super::{Report, page};
use crate::domain::{IncidentSummary, Page, PageAction};
use crate::replay::compare::{Difference, compare};
use crate::replay::wording::{count, cut, date_and_time, day_and_time, several, span};

/// The drawing's own units.
const WIDTH: f64 = 1200.0;
const LEFT: f64 = 176.0;
const RIGHT: f64 = 96.0;
const LANE: f64 = 22.0;
/// The rows above the lanes: where each begins, and where the lanes do.
const FLAGS: f64 = 12.0;
const DENSITY: f64 = 92.0;
const CHANGES: f64 = 140.0;
const LANES: f64 = 168.0;
/// How many page marks, bands, changes and spans of flapping are drawn.
const MOST_MARKS: usize = 400;
const MOST_BANDS: usize = 200;
const MOST_CHANGES: usize = 300;
const MOST_SPANS: usize = 2_000;
/// Up to so many pages have their first line beside their mark.
const LABELLED: usize = 24;
/// Up to so many have their number in it; more are dots.
const NUMBERED: usize = 60;
/// Up to so many paged incidents have a band over all lanes; more are only framed where they were at home.
const BANDED: usize = 40;
/// … of so many characters, as long as there is room.
const LABEL: [usize; 3] = [40, 26, 18];

/// The drawing, and what did not fit into it.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// It, as SVG.
    pub svg: String,
    /// What did not fit, each in a few words.
    pub left_out: Vec<String>,
}

struct Canvas<'a> {
    report: &'a Report,
    scale: Scale,
    lanes: Vec<Lane>,
    out: String,
    left_out: Vec<String>,
}

/// Draws a run.
pub(super) fn draw(report: &Report, steps: &WhatIf) -> Drawing {
    let scale = scale(report);
    let lanes = lanes(report, &episodes(report, scale.last), scale);
    let mut canvas = Canvas { report, scale, lanes, out: String::new(), left_out: Vec::new() };
    canvas.open();
    canvas.axis();
    canvas.bands();
    canvas.density();
    canvas.changes();
    canvas.lanes();
    canvas.flapping();
    canvas.pages();
    canvas.what_if(steps);
    canvas.out.push_str("</svg>\n");
    Drawing { svg: canvas.out, left_out: canvas.left_out }
}

fn scale(report: &Report) -> Scale {
    let (first, last) = report.between.unwrap_or_default();
    let heard = report.heard.iter().map(|heard| heard.at);
    // Wrong clocks must not stretch the picture: only what lies within the run's own time counts.
    let first = heard.filter(|at| *at < first && first.since(*at) < 86_400.0).min().unwrap_or(first);
    Scale { first, last: last.max(first.after(1.0)) }
}

impl Canvas<'_> {
    fn x(&self, share: f64) -> f64 {
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    fn at(&self, time: crate::domain::Timestamp) -> f64 {
        self.x(self.scale.share(time))
    }

    fn cell(&self, cell: usize) -> f64 {
        self.x(cell as f64 / CELLS as f64)
    }

    fn bottom(&self) -> f64 {
        LANES + LANE * self.lanes.len() as f64
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.out.write_fmt(text);
        self.out.push('\n');
    }

    fn omit(&mut self, all: usize, most: usize, noun: &str) {
        if all > most {
            let more = several((all - most) as u64, noun);
            self.left_out.push(format!("{more} beyond the first {}", count(most as u64)));
        }
    }

    fn open(&mut self) {
        let height = self.bottom() + 34.0;
        let (first, last) = (date_and_time(self.scale.first), date_and_time(self.scale.last));
        self.write(format_args!(
            "<svg id=\"run\" viewBox=\"0 0 {WIDTH} {height}\" role=\"group\" aria-label=\"The run from {first} to {last} UTC, \
             a lane a component\">\n<defs><pattern id=\"hatch\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" \
             patternTransform=\"rotate(45)\"><rect class=\"hatch\" width=\"2.4\" height=\"5\"/></pattern></defs>"
        ));
        let plot = WIDTH - LEFT - RIGHT;
        self.write(format_args!(
            "<rect class=\"plot\" x=\"{LEFT}\" y=\"{DENSITY}\" width=\"{plot}\" height=\"{:.1}\" rx=\"4\"/>",
            self.bottom() - DENSITY
        ));
        for (y, label) in [(FLAGS + 40.0, "pages"), (DENSITY + 30.0, "alerts"), (CHANGES + 15.0, "changes")] {
            self.write(format_args!("<text class=\"row\" x=\"{:.1}\" y=\"{y:.1}\">{label}</text>", LEFT - 10.0));
        }
    }

    fn axis(&mut self) {
        let (step, days) = page::tick(self.scale.length());
        let bottom = self.bottom();
        let mut at = (self.scale.first.secs() / step).ceil() * step;
        while at <= self.scale.last.secs() {
            let Some(time) = crate::domain::Timestamp::from_secs(at) else { break };
            let (x, text) = (self.at(time), day_and_time(time));
            let text = if days { &text[..5] } else { &text[..11] };
            self.write(format_args!("<path class=\"grid\" d=\"M{x:.1} {DENSITY}V{bottom:.1}\"/>"));
            self.write(format_args!("<text class=\"tick\" x=\"{x:.1}\" y=\"{:.1}\">{text}</text>", bottom + 20.0));
            at += step;
        }
    }

    /// Every incident that paged, from its opening to its end, over all lanes; stronger where it is at home.
    fn bands(&mut self) {
        let report = self.report;
        let paged: Vec<&IncidentSummary> = report.incidents.values().filter(|one| one.paged.is_some()).collect();
        self.omit(paged.len(), MOST_BANDS, "incident");
        let bottom = self.bottom();
        let banded = paged.len() <= BANDED;
        for incident in paged.into_iter().take(MOST_BANDS) {
            let (from, to) = (self.at(incident.opened), incident.resolved.map_or(WIDTH - RIGHT, |at| self.at(at)));
            let width = (to - from).max(2.0);
            let tip = html(&incident_words(incident));
            if banded {
                self.write(format_args!(
                "<rect class=\"band\" x=\"{from:.1}\" y=\"{DENSITY}\" width=\"{width:.1}\" height=\"{:.1}\" data-t=\"{tip}\"/>",
                bottom - DENSITY
            ));
            }
            for place in 0..self.lanes.len() {
                let name = |part: &u32| report.named(*part);
                let home = |names: &[String]| {
                    self.lanes[place].components.iter().any(|part| names.iter().any(|own| own == name(part)))
                };
                if home(&incident.hosts) || home(&incident.services) {
                    let y = LANES + LANE * place as f64;
                    self.write(format_args!(
                        "<rect class=\"home\" x=\"{from:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{:.1}\" rx=\"2\" data-t=\"{tip}\"/>",
                        y + 1.0,
                        LANE - 2.0
                    ));
                }
            }
        }
    }

    /// How many events came, on a scale of square roots, so that a storm does not hide a quiet hour.
    fn density(&mut self) {
        let mut cells = vec![0_u64; CELLS];
        for heard in &self.report.heard {
            cells[self.scale.cell(heard.at)] += 1;
        }
        let most = cells.iter().copied().max().unwrap_or(1).max(1);
        let mut path = String::new();
        let width = (WIDTH - LEFT - RIGHT) / CELLS as f64;
        for (cell, number) in cells.iter().enumerate().filter(|(_, number)| **number > 0) {
            let height = 40.0 * (*number as f64 / most as f64).sqrt();
            let _ = write!(path, "M{:.1} {:.1}v-{height:.1}h{width:.1}v{height:.1}z", self.cell(cell), DENSITY + 44.0);
        }
        let longest = span(self.scale.length() / CELLS as f64);
        self.write(format_args!(
            "<path class=\"density\" d=\"{path}\" data-t=\"events that came, by {longest}; at most {} at once (the height \
             grows with the square root)\"/>",
            count(most)
        ));
        self.write(format_args!(
            "<text class=\"note\" x=\"{:.1}\" y=\"{:.1}\">≤ {}</text>",
            WIDTH - RIGHT + 8.0,
            DENSITY + 30.0,
            count(most)
        ));
    }

    fn changes(&mut self) {
        let report = self.report;
        self.omit(report.changes.len(), MOST_CHANGES, "change");
        let bottom = self.bottom();
        for (at, words) in report.changes.iter().take(MOST_CHANGES) {
            let x = self.at(*at);
            let tip = format!("{}\nchange: {}", day_and_time(*at), line(words, 160));
            self.write(format_args!(
                "<g data-t=\"{}\"><path class=\"since\" d=\"M{x:.1} {CHANGES}V{bottom:.1}\"/><path class=\"change\" \
                 d=\"M{x:.1} {:.1}l5 7l-5 7l-5 -7z\"/></g>",
                html(&tip),
                CHANGES + 3.0
            ));
        }
        let number = several(report.changes.len() as u64, "change");
        self.write(format_args!(
            "<text class=\"note\" x=\"{:.1}\" y=\"{:.1}\">{number}</text>",
            WIDTH - RIGHT + 8.0,
            CHANGES + 15.0
        ));
    }

    fn lanes(&mut self) {
        let lanes = std::mem::take(&mut self.lanes);
        for (place, lane) in lanes.iter().enumerate() {
            let y = LANES + LANE * place as f64;
            self.lane(lane, y);
        }
        self.lanes = lanes;
    }

    fn lane(&mut self, lane: &Lane, y: f64) {
        let label = format!("{}: {}, {} part of a page", lane.name, several(lane.events, "event"), count(lane.paged));
        self.write(format_args!("<g class=\"lane\" tabindex=\"0\" role=\"img\" aria-label=\"{}\">", html(&label)));
        self.write(format_args!("<path class=\"rule\" d=\"M{LEFT} {:.1}H{:.1}\"/>", y + LANE, WIDTH - RIGHT));
        self.write(format_args!(
            "<text class=\"name\" x=\"{:.1}\" y=\"{:.1}\" data-t=\"{}\">{}</text>",
            LEFT - 10.0,
            y + 15.0,
            html(&format!("{label}, {}", several(lane.episodes as u64, "episode"))),
            html(&cut(&lane.name, 21))
        ));
        for stretch in &lane.stretches {
            let (from, to) = (self.cell(stretch.from), self.cell(stretch.to));
            let (top, height) = match stretch.look {
                Look::Paged => (3.0, 16.0),
                Look::Joined => (6.0, 10.0),
                Look::Flapping => (8.0, 7.0),
                Look::Held => (9.0, 4.0),
                Look::Recorded => (10.0, 2.0),
            };
            self.write(format_args!(
                "<rect class=\"{}\" x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height}\" data-t=\"{}\"/>",
                stretch.look.class(),
                y + top,
                (to - from).max(2.0),
                html(&stretch.words)
            ));
        }
        self.write(format_args!(
            "<text class=\"note\" x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
            WIDTH - RIGHT + 8.0,
            y + 15.0,
            count(lane.events)
        ));
    }

    /// From the notice that a series is treated as flapping to the one that it is steady again.
    fn flapping(&mut self) {
        let report = self.report;
        let mut open: Vec<(&str, crate::domain::Timestamp)> = Vec::new();
        let mut spans = Vec::new();
        for (at, series, begins) in &report.flapping {
            if *begins {
                open.push((series, *at));
            } else if let Some(place) = open.iter().position(|(name, _)| **name == **series) {
                let (name, from) = open.remove(place);
                spans.push((name, from, *at));
            }
        }
        spans.extend(open.into_iter().map(|(name, from)| (name, from, self.scale.last)));
        self.omit(spans.len(), MOST_SPANS, "flapping span");
        for (series, from, to) in spans.into_iter().take(MOST_SPANS) {
            let Some(component) = report.series.get(series) else { continue };
            let Some(lane) = self.lanes.iter().position(|lane| lane.components.contains(component)) else { continue };
            let (x, y) = (self.at(from), LANES + LANE * lane as f64 + LANE - 4.0);
            let words = format!(
                "{} – {}\ntreated as flapping for {}\n{}",
                day_and_time(from),
                day_and_time(to),
                span(to.since(from)),
                line(series, 120)
            );
            self.write(format_args!(
                "<rect class=\"flapping\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"3.5\" data-t=\"{}\"/>",
                (self.at(to) - x).max(2.0),
                html(&words)
            ));
        }
    }

    fn pages(&mut self) {
        let report = self.report;
        let pages = &report.decided.pages;
        self.omit(pages.len(), MOST_MARKS, "page");
        let pages = &pages[..pages.len().min(MOST_MARKS)];
        let mut rows: [Vec<(f64, f64)>; 3] = Default::default();
        let radius = if pages.len() <= NUMBERED { 9.0 } else { 4.0 };
        let circle = |x: f64| (x - radius - 1.0, x + radius + 1.0);
        let places: Vec<(f64, usize)> = pages
            .iter()
            .enumerate()
            .map(|(place, page)| {
                let x = self.at(page.ts);
                let row = (0..rows.len()).find(|row| fits(&rows[*row], circle(x))).unwrap_or(place % rows.len());
                rows[row].push(circle(x));
                (x, row)
            })
            .collect();
        for (place, page) in pages.iter().enumerate() {
            let (x, row) = places[place];
            let label = if pages.len() <= LABELLED { label(&line(&page.title, 60), x, &mut rows[row]) } else { None };
            let label = label.as_ref().map(|(label, end)| (label.as_str(), *end));
            self.mark((page, place), (x, FLAGS + 24.0 * row as f64 + 10.0), radius, label);
        }
    }

    fn mark(&mut self, (page, place): (&Page, usize), (x, y): (f64, f64), radius: f64, label: Option<(&str, &str)>) {
        let bottom = self.bottom();
        let number = place + 1;
        let words = html(&page_words(page));
        let kind = if page.action == PageAction::Open { "page" } else { "page more" };
        self.write(format_args!(
            "<a class=\"{kind}\" id=\"mark-{number}\" href=\"#page-{number}\" aria-label=\"{words}\" data-t=\"{words}\">\
             <circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\"/>"
        ));
        // Hundreds of poles and numbers would hide what they stand in.
        if radius > 5.0 {
            self.write(format_args!(
                "<path class=\"pole\" d=\"M{x:.1} {:.1}V{bottom:.1}\"/><text class=\"number\" x=\"{x:.1}\" y=\"{:.1}\">{number}</text>",
                y + radius,
                y + 3.6
            ));
        }
        if let Some((label, end)) = label {
            let x = if end.is_empty() { x + 13.0 } else { x - 13.0 };
            self.write(format_args!(
                "<text class=\"title{end}\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
                y + 3.8,
                html(label)
            ));
        }
        self.out.push_str("</a>\n");
    }

    /// The marks of pages that another threshold would have sent, hidden until it is chosen.
    fn what_if(&mut self, steps: &WhatIf) {
        let report = self.report;
        let bottom = self.bottom();
        for (step, (_, other)) in steps.others.iter().enumerate() {
            self.write(format_args!("<g class=\"step\" data-step=\"{step}\" hidden=\"hidden\">"));
            let all = compare(&report.decided, other);
            let gained = all.iter().filter(|one| matches!(one, Difference::Gained(..)));
            for one in gained.take(MOST_MARKS) {
                let (page, x) = (one.page(), self.at(one.page().ts));
                let words = html(&format!("would page\n{}", page_words(page)));
                self.write(format_args!(
                    "<g data-t=\"{words}\"><path class=\"pole\" d=\"M{x:.1} {:.1}V{bottom:.1}\"/><path class=\"gain\" \
                     d=\"M{x:.1} {:.1}l6 10h-12z\"/></g>",
                    DENSITY - 6.0,
                    DENSITY - 12.0
                ));
            }
            self.out.push_str("</g>\n");
        }
    }
}

/// Whether a stretch of a row is free.
fn fits(row: &[(f64, f64)], (from, to): (f64, f64)) -> bool {
    from > 4.0 && to < WIDTH - 4.0 && row.iter().all(|taken| to < taken.0 || taken.1 < from)
}

/// The longest words that find room beside a mark, on its right side before its left one.
fn label(title: &str, x: f64, row: &mut Vec<(f64, f64)>) -> Option<(String, &'static str)> {
    LABEL.iter().find_map(|most| {
        let label = cut(title, *most);
        let wide = 16.0 + 6.0 * label.chars().count() as f64;
        let sides = [((x + 10.5, x + wide), ""), ((x - wide, x - 10.5), " end")];
        let (taken, end) = sides.into_iter().find(|(taken, _)| fits(row, *taken))?;
        row.push(taken);
        Some((label, end))
    })
}
