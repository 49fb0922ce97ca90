//! What a verdict rests on: of each record the little that is compared. The rest of it lies where records are kept.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use siphasher::sip128::{Hasher128, SipHasher13};
use userlink_domain::{EmailKey, IdKind, PoolUser, Row, RowId, Sub, UserStatus};

/// What two records are compared by: a UUID, a number, or the digest of a text. It is in two halves, so that it needs no more
/// room than it has bits.
pub(crate) type Key = [u64; 2];

/// Where there is none.
const NO_KEY: Key = [0; 2];

pub(crate) const fn key(value: u128) -> Key {
    [(value >> 64) as u64, value as u64]
}

/// The sub that a key is.
pub(crate) fn sub_of(key: Key) -> Sub {
    Sub::from_u128(u128::from(key[0]) << 64 | u128::from(key[1]))
}

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
    /// The attribute is an id.
    pub(crate) const HAS_ID: Self = Self(512);
    pub(crate) const HAS_SUB: Self = Self(1024);
    pub(crate) const HAS_EMAIL: Self = Self(2048);

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
    pub(crate) sub: Key,
    pub(crate) id: Key,
    pub(crate) email: Key,
    pub(crate) place: Place,
    /// Of the username, without regard to case.
    pub(crate) name: u32,
    pub(crate) print: u32,
    pub(crate) bits: Bits,
}

impl UserFacts {
    /// The row that the attribute names, as it is written.
    pub(crate) fn id_key(&self) -> Option<Key> {
        self.bits.has(Bits::HAS_ID).then_some(self.id)
    }

    pub(crate) fn email_key(&self) -> Option<Key> {
        self.bits.has(Bits::HAS_EMAIL).then_some(self.email)
    }
}

/// The facts of a row, and a print of all the rest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowFacts {
    pub(crate) id: Key,
    pub(crate) sub: Key,
    pub(crate) email: Key,
    pub(crate) place: Place,
    pub(crate) print: u32,
    pub(crate) bits: Bits,
}

impl RowFacts {
    pub(crate) fn sub_key(&self) -> Option<Key> {
        self.bits.has(Bits::HAS_SUB).then_some(self.sub)
    }

    pub(crate) fn email_key(&self) -> Option<Key> {
        self.bits.has(Bits::HAS_EMAIL).then_some(self.email)
    }
}

/// Makes keys of texts, with a secret: whoever chooses a text cannot choose one whose key is another's.
#[derive(Clone)]
pub(crate) struct Digests {
    secret: (u64, u64),
    texts_as: Option<TextsAs>,
}

impl fmt::Debug for Digests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digests(…)")
    }
}

/// What stands for an e-mail or a username when it is compared.
pub type TextsAs = Arc<dyn Fn(&str) -> Box<str> + Send + Sync>;

impl Digests {
    /// With a secret of their own.
    pub(crate) fn new() -> Self {
        let random = || RandomState::new().hash_one(0);
        Self { secret: (random(), random()), texts_as: None }
    }

    pub(crate) fn compare_texts_as(&mut self, texts_as: TextsAs) {
        self.texts_as = Some(texts_as);
    }

    pub(crate) const fn secret(&self) -> u64 {
        self.secret.0 ^ self.secret.1
    }

    fn hasher(&self) -> SipHasher13 {
        SipHasher13::new_with_keys(self.secret.0, self.secret.1)
    }

    pub(crate) fn text(&self, text: &str) -> Key {
        let mut hasher = self.hasher();
        hasher.write(text.as_bytes());
        key(hasher.finish128().as_u128())
    }

    /// A profile at a provider, as an entry of `identities` or a part of a username names it.
    pub(crate) fn profile(&self, provider: &str, user_id: &str) -> Key {
        let mut hasher = self.hasher();
        hasher.write(fold(provider).as_bytes());
        hasher.write_u8(0xff);
        hasher.write(user_id.as_bytes());
        key(hasher.finish128().as_u128())
    }

    /// A user's name. That of a profile at another provider says who was joined, and one that is the sub says nothing: nothing stands
    /// for these.
    fn name_of(&self, user: &PoolUser) -> u32 {
        let username = user.username.as_str();
        match &self.texts_as {
            Some(texts_as) if !user.is_federated() && username != user.sub.to_string() => {
                self.name(&texts_as(username))
            }
            _ => self.name(username),
        }
    }

    /// What the users of a name may be known by.
    pub(crate) fn names(&self, username: &str) -> impl Iterator<Item = u32> {
        let stands_for = self.texts_as.as_ref().map(|texts_as| self.name(&texts_as(username)));
        stands_for.into_iter().chain([self.name(username)])
    }

    /// A username without regard to case.
    pub(crate) fn name(&self, username: &str) -> u32 {
        self.text(&fold(username))[1] as u32
    }

    pub(crate) fn email(&self, key: &EmailKey) -> Key {
        match &self.texts_as {
            Some(texts_as) => self.text(&texts_as(key.as_str())),
            None => self.text(key.as_str()),
        }
    }

    pub(crate) fn id(&self, id: &RowId) -> Key {
        match id {
            RowId::Uuid(id) => key(id.as_u128()),
            RowId::BigInt(id) => [0, id.cast_unsigned()],
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
            .with(Bits::HAS_IDENTITIES, !user.identities.is_empty())
            .with(Bits::HAS_ID, id.is_some())
            .with(Bits::HAS_EMAIL, email.is_some());
        UserFacts {
            sub: key(user.sub.as_u128()),
            id: id.map_or(NO_KEY, |id| self.id(&id)),
            email: email.map_or(NO_KEY, |email| self.email(&email)),
            place: Place(0),
            bits,
            name: self.name_of(user),
            print: self.print_of_user(user),
        }
    }

    pub(crate) fn row(&self, row: &Row) -> RowFacts {
        let (sub, email) = (row.sub(), row.email_key());
        let bits = Bits::PRESENT
            .with(Bits::MALFORMED_SUB, sub.is_none() && row.has_malformed_sub())
            .with(Bits::HAS_SUB, sub.is_some())
            .with(Bits::HAS_EMAIL, email.is_some());
        RowFacts {
            id: self.id(&row.id),
            sub: sub.map_or(NO_KEY, |sub| key(sub.as_u128())),
            email: email.map_or(NO_KEY, |email| self.email(&email)),
            place: Place(0),
            bits,
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
pub(crate) fn id_of(kind: IdKind, key: Key) -> Option<RowId> {
    match kind {
        IdKind::Uuid => Some(RowId::Uuid(sub_of(key).as_uuid())),
        IdKind::BigInt => Some(RowId::BigInt(key[1].cast_signed())),
        IdKind::Text => None,
    }
}

/// Case is dropped letter by letter, so that a part of a name folds as it does within the whole.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.chars().flat_map(char::to_lowercase).collect() }
}
