//! The predicates that held for an entry, with the values that they held on.

use userlink_domain::{Flag, PoolUser, Row, Situation};

use crate::case::{Case, Read};
use crate::flags::{Speaks, emails_that_differ, rivals, written_otherwise};

/// Of more users, or rows, than these it is only said how many there are.
const RECORDS_AT_MOST: usize = 10;
/// A flag is shown on so many records.
const FLAGGED_AT_MOST: usize = 3;

impl Case<'_> {
    pub(crate) fn why(&self) -> Vec<String> {
        let mut why = Vec::new();
        for user in self.users.iter().take(RECORDS_AT_MOST) {
            self.why_user(user, &mut why);
        }
        why.extend(left_out(self.users.len(), "user"));
        for row in self.rows.iter().take(RECORDS_AT_MOST) {
            self.why_row(row, &mut why);
        }
        why.extend(left_out(self.rows.len(), "row"));
        why.extend(self.why_email());
        for flag in self.flags.iter() {
            why.extend(self.why_flag(flag));
        }
        why
    }

    fn why_user(&self, user: &Read<PoolUser>, why: &mut Vec<String>) {
        let store = self.store();
        let name = user.username.as_str();
        why.push(match user.user_id() {
            None => format!("user {name}: user id is empty"),
            Some(text) => match self.written_id(user) {
                None => format!("user {name}: user id {text} is not written as an id of this table can be"),
                Some(id) if self.claim(user).is_none() => format!(
                    "user {name}: user id {text} does not count, as the user is UNCONFIRMED and no row {id} that was read \
                     carries its sub"
                ),
                Some(id) if store.row_slot(&id).is_none() => {
                    format!("user {name}: user id {text} names no row that was read")
                }
                Some(id) => format!("user {name}: user id names row {id}"),
            },
        });
        if self.facts(user).is_some_and(|user| store.rows_with_sub(user.sub).next().is_none()) {
            why.push(format!("user {name}: no row that was read carries its sub"));
        }
        if !user.is_expected() {
            let disabled = if user.enabled { "" } else { ", disabled" };
            why.push(format!("user {name}: not expected to be linked ({}{disabled})", user.status.as_str()));
        }
        if store.is_joined(user.slot) {
            why.push(format!("user {name}: a native user's identities name this profile"));
        }
        if self.base == Situation::NoRow && user.verified_email().is_none() {
            why.push(format!("user {name}: no verified e-mail"));
        }
    }

    fn why_row(&self, row: &Read<Row>, why: &mut Vec<String>) {
        let (store, id) = (self.store(), &row.id);
        why.push(match (row.sub(), row.has_malformed_sub()) {
            (Some(sub), _) if store.user_slot(sub).is_some() => format!("row {id}: its sub names user {sub}"),
            (Some(sub), _) => format!("row {id}: its sub {sub} names no user that was read"),
            (None, true) => format!("row {id}: what stands in its sub is no sub, and counts as none"),
            (None, false) => format!("row {id}: has no sub"),
        });
        if self.users.is_empty() && row.email_key().is_none() {
            why.push(format!("row {id}: has no e-mail"));
        }
    }

    /// Who shares the e-mail that decided.
    fn why_email(&self) -> Option<String> {
        let sharing = self.sharing.as_ref()?;
        let kind = if self.users.is_empty() { "e-mail" } else { "verified e-mail" };
        let of_users = self.users.first().and_then(|user| user.email.as_deref());
        let email = of_users.or_else(|| self.rows.first()?.email.as_deref()).unwrap_or_default();
        if sharing.is_cut() {
            let (users, rows) = (count(sharing.users, "user"), count(sharing.rows, "row"));
            return Some(format!("{kind} {email}: {users} and {rows} have it"));
        }
        let parts = &sharing.parts;
        let joined = sharing.users - parts.free_users.len() - parts.other_users.len();
        let joined = if joined == 0 { String::new() } else { format!(" and {joined} joined") };
        Some(format!(
            "{kind} {email}: {} without pointers, {} in other entries{joined}; {} free and {} in other entries",
            count(parts.free_users.len(), "user"),
            parts.other_users.len(),
            count(parts.free_rows.len(), "row"),
            parts.other_rows.len(),
        ))
    }

    /// A flag, with the records that it is raised for.
    fn why_flag(&self, flag: Flag) -> Vec<String> {
        let mut words: Vec<String> = match flag {
            Flag::Writable => vec!["an app client lets its users write this attribute, so it proves nothing".into()],
            Flag::NonCanonicalId => written_otherwise(self.linker, self.entry)
                .filter_map(|(user, row)| {
                    let (user, id) = (self.linker.read_user(user)?, self.linker.row_id(row)?);
                    let (name, text) = (user.username.as_str(), user.user_id().unwrap_or_default());
                    Some(format!("the user id of user {name} is {text}, and the row's id is {id}"))
                })
                .take(FLAGGED_AT_MOST + 1)
                .collect(),
            Flag::EmailDiffers => emails_that_differ(self.linker, self.entry)
                .filter_map(|(user, row)| {
                    let (user, row) = (self.linker.read_user(user)?, self.linker.read_row(row)?);
                    let (mine, its) = (user.email.as_deref(), row.email.as_deref());
                    let (mine, its) = (mine.unwrap_or_default(), its.unwrap_or_default());
                    Some(format!("user {} has {mine}, and row {} has {its}", user.username.as_str(), row.id))
                })
                .take(FLAGGED_AT_MOST + 1)
                .collect(),
            Flag::Contested => rivals(self.linker, self.entry)
                .filter_map(|rival| {
                    let (user, row) = (self.linker.read_user(rival.user)?, self.linker.read_row(rival.row)?);
                    let (name, id) = (user.username.as_str(), &row.id);
                    Some(match rival.speaks {
                        Speaks::ByEmail => {
                            let email = row.email.as_deref().unwrap_or_default();
                            format!("user {name} of another entry has the verified e-mail {email} of row {id}")
                        }
                        Speaks::ById => format!("user {name} of another entry is UNCONFIRMED and names row {id}"),
                    })
                })
                .take(FLAGGED_AT_MOST + 1)
                .collect(),
        };
        if words.len() > FLAGGED_AT_MOST {
            words.truncate(FLAGGED_AT_MOST);
            words.push("and so with others".into());
        }
        words.into_iter().map(|words| format!("{}: {words}", flag.name())).collect()
    }
}

fn left_out(records: usize, noun: &str) -> Option<String> {
    let left = records.saturating_sub(RECORDS_AT_MOST);
    (left > 0).then(|| format!("and {left} more {noun}{}", if left == 1 { "" } else { "s" }))
}

fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}
