//! A shard is what its messages make of it, however often it is rebuilt on the way.

use super::*;
use crate::cluster::message;
use crate::config::{Source, with_shipped};
use crate::domain::{Content, Dispatch, Event, Image, LooksAt, Matcher, Status};
use crate::inbox::questions::DueDigests;

const START: Timestamp = Timestamp::from_millis(1_795_000_000_000);

fn own(text: &str) -> Rules {
    RuleFiles::of(&with_shipped(vec![Source::new("rules.yaml", text)]), false).load().unwrap()
}

fn event(host: &str, after: f64) -> Said {
    let mut event = Event::new("test", "disk");
    (event.host, event.received) = (Some(host.to_owned()), Some(START.after(after)));
    event.severity = crate::domain::Severity::Critical;
    Said::Event(Box::new(event))
}

fn silence(host: &str, hours: f64) -> Said {
    let silence = Silence {
        id: format!("s-{host}"),
        matchers: vec![Matcher::parse(&format!("host={host}")).unwrap()],
        looks_at: LooksAt::Fields,
        from: START,
        until: START.after(3600.0 * hours),
        owner: "ada".to_owned(),
        reason: "disk swap".to_owned(),
        updated: START,
    };
    Said::Order(Word::Silence { silence }, START)
}

/// What stands in the compacted topics, and everything that was told.
#[derive(Default)]
struct Kafka {
    records: BTreeMap<Vec<u8>, Vec<u8>>,
    told: BTreeMap<String, String>,
    sent: Vec<String>,
}

impl Kafka {
    fn store(&mut self, out: Yield) {
        for row in out.rows {
            match row.value {
                Some(value) => self.records.insert(row.key, value),
                None => self.records.remove(&row.key),
            };
        }
        out.decisions.iter().for_each(|(scope, lines)| *self.told.entry(scope.to_string()).or_default() += lines);
        self.sent.extend(out.notifications.iter().map(|owed| owed.key.to_string()));
    }

    fn restored(&self, rules: &Rules, spoiled: &[i64]) -> Restored {
        Shard::restore(3, rules, self.records.clone(), spoiled.iter().copied().collect())
    }
}

const LOUD: &str = r#"
rules:
  - name: loud
    match: ['severity="critical"']
    page: always
heartbeats:
  - {name: alive, match: 'check="alive"', every: 1h}
"#;

/// Messages of three scopes, with orders and ticks between them.
fn log() -> Vec<(Option<&'static str>, Said)> {
    let mut log = vec![(None, silence("db-7", 10.0))];
    for n in 0..60 {
        let after = 90.0 * f64::from(n);
        log.push((Some(["a", "b", "c"][n as usize % 3]), event(&format!("db-{}", n % 9), after)));
        if n % 4 == 0 {
            log.push((None, Said::Tick(START.after(after + 30.0))));
        }
        if n == 20 {
            let incident = Seat { partition: 3, scope: 0 }.outside(crate::domain::IncidentId(1));
            log.push((None, Said::Order(Word::Acknowledge { incident, by: "ada".to_owned() }, START.after(after))));
            let trouble = Word::Trouble { title: "its disk is full".to_owned(), why: "free some space".to_owned() };
            log.push((None, Said::Order(trouble, START.after(after))));
        }
    }
    log.push((None, Said::Tick(START.after(20_000.0))));
    log
}

fn run(every: usize) -> Kafka {
    let (rules, mut kafka) = (own(LOUD), Kafka::default());
    let mut shard = kafka.restored(&rules, &[]).shard;
    for (offset, (key, said)) in log().iter().enumerate() {
        shard.take(offset as i64, *key, said).unwrap();
        kafka.store(shard.take_yield(offset as i64 + 1).unwrap());
        if offset % every == every - 1 {
            let restored = kafka.restored(&rules, &[]);
            assert_eq!(restored.unreadable, Vec::<String>::new());
            // A tick that leads to nothing is not stored, and read again.
            assert!(restored.next.is_some_and(|next| next <= offset as i64 + 1));
            shard = restored.shard;
        }
    }
    kafka
}

#[test]
fn a_shard_that_is_rebuilt_anywhere_decides_and_sends_the_same() {
    let calm = run(usize::MAX);
    assert!(calm.sent.len() > 5 && calm.told.len() == 4, "{:?} {:?}", calm.sent, calm.told.keys());
    for every in [1, 2, 7] {
        let disturbed = run(every);
        for (scope, told) in &calm.told {
            for (at, (found, wanted)) in disturbed.told[scope].lines().zip(told.lines()).enumerate() {
                assert_eq!(found, wanted, "rebuilt after every {every}: decision {at} of {scope}");
            }
        }
        assert_eq!((&disturbed.told, &disturbed.sent), (&calm.told, &calm.sent), "rebuilt after every {every}");
    }
}

