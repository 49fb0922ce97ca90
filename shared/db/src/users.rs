//! The application's users table, read. Nothing here writes.
//!
//! Every read is one short transaction, so a page is consistent in itself and two pages need not be: a row
//! may come, go or change between them, and whoever reads them must settle that.

use std::collections::HashSet;
use std::sync::Arc;

use userlink_domain::{EmailKey, Row, RowId, Sub, Timestamp};
use uuid::Uuid;

use crate::schema::IdForm;
use crate::statements::changes::ChangeStatements;
use crate::statements::{self, Statements};
use crate::transaction::{Record, Transaction, Value};
use crate::{Db, DbError, Mapping, Schema};

/// How many keys go into one statement.
const LIST: usize = 1000;

/// A users table that fits its mapping. Cheap to clone.
#[derive(Clone)]
pub struct UsersTable {
    db: Db,
    inner: Arc<Inner>,
}

struct Inner {
    mapping: Mapping,
    schema: Schema,
    statements: Statements,
    changes: Option<ChangeStatements>,
}

impl UsersTable {
    pub(crate) async fn open(db: Db, mapping: Mapping) -> Result<Self, DbError> {
        let schema = Schema::read(&db, &mapping).await?;
        let statements = Statements::new(&mapping, db.dialect(), &schema)?;
        let changes = ChangeStatements::new(&mapping, db.dialect(), &schema);
        let table = Self { db, inner: Arc::new(Inner { mapping, schema, statements, changes }) };
        // One read shows that the rest will work: privileges, policies, the values in the conditions.
        match table.page(None, 1).await {
            Err(DbError::Other(code)) if code.starts_with("SQLSTATE 22") => {
                Err(DbError::ConditionValue { table: table.inner.schema.table.clone() })
            }
            Err(DbError::Value { .. }) | Ok(_) => Ok(table),
            Err(error) => Err(error),
        }
    }

    /// What was found when the table was opened.
    pub fn schema(&self) -> &Schema {
        &self.inner.schema
    }

    /// The table with its schema, as the database calls both: the same however the mapping writes it.
    pub fn full_name(&self) -> String {
        let part = |name: &str| if name.contains(['.', '"']) { statements::quote(name) } else { name.to_owned() };
        let (schema, name) = &self.inner.schema.relation;
        format!("{}.{}", part(schema), part(name))
    }

