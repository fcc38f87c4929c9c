//! The table of all paths: what each takes, and every status that it answers.
//!
//! Deliberately complete: who adds a path to the router adds a line here, or `tests/openapi.rs` fails.

/// The shape of what a path answers when something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Errors {
    /// Squelch's own.
    Own,
    Alertmanager,
    PagerDuty,
    Opsgenie,
    VictorOps,
    /// The path is gone, and says so.
    Gone,
}

impl Errors {
    /// The name of the shape.
    pub(super) const fn schema(self) -> &'static str {
        match self {
            Self::Own => "Error",
            Self::Alertmanager => "AlertmanagerError",
            Self::PagerDuty => "PagerDutyError",
            Self::Opsgenie => "OpsgenieError",
            Self::VictorOps => "VictorOpsError",
            Self::Gone => "Gone",
        }
    }
}

/// Status, meaning, shape, media types (none = no body).
type Answer = (u16, &'static str, &'static str, &'static [&'static str]);

/// One method of one path.
pub(super) struct Operation {
    /// As in the list of paths.
    pub(super) line: &'static str,
    pub(super) says: &'static str,
    /// Name, type and meaning of each field of the query.
    pub(super) query: &'static [(&'static str, &'static str, &'static str)],
    /// Shape and media types.
    pub(super) body: Option<(&'static str, &'static [&'static str])>,
    pub(super) answers: &'static [Answer],
    /// What it answers when something is wrong.
    pub(super) statuses: &'static [u16],
    pub(super) errors: Errors,
}

const JSON: &[&str] = &["application/json"];
const TEXT: &[&str] = &["text/plain"];
const EITHER: &[&str] = &["application/json", "text/plain"];
/// What asks nothing of the engine.
const PLAIN: &[u16] = &[401, 408];
const ASKED: &[u16] = &[400, 401, 408, 503];
const NAMED: &[u16] = &[400, 401, 404, 408, 503];
const ORDERED: &[u16] = &[400, 401, 403, 404, 408, 409, 413, 503];
const INGEST: &[u16] = &[400, 401, 403, 404, 408, 413, 415, 429, 503];
const PAGERS: &[u16] = &[400, 401, 403, 408, 413, 415, 422, 429, 503];
const HOOKS: &[u16] = &[400, 401, 403, 404, 408, 413, 415, 503];
const ALERTMANAGER: &[u16] = &[400, 401, 406, 408, 503];

const EMPTY: Operation =
    Operation { line: "", says: "", query: &[], body: None, answers: &[], statuses: PLAIN, errors: Errors::Own };

/// A path that is read.
const fn get(
    line: &'static str,
    says: &'static str,
    answers: &'static [Answer],
    statuses: &'static [u16],
) -> Operation {
    Operation { line, says, answers, statuses, ..EMPTY }
}

const TAKEN: &[Answer] = &[
    (200, "Everything is stored.", "Account", JSON),
    (207, "The good ones are stored; the bad ones are listed.", "Account", JSON),
];
const INCIDENT: &[Answer] = &[(200, "The incident as it stands then.", "Incident", JSON)];
const ANY: &[Answer] = &[(200, "What was asked for.", "Object", JSON)];
const LIST: &[Answer] = &[(200, "What was asked for.", "List", JSON)];
const ALERT_QUERY: &[(&str, &str, &str)] = &[
    ("filter", "string", "a matcher, such as team=\"shop\"; may be repeated"),
    ("receiver", "string", "a regular expression for names of receivers"),
    ("active", "boolean", "with those that are neither silenced nor inhibited"),
    ("silenced", "boolean", "with those that are silenced"),
    ("inhibited", "boolean", "with those that are inhibited"),
];
const DIGEST: &[Answer] = &[(
    200,
    "With numbers, as text, or as HTML that opens anywhere.",
    "",
    &["application/json", "text/plain", "text/html"],
)];
const BY: Option<(&str, &[&str])> = Some(("By", JSON));

/// A body of a tool.
const fn ingest(line: &'static str, says: &'static str) -> Operation {
    let body = Some(("Anything", &["application/json"] as &[&str]));
    Operation { line, says, body, answers: TAKEN, statuses: INGEST, ..EMPTY }
}

/// What a person does to an incident.
const fn order(
    line: &'static str,
    says: &'static str,
    body: Option<(&'static str, &'static [&'static str])>,
) -> Operation {
    Operation { line, says, body, answers: INCIDENT, statuses: ORDERED, ..EMPTY }
}

/// A path of Alertmanager.
const fn am(line: &'static str, says: &'static str, answers: &'static [Answer], statuses: &'static [u16]) -> Operation {
    Operation { line, says, answers, statuses, errors: Errors::Alertmanager, ..EMPTY }
}

/// A path of the first version of Alertmanager's API.
const fn gone(line: &'static str) -> Operation {
    let says = "The first version of Alertmanager's API: gone.";
    Operation { line, says, statuses: &[401, 403, 408, 410], errors: Errors::Gone, ..EMPTY }
}

/// A path of a service that pages.
const fn pager(
    (line, says): (&'static str, &'static str),
    body: &'static str,
    answers: &'static [Answer],
    errors: Errors,
) -> Operation {
    Operation { line, says, body: Some((body, JSON)), answers, statuses: PAGERS, errors, ..EMPTY }
}

/// What people say at a receiver.
const fn hook(line: &'static str, says: &'static str, media: &'static [&'static str]) -> Operation {
    Operation { line, says, body: Some(("Anything", media)), answers: HEARD, statuses: HOOKS, ..EMPTY }
}

const HEARD: &[Answer] = &[(200, "The incidents that it changed, and why others not.", "Heard", JSON)];
const ENQUEUED: &[Answer] = &[(202, "It is stored.", "PagerDutyAnswer", JSON)];
const CHANGED: &[Answer] = &[(202, "It is stored.", "PagerDutyChangeAnswer", JSON)];
const GENIE: &[Answer] = &[(202, "It is stored.", "OpsgenieAnswer", JSON)];
const ENTITY: &[Answer] = &[(200, "It is stored.", "VictorOpsAnswer", JSON)];
const NO_SILENCE: Answer = (404, "There is no such silence.", "", &[]);

/// All of them.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        line: "POST /api/v1/events",
        says: "Events: one object, an array, or JSON Lines; gzip and zstd are unpacked.",
        body: Some(("Events", &["application/json", "application/x-ndjson"])),
        answers: TAKEN,
        statuses: &[400, 401, 403, 408, 413, 415, 429, 503],
        ..EMPTY
    },
    Operation {
        line: "POST /api/v1/write",
        says: "Samples by Prometheus' remote write 1.0, packed with snappy.",
        body: Some(("Binary", &["application/x-protobuf"])),
        answers: TAKEN,
        statuses: &[400, 401, 403, 408, 413, 415, 429, 503],
        ..EMPTY
    },
    get("GET /ingest", "The tools that are understood, and bodies that nobody could read.", ANY, PLAIN),
    ingest("POST /ingest/{tool}", "A tool's own body."),
    ingest("POST /ingest/{tool}/{secret}", "The same, of a tool that can send no header."),
    Operation { body: None, ..ingest("GET /ingest/{tool}", "A hook that writes its message into the query.") },
    Operation { body: None, ..ingest("GET /ingest/{tool}/{secret}", "The same, with the secret of the tool.") },
    ingest("POST /ingest/prometheus/api/v2/alerts", "The path that Prometheus adds to its path_prefix."),
    ingest("POST /ingest/vmalert/api/v2/alerts", "The path that vmalert adds to its notifier's URL."),
    Operation {
        query: &[("state", "string", "open, closed or all"), ("limit", "integer", "so many at most")],
        ..get("GET /api/v1/incidents", "The incidents, open ones first.", &[(200, "Them.", "Incidents", JSON)], ASKED)
    },
    get("GET /api/v1/incidents/{id}", "One incident.", INCIDENT, NAMED),
    get(
        "GET /api/v1/incidents/{id}/why",
        "Its reasons.",
        &[(200, "With numbers, or as sentences.", "", EITHER)],
        NAMED,
    ),
    order("POST /api/v1/incidents/{id}/ack", "A person has taken it.", BY),
    order("POST /api/v1/incidents/{id}/resolve", "Declares it to be over.", BY),
    order("POST /api/v1/incidents/{id}/feedback", "What its page was worth.", Some(("Feedback", JSON))),
    order("POST /api/v1/incidents/{id}/split", "A part of it is another trouble.", Some(("Split", JSON))),
    Operation {
        query: &[
            ("since", "string", "how far back, 1h to 35d; 24h when left out"),
            ("digest", "string", "what this digest of the rules tells, instead of everything"),
            ("raw", "boolean", "with the personal data that is masked otherwise; for operators"),
        ],
        ..get(
            "GET /api/v1/digest",
            "What was decided lately, as it would be sent by mail.",
            DIGEST,
            &[400, 401, 403, 404, 408, 503],
        )
    },
    Operation {
        line: "POST /api/v1/drill",
        says: "Sends a marked test page through the real path, and waits for what becomes of it.",
        body: Some(("DrillWanted", JSON)),
        answers: &[(200, "What each step took.", "Drill", JSON)],
        statuses: ORDERED,
        ..EMPTY
    },
    get(
        "GET /api/v1/shadow",
        "Whether nobody is paged, and who says so.",
        &[(200, "It.", "Shadow", JSON)],
        &[401, 408, 503],
    ),
    Operation {
        line: "POST /api/v1/shadow",
        says: "Turns shadow mode on or off; it holds through reloads and restarts.",
        body: Some(("ShadowWanted", JSON)),
        answers: &[(200, "How it stands then.", "Shadow", JSON)],
        statuses: &[400, 401, 403, 408, 409, 413, 503],
        ..EMPTY
    },
    Operation {
        line: "POST /api/v1/what-if",
        says: "Replays the stored history under the rules in force and under a change of them; changes nothing.",
        body: Some(("WhatIf", JSON)),
        answers: &[(200, "The pages of both, one by one.", "Trial", JSON)],
        statuses: &[400, 401, 403, 408, 409, 413, 429, 503],
        ..EMPTY
    },
    Operation {
        query: &[("find", "string", "words of its name"), ("limit", "integer", "so many at most")],
        ..get("GET /api/v1/series", "Series by words of their names.", ANY, ASKED)
    },
    get(
        "GET /api/v1/series/{key}/why",
        "What is known of a series.",
        &[(200, "With numbers, or as sentences.", "", EITHER)],
        NAMED,
    ),
    get("GET /api/v1/silences", "The silences set over HTTP.", ANY, &[401, 408, 503]),
    Operation {
        line: "POST /api/v1/silences",
        says: "Sets a silence.",
        body: Some(("NewSilence", JSON)),
        answers: &[(201, "It holds.", "Silence", JSON)],
        statuses: &[400, 401, 403, 408, 413, 503],
        ..EMPTY
    },
    get(
        "DELETE /api/v1/silences/{id}",
        "Ends a silence now.",
        &[(200, "It is over.", "Silence", JSON)],
        &[400, 401, 403, 404, 408, 409, 503],
    ),
    get("GET /api/v1/tally", "The sums: accepted = waiting + all verdicts.", ANY, &[401, 408, 503]),
    Operation {
        query: &[("last", "integer", "so many at most")],
        ..get("GET /api/v1/audit", "What people did, newest first.", &[(200, "It.", "Audit", JSON)], &[400, 401, 408])
    },
    get(
        "GET /api/v1/backup",
        "The whole store as one archive.",
        &[(200, "The archive.", "", &["application/octet-stream"])],
        &[401, 403, 408, 503],
    ),
    get("GET /metrics", "What is counted.", &[(200, "OpenMetrics.", "", &["application/openmetrics-text"])], PLAIN),
    get("GET /-/healthy", "The process answers.", &[(200, "It does.", "", TEXT)], &[408]),
    get(
        "GET /-/ready",
        "Whether it takes events and can store them.",
        &[(200, "It does.", "Ready", JSON), (503, "It does not; the answer says why.", "Ready", JSON)],
        &[408],
    ),
    get("POST /-/reload", "Reads the rules again.", ANY, &[400, 401, 403, 408, 503]),
    get("GET /openapi.json", "This document.", ANY, PLAIN),
    hook("POST /hooks/pagerduty", "PagerDuty's webhooks: somebody took an incident there, or resolved it.", JSON),
    hook("POST /hooks/slack", "A button was pressed on a message in Slack.", &["application/x-www-form-urlencoded"]),
    pager(("POST /v2/enqueue", "PagerDuty's Events API v2."), "PagerDutyEvent", ENQUEUED, Errors::PagerDuty),
    pager(("POST /v2/change/enqueue", "PagerDuty's change events."), "PagerDutyChange", CHANGED, Errors::PagerDuty),
    pager(("POST /v2/alerts", "Opsgenie: a new alert."), "OpsgenieAlert", GENIE, Errors::Opsgenie),
    pager(("POST /v2/alerts/{alias}/close", "Opsgenie: ends an alert."), "OpsgenieAct", GENIE, Errors::Opsgenie),
    pager(("POST /v2/alerts/{alias}/acknowledge", "Opsgenie: takes an alert."), "OpsgenieAct", GENIE, Errors::Opsgenie),
    pager(
        ("POST /v2/alerts/{alias}/snooze", "Opsgenie: leaves an alert alone until then."),
        "OpsgenieSnooze",
        GENIE,
        Errors::Opsgenie,
    ),
    pager(
        ("POST /v2/alerts/{alias}/notes", "Opsgenie: a note, which is not kept."),
        "OpsgenieNote",
        GENIE,
        Errors::Opsgenie,
    ),
    pager(
        ("POST /integrations/generic/20131114/alert/{key}/{routing}", "VictorOps: a message."),
        "VictorOpsMessage",
        ENTITY,
        Errors::VictorOps,
    ),
    am("GET /api/v2/status", "Alertmanager: version, cluster, configuration.", ANY, &[401, 406, 408, 503]),
    am("GET /api/v2/receivers", "Alertmanager: the receivers.", LIST, &[401, 406, 408, 503]),
    Operation { query: ALERT_QUERY, ..am("GET /api/v2/alerts", "Alertmanager: the alerts.", LIST, ALERTMANAGER) },
    Operation {
        body: Some(("Postings", JSON)),
        ..am(
            "POST /api/v2/alerts",
            "Alertmanager: alerts, as Prometheus sends them.",
            &[(200, "All are stored.", "", &[])],
            &[400, 401, 403, 406, 408, 413, 415, 422, 429, 503],
        )
    },
    Operation {
        query: ALERT_QUERY,
        ..am("GET /api/v2/alerts/groups", "Alertmanager: the groups.", LIST, ALERTMANAGER)
    },
    Operation {
        query: &[("filter", "string", "a matcher that the silence has; may be repeated")],
        ..am("GET /api/v2/silences", "Alertmanager: the silences.", LIST, ALERTMANAGER)
    },
    Operation {
        body: Some(("PostedSilence", JSON)),
        ..am(
            "POST /api/v2/silences",
            "Alertmanager: sets or changes a silence.",
            ANY,
            &[400, 401, 403, 404, 406, 408, 409, 413, 415, 422, 503],
        )
    },
    am(
        "GET /api/v2/silence/{id}",
        "Alertmanager: a silence.",
        &[(200, "It.", "Object", JSON), NO_SILENCE],
        &[400, 401, 406, 408, 422, 503],
    ),
    am(
        "DELETE /api/v2/silence/{id}",
        "Alertmanager: ends a silence.",
        &[(200, "It is over.", "", &[]), NO_SILENCE],
        &[400, 401, 403, 406, 408, 409, 422, 503],
    ),
    gone("GET /api/v1/alerts"),
    gone("POST /api/v1/alerts"),
    gone("GET /api/v1/alerts/groups"),
    gone("GET /api/v1/status"),
    gone("GET /api/v1/receivers"),
    gone("GET /api/v1/silence/{id}"),
    gone("DELETE /api/v1/silence/{id}"),
];
