//! One connection, kept from one transaction to the next: for a function that answers one event at a time, and is frozen
//! between them.
//!
//! A pool would send a message of its own when a connection comes back, and wait for the answer as long as it takes; whoever
//! is frozen in between has no connection any more. Here nothing is on the wire between two transactions, and the message that
//! begins one is the sign of life.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{ConnectOptions as _, Executor as _, PgConnection, SqlStr};
use tokio::sync::OwnedMutexGuard;
use tokio::time::timeout;

use crate::db::{Pool, Shared};
use crate::options::Target;
use crate::{Db, DbError, DbOptions};

/// How long an idle connection may take to begin a transaction, before another is made.
const SIGN_OF_LIFE: Duration = Duration::from_millis(150);
/// A connection that was in use so short a time ago is taken to be alive.
const IDLE: Duration = Duration::from_millis(500);

/// The place of one connection.
pub(crate) struct Single {
    options: Mutex<PgConnectOptions>,
    connect_timeout: Duration,
    home: Arc<tokio::sync::Mutex<Option<Kept>>>,
}

struct Kept {
    connection: PgConnection,
    /// By both clocks: whoever is frozen may have one that stands still meanwhile.
    since: (Instant, SystemTime),
}

impl Kept {
    fn is_idle(&self) -> bool {
        let (since, at) = self.since;
        since.elapsed() >= IDLE || at.elapsed().is_ok_and(|idle| idle >= IDLE)
    }
}

/// The connection, with a transaction in it. Where this is dropped, so is the connection.
pub(crate) struct Lent {
    pub(crate) connection: PgConnection,
    home: OwnedMutexGuard<Option<Kept>>,
}

impl Lent {
    /// Puts the connection back, in which no transaction is open any more.
    pub(crate) fn put_back(mut self) {
        let since = (Instant::now(), SystemTime::now());
        *self.home = Some(Kept { connection: self.connection, since });
    }
}

impl Single {
    fn new(options: PgConnectOptions, connect_timeout: Duration) -> Self {
        Self { options: Mutex::new(options), connect_timeout, home: Arc::default() }
    }

    /// Begins a transaction; whoever else is in one is waited for. A connection that was kept and gives no sign of life is
    /// replaced at once.
    pub(crate) async fn begin(&self, begin: SqlStr) -> Result<Lent, sqlx::Error> {
        let mut home = self.home.clone().lock_owned().await;
        if let Some(mut kept) = home.take() {
            let is_idle = kept.is_idle();
            let begun = kept.connection.execute(sqlx::raw_sql(begin.clone()));
            let is_begun = if is_idle {
                timeout(SIGN_OF_LIFE, begun).await.is_ok_and(|begun| begun.is_ok())
            } else {
                begun.await.is_ok()
            };
            if is_begun {
                return Ok(Lent { connection: kept.connection, home });
            }
        }
        let mut connection = self.connect().await?;
        connection.execute(sqlx::raw_sql(begin)).await?;
        Ok(Lent { connection, home })
    }

    /// Runs a statement without a transaction, on a connection of its own.
    pub(crate) async fn alone(&self, sql: SqlStr) -> Result<(), sqlx::Error> {
        self.connect().await?.execute(sqlx::raw_sql(sql)).await.map(drop)
    }

    async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        let options = self.options.lock().unwrap_or_else(PoisonError::into_inner).clone();
        timeout(self.connect_timeout, options.connect()).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    /// Closes the connection, once nobody uses it.
    pub(crate) async fn close(&self) {
        drop(self.home.lock().await.take());
    }
}

impl Db {
    /// For a program that must start whether the database is there or not: nothing is connected before the first transaction.
    /// On PostgreSQL there is one connection, whatever `max_connections` says, and one attempt to make it each time. One that
    /// died without a word while it was idle costs 150 ms.
    ///
    /// # Errors
    /// Only what is wrong with the URL and the settings.
    pub fn lazily(options: &DbOptions) -> Result<Self, DbError> {
        let (pool, place) = match options.target()? {
            Target::Postgres(target, place) => {
                (Pool::Single(Arc::new(Single::new(*target, options.connect_timeout))), place)
            }
            Target::Sqlite(target, place) => {
                let memory = place.database.starts_with("file:sqlx-in-memory");
                let pool = SqlitePoolOptions::new()
                    .max_connections(if memory { 1 } else { options.max_connections })
                    .idle_timeout(None)
                    .max_lifetime(None)
                    .acquire_timeout(options.connect_timeout)
                    .connect_lazy_with(*target);
                (Pool::Sqlite(pool), place)
            }
        };
        let (read_only, statement_timeout) = (options.read_only, options.statement_timeout);
        Ok(Self { pool, shared: Arc::new(Shared { place, read_only, statement_timeout }) })
    }

    /// From now on connections are made like this: another password, a new token. Those that are there stay. The kind of
    /// database cannot change.
    ///
    /// # Errors
    /// Only what is wrong with the URL and the settings.
    pub fn connect_like(&self, options: &DbOptions) -> Result<(), DbError> {
        match (&self.pool, options.target()?) {
            (Pool::Single(single), Target::Postgres(target, _)) => {
                *single.options.lock().unwrap_or_else(PoisonError::into_inner) = *target;
            }
            (Pool::Postgres(pool), Target::Postgres(target, _)) => pool.set_connect_options(*target),
            (Pool::Sqlite(pool), Target::Sqlite(target, _)) => pool.set_connect_options(*target),
            (Pool::Single(_) | Pool::Postgres(_), Target::Sqlite(..)) | (Pool::Sqlite(_), Target::Postgres(..)) => {
                return Err(DbError::Scheme);
            }
        }
        Ok(())
    }
}
