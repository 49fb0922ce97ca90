//! What the users table is like, held against the mapping when it is opened.
//!
//! The catalogs are read in `schema_postgres` and `schema_sqlite`; what they say is judged here, once for
//! both. A table that passes can be paged through by its key and read without a gap.

use userlink_domain::{IdKind, nearest_name};

use crate::statements::Dialect;
use crate::{Condition, Db, DbError, Mapping, schema_postgres, schema_sqlite, statements};

/// What is known of the table.
#[derive(Clone, Debug)]
pub struct Schema {
    /// The database's name; on SQLite the file's.
    pub database: String,
    /// The table as it is shown: `app.users`.
    pub table: String,
    pub id_kind: IdKind,
    /// No two rows that count can carry the same sub: there is a unique index on exactly that column, over all
    /// rows, or over those where the sub is not null or the mapping's conditions on nulls hold. `false` when unsure.
    pub sub_unique: bool,
    /// An index begins with the sub, so that looking for one costs little.
    pub sub_indexed: bool,
    pub sub_is_uuid: bool,
    /// PostgreSQL's estimate, as of the last time the table was analyzed; SQLite's count.
    pub estimated_rows: Option<u64>,
    /// An index gives the rows in the order of the pages. Where it does not (a text key in a collation other
    /// than C) the server sorts what is left of the table for every page.
    pub key_in_order: bool,
    pub(crate) relation: (String, String),
    pub(crate) id_form: IdForm,
    pub(crate) email_found_by: FoundBy,
    pub(crate) columns: Vec<Column>,
}

/// How the rows with an e-mail are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FoundBy {
    /// An index on `lower(email)`.
    Lower,
    /// An index on a column of type citext.
    Citext,
    /// No index: by reading the whole table.
    Reading,
}

/// How an id is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdForm {
    /// PostgreSQL's type; a blob of 16 bytes in SQLite.
    Uuid,
    /// SQLite: 8-4-4-4-12 in lower case, so that the order of the texts is that of the values.
    UuidText,
    BigInt,
    Text,
}

/// A column, as its catalog has it.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// PostgreSQL: the name as its catalog writes it in an expression.
    pub(crate) quoted: String,
    /// The type as a person would write it.
    pub(crate) declared: String,
    /// The type as a cast takes it, without a length: a cast to `varchar(4)` cuts.
    pub(crate) sql_type: String,
    pub(crate) class: Class,
    pub(crate) not_null: bool,
    /// The database has a value for it where none is given.
    pub(crate) filled: bool,
    /// Texts compare byte by byte.
    pub(crate) bytewise: bool,
    pub(crate) readable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Uuid,
    Integer,
    Text,
    Moment,
    Blob,
    Other,
}

/// An index, or a primary key.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    /// PostgreSQL: the first key as its catalog writes it, a column's name or an expression.
    pub(crate) first: Option<String>,
    /// `None` for an expression.
    pub(crate) columns: Vec<Option<String>>,
    pub(crate) unique: bool,
    pub(crate) primary: bool,
    /// What a partial index asks of its rows: the conditions that it joins with AND, each as `written` has it.
    pub(crate) predicate: Option<Vec<String>>,
}

/// What a catalog knows of a table.
pub(crate) struct Catalog {
    pub(crate) database: String,
    pub(crate) relation: (String, String),
    pub(crate) columns: Vec<Column>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) estimated_rows: Option<u64>,
    /// SQLite: the ids are blobs.
    pub(crate) id_is_blob: bool,
}

impl Schema {
    pub(crate) async fn read(db: &Db, mapping: &Mapping) -> Result<Self, DbError> {
        let dialect = db.dialect();
        statements::check_names(mapping, dialect)?;
        let catalog = match dialect {
            Dialect::Postgres => schema_postgres::read(db, mapping).await?,
            Dialect::Sqlite => schema_sqlite::read(db, mapping).await?,
        };
        Judge { table: mapping.table.clone(), mapping, dialect, catalog: &catalog }.judge()
    }
}

