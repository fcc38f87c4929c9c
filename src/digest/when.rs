//! Times as the people of a zone read them.

use crate::domain::Timestamp;
use crate::domain::zone::{Day, Zone};

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `Mon 2 Mar`.
pub(super) fn day(zone: &Zone, at: Timestamp) -> String {
    let date = Day::of(zone.clock(at).day());
    let month = MONTHS.get(usize::from(date.month).wrapping_sub(1)).copied().unwrap_or_default();
    format!("{} {} {month}", DAYS[date.weekday], date.day)
}

/// `14:05`.
pub(super) fn clock(zone: &Zone, at: Timestamp) -> String {
    zone.clock(at).time_of_day()
}

/// `Mon 2 Mar 14:05`.
pub(super) fn moment(zone: &Zone, at: Timestamp) -> String {
    format!("{} {}", day(zone, at), clock(zone, at))
}

/// [`moment`], or `Fri 1 Jan 2027` where the year is not that of `now`.
pub(super) fn far(zone: &Zone, at: Timestamp, now: Timestamp) -> String {
    let year = |at| Day::of(zone.clock(at).day()).year;
    if year(at) == year(now) { moment(zone, at) } else { format!("{} {}", day(zone, at), year(at)) }
}

/// `Mon 2 Mar 08:00 – Mon 9 Mar 08:00 2026, Europe/Berlin`.
pub(super) fn period(zone: &Zone, from: Timestamp, until: Timestamp) -> String {
    let year = Day::of(zone.clock(until).day()).year;
    format!("{} – {} {year}, {}", moment(zone, from), moment(zone, until), zone.name())
}

/// What a length of time is called when it is over: `Last week`, `In the last day`.
pub(super) fn span(from: Timestamp, until: Timestamp) -> String {
    let hours = (until.since(from) / 3600.0).round() as u64;
    match hours {
        0..=1 => "In the last hour".to_owned(),
        23..=25 => "In the last day".to_owned(),
        166..=170 => "Last week".to_owned(),
        2..=47 => format!("In the last {hours} hours"),
        _ => format!("In the last {} days", (hours + 12) / 24),
    }
}
