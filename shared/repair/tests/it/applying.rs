//! One step: made, refused, lost, overtaken.

use userlink_db::Outcome;
use userlink_domain::Timestamp;
use userlink_kit::{Fate, fates};
use userlink_repair::{Summary, Verdict};

use crate::world::{ADA, Claimed, GET, UPDATE, World, WriteOne as _, both, now, pass, sqlite, user};

fn refusal(code: &str) -> Fate {
    Fate::Answer(400, format!("{{\"__type\":\"{code}\",\"message\":\"No.\"}}"))
}

fn too_many() -> Fate {
    refusal("TooManyRequestsException")
}

fn failed() -> Fate {
    Fate::Answer(500, "{\"__type\":\"InternalErrorException\"}".into())
}

#[tokio::test]
async fn a_row_s_id_is_written_read_back_and_journalled() {
    for world in both(pass).await {
        let (ada, shown) = (world.repairer("ada").await, world.shown(ADA).await);
        let applied = ada.write_user_id(&shown, now).await.unwrap();
        assert_eq!(applied.verdict, Verdict::Done, "{:?}", applied.words);
        assert_eq!(world.user_id(ADA).as_deref(), Some("41"));
        assert_eq!(applied.user.unwrap().user_id(), Some("41"));
        assert_eq!(applied.rows.unwrap().row, Some(shown.row));
        assert_eq!(world.outcomes().await, [Some(Outcome::Done)]);
        assert_eq!((world.gate.count(GET), world.gate.count(UPDATE)), (2, 1));
    }
}

/// What somebody can do between the preview and the write, and how that is said.
const CHANGES: [(&str, &str); 7] = [
    ("write", "the user id is no longer empty"),
    ("disable", "no longer one that should be linked"),
    ("delete", "the user is gone"),
    ("UPDATE users SET cognito_sub = NULL WHERE id = 41", "no longer carries this user's sub"),
    ("UPDATE users SET cognito_sub = '00000000-0000-0000-0000-00000000002a' WHERE id = 41", "no longer carries"),
    ("DELETE FROM users WHERE id = 41", "the row is gone"),
    ("INSERT INTO users SELECT 7, cognito_sub FROM users WHERE id = 41", "another row carries this user's sub"),
];

async fn change(world: &World, change: &str) {
    match change {
        "write" => world.elsewhere(ADA, |user| user.user_id = Some("theirs".into())),
        "disable" => world.elsewhere(ADA, |user| user.enabled = false),
        "delete" => assert!(world.pool.delete_user("user-41")),
        sql => world.run(sql).await,
    }
}

#[tokio::test]
async fn nothing_is_written_where_either_side_has_changed_since_it_was_shown() {
    for (what, words) in CHANGES {
        for world in both(pass).await {
            let shown = world.shown(ADA).await;
            change(&world, what).await;
            let before = world.user_id(ADA);
            let applied = world.repairer("ada").await.write_user_id(&shown, now).await.unwrap();
            assert_eq!(applied.verdict, Verdict::Stale, "{what}");
            assert!(applied.words[0].contains(words), "{what}: {:?}", applied.words);
            assert_eq!((applied.user.is_some(), applied.rows.is_some()), (what != "delete", true), "to be learned");
            assert_eq!(world.user_id(ADA), before);
            assert_eq!((world.gate.count(UPDATE), world.outcomes().await), (0, vec![Some(Outcome::Stale)]), "{what}");
        }
    }
}

#[tokio::test]
async fn a_username_that_is_another_s_by_now_is_stale() {
    let world = sqlite(pass()).await;
    let mut shown = world.shown(ADA).await;
    shown.user.username = user(ADA + 1).username;
    let applied = world.repairer("ada").await.write_user_id(&shown, now).await.unwrap();
    assert_eq!((applied.verdict, world.gate.count(UPDATE)), (Verdict::Stale, 0));
    assert!(applied.words[0].contains("the user is gone"), "{:?}", applied.words);
}

#[tokio::test]
async fn a_user_who_is_deleted_during_the_write_is_said_to_be_gone() {
    for fate in [Fate::Pass, Fate::Lost] {
        let mut world = sqlite(fates(UPDATE, [Fate::Held])).await;
        let (ada, shown) = (world.repairer("ada").await, world.shown(ADA).await);
        let write = ada.write_user_id(&shown, now);
        tokio::pin!(write);
        let held = tokio::select! {
            _ = &mut write => panic!("it ended"),
            held = world.gate.held() => held,
        };
        assert!(world.pool.delete_user("user-41"));
        held.go(fate);
        let applied = write.await.unwrap();
        assert_eq!((applied.verdict, world.outcomes().await), (Verdict::Failed, vec![Some(Outcome::Failed)]));
    }
}