    /// Makes the unique index on the sub, on which whoever inserts rows can rely. False where there is one already.
    ///
    /// On PostgreSQL the index is made beside the traffic, and takes as long as that takes.
    ///
    /// # Errors
    /// [`DbError::SubTwice`] where rows share a sub, [`DbError::ReadOnly`], and those of the database.
    pub async fn make_sub_unique(&self) -> Result<bool, DbError> {
        if self.db.is_read_only() {
            return Err(DbError::ReadOnly);
        }
        if self.inner.schema.sub_unique {
            return Ok(false);
        }
        let (make, unmake) = statements::unique_sub(&self.inner.mapping, self.db.dialect(), &self.inner.schema);
        let Err(error) = self.db.alone(make).await else { return Ok(true) };
        // What was begun and not ended is an index that nobody uses and everybody pays for. One that was there before is not
        // ours to take away: somebody relies on it, or is making it.
        let was_there = error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("42P07"));
        if let Some(unmake) = unmake.filter(|_| !was_there)
            && let Err(error) = self.db.alone(unmake).await
        {
            return Err(self.db.error(error));
        }
        let twice = error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation);
        Err(if twice { DbError::SubTwice } else { self.db.error(error) })
    }

    pub(crate) fn db(&self) -> &Db {
        &self.db
    }

    pub(crate) fn statements(&self) -> &Statements {
        &self.inner.statements
    }

    pub(crate) fn changes(&self) -> Option<&ChangeStatements> {
        self.inner.changes.as_ref()
    }

    /// The mapping that the table was opened with.
    pub fn mapping(&self) -> &Mapping {
        &self.inner.mapping
    }

    /// The next rows in the order of their ids (uuids and texts by their bytes, integers as numbers), after
    /// `after` or from the beginning. Fewer than `limit` rows: there are no more.
    ///
    /// # Errors
    /// One for which [`DbError::is_transient`] holds can be answered by asking for the same page again.
    pub async fn page(&self, after: Option<&RowId>, limit: u32) -> Result<Vec<Row>, DbError> {
        let statements = &self.inner.statements;
        let mut values = vec![Value::Integer(i64::from(limit))];
        let sql = match after {
            None => &statements.first_page,
            Some(id) => {
                values.push(self.key(id)?);
                &statements.next_page
            }
        };
        values.extend(statements.condition_values.iter().cloned());
        self.read(sql, values).await
    }

    /// The rows with these ids, in the order of their ids; an id that no row has is left out.
    ///
    /// # Errors
    /// As for [`Self::page`].
    pub async fn by_ids(&self, ids: &[RowId]) -> Result<Vec<Row>, DbError> {
        let mut rows = Vec::new();
        for ids in ids.chunks(LIST) {
            let wanted: HashSet<&RowId> = ids.iter().collect();
            let found = self.listed(&self.inner.statements.by_ids, self.keys(ids)).await?;
            // A collation that takes different texts for equal finds too much.
            rows.extend(found.into_iter().filter(|row| wanted.contains(&row.id)));
        }
        Ok(rows)
    }

    /// The rows that carry one of these subs. A text column is compared without regard to case where it has
    /// no index; where it has one, in lower case and in upper case, the two forms in which programs write a
    /// UUID, so that the index can be used.
    ///
    /// # Errors
    /// As for [`Self::page`].
    pub async fn by_subs(&self, subs: &[Sub]) -> Result<Vec<Row>, DbError> {
        let mut rows = Vec::new();
        for subs in subs.chunks(LIST) {
            let wanted: HashSet<Sub> = subs.iter().copied().collect();
            let list = self.subs(subs);
            let found = self.listed(&self.inner.statements.by_subs, list).await?;
            rows.extend(found.into_iter().filter(|row| row.sub().is_some_and(|sub| wanted.contains(&sub))));
        }
        Ok(rows)
    }

    pub(crate) fn subs(&self, subs: &[Sub]) -> Value {
        if self.inner.schema.sub_is_uuid {
            Value::Uuids(subs.iter().map(|sub| sub.as_uuid()).collect())
        } else {
            let forms = subs.iter().map(Sub::to_string);
            Value::Texts(forms.flat_map(|lower| [lower.to_ascii_uppercase(), lower]).collect())
        }
    }

    /// The rows that carry this sub, read in a transaction that goes on.
    pub(crate) async fn by_sub_in(&self, on: &mut Transaction<'_>, sub: Sub) -> Result<Vec<Row>, DbError> {
        let found = self.listed_in(on, &self.inner.statements.by_subs, self.subs(&[sub])).await?;
        Ok(found.into_iter().filter(|row| row.sub() == Some(sub)).collect())
    }

    pub(crate) async fn listed_in(
        &self,
        on: &mut Transaction<'_>,
        sql: &sqlx::SqlStr,
        list: Value,
    ) -> Result<Vec<Row>, DbError> {
        self.found_in(on, sql, vec![list]).await
    }

    /// What a statement finds with these values, and those of the conditions after them.
    pub(crate) async fn found_in(
        &self,
        on: &mut Transaction<'_>,
        sql: &sqlx::SqlStr,
        mut values: Vec<Value>,
    ) -> Result<Vec<Row>, DbError> {
        values.extend(self.inner.statements.condition_values.iter().cloned());
        on.fetch(sql.clone(), values).await?.iter().map(|record| self.row(record)).collect()
    }

    /// The rows with this e-mail, compared as everywhere: trimmed, ASCII letters folded. None where the
    /// mapping has no e-mail. No index helps: it reads the whole table.
    ///
    /// # Errors
    /// As for [`Self::page`].
    pub async fn by_email(&self, email: &EmailKey) -> Result<Vec<Row>, DbError> {
        let Some(sql) = &self.inner.statements.by_email else { return Ok(Vec::new()) };
        let found = self.listed(sql, Value::Text(email.as_str().to_owned())).await?;
        Ok(found.into_iter().filter(|row| row.email_key().as_ref() == Some(email)).collect())
    }

    async fn listed(&self, sql: &sqlx::SqlStr, list: Value) -> Result<Vec<Row>, DbError> {
        let mut values = vec![list];
        values.extend(self.inner.statements.condition_values.iter().cloned());
        self.read(sql, values).await
    }

    async fn read(&self, sql: &sqlx::SqlStr, values: Vec<Value>) -> Result<Vec<Row>, DbError> {
        self.answer(sql, values).await?.iter().map(|record| self.row(record)).collect()
    }

    pub(crate) async fn answer(&self, sql: &sqlx::SqlStr, values: Vec<Value>) -> Result<Vec<Record>, DbError> {
        let table = || self.inner.schema.table.clone();
        self.db.read(sql.clone(), values).await.map_err(|error| match error {
            DbError::RowSecurity { .. } => DbError::RowSecurity { table: table() },
            DbError::Permission { .. } => DbError::Permission { what: table() },
            other => other,
        })
    }

    pub(crate) fn key(&self, id: &RowId) -> Result<Value, DbError> {
        match (self.inner.schema.id_form, id) {
            (IdForm::Uuid, RowId::Uuid(id)) => Ok(Value::Uuid(*id)),
            (IdForm::UuidText, RowId::Uuid(id)) => Ok(Value::Text(id.to_string())),
            (IdForm::BigInt, RowId::BigInt(id)) => Ok(Value::Integer(*id)),
            (IdForm::Text, RowId::Text(id)) => Ok(Value::Text(id.to_string())),
            _ => Err(DbError::Other("an id of another kind than the table's".to_owned())),
        }
    }

    /// An id of another kind, or a text with a NUL, names no row of this table.
    pub(crate) fn keys(&self, ids: &[RowId]) -> Value {
        let (mut uuids, mut numbers, mut texts) = (Vec::new(), Vec::new(), Vec::new());
        for id in ids {
            match id {
                RowId::Uuid(id) => uuids.push(*id),
                RowId::BigInt(id) => numbers.push(*id),
                RowId::Text(id) if !id.contains('\0') => texts.push(id.to_string()),
                RowId::Text(_) => {}
            }
        }
        match self.inner.schema.id_form {
            IdForm::Uuid => Value::Uuids(uuids),
            IdForm::UuidText => Value::Texts(uuids.iter().map(Uuid::to_string).collect()),
            IdForm::BigInt => Value::Integers(numbers),
            IdForm::Text => Value::Texts(texts),
        }
    }

    pub(crate) fn row(&self, record: &Record) -> Result<Row, DbError> {
        let id = self.id(record)?.ok_or_else(|| self.no_id())?;
        let boxed = |text: Option<String>| text.map(String::into_boxed_str);
        let named =
            |column: &Option<String>, wanted| DbError::Value { column: column.clone().unwrap_or_default(), wanted };
        let mapping = &self.inner.mapping;
        let sub = record.text(1).map_err(|_| DbError::Value { column: mapping.sub.clone(), wanted: "a text" })?;
        let moment = |at, column| {
            let millis = record.integer(at).map_err(|_| named(column, "a moment"))?;
            Ok::<_, DbError>(millis.map(Timestamp::from_millis))
        };
        Ok(Row {
            id,
            sub: boxed(sub),
            email: boxed(record.text(2).map_err(|_| named(&mapping.email, "a text"))?),
            created_at: moment(3, &mapping.created_at)?,
            updated_at: moment(4, &mapping.updated_at)?,
            show: (5..5 + mapping.show.len()).map(|at| record.text(at).map(boxed)).collect::<Result<_, _>>()?,
        })
    }

    pub(crate) fn no_id(&self) -> DbError {
        let wanted = match self.inner.schema.id_form {
            IdForm::Uuid => "a uuid",
            IdForm::UuidText => "a uuid in lower case, 8-4-4-4-12",
            IdForm::BigInt => "an integer",
            IdForm::Text => "a text",
        };
        DbError::Value { column: self.inner.mapping.id.clone(), wanted }
    }

    /// The id, or nothing where it cannot be read as one: never a guess, since a row must be found again by it.
    pub(crate) fn id(&self, record: &Record) -> Result<Option<RowId>, DbError> {
        Ok(match self.inner.schema.id_form {
            IdForm::Uuid => record.uuid(0).ok().flatten().map(RowId::Uuid),
            IdForm::BigInt => record.integer(0).ok().flatten().map(RowId::BigInt),
            IdForm::Text => record.text(0).ok().flatten().map(|id| RowId::Text(id.into_boxed_str())),
            IdForm::UuidText => {
                let text = record.text(0).ok().flatten();
                let id = text.as_deref().and_then(|text| Uuid::try_parse(text).ok());
                id.filter(|id| Some(id.to_string()) == text).map(RowId::Uuid)
            }
        })
    }
}

/// Which table, and nothing that is in it.
impl std::fmt::Debug for UsersTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UsersTable({:?}, {})", self.db, self.inner.schema.table)
    }
}
