//! Everything that may stand in a route and in an interval.

use super::field::{Field, Form, Object};
use super::rule_fields::days;

/// A route.
pub(super) const ROUTE: Object = Object::new(
    "route",
    "Which alert's page goes to whom, and when. A page goes to the receivers of every alert that made it page, each once.",
    &[
        Field::required("name", Form::Name, "Its name, unique among all routes.").example("shop"),
        Field::new(
            "match",
            Form::OneOrMany(&Form::Matcher),
            "All matchers must fit: on fields as Squelch reads them (`severity` is that of the page), and on labels. None = everything.",
        )
        .example("'service=~\"web|checkout\"'"),
        Field::new(
            "labels",
            Form::OneOrMany(&Form::LabelMatcher),
            "All matchers must fit: on labels as they were sent, as in Alertmanager (`severity=\"page\"` is what Prometheus wrote). None = everything.",
        )
        .example("'team=\"db\"'"),
        Field::new(
            "receivers",
            Form::OneOrMany(&Form::Name),
            "The names of the receivers, all of which are told. Left out: those of the route above.",
        )
        .example("[night shift, console]"),
        Field::new("continue", Form::Flag, "Whether the routes after it are looked at although it fits.").default("false"),
        Field::new(
            "active",
            Form::OneOrMany(&Form::Name),
            "It tells only in one of these intervals. What pages outside waits for it. Not for the routes below it.",
        )
        .example("[office hours]"),
        Field::new(
            "mute",
            Form::OneOrMany(&Form::Name),
            "It does not tell in these intervals. What pages meanwhile is told when they end, if it is not over by then and nobody has taken it.",
        )
        .example("[nights]"),
        Field::new(
            "unacknowledged",
            Form::List(&Form::Object(&STEP)),
            "Who is told when nobody has taken what this route told, in order of time. Whoever takes it ends it; where it gets \
             clearly worse, it begins anew. Not for the routes below it.",
        )
        .example("[{after: 10m, receivers: [second line]}, {after: 30m, receivers: [team lead]}]"),
        Field::new(
            "repeat",
            Form::Duration("1m", "30d"),
            "How often all whom this route told are told again, until somebody has taken it or it is over. Left out: never. Not for \
             the routes below it.",
        )
        .example("1h"),
        Field::new(
            "routes",
            Form::Again(route, "#/properties/routes/items"),
            "Routes below it. The first that fits decides; where none does, it tells itself.",
        )
        .example("[{name: shop at night, match: 'severity=\"critical\"', receivers: [night shift]}]"),
    ],
);

const STEP: Object = Object::new(
    "step of a route",
    "Somebody else is told.",
    &[
        Field::required("after", Form::Duration("1m", "7d"), "So long after the page, if nobody has taken it.")
            .example("10m"),
        Field::required("receivers", Form::OneOrMany(&Form::Name), "The names of the receivers or rotations.")
            .example("[second line]"),
    ],
);

/// A rotation.
pub(super) const ROTATION: Object = Object::new(
    "rotation",
    "People who take turns at being on call. Its name may stand wherever a route names a receiver.",
    &[
        Field::required("name", Form::Name, "Its name, unique among the rotations and the receivers.")
            .example("shop on call"),
        Field::required(
            "people",
            Form::OneOrMany(&Form::Name),
            "The names of their receivers, in the order of their turns.",
        )
        .example("[ada, grace, edsger]"),
        Field::required(
            "starts",
            Form::Time,
            "When a turn of the first of them begins. All turns are handed over at this hour of the clock.",
        )
        .example("2026-01-05T09:00:00+01:00"),
        Field::new("turns", Form::Duration("1d", "365d"), "How long a turn is: whole days.").default("7d"),
        Field::new("zone", Form::Zone, "Whose clocks count. Left out: the `zone` of the rules.")
            .example("Europe/Berlin"),
        Field::new(
            "overrides",
            Form::List(&Form::Object(&OVERRIDE)),
            "Times at which somebody else is on call. Where two overlap, the later in the list holds.",
        )
        .example("[{who: grace, from: 2026-12-24T09:00:00+01:00, until: 2026-12-27T09:00:00+01:00}]"),
    ],
);

const OVERRIDE: Object = Object::new(
    "override of a rotation",
    "Somebody stands in.",
    &[
        Field::required("who", Form::Name, "The name of the receiver.").example("grace"),
        Field::required("from", Form::Time, "From then on …").example("2026-12-24T09:00:00+01:00"),
        Field::required("until", Form::Time, "… until then.").example("2026-12-27T09:00:00+01:00"),
    ],
);

fn route() -> &'static Object {
    const { &ROUTE }
}

/// An interval.
pub(super) const INTERVAL: Object = Object::new(
    "interval",
    "A named time, for `active` and `mute` of routes.",
    &[
        Field::required("name", Form::Name, "Its name, unique among the intervals.").example("nights"),
        Field::required("when", Form::OneOrMany(&Form::Object(&SPAN)), "In any of these.")
            .example("{hours: \"22:00-07:00\"}"),
    ],
);

const SPAN: Object = Object::new(
    "span of an interval",
    "Some times of the calendar. All that is given must hold; what is left out holds always.",
    &[
        Field::new(
            "hours",
            Form::OneOrMany(&Form::Hours),
            "Any of these hours. Over midnight they belong to the day on which they begin.",
        )
        .example("\"22:00-07:00\""),
        Field::new("on", Form::OneOrMany(&Form::Word(days)), "Days of the week.").example("[saturday, sunday]"),
        Field::new(
            "dates",
            Form::OneOrMany(&Form::Range(-31, 31)),
            "Days of the month; negative ones count from its end: `-1` is the last.",
        )
        .example("[1..5, -1]"),
        Field::new("months", Form::OneOrMany(&Form::Word(months)), "Months.").example("[december]"),
        Field::new("years", Form::OneOrMany(&Form::Range(1970, 9999)), "Years.").example("2026..2027"),
        Field::new("zone", Form::Zone, "Whose clocks count. Left out: the `zone` of the rules.")
            .example("Europe/Berlin"),
    ],
);

/// The months, from January.
pub(super) fn months() -> Vec<&'static str> {
    vec![
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ]
}
