//! Records in, entries out: the verdicts of the linkage, kept up to date while records come, change and go.
//!
//! No I/O, no async, no clock.
#![warn(clippy::wildcard_enum_match_arm)]

mod again;
mod anew;
mod case;
mod causes;
mod column;
mod component;
mod correlate;
mod crowd;
mod dismissed;
mod entries;
mod entry;
mod explain;
mod facts;
mod fill;
mod flags;
mod joins;
mod keys;
mod linker;
mod records;
mod rules;
mod since;
mod store;
mod summary;
mod threads;
mod view;
mod whole;
mod why;
mod why_not;

pub use anew::Anew;
pub use causes::{Cause, Circumstances, Common, Incident, Span, Survey, incidents};
pub use dismissed::Evidence;
pub use entry::{Because, Entry, Explanation, Related, Repair};
pub use facts::{Place, TextsAs};
pub use linker::Linker;
pub use records::{InMemory, Records};
pub use rules::{Change, Counts, Coverage, Delta, Rules};
pub use since::{Earlier, Since};
pub use view::{Lead, Seen};
