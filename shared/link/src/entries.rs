//! Which entry each record is in, what is said of it, and how entries are counted.
//!
//! An entry is known by its first record; its records are a ring. So it takes twelve bytes a record, and nothing besides.

use userlink_domain::{Flags, Situation};

use crate::column::Column;
use crate::crowd::CROWD;
use crate::keys::NONE;
use crate::rules::{Counts, Coverage};
use crate::store::Rec;

/// An entry, by its first record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct EntryId(u32);

impl EntryId {
    /// The record by which the entry is listed.
    pub(crate) const fn lead(self) -> Option<Rec> {
        Rec::unpacked(self.0)
    }
}

/// What is said of an entry, and what has to be read before it may be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) situation: Situation,
    pub(crate) flags: Flags,
    pub(crate) needs: Coverage,
}

/// What an entry is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct State {
    /// What the steps say, before anything is laid over it; `reading` where an e-mail or a crowd has to wait.
    pub(crate) situation: Situation,
    pub(crate) needs: Coverage,
    /// What is counted; none until the entry's flags have been looked at.
    pub(crate) verdict: Option<Verdict>,
}

/// What is held of a record: its entry and its neighbour in the ring; and of the first record of an entry, what the entry is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    lead: u32,
    next: u32,
    situation: Situation,
    shown: Option<Situation>,
    flags: Flags,
    /// What the entry needs, and whether the record is left to correlation.
    bits: u8,
}

impl Place {
    const FREE_BIT: u8 = 4;
    const NOWHERE: Self =
        Self { lead: NONE, next: NONE, situation: Situation::Reading, shown: None, flags: Flags::NONE, bits: 0 };

    /// A record that correlation will place.
    pub(crate) const FREE: Self = Self { bits: Self::FREE_BIT, ..Self::NOWHERE };

    /// Whether the record is left to correlation.
    pub(crate) const fn is_free(&self) -> bool {
        self.bits & Self::FREE_BIT != 0
    }

    const fn needs(&self) -> Coverage {
        Coverage::of_index(self.bits & !Self::FREE_BIT)
    }

    pub(crate) const fn is_nowhere(&self) -> bool {
        self.lead == NONE
    }

    /// The first record of an entry, or the only one.
    pub(crate) const fn first(own: Rec, next: Rec, situation: Situation, verdict: Option<Verdict>) -> Self {
        let (shown, flags) = match verdict {
            Some(verdict) => (Some(verdict.situation), verdict.flags),
            None => (None, Flags::NONE),
        };
        let (lead, next) = (own.packed(), next.packed());
        Self { lead, next, situation, shown, flags, bits: Coverage::ALL.index() as u8 }
    }

    /// The second and last record of an entry.
    pub(crate) const fn second(lead: Rec) -> Self {
        Self { lead: lead.packed(), next: lead.packed(), ..Self::NOWHERE }
    }

    /// The same, of a record that is left to correlation.
    pub(crate) const fn freed(self) -> Self {
        Self { bits: self.bits | Self::FREE_BIT, ..self }
    }
}

/// All entries, and the counts.
#[derive(Clone, Debug)]
pub(crate) struct Entries {
    pub(crate) users: Column<Place>,
    pub(crate) rows: Column<Place>,
    /// How many entries are crowds.
    crowds: usize,
    /// By what has to be read first, so that the end of a side changes no verdict that was made.
    pub(crate) tally: [Counts; 4],
}

impl Entries {
    pub(crate) fn new() -> Self {
        Self { users: Column::new(), rows: Column::new(), crowds: 0, tally: [Counts::ZERO; 4] }
    }

    /// Makes room for so many users and rows.
    pub(crate) fn resize(&mut self, (users, rows): (u32, u32)) {
        (self.users.len() as u32..users).for_each(|_| self.users.push(Place::NOWHERE));
        (self.rows.len() as u32..rows).for_each(|_| self.rows.push(Place::NOWHERE));
    }

    /// No entry, and nothing counted, of so many users and rows.
    pub(crate) fn clear(&mut self, (users, rows): (u32, u32), threads: usize) {
        self.users.fill(users, Place::NOWHERE, threads);
        self.rows.fill(rows, Place::NOWHERE, threads);
        (self.crowds, self.tally) = (0, [Counts::ZERO; 4]);
    }

    fn place(&self, rec: Rec) -> Option<&Place> {
        match rec {
            Rec::User(slot) => self.users.get(slot),
            Rec::Row(slot) => self.rows.get(slot),
        }
    }

    fn place_mut(&mut self, rec: Rec) -> Option<&mut Place> {
        match rec {
            Rec::User(slot) => self.users.get_mut(slot),
            Rec::Row(slot) => self.rows.get_mut(slot),
        }
    }

    pub(crate) fn is_free(&self, rec: Rec) -> bool {
        self.place(rec).is_some_and(Place::is_free)
    }

    pub(crate) fn set_free(&mut self, rec: Rec, free: bool) {
        if let Some(place) = self.place_mut(rec) {
            place.bits = place.bits & !Place::FREE_BIT | if free { Place::FREE_BIT } else { 0 };
        }
    }

