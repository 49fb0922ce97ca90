//! Records in, entries out: the verdicts of the linkage, kept up to date while records come, change and go.
//!
//! No I/O, no async, no clock.

mod entry;

pub use entry::{Because, Entry, Explanation, Related, Repair};
