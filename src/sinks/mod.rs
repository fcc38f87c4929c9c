//! Notifications into requests of other tools: one file a kind of receiver.
//! Pure: no network, no clock.
