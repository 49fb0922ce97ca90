//! The entries that a person looked at, as a file: a line each, or JSON with the pairs that were chosen.

use std::collections::HashMap;

use serde::Deserialize;
use userlink_domain::{RecordRef, RowId, Sub};
use userlink_link::Linker;
use userlink_repair::{Choice, Mate, Pair};

use super::usage;
use crate::start::Failure;

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Name(String),
    Chosen(Chosen),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    entry: String,
    #[serde(default)]
    pairs: Vec<ChosenPair>,
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChosenPair {
    user: String,
    /// A row's id, `new` for one that is inserted, or null for none.
    row: Option<String>,
}

/// Reads the file.
pub(super) fn read(text: &str, linker: &Linker, reason: Option<&str>) -> Result<Vec<Choice>, Failure> {
    let lines: Vec<Line> = if text.trim_start().starts_with(['[', '{']) {
        let one = text.trim_start().starts_with('{');
        let read = if one { serde_json::from_str(text).map(|line| vec![line]) } else { serde_json::from_str(text) };
        read.map_err(|error| {
            usage(format!(
                "The file of --only is no list of entries, at line {}. Write names, or {{\"entry\": …, \"pairs\": \
                 [{{\"user\": …, \"row\": …}}]}}.",
                error.line()
            ))
        })?
    } else {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(|line| Line::Name(line.to_owned())).collect()
    };
    let names: Vec<String> = lines.iter().flat_map(Line::names).map(str::to_owned).collect();
    let names = Names::of(linker, names.iter().map(String::as_str));
    lines.into_iter().map(|line| choice(line, linker, &names, reason)).collect()
}

impl Line {
    /// Whatever records it names in a way that may mean several.
    fn names(&self) -> Vec<&str> {
        match self {
            Self::Name(entry) => vec![entry],
            Self::Chosen(Chosen { entry, pairs, .. }) => {
                std::iter::once(entry).chain(pairs.iter().map(|pair| &pair.user)).map(String::as_str).collect()
            }
        }
    }
}

fn choice(line: Line, linker: &Linker, names: &Names<'_>, reason: Option<&str>) -> Result<Choice, Failure> {
    let (entry, pairs, own) = match line {
        Line::Name(entry) => (entry, Vec::new(), None),
        Line::Chosen(chosen) => (chosen.entry, chosen.pairs, chosen.reason),
    };
    let of = names.record(&entry)?;
    let pairs = pairs.into_iter().map(|pair| {
        let user = names.user(&pair.user)?;
        let mate = match pair.row.as_deref() {
            None => Mate::None,
            Some("new") => Mate::New,
            Some(id) => Mate::Row(
                RowId::parse(linker.rules().id_kind, id)
                    .ok_or_else(|| usage(format!("{id} is no id of this table.")))?,
            ),
        };
        Ok(Pair { user, mate })
    });
    Ok(Choice { of, pairs: pairs.collect::<Result<_, Failure>>()?, reason: own.or_else(|| reason.map(str::to_owned)) })
}

/// What names mean: a sub, a username or a row's id. Never an e-mail that is not also the username.
pub(super) struct Names<'a> {
    linker: &'a Linker,
    users: HashMap<&'a str, Sub>,
}

impl<'a> Names<'a> {
    /// Of these names and no others.
    pub(super) fn of(linker: &'a Linker, names: impl IntoIterator<Item = &'a str>) -> Self {
        Self { linker, users: linker.users_named(names) }
    }

    fn find_user(&self, name: &str) -> Option<Sub> {
        let by_sub = Sub::parse(name).filter(|sub| self.linker.lead_of(&RecordRef::User(*sub)).is_some());
        by_sub.or_else(|| self.users.get(name).copied())
    }

    fn find_row(&self, name: &str) -> Option<RecordRef> {
        let row = RowId::parse(self.linker.rules().id_kind, name).map(RecordRef::Row);
        row.filter(|row| self.linker.lead_of(row).is_some())
    }

    /// The record that a name means. One that means two people's is refused.
    pub(super) fn record(&self, name: &str) -> Result<RecordRef, Failure> {
        match (self.find_user(name).map(RecordRef::User), self.find_row(name)) {
            (Some(user), Some(row)) if self.linker.lead_of(&user) != self.linker.lead_of(&row) => Err(usage(format!(
                "{name} is a user and, in another entry, a row. Name the user by its sub, or the row's entry by another of its \
                 records."
            ))),
            (Some(found), _) | (None, Some(found)) => Ok(found),
            (None, None) => Err(usage(format!("{name} is no sub, no username and no row's id of what was scanned."))),
        }
    }

    /// The user that a name means.
    pub(super) fn user(&self, name: &str) -> Result<Sub, Failure> {
        self.find_user(name).ok_or_else(|| match self.find_row(name) {
            Some(_) => usage(format!("{name} is a row, and here a user is named.")),
            None => usage(format!("{name} is no sub and no username of what was scanned.")),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use userlink_domain::{IdKind, PoolUser, Row};
    use userlink_link::Rules;

    use super::*;

    #[test]
    fn a_name_that_means_two_people_is_refused_and_one_that_must_be_a_user_is_looked_for_among_users() {
        let user = |number: u64, name: &str| PoolUser::new(Sub::from_u128(u128::from(number)), name);
        let row = |id: i64, of: u64| Row {
            sub: Some(Sub::from_u128(u128::from(of)).to_string().into()),
            ..Row::new(RowId::BigInt(id))
        };
        let users = vec![user(1, "1001"), user(2, "bea"), user(3, "1003")];
        let rows = vec![row(1001, 2), row(1002, 1), row(1003, 3)];
        let linker = Linker::bulk(users, rows, Rules::new(IdKind::BigInt));
        let names = Names::of(&linker, ["1001", "bea", "1002", "1003", "nobody"]);
        let sub = |number| Sub::from_u128(number);
        let refused = names.record("1001").unwrap_err().to_string();
        assert!(refused.contains("1001 is a user and, in another entry, a row"), "{refused}");
        assert_eq!(names.user("1001").unwrap(), sub(1));
        assert_eq!(names.record("bea").unwrap(), RecordRef::User(sub(2)));
        assert_eq!(names.record("1002").unwrap(), RecordRef::Row(RowId::BigInt(1002)));
        assert_eq!(names.record("1003").unwrap(), RecordRef::User(sub(3)), "both are of one entry");
        assert_eq!(names.record(&sub(2).to_string()).unwrap(), RecordRef::User(sub(2)));
        assert!(names.user("1002").unwrap_err().to_string().contains("is a row"));
        assert!(names.record("nobody").is_err() && names.user("nobody").is_err());
        let text = r#"[{"entry": "bea", "pairs": [{"user": "1001", "row": "1002"}]}]"#;
        let pair = Pair { user: sub(1), mate: Mate::Row(RowId::BigInt(1002)) };
        assert_eq!(read(text, &linker, None).unwrap()[0].pairs, [pair]);
        assert!(read("bea\n1001\n", &linker, None).is_err());
    }
}