/// A request that was refused as one too many was not carried out; by the time of the next one, things may have changed.
#[tokio::test]
async fn a_throttled_write_is_made_again_only_after_reading_again() {
    for (what, words) in CHANGES {
        let mut world = sqlite(fates(UPDATE, [too_many(), Fate::Held])).await;
        let (ada, shown) = (world.repairer("ada").await, world.shown(ADA).await);
        let write = ada.write_user_id(&shown, now);
        tokio::pin!(write);
        let held = tokio::select! {
            _ = &mut write => panic!("it ended"),
            held = world.gate.held() => held,
        };
        change(&world, what).await;
        held.go(too_many());
        let before = world.user_id(ADA);
        let applied = write.await.unwrap();
        assert_eq!((applied.verdict, world.gate.count(UPDATE)), (Verdict::Stale, 2), "{what}");
        assert!(applied.words[0].contains(words), "{what}: {:?}", applied.words);
        assert_eq!(world.user_id(ADA), before);
    }
}

#[tokio::test]
async fn a_throttled_write_is_made_in_the_end() {
    let world = sqlite(fates(UPDATE, [too_many(), too_many()])).await;
    let applied = world.repairer("ada").await.write_user_id(&world.shown(ADA).await, now).await.unwrap();
    assert_eq!((applied.verdict, world.gate.count(UPDATE)), (Verdict::Done, 3));
}

#[tokio::test]
async fn waiting_for_the_pool_has_an_end() {
    let world = sqlite(|operation: &str| if operation == UPDATE { too_many() } else { Fate::Pass }).await;
    let (ada, shown) = (world.repairer("ada").await, world.shown(ADA).await);
    let began = std::time::Instant::now();
    let applied = ada.write_user_id(&shown, now).await.unwrap();
    assert!(began.elapsed().as_millis() < 1_500, "{:?}", began.elapsed());
    assert_eq!(applied.verdict, Verdict::Failed);
    assert_eq!(applied.words.last().unwrap(), "Nothing was written.");
    assert_eq!(world.outcomes().await, [Some(Outcome::Failed)]);
}

