//! The demo's world: a pool and a table that belong together, nearly.
//!
//! Everything follows from the number of users, the seed and the moment it is told; most users are linked, and every
//! situation that a quiet pool and table can be in is there at least twice. Plain users are computed when they are asked for,
//! so that a million of them cost nothing.

use std::collections::HashMap;

use userlink_domain::{IdKind, PoolUser, RecordRef, Row, RowId, Situation, Sub, Timestamp};

use crate::cases::{Case, SHARES};
use crate::names;
use crate::permutation::{Permutation, mix};

pub(crate) const DAY: i64 = 86_400_000;

/// A pool and a table.
#[derive(Debug)]
pub struct World {
    users: u64,
    seed: u64,
    pub(crate) now: Timestamp,
    subs: Permutation,
    /// Users who are not simply linked, by their place in the pool.
    special: HashMap<u64, PoolUser>,
    rows: Vec<Row>,
    protected: Vec<RecordRef>,
    expected: Vec<(RecordRef, Situation)>,
    by_username: HashMap<Box<str>, u64>,
    by_email: HashMap<Box<str>, Vec<u64>>,
}

/// There is no world this small that holds everything twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooSmall;

impl std::fmt::Display for TooSmall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "The demo needs at least {} users to hold every situation twice.", World::FEWEST)
    }
}

impl std::error::Error for TooSmall {}

impl World {
    /// The fewest users in which everything has its place.
    pub const FEWEST: u64 = 200;

    /// # Errors
    /// Where there are too few users.
    pub fn new(users: u64, seed: u64, now: Timestamp) -> Result<Self, TooSmall> {
        if users < Self::FEWEST {
            return Err(TooSmall);
        }
        let mut world = Self {
            users,
            seed,
            now,
            subs: Permutation::new(seed),
            special: HashMap::new(),
            rows: Vec::new(),
            protected: Vec::new(),
            expected: Vec::new(),
            by_username: HashMap::new(),
            by_email: HashMap::new(),
        };
        world.make_special();
        Ok(world)
    }

    /// How many users there are.
    pub fn user_count(&self) -> u64 {
        self.users
    }

    /// The user at a place in the pool.
    pub fn user(&self, index: u64) -> Option<PoolUser> {
        if index >= self.users {
            return None;
        }
        Some(match self.special.get(&index) {
            Some(user) => user.clone(),
            None => self.linked(index).0,
        })
    }

    /// The sub of the user at a place, without making the user.
    pub fn sub(&self, index: u64) -> Option<Sub> {
        (index < self.users).then(|| self.subs.sub(index))
    }

    /// The place of the user with this sub.
    pub fn index_of_sub(&self, sub: Sub) -> Option<u64> {
        self.subs.number(sub).filter(|index| *index < self.users)
    }

    /// The place of the user with this username.
    pub fn index_of_username(&self, username: &str) -> Option<u64> {
        let of_sub = || {
            let index = self.index_of_sub(Sub::parse(username)?)?;
            (self.user(index)?.username.as_str() == username).then_some(index)
        };
        self.by_username.get(username).copied().or_else(of_sub)
    }

    /// The places of the users with exactly this address.
    pub fn indexes_of_email(&self, email: &str) -> Vec<u64> {
        let mut places = self.by_email.get(email).cloned().unwrap_or_default();
        if let Some(index) = names::number_in(email)
            && self.user(index).is_some_and(|user| user.email.as_deref() == Some(email))
        {
            places.push(index);
        }
        places.sort_unstable();
        places.dedup();
        places
    }

