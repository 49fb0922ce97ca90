//! After a stop in the middle of a step: what the journal left open is looked at, and closed as done or not done. Nothing is
//! written again.

use tokio::time::Instant;
use userlink_db::{JournalEntry, JournalError, Outcome};
use userlink_domain::{RowId, Step, Sub, Timestamp, Username};
use userlink_pool::Remedy;

use crate::apply::{Repairer, is_over};
use crate::propose::Refusal;
use crate::sides::RowSide;

/// What was found of steps that were open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    pub found_done: u32,
    pub not_done: u32,
    /// Steps that are being made, or may be, by this run or another one.
    pub under_way: u32,
    /// Steps that could not be looked at; they stay open.
    pub unseen: u32,
    /// Steps of kinds that this version does not make; they stay open.
    pub left: u32,
}

enum Looked {
    Done,
    NotDone,
    /// Somebody else closed it meanwhile.
    Closed,
    Left,
}

impl Repairer {
    /// Closes what earlier runs left open: steps that are older than [`crate::LONGEST_STEP`], and those of a run on this
    /// machine that has ended. For once at the start of a program.
    ///
    /// # Errors
    /// Where the journal cannot be read. An entry that cannot be looked at is none: it stays open, and is counted.
    pub async fn recover(&self, now: impl Fn() -> Timestamp + Send) -> Result<Recovered, Refusal> {
        let open = self.journal.open_entries(&self.linkage()).await?;
        let mut recovered = Recovered { left: open.unreadable, ..Recovered::default() };
        // Whoever has ended sends no more from now on.
        let landed = Instant::now() + self.patience.landing;
        for entry in &open.entries {
            let over = is_over(entry.at, now());
            let ended = entry.process.is_some_and(|process| self.process.has_ended(process));
            if entry.process == Some(self.process.id()) || !(over || ended) {
                recovered.under_way += 1;
                continue;
            }
            match self.look(entry, Some(landed).filter(|_| !over), &now).await {
                Ok(Looked::Done) => recovered.found_done += 1,
                Ok(Looked::NotDone) => recovered.not_done += 1,
                Ok(Looked::Left) => recovered.left += 1,
                Ok(Looked::Closed) => {}
                Err(error) => {
                    tracing::warn!(run = %entry.run, %error, "an open step could not be looked at");
                    recovered.unseen += 1;
                }
            }
        }
        Ok(recovered)
    }

    /// Closes the steps about this user that are over.
    pub(crate) async fn recover_user(
        &self,
        sub: Option<Sub>,
        now: &(impl Fn() -> Timestamp + Send),
    ) -> Result<(), Refusal> {
        for entry in self.journal.open_entries(&self.linkage()).await?.entries {
            if entry.sub == sub && is_over(entry.at, now()) {
                self.look(&entry, None, now).await?;
            }
        }
        Ok(())
    }

    /// Looks at both sides and closes the entry. What is not there may still come, until it has `landed`.
    async fn look(
        &self,
        entry: &JournalEntry,
        landed: Option<Instant>,
        now: &(impl Fn() -> Timestamp + Send),
    ) -> Result<Looked, Refusal> {
        let (Step::WriteUserId { username, value, .. }, Some(sub)) = (&entry.step, entry.sub) else {
            return Ok(Looked::Left);
        };
        let username = Username::new(username.as_str());
        let mut written = self.is_written(&username, sub, value).await?;
        if let (false, Some(landed)) = (written, landed) {
            tokio::time::sleep_until(landed).await;
            written = self.is_written(&username, sub, value).await?;
        }
        let row = match RowId::parse(self.table.schema().id_kind, value) {
            Some(id) => RowSide::read(&self.table, &id, sub).await?.check(sub).map(drop),
            None => Err("the value is no id of this table."),
        };
        let detail = match row {
            Ok(()) => "found after a stop".to_owned(),
            Err(changed) => format!("found after a stop; {changed}"),
        };
        let (outcome, looked) =
            if written { (Outcome::FoundDone, Looked::Done) } else { (Outcome::NotDone, Looked::NotDone) };
        match self.journal.closed(entry.run, entry.step_no, outcome, &detail, now()).await {
            Ok(()) => Ok(looked),
            Err(JournalError::Closed { .. }) => Ok(Looked::Closed),
            Err(error) => Err(error.into()),
        }
    }

    async fn is_written(&self, username: &Username, sub: Sub, value: &str) -> Result<bool, Refusal> {
        match self.pool.current(username).await {
            Ok(user) => Ok(user.sub == sub && user.user_id() == Some(value)),
            Err(error) if error.remedy() == Remedy::UserMissing => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
