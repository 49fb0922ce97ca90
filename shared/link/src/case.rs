//! An entry on the table, to be talked about: the facts that its sentences are made from.

use std::collections::HashMap;
use std::hash::Hash;

use userlink_domain::{Flags, PoolUser, Row, RowId, Situation, Sub};

use crate::correlate::Parts;
use crate::entries::EntryId;
use crate::linker::Linker;
use crate::store::{Rec, Store, User};

/// Of those who share an e-mail, so many users and so many rows are looked at for an explanation.
pub(crate) const LOOK_AT_MOST: usize = 200;

/// A record as it was read, and its slot.
pub(crate) struct Read<T> {
    pub(crate) slot: u32,
    record: T,
}

impl<T> std::ops::Deref for Read<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.record
    }
}

pub(crate) struct Case<'a> {
    pub(crate) linker: &'a Linker,
    pub(crate) entry: EntryId,
    pub(crate) users: Vec<Read<PoolUser>>,
    pub(crate) rows: Vec<Read<Row>>,
    /// As it is shown.
    pub(crate) situation: Situation,
    /// As the steps give it, before anything was laid over it.
    pub(crate) base: Situation,
    /// As they are shown.
    pub(crate) flags: Flags,
    /// Where an e-mail decided: who has it.
    pub(crate) sharing: Option<Sharing>,
}

/// Those who share the e-mail that decided.
pub(crate) struct Sharing {
    /// Its key.
    pub(crate) email: u32,
    /// The first of each kind.
    pub(crate) parts: Parts,
    /// How many users there are in all, joined profiles among them.
    pub(crate) users: usize,
    pub(crate) rows: usize,
}

impl Sharing {
    /// Whether there are more than were looked at.
    pub(crate) fn is_cut(&self) -> bool {
        self.users > LOOK_AT_MOST || self.rows > LOOK_AT_MOST
    }
}

impl<'a> Case<'a> {
    pub(crate) fn new(linker: &'a Linker, entry: EntryId) -> Option<Self> {
        let store = &linker.store;
        let (situation, _, flags) = linker.shown(entry)?;
        let base = linker.entries.get(entry)?.situation;
        let read_user = |slot| Some(Read { slot, record: linker.read_user(slot)? });
        let read_row = |slot| Some(Read { slot, record: linker.read_row(slot)? });
        let users = linker.entries.users(entry).filter_map(read_user).collect();
        let rows = linker.entries.rows(entry).filter_map(read_row).collect();
        let mut case = Self { linker, entry, users, rows, situation, base, flags, sharing: None };
        case.sharing = case.email_that_decided().map(|email| Sharing {
            parts: linker.parts(email, LOOK_AT_MOST),
            users: store.users_with_email(email).count(),
            rows: store.rows_with_email(email).count(),
            email,
        });
        Some(case)
    }

    fn email_that_decided(&self) -> Option<u32> {
        if self.is_correlated() {
            self.facts(self.users.first()?)?.verified_email()
        } else if matches!(self.base, Situation::OrphanRow | Situation::DeadSub) {
            self.store().row(self.rows.first()?.slot)?.email()
        } else {
            None
        }
    }

    /// What is compared of a user.
    pub(crate) fn facts(&self, user: &Read<PoolUser>) -> Option<&'a User> {
        self.linker.store.user(user.slot)
    }

    /// The id that a user's attribute names, if it counts.
    pub(crate) fn claim(&self, user: &Read<PoolUser>) -> Option<RowId> {
        self.store().claim(self.facts(user)?)?;
        self.written_id(user)
    }

    /// The id that a user's attribute is, whether or not it counts.
    pub(crate) fn written_id(&self, user: &PoolUser) -> Option<RowId> {
        RowId::parse(self.store().id_kind, user.user_id()?)
    }

    pub(crate) fn store(&self) -> &'a Store {
        &self.linker.store
    }

    /// Whether it is about users whose e-mail decided, or could have.
    pub(crate) fn is_correlated(&self) -> bool {
        matches!(
            self.base,
            Situation::EmailMatch
                | Situation::Recreated
                | Situation::Ambiguous
                | Situation::RowTaken
                | Situation::FederatedTwin
                | Situation::NoRow
        )
    }

    /// The only row, or the first.
    pub(crate) fn row_id(&self) -> String {
        self.rows.first().map(|row| row.id.to_string()).unwrap_or_default()
    }

    /// The `user_id` of the only user.
    pub(crate) fn user_id(&self) -> &str {
        self.users.first().and_then(|user| user.user_id()).unwrap_or_default()
    }

    /// The sub that the only row carries.
    pub(crate) fn row_sub(&self) -> String {
        self.rows.first().and_then(|row| row.sub()).map(|sub| sub.to_string()).unwrap_or_default()
    }

    /// Whether the id of the only row can be written into the attribute: a blank value would delete it.
    pub(crate) fn has_blank_id(&self) -> bool {
        self.rows.first().is_some_and(|row| row.id.to_string().trim().is_empty())
    }

    /// Subs that more than one row carries, and how many do; those of pool users first.
    pub(crate) fn doubled_subs(&self) -> Vec<(Sub, usize)> {
        let mut doubled = doubled(self.rows.iter().filter_map(|row| row.sub()));
        doubled.sort_by_key(|(sub, _)| self.store().user_slot(*sub).is_none());
        doubled
    }

    /// Ids that more than one user claims, and how many do; those of rows that are there first.
    pub(crate) fn doubled_ids(&self) -> Vec<(RowId, usize)> {
        let mut doubled = doubled(self.users.iter().filter_map(|user| self.claim(user)));
        doubled.sort_by_key(|(id, _)| self.store().row_slot(id).is_none());
        doubled
    }

    /// The native users, in other entries, to whom profiles of this one were joined.
    pub(crate) fn natives_elsewhere(&self) -> impl Iterator<Item = u32> {
        let natives = self.users.iter().flat_map(|user| self.store().natives_of(user.slot).iter().copied());
        natives.filter(|native| !self.is_inside(Rec::User(*native)))
    }

    pub(crate) fn is_inside(&self, rec: Rec) -> bool {
        self.linker.entries.of(rec) == Some(self.entry)
    }

    /// The situation of the entry that a record of another one is in, in words.
    pub(crate) fn situation_of(&self, rec: Rec) -> String {
        let shown = self.linker.entries.of(rec).and_then(|entry| self.linker.shown(entry));
        shown.map_or(Situation::Reading, |(situation, _, _)| situation).words()
    }
}

/// The keys that come more than once, with how often, in the order of their first coming.
fn doubled<K: Clone + Eq + Hash>(keys: impl Iterator<Item = K>) -> Vec<(K, usize)> {
    let mut order = Vec::new();
    let mut counts: HashMap<K, usize> = HashMap::new();
    for key in keys {
        let count = counts.entry(key.clone()).or_default();
        *count += 1;
        if *count == 2 {
            order.push(key);
        }
    }
    order.into_iter().map(|key| (key.clone(), counts[&key])).collect()
}
