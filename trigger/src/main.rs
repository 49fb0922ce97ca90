//! The Lambda function `post-confirmation`. What it does stands in [`post_confirmation`].

use std::process::ExitCode;
use std::time::Instant;

use lambda_runtime::{LambdaEvent, run, service_fn};
use post_confirmation::{Function, Settings};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let started = Instant::now();
    // A variable that is no text is none of ours.
    let variables =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let function = match Settings::read(variables) {
        Ok(settings) => Function::new(settings, started),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    function.warm_up().await;
    let function = &function;
    let ended = run(service_fn(|event: LambdaEvent<Value>| function.handle(event))).await;
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => {
            eprintln!("The Lambda Runtime API broke off.");
            ExitCode::FAILURE
        }
    }
}
