//! The layers of the crate: a module imports only from lower ranks. The table is the one of `src/lib.rs`.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Rank by module. Modules of one rank do not know each other.
const RANKS: &[(&str, u8)] = &[
    ("domain", 0),
    ("diagnostic", 0),
    ("formats", 1),
    ("sinks", 1),
    ("story", 1),
    ("config", 2),
    ("replay", 2),
    ("store", 2),
    ("inbox", 2),
    ("clock", 2),
    ("audit", 2),
    ("broker", 2),
    ("rule_test", 3),
    ("tune", 3),
    ("digest", 3),
    ("files", 3),
    ("http", 3),
    ("kafka", 3),
    ("cluster", 3),
    ("deliver", 3),
    ("service", 4),
    ("cli", 5),
];

/// Words that must not stand in the pure modules (ranks 0 and 1, `config`, `replay`, `rule_test`), with the reason.
const IMPURE: &[(&str, &str)] = &[
    ("std::fs", "pure modules do no I/O"),
    ("std::net", "pure modules do no I/O"),
    ("std::env", "pure modules do not look at the environment"),
    ("std::thread", "pure modules start no threads"),
    ("tokio", "pure modules know no runtime"),
    ("tracing", "pure modules do not log"),
    ("Mutex", "pure modules hold no locks"),
    ("RwLock", "pure modules hold no locks"),
    ("static ", "pure modules hold no statics"),
];

fn sources() -> Vec<(String, PathBuf)> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &mut files);
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let first = path.strip_prefix(&root).unwrap().iter().next().unwrap().to_str().unwrap();
            (first.trim_end_matches(".rs").to_owned(), path)
        })
        .filter(|(module, _)| module != "lib" && module != "main")
        .collect()
}

/// The code of a file without comments and strings' contents that look like paths.
fn code(path: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(number, line)| (number + 1, line.to_owned()))
        .collect()
}

#[test]
fn every_module_has_a_rank() {
    let ranks: BTreeMap<_, _> = RANKS.iter().copied().collect();
    for (module, path) in sources() {
        assert!(ranks.contains_key(module.as_str()), "{} belongs to no layer: add it to RANKS", path.display());
    }
}

#[test]
fn a_module_imports_only_from_lower_ranks() {
    let ranks: BTreeMap<_, _> = RANKS.iter().copied().collect();
    let mut wrong = Vec::new();
    for (module, path) in sources() {
        for (number, line) in code(&path) {
            for (other, rank) in RANKS {
                if *other != module
                    && *rank >= ranks[module.as_str()]
                    && line.split("crate::").skip(1).any(|rest| {
                        rest.strip_prefix(other)
                            .is_some_and(|end| !end.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
                    })
                {
                    wrong.push(format!("{}:{number}: `{module}` must not import `{other}`", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pure_modules_stay_pure() {
    let ranks: BTreeMap<_, _> = RANKS.iter().copied().collect();
    let pure = |module: &str| ranks[module] <= 1 || ["config", "replay", "rule_test", "tune"].contains(&module);
    let mut wrong = Vec::new();
    for (module, path) in sources().into_iter().filter(|(module, _)| pure(module)) {
        for (number, line) in code(&path) {
            for (word, reason) in IMPURE {
                let stands = line
                    .match_indices(word)
                    .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '\''));
                if stands {
                    wrong.push(format!("{}:{number}: `{word}` in `{module}`: {reason}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
