//! What SQLite's catalog says of the table.
//!
//! A declared type is only a word to SQLite: `INT` in it makes an integer key, `UUID` a uuid, `CHAR`, `CLOB`
//! or `TEXT` a text, `BLOB` a uuid of 16 bytes. In a column declared as a uuid the first id tells whether they are
//! texts or blobs: drivers bind both. A text column holds texts, unless the mapping's `id_kind` says uuid.

use userlink_domain::nearest_name;

use crate::schema::{Catalog, Class, Column, Index};
use crate::statements::{Dialect, count, first_id_is_blob, fixed, quote};
use crate::transaction::Value;
use crate::{Db, DbError, Mapping};

const TABLES: &str = "SELECT schema, name FROM pragma_table_list WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";

const COLUMNS: &str = "SELECT name, type, \"notnull\" <> 0, pk, dflt_value IS NOT NULL OR hidden <> 0 FROM pragma_table_xinfo($1, $2) WHERE hidden <> 1 ORDER BY pk, cid";

/// Expressions have no name.
const INDEXES: &str = "
SELECT l.name, l.\"unique\" <> 0, l.partial <> 0, s.sql, i.name
FROM pragma_index_list($1, $2) AS l, pragma_index_xinfo(l.name, $2) AS i
     LEFT JOIN sqlite_schema AS s ON s.type = 'index' AND s.name = l.name
WHERE i.key = 1
ORDER BY l.seq, i.seqno";

pub(crate) async fn read(db: &Db, mapping: &Mapping) -> Result<Catalog, DbError> {
    let (schema, name) = mapping.table_parts()?;
    let schema = schema.unwrap_or_else(|| "main".to_owned());
    let tables = db.read(fixed(TABLES), Vec::new()).await?;
    let tables =
        tables.iter().map(|table| Ok((table.name(0)?, table.name(1)?))).collect::<Result<Vec<_>, DbError>>()?;
    let same = |a: &str, b: &str| Dialect::Sqlite.same_name(a, b);
    let Some(relation) = tables.iter().find(|table| same(&table.0, &schema) && same(&table.1, &name)).cloned() else {
        let nearest = nearest_name(&name, tables.iter().map(|table| table.1.as_str())).map(str::to_owned);
        return Err(DbError::TableMissing { table: mapping.table.clone(), nearest });
    };

    let of_table = || vec![Value::Text(relation.1.clone()), Value::Text(relation.0.clone())];
    let mut columns = Vec::new();
    let mut primary = Vec::new();
    for record in db.read(fixed(COLUMNS), of_table()).await? {
        let (name, declared) = (record.name(0)?, record.name(1)?);
        if record.integer(3)? > Some(0) {
            primary.push(Some(name.clone()));
        }
        columns.push(Column {
            quoted: quote(&name),
            name,
            class: class(&declared),
            sql_type: declared.clone(),
            declared: if declared.is_empty() { "none".to_owned() } else { declared },
            not_null: record.truth(2)?,
            // The rowid by another name.
            filled: record.truth(4)?
                || (record.integer(3)? > Some(0) && record.name(1)?.eq_ignore_ascii_case("integer")),
            bytewise: true,
            readable: true,
        });
    }

    let mut indexes = Vec::new();
    if !primary.is_empty() {
        // The rowid's own key is in no list of indexes.
        indexes.push(Index { first: None, columns: primary, unique: true, primary: true, predicate: None });
    }
    let mut last = None;
    for record in db.read(fixed(INDEXES), of_table()).await? {
        let name = record.text(0)?;
        if last != name {
            last = name;
            let predicate = if record.truth(2)? { Some(conditions(&record.name(3)?)) } else { None };
            indexes.push(Index {
                first: None,
                columns: Vec::new(),
                unique: record.truth(1)?,
                primary: false,
                predicate,
            });
        }
        if let Some(index) = indexes.last_mut() {
            index.columns.push(record.text(4)?);
        }
    }

    let id_is_blob = match columns.iter().find(|column| same(&column.name, &mapping.id)) {
        Some(id) => match db.read(first_id_is_blob(&relation, &id.name), Vec::new()).await?.first() {
            Some(record) => record.truth(0)?,
            None => id.class == Class::Blob,
        },
        None => false,
    };
    let rows = db.read(count(&relation), Vec::new()).await?;
    let rows = rows.first().map(|record| record.integer(0)).transpose()?.flatten();
    Ok(Catalog {
        database: db.database().to_owned(),
        relation,
        columns,
        indexes,
        estimated_rows: rows.and_then(|rows| u64::try_from(rows).ok()),
        id_is_blob,
    })
}

fn class(declared: &str) -> Class {
    let declared = declared.to_ascii_uppercase();
    let has = |word: &str| declared.contains(word);
    if has("UUID") {
        Class::Uuid
    } else if has("INT") {
        Class::Integer
    } else if has("CHAR") || has("CLOB") || has("TEXT") {
        Class::Text
    } else if has("BLOB") {
        Class::Blob
    } else {
        Class::Other
    }
}

/// The conditions of a partial index, from the statement that made it: lower case, without quotes.
/// Whatever is more than a list of conditions on nulls stays as it is, and will equal none.
fn conditions(statement: &str) -> Vec<String> {
    let lower = statement.to_ascii_lowercase();
    let words = lower.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some((_, predicate)) = words.rsplit_once(" where ") else { return vec![words] };
    let plain: String = predicate.chars().filter(|c| !matches!(c, '"' | '`' | '[' | ']' | '(' | ')')).collect();
    plain.split(" and ").map(|part| part.trim().to_owned()).collect()
}
