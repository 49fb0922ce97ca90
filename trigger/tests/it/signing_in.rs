//! Who signs in, and was never confirmed: created by an administrator, or brought by an import.

use std::time::Duration;

use serde_json::{Value, json};
use userlink_emulator::Faults;
use userlink_kit::Gate;

use crate::town::{Town, sub};

const READ: &str = "AdminGetUser";
const WRITE: &str = "AdminUpdateUserAttributes";

fn sign_in(town: &Town, user: u128, more: Value) -> Value {
    let mut event = town.event(user, more);
    event["triggerSource"] = json!("PostAuthentication_Authentication");
    event["request"]["newDeviceUsed"] = json!(true);
    event
}

#[tokio::test]
async fn off_and_without_anything_to_do_no_call_is_made() {
    let town = Town::new(1).await;
    for (mode, more) in [
        ("off", json!({})),
        ("check", json!({})),
        ("link", json!({"custom:userId": "7"})),
        ("insert", json!({"custom:userId": "7"})),
    ] {
        // Neither the database nor the pool is there.
        let nowhere = [
            ("USERLINK_SIGN_IN", mode),
            ("USERLINK_DATABASE_URL", "postgres://u:p@127.0.0.1:1/app"),
            ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "http://127.0.0.1:1"),
        ];
        let lambda = town.lambda(&nowhere).await;
        lambda.passes(&sign_in(&town, 1, more)).await;
        assert_eq!(lambda.last().await["outcome"], Value::Null, "{mode}");
    }
    assert_eq!(town.pool.stats().requests.values().sum::<u64>(), 0);
}

#[tokio::test]
async fn link_ties_what_is_there_and_insert_makes_rows_too() {
    let town = Town::new(2).await;
    town.database.run(&format!("INSERT INTO users (cognito_sub) VALUES ('{}')", sub(1))).await;
    let lambda = town.lambda(&[("USERLINK_SIGN_IN", "link")]).await;
    for user in [1, 2] {
        lambda.passes(&sign_in(&town, user, json!({}))).await;
    }
    town.assert_linked(1).await;
    assert_eq!((town.rows(2).await.len(), lambda.last().await["outcome"].as_str()), (0, Some("no_row")));
    let lambda = town.lambda(&[("USERLINK_SIGN_IN", "insert")]).await;
    lambda.passes(&sign_in(&town, 2, json!({}))).await;
    town.assert_linked(2).await;
    assert_eq!((town.asked(READ), town.asked(WRITE)), (1, 2));
}

#[tokio::test]
async fn check_finds_contradictions_with_one_read_and_refuses_them_as_set() {
    let town = Town::new(2).await;
    town.database.run(&format!("INSERT INTO users (cognito_sub) VALUES ('{}'), (NULL)", sub(1))).await;
    let own = town.rows(1).await.remove(0);
    let free = town.select("SELECT id::text FROM users WHERE cognito_sub IS NULL").await.remove(0).unwrap();
    let lambda = town.lambda(&[("USERLINK_SIGN_IN", "check")]).await;
    let lax = town.lambda(&[("USERLINK_SIGN_IN", "check"), ("USERLINK_ON_CONTRADICTION", "continue")]).await;
    for (user, id, outcome, refused) in [
        (1, own.as_str(), "linked", false),
        (2, own.as_str(), "tangled", true),
        (2, free.as_str(), "user_side_only", false),
        (2, "0192f0c1-2b6a-7cde-8f00-0123456799cd", "dangling_user_id", false),
        (2, "no id", "dangling_user_id", false),
    ] {
        let event = sign_in(&town, user, json!({"custom:userId": id}));
        let answer = lambda.invoke(&event.to_string()).await;
        assert_eq!((answer.failed, lambda.last().await["outcome"].as_str()), (refused, Some(outcome)), "{id}");
        if refused {
            assert!(!answer.body.contains(id) && answer.body.contains("support"), "{}", answer.body);
        }
        lax.passes(&event).await;
    }
    assert_eq!(town.pool.stats().requests.values().sum::<u64>(), 0);
}

/// A pool that takes its time, and a database that is not there: the sign-in goes on, and soon nothing is tried any more.
#[tokio::test]
async fn a_sign_in_does_not_wait_and_after_three_failures_nothing_is_tried() {
    let town = Town::new(1).await;
    town.pool.set_faults(Faults { latency: Duration::from_secs(20), ..Faults::default() });
    let gate = Gate::before(&town.pool.endpoint_url(), |_| userlink_kit::Fate::Pass).await;
    let variables = [("USERLINK_SIGN_IN", "insert"), ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", &gate.url)];
    let lambda = town.lambda(&variables).await;
    let event = sign_in(&town, 1, json!({}));
    for _ in 0..6 {
        // The bound is 300 ms; a machine may be slow.
        let took = lambda.passes(&event).await;
        assert!(took < Duration::from_secs(3), "{took:?}");
        let line = lambda.last().await;
        assert!(line["level"] == "ERROR" && line["refused"].is_null(), "{line}");
    }
    let tried = gate.count(READ) + gate.count(WRITE);
    assert!((1..=3).contains(&tried), "{tried}");
    assert!(lambda.last().await["cause"].as_str().unwrap().contains("nothing was tried"));
}
