//! What may stand in a rule test file. One list: reading and the suggestions for wrong words derive from it.

use super::expectation::Ending;
use crate::config::field::{Choice, Field, Form, Object};
use crate::config::rule_fields;
use crate::domain::{Kind, NoticeAction, PageAction, Reason, Severity};

/// A rule test file: several tests, or one whose keys stand at the top.
pub(super) const FILE: Object = Object {
    name: "rule test file",
    doc: "Several `tests`, or one test whose keys stand at the top. `signals` and `rules` there hold for all tests.",
    fields: &[
        Field::new("tests", Form::List(&Form::Object(&TEST)), "The tests."),
        NAME,
        SIGNALS,
        RULES,
        HISTORY_KEY,
        TIMELINE,
        UNTIL,
        EXPECT_KEY,
    ],
    choices: &[Choice { fields: &["tests", "timeline"], required: true }],
};

/// One test.
pub(super) const TEST: Object = Object::new(
    "test",
    "What happens, and what is to come of it.",
    &[NAME, SIGNALS, RULES, HISTORY_KEY, TIMELINE, UNTIL, EXPECT_KEY],
);

const NAME: Field =
    Field::new("name", Form::Text, "A sentence that says what is to be true.").example("a lost probe wakes nobody");

const SIGNALS: Field =
    Field::new("signals", Form::Map(&Form::Object(&SIGNAL)), "The signals that the timeline speaks of, by name.")
        .example("{probe: {source: pingdom, kind: uptime, service: web, severity: critical}}");

const RULES: Field = Field::new(
    "rules",
    Form::Object(&rule_fields::FILE),
    "Laid over the rules in force, with the keys of a rule file.",
)
.example("{defaults: {page_from: error}}");

const HISTORY_KEY: Field = Field::new(
    "history",
    Form::Object(&HISTORY),
    "What Squelch has seen before time 0. Without it, it is in its first, cautious day.",
)
.example("{days: 14}");

const TIMELINE: Field = Field::new(
    "timeline",
    Form::List(&Form::Object(&STEP)),
    "What happens from time 0 on: Monday 2026-01-05, 00:00 UTC.",
)
.example("[{at: 10m, fire: probe, for: 55s}]");

const UNTIL: Field =
    Field::new("until", Form::Duration("0s", "1000d"), "When the run ends; 1 hour after the last step.").example("6h");

const EXPECT_KEY: Field =
    Field::new("expect", Form::List(&Form::Object(&EXPECT)), "What is to come of it.").example("[{pages: 0}]");

const SOURCE: Field = Field::new("source", Form::Name, "The tool that speaks.").example("nagios");
const KIND: Field = Field::new("kind", Form::Word(kinds), "What sort of thing speaks.");
const SERVICE: Field =
    Field::new("service", Form::Name, "The service; `[1..9]` stands for each of these numbers.").example("web");
const HOST: Field =
    Field::new("host", Form::Name, "The host; `[1..9]` stands for each of these numbers.").example("app-1");
const CHECK: Field = Field::new("check", Form::Text, "The check.").example("swap");
const SEVERITY: Field = Field::new("severity", Form::Word(severities), "How bad.");
const VALUE: Field = Field::new("value", Form::Number(-1e300, 1e300), "What was measured.").example("95");
const THRESHOLD: Field = Field::new("threshold", Form::Number(-1e300, 1e300), "The limit it crossed.").example("90");
const UNIT: Field = Field::new("unit", Form::Text, "The unit of both.").example("ms");
const SUMMARY: Field = Field::new("summary", Form::Text, "One line for people.").example("deploy 4f3c1d2 by joe");
const LABELS: Field = Field::new("labels", Form::Map(&Form::Text), "Anything else.").example("{team: shop}");
const DEDUP_KEY: Field = Field::new("dedup_key", Form::Text, "The sender's own identity.").example("db-1:/data");
const URL: Field = Field::new("url", Form::Url, "Where to look.");
const RUNBOOK_URL: Field = Field::new("runbook_url", Form::Url, "What to do.");

/// What names an event and what it measured; a step may say it otherwise for once, a habit too.
const EVENT_FIELDS: [Field; 12] =
    [SOURCE, KIND, SERVICE, HOST, CHECK, SEVERITY, VALUE, THRESHOLD, UNIT, SUMMARY, LABELS, DEDUP_KEY];
const LINKS: [Field; 2] = [URL, RUNBOOK_URL];

/// The keys of these lists, in order; `N` is how many they are.
const fn joined<const N: usize>(lists: &[&[Field]]) -> [Field; N] {
    let mut all = [SOURCE; N];
    let (mut list, mut at) = (0, 0);
    while list < lists.len() {
        let mut place = 0;
        while place < lists[list].len() {
            all[at] = lists[list][place];
            (place, at) = (place + 1, at + 1);
        }
        list += 1;
    }
    assert!(at == N, "N is not the number of the keys");
    all
}

const SIGNAL: Object = Object::new(
    "signal",
    "The fields of an event. What is left out has the default of the contract.",
    &joined::<14>(&[&EVENT_FIELDS, &LINKS]),
);