    pub(crate) fn get(&self, entry: EntryId) -> Option<State> {
        let place = self.place(entry.lead()?).filter(|place| place.lead == entry.0)?;
        let (needs, flags) = (place.needs(), place.flags);
        let verdict = place.shown.map(|situation| Verdict { situation, flags, needs });
        Some(State { situation: place.situation, needs, verdict })
    }

    /// Every entry.
    pub(crate) fn ids(&self) -> impl Iterator<Item = EntryId> {
        let users = self.users.iter().map(|(slot, place)| (Rec::User(slot).packed(), place.lead));
        let all = users.chain(self.rows.iter().map(|(slot, place)| (Rec::Row(slot).packed(), place.lead)));
        all.filter(|(rec, lead)| rec == lead).map(|(_, lead)| EntryId(lead))
    }

    /// How many entries are crowds.
    pub(crate) fn crowds(&self) -> usize {
        self.crowds
    }

    /// The records of an entry: its users, then its rows, each in the order of their coming.
    pub(crate) fn members(&self, entry: EntryId) -> impl Iterator<Item = Rec> + Clone {
        let first = entry.lead().filter(|lead| self.place(*lead).is_some_and(|place| place.lead == entry.0));
        std::iter::successors(first, move |at| {
            let next = self.place(*at)?.next;
            if next == entry.0 { None } else { Rec::unpacked(next) }
        })
    }

    pub(crate) fn users(&self, entry: EntryId) -> impl Iterator<Item = u32> + Clone {
        self.members(entry).map_while(|rec| match rec {
            Rec::User(slot) => Some(slot),
            Rec::Row(_) => None,
        })
    }

    pub(crate) fn rows(&self, entry: EntryId) -> impl Iterator<Item = u32> + Clone {
        self.members(entry).filter_map(|rec| match rec {
            Rec::User(_) => None,
            Rec::Row(slot) => Some(slot),
        })
    }

    /// The first row of an entry. Nothing is looked at behind it: what lies elsewhere in memory takes its time.
    pub(crate) fn first_row(&self, entry: EntryId) -> Option<u32> {
        let mut at = entry.lead()?;
        while let Rec::User(_) = at {
            let next = self.place(at)?.next;
            at = Rec::unpacked(next).filter(|_| next != entry.0)?;
        }
        if let Rec::Row(slot) = at { Some(slot) } else { None }
    }

    /// How many records an entry has.
    pub(crate) fn size(&self, entry: EntryId) -> usize {
        self.members(entry).count()
    }

    pub(crate) fn is_crowd(&self, entry: EntryId) -> bool {
        self.members(entry).nth(CROWD - 1).is_some()
    }

    pub(crate) fn of(&self, rec: Rec) -> Option<EntryId> {
        self.place(rec).map(|place| place.lead).filter(|lead| *lead != NONE).map(EntryId)
    }

    /// Makes an entry of records that are in none. Both lists are in the order of their coming.
    pub(crate) fn create(
        &mut self,
        situation: Situation,
        users: &[u32],
        rows: &[u32],
        needs: Coverage,
    ) -> Option<EntryId> {
        let all = users.iter().map(|slot| Rec::User(*slot)).chain(rows.iter().map(|slot| Rec::Row(*slot)));
        let lead = all.clone().next()?;
        let next = all.clone().skip(1).map(Rec::packed).chain([lead.packed()]);
        for (rec, next) in all.zip(next) {
            if let Some(place) = self.place_mut(rec) {
                *place = Place { lead: lead.packed(), next, bits: place.bits & Place::FREE_BIT, ..Place::NOWHERE };
            }
        }
        if let Some(place) = self.place_mut(lead) {
            place.situation = situation;
            place.bits |= needs.index() as u8;
        }
        self.crowds += usize::from(users.len() + rows.len() >= CROWD);
        Some(EntryId(lead.packed()))
    }

    /// Takes the entry apart, and gives the records that were in it.
    pub(crate) fn dissolve(&mut self, entry: EntryId) -> Vec<Rec> {
        self.retally(entry, None);
        let records: Vec<Rec> = self.members(entry).collect();
        self.crowds -= usize::from(records.len() >= CROWD);
        for rec in &records {
            if let Some(place) = self.place_mut(*rec) {
                *place = Place { bits: place.bits & Place::FREE_BIT, ..Place::NOWHERE };
            }
        }
        records
    }

    /// Gives the entry its verdict, and counts it; true if it is another one than before.
    pub(crate) fn retally(&mut self, entry: EntryId, verdict: Option<Verdict>) -> bool {
        let Some(before) = self.get(entry).map(|state| state.verdict) else { return false };
        if let Some(before) = before {
            self.tally[before.needs.index()].take_off(before.situation, before.flags);
        }
        if let Some(verdict) = verdict {
            self.tally[verdict.needs.index()].add(verdict.situation, verdict.flags);
        }
        if let Some(place) = entry.lead().and_then(|lead| self.place_mut(lead)) {
            place.shown = verdict.map(|verdict| verdict.situation);
            place.flags = verdict.map(|verdict| verdict.flags).unwrap_or_default();
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
                sum = sum.plus(part);
            } else {
                sum.situations[Situation::Reading as usize] += part.entries();
            }
        }
        if coverage != Coverage::ALL {
            sum.flags = Counts::ZERO.flags;
        }
        sum
    }
}
