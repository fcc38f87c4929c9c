//! What shards answer together is what engines of their own would.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::cluster::message::Said;
use crate::cluster::place;
use crate::config::{Source, with_shipped};
use crate::domain::{Event, Extract, IncidentId, Outcome, Severity, Status, Timestamp};
use crate::inbox::questions::{
    Covering, DigestReport, FindSeries, Incident, Incidents, Loudest, Now, Postings, Sums, Untold, Why, WhySeries,
};

const START: Timestamp = Timestamp::from_millis(1_795_000_000_000);
const LOUD: &str = "rules:\n  - name: loud\n    match: ['severity=\"critical\"']\n    page: always\n";

/// A scope, a host, whether it fires, and seconds since the one before.
type Told = (u8, u8, bool, u16);

fn rules() -> super::super::Rules {
    RuleFiles::of(&with_shipped(vec![Source::new("rules.yaml", LOUD)]), false).load().unwrap()
}

fn event((_, host, fires, _): Told, at: Timestamp) -> Event {
    let mut event = Event::new("test", "disk");
    (event.host, event.received) = (Some(format!("db-{host}")), Some(at));
    event.severity = if host % 2 == 0 { Severity::Critical } else { Severity::Warning };
    event.status = if fires { Status::Firing } else { Status::Resolved };
    event
}

/// The same events in shards, and each scope in an engine of its own.
fn judged(told: &[Told], partitions: i32) -> (Vec<Shard>, BTreeMap<String, Tenant>) {
    let rules = rules();
    let shard = |partition| Shard::restore(partition, &rules, Vec::new(), BTreeSet::new()).shard;
    let mut shards: Vec<Shard> = (0..partitions).map(shard).collect();
    let (mut alone, mut at) = (BTreeMap::new(), START);
    for one in told {
        at = at.after(f64::from(one.3));
        let (scope, event) = (format!("scope-{}", one.0), event(*one, at));
        let partition = place::partition(&scope, partitions);
        let said = Said::Event(Box::new(event.clone()));
        shards[usize::try_from(partition).unwrap()].take(0, Some(&scope), &said).unwrap();
        let seat = Seat { partition: 0, scope: 0 };
        let new = || Tenant::new(scope.as_str().into(), seat, &rules.policy_of(&scope));
        alone.entry(scope.clone()).or_insert_with(new).event(&event);
    }
    (shards, alone)
}

/// What the shards answer together, over the wire.
fn together<Q: Question>(shards: &[Shard], question: &Q) -> Q::Answer {
    let text = serde_json::to_string(question).unwrap();
    let told = shards.iter().map(|shard| shard.answer(Q::NAME, &text).unwrap());
    merged(question, told.map(|text| serde_json::from_str(text.get()).unwrap())).unwrap()
}

