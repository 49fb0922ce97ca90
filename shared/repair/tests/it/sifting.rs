//! Of a selection: what is planned at once, what is looked at first, and what is left out, for every situation.

use std::collections::BTreeMap;

use userlink_domain::{Flag, IdKind, Identity, PoolUser, RecordRef, Row, RowId, Situation, UserStatus};
use userlink_link::{Linker, Rules};
use userlink_repair::{Choice, Mate, Pair, sift};

use crate::planning::{person, row, sub};

/// What comes next with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Planned,
    Looked,
    OneAtATime,
    NoRepair,
}

use Next::{Looked, NoRepair, OneAtATime, Planned};

/// Every situation that there can be of a finished scan: what comes next with one such entry alone, and with it beside others.
const TABLE: [(Situation, Next, Next); 22] = [
    (Situation::Linked, NoRepair, NoRepair),
    (Situation::LinkedInactive, NoRepair, NoRepair),
    (Situation::DuplicateRows, Looked, Looked),
    (Situation::DuplicateUserId, Planned, Looked),
    (Situation::Swapped, Planned, Looked),
    (Situation::Tangled, Looked, Looked),
    (Situation::DanglingUserId, Looked, Looked),
    (Situation::DeadSubClaimed, Looked, Looked),
    (Situation::Stranded, Looked, Looked),
    (Situation::RowSideOnly, Planned, Planned),
    (Situation::UserSideOnly, Planned, Planned),
    (Situation::EmailMatch, Planned, Planned),
    (Situation::Recreated, Looked, Looked),
    (Situation::Ambiguous, Looked, Looked),
    (Situation::RowTaken, Looked, OneAtATime),
    (Situation::FederatedTwin, Looked, OneAtATime),
    (Situation::NoRow, Planned, Planned),
    (Situation::OrphanRow, NoRepair, NoRepair),
    (Situation::DeadSub, NoRepair, NoRepair),
    (Situation::UnlinkedInactive, NoRepair, NoRepair),
    (Situation::JoinedProfile, NoRepair, NoRepair),
    (Situation::Ignored, NoRepair, NoRepair),
];

fn email_of(of: u64, row: Row) -> Row {
    Row { email: person(of, None).email, ..row }
}

fn federated(number: u64) -> PoolUser {
    let named = PoolUser::new(sub(number), format!("Google_{number}"));
    PoolUser { username: named.username, status: UserStatus::ExternalProvider, ..person(number, None) }
}

fn joined_to(profile: u64, native: PoolUser) -> PoolUser {
    let identity = Identity { provider: "Google".into(), user_id: profile.to_string().into() };
    PoolUser { identities: vec![identity], ..native }
}

/// One entry of each situation. The numbers of users are the ids of their rows.
fn town(writable: Option<bool>) -> Linker {
    let disabled = |user: PoolUser| PoolUser { enabled: false, ..user };
    let users = vec![
        person(1, Some("1")),
        disabled(person(2, Some("2"))),
        person(3, None),
        person(4, Some("4")),
        person(5, Some("4")),
        person(6, Some("7")),
        person(7, Some("6")),
        person(8, Some("9")),
        person(9, None),
        person(10, Some("999")),
        person(11, Some("11")),
        federated(12),
        joined_to(12, person(13, Some("13"))),
        person(14, None),
        person(15, Some("15")),
        person(16, None),
        person(17, None),
        person(18, None),
        person(19, None),
        person(20, Some("20")),
        federated(21),
        PoolUser { email: person(21, None).email, ..person(22, Some("22")) },
        person(23, None),
        disabled(person(24, None)),
        federated(25),
        joined_to(25, person(26, Some("26"))),
        person(27, None),
    ];
    let dead = 5000;
    let rows = vec![
        row(1, Some(1)),
        row(2, Some(2)),
        row(3, Some(3)),
        row(103, Some(3)),
        row(4, Some(4)),
        row(6, Some(6)),
        row(7, Some(7)),
        row(9, Some(9)),
        row(11, Some(dead)),
        row(12, Some(12)),
        row(13, Some(13)),
        row(14, Some(14)),
        email_of(15, row(15, None)),
        email_of(16, row(16, None)),
        email_of(17, row(17, Some(dead + 1))),
        email_of(18, row(18, None)),
        email_of(18, row(118, None)),
        email_of(19, row(20, Some(20))),
        row(22, Some(22)),
        row(26, Some(26)),
        row(28, None),
        row(29, Some(dead + 2)),
        row(27, Some(27)),
    ];
    let protected = [RecordRef::User(sub(27))].into_iter().collect();
    Linker::bulk(users, rows, Rules { writable, protected, ..Rules::new(IdKind::BigInt) })
}

