//! Looking again: a change looks at the components that it touches, and at the e-mails of the records in them; nothing
//! else is gone through.
//!
//! What rests on an e-mail, and every flag, rests on records that may be anywhere. It is left until both sides have been
//! read, and then made for all entries at once.

use std::collections::{HashMap, HashSet};

use userlink_domain::{EmailKey, Flags, PoolUser, RecordRef, Row, Situation, UserStatus};

use crate::component::{Component, Kind, neighbours};
use crate::correlate::unmatched;
use crate::crowd::CROWD;
use crate::entries::Verdict;
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
    /// E-mails, and whether a user is among what was touched.
    emails: HashMap<EmailKey, bool>,
    /// Free rows with an e-mail that were looked at.
    free_rows: Vec<u32>,
    /// Entries that are new.
    entries: HashSet<u32>,
    /// Records whose entries are as they were, and may be judged otherwise.
    pub(crate) judge: HashSet<Rec>,
}

impl Work {
    fn of_user(&mut self, email: Option<EmailKey>) {
        self.emails.extend(email.map(|email| (email, true)));
    }

    fn of_row(&mut self, email: Option<EmailKey>) {
        if let Some(email) = email {
            self.emails.entry(email).or_insert(false);
        }
    }
}

impl Linker {
    fn all_read(&self) -> bool {
        self.coverage == Coverage::ALL
    }

    /// How many records the entry of a record has; none where it is in no entry.
    fn size_around(&self, rec: Rec) -> usize {
        self.entries.of(rec).map_or(0, |entry| self.entries.size(entry))
    }

    fn look_at(&self, rec: Rec, work: &mut Work) {
        if self.size_around(rec) > 1 { work.records.push(rec) } else { work.newcomers.push(rec) }
    }

    /// Notes all that rests on a user. Called before a change, for what it was, and after, for what it is.
    pub(crate) fn touch_user(&self, slot: u32, work: &mut Work) {
        let Some(user) = self.store.user(slot) else { return };
        self.look_at(Rec::User(slot), work);
        for profile in self.store.federated_of(user) {
            // In a component of three or more it does not matter who was joined.
            if self.free_users.get(profile as usize) == Some(&true) || self.size_around(Rec::User(profile)) <= 2 {
                self.look_at(Rec::User(profile), work);
            }
            if self.all_read() {
                work.of_user(self.store.user(profile).and_then(PoolUser::verified_email));
            }
        }
        if self.all_read() {
            work.of_user(user.verified_email());
            if user.status == UserStatus::Unconfirmed {
                let named = self.store.written_id(user).and_then(|id| self.store.row_slot(&id));
                work.judge.extend(named.map(Rec::Row));
            }
        }
    }

    /// Notes all that rests on a row: whether the claim of an UNCONFIRMED user counts, too, for that user has the row's sub.
    pub(crate) fn touch_row(&self, slot: u32, work: &mut Work) {
        let Some(row) = self.store.row(slot) else { return };
        self.look_at(Rec::Row(slot), work);
        if self.all_read() {
            work.of_row(row.email_key());
        }
    }

