//! The report of a run, the comparison of two, and proposals: over the built-in story and events made to trap them.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use squelch::config::{self, Source};
use squelch::domain::mask::Mask;
use squelch::domain::{Event, Policy, Sensitivity, Severity, Status, Timestamp, Topology};
use squelch::replay::Run;
use squelch::replay::account::Account;
use squelch::replay::compare::{compare, json, text};
use squelch::replay::decided::Decided;
use squelch::replay::report::{Report, Steps};
use squelch::replay::wording::Ink;
use squelch::story;
use squelch::tune::{History, Scope, patch, tune};

fn report(events: &[Event]) -> String {
    drawn(events, Policy::default(), None)
}

fn drawn(events: &[Event], policy: Policy, mask: Option<Mask>) -> String {
    let (mut account, mut report, mut steps) = (Account::default(), Report::default(), Steps::new(&policy));
    let mut run = Run::new(policy);
    for (seq, event) in (0..).zip(events) {
        account.event(event);
        report.event(seq, event);
        steps.event(seq, event);
        run.event(seq, event.clone(), &mut |decision| {
            report.decision(&decision);
            account.decision(decision);
        });
    }
    run.finish(&mut |decision| {
        report.decision(&decision);
        account.decision(decision);
    });
    let report = if let Some(mask) = mask { report.masked(mask) } else { report };
    report.html(&account, steps.finish(), "the rules in force")
}

fn decided(events: &[Event], sensitivity: Sensitivity) -> Decided {
    let mut policy = Policy::default();
    policy.judgement.sensitivity = sensitivity;
    let (mut run, mut decided) = (Run::new(policy), Decided::default());
    for (seq, event) in (0..).zip(events) {
        run.event(seq, event.clone(), &mut |decision| decided.take(&decision));
    }
    run.finish(&mut |decision| decided.take(&decision));
    decided
}

fn events() -> Vec<Event> {
    story::events(story::SEED).into_iter().collect()
}

/// A firing, or the end of one, so many minutes after the beginning.
fn alert(check: &str, host: &str, minute: i64, status: Status) -> Event {
    let mut event = Event::new("nagios", check);
    event.ts = Some(Timestamp::from_millis(1_800_000_000_000 + 60_000 * minute));
    event.host = Some(host.to_owned());
    event.severity = Severity::Error;
    event.status = status;
    event
}

/// SHA-256 (FIPS 180-4), in base64.
fn sha256(text: &str) -> String {
    let primes: Vec<u64> = (2..312).filter(|n: &u64| (2..*n).all(|d| !n.is_multiple_of(d))).collect();
    let root = |n: u64, power: f64| ((n as f64).powf(power).fract() * 4_294_967_296.0) as u32;
    let k: Vec<u32> = primes.iter().map(|n| root(*n, 1.0 / 3.0)).collect();
    let mut state: Vec<u32> = primes.iter().take(8).map(|n| root(*n, 0.5)).collect();
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0x80);
    while bytes.len() % 64 != 56 {
        bytes.push(0);
    }
    bytes.extend((text.len() as u64 * 8).to_be_bytes());
    for block in bytes.chunks(64) {
        let mut w: Vec<u32> = block.chunks(4).map(|part| u32::from_be_bytes(part.try_into().unwrap())).collect();
        for i in 16..64 {
            let s0 = w[i - 15].rotate_right(7) ^ w[i - 15].rotate_right(18) ^ (w[i - 15] >> 3);
            let s1 = w[i - 2].rotate_right(17) ^ w[i - 2].rotate_right(19) ^ (w[i - 2] >> 10);
            w.push(w[i - 16].wrapping_add(s0).wrapping_add(w[i - 7]).wrapping_add(s1));
        }
        let mut v = state.clone();
        for i in 0..64 {
            let s1 = v[4].rotate_right(6) ^ v[4].rotate_right(11) ^ v[4].rotate_right(25);
            let choice = (v[4] & v[5]) ^ (!v[4] & v[6]);
            let one = v[7].wrapping_add(s1).wrapping_add(choice).wrapping_add(k[i]).wrapping_add(w[i]);
            let s0 = v[0].rotate_right(2) ^ v[0].rotate_right(13) ^ v[0].rotate_right(22);
            let two = s0.wrapping_add((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
            v.rotate_right(1);
            v[4] = v[4].wrapping_add(one);
            v[0] = one.wrapping_add(two);
        }
        state.iter_mut().zip(v).for_each(|(sum, more)| *sum = sum.wrapping_add(more));
    }
    base64(&state.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>())
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let part = |part: &[u8]| {
        let bits = part.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - part.len()));
        let letter = |at: usize| char::from(LETTERS[(bits >> (18 - 6 * at)) as usize & 63]);
        (0..4).map(move |at| if at <= part.len() { letter(at) } else { '=' }).collect::<String>()
    };
    bytes.chunks(3).map(part).collect()
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    text.split_once(begin).unwrap().1.split_once(end).unwrap().0
}

