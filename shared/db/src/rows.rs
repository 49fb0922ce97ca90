//! One row, written for a repair: locked, compared, written, and the journal closed, all in one transaction.
//!
//! Nothing but the sub of a row that is there is ever changed; a row that is inserted gets the mapped columns and nothing
//! else. No row is ever deleted.

use std::time::Duration;

use userlink_domain::{EmailKey, Row, RowId, Sub, Timestamp};
use uuid::Uuid;

use crate::statements::Dialect;
use crate::statements::linking::insert;
use crate::statements::rows::{RowStatements, call, function_parts};
use crate::transaction::{Transaction, Value};
use crate::{DbError, Journal, UsersTable};

/// Writes rows. Cheap to clone.
#[derive(Clone)]
pub struct RowWriter {
    table: UsersTable,
    statements: RowStatements,
    /// The application's own way to make a row.
    function: Option<(Option<String>, String)>,
}

/// What is to be written.
#[derive(Clone)]
pub enum RowWrite {
    /// What stands in the sub of a row, as a text; none empties it. It expects what it finds to be just this text, and where
    /// it is to be `alone` no other row to carry the sub: only to take something back two rows are made to share one.
    Sub { row: RowId, expect: Option<String>, value: Option<String>, alone: bool },
    /// A row for this sub, which none carries yet. Rows that have the e-mail make it stale, but for those that the person
    /// knew of.
    Insert { sub: Sub, email: Option<String>, has_email: Option<EmailKey>, known: Vec<RowId> },
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowWritten {
    /// Committed, and the journal with it where it is beside the table.
    Done { row: Row, closed: bool },
    /// Nothing was written: it is not as was expected.
    Stale(&'static str),
}

/// A step that is closed with the write.
#[derive(Clone, Copy)]
pub struct Closes<'a> {
    pub journal: &'a Journal,
    pub run: Uuid,
    pub step_no: i64,
    pub at: Timestamp,
}

impl Closes<'_> {
    /// What the journal has to say of a step that was done: of a row that was inserted its id, which nobody knew before.
    pub fn detail(&self, write: &RowWrite, row: &Row) -> String {
        match write {
            RowWrite::Insert { .. } => format!("{INSERTED}{}", row.id),
            RowWrite::Sub { .. } => String::new(),
        }
    }
}

/// Stands before the id of a row that a step inserted, in what its closing says.
pub const INSERTED: &str = "inserted ";

impl RowWriter {
    /// `function` makes rows where there is one: it is called with the sub and the e-mail.
    ///
    /// # Errors
    /// A function's name that cannot be one.
    pub fn new(table: UsersTable, function: Option<&str>) -> Result<Self, DbError> {
        let dialect = table.db().dialect();
        let function = function.map(|name| function_parts(name, dialect)).transpose()?;
        let statements = RowStatements::new(table.mapping(), dialect, table.schema(), table.statements());
        Ok(Self { table, statements, function })
    }

    /// Why no row can be inserted with the mapped columns: those that must have a value, and get none.
    pub fn unfilled(&self, with_email: bool) -> Vec<String> {
        if self.function.is_some() {
            return Vec::new();
        }
        self.table.schema().unfilled(self.table.mapping(), self.table.db().dialect(), with_email)
    }

    /// One transaction, in which no statement takes longer than `limit`. `as_chosen` looks at a row that is there once it is locked:
    /// whether it is still as it was when it was chosen.
    ///
    /// # Errors
    /// After one for which [`DbError::is_transient`] holds only reading tells whether it was written.
    pub async fn write(
        &self,
        write: &RowWrite,
        as_chosen: impl Fn(&Row) -> bool,
        closes: Closes<'_>,
        limit: Duration,
    ) -> Result<RowWritten, DbError> {
        let db = self.table.db();
        db.in_time(async {
            let mut transaction = db.begin_linking(limit).await?;
            let written = match write {
                RowWrite::Sub { row, expect, value, alone } => {
                    let texts = (expect.as_deref(), value.as_deref());
                    self.set_sub(&mut transaction, row, as_chosen, texts, *alone).await
                }
                RowWrite::Insert { sub, email, has_email, known } => {
                    self.insert(&mut transaction, *sub, email.as_deref(), has_email.as_ref(), known).await
                }
            };
            let written = match written {
                Ok(Ok(row)) if closes.journal.is_beside(&self.table) => {
                    let detail = closes.detail(write, &row);
                    let closed = (closes.run, closes.step_no, closes.at);
                    let done = closes.journal.done_in(&mut transaction, closed, &detail).await;
                    match done {
                        Ok(true) => Ok(RowWritten::Done { row, closed: true }),
                        // Somebody took this for a step that was left behind, and closed it.
                        Ok(false) => {
                            Ok(RowWritten::Stale("the step was closed meanwhile by somebody who found it open."))
                        }
                        Err(error) => Err(error),
                    }
                }
                Ok(Ok(row)) => Ok(RowWritten::Done { row, closed: false }),
                Ok(Err(stale)) => Ok(RowWritten::Stale(stale)),
                Err(error) => Err(error),
            };
            match written {
                Ok(RowWritten::Done { row, closed }) => {
                    transaction.commit().await.map(|()| RowWritten::Done { row, closed })
                }
                other => {
                    transaction.rollback().await;
                    other
                }
            }
        })
        .await
    }

