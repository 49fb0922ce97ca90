//! The built program behind a Lambda Runtime API, with real databases and pools. PostgreSQL, PgBouncer and Python are the
//! ones that `tests/run` starts, and without them these tests fail.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at the first surprise")]

mod bad_wires;
mod chain;
mod confirming;
mod cutting;
mod deploying;
mod events;
mod failing;
mod failing_over;
mod lambda;
mod packaged;
mod passwords;
mod queueing;
mod signing_in;
mod town;
mod wire;
