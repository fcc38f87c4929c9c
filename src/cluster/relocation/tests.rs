//! However often everything moves: each scope decides as an engine of its own would, and each number leads back.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::plan::*;
use crate::cluster::homes::Homes;
use crate::cluster::message::Said;
use crate::cluster::moved::Moved;
use crate::cluster::place::{self, Seat};
use crate::cluster::rules::{RuleFiles, Rules};
use crate::cluster::shard::Shard;
use crate::cluster::tenant::Tenant;
use crate::cluster::word::Word;
use crate::config::{Source, with_shipped};
use crate::domain::{Event, IncidentId, LooksAt, Matcher, Severity, Silence, Status, Timestamp};
use crate::replay::decisions;

const START: Timestamp = Timestamp::from_millis(1_795_000_000_000);
const LOUD: &str = "rules:\n  - name: loud\n    match: ['severity=\"critical\"']\n    page: always\n";

/// A scope, a host, whether it fires, and seconds since the one before.
type Told = (u8, u8, bool, u16);
type Records = BTreeMap<Vec<u8>, Vec<u8>>;

fn rules() -> Rules {
    RuleFiles::of(&with_shipped(vec![Source::new("rules.yaml", LOUD)]), false).load().unwrap()
}

/// A cluster of so many partitions: what stands in its topics, and what was told.
struct Cluster {
    partitions: u16,
    records: Vec<Records>,
    homes: Homes,
    told: BTreeMap<String, String>,
    /// The keys of all that was sent.
    sent: Vec<String>,
    incidents: BTreeSet<IncidentId>,
}

impl Cluster {
    fn new(partitions: u16) -> Self {
        let records = vec![Records::new(); usize::from(partitions)];
        let (told, sent, incidents) = (BTreeMap::new(), Vec::new(), BTreeSet::new());
        Self { partitions, records, homes: Homes::default(), told, sent, incidents }
    }

    fn shard(&self, partition: i32) -> Shard {
        let records = self.records[usize::try_from(partition).unwrap()].clone();
        let restored = Shard::restore(partition, &rules(), records, BTreeSet::new());
        assert_eq!(restored.unreadable, Vec::<String>::new());
        restored.shard
    }

    fn judge(&mut self, partition: i32, key: Option<&str>, said: &Said) {
        let mut shard = self.shard(partition);
        shard.take(0, key, said).unwrap();
        let out = shard.take_yield(1).unwrap();
        let records = &mut self.records[usize::try_from(partition).unwrap()];
        for row in out.rows {
            match row.value {
                Some(value) => records.insert(row.key, value),
                None => records.remove(&row.key),
            };
        }
        out.decisions.iter().for_each(|(scope, lines)| *self.told.entry(scope.to_string()).or_default() += lines);
        self.incidents.extend(out.notifications.iter().map(|owed| owed.key.incident));
        self.sent.extend(out.notifications.iter().map(|owed| owed.key.to_string()));
    }

    fn event(&mut self, scope: &str, event: &Event) {
        let partition = place::partition(scope, i32::from(self.partitions));
        self.judge(partition, Some(scope), &Said::Event(Box::new(event.clone())));
    }

    fn owed(&self) -> BTreeSet<String> {
        let shards = 0..i32::from(self.partitions);
        shards.flat_map(|shard| self.shard(shard).outbox()).map(|owed| owed.key.to_string()).collect()
    }

    fn estates(&self) -> Vec<Estate> {
        let estate = |records: &Records| {
            let mut estate = Estate::default();
            records.iter().for_each(|(key, value)| estate.take(key, value));
            estate
        };
        self.records.iter().map(estate).collect()
    }

    fn moved(self, partitions: u16) -> Self {
        let plan = Plan::new(&self.estates(), self.partitions, partitions).unwrap();
        assert_eq!(plan.told, Vec::<String>::new());
        let mut new = Self { told: self.told, sent: self.sent, incidents: self.incidents, ..Self::new(partitions) };
        let moved = (0..).zip(&self.records).flat_map(|(partition, records)| {
            let plan = &plan;
            records.iter().filter_map(move |(key, value)| plan.row(partition, key, value))
        });
        for (to, row) in moved.chain(plan.own()) {
            let before = new.records[usize::try_from(to).unwrap()].insert(row.key, row.value.unwrap());
            assert_eq!(before, None, "no two records in one place");
        }
        plan.moved().iter().for_each(|moved| new.homes.hear(moved, partitions));
        new
    }
}

