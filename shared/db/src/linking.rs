//! Making the tie: the row that carries a user's sub, found, adopted or inserted in one transaction.
//!
//! This is the only part of the crate that writes to the application's table. It never overwrites a sub, never inserts a
//! second row for one (which takes a unique index, so it refuses without), and never deletes.

use std::sync::Arc;
use std::time::Duration;

use userlink_domain::{EmailKey, Row, RowId, Sub};

use crate::schema::FoundBy;
use crate::statements::linking::{INDEX_HAS_COLUMN, LinkingStatements, begin_linking, insert};
use crate::statements::{Dialect, fixed};
use crate::transaction::{Transaction, Value};
use crate::{Db, DbError, UsersTable};

impl Db {
    pub(crate) async fn begin_linking(&self, limit: Duration) -> Result<Transaction<'_>, DbError> {
        if self.is_read_only() {
            return Err(DbError::ReadOnly);
        }
        self.begin_as(begin_linking(self.dialect(), limit)).await
    }
}

/// Who is to be tied to a row, and what may be done for it.
#[derive(Clone)]
pub struct Newcomer {
    pub sub: Sub,
    /// What goes into the e-mail's column of a row that is inserted.
    pub email: Option<String>,
    /// The user's e-mail, proved or not. While a row has it, none is inserted.
    pub known_by: Option<EmailKey>,
    /// The row to take, if it is still the one with that e-mail, and still has no sub. Whoever sets this has asked the pool
    /// who else has the e-mail.
    pub adopt: Option<RowId>,
    /// What goes into the further columns of a row that is inserted, in their order.
    pub further: Vec<Option<String>>,
    /// Whether a row may be inserted.
    pub insert: bool,
}

/// What came of it. Where there is a row, it carries the user's sub, and this is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tie {
    /// The row was there.
    Found(Row),
    /// The row had no sub, and has this user's now.
    Adopted(Row),
    Inserted(Row),
    /// There is no row, and none was to be inserted.
    NoRow,
    /// Two rows carry the sub. They are written otherwise, else the index would have seen to it.
    DuplicateRows,
    /// Another row has the e-mail, in a column that is unique. Nothing was written.
    EmailTaken,
    /// One row has the e-mail, and no sub: [`Newcomer::adopt`] can name it. Nothing was written.
    Free(Row),
    /// The rows with the e-mail carry other users' subs. Nothing was written.
    RowTaken,
    /// More than one row has the e-mail, and one at least no sub. Nothing was written.
    Ambiguous,
}

/// A users table in which ties can be made.
#[derive(Clone)]
pub struct Linking {
    table: UsersTable,
    statements: LinkingStatements,
    further: Arc<[String]>,
}

impl Linking {
    /// With these further columns, into which text can be written.
    ///
    /// # Errors
    /// [`DbError::SubNotUnique`] where two rows could come to carry one sub, [`DbError::ColumnMissing`].
    pub fn new(table: UsersTable, further: Vec<String>) -> Result<Self, DbError> {
        let (schema, dialect) = (table.schema(), table.db().dialect());
        if !schema.sub_unique {
            return Err(DbError::SubNotUnique { table: schema.table.clone(), column: table.mapping().sub.clone() });
        }
        for name in &further {
            if !schema.columns.iter().any(|column| dialect.same_name(&column.name, name)) {
                let known = schema.columns.iter().map(|column| column.name.as_str());
                return Err(DbError::ColumnMissing {
                    table: schema.table.clone(),
                    column: name.clone(),
                    setting: "columns",
                    nearest: userlink_domain::nearest_name(name, known).map(str::to_owned),
                });
            }
        }
        let statements = LinkingStatements::new(table.mapping(), dialect, schema);
        Ok(Self { table, statements, further: further.into() })
    }

    pub fn table(&self) -> &UsersTable {
        &self.table
    }

    /// Whether looking for an e-mail reads the whole table: there is no index on `lower(email)`, as
    /// `CREATE INDEX CONCURRENTLY ON users (lower(email))` makes it, nor a column of type citext that has one.
    pub fn reads_all_for_an_email(&self) -> bool {
        self.table.mapping().email.is_some() && self.table.schema().email_found_by == FoundBy::Reading
    }

