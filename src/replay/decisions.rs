//! The decisions as JSON Lines, exactly as `docs/API.md` says: one decision, one line, equal to the byte for
//! equal decisions.

use super::json::{self, Object};
use crate::domain::{Decision, Evidence, IncidentSummary, Moment, Notice, Origin, Page, Verdict};

/// Adds the line of one decision, with its line end.
pub fn write(decision: &Decision, out: &mut String) {
    match decision {
        Decision::Verdict(verdict) => write_verdict(verdict, out),
        Decision::Page(page) => write_page(page, out),
        Decision::Notice(notice) => write_notice(notice, out),
        Decision::Incident(summary) => {
            let mut line = Object::open(out);
            line.text("type", "incident");
            incident_fields(&mut line, summary);
            line.close();
        }
    }
    out.push('\n');
}

fn write_verdict(verdict: &Verdict, out: &mut String) {
    let mut line = Object::open(out);
    line.text("type", "verdict");
    verdict_fields(&mut line, verdict);
    line.close();
}

/// The fields of a verdict, without its `type`.
pub(super) fn verdict_fields(line: &mut Object<'_>, verdict: &Verdict) {
    line.whole("seq", verdict.seq);
    line.time("ts", verdict.ts);
    line.text("verdict", verdict.reason.outcome().word());
    line.text("reason", verdict.reason.word());
    line.text_or_null("incident", verdict.incident.map(|id| id.to_string()).as_deref());
    line.text("series", &verdict.series);
    let mut evidence = line.object("evidence");
    evidence_fields(&mut evidence, &verdict.evidence);
    evidence.close();
}

fn evidence_fields(line: &mut Object<'_>, evidence: &Evidence) {
    line.number_if_any("surprise", evidence.surprise);
    line.number_if_any("rate_bits", evidence.rate_bits);
    line.number_if_any("severity_bits", evidence.severity_bits);
    line.number_if_any("value_bits", evidence.value_bits);
    line.number_if_any("usual_per_day", evidence.usual_per_day);
    if evidence.insufficient_history {
        line.flag("insufficient_history", true);
    }
    line.number_if_any("component_bits", evidence.component_bits);
    line.number_if_any("threshold", evidence.threshold);
    line.number_if_any("lasted", evidence.lasted);
    line.number_if_any("usually_lasts", evidence.usually_lasts);
    if let Some(changes) = evidence.changes {
        line.whole("changes", u64::from(changes));
    }
    line.number_if_any("window", evidence.window);
    line.number_if_any("feedback_bits", evidence.feedback_bits);
    line.number_if_any("limit_in", evidence.limit_in);
    line.number_if_any("change_bits", evidence.change_bits);
}

fn write_page(page: &Page, out: &mut String) {
    let mut line = Object::open(out);
    line.text("type", "page");
    line.time("ts", page.ts);
    line.text("incident", &page.incident.to_string());
    line.text("action", page.action.word());
    line.text("severity", page.severity.word());
    line.text("title", &page.title);
    line.texts("services", &page.services);
    line.texts("hosts", &page.hosts);
    origin_field(&mut line, &page.origin);
    line.list("alerts", &page.alerts, |seq, out| json::whole(out, *seq));
    line.whole("held_before", page.held_before);
    line.text("reason", page.reason.word());
    line.text("why", &page.why);
    line.list("evidence", &page.evidence, named_bits);
    line.texts("suspects", &page.suspects);
    line.text_if_any("url", page.url.as_deref());
    line.text_if_any("runbook_url", page.runbook_url.as_deref());
    line.close();
}

/// A name and its bits, as an object.
pub(super) fn named_bits((name, bits): &(String, f32), out: &mut String) {
    let mut item = Object::open(out);
    item.text("series", name);
    item.number("bits", f64::from(*bits));
    item.close();
}

fn write_notice(notice: &Notice, out: &mut String) {
    let mut line = Object::open(out);
    line.text("type", "notice");
    line.time("ts", notice.ts);
    line.text("action", notice.action.word());
    line.text_or_null("incident", notice.incident.map(|id| id.to_string()).as_deref());
    line.text_if_any("series", notice.series.as_deref());
    line.text("text", &notice.text);
    line.close();
}

/// The fields of an incident, without its `type`.
pub(super) fn incident_fields(line: &mut Object<'_>, summary: &IncidentSummary) {
    line.text("incident", &summary.incident.to_string());
    line.time("opened", summary.opened);
    line.time_or_null("paged", summary.paged);
    line.time_or_null("resolved", summary.resolved);
    line.time_or_null("acknowledged", summary.acknowledged);
    line.text("severity", summary.severity.word());
    line.text("title", &summary.title);
    line.texts("services", &summary.services);
    line.texts("hosts", &summary.hosts);
    line.texts("checks", &summary.checks);
    origin_field(line, &summary.origin);
    line.whole("alerts", summary.alerts);
    line.list("moments", &summary.moments, |moment: &Moment, out| {
        let mut item = Object::open(out);
        item.time("ts", moment.ts);
        item.text("text", &moment.text);
        item.close();
    });
}

fn origin_field(line: &mut Object<'_>, origin: &Origin) {
    let mut object = line.object("origin");
    object.text_or_null("service", origin.service.as_deref());
    object.text_or_null("host", origin.host.as_deref());
    object.text_or_null("check", origin.check.as_deref());
    object.close();
}
