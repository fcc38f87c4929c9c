//! The constants of the judgement as they stand in rule files, each with what turning it does.

use super::field::{Field, Form, Object};
use super::value::Record;
use crate::domain::{Judgement, Sensitivity};

/// A constant that is a time.
const fn time(name: &'static str, default: &'static str, doc: &'static str) -> Field {
    Field::new(name, Form::Duration("1s", "365d"), doc).default(default)
}

/// A constant that is a number.
const fn number(name: &'static str, form: Form, default: &'static str, doc: &'static str) -> Field {
    Field::new(name, form, doc).default(default)
}

const SHARE: Form = Form::Number(0.0, 1.0);
/// People never silence: something is always left.
const MOST_MOVED: Form = Form::Number(0.0, 0.9);
const WEIGHT: Form = Form::Number(0.0, 1000.0);
const BITS: Form = Form::Number(0.0, 100.0);

/// The constants, in the order in which an alert meets them.
pub(super) const JUDGEMENT: Object = Object::new(
    "judgement section",
    "The constants of the judgement. `sensitivity` is the one to turn; the others were measured together, and are \
     here so that nothing is hidden.",
    &[
        Field::new("sensitivity", Form::Word(sensitivities), "How much fresh surprise makes a page. `quiet`: only what is very unusual (7 bits). `normal`: 5 bits. `sensitive`: rather one page too many (4.5 bits).")
            .default("normal"),
        time("settle", "2m", "Surprise is smoothed over this long. Lower: pages come sooner, and more blips page. Higher: short blips fade away, pages come later."),
        time("fade", "20m", "What stays on becomes old news this fast. Lower: slow pile-ups are missed. Higher: old alerts add to new ones for longer."),
        time("window", "15m", "A start is judged against the chance of one start in this window. Lower: each start counts for more. Higher: frequent alerts are ordinary sooner."),
        time("stranger_starts_every", "5d", "A check never seen before is taken to start once in this long. Lower: strangers surprise less. Higher: they surprise more."),
        time("own_history", "1d", "How much history of its own an alert needs to count as much as what is shared. Lower: own habits count sooner. Higher: the shared prior counts longer."),
        number("family_weight", WEIGHT, "2", "How many series' worth the prior counts against what the same check does elsewhere. Lower: a new host is judged by its siblings sooner. Higher: as a stranger for longer."),
        time("hour_history", "12h", "How much history of one hour of the day counts as much as the whole day's. Lower: daily habits are learned sooner. Higher: later, but by fewer accidents."),
        number("daily_habit", WEIGHT, "5", "How many days it must come at this hour to be a daily habit. Lower: nightly jobs turn ordinary sooner. Higher: later."),
        number("weekly_habit", WEIGHT, "3", "How many weeks it must come at this hour of this day of the week to be a weekly habit. Lower: weekly jobs turn ordinary sooner. Higher: later."),
        number("critical_chance", SHARE, "0.3", "How likely a start of an unknown check is taken to be critical. Lower: criticals surprise more. Higher: less."),
        number("critical_weight", WEIGHT, "8", "How many starts that guess is worth. Lower: the check's own severities count sooner. Higher: later."),
        number("warning_weight", SHARE, "0.62", "What a warning or an error is worth against a critical. Lower: warnings alone page less. Higher: more."),
        time("learning", "1d", "After the very first event warnings grow to their full weight over this long. Lower: warnings page sooner on a new installation. Higher: a calmer first day."),
        number("most", BITS, "10.5", "The most bits that one series is worth. Lower: more alerts must agree. Higher: one alone can page at once."),
        number("value_most", BITS, "6", "The most bits that a measured value adds. Lower: how far over the limit counts for less. Higher: for more."),
        number("value_weight", WEIGHT, "0.5", "What twice the usual excess over the limit adds. Lower: worse values matter less. Higher: they break through sooner."),
        time("trend_memory", "2h", "A trend remembers the values of this long (at least of sixteen). Lower: bends are seen sooner, slow trends not at all. Higher: slow trends are seen in more noise."),
        number("trend_certainty", WEIGHT, "5", "A trend counts when its slope is so many times its standard error. Lower: trends are told sooner, and more often for nothing. Higher: later, and surer."),
        time("trend_holds", "15m", "… and when that has held for this long. Lower: sooner, and more often for nothing. Higher: only what goes on."),
        time("trend_horizon", "1d", "A trend is told when it reaches its limit within this long. Lower: only what is near. Higher: far limits, too."),
        time("trend_pages_within", "1h", "An alert that fires and reaches the end of its scale (100 %, 0 %) within this long pages. Lower: later. Higher: with more time left to act, and more often for nothing."),
        number("caller_share", SHARE, "0.6", "The share of its callers' surprise that is lent to a service that is itself loud. Lower: the caller pages. Higher: the called service is named as origin."),
        time("burst_memory", "5m", "Exceptions: over how long they are counted. Lower: only sharp bursts. Higher: slow rises, too."),
        number("burst_improbability", Form::Number(0.0, 50.0), "3", "Exceptions: how improbable the count must be, in powers of ten. Lower: smaller bursts count. Higher: only big ones."),
        time("chatty_bursts_every", "1d", "Exceptions: a talkative source is taken to burst once in this long. Lower: its bursts surprise less. Higher: more."),
        number("rearm", SHARE, "0.5", "A component may page again once its surprise fell below this share of the threshold. Lower: fewer second pages. Higher: more."),
        time("join_window", "3m", "What surges within this long of an incident's opening may join it. Lower: more, smaller incidents. Higher: fewer, larger ones."),
        time("calm", "5m", "An incident that was calm for this long takes no new component. Lower: more incidents. Higher: strangers may join."),
        time("remember", "1h", "More of the same updates an incident for this long after its origin last surprised. Lower: it pages anew sooner. Higher: later."),
        number("alive", BITS, "2", "How many bits count as surprising there. Lower: an incident is remembered longer. Higher: shorter."),
        number("outlived", BITS, "12", "Bits of onset and duration that make an alert which outlives its kind a page. Lower: sooner. Higher: later."),
        time("prior_duration", "5m", "Half of the alerts of an unknown check are taken to resolve within this long. Lower: strangers outlive their kind sooner. Higher: later."),
        number("duration_weight", WEIGHT, "3", "How many episodes that guess is worth. Lower: own durations count sooner. Higher: later."),
        time("half_life", "30d", "What was learned counts half after this long. Lower: new habits are learned, and old ones forgotten, sooner. Higher: later."),
        time("frozen", "30m", "What made an incident page teaches nothing about what is ordinary for this long after its latest surge. Lower: long troubles turn ordinary sooner. Higher: later."),
        time("frozen_most", "1d", "It teaches nothing for at most this long after the incident was opened. Lower: what stays is the new ordinary sooner. Higher: later."),
        time("source_known_after", "7d", "A source that has spoken for this long is expected to go on: it pages when it is silent for three times its longest pause (at least 15 minutes; not where it pauses for more than two hours anyway). Lower: sooner known. Higher: later; `365d` = never."),
        time("samples_known_after", "2d", "What is usual of samples is known after this long; before that `adaptive` raises no alert. Lower: sooner, with more false alerts. Higher: later."),
        time("resolve_after", "5m", "An incident is over when all its alerts are, for this long. Lower: closed sooner, reopened more. Higher: later, with fewer reopenings."),
        number("feedback", MOST_MOVED, "0.3", "The share of what a start is worth that one word of a person takes (noise) or gives (useful). Lower: it takes more words to change anything. Higher: one word changes much."),
        number("feedback_most", MOST_MOVED, "0.6", "The most that all words together move. Lower: people can dull and sharpen less. Higher: more, but never all."),
        number("feedback_kin", SHARE, "0.25", "What a word about the same check elsewhere counts. Lower: words stay where they were said. Higher: they speak of the check everywhere."),
        time("sharpened", "2h", "For this long after a change (a deploy) of its service or host a start of what tells of a host, or of a new exception, is worth more. Lower: a deploy is forgotten sooner. Higher: later."),
        number("sharpening", MOST_MOVED, "0.3", "… by this share of what lacks to the most, fading to nothing over that time. Lower: what usually is ordinary stays so after a deploy. Higher: deploys make nervous."),
        time("late", "1h", "Events older than this when they arrive are suppressed as `late`. Lower: a sender that was cut off is ignored sooner. Higher: old news may page."),
    ],
);