    /// One transaction, in which no statement takes longer than this. It can be called again whatever became of it, a lost
    /// answer to the commit included: the row of the sub is looked for first.
    ///
    /// # Errors
    /// One for which [`DbError::is_transient`] holds, a deadlock or a conflict of serialization among them, can be answered
    /// by calling it again.
    pub async fn tie(&self, newcomer: &Newcomer, limit: Duration) -> Result<Tie, DbError> {
        let mut transaction = self.table.db().begin_linking(limit).await?;
        match self.within(&mut transaction, newcomer).await {
            Ok(tie) => transaction.commit().await.map(|()| tie),
            Err(DbError::Taken { constraint }) => {
                transaction.rollback().await;
                self.taken(newcomer, constraint, limit).await
            }
            // After a failover the old writer is a reader, and the name leads elsewhere: this connection is of no more use.
            Err(error @ DbError::ReadOnlyServer { .. }) => {
                drop(transaction);
                Err(error)
            }
            Err(error) => {
                transaction.rollback().await;
                Err(error)
            }
        }
    }

    async fn within(&self, transaction: &mut Transaction<'_>, newcomer: &Newcomer) -> Result<Tie, DbError> {
        let wants_a_row = newcomer.insert || newcomer.adopt.is_some();
        let email = newcomer.known_by.as_ref().filter(|_| wants_a_row);
        let rows = match (email, &self.statements.by_sub_and_email) {
            (Some(email), Some(both)) if newcomer.adopt.is_none() => {
                let values = vec![self.table.subs(&[newcomer.sub]), Value::Text(email.as_str().to_owned())];
                let mut rows: Vec<Row> = Vec::new();
                for row in self.table.found_in(transaction, both, values).await? {
                    if !rows.iter().any(|known| known.id == row.id) {
                        rows.push(row);
                    }
                }
                if let Some(tie) = own(&rows, newcomer.sub) {
                    return Ok(tie);
                }
                rows
            }
            _ => {
                if let Some(tie) = self.found(transaction, newcomer.sub).await? {
                    return Ok(tie);
                }
                let statements = &self.statements;
                let by_email = if newcomer.adopt.is_some() { &statements.lock_by_email } else { &statements.by_email };
                match (email, by_email) {
                    (Some(email), Some(by_email)) => {
                        self.table.listed_in(transaction, by_email, Value::Text(email.as_str().to_owned())).await?
                    }
                    _ => Vec::new(),
                }
            }
        };
        let mut rows: Vec<Row> = rows.into_iter().filter(|row| row.email_key().as_ref() == email).collect();
        // Somebody else's delivery of the same event may have been faster.
        if let Some(at) = rows.iter().position(|row| row.sub() == Some(newcomer.sub)) {
            return Ok(Tie::Found(rows.swap_remove(at)));
        }
        let is_free = |row: &Row| row.sub.as_deref().is_none_or(|sub| sub.trim().is_empty());
        match &rows[..] {
            [] if newcomer.insert => self.insert(transaction, newcomer).await,
            [] => Ok(Tie::NoRow),
            [row] if is_free(row) && newcomer.adopt.as_ref() == Some(&row.id) => {
                self.adopt(transaction, row.clone(), newcomer.sub).await
            }
            [row] if is_free(row) => Ok(Tie::Free(row.clone())),
            rows if rows.iter().any(is_free) => Ok(Tie::Ambiguous),
            _ => Ok(Tie::RowTaken),
        }
    }

    async fn found(&self, transaction: &mut Transaction<'_>, sub: Sub) -> Result<Option<Tie>, DbError> {
        Ok(own(&self.table.by_sub_in(transaction, sub).await?, sub))
    }

    async fn adopt(&self, transaction: &mut Transaction<'_>, row: Row, sub: Sub) -> Result<Tie, DbError> {
        let mut values = vec![Value::Text(sub.to_string()), self.table.key(&row.id)?];
        values.extend(self.table.statements().condition_values.iter().cloned());
        match transaction.execute(self.statements.adopt.clone(), values).await? {
            1 => Ok(Tie::Adopted(Row { sub: Some(sub.to_string().into()), ..row })),
            // The row was locked, so this is a database that locks otherwise than it says.
            _ => Err(DbError::Busy),
        }
    }

