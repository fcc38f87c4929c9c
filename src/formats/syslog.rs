//! Lines of syslog (RFC 5424, and the older RFC 3164) as forwarders post them: occurrences, which never resolve.
//!
//! Deliberately no listener on port 514: what forwards syslog can post it.

use crate::domain::template::mask_text;
use crate::domain::{Event, Severity, Status, Timestamp};

use super::{Body, Format, FormatError, Parsed, Rejected, instant, split};

pub(super) const FORMAT: Format = Format {
    name: "syslog",
    title: "syslog: lines of RFC 5424 and RFC 3164, as forwarders post them",
    setup: "a forwarder with an HTTP output (rsyslog omhttp, syslog-ng http(), Vector): /ingest/syslog, one line a message",
    signature: None,
    parse,
};

const HELP: &str =
    "a line looks like `<34>1 2026-11-23T05:00:00Z host app 77 - - text` or `<34>Nov 23 05:00:00 host app: text`";

fn parse(body: &Body<'_>) -> Result<Parsed, FormatError> {
    let mut parsed = Parsed::default();
    let mut any = false;
    for (index, line) in split::lines(body.bytes) {
        any = true;
        let line = String::from_utf8_lossy(line);
        match Line::modern(&line).or_else(|| Line::old(&line)) {
            Some(line) => parsed.keep(index, line.event(body.received)),
            None => parsed.reject(Rejected {
                index,
                path: String::new(),
                message: "is no line of syslog".to_owned(),
                help: Some(HELP.to_owned()),
            }),
        }
    }
    if any { Ok(parsed) } else { Err(FormatError::new(FORMAT.name, "the body is empty", HELP)) }
}

/// The parts of a line.
struct Line<'l> {
    /// Facility and severity: 8 times the one and the other.
    pri: Option<u32>,
    time: Option<Timestamp>,
    host: &'l str,
    app: &'l str,
    text: &'l str,
}

impl<'l> Line<'l> {
    /// `<PRI>1 TIME HOST APP PROC MSGID SD MESSAGE`
    fn modern(line: &'l str) -> Option<Self> {
        let (pri, rest) = pri(line)?;
        let mut words = rest.splitn(7, ' ');
        let mut word = || words.next();
        let (version, time, host, app, _, _) = (word()?, word()?, word()?, word()?, word()?, word()?);
        version.parse::<u8>().ok()?;
        let text = without_data(word()?)?;
        Some(Self { pri: Some(pri), time: instant::rfc3339(time), host, app, text })
    }

    /// `<PRI>Mmm dd hh:mm:ss HOST APP[PROC]: MESSAGE`, the PRI perhaps left out. It has neither year nor zone, so that it
    /// counts at its receipt.
    fn old(line: &'l str) -> Option<Self> {
        let (pri, rest) = match pri(line) {
            Some((pri, rest)) => (Some(pri), rest),
            None => (None, line),
        };
        let (time, rest) = rest.split_at_checked(15)?;
        let shape = time.bytes().zip("Aaa 00 00:00:00".bytes());
        let fits = |(byte, shape): (u8, u8)| match shape {
            b'A' => byte.is_ascii_uppercase(),
            b'a' => byte.is_ascii_lowercase(),
            b'0' => byte.is_ascii_digit() || byte == b' ',
            shape => byte == shape,
        };
        let (host, rest) = rest.strip_prefix(' ')?.split_once(' ')?;
        let (tag, text) = rest.split_once(':')?;
        let app = tag.split('[').next().unwrap_or(tag);
        let plain = !app.is_empty() && !app.contains(char::is_whitespace);
        ({ shape }.all(fits) && plain).then_some(Self { pri, time: None, host, app, text: text.trim_start() })
    }

    fn event(&self, received: Timestamp) -> Event {
        let named = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty() && text != "-");
        // The program alone would make one series of all that it says; the message without what varies tells them apart.
        let what: String = mask_text(self.text).chars().take(120).collect();
        let mut event = Event {
            ts: self.time,
            received: Some(received),
            service: named(self.app),
            host: named(self.host),
            severity: self.pri.map_or(Severity::Info, |pri| severity(pri % 8)),
            status: Status::Event,
            summary: named(self.text),
            ..Event::new(FORMAT.name, what)
        };
        if let Some(pri) = self.pri {
            event.labels.insert("facility".to_owned(), (pri / 8).to_string());
        }
        event
    }
}

/// The number in front, and what comes after it.
fn pri(line: &str) -> Option<(u32, &str)> {
    let (number, rest) = line.strip_prefix('<')?.split_once('>')?;
    let pri = number.parse().ok().filter(|pri| *pri <= 191)?;
    (number.len() <= 3 && number.bytes().all(|byte| byte.is_ascii_digit())).then_some((pri, rest))
}

/// The message behind the structured data: `-`, or brackets one after another.
fn without_data(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix('-') {
        return Some(rest.trim_start());
    }
    let mut rest = text;
    while let Some(inner) = rest.strip_prefix('[') {
        rest = &inner[end_of_element(inner)? + 1..];
    }
    (rest.len() < text.len()).then(|| rest.trim_start())
}

/// Where an element of structured data ends. In a value a bracket is escaped, and so is the escape (RFC 5424, section 6.3.3).
fn end_of_element(inner: &str) -> Option<usize> {
    let mut escaped = false;
    inner.bytes().position(|byte| {
        let ends = byte == b']' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

/// RFC 5424, section 6.2.1: 0 emergency, 1 alert, 2 critical, 3 error, 4 warning, 5 notice, 6 informational, 7 debug.
const fn severity(code: u32) -> Severity {
    match code {
        0..=2 => Severity::Critical,
        3 => Severity::Error,
        4 => Severity::Warning,
        _ => Severity::Info,
    }
}
