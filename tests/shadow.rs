//! Shadow mode: it judges everything as a live run does, tells of the same pages, and owes nobody anything. Beside a live
//! Squelch: `tests/service.rs`.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::sync::Arc;

use squelch::domain::{
    Content, Decision, Engine, Event, IncidentId, Input, Page, Policy, Severity, Status, Timestamp, Turn,
};
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

/// What is down pages at once, to one receiver.
const LOUD: &str = "
rules:
  - {name: loud, match: 'check=\"down\"', page: always}
receivers:
  - {name: pager, console: {}}
routes:
  - {name: all, receivers: [pager]}
";

const BEGIN: Timestamp = Timestamp::from_millis(1_795_000_000_000);

/// An engine, and what it owes.
struct Run {
    engine: Engine,
    owed: Vec<String>,
    seq: u64,
}

impl Run {
    fn begin() -> Self {
        let rules = config::Source::new("rules.yaml", LOUD);
        let policy = config::load(&config::with_shipped(vec![rules])).unwrap().policy;
        Self { engine: Engine::new(Arc::new(policy)), owed: Vec::new(), seq: 0 }
    }

    fn give(&mut self, minute: f64, input: Input<'_>) {
        let mut turn = Turn::default();
        self.engine.handle(BEGIN.after(60.0 * minute), input, &mut turn);
        self.owed.extend(turn.notifications.iter().map(|owed| {
            let what = match &owed.content {
                Content::Page(page) => format!("page {}", page.origin.host.as_deref().unwrap_or("-")),
                Content::Notice(notice) => format!("{:?}", notice.action),
                Content::Reminder(_) | Content::Digest(_) => "else".to_owned(),
            };
            format!("{minute} {} {what}", owed.key.incident.0)
        }));
    }

    /// The check of a host changes.
    fn host(&mut self, minute: f64, host: &str, status: Status) {
        let at = BEGIN.after(60.0 * minute);
        let mut event = Event::new("test", "down");
        (event.host, event.status, event.severity) = (Some(host.to_owned()), status, Severity::Critical);
        (event.ts, event.received) = (Some(at), Some(at));
        self.seq += 1;
        let seq = self.seq;
        self.give(minute, Input::Event { seq, event: &event });
    }

    fn shadow(&mut self, minute: f64, on: bool) {
        self.give(minute, Input::Shadow { on, by: "ada" });
        self.give(minute, Input::Tick);
    }

    /// It stops, and another process takes its records.
    fn restart(&mut self) {
        let mut records = BTreeMap::new();
        let mut cursor = Some(0);
        while let Some(from) = cursor {
            let (changes, next) = self.engine.snapshot_part(from, 1 << 20);
            records.extend(changes.into_iter().filter_map(|change| Some((change.key, change.value?))));
            cursor = next;
        }
        let (engine, errors) = Engine::restore(Arc::clone(self.engine.given_policy()), records);
        assert!(errors.is_empty(), "{errors:?}");
        self.engine = engine;
    }
}

#[test]
fn what_is_open_when_shadow_mode_ends_is_told_then_once_and_what_somebody_took_is_not() {
    let mut run = Run::begin();
    run.shadow(0.0, true);
    for (minute, host) in [(1.0, "web-1"), (20.0, "db-7"), (40.0, "mq-3")] {
        run.host(minute, host, Status::Firing);
    }
    run.give(50.0, Input::Acknowledge { incident: IncidentId(2), by: "ada" });
    run.host(51.0, "mq-3", Status::Resolved);
    run.give(90.0, Input::Tick);
    assert!(run.owed.is_empty(), "{:?}", run.owed);
    run.restart();
    run.shadow(100.0, false);
    assert_eq!(run.owed, ["100 1 page web-1"], "of the open ones the one that nobody took");
    run.restart();
    run.shadow(101.0, false);
    assert_eq!(run.owed.len(), 1, "{:?}", run.owed);
    let told = run.engine.why_incident(IncidentId(1)).unwrap();
    let told = told.summary.moments.iter().any(|moment| moment.text == "told to pager now: shadow mode is over");
    assert!(told, "its timeline says so");
    run.host(110.0, "web-1", Status::Resolved);
    run.give(200.0, Input::Tick);
    assert_eq!(run.owed.last().unwrap(), "200 1 Resolve", "and its end is told to the same");
}

#[test]
fn who_was_told_before_shadow_mode_learns_when_it_ends_that_it_is_over() {
    let mut run = Run::begin();
    run.host(0.0, "web-1", Status::Firing);
    assert_eq!(run.owed, ["0 1 page web-1"]);
    run.shadow(5.0, true);
    run.host(6.0, "web-1", Status::Resolved);
    run.give(90.0, Input::Tick);
    assert_eq!(run.owed.len(), 1, "{:?}", run.owed);
    run.restart();
    run.shadow(100.0, false);
    assert_eq!(run.owed[1..], ["100 1 Resolve"]);
    run.shadow(101.0, false);
    assert_eq!(run.owed.len(), 2, "{:?}", run.owed);
}

#[test]
fn what_was_over_when_shadow_mode_ended_and_comes_back_is_told_as_a_page() {
    let mut run = Run::begin();
    run.shadow(0.0, true);
    run.host(1.0, "web-1", Status::Firing);
    run.host(20.0, "web-1", Status::Resolved);
    run.shadow(60.0, false);
    assert!(run.owed.is_empty(), "{:?}", run.owed);
    run.host(70.0, "web-1", Status::Firing);
    run.give(100.0, Input::Tick);
    assert_eq!(run.owed.len(), 1, "{:?}", run.owed);
    assert!(run.owed[0].ends_with("page web-1"), "{:?}", run.owed);
}
