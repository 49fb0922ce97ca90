//! The lines of the contract that deserve a story of their own.

use userlink_domain::{Flag, Identity, PoolUser, RecordRef, Row, RowId, Situation, Step, UserStatus};
use userlink_link::{Because, Change, Coverage, Linker, Related, Rules};

use crate::records::{
    KIND, carries, link, names, native_of, of, of_row, profile, row, row_with_email, user, with_email,
};
use crate::world::{id, sub};

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
fn a_joined_profile_speaks_for_its_native_user_and_against_everybody_else() {
    let profile = with_email(profile(2), "ada@x.org");
    let mine = row_with_email(carries(row(1), 1), "ada@x.org");
    let contested = |users: &[PoolUser]| {
        let linker = link(users, std::slice::from_ref(&mine));
        assert_eq!(situation(&linker, &of(2)), Situation::JoinedProfile);
        linker.entry(&of(1)).unwrap().flags.contains(Flag::Contested)
    };
    assert!(!contested(&[native_of(names(user(1), 1), 2), profile.clone()]));
    assert!(contested(&[names(user(1), 1), native_of(user(3), 2), profile]));
}

#[test]
fn the_rival_is_shown_however_many_others_share_the_email_and_only_once() {
    let twins = (100..200).map(|n| with_email(names(user(n), n), "ada@x.org"));
    let users: Vec<_> = [with_email(user(1), "ada@x.org")].into_iter().chain(twins).collect();
    let linker = link(&users, &[row_with_email(row(1), "ada@x.org")]);
    assert_eq!(situation(&linker, &of(1)), Situation::Ambiguous);
    let related = linker.related(&of(1));
    assert_eq!(related.len(), 50);
    assert!(related.iter().all(|it| matches!(it, Related::User { because: Because::Rival, .. })));
}

#[test]
fn the_native_user_is_shown_however_many_rivals_there_are() {
    let rivals = (100..200).map(|n| with_email(names(user(n), n), "ada@x.org"));
    let users: Vec<_> = [profile(1), native_of(user(2), 1)].into_iter().chain(rivals).collect();
    let linker = link(&users, &[row_with_email(carries(row(1), 1), "ada@x.org")]);
    assert_eq!(situation(&linker, &of(1)), Situation::Stranded);
    let related = linker.related(&of(1));
    assert_eq!(related.len(), 50);
    assert!(matches!(related[0], Related::User { because: Because::Rival, .. }));
    assert!(related.contains(&Related::User { sub: sub(2), username: user(2).username, because: Because::NativeUser }));
}

#[test]
fn no_flag_is_shown_before_everything_has_been_read() {
    let users = [names(user(1), 1), with_email(profile(2), "ada@x.org")];
    let mut linker = Linker::new(Rules { sub_unique: true, ..Rules::new(KIND) });
    linker.apply(&users.map(Change::User));
    linker.apply(&[Change::Row(row_with_email(carries(row(1), 1), "ada@x.org"))]);
    linker.apply(&[Change::Covered(Coverage { users: true, rows: false })]);
    assert_eq!(situation(&linker, &of(1)), Situation::Linked);
    assert!(linker.entry(&of(1)).unwrap().flags.is_empty());
    assert_eq!(linker.counts().of_flag(Flag::Contested), 0);
    assert!(linker.related(&of(1)).is_empty());
    linker.apply(&[Change::Covered(Coverage::ALL)]);
    assert!(linker.entry(&of(1)).unwrap().flags.contains(Flag::Contested));
}

#[test]
fn rows_that_a_unique_index_forbids_are_read_to_the_end_before_they_are_called_double() {
    let rows = [carries(row(1), 1), carries(row(2), 1)].map(Change::Row);
    let said = |sub_unique: bool| {
        let mut linker = Linker::new(Rules { sub_unique, ..Rules::new(KIND) });
        linker.apply(&rows);
        situation(&linker, &of_row(1))
    };
    assert_eq!(said(false), Situation::DuplicateRows);
    assert_eq!(said(true), Situation::Reading);
}

#[test]
fn a_protected_entry_is_read_like_any_other_before_it_is_ignored() {
    let mut linker = Linker::new(Rules { protected: [of(1)].into(), ..Rules::new(KIND) });
    linker.apply(&[Change::User(user(1))]);
    assert_eq!(situation(&linker, &of(1)), Situation::Reading);
    linker.apply(&[Change::Covered(Coverage::ALL)]);
    assert_eq!(situation(&linker, &of(1)), Situation::Ignored);
}

#[test]
fn a_blank_id_is_never_written() {
    let blank = Row { sub: carries(row(1), 1).sub, ..Row::new(RowId::Text(" ".into())) };
    let linker = Linker::bulk(vec![user(1)], vec![blank], Rules::new(userlink_domain::IdKind::Text));
    assert_eq!(situation(&linker, &of(1)), Situation::RowSideOnly);
    let repair = linker.explain(&of(1)).unwrap().repair;
    assert!(repair.steps.is_empty() && !repair.safe);
    assert!(repair.words.contains("blank"), "{}", repair.words);
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
fn a_profile_that_is_joined_leaves_its_twins_alone() {
    // One of three twins, free as the others are.
    let twins =
        [with_email(user(1), "ada@x.org"), with_email(user(4), "ada@x.org"), with_email(profile(2), "ada@x.org")];
    let mut linker = link(&twins, &[]);
    assert_eq!(situation(&linker, &of(1)), Situation::FederatedTwin);
    linker.apply(&[Change::User(native_of(user(3), 2))]);
    assert_eq!(situation(&linker, &of(2)), Situation::JoinedProfile);
    assert_eq!(situation(&linker, &of(1)), Situation::Ambiguous);

    // The other twin is in a component that stays what it is.
    let tangled = with_email(names(profile(2), 1), "ada@x.org");
    let mut linker = link(&[with_email(user(1), "ada@x.org"), tangled], &[carries(row(1), 9), carries(row(2), 2)]);
    assert_eq!(situation(&linker, &of(2)), Situation::Tangled);
    assert_eq!(situation(&linker, &of(1)), Situation::FederatedTwin);
    linker.apply(&[Change::User(native_of(user(3), 2))]);
    assert_eq!(situation(&linker, &of(2)), Situation::Tangled);
    assert_eq!(situation(&linker, &of(1)), Situation::NoRow);
}

#[test]
fn coverage_may_be_taken_back_and_given_again_within_a_batch() {
    let mut linker = link(&[with_email(user(1), "ada@x.org"), with_email(names(user(2), 1), "ada@x.org")], &[]);
    assert_eq!(situation(&linker, &of(1)), Situation::Ambiguous);
    let alone = with_email(user(2), "bea@x.org");
    linker.apply(&[Change::Covered(Coverage::default()), Change::User(alone), Change::Covered(Coverage::ALL)]);
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
    // What is only tried is taken back, and that it is unsettled with it.
    let tried = Change::User(names(user(2), 1));
    let back: Vec<Change> = linker.held(&tried).into_iter().chain(linker.held_unsettled(&tried)).collect();
    linker.apply(&[tried]);
    linker.apply(&back);
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

    linker.apply(&[Change::User(with_email(user(2), "ada@x.org"))]);
    linker.apply(&[Change::Row(row_with_email(row(1), "ada@x.org"))]);
    for of in [of(2), of_row(1)] {
        let entry = linker.entry(&of).unwrap();
        assert_eq!((entry.situation, entry.so_far), (Situation::Reading, Some(Situation::EmailMatch)));
    }
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
