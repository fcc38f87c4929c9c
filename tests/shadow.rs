//! Shadow mode: it judges everything as a live run does, tells of the same pages, and owes nobody anything. Beside a live
//! Squelch: `tests/service.rs`.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::sync::Arc;

use squelch::domain::{Content, Decision, Engine, Input, Page, Policy, Timestamp, Turn};
use squelch::{config, files, story};

/// Everything that was decided over the story, and what receivers were owed.
fn judged(shadow: bool) -> (Vec<Decision>, Vec<Page>) {
    let policy = config::load(&files::read_rules(None).unwrap()).unwrap().policy;
    let mut engine = Engine::new(Arc::new(Policy { shadow, ..policy }));
    let mut turn = Turn::default();
    for (seq, event) in (0..).zip(story::events(story::SEED)) {
        engine.handle(event.ts.unwrap(), Input::Event { seq, event: &event }, &mut turn);
    }
    engine.finish(story::END, &mut turn);
    let owed = turn.notifications.iter().filter_map(|owed| match &owed.content {
        Content::Page(page) => Some((**page).clone()),
        Content::Reminder(_) | Content::Notice(_) | Content::Digest(_) => None,
    });
    (turn.decisions.clone(), owed.collect())
}

#[test]
fn a_week_in_shadow_mode_tells_of_exactly_the_pages_that_a_live_run_sends() {
    let (live, sent) = judged(false);
    let (shadow, owed) = judged(true);
    assert!(owed.is_empty(), "shadow mode owes pages");
    assert!(shadow == live, "shadow mode decides otherwise");
    let told: Vec<_> = shadow
        .into_iter()
        .filter_map(|decision| match decision {
            Decision::Page(page) => Some(*page),
            _ => None,
        })
        .collect();
    assert!(told.len() > 5, "too few pages to prove anything");
    assert_eq!(told, sent);
}

/// What the engine has of shadow mode: whether it is on, and what a person said.
fn stands(engine: &Engine) -> (bool, Option<bool>) {
    (engine.policy().shadow, engine.shadow_word().map(|word| word.on))
}

/// The settings say this, and whether the command line does.
fn given(shadow: bool, shadow_held: bool) -> Arc<Policy> {
    Arc::new(Policy { shadow, shadow_held, ..Policy::default() })
}

#[test]
fn what_a_person_says_of_shadow_mode_holds_through_reloads_and_restarts() {
    let now = Timestamp::from_millis(1_795_000_000_000);
    let (mut engine, mut turn, mut records) = (Engine::new(given(false, false)), Turn::default(), BTreeMap::new());
    let mut keep = |engine: &mut Engine| {
        for change in engine.take_changes() {
            match change.value {
                Some(value) => drop(records.insert(change.key, value)),
                None => drop(records.remove(&change.key)),
            }
        }
        records.clone()
    };
    engine.handle(now, Input::Shadow { on: true, by: "ada" }, &mut turn);
    assert_eq!(stands(&engine), (true, Some(true)));
    assert!(!engine.given_policy().shadow, "the settings still say what they said");
    engine.handle(now, Input::Policy(given(false, false)), &mut turn);
    assert_eq!(stands(&engine), (true, Some(true)), "a reload changes nothing of it");
    let stored = keep(&mut engine);
    for (policy, on) in [(given(false, false), true), (given(true, false), true), (given(true, true), true)] {
        let (restored, errors) = Engine::restore(policy, stored.clone());
        assert!(errors.is_empty());
        assert_eq!(stands(&restored), (on, Some(true)));
        assert_eq!(restored.shadow_word().unwrap().by, "ada");
        // A snapshot has it, too.
        let (mut cursor, mut found) = (0, false);
        loop {
            let (changes, next) = restored.snapshot_part(cursor, 1 << 20);
            found |= changes.iter().any(|change| change.key.first() == Some(&b'z'));
            let Some(next) = next else { break };
            cursor = next;
        }
        assert!(found);
    }
    engine.handle(now, Input::Shadow { on: false, by: "ada" }, &mut turn);
    assert_eq!(stands(&engine), (false, None), "as the settings say needs no word");
    let (restored, _) = Engine::restore(given(false, false), keep(&mut engine));
    assert_eq!(stands(&restored), (false, None));
}

#[test]
fn against_settings_that_say_shadow_mode_a_person_pages_again_but_not_against_the_command_line() {
    let now = Timestamp::from_millis(1_795_000_000_000);
    for (held, on) in [(false, false), (true, true)] {
        let mut engine = Engine::new(given(true, held));
        engine.handle(now, Input::Shadow { on: false, by: "ada" }, &mut Turn::default());
        assert_eq!(stands(&engine), (on, Some(false)), "held: {held}");
    }
}
