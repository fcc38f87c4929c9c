//! Times and spans as people read them. Always UTC, and says so.

use crate::domain::Timestamp;

fn format(ts: Timestamp, pattern: &str) -> String {
    match jiff::Timestamp::from_millisecond(ts.millis()) {
        Ok(time) => time.strftime(pattern).to_string(),
        // Outside of the calendar (before the year -9999): the number is the best there is.
        Err(_) => ts.to_string(),
    }
}

/// `2026-11-23T03:12:05Z`
#[must_use]
pub fn iso(ts: Timestamp) -> String {
    format(ts, "%Y-%m-%dT%H:%M:%SZ")
}

/// `03:12 UTC`, with the day in front when that is not the day of `now`.
#[must_use]
pub fn clock(ts: Timestamp, now: Timestamp) -> String {
    let same_day = ts.hour().div_euclid(24) == now.hour().div_euclid(24);
    format(ts, if same_day { "%H:%M UTC" } else { "%Y-%m-%d %H:%M UTC" })
}

/// A span in seconds in its two largest units: `45 s`, `12 min`, `3 h 20 min`, `2 d 4 h`.
#[must_use]
pub fn span(secs: f64) -> String {
    let pair = |large: u64, large_unit: &str, small: u64, small_unit: &str| match small {
        0 => format!("{large} {large_unit}"),
        _ => format!("{large} {large_unit} {small} {small_unit}"),
    };
    let secs = secs.max(0.0).round() as u64;
    match secs {
        0..60 => format!("{secs} s"),
        60..3_600 => format!("{} min", secs / 60),
        3_600..86_400 => pair(secs / 3_600, "h", secs % 3_600 / 60, "min"),
        _ => pair(secs / 86_400, "d", secs % 86_400 / 3_600, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_short_to_read() {
        let read = [0.0, 59.6, 60.0, 754.0, 3_600.0, 12_000.0, 86_400.0, 187_200.0, -5.0].map(span);
        assert_eq!(read, ["0 s", "1 min", "1 min", "12 min", "1 h", "3 h 20 min", "1 d", "2 d 4 h", "0 s"]);
    }

    #[test]
    fn another_day_is_named() {
        let at = Timestamp::from_millis(1_795_400_000_000);
        assert_eq!(iso(at), "2026-11-23T02:13:20Z");
        assert_eq!(clock(at, at.after(600.0)), "02:13 UTC");
        assert_eq!(clock(at, at.after(86_400.0)), "2026-11-23 02:13 UTC");
    }
}
