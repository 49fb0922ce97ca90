//! The linker: what it is told, and what it is asked.

use rustc_hash::{FxHashMap, FxHashSet};
use userlink_domain::{Flag, Flags, PoolUser, RecordRef, Row, RowId, Situation, Sub};

use crate::again::Work;
use crate::anew::Aside;
use crate::correlate::Parts;
use crate::crowd::Waiting;
use crate::dismissed::Evidence;
use crate::entries::{Entries, EntryId};
use crate::entry::Entry;
use crate::facts::{Digests, Place, RowFacts, TextsAs, UserFacts};
use crate::records::{InMemory, Records};
use crate::rules::{Change, Counts, Coverage, Delta, Rules};
use crate::store::{Compared, Rec, Store};

/// More records of one e-mail than these are not gone through for a guess.
const GUESS_AT_MOST: usize = 1_000;

/// Into how many parts keys are divided. A part that grows is copied: with ten million keys that takes a moment.
const PARTS: usize = 64;
/// Where all is taken in at once, so many keys make a part: they fit into a processor's own memory.
const KEYS_A_PART: u64 = 16_384;
const PARTS_AT_MOST: usize = 1_024;
/// So many records are gathered at most before they are taken in: each takes 48 bytes more until then.
const GATHERED: usize = 4_000_000;

/// Records in, entries out.
#[derive(Debug)]
pub struct Linker {
    pub(crate) rules: Rules,
    pub(crate) store: Store,
    pub(crate) records: Box<dyn Records>,
    pub(crate) entries: Entries,
    pub(crate) coverage: Coverage,
    pub(crate) unsettled: FxHashSet<Rec>,
    pub(crate) waiting: Waiting,
    pub(crate) dismissed: FxHashMap<RecordRef, Evidence>,
    /// Users who were contained.
    pub(crate) contained: FxHashSet<Sub>,
    /// Entries are made when everything has been read, and not before.
    gathers: bool,
}

impl Linker {
    /// A linker that keeps the records in memory.
    pub fn new(rules: Rules) -> Self {
        Self::with_records(rules, Box::<InMemory>::default())
    }

    /// A linker that keeps records where it is told to, and only what it compares in memory.
    pub fn with_records(rules: Rules, records: Box<dyn Records>) -> Self {
        Self {
            store: Store::new(rules.id_kind, PARTS, Digests::new()),
            rules,
            records,
            entries: Entries::new(),
            coverage: Coverage::default(),
            unsettled: FxHashSet::default(),
            waiting: Waiting::default(),
            dismissed: FxHashMap::default(),
            contained: FxHashSet::default(),
            gathers: false,
        }
    }

    /// Makes no entries before both sides have been read to their ends, and then all at once, of about so many records: that
    /// is quicker where nobody looks on.
    pub fn gathering(self, about: u64) -> Self {
        let parts = usize::try_from(about / KEYS_A_PART).unwrap_or(usize::MAX);
        let parts = parts.clamp(1, PARTS_AT_MOST).next_power_of_two();
        Self { store: Store::new(self.rules.id_kind, parts, self.store.digests), gathers: true, ..self }
    }

    /// Compares something else in the place of each e-mail and username: what is equal has to stay equal, and nothing else become
    /// so.
    pub fn comparing_texts_as(mut self, texts_as: TextsAs) -> Self {
        self.store.digests.compare_texts_as(texts_as);
        self
    }

    /// One run over everything, both sides read to their ends.
    pub fn bulk(users: Vec<PoolUser>, rows: Vec<Row>, rules: Rules) -> Self {
        let mut linker = Self::new(rules).gathering((users.len() + rows.len()) as u64);
        for user in users {
            linker.apply(&[Change::User(user)]);
        }
        for row in rows {
            linker.apply(&[Change::Row(row)]);
        }
        linker.apply(&[Change::Covered(Coverage::ALL)]);
        linker
    }

