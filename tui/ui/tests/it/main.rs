//! Stories of the dashboard: these records, these keys, that screen.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what went wrong by failing")]

mod at_a_glance;
mod browsing;
mod choosing;
mod commands;
mod desk;
mod every_screen;
mod history;
mod keys_at_random;
mod lining_up;
mod marking;
mod moving;
mod pages;
mod palette;
mod parts;
mod people;
mod plans;
mod repairing;
mod rooms;
