//! Reading both sides again before anything is offered.

use userlink_db::{DbError, UsersTable};
use userlink_domain::{PoolUser, Row, Situation};
use userlink_link::Entry;
use userlink_pool::{PoolError, PoolReader};

/// Why a repair is not offered, or not made.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    Pool(#[from] PoolError),
    #[error("{0}")]
    Database(#[from] DbError),
    #[error("{0}")]
    Journal(#[from] userlink_db::JournalError),
    /// Somebody changed it meanwhile.
    #[error("Nothing was written: {0} Scan again.")]
    Stale(&'static str),
    /// There is no repair of this kind for such an entry.
    #[error("There is no repair for {} here.", .0.words())]
    NotOffered(Situation),
}

/// The user and the row of an entry, as they are now.
#[derive(Clone, Debug)]
pub struct Fresh {
    pub user: PoolUser,
    pub row: Row,
}

/// Reads the one user and the one row of a `row_side_only` entry again, and refuses where they no longer are that. It looks
/// with ListUsers, which bills nobody.
///
/// # Errors
/// Where a side cannot be read, or has changed.
pub async fn fresh(pool: &PoolReader, table: &UsersTable, entry: &Entry) -> Result<Fresh, Refusal> {
    let ([user], [row], Situation::RowSideOnly) = (&entry.users[..], &entry.rows[..], entry.situation) else {
        return Err(Refusal::NotOffered(entry.situation));
    };
    let user = pool.by_sub(user.sub).await?.ok_or(Refusal::Stale("the user is gone."))?;
    let row = table.by_ids(std::slice::from_ref(&row.id)).await?.pop().ok_or(Refusal::Stale("the row is gone."))?;
    let carrying = table.by_subs(&[user.sub]).await?;
    check(&user, &row, carrying.len())?;
    Ok(Fresh { user, row })
}

/// Whether `user_id` may be written: the row carries the user's sub, no other row does, and the attribute is empty.
pub(crate) fn check(user: &PoolUser, row: &Row, carrying: usize) -> Result<(), Refusal> {
    if row.sub() != Some(user.sub) {
        return Err(Refusal::Stale("the row no longer carries this user's sub."));
    }
    if carrying > 1 {
        return Err(Refusal::Stale("another row carries this user's sub, too."));
    }
    if user.user_id().is_some() {
        return Err(Refusal::Stale("the user id is no longer empty."));
    }
    if !user.is_expected() {
        return Err(Refusal::Stale("the user is no longer one that should be linked."));
    }
    Ok(())
}
