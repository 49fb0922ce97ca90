//! From a choice to steps, without any I/O: orders, guards, what is refused, and the file.

use userlink_db::{Closing, JournalEntry, Linkage, Outcome, Recorded};
use userlink_domain::{IdKind, PoolUser, RecordRef, Row, RowId, Situation, Step, Sub, Timestamp, UserStatus};
use userlink_link::{Linker, Rules};
use userlink_repair::{
    Choice, Limits, Maker, Mate, Origin, Pair, Plan, PlanError, Preview, Refused, Selection, contain, foretold, plan,
    recommended, undo,
};
use uuid::Uuid;

pub(crate) fn person(number: u64, user_id: Option<&str>) -> PoolUser {
    PoolUser {
        user_id: user_id.map(Into::into),
        email: Some(format!("u{number}@example.org").into()),
        email_verified: true,
        ..PoolUser::new(sub(number), format!("user-{number}"))
    }
}

pub(crate) fn sub(number: u64) -> Sub {
    Sub::from_u128(u128::from(number))
}

pub(crate) fn row(number: i64, of: Option<u64>) -> Row {
    Row { sub: of.map(|of| sub(of).to_string().into()), ..Row::new(RowId::BigInt(number)) }
}

pub(crate) fn linker(users: Vec<PoolUser>, rows: Vec<Row>) -> Linker {
    Linker::bulk(users, rows, Rules { writable: Some(false), ..Rules::new(IdKind::BigInt) })
}

pub(crate) fn maker(linker: &Linker) -> Maker {
    let (users, rows) = linker.len();
    Maker {
        id: Uuid::from_u128(7),
        by: "ada".into(),
        at: Timestamp::from_millis(1_795_428_000_000),
        origin: Origin {
            context: "test".into(),
            account: None,
            pool: "eu-central-1_Demo00001".into(),
            attribute: "custom:userId".into(),
            database: "app".into(),
            table: "main.users".into(),
            scanned_at: Timestamp::from_millis(1_795_427_000_000),
            users: users as u64,
            rows: rows as u64,
        },
        sign_out: false,
        unfilled: (Vec::new(), Vec::new()),
    }
}

pub(crate) fn of_user(number: u64) -> RecordRef {
    RecordRef::User(sub(number))
}

pub(crate) fn to(user: u64, row: i64) -> Pair {
    Pair { user: sub(user), mate: Mate::Row(RowId::BigInt(row)) }
}

fn nothing(user: u64) -> Pair {
    Pair { user: sub(user), mate: Mate::None }
}

fn choose(linker: &mut Linker, of: RecordRef, pairs: Vec<Pair>) -> Result<Plan, Refused> {
    let choice = Choice { of, pairs, reason: Some("ticket 7".into()) };
    let maker = maker(linker);
    plan(linker, &Selection::Chosen(vec![choice]), &Limits::default(), maker)
}

/// The steps in short: `write_sub 1 -> 5`.
pub(crate) fn told(plan: &Plan) -> Vec<String> {
    let short = |sub: &str| Sub::parse(sub).map_or_else(|| sub.to_owned(), |sub| sub.as_u128().to_string());
    plan.steps()
        .map(|planned| match &planned.step {
            Step::WriteSub { row, value, .. } => format!("row {row} sub {}", short(value)),
            Step::ClearSub { row, .. } => format!("row {row} no sub"),
            Step::WriteUserId { username, value, .. } => format!("{username} id {value}"),
            Step::ClearUserId { username, .. } => format!("{username} no id"),
            other => other.name().to_owned(),
        })
        .collect()
}

