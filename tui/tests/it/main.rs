//! Stories with the real program: on moto, on the emulator, on PostgreSQL and SQLite, in a real pseudo-terminal.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod actors;
mod at_a_glance;
mod browsing;
mod bursts;
mod cut_short;
mod dashboard;
mod endings;
mod failures;
mod interrupted;
mod journeys;
mod kept;
mod looking;
mod manual;
mod many;
mod meanwhile;
mod other_keys;
mod pty;
mod repair_commands;
mod repair_guards;
mod scanning;
mod setting_up;
mod terminals;
mod tickets;
mod tour;
mod town;
mod while_reading;
mod whose_row;
mod wires;
mod workplace;
