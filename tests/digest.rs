//! The digest: a fixed week in all its forms, to the byte; when it is sent, and that it is sent once.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use expect_test::{expect, expect_file};
use squelch::config::{self, Source};
use squelch::digest::{Gathered, Paper, Proposal, Proposals, chart, gather, html, json, render, standalone, text};
use squelch::domain::mask::Mask;
use squelch::domain::{
    Content, Dispatch, Engine, Event, IncidentId, Input, Kind, LooksAt, Matcher, Notification, NotificationKey,
    Opinion, Outcome, Policy, Severity, Silence, Status, Timestamp, Turn,
};
use squelch::service::proposals::{Latest, propose};
use squelch::sinks::{Letter, Message, Paint};
use squelch::story;

const RULES: &str = r#"
receivers:
  - name: team mail
    email: {smtp: {host: mail.example.org}, from: squelch@example.org, to: [team@example.org]}
routes:
  - {name: everything, receivers: [team mail]}
digests:
  - {name: shop, receivers: [team mail], on: sunday, at: "08:00", zone: Europe/Berlin}
  - {name: exceptions, match: 'source="sentry"', receivers: [team mail], on: sunday, at: "08:00", zone: Europe/Berlin}
silences:
  - {name: nightly backup, match: 'check="io_wait"', until: 2027-01-01T00:00:00Z, owner: ada, reason: the backup loads the disk}
"#;

fn policy() -> Arc<Policy> {
    let sources = config::with_shipped(vec![Source::new("rules/digest.yaml", RULES)]);
    Arc::new(config::load(&sources).map_err(|report| report.to_string()).unwrap().policy)
}

fn at(hours: f64) -> Timestamp {
    story::START.after(hours * 3600.0)
}

/// What people do in the week, and when, in hours from its beginning.
fn people() -> Vec<(f64, Input<'static>)> {
    let take = |incident, by| Input::Acknowledge { incident: IncidentId(incident), by };
    let word = |incident, opinion| Input::Feedback { incident: IncidentId(incident), opinion, by: "ada" };
    vec![(30.0, word(1, Opinion::Noise)), (61.6, take(3, "ada")), (82.2, take(4, "grace"))]
}

/// The story under these rules, until Sunday morning.
fn week() -> (Engine, Turn) {
    let mut engine = Engine::new(policy());
    let mut turn = Turn::default();
    let forgotten = Silence {
        id: "s-7".to_owned(),
        matchers: vec![Matcher::parse("host=web-9").unwrap()],
        looks_at: LooksAt::Fields,
        from: at(-480.0),
        until: at(2000.0),
        owner: "grace".to_owned(),
        reason: "web-9 is <being> built".to_owned(),
        updated: at(-480.0),
    };
    engine.handle(story::START, Input::Silence(&forgotten), &mut turn);
    let mut people = people().into_iter().peekable();
    for (seq, event) in (0..).zip(story::events(story::SEED)) {
        let now = event.ts.unwrap();
        while let Some((_, said)) = people.next_if(|(hours, _)| at(*hours) <= now) {
            engine.handle(now, said, &mut turn);
        }
        engine.handle(now, Input::Event { seq, event: &event }, &mut turn);
    }
    // 08:00 in Berlin.
    engine.handle(at(6.0 * 24.0 + 7.0), Input::Tick, &mut turn);
    (engine, turn)
}

fn told(engine: &Engine, name: &str) -> Gathered {
    let due = engine.due_digests();
    let (rule, window) = due.iter().find(|(rule, _)| rule.name == name).unwrap();
    gather(engine, Some(rule), *window)
}

fn proposals() -> Proposals {
    Proposals {
        pages: 19,
        together: 3,
        acknowledged: 2,
        changes: vec![Proposal {
            words: "swap_used of monit may flap for 4 hours before it pages".to_owned(),
            pages: 3,
            lost: vec!["swap_used on web-2".to_owned(), "swap_used\n on <web-1>".to_owned()],
        }],
        patch: "--- /dev/null\n+++ b/rules/tuned.yaml\n@@ -0,0 +1,2 @@\n+rules:\n+  - name: 'a < b'\n".to_owned(),
    }
}

