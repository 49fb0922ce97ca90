//! What a step on a user does, and what it expects to find.

use userlink_domain::{PoolUser, RowId, Sub, Username};
use uuid::Uuid;

use crate::file::facts_of_user;

/// A step on a user.
pub(crate) struct OnUser {
    pub(crate) username: Username,
    pub(crate) sub: Sub,
    pub(crate) action: Action,
    pub(crate) expects: Expects,
    /// What the journal says of it when it is done.
    pub(crate) detail: &'static str,
}

/// What is done to the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Write(RowId),
    /// Deletes the attribute.
    Clear,
    SignOut,
    /// Lets the user sign in, or keeps them from it.
    Enable(bool),
}

/// What a step on a user expects to find.
pub(crate) struct Expects {
    /// The `user_id`, if it matters; a blank one counts as none.
    pub(crate) user_id: Option<Option<String>>,
    /// The user is one that should be linked.
    pub(crate) expected: bool,
    /// The row that is written carries the user's sub, and no other does.
    pub(crate) tied: bool,
    /// What a choice rested on: a plan and the hash.
    pub(crate) facts: Option<(Uuid, String)>,
}

impl Action {
    /// What is said when it is done.
    pub(crate) fn words(&self) -> Vec<String> {
        match self {
            Self::Write(_) => vec!["Written, and read back: the user id is set.".to_owned(), TOKENS.to_owned()],
            Self::Clear => vec!["Deleted, and read back: the user id is empty.".to_owned(), STILL.to_owned()],
            Self::SignOut => vec!["The user is signed out everywhere.".to_owned(), STILL.to_owned()],
            Self::Enable(true) => vec!["The user can sign in again.".to_owned()],
            Self::Enable(false) => vec!["The user cannot sign in any more.".to_owned(), STILL.to_owned()],
        }
    }
}

impl Expects {
    pub(crate) fn check(&self, user: &PoolUser) -> Result<(), &'static str> {
        match &self.user_id {
            Some(expect) if user.user_id() != expect.as_deref().filter(|text| !text.trim().is_empty()) => {
                return Err(if expect.is_none() {
                    "the user id is no longer empty."
                } else {
                    "the user id is no longer what it was."
                });
            }
            _ => {}
        }
        if self.expected && !user.is_expected() {
            return Err("the user is no longer one that should be linked.");
        }
        match &self.facts {
            Some((plan, facts)) if facts_of_user(*plan, user) != *facts => {
                Err("the user's e-mail or state is no longer what the choice rested on.")
            }
            _ => Ok(()),
        }
    }
}

const STILL: &str =
    "Tokens that were issued stay valid where nobody asks the pool: for as long as the app client lets them live.";
const TOKENS: &str = "Tokens carry it from the next sign-in or refresh.";
