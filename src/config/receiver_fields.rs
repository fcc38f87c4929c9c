//! Everything that may stand in a receiver. One list: see [`super::field`].

use super::field::{Choice, Field, Form, Object};
use super::kafka_fields::RECEIVER as KAFKA;
use crate::sinks::pagerduty::Worse;
use crate::sinks::receiver::Tls;

/// The kinds of receivers, of which each receiver is one.
pub(super) const KINDS: &[&str] = &[
    "console",
    "webhook",
    "email",
    "pagerduty",
    "opsgenie",
    "slack",
    "alertmanager",
    "teams",
    "discord",
    "telegram",
    "ntfy",
    "pushover",
    "mattermost",
    "google_chat",
    "twilio",
    "victorops",
    "exec",
    "kafka",
];

/// A receiver.
pub(super) const RECEIVER: Object = Object {
    name: "receiver",
    doc: "Who is told, and how they are reached: a name and one kind.",
    fields: &[
        Field::required("name", Form::Name, "Its name, unique among the receivers. Routes name it.")
            .example("night shift"),
        Field::new(
            "deadline",
            Form::Duration("10s", "1d"),
            "What it has not taken for this long is told to `fallback`, and that it does not take messages pages. It is tried on all \
             the same.",
        )
        .default("5m"),
        Field::new("fallback", Form::OneOrMany(&Form::Name), "Who is told what it does not take.")
            .example("[console]"),
        Field::new("title", Form::Text, "Your own first line, as a template (Jinja). `squelch check --receiver NAME` shows what it makes.")
            .example("'{{ severity | upper }}: {{ title }}'"),
        Field::new("text", Form::Text, "Your own text below it, as a template.").example("'{{ why }}'"),
        Field::new("console", Form::Object(&CONSOLE), "Lines on standard output.").example("{}"),
        Field::new("webhook", Form::Object(&WEBHOOK), "Squelch's own JSON, by `POST`.")
            .example("{url: \"https://ops.example.org/hook\"}"),
        Field::new("email", Form::Object(&EMAIL), "A mail, by SMTP.")
            .example("{to: ops@example.org, from: squelch@example.org, smtp: {host: mail.example.org}}"),
        Field::new("pagerduty", Form::Object(&PAGERDUTY), "PagerDuty, by its Events API v2.")
            .example("{routing_key_file: /run/secrets/pagerduty}"),
        Field::new("opsgenie", Form::Object(&OPSGENIE), "Opsgenie, by its Alert API.")
            .example("{api_key_file: /run/secrets/opsgenie}"),
        Field::new("slack", Form::Object(&SLACK), "Slack, by a bot or an incoming webhook.")
            .example("{token_file: /run/secrets/slack, channel: \"#alerts\"}"),
        Field::new("alertmanager", Form::Object(&ALERTMANAGER), "What takes Alertmanager's webhooks (version 4).")
            .example("{url: \"http://karma.example.org/hook\"}"),
        Field::new("teams", Form::Object(&TEAMS), "Microsoft Teams, by a workflow.")
            .example("{url_file: /run/secrets/teams}"),
        Field::new("discord", Form::Object(&DISCORD), "Discord, by a webhook.")
            .example("{url_file: /run/secrets/discord}"),
        Field::new("telegram", Form::Object(&TELEGRAM), "Telegram, by a bot.")
            .example("{token_file: /run/secrets/telegram, chat: \"-1001234567890\"}"),
        Field::new("ntfy", Form::Object(&NTFY), "ntfy.").example("{topic: ops-alerts}"),
        Field::new("pushover", Form::Object(&PUSHOVER), "Pushover.")
            .example("{user_key_file: /run/secrets/pushover-user, token_file: /run/secrets/pushover-app}"),
        Field::new("mattermost", Form::Object(&MATTERMOST), "Mattermost, by an incoming webhook.")
            .example("{url_file: /run/secrets/mattermost}"),
        Field::new("google_chat", Form::Object(&GOOGLE_CHAT), "Google Chat, by a webhook.")
            .example("{url_file: /run/secrets/chat}"),
        Field::new("twilio", Form::Object(&TWILIO), "SMS, by Twilio.").example(
            "{account: AC0123456789, token_file: /run/secrets/twilio, from: \"+15005550006\", to: \"+15005550001\"}",
        ),
        Field::new("victorops", Form::Object(&VICTOROPS), "Splunk On-Call (VictorOps), by its REST endpoint.")
            .example("{api_key_file: /run/secrets/victorops, routing_key: ops}"),
        Field::new("exec", Form::Object(&EXEC), "A program that reads Squelch's own JSON.")
            .example("{program: /usr/local/bin/ring-the-bell}"),
        Field::new("kafka", Form::Object(&KAFKA), "Squelch's own JSON into a topic of Apache Kafka.")
            .example("{brokers: [kafka-1:9092], topic: squelch.pages}"),
    ],
    choices: &[Choice { fields: KINDS, required: true }],
};

