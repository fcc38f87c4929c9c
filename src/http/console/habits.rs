//! What a series usually does, drawn: how often it starts in each hour, how long it lasts, where its samples lie.
//!
//! Deliberately pictures alone: the numbers are the engine's, and every one is told in words beside its mark.

use std::fmt::Write as _;

use serde::Serialize;

use crate::domain::explain::Habits;
use crate::replay::wording::{amount, span};

/// A picture's own units: as wide as a phone, so that it can be read there.
const WIDTH: f64 = 400.0;
const HEIGHT: f64 = 150.0;
const LEFT: f64 = 44.0;
const TOP: f64 = 12.0;
const FOOT: f64 = 22.0;
/// A length in seconds beyond which nothing is drawn.
const LONGEST: f64 = 86_400.0;

/// A picture and what it says.
#[derive(Debug, Serialize)]
pub(super) struct Picture {
    name: &'static str,
    says: String,
    svg: String,
}

/// The pictures that there is something to draw for.
pub(super) fn pictures(habits: &Habits) -> Vec<Picture> {
    let band = habits.usual.iter().any(Option::is_some).then(|| usual(habits));
    [Some(rate(habits)), Some(hold(habits)), band].into_iter().flatten().collect()
}

/// A bar an hour of the day.
fn rate(habits: &Habits) -> Picture {
    let most = habits.per_day.iter().copied().fold(0.0, f64::max).max(1e-9);
    let wide = (WIDTH - LEFT) / 24.0;
    let mut svg = open("How often it usually starts, by the hour of the day");
    scale(&mut svg, &amount(most), "0");
    for (hour, per_day) in habits.per_day.iter().enumerate() {
        let tall = (HEIGHT - TOP) * per_day / most;
        let (class, now) = if hour == habits.hour { ("join", ", now") } else { ("held", "") };
        let _ = write!(
            svg,
            "<g><title>{hour:02}:00 to {:02}:00{now}: as often as {} a day</title><rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{tall:.1}\"/></g>",
            (hour + 1) % 24,
            amount(*per_day),
            LEFT + hour as f64 * wide + 1.0,
            HEIGHT - tall,
            wide - 2.0
        );
    }
    hours(&mut svg);
    let now = habits.per_day.get(habits.hour).copied().unwrap_or_default();
    let says = format!(
        "Starts a day that are usual at each hour, in the zone of the rules. Now: {}. The rarer a start is at its hour, the more it surprises.",
        amount(now)
    );
    Picture { name: "Rate by hour", says, svg: svg + "</svg>" }
}

/// How many of its episodes last so long or longer.
fn hold(habits: &Habits) -> Picture {
    let mut svg = open("The share of its episodes that last at least so long");
    scale(&mut svg, "all", "none");
    let drawn: Vec<(f64, f64)> = habits.lasting.iter().copied().filter(|(secs, _)| *secs <= LONGEST).collect();
    let (first, last) = (drawn.first().map_or(60.0, |one| one.0), drawn.last().map_or(LONGEST, |one| one.0));
    let x = |secs: f64| {
        LEFT + (WIDTH - LEFT - 8.0) * (secs.clamp(first, last) / first).ln() / (last / first).ln().max(1e-9)
    };
    let y = |share: f64| HEIGHT - (HEIGHT - TOP) * share;
    let mut line = String::new();
    for (secs, share) in &drawn {
        let _ = write!(line, "{}{:.1} {:.1}", if line.is_empty() { "M" } else { "L" }, x(*secs), y(*share));
    }
    let _ = write!(svg, "<path class=\"under\" d=\"{line}V{HEIGHT}H{LEFT}Z\"/><path class=\"curve\" d=\"{line}\"/>");
    for (secs, share) in &drawn {
        let _ = write!(
            svg,
            "<circle class=\"dot\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"><title>{} or longer: {} of 100</title></circle>",
            x(*secs),
            y(*share),
            span(*secs),
            amount(100.0 * share)
        );
    }
    if let Some(hold) = habits.hold {
        let at = x(hold);
        let (anchor, place) = if at > WIDTH * 0.6 { ("end", at - 5.0) } else { ("start", at + 5.0) };
        let _ = write!(
            svg,
            "<path class=\"mark\" d=\"M{at:.1} {TOP}V{HEIGHT}\"/><text class=\"note\" text-anchor=\"{anchor}\" x=\"{place:.1}\" y=\"{:.0}\">waits {}</text>",
            TOP + 10.0,
            span(hold)
        );
    }
    for (secs, word) in [(60.0, "1 min"), (600.0, "10 min"), (3_600.0, "1 h"), (21_600.0, "6 h"), (86_400.0, "1 d")] {
        if secs <= last {
            tick(&mut svg, x(secs), word);
        }
    }
    let says = match habits.hold {
        Some(hold) => format!("Nine of ten are over within {}: so long a start that is nothing special waits, unless its rule says less. From {} episodes of its own and those of its check.", span(hold), amount(habits.episodes)),
        None => "Too few of them have ended to know how long one should wait: the curve is that of its check, or a guess that every series begins with.".to_owned(),
    };
    Picture { name: "How long it lasts", says, svg: svg + "</svg>" }
}

