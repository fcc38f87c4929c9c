//! The labelled streams beside the checkout, where they are: every case replays with every event accounted for, and the
//! floors that the project promised hold. The referee is `eval/score.py` beside them.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and says what it left out")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The least recall, and the most pages, of a case; recall 0 and any number of pages where nothing is promised.
const FLOORS: &[(&str, f64, u64)] = &[
    ("postmortem_1", 1.0, 10),
    ("postmortem_2", 1.0, 10),
    ("postmortem_3", 1.0, 10),
    ("nezha_ob", 0.5, 75),
    ("smd_a", 0.0, u64::MAX),
    ("asd_a", 0.0, u64::MAX),
    ("petshop_high", 0.0, u64::MAX),
    ("nab", 0.0, u64::MAX),
    ("ait_santos", 0.0, u64::MAX),
    ("ait_russellmitchell", 0.0, u64::MAX),
];

fn shared() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let there = beside.join("data").is_dir() && beside.join("eval/score.py").is_file();
    let python = Command::new("python3").arg("--version").output().is_ok();
    (there && python).then_some(beside)
}

/// What the referee says of a case.
fn score(shared: &Path, case: &str, folder: &Path) -> serde_json::Value {
    let data = shared.join("data").join(case);
    let decisions = folder.join(format!("{case}.jsonl"));
    let mut replay = Command::new(env!("CARGO_BIN_EXE_squelch"));
    replay.current_dir(folder).arg("replay").arg("--decisions").arg(&decisions);
    let graph = data.join("topology.json");
    if graph.is_file() {
        replay.arg("--topology").arg(graph);
    }
    let output = replay.arg(data.join("alerts.jsonl.gz")).output().unwrap();
    assert!(output.status.success(), "{case}: {}", String::from_utf8_lossy(&output.stderr));
    let score = Command::new("python3")
        .arg(shared.join("eval/score.py"))
        .args([&data, &decisions])
        .arg("--json")
        .output()
        .unwrap();
    serde_json::from_slice(&score.stdout)
        .unwrap_or_else(|_| panic!("{case}: {}", String::from_utf8_lossy(&score.stderr)))
}

#[test]
fn every_case_replays_and_the_floors_hold() {
    let Some(shared) = shared() else {
        println!("left out: no labelled streams beside the checkout, or no python3");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for (case, recall, pages) in FLOORS {
        let score = score(&shared, case, folder.path());
        println!("{score}");
        if score["unaccounted"] != 0 {
            wrong.push(format!("{case}: {} events unaccounted", score["unaccounted"]));
        }
        if score["recall"].as_f64().unwrap() < *recall || score["pages"].as_u64().unwrap() > *pages {
            wrong.push(format!("{case}: recall {} at {} pages", score["recall"], score["pages"]));
        }
        if score.get("late").is_some_and(|late| late.as_array().is_some_and(|late| !late.is_empty())) {
            wrong.push(format!("{case}: late {}", score["late"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
