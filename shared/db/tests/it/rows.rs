//! Rows written for repairs, what hangs on them, and the journal's upkeep.

use std::time::Duration;

use userlink_db::{
    Closes, DbError, Journal, Mapping, MigrateOptions, Outcome, Reference, Referring, RowWrite, RowWriter, RowWritten,
    UsersTable, migrate,
};
use userlink_domain::{EmailKey, RowId, Sub, Timestamp};

use crate::journal::{RUN, entry};
use crate::world::World;

const LIMIT: Duration = Duration::from_secs(5);
const AT: Timestamp = Timestamp::from_millis(1_795_428_000_900);
const SUB: Sub = Sub::from_u128(5);

async fn journal(world: &World) -> Journal {
    migrate(&world.db().await, &MigrateOptions::default()).await.unwrap();
    Journal::open(&world.db().await).await.unwrap()
}

async fn write(table: &UsersTable, journal: &Journal, function: Option<&str>, write: &RowWrite) -> RowWritten {
    let writer = RowWriter::new(table.clone(), function).unwrap();
    let closes = Closes { journal, run: RUN, step_no: 1, at: AT };
    writer.write(write, |_| true, closes, LIMIT).await.unwrap()
}

fn set(row: i64, expect: Option<&str>, value: Option<&str>) -> RowWrite {
    let text = |text: Option<&str>| text.map(str::to_owned);
    RowWrite::Sub { row: RowId::BigInt(row), expect: text(expect), value: text(value), alone: true }
}

fn mapping() -> Mapping {
    Mapping { created_at: None, ..Mapping::default() }
}

#[tokio::test]
async fn a_row_is_written_where_it_is_just_as_it_was_expected() {
    for world in World::both().await {
        world
            .run(
                "CREATE TABLE users (id bigint PRIMARY KEY, cognito_sub text, email text, note text);
                  INSERT INTO users VALUES (1, NULL, 'a', 'mine'), (2, '', 'b', 'mine'), (3, 'N/A', 'c', 'mine')",
            )
            .await;
        let (table, journal) = (world.open(mapping()).await.unwrap(), journal(&world).await);
        let sub = SUB.to_string();
        for (row, wrong, right) in [(1, Some(""), None), (2, None, Some("")), (3, Some("n/a"), Some("N/A"))] {
            let stale = write(&table, &journal, None, &set(row, wrong, Some(&sub))).await;
            assert!(matches!(stale, RowWritten::Stale(_)), "{row}: {stale:?}");
            let done = write(&table, &journal, None, &set(row, right, Some(&sub))).await;
            let RowWritten::Done { row: written, closed: false } = done else { panic!("{row}: {done:?}") };
            assert_eq!(written.sub(), Some(SUB));
            let other = write(&table, &journal, None, &set(row % 3 + 1, None, Some(&sub))).await;
            assert!(matches!(other, RowWritten::Stale(_)), "two rows never share a sub: {other:?}");
            let emptied = write(&table, &journal, None, &set(row, Some(&sub), None)).await;
            assert!(matches!(emptied, RowWritten::Done { .. }), "{emptied:?}");
        }
        assert_eq!(world.number("SELECT count(*) FROM users WHERE note = 'mine' AND cognito_sub IS NULL").await, 3);
    }
}

#[tokio::test]
async fn a_row_is_inserted_once_and_not_beside_one_that_was_not_shown() {
    for world in World::both().await {
        let id = if world.is_postgres() { "id bigserial PRIMARY KEY" } else { "id INTEGER PRIMARY KEY" };
        world
            .run(&format!(
                "CREATE TABLE users ({id}, cognito_sub text UNIQUE, email text, created_at timestamp,
                 tenant text NOT NULL, note text); INSERT INTO users (email, tenant) VALUES (' A@x ', 'acme')"
            ))
            .await;
        let mapping = Mapping {
            created_at: None,
            conditions: vec![(
                "tenant".into(),
                userlink_db::Condition::Equals(userlink_db::Literal::Text("acme".into())),
            )],
            ..Mapping::default()
        };
        let (table, journal) = (world.open(mapping).await.unwrap(), journal(&world).await);
        let insert = |known: Vec<RowId>| RowWrite::Insert {
            sub: SUB,
            email: Some("a@x".into()),
            has_email: EmailKey::of("a@x"),
            known,
        };
        let stale = write(&table, &journal, None, &insert(vec![])).await;
        assert!(matches!(stale, RowWritten::Stale(_)), "{stale:?}");
        let shown = vec![RowId::BigInt(1)];
        let done = write(&table, &journal, None, &insert(shown.clone())).await;
        assert!(matches!(&done, RowWritten::Done { row, .. } if row.sub() == Some(SUB)), "{done:?}");
        let again = write(&table, &journal, None, &insert(shown)).await;
        assert!(matches!(again, RowWritten::Stale(_)), "{again:?}");
        assert_eq!(world.number("SELECT count(*) FROM users WHERE tenant = 'acme' AND note IS NULL").await, 2);
    }
}

