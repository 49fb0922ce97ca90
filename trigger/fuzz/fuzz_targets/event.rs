//! Whatever comes in, the same goes out, or an error that says nothing; never a panic. There is a table, in SQLite, and a pool
//! that says yes to everything and knows nothing.

#![no_main]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::OnceLock;
use std::time::Instant;

use lambda_runtime::{Context, LambdaEvent};
use libfuzzer_sys::fuzz_target;
use post_confirmation::{Function, Settings};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use userlink_db::{Db, DbOptions, MigrateOptions, migrate};

static HERE: OnceLock<(Runtime, Function)> = OnceLock::new();

fn here() -> &'static (Runtime, Function) {
    HERE.get_or_init(|| {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let file = std::env::temp_dir().join(format!("userlink-fuzz-{}.db", std::process::id()));
        let database = format!("sqlite://{}", file.display());
        runtime.block_on(async {
            let options = DbOptions { create_if_missing: true, ..DbOptions::new(database.as_str()) };
            let db = Db::connect(&options).await.expect("a database");
            let users = MigrateOptions { users_table: true, journal: false };
            migrate(&db, &users).await.expect("a table");
        });
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let pool = format!("http://{}", listener.local_addr().expect("an address"));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || drop(say_yes(stream)));
            }
        });
        let variables = [
            ("USERLINK_DATABASE_URL", database.as_str()),
            ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", &pool),
            ("AWS_REGION", "eu-central-1"),
            ("USERLINK_ADOPT_VERIFIED_EMAIL", "true"),
            ("USERLINK_STORE_UNVERIFIED", "true"),
            ("USERLINK_SIGN_IN", "insert"),
            ("USERLINK_DEADLINE_MS", "200"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let settings = Settings::read(variables).expect("settings");
        let function = Function::new(settings, Instant::now());
        (runtime, function)
    })
}

/// Answers every request with an empty object.
fn say_yes(mut stream: TcpStream) -> std::io::Result<()> {
    let (mut seen, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut part)?;
        if read == 0 {
            return Ok(());
        }
        seen.extend_from_slice(&part[..read]);
        let Some(end) = seen.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&seen[..end]).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        if seen.len() >= end + 4 + length.unwrap_or(0) {
            seen.clear();
            let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: 2\r\n\r\n{}";
            stream.write_all(answer.as_bytes())?;
        }
    }
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