    /// Takes changes in, and says which entries are different after them. Batches may be of any size and come in any
    /// order.
    pub fn apply(&mut self, changes: &[Change]) -> Delta {
        let (covered, writable) = (self.coverage, self.rules.writable);
        // What the batch touches depends on how far both sides have been read when it is over.
        let now = changes.iter().rev().find_map(|change| match change {
            Change::Covered(coverage) => Some(*coverage),
            Change::User(_)
            | Change::Row(_)
            | Change::UserGone(_)
            | Change::RowGone(_)
            | Change::Writable(_)
            | Change::Unsettled(_)
            | Change::Dismissed(..)
            | Change::Contained(..) => None,
        });
        self.coverage = now.unwrap_or(covered);
        let mut work = Work::default();
        for change in changes {
            if self.gathers {
                match change {
                    Change::User(user) => {
                        let mut facts = self.store.digests.user(user, self.rules.id_kind);
                        facts.place = self.records.put_user(user);
                        self.store.gather_user(user, &facts, &*self.records);
                        self.take_in_if_many();
                        continue;
                    }
                    Change::Row(row) => {
                        let mut facts = self.store.digests.row(row);
                        facts.place = self.records.put_row(row);
                        self.store.gather_row(&facts);
                        self.take_in_if_many();
                        continue;
                    }
                    // The others are about records that have been read.
                    Change::UserGone(_)
                    | Change::RowGone(_)
                    | Change::Covered(_)
                    | Change::Writable(_)
                    | Change::Unsettled(_)
                    | Change::Dismissed(..)
                    | Change::Contained(..) => self.take_in(),
                }
            }
            self.take(change, &mut work);
        }
        let all = covered != self.coverage || writable != self.rules.writable;
        let just_read = covered != Coverage::ALL && self.coverage == Coverage::ALL;
        let changed = if just_read {
            self.gathers = false;
            self.judge_all();
            self.judge_dismissed();
            Vec::new()
        } else if self.gathers {
            Vec::new()
        } else {
            self.look_again(work, covered)
        };
        Delta { changed, all }
    }

    /// Takes in one change; what it touches is looked at later.
    fn take(&mut self, change: &Change, work: &mut Work) {
        match change {
            Change::User(user) => self.take_user(user, None, work),
            Change::Row(row) => self.take_row(row, None, work),
            Change::UserGone(sub) => {
                self.store.user_slot(*sub).into_iter().for_each(|slot| self.remove(Rec::User(slot), work))
            }
            Change::RowGone(id) => {
                self.store.row_slot(id).into_iter().for_each(|slot| self.remove(Rec::Row(slot), work))
            }
            Change::Covered(_) => {}
            Change::Writable(writable) => self.rules.writable = *writable,
            Change::Unsettled(of) => {
                if let Some(rec) = self.find(of) {
                    self.unsettled.insert(rec);
                    work.judge.insert(rec);
                }
            }
            Change::Dismissed(of, evidence) => {
                match evidence {
                    Some(evidence) => drop(self.dismissed.insert(of.clone(), *evidence)),
                    None => drop(self.dismissed.remove(of)),
                }
                work.judge.extend(self.find(of));
            }
            Change::Contained(sub, is_contained) => {
                if *is_contained {
                    self.contained.insert(*sub);
                } else {
                    self.contained.remove(sub);
                }
                work.judge.extend(self.find(&RecordRef::User(*sub)));
            }
        }
    }

    fn remove(&mut self, rec: Rec, work: &mut Work) {
        self.touch(rec, work);
        self.unsettled.remove(&rec);
        self.store.last_place(rec).into_iter().for_each(|place| self.records.supersede(place));
        match rec {
            Rec::User(slot) => self.store.remove_user(slot),
            Rec::Row(slot) => self.store.remove_row(slot),
        }
    }

    /// Forgets records, as far as they are there.
    pub(crate) fn forget(&mut self, records: impl Iterator<Item = Rec>) {
        self.take_in();
        let mut work = Work::default();
        for rec in records.filter(|rec| self.store.is_there(*rec)).collect::<Vec<_>>() {
            self.remove(rec, &mut work);
        }
        if !self.gathers {
            drop(self.look_again(work, self.coverage));
        }
    }

