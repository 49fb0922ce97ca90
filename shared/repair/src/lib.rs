//! Repairs: what would be done, and doing it, one step at a time, with everything written down before and after.
//!
//! A step is only made where both sides, read again just before, are as the step expects. What was written is read back.
//! Nothing here decides for a person: a step comes from a proposal that was shown and confirmed.

mod apply;
mod propose;
mod recover;

pub use apply::{Applied, Repairer, Verdict};
pub use propose::{Fresh, Refusal, fresh};
pub use recover::{Recovered, recover};