    async fn insert(&self, transaction: &mut Transaction<'_>, newcomer: &Newcomer) -> Result<Tie, DbError> {
        let mapping = self.table.mapping();
        let email = mapping.email.as_deref().zip(newcomer.email.as_deref());
        let further = self.further.iter().map(String::as_str).zip(newcomer.further.iter().map(Option::as_deref));
        let further = further.filter_map(|(column, value)| Some((column, value?)));
        // No column of PostgreSQL's holds a NUL.
        let filled: Vec<_> = email.into_iter().chain(further).filter(|(_, value)| !value.contains('\0')).collect();
        let columns: Vec<&str> = filled.iter().map(|(column, _)| *column).collect();
        let dialect = self.table.db().dialect();
        let statement = insert(mapping, dialect, self.table.schema(), &columns);
        let mut values = vec![Value::Text(newcomer.sub.to_string())];
        values.extend(filled.iter().map(|(_, value)| Value::Text((*value).to_owned())));
        values.extend(self.table.statements().condition_values.iter().cloned());
        let nothing = || DbError::Other("an inserted row did not come back".to_owned());
        match dialect {
            Dialect::Postgres => {
                let records = transaction.fetch(statement, values).await?;
                let record = records.first().ok_or_else(nothing)?;
                self.table.row(record).map(Tie::Inserted)
            }
            Dialect::Sqlite => {
                transaction.execute(statement, values).await?;
                match self.found(transaction, newcomer.sub).await? {
                    Some(Tie::Found(row)) => Ok(Tie::Inserted(row)),
                    _ => Err(nothing()),
                }
            }
        }
    }

    /// A unique index stood in the way, and it was not the one on the sub that the insert allows for.
    async fn taken(&self, newcomer: &Newcomer, constraint: String, limit: Duration) -> Result<Tie, DbError> {
        let mapping = self.table.mapping();
        let on_email = match mapping.email.as_deref().filter(|_| newcomer.email.is_some()) {
            Some(email) => self.has_column(&constraint, email, limit).await?,
            None => false,
        };
        if on_email {
            Ok(Tie::EmailTaken)
        } else if self.has_column(&constraint, &mapping.sub, limit).await? {
            // Two that adopted for one user at once: the second finds the row.
            Err(DbError::Busy)
        } else {
            Err(DbError::Taken { constraint })
        }
    }

    async fn has_column(&self, constraint: &str, column: &str, limit: Duration) -> Result<bool, DbError> {
        let db = self.table.db();
        if db.dialect() == Dialect::Sqlite {
            let named = constraint.rsplit_once('.').map_or(constraint, |(_, name)| name);
            return Ok(named.eq_ignore_ascii_case(column));
        }
        let schema = self.table.schema().relation.0.clone();
        let values = vec![Value::Text(schema), Value::Text(constraint.to_owned()), Value::Text(column.to_owned())];
        let mut transaction = db.begin_linking(limit).await?;
        match transaction.fetch(fixed(INDEX_HAS_COLUMN), values).await {
            Ok(records) => {
                let has = records.first().map(|record| record.truth(0)).transpose()?.unwrap_or_default();
                transaction.commit().await.map(|()| has)
            }
            Err(error) => {
                transaction.rollback().await;
                Err(error)
            }
        }
    }
}

/// What the rows that carry this sub come to, if there are any.
fn own(rows: &[Row], sub: Sub) -> Option<Tie> {
    let mut own = rows.iter().filter(|row| row.sub() == Some(sub));
    let first = own.next()?;
    Some(if own.next().is_none() { Tie::Found(first.clone()) } else { Tie::DuplicateRows })
}

/// Which table, and nothing that is in it.
impl std::fmt::Debug for Linking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Linking({:?})", self.table)
    }
}

/// Says which user, and nothing about the person.
impl std::fmt::Debug for Newcomer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Newcomer({})", self.sub)
    }
}
