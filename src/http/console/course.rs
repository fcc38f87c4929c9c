//! The values of a series over the last day, drawn before the band in which they usually lie.
//!
//! Deliberately as long as there are values: a series that began an hour ago fills the width, too.

use std::fmt::Write as _;

use serde::Serialize;

use super::values::{Stretch, Told};
use crate::domain::Timestamp;
use crate::domain::explain::Habits;
use crate::replay::report::foreign;
use crate::replay::wording::{amount, day_and_time, several};

/// The drawing's own units.
const WIDTH: f64 = 1200.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 64.0;
const TOP: f64 = 14.0;
const FOOT: f64 = 24.0;
/// It is at least so long, in seconds.
const SHORTEST: f64 = 3_600.0;
/// Values further apart than this, in seconds, are not joined by a line.
const GAP: f64 = 1_900.0;

/// The drawing, and what it says.
#[derive(Debug, Serialize)]
pub(super) struct Course {
    svg: String,
    says: String,
}

struct Scale {
    from: Timestamp,
    long: f64,
    low: f64,
    high: f64,
}

impl Scale {
    fn x(&self, at: Timestamp) -> f64 {
        LEFT + (WIDTH - LEFT - 10.0) * (at.since(self.from) / self.long).clamp(0.0, 1.0)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - (HEIGHT - TOP) * (value - self.low) / (self.high - self.low).max(1e-12)
    }
}

/// The drawing; `None` = nothing was told lately.
pub(super) fn course(told: &Told, habits: &Habits, now: Timestamp) -> Option<Course> {
    let first = told.stretches.first()?;
    let from = first.at().min(now.after(-SHORTEST));
    let long = now.since(from).max(SHORTEST);
    let band = |at: Timestamp| usual(habits, now.since(at));
    let ranges = || habits.usual.iter().flatten();
    let values = || told.stretches.iter().flat_map(|one| [f64::from(one.low), f64::from(one.high)]);
    let all = || values().chain(told.limit).chain(ranges().flat_map(|range| [range.0, range.1]));
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let scale = Scale { from, long, low, high: if high > low { high } else { low + 1.0 } };
    let outside = |one: &Stretch| {
        band(one.at()).is_some_and(|range| f64::from(one.high) > range.1 || f64::from(one.low) < range.0)
    };
    let odd = told.stretches.iter().filter(|one| outside(one)).count();
    let mut svg = open(told, &scale, odd);
    draw_band(&mut svg, habits, (&scale, now));
    draw_limit(&mut svg, told, &scale);
    draw_values(&mut svg, told, &scale, outside);
    draw_times(&mut svg, &scale);
    Some(Course { svg: svg + "</svg>", says: says(told, odd, ranges().next().is_some()) })
}

/// From where to where a value is usual at the hour that was so many seconds ago.
fn usual(habits: &Habits, ago: f64) -> Option<(f64, f64)> {
    let hours = (ago / 3_600.0).floor() as i64;
    let hour = (habits.hour as i64 - hours).rem_euclid(24);
    habits.usual.get(usize::try_from(hour).ok()?).copied().flatten()
}

fn open(told: &Told, scale: &Scale, odd: usize) -> String {
    let values = several(told.stretches.len() as u64, "value");
    let mut svg = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"Its values over time: {values} of five minutes each, {odd} of them unusual\">",
        HEIGHT + FOOT
    );
    let unit = told.unit.as_deref().map(|unit| format!(" {}", foreign(unit, 12))).unwrap_or_default();
    let _ = write!(
        svg,
        "<path class=\"grid\" d=\"M{LEFT} {TOP}H{WIDTH}M{LEFT} {HEIGHT}H{WIDTH}\"/><text class=\"row\" x=\"{0:.0}\" y=\"{1:.0}\">{2}{unit}</text><text class=\"row\" x=\"{0:.0}\" y=\"{HEIGHT}\">{3}{unit}</text>",
        LEFT - 8.0,
        TOP + 4.0,
        amount(scale.high),
        amount(scale.low)
    );
    svg
}

/// A piece of the band for each hour of the drawing.
fn draw_band(svg: &mut String, habits: &Habits, (scale, now): (&Scale, Timestamp)) {
    let begin = now.millis().div_euclid(3_600_000);
    for back in 0..=(scale.long / 3_600.0).ceil() as i64 {
        let hour = (habits.hour as i64 - back).rem_euclid(24);
        let range = usize::try_from(hour).ok().and_then(|hour| habits.usual.get(hour).copied().flatten());
        let Some((from, to)) = range else { continue };
        let at = |hour: i64| scale.x(Timestamp::from_millis(hour * 3_600_000).min(now));
        let (x, end) = (at(begin - back), at(begin - back + 1));
        let _ = write!(
            svg,
            "<g><title>{hour:02}:00: {} to {} is usual</title><rect class=\"usual\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/></g>",
            amount(from),
            amount(to),
            scale.y(to),
            (end - x).max(0.0),
            (scale.y(from) - scale.y(to)).max(2.0)
        );
    }
}

