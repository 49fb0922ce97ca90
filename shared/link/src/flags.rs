//! The flags that stand beside a situation, and the records that they are raised for.

use std::collections::HashSet;

use userlink_domain::{Flag, Flags, PoolUser, Row, RowId};

use crate::entries::Slot;
use crate::linker::Linker;
use crate::store::{Rec, Store};

/// The flags of an entry that follow from its records. `writable` is laid over them when they are read, so that it
/// costs nothing when it becomes known.
pub(crate) fn flags(linker: &Linker, entry: u32, slot: &Slot) -> Flags {
    let store = &linker.store;
    let mut flags = Flags::default();
    if written_otherwise(store, slot).next().is_some() {
        flags.insert(Flag::NonCanonicalId);
    }
    if emails_that_differ(store, slot).next().is_some() {
        flags.insert(Flag::EmailDiffers);
    }
    if rivals(linker, entry, slot).next().is_some() {
        flags.insert(Flag::Contested);
    }
    flags
}

/// Users whose attribute means a row, but is written otherwise than its id; with that id.
pub(crate) fn written_otherwise<'a>(
    store: &'a Store,
    slot: &'a Slot,
) -> impl Iterator<Item = (&'a PoolUser, RowId)> + 'a {
    slot.members.users().iter().filter_map(move |slot| {
        let user = store.user(*slot)?;
        let id = store.claim(user)?;
        let otherwise = store.row_slot(&id).is_some() && user.user_id() != Some(id.to_string().as_str());
        otherwise.then_some((user, id))
    })
}

/// Pairs of which one names the other, and whose e-mails differ.
///
/// A row without an e-mail raises no flag: there is nothing that the user's could differ from, and a table that keeps no
/// e-mails would be flagged from end to end.
pub(crate) fn emails_that_differ<'a>(
    store: &'a Store,
    slot: &'a Slot,
) -> impl Iterator<Item = (&'a PoolUser, &'a Row)> + 'a {
    let by_id = slot.members.users().iter().filter_map(move |slot| {
        let user = store.user(*slot)?;
        Some((user, store.row(store.row_slot(&store.claim(user)?)?)?))
    });
    let by_sub = slot.members.rows().iter().filter_map(move |slot| {
        let row = store.row(*slot)?;
        let user = store.user(store.user_slot(row.sub()?)?)?;
        // A pair that agrees came by its id already.
        (store.claim(user).as_ref() != Some(&row.id)).then_some((user, row))
    });
    by_id.chain(by_sub).filter(|(user, row)| match (user.verified_email(), row.email_key()) {
        (Some(users), Some(rows)) => users != rows,
        _ => false,
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
pub(crate) fn rivals<'a>(linker: &'a Linker, entry: u32, slot: &'a Slot) -> impl Iterator<Item = Rival> + 'a {
    let store = &linker.store;
    let is_inside = move |user: u32| linker.entries.of(Rec::User(user)) == Some(entry);
    let speaks_for_insider =
        move |user: u32| store.user(user).is_some_and(|user| store.natives_of(user).into_iter().any(is_inside));
    let mut emails = HashSet::new();
    let rows = slot.members.rows().iter().filter_map(move |slot| Some((*slot, store.row(*slot)?)));
    rows.flat_map(move |(slot, row)| {
        let email = row.email_key().filter(|email| emails.insert(email.clone()));
        let by_email = email.map_or(&[][..], |email| store.users_with_email(&email));
        let by_email = by_email.iter().copied().filter(move |user| !is_inside(*user) && !speaks_for_insider(*user));
        let by_id = store.unconfirmed_naming(&row.id).iter().copied();
        let by_id = by_id
            .filter(move |user| !is_inside(*user) && store.user(*user).is_some_and(|user| store.claim(user).is_none()));
        let by_email = by_email.map(move |user| Rival { user, row: slot, speaks: Speaks::ByEmail });
        by_email.chain(by_id.map(move |user| Rival { user, row: slot, speaks: Speaks::ById }))
    })
}
