//! What has become of entries since an earlier moment.

use rustc_hash::FxHashSet;
use userlink_domain::{Flag, Flags, Situation};

use crate::entries::{Entries, EntryId, Verdict};
use crate::entry::Entry;
use crate::linker::Linker;
use crate::rules::Coverage;
use crate::store::Rec;
use crate::view::Lead;

/// The entries as they were at a moment at which both sides had been read: twelve bytes a record.
#[derive(Debug)]
pub struct Earlier {
    entries: Entries,
    /// Whether users could write the attribute.
    writable: bool,
}

/// What happened to an entry since an earlier moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// None of its records was there.
    New,
    /// A record of it was in an entry of this situation: of another one, with other flags, or of other records.
    Changed(Situation),
}

impl Earlier {
    fn verdict(&self, entry: EntryId) -> Option<(Situation, Flags)> {
        let Verdict { situation, mut flags, .. } = self.entries.get(entry)?.verdict?;
        if self.writable && situation.rests_on_attribute() {
            flags.insert(Flag::Writable);
        }
        Some((situation, flags))
    }
}

impl Linker {
    /// The entries as they are now, where both sides have been read.
    pub fn earlier(&self) -> Option<Earlier> {
        let writable = self.rules.writable == Some(true);
        (self.coverage == Coverage::ALL).then(|| Earlier { entries: self.entries.clone(), writable })
    }

    /// What happened to an entry since then; none where nothing did. Who has another row than before is news, though both are
    /// linked; that users can write the attribute by now is news of the pool, and not of each entry.
    pub fn since(&self, earlier: &Earlier, lead: Lead) -> Option<Since> {
        let entry = self.entries.of(lead.rec()?)?;
        let now = self.entries.get(entry)?.verdict?;
        let mut seen = FxHashSet::default();
        let mut known = false;
        for was in self.entries.members(entry).filter_map(|rec| earlier.entries.of(rec)) {
            let before = earlier.entries.get(was).and_then(|state| state.verdict).filter(|_| seen.insert(was));
            let Some(before) = before else { continue };
            known = true;
            let same = (before.situation, before.flags) == (now.situation, now.flags);
            if !same || !earlier.entries.members(was).eq(self.entries.members(entry)) {
                return Some(Since::Changed(before.situation));
            }
        }
        if known { None } else { Some(Since::New) }
    }

    /// The entries of then of which no record is there any more.
    pub fn gone_since<'a>(&'a self, earlier: &'a Earlier) -> impl Iterator<Item = Lead> + 'a {
        let is_gone = |entry: &EntryId| earlier.entries.members(*entry).all(|rec| !self.store.is_there(rec));
        earlier.entries.ids().filter(is_gone).filter_map(|entry| entry.lead().map(Lead::of))
    }

    /// One of these as it was, with its records as they were read last.
    pub fn gone_entry(&self, earlier: &Earlier, lead: Lead) -> Option<Entry> {
        let entry = earlier.entries.of(lead.rec()?)?;
        let (situation, flags) = earlier.verdict(entry)?;
        let (mut users, mut rows) = (Vec::new(), Vec::new());
        for rec in earlier.entries.members(entry) {
            let place = self.store.last_place(rec)?;
            match rec {
                Rec::User(_) => users.extend(self.records.user(place)),
                Rec::Row(_) => rows.extend(self.records.row(place)),
            }
        }
        let (user_count, row_count) = (users.len(), rows.len());
        Some(Entry { situation, so_far: None, flags, users, rows, user_count, row_count })
    }

    /// The entries of some situations, in the order in which their first records were read.
    pub fn leads_of(&self, wanted: impl Fn(Situation) -> bool) -> impl Iterator<Item = Lead> {
        let meant = self.entries.ids().filter(move |entry| self.situation_of(*entry).is_some_and(&wanted));
        meant.filter_map(|entry| entry.lead().map(Lead::of))
    }
}