#[test]
fn a_circle_is_written_as_one_run_and_everybody_is_linked_in_the_end() {
    let users = vec![person(1, Some("2")), person(2, Some("1"))];
    let mut linker = linker(users, vec![row(1, Some(1)), row(2, Some(2))]);
    let made = choose(&mut linker, of_user(1), Vec::new()).unwrap();
    assert_eq!(told(&made), ["user-1 id 1", "user-2 id 2"]);
    let after: Vec<_> = made.entries[0].after.iter().filter_map(|after| after.after.as_deref()).collect();
    assert_eq!(after, ["linked"; 4]);
    assert_eq!(linker.entry(&of_user(1)).unwrap().situation, Situation::Swapped, "it was only tried");
}

#[test]
fn a_circle_of_three_that_is_stopped_in_between_is_found_and_comes_to_the_same_end() {
    let ids = [Some("2"), Some("3"), Some("1")];
    let users = || (1..).zip(ids).map(|(number, id)| person(number, id)).collect::<Vec<_>>();
    let rows = || (1..=3).map(|number| row(number, u64::try_from(number).ok())).collect();
    let mut all = linker(users(), rows());
    let made = choose(&mut all, of_user(1), Vec::new()).unwrap();
    assert_eq!(told(&made), ["user-1 id 1", "user-2 id 2", "user-3 id 3"]);
    assert!(made.notes.iter().any(|note| note.contains("duplicate user id")), "{:?}", made.notes);
    for written in 1..=2 {
        let mut users = users();
        for (user, id) in users.iter_mut().zip(["1", "2"]).take(written) {
            user.user_id = Some(id.into());
        }
        let mut stopped = linker(users, rows());
        assert_eq!(stopped.entry(&of_user(3)).unwrap().situation, Situation::DuplicateUserId);
        let rest = choose(&mut stopped, of_user(3), (1..=3).map(|number| to(number as u64, number)).collect()).unwrap();
        assert_eq!(told(&rest), told(&made)[written..]);
    }
}

#[test]
fn rows_come_before_attributes_and_clearing_before_writing() {
    // Two rows carry one sub; a third belongs to somebody who names the first.
    let users = vec![person(1, Some("1")), person(2, Some("1"))];
    let mut linker = linker(users, vec![row(1, Some(1)), row(2, Some(1)), row(3, Some(2))]);
    let made = choose(&mut linker, of_user(1), vec![to(1, 2)]).unwrap();
    assert_eq!(
        told(&made),
        ["row 1 no sub", "user-1 id 2"],
        "user 2 names a row that nobody has any more: not asked for"
    );
    let made = choose(&mut linker, of_user(1), vec![to(1, 1)]).unwrap();
    assert_eq!(told(&made), ["row 2 no sub", "user-2 id 3"], "who else names the row gets its own");
}

#[test]
fn subs_change_places_without_two_rows_that_share_one() {
    let users = vec![person(1, Some("1")), person(2, Some("2"))];
    let mut linker = linker(users, vec![row(1, Some(2)), row(2, Some(1))]);
    let made = choose(&mut linker, of_user(1), vec![to(1, 1), to(2, 2)]).unwrap();
    assert_eq!(told(&made), ["row 2 no sub", "row 1 no sub", "row 1 sub 1", "row 2 sub 2"]);
}

#[test]
fn whoever_would_lose_a_row_has_to_be_named() {
    let users = vec![person(1, None), person(2, Some("1"))];
    let mut linker = linker(users, vec![row(1, Some(2))]);
    let refused = choose(&mut linker, of_user(1), vec![to(1, 1)]).unwrap_err();
    assert!(refused.to_string().contains("user-2"), "{refused}");
    let made = choose(&mut linker, of_user(1), vec![to(1, 1), nothing(2)]).unwrap();
    assert_eq!(told(&made), ["row 1 sub 1", "user-2 no id", "user-1 id 1"]);
}

