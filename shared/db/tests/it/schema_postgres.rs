//! What is found when a table is opened: PostgreSQL.

use userlink_db::{Condition, Db, DbError, DbOptions, Literal, Mapping};

use crate::world::{World, all, bare, ids};

/// What opening the table `users` comes to.
async fn refusal(world: &World, mapping: Mapping) -> DbError {
    world.open(mapping).await.err().unwrap()
}

#[tokio::test]
async fn a_name_that_is_not_there_brings_up_the_nearest() {
    let world = World::postgres().await;
    world.run("CREATE SCHEMA app; CREATE TABLE app.people (id int PRIMARY KEY, cognito_sub text); CREATE TABLE user_accounts (id int PRIMARY KEY)").await;
    let named = |table: &str| Mapping { table: table.into(), ..bare() };
    let missing = |table: &str, nearest: Option<&str>| DbError::TableMissing {
        table: table.into(),
        nearest: nearest.map(String::from),
    };
    assert_eq!(refusal(&world, named("user_account")).await, missing("user_account", Some("user_accounts")));
    assert_eq!(refusal(&world, named("app.poeple")).await, missing("app.poeple", Some("app.people")));
    assert_eq!(refusal(&world, named("zzz")).await, missing("zzz", None));
    assert!(matches!(refusal(&world, named("nowhere.users")).await, DbError::TableMissing { .. }));
    let error = refusal(&world, Mapping { sub: "cognito_sup".into(), ..named("app.people") }).await;
    assert_eq!(
        error.to_string(),
        "Table app.people has no column cognito_sup, which `sub` names. Did you mean cognito_sub? Check the mapping."
    );
    assert!(error.is_settings() && !error.is_transient());
    let shown = refusal(&world, Mapping { show: vec!["ctid".into()], ..named("app.people") }).await;
    assert!(matches!(shown, DbError::ColumnMissing { setting: "show", .. }), "system columns are none");
}

#[tokio::test]
async fn the_id_must_be_a_key_by_itself() {
    let world = World::postgres().await;
    for (table, accepted) in [
        ("(id int PRIMARY KEY, cognito_sub text)", true),
        ("(id int NOT NULL UNIQUE, other int PRIMARY KEY, cognito_sub text)", true),
        ("(id int UNIQUE, cognito_sub text)", false),
        ("(id int NOT NULL, cognito_sub text)", false),
        ("(id int, tenant int, cognito_sub text, PRIMARY KEY (id, tenant))", false),
        ("(id int, tenant int, cognito_sub text, PRIMARY KEY (tenant, id))", false),
        ("(id int NOT NULL, cognito_sub text); CREATE UNIQUE INDEX i ON users (id) WHERE id > 0", false),
        ("(id int NOT NULL, cognito_sub text); CREATE UNIQUE INDEX i ON users (abs(id))", false),
        ("(id int NOT NULL, cognito_sub text); CREATE UNIQUE INDEX i ON users (id) INCLUDE (cognito_sub)", true),
    ] {
        world.run(&format!("DROP TABLE IF EXISTS users; CREATE TABLE users {table}")).await;
        match world.open(bare()).await {
            Ok(_) => assert!(accepted, "{table}"),
            Err(DbError::NotTheKey { column, why, .. }) => {
                assert!(!accepted && column == "id", "{table}");
                assert_eq!(why.contains("several"), table.contains("(id, tenant)") || table.contains("(tenant, id)"));
            }
            Err(error) => panic!("{table}: {error}"),
        }
    }
    world.run("DROP TABLE users; CREATE TABLE t (id int PRIMARY KEY, cognito_sub text); CREATE VIEW users AS SELECT * FROM t").await;
    assert!(matches!(refusal(&world, bare()).await, DbError::NotTheKey { .. }), "a view has no key");
}

