//! What the real binary prints for people and for programs: widths, `--json`, completions, manual pages.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// What prints for shells, editors or nobody.
const WITHOUT_JSON: &[&str] = &["serve", "schema", "completions", "man"];

fn run(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_squelch"));
    command.current_dir(folder).env("NO_COLOR", "1").env_remove("COLUMNS").args(arguments);
    command.envs(environment.iter().copied()).output().unwrap()
}

fn out(output: &Output) -> String {
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let output = run(folder, arguments, &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1, "{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&text).unwrap()
}

/// The commands that `squelch COMMAND... --help` lists.
fn commands(folder: &Path, of: &[&str]) -> Vec<String> {
    let help = out(&run(folder, &[of, &["--help"]].concat(), &[]));
    let listed = help.split_once("Commands:\n").map(|(_, rest)| rest.split("\n\n").next().unwrap().to_owned());
    let listed = listed.unwrap_or_default();
    let names = listed.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[test]
fn every_command_that_prints_can_print_json() {
    let folder = tempfile::tempdir().unwrap();
    let mut without = Vec::new();
    for command in commands(folder.path(), &[]) {
        let actions = commands(folder.path(), &[&command]);
        let actions: Vec<Vec<&str>> = match actions.as_slice() {
            [] => vec![vec![&command]],
            actions => actions.iter().map(|action| vec![command.as_str(), action]).collect(),
        };
        for action in actions {
            let help = out(&run(folder.path(), &[action.as_slice(), &["--help"]].concat(), &[]));
            if !help.contains("--json") {
                without.push(action.join(" "));
            }
        }
    }
    without.sort();
    let mut expected = WITHOUT_JSON.to_vec();
    expected.sort_unstable();
    assert_eq!(without, expected);
}

#[test]
fn text_for_people_fits_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["demo", "--write", "story.jsonl"], &[]);
    let why: &[&str] = &["why", "--series", "web-2/cpu_busy", "--replay", "story.jsonl"];
    for (arguments, columns) in [(&["demo"][..], 60), (&["demo"], 80), (why, 60), (&["demo"], 44)] {
        let wide = out(&run(folder.path(), arguments, &[]));
        let text = out(&run(folder.path(), arguments, &[("COLUMNS", &columns.to_string())]));
        let too_wide: Vec<_> = text.lines().filter(|line| line.chars().count() > columns).collect();
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let one_word = |line: &&str| !line.contains(' ');
        assert!(too_wide.iter().all(one_word), "{too_wide:?}");
        assert_eq!(words(&text), words(&wide), "nothing is lost");
    }
}

#[test]
fn what_programs_read_is_the_same_at_any_width() {
    let folder = tempfile::tempdir().unwrap();
    let (free, narrow) = ([("NO_COLOR", "1")], [("COLUMNS", "40")]);
    let [free, narrow] = [&free, &narrow].map(|environment| out(&run(folder.path(), &["demo", "--json"], environment)));
    assert_eq!(free, narrow);
}

#[test]
fn the_account_adds_up_as_json_too() {
    let folder = tempfile::tempdir().unwrap();
    let account = json(folder.path(), &["demo", "--json"]);
    let sums = |name: &str| account[name].as_object().unwrap().values().map(|sum| sum.as_u64().unwrap()).sum::<u64>();
    assert_eq!(account["events"].as_u64(), Some(sums("verdicts")));
    assert_eq!(account["events"].as_u64(), Some(sums("reasons")));
    let sources = account["sources"].as_array().unwrap().iter().map(|source| source["events"].as_u64().unwrap());
    assert_eq!(
        Some(sources.sum::<u64>()),
        account["events"].as_u64().map(|sum| sum + account["samples"].as_u64().unwrap())
    );
    assert!(account["pages"].as_array().unwrap().iter().all(|page| page["type"] == "page"));
    assert!(!account["incidents"].as_array().unwrap().is_empty());
}

#[test]
fn mistakes_in_rules_are_json_with_their_places() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("rules")).unwrap();
    let right = json(folder.path(), &["check", "--json"]);
    assert_eq!((&right["right"], &right["in_force"]["receivers"]), (&Value::from(true), &Value::from(1)));
    fs::write(folder.path().join("rules/a.yaml"), "rules:\n  - {name: a, pgae: always}\n").unwrap();
    let wrong = json(folder.path(), &["check", "--json"]);
    let mistakes = wrong["mistakes"].as_array().unwrap();
    assert_eq!((&wrong["right"], &wrong["in_force"]), (&Value::from(false), &Value::Null));
    let typo = mistakes.iter().find(|mistake| mistake["message"].as_str().unwrap().contains("pgae")).unwrap();
    assert_eq!((&typo["line"], &typo["help"]), (&Value::from(2), &Value::from("did you mean `page`?")));
    assert_eq!(run(folder.path(), &["check", "--json"], &[]).status.code(), Some(1));
}

