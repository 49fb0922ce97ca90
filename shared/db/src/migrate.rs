//! Makes what is ours: the journal and, when asked, a users table.
//!
//! The books are kept in a table of our own name. An application that is written with sqlx keeps its own in
//! `_sqlx_migrations`, and would refuse to start if it found ours there. They hold the whole text of what was
//! applied, so that a text changed afterwards is found out, and a person can read what was run.
//! All of it is one transaction: either everything was made or nothing.

use crate::statements::{Dialect, fixed};
use crate::transaction::{Transaction, Value};
use crate::{Db, DbError};

/// What is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MigrateOptions {
    /// `users`, for an application that has no table yet.
    pub users_table: bool,
    pub journal: bool,
}

impl Default for MigrateOptions {
    fn default() -> Self {
        Self { users_table: false, journal: true }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Journal,
    Users,
}

/// Applied in this order. A name and its text, once released, are never changed.
const POSTGRES: [(Part, &str, &str); 4] = [
    (Part::Journal, "0001_journal", include_str!("../../../migrations/postgres/0001_journal.sql")),
    (Part::Users, "0002_users", include_str!("../../../migrations/postgres/0002_users.sql")),
    (Part::Journal, "0003_journal_plan", include_str!("../../../migrations/postgres/0003_journal_plan.sql")),
    (Part::Journal, "0004_dismissals", include_str!("../../../migrations/postgres/0004_dismissals.sql")),
];

const SQLITE: [(Part, &str, &str); 4] = [
    (Part::Journal, "0001_journal", include_str!("../../../migrations/sqlite/0001_journal.sql")),
    (Part::Users, "0002_users", include_str!("../../../migrations/sqlite/0002_users.sql")),
    (Part::Journal, "0003_journal_plan", include_str!("../../../migrations/sqlite/0003_journal_plan.sql")),
    (Part::Journal, "0004_dismissals", include_str!("../../../migrations/sqlite/0004_dismissals.sql")),
];

const BOOKS: &str = "CREATE TABLE userlink_migrations (
    name TEXT NOT NULL PRIMARY KEY, script TEXT NOT NULL, applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)";

/// Makes what is asked for and not there yet; gives the names of what was applied.
///
/// # Errors
/// [`DbError::MigrationChanged`] where something was applied from another text, [`DbError::TableExists`] where a
/// table of the application's has the name already, [`DbError::ReadOnly`], and those of the database.
pub async fn migrate(db: &Db, options: &MigrateOptions) -> Result<Vec<String>, DbError> {
    let all = match db.dialect() {
        Dialect::Postgres => POSTGRES,
        Dialect::Sqlite => SQLITE,
    };
    let wanted = |part| match part {
        Part::Journal => options.journal,
        Part::Users => options.users_table,
    };
    let mut transaction = db.write().await?;
    match apply(&mut transaction, db.dialect(), &all, wanted).await {
        Ok(applied) => transaction.commit().await.map(|()| applied),
        Err(error) => {
            transaction.rollback().await;
            Err(error)
        }
    }
}

async fn apply(
    transaction: &mut Transaction<'_>,
    dialect: Dialect,
    all: &[(Part, &'static str, &'static str)],
    wanted: impl Fn(Part) -> bool,
) -> Result<Vec<String>, DbError> {
    let books = match dialect {
        Dialect::Postgres => {
            // Two that migrate at once: the second waits, and finds all done. Held until the commit, as
            // whatever outlives a transaction is lost behind a pooler. The number has no meaning.
            transaction.fetch(fixed("SELECT pg_advisory_xact_lock(7310579604321)::text"), Vec::new()).await?;
            "SELECT to_regclass('userlink_migrations') IS NOT NULL"
        }
        Dialect::Sqlite => {
            "SELECT count(*) > 0 FROM sqlite_schema WHERE type = 'table' AND name = 'userlink_migrations'"
        }
    };
    // Not CREATE … IF NOT EXISTS: that wants the right to create even where there is nothing to do.
    let books = transaction.fetch(fixed(books), Vec::new()).await?;
    if !books.first().map(|record| record.truth(0)).transpose()?.unwrap_or_default() {
        transaction.script(BOOKS).await?;
    }

    let mut done = Vec::new();
    for record in transaction.fetch(fixed("SELECT name, script FROM userlink_migrations"), Vec::new()).await? {
        done.push((record.name(0)?, record.name(1)?));
    }
    let mut applied = Vec::new();
    for (part, name, script) in all {
        match done.iter().find(|(done, _)| done == name) {
            Some((_, text)) if text == script => {}
            Some(_) => return Err(DbError::MigrationChanged { name: (*name).to_owned() }),
            None if wanted(*part) => {
                transaction.script(script).await?;
                let book = vec![Value::Text((*name).to_owned()), Value::Text((*script).to_owned())];
                let sql = fixed("INSERT INTO userlink_migrations (name, script) VALUES ($1, $2)");
                transaction.execute(sql, book).await?;
                applied.push((*name).to_owned());
            }
            None => {}
        }
    }
    Ok(applied)
}
