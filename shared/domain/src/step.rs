//! The steps that a repair is made of, each with what it expects to find.

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
}

impl Step {
    /// The stable machine name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::WriteUserId { .. } => "write_user_id",
            Self::ClearUserId { .. } => "clear_user_id",
            Self::WriteSub { .. } => "write_sub",
            Self::ClearSub { .. } => "clear_sub",
        }
    }
}

/// Usernames are often e-mail addresses, so they stay out.
impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
