//! The database's password: from Secrets Manager (moto has one), and as a token.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use userlink_kit::{Fate, Gate, moto_url};

use crate::queueing::ask;
use crate::town::Town;

const ASKED: &str = "GetSecretValue";

/// A role of this test's own with a password, and the database's URL without either.
async fn role(town: &Town) -> (String, String) {
    let name = format!("r_{}", town.database.name);
    town.database.run(&format!("CREATE ROLE {name} LOGIN PASSWORD 'hunter1'; GRANT ALL ON users TO {name}")).await;
    let (_, at) = town.database.url.rsplit_once('@').unwrap();
    (name, format!("postgres://{at}"))
}

#[tokio::test]
async fn a_password_that_was_changed_is_fetched_again_once() {
    let town = Town::new(4).await;
    let (name, base) = role(&town).await;
    let secret = |password: &str| json!({"username": name, "password": password, "engine": "postgres"});
    let arn = ask(json!({"do": "put_secret", "name": name, "value": secret("hunter1")})).await;
    let arn = arn.as_str().unwrap().to_owned();
    let gate = Gate::before(&moto_url(), |_| Fate::Pass).await;
    let variables = [
        ("USERLINK_DATABASE_URL", base.as_str()),
        ("USERLINK_DATABASE_SECRET_ARN", &arn),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &gate.url),
        ("USERLINK_DEADLINE_MS", "2500"),
    ];
    let mut lambda = town.lambda(&variables).await;
    lambda.passes(&town.event(1, json!({}))).await;
    lambda.passes(&town.event(2, json!({}))).await;
    town.assert_linked(2).await;
    assert_eq!(gate.count(ASKED), 1, "kept from one event to the next");

    // Rotated: the old connection goes, too.
    let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{name}'");
    town.database.run(&format!("ALTER ROLE {name} PASSWORD 'hunter2'; {end}")).await;
    ask(json!({"do": "put_secret", "arn": arn, "value": secret("hunter2")})).await;
    lambda.passes(&town.event(3, json!({}))).await;
    town.assert_linked(3).await;
    assert_eq!(gate.count(ASKED), 2);

    // A secret that is wrong is fetched again once for an event, and no more.
    town.database.run(&format!("ALTER ROLE {name} PASSWORD 'hunter3'; {end}")).await;
    let before = gate.count(ASKED);
    assert!(lambda.invoke(&town.event(4, json!({})).to_string()).await.failed);
    assert_eq!(gate.count(ASKED) - before, 1);
    let line = lambda.last().await;
    assert!(line["cause"].as_str().unwrap().contains("refused the user name or the password"), "{line}");
    let all = format!("{:?}", lambda.log());
    assert!(!all.contains("hunter"), "{all}");
    lambda.kill();
    town.database.run(&format!("DROP OWNED BY {name}; DROP ROLE {name}")).await;
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_an_error_that_names_the_variable() {
    let town = Town::new(1).await;
    let moto = moto_url();
    let arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:nothing-AbCdEf";
    let variables = [("USERLINK_DATABASE_SECRET_ARN", arn), ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &moto)];
    let lambda = town.lambda(&variables).await;
    assert!(lambda.invoke(&town.event(1, json!({})).to_string()).await.failed);
    let line = lambda.last().await;
    let cause = line["cause"].as_str().unwrap();
    assert!(cause.contains("USERLINK_DATABASE_SECRET_ARN") && cause.contains("ResourceNotFound"), "{cause}");
}

/// A server that asks for the password in the clear, as RDS does for a token (within TLS), and refuses it.
#[tokio::test]
async fn a_token_is_the_password_of_a_connection() {
    let town = Town::new(1).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://app_user@127.0.0.1:{}/app", listener.local_addr().unwrap().port());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let passwords = seen.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let passwords = passwords.clone();
            tokio::spawn(async move {
                let length = stream.read_u32().await.unwrap();
                let mut startup = vec![0; length as usize - 4];
                stream.read_exact(&mut startup).await.unwrap();
                stream.write_all(&[b'R', 0, 0, 0, 8, 0, 0, 0, 3]).await.unwrap();
                assert_eq!(stream.read_u8().await.unwrap(), b'p');
                let length = stream.read_u32().await.unwrap();
                let mut password = vec![0; length as usize - 4];
                stream.read_exact(&mut password).await.unwrap();
                password.pop();
                passwords.lock().unwrap().push(String::from_utf8(password).unwrap());
                let error = b"SFATAL\0C28P01\0Mno\0\0";
                stream.write_u8(b'E').await.unwrap();
                stream.write_u32(error.len() as u32 + 4).await.unwrap();
                stream.write_all(error).await.unwrap();
            });
        }
    });
    let variables = [("USERLINK_DATABASE_URL", url.as_str()), ("USERLINK_DATABASE_AUTH", "iam")];
    let lambda = town.lambda(&variables).await;
    assert!(lambda.invoke(&town.event(1, json!({})).to_string()).await.failed);
    let seen = seen.lock().unwrap().clone();
    let wanted =
        ["127.0.0.1:", "/?Action=connect&DBUser=app_user&X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Signature="];
    assert!(!seen.is_empty() && seen.iter().all(|token| wanted.iter().all(|part| token.contains(part))), "{seen:?}");
    assert!(!format!("{:?}", lambda.log()).contains("X-Amz"));
}
