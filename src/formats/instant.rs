//! Times as tools write them: RFC 3339, epoch seconds, milliseconds or nanoseconds, as numbers or strings.

use crate::domain::Timestamp;

use super::scalar::Scalar;

/// A year of 365 days, in milliseconds.
const YEAR: i64 = 365 * 86_400_000;

/// Reads a time of the contract: RFC 3339, or epoch seconds as a number.
///
/// # Errors
/// What is wrong, and how to mend it.
pub(super) fn strict(value: &Scalar<'_>) -> Result<Timestamp, (String, &'static str)> {
    const FORM: &str = "write RFC 3339 (\"2026-11-23T05:00:00Z\") or Unix epoch seconds (1795410000.5)";
    match value {
        Scalar::Whole(secs) => epoch_secs(*secs as f64),
        Scalar::Number(secs) => epoch_secs(*secs),
        Scalar::Text(text) => {
            rfc3339(text).ok_or_else(|| (format!("`{}` is no time", text.chars().take(60).collect::<String>()), FORM))
        }
        other => Err((format!("is {}, not a time", other.noun()), FORM)),
    }
}

fn epoch_secs(secs: f64) -> Result<Timestamp, (String, &'static str)> {
    Timestamp::from_secs(secs).ok_or_else(|| {
        let help = if secs < 0.0 {
            "times before 1970-01-01T00:00:00Z are not taken"
        } else {
            "epoch seconds are meant; milliseconds must be divided by 1000"
        };
        // Hundreds of digits tell nobody anything.
        let written = if secs.abs() < 1e15 { secs.to_string() } else { format!("{secs:e}") };
        (format!("{written} lies outside the years 1970 to 9999"), help)
    })
}

/// RFC 3339 within the years 1970 to 9999; more than three fractional digits are cut off.
pub(super) fn rfc3339(text: &str) -> Option<Timestamp> {
    let millis = match text.parse::<jiff::Timestamp>() {
        Ok(at) => at.as_millisecond(),
        // jiff ends a day before the year 9999 does; the year before it has as many days.
        Err(_) => {
            format!("9998{}", text.strip_prefix("9999")?).parse::<jiff::Timestamp>().ok()?.as_millisecond() + YEAR
        }
    };
    (0..=Timestamp::MAX.millis()).contains(&millis).then_some(Timestamp::from_millis(millis))
}

/// Epoch seconds, milliseconds, microseconds or nanoseconds, told apart by size (they do not overlap between
/// 1973 and 5138).
pub(super) fn epoch(number: f64) -> Option<Timestamp> {
    let secs = match number.abs() {
        n if n < 1e11 => number,
        n if n < 1e14 => number / 1e3,
        n if n < 1e17 => number / 1e6,
        _ => number / 1e9,
    };
    Timestamp::from_secs(secs)
}

/// Any of the forms in which tools write times. `None` also for what an unset variable leaves behind (`N/A`).
#[must_use]
pub fn lenient(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return epoch(number);
    }
    // Some tools leave out the zone and mean UTC.
    rfc3339(text).or_else(|| rfc3339(&format!("{text}Z")))
}

#[cfg(test)]
mod tests {
    use super::lenient;

    #[test]
    fn tools_write_one_time_in_many_ways() {
        for text in [
            "1605133931",
            "1605133931000",
            "1605133931000000",
            "1605133931000000000",
            "2020-11-11T22:32:11Z",
            "2020-11-11T23:32:11+01:00",
            "2020-11-11T22:32:11.000000009Z",
            "2020-11-11 22:32:11Z",
            "2020-11-11T22:32:11",
            " 2020-11-11T22:32:11+0000 ",
        ] {
            assert_eq!(lenient(text).map(|at| at.millis()), Some(1_605_133_931_000), "{text}");
        }
        for text in ["", "N/A", "$TIMESTAMP", "0001-01-01T00:00:00Z", "-5", "NaN", "inf", "yesterday"] {
            assert_eq!(lenient(text), None, "{text}");
        }
    }
}
