//! A message as Kafka hands it over: where it stands, whose it is, what it says.

use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};

use super::message::{self, KIND, POSTED, Said};
use crate::domain::Timestamp;

/// What was read of a message.
pub(super) struct Letter<'a> {
    pub(super) offset: i64,
    /// The name of its scope.
    pub(super) scope: Option<&'a str>,
    /// What it says, or why that cannot be read. `None` = it has no value, and says nothing.
    pub(super) said: Option<Result<Said, String>>,
    /// The length of its value.
    pub(super) bytes: usize,
}

impl<'a> Letter<'a> {
    pub(super) fn of(message: &'a BorrowedMessage<'_>) -> Self {
        let header = |name: &str| {
            let found = message.headers()?.iter().find(|header| header.key == name)?;
            found.value.map(<[u8]>::to_vec)
        };
        let read = |value| {
            let kind = header(KIND).map(|kind| String::from_utf8_lossy(&kind).into_owned());
            let written = message.timestamp().to_millis().map_or(Timestamp::EPOCH, Timestamp::from_millis);
            message::read(kind.as_deref(), value, header(POSTED).as_deref(), written)
        };
        let key = message.key().and_then(|key| std::str::from_utf8(key).ok());
        Self {
            offset: message.offset(),
            scope: key.filter(|key| !key.is_empty()),
            said: message.payload().map(read),
            bytes: message.payload().map_or(0, <[u8]>::len),
        }
    }
}
