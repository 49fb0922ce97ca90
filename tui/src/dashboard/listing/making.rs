//! A list while it is made: terms are answered, the answers brought to their entries, the entries gone through, and sorted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use userlink_domain::Situation;
use userlink_find::{Column, Hits, Item, Key, Query, Term, View, Walk, key_of_number};
use userlink_link::{Lead, Linker, Place, Seen};
use userlink_ui::ViewSpec;

/// So many slots are gone through before somebody looks at the clock.
const AT_A_TIME: u32 = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Terms are answered on another thread.
    Search,
    /// The answers to the n-th term are brought to their entries.
    Rate(usize),
    /// Entries are gone through.
    List,
    /// And rows, for what is sorted by them.
    Rows,
    /// They are sorted on another thread.
    Sort,
}

pub(super) struct Making {
    pub(super) spec: ViewSpec,
    pub(super) revision: u64,
    query: Query,
    pub(super) view: View,
    walk: Walk,
    pub(super) answers: Vec<(Term, Option<Arc<Hits>>)>,
    pub(super) stage: Stage,
    /// Users, then rows.
    at: u32,
    slots: (u32, u32),
    best: [Vec<u8>; 2],
    /// By lead, among users and among rows: 0 where something does not fit, else how well all fits, and one.
    fits: Option<[Vec<u16>; 2]>,
    /// Of entries that fit, where rows decide.
    first_rows: Vec<bool>,
    /// Entries in the order in which they came, where that is the order; four bytes each.
    pub(super) leads: Vec<Lead>,
    /// Those that are sorted.
    pub(super) items: Vec<Item>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) began: Instant,
}

impl Drop for Making {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Making {
    pub(super) fn new(spec: &ViewSpec, revision: u64, query: Query, view: View, slots: (u32, u32)) -> Self {
        Self {
            spec: spec.clone(),
            revision,
            walk: view.walk(),
            view,
            answers: query.of_records().map(|term| (term.clone(), None)).collect(),
            stage: Stage::Search,
            at: 0,
            slots,
            best: [Vec::new(), Vec::new()],
            fits: None,
            first_rows: Vec::new(),
            leads: Vec::new(),
            items: Vec::new(),
            stop: Arc::default(),
            began: Instant::now(),
            query,
        }
    }

    /// Whether arrival is the order, which they have already.
    pub(super) fn is_sorted(&self) -> bool {
        self.spec.order.by.is_none() && !self.query.is_ranked()
    }

    /// Whether rows decide: they are gone through after the entries, in the order in which their columns lie.
    fn is_by_rows(&self) -> bool {
        self.spec.order.by.is_some_and(Column::is_of_rows)
    }

    /// Leaves the search where all terms are answered.
    pub(super) fn go_on(&mut self) {
        if self.stage == Stage::Search && self.answers.iter().all(|(_, answer)| answer.is_some()) {
            self.stage = if self.answers.is_empty() { Stage::List } else { Stage::Rate(0) };
        }
    }

    /// Goes through some thousand slots. True when all entries have been gone through.
    pub(super) fn some(&mut self, linker: &Linker) -> bool {
        let (users, rows) = self.slots;
        let from = if self.stage == Stage::Rows { self.at + users } else { self.at };
        let until = (from + AT_A_TIME).min(users + rows);
        let of_users = from.min(users)..until.min(users);
        let of_rows = from.max(users) - users..until.max(users) - users;
        match self.stage {
            Stage::Search | Stage::Sort => return false,
            Stage::Rate(term) => {
                if self.at == 0 {
                    self.best = [vec![0; users as usize], vec![0; rows as usize]];
                }
                let answer = self.answers.get(term);
                let only_users = answer.is_some_and(|(term, _)| term.is_of_users());
                // Most fit nowhere, and their entries are not looked at.
                if let Some(hits) = answer.and_then(|(_, hits)| hits.clone()) {
                    let rating = |place: Place| hits.rating(place.0 as u32);
                    let rated = |_, place| rating(place) > 0;
                    for seen in linker.users_seen(of_users, rated) {
                        self.rate(seen, rating(seen.place));
                    }
                    for seen in linker.rows_seen(of_rows, rated).filter(|seen| !(only_users && seen.lead.is_user())) {
                        self.rate(seen, rating(seen.place));
                    }
                }
            }
            Stage::List => {
                if self.at == 0 && self.answers.is_empty() && self.spec.group.is_none() {
                    // All of them: a list that grew would take twice as much for a moment.
                    let all = linker.counts().entries() as usize;
                    if self.is_sorted() { self.leads.reserve(all) } else { self.items.reserve(all) }
                }
                if self.at == 0 && self.is_by_rows() {
                    self.first_rows = vec![false; rows as usize];
                }
                let fits = self.fits.take();
                let fit = |kind: usize, slot: u32| match &fits {
                    None => 1,
                    Some(fits) => fits[kind].get(slot as usize).copied().unwrap_or(0),
                };
                for seen in linker.users_seen(of_users, |slot, _| fit(0, slot) > 0).filter(|seen| seen.leads) {
                    self.list(linker, seen, fit(0, seen.lead.slot()));
                }
                for seen in linker.rows_seen(of_rows, |slot, _| fit(1, slot) > 0).filter(|seen| seen.leads) {
                    self.list(linker, seen, fit(1, seen.lead.slot()));
                }
                self.fits = fits;
            }
            Stage::Rows => {
                let Some(column) = self.spec.order.by else { return true };
                for slot in of_rows {
                    let is_first = self.first_rows.get(slot as usize).is_some_and(|first| *first);
                    for seen in linker.rows_seen(slot..slot + 1, |_, _| is_first) {
                        self.sort_in(seen, column);
                    }
                }
            }
        }
        self.at = if self.stage == Stage::Rows { until - users } else { until };
        let end = if self.stage == Stage::Rows { rows } else { users + rows };
        self.at >= end && self.next_stage()
    }

