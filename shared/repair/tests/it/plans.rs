//! Whole plans: applied, overtaken, killed, applied by two at once, throttled, taken back.

use std::collections::HashMap;
use std::task::Poll;

use tokio_util::sync::CancellationToken;
use userlink_db::{Closes, History, Outcome, RowWrite};
use userlink_domain::{RecordRef, RowId, Step, Timestamp};
use userlink_emulator::Quotas;
use userlink_kit::{Fate, fates, fresh_postgres_database};
use userlink_pool::Rates;
use userlink_repair::{
    Choice, Ended, Here, Limits, Mate, NotConfirmed, Origin, Pair, Patience, Plan, PlanError, Repairer, Selection,
    guards, undo,
};

use crate::world::{ADA, UPDATE, World, apply, both, by, much_later, now, pass, sqlite, sure, user};

const SIZE: u64 = 10;

/// A size for every day, and the whole one where somebody asks for it.
fn size_of(variable: &str, everyday: u64) -> u64 {
    std::env::var(variable).ok().and_then(|size| size.parse().ok()).unwrap_or(everyday)
}

fn of_user(number: u64) -> RecordRef {
    RecordRef::User(user(number).sub)
}

fn to(number: u64, row: u64) -> Pair {
    Pair { user: user(number).sub, mate: Mate::Row(RowId::BigInt(i64::try_from(row).unwrap())) }
}

fn none(number: u64) -> Pair {
    Pair { user: user(number).sub, mate: Mate::None }
}

/// A circle of two, a user who names a row without a sub, two who name the row of one of them, and one that is safe.
async fn trouble(world: &World) -> Plan {
    world.elsewhere(ADA + 1, |user| user.user_id = Some("43".into()));
    world.elsewhere(ADA + 2, |user| user.user_id = Some("42".into()));
    world.elsewhere(ADA + 3, |user| user.user_id = Some("44".into()));
    world.run("UPDATE users SET cognito_sub = NULL WHERE id = 44").await;
    world.elsewhere(ADA + 4, |user| user.user_id = Some("46".into()));
    world.elsewhere(ADA + 5, |user| user.user_id = Some("46".into()));
    let choose = |of: u64, pairs: Vec<Pair>| Choice { of: of_user(of), pairs, reason: None };
    let choices = vec![
        choose(ADA, vec![]),
        choose(ADA + 1, vec![to(ADA + 1, 42), to(ADA + 2, 43)]),
        choose(ADA + 3, vec![to(ADA + 3, 44)]),
        choose(ADA + 4, vec![to(ADA + 4, 46), none(ADA + 5)]),
    ];
    world.planned(SIZE, Selection::Chosen(choices)).await
}

/// Each step of the plan was written once, and nothing is open.
async fn settled(world: &World, plan: &Plan) {
    let journal = world.repairer("").await.journal;
    let steps = journal.history(&History::Run(plan.id), 10_000).await.unwrap();
    let mut written: HashMap<i64, u32> = HashMap::new();
    for step in &steps {
        let closing = step.closing.as_ref().unwrap();
        *written.entry(step.entry.step_no).or_default() += u32::from(closing.outcome.is_written());
    }
    for planned in plan.steps() {
        assert_eq!(written.get(&planned.number), Some(&1), "step {}", planned.number);
    }
}

async fn take_back(world: &World, plan: &Plan, only: Option<i64>) -> userlink_repair::Summary {
    let ada = world.repairer("ada").await;
    let recorded = ada.journal.history(&History::Run(plan.id), 10_000).await.unwrap();
    let maker = by("ada", Origin { table: ada.table.full_name(), ..plan.origin.clone() });
    let back = undo(&plan.id.to_string(), only, &recorded, maker).unwrap();
    apply(&ada, &back).await
}

