//! The one reader of the clock.