    /// True where there is none here.
    fn next_stage(&mut self) -> bool {
        self.at = 0;
        self.stage = match self.stage {
            Stage::Rate(term) => {
                self.merge(term);
                if term + 1 < self.answers.len() { Stage::Rate(term + 1) } else { Stage::List }
            }
            Stage::List if self.is_by_rows() => Stage::Rows,
            _ => return true,
        };
        false
    }

    fn rate(&mut self, seen: Seen, rating: u8) {
        let best = self.best[usize::from(!seen.lead.is_user())].get_mut(seen.lead.slot() as usize);
        if let Some(best) = best.filter(|best| **best < rating) {
            *best = rating;
        }
    }

    fn merge(&mut self, term: usize) {
        let not = self.answers.get(term).is_some_and(|(term, _)| term.is_negated());
        let best = std::mem::take(&mut self.best);
        let first = self.fits.is_none();
        let fits = self.fits.get_or_insert_with(|| [vec![1; best[0].len()], vec![1; best[1].len()]]);
        for (fits, best) in fits.iter_mut().flatten().zip(best.iter().flatten()) {
            let is_in = first || *fits > 0;
            *fits = match (is_in && (*best > 0) != not, not) {
                (false, _) => 0,
                (true, true) => *fits,
                (true, false) => fits.saturating_add(u16::from(*best)),
            };
        }
    }

    /// Puts an entry that fits onto the list, or notes that its first row does.
    fn list(&mut self, linker: &Linker, seen: Seen, fit: u16) {
        let lead = seen.lead;
        let judged = linker.judged(lead).filter(|(situation, flags)| {
            self.spec.group.is_none_or(|group| situation.group() == group) && self.query.allows(*situation, *flags)
        });
        let Some((situation, _)) = judged else { return };
        let reverse = self.spec.order.reverse;
        let key = match self.spec.order.by {
            _ if self.is_sorted() => return self.leads.push(lead),
            None => Key::of(Some(u128::from(u16::MAX - fit)), false),
            Some(Column::Situation) => Key::of(Some(urgency(situation)), reverse),
            Some(column) if column.is_of_rows() => {
                match linker.first_row(lead).and_then(|slot| self.first_rows.get_mut(slot as usize)) {
                    // Its turn comes with it.
                    Some(first) => return *first = true,
                    None => Key::of(None, reverse),
                }
            }
            Some(column) => return self.sort_in(seen, column),
        };
        self.items.push(Item { key, number: seen.place.0 as u32, lead: lead.number() });
    }

    /// Puts an entry onto the list by what this record of it has in a column.
    fn sort_in(&mut self, seen: Seen, column: Column) {
        let number = seen.place.0 as u32;
        let key = key_of_number(&mut self.walk, number, column, self.spec.order.reverse);
        self.items.push(Item { key, number, lead: seen.lead.number() });
    }
}

/// The groups in the order of their tabs, and within them the situations in that of the contract.
pub(super) fn urgency(situation: Situation) -> u128 {
    situation.group() as u128 * 100 + situation as u128
}
