//! One connection that is kept, as a function has it that answers one event at a time.

use std::time::Duration;

use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::time::timeout;
use userlink_db::{Db, DbOptions, Linking, Mapping, MigrateOptions, Newcomer, Tie, migrate};
use userlink_domain::Sub;

use crate::world::World;

const LIMIT: Duration = Duration::from_secs(20);

fn newcomer(sub: u128) -> Newcomer {
    Newcomer { sub: Sub::from_u128(sub), email: None, known_by: None, adopt: None, further: Vec::new(), insert: true }
}

/// With a name of its own, by which the server tells its connections.
async fn lazily(world: &World) -> Linking {
    migrate(&world.db().await, &MigrateOptions { users_table: true, journal: false }).await.unwrap();
    let db = Db::lazily(&DbOptions::new(format!("{}?application_name=single", world.url))).unwrap();
    Linking::new(db.open(Mapping::default()).await.unwrap(), Vec::new()).unwrap()
}

const OWN: &str = "FROM pg_stat_activity WHERE application_name = 'single' AND datname = current_database()";

#[tokio::test]
async fn there_is_one_connection_and_whoever_comes_waits_for_it() {
    let world = World::postgres().await;
    let linking = lazily(&world).await;
    let server = world.number(&format!("SELECT pid::bigint {OWN}")).await;
    let mut ties = tokio::task::JoinSet::new();
    for sub in 1..=20 {
        let linking = linking.clone();
        ties.spawn(async move { linking.tie(&newcomer(sub % 10), LIMIT).await });
    }
    while let Some(tie) = ties.join_next().await {
        assert!(matches!(tie.unwrap(), Ok(Tie::Inserted(_) | Tie::Found(_))));
    }
    assert_eq!(world.number("SELECT count(*) FROM users").await, 10);
    assert_eq!(world.number(&format!("SELECT pid::bigint {OWN}")).await, server, "it is the same all along");
    assert_eq!(world.text(&format!("SELECT state {OWN}")).await, "idle", "and no transaction is open in it");
}

#[tokio::test]
async fn one_that_was_ended_is_replaced_without_an_error() {
    let world = World::postgres().await;
    let linking = lazily(&world).await;
    for sub in 1..=3 {
        world.text(&format!("SELECT pg_terminate_backend(pid)::text {OWN}")).await;
        assert!(matches!(linking.tie(&newcomer(sub), LIMIT).await, Ok(Tie::Inserted(_))));
    }
}

/// The caller had no more time. What was begun is not gone on with, and is in nobody's way.
#[tokio::test]
async fn a_transaction_that_is_given_up_takes_its_connection_with_it() {
    let world = World::postgres().await;
    let linking = lazily(&world).await;
    let server = world.number(&format!("SELECT pid::bigint {OWN}")).await;
    let mut other = PgConnection::connect(&world.url).await.unwrap();
    other.execute("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE").await.unwrap();
    assert!(
        timeout(Duration::from_millis(300), linking.tie(&newcomer(1), LIMIT)).await.is_err(),
        "the table is locked"
    );
    other.execute("COMMIT").await.unwrap();
    assert!(matches!(linking.tie(&newcomer(1), LIMIT).await, Ok(Tie::Inserted(_))));
    let now = world.number(&format!("SELECT max(pid)::bigint {OWN} AND state = 'idle'")).await;
    assert_ne!(now, server);
    assert_eq!(world.number("SELECT count(*) FROM users").await, 1);
}
