//! What a repair makes: for each user that it touches a row, or none.

use crate::{RecordRef, RowId, Sub};

/// What a user is tied to in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mate {
    Row(RowId),
    /// A row that is inserted.
    New,
    None,
}

/// A user and its mate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    pub user: Sub,
    pub mate: Mate,
}

/// What a person chose for an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// A record of the entry.
    pub of: RecordRef,
    /// Without any, what is recommended is taken.
    pub pairs: Vec<Pair>,
    pub reason: Option<String>,
}
