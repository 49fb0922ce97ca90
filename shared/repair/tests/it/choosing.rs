//! What a person chooses from: nobody is offered what would be refused, and whoever would lose a row is named beside it.

use proptest::prelude::*;
use userlink_domain::{IdKind, Identity, PoolUser, RecordRef, Row, RowId, Situation, Step, UserStatus};
use userlink_link::{Linker, Rules};
use userlink_repair::{
    Candidate, Choice, Limits, Mate, Pair, PairsError, Plan, Refused, Selection, candidates, plan, recommended,
};

use crate::planning::{linker, maker, person, row, sub};

fn of_user(number: u64) -> RecordRef {
    RecordRef::User(sub(number))
}

fn profile(number: u64) -> PoolUser {
    PoolUser { status: UserStatus::ExternalProvider, ..with_name(person(number, None), format!("Google_{number}")) }
}

fn with_name(user: PoolUser, name: String) -> PoolUser {
    PoolUser { username: PoolUser::new(user.sub, name).username, ..user }
}

fn joined_to(profile: u64, native: PoolUser) -> PoolUser {
    let identity = Identity { provider: "Google".into(), user_id: profile.to_string().into() };
    PoolUser { identities: vec![identity], ..native }
}

fn with_email(of: u64, user: PoolUser) -> PoolUser {
    PoolUser { email: person(of, None).email, ..user }
}

fn row_with_email(of: u64, row: Row) -> Row {
    Row { email: person(of, None).email, ..row }
}

/// The candidate, and what is left to whoever has its row: what a screen that shows it plans.
fn chosen(linker: &mut Linker, of: &RecordRef, candidate: &Candidate) -> Result<Plan, Refused> {
    let pairs = [Some(candidate.pair.clone()), candidate.leaves.clone()].into_iter().flatten().collect();
    let choice = Choice { of: of.clone(), pairs, reason: Some("ticket 7".into()) };
    let maker = maker(linker);
    plan(linker, &Selection::Chosen(vec![choice]), &Limits::default(), maker)
}

fn to(user: u64, row: i64) -> Pair {
    Pair { user: sub(user), mate: Mate::Row(RowId::BigInt(row)) }
}

fn nothing(user: u64) -> Pair {
    Pair { user: sub(user), mate: Mate::None }
}

/// How everybody whom the plan names ends.
fn ends(plan: &Plan) -> Vec<(&str, &str)> {
    let after = plan.entries.iter().flat_map(|entry| &entry.after).filter(|after| after.named && after.kind == "user");
    after.map(|after| (&*after.name, after.after.as_deref().unwrap_or("gone"))).collect()
}

#[test]
fn whoever_has_the_row_that_is_taken_is_named_beside_the_one_who_gets_it() {
    // The row has the e-mail of one, and is tied to another with an e-mail of its own.
    let taken = row_with_email(1, row(5, Some(2)));
    let mut linker = linker(vec![person(1, None), person(2, Some("5"))], vec![taken]);
    assert_eq!(linker.entry(&of_user(1)).unwrap().situation, Situation::RowTaken);
    let offered = candidates(&linker, &of_user(1));
    assert_eq!(offered[0].pair.mate, Mate::New, "what touches nobody comes first");
    let moved = offered.iter().find(|it| it.pair == to(1, 5)).unwrap();
    assert_eq!(moved.leaves, Some(nothing(2)));
    let made = chosen(&mut linker, &of_user(1), moved).unwrap();
    assert_eq!(ends(&made), [("user-1", "linked"), ("user-2", "no_row")]);
    assert!(recommended(&linker, &of_user(1)).is_none());
}

#[test]
fn whoever_carries_two_rows_keeps_the_other_one() {
    let taken = row_with_email(1, row(5, Some(2)));
    let mut linker = linker(vec![person(1, None), person(2, Some("5"))], vec![taken, row(6, Some(2))]);
    let offered = candidates(&linker, &of_user(1));
    let moved = offered.iter().find(|it| it.pair == to(1, 5)).unwrap();
    assert_eq!(moved.leaves, Some(to(2, 6)));
    let made = chosen(&mut linker, &of_user(1), moved).unwrap();
    assert_eq!(ends(&made), [("user-2", "linked"), ("user-1", "linked")]);
}