/// Name, default and meaning of every constant but `sensitivity`, in the order in which an alert meets them.
pub fn constants() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let others = JUDGEMENT.fields.iter().filter(|field| field.name != "sensitivity");
    others.map(|field| (field.name, field.default, field.doc))
}

fn sensitivities() -> Vec<&'static str> {
    Sensitivity::ALL.iter().map(|sensitivity| sensitivity.word()).collect()
}

/// Lays what a file says over the constants.
pub(super) fn lay_over(judgement: &mut Judgement, record: &Record) {
    if let Some(sensitivity) = record.word("sensitivity") {
        judgement.sensitivity = sensitivity;
    }
    for field in JUDGEMENT.fields {
        if let (Some(number), Some(slot)) = (record.number(field.name), slot(judgement, field.name)) {
            *slot = number;
        }
    }
}

/// The constant of this name.
fn slot<'j>(judgement: &'j mut Judgement, name: &str) -> Option<&'j mut f64> {
    Some(match name {
        "settle" => &mut judgement.settle,
        "fade" => &mut judgement.fade,
        "window" => &mut judgement.window,
        "stranger_starts_every" => &mut judgement.stranger_starts_every,
        "own_history" => &mut judgement.own_history,
        "family_weight" => &mut judgement.family_weight,
        "hour_history" => &mut judgement.hour_history,
        "daily_habit" => &mut judgement.daily_habit,
        "weekly_habit" => &mut judgement.weekly_habit,
        "critical_chance" => &mut judgement.critical_chance,
        "critical_weight" => &mut judgement.critical_weight,
        "warning_weight" => &mut judgement.warning_weight,
        "learning" => &mut judgement.learning,
        "most" => &mut judgement.most,
        "value_most" => &mut judgement.value_most,
        "value_weight" => &mut judgement.value_weight,
        "trend_memory" => &mut judgement.trend_memory,
        "trend_certainty" => &mut judgement.trend_certainty,
        "trend_holds" => &mut judgement.trend_holds,
        "trend_horizon" => &mut judgement.trend_horizon,
        "trend_pages_within" => &mut judgement.trend_pages_within,
        "caller_share" => &mut judgement.caller_share,
        "burst_memory" => &mut judgement.burst_memory,
        "burst_improbability" => &mut judgement.burst_improbability,
        "chatty_bursts_every" => &mut judgement.chatty_bursts_every,
        "rearm" => &mut judgement.rearm,
        "join_window" => &mut judgement.join_window,
        "calm" => &mut judgement.calm,
        "remember" => &mut judgement.remember,
        "alive" => &mut judgement.alive,
        "outlived" => &mut judgement.outlived,
        "prior_duration" => &mut judgement.prior_duration,
        "duration_weight" => &mut judgement.duration_weight,
        "half_life" => &mut judgement.half_life,
        "frozen" => &mut judgement.frozen,
        "frozen_most" => &mut judgement.frozen_most,
        "source_known_after" => &mut judgement.source_known_after,
        "samples_known_after" => &mut judgement.samples_known_after,
        "resolve_after" => &mut judgement.resolve_after,
        "feedback" => &mut judgement.feedback,
        "feedback_most" => &mut judgement.feedback_most,
        "feedback_kin" => &mut judgement.feedback_kin,
        "sharpened" => &mut judgement.sharpened,
        "sharpening" => &mut judgement.sharpening,
        "late" => &mut judgement.late,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_constant_of_the_judgement_can_be_set() {
        let mut judgement = Judgement::default();
        let shown = format!("{judgement:#?}");
        let names: Vec<&str> =
            shown.lines().filter_map(|line| line.trim().split_once(": ")).map(|(name, _)| name).collect();
        // What a report tries is no constant: no rule file says it.
        let names: Vec<&str> = names.into_iter().filter(|name| *name != "what_if").collect();
        let listed: Vec<&str> = JUDGEMENT.fields.iter().map(|field| field.name).collect();
        assert_eq!(names, listed, "add what is missing to JUDGEMENT, to `slot`, and to rules/defaults.yaml");
        for name in names.iter().filter(|name| **name != "sensitivity") {
            assert!(slot(&mut judgement, name).is_some(), "{name} is missing in `slot`");
        }
    }
}
