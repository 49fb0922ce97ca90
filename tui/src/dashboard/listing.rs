//! Makes the list of a view on the linker's thread, in slices: between two of them questions are answered and news heard.
//!
//! What has to be searched or sorted is searched and sorted on threads of its own, over columns that nobody changes. A list is
//! right for the moment at which it was begun; when something has changed since, it is made once more.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use userlink_domain::{Situation, Timestamp};
use userlink_find::{Column, Columns, Hits, Item, Query, Term, View, Walk, key_of, key_of_number, search, sort};
use userlink_link::{Lead, Linker, Seen};
use userlink_ui::ViewSpec;

use crate::spool::Searched;

/// How long a slice may take.
const SLICE: Duration = Duration::from_millis(2);
/// So many slots are gone through before somebody looks at the clock.
const AT_A_TIME: u32 = 4096;
/// A list that took no longer is made at once when it is asked for.
const AT_ONCE: Duration = Duration::from_millis(4);
/// The time between two lists of a view, in times that one takes.
const PAUSE: u32 = 4;
/// Answers to terms that are kept, for whoever takes back what was typed: so many, or so many bytes of them.
const KEPT: usize = 6;
const KEPT_BYTES: usize = 40 << 20;
/// Threads for one search or sort.
const THREADS: usize = 4;

/// What comes back from a thread.
pub(super) enum Found {
    Hits { made_for: u64, answer: Box<(Term, Hits)> },
    Sorted { made_for: u64, items: Vec<Item> },
}

/// The entries of a view.
pub(super) struct List {
    spec: ViewSpec,
    revision: u64,
    pub(super) leads: Vec<Lead>,
    /// When, and how long it took.
    made: Instant,
    took: Duration,
    /// It must not be shown any more once there is a new one.
    expired: bool,
}

/// How a list stands to what is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// It can be shown.
    There,
    /// It can be shown, and is out of date.
    Old,
    /// It comes.
    Coming,
}

pub(super) struct Listing {
    list: Option<List>,
    making: Option<Making>,
    kept: Vec<(Term, Arc<Hits>)>,
    to: mpsc::UnboundedSender<Found>,
    /// Counts what was begun: what comes back for an earlier one is too late.
    made_for: u64,
    /// Counts what was finished.
    number: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
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

struct Making {
    spec: ViewSpec,
    revision: u64,
    query: Query,
    view: View,
    walk: Walk,
    answers: Vec<(Term, Option<Arc<Hits>>)>,
    stage: Stage,
    /// Users, then rows.
    at: u32,
    slots: (u32, u32),
    best: [Vec<u8>; 2],
    /// By lead, among users and among rows: 0 where something does not fit, else how well all fits, and one.
    fits: Option<[Vec<u16>; 2]>,
    items: Vec<Item>,
    stop: Arc<AtomicBool>,
    began: Instant,
}

impl Drop for Making {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Listing {
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<Found>) {
        let (to, found) = mpsc::unbounded_channel();
        (Self { list: None, making: None, kept: Vec::new(), to, made_for: 0, number: 0 }, found)
    }

    /// The records are others.
    pub(super) fn forget(&mut self) {
        (self.list, self.making) = (None, None);
        self.kept.clear();
    }

    /// Something was changed by a person, who wants to see it.
    pub(super) fn expire(&mut self) {
        self.making = None;
        if let Some(list) = &mut self.list {
            list.expired = true;
        }
    }

    pub(super) fn list(&self) -> Option<&List> {
        self.list.as_ref()
    }

    /// Grows with every list.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Whether a list of this view is being made.
    pub(super) fn is_coming(&self, spec: &ViewSpec) -> bool {
        self.making.as_ref().is_some_and(|making| making.spec == *spec)
    }

    /// Whether there is something to do here and now.
    pub(super) fn has_work(&self) -> bool {
        self.making.as_ref().is_some_and(|making| !matches!(making.stage, Stage::Search | Stage::Sort))
    }

