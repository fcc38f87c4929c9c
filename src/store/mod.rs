//! The engine's durable copy on one machine: a journal of chunks in sled, and rolling snapshots.
