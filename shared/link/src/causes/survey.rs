//! Looks at what was read, a piece at a time, so that nobody waits for it; with ten million records as with a thousand it
//! takes in a few tens of thousands of them.

use userlink_domain::{Group, PoolUser, Situation, UserStatus};

use super::{Cause, Circumstances, find};
use crate::linker::Linker;
use crate::store::Rec;

/// Of a situation so many entries are looked at, spread evenly; and so many users and rows to compare with.
const LOOKED_AT: usize = 10_000;
/// To find out what an entry is costs this little beside reading one of its records.
const SWEEP: usize = 200;
/// More providers than these are not told apart.
const PROVIDERS: usize = 200;

/// What is compared of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) situation: Situation,
    /// Seconds since 1970.
    pub(super) made: Option<i64>,
    /// Which of the known ones; none for a row.
    pub(super) status: Option<u8>,
    /// Which of the survey's providers.
    pub(super) provider: Option<u8>,
    /// Whether the user should be linked.
    pub(super) expected: bool,
}

/// Some of many, spread evenly: every one at first, then every second of them, every fourth, and so on.
#[derive(Debug)]
pub(super) struct Spread<T> {
    pub(super) taken: Vec<T>,
    pub(super) all: u64,
    /// Each that was taken stands for so many.
    pub(super) each: u64,
}

impl<T: Copy> Spread<T> {
    const fn new() -> Self {
        Self { taken: Vec::new(), all: 0, each: 1 }
    }

    fn add(&mut self, one: T) {
        if self.all.is_multiple_of(self.each) {
            if self.taken.len() == LOOKED_AT {
                let mut nth = 0;
                self.taken.retain(|_| {
                    nth += 1;
                    nth % 2 == 1
                });
                self.each *= 2;
                if !self.all.is_multiple_of(self.each) {
                    self.all += 1;
                    return;
                }
            }
            self.taken.push(one);
        }
        self.all += 1;
    }
}

/// How far it has come.
#[derive(Debug)]
enum At {
    Users(u32),
    Rows(u32),
    Reading { of: usize, next: usize },
    Over,
}

/// A look at everything that was read.
#[derive(Debug)]
pub struct Survey {
    at: At,
    /// The entries of each situation that is to be explained, and the users and rows to compare with.
    entries: Vec<Spread<Rec>>,
    users: Spread<(Rec, Situation)>,
    rows: Spread<(Rec, Situation)>,
    pub(super) seen: Vec<Vec<Seen>>,
    pub(super) other_users: Vec<Seen>,
    pub(super) other_rows: Vec<Seen>,
    pub(super) providers: Vec<Box<str>>,
}

impl Default for Survey {
    fn default() -> Self {
        Self::new()
    }
}

impl Survey {
    /// A look that has not begun.
    pub fn new() -> Self {
        Self {
            at: At::Users(0),
            entries: Situation::ALL.iter().map(|_| Spread::new()).collect(),
            users: Spread::new(),
            rows: Spread::new(),
            seen: Situation::ALL.iter().map(|_| Vec::new()).collect(),
            other_users: Vec::new(),
            other_rows: Vec::new(),
            providers: Vec::new(),
        }
    }

    /// Looks at so many more records, a little more or less. True when it is over.
    pub fn go_on(&mut self, linker: &Linker, records: usize) -> bool {
        let (users, rows) = linker.store.slots();
        let mut left = records.saturating_mul(SWEEP);
        while left > 0 {
            match self.at {
                At::Users(slot) if slot < users => {
                    left -= 1;
                    self.meet(linker, Rec::User(slot));
                    self.at = At::Users(slot + 1);
                }
                At::Users(_) => self.at = At::Rows(0),
                At::Rows(slot) if slot < rows => {
                    left -= 1;
                    self.meet(linker, Rec::Row(slot));
                    self.at = At::Rows(slot + 1);
                }
                At::Rows(_) => self.at = At::Reading { of: 0, next: 0 },
                At::Reading { of, next } => {
                    left = left.saturating_sub(SWEEP);
                    self.read(linker, of, next);
                }
                At::Over => return true,
            }
        }
        matches!(self.at, At::Over)
    }

