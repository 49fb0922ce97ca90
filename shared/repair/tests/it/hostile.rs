//! A hostile pool: users who wrote somebody else's id into their own attribute. Whatever is planned in bulk or recommended
//! never gives one of them a row that the application did not give them.

use std::collections::HashSet;

use proptest::prelude::*;
use userlink_domain::{PoolUser, Row, RowId, Step, Sub, UserStatus};
use userlink_link::{Linker, Rules};
use userlink_repair::{Choice, Limits, Selection, candidates, plan, recommended};

use crate::planning::{maker, person, row};

/// An honest person, and who attacks her.
#[derive(Clone, Debug)]
struct Household {
    /// Whether the row carries her sub, and whether she names it.
    tied: (bool, bool),
    attackers: Vec<Attacker>,
    row_email: bool,
}

#[derive(Clone, Debug)]
struct Attacker {
    confirmed: bool,
    verified: bool,
    /// Signed up with the victim's address, which only an unverified one can.
    her_email: bool,
    own_row: bool,
}

fn attacker() -> impl Strategy<Value = Attacker> {
    (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>())
        .prop_map(|(confirmed, verified, her_email, own_row)| Attacker { confirmed, verified, her_email, own_row })
}

fn household() -> impl Strategy<Value = Household> {
    let attackers = prop_oneof![
        4 => prop::collection::vec(attacker(), 0..3),
        1 => prop::collection::vec(attacker(), 10..20),
    ];
    ((any::<bool>(), any::<bool>()), attackers, any::<bool>()).prop_map(|(tied, attackers, row_email)| Household {
        tied,
        attackers,
        row_email,
    })
}

/// By sub, each with its own row.
type Attackers = Vec<(Sub, Option<RowId>)>;

/// The pool, the table, and the attackers, each with the row that is its own.
fn built(households: &[Household]) -> (Vec<PoolUser>, Vec<Row>, Attackers) {
    let (mut users, mut rows, mut attackers) = (Vec::new(), Vec::new(), Vec::new());
    let mut next = 1000;
    for (number, household) in (1..).zip(households) {
        let id = i64::try_from(number).unwrap();
        let named = id.to_string();
        users.push(person(number, household.tied.1.then_some(named.as_str())));
        let mut hers = row(id, household.tied.0.then_some(number));
        hers.email = household.row_email.then(|| format!("u{number}@example.org").into());
        rows.push(hers);
        for attacker in &household.attackers {
            next += 1;
            let mut user = person(next, Some(&named));
            user.status = if attacker.confirmed { UserStatus::Confirmed } else { UserStatus::Unconfirmed };
            user.email_verified = attacker.verified && !attacker.her_email;
            if attacker.her_email {
                user.email = Some(format!("u{number}@example.org").into());
            }
            let own = attacker.own_row.then(|| i64::try_from(next).unwrap());
            rows.extend(own.map(|own| row(own, Some(next))));
            attackers.push((user.sub, own.map(RowId::BigInt)));
            users.push(user);
        }
    }
    (users, rows, attackers)
}

/// Whether steps give an attacker a row that is not its own.
fn helps(steps: impl Iterator<Item = Step>, users: &[PoolUser], attackers: &Attackers) -> Option<String> {
    let own = |sub: Sub, value: &str| {
        let row = attackers.iter().find(|(attacker, _)| *attacker == sub);
        row.is_none_or(|(_, own)| own.as_ref().is_some_and(|own| own.to_string() == value))
    };
    let sub_of = |name: &str| users.iter().find(|user| user.username.as_str() == name).map(|user| user.sub);
    for step in steps {
        let fine = match &step {
            Step::WriteUserId { username, value, .. } => {
                value.starts_with('(') || sub_of(username).is_none_or(|sub| own(sub, value))
            }
            Step::WriteSub { row, value, .. } => Sub::parse(value).is_none_or(|sub| own(sub, row)),
            _ => true,
        };
        if !fine {
            return Some(serde_json::to_string(&step).unwrap());
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn nothing_in_bulk_and_nothing_recommended_helps_an_attacker(
        households in prop::collection::vec(household(), 1..6),
        writable in prop_oneof![Just(Some(true)), Just(Some(false)), Just(None)],
    ) {
        let (users, rows, attackers) = built(&households);
        let rules = Rules { writable, ..Rules::new(userlink_domain::IdKind::BigInt) };
        let mut linker = Linker::bulk(users.clone(), rows, rules);
        let limits = Limits { users: 1000, ..Limits::default() };
        let before: Vec<_> = linker.of_situation(|_| true);

        let made = maker(&linker);
        if let Ok(made) = plan(&mut linker, &Selection::SafeInBulk, &limits, made) {
            let helped = helps(made.steps().map(|planned| planned.step.clone()), &users, &attackers);
            prop_assert!(helped.is_none(), "in bulk: {:?}", helped);
            let overwrites = made.steps().any(|planned| !matches!(&planned.step, Step::WriteUserId { expect: None, .. }));
            prop_assert!(!overwrites, "in bulk nothing is overwritten or cleared");
        }
        let mut seen = HashSet::new();
        for of in &before {
            if let Some(best) = recommended(&linker, of) {
                let choice = Choice { of: of.clone(), pairs: best.pairs.clone(), reason: Some("ticket".into()) };
                let made = maker(&linker);
                if let Ok(made) = plan(&mut linker, &Selection::Chosen(vec![choice]), &limits, made) {
                    let helped = helps(made.steps().map(|planned| planned.step.clone()), &users, &attackers);
                    prop_assert!(helped.is_none(), "recommended: {:?} because {}", helped, best.reason);
                }
            }
            // The first candidate is never one whom only its own attribute speaks for, beside one whom the row speaks for.
            let ranked = candidates(&linker, of);
            if let Some(entry) = linker.entry(of)
                && let [one] = &entry.rows[..]
                && let Some(owner) = one.sub().filter(|owner| entry.users.iter().any(|user| user.sub == *owner && user.is_expected()))
                && seen.insert(of.clone())
            {
                prop_assert_eq!(ranked[0].pair.user, owner);
            }
        }
        // Everything was only tried.
        prop_assert_eq!(linker.of_situation(|_| true), before);
    }
}
