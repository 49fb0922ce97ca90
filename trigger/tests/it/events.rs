//! What comes in and goes out: any JSON at all, and what the log says of it.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};
use std::process::Command;

use crate::lambda::Lambda;
use crate::town::{Town, email, sub};

/// A function whose database and pool are not there.
async fn alone() -> Lambda {
    let nowhere = [
        ("USERLINK_DATABASE_URL", "postgres://u:hunter2@127.0.0.1:1/app"),
        ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "http://127.0.0.1:1"),
        ("USERLINK_DEADLINE_MS", "200"),
        ("USERLINK_SIGN_IN", "insert"),
    ];
    Lambda::start(&nowhere, 1).await
}

#[tokio::test]
async fn other_triggers_pass_as_they_came() {
    let lambda = alone().await;
    let mut unknown = json!({
        "triggerSource": "PostConfirmation_SomethingNew", "response": null,
        "addedLater": {"deep": [1, -1, 1.5, 1e3, 18_446_744_073_709_551_615_u64, true, null, {"a": []}]},
        "request": {"userAttributes": {"notText": 7, "email": "zoë+\u{202e}tag@example.com", "quote": "\"\\\n"}},
    });
    lambda.passes(&unknown).await;
    unknown["triggerSource"] = json!("PostAuthentication_Authentication");
    lambda.passes(&unknown).await;
    let line = lambda.last().await;
    assert_eq!((&line["trigger"], &line["outcome"]), (&json!("PostAuthentication_Authentication"), &Value::Null));
}

#[tokio::test]
async fn what_is_no_json_is_an_error_and_the_next_event_is_answered() {
    let lambda = alone().await;
    assert!(lambda.invoke("{\"version\":").await.failed);
    lambda.passes(&json!({"triggerSource": null})).await;
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(".{0,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Messages of a queue of which some parts are something else, or a schedule's event for any pool.
fn nearly_a_batch() -> impl Strategy<Value = Value> {
    let body =
        prop_oneof![json_value(), ".{0,20}".prop_map(Value::from), Just(json!("{\"pool\":\"a_b\",\"username\":1}"))];
    let record = (json_value(), body, json_value()).prop_map(|(id, body, attributes)| {
        json!({"eventSource": "aws:sqs", "messageId": id, "body": body, "attributes": attributes})
    });
    let records = proptest::collection::vec(record, 1..4).prop_map(|records| json!({"Records": records}));
    prop_oneof![records, ".{0,12}".prop_map(|pool| json!({"userlink": "look", "pool": pool}))]
}

#[test]
fn any_batch_is_answered_and_nothing_of_it_is_taken_for_done() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let lambda = runtime.block_on(alone());
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&nearly_a_batch(), |event| {
        let answer = runtime.block_on(lambda.invoke(&event.to_string()));
        assert!(!answer.failed, "{}", answer.body);
        match event["Records"].as_array() {
            Some(records) => {
                assert_eq!(answer.json()["batchItemFailures"].as_array().map(Vec::len), Some(records.len()));
            }
            None => assert_eq!(answer.json()["complete"], json!(false)),
        }
        Ok(())
    });
    outcome.unwrap();
}

/// A confirmation or a sign-in of which some parts are something else.
fn nearly_an_event() -> impl Strategy<Value = Value> {
    let part = || proptest::option::weighted(0.5, json_value());
    let source = prop_oneof![
        Just("PostConfirmation_ConfirmSignUp"),
        Just("PostConfirmation_ConfirmForgotPassword"),
        Just("PostAuthentication_Authentication")
    ];
    (source, part(), part(), part(), part(), json_value()).prop_map(|(source, pool, name, sub, attributes, more)| {
        let mut event = json!({
            "triggerSource": source, "userPoolId": "eu-central-1_A", "userName": "a", "more": more,
            "request": {"userAttributes": {"sub": "92f7d159-1110-4598-bba5-08878564dd9a", "custom:userId": "7"}},
        });
        let places = ["/userPoolId", "/userName", "/request/userAttributes/sub", "/request/userAttributes"];
        for (place, value) in places.into_iter().zip([pool, name, sub, attributes]) {
            if let Some(value) = value {
                *event.pointer_mut(place).unwrap() = value;
            }
        }
        event
    })
}

#[test]
fn any_json_at_all_is_given_back_or_a_clean_error() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let lambda = runtime.block_on(alone());
    let mut runner = TestRunner::new(Config { cases: 96, failure_persistence: None, ..Config::default() });
    let events = prop_oneof![json_value(), nearly_an_event()];
    let outcome = runner.run(&events, |event| {
        let answer = runtime.block_on(lambda.invoke(&event.to_string()));
        if answer.failed {
            assert_eq!(
                answer.json(),
                json!({
                    "errorType": "NotLinked",
                    "errorMessage": "The account could not be set up completely. Please contact support.",
                })
            );
        } else {
            assert_eq!(answer.json(), event);
        }
        Ok(())
    });
    outcome.unwrap();
}

#[tokio::test]
async fn the_log_tells_of_everything_but_the_person() {
    let town = Town::new(2).await;
    let lambda = town.lambda(&[]).await;
    lambda.passes(&town.event(1, json!({"name": "Ada Lovelace"}))).await;
    let mut lost = town.event(2, json!({"custom:userId": "somebody-elses", "name": "Ada Lovelace"}));
    lost["userName"] = json!("nobody-here");
    assert!(lambda.invoke(&lost.to_string()).await.failed);
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;

    let lines = lambda.log();
    assert_eq!((&lines[0]["outcome"], &lines[0]["row"]), (&json!("linked"), &json!("inserted")));
    assert_eq!((&lines[0]["sub"], &lines[0]["cold"]), (&json!(sub(1).to_string()), &json!(true)));
    assert!(lines[0]["ms"]["database"].as_f64().unwrap() > 0.0 && lines[0]["request_id"].as_str().unwrap().len() == 36);
    assert_eq!((&lines[1]["Outcome"], &lines[1]["Confirmations"]), (&json!("linked"), &json!(1)));
    assert_eq!(lines[1]["_aws"]["CloudWatchMetrics"][0]["Namespace"], json!("Userlink"));
    assert_eq!((&lines[2]["outcome"], &lines[2]["level"]), (&json!("row_side_only"), &json!("ERROR")));
    let all = format!("{lines:?}");
    for personal in [email(1).as_str(), "Lovelace", "nobody-here", "person1", "somebody-elses", &town.database.url] {
        assert!(!all.contains(personal), "{personal}");
    }
}

#[test]
fn a_mistake_in_the_settings_ends_the_program_and_is_named() {
    for (name, value, said) in [
        ("USERLINK_ON_FAILUER", "error", "USERLINK_ON_FAILURE"),
        ("USERLINK_DEADLINE_MS", "9000", "USERLINK_DEADLINE_MS"),
        ("USERLINK_DATABASE_URL", "mysql://u:hunter2@db/app", "USERLINK_DATABASE_URL"),
    ] {
        let program = env!("CARGO_BIN_EXE_post-confirmation");
        let output =
            Command::new(program).env_clear().env("DATABASE_URL", "sqlite://x").env(name, value).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(said) && !error.contains("hunter2"), "{error}");
    }
}