/// Whoever should not be linked keeps the row that carries its sub, as everybody else would.
#[test]
fn a_third_one_who_names_the_row_keeps_its_own_whoever_it_is() {
    let disabled = PoolUser { enabled: false, ..person(3, Some("5")) };
    let joined = PoolUser { user_id: Some("5".into()), ..profile(3) };
    for (third, end) in [(disabled, "linked_inactive"), (joined, "stranded"), (person(3, Some("5")), "linked")] {
        let native = joined_to(3, person(4, None));
        let users = vec![person(1, None), third.clone(), native];
        // And somebody names that one: it is nobody's to share.
        let users = [users, vec![person(6, Some("7"))]].concat();
        let rows = vec![row(5, Some(1)), row(7, Some(3))];
        let mut linker = linker(users, rows);
        let offered = candidates(&linker, &of_user(1));
        let own = offered.iter().find(|it| it.pair == to(1, 5)).unwrap();
        let made = chosen(&mut linker, &of_user(1), own).unwrap();
        let ends = ends(&made);
        assert!(ends.contains(&("user-1", "linked")) && ends.contains(&(third.username.as_str(), end)), "{ends:?}");
        assert!(ends.contains(&("user-6", "no_row")), "{ends:?}");
    }
}

#[test]
fn the_owner_of_a_row_that_two_name_keeps_it_though_it_is_disabled() {
    let owner = PoolUser { enabled: false, ..person(1, Some("5")) };
    let mut linker = linker(vec![owner, person(2, Some("5"))], vec![row(5, Some(1))]);
    let offered = candidates(&linker, &of_user(1));
    assert_eq!(offered[0].pair, to(1, 5));
    let made = chosen(&mut linker, &of_user(1), &offered[0]).unwrap();
    assert_eq!(ends(&made), [("user-2", "no_row"), ("user-1", "linked_inactive")]);
}

#[test]
fn what_is_moved_in_a_pair_is_moved_alone_and_with_a_reason() {
    // The row that the second one's e-mail names is the first one's, who does not know of it yet.
    let users = || vec![person(1, None), person(2, None), person(3, None)];
    let mut linker = linker(users(), vec![row_with_email(2, row(5, Some(1))), row(6, Some(3))]);
    assert_eq!(linker.entry(&of_user(2)).unwrap().situation, Situation::RowTaken);
    let moved = |reason: Option<&str>| Choice {
        of: RecordRef::Row(RowId::BigInt(5)),
        pairs: vec![to(2, 5), nothing(1)],
        reason: reason.map(str::to_owned),
    };
    let other = Choice { of: of_user(3), pairs: vec![to(3, 6)], reason: None };
    let mut planned = |choices| {
        let maker = maker(&linker);
        plan(&mut linker, &Selection::Chosen(choices), &Limits::default(), maker)
    };
    assert!(matches!(planned(vec![moved(Some("ticket 7")), other]), Err(Refused::OneAtATime(..))));
    assert!(matches!(planned(vec![moved(None)]), Err(Refused::NeedsReason(..))));
    let made = planned(vec![moved(Some("ticket 7"))]).unwrap();
    assert!(made.entries[0].facts.len() > 3, "what it rests on is compared again");
}

#[test]
fn an_id_that_somebody_wrote_beforehand_stands_in_no_insertion_s_way() {
    let users = vec![person(1, None), person(2, Some("-9223372036854775808")), person(3, None)];
    let mut linker = linker(users, vec![row(9, Some(3))]);
    let offered = candidates(&linker, &of_user(1));
    assert_eq!(offered[0].pair.mate, Mate::New);
    let made = chosen(&mut linker, &of_user(1), &offered[0]).unwrap();
    assert_eq!(ends(&made), [("user-1", "linked")]);
}

#[test]
fn an_id_that_is_its_user_s_sub_stands_in_one_choice() {
    let users = vec![person(1, None), person(2, None)];
    let rows = users
        .iter()
        .map(|user| Row { sub: Some(user.sub.to_string().into()), ..Row::new(RowId::Uuid(user.sub.as_uuid())) });
    let rows = rows.collect();
    let mut linker = Linker::bulk(users, rows, Rules { writable: Some(false), ..Rules::new(IdKind::Uuid) });
    let maker = maker(&linker);
    let made = plan(&mut linker, &Selection::SafeInBulk, &Limits::default(), maker).unwrap();
    assert_eq!(made.steps().count(), 2);
    let choice = Choice { of: of_user(1), pairs: Vec::new(), reason: None };
    let maker = crate::planning::maker(&linker);
    let twice = plan(&mut linker, &Selection::Chosen(vec![choice.clone(), choice]), &Limits::default(), maker);
    assert!(matches!(twice, Err(Refused::Twice(_))), "{twice:?}");
}

