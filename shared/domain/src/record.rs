//! The two kinds of record: a pool user and a row.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{EmailKey, RowId, Sub, Timestamp};

/// What the pool's API addresses a user by. Never an alias such as an e-mail address.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Username(Box<str>);

impl Username {
    pub fn new(name: impl Into<Box<str>>) -> Self {
        Self(name.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// In many pools the username is the e-mail address, so it stays out of logs.
impl fmt::Debug for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Username(…)")
    }
}

/// Cognito's `UserStatus`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum UserStatus {
    Unconfirmed,
    Confirmed,
    ExternalProvider,
    ResetRequired,
    ForceChangePassword,
    /// One that this program does not know; kept as it came.
    Other(Box<str>),
}

impl UserStatus {
    pub fn parse(text: &str) -> Self {
        match text {
            "UNCONFIRMED" => Self::Unconfirmed,
            "CONFIRMED" => Self::Confirmed,
            "EXTERNAL_PROVIDER" => Self::ExternalProvider,
            "RESET_REQUIRED" => Self::ResetRequired,
            "FORCE_CHANGE_PASSWORD" => Self::ForceChangePassword,
            other => Self::Other(other.into()),
        }
    }

    /// Cognito's own spelling.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Unconfirmed => "UNCONFIRMED",
            Self::Confirmed => "CONFIRMED",
            Self::ExternalProvider => "EXTERNAL_PROVIDER",
            Self::ResetRequired => "RESET_REQUIRED",
            Self::ForceChangePassword => "FORCE_CHANGE_PASSWORD",
            Self::Other(text) => text,
        }
    }
}

/// One entry of the `identities` attribute: a profile at another provider that was joined to this user.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    pub provider: Box<str>,
    pub user_id: Box<str>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({}, …)", self.provider)
    }
}

/// A pool user, as the pool gave it.
#[derive(Clone, PartialEq, Eq)]
pub struct PoolUser {
    pub sub: Sub,
    pub username: Username,
    /// The attribute that names the row, raw; an absent attribute and a blank one are both possible.
    pub user_id: Option<Box<str>>,
    pub email: Option<Box<str>>,
    pub email_verified: bool,
    pub phone: Option<Box<str>>,
    pub phone_verified: bool,
    pub status: UserStatus,
    pub enabled: bool,
    pub identities: Vec<Identity>,
    pub created: Option<Timestamp>,
    pub modified: Option<Timestamp>,
}

impl PoolUser {
    /// A confirmed, enabled user with nothing else known.
    pub fn new(sub: Sub, username: impl Into<Box<str>>) -> Self {
        Self {
            sub,
            username: Username::new(username),
            user_id: None,
            email: None,
            email_verified: false,
            phone: None,
            phone_verified: false,
            status: UserStatus::Confirmed,
            enabled: true,
            identities: Vec::new(),
            created: None,
            modified: None,
        }
    }

    /// The raw `user_id`, if it is not blank.
    pub fn user_id(&self) -> Option<&str> {
        self.user_id.as_deref().filter(|text| !text.trim().is_empty())
    }

    /// The e-mail as evidence: only a verified one is any.
    pub fn verified_email(&self) -> Option<EmailKey> {
        self.email.as_deref().filter(|_| self.email_verified).and_then(EmailKey::of)
    }

    /// Whether this is a profile at another provider.
    pub fn is_federated(&self) -> bool {
        self.status == UserStatus::ExternalProvider
    }

    /// Whether somebody with this status should be tied to a row.
    pub fn is_expected(&self) -> bool {
        self.enabled
            && match self.status {
                UserStatus::Confirmed | UserStatus::ExternalProvider | UserStatus::ResetRequired => true,
                UserStatus::Unconfirmed | UserStatus::ForceChangePassword | UserStatus::Other(_) => false,
            }
    }
}

/// Says which user, and nothing about the person.
impl fmt::Debug for PoolUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PoolUser({}, {}, user_id: {:?})", self.sub, self.status.as_str(), self.user_id)
    }
}

/// The text of a column that is only shown; `None` is SQL's null.
pub type FieldValue = Option<Box<str>>;

/// A row of the application's users table.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    pub id: RowId,
    /// The `sub` column, raw.
    pub sub: Option<Box<str>>,
    pub email: Option<Box<str>>,
    pub created_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
    /// The columns that the mapping wants shown, in its order.
    pub show: Vec<FieldValue>,
}

impl Row {
    pub fn new(id: RowId) -> Self {
        Self { id, sub: None, email: None, created_at: None, updated_at: None, show: Vec::new() }
    }

    /// The pool user that this row names. A blank sub, or one that is no UUID, counts as none.
    pub fn sub(&self) -> Option<Sub> {
        self.sub.as_deref().and_then(Sub::parse)
    }

    /// Whether the column holds something that is neither blank nor a sub.
    pub fn has_malformed_sub(&self) -> bool {
        self.sub.as_deref().is_some_and(|text| !text.trim().is_empty() && Sub::parse(text).is_none())
    }

    pub fn email_key(&self) -> Option<EmailKey> {
        self.email.as_deref().and_then(EmailKey::of)
    }
}

/// Says which row, and nothing about the person.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row({}, sub: {:?})", self.id, self.sub())
    }
}

/// Which record: what a cursor or a mark holds on to while entries merge and split.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordRef {
    User(Sub),
    Row(RowId),
}