    /// Sees to it that there is a list of this view, or will be.
    pub(super) fn ask(
        &mut self,
        spec: &ViewSpec,
        revision: u64,
        linker: &Linker,
        searched: Option<&Searched>,
        now: Timestamp,
    ) -> Asked {
        let held = self.list.as_ref().filter(|list| list.spec == *spec);
        if held.is_some_and(|list| list.revision == revision) {
            return Asked::There;
        }
        let quick = held.is_some_and(|list| list.took <= AT_ONCE);
        let (may_show, too_early) = held
            .map_or((false, false), |list| (!list.expired, !list.expired && list.made.elapsed() < list.took * PAUSE));
        if !self.is_coming(spec) && !too_early {
            self.begin(spec, revision, linker, searched, now);
        }
        let until = Instant::now() + if quick { 2 * AT_ONCE } else { SLICE };
        while self.has_work() && Instant::now() < until {
            self.step(linker);
        }
        match self.list.as_ref().filter(|list| list.spec == *spec) {
            Some(list) if list.revision == revision => Asked::There,
            Some(_) if may_show => Asked::Old,
            _ => Asked::Coming,
        }
    }

    fn begin(&mut self, spec: &ViewSpec, revision: u64, linker: &Linker, searched: Option<&Searched>, now: Timestamp) {
        let view = searched.map(|searched| searched.lock().unwrap_or_else(PoisonError::into_inner).view());
        let view = view.unwrap_or_else(|| Columns::new(None, 0).view());
        // The screen says what is wrong with a filter, and asks for none of these.
        let query = Query::parse(&spec.filter, now).unwrap_or_default();
        self.made_for += 1;
        let answers: Vec<_> = query.of_records().map(|term| (term.clone(), None)).collect();
        let mut making = Making {
            spec: spec.clone(),
            revision,
            walk: view.walk(),
            view,
            answers,
            stage: Stage::Search,
            at: 0,
            slots: linker.slots(),
            best: [Vec::new(), Vec::new()],
            fits: None,
            items: Vec::new(),
            stop: Arc::default(),
            began: Instant::now(),
            query,
        };
        for (term, answer) in &mut making.answers {
            let known = self.kept.iter().find(|(kept, _)| kept == term).map(|(_, hits)| hits.clone());
            match known {
                Some(hits) if hits.upto() == making.view.len() => *answer = Some(hits),
                known => {
                    // What is being typed goes on from what was typed.
                    let wider = self.kept.iter().rev().find(|(kept, _)| kept.is_wider_than(term));
                    let wider = wider.map(|(_, hits)| hits.clone());
                    let (term, view, stop) = (term.clone(), making.view.clone(), making.stop.clone());
                    let (to, made_for) = (self.to.clone(), self.made_for);
                    tokio::task::spawn_blocking(move || {
                        let known = known.map(|hits| (*hits).clone()).unwrap_or_default();
                        if let Some(hits) = search(&view, &term, known, wider.as_deref(), threads(), &stop) {
                            // The linker may have ended meanwhile.
                            drop(to.send(Found::Hits { made_for, answer: Box::new((term, hits)) }));
                        }
                    });
                }
            }
        }
        making.go_on();
        self.making = Some(making);
    }

    /// Takes what a thread found, unless something else has been asked for since.
    pub(super) fn take(&mut self, found: Found) {
        match found {
            Found::Hits { made_for, answer } => {
                let (term, hits) = *answer;
                let hits = Arc::new(hits);
                if made_for == self.made_for
                    && let Some(making) = &mut self.making
                {
                    for (asked, answer) in &mut making.answers {
                        if *asked == term {
                            *answer = Some(hits.clone());
                        }
                    }
                    making.go_on();
                    self.kept.retain(|(kept, _)| *kept != term);
                    self.kept.push((term, hits));
                    let most = (KEPT_BYTES / (making.view.len() as usize).max(1)).clamp(1, KEPT);
                    let over = self.kept.len().saturating_sub(most);
                    self.kept.drain(..over);
                }
            }
            Found::Sorted { made_for, items } => {
                if made_for == self.made_for
                    && let Some(mut making) = self.making.take()
                {
                    making.items = items;
                    self.finish(making);
                }
            }
        }
    }

    /// Works for a slice.
    pub(super) fn step(&mut self, linker: &Linker) {
        let until = Instant::now() + SLICE;
        while self.has_work() && Instant::now() < until {
            if self.making.as_mut().is_some_and(|making| making.some(linker)) {
                self.sort_or_finish();
            }
        }
    }

