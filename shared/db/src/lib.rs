//! The application's users table, and our own journal beside it, in PostgreSQL or SQLite.
//!
//! The table and its columns are the application's: a [`Mapping`] says what they are called, [`Db::open`]
//! checks it against what is there, and a [`UsersTable`] reads. Only a [`Linking`] and a
//! [`RowWriter`] write to that table; what is written besides is the journal and, when asked, the tables that [`migrate`] makes.
//!
//! Never in a message, a log line or a `Debug` of this crate: the connection URL, a password, a row's data.

mod changes;
mod db;
mod dismissals;
mod error;
mod journal;
mod linking;
mod mapping;
mod migrate;
mod options;
mod place;
mod references;
mod rows;
mod schema;
mod schema_postgres;
mod schema_sqlite;
mod single;
mod statements;
mod transaction;
mod upkeep;
mod users;

pub use changes::Changed;
pub use db::Db;
pub use dismissals::Dismissal;
pub use error::DbError;
pub use journal::{
    CONTAINED, Closing, History, Journal, JournalEntry, JournalError, Linkage, OpenSteps, Outcome, Recorded,
    RunRecorded,
};
pub use linking::{Linking, Newcomer, Tie};
pub use mapping::{Condition, Literal, Mapping};
pub use migrate::{MigrateOptions, migrate};
pub use options::{DbOptions, Tls};
pub use references::{Reference, Referring};
pub use rows::{Closes, INSERTED, RowWrite, RowWriter, RowWritten};
pub use schema::Schema;
pub use upkeep::Person;
pub use users::UsersTable;
