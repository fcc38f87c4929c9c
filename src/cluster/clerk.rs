//! The clerk at the desk of a node: it brings questions to the shards that they concern, here or on other nodes, and
//! waits for the answers no longer than people would.
//!
//! Nodes show each other the secret of the cluster. Deliberately without a memory of answers: what is told is what the
//! owners say now, and who does not answer is named.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::answers::{RULES, RULES_NAME, RulesName};
use super::counter::{Answer, PATIENCE, Put};
use super::place::{self, Seat};
use super::rules::RuleFiles;
use super::scope::OWN;
use super::standing::Board;
use crate::domain::Policy;
use crate::inbox::Refusal;
use crate::inbox::desk::{ASK, Asked, Desk, Heard, Later, Unheard};
use crate::inbox::question::Whom;
use crate::sinks::clean;

/// Another node has a little longer, for the way.
const ON_THE_WAY: Duration = Duration::from_millis(1_000);
/// No longer answer of a node is read, in bytes.
const LONGEST: usize = 64 << 20;
/// So many questions of other nodes are answered at once.
const AT_ONCE: usize = 64;
/// Where any shard may answer so many nodes are tried.
const TRIES: usize = 3;
/// Of what went wrong so much is told.
const MOST_SAID: usize = 200;
/// How often it is looked whether those who did not answer do so again.
const LOOK: Duration = Duration::from_secs(2);
/// Which Squelch this is.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why nodes cannot ask each other.
pub const NO_SECRET: &str = "this is a node of a cluster, and nodes cannot ask each other: give all of them the same \
                             secret (`cluster.secret_file` or `cluster.secret_env`)";

/// How nodes ask each other.
#[derive(Clone, Debug)]
pub struct Asking {
    /// What they show; `None` = they cannot.
    pub secret: Option<Secret>,
    /// By what they call.
    pub client: reqwest::Client,
}