    /// All entries have been gone through.
    fn sort_or_finish(&mut self) {
        let Some(mut making) = self.making.take() else { return };
        if !making.is_sorted() {
            making.stage = Stage::Sort;
            let mut items = std::mem::take(&mut making.items);
            let (view, column, reverse) = (making.view.clone(), making.spec.order.by, making.spec.order.reverse);
            let (to, made_for) = (self.to.clone(), self.made_for);
            tokio::task::spawn_blocking(move || {
                let texts = column.and_then(Column::text).map(|which| (&view, which));
                sort(&mut items, texts, reverse, threads());
                drop(to.send(Found::Sorted { made_for, items }));
            });
            self.making = Some(making);
        } else {
            self.finish(making);
        }
    }

    fn finish(&mut self, mut making: Making) {
        let items = std::mem::take(&mut making.items);
        let mut leads: Vec<Lead> = items.into_iter().map(|item| Lead::from_number(item.lead)).collect();
        if making.spec.order.by.is_none() && making.spec.order.reverse {
            leads.reverse();
        }
        self.number += 1;
        self.list = Some(List {
            spec: making.spec.clone(),
            revision: making.revision,
            leads,
            made: Instant::now(),
            took: making.began.elapsed(),
            expired: false,
        });
    }
}

impl Making {
    /// Whether arrival is the order, which they have already.
    fn is_sorted(&self) -> bool {
        self.spec.order.by.is_none() && !self.query.is_ranked()
    }

    /// Leaves the search where all terms are answered.
    fn go_on(&mut self) {
        if self.stage == Stage::Search && self.answers.iter().all(|(_, answer)| answer.is_some()) {
            self.stage = if self.answers.is_empty() { Stage::List } else { Stage::Rate(0) };
        }
    }

