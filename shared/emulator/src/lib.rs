//! A Cognito-compatible user pool in the process, served over HTTP on loopback: for the demo, and for tests that need a pool
//! which is slow, strict or broken on purpose.
//!
//! It serves the operations that Userlink uses, and enforces what AWS documents for them. It checks no credentials, keeps
//! nothing on disk, and listens on 127.0.0.1 alone: never put people's data into it.

mod faults;
mod filter;
mod names;
mod operations;
mod permutation;
mod quota;
mod refusal;
mod server;
mod store;
mod world;

pub use faults::Faults;
pub use quota::Quotas;
pub use server::{Emulator, PoolOptions, Source, Stats};
pub use world::{TooSmall, World, situations};
