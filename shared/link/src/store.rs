//! The records as far as they are compared, and the keys that they meet under. It knows who names whom, and nothing of
//! verdicts.
//!
//! A user takes 36 bytes, a row 32, a key 24 and its place in a table; records with one key are a chain.

mod gather;
mod meeting;

use rustc_hash::FxHashSet;
use userlink_domain::{IdKind, PoolUser, RowId, Sub};

use crate::column::Column;
use crate::facts::{Bits, Digests, Place, RowFacts, UserFacts, id_of, key, sub_of};
use crate::joins::Joins;
use crate::keys::{First, Keys, NONE};
use crate::records::Records;
use gather::Gathered;

/// A record by its slot. Slots are given out in the order of arrival, and never twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Rec {
    User(u32),
    Row(u32),
}

impl Rec {
    const ROW: u32 = 1 << 31;

    /// In four bytes. There are fewer than 2^30 records of a kind: a pool holds forty million users at most.
    pub(crate) const fn packed(self) -> u32 {
        match self {
            Self::User(slot) => slot,
            Self::Row(slot) => slot | Self::ROW,
        }
    }

    pub(crate) const fn unpacked(packed: u32) -> Option<Self> {
        match (packed, packed & Self::ROW) {
            (NONE, _) => None,
            (_, 0) => Some(Self::User(packed)),
            _ => Some(Self::Row(packed & !Self::ROW)),
        }
    }
}

/// A place in six bytes.
#[derive(Clone, Copy, Debug)]
struct ShortPlace([u16; 3]);

impl From<Place> for ShortPlace {
    fn from(Place(at): Place) -> Self {
        Self([at as u16, (at >> 16) as u16, (at >> 32) as u16])
    }
}

impl From<ShortPlace> for Place {
    fn from(ShortPlace([low, middle, high]): ShortPlace) -> Self {
        Self(u64::from(low) | u64::from(middle) << 16 | u64::from(high) << 32)
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct User {
    pub(crate) sub: u32,
    /// The row that the attribute names: a key of `unconfirmed_by_id` where the user is UNCONFIRMED, else of `by_id`.
    id: u32,
    /// A key of `by_email` where it is verified, else of `unverified`.
    email: u32,
    next_by_id: u32,
    next_by_email: u32,
    pub(crate) name: u32,
    print: u32,
    bits: Bits,
    place: ShortPlace,
}

impl User {
    pub(crate) fn is_federated(&self) -> bool {
        self.bits.has(Bits::FEDERATED)
    }

    pub(crate) fn is_unconfirmed(&self) -> bool {
        self.bits.has(Bits::UNCONFIRMED)
    }

    pub(crate) fn is_expected(&self) -> bool {
        self.bits.has(Bits::EXPECTED)
    }

    /// Whether the attribute means an id, but is written otherwise.
    pub(crate) fn is_written_otherwise(&self) -> bool {
        self.bits.has(Bits::WRITTEN_OTHERWISE)
    }

    /// Whether the attribute is an id, whether or not it counts.
    pub(crate) fn has_written_id(&self) -> bool {
        self.id != NONE
    }

    /// The key of the e-mail as evidence: only a verified one is any.
    pub(crate) fn verified_email(&self) -> Option<u32> {
        self.bits.has(Bits::VERIFIED).then_some(self.email)
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) id: u32,
    sub: u32,
    email: u32,
    next_by_sub: u32,
    next_by_email: u32,
    print: u32,
    bits: Bits,
    place: ShortPlace,
}

impl Row {
    /// The key of the sub.
    pub(crate) fn sub(&self) -> Option<u32> {
        (self.sub != NONE).then_some(self.sub)
    }

    /// The key of the e-mail.
    pub(crate) fn email(&self) -> Option<u32> {
        (self.email != NONE).then_some(self.email)
    }
}

/// How what was read compares with what is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    Same,
    /// The same in all that is compared.
    LooksDifferent,
    Different,
}

#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) id_kind: IdKind,
    pub(crate) digests: Digests,
    pub(crate) users: Column<User>,
    pub(crate) rows: Column<Row>,
    /// The user whose sub it is, and the rows that carry it.
    pub(crate) by_sub: Keys,
    /// The row whose id it is, and the users who name it and are not UNCONFIRMED: their word always counts.
    pub(crate) by_id: Keys,
    /// UNCONFIRMED users by the row that their attribute names, whether or not it counts.
    unconfirmed_by_id: Keys,
    /// The users whose verified e-mail it is, and the rows that have it.
    pub(crate) by_email: Keys,
    /// Users by an e-mail that is not verified: no evidence, but an answer to "why not".
    unverified: Keys,
    pub(crate) joins: Joins,
    /// Many at once are quicker.
    waiting_users: Gathered,
    waiting_rows: Gathered,
    count: (usize, usize),
    malformed_subs: u64,
}

