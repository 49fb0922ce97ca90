//! Why there is no plan.

use userlink_domain::Situation;

use crate::pairs::PairsError;

/// Why there is no plan. Each says what it saw.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("Both sides have to be read to their ends before anything is planned. Scan again.")]
    Unread,
    #[error(
        "One side is empty: {users} users and {rows} rows. Check that pool and table belong together; --allow-empty-side says \
         that they do."
    )]
    EmptySide { users: u64, rows: u64 },
    #[error(
        "The plan touches {users} users, more than the {limit} that a plan may ({of} users in the pool). Look at a few of them \
         first; --max-users {users} allows it."
    )]
    OverThreshold { users: u64, limit: u64, of: u64 },
    #[error("{0} is {1}: there is no repair for that.")]
    NoRepair(String, Situation),
    #[error("{0} is {1}, and nothing is recommended for it. Say the pairs in the file that --only names.")]
    NeedsChoice(String, Situation),
    #[error(
        "{0} is {1}, and something that is not empty would be overwritten or cleared: beside others that wants the pairs said for it, \
         in the file that --only names. userlink show has the old value; or make a plan of its own for it."
    )]
    Overwrites(String, Situation),
    #[error("{0} is {1}: that is repaired one at a time. Make a plan of its own for it.")]
    OneAtATime(String, Situation),
    #[error("{0} is {1}: it needs a reason.")]
    NeedsReason(String, Situation),
    #[error(
        "{0} is {1}, which rests on an attribute that users can write themselves: it is repaired by itself, after a look. Make a \
         plan of its own for it."
    )]
    Writable(String, Situation),
    #[error("{of}: {why}")]
    Pairs { of: String, why: PairsError },
    #[error(
        "{of}: no row can be inserted, as nothing gives a value to {}. Map the table otherwise, give them defaults, or set \
         insert_function.", columns.join(", ")
    )]
    Unfilled { of: String, columns: Vec<String> },
    #[error(
        "The plan would leave user {user}, whom it does not name, as {after}: somebody who is not named must not come to be tied \
         to a row. Name that user, too."
    )]
    Bystander { user: String, after: Situation },
    #[error("After the plan {name} would not be as it says, but {after}. Nothing is planned; look at the entry again.")]
    Unmet { name: String, after: Situation },
    #[error("{0} stands in two choices.")]
    Twice(String),
    #[error("There is nothing to do.")]
    Nothing,
    /// Of what is safe in bulk nothing is left; the notes say why.
    #[error("There is nothing to do without a look. {0}")]
    HeldBack(String),
}