#[test]
fn a_week_as_text_as_html_and_as_json() {
    let (engine, _) = week();
    let gathered = told(&engine, "shop");
    let paper = Paper::of(&gathered, Some(&proposals()));
    expect_file!["digest/week.txt"].assert_eq(&text::write(&paper));
    expect_file!["digest/week.html"].assert_eq(&html::write(&paper));
    expect_file!["digest/week.json"].assert_eq(&format!("{}\n", json::value(&gathered, &paper, Some(&proposals()))));
    expect_file!["digest/week.svg"].assert_eq(&chart::drawings(&paper)[0].1);
    expect!["shop: 13 pages out of 4,470 events · digest of Sun 8 Mar"].assert_eq(&paper.subject);
}

#[test]
fn the_part_of_a_team_and_a_day_without_anything() {
    let (engine, _) = week();
    let part = Paper::of(&told(&engine, "exceptions"), None);
    let rule = engine.policy().digests[1].clone();
    let quiet = gather(&engine, Some(&rule), (at(-24.0), at(0.0)));
    let quiet = Paper::of(&quiet, None);
    let both = format!("{}\n==========\n\n{}", text::write(&part), text::write(&quiet));
    expect_file!["digest/part.txt"].assert_eq(&both);
}

#[test]
fn every_number_that_is_told_adds_up() {
    let (engine, _) = week();
    for gathered in [told(&engine, "shop"), told(&engine, "exceptions")] {
        let extract = &gathered.extract;
        let all: u64 = Outcome::ALL.iter().map(|outcome| extract.count(*outcome)).sum();
        assert_eq!(all, extract.decided());
        let paper = Paper::of(&gathered, None);
        assert_eq!(paper.buckets.iter().map(|bucket| bucket.events).sum::<u64>(), all);
        assert_eq!(paper.buckets.iter().map(|bucket| bucket.pages).sum::<u64>(), paper.figures[2].0);
        let shown = |title: &str| paper.sections.iter().find(|section| section.title == title).unwrap();
        let number = |text: &str| text.replace(',', "").parse::<u64>().unwrap();
        let noisy = shown("The noisiest series");
        let named: u64 = noisy.rows.iter().map(|row| number(&row.figure)).sum();
        let rest = noisy.foot.trim_start_matches("All other series together: ").trim_end_matches('.');
        let rest = if rest.is_empty() { 0 } else { number(rest) };
        assert_eq!(named + rest, extract.count(Outcome::Suppress));
        let why: u64 = shown("Why events were held back").rows.iter().map(|row| number(&row.figure)).sum();
        assert_eq!(why, extract.count(Outcome::Suppress));
    }
}

#[test]
fn its_html_opens_anywhere_and_every_image_is_there() {
    let (engine, _) = week();
    let rendered = render(&told(&engine, "shop"), None, None).unwrap();
    let dispatch = &rendered.dispatch;
    for image in &dispatch.images {
        assert!(image.png.starts_with(b"\x89PNG"), "{}", image.name);
        assert!(dispatch.html.contains(&format!("\"cid:{}\"", image.name)), "{} is not shown", image.name);
    }
    assert_eq!(dispatch.html.matches("\"cid:").count(), dispatch.images.len());
    let whole = standalone(dispatch);
    assert!(!whole.contains("cid:") && !whole.contains("<script") && !whole.contains("http://"));
    assert!(whole.len() < 400_000, "{}", whole.len());
    assert_eq!(render(&told(&engine, "shop"), None, None).unwrap(), rendered, "the same to the byte");
}

#[test]
fn as_a_mail_it_has_text_then_html_with_its_images() {
    let (engine, _) = week();
    let dispatch = render(&told(&engine, "shop"), None, None).unwrap().dispatch;
    let key = NotificationKey { incident: IncidentId(0), step: 3, receiver: "team mail".to_owned() };
    let incident = dispatch.summary();
    let names: Vec<String> = dispatch.images.iter().map(|image| image.name.clone()).collect();
    let notification = Notification { key, content: Content::Digest(Box::new(dispatch)), incident };
    let sources = config::with_shipped(vec![Source::new("rules/digest.yaml", RULES)]);
    let receivers = config::load(&sources).unwrap().receivers;
    let mail = receivers.iter().find(|receiver| receiver.name == "team mail").unwrap();
    let Message::Mail(mail) = mail.kind.compose(&Letter::of(&notification, None), Paint::Plain) else { panic!() };
    let formatted = String::from_utf8(mail.message().unwrap().formatted()).unwrap();
    let kinds: Vec<&str> = formatted.lines().filter_map(|line| line.strip_prefix("Content-Type: ")).collect();
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.split(';').next().unwrap()).collect();
    assert_eq!(kinds[..4], ["multipart/alternative", "text/plain", "multipart/related", "text/html"]);
    assert_eq!(kinds[4..], vec!["image/png"; names.len()]);
    assert_eq!(formatted.matches("Content-Disposition: inline").count(), names.len());
    for name in names {
        assert_eq!(formatted.matches(&format!("Content-ID: <{name}.")).count(), 1, "{name}");
        assert_eq!(mail.html.matches(&format!("\"cid:{name}.")).count(), 1, "{name}");
    }
    assert!(!formatted.contains("In-Reply-To") && formatted.contains("Auto-Submitted: auto-generated"));
    assert_eq!(mail.message().unwrap().formatted(), formatted.as_bytes(), "a repeat is the same to the byte");
}