#[tokio::test]
async fn a_plan_is_applied_once_and_taken_back() {
    for world in both(pass).await {
        let plan = trouble(&world).await;
        let before = world.pointers(SIZE).await;
        let ada = world.repairer("ada").await;
        let summary = apply(&ada, &plan).await;
        assert!(summary.is_complete() && summary.before == 0, "{summary:?}");
        settled(&world, &plan).await;
        let after = world.scanned(SIZE).await;
        for number in [0, 1, 2, 3, 4] {
            assert_eq!(after.entry(&of_user(ADA + number)).unwrap().situation.name(), "linked", "{number}");
        }
        let updates = world.gate.count(UPDATE);
        let again = apply(&ada, &plan).await;
        assert_eq!((again.before, again.done), (summary.done, 0), "{again:?}");
        assert_eq!(world.gate.count(UPDATE), updates);
        let back = take_back(&world, &plan, None).await;
        assert!(back.is_complete(), "{back:?}");
        assert_eq!(world.pointers(SIZE).await, before);
    }
}

#[tokio::test]
async fn whoever_should_not_be_linked_keeps_its_own_row_when_it_is_applied() {
    for world in both(pass).await {
        // Both name the first one's row, and each carries one.
        world.elsewhere(ADA + 1, |user| (user.user_id, user.enabled) = (Some("41".into()), false));
        world.elsewhere(ADA + 2, |user| user.user_id = Some("42".into()));
        let choice = Choice { of: of_user(ADA), pairs: vec![to(ADA, 41)], reason: None };
        let plan = world.planned(SIZE, Selection::Chosen(vec![choice])).await;
        let summary = apply(&world.repairer("ada").await, &plan).await;
        assert!(summary.is_complete(), "{summary:?}");
        let after = world.scanned(SIZE).await;
        let ends = [ADA, ADA + 1, ADA + 2].map(|number| after.entry(&of_user(number)).unwrap().situation.name());
        assert_eq!(ends, ["linked", "linked_inactive", "linked"]);
    }
}

#[tokio::test]
async fn whoever_should_not_be_linked_any_more_and_was_is_stale() {
    let world = sqlite(pass()).await;
    world.elsewhere(ADA + 1, |user| user.user_id = Some("41".into()));
    let choice = Choice { of: of_user(ADA), pairs: vec![to(ADA, 41)], reason: None };
    let plan = world.planned(SIZE, Selection::Chosen(vec![choice])).await;
    world.elsewhere(ADA, |user| user.enabled = false);
    let summary = apply(&world.repairer("ada").await, &plan).await;
    assert_eq!((summary.stale, world.user_id(ADA)), (1, None), "{summary:?}");
}

#[tokio::test]
async fn a_plan_that_was_taken_back_is_not_done_and_not_made_again() {
    for world in both(pass).await {
        let plan = trouble(&world).await;
        let before = world.pointers(SIZE).await;
        let ada = world.repairer("ada").await;
        let done = apply(&ada, &plan).await.done;
        // Of one only a part: what is left of that entry is left.
        let last = plan.steps().last().unwrap().number;
        assert!(take_back(&world, &plan, Some(last)).await.is_complete());
        let again = apply(&ada, &plan).await;
        assert_eq!((again.stale, again.before, again.done), (1, done - 1, 0), "{again:?}");
        assert!(!again.is_complete());
        let theirs = ada.journal.history(&History::Run(plan.id), 10_000).await.unwrap();
        let rest = undo(
            &plan.id.to_string(),
            None,
            &theirs.into_iter().filter(|step| step.entry.step_no != last).collect::<Vec<_>>(),
            by("ada", plan.origin.clone()),
        )
        .unwrap();
        assert!(apply(&ada, &rest).await.is_complete());
        assert_eq!(world.pointers(SIZE).await, before);
        let updates = world.gate.count(UPDATE);
        let again = apply(&ada, &plan).await;
        assert!(again.stale > 0 && again.done + again.before == 0, "{again:?}");
        assert_eq!((world.pointers(SIZE).await, world.gate.count(UPDATE)), (before, updates));
    }
}

#[tokio::test]
async fn one_step_is_taken_back_and_not_where_somebody_changed_it() {
    let world = sqlite(pass()).await;
    let plan = world.planned(SIZE, Selection::SafeInBulk).await;
    let ada = world.repairer("ada").await;
    assert_eq!(apply(&ada, &plan).await.done, SIZE);
    let first = plan.steps().next().unwrap();
    let Step::WriteUserId { username, .. } = &first.step else { panic!("a write") };
    assert_eq!(take_back(&world, &plan, Some(first.number)).await.done, 1);
    assert_eq!(world.pool.user(username).unwrap().user_id(), None);
    let second = plan.steps().nth(1).unwrap();
    let Step::WriteUserId { username, .. } = &second.step else { panic!("a write") };
    assert!(world.pool.change_user(username, |user| user.user_id = Some("theirs".into())));
    let back = take_back(&world, &plan, Some(second.number)).await;
    assert_eq!((back.stale, back.done), (1, 0));
    assert_eq!(world.pool.user(username).unwrap().user_id(), Some("theirs"));
}

