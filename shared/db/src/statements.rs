//! The one place where text becomes SQL.
//!
//! Every name is checked and quoted here; every value is a parameter. Column names are always written with
//! the table's alias before them: a bare `"name"` that is no column is a *string* to SQLite. Statements that
//! are constants (of the catalog, of the journal) stand where they are used, and pass through [`fixed`].

use std::fmt::Write as _;
use std::time::Duration;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::schema::{Column, IdForm};
use crate::transaction::Value;
use crate::{Condition, DbError, Literal, Mapping, Schema};

pub(crate) mod changes;
pub(crate) mod journal;
pub(crate) mod linking;
pub(crate) mod rows;

/// Whose SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Postgres,
    Sqlite,
}

/// PostgreSQL cuts longer names, and says so only in a notice.
const POSTGRES_NAME_BYTES: usize = 63;

/// How much of a shown column is read, in characters.
const SHOWN: usize = 200;

/// The statements on one users table. Their answers all have the same columns: id, sub, email, created,
/// updated, then those that are shown.
#[derive(Clone)]
pub(crate) struct Statements {
    /// $1 limit, then the conditions.
    pub(crate) first_page: SqlStr,
    /// $1 limit, $2 the last key, then the conditions.
    pub(crate) next_page: SqlStr,
    /// $1 a list of keys, then the conditions.
    pub(crate) by_ids: SqlStr,
    /// $1 a list of subs, then the conditions.
    pub(crate) by_subs: SqlStr,
    /// $1 an e-mail, folded, then the conditions. It finds the rows whose e-mail *contains* it: what may stand
    /// around it (white space of any kind) the caller trims as it trims everywhere.
    pub(crate) by_email: Option<SqlStr>,
    /// The values of the conditions, in the order of their parameters.
    pub(crate) condition_values: Vec<Value>,
}

impl Statements {
    /// The statements for a mapping that has been found to fit the schema.
    pub(crate) fn new(mapping: &Mapping, dialect: Dialect, schema: &Schema) -> Result<Self, DbError> {
        check_names(mapping, dialect)?;
        let on = Table { mapping, dialect, schema };
        let key = on.key();
        let select = on.select();
        let by = |predicate: &str| sql(format!("{select} WHERE {predicate}{} ORDER BY {key}", on.conditions(2)));
        let first = on.conditions(2);
        let first = first.strip_prefix(" AND ").map(|rest| format!(" WHERE {rest}")).unwrap_or_default();
        Ok(Self {
            first_page: sql(format!("{select}{first} ORDER BY {key} LIMIT $1")),
            next_page: sql(format!("{select} WHERE {key} > $2{} ORDER BY {key} LIMIT $1", on.conditions(3))),
            by_ids: by(&on.id_in()),
            by_subs: by(&on.sub_in()),
            by_email: mapping.email.as_deref().map(|email| by(&on.email_has(email))),
            condition_values: on.condition_values(),
        })
    }
}

/// A statement that is a constant of this crate.
pub(crate) fn fixed(statement: &'static str) -> SqlStr {
    statement.into_sql_str()
}

/// Opens a transaction. One message to the server, so that nothing can come between its parts.
pub(crate) fn begin(dialect: Dialect, read_only: bool, statement_timeout: Duration) -> SqlStr {
    let millis = statement_timeout.as_millis().clamp(1, i32::MAX as u128);
    match (dialect, read_only) {
        // Rows that a policy would hide make an error rather than a gap.
        (Dialect::Postgres, true) => {
            sql(format!("BEGIN READ ONLY; SET LOCAL statement_timeout = {millis}; SET LOCAL row_security = off"))
        }
        (Dialect::Postgres, false) => sql(format!("BEGIN; SET LOCAL statement_timeout = {millis}")),
        (Dialect::Sqlite, true) => fixed("BEGIN"),
        (Dialect::Sqlite, false) => fixed("BEGIN IMMEDIATE"),
    }
}

