//! Who owns which shard, as the owners say themselves: a small compacted topic with a record a partition.
//!
//! The owner writes it when it has taken over and every few seconds from then on, so that what a fenced one may have
//! written late does not stay. Every node reads the ends of the topic. Deliberately not believed: who is asked and does
//! not own the shard says so.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Message as _;
use rdkafka::{Offset, TopicPartitionList};
use tracing::warn;

use super::Options;
use super::moved::Moved;
use super::topics::Topics;
use crate::broker::{self, Watcher};

/// How often an owner says that it is one.
pub(super) const SAYS: Duration = Duration::from_secs(10);
/// How long the reader waits for news.
const WAIT: Duration = Duration::from_millis(200);
/// So soon it begins anew when it could not read.
const AGAIN: Duration = Duration::from_secs(5);
/// So many records of the end of a partition are read at first.
const LAST: i64 = 3;
/// A longer address is none.
const LONGEST: usize = 300;

/// The addresses of the owners. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Owners(Arc<Mutex<BTreeMap<i32, String>>>);

impl Owners {
    fn all(&self) -> MutexGuard<'_, BTreeMap<i32, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The address of the owner of a shard; `None` = none has told it yet.
    pub(super) fn of(&self, shard: i32) -> Option<String> {
        self.all().get(&shard).cloned()
    }

    fn hear(&self, shard: i32, address: &[u8]) {
        let Ok(address) = std::str::from_utf8(address) else { return };
        if address.len() <= LONGEST && (address.starts_with("http://") || address.starts_with("https://")) {
            self.all().insert(shard, address.to_owned());
        }
    }
}

/// Under which address other nodes reach this one.
#[derive(Clone, Debug)]
pub struct Advertised {
    /// As the settings say, `HOST:PORT`.
    pub given: Option<String>,
    /// Where it listens.
    pub bound: SocketAddr,
    /// Whether it does so by TLS.
    pub tls: bool,
}

impl Advertised {
    /// The address; where it listens everywhere, that of the interface by which the brokers are reached. `None` = they
    /// cannot be looked up now.
    pub(super) fn address(&self, brokers: &[String]) -> Option<String> {
        let scheme = if self.tls { "https" } else { "http" };
        let place = match &self.given {
            Some(given) => given.clone(),
            None if !self.bound.ip().is_unspecified() => self.bound.to_string(),
            None => {
                let ip = brokers.iter().find_map(|broker| own_ip(broker))?;
                SocketAddr::new(ip, self.bound.port()).to_string()
            }
        };
        Some(format!("{scheme}://{place}"))
    }
}

/// The address from which packets to this place would go. None is sent.
fn own_ip(to: &str) -> Option<IpAddr> {
    ["0.0.0.0:0", "[::]:0"].iter().find_map(|any| {
        let socket = UdpSocket::bind(any).ok()?;
        socket.connect(to).ok()?;
        Some(socket.local_addr().ok()?.ip())
    })
}

/// Reads until the node stops.
pub(super) fn run(options: &Options) {
    while !options.stops() {
        if let Err(why) = read(options) {
            warn!(why, "who owns which shard cannot be read");
        }
        options.rest(AGAIN);
    }
}

fn read(options: &Options) -> Result<(), String> {
    let settings = &options.settings;
    let Topics { owners: topic, moved, .. } = Topics::of(settings);
    let config = broker::reading(&settings.connection, &settings.name).map_err(|error| error.to_string())?;
    let watcher = Watcher::default();
    let reader: BaseConsumer<Watcher> = config.create_with_context(watcher).map_err(|error| error.to_string())?;
    let mut list = TopicPartitionList::new();
    for partition in 0..i32::from(settings.partitions) {
        list.add_partition_offset(&topic, partition, Offset::OffsetTail(LAST)).map_err(|error| error.to_string())?;
        list.add_partition_offset(&moved, partition, Offset::Beginning).map_err(|error| error.to_string())?;
    }
    reader.assign(&list).map_err(|error| error.to_string())?;
    while !options.stops() {
        match reader.poll(WAIT) {
            // A node that was started early hears here of what is moved later.
            Some(Ok(message)) if message.topic() == moved => {
                let record = Moved::read(message.key().unwrap_or_default(), message.payload().unwrap_or_default());
                record.iter().for_each(|record| options.board.homes.hear(record, settings.partitions));
            }
            Some(Ok(message)) => {
                if let Some(address) = message.payload() {
                    options.board.owners.hear(message.partition(), address);
                }
            }
            // The client goes on by itself; what the brokers say of it is told elsewhere.
            Some(Err(_)) => options.rest(WAIT),
            None => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_what_the_settings_say_or_where_it_listens() {
        let told = |given: Option<&str>, bound: &str, tls| {
            let given = given.map(str::to_owned);
            Advertised { given, bound: bound.parse().unwrap(), tls }.address(&["127.0.0.1:9092".to_owned()])
        };
        assert_eq!(told(Some("worker-1:9393"), "0.0.0.0:9393", true).unwrap(), "https://worker-1:9393");
        assert_eq!(told(None, "10.0.0.7:9393", false).unwrap(), "http://10.0.0.7:9393");
        assert_eq!(told(None, "[::1]:9393", false).unwrap(), "http://[::1]:9393");
        assert_eq!(told(None, "0.0.0.0:9393", false).unwrap(), "http://127.0.0.1:9393");
    }

    #[test]
    fn what_is_no_address_is_not_heard() {
        let owners = Owners::default();
        owners.hear(3, b"http://a:1");
        owners.hear(3, b"ftp://a:1");
        owners.hear(3, &[0xff]);
        owners.hear(3, format!("http://{}", "a".repeat(400)).as_bytes());
        assert_eq!((owners.of(3), owners.of(4)), (Some("http://a:1".to_owned()), None));
    }
}
