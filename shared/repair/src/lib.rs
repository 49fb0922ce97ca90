//! Repairs: what would be done, and doing it, one step at a time, with everything written down before and after.
//!
//! A step is only made by whoever has claimed its user in the journal, and where both sides, read again just before, are as
//! the step expects. A write is never sent twice without reading in between. What was written is read back, on both sides.
//! Nothing here decides for a person: a step comes from a plan, or a proposal, that was shown and confirmed.

mod apply;
mod candidates;
mod contain;
mod emails;
mod expects;
mod file;
mod guards;
mod on_row;
mod pairs;
mod planner;
mod preview;
mod process;
mod recover;
mod refusal;
mod refused;
mod run;
mod sides;
mod sift;
mod sign_out;
mod trial;
mod tried;
mod undo;

pub use apply::{Applied, LONGEST_STEP, Patience, Repairer, Verdict};
pub use candidates::{Candidate, Recommendation, candidates, recommended};
pub use contain::contain;
pub use file::{After, Kind, Origin, Plan, PlanError, PlannedEntry, PlannedPair, is_final};
pub use guards::{Guard, Here, guards};
pub use pairs::{PairsError, PlannedStep};
pub use planner::{Limits, Maker, Selection, overwrites, plan};
pub use preview::{LIST_PRICE, LIST_PRICE_OF, Preview, in_words};
pub use process::Process;
pub use recover::Recovered;
pub use refusal::Refusal;
pub use refused::Refused;
pub use run::{Confirmation, Confirmed, Ended, NotConfirmed, StepResult, Summary};
pub use sides::RowSide;
pub use sift::{Sifted, sift};
pub use sign_out::{had_another_id, sign_out, with_sign_outs};
pub use trial::{Trial, Turn, attempt};
pub use undo::{NoUndo, foretold, undo};
pub use userlink_domain::{Choice, Mate, Pair};