const CONSOLE: Object = Object::new("console receiver", "Needs no settings: `console: {}`.", &[]);

const CA_FILE: Field =
    Field::new("ca_file", Form::Path, "A PEM file with the authorities to trust instead of the public ones.")
        .example("/etc/squelch/ca.pem");

const TIMEOUT: Field =
    Field::new("timeout", Form::Duration("1s", "2m"), "How long one attempt may take.").default("10s");

const URL: Field = Field::new("url", Form::Url, "Where to.").example("\"https://ops.example.org/hook\"");
const URL_FILE: Field = Field::new("url_file", Form::Path, "A file that holds the URL.").example("/run/secrets/hook");
const URL_ENV: Field =
    Field::new("url_env", Form::Name, "An environment variable that holds the URL.").example("HOOK_URL");
const TOKEN_FILE: Field =
    Field::new("token_file", Form::Path, "A file that holds a token, sent as `Authorization: Bearer …`.")
        .example("/run/secrets/hook-token");
const TOKEN_ENV: Field =
    Field::new("token_env", Form::Name, "An environment variable that holds the token.").example("HOOK_TOKEN");

const AN_URL: Choice = Choice { fields: &["url", "url_file", "url_env"], required: true };
const SECRET_URL: Choice = Choice { fields: &["url_file", "url_env"], required: true };
const A_TOKEN: Choice = Choice { fields: &["token_file", "token_env"], required: true };
const PERHAPS_A_TOKEN: Choice = Choice { fields: &["token_file", "token_env"], required: false };

const WORSE: Field = Field::new(
    "worse",
    Form::Word(worse),
    "When an incident becomes clearly worse. `page`: it rings again, by a second alert beside the first, because a pager does not \
     ring twice for one. `update`: only the first is brought up to date.",
)
.default("page");

const WEBHOOK: Object = Object {
    name: "webhook receiver",
    doc: "Where to send. An URL that is itself a secret goes into a file or an environment variable.",
    fields: &[URL, URL_FILE, URL_ENV, TOKEN_FILE, TOKEN_ENV, CA_FILE, TIMEOUT],
    choices: &[AN_URL, PERHAPS_A_TOKEN],
};

const ALERTMANAGER: Object = Object {
    name: "alertmanager receiver",
    doc: "Gets the body that Alertmanager 0.27 sends to webhooks: when an incident pages, is back, and is over.",
    fields: &[URL, URL_FILE, URL_ENV, TOKEN_FILE, TOKEN_ENV, CA_FILE, TIMEOUT],
    choices: &[AN_URL, PERHAPS_A_TOKEN],
};

const PAGERDUTY: Object = Object {
    name: "pagerduty receiver",
    doc: "One alert an incident: triggered, acknowledged and resolved with it.",
    fields: &[
        Field::new(
            "routing_key_file",
            Form::Path,
            "A file that holds the integration key of an \"Events API V2\" integration.",
        )
        .example("/run/secrets/pagerduty"),
        Field::new("routing_key_env", Form::Name, "An environment variable that holds it.").example("PAGERDUTY_KEY"),
        WORSE,
        Field::new("url", Form::Url, "The API; for the EU `https://events.eu.pagerduty.com`.")
            .default("https://events.pagerduty.com"),
        CA_FILE,
        TIMEOUT,
    ],
    choices: &[Choice { fields: &["routing_key_file", "routing_key_env"], required: true }],
};

const OPSGENIE: Object = Object {
    name: "opsgenie receiver",
    doc: "One alert an incident: created, acknowledged and closed with it.",
    fields: &[
        Field::new("api_key_file", Form::Path, "A file that holds the key of an API integration.")
            .example("/run/secrets/opsgenie"),
        Field::new("api_key_env", Form::Name, "An environment variable that holds it.").example("OPSGENIE_KEY"),
        Field::new("tags", Form::OneOrMany(&Form::Name), "Tags of every alert, at most 20.").example("[squelch, prod]"),
        WORSE,
        Field::new("url", Form::Url, "The API; for the EU `https://api.eu.opsgenie.com`.")
            .default("https://api.opsgenie.com"),
        CA_FILE,
        TIMEOUT,
    ],
    choices: &[Choice { fields: &["api_key_file", "api_key_env"], required: true }],
};

