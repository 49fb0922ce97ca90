//! One step, done: journal opened, both sides read again, written, read back, journal closed.

use userlink_db::{Journal, JournalEntry, Outcome, UsersTable};
use userlink_domain::{PoolUser, Situation, Step, Timestamp};
use userlink_pool::PoolWriter;
use uuid::Uuid;

use crate::propose::{Fresh, Refusal, check};

/// Who writes, where, and into which journal.
#[derive(Clone, Debug)]
pub struct Repairer {
    pub pool: PoolWriter,
    pub table: UsersTable,
    pub journal: Journal,
    /// Who is said to have done it.
    pub actor: String,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Written, and read back.
    Done,
    /// Nothing was written: it was no longer as the step expects.
    Stale,
    /// The write was refused, or did not take.
    Failed,
    /// It was written, but could not be read back: the journal entry stays open, and the next start looks.
    Unverified,
}

/// What came of a step.
#[derive(Clone, Debug)]
pub struct Applied {
    pub run: Uuid,
    pub verdict: Verdict,
    /// What happened, one sentence each.
    pub words: Vec<String>,
    /// The user as read back.
    pub user: Option<PoolUser>,
}

impl Repairer {
    /// Writes the row's id into the attribute of a `row_side_only` user.
    ///
    /// Cognito has no conditional write: between the last read and the write there is a moment, a request long, in which
    /// somebody else's write would be lost. It is read back, and the journal has what was there before.
    ///
    /// # Errors
    /// Where nothing was written and nothing had to be journalled: a side could not be read, or has changed, or the journal
    /// could not be written.
    pub async fn write_user_id(&self, was: &Fresh, now: impl Fn() -> Timestamp + Send) -> Result<Applied, Refusal> {
        let before = self.pool.current(&was.user.username).await?;
        if before.sub != was.user.sub {
            return Err(Refusal::Stale("another user has this username now."));
        }
        let id = was.row.id.clone();
        let row =
            self.table.by_ids(std::slice::from_ref(&id)).await?.pop().ok_or(Refusal::Stale("the row is gone."))?;
        check(&before, &row, self.table.by_subs(&[before.sub]).await?.len())?;

        let run = Uuid::now_v7();
        let step = Step::WriteUserId {
            username: before.username.as_str().to_owned(),
            expect: before.user_id.as_deref().map(str::to_owned),
            value: id.to_string(),
        };
        self.journal
            .opened(&JournalEntry {
                run,
                step_no: 1,
                step,
                situation: Situation::RowSideOnly,
                actor: self.actor.clone(),
                reason: None,
                at: now(),
                username: Some(before.username.as_str().to_owned()),
                sub: Some(before.sub),
                row: Some(id.to_string()),
            })
            .await?;

        let applied = |verdict, words: &[&str], user| {
            let words = words.iter().map(|text| (*text).to_owned()).collect();
            Applied { run, verdict, words, user }
        };
        if let Err(error) = self.pool.write_user_id(&before.username, &id).await {
            // A write whose answer was lost may have been made: only reading can tell.
            return Ok(match self.pool.current(&before.username).await {
                Ok(user) if user.user_id() == Some(&*id.to_string()) => {
                    self.close(run, Outcome::Done, "the answer was lost, the write was made", &now).await;
                    applied(Verdict::Done, &["Written, and read back: the user id is set."], Some(user))
                }
                Ok(user) => {
                    self.close(run, Outcome::Failed, "the pool refused the write", &now).await;
                    applied(Verdict::Failed, &[&error.to_string()], Some(user))
                }
                Err(_) => applied(Verdict::Unverified, &[&error.to_string(), UNVERIFIED], None),
            });
        }
        Ok(match self.pool.current(&before.username).await {
            Ok(user) if user.user_id() == Some(&*id.to_string()) => {
                let closed = self.close(run, Outcome::Done, "", &now).await;
                let mut words = vec!["Written, and read back: the user id is set.", TOKENS];
                words.extend(
                    (!closed).then_some("The journal could not be closed; the next start looks and closes it."),
                );
                applied(Verdict::Done, &words, Some(user))
            }
            Ok(user) => {
                self.close(run, Outcome::Failed, "read back with another value", &now).await;
                applied(
                    Verdict::Failed,
                    &["Written, but read back with another value: somebody else writes, too."],
                    Some(user),
                )
            }
            Err(error) => applied(Verdict::Unverified, &[&error.to_string(), UNVERIFIED], None),
        })
    }

    async fn close(&self, run: Uuid, outcome: Outcome, detail: &str, now: &(impl Fn() -> Timestamp + Send)) -> bool {
        let closed = self.journal.closed(run, 1, outcome, detail, now()).await;
        if let Err(error) = &closed {
            tracing::error!(%run, %error, "the journal entry stays open");
        }
        closed.is_ok()
    }
}

const UNVERIFIED: &str = "Whether it was written is not known: the journal entry stays open, and the next start looks.";
const TOKENS: &str = "Tokens carry it from the next sign-in or refresh.";