#[test]
fn whoever_should_not_be_linked_gets_no_other_row() {
    let joined = PoolUser { user_id: Some("5".into()), ..profile(3) };
    for third in [PoolUser { enabled: false, ..person(3, Some("5")) }, joined] {
        let native = joined_to(3, person(4, None));
        let mut linker = linker(vec![third, native], vec![row(5, None), row(6, Some(3))]);
        for (pair, is_its_own) in [(to(3, 5), false), (Pair { user: sub(3), mate: Mate::New }, false), (to(3, 6), true)]
        {
            let choice = Choice { of: of_user(3), pairs: vec![pair], reason: Some("ticket 7".into()) };
            let maker = maker(&linker);
            let made = plan(&mut linker, &Selection::Chosen(vec![choice]), &Limits::default(), maker);
            let refused = matches!(made, Err(Refused::Pairs { why: PairsError::NotExpected(_), .. }));
            assert_eq!(refused, !is_its_own, "{made:?}");
        }
    }
}

#[test]
fn the_row_of_a_profile_that_was_joined_is_tied_to_the_native_user() {
    for user_id in [None, Some("5")] {
        let joined = PoolUser { user_id: user_id.map(Into::into), ..profile(1) };
        let native = joined_to(1, person(2, None));
        let mut linker = linker(vec![joined, native], vec![row(5, Some(1))]);
        assert_eq!(linker.entry(&of_user(1)).unwrap().situation, Situation::Stranded);
        let offered = candidates(&linker, &of_user(1));
        assert_eq!((&offered[0].pair, &offered[0].leaves), (&to(2, 5), &Some(nothing(1))), "{user_id:?}");
        assert!(offered[0].why[0].contains("joined to this user"), "{:?}", offered[0].why);
        assert!(offered.iter().all(|it| it.pair != to(1, 5)), "a joined profile is tied to nothing");
        let made = chosen(&mut linker, &of_user(1), &offered[0]).unwrap();
        assert_eq!(ends(&made), [("user-2", "linked"), ("Google_1", "joined_profile")]);
        assert!(recommended(&linker, &of_user(1)).is_none(), "it is for a person to choose");
    }
}

#[test]
fn what_the_native_user_would_lose_for_it_speaks_against_it() {
    let native = joined_to(1, person(2, Some("6")));
    let mut linker = linker(vec![profile(1), native], vec![row(5, Some(1)), row(6, Some(2))]);
    let offered = candidates(&linker, &of_user(1));
    assert_eq!(offered[0].pair, to(2, 5));
    assert!(offered[0].why_not.iter().any(|why| why.contains("row 6 carries the user's sub")), "{:?}", offered[0]);
    let made = chosen(&mut linker, &of_user(1), &offered[0]).unwrap();
    assert!(made.steps().any(|it| matches!(&it.step, Step::ClearSub { row, .. } if row == "6")));
}

#[test]
fn the_row_of_a_profiles_twin_is_moved_or_left_whatever_its_e_mail_is() {
    for (user_id, email) in [(Some("5"), Some(2)), (Some("5"), None), (None, Some(2)), (None, None)] {
        let native = person(2, user_id);
        let twins = row(5, Some(2));
        let twins = email.map_or_else(|| twins.clone(), |of| row_with_email(of, twins.clone()));
        let mut linker = linker(vec![with_email(2, profile(1)), native], vec![twins]);
        assert_eq!(linker.entry(&of_user(1)).unwrap().situation, Situation::FederatedTwin);
        let offered = candidates(&linker, &of_user(1));
        let moved = offered.iter().find(|it| it.pair == to(1, 5)).unwrap();
        assert_eq!(moved.leaves, Some(nothing(2)), "{user_id:?}");
        let made = chosen(&mut linker, &of_user(1), moved).unwrap();
        assert_eq!(ends(&made)[0], ("Google_1", "linked"), "{user_id:?}");
        // That it belongs to the native user can be said as long as it is not so yet.
        assert_eq!(offered.iter().any(|it| it.pair == to(2, 5)), user_id.is_none());
    }
}