    /// Brings the entries up to date, and gives one record of each that is different. `covered` is what had been read before
    /// the changes.
    pub(crate) fn look_again(&mut self, mut work: Work, covered: Coverage) -> Vec<RecordRef> {
        let (users, rows) = self.store.slots();
        self.free_users.resize(users, false);
        self.free_rows.resize(rows, false);
        self.marks.start(&self.store);
        if covered != self.coverage {
            work.records.extend(self.waiting.end());
        }
        self.look_at_components(&mut work);

        let just_read = self.all_read() && covered != Coverage::ALL;
        if just_read {
            self.free_emails(&mut work);
        }
        if self.all_read() {
            for (email, of_user) in std::mem::take(&mut work.emails) {
                self.correlate(&email, of_user, &mut work);
            }
            for slot in std::mem::take(&mut work.free_rows) {
                self.leave_alone(slot, &mut work);
            }
        }
        if just_read {
            work.entries.extend(self.entries.ids());
        }
        work.entries.extend(work.judge.iter().filter_map(|rec| self.entries.of(*rec)));

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

    fn look_at_components(&mut self, work: &mut Work) {
        loop {
            if let Some(rec) = work.records.pop() {
                self.look_at_component(rec, work);
            } else if let Some(rec) = work.newcomers.pop() {
                // A component is gone through as a whole, so that nothing seen is in the component of what was not.
                if !self.marks.has_seen(rec) && !self.waits(rec, work) {
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
        if self.marks.has_seen(rec) {
            return;
        }
        self.dissolve(rec, &mut work.records);
        if self.is_there(rec) {
            let component = Component::around(&self.store, rec, &mut self.marks);
            self.place(component, work);
        }
    }

    fn is_there(&self, rec: Rec) -> bool {
        match rec {
            Rec::User(slot) => self.store.user(slot).is_some(),
            Rec::Row(slot) => self.store.row(slot).is_some(),
        }
    }

    /// Lets a record that joins a crowd wait as an entry of its own, and with it all through which it joins, for whoever comes
    /// to these comes to the crowd, too; false if it joins none.
    fn waits(&mut self, rec: Rec, work: &mut Work) -> bool {
        let nothing_to_join = self.entries.crowds() == 0 && self.waiting.is_empty();
        if self.all_read() || nothing_to_join || !self.is_there(rec) {
            return false;
        }
        let (mut crowds, mut meets_waiting) = (Vec::new(), false);
        let mut around = vec![rec];
        let mut seen = HashSet::from([rec]);
        let mut at = 0;
        while let Some(of) = around.get(at).copied() {
            at += 1;
            neighbours(&self.store, of, |next| match self.entries.of(next) {
                Some(entry) if self.entries.size(entry) >= CROWD => crowds.push(entry),
                _ if self.waiting.contains(next) => meets_waiting |= next != rec,
                _ if seen.insert(next) => around.push(next),
                _ => {}
            });
        }
        if crowds.is_empty() && !meets_waiting {
            return false;
        }
        for entry in crowds {
            self.waiting.for_crowd(entry, self.entries.size(entry));
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
        let (users, rows) = match rec {
            Rec::User(slot) => {
                self.free_users[slot as usize] = false;
                (vec![slot], vec![])
            }
            Rec::Row(slot) => {
                self.free_rows[slot as usize] = false;
                (vec![], vec![slot])
            }
        };
        work.entries.insert(self.entries.create(Situation::Reading, users, rows, Coverage::ALL));
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
            self.dissolve(Rec::User(*slot), &mut work.records);
            self.free_users[*slot as usize] = kind == Kind::FreeUser;
            if all_read {
                work.of_user(self.store.user(*slot).and_then(PoolUser::verified_email));
            }
        }
        for slot in &component.rows {
            self.dissolve(Rec::Row(*slot), &mut work.records);
            self.free_rows[*slot as usize] = kind == Kind::FreeRow;
            if all_read {
                work.of_row(self.store.row(*slot).and_then(Row::email_key));
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
                    Some(row) if row.email_key().is_some() => by_email,
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
            work.entries.insert(self.entries.create(situation, component.users, component.rows, needs));
        } else {
            work.free_rows.extend(component.rows);
        }
    }

    /// Notes the e-mails of all free records.
    fn free_emails(&self, work: &mut Work) {
        let free = |flags: &[bool]| -> Vec<u32> {
            (0..).zip(flags).filter(|(_, free)| **free).map(|(slot, _)| slot).collect()
        };
        for slot in free(&self.free_users) {
            work.of_user(self.store.user(slot).and_then(PoolUser::verified_email));
        }
        for slot in free(&self.free_rows) {
            work.of_row(self.store.row(slot).and_then(Row::email_key));
            work.free_rows.push(slot);
        }
    }

    /// Makes the entries of the free records that share an e-mail. Where only rows were touched and no user is free, every
    /// row is by itself, as it was.
    fn correlate(&mut self, email: &EmailKey, of_user: bool, work: &mut Work) {
        let is_free = |slot: &u32| self.free_users.get(*slot as usize) == Some(&true);
        let any_free = self.store.users_with_email(email).iter().any(is_free);
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
            work.entries.insert(self.entries.create(made.situation, made.users, made.rows, Coverage::ALL));
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
        work.entries.insert(self.entries.create(situation, vec![], vec![slot], Coverage::ALL));
    }

    fn verdict(&self, entry: u32) -> Option<Verdict> {
        let slot = self.entries.get(entry)?;
        let members = &slot.members;
        let flags = if self.all_read() { flags::flags(self, entry, slot) } else { Flags::default() };
        let is_protected = |of: RecordRef| self.rules.protected.contains(&of);
        let protected =
            !self.rules.protected.is_empty() && members.all().filter_map(|rec| self.reference(rec)).any(is_protected);
        let unsettled = !self.unsettled.is_empty() && members.all().any(|rec| self.unsettled.contains(&rec));
        let situation = match (protected, unsettled) {
            (true, _) => Situation::Ignored,
            (_, true) => Situation::Unsettled,
            _ => slot.situation,
        };
        Some(Verdict { situation, flags, needs: slot.needs })
    }
}
