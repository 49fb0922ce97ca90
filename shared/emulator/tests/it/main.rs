//! The emulator as its clients meet it, over HTTP; and the demo's world.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod ask;
mod clients;
mod lag;
mod listing;
mod quotas;
mod users;
mod world;
