//! Everything at once: when both sides have been read, every record is judged anew, on all processors.
//!
//! Nearly every record is alone, or in a pair of one user and one row that share a key with nobody else. Whether it is can
//! be told from the record's own keys. What is left over is gone through as after any change.

use std::sync::atomic::{AtomicU32, Ordering};

use rustc_hash::FxHashSet;
use userlink_domain::{Flag, Flags, Situation};

use crate::again::Rest;
use crate::column::PIECE;
use crate::component::{Kind, alone, pair};
use crate::correlate::unmatched;
use crate::entries::{Entries, Place, Verdict};
use crate::linker::Linker;
use crate::rules::{Counts, Coverage};
use crate::store::{Rec, Row, Store, User};
use crate::threads::{on_threads, shares, threads_for};

/// A row, and the user that it is alone with.
#[derive(Clone, Copy)]
struct Pair {
    row: u32,
    user: u32,
    /// Whether it was e-mail that put them together.
    free: bool,
}

impl Linker {
    /// Makes all entries anew.
    pub(crate) fn judge_all(&mut self) {
        drop(self.waiting.end());
        let protected = self.rules.protected.iter().filter_map(|of| self.find(of));
        let laid_over: FxHashSet<Rec> = protected.chain(self.unsettled.iter().copied()).collect();
        let (users, rows) = self.store.len();
        let threads = threads_for(users + rows);
        let contested = self.store.rows_named_by_unconfirmed();
        let couples = Couples::of(&self.store, threads);
        let whole = Whole { store: &self.store, couples, contested, laid_over };
        self.entries.clear(self.store.slots(), threads);
        let (counted, rest) = whole.judge(&mut self.entries, threads);
        self.entries.tally[Coverage::ALL.index()] = counted;
        self.judge_the_rest(rest);
    }
}

/// Users and rows that name each other, share an e-mail if the table has any, and meet nobody else under their keys: by far
/// the most. Whose pointers agree is told by the keys, one after the other as they lie in memory, and not by the records,
/// each of which would have to be fetched.
struct Couples {
    row_of: Vec<AtomicU32>,
    user_of: Vec<AtomicU32>,
}

impl Couples {
    /// The user's sub is the row's.
    const NOBODY: u32 = u32::MAX;
    /// And the row's id is what the user names.
    const BY_ID: u32 = 1 << 30;
    /// And so is the e-mail.
    const BY_EMAIL: u32 = 1 << 31;
    const ALL: u32 = Self::BY_ID | Self::BY_EMAIL;

    fn of(store: &Store, threads: usize) -> Self {
        let (users, rows) = store.slots();
        let nobody = |slots: u32| (0..slots).map(|_| AtomicU32::new(Self::NOBODY)).collect::<Vec<_>>();
        let couples = Self { row_of: nobody(users), user_of: nobody(rows) };
        // Every record is met once under every kind of key, so that no two threads ask for the same.
        let meet = |before: u32, now: u32| {
            let (couples, before) = (&couples, before);
            move |user: u32, row: u32| {
                let its_row = &couples.row_of[user as usize];
                if before == Self::NOBODY || its_row.load(Ordering::Relaxed) == row | before {
                    its_row.store(row | now, Ordering::Relaxed);
                    if now == Self::ALL {
                        couples.user_of[row as usize].store(user | now, Ordering::Relaxed);
                    }
                }
            }
        };
        store.by_sub.each_two(threads, meet(Self::NOBODY, 0));
        store.by_id.each_two(threads, meet(0, Self::BY_ID));
        let any_email = store.by_email.each_two(threads, meet(Self::BY_ID, Self::ALL));
        if !any_email {
            // Nobody can have an e-mail that no row has.
            store.by_id.each_two(threads, meet(Self::BY_ID, Self::ALL));
        }
        couples
    }

    fn partner(of: &AtomicU32) -> Option<u32> {
        let partner = of.load(Ordering::Relaxed);
        (partner != Self::NOBODY && partner & Self::ALL == Self::ALL).then_some(partner & !Self::ALL)
    }

    fn row_of(&self, user: u32) -> Option<u32> {
        Self::partner(self.row_of.get(user as usize)?)
    }

    fn user_of(&self, row: u32) -> Option<u32> {
        Self::partner(self.user_of.get(row as usize)?)
    }
}

struct Whole<'a> {
    store: &'a Store,
    couples: Couples,
    /// Rows that users name who have proved nothing.
    contested: FxHashSet<u32>,
    /// Records whose verdicts have something laid over them.
    laid_over: FxHashSet<Rec>,
}

/// So many users are fetched at once.
const AT_ONCE: usize = 32;

/// What a user is by its own keys.
enum Found {
    Alone(Situation),
    /// It should be linked, and is by itself.
    Unmatched(Situation),
    /// It should be linked, and e-mail puts a row beside it that is by itself, too.
    Matched(u32, Situation, Option<Flags>),
    /// The flags are none where they do not follow from the pair alone.
    Pair(u32, Situation, Option<Flags>),
    /// E-mail decides.
    Free,
    /// It shares keys with more records.
    Complex,
}

