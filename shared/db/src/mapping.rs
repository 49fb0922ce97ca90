//! What the application calls its table and its columns, as the settings say it.
//!
//! Names are only words here: nothing in this module knows SQL. They are checked and quoted in
//! `statements`, and held against the database in `schema`.

use userlink_domain::IdKind;

use crate::DbError;

/// The names of the table and of its columns, and which of its rows count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// `users` or `app.users`. A part that itself has a dot is put in double quotes: `app."odd.name"`.
    pub table: String,
    /// The key: the table's primary key, or another column that is unique and never null.
    pub id: String,
    /// The column that holds the pool user's sub.
    pub sub: String,
    pub email: Option<String>,
    pub created_at: Option<String>,
    pub updated_at: Option<String>,
    /// Columns that are only shown: read as text, cut to 200 characters.
    pub show: Vec<String>,
    /// The rows that count are those for which all of these hold.
    pub conditions: Vec<(String, Condition)>,
    /// What the ids are, where the column's type does not say it: a text column of SQLite may hold uuids
    /// (as 8-4-4-4-12 in lower case), and then its ids compare as uuids. A uuid or an integer column
    /// cannot be called anything else.
    pub id_kind: Option<IdKind>,
}

/// The names that our own migrations use.
impl Default for Mapping {
    fn default() -> Self {
        Self {
            table: "users".into(),
            id: "id".into(),
            sub: "cognito_sub".into(),
            email: Some("email".into()),
            created_at: Some("created_at".into()),
            updated_at: None,
            show: Vec::new(),
            conditions: Vec::new(),
            id_kind: None,
        }
    }
}

/// What a column must hold for its row to count.
#[derive(Clone, PartialEq, Eq)]
pub enum Condition {
    Equals(Literal),
    Null,
    NotNull,
}

/// A value in the settings. It is bound as a parameter, never written into a statement.
#[derive(Clone, PartialEq, Eq)]
pub enum Literal {
    Text(String),
    Integer(i64),
    Bool(bool),
}

/// A tenant's name is a value of the database's, so it stays out of logs.
impl std::fmt::Debug for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Equals(_) => "Equals(…)",
            Self::Null => "Null",
            Self::NotNull => "NotNull",
        })
    }
}

impl std::fmt::Debug for Literal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Literal(…)")
    }
}

impl Mapping {
    /// The table's name in its parts: the schema, if one is named, and the name proper.
    pub(crate) fn table_parts(&self) -> Result<(Option<String>, String), DbError> {
        let bad = |why| DbError::Name { name: self.table.clone(), why };
        let (first, rest) = part(&self.table).ok_or_else(|| bad("its double quotes do not match"))?;
        let Some(rest) = rest else { return Ok((None, first)) };
        let second = if rest.starts_with('"') {
            match part(rest) {
                Some((name, None)) => name,
                _ => return Err(bad("its double quotes do not match")),
            }
        } else {
            rest.to_owned()
        };
        Ok((Some(first), second))
    }

    /// Every column that is named, with the setting that names it.
    pub(crate) fn columns(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let optional = [("email", &self.email), ("created_at", &self.created_at), ("updated_at", &self.updated_at)];
        [("id", self.id.as_str()), ("sub", self.sub.as_str())]
            .into_iter()
            .chain(optional.into_iter().filter_map(|(setting, name)| Some((setting, name.as_deref()?))))
            .chain(self.show.iter().map(|name| ("show", name.as_str())))
            .chain(self.conditions.iter().map(|(name, _)| ("where", name.as_str())))
    }
}

/// The part of a dotted name at its start, and what follows the dot. `None` where a quote is left open.
fn part(text: &str) -> Option<(String, Option<&str>)> {
    let Some(quoted) = text.strip_prefix('"') else {
        return Some(match text.split_once('.') {
            Some((first, rest)) => (first.to_owned(), Some(rest)),
            None => (text.to_owned(), None),
        });
    };
    let mut name = String::new();
    let mut rest = quoted;
    loop {
        let (before, after) = rest.split_once('"')?;
        name.push_str(before);
        if let Some(more) = after.strip_prefix('"') {
            name.push('"');
            rest = more;
        } else if after.is_empty() {
            return Some((name, None));
        } else {
            return Some((name, Some(after.strip_prefix('.')?)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(table: &str) -> Option<(Option<String>, String)> {
        Mapping { table: table.into(), ..Mapping::default() }.table_parts().ok()
    }

    #[test]
    fn a_table_is_named_with_or_without_its_schema() {
        assert_eq!(parts("users"), Some((None, "users".into())));
        assert_eq!(parts("app.users"), Some((Some("app".into()), "users".into())));
        assert_eq!(parts("a.b.c"), Some((Some("a".into()), "b.c".into())), "only the first dot divides");
    }

    #[test]
    fn quotes_keep_a_dot_in_a_name() {
        assert_eq!(parts(r#""weird.name""#), Some((None, "weird.name".into())));
        assert_eq!(parts(r#"app."a.""b""#), Some((Some("app".into()), r#"a."b"#.into())));
        assert_eq!(parts(r#"app."a.""b""""#), Some((Some("app".into()), r#"a."b""#.into())));
        assert_eq!(parts(r#""x.y"."z""#), Some((Some("x.y".into()), "z".into())));
    }

    #[test]
    fn an_open_quote_is_refused() {
        for bad in ["\"", "\"a", "\"a\"b", "app.\"", "app.\"a\".b"] {
            assert_eq!(parts(bad), None, "{bad}");
        }
    }
}
