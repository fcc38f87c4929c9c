//! Everything that may stand in a mapping file, `rules/sources/NAME.yaml`. One list: see [`super::field`].

use super::field::{Choice, Field, Form, Object};
use crate::formats::Encoding;
use crate::formats::mapping::Grammar;

const PATH: Form = Form::Grammar(Grammar::Path);
const EXPRESSION: Form = Form::Grammar(Grammar::Expression);
const CONDITION: Form = Form::Grammar(Grammar::Condition);
const FILL: Form = Form::Extract(&EXTRACT);

const EACH: Field = Field::new("each", PATH, "One event for each element of the list there; its paths begin at the element, and where they have nothing at the document. Left out: one event for the body. A body that is a list is read element by element anyway.")
    .example("alerts");
const REQUIRE: Field = Field::new(
    "require",
    Form::OneOrMany(&EXPRESSION),
    "Without these the event is refused: what the tool always sends.",
)
.example("[check_id, state]");
const LABELS: Field =
    Field::new("labels", Form::Map(&FILL), "Labels of the event, by name.").example("{team: owner.team}");
const KEEP: Field = Field::new(
    "keep",
    Form::OneOrMany(&PATH),
    "Everything scalar there becomes labels; `$` = all of the document. What looks like a secret is left out.",
)
.example("[labels, details]");

macro_rules! fields {
    ($($before:expr),* ; $($after:expr),*) => {
        &[
            $($before,)*
            Field::new("check", FILL, "The check, metric, rule or exception class.").example("rule.name | title"),
            Field::new("service", FILL, "The service that it is about.").example("project.name"),
            Field::new("host", FILL, "The host that it is about.").example("labels.instance"),
            Field::new("status", FILL, "What it says about its alert: `firing`, `resolved`, `acknowledged`, `nodata`, `event` (an occurrence that never resolves), `sample`, or `ignore`. Usual words (open, closed, ok, problem …) need no map; a word that nobody knows is an error. Left out: firing, or `event` where the kind is change.")
                .example("{from: state, map: {open: firing, note: ignore}}"),
            Field::new("severity", FILL, "`info`, `warning`, `error`, `critical`, or a usual word for one.").example("{from: priority, map: {P1: critical}, default: warning}"),
            Field::new("kind", FILL, "`host`, `apm`, `exception`, `uptime`, `change` or `other`.").default("other"),
            Field::new("dedup_key", FILL, "What is the same for a firing and its resolve, and differs between problems. Left out: source, kind, service, host and check together.").example("alert.id"),
            Field::new("ts", FILL, "When it happened: RFC 3339, epoch seconds to nanoseconds, or `format`. What is more than five minutes old counts at its receipt (a firing fires still), but for occurrences.").example("resolved_at | started_at"),
            Field::new("summary", FILL, "One line for people.").example("\"'{check}: {message}'\""),
            Field::new("value", FILL, "What was measured: a number, a unit may follow.").example("observed"),
            Field::new("threshold", FILL, "The limit that it crossed.").example("limit"),
            Field::new("unit", FILL, "The unit of both. Left out: what follows the number.").example("metric.unit"),
            Field::new("url", FILL, "Where to look.").example("incident.url"),
            Field::new("runbook_url", FILL, "What to do.").example("annotations.runbook_url"),
            Field::new("source", FILL, "The tool that speaks. Left out: the name of the file.").example("\"'acme'\""),
            LABELS,
            KEEP,
            $($after,)*
        ]
    };
}

