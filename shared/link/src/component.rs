//! Components: the records that share a key, and what their pointers say (steps 1 and 2 of the contract).

use rustc_hash::FxHashSet;
use userlink_domain::Situation;

use crate::rules::{Coverage, Rules};
use crate::store::{Rec, Row, Store, User};

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

/// The records that have been visited in one search.
pub(crate) type Seen = FxHashSet<Rec>;

impl Component {
    /// The component of a record. Records that have been seen already are left out, so one search may go on from several
    /// records.
    pub(crate) fn around(store: &Store, start: Rec, seen: &mut Seen) -> Self {
        let mut component = Self::default();
        let mut queue = Vec::new();
        if seen.insert(start) {
            queue.push(start);
        }
        while let Some(rec) = queue.pop() {
            match rec {
                Rec::User(slot) => component.users.push(slot),
                Rec::Row(slot) => component.rows.push(slot),
            }
            neighbours(store, rec, |next| {
                if seen.insert(next) {
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
            ([slot], []) => match store.user(*slot) {
                Some(user) if !store.has_user_id(user) => alone(store, *slot, user),
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
        match self.users.first().and_then(|slot| Some((*slot, store.user(*slot)?))) {
            Some((slot, user)) => pair(store, slot, user, self.rows.first().and_then(|slot| store.row(*slot))),
            // Two rows without a user share a sub, and one row alone is free: neither comes here.
            None => Situation::Tangled,
        }
    }

    fn has_duplicate_rows(&self, store: &Store) -> bool {
        let mut seen = FxHashSet::default();
        self.rows.len() > 1 && self.rows.iter().filter_map(|slot| store.row(*slot)?.sub()).any(|sub| !seen.insert(sub))
    }

    fn has_duplicate_user_id(&self, store: &Store) -> bool {
        let mut seen = FxHashSet::default();
        self.users.len() > 1
            && self.users.iter().filter_map(|slot| store.claim(store.user(*slot)?)).any(|id| !seen.insert(id))
    }

    /// Whether the pointers run in a circle through two or more users. Where nothing is claimed twice, a circle is
    /// the whole component.
    fn is_cycle(&self, store: &Store) -> bool {
        let count = self.users.len();
        let next = |user: &User| -> Option<u32> { store.user_with_sub(store.row(store.claimed_row(user)?)?.sub()?) };
        count >= 2
            && self.rows.len() == count
            && self.users.iter().all(|slot| store.user(*slot).and_then(next).is_some())
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
            if store.claim(user).is_some() {
                needs.users = true;
                needs.rows |= store.claimed_row(user).is_none();
            } else {
                // The row that would make it count may still come.
                needs.rows |= user.has_written_id();
            }
            needs.users |= user.is_federated();
            needs.rows |= !sub_unique || store.rows_with_sub(user.sub).next().is_none();
        }
        if !sub_unique {
            needs.rows |= self.rows.iter().any(|slot| store.row(*slot).is_some_and(|row| row.sub().is_some()));
        }
        needs
    }
}

/// A user that shares no key with any record and whose attribute is empty.
pub(crate) fn alone(store: &Store, slot: u32, user: &User) -> Kind {
    if store.is_joined(slot) {
        Kind::Settled(Situation::JoinedProfile)
    } else if !user.is_expected() {
        Kind::Settled(Situation::UnlinkedInactive)
    } else {
        Kind::FreeUser
    }
}

/// One user and at most one row that shares a key with it; or a user whose attribute names nothing.
pub(crate) fn pair(store: &Store, slot: u32, user: &User, row: Option<&Row>) -> Situation {
    if store.is_joined(slot) {
        return if row.is_some() { Situation::Stranded } else { Situation::JoinedProfile };
    }
    let row_points = row.is_some_and(|row| row.sub() == Some(user.sub));
    let user_points = row.is_some_and(|row| store.claim(user) == Some(row.id));
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
            store.rows_with_sub(user.sub).for_each(|row| found(Rec::Row(row)));
            let Some(id) = store.claim(user) else { return };
            match store.claimed_row(user) {
                Some(row) => found(Rec::Row(row)),
                // Nobody UNCONFIRMED claims a row that is not there.
                None => through_first(store.users_naming(id), slot, |user| found(Rec::User(user))),
            }
        }
        Rec::Row(slot) => {
            let Some(row) = store.row(slot) else { return };
            store.users_naming(row.id).for_each(|user| found(Rec::User(user)));
            let Some(sub) = row.sub() else { return };
            match store.user_with_sub(sub) {
                Some(user) => found(Rec::User(user)),
                None => through_first(store.rows_with_sub(sub), slot, |row| found(Rec::Row(row))),
            }
        }
    }
}

/// The first of a key's records leads to all others, and each of these to the first.
fn through_first(mut slots: impl Iterator<Item = u32>, slot: u32, mut found: impl FnMut(u32)) {
    if let Some(first) = slots.next() {
        if first == slot { slots.for_each(found) } else { found(first) }
    }
}
