//! Reading both sides once more: beside what is held, and over it.

use std::collections::{BTreeSet, HashSet};

use proptest::prelude::*;
use proptest::test_runner::Config;
use userlink_domain::{Flag, PoolUser, RecordRef, Row, Situation, Sub};
use userlink_link::{Anew, Change, Coverage, Earlier, Linker, Since};

use crate::naive::Said;
use crate::properties::{bulk, changes, naive, rules, said};
use crate::world::{World, record, row, user, world};

/// A world, what has become of it, and how that is read.
#[derive(Clone, Debug)]
struct Turned {
    before: World,
    after: World,
    /// What is told first, before some users are read from the first of them again.
    stale: Vec<Change>,
    /// All of the world that there is now, in any order.
    read: Vec<Change>,
    /// And what somebody looks at besides, while so much has been read.
    learned: Vec<(usize, Change)>,
    /// How much is taken in at once.
    at_once: usize,
}

fn at_this_page(learned: &[(usize, Change)], page: usize) -> Vec<Change> {
    learned.iter().filter(|(when, _)| *when == page).map(|(_, change)| change.clone()).collect()
}

fn is_even(sub: Sub) -> bool {
    (sub.as_u128() >> 120).is_multiple_of(2)
}

fn turned() -> impl Strategy<Value = Turned> {
    let worlds = world().prop_flat_map(|before| {
        let kind = before.kind;
        let others = (prop::collection::vec(user(kind), 0..5), prop::collection::vec(row(kind), 0..5));
        let stays = prop::collection::vec(prop::bool::weighted(0.7), 12);
        let stale = prop_oneof![
            4 => user(kind).prop_map(Change::User),
            1 => user(kind).prop_map(|user| Change::UserGone(user.sub)),
            1 => row(kind).prop_map(|row| Change::RowGone(row.id)),
            1 => record(kind).prop_map(Change::Unsettled),
        ];
        let stale = prop::collection::vec(stale, 0..4);
        (Just(before), others, stays, stale)
    });
    let worlds = worlds.prop_map(|(before, (users, rows), stays, stale)| {
        let mut stays = stays.into_iter().cycle();
        let mut after = World { users: users.clone(), rows: rows.clone(), unsettled: HashSet::new(), ..before.clone() };
        let mut seen = HashSet::new();
        after.users.retain(|user| seen.insert(user.sub));
        let kept = before.users.iter().filter(|user| stays.next() == Some(true) && seen.insert(user.sub));
        after.users.extend(kept.cloned());
        let mut seen = HashSet::new();
        after.rows.retain(|row| seen.insert(row.id.clone()));
        let kept = before.rows.iter().filter(|row| stays.next() == Some(true) && seen.insert(row.id.clone()));
        after.rows.extend(kept.cloned());
        // Whoever is read and is not there any more is among those who are read again.
        let may_be = |change: &Change| !matches!(change, Change::User(user) if !is_even(user.sub));
        (before, after, stale.into_iter().filter(may_be).collect::<Vec<_>>())
    });
    worlds.prop_flat_map(|(before, after, stale)| {
        let all = changes(&after);
        let learned = prop::collection::vec((0..8usize, any::<prop::sample::Index>()), 0..3);
        (Just(all.clone()).prop_shuffle(), learned, 1..4usize).prop_map(move |(read, learned, at_once)| {
            let learned = if all.is_empty() { Vec::new() } else { learned };
            let learned = learned.into_iter().map(|(when, which)| (when, which.get(&all).clone())).collect();
            Turned { before: before.clone(), after: after.clone(), stale: stale.clone(), read, learned, at_once }
        })
    })
}

/// What became of entries, found out by going through all of them.
fn is_as_compared(linker: &Linker, before: &BTreeSet<Said>, earlier: &Earlier) {
    let now = said(linker);
    for (situation, flags, records) in &now {
        let lead = linker.lead_of(records.first().unwrap()).unwrap();
        let was: Vec<&Said> = before.iter().filter(|(_, _, then)| !then.is_disjoint(records)).collect();
        let of_itself = |flags: &[Flag]| flags.iter().filter(|it| **it != Flag::Writable).copied().collect::<Vec<_>>();
        let is_other = |(then, its_flags, its): &&&Said| {
            then != situation || its != records || of_itself(its_flags) != of_itself(flags)
        };
        let others: Vec<Situation> = was.iter().filter(is_other).map(|(then, _, _)| *then).collect();
        match linker.since(earlier, lead) {
            None => assert!(!was.is_empty() && others.is_empty()),
            Some(Since::New) => assert!(was.is_empty()),
            Some(Since::Changed(then)) => assert!(others.contains(&then)),
        }
    }
    let there: HashSet<&RecordRef> = now.iter().flat_map(|(_, _, refs)| refs).collect();
    let is_gone = |(_, _, refs): &&Said| refs.iter().all(|of| !there.contains(of));
    let gone: BTreeSet<Said> = before.iter().filter(is_gone).cloned().collect();
    let told = linker.gone_since(earlier).map(|lead| {
        let entry = linker.gone_entry(earlier, lead).unwrap();
        let users = entry.users.iter().map(|user: &PoolUser| RecordRef::User(user.sub));
        let all = users.chain(entry.rows.iter().map(|row: &Row| RecordRef::Row(row.id.clone())));
        (entry.situation, entry.flags.iter().collect(), all.collect())
    });
    assert_eq!(told.collect::<BTreeSet<Said>>(), gone);
}

