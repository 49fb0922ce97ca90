//! Anything in any order: people who change pool and table, plans, applies, kills, two engineers, undos. After each of it the
//! rules hold: nothing is written but what a plan says and where it found what it expects, no step twice, nobody deleted.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseResult};
use userlink_db::History;
use userlink_domain::{RecordRef, Step};
use userlink_repair::{Choice, Limits, Maker, Origin, Pair, Plan, Selection, candidates, plan, recommended, undo};
use uuid::Uuid;

use crate::plans::killed_after;
use crate::world::{ADA, World, apply, by, much_later, now, pass, user};

const SIZE: u64 = 6;

#[derive(Clone, Debug)]
enum Deed {
    /// Somebody writes a `user_id`: of a row, or none.
    UserId(u64, Option<u64>),
    Enabled(u64, bool),
    Gone(u64),
    /// Somebody writes the sub of a row.
    Sub(u64, Option<u64>),
    RowGone(u64),
    /// A plan of all that is safe.
    Bulk,
    /// A plan for the entry of a user: what is recommended, or else this candidate.
    Chosen(u64, usize),
    Apply(usize),
    /// Killed after so many polls.
    Killed(usize, u64),
    /// Two apply it at once.
    Both(usize),
    /// Somebody changes a user meanwhile.
    Meanwhile(usize, u64, Option<u64>),
    Undo(usize),
}

fn deed() -> impl Strategy<Value = Deed> {
    let number = 0..SIZE;
    let maybe = || prop::option::of(0..SIZE);
    prop_oneof![
        4 => (number.clone(), maybe()).prop_map(|(user, row)| Deed::UserId(user, row)),
        1 => (number.clone(), any::<bool>()).prop_map(|(user, enabled)| Deed::Enabled(user, enabled)),
        1 => number.clone().prop_map(Deed::Gone),
        4 => (number.clone(), maybe()).prop_map(|(row, user)| Deed::Sub(row, user)),
        1 => number.clone().prop_map(Deed::RowGone),
        3 => Just(Deed::Bulk),
        5 => (number.clone(), 0..4_usize).prop_map(|(user, candidate)| Deed::Chosen(user, candidate)),
        5 => (0..4_usize).prop_map(Deed::Apply),
        3 => (0..4_usize, 1..150_u64).prop_map(|(plan, polls)| Deed::Killed(plan, polls)),
        2 => (0..4_usize).prop_map(Deed::Both),
        2 => (0..4_usize, number, maybe()).prop_map(|(plan, user, row)| Deed::Meanwhile(plan, user, row)),
        3 => (0..4_usize).prop_map(Deed::Undo),
    ]
}

/// A value before and after.
type Turn = (Option<String>, Option<String>);

/// Both pointers of everybody, by what they are called.
type State = BTreeMap<String, Option<String>>;

async fn state(world: &World) -> State {
    let users = (ADA..ADA + SIZE).filter_map(|number| world.pool.user(&format!("user-{number}")));
    let users = users.map(|user| (format!("user {}", user.username.as_str()), user.user_id().map(str::to_owned)));
    let rows = world.repairer("").await.table.page(None, 1000).await.unwrap();
    let rows = rows.into_iter().map(|row| (format!("row {}", row.id), row.sub.map(String::from)));
    users.chain(rows).collect()
}

/// Whether each change is one that the plan says, from what it expects to what it writes.
fn explained(before: &State, after: &State, plan: &Plan) -> TestCaseResult {
    prop_assert!(before.keys().eq(after.keys()), "nobody comes and nobody goes");
    let mut says: HashMap<String, Vec<Turn>> = HashMap::new();
    for planned in plan.steps() {
        let (name, from, to) = match planned.step.clone() {
            Step::WriteUserId { username, expect, value } => (format!("user {username}"), expect, Some(value)),
            Step::ClearUserId { username, expect } => (format!("user {username}"), expect, None),
            Step::WriteSub { row, expect, value } => (format!("row {row}"), expect, Some(value)),
            Step::ClearSub { row, expect } => (format!("row {row}"), expect, None),
            _ => continue,
        };
        says.entry(name).or_default().push((from, to));
    }
    for (name, was) in before {
        let mut value = was.clone();
        let steps = says.get(name).map(Vec::as_slice).unwrap_or_default();
        let mut reached = vec![value.clone()];
        for (from, to) in steps {
            if *from == value {
                value.clone_from(to);
                reached.push(value.clone());
            }
        }
        prop_assert!(reached.contains(&after[name]), "{name}: {was:?} became {:?}, which no plan says", after[name]);
    }
    Ok(())
}

async fn sound(world: &World, plans: &[Plan]) -> TestCaseResult {
    let journal = world.repairer("").await.journal;
    for plan in plans {
        let mut written: HashMap<i64, u32> = HashMap::new();
        for step in journal.history(&History::Run(plan.id), 10_000).await.unwrap() {
            prop_assert!(step.closing.is_some(), "what was open has been looked at");
            let once = step.closing.is_some_and(|closing| closing.outcome.is_written());
            *written.entry(step.entry.step_no).or_default() += u32::from(once);
        }
        prop_assert!(written.values().all(|times| *times <= 1), "a step was done twice: {written:?}");
    }
    Ok(())
}

