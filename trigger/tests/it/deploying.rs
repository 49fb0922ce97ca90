//! The template, held against what the function does.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use userlink_emulator::Faults;
use userlink_kit::{Fate, Gate, ask_python, moto_url};

use crate::queueing::{Queue, ask, records};
use crate::town::{Town, name, sub};

async fn template() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/template.yaml");
    let asked = json!({"template": path});
    tokio::task::spawn_blocking(move || ask_python(include_str!("template.py"), &asked)).await.unwrap()
}

#[tokio::test]
async fn cloudformation_s_own_linter_finds_nothing_in_the_template() {
    assert_eq!(template().await["found"], json!([]));
}

/// Everything that the function can do is done once, and what it asked for is what its roles allow: no less, and no more. When
/// the whole suite has run, `tests/run` holds the roles against what was asked for in all of it.
#[tokio::test]
async fn the_roles_allow_what_the_function_asks_for_and_nothing_else() {
    let town = Town::new(4).await;
    let queue = Queue::new().await;
    let sqs = Gate::before(&moto_url(), |_| Fate::Pass).await;
    let secrets = Gate::before(&moto_url(), |_| Fate::Pass).await;
    let secret = json!({"do": "put_secret", "name": town.database.name, "value": town.database.url});
    let arn = ask(secret).await;
    let variables = [
        ("USERLINK_DATABASE_SECRET_ARN", arn.as_str().unwrap()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &secrets.url),
        ("USERLINK_RETRY_QUEUE_URL", &queue.url),
        ("AWS_ENDPOINT_URL_SQS", &sqs.url),
        ("USERLINK_ADOPT_VERIFIED_EMAIL", "true"),
        ("USERLINK_SIGN_IN", "insert"),
        ("USERLINK_ON_FAILURE", "continue"),
        ("USERLINK_DEADLINE_MS", "1500"),
    ];
    let lambda = town.lambda_without_a_database(&variables).await;

    town.database.run("INSERT INTO users (email) VALUES ('person1@example.org')").await;
    lambda.passes(&town.event(1, json!({}))).await;
    town.assert_linked(1).await;
    let mut sign_in = town.event(2, json!({}));
    sign_in["triggerSource"] = json!("PostAuthentication_Authentication");
    lambda.passes(&sign_in).await;
    let mut reset = town.event(1, json!({}));
    reset["triggerSource"] = json!("PostConfirmation_ConfirmForgotPassword");
    lambda.passes(&reset).await;
    town.pool.set_faults(Faults { dropped: 1.0, ..Faults::default() });
    lambda.passes(&town.event(3, json!({}))).await;
    let messages = queue.messages().await;
    lambda.invoke(&records(&messages, 1).to_string()).await;
    lambda.invoke(&records(&messages, 3).to_string()).await;
    town.pool.set_faults(Faults::default());
    lambda.invoke(&records(&messages, 1).to_string()).await;
    town.assert_linked(3).await;
    town.database.run(&format!("INSERT INTO users (cognito_sub) VALUES ('{}')", sub(4))).await;
    lambda.invoke(&json!({"userlink": "look", "pool": town.pool.pool_id()}).to_string()).await;
    assert!(town.user_id(4).is_some(), "{} was found by the schedule", name(4));

    let of = |service: &str, all: Vec<String>| {
        all.into_iter().map(|operation| format!("{service}:{operation}")).collect::<BTreeSet<_>>()
    };
    let mut asked = of("cognito-idp", town.pool.stats().requests.into_keys().collect());
    asked.extend(of("sqs", sqs.operations()));
    asked.extend(of("secretsmanager", secrets.operations()));
    let allowed: BTreeSet<String> = serde_json::from_value(template().await["actions"].clone()).unwrap();
    assert_eq!(asked, allowed);
}
