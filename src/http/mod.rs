//! The HTTP side: events in, incidents and reasons out, operations.
