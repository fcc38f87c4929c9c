//! Rule files, right and wrong: what is in force, and what is told. One file a case, named after the mistake;
//! the golden text stands beside it.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use squelch::config::{self, Bundle, Source, reference, with_shipped};
use squelch::diagnostic::Palette;
use squelch::domain::Judgement;
use squelch::domain::policy::{Handling, PageMode};

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
        expect_test::expect_file![golden].assert_eq(&in_force(&bundle));
    }
}

#[test]
fn settings_that_are_wrong_are_told_all_at_once() {
    for (source, golden) in cases("settings") {
        let text = match config::settings(&source) {
            Ok(settings) => format!("{settings:#?}\n"),
            Err(report) => format!("{report}\n"),
        };
        expect_test::expect_file![golden].assert_eq(&text);
    }
}

#[test]
fn a_secret_in_a_file_is_never_shown() {
    let mut seen = 0;
    for (source, _) in cases("invalid").into_iter().chain(cases("settings")) {
        seen += usize::from(String::from_utf8_lossy(&source.text).contains("hunter2"));
        let reports = [config::load(&with_shipped(vec![source.clone()])).err(), config::settings(&source).err()];
        for report in reports.into_iter().flatten() {
            assert!(!report.to_string().contains("hunter2"), "{report}");
            assert!(!format!("{report:?}").contains("hunter2"), "{report:?}");
        }
    }
    assert!(seen >= 2, "{seen} files with a secret");
}

/// What is in force, without what is as shipped.
fn in_force(bundle: &Bundle) -> String {
    let policy = &bundle.policy;
    let mut lines: Vec<String> = policy.rules.iter().map(|it| format!("{it:?}")).collect();
    lines.extend(policy.silences.iter().map(|it| format!("{it:?}")));
    lines.extend(policy.inhibitions.iter().map(|it| format!("{it:?}")));
    lines.extend(policy.topology.edges().map(|(caller, callee)| format!("{caller} calls {callee}")));
    lines.extend(bundle.receivers.iter().map(|it| format!("{it:?}")));
    lines.extend(policy.routes.iter().map(|it| format!("{it:?}")));
    lines.push(format!("defaults: {:?}", policy.defaults));
    let (ours, theirs) = (format!("{:#?}", policy.judgement), format!("{:#?}", Judgement::default()));
    let changed = ours.lines().zip(theirs.lines()).filter(|(ours, theirs)| ours != theirs);
    lines.extend(changed.map(|(ours, _)| format!("judgement: {}", ours.trim())));
    lines.extend(bundle.warnings.iter().map(|warning| format!("warning: {warning}")));
    lines.join("\n") + "\n"
}

#[test]
fn many_files_make_one_policy_users_before_shipped_and_later_scalars_win() {
    let a = Source::new("10-a.yaml", "defaults: {expire: 1h, page: never}\nrules: [{name: a, match: host=\"a\"}]");
    let b = Source::new(
        "20-b.yaml",
        "defaults: {expire: 2h}\nrules: [{name: b, match: host=\"b\"}]\n\
        routes: [{name: mine, match: host=\"a\", receivers: console}]",
    );
    let policy = config::load(&with_shipped(vec![a, b])).unwrap().policy;
    assert_eq!(policy.defaults.expire, Duration::from_secs(7200));
    assert_eq!(policy.defaults.page, PageMode::Never);
    assert!(policy.rules.iter().all(|rule| rule.handling == policy.defaults));
    let rules: Vec<&str> = policy.rules.iter().map(|rule| rule.name.as_str()).collect();
    let routes: Vec<&str> = policy.routes.iter().map(|route| route.name.as_str()).collect();
    assert_eq!((rules, routes), (vec!["a", "b"], vec!["mine", "everything"]));
}

#[test]
fn mistakes_of_all_files_are_told_together() {
    let a = Source::new("a.yaml", "defaults: {expire: x}");
    let b = Source::new("b.yaml", "rules: [{name: r, match: host=\"a\"}]");
    let c = Source::new("c.yaml", "rules: [{name: r, match: host=\"b\"}]");
    let report = config::load(&with_shipped(vec![a, b, c])).unwrap_err();
    let places: Vec<&str> = report.diagnostics.iter().map(|mistake| mistake.file.as_str()).collect();
    assert_eq!(places, ["a.yaml", "c.yaml"]);
    assert!(report.to_string().contains("the first is at b.yaml:1:16"), "{report}");
}

