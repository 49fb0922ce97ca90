//! What stops a plan until a person says otherwise, and what each guard says that it saw.

use userlink_domain::{Flag, IdKind, Timestamp};
use userlink_link::{Linker, Rules};
use userlink_repair::{
    Choice, Confirmation, Guard, Here, Limits, NotConfirmed, Origin, Plan, PlanError, Refused, Selection, guards, plan,
    undo,
};

use crate::planning::{linker, maker, of_user, person, row, to, told, wrote_ids};
use crate::world::{now, pass, sqlite, sure};

#[test]
fn a_count_that_is_given_is_meant() {
    let default = Limits::default();
    assert_eq!((default.of(40), default.of(49_999), default.of(250_000)), (50, 50, 250));
    assert_eq!(Limits::set(None, None), default);
    let of = |users, share| Limits::set(users, share).of(250_000);
    assert_eq!(of(Some(10), None), 10, "0.1 % would be 250");
    assert_eq!(of(Some(10), Some(0.01)), 2_500, "both are given: whichever is more");
    assert_eq!(of(Some(10_000), Some(0.01)), 10_000);
    assert_eq!((of(None, Some(0.01)), Limits::set(None, Some(0.01)).of(100)), (2_500, 50));
}

/// A dozen circles of two users each.
fn circles() -> Linker {
    let users = (1..=24).map(|n| person(n, Some(&(if n % 2 == 0 { n - 1 } else { n + 1 }).to_string())));
    linker(users.collect(), (1..=24).map(|n| row(n, u64::try_from(n).ok())).collect())
}

fn planned(linker: &mut Linker, choices: Vec<Choice>) -> Result<Plan, Refused> {
    let maker = maker(linker);
    plan(linker, &Selection::Chosen(choices), &Limits::default(), maker)
}

#[test]
fn nothing_that_is_not_empty_is_overwritten_in_bulk_unless_the_pairs_are_said_for_it() {
    let mut linker = circles();
    let named: Vec<Choice> = (1..=12).map(|n| Choice { of: of_user(2 * n), pairs: Vec::new(), reason: None }).collect();
    let refused = planned(&mut linker, named.clone()).unwrap_err();
    assert!(matches!(refused, Refused::Overwrites(..)) && refused.to_string().contains("--only"), "{refused}");
    // One alone was looked at.
    assert_eq!(told(&planned(&mut linker, named[..1].to_vec()).unwrap()), ["user-1 id 1", "user-2 id 2"]);
    let said = |n: u64| vec![to(2 * n - 1, 2 * n as i64 - 1), to(2 * n, 2 * n as i64)];
    let chosen = (1..=12).map(|n| Choice { pairs: said(n), ..named[n as usize - 1].clone() });
    assert_eq!(planned(&mut linker, chosen.collect()).unwrap().steps().count(), 24);
}

#[test]
fn what_stands_in_a_row_and_is_no_sub_counts_as_empty() {
    let rows = (1..=2).map(|n| userlink_domain::Row {
        sub: Some("n/a".into()),
        email: Some(format!("u{n}@example.org").into()),
        ..row(n, None)
    });
    let users = (1..=2).map(|n| person(n, Some(&n.to_string())));
    let mut linker = linker(users.collect(), rows.collect());
    let choices = (1..=2).map(|n| Choice { of: of_user(n), pairs: Vec::new(), reason: None });
    assert_eq!(told(&planned(&mut linker, choices.collect()).unwrap()), ["row 1 sub 1", "row 2 sub 2"]);
}

fn here(writable_by: Option<Vec<String>>) -> Here {
    let now = Timestamp::from_millis(1_795_428_000_000);
    Here { now, production: None, shared_journal: true, writable_by, max_age_hours: 24 }
}

fn guard(plan: &Plan, limits: &Limits, here: &Here, name: &str) -> Guard {
    guards(plan, limits, here).into_iter().find(|guard| guard.name == name).unwrap()
}

#[test]
fn the_guard_of_the_threshold_goes_by_what_is_set() {
    let users = (1..=3).map(|n| person(n, None));
    let mut linker = linker(users.collect(), (1..=3).map(|n| row(n, u64::try_from(n).ok())).collect());
    let maker = maker(&linker);
    let made = plan(&mut linker, &Selection::SafeInBulk, &Limits::default(), maker).unwrap();
    let seen = |limits: &Limits| guard(&made, limits, &here(None), "threshold");
    let open = seen(&Limits::default());
    assert_eq!((open.holds, &*open.seen), (true, "3 of the 50 users that a plan may touch"));
    let set = seen(&Limits::set(Some(2), None));
    assert_eq!((set.holds, &*set.seen), (false, "3 users, over the 2 that pass unasked: you said so"));
}

#[test]
fn the_guard_of_the_attribute_says_who_can_write_it() {
    let mut linker = linker(vec![person(1, None)], vec![row(1, Some(1))]);
    let maker = maker(&linker);
    let made = plan(&mut linker, &Selection::SafeInBulk, &Limits::default(), maker).unwrap();
    let seen = |by: Option<Vec<String>>| guard(&made, &Limits::default(), &here(by), "attribute");
    for (by, holds, words) in [
        (Some(vec![]), true, "no app client lets its users write custom:userId"),
        (Some(vec!["web".into(), "ios".into()]), false, "users can write custom:userId themselves: web, ios"),
        (None, false, "whether users can write custom:userId is not known"),
    ] {
        let guard = seen(by);
        assert_eq!((guard.holds, &*guard.seen), (holds, words));
    }
}

