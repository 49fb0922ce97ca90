//! What is ours in the database, made once.

use userlink_db::{DbError, Mapping, MigrateOptions, migrate};
use userlink_domain::IdKind;

use crate::world::{World, all};

const ALL: MigrateOptions = MigrateOptions { users_table: true, journal: true };

#[tokio::test]
async fn what_is_asked_for_is_made_once() {
    for world in World::both().await {
        let db = world.db().await;
        assert_eq!(
            migrate(&db, &MigrateOptions::default()).await.unwrap(),
            ["0001_journal", "0003_journal_plan", "0004_dismissals"]
        );
        assert_eq!(migrate(&db, &MigrateOptions::default()).await.unwrap(), [""; 0]);
        assert_eq!(migrate(&db, &ALL).await.unwrap(), ["0002_users"]);
        assert_eq!(migrate(&db, &ALL).await.unwrap(), [""; 0]);
        assert_eq!(world.number("SELECT count(*) FROM userlink_migrations").await, 4);
    }
}

#[tokio::test]
async fn our_own_table_opens_with_the_default_mapping() {
    for world in World::both().await {
        migrate(&world.db().await, &ALL).await.unwrap();
        world.run("INSERT INTO users (email) VALUES ('ada@example.org'), ('bob@example.org')").await;
        let table = world.open(Mapping { updated_at: Some("updated_at".into()), ..Mapping::default() }).await.unwrap();
        let schema = table.schema();
        assert_eq!((schema.id_kind, schema.sub_unique, schema.key_in_order), (IdKind::Uuid, true, true));
        let rows = all(&table, 1).await;
        assert_eq!(rows.len(), 2);
        assert!(rows.iter().all(|row| row.created_at.is_some() && row.created_at == row.updated_at));
    }
}

#[tokio::test]
async fn the_application_s_own_books_are_left_alone() {
    for world in World::both().await {
        world.run("CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text); INSERT INTO _sqlx_migrations VALUES (1, 'theirs')").await;
        migrate(&world.db().await, &ALL).await.unwrap();
        assert_eq!(world.number("SELECT count(*) FROM _sqlx_migrations").await, 1);
    }
}

#[tokio::test]
async fn a_text_that_was_changed_since_is_refused() {
    for world in World::both().await {
        let db = world.db().await;
        migrate(&db, &MigrateOptions::default()).await.unwrap();
        world.run("UPDATE userlink_migrations SET script = script || ' '").await;
        assert_eq!(migrate(&db, &ALL).await, Err(DbError::MigrationChanged { name: "0001_journal".into() }));
    }
}

#[tokio::test]
async fn a_users_table_of_the_application_s_is_not_taken_for_ours() {
    for world in World::both().await {
        world.run("CREATE TABLE users (name text)").await;
        let db = world.db().await;
        assert_eq!(migrate(&db, &ALL).await, Err(DbError::TableExists));
        assert_eq!(
            migrate(&db, &MigrateOptions::default()).await.unwrap(),
            ["0001_journal", "0003_journal_plan", "0004_dismissals"],
            "nothing was left behind"
        );
    }
}

#[tokio::test]
async fn who_may_not_create_may_still_find_all_done() {
    let world = World::postgres().await;
    migrate(&world.db().await, &ALL).await.unwrap();
    let (url, name) = world.role("").await;
    world.run(&format!("GRANT SELECT ON userlink_migrations TO {name}")).await;
    let db = userlink_db::Db::connect(&userlink_db::DbOptions::new(url)).await.unwrap();
    assert_eq!(migrate(&db, &ALL).await.unwrap(), [""; 0]);
}
