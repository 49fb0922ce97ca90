//! Components: the records that share a key, and what their pointers say (steps 1 and 2 of the contract).

use std::collections::HashSet;

use userlink_domain::{PoolUser, Row, Situation, Sub};

use crate::rules::{Coverage, Rules};
use crate::store::{Rec, Store};

/// Records that share a key, directly or through others. Both lists are in the order of arrival.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Component {
    pub(crate) users: Vec<u32>,
    pub(crate) rows: Vec<u32>,
}

/// What a component by itself says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Its situation follows from the component alone.
    Settled(Situation),
    /// A user alone, without a `user_id`, expected to be linked and not joined: e-mail decides.
    FreeUser,
    /// A row alone: e-mail decides.
    FreeRow,
}

/// Marks for one search, kept between searches so that each costs only what it visits.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    epoch: u32,
    users: Vec<u32>,
    rows: Vec<u32>,
}

impl Marks {
    pub(crate) fn start(&mut self, store: &Store) {
        let (users, rows) = store.slots();
        self.users.resize(users, 0);
        self.rows.resize(rows, 0);
        self.epoch = match self.epoch.checked_add(1) {
            Some(epoch) => epoch,
            None => {
                self.users.fill(0);
                self.rows.fill(0);
                1
            }
        };
    }

    /// Whether a record has been marked in this search.
    pub(crate) fn has_seen(&self, rec: Rec) -> bool {
        let mark = match rec {
            Rec::User(slot) => self.users.get(slot as usize),
            Rec::Row(slot) => self.rows.get(slot as usize),
        };
        mark.is_some_and(|mark| *mark == self.epoch)
    }

    /// Marks a record; true if it was not marked before.
    pub(crate) fn visit(&mut self, rec: Rec) -> bool {
        let mark = match rec {
            Rec::User(slot) => self.users.get_mut(slot as usize),
            Rec::Row(slot) => self.rows.get_mut(slot as usize),
        };
        mark.is_some_and(|mark| std::mem::replace(mark, self.epoch) != self.epoch)
    }
}

impl Component {
    /// The component of a record. Records that `marks` has seen already are left out, so one search may go on from
    /// several records.
    pub(crate) fn around(store: &Store, start: Rec, marks: &mut Marks) -> Self {
        let mut component = Self::default();
        let mut queue = Vec::new();
        if marks.visit(start) {
            queue.push(start);
        }
        while let Some(rec) = queue.pop() {
            match rec {
                Rec::User(slot) => component.users.push(slot),
                Rec::Row(slot) => component.rows.push(slot),
            }
            neighbours(store, rec, |next| {
                if marks.visit(next) {
                    queue.push(next);
                }
            });
        }
        component.users.sort_unstable();
        component.rows.sort_unstable();
        component
    }

    pub(crate) fn kind(&self, store: &Store) -> Kind {
        match (&self.users[..], &self.rows[..]) {
            ([], [_]) => Kind::FreeRow,
            ([user], []) => match store.user(*user) {
                Some(user) if !store.has_user_id(user) => alone(store, user),
                _ => Kind::Settled(self.settled(store)),
            },
            _ => Kind::Settled(self.settled(store)),
        }
    }

    fn settled(&self, store: &Store) -> Situation {
        if self.has_duplicate_rows(store) {
            return Situation::DuplicateRows;
        }
        if self.has_duplicate_user_id(store) {
            return Situation::DuplicateUserId;
        }
        if self.is_cycle(store) {
            return Situation::Swapped;
        }
        if self.users.len() + self.rows.len() >= 3 {
            return Situation::Tangled;
        }
        match self.users.first().and_then(|slot| store.user(*slot)) {
            Some(user) => pair(store, user, self.rows.first().and_then(|slot| store.row(*slot))),
            // Two rows without a user share a sub, and one row alone is free: neither comes here.
            None => Situation::Tangled,
        }
    }

    fn has_duplicate_rows(&self, store: &Store) -> bool {
        let mut seen = HashSet::new();
        self.rows.len() > 1 && self.rows.iter().filter_map(|slot| store.row(*slot)?.sub()).any(|sub| !seen.insert(sub))
    }

    fn has_duplicate_user_id(&self, store: &Store) -> bool {
        let mut seen = HashSet::new();
        self.users.len() > 1
            && self.users.iter().filter_map(|slot| store.claim(store.user(*slot)?)).any(|id| !seen.insert(id))
    }

