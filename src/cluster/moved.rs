//! What a move has written down: where scopes live that were born elsewhere, and from which cluster they came.
//!
//! Pure. It stands in the topic `PREFIX.moved`, which every node reads before it does anything else.

use serde::{Deserialize, Serialize};

use super::place::Seat;

/// From where everything was moved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The name of that cluster.
    pub name: String,
    /// What the names of its topics begin with.
    pub prefix: String,
    /// Up to which offset each partition of its events was moved.
    pub up_to: Vec<i64>,
    /// Whether all of it is here. Until then no node may begin.
    pub finished: bool,
}

/// A record of the topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moved {
    /// The scope of this seat has this name, by which its partition is found.
    Seat(Seat, String),
    /// Where all came from.
    From(Origin),
}

impl Moved {
    const SEAT: &str = "seat/";
    const FROM: &str = "from";

    /// Its key and its value.
    #[must_use]
    pub fn write(&self) -> (String, Vec<u8>) {
        match self {
            Self::Seat(seat, name) => {
                (format!("{}{}/{}", Self::SEAT, seat.partition, seat.scope), name.clone().into_bytes())
            }
            // Texts and numbers are always JSON.
            Self::From(origin) => (Self::FROM.to_owned(), serde_json::to_vec(origin).unwrap_or_default()),
        }
    }

    /// Reads a record.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn read(key: &[u8], value: &[u8]) -> Result<Self, String> {
        let wrong = || format!("nobody of this cluster wrote the record {}", key.escape_ascii());
        let key = std::str::from_utf8(key).map_err(|_| wrong())?;
        if key == Self::FROM {
            return serde_json::from_slice(value).map(Self::From).map_err(|error| format!("record {key}: {error}"));
        }
        let (partition, scope) =
            key.strip_prefix(Self::SEAT).and_then(|seat| seat.split_once('/')).ok_or_else(wrong)?;
        let seat =
            Seat { partition: partition.parse().map_err(|_| wrong())?, scope: scope.parse().map_err(|_| wrong())? };
        Ok(Self::Seat(seat, String::from_utf8(value.to_vec()).map_err(|_| wrong())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_back_and_foreign_ones_are_told() {
        let origin = Origin { name: "a".to_owned(), prefix: "b".to_owned(), up_to: vec![7, 0], finished: true };
        for moved in [Moved::From(origin), Moved::Seat(Seat { partition: 3, scope: 2 }, "prod/pay".to_owned())] {
            let (key, value) = moved.write();
            assert_eq!(Moved::read(key.as_bytes(), &value), Ok(moved));
        }
        for (key, value) in
            [("seat/x/2", &b"a"[..]), ("seat/2", b"a"), ("seats", b"a"), ("from", b"{"), ("seat/1/2", b"\xff")]
        {
            assert!(Moved::read(key.as_bytes(), value).is_err(), "{key}");
        }
    }
}
