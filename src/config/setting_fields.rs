//! Everything that may stand in the settings file of `squelch serve`. One list: see [`super::field`].

use super::field::{Choice, Field, Form, Object};
use super::kafka_fields::{CLUSTER, KAFKA};
use super::masking::kinds;
use super::settings::{LogFormat, LogLevel};

/// The settings file.
pub(super) const FILE: Object = Object::new(
    "settings file",
    "What `squelch serve --config FILE` reads. Every key may be left out. Options of the command line win.",
    &[
        Field::new(
            "listen",
            Form::Address,
            "Where to listen. To be reached from other machines: `0.0.0.0:9393`, with `auth` and `tls`.",
        )
        .default("127.0.0.1:9393"),
        Field::new("data_dir", Form::Path, "Where the store lives. One process at a time.").default("./squelch-data"),
        Field::new(
            "rules",
            Form::Path,
            "The folder with the rule files. Left out: `./rules`, where it exists, over the rules in the binary.",
        )
        .example("/etc/squelch/rules"),
        Field::new(
            "external_url",
            Form::Url,
            "Where people and tools reach this Squelch; the addresses that it prints when it starts begin with it.",
        )
        .example("https://squelch.example.org"),
        Field::new("shadow", Form::Flag, "Judge everything, page nobody, unless somebody said otherwise on the console's Rules page. `--shadow` on the command line holds against that, too.").default("false"),
        Field::new("log", Form::Object(&LOG), "What it tells about itself.").example("{format: json}"),
        Field::new("tls", Form::Object(&TLS), "TLS on the listener. Left out: plain HTTP.")
            .example("{cert_file: /etc/squelch/cert.pem, key_file: /etc/squelch/key.pem}"),
        Field::new("auth", Form::Object(&AUTH), "Who may speak to it. Left out: everybody who reaches it.")
            .example("{token_file: /etc/squelch/token}"),
        Field::new("sources", Form::Map(&Form::Object(&SOURCE)), "Secrets of single tools, by the name in `/ingest/NAME`. A tool that has one must sign its bodies with it where tools sign (see SOURCES.md), or show it as `Authorization: Bearer`, `X-Squelch-Token`, `/ingest/NAME/SECRET` or `?token=SECRET`; it need not show the token of `auth`.")
            .example("{github: {secret_file: /etc/squelch/github}}"),
        Field::new("sns", Form::Object(&SNS), "Which topics of Amazon SNS may speak. Left out: the signatures of SNS are not checked, and people confirm subscriptions.")
            .example("{topics: ['arn:aws:sns:eu-west-1:123456789012:alarms']}"),
        Field::new("hooks", Form::Object(&HOOKS), "What people say at a receiver and comes back: acknowledgements, ends. Left out: nothing is believed, and messages in Slack have no buttons.")
            .example("{pagerduty: {secret_file: /run/secrets/pagerduty-hook}}"),
        Field::new("heartbeat", Form::Object(&HEARTBEAT), "Who hears regularly that Squelch is well, and misses it when it is not. Left out: nobody.")
            .example("{url_file: /run/secrets/heartbeat, every: 1m}"),
        Field::new("kafka", Form::OneOrMany(&Form::Object(&KAFKA)), "Topics of Apache Kafka that are read: one map, or a list when there are several sets of brokers. Left out: none.")
            .example("{brokers: [kafka-1:9092], topics: [{topic: alerts}]}"),
        Field::new("cluster", Form::Object(&CLUSTER), "What `squelch serve --cluster` is a node of. Left out: one machine.")
            .example("{brokers: [kafka-1:9092], scope: [env, team]}"),
        Field::new("mask", Form::Object(&MASK), "What is masked of personal data in mails and exports (postmortems). Left out: everything that ships but `ip`.")
            .example("{off: phone, patterns: [{name: customer, match: 'C-[0-9]{6}'}]}"),
        Field::new(
            "limits",
            Form::Object(&LIMITS),
            "How much is taken at once. What is above is refused with an answer that says so.",
        )
        .example("{body: 20MB}"),
        Field::new("store", Form::Object(&STORE), "How much is kept.").example("{history: 90d}"),
    ],
);

const LOG: Object = Object::new(
    "log section",
    "Goes to standard error.",
    &[
        Field::new("format", Form::Word(formats), "`text` for people, `json` for collectors.").default("text"),
        Field::new("level", Form::Word(levels), "The least that is told.").default("info"),
    ],
);

