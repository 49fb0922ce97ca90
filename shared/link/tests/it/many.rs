//! So many records that they are taken in and judged on several threads: told one by one or at once, the same is said of
//! them.

use std::collections::HashMap;

use userlink_domain::{Flag, IdKind, PoolUser, RecordRef, Row, RowId, Situation, Sub, UserStatus};
use userlink_link::{Change, Coverage, Linker, Rules};

const MANY: u64 = 40_000;

/// A number that looks like chance, the same for the same.
const fn mixed(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

fn sub(number: u64) -> Sub {
    Sub::from_u128(u128::from(mixed(number)) << 64 | u128::from(number))
}

/// Mostly one's own number, sometimes a neighbour's, sometimes none.
fn meant(number: u64, chance: u64) -> Option<u64> {
    match mixed(chance) % 20 {
        0 => None,
        1 => Some(number + 1),
        2 => Some(number / 8),
        3 => Some(number + MANY),
        _ => Some(number),
    }
}

fn user(number: u64) -> PoolUser {
    let mut user = PoolUser::new(sub(number), format!("user-{number}"));
    let written = |id: u64| if id.is_multiple_of(50) { format!("{id} ") } else { id.to_string() };
    user.user_id = meant(number, number * 5).map(|id| written(id).into());
    user.email = meant(number, number * 5 + 1).map(|of| format!("{of}@example.org").into());
    user.email_verified = !mixed(number * 5 + 2).is_multiple_of(10);
    user.status = match mixed(number * 5 + 3) % 30 {
        0 => UserStatus::Unconfirmed,
        1 => UserStatus::ExternalProvider,
        _ => UserStatus::Confirmed,
    };
    user
}

fn row(number: u64) -> Row {
    let mut row = Row::new(RowId::BigInt(number.cast_signed()));
    row.sub = meant(number, number * 7 + MANY).map(|of| sub(of).to_string().into());
    row.email = meant(number, number * 7 + 1 + MANY).map(|of| format!("{of}@example.org").into());
    row
}

/// What is said of each record.
fn said(linker: &Linker) -> HashMap<RecordRef, (Situation, Vec<Flag>, usize)> {
    let mut said = HashMap::new();
    for lead in linker.leads(None, "") {
        let entry = linker.entry_of(lead, usize::MAX).unwrap();
        let verdict = (entry.situation, entry.flags.iter().collect::<Vec<_>>(), entry.user_count + entry.row_count);
        let refs = entry.users.iter().map(|user| RecordRef::User(user.sub));
        for of in refs.chain(entry.rows.iter().map(|row| RecordRef::Row(row.id.clone()))) {
            assert!(said.insert(of, verdict.clone()).is_none(), "a record is in one entry");
        }
    }
    said
}

#[test]
fn told_one_by_one_or_at_once_the_same_is_said_of_many() {
    let rules = || Rules { protected: [RecordRef::User(sub(7))].into(), ..Rules::new(IdKind::BigInt) };
    let (users, rows): (Vec<_>, Vec<_>) = ((0..MANY).map(user).collect(), (0..MANY).map(row).collect());
    let at_once = Linker::bulk(users.clone(), rows.clone(), rules());
    let counts = at_once.counts();
    assert!(counts.situations().count() > 12, "of nearly every kind there is one: {counts:?}");

    // Everything has been read before anything is told: each batch is judged by itself.
    let mut one_by_one = Linker::new(rules());
    one_by_one.apply(&[Change::Covered(Coverage::ALL)]);
    for (users, rows) in users.chunks(500).zip(rows.chunks(500)) {
        let users = users.iter().cloned().map(Change::User);
        one_by_one.apply(&users.chain(rows.iter().cloned().map(Change::Row)).collect::<Vec<_>>());
    }
    assert_eq!(counts, one_by_one.counts());
    let (told, expected) = (said(&at_once), said(&one_by_one));
    assert_eq!(told.len(), 2 * MANY as usize);
    assert!(told == expected);

    // Read twice, with changes in between: the later one counts.
    let mut twice = Linker::new(rules()).gathering(0);
    for number in 0..MANY {
        let before = PoolUser { user_id: None, email: None, ..user(number) };
        twice.apply(&[Change::User(before), Change::Row(Row::new(RowId::BigInt(number.cast_signed())))]);
    }
    let strangers = (MANY * 2..MANY * 2 + 100).map(user).map(Change::User).collect::<Vec<_>>();
    twice.apply(&strangers);
    twice.apply(&users.iter().cloned().map(Change::User).collect::<Vec<_>>());
    let gone = (MANY * 2..MANY * 2 + 100).map(|number| Change::UserGone(sub(number))).collect::<Vec<_>>();
    twice.apply(&gone);
    twice.apply(&rows.iter().cloned().map(Change::Row).collect::<Vec<_>>());
    twice.apply(&[Change::Covered(Coverage::ALL)]);
    assert_eq!(twice.len(), at_once.len());
    assert_eq!(counts, twice.counts());
    assert!(said(&twice) == expected);
}

#[test]
fn what_was_gathered_can_be_shown_before_everything_has_been_read() {
    let mut linker = Linker::new(Rules::new(IdKind::BigInt)).gathering(100);
    linker.apply(&(0..50).map(user).map(Change::User).collect::<Vec<_>>());
    assert_eq!((linker.len(), linker.counts().entries()), ((50, 0), 0));
    linker.end_gathering();
    let mut incremental = Linker::new(Rules::new(IdKind::BigInt));
    incremental.apply(&(0..50).map(user).map(Change::User).collect::<Vec<_>>());
    assert!(linker.counts().entries() > 0);
    assert_eq!(linker.counts(), incremental.counts());
}