#[tokio::test]
async fn a_refused_write_is_said_to_be_none() {
    let world = sqlite(fates(UPDATE, [refusal("AccessDeniedException")])).await;
    let applied = world.repairer("ada").await.write_user_id(&world.shown(ADA).await, now).await.unwrap();
    assert_eq!((applied.verdict, world.user_id(ADA)), (Verdict::Failed, None));
    assert!(applied.words[0].contains("AdminUpdateUserAttributes"), "{:?}", applied.words);
    assert_eq!(world.outcomes().await, [Some(Outcome::Failed)]);
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_looked_at_and_not_repeated() {
    for world in both(|| fates(UPDATE, [Fate::AnswerLost])).await {
        let applied = world.repairer("ada").await.write_user_id(&world.shown(ADA).await, now).await.unwrap();
        assert_eq!((applied.verdict, world.gate.count(UPDATE)), (Verdict::Done, 1));
        assert_eq!(world.user_id(ADA).as_deref(), Some("41"));
        assert_eq!(world.outcomes().await, [Some(Outcome::Done)]);
    }
}

/// The request may still be on its way.
#[tokio::test]
async fn a_write_that_is_not_there_yet_stays_open() {
    for fate in [Fate::Lost, failed()] {
        for world in both(|| fates(UPDATE, [fate.clone()])).await {
            let (ada, shown) = (world.repairer("ada").await, world.shown(ADA).await);
            let applied = ada.write_user_id(&shown, now).await.unwrap();
            assert_eq!((applied.verdict, world.gate.count(UPDATE)), (Verdict::Unverified, 1));
            assert_eq!((world.user_id(ADA), world.outcomes().await), (None, vec![None]));
            assert!(applied.user.is_some());
            // And so nobody, not even Ada, writes on top of it.
            let again = ada.write_user_id(&shown, now).await.unwrap_err();
            assert!(matches!(again, Claimed { by, .. } if by == "ada"));
            assert_eq!(world.gate.count(UPDATE), 1);
        }
    }
}

#[tokio::test]
async fn somebody_else_s_value_is_never_written_over_after_an_answer_was_lost() {
    for fate in [Fate::Lost, failed()] {
        let mut world = sqlite(fates(UPDATE, [Fate::Held])).await;
        let (ada, shown) = (world.repairer("ada").await, world.shown(ADA).await);
        let write = ada.write_user_id(&shown, now);
        tokio::pin!(write);
        let held = tokio::select! {
            _ = &mut write => panic!("it ended"),
            held = world.gate.held() => held,
        };
        world.elsewhere(ADA, |user| user.user_id = Some("theirs".into()));
        held.go(fate);
        let applied = write.await.unwrap();
        assert_eq!((applied.verdict, world.gate.count(UPDATE)), (Verdict::Failed, 1));
        assert_eq!(world.user_id(ADA).as_deref(), Some("theirs"));
        assert!(applied.words.last().unwrap().contains("somebody else writes"), "{:?}", applied.words);
    }
}

/// The row is not locked while the user is written.
#[tokio::test]
async fn a_row_that_changes_during_the_write_is_found_out() {
    for (what, words) in &CHANGES[3..] {
        for mut world in both(|| fates(UPDATE, [Fate::Held])).await {
            let (ada, shown) = (world.repairer("ada").await, world.shown(ADA).await);
            let write = ada.write_user_id(&shown, now);
            tokio::pin!(write);
            let held = tokio::select! {
                _ = &mut write => panic!("it ended"),
                held = world.gate.held() => held,
            };
            change(&world, what).await;
            held.go(Fate::Pass);
            let applied = write.await.unwrap();
            assert_eq!(applied.verdict, Verdict::Overtaken, "{what}");
            assert!(applied.words[0].contains(words), "{what}: {:?}", applied.words);
            let rows = applied.rows.unwrap();
            assert_eq!(rows.row.is_none(), what.starts_with("DELETE"));
            assert_eq!(rows.others.len(), usize::from(what.starts_with("INSERT")));
            assert_eq!(world.endings().await[0].as_ref().unwrap().0, Outcome::Overtaken);
            let summary = Summary { overtaken: 1, ..Summary::default() };
            assert!(summary.has_written() && !summary.is_complete());
        }
    }
}

#[tokio::test]
async fn a_write_that_cannot_be_read_back_stays_open() {
    let unanswered = (0..20).map(|_| Fate::Lost);
    let world = sqlite(fates(GET, [Fate::Pass].into_iter().chain(unanswered))).await;
    let applied = world.repairer("ada").await.write_user_id(&world.shown(ADA).await, now).await.unwrap();
    assert_eq!((applied.verdict, world.gate.count(UPDATE)), (Verdict::Unverified, 1));
    assert_eq!((world.user_id(ADA).as_deref(), world.outcomes().await), (Some("41"), vec![None]));
}

#[tokio::test]
async fn a_side_that_cannot_be_read_stops_it_before_the_write() {
    let world = sqlite(fates(GET, [refusal("AccessDeniedException")])).await;
    let applied = world.repairer("ada").await.write_user_id(&world.shown(ADA).await, now).await.unwrap();
    assert_eq!(applied.verdict, Verdict::Failed);
    assert!(applied.words[0].contains("AdminGetUser"), "{:?}", applied.words);
    assert_eq!((world.gate.count(UPDATE), world.outcomes().await), (0, vec![Some(Outcome::Failed)]));
}

/// The machine slept, say. A step that others take for over must not write.
#[tokio::test]
async fn a_step_that_took_too_long_writes_no_more() {
    let world = sqlite(pass()).await;
    let (ada, shown) = (world.repairer("ada").await, world.shown(ADA).await);
    let asked = std::sync::atomic::AtomicI64::new(0);
    let sleepy = || {
        let minutes = asked.fetch_add(6, std::sync::atomic::Ordering::SeqCst);
        Timestamp::from_millis(now().as_millis() + minutes * 60_000)
    };
    let applied = ada.write_user_id(&shown, sleepy).await.unwrap();
    assert_eq!((applied.verdict, world.gate.count(UPDATE)), (Verdict::Failed, 0));
}

#[tokio::test]
async fn of_two_at_once_one_writes_and_the_other_is_told_who() {
    for mut world in both(|| fates(UPDATE, [Fate::Held])).await {
        let (ada, bob) = (world.repairer("ada").await, world.repairer("bob").await);
        let shown = world.shown(ADA).await;
        let write = ada.write_user_id(&shown, now);
        tokio::pin!(write);
        let held = tokio::select! {
            _ = &mut write => panic!("it ended"),
            held = world.gate.held() => held,
        };
        let refused = bob.write_user_id(&shown, now).await.unwrap_err();
        assert_eq!(refused.by, "ada");
        let text = refused.words;
        assert!(text.starts_with("Nothing was written: ada has had this user in hand since 20"), "{text}");
        held.go(Fate::Pass);
        assert_eq!(write.await.unwrap().verdict, Verdict::Done);
        assert_eq!(world.gate.count(UPDATE), 1);
        // Whoever comes later finds it done.
        assert_eq!(bob.write_user_id(&shown, now).await.unwrap().verdict, Verdict::Stale);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_each_user_is_written_by_one() {
    for world in both(pass).await {
        let mut tasks = tokio::task::JoinSet::new();
        for person in 0..4 {
            let repairer = world.repairer(&format!("p{person}")).await;
            for number in ADA..ADA + 10 {
                let (repairer, shown) = (repairer.clone(), world.shown(number).await);
                tasks.spawn(async move { repairer.write_user_id(&shown, now).await });
            }
        }
        let mut done = 0;
        for outcome in tasks.join_all().await {
            match outcome {
                Ok(applied) if applied.verdict == Verdict::Done => done += 1,
                Ok(applied) => assert_eq!(applied.verdict, Verdict::Stale),
                Err(Claimed { by, .. }) => assert!(by.starts_with('p'), "{by}"),
            }
        }
        assert_eq!((done, world.gate.count(UPDATE)), (10, 10));
        assert!((ADA..ADA + 10).all(|number| world.user_id(number) == Some(number.to_string())));
        assert!(world.outcomes().await.iter().all(Option::is_some), "nothing stays open");
    }
}
