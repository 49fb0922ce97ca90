#![allow(clippy::unwrap_used, reason = "a test may stop here")]
//! Repairs on real parts: the emulator behind a gate that loses and holds requests, SQLite in a file, and the PostgreSQL
//! that `tests/run` starts.

mod any_order;
mod applying;
mod choosing;
mod containing;
mod hostile;
mod limits;
mod planning;
mod plans;
mod recovering;
mod sifting;
mod world;
