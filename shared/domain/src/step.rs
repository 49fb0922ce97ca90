//! The steps that a repair is made of, each with what it expects to find.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One write, and the value that must still be there when it is made.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Set the attribute of a pool user.
    WriteUserId { username: String, expect: Option<String>, value: String },
    /// Delete the attribute of a pool user.
    ClearUserId { username: String, expect: Option<String> },
    /// Set the sub of a row.
    WriteSub { row: String, expect: Option<String>, value: String },
    /// Empty the sub of a row.
    ClearSub { row: String, expect: Option<String> },
    /// Insert a row for the user with this sub. It expects that no row carries the sub. `columns` are the further
    /// columns that the mapping fills, by name.
    InsertRow {
        sub: String,
        email: Option<String>,
        #[serde(default)]
        columns: BTreeMap<String, String>,
    },
    /// End the sessions of a pool user, whose tokens still carry the old `user_id`. It writes nothing, and cannot be
    /// undone.
    SignOut { username: String },
    /// Keep a pool user from signing in.
    DisableUser { username: String },
    /// Let a pool user sign in again.
    EnableUser { username: String },
}

impl Step {
    /// The stable machine name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::WriteUserId { .. } => "write_user_id",
            Self::ClearUserId { .. } => "clear_user_id",
            Self::WriteSub { .. } => "write_sub",
            Self::ClearSub { .. } => "clear_sub",
            Self::InsertRow { .. } => "insert_row",
            Self::SignOut { .. } => "sign_out",
            Self::DisableUser { .. } => "disable_user",
            Self::EnableUser { .. } => "enable_user",
        }
    }
}

/// Usernames are often e-mail addresses, so they stay out.
impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_step_is_read_back_from_the_words_of_the_contract() {
        for (text, name) in [
            (r#"{"step":"write_user_id","username":"ada","expect":null,"value":"7"}"#, "write_user_id"),
            (r#"{"step":"clear_user_id","username":"ada","expect":"7"}"#, "clear_user_id"),
            (r#"{"step":"write_sub","row":"7","expect":null,"value":"s"}"#, "write_sub"),
            (r#"{"step":"clear_sub","row":"7","expect":"s"}"#, "clear_sub"),
            (r#"{"step":"insert_row","sub":"s","email":null,"columns":{"name":"Ada"}}"#, "insert_row"),
            (r#"{"step":"sign_out","username":"ada"}"#, "sign_out"),
            (r#"{"step":"disable_user","username":"ada"}"#, "disable_user"),
            (r#"{"step":"enable_user","username":"ada"}"#, "enable_user"),
        ] {
            let step: Step = serde_json::from_str(text).unwrap();
            assert_eq!(step.name(), name);
            assert_eq!(serde_json::to_string(&step).unwrap(), text);
        }
    }
}
