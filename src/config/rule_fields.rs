//! Everything that may stand in a rule file. One list: see [`super::field`].
//!
//! Deliberately not the constants of the judgement: those are in [`super::judgement_fields`].

use super::field::{Choice, Field, Form, Object};
use super::judgement_fields::JUDGEMENT;
use super::receiver_fields::RECEIVER;
use super::route_fields::{INTERVAL, ROTATION, ROUTE};
use crate::domain::Severity;
use crate::domain::policy::{PageMode, PromoteWhen, Side};

/// A rule file.
pub(super) const FILE: Object = Object::new(
    "rule file",
    "The top-level keys. Each may be left out, and may stand in any file.",
    &[
        Field::new("defaults", Form::Object(&DEFAULTS), "How alerts are handled where no rule says otherwise."),
        Field::new("judgement", Form::Object(&JUDGEMENT), "The constants of the judgement, one set for all alerts."),
        Field::new(
            "rules",
            Form::List(&Form::Object(&RULE)),
            "Alerts that are handled otherwise. The first rule that fits decides.",
        ),
        Field::new("silences", Form::List(&Form::Object(&SILENCE)), "Quiet by a person's order, for a time."),
        Field::new("maintenance", Form::List(&Form::Object(&MAINTENANCE)), "Quiet for planned work, again and again.")
            .example("[{name: sunday backups, match: 'service=\"db\"', on: sunday, hours: \"02:00-05:00\", owner: ada, reason: backup}]"),
        Field::new(
            "inhibitions",
            Form::List(&Form::Object(&INHIBITION)),
            "Alerts that hold back others while they fire.",
        ),
        Field::new(
            "heartbeats",
            Form::List(&Form::Object(&HEARTBEAT)),
            "Events that must keep coming: their silence pages.",
        ),
        Field::new(
            "budgets",
            Form::List(&Form::Object(&BUDGET)),
            "How many pages people bear. The first budget that fits a page counts it.",
        ),
        Field::new("digests", Form::List(&Form::Object(&DIGEST)), "Mails that sum up what was decided, on a schedule. See DIGEST.md.")
            .example("[{name: team shop, match: 'service=~\"web|checkout\"', receivers: [team mail], on: monday}]"),
        Field::new(
            "zone",
            Form::Zone,
            "Whose clocks tell the hour of the day and the day of the week that habits are learned by.",
        )
        .default("UTC"),
        Field::new("topology", Form::Object(&TOPOLOGY), "Who calls whom."),
        Field::new("receivers", Form::List(&Form::Object(&RECEIVER)), "Who is told, and how they are reached."),
        Field::new(
            "routes",
            Form::List(&Form::Object(&ROUTE)),
            "Which page goes to whom: a tree. The first route that fits decides.",
        ),
        Field::new("intervals", Form::List(&Form::Object(&INTERVAL)), "Named times, for `active` and `mute` of routes.")
            .example("[{name: nights, when: {hours: \"22:00-07:00\"}}]"),
        Field::new("rotations", Form::List(&Form::Object(&ROTATION)), "People who take turns at being on call.")
            .example("[{name: on call, people: [ada, grace], starts: 2026-01-05T09:00:00+01:00}]"),
    ],
);

const PAGE: Field = Field::new(
    "page",
    Form::Word(page_modes),
    "`auto`: the judgement decides. `always`: each new alert pages at once, unless a person silenced it, another alert \
     inhibits it, or it joins an open incident. `never`: it never pages, but may join an incident.",
)
.default("auto");

const PAGE_FROM: Field = Field::new(
    "page_from",
    Form::Word(severities),
    "The least severity that may page. What is below is suppressed as `below_severity`.",
)
.default("warning");

const FLAP_KEY: Field =
    Field::new("flap", Form::Object(&FLAP), "When a series counts as flapping, and when that becomes a page.")
        .example("{enter: 4 changes in 1h, promote_after: 45m}");

const HOLD_KEY: Field =
    Field::new("hold", Form::Object(&HOLD), "How long to wait out what usually resolves by itself.")
        .example("{longest: 5m}");

const EXPIRE: Field = Field::new(
    "expire",
    Form::Duration("1m", "30d"),
    "An alert that never resolves is given up this long after it last spoke; sooner where its source usually repeats itself.",
)
.default("1d");

