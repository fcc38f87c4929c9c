//! The brokers that a test uses: one, or three.

use rdkafka::ClientConfig;

use crate::broker::{Broker, Door};

/// Brokers.
pub(crate) trait Servers {
    /// A client of them, in the clear.
    fn client(&self) -> ClientConfig;
    /// Where they are, in the clear.
    fn addresses(&self) -> Vec<String>;
    /// How many copies a partition can have.
    fn copies(&self) -> usize;
}

impl Servers for Broker {
    fn client(&self) -> ClientConfig {
        Self::client(self)
    }

    fn addresses(&self) -> Vec<String> {
        vec![self.at(Door::Plain)]
    }

    fn copies(&self) -> usize {
        1
    }
}

impl<T: Servers> Servers for std::sync::Arc<T> {
    fn client(&self) -> ClientConfig {
        T::client(self)
    }

    fn addresses(&self) -> Vec<String> {
        T::addresses(self)
    }

    fn copies(&self) -> usize {
        T::copies(self)
    }
}
