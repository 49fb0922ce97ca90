//! Pages, look-ups, conditions and values, on both databases.

use userlink_db::{Condition, Literal, Mapping};
use userlink_domain::{EmailKey, IdKind, RowId, Sub, Timestamp};
use uuid::Uuid;

use crate::world::{World, all, bare, ids, text_id};

const ADA: &str = "0192f0c1-2b6a-7cde-8f00-0123456799cd";
const BOB: &str = "a192f0c1-2b6a-7cde-8f00-0123456799ce";

#[tokio::test]
async fn uuids_come_in_the_order_of_their_bytes() {
    for world in World::both().await {
        let kind = if world.is_postgres() { "uuid" } else { "UUID" };
        world.run(&format!("CREATE TABLE users (id {kind} PRIMARY KEY, cognito_sub text)")).await;
        let mut wanted: Vec<String> = (0..57).map(|_| Uuid::new_v4().to_string()).collect();
        let values: Vec<String> = wanted.iter().map(|id| format!("('{id}', NULL)")).collect();
        world.run(&format!("INSERT INTO users VALUES {}", values.join(", "))).await;
        wanted.sort();
        let table = world.open(bare()).await.unwrap();
        assert_eq!(table.schema().id_kind, IdKind::Uuid);
        assert_eq!(ids(&all(&table, 10).await), wanted);
        assert_eq!(ids(&all(&table, 57).await), wanted, "a page that is just full is followed by an empty one");
    }
}

#[tokio::test]
async fn integers_come_as_numbers_from_the_smallest_on() {
    let wanted = ["-9223372036854775808", "-7", "0", "2", "10", "9223372036854775807"];
    for world in World::both().await {
        world.run("CREATE TABLE users (id bigint PRIMARY KEY, cognito_sub text)").await;
        for id in ["10", "2", "-7", "0", "9223372036854775807", "-9223372036854775808"] {
            world.run(&format!("INSERT INTO users VALUES ({id}, NULL)")).await;
        }
        let table = world.open(bare()).await.unwrap();
        assert_eq!(ids(&all(&table, 2).await), wanted);
        let found = table.by_ids(&[RowId::BigInt(i64::MIN), RowId::BigInt(2), RowId::BigInt(3)]).await.unwrap();
        assert_eq!(ids(&found), [wanted[0], "2"]);
    }
}

#[tokio::test]
async fn small_integers_are_ids_too() {
    let world = World::postgres().await;
    world.run("CREATE TABLE a (id int PRIMARY KEY, cognito_sub text); INSERT INTO a VALUES (3), (1), (-2)").await;
    world.run("CREATE TABLE b (id smallint PRIMARY KEY, cognito_sub text); INSERT INTO b VALUES (3), (1), (-2)").await;
    for name in ["a", "b"] {
        let table = world.open(Mapping { table: name.into(), ..bare() }).await.unwrap();
        assert_eq!(ids(&all(&table, 1).await), ["-2", "1", "3"]);
        // An id that the column could not hold names no row, and is no error.
        assert_eq!(table.by_ids(&[RowId::BigInt(i64::MAX), RowId::BigInt(3)]).await.unwrap().len(), 1);
    }
}

/// In a language's order `a`, `A`, `b` and in an order that ignores case the texts stand otherwise than by bytes.
#[tokio::test]
async fn texts_come_by_bytes_in_any_collation() {
    let wanted = ["", " ", "A", "B", "a", "a b", "ab", "b", "z", "é", "ﬁ", "😀"];
    for world in World::both().await {
        if world.is_postgres() {
            world.run("CREATE COLLATION german (provider = icu, locale = 'de-u-kn-true')").await;
            world.run("CREATE TABLE users (id text COLLATE german PRIMARY KEY, cognito_sub text)").await;
        } else {
            world.run("CREATE TABLE users (id TEXT COLLATE RTRIM PRIMARY KEY, cognito_sub text)").await;
        }
        for id in wanted.iter().rev() {
            // RTRIM takes a blank for nothing.
            if world.is_postgres() || *id != " " {
                world.run(&format!("INSERT INTO users VALUES ('{id}', NULL)")).await;
            }
        }
        let table = world.open(bare()).await.unwrap();
        assert_eq!(table.schema().id_kind, IdKind::Text);
        assert_eq!(table.schema().key_in_order, !world.is_postgres());
        let mut wanted: Vec<&str> = wanted.to_vec();
        wanted.retain(|id| world.is_postgres() || *id != " ");
        for limit in [1, 3, 100] {
            assert_eq!(ids(&all(&table, limit).await), wanted, "pages of {limit}");
        }
        let found = table.by_ids(&[text_id("a"), text_id("😀"), text_id("a  "), text_id("x\0y")]).await.unwrap();
        assert_eq!(ids(&found), ["a", "😀"], "byte for byte, whatever the collation takes for equal");
    }
}

