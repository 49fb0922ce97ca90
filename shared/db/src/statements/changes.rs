//! Which rows have changed since a moment, a stretch of the table at a time.

use sqlx::SqlStr;

use super::{Dialect, Table, qualified, sql};
use crate::Mapping;
use crate::schema::Schema;

/// The statements that go through the table. Each answers with the ids of the rows that have changed, and with that of
/// the last row of the stretch where there may be more behind it: id, 1 where it has changed, 1 where it is that last one.
#[derive(Clone)]
pub(crate) struct ChangeStatements {
    /// $1 how many rows to look at, $2 the moment in milliseconds.
    pub(crate) first: SqlStr,
    /// The same, and $3 the last key.
    pub(crate) next: SqlStr,
}

impl ChangeStatements {
    /// None where the mapping has no column that says when a row was last changed. The conditions are left out: a row that
    /// no longer fits them has changed, too.
    pub(crate) fn new(mapping: &Mapping, dialect: Dialect, schema: &Schema) -> Option<Self> {
        let on = Table { mapping, dialect, schema };
        let updated = on.moment(Some(mapping.updated_at.as_deref()?));
        let created = mapping.created_at.as_deref().map(|name| format!(" OR {} >= $2", on.moment(Some(name))));
        let (id, key, table) = (on.id_answer(), on.key(), qualified(&schema.relation));
        let changed = format!("CASE WHEN {updated} >= $2{} THEN 1 ELSE 0 END", created.unwrap_or_default());
        let stretch = |after: &str| {
            sql(format!(
                "SELECT w.id, w.changed, CAST(CASE WHEN w.nth = $1 THEN 1 ELSE 0 END AS bigint) FROM (SELECT {id} AS id, \
                 CAST({changed} AS bigint) AS changed, row_number() OVER (ORDER BY {key}) AS nth \
                 FROM {table} AS u{after} ORDER BY {key} LIMIT $1) AS w WHERE w.changed = 1 OR w.nth = $1 ORDER BY w.nth"
            ))
        };
        Some(Self { first: stretch(""), next: stretch(&format!(" WHERE {key} > $3")) })
    }
}