#[test]
fn where_it_is_not_known_who_can_write_the_attribute_a_choice_says_so() {
    let rules = Rules { writable: None, ..Rules::new(IdKind::BigInt) };
    let mut linker = Linker::bulk(vec![person(1, Some("1"))], vec![row(1, None)], rules);
    let choice = Choice { of: of_user(1), pairs: vec![to(1, 1)], reason: None };
    let made = planned(&mut linker, vec![choice]).unwrap();
    assert!(made.notes.iter().any(|note| note.contains("themselves is not known")), "{:?}", made.notes);
}

#[test]
fn the_guard_of_what_is_contested_counts() {
    let mut linker = linker(vec![person(1, None)], vec![row(1, Some(1))]);
    let maker = maker(&linker);
    let mut made = plan(&mut linker, &Selection::SafeInBulk, &Limits::default(), maker).unwrap();
    let seen = |made: &Plan| guard(made, &Limits::default(), &here(None), "contested");
    assert_eq!((seen(&made).holds, &*seen(&made).seen), (true, "nobody outside speaks for another owner"));
    made.entries[0].flags.push(Flag::Contested.name().to_owned());
    assert_eq!((seen(&made).holds, &*seen(&made).seen), (false, "1 entry: somebody outside speaks for another owner"));
    made.entries.push(made.entries[0].clone());
    assert_eq!(&*seen(&made).seen, "2 entries are spoken for by somebody outside");
}

#[test]
fn a_mass_of_one_kind_is_said_to_be_one_incident() {
    // Every row but one carries the sub of nobody: a pool that was migrated.
    let rows = (1..=60).map(|n| row(n, Some(if n == 1 { 1 } else { 1_000 + n as u64 }))).collect();
    let mut linker = linker(vec![person(1, None)], rows);
    let maker = maker(&linker);
    let made = plan(&mut linker, &Selection::SafeInBulk, &Limits::default(), maker).unwrap();
    assert!(made.notes.iter().any(|note| note.starts_with("One incident: 59 ")), "{:?}", made.notes);
}

#[test]
fn a_way_back_signs_out_whoever_had_the_id_until_then() {
    let linker = linker(vec![person(1, Some("1")), person(2, Some("2"))], vec![row(1, Some(1)), row(2, Some(2))]);
    let made = || maker(&linker);
    let recorded = wrote_ids(&[1, 2], &made());
    let back = undo("8", None, &recorded, made()).unwrap();
    assert_eq!(told(&back), ["user-2 no id", "user-1 no id"]);
    let mut signing_out = made();
    signing_out.sign_out = true;
    let back = undo("8", None, &recorded, signing_out).unwrap();
    assert_eq!(told(&back), ["user-2 no id", "sign_out", "user-1 no id", "sign_out"]);
    let numbers: std::collections::BTreeSet<i64> = back.steps().map(|step| step.number).collect();
    assert_eq!(numbers, (1..=4).collect());
}

#[test]
fn there_is_no_way_back_of_what_is_open_nor_of_what_was_done_elsewhere() {
    let linker = linker(vec![person(1, Some("1"))], vec![row(1, Some(1))]);
    let made = || maker(&linker);
    let mut recorded = wrote_ids(&[1], &made());
    let mut elsewhere = made();
    elsewhere.origin.table = "main.staff".into();
    let refused = undo("8", None, &recorded, elsewhere).unwrap_err();
    assert_eq!(refused, userlink_repair::NoUndo::Elsewhere("main.users of eu-central-1_Demo00001".into()));
    recorded[0].closing = None;
    let refused = undo("8", None, &recorded, made()).unwrap_err();
    assert_eq!(refused, userlink_repair::NoUndo::Open(1));
    assert_eq!(undo("8", None, &[], made()).unwrap_err(), userlink_repair::NoUndo::Nothing("8".into()));
}

#[tokio::test]
async fn a_plan_for_another_place_is_refused_by_what_differs() {
    let world = sqlite(pass()).await;
    let made = world.planned(10, Selection::SafeInBulk).await;
    let ada = world.repairer("ada").await;
    type Change = fn(&mut Origin);
    let changes: [(&str, Change); 5] = [
        ("the account", |origin| origin.account = Some("111111111111".into())),
        ("the pool", |origin| origin.pool = "eu-west-1_Other".into()),
        ("the attribute", |origin| origin.attribute = "custom:other".into()),
        ("the database", |origin| origin.database = "other".into()),
        ("the table", |origin| origin.table = "other.users".into()),
    ];
    let said = Confirmation { account: Some("222222222222".into()), ..sure() };
    assert!(ada.confirm(made.clone(), &said, now()).is_ok(), "a plan that names no account is for any");
    for (what, change) in changes {
        let mut other = made.clone();
        change(&mut other.origin);
        match ada.confirm(other.clone(), &said, now()) {
            Err(NotConfirmed::Plan(PlanError::Elsewhere { what: differs, .. })) => assert_eq!(differs, what),
            not => panic!("{what}: {not:?}"),
        }
        // Where it is not known which account it is, none is another.
        assert_eq!(ada.confirm(other, &sure(), now()).is_ok(), what == "the account", "{what}");
    }
}
