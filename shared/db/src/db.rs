//! A connection to the database, and the transactions in which everything is read and written.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{ConnectOptions, Connection, PgPool, SqlStr, SqlitePool};
use tokio::time::timeout;

use crate::options::Target;
use crate::place::Place;
use crate::single::Single;
use crate::statements::{self, Dialect};
use crate::transaction::{Record, Transaction, Value};
use crate::{DbError, DbOptions, Mapping, UsersTable};

/// An idle connection is asked for a sign of life before it is used again, and given this long: after a
/// freeze the far end may be gone without a word, and waiting it out would use up the caller's time.
const PING: Duration = Duration::from_millis(500);

/// What the client allows on top of the server's own timeout, before it takes the server for lost.
const GRACE: Duration = Duration::from_secs(5);

/// A database that answers. Cheap to clone; the clones share their connections.
#[derive(Clone)]
pub struct Db {
    pub(crate) pool: Pool,
    pub(crate) shared: Arc<Shared>,
}

#[derive(Clone)]
pub(crate) enum Pool {
    Postgres(PgPool),
    /// PostgreSQL, with one connection that is kept.
    Single(Arc<Single>),
    Sqlite(SqlitePool),
}

pub(crate) struct Shared {
    pub(crate) place: Place,
    pub(crate) read_only: bool,
    pub(crate) statement_timeout: Duration,
}

impl Db {
    /// Connects, and looks at nothing yet.
    ///
    /// # Errors
    /// What is wrong with the URL, the network, TLS, the password or the database's name, each by its name.
    pub async fn connect(options: &DbOptions) -> Result<Self, DbError> {
        let (pool, place) = match options.target()? {
            Target::Postgres(target, place) => {
                // The pool takes a refused connection for a server that is starting, and tries until its time
                // is up. One connection by hand says at once what is wrong.
                let fail = |error| DbError::of(error, &place);
                let first = timeout(options.connect_timeout, target.connect()).await;
                let slow = || DbError::Unreachable { server: place.server.clone(), why: "no answer in time".into() };
                let first = first.map_err(|_| slow())?.map_err(fail)?;
                first.close().await.map_err(fail)?;
                let pool = PgPoolOptions::new()
                    .max_connections(options.max_connections)
                    .acquire_timeout(options.connect_timeout)
                    .idle_timeout(Duration::from_secs(60))
                    .test_before_acquire(false)
                    .before_acquire(|connection, meta| {
                        Box::pin(async move {
                            Ok(meta.idle_for < Duration::from_secs(1)
                                || timeout(PING, connection.ping()).await.is_ok_and(|pong| pong.is_ok()))
                        })
                    })
                    .connect_lazy_with(*target);
                (Pool::Postgres(pool), place)
            }
            Target::Sqlite(target, place) => {
                let memory = place.database.starts_with("file:sqlx-in-memory");
                let pool = SqlitePoolOptions::new()
                    // A database in memory lives as long as its last connection.
                    .max_connections(if memory { 1 } else { options.max_connections })
                    .min_connections(u32::from(memory))
                    .idle_timeout(None)
                    .max_lifetime(None)
                    .acquire_timeout(options.connect_timeout)
                    .connect_with(*target)
                    .await
                    .map_err(|error| DbError::of(error, &place))?;
                (Pool::Sqlite(pool), place)
            }
        };
        let (read_only, statement_timeout) = (options.read_only, options.statement_timeout);
        let db = Self { pool, shared: Arc::new(Shared { place, read_only, statement_timeout }) };
        // SQLite opens any file, and looks into it at the first statement.
        if let Dialect::Sqlite = db.dialect() {
            db.read(statements::fixed("SELECT count(*) FROM sqlite_schema"), Vec::new()).await?;
        }
        Ok(db)
    }

    /// The users table, once it has been held against the mapping.
    ///
    /// # Errors
    /// What does not fit, by name, with the nearest name that would. See [`DbError`].
    pub async fn open(&self, mapping: Mapping) -> Result<UsersTable, DbError> {
        UsersTable::open(self.clone(), mapping).await
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match self.pool {
            Pool::Postgres(_) | Pool::Single(_) => Dialect::Postgres,
            Pool::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// The database's name, or its file's.
    pub(crate) fn database(&self) -> &str {
        &self.shared.place.database
    }

    /// One statement in a read-only transaction of its own.
    pub(crate) async fn read(&self, sql: SqlStr, values: Vec<Value>) -> Result<Vec<Record>, DbError> {
        let begin = statements::begin(self.dialect(), true, self.shared.statement_timeout);
        self.read_in(begin, sql, values).await
    }

    /// The same, in a transaction that begins like this.
    pub(crate) async fn read_in(&self, begin: SqlStr, sql: SqlStr, values: Vec<Value>) -> Result<Vec<Record>, DbError> {
        let reading = async {
            let mut transaction = self.begin_as(begin).await?;
            match transaction.fetch(sql, values).await {
                Ok(records) => transaction.commit().await.map(|()| records),
                Err(error) => {
                    transaction.rollback().await;
                    Err(error)
                }
            }
        };
        self.in_time(reading).await
    }

    /// Gives up on a server that has stopped answering; its own timeout does not help then.
    pub(crate) async fn in_time<T>(&self, work: impl Future<Output = Result<T, DbError>>) -> Result<T, DbError> {
        timeout(self.shared.statement_timeout + GRACE, work).await.unwrap_or(Err(DbError::Timeout))
    }

    /// A transaction that may write: the journal's and the migrations'.
    pub(crate) async fn write(&self) -> Result<Transaction<'_>, DbError> {
        if self.shared.read_only { Err(DbError::ReadOnly) } else { self.begin(false).await }
    }

    /// One statement by itself, without a transaction of ours and without a limit on its time: an index that is made
    /// beside the traffic wants that. Sent as one message, which a pooler leaves whole.
    pub(crate) async fn alone(&self, sql: SqlStr) -> Result<(), sqlx::Error> {
        match &self.pool {
            Pool::Postgres(pool) => sqlx::raw_sql(sql).execute(pool).await.map(drop),
            Pool::Single(single) => single.alone(sql).await,
            Pool::Sqlite(pool) => sqlx::raw_sql(sql).execute(pool).await.map(drop),
        }
    }

    pub(crate) fn error(&self, error: sqlx::Error) -> DbError {
        DbError::of(error, &self.shared.place)
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.shared.read_only
    }

    async fn begin(&self, read_only: bool) -> Result<Transaction<'_>, DbError> {
        self.begin_as(statements::begin(self.dialect(), read_only, self.shared.statement_timeout)).await
    }

    pub(crate) async fn begin_as(&self, begin: SqlStr) -> Result<Transaction<'_>, DbError> {
        match &self.pool {
            Pool::Postgres(pool) => Transaction::postgres(pool, begin, &self.shared.place).await,
            Pool::Single(single) => Transaction::single(single, begin, &self.shared.place).await,
            Pool::Sqlite(pool) => Transaction::sqlite(pool, begin, &self.shared.place).await,
        }
    }

    /// Closes the connections, once those in use have come back.
    pub async fn close(&self) {
        match &self.pool {
            Pool::Postgres(pool) => pool.close().await,
            Pool::Single(single) => single.close().await,
            Pool::Sqlite(pool) => pool.close().await,
        }
    }
}

/// Which database, and nothing of how it was reached.
impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Db({}, {})", self.shared.place.server, self.shared.place.database)
    }
}
