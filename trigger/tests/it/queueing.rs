//! Nobody is forgotten: who was not linked is in the queue, and the queue is worked off.

use serde_json::{Value, json};
use userlink_domain::UserStatus;
use userlink_emulator::Faults;
use userlink_kit::{ask_python, moto_url};

use crate::town::{Town, name, sub};

const SCRIPT: &str = include_str!("queue.py");

/// A queue on moto, with one for its dead letters.
pub(crate) struct Queue {
    pub(crate) url: String,
    dead: String,
}

impl Queue {
    pub(crate) async fn new() -> Self {
        let name = format!("q-{}", uuid::Uuid::new_v4());
        let made = ask(json!({"do": "make", "name": name})).await;
        Self { url: made["queue"].as_str().unwrap().into(), dead: made["dead"].as_str().unwrap().into() }
    }

    /// What is in it; for half a minute nobody else gets it.
    pub(crate) async fn messages(&self) -> Vec<Value> {
        ask(json!({"do": "receive", "queue": self.url})).await.as_array().unwrap().clone()
    }

    /// As Lambda's poller does with what was worked off.
    pub(crate) async fn delete(&self, messages: &[Value]) {
        let receipts: Vec<_> = messages.iter().map(|message| message["ReceiptHandle"].clone()).collect();
        ask(json!({"do": "delete", "queue": self.url, "receipts": receipts})).await;
    }

    pub(crate) async fn dead_letters(&self) -> Vec<Value> {
        ask(json!({"do": "receive", "queue": self.dead})).await.as_array().unwrap().clone()
    }
}

pub(crate) async fn ask(mut asked: Value) -> Value {
    asked["endpoint"] = json!(moto_url());
    tokio::task::spawn_blocking(move || ask_python(SCRIPT, &asked)).await.unwrap()
}

/// The event that Lambda makes of messages.
pub(crate) fn records(messages: &[Value], received: u32) -> Value {
    let record = |message: &Value| {
        json!({
            "messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"], "body": message["Body"],
            "attributes": {"ApproximateReceiveCount": received.to_string()}, "messageAttributes": {},
            "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:q", "awsRegion": "eu-central-1",
        })
    };
    json!({"Records": messages.iter().map(record).collect::<Vec<_>>()})
}

fn body(message: &Value) -> Value {
    serde_json::from_str(message["Body"].as_str().unwrap()).unwrap()
}

fn reason(message: &Value) -> &str {
    message["MessageAttributes"]["reason"]["StringValue"].as_str().unwrap()
}

#[tokio::test]
async fn who_was_not_linked_is_queued_and_linked_from_there() {
    let town = Town::new(2).await;
    let queue = Queue::new().await;
    let moto = moto_url();
    let variables = [
        ("USERLINK_RETRY_QUEUE_URL", queue.url.as_str()),
        ("AWS_ENDPOINT_URL_SQS", &moto),
        ("USERLINK_ON_FAILURE", "continue"),
        ("USERLINK_DEADLINE_MS", "1500"),
    ];
    let lambda = town.lambda(&variables).await;
    town.pool.set_faults(Faults { dropped: 1.0, ..Faults::default() });
    lambda.passes(&town.event(1, json!({}))).await;
    let line = lambda.last().await;
    assert_eq!((&line["outcome"], &line["queued"]), (&json!("row_side_only"), &json!("yes")), "{line}");
    let row = town.rows(1).await;

    let messages = queue.messages().await;
    let expected = json!({"pool": town.pool.pool_id(), "username": name(1), "sub": sub(1).to_string()});
    assert_eq!((messages.len(), body(&messages[0]), reason(&messages[0])), (1, expected, "row_side_only"));

    // Still down: it comes back, later.
    let answer = lambda.invoke(&records(&messages, 1).to_string()).await;
    assert_eq!(answer.json(), json!({"batchItemFailures": [{"itemIdentifier": messages[0]["MessageId"]}]}));
    town.pool.set_faults(Faults::default());
    let answer = lambda.invoke(&records(&messages, 2).to_string()).await;
    assert_eq!(answer.json(), json!({"batchItemFailures": []}), "{:#?}", lambda.log());
    assert_eq!([town.assert_linked(1).await], row[..]);
    // Delivered once more, as SQS may.
    lambda.invoke(&records(&messages, 3).to_string()).await;
    assert_eq!([town.assert_linked(1).await], row[..]);
    assert!(queue.dead_letters().await.is_empty());
}

#[tokio::test]
async fn of_a_batch_only_what_failed_comes_back_and_what_only_a_person_can_do_is_dead_with_its_reason() {
    let town = Town::new(5).await;
    town.database.run("INSERT INTO users (email) VALUES ('person2@example.org')").await;
    // Somebody repaired the third by hand; the fourth was disabled, the fifth is gone.
    town.pool.change_user(&name(3), |user| user.user_id = Some("another".into()));
    town.pool.change_user(&name(4), |user| user.enabled = false);
    town.pool.delete_user(&name(5));
    let queue = Queue::new().await;
    let moto = moto_url();
    let lambda = town.lambda(&[("USERLINK_RETRY_QUEUE_URL", &queue.url), ("AWS_ENDPOINT_URL_SQS", &moto)]).await;
    let message = |user: u128| {
        let body = json!({"pool": town.pool.pool_id(), "username": name(user), "sub": sub(user).to_string()});
        json!({"MessageId": user.to_string(), "ReceiptHandle": "none", "Body": body.to_string()})
    };
    let mut batch: Vec<Value> = (1..=5).map(message).collect();
    batch.push(json!({"MessageId": "6", "ReceiptHandle": "none", "Body": "nonsense"}));
    let answer = lambda.invoke(&records(&batch, 1).to_string()).await;
    assert_eq!(answer.json(), json!({"batchItemFailures": []}), "{:#?}", lambda.log());
    town.assert_linked(1).await;
    for user in 2..=5 {
        assert!(town.rows(user).await.is_empty(), "{user}");
    }
    assert_eq!(town.user_id(3).as_deref(), Some("another"));
    let mut dead: Vec<_> = queue.dead_letters().await.iter().map(|m| reason(m).to_owned()).collect();
    dead.sort();
    assert_eq!(dead, ["dangling_user_id", "email_match", "unsettled"]);
}

