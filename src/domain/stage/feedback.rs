//! Feedback: how far the words of people move the bits of an onset.
//!
//! Each word takes (noise) or gives (useful) a share of what the words before it left: after n fresh words of one
//! kind the share is `1 − (1 − feedback)^n`, and never more than `feedback_most`. Noise takes that share of the bits
//! of a start; useful gives it of what lacks to the most that a series can be worth, so that it lifts what
//! repetition made ordinary. Words fade with the half-life of everything that is learned. Deliberately nothing here
//! about values and durations: those speak of this time, and what people said was about another.

use crate::domain::judgement::Judgement;
use crate::domain::opinion::Opinion;
use crate::domain::stage::forget;

/// All kin together are worth no more than so many words about the series itself.
const KIN_MOST: f64 = 1.0;

/// What a word that was said `secs` ago is worth: below 0 = noise. About its kin (`own` = false) it is worth less.
pub(crate) fn worth(opinion: Opinion, own: bool, secs: f64, judgement: &Judgement) -> f64 {
    let sign = match opinion {
        Opinion::Noise => -1.0,
        Opinion::Useful => 1.0,
        Opinion::Withdraw => 0.0,
    };
    let share = if own { 1.0 } else { judgement.feedback_kin };
    sign * share * forget::left(secs, judgement.half_life)
}

/// The share that words about the series itself (`own`) and about its kin move, −1 to 1: below 0 it is taken.
pub(crate) fn share(own: f64, kin: f64, judgement: &Judgement) -> f64 {
    let words = own + kin.clamp(-KIN_MOST, KIN_MOST);
    let share = 1.0 - libm::pow(1.0 - judgement.feedback, words.abs());
    share.min(judgement.feedback_most).copysign(words)
}

/// The bits of a start, moved by this share.
pub(crate) fn moved(bits: f64, share: f64, judgement: &Judgement) -> f64 {
    let bits = bits.clamp(0.0, judgement.most);
    bits + share * if share < 0.0 { bits } else { judgement.most - bits }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounded(numbers: impl IntoIterator<Item = f64>) -> Vec<i64> {
        numbers.into_iter().map(|number| (number * 100.0).round() as i64).collect()
    }

    #[test]
    fn each_word_moves_a_share_of_what_is_left_and_all_together_have_a_bound() {
        let judgement = Judgement::default();
        let of = |own: f64| share(own, 0.0, &judgement);
        assert_eq!(rounded([0.0, -1.0, -2.0, -3.0, -100.0].map(of)), [0, -30, -51, -60, -60]);
        assert_eq!(rounded([1.0, 2.0, 100.0].map(of)), [30, 51, 60]);
    }

    #[test]
    fn kin_count_for_less_and_never_for_more_than_one_word() {
        let judgement = Judgement::default();
        let words = |count: u32| f64::from(count) * worth(Opinion::Noise, false, 0.0, &judgement);
        assert_eq!(rounded([1, 2, 100].map(|count| share(0.0, words(count), &judgement))), [-9, -16, -30]);
    }

    #[test]
    fn a_word_fades_with_the_half_life() {
        let judgement = Judgement::default();
        let after = |lives: f64| worth(Opinion::Useful, true, lives * judgement.half_life, &judgement);
        assert_eq!(rounded([0.0, 1.0, 2.0].map(after)), [100, 50, 25]);
    }

    #[test]
    fn noise_never_takes_all_and_useful_never_gives_more_than_the_most() {
        let judgement = Judgement::default();
        for bits in [0.0_f64, 2.0, 10.5, 30.0] {
            let clamped = bits.clamp(0.0, judgement.most);
            let (less, more) = (moved(bits, -0.6, &judgement), moved(bits, 0.6, &judgement));
            assert!(less >= 0.39 * clamped && less <= clamped, "{bits}: {less}");
            assert!(more >= clamped && more <= judgement.most, "{bits}: {more}");
        }
    }
}
