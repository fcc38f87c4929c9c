//! Stable 64-bit identities of series, alerts and components.
//!
//! XXH3 (Collet, 2019) over length-prefixed parts: stable across versions, machines and restarts, because it is
//! written to disk. Deliberately not a cryptographic hash: it names things, it guards nothing.

use std::fmt;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// The identity of a series, an alert or a component. Written as 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fingerprint(pub u64);

impl Fingerprint {
    /// The fingerprint of a sequence of parts. `["ab", "c"]` and `["a", "bc"]` differ.
    #[must_use]
    pub fn of(parts: &[&str]) -> Self {
        /// Longer names are rare: they go through a hash that takes them piece by piece, and gives the same.
        const SHORT: usize = 240;
        let mut short = [0; SHORT];
        let mut end = 0;
        for part in parts {
            let (start, text) = (end + 8, part.as_bytes());
            end = start + text.len();
            if end > SHORT {
                return Self::of_long(parts);
            }
            short[start - 8..start].copy_from_slice(&(text.len() as u64).to_le_bytes());
            short[start..end].copy_from_slice(text);
        }
        Self(xxh3_64(&short[..end]))
    }

    fn of_long(parts: &[&str]) -> Self {
        let mut hash = Xxh3::new();
        for part in parts {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        Self(hash.digest())
    }

    /// Reads the 16 hexadecimal digits that [`fmt::Display`] writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 16).then(|| u64::from_str_radix(text, 16).ok()).flatten().map(Self)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Fingerprint;

    #[test]
    fn short_and_long_names_have_one_form() {
        for length in [0, 1, 7, 16, 100, 223, 224, 225, 300] {
            let name = "x".repeat(length);
            for parts in [vec![name.as_str()], vec!["host", &name], vec![&name, "", "check"]] {
                assert_eq!(Fingerprint::of(&parts), Fingerprint::of_long(&parts), "{length}");
            }
        }
    }
}