const SLACK: Object = Object {
    name: "slack receiver",
    doc: "By a bot (`token_…` and `channel`): one message an incident, kept up to date, its timeline in the thread. By an \
          incoming webhook (`url_…`): a new message each time.",
    fields: &[
        Field::new(
            "token_file",
            Form::Path,
            "A file that holds the bot's token (`xoxb-…`), which has the scope `chat:write`.",
        )
        .example("/run/secrets/slack"),
        Field::new("token_env", Form::Name, "An environment variable that holds it.").example("SLACK_TOKEN"),
        Field::new("channel", Form::Name, "The channel of the bot: its id or its name. Invite the bot into it.")
            .example("\"#alerts\""),
        Field::new("url_file", Form::Path, "A file that holds the URL of an incoming webhook.")
            .example("/run/secrets/slack-hook"),
        Field::new("url_env", Form::Name, "An environment variable that holds that URL.").example("SLACK_HOOK"),
        Field::new("api_url", Form::Url, "The API of the bot.").default("https://slack.com/api"),
        CA_FILE,
        TIMEOUT,
    ],
    choices: &[Choice { fields: &["token_file", "token_env", "url_file", "url_env"], required: true }],
};

const TEAMS: Object = Object {
    name: "teams receiver",
    doc: "An Adaptive Card to a workflow that begins with \"When a Teams webhook request is received\".",
    fields: &[URL_FILE, URL_ENV, CA_FILE, TIMEOUT],
    choices: &[SECRET_URL],
};

const DISCORD: Object = Object {
    name: "discord receiver",
    doc: "One message an incident, kept up to date; what comes after is said anew, too.",
    fields: &[URL_FILE, URL_ENV, CA_FILE, TIMEOUT],
    choices: &[SECRET_URL],
};

const TELEGRAM: Object = Object {
    name: "telegram receiver",
    doc: "One message an incident, kept up to date; what comes after answers it. What does not page makes no sound.",
    fields: &[
        Field::new("token_file", Form::Path, "A file that holds the bot's token.").example("/run/secrets/telegram"),
        Field::new("token_env", Form::Name, "An environment variable that holds it.").example("TELEGRAM_TOKEN"),
        Field::required("chat", Form::Name, "The chat: its number, or `@name` of a channel.")
            .example("\"-1001234567890\""),
        Field::new("topic", Form::Whole(1, 1_000_000_000_000), "The topic within a group that has topics.")
            .example("7"),
        Field::new("url", Form::Url, "The API.").default("https://api.telegram.org"),
        CA_FILE,
        TIMEOUT,
    ],
    choices: &[A_TOKEN],
};

const NTFY: Object = Object {
    name: "ntfy receiver",
    doc: "A critical page has the highest priority (5), any other page 4, what does not page 2.",
    fields: &[
        Field::new("topic", Form::Name, "The topic. Who knows it can read it.").example("ops-alerts"),
        Field::new("topic_file", Form::Path, "A file that holds the topic.").example("/run/secrets/ntfy-topic"),
        Field::new("topic_env", Form::Name, "An environment variable that holds it.").example("NTFY_TOPIC"),
        TOKEN_FILE,
        TOKEN_ENV,
        Field::new("url", Form::Url, "The server.").default("https://ntfy.sh"),
        CA_FILE,
        TIMEOUT,
    ],
    choices: &[Choice { fields: &["topic", "topic_file", "topic_env"], required: true }, PERHAPS_A_TOKEN],
};

const PUSHOVER: Object = Object {
    name: "pushover receiver",
    doc: "A critical page is an emergency: it rings until somebody confirms it, or until the incident is taken or over.",
    fields: &[
        Field::new("user_key_file", Form::Path, "A file that holds the key of the user or group.")
            .example("/run/secrets/pushover-user"),
        Field::new("user_key_env", Form::Name, "An environment variable that holds it.").example("PUSHOVER_USER"),
        Field::new("token_file", Form::Path, "A file that holds the token of the application.")
            .example("/run/secrets/pushover-app"),
        Field::new("token_env", Form::Name, "An environment variable that holds it.").example("PUSHOVER_TOKEN"),
        Field::new("retry", Form::Duration("30s", "3h"), "An emergency rings this often.").default("1m"),
        Field::new("expire", Form::Duration("30s", "3h"), "An emergency rings for this long.").default("1h"),
        Field::new("url", Form::Url, "The API.").default("https://api.pushover.net"),
        CA_FILE,
        TIMEOUT,
    ],
    choices: &[Choice { fields: &["user_key_file", "user_key_env"], required: true }, A_TOKEN],
};

const MATTERMOST: Object = Object {
    name: "mattermost receiver",
    doc: "A new message each time.",
    fields: &[
        URL_FILE,
        URL_ENV,
        Field::new("channel", Form::Name, "Another channel than the webhook's own.").example("ops"),
        CA_FILE,
        TIMEOUT,
    ],
    choices: &[SECRET_URL],
};