#[tokio::test]
async fn types_that_do_not_fit_are_named() {
    let world = World::postgres().await;
    world.run("CREATE DOMAIN code AS varchar(20)").await;
    for (id, accepted) in [
        ("uuid", true),
        ("int8", true),
        ("int4", true),
        ("int2", true),
        ("text", true),
        ("varchar(40)", true),
        ("code", true),
        ("char(36)", false),
        ("numeric", false),
        ("bytea", false),
        ("date", false),
        ("jsonb", false),
    ] {
        world
            .run(&format!("DROP TABLE IF EXISTS users; CREATE TABLE users (id {id} PRIMARY KEY, cognito_sub text)"))
            .await;
        match world.open(bare()).await {
            Ok(_) => assert!(accepted, "{id}"),
            Err(DbError::IdType { found, .. }) => {
                assert!(!accepted && (found == id || found == "character(36)"), "{id}: {found}");
            }
            Err(error) => panic!("{id}: {error}"),
        }
    }
    for (sub, accepted) in [("text", true), ("varchar(36)", true), ("uuid", true), ("int", false), ("char(36)", false)]
    {
        world.run(&format!("DROP TABLE users; CREATE TABLE users (id int PRIMARY KEY, cognito_sub {sub})")).await;
        let opened = world.open(bare()).await;
        assert_eq!(opened.is_ok(), accepted, "{sub}");
        assert!(accepted || matches!(opened, Err(DbError::SubType { .. })));
    }
    world.run("DROP TABLE users; CREATE TABLE users (id int PRIMARY KEY, cognito_sub text, created_at bigint)").await;
    let with_time = Mapping { email: None, ..Mapping::default() };
    assert!(matches!(refusal(&world, with_time).await, DbError::TimeType { setting: "created_at", .. }));
    let as_uuid = Mapping { id_kind: Some(userlink_domain::IdKind::Uuid), ..bare() };
    assert!(matches!(refusal(&world, as_uuid).await, DbError::IdType { .. }));
}

#[tokio::test]
async fn a_value_that_cannot_be_one_is_found_at_once() {
    let world = World::postgres().await;
    world.run("CREATE TABLE users (id int PRIMARY KEY, cognito_sub text, tenant uuid)").await;
    let tenant = |text: &str| Mapping {
        conditions: vec![("tenant".into(), Condition::Equals(Literal::Text(text.into())))],
        ..bare()
    };
    let error = refusal(&world, tenant("acme-secret")).await;
    assert!(matches!(error, DbError::ConditionValue { .. }));
    assert!(!format!("{error} {error:?}").contains("acme-secret"), "no value in a message");
    world.open(tenant("0192f0c1-2b6a-7cde-8f00-0123456799cd")).await.unwrap();
}

#[tokio::test]
async fn the_sub_is_unique_only_when_that_is_sure() {
    let world = World::postgres().await;
    let without_deleted = || Mapping { conditions: vec![("deleted_at".into(), Condition::Null)], ..bare() };
    for (index, plain, with_condition) in [
        ("", false, false),
        ("CREATE INDEX i ON users (cognito_sub)", false, false),
        ("CREATE UNIQUE INDEX i ON users (cognito_sub)", true, true),
        ("ALTER TABLE users ADD UNIQUE (cognito_sub)", true, true),
        ("CREATE UNIQUE INDEX i ON users (cognito_sub, tenant)", false, false),
        ("CREATE UNIQUE INDEX i ON users (lower(cognito_sub))", false, false),
        ("CREATE UNIQUE INDEX i ON users (cognito_sub) WHERE cognito_sub IS NOT NULL", true, true),
        ("CREATE UNIQUE INDEX i ON users (cognito_sub) WHERE deleted_at IS NULL", false, true),
        (
            "CREATE UNIQUE INDEX i ON users (cognito_sub) WHERE deleted_at IS NULL AND cognito_sub IS NOT NULL",
            false,
            true,
        ),
        ("CREATE UNIQUE INDEX i ON users (cognito_sub) WHERE deleted_at IS NULL OR tenant > 1", false, false),
        ("CREATE UNIQUE INDEX i ON users (cognito_sub) WHERE tenant = 1", false, false),
        ("CREATE UNIQUE INDEX i ON users (cognito_sub) WHERE deleted_at IS NOT NULL", false, false),
    ] {
        world.run("DROP TABLE IF EXISTS users; CREATE TABLE users (id int PRIMARY KEY, cognito_sub text, tenant int, deleted_at date)").await;
        world.run(index).await;
        assert_eq!(world.open(bare()).await.unwrap().schema().sub_unique, plain, "{index}");
        assert_eq!(world.open(without_deleted()).await.unwrap().schema().sub_unique, with_condition, "{index}");
    }
}