impl Store {
    /// `parts` is into how many parts the keys are divided, a power of two.
    pub(crate) fn new(id_kind: IdKind, parts: usize, digests: Digests) -> Self {
        let keys = || Keys::new(parts, digests.secret());
        Self {
            id_kind,
            users: Column::new(),
            rows: Column::new(),
            by_sub: keys(),
            by_id: keys(),
            unconfirmed_by_id: keys(),
            by_email: keys(),
            unverified: keys(),
            joins: Joins::new(digests.secret()),
            digests,
            waiting_users: Gathered::default(),
            waiting_rows: Gathered::default(),
            count: (0, 0),
            malformed_subs: 0,
        }
    }

    pub(crate) fn user(&self, slot: u32) -> Option<&User> {
        self.users.get(slot).filter(|user| user.bits.has(Bits::PRESENT))
    }

    pub(crate) fn row(&self, slot: u32) -> Option<&Row> {
        self.rows.get(slot).filter(|row| row.bits.has(Bits::PRESENT))
    }

    pub(crate) fn user_place(&self, slot: u32) -> Option<Place> {
        self.user(slot).map(|user| user.place.into())
    }

    pub(crate) fn row_place(&self, slot: u32) -> Option<Place> {
        self.row(slot).map(|row| row.place.into())
    }

    /// Where a record is kept, or was, if it is gone.
    pub(crate) fn last_place(&self, rec: Rec) -> Option<Place> {
        match rec {
            Rec::User(slot) => self.users.get(slot).map(|user| user.place.into()),
            Rec::Row(slot) => self.rows.get(slot).map(|row| row.place.into()),
        }
    }

    pub(crate) fn is_there(&self, rec: Rec) -> bool {
        match rec {
            Rec::User(slot) => self.user(slot).is_some(),
            Rec::Row(slot) => self.row(slot).is_some(),
        }
    }

    pub(crate) fn user_slot(&self, sub: Sub) -> Option<u32> {
        one(self.by_sub.user(self.by_sub.find(key(sub.as_u128()))?))
    }

    pub(crate) fn row_slot(&self, id: &RowId) -> Option<u32> {
        one(self.by_id.row(self.by_id.find(self.digests.id(id))?))
    }

    pub(crate) fn sub_of(&self, slot: u32) -> Option<Sub> {
        self.by_sub.key(self.user(slot)?.sub).map(sub_of)
    }

    /// The id of a row; none where it has to be read.
    pub(crate) fn id_of(&self, slot: u32) -> Option<RowId> {
        id_of(self.id_kind, self.by_id.key(self.row(slot)?.id)?)
    }

    /// Users whose names may be the same: the prints of them are.
    pub(crate) fn users_of_like_names(&self) -> Vec<Vec<u32>> {
        let present = || self.users.iter().filter(|(_, user)| user.bits.has(Bits::PRESENT));
        // The prints first, without whose they are: that is half as much, and few stand twice. As much room as it takes: one that
        // grew would take twice as much for a moment.
        let mut prints: Vec<u32> = Vec::with_capacity(self.count.0);
        prints.extend(present().map(|(_, user)| user.name));
        prints.sort_unstable();
        let twice = prints.chunk_by(u32::eq).filter(|alike| alike.len() > 1).filter_map(<[u32]>::first);
        let twice: FxHashSet<u32> = twice.copied().collect();
        drop(prints);
        let named = present().filter(|(_, user)| twice.contains(&user.name));
        let mut named: Vec<(u32, u32)> = named.map(|(slot, user)| (user.name, slot)).collect();
        named.sort_unstable();
        let alike = named.chunk_by(|(name, _), (other, _)| name == other);
        alike.map(|alike| alike.iter().map(|(_, slot)| *slot).collect()).collect()
    }

    /// How many slots have been given out: (users, rows).
    pub(crate) fn slots(&self) -> (u32, u32) {
        (self.users.len() as u32, self.rows.len() as u32)
    }

    /// How many records there are: (users, rows). Of those that wait, one that was read twice counts twice.
    pub(crate) fn len(&self) -> (usize, usize) {
        (self.count.0 + self.waiting_users.subs.len(), self.count.1 + self.waiting_rows.ids.len())
    }

    /// How many records wait to be taken in.
    pub(crate) fn gathered(&self) -> usize {
        self.waiting_users.subs.len() + self.waiting_rows.ids.len()
    }