#[test]
fn an_unverified_e_mail_makes_nobody_a_candidate() {
    let mut attacker = with_email(1, person(3, None));
    attacker.email_verified = false;
    let taken = row_with_email(1, row(5, Some(2)));
    let linker = linker(vec![person(1, None), person(2, Some("5")), attacker], vec![taken]);
    assert!(candidates(&linker, &of_user(1)).iter().all(|it| it.pair.user != sub(3)));
    assert!(candidates(&linker, &of_user(3)).iter().all(|it| !matches!(it.pair.mate, Mate::Row(_))));
}

/// Somebody of a pool in which anything may be: which id the user names, whose e-mail it has, whether that is verified.
type Somebody = (Option<u8>, u8, bool, u8, Option<u8>);

fn somebody() -> impl Strategy<Value = Somebody> {
    (prop::option::of(1..5_u8), 0..3_u8, prop::bool::weighted(0.8), 0..6_u8, prop::option::weighted(0.3, 0..5_u8))
}

fn built(people: &[Somebody], rows: &[(Option<u8>, u8)]) -> (Vec<PoolUser>, Vec<Row>) {
    let users = (0..).zip(people).map(|(number, (names, email, verified, kind, joined))| {
        let names = names.map(|id| id.to_string());
        let user = PoolUser {
            email_verified: *verified,
            ..with_email(u64::from(*email) + 100, person(number, names.as_deref()))
        };
        match kind {
            0 => PoolUser { status: UserStatus::Unconfirmed, email_verified: false, ..user },
            1 => PoolUser { enabled: false, ..user },
            2 | 3 => PoolUser { status: UserStatus::ExternalProvider, ..with_name(user, format!("Google_{number}")) },
            _ => joined.map_or_else(|| user.clone(), |profile| joined_to(u64::from(profile), user.clone())),
        }
    });
    let of_row = |(id, (of, email)): (i64, &(Option<u8>, u8))| {
        let row = row(id, of.map(u64::from));
        if *email < 3 { row_with_email(u64::from(*email) + 100, row) } else { row }
    };
    (users.collect(), (1..).zip(rows).map(of_row).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_is_offered_is_refused(
        people in prop::collection::vec(somebody(), 1..6),
        // Of users who are there, and of some who are not.
        rows in prop::collection::vec((prop::option::of(0..7_u8), 0..5_u8), 1..5),
    ) {
        let carried = |user: &str| {
            let number = user.rsplit(['-', '_']).next().and_then(|number| number.parse::<u8>().ok());
            rows.iter().filter(|(of, _)| *of == number).count()
        };
        let (users, rows) = built(&people, &rows);
        let rules = Rules { writable: Some(false), ..Rules::new(IdKind::BigInt) };
        let mut linker = Linker::bulk(users, rows, rules);
        for of in linker.of_situation(|_| true) {
            for candidate in candidates(&linker, &of) {
                let made = chosen(&mut linker, &of, &candidate);
                let dead_end = match &made {
                    // What becomes of an owner of several rows is said beside it; and of a third one who has several.
                    Err(Refused::Pairs { why: PairsError::Unnamed { row, user }, .. }) => {
                        let its = Mate::Row(RowId::BigInt(row.parse().unwrap()));
                        (candidate.leaves.is_some() && its == candidate.pair.mate) || carried(user) < 2
                    }
                    Err(Refused::Pairs { why, .. }) => !matches!(why, PairsError::Held(..)),
                    // Whoever is left as the only one to name a row has to be named, too (rule 9): that is another candidate.
                    Err(Refused::Bystander { .. }) => false,
                    Err(Refused::Unmet { .. }) => true,
                    _ => false,
                };
                let situation = linker.entry(&of).map(|entry| entry.situation);
                prop_assert!(!dead_end, "{:?} {:?} of {:?}: {:?}", candidate.pair, candidate.leaves, situation, made.err());
            }
            if let Some(best) = recommended(&linker, &of) {
                let choice = Choice { of: of.clone(), pairs: best.pairs, reason: Some("ticket 7".into()) };
                let maker = maker(&linker);
                let made = plan(&mut linker, &Selection::Chosen(vec![choice]), &Limits::default(), maker);
                prop_assert!(made.is_ok(), "{}: {:?}", best.reason, made.err());
            }
        }
    }
}