/// The keys that say with which status a signal comes in.
pub(super) const SIGNAL_VERBS: &[&str] = &["fire", "resolve", "event", "sample", "nodata", "acknowledged"];

const VERBS: Choice = Choice {
    fields: &[
        "fire",
        "resolve",
        "event",
        "sample",
        "nodata",
        "acknowledged",
        "silence",
        "end_silence",
        "take",
        "close",
        "split",
        "noise",
        "useful",
        "withdraw",
        "rules",
        "restart",
    ],
    required: true,
};

const FIRE: Field = Field::new("fire", Form::Name, "This signal fires (again).").example("probe");
const RESOLVE: Field = Field::new("resolve", Form::Name, "This signal is over.").example("probe");
const EVENT: Field = Field::new("event", Form::Name, "One occurrence that never resolves.").example("deploy");
const SAMPLE: Field = Field::new("sample", Form::Name, "A measured value that is no alert.").example("load");
const NODATA: Field = Field::new("nodata", Form::Name, "The check itself cannot see.").example("load");
const ACKNOWLEDGED: Field = Field::new("acknowledged", Form::Name, "Somebody took it at the sender.").example("probe");
const EVERY: Field = Field::new("every", Form::Duration("1s", "1000d"), "How often.").example("12m");
const FOR: Field = Field::new("for", Form::Duration("1ms", "1000d"), "It resolves this long after.").example("4m");
const STAGGER: Field =
    Field::new("stagger", Form::Duration("1ms", "100d"), "Between one copy and the next.").example("2s");

/// A line of a timeline.
pub(super) const STEP: Object = Object {
    name: "step",
    doc: "When, what, and what is different about its signal this time.",
    fields: &joined::<43>(&[
        &[
            Field::new("at", Form::Duration("0s", "1000d"), "Once, at this time.").example("10m"),
            Field::new("from", Form::Duration("0s", "1000d"), "Again and again: from this time on …").example("1h"),
            Field::new("to", Form::Duration("0s", "1000d"), "… up to this time, itself included …").example("9h"),
            EVERY,
            FIRE,
            RESOLVE,
            EVENT,
            SAMPLE,
            NODATA,
            ACKNOWLEDGED,
            FOR,
            Field::new("times", Form::Whole(1, 100_000), "So many copies.").example("3"),
            STAGGER,
            Field::new("late", Form::Duration("0s", "1000d"), "It happened so long before it came.").example("20m"),
            Field::new("ts", Form::Time, "When it happened, by a clock that may be wrong.")
                .example("\"9999-12-01T00:00:00Z\""),
            Field::new(
                "received",
                Form::Duration("0s", "1000d"),
                "When it came, by a clock of ours that was set back.",
            )
            .example("1h"),
            Field::new("id", Form::Name, "A name for what `events` expects of it.").example("lost"),
            Field::new("silence", Form::Object(&SILENCE), "A person sets a silence."),
            Field::new("end_silence", Form::Name, "A person ends the silence of this name.").example("moving racks"),
            Field::new("take", Form::Whole(1, 1_000_000), "A person takes the incident of this number.").example("1"),
            Field::new("close", Form::Whole(1, 1_000_000), "A person declares it to be over.").example("1"),
            Field::new("split", Form::Whole(1, 1_000_000), "A person says that a part of it is another trouble …")
                .example("1"),
            Field::new("part", Form::Name, "… the part that is about this service or host.").example("checkout"),
            Field::new("noise", Form::Whole(1, 1_000_000), "A person calls the incident of this number noise.")
                .example("1"),
            Field::new("useful", Form::Whole(1, 1_000_000), "A person calls it useful.").example("1"),
            Field::new("withdraw", Form::Whole(1, 1_000_000), "A person takes back what was said of it.").example("1"),
            Field::new("by", Form::Name, "Who does.").example("ada"),
            Field::new(
                "rules",
                Form::Object(&rule_fields::FILE),
                "The rules are reloaded: these instead of the test's own.",
            ),
            Field::new("restart", Form::Flag, "Squelch is killed, and started again from what it had stored.")
                .example("true"),
        ],
        &EVENT_FIELDS,
        &LINKS,
    ]),
    choices: &[Choice { fields: &["at", "from"], required: true }, VERBS],
};

const HISTORY: Object = Object::new(
    "history",
    "The time before time 0.",
    &[
        Field::required("days", Form::Whole(1, 1000), "How many days.").example("14"),
        Field::new("of", Form::List(&Form::Object(&HABIT)), "What happened again and again."),
    ],
);

const HABIT: Object = Object {
    name: "habit",
    doc: "What happened again and again before time 0.",
    fields: &joined::<19>(&[
        &[
            Field::required("every", Form::Duration("1s", "1000d"), "How often.").example("20h"),
            Field::new("after", Form::Duration("0s", "1000d"), "The first time, this long after the beginning.")
                .example("2h"),
            FIRE,
            EVENT,
            SAMPLE,
            FOR,
            STAGGER,
        ],
        &EVENT_FIELDS,
    ]),
    choices: &[Choice { fields: &["fire", "event", "sample"], required: true }],
};