#[tokio::test]
async fn a_plan_is_refused_elsewhere_when_old_and_in_production_without_a_word() {
    let world = sqlite(pass()).await;
    let plan = world.planned(SIZE, Selection::SafeInBulk).await;
    let ada = world.repairer("ada").await;
    let old = Timestamp::from_millis(now().as_millis() + 25 * 3_600_000);
    let refused = |error: PlanError| Some(NotConfirmed::Plan(error));
    let read_at = plan.origin.scanned_at;
    assert_eq!(ada.confirm(plan.clone(), &sure(), old).err(), refused(PlanError::Old { read_at, hours: 24 }));
    // One that was made just now, on a scan of yesterday, is as old as the scan.
    let late = Plan { made_at: old, ..plan.clone() };
    assert_eq!(ada.confirm(late, &sure(), old).err(), refused(PlanError::Old { read_at, hours: 24 }));
    // Nor does one get younger whose clock was wrong.
    let early = Timestamp::from_millis(now().as_millis() - 2 * 3_600_000);
    assert_eq!(ada.confirm(plan.clone(), &sure(), early).err(), refused(PlanError::Ahead { read_at }));
    let here = Here { now: old, production: None, shared_journal: true, writable_by: None, max_age_hours: 24 };
    let seen = guards(&plan, &Limits::default(), &here);
    assert!(
        seen.iter().any(|guard| guard.name == "age" && !guard.holds && guard.seen.contains("25 h ago")),
        "{seen:?}"
    );
    let mut other = ada.clone();
    world.run("CREATE TABLE staff (id bigint PRIMARY KEY, cognito_sub text)").await;
    let mapping = userlink_db::Mapping {
        table: "staff".into(),
        email: None,
        created_at: None,
        ..userlink_db::Mapping::default()
    };
    other.table = world.db().await.open(mapping).await.unwrap();
    assert!(matches!(
        other.confirm(plan.clone(), &sure(), now()),
        Err(NotConfirmed::Plan(PlanError::Elsewhere { what: "the table", .. }))
    ));
    let mut said = sure();
    said.production = Some(("prod".into(), "prod".into()));
    assert_eq!(ada.confirm(plan.clone(), &said, now()).err(), Some(NotConfirmed::Reason));
    said.reason = Some("ticket 7".into());
    assert!(ada.confirm(plan.clone(), &said, now()).is_ok());
    said.production = Some(("prod".into(), "rpod".into()));
    assert_eq!(ada.confirm(plan.clone(), &said, now()).err(), Some(NotConfirmed::Name("prod".into())));
    said.production = Some(("prod".into(), "prod".into()));
    said.shared_journal = false;
    assert_eq!(ada.confirm(plan, &said, now()).err(), Some(NotConfirmed::LocalJournal));
}

