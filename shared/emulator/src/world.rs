//! The demo's world: a pool and a table that belong together, nearly.
//!
//! Everything follows from the number of users, the seed and the moment it is told; most users are linked, and every
//! situation that a quiet pool and table can be in is there at least twice. Plain users are computed when they are asked for,
//! so that a million of them cost nothing.

use std::collections::{HashMap, HashSet};

use userlink_domain::{IdKind, Identity, PoolUser, RecordRef, Row, RowId, Situation, Sub, Timestamp, UserStatus};

use crate::names;
use crate::permutation::{Permutation, mix};

const DAY: i64 = 86_400_000;

/// A pool and a table.
#[derive(Debug)]
pub struct World {
    users: u64,
    seed: u64,
    now: Timestamp,
    subs: Permutation,
    /// Users who are not simply linked, by their place in the pool.
    special: HashMap<u64, PoolUser>,
    rows: Vec<Row>,
    protected: Vec<RecordRef>,
    expected: Vec<(RecordRef, Situation)>,
    by_username: HashMap<Box<str>, u64>,
    by_email: HashMap<Box<str>, u64>,
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

/// The situations of the demo: how often each is there for every ten thousand users.
const SHARES: [(Situation, u64); 22] = [
    (Situation::RowSideOnly, 60),
    (Situation::NoRow, 40),
    (Situation::UnlinkedInactive, 60),
    (Situation::EmailMatch, 20),
    (Situation::JoinedProfile, 20),
    (Situation::OrphanRow, 20),
    (Situation::DeadSub, 12),
    (Situation::LinkedInactive, 20),
    (Situation::DanglingUserId, 8),
    (Situation::UserSideOnly, 6),
    (Situation::Recreated, 6),
    (Situation::RowTaken, 5),
    (Situation::FederatedTwin, 6),
    (Situation::Ambiguous, 5),
    (Situation::DuplicateRows, 6),
    (Situation::DuplicateUserId, 3),
    (Situation::Swapped, 2),
    (Situation::Tangled, 2),
    (Situation::DeadSubClaimed, 3),
    (Situation::Stranded, 2),
    (Situation::Ignored, 1),
    (Situation::Linked, 16),
];

/// Users and rows of one special case.
#[derive(Default)]
struct Case {
    users: Vec<PoolUser>,
    rows: Vec<Row>,
}

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
        let mut places: Vec<u64> = self.by_email.get(email).copied().into_iter().collect();
        if let Some(index) = names::number_in(email)
            && self.user(index).is_some_and(|user| user.email.as_deref() == Some(email))
        {
            places.push(index);
        }
        // Two of a case may share an address: they are few.
        places.extend(self.special.iter().filter(|(_, user)| user.email.as_deref() == Some(email)).map(|(at, _)| *at));
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

