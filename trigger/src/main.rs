//! The Lambda function `post-confirmation`. What it does stands in [`post_confirmation::handle`].

use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    run(service_fn(|event: LambdaEvent<Value>| post_confirmation::handle(event.payload))).await
}