#[test]
fn the_rules_own_tests_are_json_with_what_failed() {
    let folder = tempfile::tempdir().unwrap();
    let case = |pages: u32| {
        format!(
            "signals:\n  down: {{source: nagios, service: web, check: http, severity: critical}}\ntests:\n  - name: one page\n    \
             timeline: [{{at: 1m, fire: down}}]\n    expect: [{{pages: {pages}}}]\n"
        )
    };
    for (pages, passed) in [(1, true), (7, false)] {
        fs::write(folder.path().join("t.yaml"), case(pages)).unwrap();
        let told = json(folder.path(), &["test", "--json", "t.yaml"]);
        assert_eq!(
            (&told["passed"], &told["failed"]),
            (&Value::from(u8::from(passed)), &Value::from(u8::from(!passed)))
        );
        assert_eq!(told["tests"][0]["failures"].as_array().unwrap().is_empty(), passed);
    }
}

#[test]
fn what_is_learned_scored_tuned_and_kept_is_told_as_json() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    run(path, &["demo", "--write", "story.jsonl"], &[]);
    assert!(json(path, &["learn", "--json", "--data-dir", "d", "story.jsonl"])["series"].as_u64().unwrap() > 10);
    assert!(json(path, &["backup", "--json", "--data-dir", "d", "-o", "a.sqb"])["bytes"].as_u64().unwrap() > 1000);
    assert!(json(path, &["restore", "--json", "--data-dir", "e", "a.sqb"])["records"].as_u64().is_some());
    let tuned = json(path, &["tune", "--json", "story.jsonl"]);
    assert!(tuned["together"].as_u64() <= tuned["pages"].as_u64() && tuned["patch"].is_string());
    fs::write(path.join("v.csv"), "time,value\n2026-01-01T00:00:00Z,5\n").unwrap();
    let row = json(path, &["baseline", "--json", "v.csv"]);
    assert_eq!((&row["value"], &row["anomaly_score"]), (&Value::from("5"), &Value::from(0.0)));
    fs::write(path.join("am.yml"), "route: {receiver: a}\nreceivers: [{name: a}]\n").unwrap();
    assert_eq!(json(path, &["import", "--json", "--check", "am.yml"])["written"], Value::from(false));
}

#[test]
fn bash_completes_commands_and_options() {
    let folder = tempfile::tempdir().unwrap();
    let complete = |words: &str, last: usize| {
        let script = format!(
            "eval \"$({} completions bash)\"; COMP_WORDS=({words}); COMP_CWORD={last}; _squelch squelch \"${{COMP_WORDS[{last}]}}\" \"${{COMP_WORDS[{last}-1]}}\"; echo \"${{COMPREPLY[@]}}\"",
            env!("CARGO_BIN_EXE_squelch")
        );
        let output = Command::new("bash").args(["--norc", "-c", &script]).current_dir(folder.path()).output().unwrap();
        out(&output).trim().to_owned()
    };
    assert_eq!(complete("squelch inci", 1), "incidents");
    assert_eq!(complete("squelch silence exp", 2), "expire");
    assert_eq!(complete("squelch tail --pag", 2), "--pages");
}

#[test]
fn other_shells_know_every_command_too() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["zsh", "fish"] {
        let script = out(&run(folder.path(), &["completions", shell], &[]));
        let unknown: Vec<_> = commands(folder.path(), &[]).into_iter().filter(|name| !script.contains(name)).collect();
        assert!(unknown.is_empty(), "{shell}: {unknown:?}");
    }
    let unknown = run(folder.path(), &["completions", "tcsh"], &[]);
    assert_eq!(unknown.status.code(), Some(2));
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let page = out(&run(folder.path(), &["man"], &[]));
    assert!(page.contains(".TH squelch 1") && page.contains("quiet on noise"), "{page}");
    assert!(out(&run(folder.path(), &["man", "--dir", "man/man1"], &[])).is_empty());
    for command in commands(folder.path(), &[]) {
        let path = folder.path().join(format!("man/man1/squelch-{command}.1"));
        assert!(fs::read_to_string(&path).unwrap().contains(".SH SYNOPSIS"), "{}", path.display());
    }
    assert!(folder.path().join("man/man1/squelch-silence-add.1").exists());
}
