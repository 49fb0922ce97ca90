//! The words of the linkage and nothing else: records, situations, steps.
//!
//! No I/O, no clock, no environment. Every value that comes from outside is kept as it came; what is
//! compared is a parsed or folded copy of it.

mod email;
mod id;
mod names;
mod pair;
mod record;
mod situation;
mod step;
mod time;

pub use email::EmailKey;
pub use id::{IdKind, RowId, Sub};
pub use names::nearest_name;
pub use pair::{Choice, Mate, Pair};
pub use record::{FieldValue, Identity, PoolUser, RecordRef, Row, UserStatus, Username};
pub use situation::{Flag, Flags, Group, Situation};
pub use step::Step;
pub use time::Timestamp;
