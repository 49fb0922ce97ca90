//! A Cognito-compatible user pool in the process, served over HTTP on loopback: for the demo, and for tests that need a pool
//! which is slow, strict, behind or broken on purpose.
//!
//! It serves the operations that Userlink uses, and enforces what AWS documents for them. It checks no credentials, keeps
//! nothing on disk, and listens on 127.0.0.1 alone: never put people's data into it.

mod cases;
mod clients;
mod clock;
mod faults;
mod filter;
mod listing;
mod names;
mod operations;
mod permutation;
mod quota;
mod refusal;
mod schema;
mod server;
mod store;
mod user;
mod world;

pub use cases::situations;
pub use clients::Client;
pub use faults::Faults;
pub use quota::{Enforcement, Quotas};
pub use server::{Emulator, PoolOptions, Source, Stats};
pub use world::{TooSmall, World};