#[tokio::test]
async fn a_collation_that_ignores_case_finds_no_other_row() {
    let world = World::postgres().await;
    world.run("CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)").await;
    world
        .run("CREATE TABLE users (id text COLLATE loose PRIMARY KEY, cognito_sub text, email text COLLATE loose)")
        .await;
    world.run("INSERT INTO users VALUES ('Ada', NULL, 'Ada@example.org'), ('bob', NULL, NULL)").await;
    let table = world.open(Mapping { email: Some("email".into()), ..bare() }).await.unwrap();
    assert_eq!(ids(&table.by_ids(&[text_id("ada"), text_id("bob")]).await.unwrap()), ["bob"]);
    assert_eq!(table.by_email(&EmailKey::of("ada@example.org").unwrap()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn only_the_rows_of_the_conditions_count() {
    for world in World::both().await {
        world.run("CREATE TABLE users (id bigint PRIMARY KEY, cognito_sub text, email text, tenant varchar(8), region bigint, active boolean, deleted_at date)").await;
        world
            .run(
                "INSERT INTO users VALUES
                (1, NULL, 'a@x', 'acme', 7, true, NULL), (2, NULL, 'a@x', 'other', 7, true, NULL),
                (3, NULL, 'a@x', 'acme', 8, true, NULL), (4, NULL, 'a@x', 'acme', 7, false, NULL),
                (5, NULL, 'a@x', 'acme', 7, true, '2026-01-01'), (6, NULL, 'a@x', 'acme', 7, true, NULL)",
            )
            .await;
        let is = |literal| Condition::Equals(literal);
        let mapping = Mapping {
            email: Some("email".into()),
            conditions: vec![
                ("tenant".into(), is(Literal::Text("acme".into()))),
                ("region".into(), is(Literal::Integer(7))),
                ("active".into(), is(Literal::Bool(true))),
                ("deleted_at".into(), Condition::Null),
                ("id".into(), Condition::NotNull),
            ],
            ..bare()
        };
        let table = world.open(mapping).await.unwrap();
        assert_eq!(ids(&all(&table, 1).await), ["1", "6"]);
        assert_eq!(ids(&table.by_ids(&(1..=6).map(RowId::BigInt).collect::<Vec<_>>()).await.unwrap()), ["1", "6"]);
        assert_eq!(ids(&table.by_email(&EmailKey::of("A@x").unwrap()).await.unwrap()), ["1", "6"]);

        // Longer than the column: equal to nothing, and not to its beginning.
        let longer =
            vec![("tenant".into(), is(Literal::Text("acme".repeat(3)))), ("deleted_at".into(), Condition::Null)];
        let table = world.open(Mapping { conditions: longer, ..bare() }).await.unwrap();
        assert!(all(&table, 10).await.is_empty());
    }
}

#[tokio::test]
async fn a_sub_is_found_in_any_case_and_blank_ones_are_none() {
    for world in World::both().await {
        world.run("CREATE TABLE users (id bigint PRIMARY KEY, cognito_sub text)").await;
        let upper = ADA.to_ascii_uppercase();
        let mixed = ADA.replace('f', "F");
        world
            .run(&format!(
                "INSERT INTO users VALUES (1, '{upper}'), (2, '{ADA}'), (3, '{mixed}'), (4, ''), (5, '{BOB}')"
            ))
            .await;
        let table = world.open(bare()).await.unwrap();
        let ada = Sub::parse(ADA).unwrap();
        assert_eq!(ids(&table.by_subs(&[ada]).await.unwrap()), ["1", "2", "3"]);
        assert_eq!(all(&table, 10).await[3].sub(), None);

        world.run("CREATE INDEX users_sub ON users (cognito_sub)").await;
        let table = world.open(bare()).await.unwrap();
        assert!(table.schema().sub_indexed);
        assert_eq!(ids(&table.by_subs(&[ada, ada]).await.unwrap()), ["1", "2"], "with an index: the two usual forms");
    }
}

#[tokio::test]
async fn a_sub_may_be_a_uuid() {
    let world = World::postgres().await;
    world.run("CREATE TABLE users (id bigint PRIMARY KEY, cognito_sub uuid UNIQUE)").await;
    world.run(&format!("INSERT INTO users VALUES (1, '{ADA}'), (2, NULL)")).await;
    let table = world.open(bare()).await.unwrap();
    assert!(table.schema().sub_is_uuid && table.schema().sub_unique);
    let rows = table.by_subs(&[Sub::parse(ADA).unwrap(), Sub::parse(BOB).unwrap()]).await.unwrap();
    assert_eq!(rows[0].sub.as_deref(), Some(ADA));
    assert_eq!(rows.len(), 1);
}

#[tokio::test]
async fn an_address_is_folded_in_ascii_alone() {
    for world in World::both().await {
        world.run("CREATE TABLE users (id bigint PRIMARY KEY, cognito_sub text, email text)").await;
        world
            .run(
                "INSERT INTO users VALUES (1, NULL, 'Ada@Example.org'), (2, NULL, '  ada@example.ORG\u{a0}\t'),
                (3, NULL, 'lovelada@example.org'), (4, NULL, 'İan@example.org'), (5, NULL, ''), (6, NULL, NULL),
                (7, NULL, 'ADÉ@example.org')",
            )
            .await;
        let table = world.open(Mapping { email: Some("email".into()), ..bare() }).await.unwrap();
        let find = async |address: &str| ids(&table.by_email(&EmailKey::of(address).unwrap()).await.unwrap());
        assert_eq!(find("ADA@example.org").await, ["1", "2"]);
        assert!(find("ian@example.org").await.is_empty(), "PostgreSQL's lower() would give İ for i");
        assert!(find("adé@example.org").await.is_empty());
        assert_eq!(find("adÉ@example.org").await, ["7"]);
        assert!(find("%").await.is_empty());
    }
}

#[tokio::test]
async fn moments_are_read_from_every_type() {
    let world = World::postgres().await;
    world.run("SET timezone = 'Asia/Tokyo'; CREATE TABLE users (id bigint PRIMARY KEY, cognito_sub text, a timestamptz, b timestamp, c date)").await;
    world.run("INSERT INTO users VALUES (1, NULL, '2026-11-23 10:00:00.123+00', '2026-11-23 10:00:00.9999', '2026-11-23'), (2, NULL, 'infinity', '-infinity', 'infinity'), (3, NULL, '1969-12-31 23:59:59.9999+00', NULL, NULL)").await;
    let read = async |column: &str| {
        let mapping = Mapping { created_at: Some(column.into()), updated_at: Some(column.into()), ..bare() };
        let rows = all(&world.open(mapping).await.unwrap(), 10).await;
        assert_eq!(rows[0].created_at, rows[0].updated_at);
        rows.iter().map(|row| row.created_at.map(Timestamp::as_millis)).collect::<Vec<_>>()
    };
    assert_eq!(read("a").await, [Some(1_795_428_000_123), None, Some(-1)]);
    assert_eq!(read("b").await, [Some(1_795_428_000_999), None, None]);
    assert_eq!(read("c").await, [Some(1_795_392_000_000), None, None]);
}

#[tokio::test]
async fn sqlite_writes_moments_in_many_ways() {
    let world = World::sqlite();
    world.run("CREATE TABLE users (id INTEGER PRIMARY KEY, cognito_sub TEXT, at)").await;
    let moments = [
        ("'2026-11-23T10:00:00.123Z'", Some(1_795_428_000_123)),
        ("'2026-11-23 10:00:00'", Some(1_795_428_000_000)),
        ("'2026-11-23T12:00:00+02:00'", Some(1_795_428_000_000)),
        ("'2026-11-23'", Some(1_795_392_000_000)),
        ("1795428000", Some(1_795_428_000_000)),
        ("1795428000123", Some(1_795_428_000_123)),
        ("1795428000.5", Some(1_795_428_000_500)),
        ("'now'", None),
        ("'12'", None),
        ("''", None),
        ("NULL", None),
        ("x'00'", None),
    ];
    for (value, _) in moments {
        world.run(&format!("INSERT INTO users (at) VALUES ({value})")).await;
    }
    let table = world.open(Mapping { created_at: Some("at".into()), ..bare() }).await.unwrap();
    let read: Vec<_> = all(&table, 5).await.iter().map(|row| row.created_at.map(Timestamp::as_millis)).collect();
    assert_eq!(read, moments.map(|(_, wanted)| wanted));
}

#[tokio::test]
async fn shown_columns_are_texts_of_any_type_and_cut() {
    let world = World::postgres().await;
    world.run("CREATE TYPE mood AS ENUM ('fine'); CREATE TABLE users (id bigint PRIMARY KEY, cognito_sub text, a mood, b jsonb, c numeric[], d text, e bytea, f boolean)").await;
    world
        .run("INSERT INTO users VALUES (1, NULL, 'fine', '{\"x\": 1}', '{1.5,2}', repeat('é', 5000), '\\x00ff', NULL)")
        .await;
    let mapping = Mapping { show: ["a", "b", "c", "d", "e", "f"].map(String::from).to_vec(), ..bare() };
    let row = all(&world.open(mapping).await.unwrap(), 5).await.remove(0);
    let shown: Vec<_> = row.show.iter().map(|value| value.as_deref()).collect();
    let cut = "é".repeat(200);
    assert_eq!(shown, [Some("fine"), Some("{\"x\": 1}"), Some("{1.5,2}"), Some(&*cut), Some("\\x00ff"), None]);

    let world = World::sqlite();
    world.run("CREATE TABLE users (id INTEGER PRIMARY KEY, cognito_sub TEXT, a, b, c)").await;
    world.run(&format!("INSERT INTO users VALUES (1, NULL, 1.5, '{}', NULL)", "é".repeat(5000))).await;
    let mapping = Mapping { show: ["a", "b", "c"].map(String::from).to_vec(), ..bare() };
    let row = all(&world.open(mapping).await.unwrap(), 5).await.remove(0);
    assert_eq!(row.show.iter().map(|value| value.as_deref()).collect::<Vec<_>>(), [Some("1.5"), Some(&*cut), None]);
}

#[tokio::test]
async fn a_long_list_is_read_in_parts() {
    for world in World::both().await {
        let numbers = if world.is_postgres() {
            "SELECT n, NULL FROM generate_series(1, 2500) n"
        } else {
            "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 2500) SELECT n, NULL FROM c"
        };
        world
            .run(&format!("CREATE TABLE users (id bigint PRIMARY KEY, cognito_sub text); INSERT INTO users {numbers}"))
            .await;
        let table = world.open(bare()).await.unwrap();
        let wanted: Vec<RowId> = (1..=3000).map(RowId::BigInt).collect();
        assert_eq!(table.by_ids(&wanted).await.unwrap().len(), 2500);
        assert!(table.by_ids(&[]).await.unwrap().is_empty());
        assert!(table.by_ids(&[text_id("1")]).await.unwrap().is_empty(), "an id of another kind names no row");
        if !world.is_postgres() {
            assert_eq!(table.schema().estimated_rows, Some(2500));
        }
    }
}

/// The whole table, a stretch at a time.
async fn changed(table: &userlink_db::UsersTable, since: Timestamp) -> Vec<String> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let part = table.changed_since(since, after.as_ref()).await.unwrap();
        all.extend(part.ids.iter().map(RowId::to_string));
        after = part.after;
        if after.is_none() {
            return all;
        }
    }
}

#[tokio::test]
async fn rows_that_changed_are_found_wherever_they_stand() {
    for world in World::both().await {
        let moment = if world.is_postgres() { "timestamptz" } else { "text" };
        let columns = format!("id bigint PRIMARY KEY, cognito_sub text, made {moment}, changed {moment}, gone bigint");
        world.run(&format!("CREATE TABLE users ({columns})")).await;
        // Two stretches and a bit; one row exactly at the end of a stretch.
        let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20003)";
        world.run(&format!("INSERT INTO users (id, made, changed) {numbers} SELECT i, '2026-01-01 00:00:00Z', '2026-01-01 00:00:00Z' FROM n")).await;
        let wanted = ["1", "77", "10000", "10001", "20003"];
        for id in wanted {
            world.run(&format!("UPDATE users SET changed = '2026-02-01 12:00:00Z' WHERE id = {id}")).await;
        }
        world.run("UPDATE users SET changed = NULL WHERE id = 5").await;
        world.run("INSERT INTO users (id, made) VALUES (0, '2026-02-01 13:00:00Z')").await;
        world.run("UPDATE users SET gone = 1 WHERE id = 77").await;
        let mapping = Mapping {
            created_at: Some("made".into()),
            updated_at: Some("changed".into()),
            conditions: vec![("gone".into(), Condition::Null)],
            ..bare()
        };
        let table = world.open(mapping).await.unwrap();
        assert!(table.knows_changes());
        let noon = Timestamp::from_millis(1_769_947_200_000);
        assert_eq!(changed(&table, noon).await, ["0", "1", "77", "10000", "10001", "20003"]);
        assert_eq!(changed(&table, Timestamp::from_millis(noon.as_millis() + 1)).await, ["0"]);

        let table = world.open(bare()).await.unwrap();
        assert!(!table.knows_changes(), "nothing says when its rows changed");
        assert!(changed(&table, noon).await.is_empty());
    }
}