impl Schema {
    /// The columns that must have a value, and get none in a row that is inserted with the mapped columns.
    pub(crate) fn unfilled(&self, mapping: &Mapping, dialect: Dialect, with_email: bool) -> Vec<String> {
        let given = |name: &str| {
            let of_where = mapping.conditions.iter().filter(|(_, condition)| matches!(condition, Condition::Equals(_)));
            let email = mapping.email.iter().filter(|_| with_email);
            let names = of_where.map(|(name, _)| name).chain(email).chain(&mapping.created_at).chain([&mapping.sub]);
            names.into_iter().any(|known| dialect.same_name(known, name))
        };
        let must = |column: &&Column| column.not_null || dialect.same_name(&column.name, &mapping.id);
        let columns = self.columns.iter().filter(must).filter(|column| !column.filled && !given(&column.name));
        let mut names: Vec<String> = columns.map(|column| column.name.clone()).collect();
        names.sort_unstable();
        names
    }
}

struct Judge<'a> {
    table: String,
    mapping: &'a Mapping,
    dialect: Dialect,
    catalog: &'a Catalog,
}

impl Judge<'_> {
    fn judge(self) -> Result<Schema, DbError> {
        for (setting, name) in self.mapping.columns() {
            self.column(setting, name)?;
        }
        let id = self.column("id", &self.mapping.id)?;
        let id_form = self.id_form(id)?;
        self.check_key(id)?;

        let sub = self.column("sub", &self.mapping.sub)?;
        if !matches!(sub.class, Class::Text | Class::Uuid) {
            let (column, found) = (sub.name.clone(), sub.declared.clone());
            return Err(DbError::SubType { table: self.table, column, found });
        }
        let moments = [("created_at", &self.mapping.created_at), ("updated_at", &self.mapping.updated_at)];
        for (setting, name) in moments {
            let Some(name) = name else { continue };
            let column = self.column(setting, name)?;
            // SQLite has no type for moments: what is in the column decides, value by value.
            if self.dialect == Dialect::Postgres && column.class != Class::Moment {
                let (column, found) = (column.name.clone(), column.declared.clone());
                return Err(DbError::TimeType { table: self.table, column, setting, found });
            }
        }

        let key_in_order = match (self.dialect, id_form) {
            (Dialect::Postgres, IdForm::Text) => id.bytewise,
            (Dialect::Postgres, _) | (Dialect::Sqlite, _) => true,
        };
        let id_kind = match id_form {
            IdForm::Uuid | IdForm::UuidText => IdKind::Uuid,
            IdForm::BigInt => IdKind::BigInt,
            IdForm::Text => IdKind::Text,
        };
        Ok(Schema {
            database: self.catalog.database.clone(),
            id_kind,
            sub_unique: self.sub_unique(sub),
            sub_indexed: self.catalog.indexes.iter().any(|index| {
                index.predicate.as_deref().is_none_or(|all| self.implied(all))
                    && self.is(index.columns.first(), &sub.name)
            }),
            email_found_by: self.email_found_by(),
            sub_is_uuid: self.dialect == Dialect::Postgres && sub.class == Class::Uuid,
            estimated_rows: self.catalog.estimated_rows,
            key_in_order,
            relation: self.catalog.relation.clone(),
            id_form,
            columns: self.catalog.columns.clone(),
            table: self.table,
        })
    }

    fn column(&self, setting: &'static str, name: &str) -> Result<&Column, DbError> {
        let columns = &self.catalog.columns;
        let Some(column) = columns.iter().find(|column| self.dialect.same_name(&column.name, name)) else {
            let nearest = nearest_name(name, columns.iter().map(|column| column.name.as_str())).map(str::to_owned);
            return Err(DbError::ColumnMissing {
                table: self.table.clone(),
                column: name.to_owned(),
                setting,
                nearest,
            });
        };
        if !column.readable {
            return Err(DbError::Permission { what: format!("column {} of {}", column.name, self.table) });
        }
        Ok(column)
    }

    fn id_form(&self, id: &Column) -> Result<IdForm, DbError> {
        let uuid = match self.dialect {
            Dialect::Sqlite if !self.catalog.id_is_blob => IdForm::UuidText,
            _ => IdForm::Uuid,
        };
        let blob = self.catalog.id_is_blob;
        match (id.class, self.mapping.id_kind) {
            (Class::Uuid, None | Some(IdKind::Uuid)) => Ok(uuid),
            (Class::Integer, None | Some(IdKind::BigInt)) if !blob => Ok(IdForm::BigInt),
            (Class::Text, None | Some(IdKind::Text)) if !blob => Ok(IdForm::Text),
            (Class::Text | Class::Blob, Some(IdKind::Uuid)) if self.dialect == Dialect::Sqlite => Ok(uuid),
            (Class::Blob, None) if blob => Ok(uuid),
            _ => {
                let (column, found) = (id.name.clone(), id.declared.clone());
                Err(DbError::IdType { table: self.table.clone(), column, found })
            }
        }
    }

    fn check_key(&self, id: &Column) -> Result<(), DbError> {
        let alone = |index: &Index| index.columns.len() == 1 && self.is(index.columns.first(), &id.name);
        let mut indexes = self.catalog.indexes.iter();
        if indexes
            .any(|index| index.unique && index.predicate.is_none() && alone(index) && (index.primary || id.not_null))
        {
            return Ok(());
        }
        let primary = self.catalog.indexes.iter().find(|index| index.primary);
        let why = match primary {
            Some(primary)
                if primary.columns.len() > 1 && primary.columns.iter().any(|c| self.is(Some(c), &id.name)) =>
            {
                "it is one of several columns of the primary key".to_owned()
            }
            Some(primary) => format!(
                "the primary key is {}",
                primary.columns.iter().flatten().cloned().collect::<Vec<_>>().join(", ")
            ),
            None => "the table has no primary key".to_owned(),
        };
        Err(DbError::NotTheKey { table: self.table.clone(), column: id.name.clone(), why })
    }

    fn sub_unique(&self, sub: &Column) -> bool {
        self.catalog.indexes.iter().any(|index| {
            index.unique
                && index.columns.len() == 1
                && self.is(index.columns.first(), &sub.name)
                && index.predicate.as_deref().is_none_or(|all| self.implied(all))
        })
    }

    /// Whether every row that counts and carries a sub is in a partial index with these conditions.
    fn implied(&self, conditions: &[String]) -> bool {
        let mut known = vec![written(self.dialect, &self.mapping.sub, false)];
        known.extend(self.demanded());
        !conditions.is_empty() && conditions.iter().all(|condition| known.contains(condition))
    }

    /// Which index finds an e-mail however its letters are written.
    fn email_found_by(&self) -> FoundBy {
        let Some(email) = self.mapping.email.as_deref().and_then(|name| self.column("email", name).ok()) else {
            return FoundBy::Reading;
        };
        if self.dialect != Dialect::Postgres {
            return FoundBy::Reading;
        }
        let quoted = &email.quoted;
        let lower = [format!("lower({quoted})"), format!("lower(({quoted})::text)")];
        let firsts = || {
            self.catalog
                .indexes
                .iter()
                .filter(|index| {
                    let conditions = index.predicate.as_deref().unwrap_or_default();
                    conditions.iter().all(|one| self.demanded().any(|known| known == *one))
                })
                .filter_map(|index| index.first.as_deref())
        };
        if firsts().any(|first| lower.iter().any(|lower| lower == first)) {
            FoundBy::Lower
        } else if email.declared.ends_with("citext") && firsts().any(|first| first == quoted) {
            FoundBy::Citext
        } else {
            FoundBy::Reading
        }
    }

    /// What the mapping says of nulls in the rows that count.
    fn demanded(&self) -> impl Iterator<Item = String> {
        self.mapping.conditions.iter().filter_map(|(name, condition)| match condition {
            Condition::Null => Some(written(self.dialect, name, true)),
            Condition::NotNull => Some(written(self.dialect, name, false)),
            Condition::Equals(_) => None,
        })
    }

    fn is(&self, column: Option<&Option<String>>, name: &str) -> bool {
        column.and_then(Option::as_deref).is_some_and(|column| self.dialect.same_name(column, name))
    }
}

/// A condition on a null as the catalogs' readers write it down, to be compared.
pub(crate) fn written(dialect: Dialect, column: &str, null: bool) -> String {
    let name = if dialect == Dialect::Sqlite { column.to_ascii_lowercase() } else { column.to_owned() };
    format!("{name} is {}null", if null { "" } else { "not " })
}
