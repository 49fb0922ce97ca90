//! What holds in every world.

use std::collections::{BTreeSet, HashMap, HashSet};

use proptest::prelude::*;
use proptest::test_runner::Config;
use userlink_domain::{Flag, IdKind, PoolUser, RecordRef, Row, RowId, Situation, Sub};
use userlink_link::{Change, Coverage, Entry, Linker, Rules};

use crate::crowd::crowd;
use crate::naive::{Naive, Said};
use crate::world::{World, kind, record, records, row, user, world};

fn refs(entry: &Entry) -> BTreeSet<RecordRef> {
    let users = entry.users.iter().map(|user| RecordRef::User(user.sub));
    users.chain(entry.rows.iter().map(|row| RecordRef::Row(row.id.clone()))).collect()
}

/// All entries, and a check that every record is in exactly one and that the counts add up.
pub(crate) fn said(linker: &Linker) -> BTreeSet<Said> {
    let mut entries: BTreeSet<Said> = BTreeSet::new();
    let mut records = 0;
    for lead in linker.leads(None, "") {
        let entry = linker.entry_of(lead, usize::MAX).unwrap();
        records += entry.users.len() + entry.rows.len();
        let refs = refs(&entry);
        for of in &refs {
            assert_eq!(linker.lead_of(of), Some(lead), "an entry is found through any of its records");
        }
        assert_eq!(linker.judged(lead), Some((entry.situation, entry.flags)));
        let explained = linker.explain(&entry.lead().unwrap()).unwrap();
        if entry.situation == Situation::Reading {
            assert!(explained.repair.steps.is_empty() && explained.related.is_empty());
        }
        assert_eq!(explained.repair.safe, is_safe(linker, &entry));
        entries.insert((entry.situation, entry.flags.iter().collect(), refs));
    }
    let (users, rows) = linker.len();
    assert_eq!(records, users + rows, "every record is in exactly one entry");
    assert_eq!(all_seen(linker), records, "whoever makes a list meets every record");
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

/// How many records a list is made of, and a check that each entry has one that leads it and, where it has rows, a first row.
fn all_seen(linker: &Linker) -> usize {
    let (users, rows) = linker.slots();
    let (mut leads, mut firsts, mut seen) = (Vec::new(), Vec::new(), 0);
    for it in linker.users_seen(0..users, |_, _| true).chain(linker.rows_seen(0..rows, |_, _| true)) {
        leads.extend(it.leads.then_some(it.lead));
        seen += 1;
    }
    for slot in 0..rows {
        for it in linker.rows_seen(slot..slot + 1, |_, _| true) {
            // Rows come in their order: the first one that is met is the first one.
            if firsts.iter().all(|(lead, _)| *lead != it.lead) {
                firsts.push((it.lead, slot));
            }
        }
    }
    assert_eq!(leads, linker.leads(None, ""));
    let mut theirs: Vec<_> = leads.iter().filter_map(|lead| Some((*lead, linker.first_row(*lead)?))).collect();
    firsts.sort_unstable();
    theirs.sort_unstable();
    assert_eq!(firsts, theirs);
    seen
}

/// Rule 1, and rule 7. Elsewhere it is seen to that `contested` is what the contract says.
fn is_safe(linker: &Linker, entry: &Entry) -> bool {
    entry.situation == Situation::RowSideOnly
        && !entry.flags.contains(Flag::Contested)
        && linker.coverage() == Coverage::ALL
        && entry.rows.iter().all(|row| !row.id.to_string().trim().is_empty())
}

pub(crate) fn naive(world: &World) -> BTreeSet<Said> {
    let World { kind, users, rows, protected, unsettled, writable } = world;
    Naive { kind: *kind, users, rows, protected, unsettled, writable: *writable }.entries().into_iter().collect()
}

pub(crate) fn rules(world: &World) -> Rules {
    Rules { protected: world.protected.clone(), writable: world.writable, ..Rules::new(world.kind) }
}

pub(crate) fn bulk(world: &World) -> Linker {
    let mut linker = Linker::bulk(world.users.clone(), world.rows.clone(), rules(world));
    linker.apply(&world.unsettled.iter().cloned().map(Change::Unsettled).collect::<Vec<_>>());
    linker
}

pub(crate) fn changes(world: &World) -> Vec<Change> {
    let users = world.users.iter().cloned().map(Change::User);
    users.chain(world.rows.iter().cloned().map(Change::Row)).collect()
}

/// What happens to an empty world, in batches: records come, change and go, and so does what is known besides.
#[derive(Clone, Debug)]
struct History {
    kind: IdKind,
    protected: HashSet<RecordRef>,
    batches: Vec<Vec<Change>>,
}

fn history() -> impl Strategy<Value = History> {
    kind().prop_flat_map(|kind| {
        let coverage = (any::<bool>(), any::<bool>()).prop_map(|(users, rows)| Coverage { users, rows });
        let change = prop_oneof![
            12 => user(kind).prop_map(Change::User),
            12 => row(kind).prop_map(Change::Row),
            3 => user(kind).prop_map(|user| Change::UserGone(user.sub)),
            3 => row(kind).prop_map(|row| Change::RowGone(row.id)),
            2 => record(kind).prop_map(Change::Unsettled),
            1 => coverage.prop_map(Change::Covered),
            1 => Just(Change::Covered(Coverage::ALL)),
            1 => any::<Option<bool>>().prop_map(Change::Writable),
        ];
        let batches = prop::collection::vec(prop::collection::vec(change, 0..5), 0..12);
        (records(kind), batches).prop_map(move |(protected, batches)| History { kind, protected, batches })
    })
}

impl History {
    fn linker(&self) -> Linker {
        let mut linker = Linker::new(Rules { protected: self.protected.clone(), ..Rules::new(self.kind) });
        linker.apply(&[Change::Covered(Coverage::ALL)]);
        linker
    }

    fn end(&self) -> World {
        let mut users: HashMap<Sub, PoolUser> = HashMap::new();
        let mut rows: HashMap<RowId, Row> = HashMap::new();
        let (mut unsettled, mut writable) = (HashSet::new(), None);
        for change in self.batches.iter().flatten() {
            match change {
                Change::User(user) => {
                    unsettled.remove(&RecordRef::User(user.sub));
                    users.insert(user.sub, user.clone());
                }
                Change::Row(row) => {
                    unsettled.remove(&RecordRef::Row(row.id.clone()));
                    rows.insert(row.id.clone(), row.clone());
                }
                Change::UserGone(sub) => {
                    unsettled.remove(&RecordRef::User(*sub));
                    users.remove(sub);
                }
                Change::RowGone(id) => {
                    unsettled.remove(&RecordRef::Row(id.clone()));
                    rows.remove(id);
                }
                Change::Unsettled(of) => {
                    let known = match of {
                        RecordRef::User(sub) => users.contains_key(sub),
                        RecordRef::Row(id) => rows.contains_key(id),
                    };
                    if known {
                        unsettled.insert(of.clone());
                    }
                }
                Change::Writable(now) => writable = *now,
                Change::Covered(_) | Change::Dismissed(..) | Change::Contained(..) => {}
            }
        }
        let (users, rows) = (users.into_values().collect(), rows.into_values().collect());
        World { kind: self.kind, users, rows, protected: self.protected.clone(), unsettled, writable }
    }
}

/// A world, its users and rows in any order, and whose turn it is to be read.
fn reading(of: impl Strategy<Value = World>) -> impl Strategy<Value = (World, Vec<PoolUser>, Vec<Row>, Vec<bool>)> {
    of.prop_flat_map(|world| {
        let users = Just(world.users.clone()).prop_shuffle();
        let rows = Just(world.rows.clone()).prop_shuffle();
        (Just(world), users, rows, prop::collection::vec(any::<bool>(), 14))
    })
}

/// The records come in pages, and each side is said to be complete only when it is: whatever is shown meanwhile, other
/// than `reading`, is what is shown in the end.
fn nothing_is_refuted(
    (world, users, rows, turns): (World, Vec<PoolUser>, Vec<Row>, Vec<bool>),
    claim_unique: bool,
    page: usize,
) -> Result<(), TestCaseError> {
    let world = World { unsettled: HashSet::new(), ..world };
    let mut seen = HashSet::new();
    let sub_unique = claim_unique && world.rows.iter().filter_map(Row::sub).all(|sub| seen.insert(sub));
    let mut linker = Linker::new(Rules { sub_unique, ..rules(&world) });
    let end = naive(&world);
    let last: HashMap<&RecordRef, &Said> =
        end.iter().flat_map(|said| said.2.iter().map(move |of| (of, said))).collect();
    let (mut users, mut rows) = (users.into_iter().map(Change::User), rows.into_iter().map(Change::Row));
    let mut coverage = Coverage::default();
    let mut turns = turns.into_iter().chain([true, false].into_iter().cycle());
    while coverage != Coverage::ALL {
        let turn = turns.next().unwrap();
        let mut batch: Vec<Change> =
            if turn { users.by_ref().take(page).collect() } else { rows.by_ref().take(page).collect() };
        if batch.is_empty() {
            if turn {
                coverage.users = true
            } else {
                coverage.rows = true
            }
            batch.push(Change::Covered(coverage));
        }
        linker.apply(&batch);
        for (situation, flags, refs) in said(&linker) {
            for of in refs {
                let (in_the_end, flags_in_the_end, _) = last[&of];
                let is_early = situation == Situation::Reading;
                prop_assert!(is_early || situation == *in_the_end, "{:?} {}, but {}", of, situation, in_the_end);
                prop_assert!(flags.iter().all(|flag| flags_in_the_end.contains(flag)), "{:?} {:?}", of, flags);
            }
        }
    }
    prop_assert_eq!(linker.counts().of(Situation::Reading), 0);
    prop_assert_eq!(said(&linker), end);
    Ok(())
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
    #![proptest_config(Config { cases: 30_000, failure_persistence: None, ..Config::default() })]

    #[test]
    fn any_history_ends_where_one_run_over_everything_ends(history in history()) {
        let mut linker = history.linker();
        for batch in &history.batches {
            linker.apply(batch);
        }
        linker.apply(&[Change::Covered(Coverage::ALL)]);
        let end = history.end();
        prop_assert_eq!(said(&linker), said(&bulk(&end)));
        prop_assert_eq!(said(&linker), naive(&end));
    }

    /// At some moments the entries of some records are dismissed, on what their verdicts rest on then: in the end just those
    /// are ignored that rest on the same, however it came about.
    #[test]
    fn what_is_dismissed_is_ignored_until_its_evidence_changes(
        (history, whom) in history().prop_flat_map(|history| {
            let whom = prop::collection::vec(prop::option::of(record(history.kind)), history.batches.len());
            (Just(history), whom)
        })
    ) {
        let history = History { protected: HashSet::new(), ..history };
        let mut linker = history.linker();
        let mut dismissed = HashMap::new();
        for (batch, whom) in history.batches.iter().zip(whom) {
            linker.apply(batch);
            linker.apply(&[Change::Covered(Coverage::ALL)]);
            if let Some((of, evidence)) = whom.and_then(|of| linker.evidence(&of).map(|evidence| (of, evidence))) {
                linker.apply(&[Change::Dismissed(of.clone(), Some(evidence))]);
                prop_assert_eq!(linker.entry(&of).unwrap().situation, Situation::Ignored);
                dismissed.insert(of, evidence);
            }
        }
        let end = history.end();
        let told: Vec<Change> =
            dismissed.iter().map(|(of, evidence)| Change::Dismissed(of.clone(), Some(*evidence))).collect();
        // One run over everything, told before it and told after it.
        let mut whole = bulk(&end);
        whole.apply(&told);
        prop_assert_eq!(said(&linker), said(&whole));
        let mut early = Linker::new(rules(&end));
        early.apply(&told);
        early.apply(&changes(&end));
        early.apply(&[Change::Covered(Coverage::ALL)]);
        early.apply(&end.unsettled.iter().cloned().map(Change::Unsettled).collect::<Vec<_>>());
        prop_assert_eq!(said(&early), said(&whole));
        // And beside what everything would be without: only whose evidence is the same is ignored.
        let bare = bulk(&end);
        for (situation, flags, refs) in said(&bare) {
            let ignored = refs.iter().any(|of| {
                dismissed.get(of).is_some_and(|evidence| bare.evidence(of) == Some(*evidence))
            });
            let now = linker.entry(refs.first().unwrap()).unwrap();
            prop_assert_eq!(now.situation, if ignored { Situation::Ignored } else { situation }, "{:?}", refs);
            prop_assert!(ignored || now.flags.iter().all(|flag| flags.contains(&flag)));
        }
        // Taken up again, nothing of it is left.
        let back: Vec<Change> = dismissed.keys().map(|of| Change::Dismissed(of.clone(), None)).collect();
        linker.apply(&back);
        prop_assert_eq!(said(&linker), said(&bare));
    }

    #[test]
    fn a_delta_names_every_entry_that_is_different(history in history()) {
        let mut linker = history.linker();
        for batch in &history.batches {
            let before = said(&linker);
            let delta = linker.apply(batch);
            for new in said(&linker).difference(&before) {
                prop_assert!(delta.all || delta.changed.iter().any(|of| new.2.contains(of)), "{new:?} is missing");
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
        let mut linker = Linker::new(rules(&world));
        for batch in order.chunks(size) {
            linker.apply(batch);
        }
        linker.apply(&world.unsettled.iter().cloned().map(Change::Unsettled).collect::<Vec<_>>());
        linker.apply(&[Change::Covered(Coverage::ALL)]);
        prop_assert_eq!(said(&linker), naive(&world));
    }

    #[test]
    fn nothing_is_said_early_that_the_whole_refutes(reading in reading(world()), claim_unique in any::<bool>()) {
        nothing_is_refuted(reading, claim_unique, 1)?;
    }
}

proptest! {
    #![proptest_config(Config { cases: 400, failure_persistence: None, ..Config::default() })]

    #[test]
    fn nothing_is_said_early_of_a_crowd(reading in reading(crowd()), claim_unique in any::<bool>(), page in 1..25usize) {
        nothing_is_refuted(reading, claim_unique, page)?;
    }
}