const DEFAULTS: Object = Object::new(
    "defaults section",
    "How alerts are handled where no rule says otherwise. What is left out keeps its default.",
    &[PAGE, PAGE_FROM, FLAP_KEY, HOLD_KEY, EXPIRE],
);

const RULE: Object = Object::new(
    "rule",
    "Which alerts are handled otherwise, and how. What is left out is as in `defaults`.",
    &[
        Field::required("name", Form::Name, "Its name, unique among the rules. Stands in every explanation.")
            .example("app hosts run out of memory slowly"),
        Field::new("match", Form::OneOrMany(&Form::Matcher), "All matchers must fit. None = every alert.")
            .example("['kind=\"host\"', 'check=~\"(swap|mem).*\"']"),
        PAGE,
        PAGE_FROM,
        FLAP_KEY,
        HOLD_KEY,
        EXPIRE,
        Field::new(
            "adaptive",
            Form::Object(&ADAPTIVE),
            "The samples that fit raise an alert of Squelch's own when they are unusual: an alerting rule that finds its threshold itself.",
        )
        .example("{severity: warning, for: 10m, side: above}"),
    ],
);

const ADAPTIVE: Object = Object::new(
    "adaptive section",
    "An alerting rule without a threshold. `{}` takes all defaults. The alert then goes the way of every other; its text has the \
     value and what is usual.",
    &[
        Field::new("severity", Form::Word(severities), "How severe that alert is. Below `page_from` is a mistake.")
            .default("warning"),
        Field::new("for", Form::Duration("0s", "1d"), "It fires when every sample was unusual for this long. Lower: sooner, and for shorter blips. Higher: later.")
            .default("10m"),
        Field::new("keep_firing_for", Form::Duration("0s", "1d"), "It is over when every sample was usual for this long. Lower: it ends sooner, and comes back more often. Higher: later.")
            .default("15m"),
        Field::new("side", Form::Word(sides), "Which values count: those `above` what is usual, those `below`, or `both`.")
            .default("both"),
        Field::new("tolerance", Form::Number(1.0, 100.0), "A value is unusual when it lies so many times as far from what its hour of the day shows as it usually does (and the detector agrees). Lower: smaller deviations count. Higher: only large ones.")
            .default("5"),
    ],
);

const FLAP: Object = Object::new(
    "flap section",
    "Flapping is counted in wall time, over all severities. A change is a start, an end, or another severity.",
    &[
        Field::new(
            "enter",
            Form::OneOrMany(&Form::Pace(1)),
            "It is flapping when any of these is reached. `[]` = never. At most 16 changes.",
        )
        .default("[5 changes in 20m, 6 changes in 2h, 10 changes in 12h]"),
        Field::new("leave", Form::Pace(0), "It is steady again when there are at most this many changes in this window.")
            .default("1 change in 1h"),
        Field::new("promote_after", Form::Duration("1m", "7d"), "Flapping that lasts this long may become a page of its own …")
            .default("45m"),
        Field::new(
            "promote_when",
            Form::OneOrMany(&Form::Word(promote_when)),
            "… when any of these holds. `worsening`: it is bad for more of the time, or more severely, than in its first half. \
             `spreading`: the same check flaps on more hosts. `lasting`: lasting is enough. `[]` = never.",
        )
        .default("[worsening, spreading]"),
        Field::new("spread", Form::Whole(2, 1000), "`spreading` means: the same check flaps on at least this many hosts.")
            .default("3"),
    ],
);

const HOLD: Object = Object::new(
    "hold section",
    "How long an alert is waited out is learned from its own history; these are the limits.",
    &[
        Field::new("longest", Form::Duration("0s", "1h"), "No alert waits longer for its verdict.").default("10m"),
        Field::new(
            "critical_longest",
            Form::Duration("1m", "2d"),
            "A critical alert that is on for this long pages, whatever was learned.",
        )
        .default("4h"),
    ],
);

