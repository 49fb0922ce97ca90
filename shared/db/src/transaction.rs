//! One short transaction, on either database, through which every statement of this crate goes.
//!
//! Behind a pooler in transaction mode a statement outside a transaction may be answered with the rows of
//! somebody else's, so there is no other way to run one. On PostgreSQL statements are never kept prepared.
//! A connection whose transaction did not come to its end, because the caller was dropped or an answer never
//! came, is closed and not used again.

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Executor, PgConnection, PgPool, Postgres, Row, SqlStr, Sqlite, SqlitePool};
use uuid::Uuid;

use crate::DbError;
use crate::place::Place;
use crate::single::{Lent, Single};

/// A parameter.
#[derive(Clone)]
pub(crate) enum Value {
    Text(String),
    MaybeText(Option<String>),
    Integer(i64),
    Bool(bool),
    /// PostgreSQL's uuid; on SQLite a blob of 16 bytes.
    Uuid(Uuid),
    Uuids(Vec<Uuid>),
    Integers(Vec<i64>),
    Texts(Vec<String>),
}

/// A row of an answer, read by the position of its columns.
pub(crate) enum Record {
    Postgres(PgRow),
    Sqlite(SqliteRow),
}

/// Reads one column; a failure names the column and leaves the value out.
macro_rules! cell {
    ($self:ident, $at:ident, $wanted:literal) => {{
        let read = match $self {
            Record::Postgres(row) => row.try_get($at),
            Record::Sqlite(row) => row.try_get($at),
        };
        read.map_err(|_| DbError::Value { column: format!("{} of the answer", $at + 1), wanted: $wanted })
    }};
}

impl Record {
    pub(crate) fn text(&self, at: usize) -> Result<Option<String>, DbError> {
        cell!(self, at, "text")
    }

    pub(crate) fn integer(&self, at: usize) -> Result<Option<i64>, DbError> {
        cell!(self, at, "an integer")
    }

    pub(crate) fn uuid(&self, at: usize) -> Result<Option<Uuid>, DbError> {
        cell!(self, at, "a uuid")
    }

    pub(crate) fn truth(&self, at: usize) -> Result<bool, DbError> {
        cell!(self, at, "a truth value")
    }

    /// A text that the statement itself makes sure of.
    pub(crate) fn name(&self, at: usize) -> Result<String, DbError> {
        Ok(self.text(at)?.unwrap_or_default())
    }
}

pub(crate) struct Transaction<'p> {
    on: On,
    place: &'p Place,
}

enum On {
    Postgres(Open),
    Sqlite(sqlx::Transaction<'static, Sqlite>),
}

/// The connection, until the transaction has ended.
struct Open(Option<Held>);

/// Whose connection it is.
enum Held {
    Pooled(PoolConnection<Postgres>),
    Lent(Lent),
}

impl Open {
    fn connection(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        match self.0.as_mut() {
            Some(Held::Pooled(connection)) => Ok(connection),
            Some(Held::Lent(lent)) => Ok(&mut lent.connection),
            None => Err(sqlx::Error::PoolClosed),
        }
    }

    async fn end(mut self, statement: &'static str) -> Result<(), sqlx::Error> {
        self.connection()?.execute(sqlx::raw_sql(statement)).await?;
        match self.0.take() {
            Some(Held::Pooled(connection)) => drop(connection),
            Some(Held::Lent(lent)) => lent.put_back(),
            None => {}
        }
        Ok(())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(Held::Pooled(connection)) = self.0.take() {
            drop(connection.detach());
        }
    }
}

impl<'p> Transaction<'p> {
    pub(crate) async fn postgres(pool: &PgPool, begin: SqlStr, place: &'p Place) -> Result<Self, DbError> {
        let fail = |error| DbError::of(error, place);
        let mut open = Open(Some(Held::Pooled(pool.acquire().await.map_err(fail)?)));
        open.connection().map_err(fail)?.execute(sqlx::raw_sql(begin)).await.map_err(fail)?;
        Ok(Self { on: On::Postgres(open), place })
    }

    pub(crate) async fn single(single: &Single, begin: SqlStr, place: &'p Place) -> Result<Self, DbError> {
        let lent = single.begin(begin).await.map_err(|error| DbError::of(error, place))?;
        Ok(Self { on: On::Postgres(Open(Some(Held::Lent(lent)))), place })
    }

