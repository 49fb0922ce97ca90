//! The statements that make the tie between a user and a row. They write to the application's table, and only these do.

use sqlx::{SqlSafeStr as _, SqlStr};

use super::{Dialect, Table, of, push, qualified, quote, sql};
use crate::schema::{Column, FoundBy, Schema};
use crate::{Condition, Mapping};

/// What is the same for every user.
#[derive(Clone)]
pub(crate) struct LinkingStatements {
    /// $1 an e-mail, folded, then the conditions. Through an index where there is one; then it finds too much or just
    /// enough, save what has white space around it.
    pub(crate) by_email: Option<SqlStr>,
    /// The same, with the rows locked until the transaction ends.
    pub(crate) lock_by_email: Option<SqlStr>,
    /// $1 a list of subs, $2 an e-mail, then the conditions: the rows of both, some of them twice. Only where an index finds
    /// the e-mail; else it would read the whole table for whoever has a row.
    pub(crate) by_sub_and_email: Option<SqlStr>,
    /// $1 the sub, $2 the id of a row that carries none, then the conditions.
    pub(crate) adopt: SqlStr,
}

impl LinkingStatements {
    pub(crate) fn new(mapping: &Mapping, dialect: Dialect, schema: &Schema) -> Self {
        let on = Table { mapping, dialect, schema };
        let sub = of(&mapping.sub);
        let blank = match dialect {
            _ if schema.sub_is_uuid => String::new(),
            Dialect::Postgres => format!(" OR btrim(CAST({sub} AS text)) = ''"),
            Dialect::Sqlite => format!(" OR trim({sub}) = ''"),
        };
        // Through the index, where there is one.
        let found = |email: &str, parameter: usize| match schema.email_found_by {
            FoundBy::Lower => Some(format!("lower({}) = lower(${parameter}::text)", on.text(email))),
            FoundBy::Citext => Some(format!("{} = {}", of(email), on.written(email, parameter))),
            FoundBy::Reading => None,
        };
        let email = mapping.email.as_deref();
        let by_email = email.map(|email| {
            let has = found(email, 1).unwrap_or_else(|| on.email_has(email));
            format!("{} WHERE {has}{} ORDER BY {}", on.select(), on.conditions(2), on.key())
        });
        let by_sub_and_email = email.and_then(|email| found(email, 2)).map(|has| {
            let (select, conditions) = (on.select(), on.conditions(3));
            format!("{select} WHERE {}{conditions} UNION ALL {select} WHERE {has}{conditions}", on.sub_in())
        });
        let lock = if dialect == Dialect::Postgres { " FOR UPDATE OF u" } else { "" };
        Self {
            lock_by_email: by_email.as_ref().map(|select| sql(format!("{select}{lock}"))),
            by_email: by_email.map(sql),
            by_sub_and_email: by_sub_and_email.map(sql),
            adopt: sql(format!(
                "UPDATE {} AS u SET {} = {} WHERE {} = $2 AND ({sub} IS NULL{blank}){}",
                qualified(&schema.relation),
                quote(&mapping.sub),
                on.written(&mapping.sub, 1),
                on.id(),
                on.conditions(3),
            )),
        }
    }
}

/// Opens a transaction that links. A row that a policy hides makes an error rather than a second row; a connection that is
/// frozen in the middle gives up its locks.
pub(crate) fn begin_linking(dialect: Dialect, limit: std::time::Duration) -> SqlStr {
    let millis = limit.as_millis().clamp(1, i32::MAX as u128);
    match dialect {
        Dialect::Postgres => sql(format!(
            "BEGIN; SET LOCAL statement_timeout = {millis}; SET LOCAL lock_timeout = {millis}; \
             SET LOCAL idle_in_transaction_session_timeout = {millis}; SET LOCAL row_security = off"
        )),
        // Takes the lock that writers need before it reads, so that nobody comes in between.
        Dialect::Sqlite => "BEGIN IMMEDIATE".into_sql_str(),
    }
}

/// Inserts a row with a sub ($1) and these columns (from $2), then the values that the conditions demand.
///
/// On PostgreSQL whoever comes second waits for the first, and gets the first one's row: `DO NOTHING` would give the second
/// nothing at all. The predicate is repeated for an index that is partial; one that is not serves, too. SQLite needs no such
/// clause: its transaction let nobody in since the sub was looked for. Where no index makes the sub unique there is nothing that
/// such a clause could name.
pub(crate) fn insert(mapping: &Mapping, dialect: Dialect, schema: &Schema, columns: &[&str]) -> SqlStr {
    let on = Table { mapping, dialect, schema };
    let mut names = vec![quote(&mapping.sub)];
    let mut values = vec![on.written(&mapping.sub, 1)];
    for (parameter, name) in (2..).zip(columns) {
        names.push(quote(name));
        values.push(on.written(name, parameter));
    }
    let mut parameter = columns.len() + 2;
    let mut counted = format!("{} IS NOT NULL", quote(&mapping.sub));
    for (name, condition) in &mapping.conditions {
        match condition {
            Condition::Equals(_) => {
                names.push(quote(name));
                values.push(on.written(name, parameter));
                parameter += 1;
            }
            Condition::Null => {
                names.push(quote(name));
                values.push("NULL".to_owned());
                push(&mut counted, format_args!(" AND {} IS NULL", quote(name)));
            }
            // Its default has to fill it.
            Condition::NotNull => push(&mut counted, format_args!(" AND {} IS NOT NULL", quote(name))),
        }
    }
    if let Some(created) = mapping.created_at.as_deref().filter(|created| !columns.contains(created)) {
        names.push(quote(created));
        values.push(on.moment_now(created));
    }
    let mut text = format!(
        "INSERT INTO {} AS u ({}) VALUES ({})",
        qualified(&schema.relation),
        names.join(", "),
        values.join(", ")
    );
    if dialect == Dialect::Postgres && schema.sub_unique {
        let sub = quote(&mapping.sub);
        let answer = on.answer();
        push(
            &mut text,
            format_args!(
                " ON CONFLICT ({sub}) WHERE {counted} DO UPDATE SET {sub} = excluded.{sub} RETURNING {answer}"
            ),
        );
    }
    sql(text)
}

/// Whether the index $2 in the schema $1 is on the column $3, by itself or in an expression.
pub(crate) const INDEX_HAS_COLUMN: &str = "SELECT EXISTS (SELECT 1 FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_index i ON i.indexrelid = c.oid
    JOIN pg_attribute a ON a.attrelid = i.indrelid
    WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = $3 AND (a.attnum = ANY(i.indkey)
        OR position(quote_ident(a.attname) IN coalesce(pg_get_expr(i.indexprs, i.indrelid), '')) > 0))";

impl Table<'_> {
    /// A parameter that is a text, as the column takes it.
    pub(super) fn written(&self, column: &str, parameter: usize) -> String {
        match (self.dialect, self.column(column)) {
            (Dialect::Postgres, Some(Column { sql_type, .. })) => format!("CAST(${parameter}::text AS {sql_type})"),
            _ => format!("${parameter}"),
        }
    }

    fn moment_now(&self, column: &str) -> String {
        match (self.dialect, self.column(column)) {
            (Dialect::Postgres, Some(Column { sql_type, .. })) => format!("CAST(now() AS {sql_type})"),
            _ => "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')".to_owned(),
        }
    }
}