/// How many rows a table of SQLite has.
pub(crate) fn count(relation: &(String, String)) -> SqlStr {
    sql(format!("SELECT count(*) FROM {}", qualified(relation)))
}

/// Whether the first id of a table of SQLite is a blob.
pub(crate) fn first_id_is_blob(relation: &(String, String), id: &str) -> SqlStr {
    sql(format!(
        "SELECT typeof(u.{0}) = 'blob' FROM {1} AS u WHERE u.{0} IS NOT NULL LIMIT 1",
        quote(id),
        qualified(relation)
    ))
}

/// The unique index on the sub, over the rows that count as far as nulls say which do; and how to take it away again where
/// making it failed half-way.
pub(crate) fn unique_sub(mapping: &Mapping, dialect: Dialect, schema: &Schema) -> (SqlStr, Option<SqlStr>) {
    let of_null = mapping.conditions.iter().filter_map(|(name, condition)| match condition {
        Condition::Null => Some(format!("{} IS NULL", quote(name))),
        Condition::NotNull => Some(format!("{} IS NOT NULL", quote(name))),
        Condition::Equals(_) => None,
    });
    let rows = of_null.collect::<Vec<_>>().join(" AND ");
    let rows = if rows.is_empty() { rows } else { format!(" WHERE {rows}") };
    // As long as a name may be, and still one that tells what it is.
    let whole = format!("userlink_{}_{}_unique", schema.relation.1, mapping.sub);
    let name: String = whole
        .chars()
        .scan(0, |bytes, c| {
            *bytes += c.len_utf8();
            (*bytes <= POSTGRES_NAME_BYTES).then_some(c)
        })
        .collect();
    let (name, sub) = (quote(&name), quote(&mapping.sub));
    match dialect {
        Dialect::Postgres => {
            let on = qualified(&schema.relation);
            let index = format!("{}.{name}", quote(&schema.relation.0));
            // Without a lock that would stop sign-ups while a large table is gone through.
            let make = format!("CREATE UNIQUE INDEX CONCURRENTLY {name} ON {on} ({sub}){rows}");
            (sql(make), Some(sql(format!("DROP INDEX CONCURRENTLY IF EXISTS {index}"))))
        }
        Dialect::Sqlite => {
            let index = format!("{}.{name}", quote(&schema.relation.0));
            (sql(format!("CREATE UNIQUE INDEX {index} ON {} ({sub}){rows}", quote(&schema.relation.1))), None)
        }
    }
}

/// Refuses names that no database could have, before they are looked up or quoted.
pub(crate) fn check_names(mapping: &Mapping, dialect: Dialect) -> Result<(), DbError> {
    let (schema, table) = mapping.table_parts()?;
    let columns = mapping.columns().map(|(_, name)| name);
    for name in columns.chain(schema.as_deref()).chain([table.as_str()]) {
        let bad = |why| Err(DbError::Name { name: name.chars().take(100).collect(), why });
        if name.is_empty() {
            return bad("it is empty");
        }
        if name.contains('\0') {
            return bad("it has a NUL in it");
        }
        if dialect == Dialect::Postgres && name.len() > POSTGRES_NAME_BYTES {
            return bad("it is longer than PostgreSQL's 63 bytes");
        }
    }
    Ok(())
}

/// A name as SQL writes it: in double quotes, those inside doubled.
pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn qualified((schema, table): &(String, String)) -> String {
    format!("{}.{}", quote(schema), quote(table))
}

/// The only call of `AssertSqlSafe`: what comes here is made of constants, numbers, quoted names and the type
/// names that the server itself wrote.
fn sql(text: String) -> SqlStr {
    AssertSqlSafe(std::sync::Arc::<str>::from(text)).into_sql_str()
}

/// The table while its statements are written.
struct Table<'a> {
    mapping: &'a Mapping,
    dialect: Dialect,
    schema: &'a Schema,
}

