//! The flags that stand beside a situation.

use std::collections::HashSet;

use userlink_domain::{Flag, Flags, PoolUser, Row};

use crate::entries::Slot;
use crate::linker::Linker;
use crate::store::Rec;

/// The flags of an entry that follow from its records. `writable` is laid over them when they are read, so that it
/// costs nothing when it becomes known.
pub(crate) fn flags(linker: &Linker, entry: u32, slot: &Slot) -> Flags {
    let mut flags = Flags::default();
    let store = &linker.store;
    let users = || slot.members.users().iter().filter_map(|slot| store.user(*slot));
    let rows = || slot.members.rows().iter().filter_map(|slot| store.row(*slot));

    for user in users() {
        let Some(id) = store.claim(user) else { continue };
        let Some(row) = store.row_slot(&id).and_then(|slot| store.row(slot)) else { continue };
        if user.user_id() != Some(row.id.to_string().as_str()) {
            flags.insert(Flag::NonCanonicalId);
        }
        if email_differs(user, row) {
            flags.insert(Flag::EmailDiffers);
        }
    }
    for row in rows() {
        let user = row.sub().and_then(|sub| store.user_slot(sub)).and_then(|slot| store.user(slot));
        if user.is_some_and(|user| email_differs(user, row)) {
            flags.insert(Flag::EmailDiffers);
        }
    }
    if rivals(linker, entry, slot).next().is_some() {
        flags.insert(Flag::Contested);
    }
    flags
}

fn email_differs(user: &PoolUser, row: &Row) -> bool {
    match (user.verified_email(), row.email_key()) {
        (Some(users), Some(rows)) => users != rows,
        _ => false,
    }
}

/// Users outside the entry that speak for another owner of one of its rows: their verified e-mail is the row's, or they
/// are UNCONFIRMED and their attribute names the row. A joined profile speaks for nobody but its native user.
pub(crate) fn rivals<'a>(linker: &'a Linker, entry: u32, slot: &'a Slot) -> impl Iterator<Item = u32> + 'a {
    let store = &linker.store;
    let mut emails = HashSet::new();
    slot.members
        .rows()
        .iter()
        .filter_map(|slot| store.row(*slot))
        .flat_map(move |row| {
            let email = row.email_key().filter(|email| emails.insert(email.clone()));
            let by_email = email.map_or(&[][..], |email| store.users_with_email(&email));
            let by_email = by_email.iter().filter(|slot| store.user(**slot).is_some_and(|user| !store.is_joined(user)));
            let by_id = store
                .users_writing(&row.id)
                .iter()
                .filter(|slot| store.user(**slot).is_some_and(|user| store.claim(user).is_none()));
            by_email.chain(by_id)
        })
        .copied()
        .filter(move |user| linker.entries.of(Rec::User(*user)) != Some(entry))
}
