//! Everything that may stand in settings of Apache Kafka, of sources and of receivers. One list: see [`super::field`].

use super::field::{Choice, Field, Form, Object};
use super::settings::Begin;
use crate::sinks::kafka::Mechanism;

const BROKERS: Field = Field::required(
    "brokers",
    Form::OneOrMany(&Form::Address),
    "Some of the brokers, as `HOST:PORT`; the others are asked for.",
)
.example("[kafka-1:9092, kafka-2:9092]");

const CLIENT_TLS: Field = Field::new(
    "tls",
    Form::Object(&TLS),
    "TLS to the brokers; `{}` trusts the authorities of the system. Left out: in the clear.",
)
.example("{ca_file: /etc/squelch/kafka-ca.pem}");

const LOGIN: Field = Field::new("sasl", Form::Object(&SASL), "How to log in. Left out: not at all.")
    .example("{username: squelch, password_file: /run/secrets/kafka}");

/// Brokers whose topics are read.
pub(super) const KAFKA: Object = Object::new(
    "kafka section",
    "Topics of Apache Kafka that are read. Every partition is read by this Squelch, and how far it was read is stored with what came of it: see KAFKA.md.",
    &[
        Field::new(
            "name",
            Form::Name,
            "What these brokers are called in the store, the log and `/metrics`. Whoever renames them begins anew.",
        )
        .default("kafka"),
        BROKERS,
        Field::required("topics", Form::OneOrMany(&Form::Object(&TOPIC)), "What is read.").example("[{topic: alerts}]"),
        Field::new(
            "group",
            Form::Name,
            "The consumer group under which the progress is shown to Kafka's own tools. Squelch itself never goes by it.",
        )
        .default("squelch"),
        Field::new(
            "dead_letters",
            Form::Text,
            "The topic that gets messages which nobody can read, with the reason in their headers. Left out: the log says where they are.",
        )
        .example("squelch.dead-letters"),
        CLIENT_TLS,
        LOGIN,
    ],
);

/// The cluster that this process is a node of.
pub(super) const CLUSTER: Object = Object {
    name: "cluster section",
    doc: "What `squelch serve --cluster` is a node of: see CLUSTER.md. All nodes have the same, but for `tls`, `sasl`, `advertise` and `ca_file`.",
    fields: &[
        Field::new(
            "name",
            Form::Name,
            "What the cluster is called: its consumer group, and the beginning of its transactional ids.",
        )
        .default("squelch"),
        BROKERS,
        CLIENT_TLS,
        LOGIN,
        Field::new("prefix", Form::Text, "Its topics are called `PREFIX.events`, `PREFIX.state`, `PREFIX.outbox`, `PREFIX.owners` and `PREFIX.decisions`.")
            .default("squelch"),
        Field::new("partitions", Form::Whole(1, 999), "How many partitions its topics have: so many workers can share the work. It cannot be changed in place: `squelch cluster move` takes everything to more.")
            .default("12"),
        Field::new("replication", Form::Whole(1, 15), "On how many brokers each partition lies, where Squelch creates the topics. With 3 or more, writes wait for two of them.")
            .default("3"),
        Field::new("scope", Form::OneOrMany(&Form::Text), "The fields or labels of an event that say what may be correlated with it. Events that differ in one of them never come together. Left out: everything is one scope, and so one partition does all work.")
            .example("[env, team]"),
        Field::new("services", Form::Map(&Form::Map(&Form::Text)), "What services belong to, for events that do not say it themselves: an outside check knows no `env`.")
            .example("{checkout: {env: prod, team: payments}}"),
        Field::new("tick", Form::Duration("100ms", "1h"), "How often the time is written into each partition. Timers fire by it when every source is silent.")
            .default("1s"),
        Field::new("session", Form::Duration("6s", "5m"), "A worker that was not heard for so long has lost its partitions. At least the broker's `group.min.session.timeout.ms`.")
            .default("10s"),
        Field::new("decisions", Form::Flag, "Whether every decision is written to `PREFIX.decisions` as JSON Lines, in the transaction that makes it.")
            .default("true"),
        Field::new("secret_file", Form::Path, "A file that holds a secret, the same on all nodes, that they show when they ask each other. Without one a node answers only where it holds all shards itself. Read at the start.")
            .example("/run/secrets/squelch-cluster"),
        Field::new("secret_env", Form::Name, "An environment variable that holds the secret.").example("SQUELCH_CLUSTER_SECRET"),
        Field::new("advertise", Form::Text, "Under which `HOST:PORT` other nodes reach this one. Left out: where it listens; where that is every address, the one of the interface by which it reaches the brokers.")
            .example("worker-1.squelch:9393"),
        Field::new("ca_file", Form::Path, "The authorities that certificates of other nodes are held against, in PEM, where nodes listen by `tls`. Left out: the public ones.")
            .example("/etc/squelch/ca.pem"),
    ],
    choices: &[Choice { fields: &["secret_file", "secret_env"], required: false }],
};

const TOPIC: Object = Object::new(
    "kafka topic",
    "One topic, and what stands in it.",
    &[
        Field::required("topic", Form::Text, "Its name.").example("alerts"),
        Field::new("format", Form::Name, "What a message is: `native` (events as for `/api/v1/events`), or the name of a tool of `GET /ingest`, whose body it is.")
            .default("native"),
        Field::new("from", Form::Word(begins), "Where to begin when the topic was never read. Partitions that come later are read from their beginning.")
            .default("earliest"),
    ],
);

const TLS: Object = Object::new(
    "kafka tls",
    "TLS to the brokers. All files in PEM.",
    &[
        Field::new("ca_file", Form::Path, "The authorities to trust. Left out: those of the system.")
            .example("/etc/squelch/kafka-ca.pem"),
        Field::new("cert_file", Form::Path, "The certificate of Squelch, where brokers ask for one. With `key_file`.")
            .example("/etc/squelch/kafka-cert.pem"),
        Field::new("key_file", Form::Path, "Its private key.").example("/etc/squelch/kafka-key.pem"),
    ],
);

const SASL: Object = Object {
    name: "kafka login",
    doc: "A name and a password, which is read whenever a connection is made anew. `PLAIN` without TLS to another machine is refused.",
    fields: &[
        Field::new("mechanism", Form::Word(mechanisms), "How.").default("SCRAM-SHA-512"),
        Field::required("username", Form::Name, "The name.").example("squelch"),
        Field::new("password_file", Form::Path, "A file that holds the password.").example("/run/secrets/kafka"),
        Field::new("password_env", Form::Name, "An environment variable that holds it.").example("KAFKA_PASSWORD"),
    ],
    choices: &[Choice { fields: &["password_file", "password_env"], required: true }],
};

/// A topic that is told.
pub(super) const RECEIVER: Object = Object::new(
    "kafka receiver",
    "Squelch's own JSON into a topic. The key is the same for all messages of an incident, so that they stay in order.",
    &[
        BROKERS,
        Field::required("topic", Form::Text, "The topic. It must exist, or the brokers must create it.")
            .example("squelch.pages"),
        CLIENT_TLS,
        LOGIN,
        Field::new("timeout", Form::Duration("1s", "5m"), "How long one attempt may take.").default("30s"),
    ],
);

fn begins() -> Vec<&'static str> {
    Begin::ALL.iter().map(|begin| begin.word()).collect()
}

fn mechanisms() -> Vec<&'static str> {
    Mechanism::ALL.iter().map(|mechanism| mechanism.word()).collect()
}