#[test]
fn a_users_file_replaces_the_shipped_one_of_its_name() {
    let mine =
        Source::new("rules/routes.yaml", "receivers: [{name: me, console: {}}]\nroutes: [{name: a, receivers: me}]");
    let bundle = config::load(&with_shipped(vec![mine])).unwrap();
    assert_eq!((bundle.policy.routes.len(), bundle.receivers.len()), (1, 1));
}

#[test]
fn pages_that_fit_no_route_are_a_mistake() {
    let mine = |text: &str| with_shipped(vec![Source::new("routes.yaml", text)]);
    for text in ["", "receivers: [{name: me, console: {}}]\nroutes: [{name: a, match: host=\"a\", receivers: me}]"] {
        let report = config::load(&mine(text)).unwrap_err();
        assert_eq!(report.diagnostics.len(), 1, "{report}");
        assert!(report.to_string().contains("reach"), "{report}");
    }
}

#[test]
fn a_huge_file_is_refused_in_one_line() {
    let huge = Source::new("huge.yaml", vec![b'#'; config::LARGEST_FILE + 1]);
    let report = config::load(&with_shipped(vec![huge])).unwrap_err();
    expect_test::expect![[r#"
        huge.yaml: the file is larger than 4194304 bytes
          = help: split it

        1 mistake found"#]]
    .assert_eq(&report.to_string());
}

#[test]
fn a_file_of_nothing_but_mistakes_is_cut_short() {
    let text: String = (0..5000).map(|at| format!("k{at}: 1\n")).collect();
    let report = config::load(&with_shipped(vec![Source::new("a.yaml", text)])).unwrap_err();
    assert_eq!(report.diagnostics.len(), 1001);
    assert!(report.diagnostics[1000].message.contains("not listed"));
}

#[test]
fn colours_change_nothing_but_colours() {
    let (source, _) = cases("invalid").into_iter().find(|(source, _)| source.name == "ten_mistakes.yaml").unwrap();
    let report = config::load(&with_shipped(vec![source])).unwrap_err();
    for mistake in &report.diagnostics {
        let mut coloured = String::new();
        mistake.write(&mut coloured, Palette::COLOUR).unwrap();
        let Palette { place, mistake: red, gutter, help, off } = Palette::COLOUR;
        let plain = [place, red, gutter, help, off].iter().fold(coloured, |text, code| text.replace(code, ""));
        assert_eq!(plain, mistake.to_string());
    }
}

#[test]
fn the_shipped_defaults_are_the_defaults_of_the_code_and_all_stand_there() {
    let bundle = config::load(&with_shipped(Vec::new())).unwrap();
    assert_eq!(bundle.policy.judgement, Judgement::default());
    assert_eq!(bundle.policy.defaults, Handling::default());
    assert_eq!(bundle.receivers.iter().map(|it| it.kind.word()).collect::<Vec<_>>(), ["console"]);
    assert!(bundle.policy.routes.last().unwrap().matchers.is_empty());
    assert_eq!(bundle.warnings, []);
    let text = config::SHIPPED.iter().find(|(name, _)| *name == "defaults.yaml").unwrap().1;
    let sections = ["defaults section", "flap section", "hold section", "judgement section"];
    for example in reference::rule_examples().iter().filter(|it| sections.contains(&it.object)) {
        let value = if example.default.is_empty() { String::new() } else { format!(" {}", example.default) };
        let line = format!("{}:{value}", example.key);
        assert!(text.lines().any(|it| it.trim() == line), "defaults.yaml lacks `{line}`");
    }
}

#[test]
fn every_shipped_file_names_its_schema() {
    for (name, text) in config::SHIPPED {
        assert!(text.starts_with("# yaml-language-server: $schema=squelch.schema.json\n"), "{name}");
    }
}