    /// All rows, in no order of their ids.
    pub fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        let plain = (0..self.users).filter(|index| !self.special.contains_key(index)).map(|index| self.linked(index).1);
        plain.chain(self.rows.iter().cloned())
    }

    /// What the context protects: the entries that are `ignored`.
    pub fn protected(&self) -> &[RecordRef] {
        &self.protected
    }

    /// For every special case a record, and the situation of its entry.
    pub fn expected(&self) -> &[(RecordRef, Situation)] {
        &self.expected
    }

    fn at(&self, n: u64) -> Timestamp {
        let ago = mix(self.seed ^ n ^ 0x55) % (730 * DAY as u64);
        Timestamp::from_millis(self.now.as_millis() - 3 * DAY - ago as i64)
    }

    pub(crate) fn row_id(&self, n: u64, at: Timestamp) -> RowId {
        // As a UUID of version 7 is made: milliseconds, then what only has to differ.
        let low = mix(self.seed ^ n ^ 0x77) & ((1 << 62) - 1) | 1 << 63;
        let high = (at.as_millis() as u64) << 16 | 0x7000 | n & 0xfff;
        let hex = format!("{high:016x}{low:016x}");
        RowId::parse(IdKind::Uuid, &hex).unwrap_or(RowId::Text(hex.into()))
    }

    /// The plain user at a place, and the row that belongs to it.
    fn linked(&self, index: u64) -> (PoolUser, Row) {
        let mut user = self.someone(index);
        let row = self.row_of(&mut user, index);
        (user, row)
    }

    /// A confirmed user without pointers.
    pub(crate) fn someone(&self, index: u64) -> PoolUser {
        let sub = self.subs.sub(index);
        let mut user = PoolUser::new(sub, sub.to_string());
        user.email = Some(names::email(self.seed, index).into());
        user.email_verified = true;
        user.created = Some(self.at(index));
        user.modified = user.created;
        user
    }

    /// A row with the user's e-mail and without pointers.
    pub(crate) fn row_like(&self, user: &PoolUser, n: u64) -> Row {
        let at = user.created.unwrap_or(self.now);
        let mut row = Row::new(self.row_id(n, at));
        row.email = user.email.clone();
        row.created_at = Some(Timestamp::from_millis(at.as_millis() + 400));
        row
    }

    /// The row that a user is linked to.
    pub(crate) fn row_of(&self, user: &mut PoolUser, n: u64) -> Row {
        let mut row = self.row_like(user, n);
        row.sub = Some(user.sub.to_string().into());
        user.user_id = Some(row.id.to_string().into());
        row
    }

    /// A sub that no user has.
    pub(crate) fn dead_sub(&self, n: u64) -> Box<str> {
        self.subs.sub(self.users + n).to_string().into()
    }

    fn make_special(&mut self) {
        let counts = SHARES.map(|(situation, share)| (situation, (share * self.users / 10_000).max(2)));
        let total: u64 = counts.iter().map(|(_, count)| count).sum();
        // At most three users a case, spread evenly over the pool.
        let stride = (self.users / (total * 3)).max(1);
        let mut place = 0;
        let mut number = 0;
        let longest = counts.iter().map(|(_, count)| *count).max().unwrap_or(0);
        for round in 0..longest {
            for (situation, count) in counts {
                // The rare ones are spread over the rounds, too.
                let due = |round: u64| round * count / longest;
                if due(round + 1) == due(round) {
                    continue;
                }
                let offset = if stride > 1 { mix(self.seed ^ place) % stride } else { 0 };
                let indexes = [0, 1, 2].map(|k| (place + k) * stride + offset);
                let case = self.case(situation, due(round), indexes, self.users * 2 + number * 4);
                number += 1;
                place += case.users.len() as u64;
                self.keep(situation, case);
            }
        }
    }

    fn keep(&mut self, situation: Situation, case: Case) {
        let first = case.users.first().map(|user| RecordRef::User(user.sub));
        let first = first.or_else(|| case.rows.first().map(|row| RecordRef::Row(row.id.clone())));
        if let Some(first) = first {
            if situation == Situation::Ignored {
                self.protected.push(first.clone());
            }
            self.expected.push((first, situation));
        }
        for user in case.users {
            let Some(index) = self.subs.number(user.sub) else { continue };
            if user.username.as_str() != user.sub.to_string() {
                self.by_username.insert(user.username.as_str().into(), index);
            }
            if let Some(email) = &user.email {
                self.by_email.entry(email.clone()).or_default().push(index);
            }
            self.special.insert(index, user);
        }
        self.rows.extend(case.rows);
    }
}