/// What somebody does between the plan and its steps, each on a world of its own; the user it hits.
#[tokio::test]
async fn what_changed_behind_the_plans_back_is_stale_and_left_as_it_is() {
    for (what, number) in [
        ("other id", 0),
        ("disabled", 0),
        ("deleted", 0),
        ("other id", 1),
        ("other id", 3),
        ("other id", 4),
        ("other id", 5),
        ("UPDATE users SET cognito_sub = 'n/a' WHERE id = 44", 3),
        ("DELETE FROM users WHERE id = 44", 3),
        ("INSERT INTO users SELECT 99, '00000000-0000-0000-0000-00000000002c'", 3),
        ("e-mail", 3),
        ("UPDATE users SET cognito_sub = NULL WHERE id = 46", 4),
        ("UPDATE users SET cognito_sub = NULL WHERE id = 41", 0),
    ] {
        for world in both(pass).await {
            let plan = trouble(&world).await;
            let number = ADA + number;
            match what {
                "other id" => world.elsewhere(number, |user| user.user_id = Some("theirs".into())),
                "disabled" => world.elsewhere(number, |user| user.enabled = false),
                "deleted" => assert!(world.pool.delete_user(&format!("user-{number}"))),
                "e-mail" => world.elsewhere(number, |user| user.email = Some("new@example.org".into())),
                sql => world.run(sql).await,
            }
            let (before, row_before) = (world.user_id(number), world.pointers(SIZE).await);
            let summary = apply(&world.repairer("ada").await, &plan).await;
            assert!(summary.stale >= 1 && summary.failed == 0, "{what}: {summary:?}");
            assert_eq!(world.user_id(number), before, "{what}");
            if what.contains("44") {
                let row = |all: Vec<String>| all.into_iter().find(|line| line.starts_with("row 44 "));
                assert_eq!(row(world.pointers(SIZE).await), row(row_before), "{what}");
            }
            // The others are not held up.
            let after = world.scanned(SIZE).await;
            let others = [0, 1, 3, 4].map(|n| ADA + n).into_iter();
            let others = others.filter(|other| *other != number && (*other, number) != (ADA + 4, ADA + 5));
            for other in others {
                assert_eq!(after.entry(&of_user(other)).unwrap().situation.name(), "linked", "{what}: {other}");
            }
        }
    }
}

#[tokio::test]
async fn a_row_s_journal_is_closed_in_the_transaction_that_writes_it() {
    for world in both(pass).await {
        let ada = world.repairer("ada").await;
        let entry = world.left_open(ADA, now()).await;
        let closes = Closes { journal: &ada.journal, run: entry.run, step_no: 1, at: now() };
        let expect = Some(user(ADA).sub.to_string());
        let write = RowWrite::Sub { row: RowId::BigInt(41), expect: expect.clone(), value: None, alone: true };
        // Somebody closed it: then the row is not written either.
        ada.journal.closed(entry.run, 1, Outcome::NotDone, "", now()).await.unwrap();
        let limit = std::time::Duration::from_secs(5);
        let stale = ada.rows.write(&write, |_| true, closes, limit).await.unwrap();
        assert!(matches!(stale, userlink_db::RowWritten::Stale(_)), "{stale:?}");
        let entry = world.left_open(ADA, now()).await;
        let closes = Closes { run: entry.run, ..closes };
        let done = ada.rows.write(&write, |_| true, closes, limit).await.unwrap();
        assert!(matches!(done, userlink_db::RowWritten::Done { closed: true, .. }), "{done:?}");
        assert_eq!(world.outcomes().await, [Some(Outcome::Done), Some(Outcome::NotDone)]);
    }
}

#[tokio::test]
async fn asked_to_stop_it_ends_what_is_under_way_and_goes_on_later() {
    let world = sqlite(pass()).await;
    let plan = world.planned(SIZE, Selection::SafeInBulk).await;
    let ada = world.repairer("ada").await;
    let confirmed = ada.confirm(plan.clone(), &sure(), now()).unwrap();
    let stop = CancellationToken::new();
    let summary = ada.run(&confirmed, &stop, |_| stop.cancel(), now).await.unwrap();
    assert!(summary.stopped && summary.done >= 1 && summary.left >= 1, "{summary:?}");
    assert_eq!(summary.done + summary.left, SIZE);
    let rest = apply(&ada, &plan).await;
    assert_eq!((rest.before, rest.done), (summary.done, summary.left));
    settled(&world, &plan).await;
}

