//! Rule files, right and wrong: what is in force, and what is told. One file a case, named after the mistake;
//! the golden text stands beside it.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

use squelch::config::{self, Source, with_shipped};

/// The files of a folder under `tests/fixtures/rules`, in order of name, each with its golden file.
fn cases(folder: &str) -> Vec<(Source, PathBuf)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rules").join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "yaml"));
    paths.sort();
    let source = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        (Source::new(name, fs::read(path).unwrap()), path.with_extension("expected"))
    };
    paths.iter().map(source).collect()
}

#[test]
fn every_mistake_is_told_with_its_place_and_help() {
    let cases = cases("invalid");
    assert!(cases.len() >= 30, "{} cases", cases.len());
    for (source, golden) in cases {
        let name = source.name.clone();
        let report = config::load(&with_shipped(vec![source])).expect_err(&name);
        expect_test::expect_file![golden].assert_eq(&format!("{report}\n"));
    }
}

#[test]
fn what_is_right_is_in_force() {
    for (source, golden) in cases("valid") {
        let name = source.name.clone();
        let bundle = config::load(&with_shipped(vec![source])).unwrap_or_else(|report| panic!("{name}\n{report}"));
        expect_test::expect_file![golden].assert_eq(&format!("{bundle:#?}\n"));
    }
}
