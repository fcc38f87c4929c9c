//! What a series remembers of a verdict, and of its numbers: in half the room.
//!
//! Deliberately no other facts than [`Verdict`] and [`Evidence`] have: what goes in comes out again.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::decision::{Evidence, IncidentId, Verdict};
use super::fingerprint::Fingerprint;
use super::reason::Reason;
use super::time::Timestamp;

/// How many numbers [`Evidence`] may have.
const NUMBERS: usize = 14;
/// The bit that says whether there was too little history.
const INSUFFICIENT: u16 = 1 << NUMBERS;

/// [`Evidence`] as rows keep it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Evidence", into = "Evidence")]
pub(crate) struct Numbers {
    /// A bit for each number that is there.
    present: u16,
    /// The numbers as bits, in the order of the fields of [`Evidence`].
    bits: [u32; NUMBERS],
}

impl Numbers {
    /// The evidence itself.
    pub(crate) fn get(&self) -> Evidence {
        Evidence::from(*self)
    }

    /// Changes something of it.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Evidence)) {
        let mut evidence = self.get();
        change(&mut evidence);
        *self = evidence.into();
    }
}

impl From<Evidence> for Numbers {
    fn from(evidence: Evidence) -> Self {
        let number = |number: Option<f32>| number.map(f32::to_bits);
        let all: [Option<u32>; NUMBERS] = [
            number(evidence.surprise),
            number(evidence.rate_bits),
            number(evidence.severity_bits),
            number(evidence.value_bits),
            number(evidence.usual_per_day),
            number(evidence.component_bits),
            number(evidence.threshold),
            number(evidence.lasted),
            number(evidence.usually_lasts),
            evidence.changes,
            number(evidence.window),
            number(evidence.feedback_bits),
            number(evidence.limit_in),
            number(evidence.change_bits),
        ];
        let mut numbers =
            Self { present: if evidence.insufficient_history { INSUFFICIENT } else { 0 }, ..Self::default() };
        for (at, bits) in all.into_iter().enumerate() {
            numbers.present |= u16::from(bits.is_some()) << at;
            numbers.bits[at] = bits.unwrap_or(0);
        }
        numbers
    }
}

impl From<Numbers> for Evidence {
    fn from(numbers: Numbers) -> Self {
        let bits = |at: usize| (numbers.present >> at & 1 == 1).then_some(numbers.bits[at]);
        let number = |at: usize| bits(at).map(f32::from_bits);
        Self {
            surprise: number(0),
            rate_bits: number(1),
            severity_bits: number(2),
            value_bits: number(3),
            usual_per_day: number(4),
            insufficient_history: numbers.present & INSUFFICIENT != 0,
            component_bits: number(5),
            threshold: number(6),
            lasted: number(7),
            usually_lasts: number(8),
            changes: bits(9),
            window: number(10),
            feedback_bits: number(11),
            limit_in: number(12),
            change_bits: number(13),
        }
    }
}

/// A [`Verdict`] without what its series knows itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    seq: u64,
    ts: Timestamp,
    reason: Reason,
    /// The number of the incident; 0 = none.
    incident: u64,
    numbers: Numbers,
}

impl Remembered {
    /// The verdict on an event of the series with this name and identity.
    pub(crate) fn verdict(&self, series: &Arc<str>, fingerprint: Fingerprint) -> Verdict {
        Verdict {
            seq: self.seq,
            ts: self.ts,
            reason: self.reason,
            incident: (self.incident > 0).then_some(IncidentId(self.incident)),
            series: Arc::clone(series),
            fingerprint,
            evidence: self.numbers.get(),
        }
    }
}

impl From<&Verdict> for Remembered {
    fn from(verdict: &Verdict) -> Self {
        Self {
            seq: verdict.seq,
            ts: verdict.ts,
            reason: verdict.reason,
            incident: verdict.incident.map_or(0, |id| id.0),
            numbers: verdict.evidence.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Numbers, Remembered};
    use crate::domain::decision::{Evidence, IncidentId, Verdict};
    use crate::domain::fingerprint::Fingerprint;
    use crate::domain::reason::Reason;
    use crate::domain::time::Timestamp;

    #[test]
    fn what_is_remembered_is_the_verdict_itself() {
        let some = Evidence { surprise: Some(1.5), lasted: Some(0.0), changes: Some(7), ..Evidence::default() };
        let more =
            Evidence { insufficient_history: true, threshold: Some(5.0), window: Some(60.0), ..Evidence::default() };
        for (evidence, incident) in [(some, None), (more, Some(IncidentId(3))), (Evidence::default(), None)] {
            assert_eq!(Numbers::from(evidence).get(), evidence);
            let verdict = Verdict {
                seq: 9,
                ts: Timestamp::from_millis(77),
                reason: Reason::Ordinary,
                incident,
                series: Arc::from("a/b/c"),
                fingerprint: Fingerprint(5),
                evidence,
            };
            assert_eq!(Remembered::from(&verdict).verdict(&verdict.series, verdict.fingerprint), verdict);
        }
    }
}
