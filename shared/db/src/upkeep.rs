//! The journal's upkeep: who may do what with it, what goes after a while, and what goes because a person asks.
//!
//! Its events are only ever added; a trigger sees to that. These statements put the trigger aside within one transaction, which
//! takes the owner of the table. What is open stays: somebody has to look at it first.

use userlink_domain::Timestamp;

use crate::statements::{Dialect, fixed};
use crate::transaction::{Transaction, Value};
use crate::{DbError, Journal};

/// $1: steps that were closed before this moment.
const RETAIN: &str = "
DELETE FROM userlink_journal WHERE EXISTS (SELECT 1 FROM userlink_journal c
    WHERE c.run = userlink_journal.run AND c.step_no = userlink_journal.step_no AND c.event = 'closed' AND c.at_ms < $1)";

/// $1: a sub or a username. Steps in which it only stands as a value go, too.
const ERASE: &str = "
DELETE FROM userlink_journal WHERE EXISTS (SELECT 1 FROM userlink_journal o, userlink_journal c
    WHERE o.run = userlink_journal.run AND o.step_no = userlink_journal.step_no AND o.event = 'opened'
    AND c.run = o.run AND c.step_no = o.step_no AND c.event = 'closed'
    AND (o.sub = $1 OR o.username = $1 OR o.step LIKE '%\"' || $1 || '\"%'))";

/// $1: a sub or a username.
const OPEN: &str = "
SELECT count(*) FROM userlink_journal o WHERE o.event = 'opened' AND (o.sub = $1 OR o.username = $1)
    AND NOT EXISTS (SELECT 1 FROM userlink_journal c
        WHERE c.run = o.run AND c.step_no = o.step_no AND c.event = 'closed')";

/// $1: a sub; or an id, of the row that a person asks to have forgotten.
const ERASE_DISMISSALS: &str = "DELETE FROM userlink_dismissals WHERE record = 'user ' || $1 OR record = 'row ' || $1";

const ASIDE: [&str; 2] = [
    "ALTER TABLE userlink_journal DISABLE TRIGGER userlink_journal_append_only",
    "DROP TRIGGER userlink_journal_no_delete",
];

const BACK: [&str; 2] = [
    "ALTER TABLE userlink_journal ENABLE TRIGGER userlink_journal_append_only",
    "CREATE TRIGGER userlink_journal_no_delete BEFORE DELETE ON userlink_journal
BEGIN
    SELECT RAISE(ABORT, 'userlink_journal is only ever added to');
END",
];

impl Journal {
    /// What lets a role add to the journal and read it, and nothing else; none where the database has no roles.
    pub fn grants(&self, role: &str) -> Option<String> {
        let role = crate::statements::quote(role);
        (self.db().dialect() == Dialect::Postgres).then(|| {
            format!(
                "GRANT SELECT, INSERT ON userlink_journal, userlink_dismissals TO {role};\n\
                 REVOKE UPDATE, DELETE, TRUNCATE ON userlink_journal, userlink_dismissals FROM {role};"
            )
        })
    }

    /// Removes the steps that were closed before a moment. Gives how many events went.
    ///
    /// # Errors
    /// [`DbError::Permission`] for whoever does not own the journal.
    pub async fn retain_since(&self, moment: Timestamp) -> Result<u64, DbError> {
        self.remove(RETAIN, Value::Integer(moment.as_millis())).await
    }

    /// How many steps about this person, by sub or username, are open: they have to be looked at before they can go.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn open_about(&self, person: &str) -> Result<u64, DbError> {
        let records = self.db().read(fixed(OPEN), vec![Value::Text(person.to_owned())]).await?;
        let count = records.first().map(|record| record.integer(0)).transpose()?.flatten();
        Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or_default())
    }

    /// Removes every closed step about one person, by sub or username, and what was dismissed about them. Gives how many events
    /// went.
    ///
    /// # Errors
    /// [`DbError::Permission`] for whoever does not own the journal.
    pub async fn erase(&self, person: &str) -> Result<u64, DbError> {
        let person = Value::Text(person.to_owned());
        let removed = self.remove(ERASE, person.clone()).await?;
        match self.remove_plainly(ERASE_DISMISSALS, person).await {
            Ok(more) => Ok(removed + more),
            // A journal from before there were dismissals has none.
            Err(DbError::SchemaChanged { .. }) => Ok(removed),
            Err(error) => Err(error),
        }
    }

    async fn remove_plainly(&self, sql: &'static str, value: Value) -> Result<u64, DbError> {
        let mut transaction = self.db().write().await?;
        match transaction.execute(fixed(sql), vec![value]).await {
            Ok(removed) => transaction.commit().await.map(|()| removed),
            Err(error) => {
                transaction.rollback().await;
                Err(error)
            }
        }
    }

    async fn remove(&self, sql: &'static str, value: Value) -> Result<u64, DbError> {
        let at = usize::from(self.db().dialect() == Dialect::Sqlite);
        let mut transaction = self.db().write().await?;
        let removed = async |on: &mut Transaction<'_>| {
            on.script(ASIDE[at]).await?;
            let removed = on.execute(fixed(sql), vec![value]).await?;
            on.script(BACK[at]).await?;
            Ok(removed)
        };
        match removed(&mut transaction).await {
            Ok(removed) => transaction.commit().await.map(|()| removed),
            Err(error) => {
                transaction.rollback().await;
                Err(error)
            }
        }
    }
}