fn event((_, host, fires, _): Told, at: Timestamp) -> Event {
    let mut event = Event::new("test", "disk");
    (event.host, event.received) = (Some(format!("db-{host}")), Some(at));
    event.severity = if host % 2 == 0 { Severity::Critical } else { Severity::Warning };
    event.status = if fires { Status::Firing } else { Status::Resolved };
    event
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn moved_scopes_decide_as_engines_of_their_own_and_every_number_leads_back(
        told in proptest::collection::vec((0..9_u8, 0..6_u8, any::<bool>(), 0..400_u16), 4..60),
        moves in proptest::collection::vec(1..9_u16, 1..4),
    ) {
        let (mut cluster, mut alone, mut at) = (Cluster::new(3), BTreeMap::new(), START);
        let mut pieces = told.chunks(told.len().div_ceil(moves.len() + 1));
        for partitions in [None].into_iter().chain(moves.iter().map(Some)) {
            if let Some(partitions) = partitions {
                let before = cluster.owed();
                cluster = cluster.moved(*partitions);
                prop_assert_eq!(cluster.owed(), before, "what is owed keeps its keys");
            }
            for one in pieces.next().unwrap_or_default() {
                at = at.after(f64::from(one.3));
                let (scope, event) = (format!("scope-{}", one.0), event(*one, at));
                cluster.event(&scope, &event);
                let seat = Seat { partition: 0, scope: 0 };
                let new = || Tenant::new(scope.as_str().into(), seat, &rules().policy_of(&scope));
                alone.entry(scope.clone()).or_insert_with(new).event(&event);
            }
        }
        for (scope, tenant) in &alone {
            let mut text = String::new();
            tenant.turn.decisions.iter().for_each(|decision| decisions::write(decision, &mut text));
            prop_assert_eq!(cluster.told.get(scope).map_or("", String::as_str), text);
        }
        prop_assert_eq!(cluster.sent.iter().collect::<BTreeSet<_>>().len(), cluster.sent.len(), "no key twice");
        for incident in cluster.incidents.clone() {
            let home = cluster.homes.of(Seat::inside(incident).0);
            cluster.judge(home, None, &Said::Order(Word::Acknowledge { incident, by: "ada".to_owned() }, at));
        }
        let mut seats = BTreeSet::new();
        for shard in 0..i32::from(cluster.partitions) {
            for tenant in cluster.shard(shard).tenants() {
                prop_assert!(seats.insert(tenant.seat), "two scopes share the seat {:?}", tenant.seat);
                prop_assert_eq!(cluster.homes.of(tenant.seat), shard);
            }
        }
        prop_assert_eq!(seats.len(), alone.len());
    }
}

fn silence(id: &str) -> (Vec<u8>, Said) {
    let silence = Silence {
        id: id.to_owned(),
        matchers: vec![Matcher::parse("host=db-0").unwrap()],
        looks_at: LooksAt::Fields,
        from: START,
        until: START.after(3600.0),
        owner: "ada".to_owned(),
        reason: "disk swap".to_owned(),
        updated: START,
    };
    (id.as_bytes().to_vec(), Said::Order(Word::Silence { silence }, START))
}

#[test]
fn silences_and_rules_are_there_for_scopes_that_come_after_the_move() {
    let mut cluster = Cluster::new(2);
    (0..2).for_each(|partition| cluster.judge(partition, None, &silence("s-1").1));
    let mut cluster = cluster.moved(5);
    cluster.event("new", &event((0, 0, true, 0), START.after(60.0)));
    assert!(cluster.told["new"].contains("silenced"), "{:?}", cluster.told);
    assert_eq!(cluster.shard(4).rules().fingerprint, rules().fingerprint);
}

#[test]
fn a_scope_that_stands_in_two_partitions_keeps_both_parts_apart() {
    let (mut cluster, right) = (Cluster::new(3), place::partition("a", 3));
    let wrong = (right + 1) % 3;
    for partition in [right, wrong] {
        cluster.judge(partition, Some("a"), &Said::Event(Box::new(event((0, 0, true, 0), START))));
    }
    let plan = Plan::new(&cluster.estates(), 3, 4).unwrap();
    assert!(plan.told[0].contains("where it does not belong"), "{:?}", plan.told);
    let seats: BTreeMap<String, Seat> = plan
        .moved()
        .into_iter()
        .filter_map(|moved| if let Moved::Seat(seat, name) = moved { Some((name, seat)) } else { None })
        .collect();
    assert_eq!(seats["a"].partition, right);
    assert_eq!(seats[&format!("a (of partition {wrong})")].partition, wrong);
    let event = Said::Event(Box::new(event((0, 0, true, 0), START)));
    let Way::To(_, Some(key)) = plan.way(wrong, Some("a"), &event) else { panic!() };
    assert_eq!(key, format!("a (of partition {wrong})"));
}

#[test]
fn messages_go_where_their_scopes_are_and_orders_to_nobody_stay() {
    let mut cluster = Cluster::new(3);
    cluster.event("a", &event((0, 0, true, 0), START));
    let plan = Plan::new(&cluster.estates(), 3, 7).unwrap();
    let home = place::partition("a", 7);
    let order =
        |seat: Seat| Said::Order(Word::Resolve { incident: seat.outside(IncidentId(1)), by: String::new() }, START);
    let seat = Seat { partition: place::partition("a", 3), scope: 0 };
    assert_eq!(plan.way(0, None, &order(seat)), Way::To(home, None));
    assert!(matches!(plan.way(0, None, &order(Seat { scope: 1, ..seat })), Way::Left(_)));
    assert_eq!(plan.way(0, None, &silence("s-1").1), Way::All);
    assert_eq!(plan.way(0, None, &Said::Tick(START)), Way::Stays);
    let new = Said::Event(Box::new(event((0, 0, true, 0), START)));
    assert_eq!(plan.way(0, Some("new"), &new), Way::To(place::partition("new", 7), Some("new".to_owned())));
    assert_eq!(plan.way(0, None, &new), Way::To(place::partition("default", 7), None));
}

#[test]
fn partitions_that_are_behind_come_in_when_the_others_are_as_far() {
    let estate =
        |orders: &[&str]| Estate { orders: orders.iter().map(|id| silence(id).0).collect(), ..Estate::default() };
    let told = |estates: &[Estate]| rounds(estates);
    assert_eq!(told(&[estate(&["a", "b"]), estate(&["b"]), estate(&[])]), Ok(vec![0, 1, 2]));
    assert!(told(&[estate(&["a", "b"]), estate(&["a"])]).unwrap_err().contains("partition 1 has other orders"));
}
