//! The linker: what it is told, and what it is asked.

use std::collections::HashSet;

use userlink_domain::{EmailKey, Flag, Flags, PoolUser, RecordRef, Row, Situation, Sub};

use crate::again::Work;
use crate::component::Marks;
use crate::correlate::Parts;
use crate::crowd::Waiting;
use crate::entries::{Entries, Slot};
use crate::entry::Entry;
use crate::rules::{Change, Counts, Coverage, Delta, Rules};
use crate::store::{Rec, Store};

/// More records of one e-mail than these are not gone through for a guess.
const GUESS_AT_MOST: usize = 1_000;

/// Records in, entries out.
#[derive(Debug)]
pub struct Linker {
    pub(crate) rules: Rules,
    pub(crate) store: Store,
    pub(crate) entries: Entries,
    pub(crate) coverage: Coverage,
    pub(crate) unsettled: HashSet<Rec>,
    pub(crate) free_users: Vec<bool>,
    pub(crate) free_rows: Vec<bool>,
    pub(crate) marks: Marks,
    pub(crate) waiting: Waiting,
}

impl Linker {
    pub fn new(rules: Rules) -> Self {
        Self {
            store: Store::new(rules.id_kind),
            rules,
            entries: Entries::new(),
            coverage: Coverage::default(),
            unsettled: HashSet::new(),
            free_users: Vec::new(),
            free_rows: Vec::new(),
            marks: Marks::default(),
            waiting: Waiting::default(),
        }
    }

    /// One run over everything, both sides read to their ends.
    pub fn bulk(users: Vec<PoolUser>, rows: Vec<Row>, rules: Rules) -> Self {
        let mut linker = Self::new(rules);
        linker.coverage = Coverage::ALL;
        let mut work = Work::default();
        for user in users {
            work.records.push(Rec::User(linker.store.put_user(user)));
        }
        for row in rows {
            work.records.push(Rec::Row(linker.store.put_row(row)));
        }
        linker.look_again(work, Coverage::ALL);
        linker
    }

    /// Takes changes in, and says which entries are different after them. Batches may be of any size and come in any
    /// order.
    pub fn apply(&mut self, changes: &[Change]) -> Delta {
        let (covered, writable) = (self.coverage, self.rules.writable);
        // What the batch touches depends on how far both sides have been read when it is over.
        let now = changes.iter().rev().find_map(|change| match change {
            Change::Covered(coverage) => Some(*coverage),
            Change::User(_)
            | Change::Row(_)
            | Change::UserGone(_)
            | Change::RowGone(_)
            | Change::Writable(_)
            | Change::Unsettled(_) => None,
        });
        self.coverage = now.unwrap_or(covered);
        let mut work = Work::default();
        for change in changes {
            match change {
                Change::User(user) => self.take_user(user, &mut work),
                Change::Row(row) => self.take_row(row, &mut work),
                Change::UserGone(sub) => {
                    if let Some(slot) = self.store.user_slot(*sub) {
                        self.touch_user(slot, &mut work);
                        self.unsettled.remove(&Rec::User(slot));
                        self.store.remove_user(slot);
                    }
                }
                Change::RowGone(id) => {
                    if let Some(slot) = self.store.row_slot(id) {
                        self.touch_row(slot, &mut work);
                        self.unsettled.remove(&Rec::Row(slot));
                        self.store.remove_row(slot);
                    }
                }
                Change::Covered(_) => {}
                Change::Writable(writable) => self.rules.writable = *writable,
                Change::Unsettled(of) => {
                    if let Some(rec) = self.find(of) {
                        self.unsettled.insert(rec);
                        work.judge.insert(rec);
                    }
                }
            }
        }
        let all = covered != self.coverage || writable != self.rules.writable;
        Delta { changed: self.look_again(work, covered), all }
    }

    fn take_user(&mut self, user: &PoolUser, work: &mut Work) {
        if let Some(slot) = self.store.user_slot(user.sub) {
            if self.unsettled.remove(&Rec::User(slot)) {
                work.judge.insert(Rec::User(slot));
            }
            // A listing that began anew reads most users as they were.
            if self.store.user(slot) == Some(user) {
                return;
            }
            self.touch_user(slot, work);
        }
        let slot = self.store.put_user(user.clone());
        self.touch_user(slot, work);
    }

    fn take_row(&mut self, row: &Row, work: &mut Work) {
        if let Some(slot) = self.store.row_slot(&row.id) {
            if self.unsettled.remove(&Rec::Row(slot)) {
                work.judge.insert(Rec::Row(slot));
            }
            if self.store.row(slot) == Some(row) {
                return;
            }
            self.touch_row(slot, work);
        }
        let slot = self.store.put_row(row.clone());
        self.touch_row(slot, work);
    }

    /// How many entries there are, by situation and by flag, at what has been read so far.
    pub fn counts(&self) -> Counts {
        let counts = self.entries.counts(self.coverage);
        if self.rules.writable == Some(true) { counts.with_writable() } else { counts }
    }

    /// How far both sides have been read.
    pub fn coverage(&self) -> Coverage {
        self.coverage
    }