    /// How many rows have something in their sub that is no sub.
    pub(crate) fn malformed_subs(&self) -> u64 {
        self.malformed_subs
    }

    pub(crate) fn compare_user(&self, slot: u32, facts: &UserFacts) -> Compared {
        let Some(user) = self.user(slot) else { return Compared::Different };
        let id = self.ids_of(user).key(user.id);
        let email = self.emails_of(user).key(user.email);
        let same_identities = !facts.bits.has(Bits::HAS_IDENTITIES) || user.print == facts.print;
        if (user.bits, user.name, id, email) != (facts.bits, facts.name, facts.id_key(), facts.email_key())
            || !same_identities
        {
            Compared::Different
        } else if user.print == facts.print {
            Compared::Same
        } else {
            Compared::LooksDifferent
        }
    }

    pub(crate) fn compare_row(&self, slot: u32, facts: &RowFacts) -> Compared {
        let Some(row) = self.row(slot) else { return Compared::Different };
        let (sub, email) = (self.by_sub.key(row.sub), self.by_email.key(row.email));
        if (row.bits, sub, email) != (facts.bits, facts.sub_key(), facts.email_key()) {
            Compared::Different
        } else if row.print == facts.print {
            Compared::Same
        } else {
            Compared::LooksDifferent
        }
    }

    /// Notes where a user is that is the same in all that is compared.
    pub(crate) fn move_user(&mut self, slot: u32, facts: &UserFacts) {
        if let Some(user) = self.users.get_mut(slot) {
            (user.print, user.place) = (facts.print, facts.place.into());
        }
    }

    pub(crate) fn move_row(&mut self, slot: u32, facts: &RowFacts) {
        if let Some(row) = self.rows.get_mut(slot) {
            (row.print, row.place) = (facts.print, facts.place.into());
        }
    }

    pub(crate) fn put_user(&mut self, user: &PoolUser, facts: &UserFacts, records: &dyn Records) -> u32 {
        let sub = self.by_sub.intern(facts.sub);
        let slot = match one(self.by_sub.user(sub)) {
            Some(slot) => {
                self.unindex_user(slot);
                slot
            }
            None => {
                let slot = self.users.len() as u32;
                self.users.push(User::at(sub));
                if let Some(node) = self.by_sub.get_mut(sub) {
                    node.user.put(slot);
                }
                self.count.0 += 1;
                slot
            }
        };
        let mut held =
            User { name: facts.name, print: facts.print, bits: facts.bits, place: facts.place.into(), ..User::at(sub) };
        let ids = if held.is_unconfirmed() { &mut self.unconfirmed_by_id } else { &mut self.by_id };
        if let Some(key) = facts.id_key() {
            held.id = ids.intern(key);
            if let Some(node) = ids.get_mut(held.id) {
                held.next_by_id = chain(&mut self.users, |user| &mut user.next_by_id, &mut node.user, slot);
            }
        }
        let emails = if facts.bits.has(Bits::VERIFIED) { &mut self.by_email } else { &mut self.unverified };
        if let Some(key) = facts.email_key() {
            held.email = emails.intern(key);
            if let Some(node) = emails.get_mut(held.email) {
                held.next_by_email = chain(&mut self.users, |user| &mut user.next_by_email, &mut node.user, slot);
            }
        }
        if let Some(user) = self.users.get_mut(slot) {
            *user = held;
        }
        self.join(slot, user, records);
        slot
    }

    fn join(&mut self, slot: u32, user: &PoolUser, records: &dyn Records) {
        let users = &self.users;
        self.joins.put(slot, user, &self.digests, |slot| {
            Some(records.user(users.get(slot)?.place.into())?.username.as_str().into())
        });
    }

    pub(crate) fn remove_user(&mut self, slot: u32) {
        let Some(sub) = self.user(slot).map(|user| user.sub) else { return };
        self.unindex_user(slot);
        if let Some(node) = self.by_sub.get_mut(sub) {
            node.user.replace(NONE);
        }
        self.by_sub.release(sub);
        if let Some(user) = self.users.get_mut(slot) {
            *user = User { place: user.place, ..User::at(NONE) };
        }
        self.count.0 -= 1;
    }

    fn unindex_user(&mut self, slot: u32) {
        let Some(user) = self.user(slot).copied() else { return };
        let ids = if user.is_unconfirmed() { &mut self.unconfirmed_by_id } else { &mut self.by_id };
        if let Some(node) = ids.get_mut(user.id) {
            unchain(&mut self.users, |user| &mut user.next_by_id, &mut node.user, slot);
        }
        ids.release(user.id);
        let emails = if user.bits.has(Bits::VERIFIED) { &mut self.by_email } else { &mut self.unverified };
        if let Some(node) = emails.get_mut(user.email) {
            unchain(&mut self.users, |user| &mut user.next_by_email, &mut node.user, slot);
        }
        emails.release(user.email);
        self.joins.remove(slot, user.name);
    }

