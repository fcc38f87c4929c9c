//! One digest of all scopes goes out by mail, whoever dies meanwhile, and its sums are those of all scopes.
//! `SQUELCH_TEST_DIGEST_HTML` names a file into which the one of the API is written, to be looked at.

use std::collections::{BTreeMap, BTreeSet};

use squelch::clock::Clock;
use squelch::domain::{Event, Severity, Status, Timestamp};

use crate::broker::Broker;
use crate::client::{get, request};
use crate::live::{LOUD, until};
use crate::log::Writer;
use crate::mails::MailServer;
use crate::nodes::{Cluster, Node};
use crate::streams::{Stream, expected, policy};

/// More scopes than partitions.
const SCOPES: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];
/// So many events each.
const EVENTS: usize = 40;
const HOUR: f64 = 3600.0;

/// The last full hour: the digests were due then.
fn last_hour() -> Timestamp {
    let now = Clock::start(Timestamp::EPOCH).now().millis();
    Timestamp::from_millis(now / 3_600_000 * 3_600_000)
}

/// Four hours of a scope, long before the digest.
fn stream(due: Timestamp, of: usize) -> Stream {
    let event = |n: usize| {
        let mut event = Event::new("monit", "disk");
        event.host = Some(format!("db-{}", n % 5));
        event.received = Some(due.after(-9.0 * HOUR + 360.0 * n as f64 + of as f64));
        event.ts = event.received;
        event.severity = if n.is_multiple_of(5) { Severity::Critical } else { Severity::Warning };
        event.status = if n % 10 < 5 { Status::Firing } else { Status::Resolved };
        event
    };
    (0..EVENTS + of).map(event).collect()
}