const DIGEST: Object = Object::new(
    "digest",
    "A mail that sums up what was decided since the last one. Also in shadow mode.",
    &[
        Field::required("name", Form::Name, "Its name, unique among the digests. Stands in its subject.").example("team shop"),
        Field::new(
            "match",
            Form::OneOrMany(&Form::Matcher),
            "It tells of the series that fit all of these: on `source`, `kind`, `service`, `host`, `check` and `team`. None = of everything. \
             What a digest with matchers tells is summed up from when it is first named here.",
        )
        .example("'service=~\"web|checkout\"'"),
        Field::required("receivers", Form::OneOrMany(&Form::Name), "The names of receivers of kind `email`.")
            .example("[team mail]"),
        Field::new("at", Form::Clock, "When it is sent, by the clocks of `zone`.").default("08:00"),
        Field::new("on", Form::OneOrMany(&Form::Word(days)), "The days on which it is sent. Left out: every day.")
            .example("monday"),
        Field::new("zone", Form::Zone, "Whose clocks count. Left out: the `zone` of the rules.").example("Europe/Berlin"),
    ],
);

const SILENCE: Object = Object::new(
    "silence",
    "Alerts that match are held back while it is in force. What still fires when it ends is judged anew.",
    &[
        Field::required("name", Form::Name, "Its name, unique among the silences.").example("move of the mail server"),
        Field::required("match", Form::OneOrMany(&Form::Matcher), "All matchers must fit; at least one.")
            .example("'host=~\"mail-.*\"'"),
        Field::new("from", Form::Time, "In force from here on. Left out = since ever.")
            .example("2026-11-23T01:00:00+01:00"),
        Field::required("until", Form::Time, "In force until just before this. There is no endless silence.")
            .example("2026-11-23T05:00:00+01:00"),
        Field::required("owner", Form::Name, "Who answers for it.").example("ada@example.org"),
        Field::required("reason", Form::Text, "Why. Stands in every explanation.").example("the mail server moves"),
    ],
);

const INHIBITION: Object = Object {
    name: "inhibition",
    doc: "While alerts that fit `source` fire, alerts that fit `target` are held back, when they agree on `equal`. A source that \
          comes late still wins over a target that nobody was told of yet.",
    fields: &[
        Field::required("name", Form::Name, "Its name, unique among the inhibitions.")
            .example("a dead host explains its checks"),
        Field::new("source", Form::OneOrMany(&Form::EitherMatcher), "Which alert inhibits; at least one matcher.")
            .example("'check=\"host down\"'"),
        Field::new("sources", Form::List(&Form::Object(&SOURCE)), "Several, all of which must fire; in place of `source`.")
            .example("[{match: 'check=\"ups\"'}, {match: 'check=\"host down\"', at_least: 3}]"),
        Field::required("target", Form::OneOrMany(&Form::EitherMatcher), "Which alerts are held back; at least one matcher.")
            .example("'kind=\"host\"'"),
        Field::new(
            "equal",
            Form::OneOrMany(&Form::Name),
            "Fields and labels on which all must agree. Absent in all counts as agreement.",
        )
        .default("[]")
        .example("[host]"),
        Field::new(
            "looks_at",
            Form::Word(looks_at),
            "What matchers and `equal` look at. `fields`: what Squelch read, and labels. `labels`: labels as they were sent, as in Alertmanager.",
        )
        .default("fields"),
        Field::new(
            "along",
            Form::Word(along),
            "`calls`: only where the service of the target calls that of the sources, directly or not, by the topology.",
        )
        .example("calls"),
    ],
    choices: &[Choice { fields: &["source", "sources"], required: true }],
};

const SOURCE: Object = Object::new(
    "source of an inhibition",
    "Some alerts that must fire.",
    &[
        Field::required("match", Form::OneOrMany(&Form::EitherMatcher), "All matchers must fit; at least one.")
            .example("'check=\"host down\"'"),
        Field::new("at_least", Form::Whole(1, 100_000), "So many of them at least.").default("1"),
    ],
);