/// What the engines answer, each for itself.
fn apart<Q: Question>(alone: &BTreeMap<String, Tenant>, question: &Q) -> Vec<Q::Answer> {
    alone.values().map(|tenant| question.answer(&tenant.view())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn shards_answer_together_what_engines_answer_apart(
        told in proptest::collection::vec((0..5_u8, 0..6_u8, any::<bool>(), 0..400_u16), 1..60),
        partitions in 1..5_i32,
    ) {
        let (shards, alone) = judged(&told, partitions);
        let all = Incidents { open: None, limit: 1_000 };
        let found = together(&shards, &all);
        let titles = |all: &[(crate::domain::IncidentSummary, bool)]| {
            let mut titles: Vec<_> = all.iter().map(|(one, open)| (one.opened, one.title.clone(), *open, one.alerts)).collect();
            titles.sort();
            titles
        };
        let single: Vec<_> = apart(&alone, &all).into_iter().flatten().collect();
        prop_assert_eq!(titles(&found), titles(&single));
        let numbers: BTreeSet<IncidentId> = found.iter().map(|(one, _)| one.incident).collect();
        prop_assert_eq!(numbers.len(), found.len(), "each has a number of its own");
        for (summary, open) in &found {
            let shard = &shards[usize::try_from(Seat::inside(summary.incident).0.partition).unwrap()..][..1];
            let alone = together(shard, &Incident(summary.incident));
            prop_assert_eq!(alone, Some((summary.clone(), *open)));
            let (why, _) = together(shard, &Why(summary.incident)).unwrap();
            prop_assert_eq!(why.summary.incident, summary.incident);
            let ids = why.members.iter().flat_map(|member| &member.verdicts).filter_map(|verdict| verdict.incident);
            prop_assert!(ids.collect::<BTreeSet<_>>().is_subset(&numbers));
        }
        let tally = together(&shards, &Sums);
        prop_assert_eq!(tally.accepted, told.len() as u64);
        prop_assert_eq!(Some(tally), merged(&Sums, apart(&alone, &Sums)));
        let find = FindSeries { words: "disk".to_owned(), limit: 4 };
        let names: BTreeSet<_> = apart(&alone, &find).into_iter().flatten().collect();
        prop_assert_eq!(together(&shards, &find), names.into_iter().take(4).collect::<Vec<_>>());
        let postings: usize = apart(&alone, &Postings).iter().map(|one| one.postings.len()).sum();
        prop_assert_eq!(together(&shards, &Postings).postings.len(), postings);
        let now = together(&shards, &Now { open: 2, over: 2 });
        let open = found.iter().filter(|(_, open)| *open).count();
        prop_assert_eq!((now.open.len() + now.more, now.tally.accepted), (open, told.len() as u64));
        prop_assert!(together(&shards, &Loudest(3)).0.len() <= 3);
        prop_assert_eq!((together(&shards, &Untold).1, together(&shards, &Covering).silences.len()), (0, 0));
    }
}

#[test]
fn a_name_that_several_series_have_is_told_whichever_shards_know_them() {
    let (shards, _) = judged(&[(0, 0, true, 0), (1, 2, true, 0), (2, 0, true, 9)], 3);
    let asked = |text: &str| together(&shards, &WhySeries { text: text.to_owned(), suggested: 20 }).found();
    assert_eq!(asked("disk").unwrap_err().len(), 2, "db-0 of two scopes has one name");
    let (series, _) = asked("db-0").unwrap();
    assert_eq!(series.heard.1, START.after(9.0), "the one that was heard of last");
    assert_eq!(asked(&series.fingerprint.to_string()).unwrap().0.name, series.name);
    assert!(asked("nothing").unwrap_err().is_empty());
}

#[test]
fn who_knows_nothing_of_an_incident_says_that_there_is_none() {
    let (shards, _) = judged(&[(0, 0, true, 0)], 1);
    for number in [0, 7, 100_000, 1_000_000_000, u64::MAX] {
        assert_eq!(together(&shards, &Incident(IncidentId(number))), None, "{number}");
    }
    assert!(shards[0].answer("no_such_question", "null").unwrap_err().contains("another version"));
    assert!(shards[0].answer(Incident::NAME, "\"seven\"").unwrap_err().contains("another version"));
}

/// What there is to tell of all of it, by everybody who judges it.
fn report(told: &[Told]) -> DigestReport {
    let length: u32 = told.iter().map(|one| u32::from(one.3)).sum();
    let now = START.after(f64::from(length) + 1.0);
    DigestReport { book: String::new(), window: (START, now), now, judged: None, some: (0, usize::MAX) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_digest_of_all_shards_adds_up_to_what_each_scope_decided(
        told in proptest::collection::vec((0..5_u8, 0..6_u8, any::<bool>(), 0..900_u16), 1..90),
        partitions in 1..5_i32,
    ) {
        let (shards, alone) = judged(&told, partitions);
        let question = report(&told);
        let all = together(&shards, &question).extract;
        let apart: Vec<Extract> = apart(&alone, &question).into_iter().map(|report| report.extract).collect();
        let sum = |of: &dyn Fn(&Extract) -> u64| apart.iter().map(of).sum::<u64>();
        prop_assert_eq!(all.accepted(), told.len() as u64);
        prop_assert_eq!(all.accepted() + all.waited, all.decided() + all.waits);
        prop_assert_eq!(all.waits, sum(&|one| one.waits));
        for outcome in Outcome::ALL {
            prop_assert_eq!(all.count(*outcome), sum(&|one| one.count(*outcome)));
        }
        for (reason, count) in all.reasons() {
            prop_assert_eq!(count, sum(&|one| one.reasons().get(&reason).copied().unwrap_or(0)));
        }
        prop_assert_eq!(all.pages(), (sum(&|one| one.pages().0), sum(&|one| one.pages().1)));
        prop_assert_eq!((all.new_series(), all.holds().by_itself), (
            sum(&|one| one.new_series()),
            apart.iter().map(|one| one.holds().by_itself).sum(),
        ));
        prop_assert_eq!(all.sources().iter().flat_map(|(_, counts)| counts).sum::<u64>(), all.decided());
        // A series of several scopes is told once, with what it did in all of them; and what is told is never more than was.
        let names: BTreeSet<_> = all.talks.iter().map(|talk| talk.fingerprint).collect();
        prop_assert_eq!(names.len(), all.talks.len());
        prop_assert_eq!(
            all.talks.iter().map(|talk| talk.count(Outcome::Suppress)).sum::<u64>(),
            sum(&|one| one.talks.iter().map(|talk| talk.count(Outcome::Suppress)).sum()),
        );
        for (at, hour) in all.hours.iter().enumerate() {
            let spoken: u64 = all.talks.iter().map(|talk| u64::from(talk.hours[at])).sum();
            prop_assert!(spoken <= hour.verdicts.each().map(|(_, count)| count).sum::<u64>());
        }
        // Asked one scope at a time they say the same.
        let mut bit_by_bit = together(&shards, &DigestReport { some: (0, 1), ..question.clone() });
        for place in 1.. {
            if !std::mem::take(&mut bit_by_bit.more) {
                break;
            }
            bit_by_bit.join(together(&shards, &DigestReport { some: (place, 1), ..question.clone() }));
            bit_by_bit.settle();
        }
        prop_assert_eq!(bit_by_bit.extract.accepted(), all.accepted());
        prop_assert_eq!(bit_by_bit.extract.reasons(), all.reasons());
        prop_assert_eq!((&bit_by_bit.extract.talks, &bit_by_bit.extract.chapters), (&all.talks, &all.chapters));
        // Incidents have the numbers that people know.
        let known = together(&shards, &Incidents { open: None, limit: 1_000 });
        let known: BTreeSet<IncidentId> = known.iter().map(|(one, _)| one.incident).collect();
        let chapters: BTreeSet<IncidentId> = all.chapters.iter().map(|chapter| chapter.incident).collect();
        prop_assert!(chapters.is_subset(&known) && chapters.len() == all.chapters.len());
        prop_assert_eq!(chapters.len() as u64, sum(&|one| one.chapters.len() as u64));
    }
}

#[test]
fn who_has_not_judged_all_of_it_does_not_tell_a_digest_less_than_there_was() {
    let (mut shards, _) = judged(&[(0, 0, true, 0)], 1);
    let judged = START.after(3600.0);
    let question = DigestReport { judged: Some(judged), ..report(&[]) };
    let text = serde_json::to_string(&question).unwrap();
    let mut asked = |tick: f64| {
        shards[0].take(1, None, &Said::Tick(judged.after(tick))).unwrap();
        shards[0].answer(DigestReport::NAME, &text)
    };
    assert!(asked(-1.0).unwrap_err().contains("it has judged what came up to"));
    assert!(asked(0.0).is_ok());
    // A tick that says what time it was before takes nothing back.
    assert!(asked(-60.0).is_ok());
}