#[test]
fn the_report_is_one_file_that_needs_no_network() {
    let html = report(&events());
    for outside in ["http:", "https:", " src=", "<link", "@import", "fetch(", "XMLHttpRequest"] {
        assert!(!html.contains(outside), "{outside}");
    }
    assert_eq!(html.matches("url(").count(), html.matches("url(#hatch)").count());
    assert!(!html.contains(" style=") && !html.contains(" onclick="), "the policy would not let it work");
}

#[test]
fn the_policy_of_the_report_lets_its_own_style_and_script_work_and_nothing_else() {
    assert_eq!(sha256("abc"), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    let html = report(&events());
    let (style, script) = (between(&html, "<style>", "</style>"), between(&html, "<script>", "</script>"));
    let policy = between(&html, "Content-Security-Policy\" content=\"", "\"");
    assert!(policy.contains("default-src 'none'"), "{policy}");
    for (what, text) in [("style-src", style), ("script-src", script)] {
        let allowed = format!("{what} 'sha256-{}'", sha256(text));
        assert!(policy.contains(&allowed), "write into src/replay/report/page.rs: {allowed}");
    }
}

#[test]
fn the_sums_of_the_report_add_up_to_the_accepted_events() {
    let events = events();
    let html = report(&events);
    let sums = between(&html, "<dl class=\"sums\">", "</dl>");
    let number = |text: &str| text.split_whitespace().next().unwrap().replace(',', "").parse::<usize>().unwrap();
    let numbers: Vec<usize> = sums.split("<dd>").skip(1).map(number).collect();
    assert_eq!((numbers.len(), numbers[..4].iter().sum::<usize>(), numbers[4]), (5, events.len(), events.len()));
    assert!(sums.contains("every event, exactly once"));
}

#[test]
fn foreign_text_stays_text_in_the_report() {
    const EVIL: &str = "</text></svg><script>alert(1)</script>\u{202e}\"'><img onerror=x>";
    let mut events = Vec::new();
    for minute in 0..200 {
        let mut event =
            alert(EVIL, EVIL, 3_000 + minute, if minute % 2 == 0 { Status::Firing } else { Status::Resolved });
        (event.severity, event.summary, event.source) = (Severity::Critical, Some(EVIL.to_owned()), EVIL.to_owned());
        events.push(event);
    }
    let mut change = alert(EVIL, EVIL, 3_300, Status::Event);
    (change.kind, change.summary) = (squelch::domain::Kind::Change, Some(EVIL.to_owned()));
    events.push(change);
    let html = report(&events);
    assert!(html.contains("&lt;script&gt;alert(1)"), "the text is shown");
    assert_eq!((html.matches("<script>").count(), html.matches("<img").count()), (1, 0));
    assert!(!html.contains('\u{202e}'), "what turns the direction is taken out");
}

#[test]
fn a_run_without_events_has_a_report_too() {
    assert!(report(&[]).contains("nobody was woken"));
}

#[test]
fn equal_runs_have_equal_reports() {
    assert!(report(&events()) == report(&events()));
}

#[test]
fn a_storm_of_many_components_is_drawn_within_bounds_and_says_what_was_left_out() {
    let storm =
        |at: i64| alert(&format!("check-{}", at % 7), &format!("host-{}", at % 900), 5_000 + at / 60, Status::Firing);
    let html = report(&(0..20_000).map(storm).collect::<Vec<_>>());
    assert!(html.contains("868 more components"), "32 lanes and one for the rest");
    assert!(html.len() < 4 << 20, "{} bytes", html.len());
}

#[test]
fn equal_rules_differ_in_no_page() {
    let (first, second) = (decided(&events(), Sensitivity::Normal), decided(&events(), Sensitivity::Normal));
    let all = compare(&first, &second);
    assert!(all.iter().all(|difference| difference.word() == "same") && all.len() == first.pages.len());
}

#[test]
fn every_page_of_both_runs_is_compared_exactly_once() {
    let events = events();
    for (a, b) in [(Sensitivity::Normal, Sensitivity::Quiet), (Sensitivity::Quiet, Sensitivity::Sensitive)] {
        let (first, second) = (decided(&events, a), decided(&events, b));
        let all = compare(&first, &second);
        let number = |word: &str| all.iter().filter(|difference| difference.word() == word).count();
        let both = number("same") + number("earlier") + number("later");
        assert_eq!((both + number("lost"), both + number("gained")), (first.pages.len(), second.pages.len()));
        let (words, object) =
            (text::text(("a", "b"), &first, &second, Ink::Plain), json::json(("a", "b"), &first, &second));
        assert!(words.lines().all(|line| line.chars().count() <= 100), "{words}");
        let object: serde_json::Value = serde_json::from_str(&object).unwrap();
        assert_eq!(object["pages"].as_array().unwrap().len(), all.len());
    }
}

/// A check that pages now and then on one host and is over within minutes, and one that is truly broken in the end.
fn mildly_noisy() -> Vec<(u64, Event)> {
    let mut events = Vec::new();
    for day in [5, 16, 30, 47, 66, 88] {
        let at = 1_440 * day + 97 * day;
        events.push(alert("lag", "db-1", at, Status::Firing));
        events.push(alert("lag", "db-1", at + 25, Status::Resolved));
    }
    let broken = ["disk", "mount"]
        .map(|check| Event { severity: Severity::Critical, ..alert(check, "db-2", 140_000, Status::Firing) });
    events.extend(broken);
    (0..).zip(events).collect()
}

#[test]
fn what_is_proposed_is_a_patch_of_valid_rules_that_page_less_and_delay_nothing_serious() {
    let (events, sources) = (mildly_noisy(), config::with_shipped(Vec::new()));
    let tuning =
        tune(&History { events: &events, sources: &sources, graph: &Topology::default(), scope: Scope::default() })
            .unwrap();
    assert!(!tuning.proposals.is_empty() && tuning.together < tuning.pages, "{tuning:?}");
    assert!(tuning.serious > 0, "{tuning:?}");
    let shown = patch(&tuning, "rules", "tuned.yaml");
    assert!(shown.contains(&format!("instead of {}", tuning.pages)), "{shown}");
    let added: Vec<&str> = shown.lines().filter_map(|line| line.strip_prefix('+')).skip(1).collect();
    assert!(shown.contains(&format!("@@ -0,0 +1,{} @@", added.len())), "{shown}");
    let mut with = sources;
    with.push(Source::new("tuned.yaml", added.join("\n")));
    config::load(&with).unwrap();
}

#[test]
fn a_name_that_looks_like_rules_stays_a_name_in_a_proposal() {
    let mut events = mildly_noisy();
    for (_, event) in &mut events {
        if event.check == "lag" {
            event.check = "it's \"lag\"]\n+ page: never #".to_owned();
        }
    }
    let sources = config::with_shipped(Vec::new());
    let tuning =
        tune(&History { events: &events, sources: &sources, graph: &Topology::default(), scope: Scope::default() })
            .unwrap();
    let shown = patch(&tuning, "rules", "tuned.yaml");
    assert!(!shown.lines().any(|line| line.trim_start_matches(['+', ' ']).starts_with("page: never")), "{shown}");
}

#[test]
fn nothing_is_proposed_for_a_history_that_pages_nobody() {
    let events: Vec<(u64, Event)> = vec![(0, alert("load", "web-1", 0, Status::Firing))];
    let sources = config::with_shipped(Vec::new());
    let tuning =
        tune(&History { events: &events, sources: &sources, graph: &Topology::default(), scope: Scope::default() })
            .unwrap();
    assert!(patch(&tuning, "rules", "tuned.yaml").contains("Nothing to propose"));
}

#[test]
fn personal_data_is_masked_in_a_report_and_names_of_hosts_stay() {
    let rules = "rules: [{name: always, match: 'check=~\"login.*\"', page: always}]\n";
    let policy = || config::load(&config::with_shipped(vec![Source::new("rules.yaml", rules)])).unwrap().policy;
    let host = "ci@build-7.example.org";
    let mut events: Vec<Event> =
        (0..4).map(|minute| alert("login of bob@example.org", host, minute, Status::Firing)).collect();
    events.push(alert("quota of eve@example.org", "web-2", 5, Status::Firing));
    events.push(alert("quota of eve@example.org", "web-2", 6, Status::Resolved));
    let mut change = Event::new("deployer", "deploy");
    change.ts = Some(Timestamp::from_millis(1_800_000_000_000));
    change.kind = squelch::domain::Kind::Change;
    change.summary = Some("4.2 by grace@example.org".to_owned());
    events.insert(0, change);
    let people = ["bob@", "eve@", "grace@"];
    let raw = drawn(&events, policy(), None);
    assert!(people.iter().all(|person| raw.contains(person)), "{raw}");
    let masked = drawn(&events, policy(), Some(Mask::default()));
    assert!(!people.iter().any(|person| masked.contains(person)), "{masked}");
    assert!(
        masked.contains("[e-mail]") && masked.contains(host) && masked.contains("without personal data"),
        "{masked}"
    );
    // Nothing but texts is another.
    let shapes = |html: &str| ["<rect", "<circle", "<li", "<tr"].map(|tag| html.matches(tag).count());
    assert_eq!(shapes(&raw), shapes(&masked));
}
