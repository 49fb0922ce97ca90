//! The attribute that names the row: written where it is not already right, and never over somebody's repair.

use std::time::{Duration, Instant};

use tokio::time::timeout;
use userlink_domain::{RowId, Username};
use userlink_pool::{PoolError, PoolWriter, Remedy};

use crate::budget::{left, pause};

/// What one request to the pool may take.
const ATTEMPT: Duration = Duration::from_secs(1);

/// What became of it.
#[derive(Debug)]
pub(crate) enum Written {
    /// The attribute names the row.
    Right,
    /// It was changed since the event was made, and names something else: the value that was found.
    Changed(String),
    /// There was no time left, and it may have been written or not.
    TooSlow,
    Failed(PoolError),
}

/// Who is to carry which id.
pub(crate) struct Asked<'a> {
    pub(crate) username: &'a Username,
    pub(crate) id: &'a RowId,
    /// What the event says that the attribute is.
    pub(crate) claimed: Option<&'a str>,
    /// Read before the first write. The row was there before, so that the event may be an old copy, from before a repair.
    pub(crate) read_first: bool,
}

/// Writes the row's id. A write whose answer was lost is made again only after a look.
pub(crate) async fn write(pool: &PoolWriter, asked: &Asked<'_>, end: Instant) -> Written {
    let right = asked.id.to_string();
    let mut look = asked.read_first;
    let mut number = 0;
    loop {
        let limit = left(end).min(ATTEMPT);
        let error = if look {
            match timeout(limit, pool.current(asked.username)).await {
                Ok(Ok(user)) => match user.user_id() {
                    Some(value) if value == right => return Written::Right,
                    Some(value) if !is_ours(value, asked) => return Written::Changed(value.to_owned()),
                    _ => {
                        look = false;
                        continue;
                    }
                },
                Ok(Err(error)) => Some(error),
                Err(_) => None,
            }
        } else {
            let writing = async { pool.write_user_id(pool.turn().await, asked.username, asked.id).await };
            match timeout(limit, writing).await {
                Ok(Ok(())) => return Written::Right,
                Ok(Err(error)) => {
                    look = error.may_have_been_done();
                    Some(error)
                }
                Err(_) => {
                    look = true;
                    None
                }
            }
        };
        let may_pass = error
            .as_ref()
            .is_none_or(|error| matches!(error.remedy(), Remedy::Throttled | Remedy::Failed | Remedy::Unreachable));
        number += 1;
        if !may_pass || !pause(number, end).await {
            return error.map_or(Written::TooSlow, Written::Failed);
        }
    }
}

/// Whether this value may be written over: it came with the event, and so proves nothing, or it means the same row.
fn is_ours(value: &str, asked: &Asked<'_>) -> bool {
    asked.claimed == Some(value) || RowId::parse(asked.id.kind(), value).as_ref() == Some(asked.id)
}
