//! The topics of a cluster: what they are called, how they must be, and making those that are missing.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::RDKafkaErrorCode;

use crate::broker::{self, Watcher};
use crate::clock::Stopwatch;
use crate::config::Cluster;
use crate::sinks::clean;

/// How long the brokers are waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long one question waits, and what is heard between two.
const STEP: Duration = Duration::from_millis(1_000);
/// How long events and decisions are kept where Squelch creates their topics: a week, in milliseconds.
const WEEK: &str = "604800000";
/// The longest message that they take: a record of a large state is longer than the broker's usual 1 MB.
pub(super) const LONGEST: &str = "8388608";

/// What the topics are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    /// Events, orders and ticks, by scope.
    pub events: String,
    /// The state, compacted.
    pub state: String,
    /// What is owed to receivers, compacted.
    pub outbox: String,
    /// Where the owner of each partition is reached, compacted.
    pub owners: String,
    /// What was moved here from another cluster, compacted.
    pub moved: String,
    /// Every decision as JSON Lines; `None` = nobody wants them.
    pub decisions: Option<String>,
}

impl Topics {
    /// By the settings.
    #[must_use]
    pub fn of(settings: &Cluster) -> Self {
        let name = |what: &str| format!("{}.{what}", settings.prefix);
        Self {
            events: name("events"),
            state: name("state"),
            outbox: name("outbox"),
            owners: name("owners"),
            moved: name("moved"),
            decisions: settings.decisions.then(|| name("decisions")),
        }
    }

    /// Each with whether it is compacted.
    pub(super) fn all(&self) -> Vec<(&str, bool)> {
        let mut all = vec![
            (self.events.as_str(), false),
            (&self.state, true),
            (&self.outbox, true),
            (&self.owners, true),
            (&self.moved, true),
        ];
        all.extend(self.decisions.as_deref().map(|name| (name, false)));
        all
    }
}

/// Looks at the topics, creates those that are missing, and checks that all are as they must be.
///
/// # Errors
/// Everything that is wrong, and how to mend it.
pub(super) async fn prepare(settings: &Cluster) -> Result<(), Vec<String>> {
    let one = |error: String| vec![error];
    let known = look(settings).map_err(one)?;
    let config = broker::calling(&settings.connection).map_err(|error| one(error.to_string()))?;
    let admin: AdminClient<Watcher> =
        config.create_with_context(Watcher::default()).map_err(|error| one(error.to_string()))?;
    let topics = Topics::of(settings);
    let count = |topic: &str| known.iter().find(|(name, _)| name == topic).map(|(_, partitions)| *partitions);
    let missing: Vec<_> = topics.all().into_iter().filter(|(name, _)| count(name).is_none()).collect();
    create(&admin, settings, &missing).await?;
    let mut wrong = Vec::new();
    for (name, _) in topics.all() {
        if let Some(partitions) = count(name).filter(|count| *count != usize::from(settings.partitions)) {
            wrong.push(format!(
                "the topic `{name}` has {partitions} partitions, and `cluster.partitions` is {}: they must be the same. What is in a partition belongs there: put `partitions` back, or, for more of them, move everything into new topics with `squelch cluster move`, which is also the way out where somebody has added partitions",
                settings.partitions
            ));
        }
    }
    let present: Vec<_> = topics.all().into_iter().filter(|(name, _)| count(name).is_some()).collect();
    wrong.extend(wrongly_kept(&admin, &present).await);
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// The topics that there are, and how many partitions they have. Asked by a consumer: only that hears why nobody answers.
pub(super) fn look(settings: &Cluster) -> Result<Vec<(String, usize)>, String> {
    let watcher = Watcher::default();
    let config = broker::reading(&settings.connection, &settings.name).map_err(|error| error.to_string())?;
    let asker: BaseConsumer<Watcher> =
        config.create_with_context(watcher.clone()).map_err(|error| error.to_string())?;
    let watch = Stopwatch::start();
    loop {
        let error = match asker.fetch_metadata(None, STEP) {
            Ok(seen) => {
                let topics = seen.topics().iter();
                return Ok(topics.map(|topic| (topic.name().to_owned(), topic.partitions().len())).collect());
            }
            Err(error) => error,
        };
        // What it hears it tells when it is asked for messages, of which there are none.
        drop(asker.poll(STEP));
        let why = watcher.why_down();
        if why.is_some() || watch.elapsed() > PATIENCE {
            return Err(format!("no broker can be reached: {}", why.unwrap_or_else(|| error.to_string())));
        }
    }
}

async fn create(admin: &AdminClient<Watcher>, settings: &Cluster, missing: &[(&str, bool)]) -> Result<(), Vec<String>> {
    let replication = i32::from(settings.replication);
    let (in_sync, partitions) = (if replication >= 3 { "2" } else { "1" }, i32::from(settings.partitions));
    let mut wrong = Vec::new();
    for (name, compacted) in missing {
        let new = new_topic(name, *compacted, (partitions, replication, in_sync));
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE)).request_timeout(Some(PATIENCE));
        match admin.create_topics([&new], &options).await {
            Ok(results) => {
                let failed = results.into_iter().filter_map(Result::err);
                wrong.extend(failed.filter_map(|(_, code)| refused(name, code, settings)));
            }
            Err(error) => wrong.push(format!("the topic `{name}` cannot be created: {error}")),
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

fn new_topic<'a>(
    name: &'a str,
    compacted: bool,
    (partitions, replication, in_sync): (i32, i32, &'a str),
) -> NewTopic<'a> {
    let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(replication));
    let topic = topic.set("min.insync.replicas", in_sync).set("max.message.bytes", LONGEST);
    if compacted {
        // Smaller segments and less dirt than usual: what is compacted need not be read when a shard moves.
        topic.set("cleanup.policy", "compact").set("segment.bytes", "67108864").set("min.cleanable.dirty.ratio", "0.2")
    } else {
        topic.set("cleanup.policy", "delete").set("retention.ms", WEEK)
    }
}