#[test]
fn nobody_who_is_not_named_comes_to_be_tied() {
    // User 2 names row 1 as well, which a third user has: to empty the third's pointers would leave user 2 alone with it.
    let users = vec![person(1, Some("1")), person(2, Some("1"))];
    let mut linker = linker(users, vec![row(1, Some(1))]);
    let refused = choose(&mut linker, of_user(1), vec![nothing(1)]).unwrap_err();
    assert!(matches!(&refused, Refused::Bystander { user, .. } if user == "user-2"), "{refused}");
    let made = choose(&mut linker, of_user(1), vec![nothing(1), nothing(2)]).unwrap();
    assert_eq!(told(&made), ["row 1 no sub", "user-1 no id", "user-2 no id"]);
}

#[test]
fn only_what_is_safe_is_planned_in_bulk() {
    let mut users: Vec<PoolUser> = (1..=3).map(|number| person(number, None)).collect();
    users.push(person(4, Some("4")));
    // An UNCONFIRMED user claims row 3.
    users.push(PoolUser { status: UserStatus::Unconfirmed, ..person(9, Some("3")) });
    let rows = vec![row(1, Some(1)), row(2, Some(2)), row(3, Some(3)), row(4, None)];
    let mut linker = linker(users, rows);
    let maker = maker(&linker);
    let made = plan(&mut linker, &Selection::SafeInBulk, &Limits::default(), maker).unwrap();
    assert_eq!(told(&made), ["user-1 id 1", "user-2 id 2"]);
    assert!(made.notes.iter().any(|note| note.contains("1 more are row side only")), "{:?}", made.notes);
}

#[test]
fn guards_say_what_they_saw() {
    let many =
        |n: u64| linker((1..=n).map(|i| person(i, None)).collect(), (1..=n).map(|i| row(i as i64, Some(i))).collect());
    let bulk = |linker: &mut Linker, limits: &Limits| {
        let maker = maker(linker);
        plan(linker, &Selection::SafeInBulk, limits, maker)
    };
    let refused = bulk(&mut many(51), &Limits::default()).unwrap_err();
    assert_eq!(refused, Refused::OverThreshold { users: 51, limit: 50, of: 51 });
    assert!(bulk(&mut many(51), &Limits { users: 51, ..Limits::default() }).is_ok());
    let refused = bulk(&mut linker(vec![person(1, None)], vec![]), &Limits::default()).unwrap_err();
    assert_eq!(refused, Refused::EmptySide { users: 1, rows: 0 });
    let mut unread = Linker::new(Rules::new(IdKind::BigInt));
    assert_eq!(bulk(&mut unread, &Limits::default()).unwrap_err(), Refused::Unread);
}

#[test]
fn what_rests_on_an_attribute_that_users_can_write_is_repaired_by_itself() {
    let users = vec![person(1, Some("1")), person(2, Some("2"))];
    let rows = vec![row(1, None), row(2, None)];
    let mut linker = Linker::bulk(users, rows, Rules { writable: Some(true), ..Rules::new(IdKind::BigInt) });
    let choices: Vec<Choice> =
        [1, 2].map(|n| Choice { of: of_user(n), pairs: vec![to(n, n as i64)], reason: None }).into();
    let maker = maker(&linker);
    let refused = plan(&mut linker, &Selection::Chosen(choices), &Limits::default(), maker).unwrap_err();
    assert!(matches!(refused, Refused::Writable(..)), "{refused}");
    assert!(choose(&mut linker, of_user(1), vec![to(1, 1)]).is_ok());
}

#[test]
fn a_taken_row_wants_a_reason_and_is_moved_alone() {
    let mut users = vec![person(1, None), person(2, Some("1"))];
    users[1].email = users[0].email.clone();
    users[1].email_verified = false;
    let mut taken = row(1, Some(2));
    taken.email = users[0].email.clone();
    let mut linker = linker(users, vec![taken]);
    assert_eq!(linker.entry(&of_user(1)).unwrap().situation, Situation::RowTaken);
    let choice = Choice { of: of_user(1), pairs: vec![to(1, 1), nothing(2)], reason: None };
    let made = maker(&linker);
    let refused = plan(&mut linker, &Selection::Chosen(vec![choice]), &Limits::default(), made).unwrap_err();
    assert!(matches!(refused, Refused::NeedsReason(..)), "{refused}");
    assert!(recommended(&linker, &of_user(1)).is_none());
    assert!(choose(&mut linker, of_user(1), vec![to(1, 1), nothing(2)]).is_ok());
}

