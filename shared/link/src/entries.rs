//! Where the entries are kept, and how they are counted.

use userlink_domain::{Flags, Situation};

use crate::component::Component;
use crate::crowd::CROWD;
use crate::rules::{Counts, Coverage};
use crate::store::Rec;

/// The records of an entry. Nearly all have one user and one row at most.
#[derive(Debug)]
pub(crate) enum Members {
    Few { user: Option<u32>, row: Option<u32> },
    Many(Box<Component>),
}

impl Members {
    pub(crate) fn new(users: Vec<u32>, rows: Vec<u32>) -> Self {
        match (&users[..], &rows[..]) {
            ([] | [_], [] | [_]) => Self::Few { user: users.first().copied(), row: rows.first().copied() },
            _ => Self::Many(Box::new(Component { users, rows })),
        }
    }

    pub(crate) fn users(&self) -> &[u32] {
        match self {
            Self::Few { user, .. } => user.as_slice(),
            Self::Many(component) => &component.users,
        }
    }

    pub(crate) fn rows(&self) -> &[u32] {
        match self {
            Self::Few { row, .. } => row.as_slice(),
            Self::Many(component) => &component.rows,
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = Rec> {
        let users = self.users().iter().map(|slot| Rec::User(*slot));
        users.chain(self.rows().iter().map(|slot| Rec::Row(*slot)))
    }

    /// The record by which the entry is listed.
    pub(crate) fn lead(&self) -> Option<Rec> {
        self.all().next()
    }
}

/// What is said of an entry, and what has to be read before it may be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) situation: Situation,
    pub(crate) flags: Flags,
    pub(crate) needs: Coverage,
}

#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) members: Members,
    /// What the steps say, before anything is laid over it; `reading` where an e-mail or a crowd has to wait.
    pub(crate) situation: Situation,
    pub(crate) needs: Coverage,
    /// What is counted; none until the entry's flags have been looked at.
    pub(crate) verdict: Option<Verdict>,
}

/// All entries, which of them each record is in, and the counts.
#[derive(Debug)]
pub(crate) struct Entries {
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
    of_user: Vec<u32>,
    of_row: Vec<u32>,
    /// How many entries are crowds.
    crowds: usize,
    /// By what has to be read first, so that the end of a side changes no verdict that was made.
    tally: [Counts; 4],
}

const NONE: u32 = u32::MAX;

impl Entries {
    pub(crate) fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            of_user: Vec::new(),
            of_row: Vec::new(),
            crowds: 0,
            tally: [Counts::ZERO; 4],
        }
    }

    pub(crate) fn get(&self, entry: u32) -> Option<&Slot> {
        self.slots.get(entry as usize).and_then(Option::as_ref)
    }

    /// Every entry.
    pub(crate) fn ids(&self) -> impl Iterator<Item = u32> {
        (0..).zip(&self.slots).filter(|(_, slot)| slot.is_some()).map(|(entry, _)| entry)
    }

    /// How many entries are crowds.
    pub(crate) fn crowds(&self) -> usize {
        self.crowds
    }

    /// How many records an entry has.
    pub(crate) fn size(&self, entry: u32) -> usize {
        self.get(entry).map_or(0, |slot| slot.members.users().len() + slot.members.rows().len())
    }

    pub(crate) fn of(&self, rec: Rec) -> Option<u32> {
        let entry = match rec {
            Rec::User(slot) => self.of_user.get(slot as usize),
            Rec::Row(slot) => self.of_row.get(slot as usize),
        };
        entry.copied().filter(|entry| *entry != NONE)
    }

    pub(crate) fn create(&mut self, situation: Situation, users: Vec<u32>, rows: Vec<u32>, needs: Coverage) -> u32 {
        let slot = Slot { members: Members::new(users, rows), situation, needs, verdict: None };
        let entry = match self.free.pop() {
            Some(entry) => entry,
            None => {
                self.slots.push(None);
                u32::try_from(self.slots.len() - 1).unwrap_or(NONE)
            }
        };
        for rec in slot.members.all() {
            let (of, at) = match rec {
                Rec::User(at) => (&mut self.of_user, at as usize),
                Rec::Row(at) => (&mut self.of_row, at as usize),
            };
            if of.len() <= at {
                of.resize(at + 1, NONE);
            }
            of[at] = entry;
        }
        self.slots[entry as usize] = Some(slot);
        self.crowds += usize::from(self.size(entry) >= CROWD);
        entry
    }

    /// Takes the entry apart, and gives the records that were in it.
    pub(crate) fn dissolve(&mut self, entry: u32) -> Vec<Rec> {
        self.retally(entry, None);
        self.crowds -= usize::from(self.size(entry) >= CROWD);
        let Some(slot) = self.slots.get_mut(entry as usize).and_then(Option::take) else { return Vec::new() };
        self.free.push(entry);
        let records: Vec<Rec> = slot.members.all().collect();
        for rec in &records {
            match rec {
                Rec::User(at) => self.of_user[*at as usize] = NONE,
                Rec::Row(at) => self.of_row[*at as usize] = NONE,
            }
        }
        records
    }

    /// Gives the entry its verdict, and counts it; true if it is another one than before.
    pub(crate) fn retally(&mut self, entry: u32, verdict: Option<Verdict>) -> bool {
        let Some(slot) = self.slots.get_mut(entry as usize).and_then(Option::as_mut) else { return false };
        let before = std::mem::replace(&mut slot.verdict, verdict);
        if let Some(before) = before {
            let counts = &mut self.tally[before.needs.index()];
            counts.situations[before.situation as usize] -= 1;
            before.flags.iter().for_each(|flag| counts.flags[flag as usize] -= 1);
        }
        if let Some(verdict) = verdict {
            let counts = &mut self.tally[verdict.needs.index()];
            counts.situations[verdict.situation as usize] += 1;
            verdict.flags.iter().for_each(|flag| counts.flags[flag as usize] += 1);
        }
        before != verdict
    }

    /// The counts as they are to be shown at this coverage: what is not covered is `reading`, and says nothing else; no
    /// flag is shown before everything has been read.
    pub(crate) fn counts(&self, coverage: Coverage) -> Counts {
        let mut sum = Counts::ZERO;
        for needs in [(false, false), (false, true), (true, false), (true, true)] {
            let needs = Coverage { users: needs.0, rows: needs.1 };
            let part = &self.tally[needs.index()];
            if coverage.covers(needs) {
                sum.situations.iter_mut().zip(part.situations).for_each(|(sum, part)| *sum += part);
                if coverage == Coverage::ALL {
                    sum.flags.iter_mut().zip(part.flags).for_each(|(sum, part)| *sum += part);
                }
            } else {
                sum.situations[Situation::Reading as usize] += part.entries();
            }
        }
        sum
    }
}