async fn planned(world: &World, choose: impl FnOnce(&userlink_link::Linker) -> Option<Selection>) -> Option<Plan> {
    let mut linker = world.scanned(SIZE).await;
    let selection = choose(&linker)?;
    let (users, rows) = linker.len();
    let origin = Origin {
        context: "test".into(),
        account: None,
        pool: world.pool.pool_id().into(),
        attribute: "custom:userId".into(),
        database: world.repairer("").await.table.schema().database.clone(),
        table: world.repairer("").await.table.full_name(),
        scanned_at: now(),
        users: users as u64,
        rows: rows as u64,
    };
    // The id is a number that somebody has to give, so that no row can be inserted here.
    let unfilled = (vec!["id".to_owned()], vec!["id".to_owned()]);
    let maker = Maker { id: Uuid::now_v7(), by: "ada".into(), at: now(), origin, sign_out: false, unfilled };
    plan(&mut linker, &selection, &Limits::default(), maker).ok()
}

fn chosen(linker: &userlink_link::Linker, number: u64, candidate: usize) -> Option<Selection> {
    let of = RecordRef::User(user(ADA + number).sub);
    linker.entry(&of)?;
    let ranked = candidates(linker, &of);
    let pairs: Vec<Pair> = match recommended(linker, &of) {
        Some(best) => best.pairs,
        None => vec![ranked.get(candidate % ranked.len().max(1))?.pair.clone()],
    };
    Some(Selection::Chosen(vec![Choice { of, pairs, reason: Some("ticket".into()) }]))
}

async fn run(deeds: Vec<Deed>) -> TestCaseResult {
    let world = World::of(SIZE, None, None, pass()).await;
    let mut plans: Vec<Plan> = Vec::new();
    for deed in deeds {
        let before = state(&world).await;
        let name = |number: u64| format!("user-{}", ADA + number);
        let id = |number: u64| (ADA + number).to_string();
        let at = |index: usize| index % plans.len().max(1);
        match deed {
            Deed::UserId(number, row) => {
                world.pool.change_user(&name(number), |user| user.user_id = row.map(|row| id(row).into()));
            }
            Deed::Enabled(number, enabled) => {
                world.pool.change_user(&name(number), |user| user.enabled = enabled);
            }

            Deed::Gone(number) => {
                world.pool.delete_user(&name(number));
            }
            Deed::Sub(row, of) => {
                let sub = of.map_or("NULL".to_owned(), |of| format!("'{}'", user(ADA + of).sub));
                world.run(&format!("UPDATE users SET cognito_sub = {sub} WHERE id = {}", id(row))).await;
            }
            Deed::RowGone(row) => world.run(&format!("DELETE FROM users WHERE id = {}", id(row))).await,
            Deed::Bulk => plans.extend(planned(&world, |_| Some(Selection::SafeInBulk)).await),
            Deed::Chosen(number, candidate) => {
                plans.extend(planned(&world, |linker| chosen(linker, number, candidate)).await);
            }
            Deed::Apply(index) => {
                let Some(plan) = plans.get(at(index)) else { continue };
                apply(&world.run_of("ada").await, plan).await;
                explained(&before, &state(&world).await, plan)?;
            }
            Deed::Killed(index, polls) => {
                let Some(plan) = plans.get(at(index)) else { continue };
                {
                    let ada = world.run_of("ada").await;
                    let ended = killed_after(polls, apply(&ada, plan)).await;
                    prop_assert!(ended.is_none_or(|summary| summary.unverified == 0));
                }
                world.run_of("ada").await.recover(much_later).await.unwrap();
                explained(&before, &state(&world).await, plan)?;
            }
            Deed::Both(index) => {
                let Some(plan) = plans.get(at(index)) else { continue };
                let (ada, bob) = (world.run_of("ada").await, world.repairer("bob").await);
                tokio::join!(apply(&ada, plan), apply(&bob, plan));
                explained(&before, &state(&world).await, plan)?;
            }
            Deed::Meanwhile(index, number, row) => {
                let Some(plan) = plans.get(at(index)) else { continue };
                let ada = world.run_of("ada").await;
                let somebody = async {
                    tokio::time::sleep(std::time::Duration::from_millis(8)).await;
                    world.pool.change_user(&name(number), |user| user.user_id = row.map(|row| id(row).into()));
                };
                tokio::join!(apply(&ada, plan), somebody);
                // Whoever was changed by both is what one of them wrote.
                let mut after = state(&world).await;
                let called = format!("user {}", name(number));
                if after.contains_key(&called) {
                    after.insert(called.clone(), before[&called].clone());
                }
                explained(&before, &after, plan)?;
            }
            Deed::Undo(index) => {
                let Some(of) = plans.get(at(index)) else { continue };
                let ada = world.run_of("ada").await;
                let recorded = ada.journal.history(&History::Run(of.id), 10_000).await.unwrap();
                let maker = by("ada", of.origin.clone());
                let Ok(back) = undo(&of.id.to_string(), None, &recorded, maker) else { continue };
                apply(&ada, &back).await;
                explained(&before, &state(&world).await, &back)?;
                plans.push(back);
            }
        }
        sound(&world, &plans).await?;
    }
    Ok(())
}

/// More with PROPTEST_CASES.
#[test]
fn whatever_happens_in_whatever_order_the_rules_hold() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(10);
    let config = Config { cases, max_shrink_iters: 30, failure_persistence: None, ..Config::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let all = prop::collection::vec(deed(), 10..30);
    let held = runner.run(&all, |deeds| runtime.block_on(run(deeds)));
    if let Err(error) = held {
        panic!("{error}");
    }
}