#[tokio::test]
async fn what_fails_to_the_last_attempt_is_dead_with_its_reason() {
    let town = Town::new(1).await;
    town.pool.set_faults(Faults { dropped: 1.0, ..Faults::default() });
    let queue = Queue::new().await;
    let moto = moto_url();
    let variables = [
        ("USERLINK_RETRY_QUEUE_URL", queue.url.as_str()),
        ("AWS_ENDPOINT_URL_SQS", &moto),
        ("USERLINK_DEADLINE_MS", "600"),
    ];
    let lambda = town.lambda(&variables).await;
    // An error, as it is set; and queued all the same.
    assert!(lambda.invoke(&town.event(1, json!({})).to_string()).await.failed);
    let messages = queue.messages().await;
    assert_eq!(messages.len(), 1);
    let answer = lambda.invoke(&records(&messages, 3).to_string()).await;
    assert_eq!(answer.json(), json!({"batchItemFailures": []}));
    assert_eq!(lambda.last().await["queued"], "dead_letter");
    let dead = queue.dead_letters().await;
    assert_eq!((dead.len(), body(&dead[0])["sub"].clone()), (1, json!(sub(1).to_string())));
}

#[tokio::test]
async fn who_is_held_is_queued_for_a_person_and_a_reset_queues_nobody_who_has_no_row() {
    let town = Town::new(2).await;
    town.database.run("INSERT INTO users (email) VALUES ('person1@example.org')").await;
    let queue = Queue::new().await;
    let moto = moto_url();
    let lambda = town.lambda(&[("USERLINK_RETRY_QUEUE_URL", &queue.url), ("AWS_ENDPOINT_URL_SQS", &moto)]).await;
    lambda.passes(&town.event(1, json!({}))).await;
    let mut reset = town.event(2, json!({}));
    reset["triggerSource"] = json!("PostConfirmation_ConfirmForgotPassword");
    lambda.passes(&reset).await;
    let messages = queue.messages().await;
    assert_eq!((messages.len(), reason(&messages[0])), (1, "email_match"));
    // Whom a person has tied meanwhile needs nothing more.
    town.database.run(&format!("UPDATE users SET cognito_sub = '{}'", sub(1))).await;
    let answer = lambda.invoke(&records(&messages, 1).to_string()).await;
    assert_eq!(answer.json(), json!({"batchItemFailures": []}));
    town.assert_linked(1).await;
}

#[tokio::test]
async fn a_queue_that_does_not_answer_costs_no_more_than_the_budget() {
    let town = Town::new(1).await;
    town.pool.set_faults(Faults { dropped: 1.0, ..Faults::default() });
    let variables = [
        ("USERLINK_RETRY_QUEUE_URL", "http://127.0.0.1:1/123456789012/q"),
        ("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:1"),
        ("USERLINK_ON_FAILURE", "continue"),
        ("USERLINK_DEADLINE_MS", "1000"),
    ];
    let lambda = town.lambda(&variables).await;
    let took = lambda.passes(&town.event(1, json!({}))).await;
    assert!(took < std::time::Duration::from_millis(2500), "{took:?}");
    let line = lambda.last().await;
    assert_eq!((&line["queued"], &line["level"]), (&json!("failed"), &json!("ERROR")));
}

/// A schedule's run over both sides.
#[tokio::test]
async fn a_schedule_finds_the_safe_cases_and_leaves_all_others() {
    let town = Town::new(6).await;
    for user in [1, 2, 3, 4] {
        town.database.run(&format!("INSERT INTO users (cognito_sub) VALUES ('{}')", sub(user))).await;
    }
    // Two's row is claimed by another user, three has an id that names no row, four proved nothing.
    let claimed = town.rows(2).await.remove(0);
    town.pool.change_user(&name(5), |user| user.user_id = Some(claimed.as_str().into()));
    town.pool.change_user(&name(3), |user| user.user_id = Some("7".into()));
    town.pool.change_user(&name(4), |user| user.status = UserStatus::Unconfirmed);
    let lambda = town.lambda(&[]).await;
    let look = json!({"userlink": "look", "pool": town.pool.pool_id()});
    let said = lambda.invoke(&look.to_string()).await.json();
    assert_eq!((&said["complete"], &said["safe"], &said["linked"]), (&json!(true), &json!(1), &json!(1)), "{said}");
    assert_eq!((&said["users"], &said["rows"]), (&json!(6), &json!(4)));
    town.assert_linked(1).await;
    assert_eq!((town.user_id(2), town.user_id(3).as_deref(), town.user_id(4)), (None, Some("7"), None));
    assert_eq!(town.user_id(5), Some(claimed));
    // What cannot be read to its end says nothing.
    town.pool.set_faults(Faults { denied: vec!["ListUsers".into()], ..Faults::default() });
    let said = lambda.invoke(&look.to_string()).await.json();
    assert_eq!((&said["complete"], said["cause"].is_string()), (&json!(false), true), "{said}");
}
