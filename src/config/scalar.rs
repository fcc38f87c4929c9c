//! Texts into typed values: durations, sizes, rates, paces, times, addresses.
//!
//! Deliberately one text at a time and without its place: the bytes that are wrong are told, where they are known.

use std::ops::Range;
use std::time::Duration;

use super::field::Form;
use super::findings::{Complaint, quoted, suggestion};
use super::test_file::expectation::Count as Tally;
use super::value::Value;
use crate::domain::matcher::{Matcher, Operator, alertmanager};
use crate::domain::policy::Pace;
use crate::domain::{Kind, Severity, Status, Timestamp, Zone, duration};
use crate::formats::mapping::{self, Extract, Grammar, TimeForm};
use crate::sinks::receiver::{Mailbox, read_url};

/// A text that does not have its form.
pub(super) struct Misfit {
    pub(super) complaint: Complaint,
    /// The bytes that are wrong; empty = all of it.
    pub(super) at: Range<usize>,
}

impl From<Complaint> for Misfit {
    fn from(complaint: Complaint) -> Self {
        Self { complaint, at: 0..0 }
    }
}

/// Reads a text of a form that is no list and no map.
pub(super) fn read(text: &str, form: Form) -> Result<Value, Misfit> {
    Ok(match form {
        Form::Text | Form::Path => Value::Text(read_text(text, 4000)?),
        Form::Name => Value::Text(read_text(text, 100)?),
        Form::Flag => Value::Flag(read_flag(text)?),
        Form::Word(words) => Value::Text(read_word(text, &words())?),
        Form::Duration(least, most) => Value::Duration(read_duration(text, least, most)?),
        Form::Pace(least) => Value::Pace(read_pace(text, least)?),
        Form::Matcher => Value::Matcher(read_matcher(text)?),
        Form::PageMatcher => Value::Matcher(read_page_matcher(text)?),
        Form::EitherMatcher => Value::Matcher(read_either_matcher(text)?),
        Form::LabelMatcher => Value::Matcher(read_label_matcher(text)?),
        Form::Range(least, most) => Value::Range(read_range(text, least, most)?),
        Form::Time => Value::Time(read_time(text)?),
        Form::Zone => Value::Text(read_zone(text)?),
        Form::Hours => Value::Hours(read_hours(text)?),
        Form::Clock => Value::Text(read_clock(text)?),
        Form::Allowance => Value::Allowance(read_allowance(text)?),
        Form::Number(least, most) => Value::Number(read_number(text, least, most)?),
        Form::Whole(least, most) => Value::Whole(read_whole(text, least, most)?),
        Form::Count(unit, least, most) => {
            Value::Whole(read_whole(text.strip_suffix(unit).unwrap_or(text).trim_end(), least, most)?)
        }
        Form::Size(least, most) => Value::Whole(read_size(text, least, most)?),
        Form::Rate => Value::Number(read_rate(text)?),
        Form::Address => Value::Text(read_address(text)?),
        Form::Url => Value::Text(read_web_address(text)?),
        Form::Mail => Value::Text(read_mail(text)?),
        Form::Tally => Value::Text(read_tally(text)?),
        Form::Grammar(grammar) => Value::Text(read_grammar(text, grammar)?),
        Form::Extract(_) => Value::Text(read_grammar(text, Grammar::Expression)?),
        Form::Pattern => Value::Text(read_pattern(text)?),
        Form::TimeFormat => Value::Text(read_time_format(text)?),
        Form::Offset => Value::Text(read_offset(text)?),
        Form::List(_) | Form::OneOrMany(_) | Form::Object(_) | Form::Again(..) | Form::Map(_) | Form::ListOrMap(..) => {
            return Err(Complaint::new(format!("expected {}, found a text", form.wanted())).into());
        }
    })
}

fn read_grammar(text: &str, grammar: Grammar) -> Result<String, Misfit> {
    read_text(text, 1000)?;
    mapping::check(text, grammar).map(|()| text.to_owned()).map_err(|(message, help, at)| {
        let message = if at == (0..text.len()) { format!("{}: {message}", quoted(text)) } else { message };
        Misfit { complaint: Complaint::new(message).help(help), at }
    })
}

