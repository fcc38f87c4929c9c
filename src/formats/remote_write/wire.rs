//! The wire form of Protocol Buffers, as far as remote write uses it: numbered fields, borrowed from the body.
//!
//! Deliberately no generated messages: a body of ten megabytes may hold five million empty labels, and a struct for each
//! would take fifty times its size. Source: <https://protobuf.dev/programming-guides/encoding/>.

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Held<'a> {
    /// Wire type 0: an integer, as it is written.
    Integer(u64),
    /// Wire type 1: eight bytes, such as a double.
    Double(f64),
    /// Wire type 2: a text, or a message.
    Bytes(&'a [u8]),
    /// Wire type 5: four bytes, which nothing here uses.
    Four,
}

/// The bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// The fields of a message in order: number, and what it holds. After the first that is broken there is none.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) const fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn field(&mut self) -> Option<(u64, Held<'a>)> {
        let key = self.integer()?;
        let held = match key & 7 {
            0 => Held::Integer(self.integer()?),
            1 => Held::Double(f64::from_bits(u64::from_le_bytes(self.take(8)?.try_into().ok()?))),
            2 => {
                let length = usize::try_from(self.integer()?).ok()?;
                Held::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Held::Four)?,
            // Groups, and what was never given out.
            _ => return None,
        };
        Some((key >> 3, held)).filter(|(number, _)| *number > 0)
    }

    /// Seven bits a byte, the lowest first, for ten bytes at most.
    fn integer(&mut self) -> Option<u64> {
        let mut integer = 0;
        for at in 0..10 {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            integer |= u64::from(byte & 0x7f) << (7 * at);
            if byte & 0x80 == 0 {
                return Some(integer);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Held<'a>), Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or(Broken))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_the_specification_writes_them() {
        // Its own examples: 150 in field 1, "testing" in field 2.
        let read = |bytes: &'static [u8]| Fields::of(bytes).collect::<Vec<_>>();
        assert_eq!(read(&[0x08, 0x96, 0x01]), [Ok((1, Held::Integer(150)))]);
        assert_eq!(read(b"\x12\x07testing"), [Ok((2, Held::Bytes(b"testing")))]);
        assert_eq!(read(b"\x09\0\0\0\0\0\0\xf8\x3f\x1d\0\0\0\0"), [Ok((1, Held::Double(1.5))), Ok((3, Held::Four))]);
    }

    #[test]
    fn what_is_broken_is_told_once_and_ends_it() {
        for bytes in [
            &b"\x12\x08testing"[..],                             // longer than the rest
            b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",     // longer than memory
            b"\x08",                                             // nothing behind the key
            b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", // an integer of eleven bytes
            b"\x0b",                                             // a group
            b"\0\0",                                             // no field has the number 0
        ] {
            assert_eq!(Fields::of(bytes).collect::<Vec<_>>(), [Err(Broken)], "{bytes:?}");
        }
    }
}
