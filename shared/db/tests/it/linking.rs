//! Making the tie. Given these rows and this user, which row carries the sub in the end.

use std::time::Duration;

use tokio::task::JoinSet;
use userlink_db::{Condition, Db, DbError, DbOptions, Linking, Mapping, MigrateOptions, Newcomer, Tie, migrate};
use userlink_domain::{EmailKey, Row, Sub};
use userlink_kit::pgbouncer_url_for;

use crate::world::World;

const LIMIT: Duration = Duration::from_secs(2);

fn newcomer(sub: u128) -> Newcomer {
    let email = Some("ada@example.org".to_owned());
    Newcomer { sub: Sub::from_u128(sub), email, known_by: None, adopt: None, further: Vec::new(), insert: true }
}

fn known(sub: u128) -> Newcomer {
    Newcomer { known_by: EmailKey::of("ada@example.org"), ..newcomer(sub) }
}

/// Takes the free row, as whoever asked the pool before may.
async fn adopt(linking: &Linking, newcomer: Newcomer) -> Result<Tie, DbError> {
    match linking.tie(&newcomer, LIMIT).await? {
        Tie::Free(row) => linking.tie(&Newcomer { adopt: Some(row.id), ..newcomer }, LIMIT).await,
        other => Ok(other),
    }
}

/// With the users table that our migration makes.
async fn linking(world: &World) -> Linking {
    migrate(&world.db().await, &MigrateOptions { users_table: true, journal: false }).await.unwrap();
    Linking::new(world.open(Mapping::default()).await.unwrap(), Vec::new()).unwrap()
}

fn row(tie: Tie) -> Row {
    match tie {
        Tie::Found(row) | Tie::Adopted(row) | Tie::Inserted(row) => row,
        other => panic!("no row: {other:?}"),
    }
}

#[tokio::test]
async fn a_row_is_inserted_once_and_found_from_then_on() {
    for world in World::both().await {
        let linking = linking(&world).await;
        let Tie::Inserted(first) = linking.tie(&newcomer(1), LIMIT).await.unwrap() else { panic!("not inserted") };
        assert_eq!((first.sub(), first.email.as_deref()), (Some(Sub::from_u128(1)), Some("ada@example.org")));
        assert_eq!(linking.tie(&newcomer(1), LIMIT).await, Ok(Tie::Found(first)));
        let absent = Newcomer { insert: false, ..newcomer(2) };
        assert_eq!(linking.tie(&absent, LIMIT).await, Ok(Tie::NoRow));
        assert_eq!(world.number("SELECT count(*) FROM users").await, 1);
    }
}

/// Twelve at once for each of twenty users, directly and through PgBouncer.
#[tokio::test]
async fn many_at_once_get_one_row() {
    let world = World::postgres().await;
    let direct = linking(&world).await;
    let bounced = Db::connect(&DbOptions::new(pgbouncer_url_for(world.postgres.as_ref().unwrap()))).await.unwrap();
    let bounced = Linking::new(bounced.open(Mapping::default()).await.unwrap(), Vec::new()).unwrap();
    for user in 1..=20 {
        let mut all = JoinSet::new();
        for at in 0..12 {
            let linking = if at % 2 == 0 { direct.clone() } else { bounced.clone() };
            all.spawn(async move { row(linking.tie(&newcomer(user), LIMIT).await.unwrap()).id });
        }
        let mut ids = all.join_all().await;
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 1, "user {user}");
    }
    assert_eq!(world.number("SELECT count(*) FROM users").await, 20);
}

#[tokio::test]
async fn the_one_free_row_with_the_email_is_adopted() {
    for world in World::both().await {
        let linking = linking(&world).await;
        world.run("INSERT INTO users (email) VALUES (' ADA@example.org')").await;
        assert!(matches!(linking.tie(&known(1), LIMIT).await, Ok(Tie::Free(_))), "nobody asked for it");
        assert!(matches!(adopt(&linking, known(1)).await, Ok(Tie::Adopted(_))));
        assert!(matches!(adopt(&linking, known(1)).await, Ok(Tie::Found(_))));
        assert_eq!(adopt(&linking, known(2)).await, Ok(Tie::RowTaken), "it carries another's sub");
        world.run("DELETE FROM users; INSERT INTO users (email) VALUES ('ada@example.org'), ('Ada@example.org')").await;
        assert_eq!(adopt(&linking, known(1)).await, Ok(Tie::Ambiguous));
        let stranger = Newcomer { known_by: EmailKey::of("bob@example.org"), ..newcomer(3) };
        assert!(matches!(adopt(&linking, stranger).await, Ok(Tie::Inserted(_))));
        assert_eq!(world.number("SELECT count(*) FROM users").await, 3);
    }
}

#[tokio::test]
async fn of_two_who_race_for_a_row_one_gets_it() {
    let world = World::postgres().await;
    let linking = linking(&world).await;
    for _ in 0..20 {
        world.run("DELETE FROM users; INSERT INTO users (email) VALUES ('ada@example.org')").await;
        let (one, two) = tokio::join!(adopt(&linking, known(1)), adopt(&linking, known(2)));
        let adopted = |tie: &Result<Tie, DbError>| matches!(tie, Ok(Tie::Adopted(_)));
        assert!(adopted(&one) != adopted(&two), "{one:?} {two:?}");
        assert!([one, two].contains(&Ok(Tie::RowTaken)));
    }
}

