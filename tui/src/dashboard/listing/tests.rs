//! What is listed in slices, held against whole entries.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cmp::Reverse;

use userlink_domain::{Group, IdKind, PoolUser, Row, RowId, Sub, UserStatus};
use userlink_find::{Order, Scratch};
use userlink_link::{Change, Coverage, Entry, Rules};

use super::making::urgency;
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
    // One that takes its time would never be there while a run goes on.
    desk.listing.list.as_mut().unwrap().took = 2 * SOON;
    let making = desk.listing.made_for;
    for _ in 0..3 {
        desk.learn(&[user(99, 1)]);
        desk.listing.list.as_mut().unwrap().expired = false;
        desk.listing.expire();
        assert_eq!(asked(&mut desk), Asked::Old);
        assert_eq!(desk.listing.made_for, making, "what was begun goes on");
    }
}
