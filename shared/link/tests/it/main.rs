//! The linker against random worlds, and against a second implementation of the contract.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod anew;
mod causes;
mod crowd;
mod explained;
mod many;
mod naive;
mod pages;
mod properties;
mod records;
mod stories;
mod world;