proptest! {
    #![proptest_config(Config { cases: 20_000, failure_persistence: None, ..Config::default() })]

    #[test]
    fn what_is_held_stays_until_all_has_been_read_and_is_the_new_world_then(turned in turned()) {
        let Turned { before, after, stale, read, learned, at_once } = turned;
        let mut linker = bulk(&before);
        let then = said(&linker);
        let earlier = linker.earlier().unwrap();
        let mut anew = Anew::beside(&mut linker);
        anew.read(&mut linker, &stale);
        prop_assert_eq!(&said(&linker), &then);
        anew.expect_users(&mut linker, is_even);
        for (at, page) in read.chunks(at_once).enumerate() {
            anew.read(&mut linker, page);
            anew.learn(&mut linker, &at_this_page(&learned, at));
            if learned.is_empty() {
                prop_assert_eq!(&said(&linker), &then, "nothing of it is shown");
            }
        }
        if learned.is_empty() {
            prop_assert_eq!(anew.came(), Some((after.users.len() as u64, after.rows.len() as u64)));
        }
        while !anew.turn(&mut linker, at_once).unwrap() {}
        prop_assert!(!anew.is_beside());
        prop_assert_eq!(said(&linker), naive(&after));
        // A record that went and came back is not told from another one.
        if !stale.iter().any(|change| matches!(change, Change::UserGone(_) | Change::RowGone(_))) {
            is_as_compared(&linker, &then, &earlier);
        }
        // What goes on from here is taken in at once.
        let users = after.users.iter().map(|user| Change::UserGone(user.sub)).collect::<Vec<_>>();
        anew.read(&mut linker, &users);
        prop_assert_eq!(linker.len(), (0, after.rows.len()));
    }

    /// Of a part of the pool that is listed from its beginning again whoever is not there any more is gone; and of less than all
    /// what was read anew takes the place at any moment.
    #[test]
    fn what_had_not_been_read_to_its_end_is_read_on(
        turned in turned(),
        some in 0..6usize,
        coverage in any::<bool>(),
        turns_at in 0..6usize,
    ) {
        let Turned { before, after, stale, read, learned, at_once } = turned;
        for gathers in [false, true] {
            let mut linker = Linker::new(rules(&before));
            let mut anew = Anew::default();
            if gathers {
                linker = linker.gathering(10);
            } else {
                linker.apply(&changes(&before).into_iter().take(some).collect::<Vec<_>>());
                linker.apply(&[Change::Covered(Coverage { users: coverage, rows: false })]);
                anew = Anew::beside(&mut linker);
            }
            anew.read(&mut linker, &stale);
            anew.expect_users(&mut linker, is_even);
            for (at, page) in read.chunks(at_once).enumerate() {
                anew.read(&mut linker, page);
                anew.learn(&mut linker, &at_this_page(&learned, at));
                if at == turns_at {
                    linker.apply(&[Change::Covered(Coverage::default())]);
                    while !anew.turn(&mut linker, at_once).unwrap() {}
                    // Who was read before the turn may have been gone by then.
                    anew.expect_users(&mut linker, is_even);
                    anew.read(&mut linker, &changes(&after));
                }
            }
            linker.apply(&[Change::Covered(Coverage::default())]);
            while !anew.turn(&mut linker, at_once).unwrap() {}
            anew.forget_users(&mut linker);
            linker.apply(&[Change::Covered(Coverage::ALL)]);
            prop_assert_eq!(said(&linker), naive(&after));
        }
    }

    #[test]
    fn what_is_dropped_on_the_way_leaves_no_trace(turned in turned()) {
        let mut linker = bulk(&turned.before);
        let then = said(&linker);
        for _ in 0..2 {
            let mut anew = Anew::beside(&mut linker);
            anew.read(&mut linker, &turned.read);
            drop(anew);
            prop_assert_eq!(&said(&linker), &then);
        }
    }
}

#[test]
fn who_is_looked_at_meanwhile_is_shown_as_read_last() {
    use userlink_domain::IdKind;
    use userlink_link::Rules;
    let mut linker = Linker::bulk(Vec::new(), Vec::new(), Rules::new(IdKind::Uuid));
    let mut anew = Anew::beside(&mut linker);
    let sub = crate::world::sub(1);
    let user = |phone: &str| Change::User(PoolUser { phone: Some(phone.into()), ..PoolUser::new(sub, "one") });
    anew.learn(&mut linker, &[user("+1")]);
    anew.read(&mut linker, &[user("+2")]);
    while !anew.turn(&mut linker, 1).unwrap() {}
    let shown = linker.entry(&RecordRef::User(sub)).unwrap();
    assert_eq!(shown.users[0].phone.as_deref(), Some("+2"));
}
