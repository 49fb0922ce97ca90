//! What PostgreSQL's catalog says of the table. It reads, and judges only what hides rows.

use userlink_domain::nearest_name;

use crate::schema::{Catalog, Class, Column, Index, written};
use crate::statements::{Dialect, fixed, quote};
use crate::transaction::Value;
use crate::{Db, DbError, Mapping};

const TABLE: &str = "
SELECT c.oid::int8, n.nspname::text, c.relname::text, c.reltuples::int8, c.relpages::int8,
       row_security_active(c.oid), current_database()::text, has_any_column_privilege(c.oid, 'SELECT')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = to_regclass($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')";

const TABLES: &str = "
SELECT CASE WHEN pg_table_is_visible(c.oid) AND NOT $1 THEN c.relname::text ELSE n.nspname || '.' || c.relname END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
ORDER BY 1";

/// A domain counts as the type it is made of. `datlocprovider` came with version 15: before, libc's it was.
const COLUMNS: &str = "
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), format_type(b.oid, -1), b.oid::int8, a.attnotnull,
       a.attcollation IN (950, 951) OR a.attcollation = 100 AND d.datcollate IN ('C', 'POSIX')
           AND coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') = 'c',
       has_column_privilege(a.attrelid, a.attnum, 'SELECT'), quote_ident(a.attname),
       a.atthasdef OR a.attidentity <> ''
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
     JOIN pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END,
     pg_database d
WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped AND d.datname = current_database()
ORDER BY a.attnum";

const INDEXES: &str = "
SELECT i.indexrelid::int8, i.indisunique, i.indisprimary, pg_get_expr(i.indpred, i.indrelid), a.attname::text,
       pg_get_indexdef(i.indexrelid, k + 1, false)
FROM pg_index i CROSS JOIN LATERAL generate_series(0, i.indnkeyatts - 1) k
     LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k]
WHERE i.indrelid = $1::oid AND i.indisvalid
ORDER BY i.indexrelid, k";

pub(crate) async fn read(db: &Db, mapping: &Mapping) -> Result<Catalog, DbError> {
    let (schema, name) = mapping.table_parts()?;
    let written_name = match &schema {
        Some(schema) => format!("{}.{}", quote(schema), quote(&name)),
        None => quote(&name),
    };
    let table = db.read(fixed(TABLE), vec![Value::Text(written_name)]).await?;
    let Some(table) = table.first() else {
        return Err(missing(db, mapping, schema.is_some()).await?);
    };
    if table.truth(5)? {
        return Err(DbError::RowSecurity { table: mapping.table.clone() });
    }
    if !table.truth(7)? {
        return Err(DbError::Permission { what: format!("table {}", mapping.table) });
    }
    let oid = || vec![Value::Integer(table.integer(0).ok().flatten().unwrap_or_default())];
    // A table that was never analyzed has -1, before version 14 zero rows on zero pages.
    let rows = table.integer(3)?.filter(|rows| *rows > 0 || table.integer(4).is_ok_and(|pages| pages > Some(0)));

    let mut columns = Vec::new();
    let mut quoted = Vec::new();
    for record in db.read(fixed(COLUMNS), oid()).await? {
        columns.push(Column {
            name: record.name(0)?,
            declared: record.name(1)?,
            sql_type: record.name(2)?,
            class: class(record.integer(3)?),
            not_null: record.truth(4)?,
            filled: record.truth(8)?,
            bytewise: record.truth(5)?,
            readable: record.truth(6)?,
            quoted: record.name(7)?,
        });
        quoted.push((record.name(7)?, record.name(0)?));
    }

    let mut indexes: Vec<Index> = Vec::new();
    let mut last = None;
    for record in db.read(fixed(INDEXES), oid()).await? {
        let number = record.integer(0)?;
        if last != number {
            last = number;
            let predicate = record.text(3)?.map(|text| conditions(&text, &quoted));
            let (unique, primary) = (record.truth(1)?, record.truth(2)?);
            let first = record.text(5)?;
            indexes.push(Index { first, columns: Vec::new(), unique, primary, predicate });
        }
        if let Some(index) = indexes.last_mut() {
            index.columns.push(record.text(4)?);
        }
    }
    Ok(Catalog {
        database: table.name(6)?,
        relation: (table.name(1)?, table.name(2)?),
        columns,
        indexes,
        estimated_rows: rows.and_then(|rows| u64::try_from(rows).ok()),
        id_is_blob: false,
    })
}

async fn missing(db: &Db, mapping: &Mapping, with_schema: bool) -> Result<DbError, DbError> {
    let tables = db.read(fixed(TABLES), vec![Value::Bool(with_schema)]).await?;
    let tables = tables.iter().map(|record| record.name(0)).collect::<Result<Vec<_>, _>>()?;
    let nearest = nearest_name(&mapping.table, tables.iter().map(String::as_str)).map(str::to_owned);
    Ok(DbError::TableMissing { table: mapping.table.clone(), nearest })
}

/// By the numbers that PostgreSQL's own types have had for ever.
fn class(oid: Option<i64>) -> Class {
    match oid {
        Some(2950) => Class::Uuid,
        Some(20 | 21 | 23) => Class::Integer,
        Some(25 | 1043) => Class::Text,
        Some(1082 | 1114 | 1184) => Class::Moment,
        Some(17) => Class::Blob,
        _ => Class::Other,
    }
}

/// The conditions on nulls that a predicate is made of; whatever else is in it comes out as it is written.
fn conditions(predicate: &str, quoted: &[(String, String)]) -> Vec<String> {
    let inner = predicate.strip_prefix("((").and_then(|rest| rest.strip_suffix("))"));
    let joined = inner.map_or_else(|| predicate.to_owned(), |inner| format!("({inner})"));
    let known = |part: &str| {
        quoted.iter().find_map(|(quoted, name)| {
            let null = [true, false].into_iter().find(|null| {
                part == if *null { format!("({quoted} IS NULL)") } else { format!("({quoted} IS NOT NULL)") }
            })?;
            Some(written(Dialect::Postgres, name, null))
        })
    };
    joined.split(" AND ").map(|part| known(part).unwrap_or_else(|| predicate.to_owned())).collect()
}
