//! Everything at once: when both sides have been read, every record is judged anew, on all processors.
//!
//! Nearly every record is alone, or in a pair of one user and one row that share a key with nobody else. Whether it is can
//! be told from the record's own keys. What is left over is gone through as after any change.

use std::num::NonZero;
use std::thread;

use rustc_hash::FxHashSet;
use userlink_domain::{Flag, Flags, Situation};

use crate::column::PIECE;
use crate::component::{Kind, alone, pair};
use crate::correlate::unmatched;
use crate::entries::{Entries, Place, Verdict};
use crate::linker::Linker;
use crate::rules::{Counts, Coverage};
use crate::store::{Rec, Row, Store, User};

/// Fewer records are not worth a thread.
const WORTH_A_THREAD: usize = 50_000;
/// More processors than these wait for the same memory.
const THREADS_AT_MOST: usize = 8;

/// A user and the row that it is alone with.
type Pair = (u32, u32);

impl Linker {
    /// Makes all entries anew.
    pub(crate) fn judge_all(&mut self) {
        drop(self.waiting.end());
        self.entries.clear();
        self.entries.resize(self.store.slots());
        let protected = self.rules.protected.iter().filter_map(|of| self.find(of));
        let laid_over: FxHashSet<Rec> = protected.chain(self.unsettled.iter().copied()).collect();
        let whole = Whole { store: &self.store, laid_over };
        let (users, rows) = self.store.len();
        let threads = if users + rows < WORTH_A_THREAD {
            1
        } else {
            thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_AT_MOST)
        };
        let counted = whole.judge(&mut self.entries, threads);
        self.entries.tally[Coverage::ALL.index()] = counted;
        self.judge_the_rest();
    }
}

struct Whole<'a> {
    store: &'a Store,
    /// Records whose verdicts have something laid over them.
    laid_over: FxHashSet<Rec>,
}

/// What a user is by its own keys.
enum Found {
    Alone(Situation),
    /// It should be linked, and nobody can be asked by e-mail.
    Unmatched,
    /// The flags are none where they do not follow from the pair alone.
    Pair(u32, Situation, Option<Flags>),
    /// E-mail decides.
    Free,
    /// It shares keys with more records.
    Complex,
}

/// A part of one side, in the hands of one thread.
type Share<'a> = Vec<(u32, &'a mut [Place])>;

impl Whole<'_> {
    fn judge(&self, entries: &mut Entries, threads: usize) -> Counts {
        let mut counts = Counts::ZERO;
        let users = shares(entries.users.pieces_mut(), threads);
        let found = on_threads(users, |share| self.users(share, threads));
        let mut pairs: Vec<Vec<Vec<Pair>>> = (0..threads).map(|_| Vec::new()).collect();
        for (counted, found) in found {
            counts = counts.plus(&counted);
            pairs.iter_mut().zip(found).for_each(|(all, some)| all.push(some));
        }
        let rows = shares(entries.rows.pieces_mut(), threads).into_iter().zip(pairs).collect();
        on_threads(rows, |(share, pairs)| self.rows(share, &pairs, threads))
            .into_iter()
            .fold(counts, |all, counted| all.plus(&counted))
    }

    /// Places users; gives the pairs, by whose share the row is in.
    fn users(&self, share: Share<'_>, threads: usize) -> (Counts, Vec<Vec<Pair>>) {
        let mut counts = Counts::ZERO;
        let mut pairs = vec![Vec::new(); threads];
        for (first, places) in share {
            for (slot, place) in (first..).zip(places) {
                let Some(user) = self.store.user(slot) else { continue };
                match self.user(slot, user) {
                    Found::Alone(situation) => {
                        *place = self.place(Rec::User(slot), None, situation, Some(Flags::NONE), &mut counts);
                    }
                    Found::Unmatched => {
                        let situation = Situation::NoRow;
                        *place = self.place(Rec::User(slot), None, situation, Some(Flags::NONE), &mut counts).freed();
                    }
                    Found::Pair(row, situation, flags) => {
                        *place = self.place(Rec::User(slot), Some(row), situation, flags, &mut counts);
                        pairs[share_of(row, threads)].push((row, slot));
                    }
                    Found::Free => *place = Place::FREE,
                    Found::Complex => {}
                }
            }
        }
        (counts, pairs)
    }

    /// Places rows: those of the pairs, and those that are alone.
    fn rows(&self, mut share: Share<'_>, pairs: &[Vec<Pair>], threads: usize) -> Counts {
        for (row, user) in pairs.iter().flatten() {
            let (piece, at) = (*row as usize / PIECE / threads, *row as usize % PIECE);
            if let Some(place) = share.get_mut(piece).and_then(|(_, places)| places.get_mut(at)) {
                *place = Place::second(Rec::User(*user));
            }
        }
        let mut counts = Counts::ZERO;
        for (first, places) in share {
            for (slot, place) in (first..).zip(places).filter(|(_, place)| place.is_nowhere()) {
                let Some(row) = self.store.row(slot) else { continue };
                if !self.is_alone(slot, row) {
                    continue;
                }
                *place = if row.email().is_some() {
                    Place::FREE
                } else {
                    let uncontested = self.store.unconfirmed_naming(row).next().is_none();
                    let flags = uncontested.then_some(Flags::NONE);
                    self.place(Rec::Row(slot), None, unmatched(row), flags, &mut counts).freed()
                };
            }
        }
        counts
    }

    /// The place of an entry's first record. The entry is counted where its flags are known and nothing is laid over it.
    fn place(
        &self,
        rec: Rec,
        row: Option<u32>,
        situation: Situation,
        flags: Option<Flags>,
        counts: &mut Counts,
    ) -> Place {
        let row = row.map(Rec::Row);
        let laid_over = !self.laid_over.is_empty()
            && (self.laid_over.contains(&rec) || row.is_some_and(|row| self.laid_over.contains(&row)));
        let verdict = flags.filter(|_| !laid_over).map(|flags| Verdict { situation, flags, needs: Coverage::ALL });
        if let Some(verdict) = verdict {
            counts.add(verdict.situation, verdict.flags);
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
                _ if user.verified_email().is_none() => Found::Unmatched,
                _ => Found::Free,
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

    /// Whether a row shares its keys with nobody.
    fn is_alone(&self, slot: u32, row: &Row) -> bool {
        let store = self.store;
        store.users_naming(row.id).next().is_none()
            && row.sub().is_none_or(|sub| {
                store.user_with_sub(sub).is_none() && store.rows_with_sub(sub).all(|other| other == slot)
            })
    }
}

/// Divides the pieces of a side: each share has every so many'th of them.
fn shares<'a>(pieces: impl Iterator<Item = (u32, &'a mut [Place])>, threads: usize) -> Vec<Share<'a>> {
    let mut shares: Vec<Share<'a>> = (0..threads).map(|_| Vec::new()).collect();
    for (number, piece) in pieces.enumerate() {
        shares[number % threads].push(piece);
    }
    shares
}

const fn share_of(slot: u32, threads: usize) -> usize {
    slot as usize / PIECE % threads
}

/// Does the same to every share; on one thread where there is only one.
fn on_threads<S: Send, T: Send>(shares: Vec<S>, work: impl Fn(S) -> T + Sync) -> Vec<T> {
    if shares.len() == 1 {
        return shares.into_iter().map(work).collect();
    }
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> = shares.into_iter().map(|share| scope.spawn(move || work(share))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panicked| std::panic::resume_unwind(panicked)))
            .collect()
    })
}