#[tokio::test]
async fn of_two_who_apply_the_same_plan_each_step_is_done_by_one_and_the_other_is_told() {
    let postgres = Some(fresh_postgres_database().await);
    for world in [sqlite(pass()).await, World::of(SIZE, None, postgres, pass()).await] {
        let plan = trouble(&world).await;
        let (ada, bob) = (world.repairer("ada").await, world.repairer("bob").await);
        let told = |repairer: Repairer| {
            let plan = plan.clone();
            async move {
                let confirmed = repairer.confirm(plan, &sure(), now()).unwrap();
                let mut results = Vec::new();
                let stop = CancellationToken::new();
                repairer.run(&confirmed, &stop, |result| results.push(result.clone()), now).await.unwrap();
                results
            }
        };
        let (of_ada, of_bob) = tokio::join!(told(ada.clone()), told(bob));
        for (results, other) in [(&of_ada, "bob"), (&of_bob, "ada")] {
            for result in results {
                match &result.ended {
                    Ended::Before { by } | Ended::Claimed { by } => assert_eq!(by, other),
                    Ended::Made(verdict) => assert_eq!(*verdict, userlink_repair::Verdict::Done, "{:?}", result.words),
                    Ended::Left => {}
                }
            }
        }
        // Where each waited for the other, one more goes through all of it.
        assert!(apply(&ada, &plan).await.is_complete());
        settled(&world, &plan).await;
    }
}

