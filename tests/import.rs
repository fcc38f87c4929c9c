//! `squelch import`: what becomes of configurations of Alertmanager, by fixtures with their whole output.
//! `UPDATE_EXPECT=1 cargo test --test import` writes it anew.
//!
//! Whether the same alerts go to the same receivers is not asked here but of a real amtool: `tests/peers/routes.py`.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;
use squelch::config::alertmanager::{Folders, Imported, import};
use squelch::config::{self, Source, with_shipped};

const FOLDERS: Folders<'static> = Folders { rules: "rules", configuration: "/etc/alertmanager" };

fn fixtures(folder: &str) -> Vec<(PathBuf, Source)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/import").join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "yml"));
    paths.sort();
    assert!(paths.len() >= 2);
    let source = |path: &PathBuf| Source::new(path.file_name().unwrap().to_string_lossy(), fs::read(path).unwrap());
    paths.iter().map(|path| (path.clone(), source(path))).collect()
}

/// Everything that came of it, as text.
fn shown(imported: &Imported) -> String {
    let mut text = String::new();
    for file in &imported.files {
        writeln!(text, "==> {}\n{}", file.name, String::from_utf8(file.text.clone()).unwrap()).unwrap();
    }
    writeln!(text, "==> secrets").unwrap();
    for secret in &imported.secrets {
        writeln!(text, "{secret:?}").unwrap();
    }
    writeln!(text, "\n==> not carried").unwrap();
    for left in &imported.left {
        writeln!(text, "{left}\n").unwrap();
    }
    text
}

#[test]
fn configurations_are_carried_without_their_secrets() {
    for (path, source) in fixtures("carried") {
        let imported = import(&source, FOLDERS).unwrap_or_else(|report| panic!("{report}"));
        let text = shown(&imported);
        assert!(!text.contains("hunter2"), "a secret is shown");
        expect_test::expect_file![path.with_extension("expected")].assert_eq(&text);
        let given = String::from_utf8(source.text).unwrap();
        let secrets = given.lines().filter(|line| line.contains("hunter2")).count();
        assert!(imported.secrets.len() >= secrets, "{} secrets of {secrets}", imported.secrets.len());
        assert!(imported.secrets.iter().all(|secret| secret.text.contains("hunter2")));
        let bundle = config::load(&with_shipped(imported.files)).unwrap_or_else(|report| panic!("{report}"));
        assert_eq!(bundle.policy.routes[0].name, "alertmanager");
    }
}

#[test]
fn what_alertmanager_would_refuse_is_told_at_once_and_without_secrets() {
    for (path, source) in fixtures("refused") {
        let report = import(&source, FOLDERS).expect_err("it is wrong").to_string();
        assert!(!report.contains("hunter2"), "{report}");
        expect_test::expect_file![path.with_extension("expected")].assert_eq(&report);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_comes_out_is_taken_as_rules(from in 0_usize..110, lines in 0_usize..4, at in 0_usize..3000, put in ".{0,2}") {
        let whole = include_str!("fixtures/import/carried/everything.yml");
        let kept: Vec<&str> =
            whole.lines().enumerate().filter(|(line, _)| !(from..from + lines).contains(line)).map(|(_, text)| text).collect();
        let mut text = kept.join("\n");
        let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
        text.insert_str(at, &put);
        let source = Source::new("alertmanager.yml", text);
        if let Ok(imported) = import(&source, FOLDERS) {
            prop_assert!(!shown(&imported).contains("hunter2"));
            let files = imported.files.clone();
            if let Err(report) = config::load(&with_shipped(imported.files)) {
                let files: Vec<_> = files.iter().map(|file| String::from_utf8_lossy(&file.text)).collect();
                return Err(TestCaseError::fail(format!("{report}\n{}", files.join("\n"))));
            }
        }
    }
}

#[test]
fn the_command_writes_files_that_check_takes_and_secrets_that_nobody_else_reads() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let given = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/import/carried/everything.yml");
    let squelch = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_squelch"));
        let done = command.args(arguments).current_dir(folder.path()).output().unwrap();
        (done.status.code(), String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap())
    };
    let given = given.to_str().unwrap();
    let (code, told, _) = squelch(&["import", given, "--check"]);
    assert_eq!((code, folder.path().join("rules").exists()), (Some(0), false), "{told}");
    let (code, told, left) = squelch(&["import", given, "--secrets"]);
    assert_eq!(code, Some(0), "{left}");
    assert!(
        told.contains("rules/secrets/database-pager-routing_key") && left.contains("sns_configs"),
        "{told}\n{left}"
    );
    assert!(!format!("{told}{left}").contains("hunter2"));
    let secret = folder.path().join("rules/secrets/database-pager-routing_key");
    assert_eq!(fs::read_to_string(&secret).unwrap(), "hunter2-pagerduty\n");
    assert_eq!(fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
    let (code, told, wrong) = squelch(&["check"]);
    assert_eq!(code, Some(0), "{told}\n{wrong}");
    let (code, _, wrong) = squelch(&["import", given]);
    assert_eq!(code, Some(1));
    assert!(wrong.contains("there already; nothing was written"), "{wrong}");
    assert_eq!(squelch(&["import", given, "--force"]).0, Some(0));
    assert_eq!(squelch(&["import", "nowhere.yml"]).0, Some(1));
    assert_eq!(squelch(&["import"]).0, Some(2));
}