fn read_pattern(text: &str) -> Result<String, Complaint> {
    read_text(text, 1000)?;
    let help = "the first group in parentheses is what counts: `'host ([a-z0-9-]+)'`";
    Extract::pattern(text).map(|_| text.to_owned()).map_err(|message| Complaint::new(message).help(help))
}

fn read_time_format(text: &str) -> Result<String, Complaint> {
    read_text(text, 200)?;
    let help = "write it as for `strptime`: `'%Y-%m-%d %H:%M:%S %z'`; RFC 3339 and epoch numbers are read without one";
    TimeForm::check(text)
        .map(|()| text.to_owned())
        .map_err(|why| Complaint::new(format!("{} is no time format: {why}", quoted(text))).help(help))
}

fn read_offset(text: &str) -> Result<String, Complaint> {
    TimeForm::new(Vec::new(), Some(text))
        .map(|_| text.to_owned())
        .map_err(|why| Complaint::new(format!("{} is {why}", quoted(text))).help("write `UTC` or `+01:00`, in quotes"))
}

fn read_tally(text: &str) -> Result<String, Complaint> {
    let wrong = || {
        Complaint::new(format!("{} does not say how often", quoted(text)))
            .help("write `3`, `\">= 3\"`, `\"<= 3\"` or `\"2..5\"`")
    };
    Tally::parse(text).map(|_| text.to_owned()).ok_or_else(wrong)
}

fn read_text(text: &str, longest: usize) -> Result<String, Complaint> {
    if text.trim().is_empty() {
        return Err(Complaint::new("an empty text").help("write something, or leave the key out"));
    }
    if text.chars().count() > longest {
        return Err(Complaint::new(format!("a text longer than {longest} characters")));
    }
    if text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return Err(Complaint::new("a control character in a text"));
    }
    Ok(text.to_owned())
}

fn read_flag(text: &str) -> Result<bool, Complaint> {
    match text {
        "true" | "True" | "TRUE" => Ok(true),
        "false" | "False" | "FALSE" => Ok(false),
        _ => Err(Complaint::new(format!("expected `true` or `false`, found {}", quoted(text)))
            .help("write `true` or `false`")),
    }
}

fn read_word(text: &str, words: &[&str]) -> Result<String, Complaint> {
    if words.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(Complaint::new(format!("unknown word {}", quoted(text))).help(suggestion(text, words.iter().copied())))
}

fn read_duration(text: &str, least: &str, most: &str) -> Result<Duration, Complaint> {
    let span = duration::parse(text)
        .map_err(|error| Complaint::new(format!("{} is no duration", quoted(text))).help(error.to_string()))?;
    let bound = |text| duration::parse(text).unwrap_or_default();
    if span < bound(least) || span > bound(most) {
        return Err(out_of_range(text, least, most));
    }
    Ok(span)
}

fn out_of_range(text: &str, least: impl std::fmt::Display, most: impl std::fmt::Display) -> Complaint {
    Complaint::new(format!("{} is out of range", quoted(text))).help(format!("allowed: {least} to {most}"))
}

fn read_pace(text: &str, least: u32) -> Result<Pace, Misfit> {
    let wrong = || Complaint::new(format!("{} is no pace", quoted(text))).help("write it as `5 changes in 20m`");
    let (changes, window) = text.split_once(" in ").ok_or_else(wrong)?;
    let number = changes.trim().strip_suffix("changes").or_else(|| changes.trim().strip_suffix("change"));
    let number = number.ok_or_else(wrong)?.trim();
    let changes: u32 = number.parse().map_err(|_| wrong())?;
    if !(least..=Pace::MOST_CHANGES).contains(&changes) {
        let complaint =
            out_of_range(number, format!("{least} change{}", if least == 1 { "" } else { "s" }), Pace::MOST_CHANGES);
        return Err(Misfit { complaint, at: 0..number.len() });
    }
    let at = text.len() - window.len();
    let window =
        read_duration(window.trim(), "1m", "7d").map_err(|complaint| Misfit { complaint, at: at..text.len() })?;
    Ok(Pace { changes, window })
}