/// Polls a future so often at most, and drops it then: a program that is killed there.
pub(crate) async fn killed_after<F: Future>(polls: u64, future: F) -> Option<F::Output> {
    let mut left = polls;
    let mut future = Box::pin(future);
    std::future::poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// After a kill: what is open is looked at, the plan is applied to its end, and all is as if nothing had happened.
async fn comes_right(world: &World, plan: &Plan, undisturbed: &[String]) {
    let ada = world.run_of("ada").await;
    ada.recover(now).await.unwrap();
    let summary = apply(&ada, plan).await;
    assert!(summary.is_complete(), "{summary:?}");
    settled(world, plan).await;
    assert_eq!(world.pointers(SIZE).await, undisturbed);
}

async fn undisturbed() -> Vec<String> {
    let world = sqlite(pass()).await;
    let plan = trouble(&world).await;
    assert!(apply(&world.repairer("ada").await, &plan).await.is_complete());
    world.pointers(SIZE).await
}

#[tokio::test]
async fn killed_at_every_request_it_comes_right() {
    let right = undisturbed().await;
    let operations = [("AdminGetUser", 10), (UPDATE, 3), ("AdminDeleteUserAttributes", 1)];
    for (operation, times) in operations {
        for at in 0..times {
            for fate in [Fate::Pass, Fate::Lost, Fate::AnswerLost] {
                let before = std::iter::repeat_with(|| Fate::Pass).take(at);
                let mut world = sqlite(fates(operation, before.chain([Fate::Held]))).await;
                let plan = trouble(&world).await;
                let held = {
                    let ada = world.run_of("ada").await;
                    tokio::select! {
                        summary = apply(&ada, &plan) => panic!("it ended: {summary:?}"),
                        held = world.gate.held() => held,
                    }
                };
                held.go(fate);
                comes_right(&world, &plan, &right).await;
            }
        }
    }
}

/// 200 and more with USERLINK_TEST_KILLS.
#[tokio::test]
async fn killed_at_any_moment_it_comes_right() {
    let right = undisturbed().await;
    for at in 0..size_of("USERLINK_TEST_KILLS", 12) {
        let world = sqlite(pass()).await;
        let plan = trouble(&world).await;
        {
            let ada = world.run_of("ada").await;
            // Spread over the whole run: it ends after some two hundred polls.
            let ended = killed_after(1 + at * 17 % 211, apply(&ada, &plan)).await;
            assert!(ended.is_none_or(|summary| summary.is_complete()));
        }
        comes_right(&world, &plan, &right).await;
    }
}

/// 10,000 users with USERLINK_TEST_PLAN_USERS.
#[tokio::test]
async fn at_a_hidden_quota_that_changes_nobody_is_written_twice_and_nobody_is_lost() {
    let size = size_of("USERLINK_TEST_PLAN_USERS", 300);
    let quota = |update| Some(Quotas { update, ..Quotas::AWS });
    let world = World::of(size, quota(30), None, pass()).await;
    let plan = world.planned(size, Selection::SafeInBulk).await;
    let rates = Rates { list: 30.0, read: 100.0, update: 25.0, describe: 5.0 };
    let ada = Repairer { patience: Patience::default(), ..world.repairer_at("ada", rates).await };
    let confirmed = ada.confirm(plan.clone(), &sure(), now()).unwrap();
    let mut made = 0;
    let report = |_: &userlink_repair::StepResult| {
        made += 1;
        match made * 3 / size {
            1 => world.pool.set_quotas(quota(18)),
            2 => world.pool.set_quotas(quota(30)),
            _ => {}
        }
    };
    let summary = ada.run(&confirmed, &CancellationToken::new(), report, now).await.unwrap();
    assert_eq!((summary.done, summary.is_complete()), (size, true), "{summary:?}");
    let stats = world.pool.stats();
    let written = stats.requests[UPDATE] - stats.throttled;
    assert_eq!(written, size, "none twice, none lost: {stats:?}");
    eprintln!("{size} users: {} refused of {}", stats.throttled, stats.requests[UPDATE]);
    // A small plan is mostly its beginning, where the quota has to be found out.
    let allowed = if size >= 5_000 { size / 50 } else { size / 10 };
    assert!(stats.throttled <= allowed, "{stats:?}");
    settled(&world, &plan).await;
}

/// As many as the pool can take, at a rate that nothing holds back.
#[tokio::test]
async fn without_a_quota_nobody_is_written_twice_and_nobody_is_lost() {
    let size = size_of("USERLINK_TEST_PLAN_USERS", 300);
    let world = World::of(size, None, None, pass()).await;
    let plan = world.planned(size, Selection::SafeInBulk).await;
    let rates = Rates { list: 1_000.0, read: 1_000.0, update: 1_000.0, describe: 5.0 };
    let ada = Repairer { patience: Patience::default(), ..world.repairer_at("ada", rates).await };
    let summary = apply(&ada, &plan).await;
    assert_eq!((summary.done, summary.is_complete()), (size, true), "{summary:?}");
    let stats = world.pool.stats();
    assert_eq!((stats.requests[UPDATE], stats.throttled), (size, 0), "none twice, none lost: {stats:?}");
    settled(&world, &plan).await;
}

/// A client that lives from the same quota, as sign-ups do, is not kept from it.
#[tokio::test]
async fn beside_a_client_that_uses_the_quota_the_default_rate_stands_back() {
    let size = size_of("USERLINK_TEST_PLAN_USERS", 50).min(500);
    let world = World::of(size + 1, Some(Quotas::AWS), None, pass()).await;
    let plan = world.planned(size, Selection::SafeInBulk).await;
    let ada = Repairer { patience: Patience::default(), ..world.repairer_at("ada", Rates::default()).await };
    let client = world.repairer_at("client", Rates { update: 21.0, ..Rates::default() }).await.pool;
    let (mut refused, mut in_a_row, mut longest, mut sent) = (0, 0, 0, 0);
    let signing_up = async {
        let (somebody, id) = (user(ADA + size).username, RowId::BigInt(1));
        loop {
            let turn = client.turn().await;
            sent += 1;
            if client.write_user_id(turn, &somebody, &id).await.is_ok() {
                in_a_row = 0;
            } else {
                (refused, in_a_row) = (refused + 1, in_a_row + 1);
                longest = longest.max(in_a_row);
            }
        }
    };
    let summary = tokio::select! {
        summary = apply(&ada, &plan) => summary,
        () = signing_up => unreachable!("it has no end"),
    };
    assert_eq!(summary.done, size, "{summary:?}");
    eprintln!("the client: {refused} of {sent} refused, {longest} in a row");
    assert!(longest <= 3 && refused * 20 <= sent, "{refused} of {sent} refused, {longest} in a row");
}

#[tokio::test]
async fn what_is_over_is_anybody_s_to_go_on_with() {
    let mut world = sqlite(fates(UPDATE, [Fate::Held])).await;
    let plan = world.planned(SIZE, Selection::SafeInBulk).await;
    let ada = world.repairer("ada").await;
    let held = tokio::select! {
        summary = apply(&ada, &plan) => panic!("it ended: {summary:?}"),
        held = world.gate.held() => held,
    };
    held.go(Fate::Lost);
    let bob = world.repairer("bob").await;
    let summary = apply(&bob, &plan).await;
    assert!(summary.claimed >= 1 && summary.stale == 0 && summary.failed == 0, "{summary:?}");
    bob.recover(much_later).await.unwrap();
    assert!(apply(&bob, &plan).await.is_complete());
    settled(&world, &plan).await;
}