#[test]
fn what_is_missing_of_a_cluster_is_named_in_every_form() {
    let (engine, _) = week();
    let mut gathered = told(&engine, "shop");
    for (missing, named) in [(vec![3], "the shard 3 of"), (vec![1, 3, 5], "the shards 1, 3 and 5 of")] {
        gathered.missing.clone_from(&missing);
        let rendered = render(&gathered, None, None).unwrap();
        assert!(rendered.dispatch.subject.ends_with(" · not all"), "{}", rendered.dispatch.subject);
        // Lines of the text are folded.
        let text = rendered.dispatch.text.split_whitespace().collect::<Vec<_>>().join(" ");
        for text in [&text, &rendered.dispatch.html] {
            assert!(text.contains("This is not all") && text.contains(named), "{text}");
            assert!(text.contains("Every event of all other shards is accounted for"), "{text}");
        }
        let json: serde_json::Value = serde_json::from_str(&rendered.json).unwrap();
        assert_eq!(json["missing_shards"], serde_json::json!(missing));
    }
}

#[test]
fn foreign_text_is_neither_markup_nor_a_second_line() {
    let mut engine = Engine::new(policy());
    let mut turn = Turn::default();
    for at in 0..40_u32 {
        let mut event = Event::new("to<b>ol", "check\u{1b}[31m<script>alert(1)</script>\nnext");
        event.host = Some(format!("host-{}\u{202e}\"'", at % 2));
        let now = story::START.after(f64::from(at) * 600.0);
        event.received = Some(now);
        engine.handle(now, Input::Event { seq: at.into(), event: &event }, &mut turn);
    }
    let gathered = gather(&engine, None, (story::START, engine.now()));
    let paper = Paper::of(&gathered, None);
    let (page, plain) = (html::write(&paper), text::write(&paper));
    assert!(!page.contains("<script") && !page.contains("<b>ol"), "{page}");
    assert!(plain.contains("<script>alert(1)</script> next"), "{plain}");
    for text in [page, plain] {
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
    }
}

#[test]
fn it_is_owed_once_whatever_happens_in_between() {
    let (mut engine, _) = week();
    let mut turn = Turn::default();
    let due = engine.due_digests();
    assert_eq!(due.iter().map(|(rule, _)| rule.name.as_str()).collect::<Vec<_>>(), ["shop", "exceptions"]);
    let (rule, (from, until)) = due[0].clone();
    let dispatch = Dispatch {
        digest: rule.name,
        from,
        until,
        subject: "a week".to_owned(),
        text: "text".to_owned(),
        html: "html".to_owned(),
        images: Vec::new(),
    };
    engine.handle(engine.now(), Input::Digest(&dispatch), &mut turn);
    let owed: Vec<String> = turn.notifications.iter().map(|owed| owed.key.to_string()).collect();
    assert_eq!(owed, ["0.1.team mail"]);
    // The same again, as after a crash between the order and its answer; and after a restart.
    engine.handle(engine.now(), Input::Digest(&dispatch), &mut turn);
    assert_eq!(turn.notifications.len(), 1);
    let (records, rest) = engine.snapshot_part(0, usize::MAX);
    assert!(rest.is_some() && !records.is_empty());
    let records = records_of(&engine);
    let (mut again, errors) = Engine::restore(policy(), records);
    assert!(errors.is_empty());
    again.handle(again.now(), Input::Digest(&dispatch), &mut turn);
    assert_eq!(turn.notifications.len(), 1);
    assert_eq!(again.outbox().count(), engine.outbox().count());
    assert_eq!(again.due_digests().len(), 1, "the other one is due still");
    // A week later, and not before.
    again.handle(at(13.0 * 24.0 + 7.0).after(-1.0), Input::Tick, &mut turn);
    assert!(again.due_digests().iter().all(|(rule, _)| rule.name != "shop"));
    again.handle(at(13.0 * 24.0 + 7.0), Input::Tick, &mut turn);
    assert_eq!(again.due_digests()[0].1, (until, at(13.0 * 24.0 + 7.0)));
}