/// Longer matchers are refused.
const LONGEST_MATCHER: usize = 2000;

fn read_matcher(text: &str) -> Result<Matcher, Misfit> {
    let matcher = read_any_matcher(text)?;
    match unknown_word(&matcher) {
        None => Ok(matcher),
        Some(complaint) => {
            let at = text.rfind(matcher.value()).unwrap_or(0);
            Err(Misfit { complaint, at: at..at + matcher.value().len() })
        }
    }
}

fn read_any_matcher(text: &str) -> Result<Matcher, Misfit> {
    if text.len() > LONGEST_MATCHER {
        let complaint = Complaint::new(format!("a matcher longer than {LONGEST_MATCHER} bytes"));
        return Err(complaint.help("write several rules, or match a label").into());
    }
    Matcher::parse(text)
        .map_err(|error| Misfit { complaint: Complaint::new(error.message).help(error.help), at: error.at })
}

/// What is wrong with a matcher on a field that has only some words, none of which it asks for.
pub(super) fn unknown_word(matcher: &Matcher) -> Option<Complaint> {
    let known: Vec<&str> = match matcher.name() {
        "severity" => Severity::ALL.iter().map(|word| word.word()).collect(),
        "kind" => Kind::ALL.iter().map(|word| word.word()).collect(),
        "status" => Status::ALL.iter().map(|word| word.word()).collect(),
        _ => return None,
    };
    let exact = matches!(matcher.operator(), Operator::Equal | Operator::NotEqual);
    (exact && !known.contains(&matcher.value())).then(|| {
        let message = format!("there is no {} {}", matcher.name(), quoted(matcher.value()));
        Complaint::new(message).help(suggestion(matcher.value(), known.into_iter()))
    })
}

/// In the syntax of rule files, or else in Alertmanager's, which knows quoted names.
fn read_either_matcher(text: &str) -> Result<Matcher, Misfit> {
    read_any_matcher(text).or_else(|misfit| read_label_matcher(text).map_err(|_| misfit))
}

fn read_label_matcher(text: &str) -> Result<Matcher, Complaint> {
    const HELP: &str =
        "write it as Alertmanager does: 'team=\"db\"', 'team!~\"db|web\"', '\"my label\"=\"x\"'; one matcher an entry";
    if text.len() > LONGEST_MATCHER {
        return Err(Complaint::new(format!("a matcher longer than {LONGEST_MATCHER} bytes")));
    }
    alertmanager::matcher(text).map_err(|error| Complaint::new(error).help(HELP))
}

/// `1..5` or `1`, without 0 where negative numbers count from the end.
fn read_range(text: &str, least: i32, most: i32) -> Result<(i32, i32), Complaint> {
    let wrong = || {
        Complaint::new(format!("{} is no range", quoted(text))).help(format!("write `N` or `N..M`, {least} to {most}"))
    };
    let (from, to) = text.split_once("..").unwrap_or((text, text));
    let (from, to): (i32, i32) = (from.trim().parse().map_err(|_| wrong())?, to.trim().parse().map_err(|_| wrong())?);
    let placed = |end: i32| (least..=most).contains(&end) && (end != 0 || least > 0);
    let backwards = from > to && (from < 0) == (to < 0);
    if placed(from) && placed(to) && !backwards { Ok((from, to)) } else { Err(wrong()) }
}

/// What a page is counted by.
const PAGE_FIELDS: &[&str] = &["service", "host", "check", "severity"];

fn read_page_matcher(text: &str) -> Result<Matcher, Misfit> {
    let matcher = read_matcher(text)?;
    if PAGE_FIELDS.contains(&matcher.name()) {
        return Ok(matcher);
    }
    let at = text.find(matcher.name()).unwrap_or(0);
    let complaint = Complaint::new(format!("a page has no {}", quoted(matcher.name())))
        .help("budgets see `service`, `host`, `check` and `severity` of the page");
    Err(Misfit { complaint, at: at..at + matcher.name().len() })
}

