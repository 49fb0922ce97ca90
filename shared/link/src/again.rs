//! Looking again: a change looks at the components that it touches, and at the e-mails of the records in them; nothing
//! else is gone through.
//!
//! What rests on an e-mail, and every flag, rests on records that may be anywhere. It is left until both sides have been
//! read, and then made for all entries at once.

use std::iter::repeat;

use rustc_hash::{FxHashMap, FxHashSet};
use userlink_domain::{Flags, RecordRef, Situation};

use crate::component::{Component, Kind, Seen, neighbours};
use crate::correlate::unmatched;
use crate::entries::{EntryId, Verdict};
use crate::flags;
use crate::linker::Linker;
use crate::rules::Coverage;
use crate::store::Rec;

/// What a batch of changes has touched and not yet looked at again.
#[derive(Default)]
pub(crate) struct Work {
    /// Their components are looked at.
    pub(crate) records: Vec<Rec>,
    /// Each of them stands alone; where it joins a crowd, it may have to wait.
    newcomers: Vec<Rec>,
    /// Whose components have been looked at.
    seen: Seen,
    /// E-mails by their keys, and whether a user is among what was touched.
    emails: FxHashMap<u32, bool>,
    /// Free rows with an e-mail that were looked at.
    free_rows: Vec<u32>,
    /// Entries that are new.
    entries: FxHashSet<EntryId>,
    /// Records whose entries are as they were, and may be judged otherwise.
    pub(crate) judge: FxHashSet<Rec>,
}

/// What is left over when everything has been judged that its own keys tell of.
#[derive(Default)]
pub(crate) struct Rest {
    /// Records that share keys with several.
    pub(crate) complex: Vec<Rec>,
    pub(crate) free_users: Vec<u32>,
    pub(crate) free_rows: Vec<u32>,
    /// Entries that have no verdict yet, by their first records.
    pub(crate) unjudged: Vec<Rec>,
}

impl Rest {
    pub(crate) fn add(&mut self, other: Self) {
        self.complex.extend(other.complex);
        self.free_users.extend(other.free_users);
        self.free_rows.extend(other.free_rows);
        self.unjudged.extend(other.unjudged);
    }
}

impl Work {
    fn of_user(&mut self, email: Option<u32>) {
        self.emails.extend(email.map(|email| (email, true)));
    }

    fn of_row(&mut self, email: Option<u32>) {
        if let Some(email) = email {
            self.emails.entry(email).or_insert(false);
        }
    }
}

impl Linker {
    fn all_read(&self) -> bool {
        self.coverage == Coverage::ALL
    }

    /// Whether a record is in an entry with others.
    fn has_company(&self, rec: Rec, more_than: usize) -> bool {
        self.entries.of(rec).is_some_and(|entry| self.entries.members(entry).nth(more_than).is_some())
    }

    fn look_at(&self, rec: Rec, work: &mut Work) {
        if self.has_company(rec, 1) { work.records.push(rec) } else { work.newcomers.push(rec) }
    }

    /// Notes all that rests on a user. Called before a change, for what it was, and after, for what it is.
    pub(crate) fn touch_user(&self, slot: u32, work: &mut Work) {
        let Some(user) = self.store.user(slot) else { return };
        self.look_at(Rec::User(slot), work);
        for profile in self.store.profiles_of(slot) {
            let rec = Rec::User(*profile);
            // In a component of three or more it does not matter who was joined.
            if self.entries.is_free(rec) || !self.has_company(rec, 2) {
                self.look_at(rec, work);
            }
            if self.all_read() {
                work.of_user(self.store.user(*profile).and_then(|user| user.verified_email()));
            }
        }
        if self.all_read() {
            work.of_user(user.verified_email());
            if user.is_unconfirmed() {
                work.judge.extend(self.store.written_row(user).map(Rec::Row));
            }
        }
    }

    /// Notes all that rests on a row: whether the claim of an UNCONFIRMED user counts, too, for that user has the row's sub.
    pub(crate) fn touch_row(&self, slot: u32, work: &mut Work) {
        let Some(row) = self.store.row(slot) else { return };
        self.look_at(Rec::Row(slot), work);
        if self.all_read() {
            work.of_row(row.email());
        }
    }

    /// Every record, to be looked at.
    pub(crate) fn all_of_it(&self) -> Work {
        let (users, rows) = self.store.slots();
        let all = (0..users).map(Rec::User).chain((0..rows).map(Rec::Row));
        Work { newcomers: all.filter(|rec| self.store.is_there(*rec)).collect(), ..Work::default() }
    }

