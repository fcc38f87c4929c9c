//! What stands ready for containers does not rot: the commands of `docker/compose.yaml` are run natively, with its settings
//! and rules, beside a real broker; those of the Kubernetes manifests are the same, and their settings are checked.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::{self, sleep};
use std::time::Duration;

use squelch::clock::Stopwatch;

use crate::broker::{Broker, Door};
use crate::client::{get, request};

const COMPOSE: &str = include_str!("../../docker/compose.yaml");
const DOCKERFILE: &str = include_str!("../../docker/Dockerfile");
const KUBERNETES: &str = include_str!("../../docs/operations/kubernetes.yaml");
const TOKEN: &str = "a token that is long enough to be one";

/// The lists behind this key, each in one line.
fn lists(text: &str, key: &str) -> Vec<Vec<String>> {
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix(key));
    lines.map(|list| serde_json::from_str(list.trim()).unwrap()).collect()
}

/// The text below the first line that ends so, without its indent.
fn block(text: &str, head: &str) -> String {
    let mut lines = text.lines().skip_while(|line| line.trim() != head).skip(1).peekable();
    if lines.peek().is_some_and(|line| line.trim() == "content: |") {
        lines.next();
    }
    let indent = lines.peek().map(|line| line.len() - line.trim_start().len()).unwrap();
    let inside = |line: &&str| line.len() - line.trim_start().len() >= indent;
    lines.take_while(inside).map(|line| format!("{}\n", &line[indent..])).collect()
}

/// A process that is killed when this is dropped.
struct Container(Child);

impl Drop for Container {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs what the container would run, with its files in this folder.
fn run(dir: &Path, number: usize, command: &[String]) -> (Container, SocketAddr) {
    let entry = lists(DOCKERFILE, "ENTRYPOINT").remove(0);
    assert_eq!(entry[0], "squelch");
    let here = |word: &String| match word.as_str() {
        "/data" => dir.join(format!("data-{number}")).display().to_string(),
        "/etc/squelch/rules" => dir.join("rules").display().to_string(),
        "/etc/squelch/squelch.yaml" => dir.join("squelch.yaml").display().to_string(),
        "0.0.0.0:9393" => "127.0.0.1:0".to_owned(),
        word => word.to_owned(),
    };
    let mut child = Command::new(env!("CARGO_BIN_EXE_squelch"))
        .args(entry[1..].iter().chain(command).map(here))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next().expect("it ended before it listened").unwrap();
    thread::spawn(move || lines.for_each(drop));
    (Container(child), line.rsplit('/').next().unwrap().parse().unwrap())
}

#[test]
fn the_commands_of_compose_run_natively_and_make_a_cluster() {
    let Some(broker) = Broker::shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (at, token) = (broker.at(Door::Plain), dir.path().join("token"));
    fs::write(&token, TOKEN).unwrap();
    fs::create_dir(dir.path().join("rules")).unwrap();
    fs::write(dir.path().join("rules/routes.yaml"), block(COMPOSE, "routes:")).unwrap();
    let settings = block(COMPOSE, "settings:").replace("kafka:9092", &at);
    assert!(settings.contains(&at), "{settings}");
    let secret = dir.path().join("cluster");
    fs::write(&secret, TOKEN).unwrap();
    let settings = settings.replace("/run/secrets/token", &token.display().to_string());
    assert!(settings.contains("/run/secrets/cluster"), "{settings}");
    let settings = settings.replace("/run/secrets/cluster", &secret.display().to_string());
    fs::write(dir.path().join("squelch.yaml"), settings).unwrap();
    let commands = lists(COMPOSE, "command:");
    assert_eq!(commands.len(), 3, "two nodes that take events, and workers");
    assert!(COMPOSE.contains("replicas: 3"));
    let nodes = [&commands[0], &commands[1], &commands[2], &commands[2], &commands[2]];
    let nodes: Vec<_> = nodes.iter().enumerate().map(|(number, command)| run(dir.path(), number, command)).collect();
    let watch = Stopwatch::start();
    while nodes.iter().any(|(_, to)| get(*to, "/-/ready").status != 200) && watch.elapsed() < Duration::from_secs(60) {
        sleep(Duration::from_millis(200));
    }
    let event = "{\"source\":\"me\",\"check\":\"disk\",\"labels\":{\"env\":\"prod\",\"team\":\"shop\"}}";
    let headers = [&format!("Authorization: Bearer {TOKEN}"), "Content-Type: application/json"];
    for (_, to) in &nodes[..2] {
        let answer = request(*to, ("POST", "/api/v1/events"), &headers, event.as_bytes()).unwrap();
        assert_eq!(answer.status, 200, "{} {}", answer.body, get(*to, "/-/ready").body);
        assert_eq!(request(*to, ("POST", "/api/v1/events"), &headers[1..], event.as_bytes()).unwrap().status, 401);
    }
    // Who takes events asks the workers for what became of them.
    let tally = || request(nodes[0].1, ("GET", "/api/v1/tally"), &headers[..1], b"").unwrap();
    let watch = Stopwatch::start();
    while !tally().body.contains("\"accepted\":2") && watch.elapsed() < Duration::from_secs(30) {
        sleep(Duration::from_millis(200));
    }
    assert!(tally().body.contains("\"accepted\":2"), "{}{}", tally().head, tally().body);
}

#[test]
fn the_manifests_for_kubernetes_run_the_same_and_their_settings_are_right() {
    let plain = |lists: Vec<Vec<String>>| -> Vec<Vec<String>> {
        let mut all: Vec<Vec<String>> = lists
            .into_iter()
            .map(|list| list.into_iter().map(|word| word.replace("/settings/", "/")).collect())
            .collect();
        all.dedup();
        all
    };
    assert_eq!(plain(lists(KUBERNETES, "args:")), plain(lists(COMPOSE, "command:")));
    let dir = tempfile::tempdir().unwrap();
    let token = dir.path().join("token");
    fs::write(&token, TOKEN).unwrap();
    for (text, settings, rules) in
        [(KUBERNETES, "squelch.yaml: |", "routes.yaml: |"), (COMPOSE, "settings:", "routes:")]
    {
        fs::create_dir_all(dir.path().join("rules")).unwrap();
        fs::write(dir.path().join("rules/routes.yaml"), block(text, rules)).unwrap();
        fs::write(dir.path().join("squelch.yaml"), block(text, settings)).unwrap();
        let checked = Command::new(env!("CARGO_BIN_EXE_squelch"))
            .current_dir(dir.path())
            .args(["check", "--config", "squelch.yaml", "--rules", "rules"])
            .output()
            .unwrap();
        let said = [checked.stdout, checked.stderr].concat();
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&said));
    }
    for (kind, count) in [("Deployment", 2), ("PodDisruptionBudget", 2), ("ConfigMap", 2), ("Service", 1)] {
        assert_eq!(KUBERNETES.lines().filter(|line| *line == format!("kind: {kind}")).count(), count);
    }
    let probes = ["path: /-/ready", "path: /-/healthy"];
    assert!(probes.iter().all(|probe| KUBERNETES.matches(probe).count() == 2));
}