const GOOGLE_CHAT: Object = Object {
    name: "google_chat receiver",
    doc: "All messages of an incident are one thread.",
    fields: &[URL_FILE, URL_ENV, CA_FILE, TIMEOUT],
    choices: &[SECRET_URL],
};

const TWILIO: Object = Object {
    name: "twilio receiver",
    doc: "A text message for each page, when it is back, and when it is over.",
    fields: &[
        Field::required("account", Form::Name, "The account SID.").example("AC0123456789"),
        Field::new("token_file", Form::Path, "A file that holds the auth token.").example("/run/secrets/twilio"),
        Field::new("token_env", Form::Name, "An environment variable that holds it.").example("TWILIO_TOKEN"),
        Field::required(
            "from",
            Form::Name,
            "The number that it comes from, or the SID of a messaging service (`MG…`).",
        )
        .example("\"+15005550006\""),
        Field::required("to", Form::OneOrMany(&Form::Name), "The numbers that get it.").example("\"+15005550001\""),
        Field::new("url", Form::Url, "The API.").default("https://api.twilio.com"),
        CA_FILE,
        TIMEOUT,
    ],
    choices: &[A_TOKEN],
};

const VICTOROPS: Object = Object {
    name: "victorops receiver",
    doc: "One entity an incident: acknowledged and recovered with it.",
    fields: &[
        Field::new("api_key_file", Form::Path, "A file that holds the key of the REST integration.")
            .example("/run/secrets/victorops"),
        Field::new("api_key_env", Form::Name, "An environment variable that holds it.").example("VICTOROPS_KEY"),
        Field::required("routing_key", Form::Name, "The routing key: which team.").example("ops"),
        WORSE,
        Field::new("url", Form::Url, "The endpoint, without its key.")
            .default("https://alert.victorops.com/integrations/generic/20131114/alert"),
        CA_FILE,
        TIMEOUT,
    ],
    choices: &[Choice { fields: &["api_key_file", "api_key_env"], required: true }],
};

const EXEC: Object = Object::new(
    "exec receiver",
    "Is started for each message, without a shell, with nothing of the environment but `PATH`. It reads what a webhook gets, and \
     ends with 0 when it is done; anything else is tried again.",
    &[
        Field::required("program", Form::Path, "The program, by its absolute path.")
            .example("/usr/local/bin/ring-the-bell"),
        Field::new("arguments", Form::List(&Form::Text), "Its arguments, as they are.")
            .default("[]")
            .example("[--loud]"),
        Field::new("timeout", Form::Duration("1s", "2m"), "How long it may run; then it is killed.").default("30s"),
    ],
);

const EMAIL: Object = Object::new(
    "email receiver",
    "Who gets it, who it comes from, and the server that takes it.",
    &[
        Field::required("to", Form::OneOrMany(&Form::Mail), "Who gets it.").example("ops@example.org"),
        Field::required("from", Form::Mail, "Who it comes from.").example("Squelch <squelch@example.org>"),
        Field::required("smtp", Form::Object(&SMTP), "The server that takes it.")
            .example("{host: mail.example.org, username: squelch, password_file: /run/secrets/smtp}"),
    ],
);

const SMTP: Object = Object {
    name: "smtp section",
    doc: "A login needs `username` and one of `password_file` and `password_env`. A login without TLS to another machine is refused.",
    fields: &[
        Field::required("host", Form::Name, "The server: a name or an address.").example("mail.example.org"),
        Field::new("port", Form::Whole(1, 65_535), "Its port. Left out: 587 for `starttls`, 465 for `tls`, 25 for `none`.")
            .example("587"),
        Field::new("tls", Form::Word(tls_modes), "`starttls`: must be upgraded before anything else is said. `tls`: from the first byte. `none`: not at all.")
            .default("starttls"),
        CA_FILE,
        Field::new("username", Form::Name, "The name to log in with.").example("squelch"),
        Field::new("password_file", Form::Path, "A file that holds the password.").example("/run/secrets/smtp"),
        Field::new("password_env", Form::Name, "An environment variable that holds the password.").example("SMTP_PASSWORD"),
        Field::new("timeout", Form::Duration("1s", "5m"), "How long one attempt may take.").default("30s"),
    ],
    choices: &[Choice { fields: &["password_file", "password_env"], required: false }],
};

fn tls_modes() -> Vec<&'static str> {
    Tls::ALL.iter().map(|mode| mode.word()).collect()
}

fn worse() -> Vec<&'static str> {
    Worse::ALL.iter().map(|worse| worse.word()).collect()
}
