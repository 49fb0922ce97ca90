//! Finding and ordering: the filter's language, and the columns that it is answered from.
//!
//! No clock and no I/O: what does not fit into memory is kept by whoever implements [`Far`]. Nothing here knows a
//! verdict of its own; what an entry is, the linker says.

#![warn(missing_docs)]

mod chunk;
mod columns;
mod dates;
mod hits;
mod order;
mod parse;
mod query;
mod reading;
mod word;

pub use columns::{Columns, Far, View, Walk};
pub use hits::{Hits, search};
pub use order::{Column, Item, Key, Order, Which, key_of_number, sort};
pub use query::{Complaint, Marked, Query, Term};
pub use word::Scratch;
