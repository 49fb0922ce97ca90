#![allow(clippy::unwrap_used, reason = "a test may stop here")]
//! The database as the programs see it. SQLite runs on a temporary file; PostgreSQL and PgBouncer are the
//! ones that `tests/run` starts, and without them these tests fail.

mod errors;
mod journal;
mod linking;
mod migrations;
mod pooler;
mod reading;
mod rows;
mod schema_postgres;
mod schema_sqlite;
mod single;
mod tls;
mod upkeep;
mod world;
