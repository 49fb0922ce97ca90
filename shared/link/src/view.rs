//! Which entries to show: by group, and by a text that one of their records holds.

use std::collections::HashMap;
use std::ops::Range;

use userlink_domain::{Flags, Group, RecordRef, Situation, Sub};

use crate::entry::Entry;
use crate::facts::Place;
use crate::linker::Linker;
use crate::store::Rec;

/// A place in a list of entries: the first record of one, in four bytes. It stays what it is while entries come and go around
/// it. The smaller came first, users before rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lead(u32);

impl Lead {
    pub(crate) const fn of(rec: Rec) -> Self {
        Self(rec.packed())
    }

    pub(crate) const fn rec(self) -> Option<Rec> {
        Rec::unpacked(self.0)
    }

    /// As a number.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The lead of this number.
    pub const fn from_number(number: u32) -> Self {
        Self(number)
    }

    /// Whether the entry has a user.
    pub const fn is_user(self) -> bool {
        matches!(Rec::unpacked(self.0), Some(Rec::User(_)))
    }

    /// Counted from 0, among the users or among the rows.
    pub const fn slot(self) -> u32 {
        match Rec::unpacked(self.0) {
            Some(Rec::User(slot) | Rec::Row(slot)) => slot,
            None => 0,
        }
    }
}

/// What is known of a record without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The entry that it is in.
    pub lead: Lead,
    /// Whether it is the record that leads it.
    pub leads: bool,
    /// Where it is kept.
    pub place: Place,
}

impl Linker {
    /// The entries of a group (of all where there is none) that hold the text, in the order in which their first
    /// records were read. It goes through every record once: keep the answer until something has changed.
    pub fn leads(&self, group: Option<Group>, text: &str) -> Vec<Lead> {
        let text = text.trim();
        let (users, rows) = self.store.slots();
        let all = (0..users).map(Rec::User).chain((0..rows).map(Rec::Row));
        all.filter(|rec| self.is_shown(*rec, group, text)).map(Lead::of).collect()
    }

    /// The first so many of these.
    pub fn first_leads(&self, group: Option<Group>, at_most: usize) -> Vec<Lead> {
        let (users, rows) = self.store.slots();
        let all = (0..users).map(Rec::User).chain((0..rows).map(Rec::Row));
        all.filter(|rec| self.is_shown(*rec, group, "")).map(Lead::of).take(at_most).collect()
    }

    fn is_shown(&self, rec: Rec, group: Option<Group>, text: &str) -> bool {
        let Some(entry) = self.entries.of(rec).filter(|entry| entry.lead() == Some(rec)) else { return false };
        if let Some(group) = group {
            let Some(verdict) = self.entries.get(entry).and_then(|state| state.verdict) else { return false };
            let covered = self.coverage.covers(verdict.needs);
            let situation = if covered { verdict.situation } else { Situation::Reading };
            if situation.group() != group {
                return false;
            }
        }
        text.is_empty() || self.entries.members(entry).any(|rec| self.has_text(rec, text))
    }

    /// Whether a text stands in one of the values by which a record is known.
    fn has_text(&self, rec: Rec, text: &str) -> bool {
        let holds = &mut |whole: &str| holds(whole, text);
        match rec {
            Rec::User(slot) => {
                self.store.sub_of(slot).is_some_and(|sub| holds(&sub.to_string()))
                    || self.store.user_place(slot).is_some_and(|place| self.records.user_passes(place, holds))
            }
            Rec::Row(slot) => {
                self.row_id(slot).is_some_and(|id| holds(&id.to_string()))
                    || self.store.row_place(slot).is_some_and(|place| self.records.row_passes(place, holds))
            }
        }
    }

    /// The entry at a place, with at most so many records of each kind.
    pub fn entry_of(&self, lead: Lead, at_most: usize) -> Option<Entry> {
        self.entry_at(self.entries.of(lead.rec()?)?, at_most)
    }

    /// How many users and how many rows there have been: whoever makes a list goes through all of them.
    pub fn slots(&self) -> (u32, u32) {
        self.store.slots()
    }

