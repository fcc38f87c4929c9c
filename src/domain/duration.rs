//! Durations as people write them: `30s`, `5m`, `1h30m`, `2d`.
//!
//! Deliberately no fractions and no words: one form, which [`write()`] writes and [`parse`] reads.

use std::time::Duration;

/// The units, longest first, in milliseconds.
const UNITS: &[(&str, u64)] =
    &[("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// The longest duration that is read: 100 years.
pub const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

/// A text that is no duration: what is wrong, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Nothing there.
    #[error("a duration is missing: write it as `30s`, `5m`, `1h30m` or `2d`")]
    Empty,
    /// A number without a unit.
    #[error("the unit is missing: write `{0}s`, `{0}m`, `{0}h` or `{0}d`")]
    NoUnit(String),
    /// A fraction.
    #[error("write it without a fraction: `1h30m` instead of `1.5h`")]
    Fraction,
    /// A unit that does not exist.
    #[error("the units are ms, s (seconds), m (minutes), h (hours), d (days) and w (weeks), as in `1h30m`")]
    Unit,
    /// A unit twice, or a longer one after a shorter one.
    #[error("write each unit once, the longest first: `1h30m`")]
    Order,
    /// More than [`LONGEST`].
    #[error("the longest duration is 100 years")]
    TooLong,
}

/// Reads a duration. Units go from long to short, each at most once; plain `0` is allowed.
///
/// # Errors
/// When the text is no duration; the error says how to write one.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(DurationError::Empty);
    }
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    let mut millis: u64 = 0;
    let mut shortest = u64::MAX;
    while !rest.is_empty() {
        let (number, after) = split(rest, |c| c.is_ascii_digit());
        let (unit, after) = split(after, |c| c.is_alphabetic());
        if number.is_empty() {
            return Err(if rest.starts_with(['.', ',']) { DurationError::Fraction } else { DurationError::Unit });
        }
        let size = match UNITS.iter().find(|(word, _)| *word == unit) {
            Some((_, size)) => *size,
            None if after.starts_with(['.', ',']) => return Err(DurationError::Fraction),
            None if unit.is_empty() && after.is_empty() => return Err(DurationError::NoUnit(number.to_owned())),
            None => return Err(DurationError::Unit),
        };
        if size >= shortest {
            return Err(DurationError::Order);
        }
        shortest = size;
        let part = number.parse::<u64>().ok().and_then(|number| number.checked_mul(size));
        millis = part.and_then(|part| millis.checked_add(part)).ok_or(DurationError::TooLong)?;
        rest = after;
    }
    let span = Duration::from_millis(millis);
    if span > LONGEST { Err(DurationError::TooLong) } else { Ok(span) }
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

/// Writes a duration so that [`parse`] reads the same again, to the millisecond: `1h30m`. Weeks are written in days.
#[must_use]
pub fn write(span: Duration) -> String {
    let mut millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, size) in UNITS.iter().filter(|(unit, _)| *unit != "w") {
        if millis / size > 0 {
            text.push_str(&format!("{}{unit}", millis / size));
            millis %= size;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, secs) in
            [("30s", 30), ("5m", 300), ("4h", 14_400), ("2d", 172_800), ("1h30m", 5400), ("1w", 604_800), ("0", 0)]
        {
            assert_eq!(parse(text), Ok(Duration::from_secs(secs)), "{text}");
        }
        assert_eq!(parse("250ms"), Ok(Duration::from_millis(250)));
    }

    #[test]
    fn a_bad_duration_says_how_to_write_a_good_one() {
        for (text, error) in [
            ("", DurationError::Empty),
            ("30", DurationError::NoUnit("30".to_owned())),
            ("1.5h", DurationError::Fraction),
            ("5 m", DurationError::Unit),
            ("5min", DurationError::Unit),
            ("30m1h", DurationError::Order),
            ("1m1m", DurationError::Order),
            ("-5m", DurationError::Unit),
            ("99999999999999999999s", DurationError::TooLong),
            ("101w1d99999999h", DurationError::TooLong),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for millis in [0, 1, 999, 1000, 61_000, 5_400_000, 86_400_000, 90_061_001, 604_800_000] {
            let span = Duration::from_millis(millis);
            assert_eq!(parse(&write(span)), Ok(span));
        }
    }
}