/// A mapping file.
pub(super) const FILE: Object = Object::new(
    "mapping file",
    "How the bodies of a tool become events. Fields that stand here hold for every variant that does not say otherwise.",
    fields![
        Field::new("title", Form::Text, "Who posts this, for people.").example("\"Acme Watch: webhook\""),
        Field::new("setup", Form::Text, "What to enter in the tool.").example("\"Settings > Webhooks: /ingest/acme\""),
        Field::new("payload_field", Form::Name, "The field of a form that holds the document as JSON.").example("payload"),
        Field::new("unpack", Form::OneOrMany(&PATH), "Texts that hold JSON: read in place, so that paths lead on into them.").example("Message"),
        Field::new("plain_text", Form::Flag, "Take plain text, too; `$text` is the body.").default("false"),
        EACH,
        REQUIRE;
        Field::new("ignore", Form::List(&Form::Object(&IGNORE)), "What says nothing to be judged: tests, greetings.")
            .example("[{when: type = test, why: a test}]"),
        Field::new("variants", Form::List(&Form::Object(&VARIANT)), "Shapes of bodies: the first whose `when` holds reads it.")
            .example("[{when: data.issue, check: data.issue.title}, {check: title}]"),
        Field::new("signature", Form::Object(&SIGNATURE), "How the tool signs its bodies. Checked where a secret is given, here or under `sources` in the settings.")
            .example("{header: X-Hub-Signature-256, prefix: 'sha256='}")
    ],
);

const VARIANT: Object = Object::new(
    "variant",
    "One shape of a tool's bodies.",
    fields![
        Field::new("when", Form::OneOrMany(&CONDITION), "All of these must hold. Left out: it always fits.").example("[event.type = incident, '!data.error']"),
        EACH,
        REQUIRE;
    ],
);

const IGNORE: Object = Object::new(
    "ignore rule",
    "A body, or an element of it, that is left out. The answer to the sender says so.",
    &[
        Field::required("when", Form::OneOrMany(&CONDITION), "All of these must hold.").example("type = test"),
        Field::required("why", Form::Text, "What it is, for the answer.").example("a test of the webhook"),
    ],
);

const EXTRACT: Object = Object::new(
    "extract",
    "How a field is filled: where from, which part, and what its words mean.",
    &[
        Field::required("from", EXPRESSION, "Where it stands: paths with `|` between them, the first that says something; `'fixed text'`; a join `\"{host}/{check}\"`.").example("priority | level"),
        Field::new("match", Form::Pattern, "Only this part of the text: the first group. No match: nothing.").example("'on ([a-z0-9.-]+)$'"),
        Field::new("map", Form::Map(&Form::Text), "What words mean; `*` stands for anything, upper and lower case are one. A word that is not in it stays as it is; `'*'` at the end is for all others.").example("{open: firing, 'clos*': resolved}"),
        Field::new("default", Form::Text, "What holds where there is nothing.").example("warning"),
        Field::new("format", Form::OneOrMany(&Form::TimeFormat), "How times are written, where they are neither RFC 3339 nor a number nor one of the common forms.").example("'%d.%m.%Y %H:%M:%S'"),
        Field::new("zone", Form::Offset, "The zone of times that say none.").default("UTC"),
    ],
);

const SIGNATURE: Object = Object {
    name: "signature section",
    doc: "HMAC-SHA256 over the body as it came.",
    fields: &[
        Field::required("header", Form::Name, "The header that holds it.").example("X-Hub-Signature-256"),
        Field::new("prefix", Form::Text, "What stands before it.").example("'sha256='"),
        Field::new(
            "encoding",
            Form::Word(encodings),
            "How it is written; `plain`: the header holds the secret itself.",
        )
        .default("hex"),
        Field::new(
            "timestamp_header",
            Form::Name,
            "The header with the time that is signed in front of the body, as `TIME:BODY`.",
        )
        .example("X-Acme-Timestamp"),
        Field::new("secret_file", Form::Path, "A file that holds the secret; several lines are several secrets.")
            .example("/etc/squelch/acme"),
        Field::new("secret_env", Form::Name, "An environment variable that holds it.").example("ACME_SECRET"),
    ],
    choices: &[Choice { fields: &["secret_file", "secret_env"], required: false }],
};

fn encodings() -> Vec<&'static str> {
    Encoding::ALL.iter().map(|encoding| encoding.word()).collect()
}
