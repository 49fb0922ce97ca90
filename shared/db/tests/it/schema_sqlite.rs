//! What is found when a table is opened: SQLite, where a declared type is only a word.

use userlink_db::{Condition, DbError, Mapping};
use userlink_domain::{IdKind, RowId};
use uuid::Uuid;

use crate::world::{World, all, bare, ids};

const LOW: &str = "0192f0c1-2b6a-7cde-8f00-0123456799cd";
const HIGH: &str = "a1e5f0c1-2b6a-7cde-8f00-0123456799cd";

async fn with(table: &str) -> World {
    let world = World::sqlite();
    world.run(&format!("CREATE TABLE users {table}")).await;
    world
}

#[tokio::test]
async fn the_declared_type_says_what_the_ids_are() {
    for (declared, kind) in [
        ("INTEGER", Some(IdKind::BigInt)),
        ("bigint", Some(IdKind::BigInt)),
        ("TEXT", Some(IdKind::Text)),
        ("varchar(36)", Some(IdKind::Text)),
        ("UUID", Some(IdKind::Uuid)),
        ("BLOB", Some(IdKind::Uuid)),
        ("REAL", None),
        ("DATETIME", None),
        ("", None),
    ] {
        let world = with(&format!("(id {declared} PRIMARY KEY, cognito_sub TEXT)")).await;
        match world.open(bare()).await {
            Ok(table) => assert_eq!(Some(table.schema().id_kind), kind, "{declared}"),
            Err(DbError::IdType { .. }) => assert_eq!(kind, None, "{declared}"),
            Err(error) => panic!("{declared}: {error}"),
        }
    }
}

#[tokio::test]
async fn a_text_column_may_be_said_to_hold_uuids() {
    let world = with("(id TEXT PRIMARY KEY, cognito_sub TEXT)").await;
    world.run(&format!("INSERT INTO users (id) VALUES ('{HIGH}'), ('{LOW}')")).await;
    assert_eq!(world.open(bare()).await.unwrap().schema().id_kind, IdKind::Text);
    let table = world.open(Mapping { id_kind: Some(IdKind::Uuid), ..bare() }).await.unwrap();
    let rows = all(&table, 1).await;
    assert_eq!(ids(&rows), [LOW, HIGH]);
    assert_eq!(table.by_ids(&[rows[1].id.clone()]).await.unwrap().len(), 1);
}

/// In another form it would not be found again by its id, so it is an error and not a row.
#[tokio::test]
async fn a_uuid_in_another_form_is_an_error_that_names_the_column() {
    for odd in [HIGH.to_ascii_uppercase(), HIGH.replace('-', ""), "nonsense".to_owned()] {
        let world = with("(id TEXT PRIMARY KEY, cognito_sub TEXT)").await;
        world.run(&format!("INSERT INTO users (id) VALUES ('{odd}')")).await;
        let table = world.open(Mapping { id_kind: Some(IdKind::Uuid), ..bare() }).await.unwrap();
        let error = table.page(None, 10).await.err().unwrap();
        assert!(matches!(&error, DbError::Value { column, .. } if column == "id"), "{error}");
        assert!(!error.to_string().contains(&odd) && !error.is_transient());
    }
}

/// Drivers bind a UUID as sixteen bytes, whatever the column was declared as.
#[tokio::test]
async fn uuids_may_be_blobs() {
    for declared in ["BLOB", "UUID"] {
        let world = with(&format!("(id {declared} PRIMARY KEY, cognito_sub TEXT)")).await;
        for id in [HIGH, LOW] {
            world.run(&format!("INSERT INTO users (id) VALUES (x'{}')", id.replace('-', ""))).await;
        }
        let table = world.open(bare()).await.unwrap();
        assert_eq!(ids(&all(&table, 1).await), [LOW, HIGH], "{declared}");
        let high = RowId::Uuid(Uuid::try_parse(HIGH).unwrap());
        assert_eq!(ids(&table.by_ids(&[high]).await.unwrap()), [HIGH], "{declared}");
    }
}

