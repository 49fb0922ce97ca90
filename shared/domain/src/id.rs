//! The two keys: the pool's `sub` and the row's `id`.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The immutable key of a pool user: a UUID.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sub(Uuid);

impl Sub {
    /// Reads the 8-4-4-4-12 form, in either case. Anything else is no sub.
    pub fn parse(text: &str) -> Option<Self> {
        hyphenated(text).map(Self)
    }

    /// The sub with this value.
    pub const fn from_u128(value: u128) -> Self {
        Self(Uuid::from_u128(value))
    }

    /// The value of the UUID.
    pub const fn as_u128(self) -> u128 {
        self.0.as_u128()
    }

    /// The UUID itself, for binding to a column of that type.
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }

    /// Which of the sixteen shards of a parallel listing holds it: its first hex digit.
    pub const fn shard(self) -> u8 {
        (self.0.as_u128() >> 124) as u8
    }
}

impl fmt::Display for Sub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Debug for Sub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sub({self})")
    }
}

/// The type of the table's key column; it decides how a `user_id` is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdKind {
    Uuid,
    BigInt,
    Text,
}

/// The key of a row.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RowId {
    Uuid(Uuid),
    BigInt(i64),
    Text(Box<str>),
}

impl RowId {
    /// The row that a `user_id` names, if it is written as an id of this kind can be:
    /// uuid as 8-4-4-4-12 or 32 hex digits in either case; bigint as plain decimal (`0`, or an optional minus
    /// and no leading zero); text byte for byte. Blank names nothing.
    pub fn parse(kind: IdKind, text: &str) -> Option<Self> {
        if text.trim().is_empty() {
            return None;
        }
        match kind {
            IdKind::Uuid => simple(text).or_else(|| hyphenated(text)).map(Self::Uuid),
            IdKind::BigInt => plain_decimal(text).map(Self::BigInt),
            IdKind::Text => Some(Self::Text(text.into())),
        }
    }

    /// The kind of this id.
    pub fn kind(&self) -> IdKind {
        match self {
            Self::Uuid(_) => IdKind::Uuid,
            Self::BigInt(_) => IdKind::BigInt,
            Self::Text(_) => IdKind::Text,
        }
    }
}

/// The canonical text: what is written into `user_id`.
impl fmt::Display for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uuid(id) => id.hyphenated().fmt(f),
            Self::BigInt(id) => id.fmt(f),
            Self::Text(id) => f.write_str(id),
        }
    }
}

impl fmt::Debug for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RowId({self})")
    }
}

fn hyphenated(text: &str) -> Option<Uuid> {
    let bytes = text.as_bytes();
    let form = bytes.len() == 36
        && bytes.iter().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_hexdigit(),
        });
    if form { Uuid::try_parse(text).ok() } else { None }
}

fn simple(text: &str) -> Option<Uuid> {
    let form = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if form { Uuid::try_parse(text).ok() } else { None }
}

fn plain_decimal(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = match digits.as_bytes() {
        [b'0'] => digits.len() == text.len(),
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYPHENATED: &str = "0192F0C1-2b6a-7cde-8f00-0123456799CD";

    #[test]
    fn a_sub_is_read_in_one_form_and_any_case() {
        let sub = Sub::parse(HYPHENATED).map(|s| s.to_string());
        assert_eq!(sub.as_deref(), Some("0192f0c1-2b6a-7cde-8f00-0123456799cd"));
        for bad in [
            "",
            " ",
            "0192f0c12b6a7cde8f000123456799cd",
            "{0192f0c1-2b6a-7cde-8f00-0123456799cd}",
            "0192f0c1-2b6a-7cde-8f00-0123456799cg",
            " 0192f0c1-2b6a-7cde-8f00-0123456799cd",
        ] {
            assert_eq!(Sub::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_uuid_id_is_read_in_two_forms() {
        let long = RowId::parse(IdKind::Uuid, HYPHENATED);
        assert!(long.is_some());
        assert_eq!(long, RowId::parse(IdKind::Uuid, "0192f0c12b6a7cde8f000123456799cd"));
        assert_eq!(RowId::parse(IdKind::Uuid, "urn:uuid:0192f0c1-2b6a-7cde-8f00-0123456799cd"), None);
    }

    #[test]
    fn a_bigint_id_is_plain_decimal() {
        for good in ["0", "7", "-7", "9223372036854775807", "-9223372036854775808"] {
            assert_eq!(RowId::parse(IdKind::BigInt, good).map(|id| id.to_string()).as_deref(), Some(good));
        }
        for bad in ["-0", "07", "+7", "7.0", " 7", "9223372036854775808", "1e3", "٧", "-"] {
            assert_eq!(RowId::parse(IdKind::BigInt, bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_text_id_is_itself_and_blank_is_none() {
        assert_eq!(RowId::parse(IdKind::Text, " a "), Some(RowId::Text(" a ".into())));
        assert_eq!(RowId::parse(IdKind::Text, "  "), None);
    }

    #[test]
    fn the_shard_is_the_first_hex_digit() {
        assert_eq!(Sub::parse("f192f0c1-2b6a-7cde-8f00-0123456799cd").map(Sub::shard), Some(15));
    }
}
