//! A database of a test's own, filled by SQL.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use userlink_db::{Db, DbError, DbOptions, Mapping, UsersTable};
use userlink_domain::{Row, RowId};
use userlink_kit::{TestDatabase, fresh_postgres_database};

/// What was created lives as long as this.
pub(crate) struct World {
    pub(crate) url: String,
    pub(crate) postgres: Option<TestDatabase>,
    _directory: Option<tempfile::TempDir>,
}

impl World {
    pub(crate) async fn postgres() -> Self {
        let database = fresh_postgres_database().await;
        Self { url: database.url.clone(), postgres: Some(database), _directory: None }
    }

    pub(crate) fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("app.db");
        std::fs::File::create(&file).unwrap();
        Self { url: format!("sqlite://{}", file.display()), postgres: None, _directory: Some(directory) }
    }

    /// One of each.
    pub(crate) async fn both() -> [Self; 2] {
        [Self::postgres().await, Self::sqlite()]
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.postgres.is_some()
    }

    /// Runs statements as whoever owns everything.
    pub(crate) async fn run(&self, sql: &str) {
        self.try_run(sql).await.unwrap();
    }

    pub(crate) async fn try_run(&self, sql: &str) -> Result<(), sqlx::Error> {
        if self.is_postgres() {
            let mut connection = PgConnection::connect(&self.url).await?;
            connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
            connection.close().await
        } else {
            let mut connection = SqliteConnection::connect(&self.url).await?;
            connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
            connection.close().await
        }
    }

    /// The single number that a query gives.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        if self.is_postgres() {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut connection).await.unwrap()
        } else {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut connection).await.unwrap()
        }
    }

    /// The single text that a query of PostgreSQL gives.
    pub(crate) async fn text(&self, sql: &str) -> String {
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut connection).await.unwrap()
    }

    pub(crate) async fn db(&self) -> Db {
        Db::connect(&DbOptions::new(&self.url)).await.unwrap()
    }

    pub(crate) async fn open(&self, mapping: Mapping) -> Result<UsersTable, DbError> {
        self.db().await.open(mapping).await
    }

    /// The URL of a role that may log in and nothing else, created now.
    pub(crate) async fn role(&self, attributes: &str) -> (String, String) {
        let name = format!("r_{}", uuid::Uuid::new_v4().simple());
        self.run(&format!("CREATE ROLE {name} LOGIN PASSWORD 'pw' {attributes}")).await;
        let (_, at) = self.url.rsplit_once('@').unwrap();
        (format!("postgres://{name}:pw@{at}"), name)
    }
}

/// The columns that the test has; everything else of the mapping is left out.
pub(crate) fn bare() -> Mapping {
    Mapping { email: None, created_at: None, ..Mapping::default() }
}

/// Every row, by pages of `limit`.
pub(crate) async fn all(table: &UsersTable, limit: u32) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    loop {
        let page = table.page(rows.last().map(|row| &row.id), limit).await.unwrap();
        let last = page.len() < limit as usize;
        rows.extend(page);
        if last {
            return rows;
        }
    }
}

pub(crate) fn ids(rows: &[Row]) -> Vec<String> {
    rows.iter().map(|row| row.id.to_string()).collect()
}

pub(crate) fn text_id(text: &str) -> RowId {
    RowId::Text(text.into())
}
