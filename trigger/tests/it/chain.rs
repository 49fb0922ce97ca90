//! The whole way, with parts that are not ours: sign-up and confirmation by boto3, cognito-local with this trigger, a bridge
//! from Lambda's Invoke API to the Runtime API, the program, PostgreSQL; and at the end the token of a sign-in.

use std::convert::Infallible;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use userlink_kit::{fresh_postgres_database, python};

use crate::lambda::Lambda;
use crate::packaged::unpacked;
use crate::town::USERS;

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Answers Invoke calls as Lambda does: 200 for an error, too, and a header that says so.
async fn bridge(listener: TcpListener, lambda: Arc<Lambda>) {
    while let Ok((stream, _)) = listener.accept().await {
        let lambda = lambda.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let lambda = lambda.clone();
            async move {
                assert!(request.uri().path().ends_with("/functions/post-confirmation/invocations"));
                let event = request.into_body().collect().await.unwrap().to_bytes();
                let answer = lambda.invoke(std::str::from_utf8(&event).unwrap()).await;
                let response = Response::builder().header("x-amz-executed-version", "1");
                let response =
                    if answer.failed { response.header("x-amz-function-error", "Unhandled") } else { response };
                Ok::<_, Infallible>(response.body(Full::new(Bytes::from(answer.body))).unwrap())
            }
        });
        tokio::spawn(async move {
            drop(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

/// A cognito-local of the test's own, beside the Python that `tests/run` installed.
async fn cognito_local(directory: &std::path::Path, port: u16, bridge: &str) -> Ended {
    let parts = python().ancestors().nth(3).unwrap().to_owned();
    let script = parts.join("node/node_modules/cognito-local/lib/bin/start.js");
    assert!(script.is_file(), "cognito-local is not where tests/run puts it");
    std::fs::create_dir(directory.join(".cognito")).unwrap();
    let config = json!({
        "LambdaClient": {"endpoint": bridge, "region": "us-east-1",
            "credentials": {"accessKeyId": "local", "secretAccessKey": "local"},
            "maxRetries": 0, "httpOptions": {"timeout": 20_000, "connectTimeout": 1000}},
        "TriggerFunctions": {"PostConfirmation": "post-confirmation"},
        "UserPoolDefaults": {"UsernameAttributes": []},
    });
    std::fs::write(directory.join(".cognito/config.json"), config.to_string()).unwrap();
    let node = Command::new("node")
        .arg(script)
        .env("HOST", "127.0.0.1")
        .env("PORT", port.to_string())
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("start cognito-local");
    let node = Ended(node);
    for _ in 0..200 {
        if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return node;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("cognito-local does not answer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_signs_up_confirms_and_signs_in_has_the_rows_id_in_the_token() {
    let database = fresh_postgres_database().await;
    database.run(USERS).await;
    let directory = tempfile::tempdir().unwrap();
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let endpoint = format!("http://127.0.0.1:{port}");
    let variables = [
        ("USERLINK_DATABASE_URL", database.url.as_str()),
        ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", &endpoint),
        ("USERLINK_STORE_UNVERIFIED", "true"),
    ];
    let lambda = Arc::new(Lambda::start_program(unpacked(directory.path()), &variables, 1).await);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let invoke = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(bridge(listener, lambda.clone()));
    let _node = cognito_local(directory.path(), port, &invoke).await;

    let asked = json!({"endpoint": endpoint, "directory": directory.path()});
    let claims = tokio::task::spawn_blocking(move || somebody(&asked)).await.unwrap();
    let line = lambda.last().await;
    assert_eq!((&line["outcome"], &line["row"]), (&json!("linked"), &json!("inserted")), "{line}");
    let rows = crate::town::select(&database.url, "SELECT concat_ws(' ', id, cognito_sub, email) FROM users").await;
    let row =
        format!("{} {} ada@example.org", claims["custom:userId"].as_str().unwrap(), claims["sub"].as_str().unwrap());
    assert_eq!(rows, [Some(row)]);
}

fn somebody(asked: &Value) -> Value {
    let mut child = Command::new(python())
        .args(["-c", include_str!("chain.py")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    serde_json::to_writer(child.stdin.take().unwrap(), asked).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "boto3 failed: what it said stands above");
    serde_json::from_slice(&output.stdout).unwrap()
}
