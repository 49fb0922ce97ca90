//! The user pool: reading it to its end, reading one user, writing the one attribute.
//!
//! Everything that talks to the pool goes through one request budget; what only reads, through one retry loop; the SDK's
//! own retries are off. A write is sent once.
//! Nothing here can write any attribute but the configured one (a user can be signed out and disabled), create or delete a user, or set `email_verified`.

mod budget;
mod call;
#[cfg(feature = "profiles")]
mod caller;
mod clients;
mod convert;
mod error;
mod listing;
mod reader;
mod writer;

pub use budget::{Meter, Rates, Used};
pub use call::wait;
pub use clients::{AppClient, AppClients, Writable};
pub use error::{PoolError, Remedy};
pub use listing::{Listed, Listing, Position, Shard};
pub use reader::{
    Attribute, Description, Page, PageToken, PoolOptions, PoolReader, account_of, read_root_certificates,
};
pub use writer::{PoolWriter, Turn};