#[tokio::test]
async fn a_policy_is_an_error_only_where_it_hides_rows_from_us() {
    let world = World::postgres().await;
    world.run("CREATE TABLE users (id int PRIMARY KEY, cognito_sub text); INSERT INTO users VALUES (1), (2)").await;
    let (url, name) = world.role("").await;
    let (_, bypass) = world.role("BYPASSRLS").await;
    world.run(&format!("GRANT SELECT ON users TO {name}, {bypass}")).await;
    let reader = Db::connect(&DbOptions::new(&url)).await.unwrap();
    let before = reader.open(bare()).await.unwrap();
    assert_eq!(all(&before, 10).await.len(), 2);

    world.run("ALTER TABLE users ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON users USING (id = 1)").await;
    let error = reader.open(bare()).await.err().unwrap();
    assert!(matches!(error, DbError::RowSecurity { .. }) && error.is_settings(), "{error}");
    assert!(error.to_string().contains("BYPASSRLS"));
    let later = before.page(None, 10).await;
    assert!(
        matches!(later, Err(DbError::RowSecurity { .. })),
        "switched on later, it is an error and no gap: {later:?}"
    );

    let bypass = url.replace(&name, &bypass);
    let bypass = Db::connect(&DbOptions::new(bypass)).await.unwrap().open(bare()).await.unwrap();
    assert_eq!(all(&bypass, 10).await.len(), 2);
    assert_eq!(all(&world.open(bare()).await.unwrap(), 10).await.len(), 2, "nor for who owns it");
}

#[tokio::test]
async fn a_missing_privilege_is_named() {
    let world = World::postgres().await;
    world.run("CREATE SCHEMA app; CREATE TABLE app.users (id int PRIMARY KEY, cognito_sub text, secret text); INSERT INTO app.users VALUES (1)").await;
    let (url, name) = world.role("").await;
    let db = Db::connect(&DbOptions::new(&url)).await.unwrap();
    let mapping = || Mapping { table: "app.users".into(), ..bare() };
    let refused = async |mapping| match db.open(mapping).await {
        Err(DbError::Permission { what }) => what,
        other => panic!("{other:?}"),
    };
    refused(mapping()).await;
    world.run(&format!("GRANT USAGE ON SCHEMA app TO {name}")).await;
    assert_eq!(refused(mapping()).await, "table app.users");
    world.run(&format!("GRANT SELECT (id, cognito_sub) ON app.users TO {name}")).await;
    assert_eq!(all(&db.open(mapping()).await.unwrap(), 5).await.len(), 1, "the columns that are read are enough");
    assert_eq!(refused(Mapping { show: vec!["secret".into()], ..mapping() }).await, "column secret of app.users");
}

#[tokio::test]
async fn odd_names_are_read_and_do_nothing_else() {
    let world = World::postgres().await;
    world.run("CREATE TABLE victim (id int)").await;
    for odd in ["a\"; DROP TABLE victim; --", "\"", "a\nb", "naïve ☃", "select", "a.b", "$1", "Sub"] {
        let quoted = format!("\"{}\"", odd.replace('"', "\"\""));
        world
            .run(&format!(
                "DROP SCHEMA IF EXISTS odd CASCADE; CREATE SCHEMA odd;
                 CREATE TABLE odd.{quoted} (id text PRIMARY KEY, {quoted} text UNIQUE);
                 INSERT INTO odd.{quoted} VALUES ('{}', NULL)",
                odd
            ))
            .await;
        let conditions =
            vec![(odd.to_owned(), Condition::Null), ("id".to_owned(), Condition::Equals(Literal::Text(odd.into())))];
        let mapping =
            Mapping { table: format!("odd.{quoted}"), sub: odd.into(), show: vec![odd.into()], conditions, ..bare() };
        let table = world.open(mapping).await.unwrap();
        assert!(table.schema().sub_unique, "{odd:?}");
        assert_eq!(ids(&all(&table, 1).await), [odd]);
    }
    assert_eq!(world.number("SELECT count(*) FROM victim").await, 0, "it is still there");
}

#[tokio::test]
async fn rows_are_estimated_once_the_table_was_analyzed() {
    let world = World::postgres().await;
    world.run("CREATE TABLE users (id int PRIMARY KEY, cognito_sub text); INSERT INTO users SELECT generate_series(1, 1000)").await;
    let schema = world.open(bare()).await.unwrap().schema().clone();
    assert_eq!((schema.estimated_rows, schema.table.as_str()), (None, "users"));
    assert!(schema.database.starts_with("t_"));
    world.run("ANALYZE users").await;
    assert_eq!(world.open(bare()).await.unwrap().schema().estimated_rows, Some(1000));
}
