//! What the linker says about an entry.

use userlink_domain::{Flags, PoolUser, RecordRef, Row, RowId, Situation, Step, Sub, Username};

/// One entry: the records that belong together, and the verdict on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub situation: Situation,
    /// Where the situation is `reading`: what it would be if nothing more came. Not a verdict.
    pub so_far: Option<Situation>,
    pub flags: Flags,
    /// In the order in which they were read.
    pub users: Vec<PoolUser>,
    /// In the order in which they were read.
    pub rows: Vec<Row>,
    /// How many users the entry has; `users` may hold fewer where the caller asked for a few only.
    pub user_count: usize,
    /// How many rows the entry has.
    pub row_count: usize,
}

impl Entry {
    /// The record by which the entry can be found again: its first user, or its first row.
    pub fn lead(&self) -> Option<RecordRef> {
        let user = self.users.first().map(|user| RecordRef::User(user.sub));
        user.or_else(|| self.rows.first().map(|row| RecordRef::Row(row.id.clone())))
    }
}

/// Why a record of another entry is named beside this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Because {
    /// It has the same verified e-mail, and belongs elsewhere.
    SameEmail,
    /// It is the native user to whom the federated profile was joined.
    NativeUser,
    /// It speaks for another owner: the entry is `contested`.
    Rival,
}

impl Because {
    /// The stable machine name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SameEmail => "same_email",
            Self::NativeUser => "native_user",
            Self::Rival => "rival",
        }
    }
}

/// A record of another entry on which this entry's verdict or flags rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Related {
    User { sub: Sub, username: Username, because: Because },
    Row { id: RowId, because: Because },
}

/// The answer to "why": made on demand, never stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// One sentence about what is the matter.
    pub summary: String,
    /// The predicates that held, with the values they held on.
    pub why: Vec<String>,
    /// For what was passed over: the predicate that failed, and the smallest fact that would change it.
    pub why_not: Vec<String>,
    /// What the person whom this is about sees today.
    pub today: String,
    /// What that person sees once it is repaired; empty where nothing changes.
    pub after: String,
    pub related: Vec<Related>,
    pub repair: Repair,
}

/// What is on offer for an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repair {
    /// In words; "Nothing to repair." where there is nothing.
    pub words: String,
    /// The steps, where they follow without a choice.
    pub steps: Vec<Step>,
    /// Whether it may be done in bulk without a look at each entry.
    pub safe: bool,
}