fn draw_limit(svg: &mut String, told: &Told, scale: &Scale) {
    let Some(limit) = told.limit else { return };
    let y = scale.y(limit);
    let place = if y < TOP + 20.0 { y + 14.0 } else { y - 5.0 };
    let _ = write!(
        svg,
        "<path class=\"mark\" d=\"M{LEFT} {y:.1}H{WIDTH}\"/><text class=\"note\" x=\"{:.0}\" y=\"{place:.1}\">limit {}</text>",
        LEFT + 6.0,
        amount(limit)
    );
}

fn draw_values(svg: &mut String, told: &Told, scale: &Scale, outside: impl Fn(&Stretch) -> bool) {
    let (mut line, mut before): (String, Option<Timestamp>) = (String::new(), None);
    for one in &told.stretches {
        let joined = before.is_some_and(|before| one.at().since(before) <= GAP);
        let (x, y) = (scale.x(one.at()), scale.y(f64::from(one.last)));
        let _ = write!(line, "{}{x:.1} {y:.1}", if joined { "L" } else { "M" });
        before = Some(one.at());
    }
    let _ = write!(svg, "<path class=\"curve\" d=\"{line}\"/>");
    let radius = if told.stretches.len() > 60 { 2 } else { 3 };
    for one in &told.stretches {
        let (x, low, high) = (scale.x(one.at()), scale.y(f64::from(one.low)), scale.y(f64::from(one.high)));
        let odd = outside(one);
        let (class, unusual) = if odd { (" odd", ", unusual") } else { ("", "") };
        let between = if one.low < one.high {
            format!("{} to {}, last ", amount(f64::from(one.low)), amount(f64::from(one.high)))
        } else {
            String::new()
        };
        let _ = write!(
            svg,
            "<g class=\"value{class}\"><title>{} UTC: {between}{}{unusual}</title><path d=\"M{x:.1} {low:.1}V{high:.1}\"/><circle cx=\"{x:.1}\" cy=\"{:.1}\" r=\"{}\"/></g>",
            &day_and_time(one.at())[..11],
            amount(f64::from(one.last)),
            scale.y(f64::from(one.last)),
            if odd { 4 } else { radius }
        );
    }
}

fn draw_times(svg: &mut String, scale: &Scale) {
    for (part, anchor) in ["start", "middle", "middle", "middle", "end"].into_iter().enumerate() {
        let at = scale.from.after(scale.long * part as f64 / 4.0);
        let word = day_and_time(at);
        let _ = write!(
            svg,
            "<text class=\"note\" text-anchor=\"{anchor}\" x=\"{:.0}\" y=\"{:.0}\">{}</text>",
            scale.x(at),
            HEIGHT + 18.0,
            word.get(..11).unwrap_or(&word)
        );
    }
}

fn says(told: &Told, odd: usize, learned: bool) -> String {
    let band = match (learned, odd) {
        (false, _) => {
            "No band: what is usual is learned where a rule asks for it (adaptive), and known after two days."
                .to_owned()
        }
        (true, 0) => "The band is where its values usually lie, by the hour; all of these do.".to_owned(),
        (true, _) => format!(
            "The band is where its values usually lie, by the hour; {} of these {} outside.",
            odd,
            if odd == 1 { "lies" } else { "lie" }
        ),
    };
    let last = told.stretches.last().map(|one| amount(f64::from(one.last))).unwrap_or_default();
    let unit = told.unit.as_deref().map(|unit| format!(" {unit}")).unwrap_or_default();
    format!(
        "Lowest, highest and last of each five minutes, a day at most, and since Squelch was started. Latest: {last}{unit}. {band}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Event;
    use crate::http::console::values::Values;

    #[test]
    fn values_are_drawn_before_their_band_and_what_lies_outside_is_told() {
        let now = Timestamp::from_millis(1_795_000_000_000);
        let habits = Habits { hour: 6, usual: vec![Some((10.0, 20.0)); 24], ..Habits::default() };
        let mut values = Values::default();
        assert!(course(&values.of(Event::new("a", "load").series(), now), &habits, now).is_none());
        for (ago, value) in [(7_000.0, 15.0), (6_000.0, 12.0), (600.0, 45.0)] {
            let event = Event { ts: Some(now.after(-ago)), value: Some(value), ..Event::new("a", "load") };
            values.hear(&Event { threshold: Some(40.0), unit: Some("<%>".to_owned()), ..event }, now);
        }
        let told = values.of(Event::new("a", "load").series(), now);
        let drawn = course(&told, &habits, now).unwrap();
        assert!(
            drawn.says.contains("1 of these lies outside") && drawn.says.contains("Latest: 45 <%>"),
            "{}",
            drawn.says
        );
        assert_eq!(drawn.svg.matches("class=\"value odd\"").count(), 1);
        assert_eq!(drawn.svg.matches("class=\"value\"").count(), 2);
        assert!(drawn.svg.contains("limit 40") && drawn.svg.contains("&lt;%&gt;") && !drawn.svg.contains("<%>"));
        // A gap of more than half an hour is no line.
        assert_eq!(
            drawn.svg.split("class=\"curve\" d=\"").nth(1).unwrap().split('"').next().unwrap().matches('M').count(),
            2
        );
        let bare = course(&told, &Habits { usual: vec![None; 24], ..habits }, now).unwrap();
        assert!(bare.says.contains("No band") && !bare.svg.contains("NaN"), "{}", bare.says);
    }
}