    fn row_id(&self, n: u64, at: Timestamp) -> RowId {
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
    fn someone(&self, index: u64) -> PoolUser {
        let sub = self.subs.sub(index);
        let mut user = PoolUser::new(sub, sub.to_string());
        user.email = Some(names::email(self.seed, index).into());
        user.email_verified = true;
        user.created = Some(self.at(index));
        user.modified = user.created;
        user
    }

    /// A row with the user's e-mail and without pointers.
    fn row_like(&self, user: &PoolUser, n: u64) -> Row {
        let at = user.created.unwrap_or(self.now);
        let mut row = Row::new(self.row_id(n, at));
        row.email = user.email.clone();
        row.created_at = Some(Timestamp::from_millis(at.as_millis() + 400));
        row
    }

    /// The row that a user is linked to.
    fn row_of(&self, user: &mut PoolUser, n: u64) -> Row {
        let mut row = self.row_like(user, n);
        row.sub = Some(user.sub.to_string().into());
        user.user_id = Some(row.id.to_string().into());
        row
    }

    /// A sub that no user has.
    fn dead_sub(&self, n: u64) -> Box<str> {
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
                self.by_email.insert(email.clone(), index);
            }
            self.special.insert(index, user);
        }
        self.rows.extend(case.rows);
    }

    /// The records of one case. The first user, or the first row where there is no user, is the one whose entry has the
    /// situation. `n` is the number of the case among those of its kind, and `number` one that no other record has.
    fn case(&self, situation: Situation, n: u64, indexes: [u64; 3], number: u64) -> Case {
        let [mut a, mut b, mut c] = indexes.map(|index| self.someone(index));
        let clear = |row: &mut Row, sub: Option<Box<str>>| row.sub = sub;
        let (users, rows) = match situation {
            Situation::Linked => {
                // Linked, and hard to show; every third has something beside it to be flagged.
                a.email = Some(names::hostile_email(n).into());
                let mut row = self.row_of(&mut a, number);
                match n % 3 {
                    0 => row.email = Some(format!("old.address{number}@example.com").into()),
                    1 => a.user_id = Some(row.id.to_string().to_uppercase().into()),
                    _ => {}
                }
                (vec![a], vec![row])
            }
            Situation::LinkedInactive => {
                let row = self.row_of(&mut a, number);
                match n % 3 {
                    0 => a.enabled = false,
                    1 => a.status = UserStatus::ForceChangePassword,
                    _ => a.status = UserStatus::Other("COMPROMISED".into()),
                }
                (vec![a], vec![row])
            }
            Situation::DuplicateRows => {
                let first = self.row_of(&mut a, number);
                let mut second = self.row_like(&a, number + 1);
                second.sub = first.sub.clone();
                (vec![a], vec![first, second])
            }
            Situation::DuplicateUserId => {
                let first = self.row_of(&mut a, number);
                let second = self.row_of(&mut b, number + 1);
                b.user_id = a.user_id.clone();
                (vec![a, b], vec![first, second])
            }
            Situation::Swapped => {
                let mut rows = vec![self.row_of(&mut a, number), self.row_of(&mut b, number + 1)];
                if n.is_multiple_of(2) {
                    std::mem::swap(&mut a.user_id, &mut b.user_id);
                    (vec![a, b], rows)
                } else {
                    rows.push(self.row_of(&mut c, number + 2));
                    std::mem::swap(&mut a.user_id, &mut b.user_id);
                    std::mem::swap(&mut b.user_id, &mut c.user_id);
                    (vec![a, b, c], rows)
                }
            }
            Situation::Tangled => {
                let rows = vec![self.row_of(&mut a, number), self.row_of(&mut b, number + 1)];
                a.user_id = b.user_id.take();
                (vec![a, b], rows)
            }
            Situation::DanglingUserId => {
                let row = self.row_of(&mut a, number);
                a.user_id = Some(self.row_id(number + 1, self.now).to_string().into());
                (vec![a], if n.is_multiple_of(2) { vec![row] } else { vec![] })
            }
            Situation::DeadSubClaimed => {
                let mut row = self.row_of(&mut a, number);
                clear(&mut row, Some(self.dead_sub(number)));
                (vec![a], vec![row])
            }
            Situation::Stranded | Situation::JoinedProfile => {
                let own = self.row_of(&mut a, number);
                federate(&mut b, number);
                b.email = a.email.clone();
                a.identities = vec![identity(number)];
                if situation == Situation::JoinedProfile {
                    (vec![b, a], vec![own])
                } else {
                    let mut stranded = self.row_like(&b, number + 1);
                    stranded.sub = Some(b.sub.to_string().into());
                    stranded.email = None;
                    (vec![b, a], vec![own, stranded])
                }
            }
            Situation::RowSideOnly => {
                // A night in which the function ran out of time, and some others.
                if !n.is_multiple_of(3) {
                    let night = self.now.as_millis().div_euclid(DAY) * DAY - DAY + 2 * 3_600_000 + 600_000;
                    a.created = Some(Timestamp::from_millis(night + (mix(number) % 1_800_000) as i64));
                    a.modified = a.created;
                }
                if n % 7 == 5 {
                    a.email = Some(names::hostile_email(number).into());
                }
                let row = self.row_of(&mut a, number);
                a.user_id = None;
                (vec![a], vec![row])
            }
            Situation::UserSideOnly => {
                let mut row = self.row_of(&mut a, number);
                clear(&mut row, None);
                (vec![a], vec![row])
            }
            Situation::EmailMatch | Situation::Recreated => {
                let mut row = self.row_like(&a, number);
                row.email = a.email.as_deref().map(|email| email.to_ascii_uppercase().into());
                clear(&mut row, (situation == Situation::Recreated).then(|| self.dead_sub(number)));
                (vec![a], vec![row])
            }
            Situation::Ambiguous => {
                let first = self.row_like(&a, number);
                if n.is_multiple_of(2) {
                    let second = self.row_like(&a, number + 1);
                    (vec![a], vec![first, second])
                } else {
                    b.email = a.email.clone();
                    (vec![a, b], vec![first])
                }
            }
            Situation::RowTaken => {
                let mut row = self.row_of(&mut b, number);
                row.email = a.email.clone();
                b.email_verified = false;
                (vec![a, b], vec![row])
            }
            Situation::FederatedTwin => {
                let row = self.row_of(&mut a, number);
                federate(&mut b, number);
                b.email = a.email.clone();
                (vec![b, a], vec![row])
            }
            Situation::UnlinkedInactive => {
                match n % 3 {
                    0 => a.enabled = false,
                    1 => a.status = UserStatus::ForceChangePassword,
                    _ => {
                        a.status = UserStatus::Unconfirmed;
                        a.email_verified = false;
                    }
                }
                if n % 6 == 2 {
                    // Somebody who signed up with another's id.
                    let row = self.row_of(&mut b, number);
                    a.user_id = b.user_id.clone();
                    (vec![a, b], vec![row])
                } else {
                    (vec![a], vec![])
                }
            }
            Situation::OrphanRow | Situation::DeadSub => {
                let mut row = self.row_like(&a, number);
                row.email = (n % 4 != 1).then(|| format!("gone.person{number}@example.net").into());
                clear(&mut row, (situation == Situation::DeadSub).then(|| self.dead_sub(number)));
                (vec![], vec![row])
            }
            Situation::NoRow | Situation::Ignored | Situation::Reading | Situation::Unsettled => {
                if n % 4 == 1 {
                    a.email = None;
                    a.email_verified = false;
                    a.phone = Some(format!("+4930{:08}", number % 100_000_000).into());
                    a.phone_verified = true;
                }
                (vec![a], vec![])
            }
        };
        Case { users, rows }
    }
}

fn identity(number: u64) -> Identity {
    Identity { provider: "Google".into(), user_id: format!("1093{number:012}").into() }
}

/// Makes a profile at another provider of a user.
fn federate(user: &mut PoolUser, number: u64) {
    let Identity { provider, user_id } = identity(number);
    user.username = userlink_domain::Username::new(format!("{provider}_{user_id}"));
    user.status = UserStatus::ExternalProvider;
}

/// Every situation that the demo's world holds.
pub fn situations() -> HashSet<Situation> {
    SHARES.iter().map(|(situation, _)| *situation).collect()
}
