//! After a stop in the middle of a step: what the journal left open is looked at, and closed as done or not done. Nothing is
//! written again.

use userlink_db::{Journal, Outcome};
use userlink_domain::{Step, Timestamp, Username};
use userlink_pool::{PoolWriter, Remedy};

use crate::propose::Refusal;

/// What was found of steps that a stop had left open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    pub found_done: u32,
    pub not_done: u32,
    /// Steps of kinds that this version does not make; they stay open.
    pub left: u32,
}

/// Closes what is open in the journal.
///
/// # Errors
/// Where the journal or the pool cannot be read; what was not looked at stays open.
pub async fn recover(journal: &Journal, pool: &PoolWriter, now: Timestamp) -> Result<Recovered, Refusal> {
    let mut recovered = Recovered::default();
    for open in journal.open_entries().await? {
        let Step::WriteUserId { username, value, .. } = &open.step else {
            recovered.left += 1;
            continue;
        };
        let written = match pool.current(&Username::new(username.as_str())).await {
            Ok(user) => Some(user.sub) == open.sub && user.user_id() == Some(value.as_str()),
            Err(error) if error.remedy() == Remedy::UserMissing => false,
            Err(error) => return Err(error.into()),
        };
        let outcome = if written { Outcome::FoundDone } else { Outcome::NotDone };
        journal.closed(open.run, open.step_no, outcome, "found after a stop", now).await?;
        if written { recovered.found_done += 1 } else { recovered.not_done += 1 }
    }
    Ok(recovered)
}
