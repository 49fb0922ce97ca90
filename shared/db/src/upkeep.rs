//! The journal's upkeep: who may do what with it, what goes after a while, and what goes because a person asks.
//!
//! Its events are only ever added; a trigger sees to that. These statements put the trigger aside within one transaction, which
//! takes the owner of the table. What is open stays: somebody has to look at it first.

use userlink_domain::{Sub, Timestamp};

use crate::statements::{Dialect, fixed};
use crate::transaction::{Transaction, Value};
use crate::{DbError, Journal};

/// $1: steps that were closed before this moment.
const RETAIN: &str = "
DELETE FROM userlink_journal WHERE EXISTS (SELECT 1 FROM userlink_journal c
    WHERE c.run = userlink_journal.run AND c.step_no = userlink_journal.step_no AND c.event = 'closed' AND c.at_ms < $1)";

/// The subs that a username had in a pool, as far as the journal knows: $1 the pool, $2 the username. Whoever is called as before
/// may be somebody else.
const SUBS_OF: &str = "
SELECT DISTINCT sub FROM userlink_journal
WHERE event = 'opened' AND pool_id = $1 AND username = $2 AND sub IS NOT NULL";

/// The number of steps about a sub ($1).
const KNOWN: &str = "SELECT count(*) FROM userlink_journal WHERE event = 'opened' AND sub = $1";

/// Steps in which a sub ($1) stands as a value. It is all hexadecimal digits and hyphens, so that nothing in it means anything to
/// LIKE; and a quotation mark within a value would have a backslash before it. Who only has it as a username is somebody else.
macro_rules! names_sub {
    () => {
        "lower(o.step) LIKE '%\"expect\":\"' || $1 || '\"%' OR lower(o.step) LIKE '%\"value\":\"' || $1 || '\"%'
            OR lower(o.step) LIKE '%\"sub\":\"' || $1 || '\"%' OR lower(o.step) LIKE '%\"row\":\"' || $1 || '\"%'"
    };
}

/// Steps about a sub ($1), and those about others in which it stands as a value: a row that was taken from this person and given
/// to another.
macro_rules! about_sub {
    () => {
        concat!("o.sub = $1 OR ", names_sub!())
    };
}

/// Steps of a pool ($1) that name a username ($2) without a sub.
macro_rules! about_username {
    () => {
        "o.pool_id = $1 AND o.username = $2 AND o.sub IS NULL"
    };
}

macro_rules! erase {
    ($about:expr) => {
        concat!(
            "
DELETE FROM userlink_journal WHERE EXISTS (SELECT 1 FROM userlink_journal o, userlink_journal c
    WHERE o.run = userlink_journal.run AND o.step_no = userlink_journal.step_no AND o.event = 'opened'
    AND c.run = o.run AND c.step_no = o.step_no AND c.event = 'closed' AND (",
            $about,
            "))"
        )
    };
}

macro_rules! open {
    ($about:expr) => {
        concat!(
            "
SELECT count(*) FROM userlink_journal o WHERE o.event = 'opened' AND (",
            $about,
            ") AND NOT EXISTS (SELECT 1 FROM userlink_journal c
        WHERE c.run = o.run AND c.step_no = o.step_no AND c.event = 'closed')"
        )
    };
}

/// How many steps about others name a sub ($1).
const OF_OTHERS: &str = concat!(
    "
SELECT count(*) FROM userlink_journal o WHERE o.event = 'opened' AND o.sub <> $1 AND (",
    names_sub!(),
    ")"
);

/// $1: a sub.
const ERASE_DISMISSALS: &str = "DELETE FROM userlink_dismissals WHERE record = 'user ' || $1";

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
        self.remove(vec![(RETAIN, vec![Value::Integer(moment.as_millis())])]).await
    }

    /// Whom the journal knows by this sub, or by this username in this pool.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn person(&self, pool_id: &str, called: &str) -> Result<Person, DbError> {
        let sub = Sub::parse(called).map(|sub| sub.to_string());
        if let Some(sub) = &sub
            && self.count(KNOWN, vec![text(sub)]).await? > 0
        {
            return Ok(Person { subs: vec![sub.clone()], username: None });
        }
        let records = self.db().read(fixed(SUBS_OF), vec![text(pool_id), text(called)]).await?;
        let subs = records.iter().map(|record| record.name(0)).collect::<Result<Vec<_>, _>>()?;
        // No step is about this sub; but it may have been dismissed, or stand as a value.
        let subs = if subs.is_empty() { sub.into_iter().collect() } else { subs };
        Ok(Person { subs, username: Some((pool_id.to_owned(), called.to_owned())) })
    }

    /// How many steps about this person, or that name their sub, are open: they have to be looked at before they can go.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn open_about(&self, person: &Person) -> Result<u64, DbError> {
        let mut open = 0;
        for (sql, values) in person.statements(open!(about_sub!()), open!(about_username!())) {
            open += self.count(sql, values).await?;
        }
        Ok(open)
    }

    /// How many steps about somebody else name this person's sub: erased, they can no longer be taken back.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn of_others(&self, person: &Person) -> Result<u64, DbError> {
        let mut steps = 0;
        for sub in &person.subs {
            steps += self.count(OF_OTHERS, vec![text(sub)]).await?;
        }
        Ok(steps)
    }

    /// Removes every closed step about one person, every one about somebody else in which this person's sub stands as a value,
    /// and what was dismissed about them. Gives how many events went.
    ///
    /// # Errors
    /// [`DbError::Permission`] for whoever does not own the journal.
    pub async fn erase(&self, person: &Person) -> Result<u64, DbError> {
        let mut removed = self.remove(person.statements(erase!(about_sub!()), erase!(about_username!()))).await?;
        for sub in &person.subs {
            removed += match self.remove_plainly(ERASE_DISMISSALS, text(sub)).await {
                // A journal from before there were dismissals has none.
                Err(DbError::SchemaChanged { .. }) => 0,
                removed => removed?,
            };
        }
        Ok(removed)
    }

    async fn count(&self, sql: &'static str, values: Vec<Value>) -> Result<u64, DbError> {
        let records = self.db().read(fixed(sql), values).await?;
        let count = records.first().map(|record| record.integer(0)).transpose()?.flatten();
        Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or_default())
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

    async fn remove(&self, statements: Vec<(&'static str, Vec<Value>)>) -> Result<u64, DbError> {
        let at = usize::from(self.db().dialect() == Dialect::Sqlite);
        let mut transaction = self.db().write().await?;
        let removed = async |on: &mut Transaction<'_>| {
            on.script(ASIDE[at]).await?;
            let mut removed = 0;
            for (sql, values) in statements {
                removed += on.execute(fixed(sql), values).await?;
            }
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

/// A person as the journal knows them.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// In lower case.
    subs: Vec<String>,
    /// The pool, and the username there.
    username: Option<(String, String)>,
}

impl Person {
    /// A statement for each name that the person has.
    fn statements(&self, of_sub: &'static str, of_username: &'static str) -> Vec<(&'static str, Vec<Value>)> {
        let by_sub = self.subs.iter().map(|sub| (of_sub, vec![text(sub)]));
        by_sub.chain(self.username.iter().map(|(pool, name)| (of_username, vec![text(pool), text(name)]))).collect()
    }
}

/// Names nobody.
impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Person(of {} subs)", self.subs.len())
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}
