//! What the marks, the bands and the legend of the drawing say.

use std::fmt::Write as _;

use super::escape::{foreign, line};
use crate::domain::{IncidentSummary, Page, PageAction};
use crate::replay::account::text::course;
use crate::replay::wording::day_and_time;

/// A page in a few lines.
pub(super) fn page_words(page: &Page) -> String {
    let what = if page.action == PageAction::Open { "page" } else { "escalation" };
    let head = format!("{} {what}, incident #{}, {}", day_and_time(page.ts), page.incident, page.severity);
    format!("{head}\n{}\n{}", line(&page.title, 200), line(&page.why, 400))
}

/// An incident in a few lines.
pub(super) fn incident_words(incident: &IncidentSummary) -> String {
    format!(
        "incident #{}, {}\n{}\n{}",
        incident.incident,
        incident.severity,
        line(&incident.title, 200),
        line(&course(incident), 400)
    )
}

/// A legend of the looks.
#[must_use]
pub fn legend() -> String {
    let mut out = String::from("<ul class=\"legend\">");
    let looks = [
        ("paged", 12, "part of a page"),
        ("join", 8, "joined an incident"),
        ("flap", 6, "held back as flapping"),
        ("held", 4, "held back otherwise"),
        ("flapping", 4, "treated as flapping"),
    ];
    for (class, height, words) in looks {
        let y = 7 - height / 2;
        let _ = write!(
            out,
            "<li><svg width=\"22\" height=\"14\" aria-hidden=\"true\"><rect class=\"{class}\" y=\"{y}\" width=\"22\" \
             height=\"{height}\"/></svg>{words}</li>"
        );
    }
    out.push_str(
        "<li><svg width=\"22\" height=\"14\" aria-hidden=\"true\"><rect class=\"home\" x=\"1\" y=\"1\" width=\"20\" height=\"12\"/></svg>a \
         paged incident</li><li><svg width=\"14\" height=\"14\" aria-hidden=\"true\"><path class=\"change\" d=\"M7 0l5 7l-5 7l-5 -7z\"/></svg>a \
         change</li></ul>\n",
    );
    out
}

/// The title of a page, escaped.
pub(super) fn title(page: &Page) -> String {
    foreign(&page.title, 200)
}
