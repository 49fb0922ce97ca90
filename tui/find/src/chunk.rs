//! Some thousand records as far as they are searched and sorted by, in the order in which they came.
//!
//! The moment of creation and the status of each lie in memory, five bytes a record; the texts behind one another, folded, and
//! may lie elsewhere.

use std::borrow::Cow;
use std::sync::Arc;

use userlink_domain::{PoolUser, Row, RowId, Sub, UserStatus};

use crate::columns::Far;
use crate::word::fold;

/// So many records are a chunk.
pub(crate) const CHUNK: usize = 4096;
/// Every so many'th record can be reached directly.
const STEP: usize = 8;
/// Of a text no more than this is searched: an attribute of a pool has 2,048 characters at most.
const LONGEST: usize = 2048;
/// Of a user's other providers no more than these are searched.
const PROVIDERS: usize = 16;

/// What kind of text a record has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Email,
    /// A username that is not the sub.
    Name,
    /// A sub, in sixteen bytes.
    Sub,
    /// What stands in a row's sub column and is none.
    SubText,
    /// A row's id, in sixteen bytes.
    Id,
    /// One that is no UUID.
    IdText,
    /// A `user_id`, in sixteen bytes.
    UserId,
    /// One that is no UUID.
    UserIdText,
    Provider,
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::Email,
        Self::Name,
        Self::Sub,
        Self::SubText,
        Self::Id,
        Self::IdText,
        Self::UserId,
        Self::UserIdText,
        Self::Provider,
    ];
}

/// What is known of a record in one byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bits(u8);

impl Bits {
    const ROW: u8 = 1;
    const ENABLED: u8 = 2;
    const NAMED_BY_SUB: u8 = 4;
    const STATUS: u8 = 3;

    fn of_user(user: &PoolUser) -> Self {
        let named = user.username.as_str() == user.sub.to_string();
        let bits = u8::from(user.enabled) * Self::ENABLED + u8::from(named) * Self::NAMED_BY_SUB;
        Self(bits | status_number(&user.status) << Self::STATUS)
    }

    pub(crate) fn is_row(self) -> bool {
        self.0 & Self::ROW != 0
    }

    pub(crate) fn is_enabled(self) -> bool {
        self.0 & Self::ENABLED != 0
    }

    pub(crate) fn is_named_by_sub(self) -> bool {
        self.0 & Self::NAMED_BY_SUB != 0
    }

    /// A place among [`STATUSES`].
    pub(crate) fn status(self) -> u8 {
        self.0 >> Self::STATUS
    }

    pub(crate) fn is_federated(self) -> bool {
        !self.is_row() && self.status() == EXTERNAL
    }
}

/// Every status by the words that it is looked for with, the first of them shown; the last stands for those unknown here.
pub(crate) const STATUSES: [&[&str]; 9] = [
    &["confirmed"],
    &["external", "external_provider"],
    &["invited", "force_change_password"],
    &["must reset", "reset_required"],
    &["unconfirmed"],
    &["archived"],
    &["compromised"],
    &["unknown"],
    &["other"],
];
const EXTERNAL: u8 = 1;

pub(crate) fn status_number(status: &UserStatus) -> u8 {
    match status {
        UserStatus::Confirmed => 0,
        UserStatus::ExternalProvider => EXTERNAL,
        UserStatus::ForceChangePassword => 2,
        UserStatus::ResetRequired => 3,
        UserStatus::Unconfirmed => 4,
        UserStatus::Other(text) => match &**text {
            "ARCHIVED" => 5,
            "COMPROMISED" => 6,
            "UNKNOWN" => 7,
            _ => 8,
        },
    }
}

#[derive(Debug)]
enum Texts {
    Near(Vec<u8>),
    Far { kept: Arc<dyn Far>, at: u64, length: usize },
}

/// A chunk.
#[derive(Debug)]
pub(crate) struct Chunk {
    /// Seconds since 1970; 0 where it is not known.
    created: Vec<u32>,
    bits: Vec<Bits>,
    /// Where every [`STEP`]th record begins.
    starts: Vec<u32>,
    texts: Texts,
}

impl Default for Chunk {
    fn default() -> Self {
        Self { created: Vec::new(), bits: Vec::new(), starts: Vec::new(), texts: Texts::Near(Vec::new()) }
    }
}

impl Chunk {
    pub(crate) fn len(&self) -> usize {
        self.bits.len()
    }

    pub(crate) fn created(&self, at: usize) -> u32 {
        self.created.get(at).copied().unwrap_or_default()
    }

    pub(crate) fn bits(&self, at: usize) -> Bits {
        self.bits.get(at).copied().unwrap_or_default()
    }

    /// Bytes of text in memory.
    pub(crate) fn near(&self) -> usize {
        match &self.texts {
            Texts::Near(bytes) => bytes.len(),
            Texts::Far { .. } => 0,
        }
    }

    /// A chunk with the same records.
    pub(crate) fn copied(&self) -> Self {
        let texts = match &self.texts {
            Texts::Near(bytes) => Texts::Near(bytes.clone()),
            Texts::Far { kept, at, length } => Texts::Far { kept: kept.clone(), at: *at, length: *length },
        };
        let (created, bits) = (self.created.clone(), self.bits.clone());
        Self { created, bits, starts: self.starts.clone(), texts }
    }

    /// As many records, of which nothing is known.
    pub(crate) fn emptied(&self) -> Self {
        Self { bits: self.bits.clone(), ..Self::default() }
    }

    /// Lets no record in any more, and gives back what room is left.
    pub(crate) fn sealed(mut self) -> Self {
        if let Texts::Near(bytes) = &mut self.texts {
            bytes.shrink_to_fit();
        }
        self
    }

