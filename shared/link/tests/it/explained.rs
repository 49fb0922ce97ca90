//! What an explanation says, where it would be easy to say what is not so.

use userlink_domain::{Flag, PoolUser, Row, Situation, UserStatus};
use userlink_link::{Explanation, Linker};

use crate::records::{
    KIND, carries, link, names, native_of, of, of_row, profile, row, row_with_email, unverified, user, with_email,
    with_status,
};
use crate::world::{id, sub};

const ADA: &str = "ada@x.org";

fn explain(linker: &Linker, of: &userlink_domain::RecordRef, situation: Situation) -> Explanation {
    assert_eq!(linker.entry(of).unwrap().situation, situation);
    linker.explain(of).unwrap()
}

fn says(lines: &[String], words: &str) {
    assert!(lines.iter().any(|line| line.contains(words)), "{words:?} is not among {lines:#?}");
}

fn ada(user: PoolUser) -> PoolUser {
    with_email(user, ADA)
}

fn adas(row: Row) -> Row {
    row_with_email(row, ADA)
}

/// A user and a row that are linked.
fn linked(n: u8) -> (PoolUser, Row) {
    (names(user(n), n), carries(row(n), n))
}

#[test]
fn a_row_by_itself_tells_of_those_who_have_its_email_and_are_passed_over() {
    let (tied, its) = linked(2);
    let users = [
        ada(tied),
        ada(profile(3)),
        native_of(user(4), 3),
        ada(with_status(user(5), UserStatus::ForceChangePassword)),
        unverified(ada(user(6))),
        with_status(names(user(7), 1), UserStatus::Unconfirmed),
    ];
    let linker = link(&users, &[adas(row(1)), its]);
    let explained = explain(&linker, &of_row(1), Situation::OrphanRow);
    assert_eq!(explained.summary, "A row without a sub that only UNCONFIRMED users name; no free user has its e-mail.");
    says(&explained.why_not, "user user-2: has the row's e-mail, but is linked in another entry");
    says(&explained.why_not, "user idp_3: has the row's e-mail, but was joined");
    says(
        &explained.why_not,
        "user user-5: has the row's e-mail, but is unlinked inactive: its status would have to be",
    );
    says(&explained.why_not, "user user-6: has the row's e-mail, but not verified");
    says(&explained.why_not, "user user-7: names the row, but is UNCONFIRMED");
}

#[test]
fn only_the_rows_of_the_doubled_sub_are_counted() {
    // User 1 names row 3, which is tied to nobody, and has two rows.
    let linker = link(&[names(user(1), 3)], &[carries(row(1), 1), carries(row(2), 1), row(3)]);
    let explained = explain(&linker, &of(1), Situation::DuplicateRows);
    let sub = sub(1);
    assert_eq!(
        explained.summary,
        format!("2 rows carry the sub {sub}: the application has this person more than once.")
    );
    assert_eq!(explained.repair.words, "Choose the row to keep; the others lose their sub.");
    says(&explained.why_not, &format!("linked: one row alone would have to carry the sub {sub}"));
}

#[test]
fn rows_that_share_the_sub_of_nobody_are_only_reported() {
    let linker = link(&[], &[carries(row(1), 9), carries(row(2), 9)]);
    let explained = explain(&linker, &of_row(1), Situation::DuplicateRows);
    assert_eq!(explained.summary, format!("2 rows carry the sub {}, which names no pool user.", sub(9)));
    assert_eq!(explained.today, "Nobody signs in to these rows.");
    assert_eq!(explained.repair.words, "None: no pool user has that sub. It is only reported.");

    let linker = link(&[names(user(1), 1)], &[carries(row(1), 9), carries(row(2), 9)]);
    let explained = explain(&linker, &of(1), Situation::DuplicateRows);
    assert!(explained.repair.words.starts_with("None"));
    assert!(explained.today.starts_with("Sees the data of the row that the user id names"));
}

#[test]
fn the_doubled_user_id_is_named_and_only_its_users_are_counted() {
    // User 1 names row 1, which carries the sub of user 2; users 2 and 3 both name row 2.
    let users = [names(user(1), 1), names(user(2), 2), names(user(3), 2)];
    let linker = link(&users, &[carries(row(1), 2), row(2)]);
    let explained = explain(&linker, &of(1), Situation::DuplicateUserId);
    assert_eq!(explained.summary, format!("2 users carry the user id {}: they see one another's data.", id(KIND, 2)));

    let linker = link(&users[1..], &[]);
    let explained = explain(&linker, &of(2), Situation::DuplicateUserId);
    assert_eq!(explained.summary, format!("2 users carry the user id {}, which names no row.", id(KIND, 2)));
    assert_eq!(explained.today, "Signs in with an id that leads to nothing.");
}