    pub(crate) fn put_row(&mut self, facts: &RowFacts) -> u32 {
        let id = self.by_id.intern(facts.id);
        let slot = match one(self.by_id.row(id)) {
            Some(slot) => {
                self.unindex_row(slot);
                slot
            }
            None => {
                let slot = self.rows.len() as u32;
                self.rows.push(Row::at(id));
                if let Some(node) = self.by_id.get_mut(id) {
                    node.row.put(slot);
                }
                self.count.1 += 1;
                slot
            }
        };
        let mut held = Row { print: facts.print, bits: facts.bits, place: facts.place.into(), ..Row::at(id) };
        if let Some(key) = facts.sub_key() {
            held.sub = self.by_sub.intern(key);
            if let Some(node) = self.by_sub.get_mut(held.sub) {
                held.next_by_sub = chain(&mut self.rows, |row| &mut row.next_by_sub, &mut node.row, slot);
            }
        }
        if let Some(key) = facts.email_key() {
            held.email = self.by_email.intern(key);
            if let Some(node) = self.by_email.get_mut(held.email) {
                held.next_by_email = chain(&mut self.rows, |row| &mut row.next_by_email, &mut node.row, slot);
            }
        }
        self.malformed_subs += u64::from(facts.bits.has(Bits::MALFORMED_SUB));
        if let Some(row) = self.rows.get_mut(slot) {
            *row = held;
        }
        slot
    }

    pub(crate) fn remove_row(&mut self, slot: u32) {
        let Some(id) = self.row(slot).map(|row| row.id) else { return };
        self.unindex_row(slot);
        if let Some(node) = self.by_id.get_mut(id) {
            node.row.replace(NONE);
        }
        self.by_id.release(id);
        if let Some(row) = self.rows.get_mut(slot) {
            *row = Row { place: row.place, ..Row::at(NONE) };
        }
        self.count.1 -= 1;
    }

    fn unindex_row(&mut self, slot: u32) {
        let Some(row) = self.row(slot).copied() else { return };
        if let Some(node) = self.by_sub.get_mut(row.sub) {
            unchain(&mut self.rows, |row| &mut row.next_by_sub, &mut node.row, slot);
        }
        self.by_sub.release(row.sub);
        if let Some(node) = self.by_email.get_mut(row.email) {
            unchain(&mut self.rows, |row| &mut row.next_by_email, &mut node.row, slot);
        }
        self.by_email.release(row.email);
        self.malformed_subs -= u64::from(row.bits.has(Bits::MALFORMED_SUB));
    }
}

impl User {
    /// One of which nothing is known but the key of its sub.
    fn at(sub: u32) -> Self {
        Self {
            sub,
            id: NONE,
            email: NONE,
            next_by_id: NONE,
            next_by_email: NONE,
            name: 0,
            print: 0,
            bits: Bits::default(),
            place: ShortPlace([0; 3]),
        }
    }
}

impl Row {
    /// One of which nothing is known but the key of its id.
    fn at(id: u32) -> Self {
        Self {
            id,
            sub: NONE,
            email: NONE,
            next_by_sub: NONE,
            next_by_email: NONE,
            print: 0,
            bits: Bits::default(),
            place: ShortPlace([0; 3]),
        }
    }
}

const fn one(slot: u32) -> Option<u32> {
    if slot == NONE { None } else { Some(slot) }
}

/// Puts a record into a chain, and gives the one that follows it. It goes behind the first, which so stays the first: through
/// it the others are reached.
fn chain<T>(column: &mut Column<T>, next: fn(&mut T) -> &mut u32, first: &mut First, slot: u32) -> u32 {
    match column.get_mut(first.slot()) {
        Some(it) => {
            first.and_more();
            std::mem::replace(next(it), slot)
        }
        None => first.put(slot),
    }
}

/// Takes a record out of a chain.
fn unchain<T>(column: &mut Column<T>, next: fn(&mut T) -> &mut u32, first: &mut First, slot: u32) {
    let follows = column.get_mut(slot).map_or(NONE, |it| *next(it));
    if first.slot() == slot {
        first.replace(follows);
        return;
    }
    let mut at = first.slot();
    while let Some(it) = column.get_mut(at) {
        let link = next(it);
        if *link == slot {
            *link = follows;
            return;
        }
        at = *link;
    }
}
