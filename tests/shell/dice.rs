//! A seeded generator for moments, sizes and names.

/// Marsaglia's xorshift64: good enough to choose by.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// From 0 up to, not including, `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    /// A name of five syllables, as people give them: numbers and hashes are masked, and would all be one series.
    pub(crate) fn name(&mut self) -> String {
        (0..5)
            .flat_map(|_| [b"bdfgklmnprst"[self.below(12) as usize], b"aeiou"[self.below(5) as usize]])
            .map(char::from)
            .collect()
    }
}