#[tokio::test]
async fn columns_without_a_value_are_named() {
    for world in World::both().await {
        world
            .run(
                "CREATE TABLE users (id bigint PRIMARY KEY, cognito_sub text, email text NOT NULL,
                  name text NOT NULL, plan text NOT NULL DEFAULT 'free', note text)",
            )
            .await;
        let table = world.open(mapping()).await.unwrap();
        let writer = RowWriter::new(table.clone(), None).unwrap();
        assert_eq!(writer.unfilled(true), ["id", "name"]);
        assert_eq!(writer.unfilled(false), ["email", "id", "name"]);
        if world.is_postgres() {
            assert_eq!(RowWriter::new(table, Some("app.create_user")).unwrap().unfilled(true), [""; 0]);
        } else {
            assert!(matches!(RowWriter::new(table, Some("f")), Err(DbError::Name { .. })));
        }
    }
}

#[tokio::test]
async fn the_application_s_function_makes_the_row() {
    let world = World::postgres().await;
    world
        .run(
            "CREATE TABLE users (id bigint PRIMARY KEY, cognito_sub text, email text, name text NOT NULL);
              CREATE SCHEMA app; CREATE FUNCTION app.create_user(sub text, email text) RETURNS bigint LANGUAGE sql AS
              $$ INSERT INTO users VALUES (77, sub, email, 'new') RETURNING id $$;
              CREATE FUNCTION app.idle(text, text) RETURNS void LANGUAGE sql AS $$ SELECT NULL::void $$",
        )
        .await;
    let (table, journal) = (world.open(mapping()).await.unwrap(), journal(&world).await);
    let insert = RowWrite::Insert { sub: SUB, email: Some("a@x".into()), has_email: None, known: vec![] };
    let idle = write(&table, &journal, Some("app.idle"), &insert).await;
    assert!(matches!(idle, RowWritten::Stale(_)), "{idle:?}");
    let done = write(&table, &journal, Some("app.create_user"), &insert).await;
    assert!(matches!(&done, RowWritten::Done { row, .. } if row.id == RowId::BigInt(77)), "{done:?}");
}

#[tokio::test]
async fn what_refers_to_a_row_is_counted_where_an_index_makes_it_cheap() {
    for world in World::both().await {
        world
            .run(
                "CREATE TABLE users (id bigint PRIMARY KEY, cognito_sub text, email text);
                  CREATE TABLE orders (user_id bigint REFERENCES users (id)); CREATE INDEX o ON orders (user_id);
                  CREATE TABLE invoices (payer bigint REFERENCES users);
                  INSERT INTO users VALUES (1, NULL, NULL), (2, NULL, NULL);
                  INSERT INTO orders VALUES (1), (1), (2); INSERT INTO invoices VALUES (1)",
            )
            .await;
        let table = world.open(mapping()).await.unwrap();
        let of = |table: &str, column: &str, rows| Reference { table: table.into(), column: column.into(), rows };
        let found = table.references(&RowId::BigInt(1)).await.unwrap();
        assert_eq!(
            found,
            [of("invoices", "payer", Referring::NotIndexed), of("orders", "user_id", Referring::Count(2))]
        );
        world.run("INSERT INTO orders SELECT 2 FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500) SELECT i FROM n) many").await;
        let found = table.references(&RowId::BigInt(2)).await.unwrap();
        assert_eq!(found[1].to_string(), "orders more than 1000");
    }
}

#[tokio::test]
async fn the_journal_keeps_what_is_open_and_forgets_when_it_is_asked_to() {
    for world in World::both().await {
        let journal = journal(&world).await;
        for step_no in 1..=3 {
            journal.opened(&entry(step_no)).await.unwrap();
        }
        journal.closed(RUN, 1, Outcome::Done, "", AT).await.unwrap();
        journal.closed(RUN, 2, Outcome::Done, "", Timestamp::from_millis(AT.as_millis() + 10_000)).await.unwrap();
        assert_eq!(journal.retain_since(Timestamp::from_millis(AT.as_millis() + 1)).await.unwrap(), 2);
        let person = async |step_no: i64| {
            let sub = entry(step_no).sub.unwrap().to_string();
            journal.person("eu-west-1_A", &sub).await.unwrap()
        };
        assert_eq!(journal.open_about(&person(3).await).await.unwrap(), 1);
        assert_eq!(journal.erase(&person(3).await).await.unwrap(), 0, "what is open stays");
        assert_eq!(journal.erase(&person(2).await).await.unwrap(), 2);
        assert_eq!(world.number("SELECT count(*) FROM userlink_journal").await, 1);
        // It is only ever added to again, and a user whose steps are gone can be claimed.
        assert!(world.try_run("DELETE FROM userlink_journal").await.is_err());
        let anew = userlink_db::JournalEntry { run: uuid::Uuid::from_u128(8), ..entry(2) };
        journal.opened(&anew).await.unwrap();
        assert_eq!(journal.grants("app\"x").is_some(), world.is_postgres());
    }
}

