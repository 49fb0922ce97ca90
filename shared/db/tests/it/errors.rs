//! What goes wrong, and that nothing is given away when it does.

use std::time::Duration;

use userlink_db::{Db, DbError, DbOptions, Journal, JournalError, MigrateOptions, Tls, migrate};
use userlink_kit::postgres_url;

use crate::world::{World, all, bare};

async fn refusal(options: &DbOptions) -> DbError {
    let error = Db::connect(options).await.err().unwrap();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    error
}

#[tokio::test]
async fn each_reason_not_to_connect_has_its_name() {
    let (_, at) = postgres_url().rsplit_once('@').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let (server, _) = at.rsplit_once('/').unwrap();
    let to = |user: &str, place: &str| DbOptions::new(format!("postgres://{user}:hunter2@{place}"));
    assert!(matches!(refusal(&to("nobody", &at)).await, DbError::PasswordRefused { .. }));

    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = refusal(&to("nobody", &format!("127.0.0.1:{port}/app"))).await;
    assert!(error.to_string().contains(&format!("127.0.0.1:{port}")), "{error}");
    assert!(matches!(error, DbError::Unreachable { .. }) && error.is_transient() && !error.is_settings());

    let missing = postgres_url().replace(&at, &format!("{server}/no_such_database"));
    assert!(matches!(refusal(&DbOptions::new(missing)).await, DbError::DatabaseMissing { .. }));
    let tls = DbOptions { tls: Some(Tls::VerifyFull), ..to("nobody", &at) };
    assert!(
        matches!(refusal(&tls).await, DbError::Tls { .. }),
        "the server has no TLS, and none is not taken for some"
    );
    let cert = DbOptions { root_cert: Some("no/such.pem".into()), ..to("nobody", &at) };
    assert!(matches!(refusal(&cert).await, DbError::RootCert { .. }));

    // It takes the connection and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = format!("{}/app", silent.local_addr().unwrap());
    let patient = DbOptions { connect_timeout: Duration::from_millis(300), ..to("nobody", &place) };
    assert!(matches!(refusal(&patient).await, DbError::Unreachable { .. }));
}

#[tokio::test]
async fn a_file_that_is_missing_or_something_else_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("app.db");
    let options = DbOptions::new(format!("sqlite:{}", file.display()));
    assert!(matches!(refusal(&options).await, DbError::DatabaseMissing { .. }));
    assert!(!file.exists());
    Db::connect(&DbOptions { create_if_missing: true, ..options.clone() }).await.unwrap();
    assert!(file.exists());
    std::fs::write(&file, "no database at all, but long enough to be looked into. ".repeat(99)).unwrap();
    assert!(matches!(refusal(&options).await, DbError::NotADatabase { .. }));
}

#[tokio::test]
async fn read_only_writes_nothing() {
    for world in World::both().await {
        world
            .run("CREATE TABLE users (id bigint PRIMARY KEY, cognito_sub text); INSERT INTO users VALUES (1, NULL)")
            .await;
        migrate(&world.db().await, &MigrateOptions::default()).await.unwrap();
        let db = Db::connect(&DbOptions { read_only: true, ..DbOptions::new(&world.url) }).await.unwrap();
        assert_eq!(all(&db.open(bare()).await.unwrap(), 5).await.len(), 1);
        let all_of_it = MigrateOptions { journal: true, users_table: true };
        assert_eq!(migrate(&db, &all_of_it).await, Err(DbError::ReadOnly));
        let journal = Journal::open(&db).await.unwrap();
        assert_eq!(journal.opened(&crate::journal::entry(1)).await, Err(JournalError::Db(DbError::ReadOnly)));
        let open = journal.open_entries(&crate::journal::linkage()).await.unwrap();
        assert!(open.entries.is_empty(), "reading it is no writing");
    }
}