    fn meet(&mut self, linker: &Linker, rec: Rec) {
        let Some(entry) = linker.entries.of(rec) else { return };
        let Some(situation) = linker.situation_of(entry) else { return };
        match rec {
            Rec::User(_) => self.users.add((rec, situation)),
            Rec::Row(_) => self.rows.add((rec, situation)),
        }
        if is_asked(situation)
            && entry.lead() == Some(rec)
            && let Some(entries) = self.entries.get_mut(situation as usize)
        {
            entries.add(rec);
        }
    }

    /// Reads the next of what was taken: first the entries by their situations, then the users and the rows.
    fn read(&mut self, linker: &Linker, of: usize, next: usize) {
        let count = Situation::ALL.len();
        let found = match of {
            _ if of < count => self.entries[of].taken.get(next).map(|rec| (*rec, Situation::ALL[of])),
            _ if of == count => self.users.taken.get(next).copied(),
            _ if of == count + 1 => self.rows.taken.get(next).copied(),
            _ => {
                self.at = At::Over;
                return;
            }
        };
        let Some((rec, situation)) = found else {
            self.at = At::Reading { of: of + 1, next: 0 };
            return;
        };
        self.at = At::Reading { of, next: next + 1 };
        let seen = match rec {
            Rec::User(slot) => linker.read_user(slot).map(|user| self.see_user(&user, situation)),
            Rec::Row(slot) => linker.read_row(slot).map(|row| Seen {
                situation,
                made: row.created_at.map(|at| at.as_millis().div_euclid(1000)),
                status: None,
                provider: None,
                expected: false,
            }),
        };
        let into = match of {
            _ if of < count => &mut self.seen[of],
            _ if of == count => &mut self.other_users,
            _ => &mut self.other_rows,
        };
        into.extend(seen);
    }

    fn see_user(&mut self, user: &PoolUser, situation: Situation) -> Seen {
        let provider = user.is_federated().then(|| user.username.as_str().split_once('_')).flatten();
        let provider = provider.and_then(|(name, _)| match self.providers.iter().position(|known| **known == *name) {
            Some(at) => u8::try_from(at).ok(),
            None if self.providers.len() < PROVIDERS => {
                self.providers.push(name.into());
                u8::try_from(self.providers.len() - 1).ok()
            }
            None => None,
        });
        Seen {
            situation,
            made: user.created.map(|at| at.as_millis().div_euclid(1000)),
            status: KNOWN.iter().position(|known| *known == user.status).and_then(|at| u8::try_from(at).ok()),
            provider,
            expected: user.is_expected(),
        }
    }

    /// The entries of a situation: how many there are, and for how many each that was looked at stands.
    pub(super) fn of(&self, situation: Situation) -> (&[Seen], u64, u64) {
        let at = situation as usize;
        (&self.seen[at], self.entries[at].all, self.entries[at].each)
    }

    /// For how many users, and for how many rows, each that was looked at stands.
    pub(super) fn each(&self) -> (u64, u64) {
        (self.users.each, self.rows.each)
    }

    /// What was found, the largest first.
    pub fn causes(&self, circumstances: &Circumstances) -> Vec<Cause> {
        find::causes(self, circumstances)
    }
}

/// The statuses that are told apart.
pub(super) const KNOWN: [UserStatus; 5] = [
    UserStatus::Unconfirmed,
    UserStatus::Confirmed,
    UserStatus::ExternalProvider,
    UserStatus::ResetRequired,
    UserStatus::ForceChangePassword,
];

/// Whether somebody will ask why there are entries of this situation.
pub(super) fn is_asked(situation: Situation) -> bool {
    match situation.group() {
        Group::Unlinked | Group::Duplicate | Group::Conflict | Group::Orphan => true,
        Group::Expected | Group::Linked | Group::Unsettled => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_a_few_are_taken_and_they_are_spread_evenly() {
        let mut spread = Spread::new();
        for n in 0..1_000_000_u32 {
            spread.add(n);
        }
        assert_eq!(spread.all, 1_000_000);
        assert!((LOOKED_AT / 2..=LOOKED_AT).contains(&spread.taken.len()), "{}", spread.taken.len());
        for (at, n) in (0..).zip(&spread.taken) {
            assert_eq!(u64::from(*n), at * spread.each);
        }
    }
}
