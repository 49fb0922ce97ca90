//! A pool has one function for each trigger. This is one of somebody's own that ties the user first.

use std::time::Instant;

use lambda_runtime::{LambdaEvent, run, service_fn};
use post_confirmation::{Function, Refusal, Settings};
use serde_json::Value;

async fn handle(linking: &Function, event: LambdaEvent<Value>) -> Result<Value, Refusal> {
    // Whatever is done besides has what is left of Cognito's five seconds: set USERLINK_DEADLINE_MS lower.
    let event = linking.handle(event).await?;
    Ok(event)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let started = Instant::now();
    let linking = Function::new(Settings::read(std::env::vars())?, started);
    linking.warm_up().await;
    run(service_fn(|event| handle(&linking, event))).await?;
    Ok(())
}