/// The secret of a cluster. Never shown.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A secret.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// Whether this is it; takes as long for a near miss as for a far one.
    fn is(&self, shown: &[u8]) -> bool {
        subtle::ConstantTimeEq::ct_eq(self.0.as_bytes(), shown).into()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What goes from node to node.
#[derive(Serialize, Deserialize)]
struct Call {
    version: String,
    name: String,
    question: Box<RawValue>,
    shards: Vec<i32>,
    after: Option<i64>,
}

/// What comes back.
#[derive(Serialize, Deserialize)]
struct Reply {
    version: String,
    answers: BTreeMap<i32, Told>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Told {
    Answer(Box<RawValue>),
    Silent(String),
}

/// The clerk. Clones are the same.
#[derive(Clone)]
pub(super) struct Clerk(Arc<Means>);

struct Means {
    partitions: i32,
    board: Board,
    asking: Asking,
    /// The rules that were read last.
    rules: Mutex<Option<(RulesName, Arc<Policy>)>>,
    room: Arc<Semaphore>,
}

/// What is asked of several shards.
struct Errand {
    name: Arc<str>,
    question: Arc<RawValue>,
    after: Option<i64>,
    here: bool,
}

impl Clerk {
    pub(super) fn new(partitions: u16, board: Board, asking: Asking) -> Self {
        let (rules, room) = (Mutex::default(), Arc::new(Semaphore::new(AT_ONCE)));
        Self(Arc::new(Means { partitions: i32::from(partitions), board, asking, rules, room }))
    }

    fn open(&self) -> Result<(), Refusal> {
        let here = self.0.board.counter.shards().len();
        let all = i32::try_from(here).is_ok_and(|here| here == self.0.partitions);
        if all || self.0.asking.secret.is_some() { Ok(()) } else { Err(Refusal::Elsewhere(NO_SECRET)) }
    }

    async fn answer(&self, asked: Asked) -> Result<Heard, Refusal> {
        let after = asked.after.and_then(|after| i64::try_from(after).ok());
        let errand = Errand { name: Arc::from(asked.name), question: asked.text, after: None, here: asked.here };
        match asked.whom {
            Whom::All => self.bring(&errand, (0..self.0.partitions).collect()).await,
            Whom::Any => self.any(&errand).await,
            Whom::Own => {
                let shard = place::partition(OWN, self.0.partitions);
                self.bring(&Errand { after, ..errand }, vec![shard]).await
            }
            Whom::Incident(id) => {
                // A number that no incident can have is unknown to any shard.
                let shard = self.0.board.homes.of(Seat::inside(id).0) % self.0.partitions;
                self.bring(&Errand { after, ..errand }, vec![shard]).await
            }
        }
    }

    /// Asks one after the other until somebody answers: those here first, then a shard of each other node.
    async fn any(&self, errand: &Errand) -> Result<Heard, Refusal> {
        let here = self.0.board.counter.shards();
        let mut nodes: BTreeMap<String, i32> = BTreeMap::new();
        for shard in (0..self.0.partitions).filter(|shard| !here.contains(shard) && !errand.here) {
            self.0.board.owners.of(shard).map(|node| nodes.entry(node).or_insert(shard));
        }
        let mut heard = Heard::new();
        for shard in here.into_iter().take(1).chain(nodes.into_values()).take(TRIES) {
            let told = self.bring(errand, vec![shard]).await?;
            if told.values().any(Result::is_ok) {
                return Ok(told);
            }
            heard.extend(told);
        }
        if heard.is_empty() && !errand.here {
            self.open()?;
            heard.insert(0, Err(UNKNOWN.to_owned()));
        }
        Ok(heard)
    }

    /// Asks these shards, and once more those that have another owner by then.
    async fn bring(&self, errand: &Errand, shards: Vec<i32>) -> Result<Heard, Refusal> {
        let (mut heard, asked) = self.round(errand, &shards).await?;
        let moved = |shard: &i32| {
            let now = self.0.board.owners.of(*shard);
            heard.get(shard).is_some_and(Result::is_err) && now.is_some() && now.as_ref() != asked.get(shard)
        };
        let again: Vec<i32> = shards.iter().copied().filter(moved).collect();
        if !again.is_empty() {
            heard.extend(self.round(errand, &again).await?.0);
        }
        self.0.board.heard(&heard);
        Ok(heard)
    }

    /// Gives what was heard, and which node was asked for each shard.
    async fn round(&self, errand: &Errand, shards: &[i32]) -> Result<(Heard, BTreeMap<i32, String>), Refusal> {
        let here = self.0.board.counter.shards();
        let (own, others): (Vec<i32>, Vec<i32>) = shards.iter().partition(|shard| here.contains(shard));
        let (mut heard, mut asked) = (Heard::new(), BTreeMap::new());
        let mut nodes: BTreeMap<String, Vec<i32>> = BTreeMap::new();
        if !errand.here && !others.is_empty() {
            let Some(secret) = &self.0.asking.secret else { return Err(Refusal::Elsewhere(NO_SECRET)) };
            for shard in others {
                match self.0.board.owners.of(shard) {
                    None => drop(heard.insert(shard, Err(UNKNOWN.to_owned()))),
                    Some(node) => {
                        asked.insert(shard, node.clone());
                        nodes.entry(node).or_default().push(shard);
                    }
                }
            }
            let mut calls = JoinSet::new();
            for (node, shards) in nodes {
                let body = errand.call(shards.clone());
                let (client, secret) = (self.0.asking.client.clone(), secret.clone());
                calls.spawn(async move { (call(&client, &node, &secret, body).await, shards) });
            }
            heard.extend(self.ask_here(errand, own).await);
            while let Some(Ok((reply, shards))) = calls.join_next().await {
                heard.extend(read(reply, shards));
            }
        } else {
            heard.extend(self.ask_here(errand, own).await);
        }
        Ok((heard, asked))
    }

    async fn ask_here(&self, errand: &Errand, shards: Vec<i32>) -> Heard {
        let mut waiting: Vec<(i32, Result<oneshot::Receiver<Answer>, String>)> = Vec::new();
        for shard in shards {
            let (put, told) = Put::new(Arc::clone(&errand.name), Arc::clone(&errand.question), errand.after);
            waiting.push((shard, self.0.board.counter.put(shard, put).map(|()| told)));
        }
        let watch = crate::clock::Stopwatch::start();
        let mut heard = Heard::new();
        for (shard, told) in waiting {
            let answer = match told {
                Err(why) => Err(why),
                Ok(told) => match timeout(PATIENCE.saturating_sub(watch.elapsed()), told).await {
                    Ok(Ok(answer)) => answer,
                    Ok(Err(_)) => Err("it is just going away".to_owned()),
                    Err(_) => Err(format!("it did not answer within {} s", PATIENCE.as_secs())),
                },
            };
            heard.insert(shard, answer);
        }
        heard
    }

    async fn reply(self, call: Call) -> Result<Vec<u8>, Unheard> {
        let Ok(_room) = Arc::clone(&self.0.room).try_acquire_owned() else { return Err(Unheard::Busy) };
        let errand = Errand { name: call.name.into(), question: call.question.into(), after: call.after, here: true };
        let told = self.ask_here(&errand, call.shards).await.into_iter();
        let answers = told.map(|(shard, answer)| (shard, answer.map_or_else(Told::Silent, Told::Answer))).collect();
        serde_json::to_vec(&Reply { version: VERSION.to_owned(), answers })
            .map_err(|error| Unheard::Unread(error.to_string()))
    }

    async fn in_force(&self) -> Result<Arc<Policy>, Refusal> {
        let name: RulesName = self.one(RULES_NAME).await?;
        let known = self.0.rules.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, policy)) = known.filter(|(known, _)| *known == name) {
            return Ok(policy);
        }
        let files: RuleFiles = self.one(RULES).await?;
        let rules = files.load().map_err(|_| Refusal::Silent("rules: they cannot be read here".to_owned()))?;
        let policy = if rules.policy.shadow == name.shadow {
            rules.policy
        } else {
            Arc::new(Policy { shadow: name.shadow, ..Policy::clone(&rules.policy) })
        };
        *self.0.rules.lock().unwrap_or_else(PoisonError::into_inner) = Some((name, Arc::clone(&policy)));
        Ok(policy)
    }

    /// What any shard answers.
    async fn one<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<T, Refusal> {
        let errand = Errand { name: Arc::from(name), question: Arc::from(nothing()), after: None, here: false };
        let mut why = UNKNOWN.to_owned();
        for answer in self.any(&errand).await?.into_values() {
            match answer.and_then(|told| serde_json::from_str(told.get()).map_err(|error| error.to_string())) {
                Ok(told) => return Ok(told),
                Err(other) => why = other,
            }
        }
        Err(Refusal::Silent(format!("rules in force: {why}")))
    }

    /// Asks those who did not answer again, until the node stops: when they do so again, nobody is told any more.
    pub(super) async fn watch(self, mut stop: tokio::sync::watch::Receiver<bool>) {
        loop {
            tokio::select! {
                biased;
                // A vanished sender means the same.
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            let silent: Vec<i32> = self.0.board.read().silent.into_keys().collect();
            if !silent.is_empty() {
                let errand =
                    Errand { name: Arc::from(RULES_NAME), question: Arc::from(nothing()), after: None, here: false };
                // Whether they answer stands on the board.
                drop(self.bring(&errand, silent).await);
            }
        }
    }
}

/// Why a shard is not even asked.
const UNKNOWN: &str = "no worker has told yet that it judges it";

/// The question that says nothing but its name.
fn nothing() -> Box<RawValue> {
    RawValue::NULL.to_owned()
}

impl Errand {
    fn call(&self, shards: Vec<i32>) -> Vec<u8> {
        let question = (*self.question).to_owned();
        let call =
            Call { version: VERSION.to_owned(), name: self.name.to_string(), question, shards, after: self.after };
        serde_json::to_vec(&call).unwrap_or_default()
    }
}

/// Asks another node.
async fn call(client: &reqwest::Client, node: &str, secret: &Secret, body: Vec<u8>) -> Result<Reply, String> {
    let asked = async {
        let told = |error: reqwest::Error| format!("{node} does not answer: {}", said(&error.without_url()));
        let request = client.post(format!("{node}{ASK}")).bearer_auth(&secret.0);
        let mut answer = request.header("content-type", "application/json").body(body).send().await.map_err(told)?;
        let mut text = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(told)? {
            if text.len() + piece.len() > LONGEST {
                return Err(format!("the answer of {node} is longer than {} MB", LONGEST >> 20));
            }
            text.extend_from_slice(&piece);
        }
        match answer.status().as_u16() {
            200 => serde_json::from_slice(&text).map_err(|error| {
                format!("the answer of {node} cannot be read here, it is of another version: {error}")
            }),
            401 => Err(format!("{node} has another secret (`cluster.secret_file`)")),
            status => Err(format!("{node} answers {status}")),
        }
    };
    let late = |_| Err(format!("{node} did not answer within {} s", PATIENCE.as_secs()));
    timeout(PATIENCE + ON_THE_WAY, asked).await.unwrap_or_else(late)
}

/// An error with its causes in one line.
fn said(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        text = format!("{text}: {deeper}");
        cause = deeper.source();
    }
    clean::line(&text, MOST_SAID)
}