    /// Brings the entries up to date, and gives one record of each that is different. `covered` is what had been read before
    /// the changes.
    pub(crate) fn look_again(&mut self, mut work: Work, covered: Coverage) -> Vec<RecordRef> {
        self.entries.resize(self.store.slots());
        if covered != self.coverage {
            work.records.extend(self.waiting.end());
        }
        self.look_at_components(&mut work);
        if self.all_read() {
            self.correlate_all(&mut work);
        }
        work.entries.extend(work.judge.iter().filter_map(|rec| self.entries.of(*rec)));

        let mut changed = Vec::new();
        for entry in work.entries {
            if self.judge(entry) {
                changed.extend(entry.lead().and_then(|rec| self.reference(rec)));
            }
        }
        changed
    }

    /// Makes the entries of all that is left over when everything has just been read, and judges them.
    pub(crate) fn judge_the_rest(&mut self, rest: Rest) {
        let mut work = Work { records: rest.complex, free_rows: rest.free_rows, ..Work::default() };
        work.entries.extend(rest.unjudged.iter().filter_map(|rec| self.entries.of(*rec)));
        work.emails.extend(
            rest.free_users.iter().filter_map(|slot| self.store.user(*slot)?.verified_email()).zip(repeat(false)),
        );
        self.look_at_components(&mut work);
        self.correlate_all(&mut work);
        for entry in work.entries {
            self.judge(entry);
        }
    }

    fn correlate_all(&mut self, work: &mut Work) {
        for (email, of_user) in std::mem::take(&mut work.emails) {
            self.correlate(email, of_user, work);
        }
        for slot in std::mem::take(&mut work.free_rows) {
            self.leave_alone(slot, work);
        }
    }

    /// Judges again, when everything has just been judged, whatever a person has dismissed.
    pub(crate) fn judge_dismissed(&mut self) {
        let records: Vec<Rec> = self.dismissed.keys().filter_map(|of| self.find(of)).collect();
        for entry in records.into_iter().filter_map(|rec| self.entries.of(rec)).collect::<FxHashSet<_>>() {
            self.judge(entry);
        }
    }

    /// Gives an entry its verdict; true if it is another one than before.
    fn judge(&mut self, entry: EntryId) -> bool {
        let verdict = self.verdict(entry);
        self.entries.retally(entry, verdict)
    }

    fn look_at_components(&mut self, work: &mut Work) {
        loop {
            if let Some(rec) = work.records.pop() {
                self.look_at_component(rec, work);
            } else if let Some(rec) = work.newcomers.pop() {
                // A component is gone through as a whole, so that nothing seen is in the component of what was not.
                if !work.seen.contains(&rec) && !self.waits(rec, work) {
                    self.look_at_component(rec, work);
                }
            } else if self.waiting.is_due() {
                work.records.extend(self.waiting.end());
            } else {
                return;
            }
        }
    }

    fn look_at_component(&mut self, rec: Rec, work: &mut Work) {
        if work.seen.contains(&rec) {
            return;
        }
        self.dissolve(rec, &mut work.records);
        if self.store.is_there(rec) {
            let component = Component::around(&self.store, rec, &mut work.seen);
            self.place(component, work);
        }
    }

    /// Lets a record that joins a crowd wait as an entry of its own, and with it all through which it joins, for whoever comes
    /// to these comes to the crowd, too; false if it joins none.
    fn waits(&mut self, rec: Rec, work: &mut Work) -> bool {
        let nothing_to_join = self.entries.crowds() == 0 && self.waiting.is_empty();
        if self.all_read() || nothing_to_join || !self.store.is_there(rec) {
            return false;
        }
        let (mut crowds, mut meets_waiting) = (Vec::new(), false);
        let mut around = vec![rec];
        let mut seen = Seen::from_iter([rec]);
        let mut at = 0;
        while let Some(of) = around.get(at).copied() {
            at += 1;
            neighbours(&self.store, of, |next| match self.entries.of(next) {
                Some(entry) if self.entries.is_crowd(entry) => crowds.push(entry),
                _ if self.waiting.contains(next) => meets_waiting |= next != rec,
                _ if seen.insert(next) => around.push(next),
                _ => {}
            });
        }
        if crowds.is_empty() && !meets_waiting {
            return false;
        }
        for entry in crowds {
            self.waiting.for_crowd(entry, || self.entries.size(entry));
        }
        for of in around {
            self.waiting.add(of);
            if of == rec || self.entries.of(of).is_none() {
                self.set_aside(of, work);
            }
        }
        true
    }

