//! The keys of the compacted topics: whose record it is, and which.
//!
//! Pure. A scope's name never holds a zero byte, so it ends there; what begins with one is the shard's own.

/// Whose record it is, and its key there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// The shard's: by a name of its own.
    Shard(String),
    /// A scope's: the scope's name, and the key as the engine has it.
    Scope(String, Vec<u8>),
}

impl Key {
    /// How far the partition of events was read.
    pub const OFFSET: &str = "offset";
    /// The rules in force.
    pub const RULES: &str = "rules";
    /// The first number that the partition gives to a scope of its own; those below belong to scopes that were there
    /// before a move.
    pub const SEATS: &str = "seats";
    /// What the names of silences begin with.
    pub const SILENCE: &str = "silence/";
    /// The first byte of the record that says which scope this is; no engine has one that begins so.
    pub const HEAD: u8 = 0xfd;

    /// The bytes.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        match self {
            Self::Shard(name) => [&[0], name.as_bytes()].concat(),
            Self::Scope(scope, key) => [scope.as_bytes(), &[0], key].concat(),
        }
    }

    /// Reads the bytes; `None` = nobody of us wrote them.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == 0)?;
        let (scope, key) = (std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]);
        if scope.is_empty() {
            return Some(Self::Shard(std::str::from_utf8(key).ok()?.to_owned()));
        }
        (!key.is_empty()).then(|| Self::Scope(scope.to_owned(), key.to_vec()))
    }
}

/// In which topic a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shelf {
    /// With the state.
    State,
    /// With what is owed to receivers.
    Outbox,
}

/// A record for a compacted topic; without a value it removes what stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// In which topic.
    pub shelf: Shelf,
    /// Its key.
    pub key: Vec<u8>,
    /// Its new value; `None` = it is removed.
    pub value: Option<Vec<u8>>,
}

impl Row {
    /// How far the partition of events was read.
    #[must_use]
    pub fn offset(next: i64) -> Self {
        Self { shelf: Shelf::State, key: Self::offset_key(), value: Some(next.to_string().into_bytes()) }
    }

    /// The key of [`Row::offset`].
    #[must_use]
    pub fn offset_key() -> Vec<u8> {
        Key::Shard(Key::OFFSET.to_owned()).write()
    }

    /// Adds what the partition was called by its first owner, by which copies of it are known.
    pub fn brand(&mut self, brand: &str) {
        if let Some(value) = &mut self.value {
            value.push(b' ');
            value.extend_from_slice(brand.as_bytes());
        }
    }

    /// The offset and the brand of the value of such a row.
    #[must_use]
    pub fn read_offset(value: &[u8]) -> Option<(i64, Option<&str>)> {
        let text = std::str::from_utf8(value).ok()?;
        let (next, brand) = text.split_once(' ').map_or((text, None), |(next, brand)| (next, Some(brand)));
        Some((next.parse().ok()?, brand))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_back_and_foreign_ones_are_none() {
        for key in [
            Key::Shard(Key::OFFSET.to_owned()),
            Key::Scope("prod/pay".to_owned(), vec![b's', 0, 1, 0]),
            Key::Scope("x".to_owned(), vec![Key::HEAD]),
        ] {
            assert_eq!(Key::read(&key.write()), Some(key));
        }
        for foreign in [&b""[..], b"no end", b"x\0", b"\xff\0s"] {
            assert_eq!(Key::read(foreign), None);
        }
    }
}