    /// Whether the pointers run in a circle through two or more users. Where nothing is claimed twice, a circle is
    /// the whole component.
    fn is_cycle(&self, store: &Store) -> bool {
        let count = self.users.len();
        let named = |user: &PoolUser| -> Option<Sub> {
            let id = store.claim(user)?;
            store.row(store.row_slot(&id)?)?.sub()
        };
        count >= 2
            && self.rows.len() == count
            && self.users.iter().all(|slot| {
                let next = store.user(*slot).and_then(named);
                next.is_some_and(|sub| store.user_slot(sub).is_some())
            })
    }

    /// What has to be read to its end before the situation can be relied on.
    pub(crate) fn needs(&self, store: &Store, situation: Situation, rules: &Rules) -> Coverage {
        if situation == Situation::DuplicateRows {
            // More records may still come to it. They leave it what it is, unless one of them is protected; and where the
            // table cannot hold a sub twice, the two were read at different times, and one of them will be read again.
            let stays = !rules.sub_unique && rules.protected.is_empty();
            return if stays { Coverage::default() } else { Coverage::ALL };
        }
        let sub_unique = rules.sub_unique;
        let mut needs = Coverage { users: !self.rows.is_empty(), rows: false };
        for user in self.users.iter().filter_map(|slot| store.user(*slot)) {
            match store.claim(user) {
                Some(id) => {
                    needs.users = true;
                    needs.rows |= store.row_slot(&id).is_none();
                }
                // The row that would make it count may still come.
                None => needs.rows |= store.written_id(user).is_some(),
            }
            needs.users |= user.is_federated();
            needs.rows |= !sub_unique || store.rows_with_sub(user.sub).is_empty();
        }
        if !sub_unique {
            needs.rows |= self.rows.iter().any(|slot| store.row(*slot).is_some_and(|row| row.sub().is_some()));
        }
        needs
    }
}

/// A user that shares no key with any record and whose attribute is empty.
fn alone(store: &Store, user: &PoolUser) -> Kind {
    if store.is_joined(user) {
        Kind::Settled(Situation::JoinedProfile)
    } else if !user.is_expected() {
        Kind::Settled(Situation::UnlinkedInactive)
    } else {
        Kind::FreeUser
    }
}

/// One user and at most one row that shares a key with it; or a user whose attribute names nothing.
fn pair(store: &Store, user: &PoolUser, row: Option<&Row>) -> Situation {
    if store.is_joined(user) {
        return if row.is_some() { Situation::Stranded } else { Situation::JoinedProfile };
    }
    let row_points = row.is_some_and(|row| row.sub() == Some(user.sub));
    let user_points = row.is_some_and(|row| store.claim(user).as_ref() == Some(&row.id));
    let row_has_sub = row.is_some_and(|row| row.sub().is_some());
    match (user_points, row_points) {
        (true, true) if user.is_expected() => Situation::Linked,
        (true, true) => Situation::LinkedInactive,
        _ if !user.is_expected() => Situation::UnlinkedInactive,
        (false, true) if !store.has_user_id(user) => Situation::RowSideOnly,
        (true, false) if !row_has_sub => Situation::UserSideOnly,
        (true, false) => Situation::DeadSubClaimed,
        (false, _) => Situation::DanglingUserId,
    }
}

/// Calls `found` with records that share a key with `rec`. All of a key's records are reached through one of them (the
/// record that the key belongs to, or else the first), so that a key with many records is gone through once.
pub(crate) fn neighbours(store: &Store, rec: Rec, mut found: impl FnMut(Rec)) {
    match rec {
        Rec::User(slot) => {
            let Some(user) = store.user(slot) else { return };
            store.rows_with_sub(user.sub).iter().for_each(|row| found(Rec::Row(*row)));
            let Some(id) = store.claim(user) else { return };
            match store.row_slot(&id) {
                Some(row) => found(Rec::Row(row)),
                // Nobody UNCONFIRMED claims a row that is not there.
                None => through_first(store.users_naming(&id), slot, |user| found(Rec::User(user))),
            }
        }
        Rec::Row(slot) => {
            let Some(row) = store.row(slot) else { return };
            store.users_naming(&row.id).iter().for_each(|user| found(Rec::User(*user)));
            let Some(sub) = row.sub() else { return };
            match store.user_slot(sub) {
                Some(user) => found(Rec::User(user)),
                None => through_first(store.rows_with_sub(sub), slot, |row| found(Rec::Row(row))),
            }
        }
    }
}

/// The first of a key's records leads to all others, and each of these to the first.
fn through_first(slots: &[u32], slot: u32, mut found: impl FnMut(u32)) {
    if let [first, others @ ..] = slots {
        if *first == slot {
            others.iter().copied().for_each(found);
        } else {
            found(*first);
        }
    }
}