    /// Goes through some thousand slots. True when all entries have been gone through.
    fn some(&mut self, linker: &Linker) -> bool {
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
                for seen in linker.users_seen(of_users) {
                    self.rate(term, seen);
                }
                let only_users = self.answers.get(term).is_some_and(|(term, _)| term.is_of_users());
                for seen in linker.rows_seen(of_rows).filter(|seen| !(only_users && seen.lead.is_user())) {
                    self.rate(term, seen);
                }
            }
            Stage::List => {
                for seen in linker.users_seen(of_users).chain(linker.rows_seen(of_rows)).filter(|seen| seen.leads) {
                    self.list(linker, seen, None);
                }
            }
            Stage::Rows => {
                for slot in of_rows {
                    let seen = linker.rows_seen(slot..slot + 1).next();
                    if let Some(seen) = seen.filter(|seen| linker.is_first_row(seen.lead, Some(slot))) {
                        self.list(linker, seen, Some(slot));
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
            Stage::List if self.spec.order.by.is_some_and(Column::is_of_rows) => Stage::Rows,
            _ => return true,
        };
        false
    }

    fn rate(&mut self, term: usize, seen: Seen) {
        let Some((_, Some(hits))) = self.answers.get(term) else { return };
        let rating = hits.rating(seen.place.0 as u32);
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

    /// Puts an entry onto the list, if it fits; by its first row where that is given.
    fn list(&mut self, linker: &Linker, seen: Seen, first_row: Option<u32>) {
        let lead = seen.lead;
        let fit = match &self.fits {
            None => 1,
            Some(fits) => fits[usize::from(!lead.is_user())].get(lead.slot() as usize).copied().unwrap_or(0),
        };
        if fit == 0 {
            return;
        }
        let order = self.spec.order;
        let judged = linker.judged(lead);
        let passes = judged.is_some_and(|(situation, flags)| {
            self.spec.group.is_none_or(|group| situation.group() == group) && self.query.allows(situation, flags)
        });
        if !passes {
            return;
        }
        let number = seen.place.0 as u32;
        let key = match order.by {
            None => u64::from(u16::MAX - if self.query.is_ranked() { fit } else { 0 }),
            Some(Column::Situation) => key_of(judged.map(|(situation, _)| urgency(situation)), order.reverse),
            Some(column) if column.is_of_rows() && first_row.is_none() => {
                // Its turn comes with its first row, if it has one.
                if !linker.is_first_row(lead, None) {
                    return;
                }
                key_of(None, order.reverse)
            }
            Some(column) => key_of_number(&mut self.walk, number, column, order.reverse),
        };
        self.items.push(Item { key, number, lead: lead.number() });
    }
}

/// The groups in the order of their tabs, and within them the situations in that of the contract.
fn urgency(situation: Situation) -> u64 {
    situation.group() as u64 * 100 + situation as u64
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(THREADS)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::cmp::Reverse;

    use userlink_domain::{Group, IdKind, PoolUser, Row, RowId, Sub, UserStatus};
    use userlink_find::{Order, Scratch};
    use userlink_link::{Change, Coverage, Entry, Rules};

    use super::*;
    use crate::engine::Engine;

    const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

    /// A number that looks like chance, the same for the same.
    const fn mixed(number: u64) -> u64 {
        let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ number >> 31
    }

    fn user(number: u64, seed: u64) -> Change {
        let dice = mixed(number ^ seed << 40);
        let mut user = PoolUser::new(Sub::from_u128(u128::from(number) << 64 | 7), format!("name{}", dice % 50));
        user.email = (!dice.is_multiple_of(7)).then(|| format!("u{}@example.org", dice % 900).into());
        user.email_verified = !dice.is_multiple_of(3);
        user.created =
            (!dice.is_multiple_of(11)).then(|| Timestamp::from_millis(NOW.as_millis() - (dice % 100) as i64 * 60_000));
        user.user_id = (dice % 5 < 3).then(|| (number + dice % 2).to_string().into());
        user.status = if dice.is_multiple_of(13) { UserStatus::Unconfirmed } else { UserStatus::Confirmed };
        user.enabled = !dice.is_multiple_of(17);
        Change::User(user)
    }

    fn row(number: u64, seed: u64) -> Change {
        let dice = mixed(number ^ seed << 41 ^ 1 << 50);
        let mut row = Row::new(RowId::BigInt(number as i64));
        row.sub = (!dice.is_multiple_of(4))
            .then(|| Sub::from_u128(u128::from(number + dice % 9 / 8) << 64 | 7).to_string().into());
        row.email = (!dice.is_multiple_of(6)).then(|| format!("u{}@example.org", dice % 900).into());
        row.created_at = Some(Timestamp::from_millis(NOW.as_millis() - (dice % 90) as i64 * 60_000));
        Change::Row(row)
    }

    struct Desk {
        engine: Engine,
        listing: Listing,
        found: mpsc::UnboundedReceiver<Found>,
        revision: u64,
    }

    impl Desk {
        fn new() -> Self {
            let (listing, found) = Listing::new();
            Self { engine: Engine::new(Rules::new(IdKind::BigInt)), listing, found, revision: 1 }
        }

        fn learn(&mut self, changes: &[Change]) {
            self.engine.learn(changes);
            self.revision += 1;
        }

        /// The list of a view, when it is there.
        async fn list(&mut self, spec: &ViewSpec) -> Vec<Lead> {
            loop {
                let (linker, searched) = (&self.engine.linker, self.engine.searched.as_ref());
                self.listing.expire();
                while self.listing.ask(spec, self.revision, linker, searched, NOW) != Asked::There {
                    if self.listing.has_work() {
                        self.listing.step(linker);
                    } else {
                        self.listing.take(self.found.recv().await.unwrap());
                    }
                }
                let list = self.listing.list().unwrap();
                if list.spec == *spec && list.revision == self.revision {
                    return list.leads.clone();
                }
            }
        }

        /// The same from whole entries, by the definitions.
        fn naive(&self, spec: &ViewSpec) -> Vec<Lead> {
            let linker = &self.engine.linker;
            let query = Query::parse(&spec.filter, NOW).unwrap();
            let mut scratch = Scratch::default();
            let entries = linker.leads(None, "").into_iter().filter_map(|lead| {
                let entry = linker.entry_of(lead, usize::MAX)?;
                let shown = spec.group.is_none_or(|group| entry.situation.group() == group);
                let rating = query.rate(&entry, &mut scratch).filter(|_| shown)?;
                Some((lead, entry, rating))
            });
            let mut entries: Vec<_> = entries.collect();
            let Order { by, reverse } = spec.order;
            match by {
                None if query.is_ranked() => entries.sort_by_key(|(_, _, rating)| Reverse(*rating)),
                None => {}
                Some(by) => entries.sort_by(|(_, one, _), (_, other, _)| match (value(one, by), value(other, by)) {
                    (Some(one), Some(other)) if reverse => other.cmp(&one),
                    (Some(one), Some(other)) => one.cmp(&other),
                    // What has nothing comes last.
                    (one, other) => one.is_none().cmp(&other.is_none()),
                }),
            }
            if by.is_none() && reverse {
                entries.reverse();
            }
            entries.into_iter().map(|(lead, ..)| lead).collect()
        }
    }

    /// What an entry has in a column, as text or number.
    fn value(entry: &Entry, by: Column) -> Option<(i64, String)> {
        let (user, row) = (entry.users.first(), entry.rows.first());
        let text = |text: String| (0, text);
        match by {
            Column::Situation => Some((urgency(entry.situation) as i64, String::new())),
            Column::User => {
                let name = |user: &PoolUser| user.email.as_deref().unwrap_or(user.username.as_str()).to_owned();
                user.map(name).map(text)
            }
            Column::Status => user.map(|user| {
                let place = if user.status == UserStatus::Confirmed { 0 } else { 1 };
                (if user.enabled { place } else { 9 }, String::new())
            }),
            Column::Row => row.map(|row| (row.id.to_string().parse().unwrap(), String::new())),
            Column::Email => row.and_then(|row| row.email.as_deref().map(str::to_owned)).map(text),
            Column::Created => {
                let created = match user {
                    Some(user) => user.created,
                    None => row.and_then(|row| row.created_at),
                };
                created.map(|at| (at.as_millis(), String::new()))
            }
        }
    }

    fn spec(group: Option<Group>, filter: &str, by: Option<Column>, reverse: bool) -> ViewSpec {
        ViewSpec { group, filter: filter.to_owned(), order: Order { by, reverse } }
    }

    #[tokio::test]
    async fn what_is_listed_in_slices_is_what_whole_entries_say_while_records_come_and_go() {
        const FILTERS: [&str; 9] = [
            "",
            "u12",
            "example name1",
            "-u1 status:confirmed",
            "created:<30m",
            "email:none",
            "u4 -enabled:no",
            "group:conflict",
            "situation:duplicate -flag:contested name",
        ];
        let mut desk = Desk::new();
        let (mut dice, mut records) = (7, 0);
        for round in 0..12u64 {
            let more: Vec<_> =
                (0..400).flat_map(|at| [user(at * 3 + round, round % 3), row(at * 2 + round, round % 4)]).collect();
            records += more.len();
            desk.learn(&more);
            desk.learn(&[
                Change::UserGone(Sub::from_u128(u128::from(round * 3) << 64 | 7)),
                Change::RowGone(RowId::BigInt(4)),
            ]);
            if round == 6 {
                desk.learn(&[Change::Covered(Coverage::ALL)]);
            }
            for filter in FILTERS {
                dice = mixed(dice);
                let by = [None].into_iter().chain(Column::ALL.map(Some)).nth(dice as usize % 7).flatten();
                let group = [None, None, Some(Group::Unlinked), Some(Group::Linked)][dice as usize / 7 % 4];
                let spec = spec(group, filter, by, dice / 100 % 2 == 0);
                let (made, naive) = (desk.list(&spec).await, desk.naive(&spec));
                assert_eq!(made, naive, "{filter} {group:?} {:?} after {records}", spec.order);
            }
        }
    }

    #[tokio::test]
    async fn a_view_that_is_asked_for_while_another_is_made_is_the_one_that_comes() {
        let mut desk = Desk::new();
        let all: Vec<_> = (0..3_000).map(|number| user(number, 1)).collect();
        desk.learn(&all);
        let (first, second) = (spec(None, "u1", None, false), spec(None, "u2", Some(Column::User), false));
        for _ in 0..20 {
            let (linker, searched) = (&desk.engine.linker, desk.engine.searched.as_ref());
            desk.listing.forget();
            desk.listing.ask(&first, desk.revision, linker, searched, NOW);
            assert_eq!(desk.list(&second).await, desk.naive(&second));
        }
    }

    #[tokio::test]
    async fn an_old_list_is_shown_until_there_is_a_new_one_unless_a_person_changed_something() {
        let mut desk = Desk::new();
        desk.learn(&(0..50).map(|number| user(number, 1)).collect::<Vec<_>>());
        let all = spec(None, "u", Some(Column::Email), false);
        desk.list(&all).await;
        let asked = |desk: &mut Desk| {
            let (linker, searched) = (&desk.engine.linker, desk.engine.searched.as_ref());
            desk.listing.ask(&all, desk.revision, linker, searched, NOW)
        };
        assert_eq!(asked(&mut desk), Asked::There);
        desk.learn(&[user(99, 1)]);
        assert_eq!(asked(&mut desk), Asked::Old, "it is sorted on another thread, and comes later");
        desk.listing.expire();
        assert_eq!(asked(&mut desk), Asked::Coming);
    }
}
