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
        let (of_users, of_rows) = (std::mem::take(&mut self.waiting_users), std::mem::take(&mut self.waiting_rows));
        let (new_users, new_rows) = (of_users.subs.len(), of_rows.ids.len());
        let (users, rows) = (&mut self.users, &mut self.rows);
        let (first_user, first_row) = ((users.len() - new_users) as u32, (rows.len() - new_rows) as u32);
        let user = Kind::<User> {
            role: Role::Shared,
            has: |_| true,
            first: |node| &mut node.user,
            note: |user, met| (user.email, user.next_by_email) = (met.node, met.next),
        };
        let row = Kind::<Row> {
            role: Role::Shared,
            has: |row| row.bits.has(Bits::HAS_EMAIL),
            first: |node| &mut node.row,
            note: |row, met| (row.email, row.next_by_email) = (met.node, met.next),
        };
        // Of one person there are, for the most part, two records with the same keys.
        let keys = new_users.max(new_rows);
        let desk = &mut Desk::new(threads_for(keys));

        // One kind of key after the other: there is room for the next where the last was.
        self.by_sub.reserve(keys);
        let kind = Kind { role: Role::Own, note: |user: &mut User, met| user.sub = met.node, ..user };
        let gone_users = self.by_sub.take_in(&of_users.subs, users, first_user, kind, desk);
        let kind = Kind {
            has: |row: &Row| row.bits.has(Bits::HAS_SUB),
            note: |row: &mut Row, met| (row.sub, row.next_by_sub) = (met.node, met.next),
            ..row
        };
        self.by_sub.take_in(&of_rows.subs, rows, first_row, kind, desk);
        drop((of_users.subs, of_rows.subs));

        self.by_id.reserve(keys);
        let naming = Kind { note: |user: &mut User, met| (user.id, user.next_by_id) = (met.node, met.next), ..user };
        let kind = Kind { has: |user: &User| user.bits.has(Bits::HAS_ID) && !user.is_unconfirmed(), ..naming };
        self.by_id.take_in(&of_users.ids, users, first_user, kind, desk);
        let kind = Kind { has: |user: &User| user.bits.has(Bits::HAS_ID) && user.is_unconfirmed(), ..naming };
        self.unconfirmed_by_id.take_in(&of_users.ids, users, first_user, kind, desk);
        let kind = Kind { role: Role::Own, has: |_| true, note: |row: &mut Row, met| row.id = met.node, ..row };
        let gone_rows = self.by_id.take_in(&of_rows.ids, rows, first_row, kind, desk);
        drop((of_users.ids, of_rows.ids));

        self.by_email.reserve(keys);
        let kind = Kind { has: |user: &User| user.bits.has(Bits::VERIFIED), ..user };
        self.by_email.take_in(&of_users.emails, users, first_user, kind, desk);
        let is_unverified = |user: &User| user.bits.has(Bits::HAS_EMAIL) && !user.bits.has(Bits::VERIFIED);
        self.unverified.take_in(&of_users.emails, users, first_user, Kind { has: is_unverified, ..user }, desk);
        self.by_email.take_in(&of_rows.emails, rows, first_row, row, desk);

        self.count.0 += new_users - gone_users.len();
        self.count.1 += new_rows - gone_rows.len();
        for slot in &gone_users {
            self.unindex_user(*slot);
            if let Some(user) = self.users.get_mut(*slot) {
                *user = User::at(NONE);
            }
        }
        for slot in &gone_rows {
            self.unindex_row(*slot);
            if let Some(row) = self.rows.get_mut(*slot) {
                *row = Row::at(NONE);
            }
        }
        gone_users.into_iter().map(Rec::User).chain(gone_rows.into_iter().map(Rec::Row)).collect()
    }
}
