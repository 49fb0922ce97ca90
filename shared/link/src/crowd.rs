//! Crowds: entries of so many records that they are not gone through for each newcomer.
//!
//! Ten thousand users with one `user_id` are one entry. They come in pages of sixty, and to look at all of them after
//! each page would take the square of their number. So newcomers wait, as `reading`, until there are half as many of
//! them as there are records in the crowds that they join, or until a side has been read to its end. Nothing that has
//! been said of a crowd can become untrue meanwhile: what could is not said before a side has been read to its end.

use rustc_hash::FxHashSet;

use crate::entries::EntryId;
use crate::store::Rec;

/// An entry with so many records is a crowd.
pub(crate) const CROWD: usize = 32;

/// The records whose entries have not been brought up to date.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    records: FxHashSet<Rec>,
    crowds: FxHashSet<EntryId>,
    /// How many records there were in these crowds.
    crowded: usize,
}

impl Waiting {
    pub(crate) fn contains(&self, rec: Rec) -> bool {
        self.records.contains(&rec)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub(crate) fn add(&mut self, rec: Rec) {
        self.records.insert(rec);
    }

    /// Notes a crowd that somebody waits to join.
    pub(crate) fn for_crowd(&mut self, entry: EntryId, size: impl FnOnce() -> usize) {
        if self.crowds.insert(entry) {
            self.crowded += size();
        }
    }

    /// Whether so many wait that it is time to look at the crowds again.
    pub(crate) fn is_due(&self) -> bool {
        !self.records.is_empty() && self.records.len() * 2 >= self.crowded
    }

    /// All that waited; nobody waits any more.
    pub(crate) fn end(&mut self) -> Vec<Rec> {
        self.crowds.clear();
        self.crowded = 0;
        self.records.drain().collect()
    }
}
