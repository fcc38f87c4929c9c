//! Where things are: the partition of a scope, and the number of an incident outside of its engine.
//!
//! Pure. Everything here is part of what is stored and told: it never changes.

use std::sync::Arc;

use crate::domain::alarm::FIRST_ALARM;
use crate::domain::{Content, IncidentId, Notification, NotificationKey};

/// The partition of a key among so many, as the Java client's default has it: murmur2.
#[must_use]
pub fn partition(key: &str, partitions: i32) -> i32 {
    let positive = murmur2(key.as_bytes()) & 0x7fff_ffff;
    i32::try_from(positive).unwrap_or(0) % partitions.max(1)
}

/// murmur2 (Appleby), 32 bits, with the seed of Kafka's clients (`org.apache.kafka.common.utils.Utils.murmur2`).
fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c ^ u32::try_from(data.len()).unwrap_or(u32::MAX);
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let mut k = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(M);
        k = (k ^ (k >> 24)).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ k;
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        let word = rest.iter().rev().fold(0, |word, byte| (word << 8) | u32::from(*byte));
        hash = (hash ^ word).wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    hash ^ (hash >> 15)
}

/// A scope's seat: the partition in which it was born, and its number among the scopes born there. It keeps the seat when
/// it moves to another partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seat {
    /// The partition, below [`Seat::PARTITIONS`].
    pub partition: i32,
    /// The scope's number there, below [`Seat::SCOPES`].
    pub scope: u32,
}

impl Seat {
    /// So many partitions there can be.
    pub const PARTITIONS: u64 = 1_000;
    /// So many scopes a partition can have.
    pub const SCOPES: u64 = 100_000;
    /// One seat after the other.
    const SEATS: u64 = Self::PARTITIONS * Self::SCOPES;
    /// Where the numbers of Squelch's own incidents begin outside.
    const OWN: u64 = 1_000_000_000_000_000_000;

    fn place(self) -> u64 {
        u64::from(self.scope) * Self::PARTITIONS + u64::try_from(self.partition).unwrap_or(0)
    }

    /// The number of an incident for everybody outside of its engine. Incident 7 of the scope 2 of partition 3 is
    /// 700002003.
    #[must_use]
    pub fn outside(self, inside: IncidentId) -> IncidentId {
        let number = inside.0;
        let (base, number) = if number >= FIRST_ALARM { (Self::OWN, number - FIRST_ALARM) } else { (0, number) };
        IncidentId(base + number * Self::SEATS + self.place())
    }

    /// The seat and the number inside of what [`Seat::outside`] gave.
    #[must_use]
    pub fn inside(outside: IncidentId) -> (Self, IncidentId) {
        let own = outside.0 >= Self::OWN;
        let number = if own { outside.0 - Self::OWN } else { outside.0 };
        let seat = Self {
            partition: i32::try_from(number % Self::PARTITIONS).unwrap_or(0),
            scope: u32::try_from(number / Self::PARTITIONS % Self::SCOPES).unwrap_or(0),
        };
        let inside = number / Self::SEATS;
        (seat, IncidentId(if own { inside + FIRST_ALARM } else { inside }))
    }

    /// A notification as everybody outside knows it.
    #[must_use]
    pub fn shown(self, notification: &Notification) -> Arc<Notification> {
        let mut shown = notification.clone();
        shown.key.incident = self.outside(shown.key.incident);
        // Number 0 is about no incident, and stays so for people.
        if shown.incident.incident.0 > 0 {
            shown.incident.incident = self.outside(shown.incident.incident);
        }
        match &mut shown.content {
            Content::Page(page) => page.incident = self.outside(page.incident),
            Content::Reminder(reminder) => reminder.page.incident = self.outside(reminder.page.incident),
            Content::Notice(notice) => notice.incident = notice.incident.map(|id| self.outside(id)),
            Content::Digest(_) => {}
        }
        Arc::new(shown)
    }

    /// A key as the engine knows it.
    #[must_use]
    pub fn key_inside(key: &NotificationKey) -> NotificationKey {
        NotificationKey { incident: Self::inside(key.incident).1, ..key.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_where_the_java_client_puts_them() {
        // From `UtilsTest.testMurmur2` of Apache Kafka.
        let known: [(&str, i32); 4] = [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("abc", 479_470_107),
        ];
        for (key, hash) in known {
            assert_eq!(murmur2(key.as_bytes()).cast_signed(), hash, "{key}");
        }
        assert_eq!(partition("abc", 4), 479_470_107 % 4);
    }

    #[test]
    fn a_number_outside_leads_back_to_its_scope() {
        for inside in [0, 1, 7, 9_999_999, FIRST_ALARM, FIRST_ALARM + 12] {
            for seat in [Seat { partition: 0, scope: 0 }, Seat { partition: 998, scope: 99_999 }] {
                assert_eq!(Seat::inside(seat.outside(IncidentId(inside))), (seat, IncidentId(inside)));
            }
        }
        assert_eq!(Seat { partition: 3, scope: 2 }.outside(IncidentId(7)), IncidentId(700_002_003));
    }
}