    async fn set_sub(
        &self,
        on: &mut Transaction<'_>,
        id: &RowId,
        as_chosen: impl Fn(&Row) -> bool,
        (expect, value): (Option<&str>, Option<&str>),
        alone: bool,
    ) -> Result<Result<Row, &'static str>, DbError> {
        let found = self.table.listed_in(on, &self.statements.lock, self.table.keys(std::slice::from_ref(id))).await?;
        let Some(row) = found.into_iter().find(|row| row.id == *id) else { return Ok(Err("the row is gone.")) };
        if row.sub.as_deref() != expect {
            return Ok(Err("the row's sub is no longer what it was."));
        }
        if !as_chosen(&row) {
            return Ok(Err("the row's e-mail is no longer what the choice rested on."));
        }
        let sub = value.and_then(Sub::parse);
        if let Some(value) = sub.filter(|_| alone)
            && self.table.by_sub_in(on, value).await?.iter().any(|other| other.id != *id)
        {
            return Ok(Err("another row carries this user's sub."));
        }
        let text = |text: Option<&str>| Value::MaybeText(text.map(str::to_owned));
        let (value_text, expect) = (text(value), text(expect));
        let mut values = vec![value_text, self.table.key(id)?, expect];
        values.extend(self.table.statements().condition_values.iter().cloned());
        match on.execute(self.statements.set_sub.clone(), values).await? {
            1 => {}
            0 => return Ok(Err("the row changed while it was written.")),
            _ => return Err(DbError::Other("one id is that of several rows".to_owned())),
        }
        // Read back before it is committed: a trigger of the application's may have had its own mind.
        let again =
            self.table.listed_in(on, &self.table.statements().by_ids, self.table.keys(std::slice::from_ref(id)));
        match again.await?.into_iter().find(|row| row.id == *id) {
            Some(row) if row.sub.as_deref() == value || (sub.is_some() && row.sub() == sub) => Ok(Ok(row)),
            _ => Ok(Err("the database made something else of the write.")),
        }
    }

    async fn insert(
        &self,
        on: &mut Transaction<'_>,
        sub: Sub,
        email: Option<&str>,
        has_email: Option<&EmailKey>,
        known: &[RowId],
    ) -> Result<Result<Row, &'static str>, DbError> {
        if !self.table.by_sub_in(on, sub).await?.is_empty() {
            return Ok(Err("a row with this user's sub is there by now."));
        }
        if let (Some(key), Some(by_email)) = (has_email, &self.table.statements().by_email) {
            let rows = self.table.listed_in(on, by_email, Value::Text(key.as_str().to_owned())).await?;
            if rows.iter().any(|row| row.email_key().as_ref() == Some(key) && !known.contains(&row.id)) {
                return Ok(Err("a row that was not shown has this user's e-mail."));
            }
        }
        let (mapping, dialect) = (self.table.mapping(), self.table.db().dialect());
        let email = email.filter(|email| !email.contains('\0'));
        if let Some(function) = &self.function {
            let values = vec![Value::Text(sub.to_string()), Value::MaybeText(email.map(str::to_owned))];
            on.fetch(call(function), values).await?;
        } else {
            let filled = mapping.email.as_deref().zip(email);
            let columns: Vec<&str> = filled.iter().map(|(column, _)| *column).collect();
            let mut values = vec![Value::Text(sub.to_string())];
            values.extend(filled.map(|(_, email)| Value::Text(email.to_owned())));
            values.extend(self.table.statements().condition_values.iter().cloned());
            let statement = insert(mapping, dialect, self.table.schema(), &columns);
            match dialect {
                Dialect::Postgres => drop(on.fetch(statement, values).await?),
                Dialect::Sqlite => drop(on.execute(statement, values).await?),
            }
        }
        let mut made = self.table.by_sub_in(on, sub).await?;
        match (made.pop(), made.is_empty()) {
            (Some(row), true) => Ok(Ok(row)),
            _ => Ok(Err("the row that was made is not one of those that count.")),
        }
    }
}

/// Which table, and nothing that is in it.
impl std::fmt::Debug for RowWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RowWriter({:?})", self.table)
    }
}