const SILENCE: Object = Object::new(
    "silence step",
    "A silence as a person sets it.",
    &[
        Field::required("name", Form::Name, "Its name.").example("moving racks"),
        Field::required("match", Form::OneOrMany(&Form::Matcher), "All matchers must fit."),
        Field::required("for", Form::Duration("1s", "1000d"), "How long.").example("2h"),
        Field::new("owner", Form::Name, "Who answers for it.").example("ada"),
        Field::new("reason", Form::Text, "Why.").example("the rack moves"),
    ],
);

const EXPECT: Object = Object::new(
    "expectation",
    "What is to come of it; only what happens from time 0 on counts.",
    &[
        Field::new("pages", Form::Tally, "So many pages in all."),
        Field::new("page", Form::Object(&PAGE), "A page of this shape."),
        Field::new("no_page", Form::Object(&PAGE), "No page of this shape."),
        Field::new("notice", Form::Object(&NOTICE), "A notice of this shape."),
        Field::new("no_notice", Form::Object(&NOTICE), "No notice of this shape."),
        Field::new("incidents", Form::Tally, "So many incidents in all."),
        Field::new("incident", Form::Object(&INCIDENT), "An incident of this shape."),
        Field::new("verdicts", Form::Map(&Form::Tally), "So many verdicts, by outcome or reason.")
            .example("{flapping: \">= 10\", transient: 2}"),
        Field::new("events", Form::Map(&Form::Word(endings)), "How all events of the step with this `id` end.")
            .example("{lost: transient}"),
        Field::new("told", Form::Map(&Form::Tally), "So many messages, by receiver.").example("{night shift: 1}"),
    ],
);

const WITHIN: Field =
    Field::new("within", Form::List(&Form::Duration("0s", "1000d")), "From when to when.").example("[45m, 2h]");
const TIMES: Field = Field::new("times", Form::Tally, "How many of this shape; at least one.").example("1");
const ORIGIN_KEY: Field = Field::new("origin", Form::Object(&ORIGIN), "Its most likely origin.");
const SERVICES: Field = Field::new("services", Form::List(&Form::Name), "All its services.").example("[web, db]");

const PAGE: Object = Object::new(
    "page shape",
    "What a page should look like. What is left out fits everything.",
    &[
        WITHIN,
        TIMES,
        Field::new("action", Form::Word(page_actions), "Whether it opens or escalates."),
        SEVERITY,
        Field::new("reason", Form::Word(reasons), "Its reason."),
        SERVICE,
        HOST,
        SERVICES,
        Field::new("hosts", Form::List(&Form::Name), "All its hosts.").example("[app-1]"),
        ORIGIN_KEY,
        Field::new("title", Form::Text, "What its title contains."),
        Field::new("why", Form::Text, "What its sentence contains."),
        Field::new("suspect", Form::Text, "What one of its suspects contains."),
        Field::new("held_before", Form::Whole(0, u64::MAX), "At least so many signals were held before.").example("5"),
    ],
);

const ORIGIN: Object = Object::new("origin", "Where it most likely began.", &[SERVICE, HOST, CHECK]);

const NOTICE: Object = Object::new(
    "notice shape",
    "What a notice should look like.",
    &[
        WITHIN,
        TIMES,
        Field::new("action", Form::Word(notice_actions), "What it tells."),
        Field::new("series", Form::Text, "What the name of its series contains."),
        Field::new("text", Form::Text, "What its sentence contains."),
    ],
);

const INCIDENT: Object = Object::new(
    "incident shape",
    "What an incident should look like at its close, or at the end of the run.",
    &[
        TIMES,
        Field::new("opened", Form::List(&Form::Duration("0s", "1000d")), "When it opens.").example("[1h, 2h]"),
        Field::new("resolved", Form::List(&Form::Duration("0s", "1000d")), "When it is over.").example("[1h, 2h]"),
        Field::new("open", Form::Flag, "Whether it is still open at the end.").example("true"),
        SEVERITY,
        SERVICE,
        HOST,
        SERVICES,
        ORIGIN_KEY,
        Field::new("alerts", Form::Whole(0, u64::MAX), "At least so many events are part of it.").example("3"),
    ],
);

fn kinds() -> Vec<&'static str> {
    Kind::ALL.iter().map(|kind| kind.word()).collect()
}

fn severities() -> Vec<&'static str> {
    Severity::ALL.iter().map(|severity| severity.word()).collect()
}

fn page_actions() -> Vec<&'static str> {
    PageAction::ALL.iter().map(|action| action.word()).collect()
}

fn notice_actions() -> Vec<&'static str> {
    NoticeAction::ALL.iter().map(|action| action.word()).collect()
}

fn reasons() -> Vec<&'static str> {
    Reason::ALL.iter().map(|reason| reason.word()).collect()
}

fn endings() -> Vec<&'static str> {
    Ending::words().collect()
}