    /// Makes a record that stands alone an entry of which nothing is said yet.
    fn set_aside(&mut self, rec: Rec, work: &mut Work) {
        self.dissolve(rec, &mut Vec::new());
        self.entries.set_free(rec, false);
        let (user, row) = match rec {
            Rec::User(slot) => (Some(slot), None),
            Rec::Row(slot) => (None, Some(slot)),
        };
        let made = self.entries.create(Situation::Reading, user.as_slice(), row.as_slice(), Coverage::ALL);
        work.entries.extend(made);
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
        let all_read = self.all_read();
        for slot in &component.users {
            let rec = Rec::User(*slot);
            self.dissolve(rec, &mut work.records);
            self.entries.set_free(rec, kind == Kind::FreeUser);
            if all_read {
                work.of_user(self.store.user(*slot).and_then(|user| user.verified_email()));
            }
        }
        for slot in &component.rows {
            let rec = Rec::Row(*slot);
            self.dissolve(rec, &mut work.records);
            self.entries.set_free(rec, kind == Kind::FreeRow);
            if all_read {
                work.of_row(self.store.row(*slot).and_then(|row| row.email()));
            }
        }
        let by_email = if all_read { None } else { Some(Situation::Reading) };
        let situation = match kind {
            Kind::Settled(situation) => Some(situation),
            Kind::FreeUser => {
                let user = component.users.first().and_then(|slot| self.store.user(*slot));
                if user.is_some_and(|user| user.verified_email().is_some()) { by_email } else { Some(Situation::NoRow) }
            }
            Kind::FreeRow => {
                let row = component.rows.first().and_then(|slot| self.store.row(*slot));
                match row {
                    Some(row) if row.email().is_some() => by_email,
                    row => row.map(unmatched),
                }
            }
        };
        if let Some(situation) = situation {
            let needs = if situation == Situation::Reading {
                Coverage::ALL
            } else {
                component.needs(&self.store, situation, &self.rules)
            };
            work.entries.extend(self.entries.create(situation, &component.users, &component.rows, needs));
        } else {
            work.free_rows.extend(component.rows);
        }
    }

    /// Makes the entries of the free records that share an e-mail. Where only rows were touched and no user is free, every
    /// row is by itself, as it was.
    fn correlate(&mut self, email: u32, of_user: bool, work: &mut Work) {
        let any_free = self.store.users_with_email(email).any(|slot| self.entries.is_free(Rec::User(slot)));
        if !of_user && !any_free {
            return;
        }
        let parts = self.parts(email, usize::MAX);
        if of_user {
            // Who else has the e-mail decides whether these are contested.
            work.judge.extend(parts.free_rows.iter().chain(&parts.other_rows).map(|slot| Rec::Row(*slot)));
        }
        if !any_free {
            parts.free_rows.into_iter().for_each(|slot| self.leave_alone(slot, work));
            return;
        }
        let free = parts.free_users.iter().map(|slot| Rec::User(*slot));
        for rec in free.chain(parts.free_rows.iter().map(|slot| Rec::Row(*slot))) {
            if let Some(entry) = self.entries.of(rec) {
                // All of its records are free and share this e-mail, so that nothing is left over.
                self.entries.dissolve(entry);
                work.entries.remove(&entry);
            }
        }
        for made in parts.entries(&self.store) {
            work.entries.extend(self.entries.create(made.situation, &made.users, &made.rows, Coverage::ALL));
        }
    }

    /// Makes a free row that no user correlates with an entry of its own. One that has been placed stays where it is.
    fn leave_alone(&mut self, slot: u32, work: &mut Work) {
        if let Some(entry) = self.entries.of(Rec::Row(slot)) {
            if self.entries.get(entry).is_some_and(|it| it.situation != Situation::Reading) {
                return;
            }
            self.entries.dissolve(entry);
            work.entries.remove(&entry);
        }
        let Some(situation) = self.store.row(slot).map(unmatched) else { return };
        work.entries.extend(self.entries.create(situation, &[], &[slot], Coverage::ALL));
    }

    fn verdict(&self, entry: EntryId) -> Option<Verdict> {
        let state = self.entries.get(entry)?;
        let members = || self.entries.members(entry);
        let flags = if self.all_read() { flags::flags(self, entry) } else { Flags::default() };
        let is_protected = |of: RecordRef| self.rules.protected.contains(&of);
        let protected =
            !self.rules.protected.is_empty() && members().filter_map(|rec| self.reference(rec)).any(is_protected);
        let unsettled = !self.unsettled.is_empty() && members().any(|rec| self.unsettled.contains(&rec));
        let may_be_dismissed = self.may_be_dismissed(entry);
        let dismissed = may_be_dismissed && self.all_read() && self.is_dismissed(entry, state.situation, flags);
        let situation = match (protected || dismissed, unsettled) {
            (true, _) => Situation::Ignored,
            // Whether it stays dismissed is told when all that it rests on has been read.
            _ if may_be_dismissed && !self.all_read() => Situation::Reading,
            (_, true) => Situation::Unsettled,
            _ => state.situation,
        };
        Some(Verdict { situation, flags, needs: state.needs })
    }
}
