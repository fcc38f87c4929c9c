//! The couriers: they perform the requests that sinks compose, and retry.
