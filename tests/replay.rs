//! What a run prints, to the letter.
//!
//! `UPDATE_EXPECT=1 cargo test --test replay` writes the texts anew.

use expect_test::{Expect, expect};
use squelch::domain::{Decision, Event, Fingerprint, IncidentId, Kind, Policy, Severity, Status, Timestamp};
use squelch::replay::account::Account;
use squelch::replay::wording::Ink;
use squelch::replay::{Run, decisions, explanations, sentences};

const START: i64 = 1_767_571_200_000;

/// Ten days of one warning a day, then an outage of a minute and one of half an hour after a deploy.
fn stream() -> Vec<Event> {
    let at = |minutes: i64, status: Status, check: &str, severity: Severity| {
        let mut event = Event::new("nagios", check);
        event.kind = if check == "deploy" { Kind::Change } else { Kind::Host };
        (event.service, event.host) = (Some("web".to_owned()), Some("app-1".to_owned()));
        (event.status, event.severity) = (status, severity);
        event.ts = Some(Timestamp::from_millis(START + minutes * 60_000));
        event
    };
    let mut events = Vec::new();
    for day in 0..10 {
        events.push(at(day * 1440 + 120, Status::Firing, "disk \"busy\"", Severity::Warning));
        events.push(at(day * 1440 + 140, Status::Resolved, "disk \"busy\"", Severity::Warning));
    }
    events.push(at(14_400, Status::Firing, "process", Severity::Critical));
    events.push(at(14_401, Status::Resolved, "process", Severity::Critical));
    events.push(at(15_000, Status::Event, "deploy", Severity::Info));
    events.push(at(15_010, Status::Firing, "memory", Severity::Critical));
    events.push(at(15_040, Status::Resolved, "memory", Severity::Critical));
    events
}

fn judged() -> (Account, String, squelch::domain::Engine) {
    let (mut account, mut lines) = (Account::default(), String::new());
    let mut all: Vec<Decision> = Vec::new();
    let mut run = Run::new(Policy::default());
    for (seq, event) in (0..).zip(stream()) {
        account.event(&event);
        run.event(seq, event, &mut |decision| all.push(decision));
    }
    account.rejected();
    let engine = run.finish(&mut |decision| all.push(decision));
    for decision in all {
        decisions::write(&decision, &mut lines);
        account.decision(decision);
    }
    (account, lines, engine)
}

fn check(actual: &str, expected: Expect) {
    assert!(actual.lines().all(|line| line.chars().count() <= 100), "wider than 100 columns:\n{actual}");
    expected.assert_eq(actual);
}

