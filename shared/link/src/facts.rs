//! What a verdict rests on: of each record the little that is compared. The rest of it lies where records are kept.

use std::hash::{BuildHasher, Hasher, RandomState};

use siphasher::sip128::{Hasher128, SipHasher13};
use userlink_domain::{EmailKey, IdKind, PoolUser, Row, RowId, Sub, UserStatus};

/// Where a record is kept. Records are given places in [0, 2^48).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place(pub u64);

/// What is known of a record besides its keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bits(u16);

impl Bits {
    /// There is a record.
    pub(crate) const PRESENT: Self = Self(1);
    pub(crate) const FEDERATED: Self = Self(2);
    pub(crate) const UNCONFIRMED: Self = Self(4);
    pub(crate) const EXPECTED: Self = Self(8);
    /// The user has an e-mail, and it is verified.
    pub(crate) const VERIFIED: Self = Self(16);
    /// The attribute is not blank.
    pub(crate) const HAS_USER_ID: Self = Self(32);
    /// The attribute is an id, but not written as the id is.
    pub(crate) const WRITTEN_OTHERWISE: Self = Self(64);
    pub(crate) const HAS_IDENTITIES: Self = Self(128);
    /// The row's sub is neither blank nor a sub.
    pub(crate) const MALFORMED_SUB: Self = Self(256);

    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn with(self, other: Self, if_so: bool) -> Self {
        if if_so { Self(self.0 | other.0) } else { self }
    }
}

/// The facts of a user, and a print of all the rest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UserFacts {
    pub(crate) sub: u128,
    /// The row that the attribute names, as it is written.
    pub(crate) id: Option<u128>,
    pub(crate) email: Option<u128>,
    pub(crate) bits: Bits,
    /// Of the username, without regard to case.
    pub(crate) name: u32,
    pub(crate) print: u32,
}

/// The facts of a row, and a print of all the rest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowFacts {
    pub(crate) id: u128,
    pub(crate) sub: Option<u128>,
    pub(crate) email: Option<u128>,
    pub(crate) bits: Bits,
    pub(crate) print: u32,
}

/// Makes keys of texts, with a secret: whoever chooses a text cannot choose one whose key is another's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Digests {
    secret: (u64, u64),
}

impl Digests {
    /// With a secret of their own.
    pub(crate) fn new() -> Self {
        let random = || RandomState::new().hash_one(0);
        Self { secret: (random(), random()) }
    }

    pub(crate) const fn secret(&self) -> u64 {
        self.secret.0 ^ self.secret.1
    }

    fn hasher(&self) -> SipHasher13 {
        SipHasher13::new_with_keys(self.secret.0, self.secret.1)
    }

    pub(crate) fn text(&self, text: &str) -> u128 {
        let mut hasher = self.hasher();
        hasher.write(text.as_bytes());
        hasher.finish128().as_u128()
    }

    /// A profile at a provider, as an entry of `identities` or a part of a username names it.
    pub(crate) fn profile(&self, provider: &str, user_id: &str) -> u128 {
        let mut hasher = self.hasher();
        hasher.write(fold(provider).as_bytes());
        hasher.write_u8(0xff);
        hasher.write(user_id.as_bytes());
        hasher.finish128().as_u128()
    }

    /// A username without regard to case.
    pub(crate) fn name(&self, username: &str) -> u32 {
        self.text(&fold(username)) as u32
    }

    pub(crate) fn email(&self, key: &EmailKey) -> u128 {
        self.text(key.as_str())
    }

    pub(crate) fn id(&self, id: &RowId) -> u128 {
        match id {
            RowId::Uuid(id) => id.as_u128(),
            RowId::BigInt(id) => u128::from(id.cast_unsigned()),
            RowId::Text(id) => self.text(id),
        }
    }

    pub(crate) fn user(&self, user: &PoolUser, kind: IdKind) -> UserFacts {
        let email = user.email.as_deref().and_then(EmailKey::of);
        let id = user.user_id().and_then(|text| RowId::parse(kind, text));
        let otherwise = id.as_ref().is_some_and(|id| user.user_id() != Some(id.to_string().as_str()));
        let bits = Bits::PRESENT
            .with(Bits::FEDERATED, user.is_federated())
            .with(Bits::UNCONFIRMED, user.status == UserStatus::Unconfirmed)
            .with(Bits::EXPECTED, user.is_expected())
            .with(Bits::VERIFIED, user.email_verified && email.is_some())
            .with(Bits::HAS_USER_ID, user.user_id().is_some())
            .with(Bits::WRITTEN_OTHERWISE, otherwise)
            .with(Bits::HAS_IDENTITIES, !user.identities.is_empty());
        UserFacts {
            sub: user.sub.as_u128(),
            id: id.map(|id| self.id(&id)),
            email: email.map(|email| self.email(&email)),
            bits,
            name: self.name(user.username.as_str()),
            print: self.print_of_user(user),
        }
    }

    pub(crate) fn row(&self, row: &Row) -> RowFacts {
        RowFacts {
            id: self.id(&row.id),
            sub: row.sub().map(Sub::as_u128),
            email: row.email_key().map(|email| self.email(&email)),
            bits: Bits::PRESENT.with(Bits::MALFORMED_SUB, row.has_malformed_sub()),
            print: self.print_of_row(row),
        }
    }

    /// The same for a user who is the same in everything.
    fn print_of_user(&self, user: &PoolUser) -> u32 {
        use std::hash::Hash as _;
        let PoolUser { username, user_id, email, email_verified, phone, phone_verified, status, enabled, .. } = user;
        let mut hasher = self.hasher();
        (username, user_id, email, email_verified, phone, phone_verified, status, enabled).hash(&mut hasher);
        (&user.identities, user.created, user.modified).hash(&mut hasher);
        hasher.finish() as u32
    }

    fn print_of_row(&self, row: &Row) -> u32 {
        use std::hash::Hash as _;
        let mut hasher = self.hasher();
        (&row.sub, &row.email, row.created_at, row.updated_at, &row.show).hash(&mut hasher);
        hasher.finish() as u32
    }
}

/// The id that a key stands for; none where it is only a digest of one.
pub(crate) fn id_of(kind: IdKind, key: u128) -> Option<RowId> {
    match kind {
        IdKind::Uuid => Some(RowId::Uuid(Sub::from_u128(key).as_uuid())),
        IdKind::BigInt => Some(RowId::BigInt((key as u64).cast_signed())),
        IdKind::Text => None,
    }
}

/// Case is dropped letter by letter, so that a part of a name folds as it does within the whole.
pub(crate) fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}