/// What a node said of these shards.
fn read(reply: Result<Reply, String>, shards: Vec<i32>) -> Heard {
    let mut reply = match reply {
        Ok(reply) => reply,
        Err(why) => return shards.into_iter().map(|shard| (shard, Err(why.clone()))).collect(),
    };
    let other =
        (reply.version != VERSION).then(|| format!(" (that node is Squelch {}, this one {VERSION})", reply.version));
    let told = |shard: &i32| match reply.answers.remove(shard) {
        Some(Told::Answer(answer)) => Ok(answer),
        Some(Told::Silent(why)) => Err(clean::line(&why, MOST_SAID) + other.as_deref().unwrap_or_default()),
        None => Err("its node says nothing of it".to_owned()),
    };
    let answers: Vec<_> = shards.iter().map(told).collect();
    shards.into_iter().zip(answers).collect()
}

impl Desk for Clerk {
    fn is_open(&self) -> Result<(), Refusal> {
        self.open()
    }

    fn ask(&self, asked: Asked) -> Later<'_, Result<Heard, Refusal>> {
        Box::pin(self.answer(asked))
    }

    fn policy(&self) -> Later<'_, Result<Arc<Policy>, Refusal>> {
        Box::pin(self.in_force())
    }

    fn knows(&self, shown: &[u8]) -> bool {
        self.0.asking.secret.as_ref().is_some_and(|secret| secret.is(shown))
    }

    fn hear(&self, body: &[u8]) -> Later<'static, Result<Vec<u8>, Unheard>> {
        let call = serde_json::from_slice::<Call>(body);
        let clerk = self.clone();
        Box::pin(async move {
            let unread = |error| Unheard::Unread(format!("{error} (this node is Squelch {VERSION})"));
            clerk.reply(call.map_err(unread)?).await
        })
    }
}