#[test]
fn the_account_adds_up() {
    check(
        &judged().0.text(Ink::Plain),
        expect![[r#"
            25 events in, 1 page out, one for every 25 events
            2026-01-05 02:10:00 to 2026-01-15 10:45:00 UTC, 10 d 8 h

            EVENTS IN, BY SOURCE
                       25  nagios                   ▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪
                        1  line was no valid event and left out

            WHAT BECAME OF THEM
                        1  page         4.0 %   part of a page: somebody was interrupted for it
                        0  join         0.0 %   joined an incident that had paged already
                       11  suppress    44.0 %   held back, with a reason
                       13  record      52.0 %   nothing to decide: a resolve, a change
                       25  all                  every event accounted for, exactly once

            PAGES OUT
              01-15 10:11:21  #1    critical page      memory on web (app-1)
                              fresh surprise on its component passed the threshold: 5.0 bits of fresh surprise
                              on app-1 reached the threshold of 5.0; loudest is nagios/host/web/app-1/memory
                              with 9.8 bits (usually practically never at this hour)
                              suspect: deploy, 11 min before

            HELD BACK, AND WHY
                       10  ordinary        it is no more than this series, check and hour usually show
                                      10  nagios/host/web/app-1/disk "busy"
                        1  transient       it resolved by itself within its hold
                                       1  nagios/host/web/app-1/process

            INCIDENTS
              #1    critical memory on web (app-1)
                    opened 01-15 10:11:21, paged at once, over after 33 min 38 s; 1 event; most likely origin
                    web/app-1/memory
                    01-15 10:11:21  paged (open): memory on web (app-1); fresh surprise on its component passed…
                    01-15 10:45:00  resolve: all its alerts are over; it lasted 34 min
        "#]],
    );
}

#[test]
fn a_terminal_gets_colour_and_the_same_words() {
    let (account, _, _) = judged();
    let (colour, mut plain, mut escape) = (account.text(Ink::Colour), String::new(), false);
    for c in colour.chars() {
        match c {
            '\u{1b}' => escape = true,
            'm' if escape => escape = false,
            _ if escape => {}
            c => plain.push(c),
        }
    }
    assert!(colour.len() > plain.len());
    assert_eq!(plain, account.text(Ink::Plain));
}

#[test]
fn every_line_of_the_decisions_is_as_the_contract_says() {
    let (_, lines, _) = judged();
    let values: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| values.iter().filter(|value| value["type"] == kind).cloned().collect::<Vec<_>>();
    assert_eq!(of("verdict").len(), stream().len());
    for verdict in of("verdict") {
        assert!(verdict["evidence"].is_object() && verdict.as_object().unwrap().contains_key("incident"), "{verdict}");
    }
    let page = &of("page")[0];
    for key in
        ["ts", "incident", "action", "severity", "title", "services", "hosts", "origin", "alerts", "held_before", "why"]
    {
        assert!(!page[key].is_null(), "`{key}` is missing in {page}");
    }
    assert_eq!(page["origin"]["host"], "app-1");
    let incident = &of("incident")[0];
    for key in [
        "incident", "opened", "paged", "resolved", "severity", "title", "services", "hosts", "checks", "origin",
        "alerts",
    ] {
        assert!(!incident[key].is_null(), "`{key}` is missing in {incident}");
    }
    for line in lines.lines() {
        let ts = line.split("\"ts\":").nth(1).map(|rest| rest.split([',', '}']).next().unwrap());
        assert!(ts.is_none_or(|ts| ts.split_once('.').is_some_and(|(_, end)| end.len() == 3)), "{line}");
    }
}

#[test]
fn why_tells_an_incident_with_the_numbers_of_every_stage() {
    let (_, _, engine) = judged();
    let explanation = engine.why_incident(IncidentId(1)).unwrap();
    check(
        &sentences::incident(&explanation, engine.now(), Ink::Plain),
        expect![[r#"
            Incident 1 (over, critical): memory on web (app-1)
              It opened 01-15 10:11:21, paged at once, over after 33 min 38 s; 1 event; most likely origin
              web/app-1/memory.
              Where it most likely began, in bits when it paged: web (14.7 = 1.5 × 9.8 of its own trouble).
              Changed shortly before: deploy, 11 min before.

            What happened
              01-15 10:11:21  paged (open): memory on web (app-1); fresh surprise on its component passed the
                              threshold: 5.0 bits of fresh surprise on app-1 reached the threshold of 5.0;
                              loudest is nagios/host/web/app-1/memory with 9.8 bits (usually practically never
                              at this hour)
              01-15 10:45:00  resolve: all its alerts are over; it lasted 34 min

            What it is made of
            nagios/host/web/app-1/memory (5c86d368ba2663ba)
              It does not fire; last heard of at 2026-01-15 10:40:00 UTC.
              Starts since 2026-01-15 10:10:00 UTC: 1, 1 of these critical; a day has 0.01 to 0.25 of them
              (eight times in ten), at this hour a rate of 0.06 a day is usual, and it stands at 0 bits of fresh
              surprise. Half of its episodes last up to 32 min, nine of ten up to 32 min.
              It is not flapping: 2 changes of state in its longest window.
              No rule speaks of it: the defaults apply.
              01-15 10:11:21  page (surge), incident 1: fresh surprise on its component passed the threshold.
                              Its start was worth 10.5 bits of surprise: 14.6 for its rarity (0 a day are usual)
                              and 1.7 for its severity; 64% of their sum counts, because more is no more. Its
                              component stood at 5 bits; a page needs 5. It had lasted 1 min 22 s.

        "#]],
    );
    let json: serde_json::Value = serde_json::from_str(&explanations::incident_json(&explanation)).unwrap();
    assert_eq!((&json["incident"], &json["open"]), (&"1".into(), &false.into()));
}

#[test]
fn why_tells_a_series_that_never_paged() {
    let (_, _, engine) = judged();
    let found = engine.find_series("disk", 10);
    assert_eq!(found.len(), 1);
    let explanation = engine.why_series(found[0].1).unwrap();
    check(
        &sentences::series(&explanation, engine.now(), Ink::Plain),
        expect![[r#"
            nagios/host/web/app-1/disk "busy" (e5d1334cf71f2e98)
              It does not fire; last heard of at 2026-01-14 02:20:00 UTC.
              Starts since 2026-01-05 02:00:00 UTC: 8.7, 0 of these critical; a day has 0.57 to 1.3 of them
              (eight times in ten), at this hour a rate of 0.53 a day is usual, and it stands at 0 bits of fresh
              surprise. Half of its episodes last up to 32 min, nine of ten up to 32 min.
              It is not flapping: 0 changes of state in its longest window.
              No rule speaks of it: the defaults apply.
              01-13 02:10:00  suppress (ordinary): it is no more than this series, check and hour usually show.
                              Its start was worth 0.79 bits of surprise: 1.3 for its rarity (22.2 a day are
                              usual); 62% of their sum counts, because it was no critical. It had lasted 10 min;
                              nine of ten end within 32 min.
              01-14 02:10:00  suppress (ordinary): it is no more than this series, check and hour usually show.
                              Its start was worth 0.74 bits of surprise: 1.2 for its rarity (23.7 a day are
                              usual); 62% of their sum counts, because it was no critical. It had lasted 10 min;
                              nine of ten end within 32 min.
        "#]],
    );
    let json: serde_json::Value = serde_json::from_str(&explanations::series_json(&explanation)).unwrap();
    assert_eq!(json["key"].as_str().and_then(Fingerprint::parse), Some(explanation.fingerprint));
}

#[test]
fn a_run_stops_at_the_time_that_is_asked_about() {
    let at = Timestamp::from_millis(START + 15_020 * 60_000);
    let mut run = Run::new(Policy::default()).up_to(at);
    for (seq, event) in (0..).zip(stream()) {
        run.event(seq, event, &mut drop);
    }
    let engine = run.finish(&mut drop);
    assert_eq!(engine.now(), at);
    assert_eq!(engine.tally().firing, 1, "the outage is not over yet");
}