#[test]
fn what_somebody_is_linked_to_is_moved_alone_and_with_a_reason_whatever_the_entry_is_called() {
    let users = vec![person(1, None), person(2, Some("2")), person(3, None)];
    let mut linker = linker(users, vec![row(2, Some(2))]);
    let moved = |reason: Option<&str>| Choice {
        of: of_user(1),
        pairs: vec![to(1, 2), nothing(2)],
        reason: reason.map(str::to_owned),
    };
    let planned = |linker: &mut Linker, choices: Vec<Choice>| {
        let maker = maker(linker);
        plan(linker, &Selection::Chosen(choices), &Limits::default(), maker)
    };
    let refused = planned(&mut linker, vec![moved(None)]).unwrap_err();
    assert!(matches!(refused, Refused::NeedsReason(..)), "{refused}");
    let other = Choice { of: of_user(3), pairs: vec![], reason: None };
    let refused = planned(&mut linker, vec![moved(Some("ticket")), other]).unwrap_err();
    assert!(matches!(refused, Refused::OneAtATime(..)), "{refused}");
    assert!(planned(&mut linker, vec![moved(Some("ticket"))]).is_ok());
}

#[test]
fn what_is_protected_is_in_no_pair() {
    let protected = [RecordRef::Row(RowId::BigInt(2))].into_iter().collect();
    let rules = Rules { writable: Some(false), protected, ..Rules::new(IdKind::BigInt) };
    let mut linker = Linker::bulk(vec![person(1, None)], vec![row(2, None)], rules);
    let refused = choose(&mut linker, of_user(1), vec![to(1, 2)]).unwrap_err();
    assert!(refused.to_string().contains("ignored"), "{refused}");
}

#[test]
fn a_row_is_inserted_only_where_its_columns_are_filled_and_what_has_the_e_mail_is_shown() {
    let mut user = person(1, None);
    user.email_verified = false;
    let mut other = row(5, None);
    other.email = user.email.clone();
    let mut linker = linker(vec![user], vec![other]);
    assert_eq!(linker.entry(&of_user(1)).unwrap().situation, Situation::NoRow);
    let made = choose(&mut linker, of_user(1), Vec::new()).unwrap();
    assert_eq!(made.entries[0].rows_with_email, ["5"]);
    let steps: Vec<_> = made.steps().map(|planned| planned.step.clone()).collect();
    assert!(matches!(&steps[0], Step::InsertRow { email: None, .. }), "an unverified e-mail is not written");
    let maker = Maker { unfilled: (vec![], vec!["name".into()]), ..maker(&linker) };
    let choice = Choice { of: of_user(1), pairs: vec![], reason: None };
    let refused = plan(&mut linker, &Selection::Chosen(vec![choice]), &Limits::default(), maker).unwrap_err();
    assert!(refused.to_string().contains("name"), "{refused}");
}

#[test]
fn somebody_is_contained_even_where_that_leaves_another_one() {
    let users = vec![person(1, Some("1")), person(2, Some("1"))];
    let mut linker = linker(users, vec![row(1, None)]);
    let maker = maker(&linker);
    let made = contain(&mut linker, sub(1), true, "sees another's data", maker).unwrap();
    assert_eq!(told(&made), ["user-1 no id", "disable_user", "sign_out"]);
    let other = made.entries[0].after.iter().find(|after| after.name == "user-2").unwrap();
    assert!(!other.named && other.after.as_deref() == Some("user_side_only"), "it is shown");
}

