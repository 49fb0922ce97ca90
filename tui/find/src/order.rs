//! In which order entries are listed: as they came, or by a column.
//!
//! Sorting is stable: whoever has the same in the column comes in the order of arrival, whichever way it is turned, and whoever
//! has nothing in it comes last.

use std::borrow::Cow;

use rayon::prelude::*;

use crate::chunk::{Kind, field};
use crate::columns::{View, Walk};

/// A column that can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Column {
    /// By the list of situations, the first of which is the most urgent.
    Situation,
    /// What the entry's first user is called.
    User,
    /// That of the first user.
    Status,
    /// The id of the entry's first row.
    Row,
    /// The e-mail of the first row.
    Email,
    /// When the first user was created, or else the row.
    Created,
}

impl Column {
    /// All, in the order in which they stand.
    pub const ALL: [Self; 6] = [Self::Situation, Self::User, Self::Status, Self::Row, Self::Email, Self::Created];

    /// The stable machine name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Situation => "situation",
            Self::User => "user",
            Self::Status => "status",
            Self::Row => "row",
            Self::Email => "email",
            Self::Created => "created",
        }
    }

    /// The column of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.name() == name)
    }

    /// Whether the entry's first row has it, and not its first record.
    pub const fn is_of_rows(self) -> bool {
        matches!(self, Self::Row | Self::Email)
    }

    /// The text that decides, where it is one.
    pub const fn text(self) -> Option<Which> {
        match self {
            Self::User => Some(Which::Name),
            Self::Row => Some(Which::Id),
            Self::Email => Some(Which::Email),
            Self::Situation | Self::Status | Self::Created => None,
        }
    }
}

/// An order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Order {
    /// None is the order of arrival; what fits a filter best comes first then.
    pub by: Option<Column>,
    /// The other way round.
    pub reverse: bool,
}

/// A text of a record that is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// What a user is called: the e-mail, and for a profile at another provider the username.
    Name,
    /// The e-mail.
    Email,
    /// A row's id: numbers as numbers.
    Id,
}

/// What is sorted by, or the first sixteen bytes of it: the smaller comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key([u64; 2]);

impl Key {
    /// Of what has nothing in the column.
    const NOTHING: Self = Self([u64::MAX; 2]);

    const fn new(key: u128) -> Self {
        Self([(key >> 64) as u64, key as u64])
    }

    /// Of a value, turned round where the order is; `None` comes last.
    pub const fn of(value: Option<u128>, reverse: bool) -> Self {
        const LAST: u128 = u128::MAX - 1;
        match (value, reverse) {
            (None, _) => Self::NOTHING,
            (Some(value), false) => Self::new(if value < LAST { value } else { LAST }),
            (Some(value), true) => Self::new(LAST.saturating_sub(value)),
        }
    }
}

/// What an entry is sorted by, and where it is found: twenty-four bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it is sorted by.
    pub key: Key,
    /// The record whose text decides between equal keys.
    pub number: u32,
    /// The entry. The smaller came first.
    pub lead: u32,
}

/// The key of a record in a column; that of a situation the caller knows.
pub fn key_of_number(walk: &mut Walk, number: u32, column: Column, reverse: bool) -> Key {
    let value = match column {
        Column::Situation => None,
        Column::Status => walk.view().place(number).and_then(|(chunk, at)| {
            let bits = chunk.bits(at);
            // As it is shown: who is disabled is only that.
            let shown = if bits.is_enabled() { u128::from(bits.status()) } else { u128::from(u8::MAX) };
            (!bits.is_row()).then_some(shown)
        }),
        Column::Created => {
            let created = walk.view().place(number).map_or(0, |(chunk, at)| chunk.created(at));
            (created > 0).then_some(u128::from(created))
        }
        Column::User | Column::Row | Column::Email => column.text().and_then(|which| {
            let bits = walk.view().place(number).map(|(chunk, at)| chunk.bits(at))?;
            let record = walk.texts_of(number);
            text(which, bits, &record).map(|text| prefix(&text))
        }),
    };
    Key::of(value, reverse)
}

fn prefix(text: &[u8]) -> u128 {
    let mut first = [0; A_KEY];
    let length = text.len().min(first.len());
    first[..length].copy_from_slice(&text[..length]);
    u128::from_be_bytes(first)
}

/// A text in bytes that compare as it does.
fn text(which: Which, bits: crate::chunk::Bits, record: &[u8]) -> Option<Cow<'_, [u8]>> {
    match which {
        Which::Email => field(record, Kind::Email).map(Cow::Borrowed),
        Which::Name if bits.is_row() => None,
        Which::Name => {
            let email = if bits.is_federated() { None } else { field(record, Kind::Email) };
            let name = email.or_else(|| field(record, Kind::Name)).map(Cow::Borrowed);
            name.or_else(|| field(record, Kind::Sub).map(|sub| Cow::Owned(in_digits(sub))))
        }
        Which::Id => {
            let uuid = field(record, Kind::Id).map(Cow::Borrowed);
            uuid.or_else(|| {
                let text = field(record, Kind::IdText)?;
                let number = std::str::from_utf8(text).ok().and_then(|text| text.parse::<i64>().ok());
                Some(number.map_or(Cow::Borrowed(text), |number| {
                    Cow::Owned((number.cast_unsigned() ^ 1 << 63).to_be_bytes().to_vec())
                }))
            })
        }
    }
}

