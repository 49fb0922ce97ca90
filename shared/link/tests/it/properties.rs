//! What holds in every world.

use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;
use proptest::test_runner::Config;
use userlink_domain::{Flag, PoolUser, RecordRef, Row, RowId, Situation, Sub};
use userlink_link::{Change, Coverage, Entry, Linker, Rules};

use crate::naive::{Naive, Said};
use crate::world::{World, kind, row, user, world};

fn refs(entry: &Entry) -> BTreeSet<RecordRef> {
    let users = entry.users.iter().map(|user| RecordRef::User(user.sub));
    users.chain(entry.rows.iter().map(|row| RecordRef::Row(row.id.clone()))).collect()
}

/// All entries, and a check that every record is in exactly one and that the counts add up.
fn said(linker: &Linker) -> BTreeSet<Said> {
    let mut entries: BTreeSet<Said> = BTreeSet::new();
    let mut records = 0;
    for lead in linker.leads(None, "") {
        let entry = linker.entry_of(lead, usize::MAX).unwrap();
        records += entry.users.len() + entry.rows.len();
        for of in refs(&entry) {
            assert_eq!(linker.entry(&of).as_ref(), Some(&entry), "an entry is found through any of its records");
            assert!(linker.explain(&of).is_some());
        }
        entries.insert((entry.situation, entry.flags.iter().collect(), refs(&entry)));
    }
    let (users, rows) = linker.len();
    assert_eq!(records, users + rows, "every record is in exactly one entry");
    let counts = linker.counts();
    assert_eq!(counts.entries(), entries.len() as u64);
    for situation in Situation::ALL {
        assert_eq!(counts.of(situation), entries.iter().filter(|e| e.0 == situation).count() as u64, "{situation}");
    }
    for flag in Flag::ALL {
        assert_eq!(counts.of_flag(flag), entries.iter().filter(|e| e.1.contains(&flag)).count() as u64);
    }
    entries
}

fn naive(world: &World) -> BTreeSet<Said> {
    Naive { kind: world.kind, users: &world.users, rows: &world.rows }.entries().into_iter().collect()
}

fn bulk(world: &World) -> Linker {
    Linker::bulk(world.users.clone(), world.rows.clone(), Rules::new(world.kind))
}

fn changes(world: &World) -> Vec<Change> {
    let users = world.users.iter().cloned().map(Change::User);
    users.chain(world.rows.iter().cloned().map(Change::Row)).collect()
}

/// A world to begin with, and what happens to it: in batches, with records that change and go.
fn history() -> impl Strategy<Value = (World, Vec<Vec<Change>>)> {
    kind().prop_flat_map(|kind| {
        let change = prop_oneof![
            4 => user(kind).prop_map(Change::User),
            4 => row(kind).prop_map(Change::Row),
            1 => user(kind).prop_map(|user| Change::UserGone(user.sub)),
            1 => row(kind).prop_map(|row| Change::RowGone(row.id)),
        ];
        let batches = prop::collection::vec(prop::collection::vec(change, 0..5), 0..12);
        batches.prop_map(move |batches| (end_of(kind, &batches), batches))
    })
}

fn end_of(kind: userlink_domain::IdKind, batches: &[Vec<Change>]) -> World {
    let mut users: HashMap<Sub, PoolUser> = HashMap::new();
    let mut rows: HashMap<RowId, Row> = HashMap::new();
    for change in batches.iter().flatten() {
        match change {
            Change::User(user) => drop(users.insert(user.sub, user.clone())),
            Change::Row(row) => drop(rows.insert(row.id.clone(), row.clone())),
            Change::UserGone(sub) => drop(users.remove(sub)),
            Change::RowGone(id) => drop(rows.remove(id)),
            Change::Covered(_) | Change::Writable(_) | Change::Unsettled(_) => {}
        }
    }
    World { kind, users: users.into_values().collect(), rows: rows.into_values().collect() }
}

/// As many small worlds as the contract asks for.
const SMALL_CASES: u32 = 100_000;

proptest! {
    #![proptest_config(Config { cases: SMALL_CASES, failure_persistence: None, ..Config::default() })]

    #[test]
    fn the_naive_reading_of_the_contract_agrees(world in world()) {
        prop_assert_eq!(said(&bulk(&world)), naive(&world));
    }
}

proptest! {
    #![proptest_config(Config { cases: 10_000, failure_persistence: None, ..Config::default() })]

    #[test]
    fn any_history_ends_where_one_run_over_everything_ends((end, batches) in history()) {
        let mut linker = Linker::new(Rules::new(end.kind));
        linker.apply(&[Change::Covered(Coverage::ALL)]);
        for batch in &batches {
            linker.apply(batch);
        }
        prop_assert_eq!(said(&linker), said(&bulk(&end)));
        prop_assert_eq!(said(&linker), naive(&end));
    }

    #[test]
    fn a_delta_names_every_entry_that_is_different((end, batches) in history()) {
        let mut linker = Linker::new(Rules::new(end.kind));
        linker.apply(&[Change::Covered(Coverage::ALL)]);
        for batch in &batches {
            let before = said(&linker);
            let delta = linker.apply(batch);
            for new in said(&linker).difference(&before) {
                prop_assert!(delta.changed.iter().any(|of| new.2.contains(of)), "{new:?} is missing");
            }
        }
    }

    #[test]
    fn the_order_does_not_matter(
        (world, order) in world().prop_flat_map(|world| {
            let changes = Just(changes(&world)).prop_shuffle();
            (Just(world), changes)
        }),
        size in 1..5usize,
    ) {
        let mut linker = Linker::new(Rules::new(world.kind));
        for batch in order.chunks(size) {
            linker.apply(batch);
        }
        linker.apply(&[Change::Covered(Coverage::ALL)]);
        prop_assert_eq!(said(&linker), naive(&world));
    }

    /// The records come in any order, and each side is said to be complete only when it is: whatever is shown
    /// meanwhile, other than `reading`, is what is shown in the end.
    #[test]
    fn nothing_is_said_early_that_the_whole_refutes(
        (world, users, rows) in world().prop_flat_map(|world| {
            let users = Just(world.users.clone()).prop_shuffle();
            let rows = Just(world.rows.clone()).prop_shuffle();
            (Just(world), users, rows)
        }),
        turns in prop::collection::vec(any::<bool>(), 14),
        claim_unique in any::<bool>(),
    ) {
        let mut seen = std::collections::HashSet::new();
        let sub_unique = claim_unique && world.rows.iter().filter_map(Row::sub).all(|sub| seen.insert(sub));
        let mut linker = Linker::new(Rules { sub_unique, ..Rules::new(world.kind) });
        let last: HashMap<RecordRef, Situation> =
            naive(&world).into_iter().flat_map(|(s, _, refs)| refs.into_iter().map(move |of| (of, s))).collect();
        let (mut users, mut rows) = (users.into_iter(), rows.into_iter());
        let mut coverage = Coverage::default();
        for turn in turns.into_iter().chain([true, false].into_iter().cycle().take(30)) {
            let next = if turn { users.next().map(Change::User) } else { rows.next().map(Change::Row) };
            if next.is_none() {
                if turn { coverage.users = true } else { coverage.rows = true }
            }
            linker.apply(&[next.unwrap_or(Change::Covered(coverage))]);
            for (situation, _, refs) in said(&linker) {
                for of in refs {
                    prop_assert!(situation == Situation::Reading || situation == last[&of], "{:?} {}", of, situation);
                }
            }
        }
        prop_assert_eq!(coverage, Coverage::ALL);
        prop_assert_eq!(linker.counts().of(Situation::Reading), 0);
    }
}
