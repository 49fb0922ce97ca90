//! Records that are taken in all at once: that is quicker, where nobody has to be told of each.

use userlink_domain::PoolUser;

use super::{Rec, Row, Store, User};
use crate::facts::{Bits, Key, RowFacts, UserFacts};
use crate::fill::{Desk, Kind, Role};
use crate::keys::NONE;
use crate::records::Records;
use crate::threads::threads_for;

/// The keys of records that have been read and not been taken in. They are the last of their kind.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) subs: Vec<Key>,
    pub(super) ids: Vec<Key>,
    pub(super) emails: Vec<Key>,
}

impl Store {
    /// Notes a user that is taken in later.
    pub(crate) fn gather_user(&mut self, user: &PoolUser, facts: &UserFacts, records: &dyn Records) {
        let slot = self.users.len() as u32;
        self.users.push(User {
            name: facts.name,
            print: facts.print,
            bits: facts.bits,
            place: facts.place.into(),
            ..User::at(NONE)
        });
        self.waiting_users.subs.push(facts.sub);
        self.waiting_users.ids.push(facts.id);
        self.waiting_users.emails.push(facts.email);
        self.join(slot, user, records);
    }

    /// Notes a row that is taken in later.
    pub(crate) fn gather_row(&mut self, facts: &RowFacts) {
        self.rows.push(Row { print: facts.print, bits: facts.bits, place: facts.place.into(), ..Row::at(NONE) });
        self.waiting_rows.ids.push(facts.id);
        self.waiting_rows.subs.push(facts.sub);
        self.waiting_rows.emails.push(facts.email);
        self.malformed_subs += u64::from(facts.bits.has(Bits::MALFORMED_SUB));
    }

    /// Takes in all that wait. Gives the records that are not there any more, as they were read again.
    pub(crate) fn take_in(&mut self) -> Vec<Rec> {
        // Of one person there are, for the most part, two records with the same keys.
        let keys = self.waiting_users.subs.len().max(self.waiting_rows.ids.len());
        for held in [&mut self.by_sub, &mut self.by_id, &mut self.by_email] {
            held.reserve(keys);
        }
        let mut desk = Desk::new(threads_for(keys));
        let users = self.take_in_users(&mut desk).into_iter().map(Rec::User).collect::<Vec<_>>();
        let rows = self.take_in_rows(&mut desk).into_iter().map(Rec::Row);
        users.into_iter().chain(rows).collect()
    }

    fn take_in_users(&mut self, desk: &mut Desk) -> Vec<u32> {
        let Gathered { subs, ids, emails } = std::mem::take(&mut self.waiting_users);
        let count = subs.len();
        let first = (self.users.len() - count) as u32;
        let shared = Kind::<User> {
            role: Role::Shared,
            has: |_| true,
            first: |node| &mut node.user,
            note: |user, met| (user.id, user.next_by_id) = (met.node, met.next),
        };
        let by_email =
            Kind { note: |user: &mut User, met| (user.email, user.next_by_email) = (met.node, met.next), ..shared };
        let users = &mut self.users;

        let own = Kind { role: Role::Own, note: |user: &mut User, met| user.sub = met.node, ..shared };
        let superseded = self.by_sub.take_in(&subs, users, first, own, desk);
        drop(subs);
        let kind = Kind { has: |user: &User| user.bits.has(Bits::HAS_ID) && !user.is_unconfirmed(), ..shared };
        self.by_id.take_in(&ids, users, first, kind, desk);
        let kind = Kind { has: |user: &User| user.bits.has(Bits::HAS_ID) && user.is_unconfirmed(), ..shared };
        self.unconfirmed_by_id.take_in(&ids, users, first, kind, desk);
        drop(ids);
        let kind = Kind { has: |user: &User| user.bits.has(Bits::VERIFIED), ..by_email };
        self.by_email.take_in(&emails, users, first, kind, desk);
        let is_unverified = |user: &User| user.bits.has(Bits::HAS_EMAIL) && !user.bits.has(Bits::VERIFIED);
        let kind = Kind { has: is_unverified, ..by_email };
        self.unverified.take_in(&emails, users, first, kind, desk);

        self.count.0 += count - superseded.len();
        for slot in &superseded {
            self.unindex_user(*slot);
            if let Some(user) = self.users.get_mut(*slot) {
                *user = User::at(NONE);
            }
        }
        superseded
    }

    fn take_in_rows(&mut self, desk: &mut Desk) -> Vec<u32> {
        let Gathered { subs, ids, emails } = std::mem::take(&mut self.waiting_rows);
        let count = ids.len();
        let first = (self.rows.len() - count) as u32;
        let rows = &mut self.rows;
        let own = Kind::<Row> {
            role: Role::Own,
            has: |_| true,
            first: |node| &mut node.row,
            note: |row, met| row.id = met.node,
        };
        let superseded = self.by_id.take_in(&ids, rows, first, own, desk);
        drop(ids);
        let by_sub = Kind {
            role: Role::Shared,
            has: |row: &Row| row.bits.has(Bits::HAS_SUB),
            note: |row: &mut Row, met| (row.sub, row.next_by_sub) = (met.node, met.next),
            ..own
        };
        self.by_sub.take_in(&subs, rows, first, by_sub, desk);
        drop(subs);
        let by_email = Kind {
            has: |row: &Row| row.bits.has(Bits::HAS_EMAIL),
            note: |row: &mut Row, met| (row.email, row.next_by_email) = (met.node, met.next),
            ..by_sub
        };
        self.by_email.take_in(&emails, rows, first, by_email, desk);

        self.count.1 += count - superseded.len();
        for slot in &superseded {
            self.unindex_row(*slot);
            if let Some(row) = self.rows.get_mut(*slot) {
                *row = Row::at(NONE);
            }
        }
        superseded
    }
}