const TLS: Object = Object::new(
    "tls section",
    "Both files in PEM.",
    &[
        Field::required("cert_file", Form::Path, "The certificate, then those that lead to an authority.")
            .example("/etc/squelch/cert.pem"),
        Field::required("key_file", Form::Path, "The private key.").example("/etc/squelch/key.pem"),
    ],
);

const AUTH: Object = Object {
    name: "auth section",
    doc: "The token that senders show as `Authorization: Bearer …`; who has it is an operator, and may do everything. The rest lets others look. Files are read again when they change; what cannot be used changes nothing, and is told.",
    fields: &[
        Field::new("token_file", Form::Path, "A file that holds the token.").example("/etc/squelch/token"),
        Field::new("token_env", Form::Name, "An environment variable that holds the token.").example("SQUELCH_TOKEN"),
        Field::new("reader_token_file", Form::Path, "A file that holds a second token: who shows it is a reader, and may look at everything and change nothing.")
            .example("/etc/squelch/reader"),
        Field::new("reader_token_env", Form::Name, "An environment variable that holds the second token.")
            .example("SQUELCH_READER_TOKEN"),
        Field::new("people_file", Form::Path, "A file with a line a person: `NAME:ROLE:PASSWORD`, where ROLE is `reader` or `operator`. Nobody else should be able to read it.")
            .example("/etc/squelch/people"),
        Field::new("proxy", Form::Object(&PROXY), "A proxy that asks people who they are (OIDC, SAML, LDAP …), and tells it in a header. Left out: no header is believed.")
            .example("{from: [127.0.0.1], operators: [ada]}"),
    ],
    choices: &[
        Choice { fields: &["token_file", "token_env"], required: true },
        Choice { fields: &["reader_token_file", "reader_token_env"], required: false },
    ],
};

const PROXY: Object = Object::new(
    "proxy section",
    "The header counts only on connections that come from these addresses; from all others it is dropped, unread. The proxy must set or remove the header of every request itself.",
    &[
        Field::required(
            "from",
            Form::OneOrMany(&Form::Text),
            "The addresses or networks that the proxy connects from: of the connection, not of X-Forwarded-For.",
        )
        .example("[127.0.0.1, 10.1.0.0/16]"),
        Field::new("header", Form::Name, "The header that holds the name. Left out: `X-Forwarded-User`.")
            .example("X-Auth-Request-User"),
        Field::new(
            "groups_header",
            Form::Name,
            "The header that holds the groups, separated by commas. Left out: nobody has a group.",
        )
        .example("X-Forwarded-Groups"),
        Field::new(
            "operators",
            Form::OneOrMany(&Form::Text),
            "The names of those who may act. All others may look and change nothing.",
        )
        .example("[ada, grace]"),
        Field::new("operator_groups", Form::OneOrMany(&Form::Text), "The groups whose people may act.")
            .example("[sre]"),
    ],
);

const SOURCE: Object = Object {
    name: "source secret",
    doc: "The secret of one tool. Several lines are several secrets, so that one can be changed without a gap. Read at the start and with the rules.",
    fields: &[
        Field::new("secret_file", Form::Path, "A file that holds the secret.").example("/etc/squelch/github"),
        Field::new("secret_env", Form::Name, "An environment variable that holds it.").example("GITHUB_SECRET"),
    ],
    choices: &[Choice { fields: &["secret_file", "secret_env"], required: true }],
};

const SNS: Object = Object::new(
    "sns section",
    "What comes to `/ingest/cloudwatch-sns` must be signed by SNS, and come through one of these topics; their subscriptions are confirmed by themselves. For this Squelch asks `https://sns.REGION.amazonaws.com`, and nothing else.",
    &[Field::required("topics", Form::OneOrMany(&Form::Text), "The ARNs of the topics.")
        .example("'arn:aws:sns:eu-west-1:123456789012:alarms'")],
);

const HOOKS: Object = Object::new(
    "hooks section",
    "Each has the secret with which the service signs what it sends; the token of `auth` is not asked for. See RECEIVERS.md.",
    &[
        Field::new("pagerduty", Form::Object(&HOOK), "PagerDuty's webhooks (version 3), at `/hooks/pagerduty`.")
            .example("{secret_file: /run/secrets/pagerduty-hook}"),
        Field::new("slack", Form::Object(&HOOK), "The buttons of messages in Slack, at `/hooks/slack`: the signing secret of the app. With it a bot's messages have buttons.")
            .example("{secret_file: /run/secrets/slack-signing}"),
    ],
);

