//! Rule files on disk: which are read, and in what order.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;

use squelch::config::{self, SHIPPED};
use squelch::files;

fn names(dir: &Path) -> Vec<String> {
    files::read_rules(Some(dir)).unwrap().iter().map(|source| source.file_name().to_owned()).collect()
}

#[test]
fn only_yaml_files_directly_in_the_folder_are_rules_in_order_of_name() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["20-b.yaml", "10-a.yml", ".hidden.yaml", "notes.md", "squelch.schema.json", "30-c.yaml~"] {
        fs::write(dir.path().join(name), "rules: []").unwrap();
    }
    for folder in ["tests", "sources", "looks-like.yaml"] {
        fs::create_dir(dir.path().join(folder)).unwrap();
    }
    fs::write(dir.path().join("tests/no-policy.yaml"), "tests: []").unwrap();
    let shipped: Vec<String> = SHIPPED.iter().map(|(name, _)| format!("(shipped) {name}")).collect();
    let expected = [shipped, vec!["10-a.yml".to_owned(), "20-b.yaml".to_owned()]].concat();
    assert_eq!(names(dir.path()), expected);
}

#[test]
fn a_file_with_the_name_of_a_shipped_one_replaces_it() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("topology.yaml"), "topology: {edges: {a: [b]}}").unwrap();
    assert!(!names(dir.path()).contains(&"(shipped) topology.yaml".to_owned()));
    let bundle = config::load(&files::read_rules(Some(dir.path())).unwrap()).unwrap();
    assert_eq!(bundle.policy.topology.edges().collect::<Vec<_>>(), [("a", "b")]);
}

#[test]
fn the_shipped_folder_laid_over_the_shipped_files_changes_nothing() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let twice = config::load(&files::read_rules(Some(&dir)).unwrap()).unwrap();
    let once = config::load(&config::with_shipped(Vec::new())).unwrap();
    assert_eq!((twice.policy, twice.receivers), (once.policy, once.receivers));
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let error = files::read_rules(Some(Path::new("no/such/folder"))).unwrap_err();
    assert!(error.to_string().starts_with("cannot read no/such/folder: "), "{error}");
}

#[test]
fn a_larger_file_than_is_read_is_told_not_loaded() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("huge.yaml"), vec![b' '; 3 * config::LARGEST_FILE]).unwrap();
    let sources = files::read_rules(Some(dir.path())).unwrap();
    assert!(sources.iter().all(|source| source.text.len() <= config::LARGEST_FILE + 1));
    assert!(config::load(&sources).unwrap_err().to_string().contains("larger than"));
}

#[test]
fn the_fingerprint_changes_with_every_byte_and_only_then() {
    let dir = tempfile::tempdir().unwrap();
    let fingerprint = || config::load(&files::read_rules(Some(dir.path())).unwrap()).unwrap().fingerprint;
    let before = fingerprint();
    assert_eq!(before, fingerprint());
    fs::write(dir.path().join("a.yaml"), "# one").unwrap();
    let one = fingerprint();
    fs::write(dir.path().join("a.yaml"), "# two").unwrap();
    assert!(before != one && one != fingerprint());
}