fn records_of(engine: &Engine) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (mut all, mut cursor) = (Vec::new(), Some(0));
    while let Some(from) = cursor {
        let (part, next) = engine.snapshot_part(from, 1 << 20);
        all.extend(part.into_iter().filter_map(|change| Some((change.key, change.value?))));
        cursor = next;
    }
    all
}

#[test]
fn a_digest_with_mistakes_says_where_and_how_to_mend_them() {
    let rules = "\
receivers:
  - {name: pager, pagerduty: {routing_key_env: KEY}}
routes:
  - {name: everything, receivers: [pager]}
digests:
  - {name: a, receivers: [pager], at: 8am}
  - {name: a, receivers: [pager]}
  - {name: c, receivers: [mial], match: 'severity=\"critical\"', on: moonday}
  - {name: b, receivers: []}
";
    let report = config::load(&config::with_shipped(vec![Source::new("rules/digest.yaml", rules)])).unwrap_err();
    expect_file!["digest/mistakes.txt"].assert_eq(&report.to_string());
}

/// A check that pages now and then and is over within minutes, and another host that is truly broken, once for hours and in the end.
fn mildly_noisy() -> Vec<Event> {
    let alert = |check: &str, host: &str, minutes: u32, status| {
        let mut event = Event::new("nagios", check);
        (event.kind, event.host, event.status) = (Kind::Host, Some(host.to_owned()), status);
        event.ts = Some(story::START.after(f64::from(minutes) * 60.0));
        event.received = event.ts;
        event
    };
    let mut events = Vec::new();
    for day in [5, 16, 30, 47, 66, 88] {
        let at = 1_440 * day + 97 * day;
        events.push(alert("lag", "db-1", at, Status::Firing));
        events.push(alert("lag", "db-1", at + 25, Status::Resolved));
    }
    let broken = ["disk", "mount"].map(|check| alert(check, "db-2", 140_000, Status::Firing));
    let outage = [(115_000, Status::Firing), (115_200, Status::Resolved)];
    let outage = outage.map(|(minute, status)| alert("mount", "db-2", minute, status));
    events.extend(broken.into_iter().chain(outage).map(|event| Event { severity: Severity::Critical, ..event }));
    events.sort_by_key(|event| event.ts);
    events
}

/// What is proposed for its last 34 days, when this was done about its latest mild incident.
fn proposed(about: impl Fn(IncidentId) -> Option<Input<'static>>) -> Option<Proposals> {
    proposed_to(None, about)
}

/// The same in a digest of this name: of what is called `db-1`, or of what is called `db-2`.
fn proposed_to(digest: Option<&str>, about: impl Fn(IncidentId) -> Option<Input<'static>>) -> Option<Proposals> {
    let parts = "
receivers:
  - name: desk
    email: {smtp: {host: mail.example.org}, from: squelch@example.org, to: [desk@example.org]}
digests:
  - {name: first, receivers: [desk], match: 'host=\"db-1\"'}
  - {name: second, receivers: [desk], match: 'host=\"db-2\"'}
";
    let own = digest.map(|_| Source::new("rules/parts.yaml", parts));
    let sources = config::with_shipped(own.into_iter().collect());
    let policy = Arc::new(config::load(&sources).unwrap().policy);
    let (mut engine, mut turn, mut latest) = (Engine::new(policy), Turn::default(), Latest::default());
    for (seq, event) in (0..).zip(mildly_noisy()) {
        engine.handle(event.ts.unwrap(), Input::Event { seq, event: &event }, &mut turn);
        latest.take(seq, event);
    }
    let mild = engine.incidents().into_iter().find(|(incident, _)| incident.title.contains("lag")).unwrap();
    if let Some(input) = about(mild.0.incident) {
        engine.handle(engine.now(), input, &mut turn);
    }
    let window = (engine.now().after(-34.0 * 86_400.0), engine.now().after(1.0));
    let rule = digest.and_then(|name| engine.policy().digests.iter().find(|rule| rule.name == name).cloned());
    let gathered = gather(&engine, rule.as_ref(), window);
    let proposals = propose(latest, &sources, &gathered);
    if let Some(proposals) = &proposals {
        let paper = Paper::of(&gathered, Some(proposals));
        let section = paper.sections.iter().find(|section| section.title == "A quieter week").unwrap();
        assert!(section.lead.contains(&format!("instead of {}", proposals.pages)), "{}", section.lead);
    }
    proposals
}

