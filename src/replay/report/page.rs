//! The document around the drawing: sums that add up, the slider, and everything again as text and tables.

use std::fmt::Write as _;

use super::drawing::draw;
use super::escape::foreign;
use super::what_if::WhatIf;
use super::words;
use super::{Report, drawing::Drawing};
use crate::domain::{Outcome, Page, PageAction, Reason};
use crate::replay::account::Account;
use crate::replay::account::text::course;
use crate::replay::compare::{Difference, compare};
use crate::replay::decided::Decided;
use crate::replay::wording::{count, date_and_time, day_and_time, several, span};

/// The style of a drawing, with the colours that everything shares.
pub const DRAWING_STYLE: &str = include_str!("drawing.css");
/// What shows the words of whatever is pointed at in a drawing.
pub const POINT_SCRIPT: &str = include_str!("point.js");
const STYLE: &str = concat!(include_str!("drawing.css"), include_str!("style.css"));
const SCRIPT: &str = concat!(include_str!("point.js"), include_str!("slider.js"));
/// The SHA-256 of these two, for the policy of the page; a test holds them against the files.
const STYLE_HASH: &str = "RG5A6n1T4RIG9CvmkpfqypkLVk8OsNrMAzqO4o5ffqA=";
const SCRIPT_HASH: &str = "2I9FC9JbXmPa7CqF8lt6Sv7/olQNV1bKGoWYfFg/+nM=";
/// How many pages, incidents and differences are listed.
const MOST_PAGES: usize = 400;
const MOST_INCIDENTS: usize = 200;
const MOST_DIFFERENCES: usize = 40;
/// How many series are named for each reason.
const LOUDEST: usize = 3;

/// The distance of two ticks in seconds for a run of this length, and whether they are days.
pub(super) fn tick(length: f64) -> (f64, bool) {
    const STEPS: &[f64] = &[
        1.0,
        5.0,
        15.0,
        60.0,
        300.0,
        900.0,
        1_800.0,
        3_600.0,
        7_200.0,
        10_800.0,
        21_600.0,
        43_200.0,
        86_400.0,
        172_800.0,
        604_800.0,
        1_209_600.0,
        2_592_000.0,
        7_776_000.0,
        31_536_000.0,
    ];
    let step = STEPS.iter().copied().find(|step| length / step <= 9.0).unwrap_or(315_360_000.0);
    (step, step >= 86_400.0)
}

/// The whole document.
pub(super) fn html(report: &Report, account: &Account, steps: &WhatIf, rules: &str) -> String {
    let drawing = draw(report, steps);
    let mut out = String::with_capacity(1 << 16);
    head(report, account, rules, &mut out);
    sums(account, &mut out);
    slider(report, steps, &mut out);
    picture(&drawing, &mut out);
    pages(&report.decided, &mut out);
    held(report, account, &mut out);
    incidents(report, &mut out);
    foot(report, &drawing, &mut out);
    out
}

fn head(report: &Report, account: &Account, rules: &str, out: &mut String) {
    let (first, last) = report.between.unwrap_or_default();
    let (events, pages) = (several(account.events(), "alert"), several(account.pages() as u64, "page"));
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; script-src 'sha256-{SCRIPT_HASH}'; base-uri 'none'; form-action \
         'none'\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light \
         dark\">\n<meta name=\"generator\" content=\"squelch {}\">\n<title>{events}, {pages}: a run of Squelch</title>\n<style>{STYLE}</style>\n\
         </head>\n<body>\n<header>\n<h1>{events} in, <strong>{pages}</strong> out</h1>\n<p>{} to {} UTC, {} · rules: {}</p>\n</header>\n<main>\n",
        env!("CARGO_PKG_VERSION"),
        date_and_time(first),
        date_and_time(last),
        span(last.since(first)),
        foreign(rules, 120)
    );
}