    /// Some of the users who are in an entry, as far as they are wanted for their slot and their place.
    pub fn users_seen(&self, slots: Range<u32>, wanted: impl Fn(u32, Place) -> bool) -> impl Iterator<Item = Seen> {
        slots.filter_map(move |slot| {
            let place = self.store.user_place(slot).filter(|place| wanted(slot, *place))?;
            self.seen(Rec::User(slot), place)
        })
    }

    /// Some of the rows that are in an entry, in the same way.
    pub fn rows_seen(&self, slots: Range<u32>, wanted: impl Fn(u32, Place) -> bool) -> impl Iterator<Item = Seen> {
        slots.filter_map(move |slot| {
            let place = self.store.row_place(slot).filter(|place| wanted(slot, *place))?;
            self.seen(Rec::Row(slot), place)
        })
    }

    fn seen(&self, rec: Rec, place: Place) -> Option<Seen> {
        let lead = self.entries.of(rec)?.lead()?;
        Some(Seen { lead: Lead::of(lead), leads: lead == rec, place })
    }

    /// The slot of an entry's first row, if it has one.
    pub fn first_row(&self, lead: Lead) -> Option<u32> {
        self.entries.first_row(self.entries.of(lead.rec()?)?)
    }

    /// The situation and the flags of an entry as they are shown.
    pub fn judged(&self, lead: Lead) -> Option<(Situation, Flags)> {
        self.judged_at(self.entries.of(lead.rec()?)?)
    }

    /// The place of the entry that a record is in.
    pub fn lead_of(&self, of: &RecordRef) -> Option<Lead> {
        self.entries.of(self.find(of)?)?.lead().map(Lead::of)
    }

    /// The users of these usernames, by them.
    pub fn users_named<'a>(&self, usernames: impl IntoIterator<Item = &'a str>) -> HashMap<&'a str, Sub> {
        let digests = &self.store.digests;
        let mut wanted: HashMap<u32, Vec<&str>> = HashMap::new();
        for username in usernames {
            digests.names(username).for_each(|name| wanted.entry(name).or_default().push(username));
        }
        let mut found = HashMap::new();
        for (slot, user) in self.store.users.iter() {
            let Some(usernames) = wanted.get(&user.name) else { continue };
            let place = self.entries.of(Rec::User(slot)).and_then(|_| self.store.user_place(slot));
            let Some(user) = place.and_then(|place| self.records.user(place)) else { continue };
            let named = usernames.iter().find(|username| **username == user.username.as_str());
            found.extend(named.map(|username| (*username, user.sub)));
        }
        found
    }

    /// Whether this is a federated profile that was joined to a native user: nobody signs in as it, so it is tied to no row.
    pub fn is_joined(&self, profile: Sub) -> bool {
        self.store.user_slot(profile).is_some_and(|slot| self.store.is_joined(slot))
    }

    /// Whether the profile was joined to just this native user.
    pub fn is_joined_to(&self, profile: Sub, native: Sub) -> bool {
        let slots = self.store.user_slot(profile).zip(self.store.user_slot(native));
        slots.is_some_and(|(profile, native)| self.store.natives_of(profile).contains(&native))
    }

    /// The record that a place is.
    pub fn record_of(&self, lead: Lead) -> Option<RecordRef> {
        self.reference(lead.rec()?)
    }

    /// One record of every entry of a situation; of all entries where there is none.
    pub fn of_situation(&self, wanted: impl Fn(Situation) -> bool) -> Vec<RecordRef> {
        let shown = self.entries.ids().filter(|entry| self.shown(*entry).is_some_and(|shown| wanted(shown.0)));
        shown.filter_map(|entry| self.reference(entry.lead()?)).collect()
    }
}

/// Whether `text` stands in `whole`, without regard to the case of ASCII letters.
fn holds(whole: &str, text: &str) -> bool {
    let (whole, text) = (whole.as_bytes(), text.as_bytes());
    whole.windows(text.len().max(1)).any(|part| part.eq_ignore_ascii_case(text))
}
