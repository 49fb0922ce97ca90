//! Whatever comes in, the same goes out, or an error that says nothing; never a panic. There is no database and no pool.

#![no_main]

use std::sync::OnceLock;
use std::time::Instant;

use lambda_runtime::{Context, LambdaEvent};
use libfuzzer_sys::fuzz_target;
use post_confirmation::{Function, Settings};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

static HERE: OnceLock<(Runtime, Function)> = OnceLock::new();

fn here() -> &'static (Runtime, Function) {
    HERE.get_or_init(|| {
        let variables = [
            ("USERLINK_DATABASE_URL", "postgres://u:p@127.0.0.1:1/app"),
            ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "http://127.0.0.1:1"),
            ("USERLINK_SIGN_IN", "insert"),
            ("USERLINK_DEADLINE_MS", "200"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let settings = Settings::read(variables).expect("settings");
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        (runtime, Function::new(settings, Instant::now()))
    })
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(event) = serde_json::from_slice::<Value>(bytes) else { return };
    let (runtime, function) = here();
    let answer = runtime.block_on(function.handle(LambdaEvent::new(event.clone(), Context::default())));
    let of_ours = event.get("Records").is_some() || event.get("userlink").is_some();
    if let Ok(answer) = answer {
        assert!(of_ours || answer == event);
    }
});
