//! What goes into the linker and what comes out of a change.

use std::collections::HashSet;

use crate::dismissed::Evidence;
use userlink_domain::{Flag, Flags, IdKind, PoolUser, RecordRef, Row, RowId, Situation, Sub};

/// What the verdicts depend on besides the records.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The type of the table's key: how a `user_id` is read.
    pub id_kind: IdKind,
    /// Whether the table cannot hold a sub twice. True only for a unique index on a column of type uuid:
    /// in a text column the same sub can stand in upper and in lower case.
    pub sub_unique: bool,
    /// Whether an app client lets its users write the attribute; `None` where that could not be found out.
    pub writable: Option<bool>,
    /// Records whose entries are `ignored`.
    pub protected: HashSet<RecordRef>,
}

impl Rules {
    pub fn new(id_kind: IdKind) -> Self {
        Self { id_kind, sub_unique: false, writable: None, protected: HashSet::new() }
    }
}

/// How far the two sides have been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The pool has been listed to its end.
    pub users: bool,
    /// The table has been read to its end.
    pub rows: bool,
}

impl Coverage {
    pub const ALL: Self = Self { users: true, rows: true };

    /// Whether all that `needed` asks for has been read.
    pub(crate) const fn covers(self, needed: Self) -> bool {
        (self.users || !needed.users) && (self.rows || !needed.rows)
    }

    pub(crate) const fn index(self) -> usize {
        self.users as usize * 2 + self.rows as usize
    }

    pub(crate) const fn of_index(index: u8) -> Self {
        Self { users: index & 2 != 0, rows: index & 1 != 0 }
    }
}

/// Something that the linker is told.
#[derive(Clone, Debug)]
pub enum Change {
    /// A user was read, for the first time or again.
    User(PoolUser),
    /// A row was read, for the first time or again.
    Row(Row),
    /// The pool has no such user any more.
    UserGone(Sub),
    /// The table has no such row any more.
    RowGone(RowId),
    /// How far the two sides have been read by now.
    Covered(Coverage),
    /// Whether an app client lets its users write the attribute; `None` where that could not be found out.
    Writable(Option<bool>),
    /// The record differed between two reads: nothing can be said of its entry until it is read again.
    Unsettled(RecordRef),
    /// A person has dismissed the entry of the record: it is `ignored` as long as its verdict rests on just this. Without
    /// evidence it is taken up again.
    Dismissed(RecordRef, Option<Evidence>),
    /// Whether the user was contained, and no repair has written the `user_id` since: nothing is written there in bulk.
    Contained(Sub, bool),
}

/// What a batch of changes did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    /// One record of every entry that is new or different.
    pub changed: Vec<RecordRef>,
    /// Every entry may read differently: a side came to its end, or the attribute lost its worth.
    pub all: bool,
}

/// How many entries there are, by situation and by flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    pub(crate) situations: [u64; Situation::ALL.len()],
    pub(crate) flags: [u64; Flag::ALL.len()],
}

impl Counts {
    pub(crate) const ZERO: Self = Self { situations: [0; Situation::ALL.len()], flags: [0; Flag::ALL.len()] };

    pub fn of(&self, situation: Situation) -> u64 {
        self.situations[situation as usize]
    }

    pub fn of_flag(&self, flag: Flag) -> u64 {
        self.flags[flag as usize]
    }

    /// Every situation that occurred, with its count.
    pub fn situations(&self) -> impl Iterator<Item = (Situation, u64)> {
        Situation::ALL.into_iter().map(|situation| (situation, self.of(situation))).filter(|(_, count)| *count > 0)
    }

    /// Every flag that occurred, with its count.
    pub fn flags(&self) -> impl Iterator<Item = (Flag, u64)> {
        Flag::ALL.into_iter().map(|flag| (flag, self.of_flag(flag))).filter(|(_, count)| *count > 0)
    }

    pub(crate) fn add(&mut self, situation: Situation, flags: Flags) {
        self.situations[situation as usize] += 1;
        flags.iter().for_each(|flag| self.flags[flag as usize] += 1);
    }

    pub(crate) fn take_off(&mut self, situation: Situation, flags: Flags) {
        self.situations[situation as usize] -= 1;
        flags.iter().for_each(|flag| self.flags[flag as usize] -= 1);
    }

    pub(crate) fn plus(mut self, other: &Self) -> Self {
        self.situations.iter_mut().zip(other.situations).for_each(|(sum, part)| *sum += part);
        self.flags.iter_mut().zip(other.flags).for_each(|(sum, part)| *sum += part);
        self
    }

    /// Says of every entry that rests on the attribute that users can write it.
    pub(crate) fn with_writable(mut self) -> Self {
        let resting = self.situations().filter(|(situation, _)| situation.rests_on_attribute());
        self.flags[Flag::Writable as usize] = resting.map(|(_, count)| count).sum();
        self
    }

    /// How many entries there are.
    pub fn entries(&self) -> u64 {
        self.situations.iter().sum()
    }
}
