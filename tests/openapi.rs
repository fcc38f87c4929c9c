//! `GET /openapi.json` against the router: every path and method of the one is in the other.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "shell/client.rs"]
mod client;
#[path = "shell/running.rs"]
mod running;
#[path = "shell/with.rs"]
mod with;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use client::{get, post, request};
use regex::Regex;
use serde_json::Value;
use with::with;

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
/// What of the router is not described, and why.
const LEFT_OUT: [&str; 3] = [
    "/api/v2/",        // only says that there is nothing
    "/api/v2/{*rest}", // the same
    "/api/v2/alerts/", // another way to write /api/v2/alerts
];

/// The methods of each path in the document.
fn described(document: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .map(|(path, item)| (path.clone(), item.as_object().unwrap().keys().map(|key| key.to_uppercase()).collect()))
        .collect()
}

/// The paths in the source of the router. The pages of the console are for people, and no part of it.
fn routed(dir: &Path, found: &mut BTreeSet<String>) {
    let route = Regex::new(r#"\.route\(\s*(?:"(/[^"]*)"|backup::PATH)"#).unwrap();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("console") {
                routed(&path, found);
            }
        } else {
            let text = fs::read_to_string(&path).unwrap();
            let paths = route.captures_iter(&text).map(|at| at.get(1).map_or("/api/v1/backup", |path| path.as_str()));
            found.extend(paths.map(|path| path.replace("{*key}", "{key}/why")));
        }
    }
}

#[test]
fn every_path_of_the_router_is_described_and_every_described_path_is_in_the_router() {
    let mut routed_paths = BTreeSet::new();
    routed(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http"), &mut routed_paths);
    for path in LEFT_OUT {
        assert!(routed_paths.remove(path), "{path} is no longer in the router");
    }
    with(
        |_| (),
        |to| {
            let described: BTreeSet<String> = described(&get(to, "/openapi.json").json()).into_keys().collect();
            assert_eq!(described, routed_paths);
        },
    );
}

#[test]
fn the_methods_that_are_described_are_those_that_are_served() {
    let part = Regex::new(r"\{[a-z]+\}").unwrap();
    with(
        |_| (),
        |to| {
            for (path, methods) in described(&get(to, "/openapi.json").json()) {
                let real = part.replace_all(&path, "1");
                for method in METHODS {
                    let answer = request(to, (method, &real), &["Content-Type: application/json"], b"").unwrap();
                    // What is gone says so to every method.
                    let served = answer.status != 405 && (answer.status != 410 || methods.contains(method));
                    assert_eq!(served, methods.contains(method), "{method} {path}: {}", answer.body);
                    assert!(!answer.body.contains("there is no /"), "{method} {path}: {}", answer.body);
                }
            }
        },
    );
}

#[test]
fn every_shape_that_is_named_exists_and_none_is_left_over() {
    with(
        |_| (),
        |to| {
            let document = get(to, "/openapi.json");
            let named = Regex::new("#/components/schemas/([A-Za-z]+)").unwrap();
            let named: BTreeSet<String> = named.captures_iter(&document.body).map(|at| at[1].to_owned()).collect();
            let shapes = document.json()["components"]["schemas"].as_object().unwrap().keys().cloned().collect();
            assert_eq!(named, shapes);
        },
    );
}

#[test]
fn what_the_router_refuses_itself_is_told_as_everything_else_is() {
    with(
        |_| (),
        |to| {
            let long = "x".repeat(100_000);
            for (path, body, status) in [("/api/v1/incidents/%ff/ack", "", 400), ("/api/v1/silences", &long, 413)] {
                let answer = post(to, path, body);
                assert_eq!(answer.status, status, "{}", answer.body);
                assert!(answer.json()["error"]["help"].is_string());
            }
        },
    );
}