#[test]
fn flags_come_with_the_values_that_they_hold_on() {
    let shouting = PoolUser { user_id: Some(id(KIND, 2).to_string().to_uppercase().into()), ..user(2) };
    let shouting = with_email(shouting, "bea@x.org");
    let stranger = with_status(names(user(3), 2), UserStatus::Unconfirmed);
    let linker = link(&[names(user(1), 2), shouting, ada(user(4)), stranger], &[adas(carries(row(2), 2))]);
    let explained = explain(&linker, &of(2), Situation::DuplicateUserId);
    let row = id(KIND, 2);
    let (shouted, flags) = (row.to_string().to_uppercase(), linker.entry(&of(2)).unwrap().flags);
    assert_eq!(flags.iter().count(), 3);
    says(
        &explained.why,
        &format!("non_canonical_id: the user id of user user-2 is {shouted}, and the row's id is {row}"),
    );
    says(&explained.why, &format!("email_differs: user user-2 has bea@x.org, and row {row} has {ADA}"));
    says(
        &explained.why,
        &format!("contested: user user-4 of another entry has the verified e-mail {ADA} of row {row}"),
    );
    says(&explained.why, &format!("contested: user user-3 of another entry is UNCONFIRMED and names row {row}"));
    assert!(flags.contains(Flag::Contested));
}

#[test]
fn a_row_that_is_taken_is_taken_by_an_entry_which_need_not_be_somebodys() {
    let linker = link(&[ada(user(1))], &[adas(carries(row(1), 9)), carries(row(2), 9)]);
    let explained = explain(&linker, &of(1), Situation::RowTaken);
    assert_eq!(explained.summary, "No pointers, and every row with the verified e-mail belongs to another entry.");
    says(&explained.why_not, &format!("row {}: is duplicate rows in another entry", id(KIND, 1)));
    says(&explained.why, "user user-1: no row that was read carries its sub");
    // The rows are by themselves, and the user is nowhere called tied.
    assert!(linker.explain(&of_row(1)).unwrap().why_not.iter().all(|line| !line.contains("user-1")));
}

#[test]
fn nobody_else_has_the_email_unless_a_joined_profile_has() {
    let pair = ([ada(user(1))], [adas(row(1))]);
    let summary = |users: &[PoolUser]| explain(&link(users, &pair.1), &of(1), Situation::EmailMatch).summary;
    assert!(summary(&pair.0).ends_with("share a verified e-mail, and nobody else has it."));
    let [user_1] = pair.0.clone();
    let joined = summary(&[user_1, ada(profile(2)), native_of(user(3), 2)]);
    assert!(joined.ends_with("share a verified e-mail, and only profiles that were joined have it, too."), "{joined}");
}

#[test]
fn who_can_sign_in_depends_on_the_status() {
    let today = |user: PoolUser| link(&[user], &[]).explain(&of(1)).unwrap().today;
    let status = |status: UserStatus| today(with_status(user(1), status));
    assert_eq!(today(PoolUser { enabled: false, ..user(1) }), "Cannot sign in: the user is disabled.");
    assert_eq!(status(UserStatus::Unconfirmed), "Cannot sign in until the sign-up is confirmed.");
    assert_eq!(
        status(UserStatus::ForceChangePassword),
        "Can sign in with the temporary password, and then has to choose another."
    );
    assert_eq!(
        status(UserStatus::Other("ARCHIVED".into())),
        "Whether a user can sign in whose status is ARCHIVED is not known."
    );
    assert_eq!(
        status(UserStatus::ResetRequired),
        "Resets the password, signs in, and the application does not know who it is."
    );
}