/// A part of one side, in the hands of one thread.
type Share<'a> = Vec<(u32, &'a mut [Place])>;

/// What one thread has counted, and left over.
struct Told {
    counts: Counts,
    rest: Rest,
}

impl Told {
    const fn nothing() -> Self {
        Self {
            counts: Counts::ZERO,
            rest: Rest { complex: Vec::new(), free_users: Vec::new(), free_rows: Vec::new(), unjudged: Vec::new() },
        }
    }
}

impl Whole<'_> {
    fn judge(&self, entries: &mut Entries, threads: usize) -> (Counts, Rest) {
        let users = shares(entries.users.pieces_mut(), threads);
        let found = on_threads(users, |share| self.users(share, threads));
        let mut pairs: Vec<Vec<Vec<Pair>>> = (0..threads).map(|_| Vec::new()).collect();
        let mut told = Vec::new();
        for (its, found) in found {
            told.push(its);
            pairs.iter_mut().zip(found).for_each(|(all, some)| all.push(some));
        }
        let rows = shares(entries.rows.pieces_mut(), threads).into_iter().zip(pairs).collect();
        told.extend(on_threads(rows, |(share, pairs)| self.rows(share, &pairs, threads)));
        let (mut counts, mut rest) = (Counts::ZERO, Rest::default());
        for its in told {
            counts = counts.plus(&its.counts);
            rest.add(its.rest);
        }
        (counts, rest)
    }

    /// Places users; gives the pairs, by whose share the row is in.
    fn users(&self, share: Share<'_>, threads: usize) -> (Told, Vec<Vec<Pair>>) {
        let mut told = Told::nothing();
        let mut pairs = vec![Vec::new(); threads];
        let mut others = Vec::new();
        for (first, places) in share {
            others.clear();
            for (slot, place) in (first..).zip(&mut *places) {
                let Some(user) = self.store.user(slot) else { continue };
                match self.couples.row_of(slot) {
                    Some(row) => {
                        let (situation, flags) = self.couple(slot, user, row);
                        *place = self.place(Rec::User(slot), Some(row), situation, flags, &mut told);
                    }
                    None => others.push(slot),
                }
            }
            for (at, slot) in others.iter().copied().enumerate() {
                if at % AT_ONCE == 0 {
                    self.store.fetch(&others[at..others.len().min(at + AT_ONCE)]);
                }
                let Some(user) = self.store.user(slot) else { continue };
                let place = &mut places[(slot - first) as usize];
                match self.user(slot, user) {
                    Found::Alone(situation) => {
                        *place = self.place(Rec::User(slot), None, situation, Some(Flags::NONE), &mut told);
                    }
                    Found::Unmatched(situation) => {
                        *place = self.place(Rec::User(slot), None, situation, Some(Flags::NONE), &mut told).freed();
                    }
                    Found::Pair(row, situation, flags) => {
                        *place = self.place(Rec::User(slot), Some(row), situation, flags, &mut told);
                        pairs[share_of(row, threads)].push(Pair { row, user: slot, free: false });
                    }
                    Found::Matched(row, situation, flags) => {
                        *place = self.place(Rec::User(slot), Some(row), situation, flags, &mut told).freed();
                        pairs[share_of(row, threads)].push(Pair { row, user: slot, free: true });
                    }
                    Found::Free => {
                        *place = Place::FREE;
                        told.rest.free_users.push(slot);
                    }
                    Found::Complex => told.rest.complex.push(Rec::User(slot)),
                }
            }
        }
        (told, pairs)
    }

    /// Places rows: those of the pairs, and those that are alone.
    fn rows(&self, mut share: Share<'_>, pairs: &[Vec<Pair>], threads: usize) -> Told {
        for Pair { row, user, free } in pairs.iter().flatten().copied() {
            let (piece, at) = (row as usize / PIECE / threads, row as usize % PIECE);
            if let Some(place) = share.get_mut(piece).and_then(|(_, places)| places.get_mut(at)) {
                let second = Place::second(Rec::User(user));
                *place = if free { second.freed() } else { second };
            }
        }
        let mut told = Told::nothing();
        for (first, places) in share {
            for (slot, place) in (first..).zip(places).filter(|(_, place)| place.is_nowhere()) {
                if let Some(user) = self.couples.user_of(slot) {
                    *place = Place::second(Rec::User(user));
                    continue;
                }
                let Some(row) = self.store.row(slot) else { continue };
                if !self.is_alone(slot, row) {
                    told.rest.complex.push(Rec::Row(slot));
                } else if row.email().is_some_and(|email| self.store.users_with_email(email).next().is_some()) {
                    *place = Place::FREE;
                    told.rest.free_rows.push(slot);
                } else {
                    let flags = if self.contested.contains(&slot) { None } else { Some(Flags::NONE) };
                    *place = self.place(Rec::Row(slot), None, unmatched(row), flags, &mut told).freed();
                }
            }
        }
        told
    }

    /// The place of an entry's first record. The entry is counted where its flags are known and nothing is laid over it.
    fn place(&self, rec: Rec, row: Option<u32>, situation: Situation, flags: Option<Flags>, told: &mut Told) -> Place {
        let row = row.map(Rec::Row);
        let laid_over = !self.laid_over.is_empty()
            && (self.laid_over.contains(&rec) || row.is_some_and(|row| self.laid_over.contains(&row)));
        let verdict = flags.filter(|_| !laid_over).map(|flags| Verdict { situation, flags, needs: Coverage::ALL });
        match verdict {
            Some(verdict) => told.counts.add(verdict.situation, verdict.flags),
            None => told.rest.unjudged.push(rec),
        }
        Place::first(rec, row.unwrap_or(rec), situation, verdict)
    }

    fn user(&self, slot: u32, user: &User) -> Found {
        let store = self.store;
        let mut rows = store.rows_with_sub(user.sub);
        let (carries, more) = (rows.next(), rows.next());
        let claim = store.claim(user);
        let named = store.claimed_row(user);
        let others_name = |id: u32| store.users_naming(id).any(|other| other != slot);
        if more.is_some() || claim.is_some_and(others_name) {
            return Found::Complex;
        }
        let row_slot = match (carries, named) {
            (Some(carries), Some(named)) if carries != named => return Found::Complex,
            (carries, named) => carries.or(named),
        };
        let Some((row_slot, row)) = row_slot.and_then(|slot| Some((slot, store.row(slot)?))) else {
            if store.has_user_id(user) {
                return Found::Alone(pair(store, slot, user, None));
            }
            return match alone(store, slot, user) {
                Kind::Settled(situation) => Found::Alone(situation),
                Kind::FreeUser | Kind::FreeRow => {
                    user.verified_email().map_or(Found::Unmatched(Situation::NoRow), |email| self.free(slot, email))
                }
            };
        };
        let meets_others = match (carries, row.sub()) {
            // The row is there by its sub: whoever names it has not been looked for.
            (Some(_), _) => named.is_none() && others_name(row.id),
            (None, None) => false,
            (None, Some(sub)) => {
                store.user_with_sub(sub).is_some() || store.rows_with_sub(sub).any(|other| other != row_slot)
            }
        };
        if meets_others {
            return Found::Complex;
        }
        Found::Pair(row_slot, pair(store, slot, user, Some(row)), self.flags(slot, user, row, named.is_some()))
    }

    /// What two are who name each other and share the e-mail, if there is one.
    fn couple(&self, slot: u32, user: &User, row: u32) -> (Situation, Option<Flags>) {
        let flags = user.is_written_otherwise().then_some(Flag::NonCanonicalId).into_iter().collect();
        let flags = if self.contested.contains(&row) { None } else { Some(flags) };
        let situation = match (self.store.is_joined(slot), user.is_expected()) {
            (true, _) => Situation::Stranded,
            (false, true) => Situation::Linked,
            (false, false) => Situation::LinkedInactive,
        };
        (situation, flags)
    }

    /// The flags of a pair; none where somebody else has the row's e-mail or names it, and more has to be looked at.
    fn flags(&self, slot: u32, user: &User, row: &Row, named: bool) -> Option<Flags> {
        let is_other = |other| other != slot;
        if row.email().is_some_and(|email| self.store.users_with_email(email).any(is_other))
            || self.store.unconfirmed_naming(row).any(is_other)
        {
            return None;
        }
        let mut flags = Flags::NONE;
        if named && user.is_written_otherwise() {
            flags.insert(Flag::NonCanonicalId);
        }
        if matches!((user.verified_email(), row.email()), (Some(users), Some(rows)) if users != rows) {
            flags.insert(Flag::EmailDiffers);
        }
        Some(flags)
    }

    /// A user whom e-mail decides on. Where there is one more record with it at most, there is not much to ask.
    fn free(&self, slot: u32, email: u32) -> Found {
        let store = self.store;
        let mut rows = store.rows_with_email(email);
        let (first, more) = (rows.next(), rows.next());
        if more.is_some() || store.users_with_email(email).any(|other| other != slot) {
            return Found::Free;
        }
        let Some((row_slot, row)) = first.and_then(|slot| Some((slot, store.row(slot)?))) else {
            return Found::Unmatched(Situation::NoRow);
        };
        if !self.is_alone(row_slot, row) {
            return Found::Unmatched(Situation::RowTaken);
        }
        let situation = if row.sub().is_none() { Situation::EmailMatch } else { Situation::Recreated };
        let flags = if self.contested.contains(&row_slot) { None } else { Some(Flags::NONE) };
        Found::Matched(row_slot, situation, flags)
    }

    /// Whether a row shares its keys with nobody.
    fn is_alone(&self, slot: u32, row: &Row) -> bool {
        let store = self.store;
        store.users_naming(row.id).next().is_none()
            && row.sub().is_none_or(|sub| {
                store.user_with_sub(sub).is_none() && store.rows_with_sub(sub).all(|other| other == slot)
            })
    }
}

const fn share_of(slot: u32, threads: usize) -> usize {
    slot as usize / PIECE % threads
}