fn read_time(text: &str) -> Result<Timestamp, Complaint> {
    let wrong = || {
        Complaint::new(format!("{} is no time", quoted(text)))
            .help("write it with its zone: `2026-11-23T02:00:00Z` or `2026-11-23T03:00:00+01:00`")
    };
    let time: jiff::Timestamp = text.trim().parse().map_err(|_| wrong())?;
    let time = Timestamp::from_millis(time.as_millisecond());
    if (Timestamp::EPOCH..=Timestamp::MAX).contains(&time) { Ok(time) } else { Err(wrong()) }
}

fn read_zone(text: &str) -> Result<String, Complaint> {
    let zone = Zone::named(text.trim());
    zone.map(|zone| zone.name().to_owned()).ok_or_else(|| {
        let near = Zone::nearest(text).map_or_else(String::new, |name| format!("did you mean `{name}`? "));
        Complaint::new(format!("there is no time zone {}", quoted(text)))
            .help(format!("{near}write a name of the IANA database: `Europe/Berlin`, `America/New_York`, `UTC`"))
    })
}

/// From and to, as minutes of the day.
/// The minute of the day of a time such as `08:00`; `None` = it is none.
pub(super) fn minute_of_day(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let two = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let (hour, minute): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    (two(hours) && two(minutes) && hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

fn read_clock(text: &str) -> Result<String, Complaint> {
    let wrong =
        || Complaint::new(format!("{} is no time of the day", quoted(text))).help("write it as `08:00`, in quotes");
    minute_of_day(text).map(|_| text.trim().to_owned()).ok_or_else(wrong)
}

fn read_hours(text: &str) -> Result<(u16, u16), Complaint> {
    let wrong = || Complaint::new(format!("{} are no hours", quoted(text))).help("write them as `22:00-07:00`");
    let (from, to) = text.split_once('-').ok_or_else(wrong)?;
    let midnight = (to.trim() == "24:00").then_some(24 * 60);
    let (from, to) =
        (minute_of_day(from).ok_or_else(wrong)?, midnight.or_else(|| minute_of_day(to)).ok_or_else(wrong)?);
    if from == to {
        return Err(Complaint::new(format!("{} have no length", quoted(text))).help("for all day write `N a day`"));
    }
    Ok((from, to))
}

/// How many pages, and the word of what they are counted by.
fn read_allowance(text: &str) -> Result<(u32, &'static str), Complaint> {
    let wrong = || {
        Complaint::new(format!("{} does not say how many pages", quoted(text)))
            .help("write `2 a night`, `5 a day` or `20 a week`")
    };
    let rest = text.trim().strip_prefix("at most ").unwrap_or(text.trim());
    let (number, per) = rest.split_once(" a ").ok_or_else(wrong)?;
    let pages = read_whole(number.trim(), 0, 1000)?;
    let per = ["night", "day", "week"].into_iter().find(|word| *word == per.trim()).ok_or_else(wrong)?;
    Ok((u32::try_from(pages).unwrap_or(0), per))
}

fn read_number(text: &str, least: f64, most: f64) -> Result<f64, Complaint> {
    let number: f64 = text.parse().map_err(|_| {
        Complaint::new(format!("{} is no number", quoted(text))).help(format!("allowed: {least} to {most}"))
    })?;
    // Not a number fails both comparisons, too.
    if number >= least && number <= most { Ok(number) } else { Err(out_of_range(text, least, most)) }
}

fn read_whole(text: &str, least: u64, most: u64) -> Result<u64, Complaint> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(
            Complaint::new(format!("{} is no whole number", quoted(text))).help(format!("allowed: {least} to {most}"))
        );
    }
    match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(out_of_range(text, least, most)),
    }
}

