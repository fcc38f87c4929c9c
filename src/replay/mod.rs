//! An engine run over recorded events in virtual time: decisions as JSON Lines, and an account for people.
//! Pure.
