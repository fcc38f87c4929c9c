//! A digest as the HTML of a mail: one column, readable on a phone, by day and by night.
//!
//! Nothing is loaded from anywhere: the images come along, under the names that [`super::chart::drawings`] gives. Deliberately
//! no tracking, no script, no link that is not ours.

use std::fmt::Write as _;

use super::paper::{Paper, Row, Section};
use crate::replay::wording::count;
use crate::sinks::clean::html as escape;

/// Colours by class, so that the night has its own. Mail programs that know no classes show plain black on white.
const STYLE: &str = "\
:root{color-scheme:light dark;supported-color-schemes:light dark}\
body{margin:0;padding:0;background:#f4f5f7;color:#1d2430;font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;-webkit-text-size-adjust:100%}\
.page{max-width:640px;margin:0 auto;padding:28px 16px 36px;overflow-wrap:anywhere}\
.soft{color:#5d6778}\
.kick{font-size:13px;margin:0}\
h1{font-size:25px;line-height:1.28;font-weight:650;letter-spacing:-.01em;margin:10px 0 12px}\
h2{font-size:17px;line-height:1.35;font-weight:650;margin:0 0 2px}\
p{margin:0 0 6px}\
.card{background:#fff;border:1px solid #e4e7ec;border-radius:12px;padding:18px 20px 16px;margin:16px 0 0}\
.lead{font-size:14px;margin:0 0 8px}\
.chart{padding:0;overflow:hidden;line-height:0}\
img{border:0;max-width:100%}\
table{border-collapse:collapse;width:100%}\
td{padding:9px 0;vertical-align:top;border-top:1px solid #edeff3}\
tr:first-child td{border-top:0}\
.what{font-weight:600;line-height:1.35}\
.note{font-size:13.5px;line-height:1.45;color:#5d6778;margin:2px 0 0}\
.fig{text-align:right;white-space:nowrap;font-weight:650;font-variant-numeric:tabular-nums;padding-left:14px}\
.bar{height:5px;border-radius:3px;background:#eceff4;margin:7px 0 1px}\
.fill{height:5px;border-radius:3px;background:#7c93b2}\
pre{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:#f4f5f7;border-radius:8px;padding:12px 14px;margin:10px 0 2px;overflow-x:auto;white-space:pre-wrap}\
.add{color:#1b6e3c}\
.foot{font-size:13px;margin:18px 4px 0}\
@media (max-width:480px){.page{padding:20px 10px 28px}.card{padding:15px 15px 13px;border-radius:10px}.chart{padding:0}h1{font-size:22px}}\
@media (prefers-color-scheme:dark){\
body{background:#13161b;color:#e4e8ee}\
.soft,.note{color:#9aa5b5}\
.card{background:#1b2027;border-color:#2a313b}\
td{border-top-color:#272e37}\
.bar{background:#2a313b}.fill{background:#7f9ac0}\
pre{background:#13161b}.add{color:#6fcf97}}";

/// The HTML; images stand as `\"cid:NAME\"`.
#[must_use]
pub fn write(paper: &Paper) -> String {
    let mut out = String::with_capacity(16 << 10);
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
<meta name=\"color-scheme\" content=\"light dark\"><meta name=\"supported-color-schemes\" content=\"light dark\">\
<title>{}</title>\n<style>{STYLE}</style></head>\n<body><div class=\"page\">\n\
<p class=\"kick soft\"><b>{}</b><br>{}</p>\n<h1>{}</h1>\n",
        escape(&paper.subject),
        escape(&paper.kicker),
        escape(&paper.period),
        escape(&paper.headline)
    );
    for line in &paper.lead {
        let _ = writeln!(out, "<p class=\"soft\">{}</p>", escape(line));
    }
    if paper.figures[0].0 > 0 {
        chart(paper, &mut out);
    }
    let mut sparks = 0;
    for section in &paper.sections {
        write_section(section, &mut sparks, &mut out);
    }
    if let Some(nothing) = &paper.nothing {
        let _ = writeln!(out, "<p class=\"foot soft\">{}</p>", escape(nothing));
    }
    let _ = write!(out, "<p class=\"foot soft\">{}</p>\n</div></body></html>\n", escape(&paper.account));
    out
}

/// The chart, by day and by night; who sees no images reads the same numbers.
fn chart(paper: &Paper, out: &mut String) {
    let numbers = paper.buckets.iter().map(|bucket| {
        format!("{}: {}, {}, {}", bucket.label, count(bucket.events), count(bucket.incidents), count(bucket.pages))
    });
    let alt = format!("Events, incidents, pages. {}", numbers.collect::<Vec<_>>().join("; "));
    let _ = writeln!(
        out,
        "<div class=\"card chart\"><picture><source srcset=\"cid:week-dark\" media=\"(prefers-color-scheme:dark)\">\
<img src=\"cid:week\" width=\"640\" style=\"width:100%;height:auto;display:block\" alt=\"{}\"></picture></div>",
        escape(&alt)
    );
}

fn write_section(section: &Section, sparks: &mut usize, out: &mut String) {
    let _ = writeln!(out, "<div class=\"card\"><h2>{}</h2>", escape(section.title));
    if !section.lead.is_empty() {
        let _ = writeln!(out, "<p class=\"lead soft\">{}</p>", escape(&section.lead));
    }
    if !section.rows.is_empty() {
        out.push_str("<table role=\"presentation\">\n");
        section.rows.iter().for_each(|row| write_row(row, sparks, out));
        out.push_str("</table>\n");
    }
    if !section.patch.is_empty() {
        let line = |line: &str| match line.starts_with('+') && !line.starts_with("+++") {
            true => format!("<span class=\"add\">{}</span>", escape(line)),
            false => escape(line),
        };
        let lines: Vec<String> = section.patch.lines().map(line).collect();
        let _ = writeln!(out, "<pre>{}</pre>", lines.join("\n"));
    }
    if !section.foot.is_empty() {
        let _ = writeln!(out, "<p class=\"note\">{}</p>", escape(&section.foot));
    }
    out.push_str("</div>\n");
}

fn write_row(row: &Row, sparks: &mut usize, out: &mut String) {
    let _ = write!(out, "<tr><td><div class=\"what\">{}</div>", escape(&row.head));
    for note in &row.notes {
        let _ = write!(out, "<div class=\"note\">{}</div>", escape(note));
    }
    if let Some(share) = row.share {
        let percent = (100.0 * share).clamp(1.0, 100.0);
        let _ = write!(out, "<div class=\"bar\"><div class=\"fill\" style=\"width:{percent:.0}%\"></div></div>");
    }
    let _ = write!(out, "</td><td class=\"fig\">{}", escape(&row.figure));
    if !row.sparks.is_empty() {
        let _ = write!(
            out,
            "<br><img src=\"cid:spark-{sparks}\" width=\"112\" height=\"28\" alt=\"when they came\" style=\"margin-top:4px\">"
        );
        *sparks += 1;
    }
    out.push_str("</td></tr>\n");
}