#[tokio::test]
async fn the_id_must_be_a_key_by_itself() {
    for (table, accepted) in [
        ("(id INTEGER PRIMARY KEY, cognito_sub TEXT)", true),
        ("(id TEXT PRIMARY KEY, cognito_sub TEXT) WITHOUT ROWID", true),
        ("(id TEXT NOT NULL UNIQUE, cognito_sub TEXT)", true),
        ("(id TEXT UNIQUE, cognito_sub TEXT)", false),
        ("(id TEXT, cognito_sub TEXT)", false),
        ("(id TEXT, tenant TEXT, cognito_sub TEXT, PRIMARY KEY (tenant, id))", false),
        ("(id TEXT NOT NULL, cognito_sub TEXT); CREATE UNIQUE INDEX i ON users (id) WHERE id > 'a'", false),
        ("(id TEXT NOT NULL, cognito_sub TEXT); CREATE UNIQUE INDEX i ON users (lower(id))", false),
    ] {
        let opened = with(table).await.open(bare()).await;
        assert_eq!(opened.is_ok(), accepted, "{table}: {opened:?}");
        assert!(accepted || matches!(opened, Err(DbError::NotTheKey { .. })), "{table}");
    }
}

#[tokio::test]
async fn the_sub_is_unique_only_when_that_is_sure() {
    for (index, plain, with_condition) in [
        ("", false, false),
        ("CREATE UNIQUE INDEX i ON users (Cognito_Sub)", true, true),
        ("CREATE UNIQUE INDEX i ON users (cognito_sub, tenant)", false, false),
        ("CREATE UNIQUE INDEX i ON users (lower(cognito_sub))", false, false),
        ("CREATE UNIQUE INDEX i ON users (cognito_sub) WHERE \"cognito_sub\" is not null", true, true),
        ("CREATE UNIQUE INDEX i ON users (cognito_sub)\nWHERE (deleted_at IS NULL)", false, true),
        ("CREATE UNIQUE INDEX i ON users (cognito_sub) WHERE deleted_at IS NULL AND cognito_sub NOTNULL", false, false),
        ("CREATE UNIQUE INDEX i ON users (cognito_sub) WHERE deleted_at IS NULL OR tenant > 1", false, false),
    ] {
        let world = with("(id INTEGER PRIMARY KEY, cognito_sub TEXT, tenant, deleted_at)").await;
        world.run(index).await;
        let mapping = Mapping { conditions: vec![("deleted_at".into(), Condition::Null)], ..bare() };
        assert_eq!(world.open(bare()).await.unwrap().schema().sub_unique, plain, "{index}");
        assert_eq!(world.open(mapping).await.unwrap().schema().sub_unique, with_condition, "{index}");
    }
}

#[tokio::test]
async fn a_name_that_is_not_there_brings_up_the_nearest() {
    let world = with("(Id INTEGER PRIMARY KEY, cognito_sub TEXT)").await;
    world.open(bare()).await.unwrap();
    let table = world.open(Mapping { table: "user".into(), ..bare() }).await.err().unwrap();
    assert!(table.to_string().contains("Did you mean users?"), "{table}");
    let column = world.open(Mapping { sub: "cognito".into(), ..bare() }).await.err().unwrap();
    assert!(matches!(column, DbError::ColumnMissing { setting: "sub", .. }), "{column}");
}

/// `"gone"` would be the text 'gone' to SQLite once the column is dropped, and every row would carry it.
#[tokio::test]
async fn a_column_that_goes_away_is_an_error_and_not_a_text() {
    let world = with("(id INTEGER PRIMARY KEY, cognito_sub TEXT, plan TEXT)").await;
    world.run("INSERT INTO users (id) VALUES (1)").await;
    let table = world.open(Mapping { show: vec!["plan".into()], ..bare() }).await.unwrap();
    world.run("ALTER TABLE users DROP COLUMN plan").await;
    assert!(matches!(table.page(None, 1).await, Err(DbError::SchemaChanged { .. })));
}

#[tokio::test]
async fn odd_names_are_read_and_do_nothing_else() {
    let world = World::sqlite();
    world.run("CREATE TABLE victim (id int)").await;
    for (number, odd) in
        ["a\"; DROP TABLE victim; --", "\"", "a\nb", "naïve ☃", "select", "a.b", "$1"].iter().enumerate()
    {
        let quoted = format!("\"{}\"", odd.replace('"', "\"\""));
        world.run(&format!("CREATE TABLE {quoted} (id INTEGER PRIMARY KEY, {quoted} TEXT UNIQUE); INSERT INTO {quoted} VALUES ({number}, NULL)")).await;
        let mapping = Mapping { table: quoted, sub: (*odd).into(), show: vec![(*odd).into()], ..bare() };
        assert_eq!(ids(&all(&world.open(mapping).await.unwrap(), 1).await), [number.to_string()], "{odd:?}");
    }
    assert_eq!(world.number("SELECT count(*) FROM victim").await, 0, "it is still there");
}
