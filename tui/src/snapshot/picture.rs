//! What a screen shows first: how many entries there are of each kind, and the first of every tab.

use serde::{Deserialize, Serialize};
use userlink_domain::{Flag, Group, Situation, Timestamp};
use userlink_link::{Entry, Linker};

use super::record::{Hasher, TableRow, User, row_as_kept, user_as_kept};

/// So many entries of each tab, as many as the tallest screen shows.
const ENTRIES: usize = 120;
/// So many records of an entry.
const RECORDS: usize = 20;

/// A complete scan at a glance.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Picture {
    at: i64,
    pub(crate) users: u64,
    pub(crate) rows: u64,
    pub(crate) situations: Vec<(Situation, u64)>,
    pub(crate) flags: Vec<(Flag, u64)>,
    pub(crate) malformed_subs: u64,
    /// The first of all entries, and the first of each group.
    tabs: Vec<(Option<Group>, Vec<Shown>)>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Shown {
    situation: Situation,
    flags: Vec<Flag>,
    users: Vec<User>,
    rows: Vec<TableRow>,
    user_count: u64,
    row_count: u64,
}

impl Picture {
    pub(crate) fn of(linker: &Linker, at: Timestamp) -> Self {
        let (users, rows) = linker.len();
        let counts = linker.counts();
        let tabs = [None].into_iter().chain(Group::ALL.map(Some));
        let first = |group| {
            let leads = linker.first_leads(group, ENTRIES);
            leads.into_iter().filter_map(|lead| linker.entry_of(lead, RECORDS)).map(Shown::from).collect()
        };
        Self {
            at: at.as_millis(),
            users: users as u64,
            rows: rows as u64,
            situations: counts.situations().collect(),
            flags: counts.flags().collect(),
            malformed_subs: linker.malformed_subs(),
            tabs: tabs.map(|group| (group, first(group))).collect(),
        }
    }

    pub(crate) fn at(&self) -> Timestamp {
        Timestamp::from_millis(self.at)
    }

    /// How many entries a group has, and the first of them.
    pub(crate) fn entries(&self, group: Option<Group>, first: usize, len: usize) -> (usize, Vec<Entry>) {
        let of_group = self.situations.iter().filter(|(it, _)| group.is_none_or(|group| it.group() == group));
        let total = of_group.map(|(_, count)| *count).sum::<u64>() as usize;
        let tab = self.tabs.iter().find(|(tab, _)| *tab == group).map_or(&[][..], |(_, shown)| shown);
        (total, tab.iter().skip(first).take(len).cloned().map(Entry::from).collect())
    }

    /// As it is kept: without what is not.
    pub(super) fn kept(&self, hasher: Option<&Hasher>) -> Self {
        let mut kept = self.clone();
        for shown in kept.tabs.iter_mut().flat_map(|(_, shown)| shown) {
            let users = std::mem::take(&mut shown.users);
            shown.users = users.into_iter().map(|user| user_as_kept(&user.into(), hasher)).collect();
            let rows = std::mem::take(&mut shown.rows);
            shown.rows = rows.into_iter().map(|row| row_as_kept(&row.into(), hasher)).collect();
        }
        kept
    }
}

impl From<Entry> for Shown {
    fn from(entry: Entry) -> Self {
        Self {
            situation: entry.situation,
            flags: entry.flags.iter().collect(),
            users: entry.users.iter().map(User::of).collect(),
            rows: entry.rows.iter().map(TableRow::of).collect(),
            user_count: entry.user_count as u64,
            row_count: entry.row_count as u64,
        }
    }
}

impl From<Shown> for Entry {
    fn from(shown: Shown) -> Self {
        Self {
            situation: shown.situation,
            so_far: None,
            flags: shown.flags.into_iter().collect(),
            users: shown.users.into_iter().map(Into::into).collect(),
            rows: shown.rows.into_iter().map(Into::into).collect(),
            user_count: shown.user_count as usize,
            row_count: shown.row_count as usize,
        }
    }
}
