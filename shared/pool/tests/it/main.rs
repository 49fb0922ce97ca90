//! The pool, on the emulator: slow, strict and broken on purpose.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod listing;
mod requests;