#[tokio::test]
async fn a_step_of_a_plan_is_done_once_whatever_run_does_it() {
    for world in World::both().await {
        let journal = journal(&world).await;
        let plan = uuid::Uuid::from_u128(70);
        let of =
            |run: u128| userlink_db::JournalEntry { run: uuid::Uuid::from_u128(run), plan: Some(plan), ..entry(1) };
        journal.opened(&of(1)).await.unwrap();
        journal.closed(of(1).run, 1, Outcome::Stale, "", AT).await.unwrap();
        journal.opened(&of(2)).await.unwrap();
        journal.closed(of(2).run, 1, Outcome::Done, "", AT).await.unwrap();
        let refused = journal.opened(&of(3)).await.unwrap_err();
        assert_eq!(refused, userlink_db::JournalError::DoneBefore { by: "ada".into(), at: AT });
        let all = journal.history(&userlink_db::History::Run(plan), 10).await.unwrap();
        assert_eq!(all.len(), 2);
    }
}

/// What was chosen rested on the row's e-mail. Somebody changes it while the row is waited for.
#[tokio::test]
async fn a_row_is_looked_at_once_it_is_locked() {
    let world = World::postgres().await;
    world
        .run(
            "CREATE TABLE users (id bigint PRIMARY KEY, cognito_sub text, email text);
              INSERT INTO users VALUES (1, NULL, 'a@x'), (2, NULL, 'b@x')",
        )
        .await;
    let (table, journal) = (world.open(mapping()).await.unwrap(), journal(&world).await);
    let sub = SUB.to_string();
    let writer = RowWriter::new(table, None).unwrap();
    let closes = Closes { journal: &journal, run: RUN, step_no: 1, at: AT };
    let as_chosen = |row: &userlink_domain::Row| row.email.as_deref() == Some("a@x");
    let somebody = world.run("BEGIN; UPDATE users SET email = 'c@x' WHERE id = 1; SELECT pg_sleep(1); COMMIT");
    let waiting = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        writer.write(&set(1, None, Some(&sub)), as_chosen, closes, LIMIT).await.unwrap()
    };
    let ((), written) = tokio::join!(somebody, waiting);
    assert_eq!(written, RowWritten::Stale("the row's e-mail is no longer what the choice rested on."));
    assert_eq!(world.number("SELECT count(*) FROM users WHERE cognito_sub IS NULL").await, 2);
}

#[tokio::test]
async fn what_refers_otherwise_or_is_one_of_many_is_said_not_to_be_counted() {
    for world in World::both().await {
        world
            .run(
                "CREATE TABLE users (id bigint PRIMARY KEY, cognito_sub text, email text UNIQUE, tenant bigint,
                                     UNIQUE (tenant, id));
                  CREATE TABLE seats (tenant bigint, holder bigint, FOREIGN KEY (tenant, holder) REFERENCES users (tenant, id));
                  CREATE TABLE letters (address text REFERENCES users (email));
                  INSERT INTO users VALUES (1, NULL, 'a@x', 5); INSERT INTO seats VALUES (5, 1);
                  INSERT INTO letters VALUES ('a@x')",
            )
            .await;
        let table = world.open(mapping()).await.unwrap();
        let told = async || {
            let found = table.references(&RowId::BigInt(1)).await.unwrap();
            found.iter().map(Reference::to_string).collect::<Vec<_>>()
        };
        let otherwise =
            ["letters not counted (it refers by address)", "seats not counted (it refers by tenant, holder)"];
        assert_eq!(told().await, otherwise);
        for n in 0..52 {
            let many = format!(
                "CREATE TABLE part_{n:02} (of_user bigint REFERENCES users (id));
                 CREATE INDEX part_{n:02}_of ON part_{n:02} (of_user); INSERT INTO part_{n:02} VALUES (1)"
            );
            world.run(&many).await;
        }
        let found = told().await;
        assert_eq!(found.len(), 54);
        assert_eq!(found.iter().filter(|text| text.ends_with(" 1")).count(), 50);
        assert!(found.contains(&"part_51 not counted (one of many)".to_owned()), "{found:?}");
    }
}