const HOOK: Object = Object {
    name: "hook secret",
    doc: "Several lines are several secrets, so that one can be changed without a gap. Read at the start and with the rules.",
    fields: &[
        Field::new("secret_file", Form::Path, "A file that holds the secret.").example("/run/secrets/pagerduty-hook"),
        Field::new("secret_env", Form::Name, "An environment variable that holds it.").example("PAGERDUTY_HOOK"),
    ],
    choices: &[Choice { fields: &["secret_file", "secret_env"], required: true }],
};

const HEARTBEAT: Object = Object {
    name: "heartbeat section",
    doc: "A dead man's switch: a `GET` to an address of healthchecks.io, Dead Man's Snitch, Uptime Kuma or the like, while `/-/ready` answers 200 and the judge answers; nothing otherwise.",
    fields: &[
        Field::new("url", Form::Url, "The address.").example("\"https://hc.example.org/ping/squelch\""),
        Field::new(
            "url_file",
            Form::Path,
            "A file that holds the address, read each time. Who knows it can pretend to be Squelch.",
        )
        .example("/run/secrets/heartbeat"),
        Field::new("url_env", Form::Name, "An environment variable that holds the address.").example("HEARTBEAT_URL"),
        Field::new(
            "every",
            Form::Duration("1s", "1d"),
            "How often; left out: every minute. Let the other side wait for two or three of them.",
        )
        .example("1m"),
    ],
    choices: &[Choice { fields: &["url", "url_file", "url_env"], required: true }],
};

const MASK: Object = Object::new(
    "mask section",
    "What is found becomes `[e-mail]`, `[token]` and the like. Hosts, services and numbers of a verdict are never masked.",
    &[
        Field::new("off", Form::OneOrMany(&Form::Word(kinds)), "Kinds that are left as they are.")
            .example("[phone, user]"),
        Field::new("on", Form::OneOrMany(&Form::Word(kinds)), "Kinds that are masked, too.").example("[ip]"),
        Field::new("patterns", Form::OneOrMany(&Form::Object(&PATTERN)), "What else is personal here.")
            .example("[{name: customer, match: 'C-[0-9]{6}'}]"),
        Field::new("chats", Form::Flag, "Masks what all other receivers are told, too.").default("false"),
    ],
);

const PATTERN: Object = Object::new(
    "mask pattern",
    "Something that is personal here, such as the numbers of customers.",
    &[
        Field::required("name", Form::Name, "Stands in brackets for what was found.").example("customer"),
        Field::required(
            "match",
            Form::Text,
            "A regular expression (of Rust's regex). Where it has a group `hide`, only that is masked.",
        )
        .example("'C-[0-9]{6}'"),
    ],
);

const LIMITS: Object = Object::new(
    "limits section",
    "How much is taken at once.",
    &[
        Field::new("body", Form::Size(1 << 10, 1 << 30), "The largest body of a request, unpacked. Above: 413.")
            .default("10MB"),
        Field::new(
            "inbox",
            Form::Count("events", 1, 1_000_000),
            "How many events may wait for the engine. Above: 503 with `Retry-After`.",
        )
        .default("10000 events"),
        Field::new(
            "connections",
            Form::Whole(1, 100_000),
            "How many connections at once. Above: they wait to be accepted.",
        )
        .default("1000"),
        Field::new(
            "request_timeout",
            Form::Duration("1s", "10m"),
            "How long a request may take as a whole. Above: 408.",
        )
        .default("30s"),
        Field::new(
            "per_source",
            Form::Rate,
            "How much one source may send, on average over ten seconds. Above: 429 with `Retry-After`.",
        )
        .default("1000 events/s"),
    ],
);

const STORE: Object = Object::new(
    "store section",
    "How much is kept.",
    &[
        Field::new(
            "min_free",
            Form::Size(1 << 20, 1 << 40),
            "With less free space on the disk new events are refused (503); what is held is still judged and paged.",
        )
        .default("256MB"),
        Field::new("history", Form::Duration("1d", "3650d"), "How long closed incidents and their reasons are kept.")
            .default("30d"),
        Field::new("cache", Form::Size(1 << 20, 1 << 40), "How much memory the store may use for itself.")
            .default("64MB"),
        Field::new(
            "snapshot_every",
            Form::Size(1 << 10, 1 << 40),
            "A snapshot of the state is begun after so much journal (up to four times as much when the state is large). Less: a faster start after a crash, and more is written.",
        )
        .default("64MB"),
    ],
);

fn formats() -> Vec<&'static str> {
    LogFormat::ALL.iter().map(|format| format.word()).collect()
}

fn levels() -> Vec<&'static str> {
    LogLevel::ALL.iter().map(|level| level.word()).collect()
}
