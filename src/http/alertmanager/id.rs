//! Identities of silences as Alertmanager's clients know them: UUIDs.
//!
//! Deliberately worked out from Squelch's own names and never stored: the same silence has the same UUID always.

use crate::domain::{Fingerprint, Silence, Timestamp};

/// The UUID of a silence: its own name where that is one.
pub(super) fn of(silence: &Silence) -> String {
    if is_uuid(&silence.id) { silence.id.to_ascii_lowercase() } else { made(&["silence", &silence.id]) }
}

/// A name for a silence that is new at `now`. Others of the same moment differ by what they say.
pub(super) fn new(now: Timestamp, says: &str, try_number: usize) -> String {
    made(&["new silence", &now.to_string(), says, &try_number.to_string()])
}

/// A UUID of the form of version 8 (RFC 9562): 122 bits that only have to differ.
fn made(parts: &[&str]) -> String {
    let high = Fingerprint::of(parts).0;
    let low = Fingerprint::of(&[&["low"], parts].concat()).0;
    let (high, low) = (high & !0xf000 | 0x8000, low & !(0b11 << 62) | 0b10 << 62);
    let (a, b, c) = (high >> 32, high >> 16 & 0xffff, high & 0xffff);
    format!("{a:08x}-{b:04x}-{c:04x}-{:04x}-{:012x}", low >> 48, low & 0xffff_ffff_ffff)
}

/// Whether the text has the form of a UUID.
pub(super) fn is_uuid(text: &str) -> bool {
    let digits = text.chars().enumerate().all(|(at, c)| match at {
        8 | 13 | 18 | 23 => c == '-',
        _ => c.is_ascii_hexdigit(),
    });
    text.len() == 36 && digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_uuids_and_differ() {
        let now = Timestamp::from_millis(1_795_000_000_000);
        let (a, b) = (new(now, "a=b", 1), new(now, "a=b", 2));
        assert!(is_uuid(&a) && is_uuid(&b) && a != b, "{a} {b}");
        assert_eq!(&a[14..15], "8");
        assert!(["8", "9", "a", "b"].contains(&&a[19..20]));
        assert!(!is_uuid("foo") && !is_uuid("2f5a7e36-0ee5-4a6f-9a61-1d2bd6d9c2a") && !is_uuid(&"é".repeat(18)));
    }
}