#[test]
fn a_plan_is_read_as_it_was_made_or_not_at_all() {
    let mut linker = linker(vec![person(1, None)], vec![row(1, Some(1))]);
    let maker = maker(&linker);
    let made = plan(&mut linker, &Selection::SafeInBulk, &Limits::default(), maker).unwrap();
    let text = made.to_json();
    assert_eq!(Plan::read(&text).unwrap(), made);
    assert_eq!(Plan::read(&text.replace("user-1", "user-2")).unwrap_err(), PlanError::Changed);
    assert!(matches!(Plan::read("{").unwrap_err(), PlanError::Shape { .. }));
    let mut without = self::linker(vec![person(1, Some("9"))], vec![row(2, None)]);
    let inserting = choose(&mut without, of_user(1), vec![Pair { user: sub(1), mate: Mate::New }]).unwrap();
    assert_eq!(Plan::read(&inserting.to_json()), Ok(inserting));
    let preview = Preview::of(&made, 5.0, 0.015);
    assert_eq!((preview.users, preview.updates, preview.reads, preview.finals), (1, 1, 2, 0));
    assert!((preview.seconds - 0.2).abs() < 1e-9 && (preview.left - 0.8).abs() < 1e-9);
}

/// The journal of a run that wrote these users' ids, newest first.
pub(crate) fn wrote_ids(of: &[u64], maker: &Maker) -> Vec<Recorded> {
    let origin = &maker.origin;
    let linkage =
        Linkage { pool_id: origin.pool.clone(), attribute: origin.attribute.clone(), table: origin.table.clone() };
    let wrote = |(step_no, number): (i64, &u64)| Recorded {
        entry: JournalEntry {
            run: Uuid::from_u128(8),
            step_no,
            plan: None,
            linkage: linkage.clone(),
            process: None,
            step: Step::WriteUserId { username: format!("user-{number}"), expect: None, value: number.to_string() },
            situation: Situation::RowSideOnly,
            actor: "ada".into(),
            reason: None,
            at: maker.at,
            username: Some(format!("user-{number}")),
            sub: Some(sub(*number)),
            row: Some(number.to_string()),
        },
        closing: Some(Closing { outcome: Outcome::Done, detail: String::new(), at: maker.at }),
    };
    let mut recorded: Vec<_> = (1..).zip(of).map(wrote).collect();
    recorded.reverse();
    recorded
}

#[test]
fn a_way_back_shows_what_it_names_and_then_what_else_changes_through_it() {
    // Two outsiders came to claim what was written: of the last to be taken back, and of the one in the middle.
    let mut users: Vec<PoolUser> = (1..=3).map(|number| person(number, Some(&number.to_string()))).collect();
    users.extend([person(4, Some("1")), person(5, Some("2"))]);
    let mut linker = linker(users, (1..=3).map(|number| row(number, u64::try_from(number).ok())).collect());
    let maker = maker(&linker);
    let recorded = wrote_ids(&[1, 2, 3], &maker);
    let back = undo("8", None, &recorded, maker).unwrap();
    let back = foretold(&mut linker, back);
    assert_eq!(told(&back), ["user-3 no id", "user-2 no id", "user-1 no id"]);
    let shown: Vec<Vec<(&str, bool)>> = back
        .entries
        .iter()
        .map(|entry| entry.after.iter().map(|after| (&*after.name, after.named)).collect())
        .collect();
    assert_eq!(
        shown,
        [
            vec![("user-3", true), ("3", true)],
            vec![("user-2", true), ("2", true), ("user-5", false)],
            vec![("user-1", true), ("1", true), ("user-4", false)],
        ]
    );
    let of_3: Vec<_> = back.entries[0].after.iter().filter_map(|after| after.after.as_deref()).collect();
    assert_eq!(of_3, ["row_side_only"; 2]);
    let of_5 = &back.entries[1].after[2];
    assert_eq!((of_5.before.as_deref(), of_5.after.as_deref()), (Some("duplicate_user_id"), Some("tangled")));
}
