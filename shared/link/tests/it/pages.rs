//! Crowds that are read in pages, as the pool gives them: each of these takes seconds, and would take many minutes if a page
//! went through the crowd again.

use userlink_domain::{IdKind, PoolUser, Row, Situation, Sub, UserStatus};
use userlink_link::{Change, Coverage, Linker, Rules};

const KIND: IdKind = IdKind::BigInt;
const CROWD: u32 = 100_000;
/// What ListUsers gives at most.
const PAGE: usize = 60;

fn sub(n: u32) -> Sub {
    Sub::from_u128(u128::from(n))
}

fn user(n: u32) -> PoolUser {
    PoolUser::new(sub(n), format!("user-{n}"))
}

fn names(n: u32, of: u32) -> PoolUser {
    PoolUser { user_id: Some(of.to_string().into()), ..user(n) }
}

fn with_email(user: PoolUser) -> PoolUser {
    PoolUser { email: Some("none@x.org".into()), email_verified: true, ..user }
}

fn row(n: u32) -> Row {
    Row::new(userlink_domain::RowId::BigInt(n.into()))
}

fn carries(n: u32, of: u32) -> Row {
    Row { sub: Some(sub(of).to_string().into()), ..row(n) }
}

fn row_with_email(row: Row) -> Row {
    Row { email: Some("none@x.org".into()), ..row }
}

/// Reads the pages of both sides in turn, and then each side to its end.
fn read(users: Vec<PoolUser>, rows: Vec<Row>) -> Linker {
    let mut linker = Linker::new(Rules::new(KIND));
    take(&mut linker, &users, &rows);
    linker.apply(&[Change::Covered(Coverage { users: true, rows: false })]);
    linker.apply(&[Change::Covered(Coverage::ALL)]);
    assert_eq!(linker.counts(), Linker::bulk(users, rows, Rules::new(KIND)).counts());
    linker
}

fn take(linker: &mut Linker, users: &[PoolUser], rows: &[Row]) {
    let (mut users, mut rows) = (users.chunks(PAGE), rows.chunks(PAGE));
    loop {
        let (some_users, some_rows) = (users.next().unwrap_or_default(), rows.next().unwrap_or_default());
        if some_users.is_empty() && some_rows.is_empty() {
            return;
        }
        linker.apply(&some_users.iter().cloned().map(Change::User).collect::<Vec<_>>());
        linker.apply(&some_rows.iter().cloned().map(Change::Row).collect::<Vec<_>>());
    }
}

fn unconfirmed(user: PoolUser) -> PoolUser {
    PoolUser { status: UserStatus::Unconfirmed, ..user }
}

#[test]
fn users_who_carry_one_user_id_some_of_whom_have_proved_nothing() {
    let prefix = (0..CROWD / 2).map(|n| unconfirmed(names(n, 7)));
    let users: Vec<_> = prefix.chain((CROWD / 2..CROWD).map(|n| names(n, 7))).collect();
    for rows in [vec![], vec![carries(7, 3)]] {
        let linker = read(users.clone(), rows);
        assert_eq!(linker.counts().of(Situation::DuplicateUserId), 1);
        assert!(linker.counts().of(Situation::UnlinkedInactive) >= u64::from(CROWD) / 2 - 1);
    }
}

#[test]
fn users_who_carry_one_user_id_and_each_a_row() {
    let users = (0..CROWD).map(|n| names(n, 7)).collect();
    let linker = read(users, (0..CROWD).map(|n| carries(n, n)).collect());
    assert_eq!(linker.counts().of(Situation::DuplicateUserId), 1);
    assert_eq!(linker.counts().entries(), 1);
}

#[test]
fn rows_that_carry_one_sub() {
    let linker = read(vec![user(1)], (0..CROWD).map(|n| carries(n, 1)).collect());
    assert_eq!(linker.counts().of(Situation::DuplicateRows), 1);
    let linker = read(vec![], (0..CROWD).map(|n| carries(n, 1)).collect());
    assert_eq!(linker.counts().of(Situation::DuplicateRows), 1);
}

#[test]
fn a_table_that_was_restored_off_by_one() {
    let users = (0..CROWD).map(|n| names(n, n)).collect();
    let linker = read(users, (0..CROWD).map(|n| carries(n, n + 1)).collect());
    assert_eq!(linker.counts().of(Situation::Tangled), 1);
}

#[test]
fn rows_of_one_email() {
    let rows: Vec<_> = (0..CROWD).map(|n| row_with_email(row(n))).collect();
    let linker = read(vec![], rows.clone());
    assert_eq!(linker.counts().of(Situation::OrphanRow), u64::from(CROWD));

    let mut linker = Linker::new(Rules::new(KIND));
    linker.apply(&[Change::Covered(Coverage::ALL)]);
    take(&mut linker, &[], &rows);
    assert_eq!(linker.counts().of(Situation::OrphanRow), u64::from(CROWD));
}

#[test]
fn users_of_one_email() {
    let linker = read((0..CROWD).map(|n| with_email(user(n))).collect(), vec![]);
    assert_eq!(linker.counts().of(Situation::Ambiguous), 1);
}

#[test]
fn pairs_of_one_email() {
    let users: Vec<_> = (0..CROWD).map(|n| with_email(names(n, n))).collect();
    let rows: Vec<_> = (0..CROWD).map(|n| row_with_email(carries(n, n))).collect();
    let mut linker = read(users.clone(), rows.clone());
    assert_eq!(linker.counts().of(Situation::Linked), u64::from(CROWD));
    assert_eq!(linker.counts().of_flag(userlink_domain::Flag::Contested), u64::from(CROWD));
    // A listing that begins anew.
    take(&mut linker, &users, &rows);
    assert_eq!(linker.counts().of(Situation::Linked), u64::from(CROWD));
}

#[test]
fn each_of_many_users_whose_row_is_taken_can_be_explained() {
    let taken = with_email(names(CROWD, 7));
    let users: Vec<_> = (0..CROWD).map(|n| with_email(user(n))).chain([taken]).collect();
    let linker = read(users, vec![row_with_email(carries(7, CROWD))]);
    assert_eq!(linker.counts().of(Situation::RowTaken), u64::from(CROWD));
    for of in linker.of_situation(|situation| situation == Situation::RowTaken).iter().step_by(10) {
        let explained = linker.explain(of).unwrap();
        assert!(!explained.related.is_empty() && !explained.why_not.is_empty());
    }
}
