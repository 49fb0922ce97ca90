//! The flags that stand beside a situation, and the records that they are raised for.

use rustc_hash::FxHashSet;
use userlink_domain::{Flag, Flags};

use crate::entries::EntryId;
use crate::linker::Linker;
use crate::store::Rec;

/// The flags of an entry that follow from its records. `writable` is laid over them when they are read, so that it
/// costs nothing when it becomes known.
pub(crate) fn flags(linker: &Linker, entry: EntryId) -> Flags {
    let mut flags = Flags::default();
    if written_otherwise(linker, entry).next().is_some() {
        flags.insert(Flag::NonCanonicalId);
    }
    if emails_that_differ(linker, entry).next().is_some() {
        flags.insert(Flag::EmailDiffers);
    }
    if rivals(linker, entry).next().is_some() {
        flags.insert(Flag::Contested);
    }
    flags
}

/// Users whose attribute means a row, but is written otherwise than its id; with that row.
pub(crate) fn written_otherwise(linker: &Linker, entry: EntryId) -> impl Iterator<Item = (u32, u32)> {
    let store = &linker.store;
    linker.entries.users(entry).filter_map(|slot| {
        let user = store.user(slot).filter(|user| user.is_written_otherwise())?;
        Some((slot, store.claimed_row(user)?))
    })
}

/// Pairs of a user and a row of which one names the other, and whose e-mails differ.
///
/// A row without an e-mail raises no flag: there is nothing that the user's could differ from, and a table that keeps no
/// e-mails would be flagged from end to end.
pub(crate) fn emails_that_differ(linker: &Linker, entry: EntryId) -> impl Iterator<Item = (u32, u32)> {
    let store = &linker.store;
    let by_id = linker.entries.users(entry).filter_map(|slot| Some((slot, store.claimed_row(store.user(slot)?)?)));
    let by_sub = linker.entries.rows(entry).filter_map(|slot| {
        let row = store.row(slot)?;
        let user = store.user_with_sub(row.sub()?)?;
        // A pair that agrees came by its id already.
        (store.claim(store.user(user)?) != Some(row.id)).then_some((user, slot))
    });
    by_id.chain(by_sub).filter(|(user, row)| {
        let emails = store.user(*user).zip(store.row(*row)).map(|(user, row)| (user.verified_email(), row.email()));
        matches!(emails, Some((Some(users), Some(rows))) if users != rows)
    })
}

/// How a user outside an entry speaks for another owner of a row in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaks {
    ByEmail,
    ById,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Rival {
    pub(crate) user: u32,
    pub(crate) row: u32,
    pub(crate) speaks: Speaks,
}

/// Users outside the entry that speak for another owner of one of its rows: their verified e-mail is the row's, or they
/// are UNCONFIRMED and their attribute names the row. A profile that was joined to a user of this entry speaks for that
/// user, and is no rival.
pub(crate) fn rivals(linker: &Linker, entry: EntryId) -> impl Iterator<Item = Rival> {
    let store = &linker.store;
    let is_inside = move |user: u32| linker.entries.of(Rec::User(user)) == Some(entry);
    let speaks_for_insider = move |user: u32| store.natives_of(user).iter().copied().any(is_inside);
    let mut emails = FxHashSet::default();
    linker.entries.rows(entry).filter_map(|slot| Some((slot, store.row(slot)?))).flat_map(move |(slot, row)| {
        let email = row.email().filter(|email| emails.insert(*email));
        let by_email = email.into_iter().flat_map(|email| store.users_with_email(email));
        let by_email = by_email.filter(move |user| !is_inside(*user) && !speaks_for_insider(*user));
        let by_id = store
            .unconfirmed_naming(row)
            .filter(move |user| !is_inside(*user) && store.user(*user).is_some_and(|user| store.claim(user).is_none()));
        let by_email = by_email.map(move |user| Rival { user, row: slot, speaks: Speaks::ByEmail });
        by_email.chain(by_id.map(move |user| Rival { user, row: slot, speaks: Speaks::ById }))
    })
}