const MAINTENANCE: Object = Object {
    name: "maintenance window",
    doc: "Planned work: alerts that match are held back at these hours, or for a while after a change. What still fires when it ends \
          is judged anew.",
    fields: &[
        Field::required("name", Form::Name, "Its name, unique among the maintenance windows.")
            .example("sunday backups"),
        Field::required("match", Form::OneOrMany(&Form::Matcher), "All matchers must fit; at least one.")
            .example("'service=\"db\"'"),
        Field::new("hours", Form::Hours, "By the calendar: these hours …").example("02:00-05:00"),
        Field::new("on", Form::OneOrMany(&Form::Word(days)), "… beginning on these days. Left out: every day.")
            .example("[saturday, sunday]"),
        Field::new("zone", Form::Zone, "Whose clocks count. Left out: the `zone` of the rules.")
            .example("Europe/Berlin"),
        Field::new(
            "after",
            Form::OneOrMany(&Form::Matcher),
            "After a change (an event of kind `change`) that fits all of these …",
        )
        .example("'check=\"deploy\"'"),
        Field::new("for", Form::Duration("10s", "1d"), "… for this long …").default("10m"),
        Field::new(
            "equal",
            Form::OneOrMany(&Form::Name),
            "… alerts that agree with the change on these fields and labels.",
        )
        .default("[service]"),
        Field::required("owner", Form::Name, "Who answers for it.").example("ada@example.org"),
        Field::required("reason", Form::Text, "Why. Stands in every explanation.").example("the weekly full backup"),
    ],
    choices: &[Choice { fields: &["hours", "after"], required: true }],
};

const HEARTBEAT: Object = Object::new(
    "heartbeat",
    "A dead man's switch: events that fit are recorded and never judged, and when none comes for `every`, that pages.",
    &[
        Field::required("name", Form::Name, "Its name, unique among the heartbeats. Stands in the page.")
            .example("prometheus is alive"),
        Field::required("match", Form::OneOrMany(&Form::Matcher), "All matchers must fit; at least one.")
            .example("'alertname=\"Watchdog\"'"),
        Field::required("every", Form::Duration("10s", "7d"), "It pages when none came for this long.").example("5m"),
        Field::new("severity", Form::Word(severities), "How severe its silence is.").default("critical"),
    ],
);

const BUDGET: Object = Object::new(
    "budget",
    "At most so many pages of what is not critical. As they are used up, more surprise is asked of the next; what is withheld \
     is told when the period ends. What is critical, `page: always` and heartbeats are free.",
    &[
        Field::required("name", Form::Name, "Its name, unique among the budgets. Stands in every explanation.")
            .example("quiet nights"),
        Field::required("pages", Form::Allowance, "At most how many, and counted by what. A week begins on Monday.")
            .example("2 a night"),
        Field::new("hours", Form::Hours, "What `a night` is.").default("22:00-07:00"),
        Field::new("zone", Form::Zone, "Whose clocks count. Left out: the `zone` of the rules.")
            .example("Europe/Berlin"),
        Field::new("match", Form::OneOrMany(&Form::PageMatcher), "All matchers must fit the page. None = every page.")
            .example("'service=~\"web|checkout\"'"),
    ],
);

const TOPOLOGY: Object = Object::new(
    "topology section",
    "What all files say adds up. Loops are allowed.",
    &[
        Field::new(
            "edges",
            Form::ListOrMap(&Form::Object(&EDGE), &Form::List(&Form::Name)),
            "Who calls whom: a list of `{caller, callee}`, or a map of each caller to the list of its callees.",
        )
        .default("[]")
        .example("{web: [checkout, search], checkout: [payment]}"),
        Field::new(
            "owners",
            Form::Map(&Form::OneOrMany(&Form::Name)),
            "The services of each team. `match: 'team=\"shop\"'` of a route fits their alerts, where the sender says nothing of a team.",
        )
        .default("{}")
        .example("{shop: [web, checkout], money: payment}"),
    ],
);

const EDGE: Object = Object::new(
    "edge",
    "One service calls another.",
    &[
        Field::required("caller", Form::Name, "The service that calls.").example("web"),
        Field::required("callee", Form::Name, "The service that is called.").example("checkout"),
    ],
);

fn severities() -> Vec<&'static str> {
    Severity::ALL.iter().map(|severity| severity.word()).collect()
}

fn sides() -> Vec<&'static str> {
    Side::ALL.iter().map(|side| side.word()).collect()
}

/// The days of the week, from Monday.
pub(super) fn days() -> Vec<&'static str> {
    vec!["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
}

fn looks_at() -> Vec<&'static str> {
    vec!["fields", "labels"]
}

fn along() -> Vec<&'static str> {
    vec!["calls"]
}

fn page_modes() -> Vec<&'static str> {
    PageMode::ALL.iter().map(|mode| mode.word()).collect()
}

fn promote_when() -> Vec<&'static str> {
    PromoteWhen::ALL.iter().map(|when| when.word()).collect()
}