    /// How many records there are: (users, rows).
    pub fn len(&self) -> (usize, usize) {
        self.store.len()
    }

    /// Whether there is no record at all.
    pub fn is_empty(&self) -> bool {
        self.len() == (0, 0)
    }

    /// What would bring a record that a change is about back to what it is now.
    pub fn held(&self, change: &Change) -> Option<Change> {
        match change {
            Change::User(PoolUser { sub, .. }) | Change::UserGone(sub) => {
                let held = self.store.user_slot(*sub).and_then(|slot| self.store.user(slot)).cloned();
                Some(held.map_or(Change::UserGone(*sub), Change::User))
            }
            Change::Row(Row { id, .. }) | Change::RowGone(id) => {
                let held = self.store.row_slot(id).and_then(|slot| self.store.row(slot)).cloned();
                Some(held.map_or(Change::RowGone(id.clone()), Change::Row))
            }
            Change::Covered(_) | Change::Writable(_) | Change::Unsettled(_) => None,
        }
    }

    /// The subs of all users.
    pub fn subs(&self) -> impl Iterator<Item = Sub> {
        self.store.subs()
    }

    /// What the linker was told to judge by.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The entry that a record is in.
    pub fn entry(&self, of: &RecordRef) -> Option<Entry> {
        self.entry_at(self.entries.of(self.find(of)?)?, usize::MAX)
    }

    /// An entry with at most so many records of each kind.
    pub(crate) fn entry_at(&self, entry: u32, at_most: usize) -> Option<Entry> {
        let slot = self.entries.get(entry)?;
        let verdict = slot.verdict?;
        let (situation, so_far) = if self.coverage.covers(verdict.needs) {
            (verdict.situation, None)
        } else {
            (Situation::Reading, self.guess(slot, verdict.situation))
        };
        // A flag rests on records anywhere: none is shown until all have been read.
        let mut flags = if self.coverage == Coverage::ALL { verdict.flags } else { Flags::default() };
        if self.rules.writable == Some(true) && situation.rests_on_attribute() {
            flags.insert(Flag::Writable);
        }
        let (users, rows) = (slot.members.users(), slot.members.rows());
        Some(Entry {
            situation,
            so_far,
            flags,
            users: users.iter().take(at_most).filter_map(|slot| self.store.user(*slot)).cloned().collect(),
            rows: rows.iter().take(at_most).filter_map(|slot| self.store.row(*slot)).cloned().collect(),
            user_count: users.len(),
            row_count: rows.len(),
        })
    }

    /// What an entry that is being read would be if nothing more came; none where nobody can tell.
    fn guess(&self, slot: &Slot, verdict: Situation) -> Option<Situation> {
        if verdict != Situation::Reading {
            return Some(verdict);
        }
        let lead = slot.members.lead()?;
        let email = match lead {
            Rec::User(user) if self.free_users[user as usize] => self.store.user(user)?.verified_email(),
            Rec::Row(row) if self.free_rows[row as usize] => self.store.row(row)?.email_key(),
            Rec::User(_) | Rec::Row(_) => None,
        }?;
        if self.store.users_with_email(&email).len() + self.store.rows_with_email(&email).len() > GUESS_AT_MOST {
            return None;
        }
        let holds = |slots: (&[u32], &[u32])| match lead {
            Rec::User(user) => slots.0.contains(&user),
            Rec::Row(row) => slots.1.contains(&row),
        };
        let made = self.parts(&email, usize::MAX).entries(&self.store);
        made.into_iter().find(|made| holds((&made.users, &made.rows))).map(|made| made.situation)
    }

    pub(crate) fn find(&self, of: &RecordRef) -> Option<Rec> {
        match of {
            RecordRef::User(sub) => self.store.user_slot(*sub).map(Rec::User),
            RecordRef::Row(id) => self.store.row_slot(id).map(Rec::Row),
        }
    }

    pub(crate) fn reference(&self, rec: Rec) -> Option<RecordRef> {
        match rec {
            Rec::User(slot) => self.store.user(slot).map(|user| RecordRef::User(user.sub)),
            Rec::Row(slot) => self.store.row(slot).map(|row| RecordRef::Row(row.id.clone())),
        }
    }

    /// The users and rows that share an e-mail, by the part they play; of each kind the first so many are looked at.
    pub(crate) fn parts(&self, email: &EmailKey, at_most: usize) -> Parts {
        let mut parts = Parts::default();
        for slot in self.store.users_with_email(email).iter().take(at_most) {
            if self.free_users.get(*slot as usize).copied().unwrap_or_default() {
                parts.free_users.push(*slot);
            } else if self.store.user(*slot).is_some_and(|user| !self.store.is_joined(user)) {
                parts.other_users.push(*slot);
            }
        }
        for slot in self.store.rows_with_email(email).iter().take(at_most) {
            if self.free_rows.get(*slot as usize).copied().unwrap_or_default() {
                parts.free_rows.push(*slot);
            } else {
                parts.other_rows.push(*slot);
            }
        }
        for list in [&mut parts.free_users, &mut parts.free_rows, &mut parts.other_users, &mut parts.other_rows] {
            list.sort_unstable();
        }
        parts
    }
}
