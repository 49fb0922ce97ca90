//! The program as it is deployed: out of the package that `cargo lambda build --release` makes, behind a Lambda Runtime API.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use userlink_emulator::Faults;
use userlink_kit::{lambda_package, moto_url, python};

use crate::lambda::Lambda;
use crate::queueing::{Queue, records};
use crate::town::Town;

/// The largest that the package may be, in bytes.
const LARGEST: u64 = 6_000_000;

/// The program out of the package, as Lambda unpacks it.
pub(crate) fn unpacked(to: &Path) -> PathBuf {
    let package = lambda_package();
    let size = package.metadata().unwrap().len();
    assert!(size < LARGEST, "the package has {size} bytes");
    eprintln!("the package has {size} bytes");
    let unzip = "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])";
    let done = Command::new(python()).args(["-c", unzip]).arg(&package).arg(to).status().unwrap();
    assert!(done.success());
    let program = to.join("bootstrap");
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    program
}

/// Cold and warm, a delivery that is repeated, one that fails and is queued, and the queue worked off by another process.
#[tokio::test]
async fn the_package_answers_cold_and_warm_and_works_off_its_queue() {
    let town = Town::new(3).await;
    let queue = Queue::new().await;
    let (moto, endpoint) = (moto_url(), town.pool.endpoint_url());
    let directory = tempfile::tempdir().unwrap();
    let program = unpacked(directory.path());
    let variables = [
        ("USERLINK_DATABASE_URL", town.database.url.as_str()),
        ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", &endpoint),
        ("USERLINK_RETRY_QUEUE_URL", &queue.url),
        ("AWS_ENDPOINT_URL_SQS", &moto),
        ("USERLINK_ON_FAILURE", "continue"),
    ];
    let lambda = Lambda::start_program(program.clone(), &variables, 1).await;
    let event = town.event(1, json!({}));
    lambda.passes(&event).await;
    assert_eq!(lambda.last().await["row"], "inserted");
    let id = town.assert_linked(1).await;
    lambda.passes(&event).await;
    lambda.passes(&town.event(2, json!({}))).await;
    assert_eq!((town.assert_linked(1).await, lambda.last().await["cold"].is_null()), (id, true));
    town.assert_linked(2).await;

    town.pool.set_faults(Faults { dropped: 1.0, ..Faults::default() });
    lambda.passes(&town.event(3, json!({}))).await;
    let line = lambda.last().await;
    assert_eq!((&line["outcome"], &line["queued"]), (&json!("row_side_only"), &json!("yes")), "{line}");
    town.pool.set_faults(Faults::default());
    let other = Lambda::start_program(program, &variables, 1).await;
    let answer = other.invoke(&records(&queue.messages().await, 1).to_string()).await;
    assert_eq!(answer.json(), json!({"batchItemFailures": []}), "{:#?}", other.log());
    town.assert_linked(3).await;
}
