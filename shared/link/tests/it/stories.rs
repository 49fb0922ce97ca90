//! The lines of the contract that deserve a story of their own.

use userlink_domain::{Flag, IdKind, Identity, PoolUser, RecordRef, Row, Situation, Step, UserStatus};
use userlink_link::{Because, Change, Coverage, Linker, Related, Rules};

use crate::world::{id, sub};

const KIND: IdKind = IdKind::Uuid;

fn user(n: u8) -> PoolUser {
    PoolUser::new(sub(n), format!("user-{n}"))
}

fn row(n: u8) -> Row {
    Row::new(id(KIND, n))
}

fn names(mut user: PoolUser, n: u8) -> PoolUser {
    user.user_id = Some(id(KIND, n).to_string().into());
    user
}

fn carries(mut row: Row, n: u8) -> Row {
    row.sub = Some(sub(n).to_string().into());
    row
}

fn with_email(mut user: PoolUser, email: &str) -> PoolUser {
    user.email = Some(email.into());
    user.email_verified = true;
    user
}

fn row_with_email(mut row: Row, email: &str) -> Row {
    row.email = Some(email.into());
    row
}

fn of(n: u8) -> RecordRef {
    RecordRef::User(sub(n))
}

fn link(users: &[PoolUser], rows: &[Row]) -> Linker {
    Linker::bulk(users.to_vec(), rows.to_vec(), Rules::new(KIND))
}

fn situation(linker: &Linker, of: &RecordRef) -> Situation {
    linker.entry(of).unwrap().situation
}

#[test]
fn the_one_safe_repair_is_offered_with_its_step() {
    let linker = link(&[user(1)], &[carries(row(1), 1)]);
    let explained = linker.explain(&of(1)).unwrap();
    assert_eq!(situation(&linker, &of(1)), Situation::RowSideOnly);
    assert!(explained.repair.safe);
    let value = id(KIND, 1).to_string();
    assert_eq!(explained.repair.steps, [Step::WriteUserId { username: "user-1".into(), expect: None, value }]);
}

#[test]
fn a_contested_entry_is_never_safe_and_names_its_rival() {
    let rival = with_email(user(2), "ada@x.org");
    let linker = link(&[user(1), rival.clone()], &[row_with_email(carries(row(1), 1), "ada@x.org")]);
    let entry = linker.entry(&of(1)).unwrap();
    let explained = linker.explain(&of(1)).unwrap();
    assert!(entry.flags.contains(Flag::Contested));
    assert!(!explained.repair.safe);
    let named = Related::User { sub: rival.sub, username: rival.username, because: Because::Rival };
    assert_eq!(explained.related, [named]);
}

#[test]
fn what_an_unconfirmed_user_claims_counts_only_where_the_row_agrees() {
    let mut stranger = names(user(2), 1);
    stranger.status = UserStatus::Unconfirmed;
    let linker = link(&[names(user(1), 1), stranger], &[carries(row(1), 1)]);
    assert_eq!(situation(&linker, &of(1)), Situation::Linked);
    assert!(linker.entry(&of(1)).unwrap().flags.contains(Flag::Contested));
    assert_eq!(situation(&linker, &of(2)), Situation::UnlinkedInactive);
}

#[test]
fn a_joined_profile_is_found_whichever_side_of_the_underscore_its_names_have() {
    let mut profile = PoolUser::new(sub(1), "My_idp_42");
    profile.status = UserStatus::ExternalProvider;
    let mut native = names(user(2), 2);
    native.identities = vec![Identity { provider: "my_IDP".into(), user_id: "42".into() }];
    let mut linker = link(&[profile, native.clone()], &[carries(row(2), 2)]);
    assert_eq!(situation(&linker, &of(1)), Situation::JoinedProfile);
    assert!(matches!(linker.related(&of(1))[..], [Related::User { because: Because::NativeUser, .. }]));

    native.identities.clear();
    linker.apply(&[Change::User(native)]);
    assert_eq!(situation(&linker, &of(1)), Situation::NoRow);
}

#[test]
fn writing_the_attribute_makes_the_entry_linked() {
    let mut linker = link(&[user(1)], &[carries(row(1), 1)]);
    let delta = linker.apply(&[Change::User(names(user(1), 1))]);
    assert_eq!(delta.changed, [of(1)]);
    assert_eq!(situation(&linker, &of(1)), Situation::Linked);
}

#[test]
fn a_protected_record_and_an_unsettled_one_are_laid_over_the_result() {
    let rules = Rules { protected: [of(1)].into(), ..Rules::new(KIND) };
    let mut linker = Linker::bulk(vec![user(1), user(2)], vec![], rules);
    assert_eq!(situation(&linker, &of(1)), Situation::Ignored);
    linker.apply(&[Change::Unsettled(of(2))]);
    assert_eq!(situation(&linker, &of(2)), Situation::Unsettled);
    linker.apply(&[Change::User(user(2))]);
    assert_eq!(situation(&linker, &of(2)), Situation::NoRow);
}

#[test]
fn while_reading_an_entry_says_what_it_would_be_but_not_as_a_verdict() {
    let mut linker = Linker::new(Rules::new(KIND));
    linker.apply(&[Change::User(user(1)), Change::Covered(Coverage { users: true, rows: false })]);
    let entry = linker.entry(&of(1)).unwrap();
    assert_eq!((entry.situation, entry.so_far), (Situation::Reading, Some(Situation::NoRow)));
    assert!(linker.explain(&of(1)).unwrap().repair.steps.is_empty());
}

#[test]
fn where_users_can_write_the_attribute_what_rests_on_it_is_marked() {
    let rules = Rules { writable: Some(true), ..Rules::new(KIND) };
    let linker = Linker::bulk(vec![names(user(1), 1)], vec![row(1)], rules);
    let entry = linker.entry(&of(1)).unwrap();
    assert_eq!(entry.situation, Situation::UserSideOnly);
    assert!(entry.flags.contains(Flag::Writable));
}

#[test]
fn a_crowd_under_one_key_or_one_email_is_gone_through_once() {
    let crowd = 30_000u32;
    let users = (0..crowd).map(|n| {
        let mut user = PoolUser::new(userlink_domain::Sub::from_u128(u128::from(n)), format!("u{n}"));
        user.user_id = Some(id(KIND, 1).to_string().into());
        with_email(user, "all@x.org")
    });
    let linker = Linker::bulk(users.collect(), vec![row_with_email(row(1), "all@x.org")], Rules::new(KIND));
    assert_eq!(linker.counts().of(Situation::DuplicateUserId), 1);
}

#[test]
fn a_filter_finds_an_entry_by_any_of_its_records() {
    let linker = link(&[with_email(user(1), "Ada@x.org"), user(2)], &[carries(row(1), 1), row(3)]);
    let found = |text: &str| linker.leads(None, text).len();
    assert_eq!(found("ada@"), 1);
    assert_eq!(found("USER-2"), 1);
    assert_eq!(found(&sub(1).to_string()), 1);
    assert_eq!(found(&id(KIND, 3).to_string()), 1);
    assert_eq!(found("nobody"), 0);
    assert_eq!(found(""), 3);
}
