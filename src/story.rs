//! The seed's story as a seeded stream of events, so that README, tests and demonstrations need nothing from outside.
