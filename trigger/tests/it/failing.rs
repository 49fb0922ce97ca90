//! What goes wrong, and that the answer comes in time all the same.

use std::time::{Duration, Instant};

use serde_json::json;
use userlink_emulator::Faults;
use userlink_kit::{Fate, Gate, fates};

use crate::town::Town;
use crate::wire::{Mode, Wire};

const WRITE: &str = "AdminUpdateUserAttributes";

#[tokio::test]
async fn with_the_database_down_the_answer_comes_within_the_budget() {
    let town = Town::new(1).await;
    let wire = Wire::before(&town.database.url).await;
    for mode in [Mode::Refuse, Mode::Swallow] {
        for (setting, failed) in [("error", true), ("continue", false)] {
            wire.set(mode);
            let lambda = town
                .lambda(&[
                    ("USERLINK_DATABASE_URL", &wire.url),
                    ("USERLINK_ON_FAILURE", setting),
                    ("USERLINK_DEADLINE_MS", "2500"),
                ])
                .await;
            for _ in 0..2 {
                let answer = lambda.invoke(&town.event(1, json!({})).to_string()).await;
                assert!(answer.took < Duration::from_millis(3500), "{mode:?}: {:?}", answer.took);
                assert_eq!(answer.failed, failed, "{}", answer.body);
            }
            assert_eq!(lambda.last().await["outcome"], "unsettled");
        }
    }
    wire.set(Mode::Through);
}

/// Frozen, and the connection gone without a word meanwhile.
#[tokio::test]
async fn a_connection_that_died_in_a_freeze_costs_little() {
    let town = Town::new(3).await;
    let wire = Wire::before(&town.database.url).await;
    let lambda = town.lambda(&[("USERLINK_DATABASE_URL", &wire.url)]).await;
    lambda.passes(&town.event(1, json!({}))).await;
    let warm = lambda.passes(&town.event(2, json!({}))).await;
    lambda.signal("-STOP");
    wire.set(Mode::Swallow);
    tokio::time::sleep(Duration::from_millis(700)).await;
    // Connections made from now on go through; the old one stays mute.
    wire.set(Mode::Through);
    lambda.signal("-CONT");
    let took = lambda.passes(&town.event(3, json!({}))).await;
    eprintln!("warm {warm:?}, after the freeze {took:?}");
    assert_eq!(lambda.last().await["outcome"], "linked");
    assert!(took < warm + Duration::from_secs(1), "warm {warm:?}, after the freeze {took:?}");
    town.assert_linked(3).await;
}

#[tokio::test]
async fn with_the_pool_down_the_row_waits_and_a_later_delivery_links_it() {
    let town = Town::new(1).await;
    town.pool.set_faults(Faults { dropped: 1.0, ..Faults::default() });
    let lambda = town.lambda(&[("USERLINK_DEADLINE_MS", "1500")]).await;
    let answer = lambda.invoke(&town.event(1, json!({})).to_string()).await;
    assert!(answer.failed && answer.took < Duration::from_secs(3), "{answer:?}");
    assert_eq!(lambda.last().await["outcome"], "row_side_only");
    let row = town.rows(1).await;
    assert_eq!(row.len(), 1);
    town.pool.set_faults(Faults::default());
    lambda.passes(&town.event(1, json!({}))).await;
    assert_eq!(town.assert_linked(1).await, row[0]);
}

#[tokio::test]
async fn a_pool_that_hangs_is_given_up_in_time() {
    let town = Town::new(1).await;
    town.pool.set_faults(Faults { latency: Duration::from_secs(20), ..Faults::default() });
    let lambda = town.lambda(&[("USERLINK_DEADLINE_MS", "1500")]).await;
    let began = Instant::now();
    assert!(lambda.invoke(&town.event(1, json!({})).to_string()).await.failed);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

#[tokio::test]
async fn what_the_pool_refuses_or_loses_is_made_again_and_comes_out_right() {
    let throttled = r#"{"__type":"TooManyRequestsException","message":"No."}"#;
    for fate in [Fate::Lost, Fate::AnswerLost, Fate::Answer(400, throttled.into()), Fate::Answer(500, "{}".into())] {
        let town = Town::new(1).await;
        let gate = Gate::before(&town.pool.endpoint_url(), fates(WRITE, [fate.clone(), fate.clone()])).await;
        let lambda = town.lambda(&[("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", &gate.url)]).await;
        lambda.passes(&town.event(1, json!({}))).await;
        town.assert_linked(1).await;
    }
}

/// The process is killed while its write is on the way: before it arrives, or before the answer does.
#[tokio::test]
async fn killed_in_the_middle_and_delivered_again_it_is_the_same_row() {
    for fate in [Fate::Lost, Fate::AnswerLost] {
        let town = Town::new(1).await;
        let mut gate = Gate::before(&town.pool.endpoint_url(), fates(WRITE, [Fate::Held])).await;
        let endpoint = gate.url.clone();
        let mut lambda = town.lambda(&[("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", &endpoint)]).await;
        let event = town.event(1, json!({}));
        let text = event.to_string();
        let held = tokio::select! {
            answer = lambda.invoke(&text) => panic!("answered: {answer:?}"),
            held = gate.held() => held,
        };
        lambda.kill();
        held.go(fate);
        let row = town.rows(1).await;
        lambda.add_process();
        lambda.passes(&event).await;
        assert_eq!([town.assert_linked(1).await], row[..]);
    }
}
