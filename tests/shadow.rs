//! Shadow mode: it judges everything as a live run does, tells of the same pages, and owes nobody anything. Beside a live
//! Squelch: `tests/service.rs`.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use squelch::domain::{Content, Decision, Engine, Input, Page, Policy, Turn};
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
