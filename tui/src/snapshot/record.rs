//! A record as it is kept. The types of the domain do not serialize themselves: what is written down of people is decided
//! here, field by field.

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use userlink_domain::{EmailKey, Identity, PoolUser, RecordRef, Row, RowId, Sub, Timestamp, UserStatus, Username};
use userlink_link::{Change, TextsAs};
use uuid::Uuid;

/// Something that the linker was told.
#[derive(Serialize, Deserialize)]
pub(super) enum Record {
    User(User),
    Row(TableRow),
    UserGone(u128),
    RowGone(Id),
    UserUnsettled(u128),
    RowUnsettled(Id),
    Writable(Option<bool>),
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct User {
    sub: u128,
    username: Box<str>,
    user_id: Option<Box<str>>,
    email: Option<Box<str>>,
    email_verified: bool,
    phone: Option<Box<str>>,
    phone_verified: bool,
    status: Box<str>,
    enabled: bool,
    identities: Vec<(Box<str>, Box<str>)>,
    created: Option<i64>,
    modified: Option<i64>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct TableRow {
    id: Id,
    sub: Option<Box<str>>,
    email: Option<Box<str>>,
    created_at: Option<i64>,
    updated_at: Option<i64>,
    show: Vec<Option<Box<str>>>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Id {
    Uuid(u128),
    BigInt(i64),
    Text(Box<str>),
}

/// What stands before a hash.
const NOT_KEPT: &str = "not-kept-";

/// Whether a text is what stands for one that is not kept.
pub(crate) fn is_not_kept(text: &str) -> bool {
    let hash = text.strip_prefix(NOT_KEPT);
    hash.is_some_and(|hash| hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Hashes with a key, so that nobody finds out an address by trying addresses without the file.
#[derive(Clone)]
pub(super) struct Hasher {
    key: Key,
    mac: Hmac<Sha256>,
}

/// What is hashed with.
pub(super) type Key = [u8; 32];

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hasher(…)")
    }
}

/// A key that is nowhere but in the files of a context.
pub(super) fn fresh_key() -> Key {
    let mut key = [0; 32];
    key[..16].copy_from_slice(Uuid::new_v4().as_bytes());
    key[16..].copy_from_slice(Uuid::new_v4().as_bytes());
    key
}

impl Hasher {
    pub(super) fn new(key: Key) -> Self {
        // HMAC takes a key of one block, and fills up what is shorter with noughts.
        let mut block = [0; 64];
        block[..key.len()].copy_from_slice(&key);
        Self { key, mac: Hmac::new(&block.into()) }
    }

    /// What stands for a text that is not kept: said so, and the same for the same text.
    fn hash(&self, text: &str) -> Box<str> {
        let mut mac = self.mac.clone();
        mac.update(text.as_bytes());
        let hash = mac.finalize().into_bytes();
        let hex: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("{NOT_KEPT}{hex}").into()
    }

    /// Two addresses that compare equal stay equal.
    fn email(&self, address: &str) -> Option<Box<str>> {
        EmailKey::of(address).map(|key| self.hash(key.as_str()))
    }
}

/// Records as they are kept: so they compare where some are there only as they were kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct AsKept(Option<Hasher>);

impl AsKept {
    pub(super) fn by(key: Option<Key>) -> Self {
        Self(key.map(Hasher::new))
    }

    /// Whether all is kept as it was read.
    pub(crate) const fn is_whole(&self) -> bool {
        self.0.is_none()
    }

    /// Whether what was kept so compares with what was kept as `other` says.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let key = |of: &Self| of.0.as_ref().map(|hasher| hasher.key);
        key(self) == key(other)
    }

    /// How e-mails and usernames are compared of which some are only there as what stands for them. Nobody can choose one that is
    /// what stands for another without the key.
    pub(crate) fn texts_as(&self) -> Option<TextsAs> {
        let hasher = self.0.clone()?;
        Some(Arc::new(move |text| if is_not_kept(text) { text.into() } else { hasher.hash(text) }))
    }

    pub(crate) fn user(&self, user: &PoolUser) -> PoolUser {
        let Some(hasher) = &self.0 else { return user.clone() };
        let mut kept = PoolUser::from(user_as_kept(user, Some(hasher)));
        let once = |text: &str, hashed: Box<str>| if is_not_kept(text) { text.into() } else { hashed };
        kept.username = Username::new(once(user.username.as_str(), kept.username.as_str().into()));
        kept.email = user.email.as_deref().zip(kept.email).map(|(email, hashed)| once(email, hashed));
        kept.phone = user.phone.as_deref().zip(kept.phone).map(|(phone, hashed)| once(phone, hashed));
        kept
    }

    pub(crate) fn row(&self, row: &Row) -> Row {
        let Some(hasher) = &self.0 else { return row.clone() };
        let mut kept = Row::from(row_as_kept(row, Some(hasher)));
        if row.email.as_deref().is_some_and(is_not_kept) {
            kept.email.clone_from(&row.email);
        }
        kept
    }
}

impl Record {
    /// What is kept of a change; nothing of what is no record.
    pub(super) fn of(change: &Change, hasher: Option<&Hasher>) -> Option<Self> {
        match change {
            Change::User(user) => Some(Self::User(user_as_kept(user, hasher))),
            Change::Row(row) => Some(Self::Row(row_as_kept(row, hasher))),
            Change::UserGone(sub) => Some(Self::UserGone(sub.as_u128())),
            Change::RowGone(id) => Some(Self::RowGone(of_id(id))),
            Change::Unsettled(RecordRef::User(sub)) => Some(Self::UserUnsettled(sub.as_u128())),
            Change::Unsettled(RecordRef::Row(id)) => Some(Self::RowUnsettled(of_id(id))),
            Change::Writable(writable) => Some(Self::Writable(*writable)),
            Change::Covered(_) | Change::Dismissed(..) | Change::Contained(..) => None,
        }
    }

    pub(super) fn into_change(self) -> Change {
        match self {
            Self::User(user) => Change::User(user.into()),
            Self::Row(row) => Change::Row(row.into()),
            Self::UserGone(sub) => Change::UserGone(Sub::from_u128(sub)),
            Self::RowGone(id) => Change::RowGone(id.into()),
            Self::UserUnsettled(sub) => Change::Unsettled(RecordRef::User(Sub::from_u128(sub))),
            Self::RowUnsettled(id) => Change::Unsettled(RecordRef::Row(id.into())),
            Self::Writable(writable) => Change::Writable(writable),
        }
    }
}

pub(super) fn user_as_kept(user: &PoolUser, hasher: Option<&Hasher>) -> User {
    let username = user.username.as_str();
    let hashed = |text: &str| hasher.map_or_else(|| text.into(), |hasher| hasher.hash(text));
    let is_id = username == user.sub.to_string();
    User {
        sub: user.sub.as_u128(),
        // A username that is not the sub may be an address or a name. That of a profile at another provider is needed whole,
        // to find who was joined.
        username: if is_id || user.is_federated() { username.into() } else { hashed(username) },
        user_id: user.user_id.clone(),
        email: match hasher {
            Some(hasher) => user.email.as_deref().and_then(|email| hasher.email(email)),
            None => user.email.clone(),
        },
        email_verified: user.email_verified,
        phone: user.phone.as_deref().map(hashed),
        phone_verified: user.phone_verified,
        status: user.status.as_str().into(),
        enabled: user.enabled,
        identities: user.identities.iter().map(|it| (it.provider.clone(), it.user_id.clone())).collect(),
        created: user.created.map(Timestamp::as_millis),
        modified: user.modified.map(Timestamp::as_millis),
    }
}

impl User {
    /// All of a user.
    pub(crate) fn of(user: &PoolUser) -> Self {
        user_as_kept(user, None)
    }
}

impl TableRow {
    /// All of a row.
    pub(crate) fn of(row: &Row) -> Self {
        row_as_kept(row, None)
    }
}

impl From<User> for PoolUser {
    fn from(user: User) -> Self {
        Self {
            sub: Sub::from_u128(user.sub),
            username: Username::new(user.username),
            user_id: user.user_id,
            email: user.email,
            email_verified: user.email_verified,
            phone: user.phone,
            phone_verified: user.phone_verified,
            status: UserStatus::parse(&user.status),
            enabled: user.enabled,
            identities: user.identities.into_iter().map(|(provider, user_id)| Identity { provider, user_id }).collect(),
            created: user.created.map(Timestamp::from_millis),
            modified: user.modified.map(Timestamp::from_millis),
        }
    }
}

pub(super) fn row_as_kept(row: &Row, hasher: Option<&Hasher>) -> TableRow {
    TableRow {
        id: of_id(&row.id),
        sub: row.sub.clone(),
        email: match hasher {
            Some(hasher) => row.email.as_deref().and_then(|email| hasher.email(email)),
            None => row.email.clone(),
        },
        created_at: row.created_at.map(Timestamp::as_millis),
        updated_at: row.updated_at.map(Timestamp::as_millis),
        // Columns of the application's choosing: anything at all.
        show: if hasher.is_some() { vec![None; row.show.len()] } else { row.show.clone() },
    }
}

impl From<TableRow> for Row {
    fn from(row: TableRow) -> Self {
        Self {
            id: row.id.into(),
            sub: row.sub,
            email: row.email,
            created_at: row.created_at.map(Timestamp::from_millis),
            updated_at: row.updated_at.map(Timestamp::from_millis),
            show: row.show,
        }
    }
}

pub(super) fn of_id(id: &RowId) -> Id {
    match id {
        RowId::Uuid(id) => Id::Uuid(id.as_u128()),
        RowId::BigInt(id) => Id::BigInt(*id),
        RowId::Text(id) => Id::Text(id.clone()),
    }
}

impl From<Id> for RowId {
    fn from(id: Id) -> Self {
        match id {
            Id::Uuid(id) => Self::Uuid(Uuid::from_u128(id)),
            Id::BigInt(id) => Self::BigInt(id),
            Id::Text(id) => Self::Text(id),
        }
    }
}