    /// Has the texts kept elsewhere, where that can be.
    pub(crate) fn moved_to(mut self, far: &Arc<dyn Far>) -> Self {
        if let Texts::Near(bytes) = &self.texts
            && let Some(at) = far.keep(bytes)
        {
            self.texts = Texts::Far { kept: far.clone(), at, length: bytes.len() };
        }
        self
    }

    pub(crate) fn push_user(&mut self, user: &PoolUser) {
        let created = user.created.map_or(0, |at| u32::try_from(at.as_millis().div_euclid(1000)).unwrap_or(0));
        let bits = Bits::of_user(user);
        self.push(created, bits, |record| {
            if let Some(email) = &user.email {
                record.text(Kind::Email, email.trim());
            }
            if !bits.is_named_by_sub() {
                record.text(Kind::Name, user.username.as_str());
            }
            record.bytes(Kind::Sub, &user.sub.as_u128().to_be_bytes());
            if let Some(id) = user.user_id() {
                record.id(Kind::UserId, Kind::UserIdText, id);
            }
            let provider = user.is_federated().then(|| user.username.as_str().split('_').next()).flatten();
            let joined = user.identities.iter().map(|identity| &*identity.provider);
            for provider in provider.into_iter().chain(joined).take(PROVIDERS) {
                record.text(Kind::Provider, provider);
            }
        });
    }

    pub(crate) fn push_row(&mut self, row: &Row) {
        let created = row.created_at.map_or(0, |at| u32::try_from(at.as_millis().div_euclid(1000)).unwrap_or(0));
        self.push(created, Bits(Bits::ROW), |record| {
            if let Some(email) = &row.email {
                record.text(Kind::Email, email.trim());
            }
            match &row.id {
                RowId::Uuid(id) => record.bytes(Kind::Id, id.as_bytes()),
                other => record.text(Kind::IdText, &other.to_string()),
            }
            if let Some(sub) = &row.sub {
                record.id(Kind::Sub, Kind::SubText, sub);
            }
        });
    }

    fn push(&mut self, created: u32, bits: Bits, fill: impl FnOnce(&mut Filling<'_>)) {
        let Texts::Near(bytes) = &mut self.texts else { return };
        if self.bits.len().is_multiple_of(STEP) {
            self.starts.push(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        }
        let start = bytes.len();
        bytes.extend([0; LENGTH]);
        fill(&mut Filling(bytes));
        let length = (bytes.len() - start - LENGTH) as u32;
        bytes[start..start + LENGTH].copy_from_slice(&length.to_le_bytes());
        self.created.push(created);
        self.bits.push(bits);
    }

    /// All texts; empty where they cannot be read any more.
    pub(crate) fn texts(&self) -> Cow<'_, [u8]> {
        match &self.texts {
            Texts::Near(bytes) => Cow::Borrowed(bytes),
            Texts::Far { kept, at, length } => {
                let mut bytes = vec![0; *length];
                Cow::Owned(if kept.read(*at, &mut bytes) { bytes } else { Vec::new() })
            }
        }
    }

    /// The texts of one record.
    pub(crate) fn texts_of(&self, place: usize) -> Cow<'_, [u8]> {
        let (first, skip) = (place / STEP, place % STEP);
        let Some(start) = self.starts.get(first).map(|start| *start as usize) else { return Cow::Borrowed(&[]) };
        match &self.texts {
            Texts::Near(bytes) => {
                let all = Records(bytes.get(start..).unwrap_or_default());
                Cow::Borrowed(all.into_iter().nth(skip).unwrap_or_default())
            }
            Texts::Far { kept, at, length } => {
                let end = self.starts.get(first + 1).map_or(*length, |end| *end as usize);
                let mut bytes = vec![0; end.saturating_sub(start)];
                if !kept.read(at + start as u64, &mut bytes) {
                    return Cow::Borrowed(&[]);
                }
                Cow::Owned(Records(&bytes).nth(skip).unwrap_or_default().to_vec())
            }
        }
    }
}

/// The length before each record.
const LENGTH: usize = 4;

/// Records behind one another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Records<'a>(pub(crate) &'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<LENGTH>()?;
        let (record, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        self.0 = rest;
        Some(record)
    }
}

/// The texts of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = (Kind, &'a [u8]);

    fn next(&mut self) -> Option<(Kind, &'a [u8])> {
        let (head, rest) = self.0.split_first_chunk::<3>()?;
        let kind = *Kind::ALL.get(usize::from(head[0]))?;
        let (text, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes([head[1], head[2]])))?;
        self.0 = rest;
        Some((kind, text))
    }
}

/// The first text of a kind.
pub(crate) fn field(record: &[u8], wanted: Kind) -> Option<&[u8]> {
    Fields(record).find(|(kind, _)| *kind == wanted).map(|(_, text)| text)
}

struct Filling<'a>(&'a mut Vec<u8>);

impl Filling<'_> {
    fn bytes(&mut self, kind: Kind, bytes: &[u8]) {
        let length = u16::try_from(bytes.len()).unwrap_or(0);
        self.0.push(kind as u8);
        self.0.extend(length.to_le_bytes());
        self.0.extend(&bytes[..usize::from(length)]);
    }

    /// A text as it is compared; none where it is blank.
    fn text(&mut self, kind: Kind, text: &str) {
        let folded = fold(text);
        if !folded.trim().is_empty() {
            let mut end = folded.len().min(LONGEST);
            while !folded.is_char_boundary(end) {
                end -= 1;
            }
            self.bytes(kind, &folded.as_bytes()[..end]);
        }
    }

    fn id(&mut self, uuid: Kind, other: Kind, text: &str) {
        match Sub::parse(text) {
            Some(id) => self.bytes(uuid, &id.as_u128().to_be_bytes()),
            None => self.text(other, text),
        }
    }
}