/// Why the brokers do not create a topic; `None` = another node has just done so.
fn refused(name: &str, code: RDKafkaErrorCode, settings: &Cluster) -> Option<String> {
    let how = format!("create it with {} partitions", settings.partitions);
    match code {
        RDKafkaErrorCode::TopicAlreadyExists => None,
        RDKafkaErrorCode::InvalidReplicationFactor => Some(format!(
            "the topic `{name}` cannot be created on {} brokers, there are not so many: start more, or set `cluster.replication`",
            settings.replication
        )),
        RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::ClusterAuthorizationFailed => Some(format!(
            "there is no topic `{name}`, and the brokers do not let this user create it: {how}, or allow it (ACL: CREATE)"
        )),
        other => Some(format!("there is no topic `{name}`, and it cannot be created ({other}): {how}")),
    }
}

/// A state that is deleted by age would be lost, and so would events that are compacted.
async fn wrongly_kept(admin: &AdminClient<Watcher>, topics: &[(&str, bool)]) -> Vec<String> {
    let asked: Vec<_> = topics.iter().map(|(name, _)| ResourceSpecifier::Topic(name)).collect();
    if asked.is_empty() {
        return Vec::new();
    }
    let options = AdminOptions::new().request_timeout(Some(PATIENCE));
    let Ok(answers) = admin.describe_configs(&asked, &options).await else { return Vec::new() };
    let mut wrong = Vec::new();
    for ((name, compacted), answer) in topics.iter().zip(answers) {
        // Who may not look at settings may still use the topic.
        let Ok(config) = answer else { continue };
        let policy = config.get("cleanup.policy").and_then(|entry| entry.value.clone()).unwrap_or_default();
        let wanted = if *compacted { "compact" } else { "delete" };
        if policy != wanted {
            let policy = clean::line(&policy, 100);
            wrong.push(format!(
                "the topic `{name}` has cleanup.policy={policy}, and must have {wanted}: what is in it would be lost"
            ));
        }
    }
    wrong
}