impl Table<'_> {
    fn column(&self, name: &str) -> Option<&Column> {
        self.schema.columns.iter().find(|column| self.dialect.same_name(&column.name, name))
    }

    fn id(&self) -> String {
        of(&self.mapping.id)
    }

    /// What rows are ordered by: bytes for uuids and texts, numbers for integers, whatever collation the column has.
    fn key(&self) -> String {
        match (self.schema.id_form, self.dialect) {
            (IdForm::Text, Dialect::Postgres) if !self.schema.key_in_order => format!("{} COLLATE \"C\"", self.id()),
            (IdForm::Text | IdForm::UuidText, Dialect::Sqlite) => format!("{} COLLATE BINARY", self.id()),
            _ => self.id(),
        }
    }

    fn select(&self) -> String {
        format!("SELECT {} FROM {} AS u", self.answer(), qualified(&self.schema.relation))
    }

    /// The id as an answer has it.
    fn id_answer(&self) -> String {
        match (self.schema.id_form, self.dialect) {
            (IdForm::BigInt, Dialect::Postgres) => format!("{}::int8", self.id()),
            (IdForm::Text, Dialect::Postgres) => format!("{}::text", self.id()),
            (IdForm::Text | IdForm::UuidText, Dialect::Sqlite) => unless_blob(&self.id()),
            _ => self.id(),
        }
    }

    /// The columns that an answer has.
    fn answer(&self) -> String {
        let id = self.id_answer();
        let sub = match self.dialect {
            Dialect::Postgres => self.text(&self.mapping.sub),
            Dialect::Sqlite => unless_blob(&of(&self.mapping.sub)),
        };
        let email = self.mapping.email.as_deref().map_or("CAST(NULL AS text)".to_owned(), |name| self.text(name));
        let created = self.moment(self.mapping.created_at.as_deref());
        let updated = self.moment(self.mapping.updated_at.as_deref());
        let mut answer = format!("{id}, {sub}, {email}, {created}, {updated}");
        for name in &self.mapping.show {
            let cut = if self.dialect == Dialect::Postgres { "left(" } else { "substr(" };
            let from = if self.dialect == Dialect::Postgres { "" } else { "1, " };
            push(&mut answer, format_args!(", {cut}{}, {from}{SHOWN})", self.text(name)));
        }
        answer
    }

    fn text(&self, name: &str) -> String {
        format!("CAST({} AS text)", of(name))
    }

    /// Milliseconds since 1970, or null. Infinity is no moment.
    fn moment(&self, name: Option<&str>) -> String {
        let Some(name) = name else { return "CAST(NULL AS bigint)".to_owned() };
        let c = of(name);
        match self.dialect {
            // A timestamp without a zone, and a date, are taken as UTC.
            Dialect::Postgres => {
                format!("CASE WHEN isfinite({c}) THEN floor(extract(epoch FROM {c}) * 1000)::int8 END")
            }
            // An integer is seconds, or milliseconds where as seconds it would be past the year 5138. A text
            // that does not begin with a year is left out: `now` would be one to SQLite.
            Dialect::Sqlite => format!(
                "CASE typeof({c}) \
                 WHEN 'integer' THEN CASE WHEN {c} BETWEEN -99999999999 AND 99999999999 THEN {c} * 1000 ELSE {c} END \
                 WHEN 'real' THEN CAST({c} * 1000 AS INTEGER) \
                 WHEN 'text' THEN CASE WHEN {c} GLOB '[0-9][0-9][0-9][0-9]-*' \
                 THEN CAST(round((julianday({c}) - 2440587.5) * 86400000) AS INTEGER) END END"
            ),
        }
    }

    fn id_in(&self) -> String {
        let id = self.id();
        match (self.dialect, self.schema.id_form) {
            (Dialect::Postgres, _) => format!("{id} = ANY($1)"),
            (Dialect::Sqlite, IdForm::Uuid) => format!("{id} IN (SELECT unhex(value) FROM json_each($1))"),
            (Dialect::Sqlite, _) => format!("{id} IN (SELECT value FROM json_each($1))"),
        }
    }

    fn sub_in(&self) -> String {
        let sub = of(&self.mapping.sub);
        let folded = match self.dialect {
            _ if self.schema.sub_is_uuid || self.schema.sub_indexed => sub,
            Dialect::Postgres => format!("lower({sub} COLLATE \"C\")"),
            Dialect::Sqlite => format!("lower({sub})"),
        };
        match self.dialect {
            Dialect::Postgres => format!("{folded} = ANY($1)"),
            Dialect::Sqlite => format!("{folded} IN (SELECT value FROM json_each($1))"),
        }
    }

    /// ASCII letters alone are folded: PostgreSQL's `lower` turns `İ` into `i`.
    fn email_has(&self, email: &str) -> String {
        let text = self.text(email);
        match self.dialect {
            Dialect::Postgres => format!(
                "position($1 in translate({text} COLLATE \"C\", 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')) > 0"
            ),
            Dialect::Sqlite => format!("instr(lower({text}), $1) > 0"),
        }
    }

    /// ` AND …` for each condition; their parameters are counted from `parameter`.
    fn conditions(&self, mut parameter: usize) -> String {
        let mut text = String::new();
        for (name, condition) in &self.mapping.conditions {
            let c = of(name);
            match condition {
                Condition::Null => push(&mut text, format_args!(" AND {c} IS NULL")),
                Condition::NotNull => push(&mut text, format_args!(" AND {c} IS NOT NULL")),
                Condition::Equals(_) => {
                    let bound = match (self.dialect, self.column(name)) {
                        (Dialect::Postgres, Some(column)) => format!("CAST(${parameter}::text AS {})", column.sql_type),
                        _ => format!("${parameter}"),
                    };
                    push(&mut text, format_args!(" AND {c} = {bound}"));
                    parameter += 1;
                }
            }
        }
        text
    }

    /// PostgreSQL gets every value as a text, and casts it to the column's type; SQLite compares by affinity.
    fn condition_values(&self) -> Vec<Value> {
        let literals = self.mapping.conditions.iter().filter_map(|(_, condition)| match condition {
            Condition::Equals(literal) => Some(literal),
            Condition::Null | Condition::NotNull => None,
        });
        literals
            .map(|literal| match (literal, self.dialect) {
                (Literal::Text(text), _) => Value::Text(text.clone()),
                (Literal::Integer(number), Dialect::Postgres) => Value::Text(number.to_string()),
                (Literal::Bool(truth), Dialect::Postgres) => Value::Text(truth.to_string()),
                (Literal::Integer(number), Dialect::Sqlite) => Value::Integer(*number),
                (Literal::Bool(truth), Dialect::Sqlite) => Value::Bool(*truth),
            })
            .collect()
    }
}

impl Dialect {
    /// Whether two names are one column's: SQLite does not look at the case of ASCII letters.
    pub(crate) fn same_name(self, a: &str, b: &str) -> bool {
        match self {
            Self::Postgres => a == b,
            Self::Sqlite => a.eq_ignore_ascii_case(b),
        }
    }
}

/// A column of the table.
fn of(name: &str) -> String {
    format!("u.{}", quote(name))
}

/// A value as text; a blob stays one, and is an error where it is read, not a text of odd bytes.
fn unless_blob(column: &str) -> String {
    format!("CASE WHEN typeof({column}) = 'blob' THEN {column} ELSE CAST({column} AS text) END")
}

/// Writing to a string cannot fail.
fn push(text: &mut String, more: std::fmt::Arguments<'_>) {
    let written = text.write_fmt(more);
    debug_assert!(written.is_ok());
}

#[cfg(test)]
#[path = "statements_tests.rs"]
mod tests;
