//! What hangs on a row: how many rows of other tables refer to it, by the foreign keys of the catalog.
//!
//! It is a look, and never worth a slow statement: only columns with an index are counted, up to a limit, for a moment.

use std::time::Duration;

use userlink_domain::RowId;

use crate::statements::rows::{begin_brief, referring};
use crate::statements::{Dialect, fixed};
use crate::transaction::Value;
use crate::{DbError, UsersTable};

/// No more than these are counted.
const AT_MOST: u32 = 1_000;
/// How long one count may take.
const BRIEF: Duration = Duration::from_millis(500);
/// More than these are named, and not looked at.
const TABLES_AT_MOST: usize = 50;

/// A column of another table that refers to the row: or several, with commas in between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// `orders`, with its schema where that is another one.
    pub table: String,
    pub column: String,
    pub rows: Referring,
}

/// How many rows refer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Referring {
    Count(u64),
    /// There are more, and they were not counted.
    AtLeast(u64),
    /// The column has no index, so that it was not looked at.
    NotIndexed,
    /// It refers by several columns, or by another than the key: that was not looked at.
    Otherwise,
    /// So many tables refer that this one was not looked at.
    OneOfMany,
    /// It took too long, or may not be read.
    Unknown,
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.rows {
            Referring::Count(count) => write!(f, "{} {count}", self.table),
            Referring::AtLeast(count) => write!(f, "{} more than {count}", self.table),
            Referring::NotIndexed => write!(f, "{} not counted ({} has no index)", self.table, self.column),
            Referring::Otherwise => write!(f, "{} not counted (it refers by {})", self.table, self.column),
            Referring::OneOfMany => write!(f, "{} not counted (one of many)", self.table),
            Referring::Unknown => write!(f, "{} not known", self.table),
        }
    }
}

/// The last column says whether it refers by one column, to the key.
const POSTGRES: &str = "
SELECT n.nspname::text, c.relname::text,
       (SELECT string_agg(b.attname::text, ', ' ORDER BY o.place) FROM unnest(k.conkey) WITH ORDINALITY o (num, place)
        JOIN pg_attribute b ON b.attrelid = k.conrelid AND b.attnum = o.num),
       format_type(a.atttypid, -1), n.nspname = $2,
       EXISTS (SELECT 1 FROM pg_index i
               WHERE i.indrelid = k.conrelid AND i.indkey[0] = a.attnum AND i.indisvalid AND i.indpred IS NULL),
       array_length(k.conkey, 1) = 1 AND ta.attname = $3
FROM pg_constraint k JOIN pg_class t ON t.oid = k.confrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace
     JOIN pg_attribute ta ON ta.attrelid = t.oid AND ta.attnum = k.confkey[1]
     JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
WHERE k.contype = 'f' AND k.conparentid = 0 AND tn.nspname = $2 AND t.relname = $1
ORDER BY 1, 2, 3";

const SQLITE: &str = "
SELECT 'main', m.name, group_concat(f.\"from\", ', '), '', 1,
       EXISTS (SELECT 1 FROM pragma_index_list(m.name) l, pragma_index_info(l.name) i
               WHERE l.partial = 0 AND i.seqno = 0 AND lower(i.name) = lower(f.\"from\"))
       OR EXISTS (SELECT 1 FROM pragma_table_info(m.name) p
               WHERE p.pk = 1 AND lower(p.type) = 'integer' AND lower(p.name) = lower(f.\"from\")),
       count(*) = 1 AND (f.\"to\" IS NULL OR lower(f.\"to\") = lower($3))
FROM sqlite_schema m, pragma_foreign_key_list(m.name) f
WHERE m.type = 'table' AND lower(f.\"table\") = lower($1) AND $2 IS NOT NULL
GROUP BY m.name, f.id
ORDER BY 1, 2, 3";

impl UsersTable {
    /// How many rows of other tables refer to this row.
    ///
    /// # Errors
    /// Where the catalog cannot be read. That a table cannot be is an answer.
    pub async fn references(&self, row: &RowId) -> Result<Vec<Reference>, DbError> {
        let (db, relation) = (self.db(), self.schema().relation.clone());
        let keys = match db.dialect() {
            Dialect::Postgres => POSTGRES,
            Dialect::Sqlite => SQLITE,
        };
        let of = vec![Value::Text(relation.1), Value::Text(relation.0), Value::Text(self.mapping().id.clone())];
        let (mut found, mut looked_at) = (Vec::new(), 0);
        for record in db.read(fixed(keys), of).await? {
            let (schema, name, column) = (record.name(0)?, record.name(1)?, record.name(2)?);
            let table = if record.truth(4)? { name.clone() } else { format!("{schema}.{name}") };
            let rows = if !record.truth(6)? {
                Referring::Otherwise
            } else if looked_at == TABLES_AT_MOST {
                Referring::OneOfMany
            } else if record.truth(5)? {
                looked_at += 1;
                self.count(&(schema, name), &column, &record.name(3)?, row).await
            } else {
                Referring::NotIndexed
            };
            found.push(Reference { table, column, rows });
        }
        Ok(found)
    }

    async fn count(&self, table: &(String, String), column: &str, sql_type: &str, row: &RowId) -> Referring {
        let dialect = self.db().dialect();
        let value = match (dialect, self.key(row)) {
            (Dialect::Sqlite, Ok(key)) => key,
            _ => Value::Text(row.to_string()),
        };
        let sql = referring(dialect, table, column, sql_type, AT_MOST + 1);
        let counted = tokio::time::timeout(2 * BRIEF, self.db().read_in(begin_brief(dialect, BRIEF), sql, vec![value]));
        let Ok(Ok(records)) = counted.await else { return Referring::Unknown };
        let count = records.first().and_then(|record| record.integer(0).ok().flatten());
        match count.and_then(|count| u64::try_from(count).ok()) {
            Some(count) if count > u64::from(AT_MOST) => Referring::AtLeast(u64::from(AT_MOST)),
            Some(count) => Referring::Count(count),
            None => Referring::Unknown,
        }
    }
}
