//! The linker: keeps entries and their situations up to date while records come, change and go.
//!
//! A change looks again at the components that it touches, and at the e-mails of the records in them; nothing else is
//! gone through.

use std::collections::HashSet;

use userlink_domain::{EmailKey, Flag, PoolUser, RecordRef, Row, Situation, Sub, UserStatus};

use crate::component::{Component, Kind, Marks};
use crate::correlate::{Parts, unmatched};
use crate::entries::{Entries, Verdict};
use crate::entry::Entry;
use crate::flags;
use crate::rules::{Change, Counts, Coverage, Delta, Rules};
use crate::store::{Rec, Store};

/// Records in, entries out.
#[derive(Debug)]
pub struct Linker {
    pub(crate) rules: Rules,
    pub(crate) store: Store,
    pub(crate) entries: Entries,
    pub(crate) coverage: Coverage,
    unsettled: HashSet<Rec>,
    free_users: Vec<bool>,
    free_rows: Vec<bool>,
    marks: Marks,
}

/// What a batch of changes has touched and not yet looked at again.
#[derive(Default)]
struct Work {
    records: Vec<Rec>,
    emails: HashSet<EmailKey>,
    entries: HashSet<u32>,
    rows_to_flag: HashSet<u32>,
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
        }
    }

    /// One run over everything, both sides read to their ends.
    pub fn bulk(users: Vec<PoolUser>, rows: Vec<Row>, rules: Rules) -> Self {
        let mut linker = Self::new(rules);
        linker.coverage = Coverage::ALL;
        let mut work = Work::default();
        for user in users {
            let slot = linker.store.put_user(user);
            work.records.push(Rec::User(slot));
        }
        for row in rows {
            let slot = linker.store.put_row(row);
            work.records.push(Rec::Row(slot));
        }
        linker.look_again(work);
        linker
    }

    /// Takes changes in, and says which entries are different after them. Batches may be of any size and come in any
    /// order.
    pub fn apply(&mut self, changes: &[Change]) -> Delta {
        let mut work = Work::default();
        let mut all = false;
        for change in changes {
            match change {
                Change::User(user) => {
                    if let Some(slot) = self.store.user_slot(user.sub) {
                        self.touch_user(slot, &mut work);
                        self.unsettled.remove(&Rec::User(slot));
                    }
                    let slot = self.store.put_user(user.clone());
                    self.touch_user(slot, &mut work);
                }
                Change::Row(row) => {
                    if let Some(slot) = self.store.row_slot(&row.id) {
                        self.touch_row(slot, &mut work);
                        self.unsettled.remove(&Rec::Row(slot));
                    }
                    let slot = self.store.put_row(row.clone());
                    self.touch_row(slot, &mut work);
                }
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
                Change::Covered(coverage) => {
                    all |= *coverage != self.coverage;
                    self.coverage = *coverage;
                }
                Change::Writable(writable) => {
                    all |= *writable != self.rules.writable;
                    self.rules.writable = *writable;
                }
                Change::Unsettled(of) => {
                    if let Some(rec) = self.find(of) {
                        self.unsettled.insert(rec);
                        work.records.push(rec);
                    }
                }
            }
        }
        Delta { changed: self.look_again(work), all }
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
        let (situation, mut flags, so_far) = if self.coverage.covers(verdict.needs) {
            (verdict.situation, verdict.flags, None)
        } else {
            (Situation::Reading, userlink_domain::Flags::default(), Some(slot.situation))
        };
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

    /// The users and rows that share an e-mail, by the part they play.
    pub(crate) fn parts(&self, email: &EmailKey) -> Parts {
        let mut parts = Parts::default();
        for slot in self.store.users_with_email(email) {
            if self.free_users.get(*slot as usize).copied().unwrap_or_default() {
                parts.free_users.push(*slot);
            } else if self.store.user(*slot).is_some_and(|user| !self.store.is_joined(user)) {
                parts.other_users.push(*slot);
            }
        }
        for slot in self.store.rows_with_email(email) {
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

    /// Notes all that rests on a user. Called before a change, for what it was, and after, for what it is.
    fn touch_user(&self, slot: u32, work: &mut Work) {
        let Some(user) = self.store.user(slot) else { return };
        work.records.push(Rec::User(slot));
        work.records.extend(self.store.federated_of(user).into_iter().map(Rec::User));
        work.emails.extend(user.verified_email());
        if user.status == UserStatus::Unconfirmed {
            let named = self.store.written_id(user).and_then(|id| self.store.row_slot(&id));
            work.rows_to_flag.extend(named);
        }
    }

    /// Notes all that rests on a row.
    fn touch_row(&self, slot: u32, work: &mut Work) {
        let Some(row) = self.store.row(slot) else { return };
        work.records.push(Rec::Row(slot));
        work.emails.extend(row.email_key());
        // Whether the claim of an unconfirmed user counts depends on the row's sub.
        for user in self.store.users_writing(&row.id) {
            if self.store.user(*user).is_some_and(|user| user.status == UserStatus::Unconfirmed) {
                work.records.push(Rec::User(*user));
            }
        }
    }

    fn look_again(&mut self, mut work: Work) -> Vec<RecordRef> {
        let (users, rows) = self.store.slots();
        self.free_users.resize(users, false);
        self.free_rows.resize(rows, false);
        self.marks.start(&self.store);

        while let Some(rec) = work.records.pop() {
            if self.marks.has_seen(rec) {
                continue;
            }
            self.dissolve(rec, &mut work.records);
            match rec {
                Rec::User(slot) if self.store.user(slot).is_none() => continue,
                Rec::Row(slot) if self.store.row(slot).is_none() => continue,
                Rec::User(_) | Rec::Row(_) => {}
            }
            let component = Component::around(&self.store, rec, &mut self.marks);
            if !component.users.is_empty() || !component.rows.is_empty() {
                self.place(component, &mut work);
            }
        }

        for email in std::mem::take(&mut work.emails) {
            self.correlate(&email, &mut work);
        }
        let flagged = work.rows_to_flag.iter().filter_map(|slot| self.entries.of(Rec::Row(*slot)));
        work.entries.extend(flagged);

        let mut changed = Vec::new();
        for entry in work.entries {
            let verdict = self.verdict(entry);
            if self.entries.retally(entry, verdict) {
                let lead = self.entries.get(entry).and_then(|slot| slot.members.lead());
                changed.extend(lead.and_then(|rec| self.reference(rec)));
            }
        }
        changed
    }

    /// Takes apart the entry that a record was in; the records that were in it are to be looked at, too.
    fn dissolve(&mut self, rec: Rec, queue: &mut Vec<Rec>) {
        if let Some(entry) = self.entries.of(rec) {
            queue.extend(self.entries.dissolve(entry));
        }
    }

    /// Makes the entry of a component, or leaves its free record to correlation.
    fn place(&mut self, component: Component, work: &mut Work) {
        let kind = component.kind(&self.store);
        for slot in &component.users {
            self.dissolve(Rec::User(*slot), &mut work.records);
            self.free_users[*slot as usize] = kind == Kind::FreeUser;
            work.emails.extend(self.store.user(*slot).and_then(PoolUser::verified_email));
        }
        for slot in &component.rows {
            self.dissolve(Rec::Row(*slot), &mut work.records);
            self.free_rows[*slot as usize] = kind == Kind::FreeRow;
            work.emails.extend(self.store.row(*slot).and_then(Row::email_key));
        }
        let situation = match kind {
            Kind::Settled(situation) => Some(situation),
            Kind::FreeUser => {
                let user = component.users.first().and_then(|slot| self.store.user(*slot));
                user.filter(|user| user.verified_email().is_none()).map(|_| Situation::NoRow)
            }
            Kind::FreeRow => {
                let row = component.rows.first().and_then(|slot| self.store.row(*slot));
                row.filter(|row| row.email_key().is_none()).map(unmatched)
            }
        };
        if let Some(situation) = situation {
            let needs = component.needs(&self.store, situation, self.rules.sub_unique);
            work.entries.insert(self.entries.create(situation, component.users, component.rows, needs));
        }
    }

    /// Makes the entries of the free records that share an e-mail.
    fn correlate(&mut self, email: &EmailKey, work: &mut Work) {
        let parts = self.parts(email);
        let free = parts.free_users.iter().map(|slot| Rec::User(*slot));
        for rec in free.chain(parts.free_rows.iter().map(|slot| Rec::Row(*slot))) {
            if let Some(entry) = self.entries.of(rec) {
                // All of its records are free and share this e-mail, so that nothing is left over.
                self.entries.dissolve(entry);
                work.entries.remove(&entry);
            }
        }
        for made in parts.entries(&self.store) {
            work.entries.insert(self.entries.create(made.situation, made.users, made.rows, Coverage::ALL));
        }
        work.rows_to_flag.extend(parts.other_rows);
    }

    fn verdict(&self, entry: u32) -> Option<Verdict> {
        let slot = self.entries.get(entry)?;
        let members = &slot.members;
        let flags = flags::flags(self, entry, slot);
        let protected = !self.rules.protected.is_empty()
            && members.all().filter_map(|rec| self.reference(rec)).any(|of| self.rules.protected.contains(&of));
        let unsettled = !self.unsettled.is_empty() && members.all().any(|rec| self.unsettled.contains(&rec));
        // What is laid over the result does not wait for the rest of a side.
        Some(match (protected, unsettled) {
            (true, _) => Verdict { situation: Situation::Ignored, flags, needs: Coverage::default() },
            (_, true) => Verdict { situation: Situation::Unsettled, flags, needs: Coverage::default() },
            _ => Verdict { situation: slot.situation, flags, needs: slot.needs },
        })
    }
}