#[test]
fn a_scope_that_comes_later_knows_the_silences_and_what_is_over_is_forgotten() {
    let kafka = run(usize::MAX);
    assert!(!kafka.told.values().any(|text| text.contains("page") && text.contains("title\":\"disk on db-7")));
    let (rules, mut kafka) = (own(LOUD), Kafka::default());
    let mut shard = kafka.restored(&rules, &[]).shard;
    for (offset, said) in [silence("db-1", 1.0), silence("db-2", 1.0), silence("db-2", 0.0)].iter().enumerate() {
        shard.take(offset as i64, None, said).unwrap();
    }
    kafka.store(shard.take_yield(3).unwrap());
    let mut shard = kafka.restored(&rules, &[]).shard;
    for (offset, host) in [(3, "db-1"), (4, "db-2")] {
        shard.take(offset, Some("new"), &event(host, 10.0)).unwrap();
    }
    kafka.store(shard.take_yield(5).unwrap());
    let reasons: Vec<bool> = kafka.told["new"].lines().map(|line| line.contains("silenced")).collect();
    assert!(reasons[0] && reasons[1..].iter().all(|silenced| !silenced), "{}", kafka.told["new"]);
}

#[test]
fn what_makes_the_judge_fail_is_paged_as_itself_the_next_time() {
    let (rules, mut kafka) = (own(LOUD), Kafka::default());
    let mut shard = kafka.restored(&rules, &[0]).shard;
    shard.take(0, Some("a"), &event("db-1", 0.0)).unwrap();
    kafka.store(shard.take_yield(1).unwrap());
    assert!(kafka.told["a"].contains("judge_failed"), "{:?}", kafka.told);
    assert_eq!(kafka.sent.len(), 1, "{:?}", kafka.sent);
}

#[test]
fn an_order_about_what_is_not_here_is_told_and_changes_nothing() {
    let (rules, kafka) = (own(LOUD), Kafka::default());
    let mut shard = kafka.restored(&rules, &[]).shard;
    let incident = Seat { partition: 2, scope: 0 }.outside(crate::domain::IncidentId(1));
    let order = Said::Order(Word::Resolve { incident, by: "ada".to_owned() }, START);
    assert!(matches!(shard.take(0, None, &order), Err(Untaken::Told(_))));
    let files = RuleFiles { files: vec![("r.yaml".to_owned(), "rulez: []".to_owned(), false)], shadow: false };
    let wrong = Said::Order(Word::Rules { files }, START);
    assert!(matches!(shard.take(1, None, &wrong), Err(Untaken::Told(_))));
    assert_eq!(shard.rules().fingerprint, rules.fingerprint);
    let mut resolved = Event::new("test", "disk");
    (resolved.status, resolved.received) = (Status::Resolved, Some(START));
    shard.take(2, None, &Said::Event(Box::new(resolved))).unwrap();
    assert_eq!(shard.scopes(), 1);
}

const DIGESTS: &str = r#"
receivers:
  - {name: mail, email: {to: [ada@example.org], from: squelch@example.org, smtp: {host: mail.example.org}}}
routes:
  - {name: everything, receivers: [mail]}
digests:
  - {name: all of it, receivers: [mail], at: "00:00"}
"#;

/// A digest up to then, as the secretary of a node orders it.
fn dispatched(until: Timestamp) -> Said {
    let dispatch = Dispatch {
        digest: "all of it".to_owned(),
        from: until.after(-86_400.0),
        until,
        subject: "a day".to_owned(),
        text: "text".to_owned(),
        html: "html".to_owned(),
        images: vec![Image { name: "week".to_owned(), png: vec![0, 137, 255] }],
    };
    let written = message::order(&Word::Digest { dispatch: Box::new(dispatch) }, until.after(15.0)).unwrap();
    message::read(Some(written.kind), &written.value, None, until).unwrap()
}

#[test]
fn a_digest_that_two_nodes_put_together_is_owed_once_wherever_the_shard_is_rebuilt() {
    let (rules, mut kafka) = (own(DIGESTS), Kafka::default());
    let mut shard = kafka.restored(&rules, &[]).shard;
    let due = |shard: &Shard, now: Timestamp| shard.ask(&DueDigests { now }).unwrap();
    let day = |days: f64| START.after(86_400.0 * days);
    assert_eq!(due(&shard, day(9.0)), [], "nobody knows yet since when it tells");
    // Nothing but the tick ever came to the scope that owes it.
    let until = due_until(START, &rules);
    let told = dispatched(until);
    let log = [
        (Some(OWN), Said::Tick(START)),
        (Some(OWN), Said::Tick(START.after(1.0))),
        (None, told.clone()),
        (None, told.clone()),
        (Some(OWN), Said::Tick(until.after(16.0))),
        (None, told),
    ];
    for (offset, (key, said)) in log.iter().enumerate() {
        assert_eq!(due(&shard, until).len(), usize::from((1..3).contains(&offset)), "before {offset}");
        shard.take(offset as i64, *key, said).unwrap();
        kafka.store(shard.take_yield(offset as i64 + 1).unwrap());
        shard = kafka.restored(&rules, &[]).shard;
    }
    assert_eq!(
        kafka.sent,
        [format!("{}.1.mail", Seat { partition: 3, scope: 0 }.outside(crate::domain::IncidentId(0)))]
    );
    let Content::Digest(owed) = &shard.outbox()[0].content else { panic!("{:?}", shard.outbox()) };
    assert_eq!((owed.until, &owed.images[0].png), (until, &vec![0, 137, 255]));
    assert_eq!(due(&shard, until.after(86_399.0)), []);
    assert_eq!(due(&shard, until.after(86_400.0)), [("all of it".to_owned(), (until, until.after(86_400.0)))]);
}

/// When the digest of the rules is due after it is known.
fn due_until(known: Timestamp, rules: &Rules) -> Timestamp {
    let rule = &rules.policy.digests[0];
    rule.latest(known.after(86_400.0))
}
