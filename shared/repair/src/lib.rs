//! Repairs: what would be done, and doing it, one step at a time, with everything written down before and after.
//!
//! A step is only made by whoever has claimed its user in the journal, and where both sides, read again just before, are as
//! the step expects. A write is never sent twice without reading in between. What was written is read back, on both sides.
//! Nothing here decides for a person: a step comes from a proposal that was shown and confirmed.

mod apply;
mod process;
mod propose;
mod recover;
mod sides;

pub use apply::{Applied, LONGEST_STEP, Patience, Repairer, Verdict};
pub use process::Process;
pub use propose::{Fresh, Refusal, fresh};
pub use recover::Recovered;
pub use sides::RowSide;