    pub(crate) async fn sqlite(pool: &SqlitePool, begin: SqlStr, place: &'p Place) -> Result<Self, DbError> {
        let begun = pool.begin_with(begin).await.map_err(|error| DbError::of(error, place))?;
        Ok(Self { on: On::Sqlite(begun), place })
    }

    pub(crate) async fn fetch(&mut self, sql: SqlStr, values: Vec<Value>) -> Result<Vec<Record>, DbError> {
        let rows = match &mut self.on {
            On::Postgres(open) => match open.connection() {
                Ok(connection) => {
                    let rows = bind_postgres(sql, values).fetch_all(&mut *connection).await;
                    rows.map(|rows| rows.into_iter().map(Record::Postgres).collect())
                }
                Err(error) => Err(error),
            },
            On::Sqlite(open) => {
                let rows = bind_sqlite(sql, values).fetch_all(&mut **open).await;
                rows.map(|rows| rows.into_iter().map(Record::Sqlite).collect())
            }
        };
        rows.map_err(|error| DbError::of(error, self.place))
    }

    /// Runs a statement; gives how many rows it wrote.
    pub(crate) async fn execute(&mut self, sql: SqlStr, values: Vec<Value>) -> Result<u64, DbError> {
        let done = match &mut self.on {
            On::Postgres(open) => match open.connection() {
                Ok(connection) => {
                    bind_postgres(sql, values).execute(&mut *connection).await.map(|done| done.rows_affected())
                }
                Err(error) => Err(error),
            },
            On::Sqlite(open) => bind_sqlite(sql, values).execute(&mut **open).await.map(|done| done.rows_affected()),
        };
        done.map_err(|error| DbError::of(error, self.place))
    }

    /// Runs a script of ours: several statements, no parameters.
    pub(crate) async fn script(&mut self, script: &'static str) -> Result<(), DbError> {
        let done = match &mut self.on {
            On::Postgres(open) => match open.connection() {
                Ok(connection) => connection.execute(sqlx::raw_sql(script)).await.map(drop),
                Err(error) => Err(error),
            },
            On::Sqlite(open) => open.execute(sqlx::raw_sql(script)).await.map(drop),
        };
        done.map_err(|error| DbError::of(error, self.place))
    }

    pub(crate) async fn commit(self) -> Result<(), DbError> {
        let done = match self.on {
            On::Postgres(open) => open.end("COMMIT").await,
            On::Sqlite(open) => open.commit().await,
        };
        done.map_err(|error| DbError::of(error, self.place))
    }

    /// Gives the connection back after a failed statement. Where even that fails the connection is closed.
    pub(crate) async fn rollback(self) {
        let done = match self.on {
            On::Postgres(open) => open.end("ROLLBACK").await,
            On::Sqlite(open) => open.rollback().await,
        };
        drop(done);
    }
}

type PgQuery = sqlx::query::Query<'static, Postgres, sqlx::postgres::PgArguments>;
type SqliteQuery = sqlx::query::Query<'static, Sqlite, sqlx::sqlite::SqliteArguments>;

fn bind_postgres(sql: SqlStr, values: Vec<Value>) -> PgQuery {
    let query = sqlx::query(sql).persistent(false);
    values.into_iter().fold(query, |query, value| match value {
        Value::Text(value) => query.bind(value),
        Value::MaybeText(value) => query.bind(value),
        Value::Integer(value) => query.bind(value),
        Value::Bool(value) => query.bind(value),
        Value::Uuid(value) => query.bind(value),
        Value::Uuids(values) => query.bind(values),
        Value::Integers(values) => query.bind(values),
        Value::Texts(values) => query.bind(values),
    })
}

/// SQLite has no arrays: a list goes over as a JSON text, for `json_each`.
fn bind_sqlite(sql: SqlStr, values: Vec<Value>) -> SqliteQuery {
    values.into_iter().fold(sqlx::query(sql), |query, value| match value {
        Value::Text(value) => query.bind(value),
        Value::MaybeText(value) => query.bind(value),
        Value::Integer(value) => query.bind(value),
        Value::Bool(value) => query.bind(value),
        Value::Uuid(value) => query.bind(value),
        Value::Uuids(values) => query.bind(json(values.iter().map(|id| id.simple().to_string()))),
        Value::Integers(values) => query.bind(json(values.into_iter())),
        Value::Texts(values) => query.bind(json(values.into_iter())),
    })
}

fn json<T: Into<serde_json::Value>>(values: impl Iterator<Item = T>) -> String {
    serde_json::Value::Array(values.map(Into::into).collect()).to_string()
}