#[tokio::test]
async fn an_email_that_is_taken_is_an_outcome_and_another_column_an_error() {
    for world in World::both().await {
        linking(&world).await;
        world.run("CREATE UNIQUE INDEX by_email ON users (email); ALTER TABLE users ADD COLUMN phone TEXT").await;
        world.run("CREATE UNIQUE INDEX by_phone ON users (phone)").await;
        world.run("INSERT INTO users (email, phone) VALUES ('ada@example.org', '+1')").await;
        let linking = Linking::new(world.open(Mapping::default()).await.unwrap(), vec!["phone".into()]).unwrap();
        let of = |email: Option<&str>, phone: &str| Newcomer {
            email: email.map(Into::into),
            further: vec![Some(phone.into())],
            ..newcomer(1)
        };
        assert_eq!(linking.tie(&of(Some("ada@example.org"), "+2"), LIMIT).await, Ok(Tie::EmailTaken));
        let error = linking.tie(&of(Some("bob@example.org"), "+1"), LIMIT).await.unwrap_err();
        assert!(matches!(&error, DbError::Taken { constraint } if constraint.contains("phone")), "{error:?}");
        assert_eq!(world.number("SELECT count(*) FROM users").await, 1);
        let row = row(linking.tie(&of(None, "+2"), LIMIT).await.unwrap());
        assert_eq!(row.email, None);
    }
}

#[tokio::test]
async fn an_email_unique_in_lower_case_is_taken_too() {
    let world = World::postgres().await;
    let linking = linking(&world).await;
    world
        .run("CREATE UNIQUE INDEX odd ON users (lower(email)); INSERT INTO users (email) VALUES ('ADA@example.org')")
        .await;
    assert_eq!(linking.tie(&newcomer(1), LIMIT).await, Ok(Tie::EmailTaken));
}

#[tokio::test]
async fn without_a_unique_index_it_refuses_and_says_what_to_run() {
    let world = World::postgres().await;
    world.run("CREATE TABLE users (id bigint PRIMARY KEY, cognito_sub text, email text, created_at timestamp)").await;
    let error = Linking::new(world.open(Mapping::default()).await.unwrap(), Vec::new()).unwrap_err();
    assert!(error.is_settings() && error.to_string().contains("userlink migrate --unique-sub"), "{error}");
    world.run("CREATE UNIQUE INDEX ON users (cognito_sub)").await;
    let error = Linking::new(world.open(Mapping::default()).await.unwrap(), vec!["emial".into()]).unwrap_err();
    assert!(error.to_string().contains("Did you mean email?"), "{error}");
}

/// A table of another application's: a tenant's rows, deleted softly, under a partial index, with numbers for ids.
#[tokio::test]
async fn a_row_gets_what_makes_it_count() {
    let world = World::postgres().await;
    world
        .run(
            "CREATE TABLE people (no int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, who varchar(40), tenant uuid NOT NULL,
                 gone timestamptz DEFAULT now(), made timestamp NOT NULL);
             CREATE UNIQUE INDEX ON people (who) WHERE gone IS NULL;
             INSERT INTO people (who, tenant, made) VALUES ('00000000-0000-0000-0000-000000000001', gen_random_uuid(), now())",
        )
        .await;
    let tenant = userlink_db::Literal::Text("0192f0c1-2b6a-7cde-8f00-0123456799cd".into());
    let mapping = Mapping {
        table: "people".into(),
        id: "no".into(),
        sub: "who".into(),
        email: None,
        created_at: Some("made".into()),
        conditions: vec![("tenant".into(), Condition::Equals(tenant)), ("gone".into(), Condition::Null)],
        ..Mapping::default()
    };
    let linking = Linking::new(world.open(mapping).await.unwrap(), Vec::new()).unwrap();
    let inserted = linking.tie(&known(1), LIMIT).await.unwrap();
    let Tie::Inserted(row) = &inserted else { panic!("{inserted:?}") };
    assert_eq!(linking.tie(&newcomer(1), LIMIT).await, Ok(Tie::Found(row.clone())), "the deleted one does not count");
    assert_eq!(world.number("SELECT count(*) FROM people WHERE gone IS NULL").await, 1);
}

/// The index has to be one that finds an e-mail however it is written; and the same rows are found with it and without.
#[tokio::test]
async fn an_email_is_looked_for_through_an_index_where_there_is_one() {
    let world = World::postgres().await;
    world
        .run("CREATE TABLE users (id bigint PRIMARY KEY, cognito_sub uuid UNIQUE, email varchar(80), gone timestamp)")
        .await;
    let mapping =
        || Mapping { created_at: None, conditions: vec![("gone".into(), Condition::Null)], ..Mapping::default() };
    let open = async || Linking::new(world.open(mapping()).await.unwrap(), Vec::new()).unwrap();
    for (index, reads_all) in [
        ("", true),
        ("CREATE INDEX i ON users (email)", true),
        ("CREATE INDEX i ON users (lower(email)) WHERE cognito_sub IS NULL", true),
        ("CREATE INDEX i ON users (lower(email))", false),
        ("CREATE UNIQUE INDEX i ON users (lower(email)) WHERE gone IS NULL", false),
    ] {
        world.run("DROP INDEX IF EXISTS i; DELETE FROM users").await;
        world.run(index).await;
        world.run("INSERT INTO users (id, email, gone) VALUES (1, 'Ada@Example.ORG', NULL), (2, 'ada@example.org', now())").await;
        let linking = open().await;
        assert_eq!(linking.reads_all_for_an_email(), reads_all, "{index}");
        assert!(
            matches!(linking.tie(&known(1), LIMIT).await, Ok(Tie::Free(row)) if row.id.to_string() == "1"),
            "{index}"
        );
        assert!(matches!(adopt(&linking, known(1)).await, Ok(Tie::Adopted(_))), "{index}");
    }
}
