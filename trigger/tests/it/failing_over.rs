//! PostgreSQL itself stopped, and a failover between two servers of it. Every answer comes within the budget, and whatever
//! server takes writes is found while there is time.

use std::time::Duration;

use serde_json::{Value, json};
use userlink_kit::{Cluster, Fate, Gate, Stop, moto_url};

use crate::lambda::Lambda;
use crate::queueing::ask;
use crate::town::{Town, USERS, select, sub};
use crate::wire::Wire;

const APP: &str = "CREATE ROLE app LOGIN PASSWORD 'first'; GRANT SELECT, INSERT, UPDATE ON users TO app";
/// The longest that can be set.
const DEADLINE: (&str, &str) = ("USERLINK_DEADLINE_MS", "4900");
/// What an answer may take, on a machine that has other work to do.
const IN_TIME: Duration = Duration::from_secs(6);

async fn primary() -> Cluster {
    let cluster = Cluster::new().await;
    cluster.execute(USERS).await;
    cluster.execute(APP).await;
    cluster
}

async fn rows(cluster: &Cluster, user: u128) -> Vec<Option<String>> {
    select(&cluster.url, &format!("SELECT id::text FROM users WHERE cognito_sub = '{}'", sub(user))).await
}

/// There is one row, and the attribute names it.
async fn assert_linked(town: &Town, cluster: &Cluster, user: u128) {
    let rows = rows(cluster, user).await;
    assert!(rows.len() == 1 && rows[0].is_some() && rows[0] == town.user_id(user), "user {user}: {rows:?}");
}

/// It is an error, in time, and what the log says is what is expected.
async fn assert_refused(lambda: &Lambda, event: &Value) -> Value {
    let answer = lambda.invoke(&event.to_string()).await;
    assert!(answer.failed && answer.took < IN_TIME, "{answer:?}");
    let line = lambda.last().await;
    assert_eq!((&line["outcome"], &line["refused"]), (&json!("unsettled"), &json!(true)), "{line}");
    line
}

#[tokio::test]
async fn postgresql_is_stopped_and_every_answer_is_in_time_and_back_after_a_second_it_is_used() {
    let town = Town::new(10).await;
    let mut cluster = primary().await;
    let url = cluster.url_of("app", "first");
    let variables = [("USERLINK_DATABASE_URL", url.as_str()), DEADLINE];
    let lambda = town.lambda(&variables).await;
    lambda.passes(&town.event(1, json!({}))).await;
    for (how, again) in [(Stop::Immediate, 2), (Stop::Fast, 3)] {
        cluster.stop(how);
        // The connection that it had, and one that is made now; then a process that starts into it.
        assert_refused(&lambda, &town.event(again, json!({}))).await;
        assert_refused(&lambda, &town.event(again, json!({}))).await;
        let cold = town.lambda(&variables).await;
        assert_refused(&cold, &town.event(again, json!({}))).await;
        cluster.start().await;
        for lambda in [&lambda, &cold] {
            lambda.passes(&town.event(again, json!({}))).await;
        }
        assert_linked(&town, &cluster, again).await;
    }
    // Back while somebody is waiting. Where the server takes longer to start than there is time, another one waits.
    let mut waited = false;
    for user in 4..=10 {
        cluster.stop(Stop::Immediate);
        let (event, back) = (town.event(user, json!({})).to_string(), async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            cluster.start().await;
        });
        let (answer, ()) = tokio::join!(lambda.invoke(&event), back);
        assert!(answer.took < IN_TIME, "{answer:?}");
        if !answer.failed {
            assert!(answer.took >= Duration::from_secs(1), "it was down: {answer:?}");
            assert_linked(&town, &cluster, user).await;
            waited = true;
            break;
        }
    }
    assert!(waited, "nobody was linked by a server that came back: {:#?}", lambda.last().await);
}

#[tokio::test]
async fn a_failover_is_ridden_out_and_the_new_primary_used() {
    let town = Town::new(9).await;
    let mut old = primary().await;
    let new = old.follower().await;
    let wire = Wire::before(&old.url_of("app", "first")).await;
    let secrets = Gate::before(&moto_url(), |_| Fate::Pass).await;
    let arn = ask(json!({"do": "put_secret", "name": town.database.name, "value": wire.url})).await;
    let variables = [
        ("USERLINK_DATABASE_SECRET_ARN", arn.as_str().unwrap()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &secrets.url),
        DEADLINE,
    ];
    let lambda = town.lambda_without_a_database(&variables).await;
    lambda.passes(&town.event(1, json!({}))).await;
    assert_linked(&town, &old, 1).await;
    while rows(&new, 1).await.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    // The old primary goes, with its connections; the follower is promoted; the old one is back as a reader, and the name still
    // leads there.
    old.stop(Stop::Fast);
    new.promote().await;
    old.demote();
    old.start().await;
    assert_linked(&town, &new, 1).await;
    let line = assert_refused(&lambda, &town.event(2, json!({}))).await;
    // Where the last attempt was cut short by the end of the time, that is said.
    let cause = line["cause"].as_str().unwrap();
    assert!(cause.contains("takes no writes") || cause.contains("took too long"), "{line}");
    assert_eq!(rows(&new, 2).await.len(), 0);
    // Who is there already only has to be read.
    lambda.passes(&town.event(1, json!({"custom:userId": town.user_id(1)}))).await;

    // The name changes while somebody is waiting.
    let over = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        wire.lead_to(&new.url);
    };
    let event = town.event(2, json!({}));
    let (took, ()) = tokio::join!(lambda.passes(&event), over);
    assert!(took >= Duration::from_millis(600) && took < IN_TIME, "it was a reader: {took:?}");
    assert_linked(&town, &new, 2).await;
    assert_eq!(rows(&old, 2).await.len(), 0, "nothing was written to the old one");
    let id = town.user_id(1);
    lambda.passes(&town.event(1, json!({}))).await;
    assert_linked(&town, &new, 1).await;
    assert_eq!(town.user_id(1), id);

    // All connections are cut, twice.
    let cut = async || {
        let end = "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity WHERE usename = 'app'";
        assert!(select(&new.url, end).await.contains(&Some("true".to_owned())), "there was a connection");
    };
    for user in [3, 4] {
        cut().await;
        assert!(lambda.passes(&town.event(user, json!({}))).await < IN_TIME);
        assert_linked(&town, &new, user).await;
    }

    // The new one gets another password. While the secret is the old one that is said at once, and once it is fetched again.
    let fetched = secrets.count("GetSecretValue");
    new.execute("ALTER ROLE app PASSWORD 'second'").await;
    cut().await;
    let line = assert_refused(&lambda, &town.event(5, json!({}))).await;
    assert!(line["cause"].as_str().unwrap().contains("refused the user name or the password"), "{line}");
    assert_eq!(secrets.count("GetSecretValue"), fetched + 1);
    ask(json!({"do": "put_secret", "arn": arn, "value": wire.url.replace("first", "second")})).await;
    assert!(lambda.passes(&town.event(5, json!({}))).await < IN_TIME);
    assert_linked(&town, &new, 5).await;
    assert_eq!(select(&new.url, "SELECT count(*)::text FROM users").await, [Some("5".to_owned())]);
}
