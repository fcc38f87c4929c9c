//! Times in the forms that mapping files name, and in those that tools commonly use.

use jiff::fmt::strtime;
use jiff::tz::{Offset, TimeZone};

use crate::domain::Timestamp;
use crate::formats::instant;

/// Tried after RFC 3339 and epoch numbers: what Go, `date`, mail and databases print.
const COMMON: &[&str] = &[
    "%Y-%m-%d %H:%M:%S%.f %z",
    "%Y-%m-%dT%H:%M:%S%.f%z",
    "%a %b %d %H:%M:%S %z %Y",
    "%a, %d %b %Y %H:%M:%S %z",
    "%a %b %d %H:%M:%S %Y",
];

/// How a time is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimeForm {
    formats: Vec<String>,
    /// Seconds east of Greenwich, where a time says no zone.
    offset: i32,
}

impl TimeForm {
    /// Times in these formats (as of `strptime`), or in one of the common ones; where they say no zone in `zone`
    /// (`UTC`, `+01:00`).
    ///
    /// # Errors
    /// When the zone is none.
    pub fn new(formats: Vec<String>, zone: Option<&str>) -> Result<Self, String> {
        let offset = match zone {
            None => 0,
            Some(zone) => seconds_east(zone).ok_or("no offset from UTC")?,
        };
        Ok(Self { formats, offset })
    }

    /// Whether `format` can be used at all.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(format: &str) -> Result<(), String> {
        let sample = jiff::Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
        let written = strtime::format(format.replace("%Z", "%z"), &sample).map_err(|error| error.to_string())?;
        parse(format, &written, 0).map(drop).ok_or_else(|| "no date and time of day can be read by it".to_owned())
    }

    /// The time that a text tells; `None` = none within the years 1970 to 9999.
    pub(super) fn read(&self, text: &str) -> Option<Timestamp> {
        let text = text.trim();
        let read = self.formats.iter().find_map(|format| parse(format, text, self.offset));
        // The first day of the epoch is what an unset time looks like.
        read.or_else(|| self.common(text)).filter(|time| time.millis() > 86_400_000)
    }

    fn common(&self, text: &str) -> Option<Timestamp> {
        // Without a zone the offset counts; `lenient` would take UTC.
        if self.offset != 0
            && let Some(time) = parse("%Y-%m-%d %H:%M:%S%.f", &text.replacen('T', " ", 1), self.offset)
        {
            return Some(time);
        }
        instant::lenient(text).or_else(|| COMMON.iter().find_map(|format| parse(format, text, self.offset)))
    }
}

fn parse(format: &str, text: &str, offset: i32) -> Option<Timestamp> {
    let text = with_numeric_zone(text);
    let broken = strtime::parse(format.replace("%Z", "%z"), text.as_bytes()).ok()?;
    let time = match broken.to_timestamp() {
        Ok(time) => time,
        Err(_) => {
            let zone = TimeZone::fixed(Offset::from_seconds(offset).ok()?);
            zone.to_timestamp(broken.to_datetime().ok()?).ok()?
        }
    };
    let time = Timestamp::from_millis(time.as_millisecond());
    (Timestamp::EPOCH..=Timestamp::MAX).contains(&time).then_some(time)
}

/// `UTC` and `GMT` as `+0000`; a second naming of the zone (`+0000 UTC`) left out.
fn with_numeric_zone(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let named = |word: &&str| matches!(*word, "UTC" | "GMT" | "Z");
    let numeric = words.iter().any(|word| word.len() >= 5 && word.starts_with(['+', '-']));
    let words: Vec<&str> = words
        .into_iter()
        .filter(|word| !(numeric && named(word)))
        .map(|word| if named(&word) { "+0000" } else { word })
        .collect();
    words.join(" ")
}

/// `UTC`, `+01:00`, `-0530` as seconds east of Greenwich.
fn seconds_east(zone: &str) -> Option<i32> {
    if matches!(zone, "UTC" | "Z" | "GMT") {
        return Some(0);
    }
    let (sign, rest) = match zone.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let digits = rest.replace(':', "");
    if digits.len() != 4 {
        return None;
    }
    let (hours, minutes): (i32, i32) = (digits.get(..2)?.parse().ok()?, digits.get(2..)?.parse().ok()?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::TimeForm;

    #[test]
    fn tools_write_one_time_in_many_ways() {
        let form = TimeForm::default();
        for text in [
            "1605133931",
            "1605133931000",
            "2020-11-11T22:32:11.123456789Z",
            "2020-11-11T22:32:11+0000",
            "2020-11-11 22:32:11 UTC",
            "2020-11-11 22:32:11.25 +0000 UTC",
            "Wed Nov 11 22:32:11 UTC 2020",
            "Wed, 11 Nov 2020 22:32:11 GMT",
        ] {
            assert_eq!(form.read(text).map(|at| at.millis() / 1000), Some(1_605_133_931), "{text}");
        }
        for text in ["", "Never", "2020", "0001-01-01T00:00:00Z"] {
            assert!(form.read(text).is_none_or(|at| at.millis() < 3_000_000), "{text}");
        }
    }

    #[test]
    fn a_format_and_a_zone_read_local_times() {
        let form = TimeForm::new(vec!["%d.%m.%Y %H:%M:%S".to_owned()], Some("+02:00")).unwrap();
        assert_eq!(form.read("12.11.2020 00:32:11").map(|at| at.millis()), Some(1_605_133_931_000));
        assert_eq!(form.read("2020-11-12 00:32:11").map(|at| at.millis()), Some(1_605_133_931_000));
        assert!(TimeForm::new(Vec::new(), Some("Europe/Berlin")).is_err());
        assert!(TimeForm::check("%d.%m.%Y %H:%M:%S").is_ok() && TimeForm::check("%H:%M").is_err());
        assert!(TimeForm::check("%Q%%%").is_err());
    }
}