#[test]
fn an_inactive_user_is_told_what_would_make_it_expected() {
    let inactive = PoolUser { enabled: false, ..with_status(ada(names(user(1), 2)), UserStatus::Unconfirmed) };
    let linker = link(&[inactive], &[adas(row(1)), row(2)]);
    let explained = explain(&linker, &of(1), Situation::UnlinkedInactive);
    says(&explained.why_not, "expected: the user would have to be enabled");
    says(&explained.why_not, "expected: the status would have to be CONFIRMED, EXTERNAL_PROVIDER or RESET_REQUIRED");
    says(&explained.why_not, &format!("row {}: the user names it, but is UNCONFIRMED", id(KIND, 2)));
    says(&explained.why_not, &format!("row {}: has the user's verified e-mail, but", id(KIND, 1)));
}

#[test]
fn each_candidate_of_a_choice_is_answered_for() {
    let (tied, its) = linked(3);
    let linker = link(&[ada(user(1)), ada(user(2)), ada(tied)], &[adas(row(1)), adas(row(2)), adas(its)]);
    let explained = explain(&linker, &of(1), Situation::Ambiguous);
    for n in [1, 2] {
        says(&explained.why_not, &format!("row {}: 3 users have its e-mail, and a person has to say", id(KIND, n)));
    }
    says(&explained.why_not, &format!("row {}: is linked in another entry", id(KIND, 3)));
    says(&explained.why_not, "user user-3: has the e-mail, too, and is linked in another entry");

    let linker = link(&[ada(user(1))], &[adas(row(1)), adas(row(2))]);
    let explained = explain(&linker, &of(1), Situation::Ambiguous);
    says(&explained.why_not, &format!("row {}: 2 rows have the e-mail", id(KIND, 1)));

    let linker = link(&[ada(user(1)), ada(profile(2))], &[adas(row(1))]);
    let explained = explain(&linker, &of(1), Situation::FederatedTwin);
    says(&explained.why_not, &format!("row {}: 2 users have its e-mail", id(KIND, 1)));
}

#[test]
fn a_user_without_a_row_is_told_what_was_looked_for() {
    let linker = link(&[user(1), unverified(ada(user(2))), ada(user(3))], &[row(4)]);
    let explained = explain(&linker, &of(1), Situation::NoRow);
    says(&explained.why, "user user-1: no row that was read carries its sub");
    says(&explained.why, "user user-1: no verified e-mail");
    let explained = explain(&linker, &of(3), Situation::NoRow);
    says(&explained.why, "verified e-mail ada@x.org: 1 user without pointers, 0 in other entries; 0 rows free");

    let linker = link(&[unverified(ada(user(2)))], &[adas(row(4))]);
    let explained = explain(&linker, &of(2), Situation::NoRow);
    says(&explained.why_not, &format!("row {}: the user has the same e-mail, but not verified", id(KIND, 4)));
}

#[test]
fn a_profile_that_was_joined_is_told_to_whom() {
    let linker = link(&[profile(1), native_of(user(2), 1)], &[]);
    let explained = explain(&linker, &of(1), Situation::JoinedProfile);
    says(&explained.why_not, "no_row: the identities of user user-2 would have to leave the profile out");
    let linker = link(&[profile(1), native_of(user(2), 1)], &[carries(row(1), 1)]);
    let explained = explain(&linker, &of(1), Situation::Stranded);
    says(&explained.why_not, "user user-2: the profile was joined to this user, who would have to name row");
}

#[test]
fn of_many_it_is_said_how_many_more_there_are() {
    let users: Vec<_> = (1..100).map(|n| ada(names(user(n), 200))).collect();
    let rows: Vec<_> = (1..100).map(|n| adas(carries(row(n), n))).collect();
    let explained = explain(&link(&users, &rows), &of(1), Situation::DuplicateUserId);
    says(&explained.why, "and 89 more users");
    says(&explained.why, "and 89 more rows");
    assert!(explained.why.len() < 40);

    let explained = explain(&link(&users, &[adas(row(201))]), &of_row(201), Situation::OrphanRow);
    assert_eq!(explained.why_not.len(), 11);
    says(&explained.why_not, "and 89 more");
}

#[test]
fn nothing_is_passed_over_while_a_side_is_being_read() {
    let mut linker = Linker::new(userlink_link::Rules::new(KIND));
    linker.apply(&[userlink_link::Change::User(user(1)), userlink_link::Change::Row(carries(row(1), 1))]);
    let explained = explain(&linker, &of(1), Situation::Reading);
    assert!(explained.why_not.is_empty() && explained.related.is_empty() && !explained.repair.safe);
    says(&explained.why, "user user-1: user id is empty");
}