/// A record of an entry of each situation.
fn each(linker: &Linker) -> BTreeMap<Situation, RecordRef> {
    let all = linker.of_situation(|_| true);
    all.into_iter().filter_map(|of| Some((linker.entry(&of)?.situation, of))).collect()
}

fn next(linker: &Linker, selected: &[RecordRef], of: &RecordRef) -> Option<Next> {
    let sifted = sift(linker, selected, &[], &[]);
    let lead = linker.lead_of(of);
    if sifted.choices.iter().any(|choice| linker.lead_of(&choice.of) == lead) {
        return Some(Planned);
    }
    if sifted.look.iter().any(|look| linker.lead_of(look) == lead) {
        return Some(Looked);
    }
    let words = linker.entry(of)?.situation.words();
    let why = sifted.left_out.keys().find(|why| why.starts_with(&format!("{words}: ")))?;
    Some(if why.contains("one at a time") { OneAtATime } else { NoRepair })
}

#[test]
fn every_situation_is_planned_looked_at_or_left_out_alone_and_beside_others() {
    let linker = town(Some(false));
    let each = each(&linker);
    let there: Vec<Situation> = each.keys().copied().collect();
    let mut told: Vec<Situation> = TABLE.iter().map(|(situation, ..)| *situation).collect();
    told.sort();
    assert_eq!(there, told);
    let selected: Vec<RecordRef> = each.values().cloned().collect();
    for (situation, alone, beside) in TABLE {
        let of = &each[&situation];
        assert_eq!(next(&linker, std::slice::from_ref(of), of), Some(alone), "{situation} alone");
        assert_eq!(next(&linker, &selected, of), Some(beside), "{situation} beside others");
    }
}

#[test]
fn what_rests_on_an_attribute_that_users_can_write_is_left_out_beside_others() {
    let linker = town(Some(true));
    let each = each(&linker);
    let selected: Vec<RecordRef> = each.values().cloned().collect();
    for (situation, alone, beside) in TABLE {
        let of = &each[&situation];
        let beside = if situation.rests_on_attribute() && beside != NoRepair { OneAtATime } else { beside };
        assert_eq!(next(&linker, std::slice::from_ref(of), of), Some(alone), "{situation} alone");
        assert_eq!(next(&linker, &selected, of), Some(beside), "{situation} beside others");
    }
}

#[test]
fn what_is_contested_is_looked_at_even_where_it_would_be_safe() {
    let rival = PoolUser { status: UserStatus::Unconfirmed, ..person(9, Some("1")) };
    let users = vec![person(1, None), person(2, None), rival];
    let rules = Rules { writable: Some(false), ..Rules::new(IdKind::BigInt) };
    let linker = Linker::bulk(users, vec![row(1, Some(1)), row(2, Some(2))], rules);
    let (contested, safe) = (RecordRef::User(sub(1)), RecordRef::User(sub(2)));
    assert!(linker.entry(&contested).unwrap().flags.contains(Flag::Contested));
    for selected in [vec![contested.clone()], vec![contested.clone(), safe.clone()]] {
        assert_eq!(next(&linker, &selected, &contested), Some(Looked));
    }
    assert_eq!(next(&linker, &[contested, safe.clone()], &safe), Some(Planned));
}

#[test]
fn what_a_person_chose_is_planned_and_whom_they_passed_over_is_left_out_and_nobody_is_taken_twice() {
    let linker = town(Some(false));
    let each = each(&linker);
    let (recreated, ambiguous) = (&each[&Situation::Recreated], &each[&Situation::Ambiguous]);
    let pair = Pair { user: sub(17), mate: Mate::Row(RowId::BigInt(17)) };
    let choice = Choice { of: RecordRef::Row(RowId::BigInt(17)), pairs: vec![pair.clone()], reason: None };
    // Two records of one entry are one entry.
    let selected = [recreated.clone(), choice.of.clone(), ambiguous.clone(), each[&Situation::RowSideOnly].clone()];
    let sifted = sift(&linker, &selected, std::slice::from_ref(&choice), std::slice::from_ref(ambiguous));
    assert_eq!(sifted.choices.len(), 2);
    assert_eq!(sifted.choices[0].pairs, [pair]);
    assert!(sifted.look.is_empty());
    assert_eq!(sifted.left_out.into_iter().collect::<Vec<_>>(), [("left out by you".to_owned(), 1)]);
    // A reason alone chooses nothing beside others.
    let reason = Choice { of: recreated.clone(), pairs: Vec::new(), reason: Some("ticket 7".into()) };
    assert_eq!(sift(&linker, &selected, &[reason], &[]).look.len(), 2);
}
