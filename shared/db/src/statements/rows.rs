//! The statements that write a row's sub for a repair, each on one row that is locked and as it was expected.

use std::time::Duration;

use sqlx::SqlStr;

use super::{Dialect, Statements, Table, of, qualified, quote, sql};
use crate::schema::Schema;
use crate::{DbError, Mapping};

/// What is the same for every row.
#[derive(Clone)]
pub(crate) struct RowStatements {
    /// As [`Statements::by_ids`], with the rows locked until the transaction ends.
    pub(crate) lock: SqlStr,
    /// $1 the sub to write, or null, $2 the id, $3 the sub as it is expected, or null, then the conditions.
    pub(crate) set_sub: SqlStr,
}

impl RowStatements {
    pub(crate) fn new(mapping: &Mapping, dialect: Dialect, schema: &Schema, reading: &Statements) -> Self {
        let on = Table { mapping, dialect, schema };
        let (lock, same) = match dialect {
            Dialect::Postgres => (" FOR UPDATE OF u", "IS NOT DISTINCT FROM"),
            Dialect::Sqlite => ("", "IS"),
        };
        Self {
            lock: sql(format!("{}{lock}", reading.by_ids.as_str())),
            set_sub: sql(format!(
                "UPDATE {} AS u SET {} = {} WHERE {} = $2 AND CAST({} AS text) {same} $3{}",
                qualified(&schema.relation),
                quote(&mapping.sub),
                on.written(&mapping.sub, 1),
                on.id(),
                of(&mapping.sub),
                on.conditions(4),
            )),
        }
    }
}

/// Calls a function of the application's that makes a row: $1 the sub, $2 the e-mail, or null.
pub(crate) fn call(function: &(Option<String>, String)) -> SqlStr {
    let name = match function {
        (Some(schema), name) => format!("{}.{}", quote(schema), quote(name)),
        (None, name) => quote(name),
    };
    sql(format!("SELECT 1 FROM (SELECT {name}($1::text, $2::text)) AS made"))
}

/// How many rows of another table refer to an id ($1, as a text), counted up to a limit.
pub(crate) fn referring(
    dialect: Dialect,
    table: &(String, String),
    column: &str,
    sql_type: &str,
    limit: u32,
) -> SqlStr {
    let id = match dialect {
        Dialect::Postgres => format!("CAST($1::text AS {sql_type})"),
        Dialect::Sqlite => "$1".to_owned(),
    };
    let (from, column) = (qualified(table), of(column));
    sql(format!("SELECT count(*) FROM (SELECT 1 FROM {from} AS u WHERE {column} = {id} LIMIT {limit}) AS found"))
}

/// Limits a look that is not worth waiting for.
pub(crate) fn begin_brief(dialect: Dialect, limit: Duration) -> SqlStr {
    super::begin(dialect, true, limit)
}

/// The parts of a function's name.
pub(crate) fn function_parts(name: &str, dialect: Dialect) -> Result<(Option<String>, String), DbError> {
    let bad = |why| DbError::Name { name: name.chars().take(100).collect(), why };
    if dialect == Dialect::Sqlite {
        return Err(bad("SQLite has no functions of the application's"));
    }
    let mapping = Mapping { table: name.to_owned(), ..Mapping::default() };
    let (schema, function) = mapping.table_parts()?;
    if function.is_empty() || schema.as_deref() == Some("") || name.contains('\0') {
        return Err(bad("it is no name of a function"));
    }
    Ok((schema, function))
}