/// A function in a view or a rule could write; the transaction itself does not let it.
#[tokio::test]
async fn reading_is_read_only_on_the_server_too() {
    let world = World::postgres().await;
    world.run("CREATE TABLE seen (n int); CREATE FUNCTION peek() RETURNS text LANGUAGE sql AS 'INSERT INTO seen VALUES (1) RETURNING ''x'''").await;
    world
        .run("CREATE TABLE users (id int PRIMARY KEY, cognito_sub text, plan text); INSERT INTO users VALUES (1)")
        .await;
    world.run("CREATE FUNCTION spy(text) RETURNS text LANGUAGE sql AS 'SELECT peek()'; CREATE TYPE odd AS (a int); ALTER TABLE users ADD odd odd DEFAULT '(1)'; CREATE FUNCTION odd_text(odd) RETURNS text LANGUAGE sql AS 'SELECT peek()'; CREATE CAST (odd AS text) WITH FUNCTION odd_text(odd)").await;
    let error = world.open(userlink_db::Mapping { show: vec!["odd".into()], ..bare() }).await.err().unwrap();
    assert!(matches!(error, DbError::ReadOnlyServer { .. }), "{error}");
    assert_eq!(world.number("SELECT count(*) FROM seen").await, 0);
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_stopped() {
    let world = World::postgres().await;
    world.run("CREATE TYPE slow AS (a int); CREATE TABLE users (id int PRIMARY KEY, cognito_sub text, slow slow); INSERT INTO users VALUES (1, NULL, '(1)')").await;
    world.run("CREATE FUNCTION slow_text(slow) RETURNS text LANGUAGE sql AS 'SELECT pg_sleep(20)::text'; CREATE CAST (slow AS text) WITH FUNCTION slow_text(slow)").await;
    let options =
        DbOptions { statement_timeout: Duration::from_millis(200), max_connections: 1, ..DbOptions::new(&world.url) };
    let db = Db::connect(&options).await.unwrap();
    let mapping = userlink_db::Mapping { show: vec!["slow".into()], ..bare() };
    let error = db.open(mapping).await.err().unwrap();
    assert_eq!(error, DbError::Timeout);
    assert!(error.is_transient() && !error.to_string().contains("raise"), "there is no setting to raise");
    assert_eq!(all(&db.open(bare()).await.unwrap(), 5).await.len(), 1, "and the connection is good again");
}

const CUT: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";

#[tokio::test]
async fn a_connection_that_was_cut_is_replaced() {
    let world = World::postgres().await;
    world.run("CREATE TABLE users (id int PRIMARY KEY, cognito_sub text); INSERT INTO users VALUES (1)").await;
    let table = world.open(bare()).await.unwrap();
    world.run(CUT).await;
    // Each connection that was cut is found out once, at most.
    let mut failures = 0;
    while let Err(error) = table.page(None, 5).await {
        assert!(matches!(error, DbError::ConnectionLost { .. }) && error.is_transient(), "{error}");
        failures += 1;
        assert!(failures <= 4, "as many as there can be connections");
    }
    tokio::time::sleep(Duration::from_millis(1100)).await;
    world.run(CUT).await;
    assert_eq!(table.page(None, 5).await.unwrap().len(), 1, "one that lay idle is asked first");
}

/// Reads may be aborted: nothing of an aborted one is left in the connection that the next one gets.
#[tokio::test]
async fn an_aborted_read_leaves_no_open_transaction() {
    let world = World::postgres().await;
    world.run("CREATE TABLE users (id int PRIMARY KEY, cognito_sub text); INSERT INTO users SELECT generate_series(1, 1000)").await;
    let table = world.open(bare()).await.unwrap();
    for micros in (0..20_000).step_by(200) {
        drop(tokio::time::timeout(Duration::from_micros(micros), table.page(None, 1000)).await);
        // What a dropped connection leaves behind is given time to be seen, and no later read to end it.
        if micros % 1000 == 0 {
            let idle =
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'";
            let mut tries = 0;
            while world.number(idle).await > 0 {
                tries += 1;
                assert!(tries < 50, "a transaction stays open after {micros} µs");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    assert_eq!(table.page(None, 2000).await.unwrap().len(), 1000);
}

#[tokio::test]
async fn nothing_that_is_shown_holds_the_password() {
    let world = World::postgres().await;
    world.run("CREATE TABLE users (id int PRIMARY KEY, cognito_sub text, email text); INSERT INTO users VALUES (1, NULL, 'ada@example.org')").await;
    let (url, name) = world.role("").await;
    world.run(&format!("GRANT SELECT ON users TO {name}; ALTER ROLE {name} PASSWORD 'hunter2'")).await;
    let options = DbOptions::new(url.replace(":pw@", ":hunter2@"));
    let db = Db::connect(&options).await.unwrap();
    let table = db.open(userlink_db::Mapping { email: Some("email".into()), ..bare() }).await.unwrap();
    let rows = table.page(None, 5).await.unwrap();
    let shown = format!("{options:?} {db:?} {table:?} {:?} {:?} {rows:?}", table.schema(), table.mapping());
    assert!(!shown.contains("hunter2") && !shown.contains("ada@"), "{shown}");
}