/// How the verdicts add up, in the digest's own words: of all series, or of those that have this in their name.
fn account(decided: &[String], of: &str) -> String {
    let verdicts = decided.iter().flat_map(|text| text.lines()).map(|line| serde_json::from_str(line).unwrap());
    let verdicts = verdicts.filter(|one: &serde_json::Value| one["type"] == "verdict");
    let mut sums: BTreeMap<String, usize> = BTreeMap::new();
    for one in verdicts.filter(|one| one["series"].as_str().unwrap().contains(of)) {
        *sums.entry(one["verdict"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    let of = |word: &str| sums.get(word).copied().unwrap_or(0);
    format!(
        "{} paged + {} joined an incident + {} held back + {} recorded = {} decided.",
        of("page"),
        of("join"),
        of("suppress"),
        of("record"),
        sums.values().sum::<usize>()
    )
}

fn one_line(text: &serde_json::Value) -> String {
    text.as_str().unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The worker of which the log has this, once one has.
fn who(workers: &[Option<Node>], says: &str) -> usize {
    let look = || workers.iter().position(|worker| worker.as_ref().is_some_and(|worker| worker.log().contains(says)));
    until(says, look, Option::is_some).unwrap()
}

/// The worker that said this last.
fn holder(workers: &[Option<Node>], says: &str) -> usize {
    let said = |worker: &Node| worker.log().lines().rfind(|line| line.contains(says)).map(str::to_owned);
    // Lines begin with their time.
    let last = workers.iter().enumerate().filter_map(|(at, worker)| Some((said(worker.as_ref()?)?, at)));
    last.max().unwrap().1
}

#[test]
fn one_digest_of_all_scopes_is_sent_whoever_dies_when_it_is_due() {
    let Some(broker) = Broker::shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    let Some(mails) = MailServer::start(dir.path()) else { return };
    let due = last_hour();
    let at = due.millis() / 3_600_000 % 24;
    let rules = format!(
        "{LOUD}receivers:\n{}routes:\n  - {{name: nobody, receivers: [console]}}\ndigests:\n  \
         - {{name: all of it, receivers: [mail], at: \"{at:02}:00\"}}\n  \
         - {{name: db-1, match: 'host=\"db-1\"', receivers: [mail], at: \"{at:02}:00\"}}\n",
        mails.receiver()
    );
    let secret = dir.path().join("secret");
    std::fs::write(&secret, "only nodes of this cluster know it\n").unwrap();
    let cluster = Cluster::new(&broker, "digests", (&rules, &format!(", secret_file: {}", secret.display())));
    let mut door = cluster.node(9, "http");
    door.until_ready();
    // The digests are known since yesterday, so they are due by now.
    let writer = Writer::new(&broker, &cluster);
    writer.tick_of("squelch", due.after(-25.0 * HOUR));
    let streams: Vec<Stream> = (0..SCOPES.len()).map(|of| stream(due, of)).collect();
    SCOPES.iter().zip(&streams).for_each(|(scope, stream)| stream.iter().for_each(|event| writer.event(scope, event)));
    writer.flush();
    // No mail passes, until two have died at it: one that was to put them together, and one that has.
    mails.wire.cut(true);
    let own = squelch::cluster::place::partition("squelch", crate::nodes::PARTITIONS);
    let mut workers = vec![Some(cluster.node(0, "worker"))];
    let rebuilt = format!("the shard is rebuilt partition={own} ");
    let first = who(&workers, &rebuilt);
    workers[first].take().unwrap().signal("KILL");
    workers.extend([1, 2].map(|number| Some(cluster.node(number, "worker"))));
    who(&workers, "a digest is on its way");
    // Both hold something, so that the death of one leaves something to tell.
    let has_some = |worker: &Node| worker.log().contains("the shard is rebuilt");
    until("shards at both", || workers.iter().flatten().all(has_some), |both| *both);
    let owner = holder(&workers, &rebuilt);
    workers[owner].take().unwrap().signal("KILL");
    preview_without_all(&mut door);
    mails.wire.cut(false);
    let names = || {
        let ids: BTreeSet<_> = mails.taken().iter().map(|mail| mail["headers"]["Message-ID"].to_string()).collect();
        ids.len()
    };
    until("two mails", names, |names| *names >= 2);
    let outbox = || get(door.address(), "/api/v1/tally").json()["outbox"].clone();
    until("that nothing is owed", outbox, |owed| *owed == 0);
    let taken = mails.taken();
    println!("{} mails came, under {} names", taken.len(), names());
    assert_eq!(names(), 2, "{taken:?}");
    // What they say is what engines of their own decide, scope by scope.
    let policy = policy(&cluster.path("rules"));
    let decided: Vec<String> = streams.iter().map(|stream| expected(&policy, stream, Some(due))).collect();
    let count: usize = streams.iter().map(Vec::len).sum();
    let all = format!("Every event is accounted for: {count} came in; {}", account(&decided, ""));
    let part = format!("Every event of this part is accounted for: {}", account(&decided, "/db-1/"));
    for (begins, account) in [("all of it: ", all), ("db-1: ", part)] {
        let mail = taken.iter().find(|mail| mail["headers"]["Subject"].as_str().unwrap().starts_with(begins)).unwrap();
        assert!(!mail["headers"]["Subject"].as_str().unwrap().contains("not all"), "{mail}");
        assert!(one_line(&mail["text"]).contains(&account), "{account}\n{}", one_line(&mail["text"]));
        assert_eq!(mail["defects"], serde_json::json!([]));
    }
    preview_of_all(&mut door, count as u64);
}

/// Who looks while shards are missing is told so.
fn preview_without_all(door: &mut Node) {
    let to = door.address();
    let some = until(
        "what is missing",
        || get(to, "/api/v1/digest?since=20h"),
        |answer| answer.status == 200 && answer.head.to_ascii_lowercase().contains("x-squelch-missing"),
    );
    assert!(!some.json()["missing_shards"].as_array().unwrap().is_empty(), "{}", some.body);
}

/// Any node tells a digest of all shards, incidents under the numbers by which people know them.
fn preview_of_all(door: &mut Node, count: u64) {
    let to = door.address();
    let json = until(
        "all shards",
        || get(to, "/api/v1/digest?since=20h").json(),
        |json| json["missing_shards"].as_array().is_some_and(Vec::is_empty),
    );
    assert_eq!(json["events"]["accepted"], count, "{json}");
    let incidents = json["incidents_told"].as_array().unwrap();
    assert!(incidents.len() >= SCOPES.len(), "{json}");
    for incident in incidents {
        assert_eq!(get(to, &format!("/api/v1/incidents/{}", incident["incident"])).status, 200, "{incident}");
    }
    let html = request(to, ("GET", "/api/v1/digest?since=20h"), &["Accept: text/html"], b"").unwrap();
    assert!(html.status == 200 && html.body.contains("data:image/png;base64,"), "{}", html.body);
    if let Some(file) = std::env::var_os("SQUELCH_TEST_DIGEST_HTML") {
        std::fs::write(file, &html.body).unwrap();
    }
    assert_eq!(get(to, "/api/v1/digest?digest=shop").status, 404);
}
