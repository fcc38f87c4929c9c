//! `squelch why` as JSON, for the API: the same values as [`super::sentences`], for programs.

use super::decisions::{incident_fields, verdict_fields};
use super::json::Object;
use crate::domain::{Candidate, IncidentExplanation, IncidentSummary, Said, SeriesExplanation, Verdict};

/// One incident with everything that is known of it, as a JSON object.
#[must_use]
pub fn incident_json(explanation: &IncidentExplanation) -> String {
    let mut out = String::with_capacity(4096);
    let mut line = Object::open(&mut out);
    incident_fields(&mut line, &explanation.summary);
    line.flag("open", explanation.open);
    line.list("origins", &explanation.origins, candidate);
    line.texts("suspects", &explanation.suspects);
    line.list("feedback", explanation.feedback.as_slice(), said);
    line.list("members", &explanation.members, write_series);
    line.close();
    out
}

/// One series with everything that is known of it, as a JSON object.
#[must_use]
pub fn series_json(explanation: &SeriesExplanation) -> String {
    let mut out = String::with_capacity(1024);
    write_series(explanation, &mut out);
    out
}

/// An incident as a line of a list (`GET /api/v1/incidents`), as a JSON object: the summary and whether it is open.
#[must_use]
pub fn summary_json(summary: &IncidentSummary, open: bool) -> String {
    let mut out = String::with_capacity(1024);
    let mut line = Object::open(&mut out);
    incident_fields(&mut line, summary);
    line.flag("open", open);
    line.close();
    out
}

fn candidate(candidate: &Candidate, out: &mut String) {
    let mut line = Object::open(out);
    line.text("service", &candidate.service);
    line.number("score", f64::from(candidate.score));
    line.number("own", f64::from(candidate.own));
    line.number("answers", f64::from(candidate.answers));
    line.number("load", f64::from(candidate.load));
    line.number("explains", f64::from(candidate.explains));
    line.close();
}

fn said(said: &Said, out: &mut String) {
    let mut line = Object::open(out);
    line.text("incident", &said.incident.to_string());
    line.text("verdict", said.opinion.word());
    line.text("by", &said.by);
    line.time("ts", said.at);
    line.flag("own", said.own);
    line.flag("critical", said.critical);
    line.number("worth", said.worth);
    line.close();
}

fn write_series(series: &SeriesExplanation, out: &mut String) {
    let mut line = Object::open(out);
    line.text("series", &series.name);
    line.text("key", &series.fingerprint.to_string());
    line.text("kind", series.kind.word());
    line.text_or_null("rule", series.rule.as_deref());
    line.text_or_null("firing", series.firing.map(crate::domain::Severity::word));
    line.time_or_null("since", series.since);
    line.whole("alerts", u64::from(series.alerts));
    line.time("first_heard", series.heard.0);
    line.time("last_heard", series.heard.1);
    line.number("starts", series.starts.0);
    line.number("critical_starts", series.starts.1);
    line.number("usual_per_day", series.usual_per_day);
    line.number("likely_per_day_from", series.likely_per_day.0);
    line.number("likely_per_day_to", series.likely_per_day.1);
    line.flag("insufficient_history", series.insufficient_history);
    if let Some((half, most)) = series.lasts {
        line.number("half_last", half);
        line.number("nine_of_ten_last", most);
    }
    line.number("fresh_bits", series.fresh_bits);
    line.whole("changes", u64::from(series.changes));
    line.time_or_null("flapping_since", series.flapping_since);
    line.list("feedback", &series.feedback, said);
    line.number("feedback_share", series.feedback_share.0);
    line.number("feedback_share_critical", series.feedback_share.1);
    if let Some(course) = &series.course {
        let mut item = line.object("course");
        item.number("value", course.value);
        item.number("per_hour", course.per_hour);
        item.number("limit", course.limit);
        item.flag("hard", course.hard);
        item.time("at", course.at);
        item.close();
    }
    if let Some((low, high)) = series.usual {
        line.number("usual_from", low);
        line.number("usual_to", high);
    }
    line.whole("waiting", u64::from(series.waiting));
    line.list("verdicts", &series.verdicts, |verdict: &Verdict, out| {
        let mut item = Object::open(out);
        verdict_fields(&mut item, verdict);
        item.close();
    });
    line.close();
}
