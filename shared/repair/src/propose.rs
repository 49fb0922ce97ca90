//! Reading both sides again before anything is offered.

use userlink_db::{DbError, JournalError, UsersTable};
use userlink_domain::{PoolUser, Row, Situation, Timestamp};
use userlink_link::Entry;
use userlink_pool::{PoolError, PoolReader};

use crate::sides::{RowSide, check_user};

/// Why a repair is not offered, or not made. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    Pool(#[from] PoolError),
    #[error("{0}")]
    Database(#[from] DbError),
    #[error("{0}")]
    Journal(JournalError),
    /// Somebody has a step about this user open.
    #[error(
        "Nothing was written: {by} has had this user in hand since {since}. Wait for that to end, then scan again."
    )]
    Claimed { by: String, since: Timestamp },
    /// Another run of the plan has done the step.
    #[error("{by} has done this step of the plan already, at {at}.")]
    DoneBefore { by: String, at: Timestamp },
    /// Somebody changed it meanwhile.
    #[error("Nothing was written: {0} Scan again.")]
    Stale(&'static str),
    /// There is no repair of this kind for such an entry.
    #[error("There is no repair for {} here.", .0.words())]
    NotOffered(Situation),
}

impl From<JournalError> for Refusal {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Claimed { by, since } => Self::Claimed { by, since },
            JournalError::DoneBefore { by, at } => Self::DoneBefore { by, at },
            other => Self::Journal(other),
        }
    }
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
    let rows = RowSide::read(table, &row.id, user.sub).await?;
    let row = rows.check(user.sub).map_err(Refusal::Stale)?.clone();
    check_user(&user).map_err(Refusal::Stale)?;
    Ok(Fresh { user, row })
}
