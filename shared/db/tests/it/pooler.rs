//! Behind PgBouncer in transaction mode, where sqlx is silently given other queries' rows unless every
//! statement is in a transaction and none is kept prepared.

use userlink_db::{Db, DbOptions, Journal, JournalEntry, JournalError, MigrateOptions, migrate};
use userlink_domain::RowId;
use userlink_kit::pgbouncer_url_for;

use crate::world::{World, bare, ids};

#[tokio::test(flavor = "multi_thread")]
async fn three_thousand_reads_at_once_get_their_own_rows() {
    let world = World::postgres().await;
    world.run("CREATE TABLE users (id bigint PRIMARY KEY, cognito_sub text); INSERT INTO users SELECT generate_series(1, 3000)").await;
    let url = pgbouncer_url_for(world.postgres.as_ref().unwrap());
    let db = Db::connect(&DbOptions { max_connections: 32, ..DbOptions::new(url) }).await.unwrap();
    let table = db.open(bare()).await.unwrap();
    let mut reads = tokio::task::JoinSet::new();
    for n in 1..=3000_i64 {
        let table = table.clone();
        reads.spawn(async move {
            if n % 2 == 0 {
                let rows = table.by_ids(&[RowId::BigInt(n)]).await.unwrap();
                assert_eq!(ids(&rows), [n.to_string()]);
            } else {
                let rows = table.page(Some(&RowId::BigInt(n - 1)), 1 + (n % 5) as u32).await.unwrap();
                let wanted: Vec<_> = (n..=3000).take(1 + (n % 5) as usize).map(|n| n.to_string()).collect();
                assert_eq!(ids(&rows), wanted);
            }
        });
    }
    let mut done = 0;
    while let Some(read) = reads.join_next().await {
        read.unwrap();
        done += 1;
    }
    assert_eq!(done, 3000);
}

#[tokio::test]
async fn migrations_and_the_journal_work_there_too() {
    let world = World::postgres().await;
    let url = pgbouncer_url_for(world.postgres.as_ref().unwrap());
    let db = Db::connect(&DbOptions::new(url)).await.unwrap();
    let all = MigrateOptions { users_table: true, journal: true };
    let (a, b) = tokio::join!(migrate(&db, &all), migrate(&db, &all));
    assert_eq!(a.unwrap().len() + b.unwrap().len(), 4, "of two at once, one did it all");
    let journal = Journal::open(&db).await.unwrap();
    journal.opened(&crate::journal::entry(1)).await.unwrap();
    let rival = JournalEntry { run: uuid::Uuid::nil(), ..crate::journal::entry(1) };
    assert!(matches!(journal.opened(&rival).await, Err(JournalError::Claimed { .. })));
    assert_eq!(journal.open_entries(&crate::journal::linkage()).await.unwrap().entries.len(), 1);
}
