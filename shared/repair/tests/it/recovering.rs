//! After a stop in the middle: killed before the write, after it, or while its request was on its way.

use userlink_db::{JournalEntry, Linkage, Outcome};
use userlink_domain::{Step, Timestamp};
use userlink_kit::{Fate, Held, fates};
use userlink_repair::{Recovered, Repairer, Verdict};

use crate::world::{ADA, Claimed, GET, UPDATE, World, WriteOne as _, both, much_later, now, sqlite, user};

const DONE: Recovered = Recovered { found_done: 1, not_done: 0, under_way: 0, unseen: 0, left: 0 };
const NOT_DONE: Recovered = Recovered { found_done: 0, not_done: 1, ..DONE };
const UNDER_WAY: Recovered = Recovered { found_done: 0, under_way: 1, ..DONE };

/// Ada's program is killed where the gate holds its request. Gives what is held.
async fn killed(world: &mut World) -> Held {
    let (ada, shown) = (world.run_of("ada").await, world.shown(ADA).await);
    let held = tokio::select! {
        _ = ada.write_user_id(&shown, now) => panic!("it ended"),
        held = world.gate.held() => held,
    };
    assert_eq!(world.outcomes().await, [None], "the entry is open");
    held
}

async fn recover(repairer: &Repairer, now: impl Fn() -> Timestamp + Send) -> Recovered {
    repairer.recover(now).await.unwrap()
}

#[tokio::test]
async fn killed_before_the_write_it_is_found_not_done() {
    for mut world in both(|| fates(UPDATE, [Fate::Held])).await {
        killed(&mut world).await.go(Fate::Lost);
        // From another machine nobody knows that Ada's program is gone.
        assert_eq!(recover(&world.repairer("bob").await, now).await, UNDER_WAY);
        let bob = world.repairer("bob").await.write_user_id(&world.shown(ADA).await, now).await;
        assert!(matches!(bob, Err(Claimed { by, .. }) if by == "ada"));

        let ada = world.run_of("ada").await;
        assert_eq!(recover(&ada, now).await, NOT_DONE);
        assert_eq!(world.outcomes().await, [Some(Outcome::NotDone)]);
        assert_eq!((world.user_id(ADA), world.gate.count(UPDATE)), (None, 1), "nothing is written again by itself");
        let applied = ada.write_user_id(&world.shown(ADA).await, now).await.unwrap();
        assert_eq!((applied.verdict, world.gate.count(UPDATE)), (Verdict::Done, 2));
        assert_eq!(recover(&ada, now).await, Recovered::default());
    }
}

#[tokio::test]
async fn killed_after_the_write_it_is_found_done() {
    for mut world in both(|| fates(GET, [Fate::Pass, Fate::Held])).await {
        drop(killed(&mut world).await);
        assert_eq!(world.user_id(ADA).as_deref(), Some("41"));
        assert_eq!(recover(&world.run_of("ada").await, now).await, DONE);
        assert_eq!(world.endings().await, [Some((Outcome::FoundDone, "found after a stop".into()))]);
        assert_eq!(world.gate.count(UPDATE), 1);
    }
}

#[tokio::test]
async fn both_sides_are_looked_at() {
    let mut world = sqlite(fates(GET, [Fate::Pass, Fate::Held])).await;
    drop(killed(&mut world).await);
    world.run("DELETE FROM users WHERE id = 41").await;
    assert_eq!(recover(&world.run_of("ada").await, now).await, DONE);
    assert_eq!(world.endings().await, [Some((Outcome::FoundDone, "found after a stop; the row is gone.".into()))]);
}

