//! Serves an empty pool until it is stopped, and prints one line of JSON that says where.
#![allow(clippy::print_stdout, reason = "the line is what this program is for")]

use userlink_emulator::{Emulator, PoolOptions, Source};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let emulator = Emulator::start(PoolOptions::new(Source::Users(Vec::new()))).await?;
    let line = serde_json::json!({
        "endpoint_url": emulator.endpoint_url(), "pool_id": emulator.pool_id(), "region": emulator.region(),
    });
    println!("{line}");
    std::future::pending().await
}
