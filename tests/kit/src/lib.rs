//! What the tests of this workspace share: where the parts are that `tests/run` brought up, and databases of their own.

#![allow(clippy::expect_used, reason = "tests alone use this, and a test stops at the first surprise")]

mod cluster;
mod gate;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use uuid::Uuid;

pub use cluster::{Cluster, Stop};
pub use gate::{Fate, Gate, Held, fates};

fn part(variable: &str) -> String {
    match std::env::var(variable) {
        Ok(value) if !value.is_empty() => value,
        _ => panic!(
            "{variable} is not set: this test needs a part that `tests/run` starts. \
             Run `tests/run`, or `tests/run --parts-only cargo nextest run …`."
        ),
    }
}

/// The throw-away PostgreSQL's maintenance database, as its superuser.
pub fn postgres_url() -> String {
    part("USERLINK_TEST_POSTGRES_URL")
}

/// The same through PgBouncer, in transaction mode.
pub fn pgbouncer_url() -> String {
    part("USERLINK_TEST_PGBOUNCER_URL")
}

/// A database's URL through PgBouncer.
pub fn pgbouncer_url_for(database: &TestDatabase) -> String {
    with_database(&pgbouncer_url(), &database.name)
}

/// The endpoint of moto, which every test shares: make a pool of your own, never reset it.
pub fn moto_url() -> String {
    part("USERLINK_TEST_MOTO_URL")
}

/// The endpoint of cognito-local, which every test shares: make a pool of your own. It has no trigger.
pub fn cognito_local_url() -> String {
    part("USERLINK_TEST_COGNITO_LOCAL_URL")
}

/// A Python that has boto3.
pub fn python() -> PathBuf {
    part("USERLINK_TEST_PYTHON").into()
}

/// The trigger's package, as it is deployed: a zip with `bootstrap` in it.
pub fn lambda_package() -> PathBuf {
    let package = PathBuf::from(part("USERLINK_TEST_PACKAGE"));
    assert!(package.is_file(), "{} is not there: `tests/run -p post-confirmation` makes it", package.display());
    package
}

/// Has a client that is not ours do something: makes a pool (`"do": "make"`), reads a user (`"do": "read"`).
/// `pool.py` says what goes in and what comes out.
pub fn boto3(asked: &Value) -> Value {
    ask_python(include_str!("pool.py"), asked)
}

/// Runs a script that takes one JSON value on its standard input and gives one on its standard output.
pub fn ask_python(script: &str, asked: &Value) -> Value {
    let mut child = Command::new(python())
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("start Python");
    let mut stdin = child.stdin.take().expect("Python's standard input");
    serde_json::to_writer(&mut stdin, asked).expect("ask");
    drop(stdin);
    let output = child.wait_with_output().expect("wait for Python");
    assert!(output.status.success(), "boto3 failed: what it said stands above");
    serde_json::from_slice(&output.stdout).expect("JSON from Python")
}

/// An empty database, dropped with this value.
#[derive(Debug)]
pub struct TestDatabase {
    pub url: String,
    /// The maintenance database of the same server.
    pub admin: String,
    pub name: String,
}

/// Creates an empty database of a random name.
pub async fn fresh_postgres_database() -> TestDatabase {
    let admin = postgres_url();
    let name = format!("t_{}", Uuid::new_v4().simple());
    // The template that nobody may connect to: copying template1 fails while another session is in it.
    execute(&admin, format!("CREATE DATABASE {name} TEMPLATE template0")).await.expect("create the test's database");
    TestDatabase { url: with_database(&admin, &name), admin, name }
}

impl TestDatabase {
    /// Runs statements as whoever owns everything.
    pub async fn run(&self, statements: &str) {
        execute(&self.url, statements.to_owned()).await.expect("run the test's statements");
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (admin, drop) = (self.admin.clone(), format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        // A runtime of its own: the test's may be single-threaded, or shutting down. What is left goes with the server.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
            let limited = async { tokio::time::timeout(Duration::from_secs(10), execute(&admin, drop)).await };
            runtime.block_on(limited).ok()?.ok()
        })
        .join();
        if !matches!(dropped, Ok(Some(()))) {
            eprintln!("the test's database {} was not dropped", self.name);
        }
    }
}

async fn execute(url: &str, statement: String) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    connection.execute(AssertSqlSafe(statement)).await?;
    connection.close().await
}

/// `url` with another database. The URLs of `tests/run` end with the database's name.
fn with_database(url: &str, name: &str) -> String {
    let (server, _) = url.rsplit_once('/').expect("a URL with a database");
    format!("{server}/{name}")
}

#[cfg(test)]
mod tests {
    use sqlx::{Connection as _, PgConnection, Row as _};

    use super::{fresh_postgres_database, pgbouncer_url_for, postgres_url};

    async fn count(url: &str, name: &str) -> i64 {
        let mut connection = PgConnection::connect(url).await.expect("connect");
        let row =
            sqlx::query("SELECT count(*) FROM pg_database WHERE datname = $1").bind(name).fetch_one(&mut connection);
        row.await.expect("count").get(0)
    }

    #[tokio::test]
    async fn a_database_lives_as_long_as_its_value() {
        let database = fresh_postgres_database().await;
        let name = database.name.clone();
        assert_eq!(count(&postgres_url(), &name).await, 1);

        // Reached through PgBouncer, which then keeps a connection of its own to it.
        let mut bounced = PgConnection::connect(&pgbouncer_url_for(&database)).await.expect("connect");
        let mut transaction = bounced.begin().await.expect("begin");
        let current = sqlx::query("SELECT current_database()").persistent(false).fetch_one(&mut *transaction);
        assert_eq!(current.await.expect("ask").get::<String, _>(0), name);
        transaction.commit().await.expect("commit");

        drop(database);
        assert_eq!(count(&postgres_url(), &name).await, 0);
    }
}
