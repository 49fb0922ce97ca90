//! After a stop in the middle of a step: what the journal left open is looked at, and closed as done or not done. Nothing is
//! written again.

use tokio::time::Instant;
use userlink_db::{INSERTED, JournalEntry, JournalError, Outcome};
use userlink_domain::{RowId, Step, Sub, Timestamp, Username};
use uuid::Uuid;

use crate::apply::{Repairer, is_over};
use crate::refusal::Refusal;
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
    /// Steps that a newer version opened, or that are about no user; they stay open.
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

    /// Looks at a step of this run of which it is not known whether it was made, once nothing of it can arrive any more. Gives
    /// whether it was; none where it cannot be seen now either.
    pub(crate) async fn look_again(
        &self,
        run: Uuid,
        step_no: i64,
        now: &(impl Fn() -> Timestamp + Send),
    ) -> Option<bool> {
        let landed = Instant::now() + self.patience.landing;
        let open = self.journal.open_entries(&self.linkage()).await.ok()?;
        let entry = open.entries.iter().find(|entry| (entry.run, entry.step_no) == (run, step_no))?;
        match self.look(entry, Some(landed), now).await.ok()? {
            Looked::Done => Some(true),
            Looked::NotDone => Some(false),
            Looked::Closed | Looked::Left => None,
        }
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
        let Some(sub) = entry.sub else { return Ok(Looked::Left) };
        let mut written = self.is_written(&entry.step, sub).await?;
        if let (false, Some(landed)) = (written, landed) {
            tokio::time::sleep_until(landed).await;
            written = self.is_written(&entry.step, sub).await?;
        }
        let detail = match &entry.step {
            Step::InsertRow { .. } if written => {
                let rows = self.table.by_subs(&[sub]).await?;
                rows.first().map_or_else(String::new, |row| format!("{INSERTED}{}", row.id))
            }
            Step::WriteUserId { value, .. } if self.is_tied(entry) => {
                let row = match RowId::parse(self.table.schema().id_kind, value) {
                    Some(id) => RowSide::read(&self.table, &id, sub).await?.check(sub).map(drop),
                    None => Err("the value is no id of this table."),
                };
                match row {
                    Ok(()) => "found after a stop".to_owned(),
                    Err(changed) => format!("found after a stop; {changed}"),
                }
            }
            _ => "found after a stop".to_owned(),
        };
        let (outcome, looked) =
            if written { (Outcome::FoundDone, Looked::Done) } else { (Outcome::NotDone, Looked::NotDone) };
        match self.journal.closed(entry.run, entry.step_no, outcome, &detail, now()).await {
            Ok(()) => Ok(looked),
            Err(JournalError::Closed { .. }) => Ok(Looked::Closed),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the row of a `user_id` matters: a step that takes another back may well write what is wrong.
    fn is_tied(&self, entry: &JournalEntry) -> bool {
        entry.row.is_some()
    }

    /// Whether both sides are as the step would leave them. That a session was ended cannot be seen.
    async fn is_written(&self, step: &Step, sub: Sub) -> Result<bool, Refusal> {
        let row = |id: &str| RowId::parse(self.table.schema().id_kind, id);
        match step {
            Step::WriteSub { row: id, value, .. } => {
                let Some(id) = row(id) else { return Ok(false) };
                Ok(self.table.by_ids(&[id]).await?.iter().any(|row| {
                    row.sub.as_deref() == Some(value) || row.sub() == Sub::parse(value) && row.sub().is_some()
                }))
            }
            Step::ClearSub { row: id, .. } => {
                let Some(id) = row(id) else { return Ok(false) };
                Ok(self.table.by_ids(&[id]).await?.iter().all(|row| row.sub.is_none()))
            }
            Step::InsertRow { .. } => Ok(!self.table.by_subs(&[sub]).await?.is_empty()),
            Step::SignOut { .. } => Ok(false),
            Step::WriteUserId { username, .. }
            | Step::ClearUserId { username, .. }
            | Step::DisableUser { username }
            | Step::EnableUser { username } => {
                let user = self.current(&Username::new(username.as_str()), sub).await?;
                Ok(user.is_some_and(|user| match step {
                    Step::WriteUserId { value, .. } => user.user_id() == Some(value),
                    Step::ClearUserId { .. } => user.user_id().is_none(),
                    Step::DisableUser { .. } => !user.enabled,
                    _ => user.enabled,
                }))
            }
        }
    }
}
