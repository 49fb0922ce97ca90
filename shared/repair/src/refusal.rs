//! Why a step is not made.

use userlink_db::{DbError, JournalError};
use userlink_domain::Timestamp;
use userlink_pool::PoolError;

/// Why a step is not made. Nothing was written.
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
