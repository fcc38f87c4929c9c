//! What holds for every file, right or wrong.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use squelch::config::{self, Source, with_shipped};
use squelch::domain::duration;

/// Every rule file among the fixtures.
fn fixtures() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rules");
    let mut texts: Vec<Vec<u8>> = config::SHIPPED.iter().map(|(_, text)| text.as_bytes().to_vec()).collect();
    for folder in ["valid", "invalid"] {
        let mut paths: Vec<_> = fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        texts.extend(
            paths.iter().filter(|path| path.extension().unwrap() == "yaml").map(|path| fs::read(path).unwrap()),
        );
    }
    texts
}

/// Reads it as rules and as settings; what is wrong must be told, and in place.
fn read(text: Vec<u8>) -> Result<(), TestCaseError> {
    let lines = String::from_utf8_lossy(&text).lines().count();
    let source = Source::new("a.yaml", text);
    let reports = [config::load(&with_shipped(vec![source.clone()])).err(), config::settings(&source).err()];
    for report in reports.into_iter().flatten() {
        prop_assert!(!report.is_empty());
        for mistake in &report.diagnostics {
            prop_assert!(!mistake.message.is_empty() && !mistake.to_string().is_empty());
            if let Some(place) = mistake.place.filter(|_| mistake.file == "a.yaml") {
                prop_assert!(place.line >= 1 && place.line <= lines + 1 && place.column >= 1, "{mistake}");
            }
        }
    }
    Ok(())
}

/// A cut, a doubled part, or other bytes somewhere in a text.
fn mutated(mut text: Vec<u8>, changes: &[(usize, usize, Vec<u8>)]) -> Vec<u8> {
    for (at, length, bytes) in changes {
        let start = at % (text.len() + 1);
        let end = (start + length).min(text.len());
        text.splice(start..end, bytes.iter().copied());
    }
    text
}

fn change() -> impl Strategy<Value = (usize, usize, Vec<u8>)> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..4),
        "[\\[\\]{}:,&*!|>'\"%@` #\t\n~-]{1,4}".prop_map(String::into_bytes),
        "(rules|match|- name: |&a |\\*a|: |  )".prop_map(String::into_bytes),
    ];
    (any::<usize>(), 0..12_usize, bytes)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_are_read_or_told(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read(bytes)?;
    }

    #[test]
    fn any_text_is_read_or_told(text in "\\PC{0,200}") {
        read(text.into_bytes())?;
    }

    #[test]
    fn a_changed_file_is_read_or_told(which in any::<prop::sample::Index>(), changes in prop::collection::vec(change(), 1..6)) {
        let texts = fixtures();
        read(mutated(which.get(&texts).clone(), &changes))?;
    }

    #[test]
    fn a_duration_that_is_written_reads_the_same(millis in 0..duration::LONGEST.as_millis() as u64) {
        let span = Duration::from_millis(millis);
        prop_assert_eq!(duration::parse(&duration::write(span)), Ok(span));
    }

    #[test]
    fn a_duration_in_a_rule_reaches_the_policy(secs in 60..30 * 86_400_u64) {
        let span = Duration::from_secs(secs);
        let text = format!("defaults: {{expire: {}}}", duration::write(span));
        let bundle = config::load(&with_shipped(vec![Source::new("a.yaml", text)])).unwrap();
        prop_assert_eq!(bundle.policy.defaults.expire, span);
    }

    #[test]
    fn the_same_files_give_the_same_bundle(which in any::<prop::sample::Index>()) {
        let texts = fixtures();
        let sources = with_shipped(vec![Source::new("a.yaml", which.get(&texts).clone())]);
        prop_assert_eq!(config::load(&sources), config::load(&sources));
    }
}