    /// Takes in what was put aside, in its order. False where some of it cannot be read any more.
    pub(crate) fn take_aside<'a>(&mut self, aside: impl Iterator<Item = &'a Aside>) -> bool {
        let (mut work, mut all_there) = (Work::default(), true);
        for it in aside {
            match it {
                Aside::User(place) => match self.records.user(*place) {
                    Some(user) => self.take_user(&user, Some(*place), &mut work),
                    None => all_there = false,
                },
                Aside::Row(place) => match self.records.row(*place) {
                    Some(row) => self.take_row(&row, Some(*place), &mut work),
                    None => all_there = false,
                },
                Aside::Change(change) => self.take(change, &mut work),
            }
        }
        drop(self.look_again(work, self.coverage));
        all_there
    }

    /// What would take back all that people have decided by now.
    pub fn taken_back(&self) -> Vec<Change> {
        let dismissed = self.dismissed.keys().map(|of| Change::Dismissed(of.clone(), None));
        dismissed.chain(self.contained.iter().map(|sub| Change::Contained(*sub, false))).collect()
    }

    /// Makes the entries of a linker that gathers, though not everything has been read, and may never be.
    pub fn end_gathering(&mut self) {
        if std::mem::take(&mut self.gathers) {
            self.take_in();
            let work = self.all_of_it();
            drop(self.look_again(work, self.coverage));
        }
    }

    fn take_in_if_many(&mut self) {
        if self.store.gathered() >= GATHERED {
            self.take_in();
        }
    }

    /// Takes in what was gathered.
    pub(crate) fn take_in(&mut self) {
        for rec in self.store.take_in() {
            self.unsettled.remove(&rec);
        }
    }

    fn touch(&self, rec: Rec, work: &mut Work) {
        match rec {
            _ if self.gathers => {}
            Rec::User(slot) => self.touch_user(slot, work),
            Rec::Row(slot) => self.touch_row(slot, work),
        }
    }

    /// A user is the same in all that is compared, and lies elsewhere by now.
    pub(crate) fn move_user(&mut self, slot: u32, facts: &UserFacts) {
        self.store.user_place(slot).into_iter().for_each(|place| self.records.supersede(place));
        self.store.move_user(slot, facts);
    }

    pub(crate) fn move_row(&mut self, slot: u32, facts: &RowFacts) {
        self.store.row_place(slot).into_iter().for_each(|place| self.records.supersede(place));
        self.store.move_row(slot, facts);
    }

    /// `kept` is where it lies already, where it does.
    fn take_user(&mut self, user: &PoolUser, kept: Option<Place>, work: &mut Work) {
        let mut facts = self.store.digests.user(user, self.rules.id_kind);
        if let Some(slot) = self.store.user_slot(user.sub) {
            if self.unsettled.remove(&Rec::User(slot)) {
                work.judge.insert(Rec::User(slot));
            }
            match self.store.compare_user(slot, &facts) {
                // A listing that began anew reads most users as they were.
                Compared::Same => return kept.into_iter().for_each(|place| self.records.supersede(place)),
                Compared::LooksDifferent => {
                    facts.place = kept.unwrap_or_else(|| self.records.put_user(user));
                    self.move_user(slot, &facts);
                    return;
                }
                Compared::Different => self.touch(Rec::User(slot), work),
            }
            self.store.user_place(slot).into_iter().for_each(|place| self.records.supersede(place));
        }
        facts.place = kept.unwrap_or_else(|| self.records.put_user(user));
        let slot = self.store.put_user(user, &facts, &*self.records);
        self.touch(Rec::User(slot), work);
    }

    fn take_row(&mut self, row: &Row, kept: Option<Place>, work: &mut Work) {
        let mut facts = self.store.digests.row(row);
        if let Some(slot) = self.store.row_slot(&row.id) {
            if self.unsettled.remove(&Rec::Row(slot)) {
                work.judge.insert(Rec::Row(slot));
            }
            match self.store.compare_row(slot, &facts) {
                Compared::Same => return kept.into_iter().for_each(|place| self.records.supersede(place)),
                Compared::LooksDifferent => {
                    facts.place = kept.unwrap_or_else(|| self.records.put_row(row));
                    self.move_row(slot, &facts);
                    return;
                }
                Compared::Different => self.touch(Rec::Row(slot), work),
            }
            self.store.row_place(slot).into_iter().for_each(|place| self.records.supersede(place));
        }
        facts.place = kept.unwrap_or_else(|| self.records.put_row(row));
        let slot = self.store.put_row(&facts);
        self.touch(Rec::Row(slot), work);
    }

    /// How many entries there are, by situation and by flag, at what has been read so far.
    pub fn counts(&self) -> Counts {
        let counts = self.entries.counts(self.coverage);
        if self.rules.writable == Some(true) { counts.with_writable() } else { counts }
    }

    /// How far both sides have been read.
    pub fn coverage(&self) -> Coverage {
        self.coverage
    }

    /// How many records there are: (users, rows).
    pub fn len(&self) -> (usize, usize) {
        self.store.len()
    }

    /// Whether there is no record at all.
    pub fn is_empty(&self) -> bool {
        self.len() == (0, 0)
    }

    /// How many rows have something in their sub that is no sub.
    pub fn malformed_subs(&self) -> u64 {
        self.store.malformed_subs()
    }

    /// What would say again of a record that a change is about that it is unsettled, where it is.
    pub fn held_unsettled(&self, change: &Change) -> Option<Change> {
        let of = match change {
            Change::User(PoolUser { sub, .. }) | Change::UserGone(sub) => RecordRef::User(*sub),
            Change::Row(Row { id, .. }) | Change::RowGone(id) => RecordRef::Row(id.clone()),
            Change::Unsettled(_)
            | Change::Covered(_)
            | Change::Writable(_)
            | Change::Dismissed(..)
            | Change::Contained(..) => return None,
        };
        self.find(&of).is_some_and(|rec| self.unsettled.contains(&rec)).then_some(Change::Unsettled(of))
    }

    /// What would bring a record that a change is about back to what it is now.
    pub fn held(&self, change: &Change) -> Option<Change> {
        match change {
            Change::User(PoolUser { sub, .. }) | Change::UserGone(sub) => {
                let held = self.store.user_slot(*sub).map(|slot| self.read_user(slot));
                held.map_or(Some(Change::UserGone(*sub)), |user| user.map(Change::User))
            }
            Change::Row(Row { id, .. }) | Change::RowGone(id) => {
                let held = self.store.row_slot(id).map(|slot| self.read_row(slot));
                held.map_or(Some(Change::RowGone(id.clone())), |row| row.map(Change::Row))
            }
            Change::Dismissed(of, _) => Some(Change::Dismissed(of.clone(), self.dismissed.get(of).copied())),
            Change::Contained(sub, _) => Some(Change::Contained(*sub, self.contained.contains(sub))),
            Change::Covered(_) | Change::Writable(_) | Change::Unsettled(_) => None,
        }
    }

    /// A user as it was read.
    pub(crate) fn read_user(&self, slot: u32) -> Option<PoolUser> {
        self.records.user(self.store.user_place(slot)?)
    }

    /// A row as it was read.
    pub(crate) fn read_row(&self, slot: u32) -> Option<Row> {
        self.records.row(self.store.row_place(slot)?)
    }

    pub(crate) fn row_id(&self, slot: u32) -> Option<RowId> {
        self.store.id_of(slot).or_else(|| self.read_row(slot).map(|row| row.id))
    }

    /// Users whose username has another user, too, who was created later: they were deleted while the pool was being read,
    /// and made anew.
    pub fn replaced(&mut self) -> Vec<Sub> {
        self.take_in();
        let mut replaced = Vec::new();
        for alike in self.store.users_of_like_names() {
            let mut alike: Vec<(u32, PoolUser)> =
                alike.into_iter().filter_map(|slot| Some((slot, self.read_user(slot)?))).collect();
            alike.sort_by(|(slot, user), (other, than)| {
                (&user.username, user.created, slot).cmp(&(&than.username, than.created, other))
            });
            let followed = alike.windows(2).filter(|two| two[0].1.username == two[1].1.username);
            replaced.extend(followed.map(|two| two[0].1.sub));
        }
        replaced
    }

    /// Whether a user of the entry of this record was contained, and no repair has written the `user_id` since.
    pub fn is_contained(&self, of: &RecordRef) -> bool {
        let entry = self.find(of).and_then(|rec| self.entries.of(rec)).filter(|_| !self.contained.is_empty());
        let mut users = entry.into_iter().flat_map(|entry| self.entries.users(entry));
        users.any(|slot| self.store.sub_of(slot).is_some_and(|sub| self.contained.contains(&sub)))
    }

    /// What the linker was told to judge by.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The entry that a record is in.
    pub fn entry(&self, of: &RecordRef) -> Option<Entry> {
        self.entry_at(self.entries.of(self.find(of)?)?, usize::MAX)
    }

    /// What is shown of an entry: its situation, what it would be where that is `reading`, and its flags.
    pub(crate) fn shown(&self, entry: EntryId) -> Option<(Situation, Option<Situation>, Flags)> {
        let (situation, flags) = self.judged_at(entry)?;
        let verdict = self.entries.get(entry)?.verdict?;
        let covered = self.coverage.covers(verdict.needs);
        let so_far = if covered { None } else { self.guess(entry, verdict.situation) };
        Some((situation, so_far, flags))
    }

    /// The situation and the flags of an entry as they are shown.
    pub(crate) fn judged_at(&self, entry: EntryId) -> Option<(Situation, Flags)> {
        let verdict = self.entries.get(entry)?.verdict?;
        let covered = self.coverage.covers(verdict.needs);
        let situation = if covered { verdict.situation } else { Situation::Reading };
        // A flag rests on records anywhere: none is shown until all have been read.
        let mut flags = if self.coverage == Coverage::ALL { verdict.flags } else { Flags::default() };
        if self.rules.writable == Some(true) && situation.rests_on_attribute() {
            flags.insert(Flag::Writable);
        }
        Some((situation, flags))
    }

    /// The situation that is shown of an entry.
    pub(crate) fn situation_of(&self, entry: EntryId) -> Option<Situation> {
        let verdict = self.entries.get(entry)?.verdict?;
        Some(if self.coverage.covers(verdict.needs) { verdict.situation } else { Situation::Reading })
    }

    /// An entry with at most so many records of each kind.
    pub(crate) fn entry_at(&self, entry: EntryId, at_most: usize) -> Option<Entry> {
        let (situation, so_far, flags) = self.shown(entry)?;
        let (users, rows) = (self.entries.users(entry), self.entries.rows(entry));
        Some(Entry {
            situation,
            so_far,
            flags,
            user_count: users.clone().count(),
            row_count: rows.clone().count(),
            users: users.take(at_most).filter_map(|slot| self.read_user(slot)).collect(),
            rows: rows.take(at_most).filter_map(|slot| self.read_row(slot)).collect(),
        })
    }

    /// What an entry that is being read would be if nothing more came; none where nobody can tell.
    fn guess(&self, entry: EntryId, verdict: Situation) -> Option<Situation> {
        if verdict != Situation::Reading {
            return Some(verdict);
        }
        let lead = entry.lead()?;
        if !self.entries.is_free(lead) {
            return None;
        }
        let email = match lead {
            Rec::User(user) => self.store.user(user)?.verified_email(),
            Rec::Row(row) => self.store.row(row)?.email(),
        }?;
        let (users, rows) = (self.store.users_with_email(email), self.store.rows_with_email(email));
        if users.chain(rows).nth(GUESS_AT_MOST).is_some() {
            return None;
        }
        let holds = |slots: (&[u32], &[u32])| match lead {
            Rec::User(user) => slots.0.contains(&user),
            Rec::Row(row) => slots.1.contains(&row),
        };
        let made = self.parts(email, usize::MAX).entries(&self.store);
        made.into_iter().find(|made| holds((&made.users, &made.rows))).map(|made| made.situation)
    }

    pub(crate) fn find(&self, of: &RecordRef) -> Option<Rec> {
        match of {
            RecordRef::User(sub) => self.store.user_slot(*sub).map(Rec::User),
            RecordRef::Row(id) => self.store.row_slot(id).map(Rec::Row),
        }
    }

    pub(crate) fn reference(&self, rec: Rec) -> Option<RecordRef> {
        match rec {
            Rec::User(slot) => self.store.sub_of(slot).map(RecordRef::User),
            Rec::Row(slot) => self.row_id(slot).map(RecordRef::Row),
        }
    }

    /// The users and rows that share an e-mail, by the part they play; of each kind the first so many are looked at.
    pub(crate) fn parts(&self, email: u32, at_most: usize) -> Parts {
        let mut parts = Parts::default();
        for slot in self.store.users_with_email(email).take(at_most) {
            if self.entries.is_free(Rec::User(slot)) {
                parts.free_users.push(slot);
            } else if !self.store.is_joined(slot) {
                parts.other_users.push(slot);
            }
        }
        for slot in self.store.rows_with_email(email).take(at_most) {
            if self.entries.is_free(Rec::Row(slot)) {
                parts.free_rows.push(slot);
            } else {
                parts.other_rows.push(slot);
            }
        }
        for list in [&mut parts.free_users, &mut parts.free_rows, &mut parts.other_users, &mut parts.other_rows] {
            list.sort_unstable();
        }
        parts
    }
}