/// What became of all events, as a bar and as numbers; their sum is what came in.
fn sums(account: &Account, out: &mut String) {
    let kinds = [
        (Outcome::Page, "paged", "part of a page"),
        (Outcome::Join, "join", "joined an incident"),
        (Outcome::Suppress, "held", "held back, with a reason"),
        (Outcome::Record, "rec", "recorded: resolves, changes"),
    ];
    let all = account.events().max(1) as f64;
    let sum: u64 = kinds.iter().map(|(outcome, ..)| account.became(*outcome)).sum();
    out.push_str("<section aria-labelledby=\"sums\">\n<h2 id=\"sums\">What became of them</h2>\n");
    out.push_str("<svg class=\"bar\" viewBox=\"0 0 1000 14\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
    let mut x = 0.0;
    for (outcome, class, _) in kinds {
        let width = 1000.0 * account.became(outcome) as f64 / all;
        let _ = write!(out, "<rect class=\"{class}\" x=\"{x:.2}\" width=\"{width:.2}\" height=\"14\"/>");
        x += width;
    }
    out.push_str("</svg>\n<dl class=\"sums\">\n");
    for (outcome, class, words) in kinds {
        let (number, share) = (account.became(outcome), 100.0 * account.became(outcome) as f64 / all);
        let _ = writeln!(
            out,
            "<div class=\"{class}\"><dt>{words}</dt><dd>{} <small>{share:.1} %</small></dd></div>",
            count(number)
        );
    }
    let verdict = if sum == account.events() {
        "every event, exactly once"
    } else {
        "this is a fault of Squelch: please report it"
    };
    let _ = writeln!(
        out,
        "<div class=\"all\"><dt>together</dt><dd>{} <small>of {}: {verdict}</small></dd></div>\n</dl>\n</section>",
        count(sum),
        several(account.events(), "accepted event")
    );
}

/// The slider over the threshold, and for each of its places what it would have done.
fn slider(report: &Report, steps: &WhatIf, out: &mut String) {
    let below = steps.others.iter().filter(|(bits, _)| *bits < steps.own).count();
    let _ = write!(
        out,
        "<section aria-labelledby=\"if\">\n<h2 id=\"if\">What if the threshold were another?</h2>\n<p>Each place was replayed with the \
         same events and rules. In force: {} bits of fresh surprise. Fewer bits page sooner and more often.</p>\n<div class=\"slide\">\
         <label for=\"bits\">Threshold</label><input id=\"bits\" type=\"range\" min=\"0\" max=\"{}\" value=\"{below}\" step=\"1\" \
         data-own=\"{below}\"><output id=\"chosen\" for=\"bits\">{} bits, in force: {}</output></div>\n",
        steps.own,
        steps.others.len(),
        steps.own,
        several(report.decided.pages.len() as u64, "page")
    );
    out.push_str(
        "<details id=\"steps\"><summary>All thresholds as a table</summary><div class=\"wide\"><table><thead><tr><th scope=\"col\">bits</th>\
         <th scope=\"col\">pages</th><th scope=\"col\">gained</th><th scope=\"col\">lost</th><th scope=\"col\">earlier</th><th scope=\"col\">later</th>\
         </tr></thead><tbody>\n",
    );
    let mut lists = String::new();
    for (step, (bits, other)) in steps.others.iter().enumerate() {
        if step == below {
            own_row(report, steps.own, out);
        }
        step_row(report, step, (*bits, other), (out, &mut lists));
    }
    if below == steps.others.len() {
        own_row(report, steps.own, out);
    }
    let _ = write!(out, "</tbody></table></div></details>\n{lists}</section>\n");
}

fn own_row(report: &Report, bits: f64, out: &mut String) {
    let pages = count(report.decided.pages.len() as u64);
    let _ = writeln!(
        out,
        "<tr class=\"own\"><th scope=\"row\">{bits} (in force)</th><td>{pages}</td><td>–</td><td>–</td><td>–</td><td>–</td></tr>"
    );
}

fn step_row(report: &Report, step: usize, (bits, other): (f64, &Decided), (table, lists): (&mut String, &mut String)) {
    let all = compare(&report.decided, other);
    let number = |word: &str| all.iter().filter(|one| one.word() == word).count() as u64;
    let numbers = ["gained", "lost", "earlier", "later"].map(|word| (word, number(word)));
    let _ = write!(table, "<tr><th scope=\"row\">{bits}</th><td>{}</td>", count(other.pages.len() as u64));
    for (_, number) in numbers {
        let _ = write!(table, "<td>{}</td>", count(number));
    }
    table.push_str("</tr>\n");
    let said: Vec<_> = numbers
        .iter()
        .filter(|(_, number)| *number > 0)
        .map(|(word, number)| format!("{} {word}", count(*number)))
        .collect();
    let said = if said.is_empty() { "the same pages".to_owned() } else { said.join(", ") };
    let lost = lost(report, &all).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let _ = writeln!(
        lists,
        "<div class=\"step\" data-step=\"{step}\" data-lost=\"{lost}\" data-says=\"{bits} bits: {}: {said}\" hidden=\"hidden\">\n<ul class=\"differences\">",
        several(other.pages.len() as u64, "page")
    );
    let told: Vec<_> = all.iter().filter(|one| !matches!(one, Difference::Same(..))).collect();
    for one in told.iter().take(MOST_DIFFERENCES) {
        difference(one, lists);
    }
    let more = told.len().saturating_sub(MOST_DIFFERENCES) as u64;
    if more > 0 {
        let _ = writeln!(lists, "<li>and {}</li>", several(more, "more difference"));
    }
    lists.push_str("</ul></div>\n");
}

/// The numbers of the pages that are lost.
fn lost(report: &Report, all: &[Difference<'_>]) -> Vec<usize> {
    let place = |page: &Page| report.decided.pages.iter().position(|own| std::ptr::eq(own, page));
    let lost = all.iter().filter_map(|one| if let Difference::Lost(page, _) = one { place(page) } else { None });
    lost.map(|place| place + 1).collect()
}

fn difference(one: &Difference<'_>, out: &mut String) {
    let page = one.page();
    let words = match one {
        Difference::Same(..) => String::new(),
        Difference::Earlier(_, second, secs) => format!("{} earlier, at {}", span(*secs), day_and_time(second.ts)),
        Difference::Later(_, second, secs) => format!("{} later, at {}", span(*secs), day_and_time(second.ts)),
        Difference::Lost(_, instead) => format!("then {instead}"),
        Difference::Gained(page, instead) => format!("{}. In force: {instead}", page.why),
    };
    let _ = writeln!(
        out,
        "<li><b class=\"{0}\">{0}</b> <time>{1}</time> {2} <span class=\"why\">{3}</span></li>",
        one.word(),
        day_and_time(page.ts),
        words::title(page),
        foreign(&words, 500)
    );
}

fn picture(drawing: &Drawing, out: &mut String) {
    out.push_str("<section aria-labelledby=\"lanes\">\n<h2 id=\"lanes\">The run</h2>\n");
    out.push_str(&words::legend());
    out.push_str("<p class=\"hint\">Point at anything, or tab to a lane and use the arrow keys, to see what it was and why. Times are UTC.</p>\n");
    let _ = writeln!(
        out,
        "<figure class=\"wide\">\n{}</figure>\n<div id=\"tip\" role=\"status\" hidden=\"hidden\"></div>",
        drawing.svg
    );
    if !drawing.left_out.is_empty() {
        let _ = writeln!(out, "<p class=\"hint\">Not drawn: {}. The sums count them.</p>", drawing.left_out.join("; "));
    }
    out.push_str("</section>\n");
}

fn pages(decided: &Decided, out: &mut String) {
    out.push_str("<section aria-labelledby=\"pages\">\n<h2 id=\"pages\">Pages</h2>\n<ol class=\"pages\">\n");
    for (place, page) in decided.pages.iter().take(MOST_PAGES).enumerate() {
        write_page(place + 1, page, out);
    }
    out.push_str("</ol>\n");
    more(decided.pages.len(), MOST_PAGES, "page", out);
    if decided.pages.is_empty() {
        out.push_str("<p>None: nobody was woken.</p>\n");
    }
    out.push_str("</section>\n");
}

fn write_page(number: usize, page: &Page, out: &mut String) {
    let action = if page.action == PageAction::Open { "" } else { ", escalates" };
    let _ = writeln!(
        out,
        "<li id=\"page-{number}\"><a class=\"to\" href=\"#mark-{number}\" aria-label=\"page {number} in the drawing\">{number}</a><div><p class=\"line\">\
         <b>{}</b></p><p><time>{}</time> · <span class=\"severity {}\">{}</span> · incident #{}{action} · {}</p><p class=\"why\">{}</p>",
        words::title(page),
        date_and_time(page.ts),
        page.severity,
        page.severity,
        page.incident,
        size(page),
        foreign(&page.why, 600)
    );
    for suspect in page.suspects.iter().take(2) {
        let _ = writeln!(out, "<p class=\"why\">suspect: {}</p>", foreign(suspect, 300));
    }
    out.push_str("</div></li>\n");
}

/// How many events made a page; what was promoted without an event of its own counts what was held back before.
fn size(page: &Page) -> String {
    if page.alerts.is_empty() && page.held_before > 0 {
        format!("{} held back before", several(page.held_before, "event"))
    } else {
        several(page.alerts.len() as u64, "event")
    }
}

fn held(report: &Report, account: &Account, out: &mut String) {
    out.push_str(
        "<section aria-labelledby=\"held\">\n<h2 id=\"held\">Held back, and why</h2>\n<div class=\"wide\"><table><thead><tr><th scope=\"col\">events</th>\
         <th scope=\"col\">reason</th><th scope=\"col\">because</th><th scope=\"col\">the loudest</th></tr></thead><tbody>\n",
    );
    let mut reasons: Vec<_> = Reason::ALL.iter().filter(|reason| reason.outcome() == Outcome::Suppress).collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse(account.because(**reason)));
    for reason in reasons.into_iter().filter(|reason| account.because(**reason) > 0) {
        let (loudest, all) = account.loudest(*reason, LOUDEST);
        let named: Vec<_> = loudest
            .iter()
            .map(|(series, number)| format!("{} × {}", count(*number), foreign(&report.shown(series), 90)))
            .collect();
        let more = all.saturating_sub(loudest.len());
        let more = if more > 0 { format!("<br>and {} more series", count(more as u64)) } else { String::new() };
        let _ = writeln!(
            out,
            "<tr><td>{}</td><th scope=\"row\">{reason}</th><td>{}</td><td class=\"names\">{}{more}</td></tr>",
            count(account.because(*reason)),
            reason.sentence(),
            named.join("<br>")
        );
    }
    let _ = writeln!(
        out,
        "<tr class=\"own\"><td>{}</td><th scope=\"row\">all</th><td></td><td></td></tr></tbody></table></div>\n</section>",
        count(account.became(Outcome::Suppress))
    );
}

fn incidents(report: &Report, out: &mut String) {
    out.push_str(
        "<section aria-labelledby=\"incidents\">\n<h2 id=\"incidents\">Incidents</h2>\n<ul class=\"incidents\">\n",
    );
    for incident in report.incidents.values().take(MOST_INCIDENTS) {
        let _ = writeln!(
            out,
            "<li><p class=\"line\">#{} <span class=\"severity {}\">{}</span> <b>{}</b></p><p class=\"why\">{}</p></li>",
            incident.incident,
            incident.severity,
            incident.severity,
            foreign(&incident.title, 200),
            foreign(&course(incident), 600)
        );
    }
    out.push_str("</ul>\n");
    more(report.incidents.len(), MOST_INCIDENTS, "incident", out);
    if report.incidents.is_empty() {
        out.push_str("<p>None.</p>\n");
    }
    out.push_str("</section>\n");
}

fn more(all: usize, most: usize, noun: &str, out: &mut String) {
    if all > most {
        let noun = format!("more {noun}");
        let _ = writeln!(
            out,
            "<p class=\"hint\">and {}: <code>--decisions</code> lists them all</p>",
            several((all - most) as u64, &noun)
        );
    }
}

fn foot(report: &Report, drawing: &Drawing, out: &mut String) {
    let masked = if report.hidden.is_some() { ", without personal data" } else { "" };
    let all = if drawing.left_out.is_empty() { " Everything is drawn." } else { "" };
    let _ = write!(
        out,
        "</main>\n<footer><p>Made by <code>squelch replay --report</code>, squelch {}. The file needs no network and holds no secrets, but the \
         texts of your alerts{masked}.{all}</p></footer>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION")
    );
}