/// Units of sizes, largest first in each family.
const SIZES: &[(&str, u64)] = &[
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1000),
    ("KB", 1000),
    ("B", 1),
];

fn read_size(text: &str, least: u64, most: u64) -> Result<u64, Complaint> {
    let wrong = || {
        Complaint::new(format!("{} is no size", quoted(text)))
            .help("write it as `64KiB`, `10MB` or `2GB` (1 kB = 1000 bytes, 1 KiB = 1024 bytes)")
    };
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
    let unit = text[digits..].trim_start();
    let (_, factor) = SIZES.iter().find(|(word, _)| *word == unit).ok_or_else(wrong)?;
    match number.checked_mul(*factor) {
        Some(bytes) if (least..=most).contains(&bytes) => Ok(bytes),
        _ => Err(out_of_range(text, write_size(least), write_size(most))),
    }
}

/// Writes a size so that it reads as the same again, in the largest unit that divides it.
pub(super) fn write_size(bytes: u64) -> String {
    let fits = |factor: u64| bytes >= factor && bytes.is_multiple_of(factor);
    let best = SIZES.iter().filter(|(_, factor)| fits(*factor)).min_by_key(|(_, factor)| bytes / factor);
    best.map_or_else(|| format!("{bytes}B"), |(unit, factor)| format!("{}{unit}", bytes / factor))
}

/// The most events a second that a rate may name.
const FASTEST: f64 = 1e9;

fn read_rate(text: &str) -> Result<f64, Complaint> {
    let wrong =
        || Complaint::new(format!("{} is no rate", quoted(text))).help("write it as `1000 events/s` or `60 events/m`");
    let (count, unit) = text.split_once('/').ok_or_else(wrong)?;
    let number: f64 = count.trim().trim_end_matches("events").trim().parse().map_err(|_| wrong())?;
    let seconds = match unit.trim() {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong()),
    };
    let rate = number / seconds;
    if rate > 0.0 && rate <= FASTEST { Ok(rate) } else { Err(wrong()) }
}

fn read_address(text: &str) -> Result<String, Complaint> {
    let wrong = || {
        Complaint::new(format!("{} is no address", quoted(text)))
            .help("write it as `HOST:PORT`: `127.0.0.1:9393`, `[::1]:9393`, or `0.0.0.0:9393` for all networks")
    };
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let bracketed = host.starts_with('[') && host.ends_with(']');
    let odd =
        host.is_empty() || host.contains(|c: char| c.is_whitespace() || c == '/') || (host.contains(':') && !bracketed);
    if odd || port.parse::<u16>().is_err() { Err(wrong()) } else { Ok(text.to_owned()) }
}

fn read_web_address(text: &str) -> Result<String, Complaint> {
    // The text is not repeated: it may be secret.
    read_url(text).map(|_| text.to_owned()).map_err(|error| Complaint::new(error.to_string()))
}

fn read_mail(text: &str) -> Result<String, Complaint> {
    text.parse::<Mailbox>().map(|_| text.to_owned()).map_err(|_| {
        Complaint::new(format!("{} is no mail address", quoted(text)))
            .help("write it as `ops@example.org` or `Ops <ops@example.org>`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_they_are_written() {
        for bytes in [1, 999, 1000, 1024, 1_500_000, 10_000_000, 1 << 26, 3 << 40] {
            assert_eq!(read_size(&write_size(bytes), 0, u64::MAX).ok(), Some(bytes));
        }
        for text in ["", "10", "MB", "1.5MB", "10 mb", "99999999999TB", "-1B"] {
            assert!(read_size(text, 0, u64::MAX).is_err(), "{text}");
        }
    }

    #[test]
    fn a_rate_is_a_number_of_events_in_a_unit_of_time() {
        assert_eq!(read_rate("1000 events/s").ok(), Some(1000.0));
        assert_eq!(read_rate("60/m").ok(), Some(1.0));
        for text in ["1000", "0/s", "x/s", "1/d", "inf/s", "NaN/s"] {
            assert!(read_rate(text).is_err(), "{text}");
        }
    }
}
