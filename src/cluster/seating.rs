//! Who sits where in a partition: the seats of its scopes, and the next one that is free.
//!
//! Pure. A scope keeps the seat of its birth for good, wherever it lives later: numbers of incidents that were told have
//! the seat in them. So a partition gives numbers from [`Seating::restore`]'s `first` on, and what is below it belongs to
//! scopes that were born under an earlier number of partitions.

use std::collections::BTreeSet;

use super::place::Seat;
use super::tenant::Head;

/// The seats that a partition gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seating {
    partition: i32,
    next: u32,
}

/// The scopes of a partition at their seats.
#[derive(Debug)]
pub struct Seated {
    /// What is given next.
    pub seating: Seating,
    /// The scopes in the order in which they came: those that moved here first.
    pub scopes: Vec<(String, Head)>,
    /// What is wrong, for people.
    pub told: Vec<String>,
}

impl Seating {
    /// Gives every scope its seat again. `first` = the first number that this partition gives itself.
    #[must_use]
    pub fn restore(partition: i32, first: u32, heads: impl IntoIterator<Item = (String, Head)>) -> Seated {
        let own = |head: &Head| head.seat(partition).partition == partition && head.number >= first;
        let mut all: Vec<(String, Head)> = heads.into_iter().collect();
        all.sort_by_key(|(_, head)| (own(head), head.seat(partition)));
        let here = all.iter().filter(|(_, head)| own(head));
        let next = here.clone().map(|(_, head)| head.number + 1).max().unwrap_or(first);
        let (mut seating, mut told, mut taken) = (Self { partition, next }, Vec::new(), BTreeSet::new());
        let numbers: BTreeSet<u32> = here.map(|(_, head)| head.number).collect();
        let missing = u64::from(next - first) - numbers.len() as u64;
        if missing > 0 {
            told.push(format!("{missing} of the scopes that partition {partition} once had are missing"));
        }
        for (name, head) in &mut all {
            if !taken.insert(head.seat(partition)) {
                told.push(format!("the scope `{name}` has the number of another one, and gets a new one"));
                // Where there is none left it keeps what it has: its incidents are mistaken for the other's.
                if let Some(seat) = seating.give() {
                    (head.number, head.born) = (seat.scope, None);
                    taken.insert(seat);
                }
            }
        }
        Seated { seating, scopes: all, told }
    }

    /// The number that is given next.
    #[must_use]
    pub const fn next(&self) -> u32 {
        self.next
    }

    /// A seat that nobody ever had; `None` = all are given.
    pub fn give(&mut self) -> Option<Seat> {
        let seat = Seat { partition: self.partition, scope: self.next };
        if u64::from(self.next) >= Seat::SCOPES {
            return None;
        }
        self.next += 1;
        Some(seat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(number: u32, born: Option<i32>) -> Head {
        Head { number, next_seq: 0, born }
    }

    fn seats(seated: &Seated) -> Vec<(&str, Seat)> {
        seated.scopes.iter().map(|(name, head)| (name.as_str(), head.seat(3))).collect()
    }

    fn restored(first: u32, heads: &[(&str, Head)]) -> Seated {
        Seating::restore(3, first, heads.iter().map(|(name, head)| ((*name).to_owned(), *head)))
    }

    #[test]
    fn those_that_moved_come_first_and_new_ones_never_get_a_number_that_somebody_had() {
        let mut seated = restored(
            5,
            &[("c", head(5, None)), ("b", head(2, Some(3))), ("a", head(9, Some(1))), ("d", head(6, None))],
        );
        let seat = |partition, scope| Seat { partition, scope };
        let expected = [("a", seat(1, 9)), ("b", seat(3, 2)), ("c", seat(3, 5)), ("d", seat(3, 6))];
        assert_eq!((seats(&seated), seated.told.len()), (expected.to_vec(), 0));
        assert_eq!(seated.seating.give(), Some(seat(3, 7)));
        assert_eq!(restored(5, &[]).seating.next(), 5);
    }

    #[test]
    fn what_is_missing_or_there_twice_is_told_and_no_two_share_a_seat() {
        let mut seated = restored(0, &[("a", head(0, None)), ("b", head(4, None)), ("c", head(4, None))]);
        assert_eq!(seated.told.len(), 2, "{:?}", seated.told);
        assert_eq!(seats(&seated)[2], ("c", Seat { partition: 3, scope: 5 }));
        assert_eq!(seated.seating.give().map(|seat| seat.scope), Some(6));
        let last = u32::try_from(Seat::SCOPES).unwrap();
        assert_eq!(restored(last, &[]).seating.give(), None);
    }
}
