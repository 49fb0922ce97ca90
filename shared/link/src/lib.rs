//! Records in, entries out: the verdicts of the linkage, kept up to date while records come, change and go.
//!
//! No I/O, no async, no clock.
#![warn(clippy::wildcard_enum_match_arm)]

mod component;
mod correlate;
mod entries;
mod entry;
mod explain;
mod flags;
mod linker;
mod rules;
mod store;
mod view;

pub use entry::{Because, Entry, Explanation, Related, Repair};
pub use linker::Linker;
pub use rules::{Change, Counts, Coverage, Delta, Rules};
pub use view::Lead;
