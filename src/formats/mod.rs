//! Tool bytes into events: one file a tool, one line each in the table of formats.
//! Pure: no I/O, no clock.