/// Where its samples usually lie, by the hour.
fn usual(habits: &Habits) -> Picture {
    let known = || habits.usual.iter().flatten();
    let low = known().map(|range| range.0).fold(f64::INFINITY, f64::min);
    let high = known().map(|range| range.1).fold(f64::NEG_INFINITY, f64::max);
    let wide = (WIDTH - LEFT) / 24.0;
    let y = |value: f64| HEIGHT - (HEIGHT - TOP) * (value - low) / (high - low).max(1e-9);
    let mut svg = open("From where to where its samples are usual, by the hour of the day");
    scale(&mut svg, &amount(high), &amount(low));
    for (hour, range) in habits.usual.iter().enumerate() {
        let Some((from, to)) = range else { continue };
        let class = if hour == habits.hour { "join" } else { "held" };
        let _ = write!(
            svg,
            "<g><title>{hour:02}:00: from {} to {}</title><rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{wide:.1}\" height=\"{:.1}\"/></g>",
            amount(*from),
            amount(*to),
            LEFT + hour as f64 * wide,
            y(*to),
            (y(*from) - y(*to)).max(2.0)
        );
    }
    hours(&mut svg);
    let says =
        "From where to where a sample is usual at each hour, as learned: what lies outside for long enough is unusual.";
    Picture { name: "Usual values", says: says.to_owned(), svg: svg + "</svg>" }
}

fn open(label: &str) -> String {
    format!("<svg class=\"chart small\" viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"{label}\">", HEIGHT + FOOT)
}

/// The ground, and the words at the ends of the scale.
fn scale(svg: &mut String, high: &str, low: &str) {
    let _ = write!(
        svg,
        "<path class=\"grid\" d=\"M{LEFT} {TOP}H{WIDTH}M{LEFT} {HEIGHT}H{WIDTH}\"/><text class=\"row\" x=\"{0:.0}\" y=\"{1:.0}\">{high}</text><text class=\"row\" x=\"{0:.0}\" y=\"{HEIGHT}\">{low}</text>",
        LEFT - 6.0,
        TOP + 4.0
    );
}

fn hours(svg: &mut String) {
    let wide = (WIDTH - LEFT) / 24.0;
    for hour in [0, 6, 12, 18] {
        tick(svg, LEFT + (f64::from(hour) + 0.5) * wide, &format!("{hour:02}:00"));
    }
}

fn tick(svg: &mut String, x: f64, word: &str) {
    let x = x.clamp(LEFT + 14.0, WIDTH - 16.0);
    let _ = write!(svg, "<text class=\"tick\" x=\"{x:.1}\" y=\"{:.0}\">{word}</text>", HEIGHT + 17.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn habits() -> Habits {
        Habits {
            hour: 5,
            per_day: (0..24).map(f64::from).collect(),
            usual: vec![None; 24],
            lasting: vec![(60.0, 0.9), (120.0, 0.5), (240.0, 0.125)],
            episodes: 12.0,
            hold: Some(240.0),
        }
    }

    #[test]
    fn every_number_of_a_picture_is_told_in_words() {
        let drawn = pictures(&habits());
        assert_eq!(drawn.iter().map(|picture| picture.name).collect::<Vec<_>>(), ["Rate by hour", "How long it lasts"]);
        assert_eq!(drawn[0].svg.matches("<title>").count(), 24);
        assert!(drawn[0].svg.contains("05:00 to 06:00, now: as often as 5 a day"));
        assert!(drawn[1].svg.contains("2 min or longer: 50 of 100") && drawn[1].svg.contains("waits 4 min"));
        assert!(drawn[1].says.contains("Nine of ten are over within 4 min"));
    }

    #[test]
    fn nothing_known_is_drawn_without_a_number_that_is_none() {
        let nothing = Habits { per_day: vec![0.0; 24], lasting: Vec::new(), hold: None, ..habits() };
        let band = Habits { usual: vec![Some((3.0, 3.0)); 24], ..habits() };
        for picture in pictures(&nothing).into_iter().chain(pictures(&band)) {
            assert!(!picture.svg.contains("NaN") && !picture.svg.contains("inf"), "{}", picture.svg);
        }
        assert_eq!(pictures(&band).len(), 3);
    }
}