#[test]
fn what_is_proposed_was_replayed_and_delays_no_page_that_somebody_took() {
    let proposals = proposed(|_| None).unwrap();
    assert!(proposals.together < proposals.pages && proposals.acknowledged == 0, "{proposals:?}");
    let added: Vec<&str> = proposals.patch.lines().filter_map(|line| line.strip_prefix('+')).skip(1).collect();
    config::load(&config::with_shipped(vec![Source::new("rules/tuned.yaml", added.join("\n"))])).unwrap();
    let taken = |incident| Some(Input::Acknowledge { incident, by: "ada" });
    let useful = |incident| Some(Input::Feedback { incident, opinion: Opinion::Useful, by: "ada" });
    for spared in [proposed(taken), proposed(useful)].into_iter().flatten() {
        assert_eq!(spared.acknowledged, 1);
        assert!(spared.together > proposals.together, "{spared:?}");
        assert!(spared.changes.iter().all(|change| !change.words.contains("lag")), "{spared:?}");
    }
}

#[test]
fn a_digest_of_a_part_proposes_what_is_about_this_part_alone() {
    let proposals = proposed_to(Some("first"), |_| None).unwrap();
    assert!(proposals.together < proposals.pages, "{proposals:?}");
    assert!(!proposals.changes.is_empty());
    for change in &proposals.changes {
        assert!(change.words.contains("lag"), "not about the whole: {change:?}");
    }
    // The pages of the part alone.
    let all = proposed(|_| None).unwrap();
    assert!(proposals.pages < all.pages, "{} of {}", proposals.pages, all.pages);
    // What is truly broken is nothing to be quieter about.
    assert_eq!(proposed_to(Some("second"), |_| None), None);
}

#[test]
fn personal_data_is_masked_in_every_form_and_names_of_hosts_and_services_stay() {
    let rules = "rules: [{name: always, match: 'check=~\"login.*\"', page: always}]\n";
    let sources = config::with_shipped(vec![Source::new("rules/always.yaml", rules)]);
    let mut engine = Engine::new(Arc::new(config::load(&sources).unwrap().policy));
    let mut turn = Turn::default();
    let silence = Silence {
        id: "of grace@example.org".to_owned(),
        matchers: vec![Matcher::parse("check=quota").unwrap()],
        looks_at: LooksAt::Fields,
        from: story::START,
        until: at(48.0),
        owner: "eve@example.org".to_owned(),
        reason: "asked by eve@example.org".to_owned(),
        updated: story::START,
    };
    engine.handle(story::START, Input::Silence(&silence), &mut turn);
    let event = |check: &str| Event {
        host: Some("ci@build-7.example.org".to_owned()),
        service: Some("mail".to_owned()),
        severity: Severity::Critical,
        summary: Some("bob@example.org cannot log in".to_owned()),
        ..Event::new("monit", check)
    };
    let checks = ["login of bob@example.org", "login of bob@example.org", "quota"];
    for (seq, check) in (0..).zip(checks) {
        engine.handle(at(0.1), Input::Event { seq, event: &event(check) }, &mut turn);
    }
    let gathered = gather(&engine, None, (at(0.0), at(1.0)));
    let forms = |mask: Option<&Mask>| {
        let rendered = render(&gathered, None, mask).unwrap();
        [rendered.dispatch.text, rendered.dispatch.html, rendered.json]
    };
    for (raw, masked) in forms(None).iter().zip(forms(Some(&Mask::default()))) {
        assert!(raw.contains("bob@example.org") && raw.contains("grace@example.org"), "{raw}");
        for person in ["bob@", "eve@", "grace@"] {
            assert!(!masked.contains(person), "{masked}");
        }
        assert!(masked.contains("[e-mail]") && masked.contains("ci@build-7.example.org"), "{masked}");
    }
}
