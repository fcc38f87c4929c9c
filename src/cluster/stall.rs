//! A reader that stands still: the brokers have more, and nothing of it comes.
//!
//! Pure. A client that has lost its place without a word would leave a shard blind for good, with nobody told; begun
//! anew it finds it again. Deliberately slow to conclude: what a transaction leaves behind (its end, or nothing but that
//! where it was aborted) has offsets, too, and is handed over to nobody.

/// What was seen while nothing came.
#[derive(Debug, Default)]
pub(super) struct Stall {
    /// Where the partition ended when the brokers were asked first.
    end: Option<i64>,
}

impl Stall {
    /// Whether a reader stands still that has handed over nothing for long. `next` = what it would hand over next, `end`
    /// = where the partition ends, `at_end` = it has said that it reached the end since it handed something over.
    ///
    /// Who never said so and has something before it stands still; who did say so, only where more came since it was
    /// looked first.
    pub(super) fn stands_still(&mut self, next: i64, end: i64, at_end: bool) -> bool {
        let before = *self.end.get_or_insert(if at_end { end } else { next });
        end > before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_at_the_end_waits_for_nothing() {
        let mut stall = Stall::default();
        assert!(!stall.stands_still(7, 7, true));
        assert!(!stall.stands_still(7, 7, true), "however often it is looked");
    }

    #[test]
    fn the_end_of_a_transaction_behind_the_last_message_is_nothing_to_read() {
        let mut stall = Stall::default();
        assert!(!stall.stands_still(7, 8, true));
        assert!(!stall.stands_still(7, 8, true));
    }

    #[test]
    fn what_comes_behind_the_end_and_is_not_handed_over_is_a_standstill() {
        let mut stall = Stall::default();
        assert!(!stall.stands_still(7, 8, true));
        assert!(stall.stands_still(7, 20, true));
    }

    #[test]
    fn a_reader_that_never_reached_the_end_and_hands_nothing_over_stands_still() {
        assert!(Stall::default().stands_still(7, 20, false));
        assert!(!Stall::default().stands_still(7, 7, false));
    }
}