#[tokio::test]
async fn a_request_that_outlives_its_sender_is_waited_for() {
    let mut world = sqlite(fates(UPDATE, [Fate::Held])).await;
    let held = killed(&mut world).await;
    let ada = world.run_of("ada").await;
    let asked = world.gate.count(GET);
    let (found, ()) = tokio::join!(recover(&ada, now), async {
        while world.gate.count(GET) == asked {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        // It has been looked at once, and nothing was there.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        held.go(Fate::Pass);
    });
    assert_eq!((found, world.user_id(ADA).as_deref()), (DONE, Some("41")));
}

#[tokio::test]
async fn what_is_over_by_its_age_is_anybody_s_to_look_at() {
    for mut world in both(|| fates(UPDATE, [Fate::Held])).await {
        killed(&mut world).await.go(Fate::Lost);
        assert_eq!(recover(&world.repairer("bob").await, much_later).await, NOT_DONE);
    }
}

/// A second terminal, or the same program that scans again.
#[tokio::test]
async fn a_step_under_way_is_left_alone() {
    let mut world = sqlite(fates(UPDATE, [Fate::Held])).await;
    let (ada, shown) = (world.run_of("ada").await, world.shown(ADA).await);
    let write = ada.write_user_id(&shown, now);
    tokio::pin!(write);
    let held = tokio::select! {
        _ = &mut write => panic!("it ended"),
        held = world.gate.held() => held,
    };
    for repairer in [ada.clone(), world.run_of("ada").await, world.repairer("bob").await] {
        assert_eq!(recover(&repairer, now).await, UNDER_WAY);
    }
    assert_eq!(recover(&ada, much_later).await, UNDER_WAY, "it knows best itself");
    held.go(Fate::Pass);
    assert_eq!(write.await.unwrap().verdict, Verdict::Done);
    assert_eq!(world.outcomes().await, [Some(Outcome::Done)]);
}

#[tokio::test]
async fn what_cannot_be_looked_at_stays_open_and_stops_nothing() {
    let denied = Fate::Answer(400, "{\"__type\":\"AccessDeniedException\"}".into());
    let world = sqlite(fates(GET, [denied])).await;
    let at = now();
    for number in 0..3 {
        world.left_open(ADA + number, Timestamp::from_millis(at.as_millis() + i64::try_from(number).unwrap())).await;
    }
    world.elsewhere(ADA + 1, |user| user.user_id = Some("42".into()));
    let found = recover(&world.repairer("ada").await, much_later).await;
    assert_eq!(found, Recovered { unseen: 1, found_done: 1, not_done: 1, ..Recovered::default() });
    assert_eq!(world.outcomes().await, [Some(Outcome::NotDone), Some(Outcome::FoundDone), None]);
    assert_eq!(recover(&world.repairer("ada").await, much_later).await, NOT_DONE, "the next start looks again");
}

#[tokio::test]
async fn steps_about_nobody_and_those_of_other_pools_stay_open() {
    let world = sqlite(|_: &str| Fate::Pass).await;
    let ada = world.repairer("ada").await;
    let open = world.left_open(ADA, now()).await;
    let run = |n| uuid::Uuid::from_u128(n);
    let clear = Step::ClearSub { row: "42".into(), expect: None };
    let other = JournalEntry { run: run(1), step: clear, sub: None, ..open.clone() };
    ada.journal.opened(&other).await.unwrap();
    for (n, linkage) in [
        (2, Linkage { pool_id: "eu-central-1_Other".into(), ..open.linkage.clone() }),
        (3, Linkage { attribute: "custom:other".into(), ..open.linkage.clone() }),
        (4, Linkage { table: "public.staff".into(), ..open.linkage.clone() }),
    ] {
        let elsewhere = JournalEntry {
            run: run(n),
            linkage,
            sub: Some(user(ADA + 1 + u64::try_from(n).unwrap()).sub),
            ..open.clone()
        };
        ada.journal.opened(&elsewhere).await.unwrap();
    }
    let found = recover(&ada, much_later).await;
    assert_eq!(found, Recovered { not_done: 1, left: 1, ..Recovered::default() });
    assert_eq!(world.outcomes().await.iter().filter(|outcome| outcome.is_none()).count(), 4);
}

/// Nobody has to start the program anew to get at a user whom somebody left claimed.
#[tokio::test]
async fn a_claim_that_is_over_stands_in_nobody_s_way() {
    for world in both(|| |_: &str| Fate::Pass).await {
        let (ada, shown) = (world.repairer("ada").await, world.shown(ADA).await);
        world.left_open(ADA, now()).await;
        assert!(matches!(ada.write_user_id(&shown, now).await, Err(Claimed { by, .. }) if by == "bob"));
        assert_eq!(ada.write_user_id(&shown, much_later).await.unwrap().verdict, Verdict::Done);
        assert_eq!(world.outcomes().await, [Some(Outcome::Done), Some(Outcome::NotDone)]);
    }
}

/// Whatever moment it is stopped at, one more run comes right.
#[tokio::test]
async fn stopped_anywhere_it_comes_right_and_is_written_once() {
    for stop in 0..3 {
        let moments = [(GET, vec![Fate::Held]), (UPDATE, vec![Fate::Held]), (GET, vec![Fate::Pass, Fate::Held])];
        let (operation, moment) = moments[stop].clone();
        let mut world = sqlite(fates(operation, moment)).await;
        killed(&mut world).await.go(Fate::AnswerLost);
        let ada = world.run_of("ada").await;
        let found = recover(&ada, now).await;
        let written = stop > 0;
        assert_eq!(found, if written { DONE } else { NOT_DONE }, "stop {stop}");
        let applied = ada.write_user_id(&world.shown(ADA).await, now).await.unwrap();
        assert_eq!(applied.verdict, if written { Verdict::Stale } else { Verdict::Done });
        assert_eq!((world.gate.count(UPDATE), world.user_id(ADA).as_deref()), (1, Some("41")), "stop {stop}");
    }
}