fn in_digits(sub: &[u8]) -> Vec<u8> {
    sub.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
}

/// So many bytes of a text are a key.
const A_KEY: usize = 16;

/// Fewer items are not worth a thread.
const WORTH_A_THREAD: usize = 4096;

/// Sorts, on all cores. Where keys are only the beginnings of texts, these decide.
pub fn sort(items: &mut [Item], texts: Option<(&View, Which)>, reverse: bool) {
    by_key(items);
    let Some((view, which)) = texts else { return };
    // What has nothing is sorted already.
    let something = items.partition_point(|item| item.key < Key::NOTHING);
    let mut open = vec![&mut items[..something]];
    // Those with equal keys are sorted by the next bytes of their texts, and so on.
    for from in (A_KEY..).step_by(A_KEY) {
        let alike = open.into_par_iter().flat_map(|some| some.par_chunk_by_mut(|one, other| one.key == other.key));
        let alike = alike.filter(|alike| alike.len() > 1);
        open = alike.filter_map(|alike| next_key(alike, view, which, reverse, from).then_some(alike)).collect();
        if open.is_empty() {
            break;
        }
    }
}

fn by_key(items: &mut [Item]) {
    items.par_sort_unstable_by_key(|item| (item.key, item.lead));
}

/// Sorts by the bytes from there on. Whether there are more behind them.
fn next_key(items: &mut [Item], view: &View, which: Which, reverse: bool, from: usize) -> bool {
    let read = items.par_iter_mut().with_min_len(WORTH_A_THREAD).map(|item| {
        let Some((chunk, at)) = view.place(item.number) else { return false };
        let record = chunk.texts_of(at);
        let text = text(which, chunk.bits(at), &record).unwrap_or_default();
        item.key = Key::of(Some(prefix(text.get(from..).unwrap_or_default())), reverse);
        text.len() > from + A_KEY
    });
    let is_longer = read.reduce(|| false, |one, other| one | other);
    by_key(items);
    is_longer
}

#[cfg(test)]
mod tests {
    use userlink_domain::{PoolUser, Row, RowId, Sub, Timestamp};

    use super::*;
    use crate::Columns;

    fn sorted(columns: &Columns, column: Column, reverse: bool) -> Vec<u32> {
        let view = columns.view();
        let mut walk = view.walk();
        let key = |number| key_of_number(&mut walk, number, column, reverse);
        let mut items: Vec<_> = (0..view.len())
            .zip((0..view.len()).map(key))
            .map(|(number, key)| Item { key, number, lead: number })
            .collect();
        sort(&mut items, column.text().map(|which| (&view, which)), reverse);
        items.into_iter().map(|item| item.lead).collect()
    }

    fn users(emails: &[&str]) -> Columns {
        let mut columns = Columns::new(None, usize::MAX);
        for (number, email) in (1..).zip(emails) {
            let mut user = PoolUser::new(Sub::from_u128(number), format!("~{number}"));
            user.email = Some((*email).into());
            user.created = (number != 2).then(|| Timestamp::from_millis(1_000_000 - number as i64 * 1000));
            columns.push_user(&user);
        }
        columns
    }

    #[test]
    fn long_texts_that_begin_alike_are_told_apart_and_equal_ones_stay_as_they_came() {
        let emails = [
            "anna.schmidt.b@example.org",
            "anna.schmidt.a@example.org",
            "Zoë@example.org",
            "anna.schmidt.b@example.org",
            "anna.sch",
            "zoe@example.com",
            "anna.schmidt.b@example.org.uk",
        ];
        let columns = users(&emails);
        assert_eq!(sorted(&columns, Column::User, false), [4, 1, 0, 3, 6, 5, 2]);
        assert_eq!(sorted(&columns, Column::User, true), [2, 5, 6, 0, 3, 1, 4], "whoever is equal as before");
    }

    #[test]
    fn what_has_nothing_in_the_column_comes_last_whichever_way() {
        let columns = users(&["a", "b", "c"]);
        assert_eq!(sorted(&columns, Column::Created, false), [2, 0, 1]);
        assert_eq!(sorted(&columns, Column::Created, true), [0, 2, 1]);
        assert_eq!(sorted(&columns, Column::Row, true), [0, 1, 2], "users have no row's id");
    }

    #[test]
    fn ids_are_sorted_as_what_they_are() {
        let mut columns = Columns::new(None, usize::MAX);
        for id in [10, 9, -3, 100] {
            columns.push_row(&Row::new(RowId::BigInt(id)));
        }
        assert_eq!(sorted(&columns, Column::Row, false), [2, 1, 0, 3]);
        let mut columns = Columns::new(None, usize::MAX);
        for id in ["b", "a10", "a9", "aaaaaaaaaaaaaaab", "aaaaaaaaaaaaaaaa"] {
            columns.push_row(&Row::new(RowId::Text(id.into())));
        }
        assert_eq!(sorted(&columns, Column::Row, false), [1, 2, 4, 3, 0]);
    }
}
