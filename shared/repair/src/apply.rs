//! One step, done: its user claimed in the journal, both sides read again, written, both sides read back, journal closed.

use std::time::Duration;

use tokio::time::Instant;
use userlink_db::{DbError, Journal, JournalEntry, JournalError, Linkage, Outcome, RowWriter, UsersTable};
use userlink_domain::{PoolUser, Sub, Timestamp, Username};
use userlink_pool::{PoolError, PoolWriter, Remedy, wait};
use uuid::Uuid;

use crate::expects::{Action, OnUser};
use crate::process::Process;
use crate::refusal::Refusal;
use crate::sides::RowSide;

/// The longest that a step can take to do anything: what has been open for longer writes no more, whoever made it.
pub const LONGEST_STEP: Duration = Duration::from_secs(15 * 60);

/// No write is sent later than this after its user was claimed, by the clock on the wall: the machine may have slept. What
/// is missing to [`LONGEST_STEP`] is for a request that is slow to arrive and for clocks that differ.
const LATEST_WRITE: Duration = Duration::from_secs(5 * 60);

/// Who writes, where, and into which journal.
#[derive(Clone, Debug)]
pub struct Repairer {
    pub pool: PoolWriter,
    pub table: UsersTable,
    pub rows: RowWriter,
    pub journal: Journal,
    /// Who is said to have done it.
    pub actor: String,
    /// This run of the program.
    pub process: Process,
    pub patience: Patience,
}

/// How long to wait for what may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// In all, for the pool to take a write that it refuses as one too many.
    pub throttled: Duration,
    /// For a request to arrive whose sender has gone: what it would have written and is not there by then never will be.
    pub landing: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { throttled: Duration::from_secs(30), landing: Duration::from_secs(10) }
    }
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Written, and both sides read back as they should be.
    Done,
    /// Written, and read back; but meanwhile the row changed, so that the two are not linked.
    Overtaken,
    /// Nothing was written: it was no longer as the step expects.
    Stale,
    /// The write was refused, or did not take.
    Failed,
    /// It may have been written, or may still be: the journal entry stays open, and the next start looks.
    Unverified,
}

/// What came of a step.
#[derive(Clone, Debug)]
pub struct Applied {
    pub run: Uuid,
    pub verdict: Verdict,
    /// What happened, one sentence each.
    pub words: Vec<String>,
    /// The user as last read.
    pub user: Option<PoolUser>,
    /// The row side as last read.
    pub rows: Option<RowSide>,
}

impl Repairer {
    /// Makes a step on a user: claims, waits for its turn, reads, compares, writes, reads back, closes.
    ///
    /// Cognito has no conditional write: between the last read and the write there is a moment, a request long, in which
    /// somebody else's write would be lost. It is read back, and the journal has what was there before.
    ///
    /// # Errors
    /// Where nothing was written: somebody else has the user in hand, a side could not be read, or the journal could not be
    /// written.
    pub(crate) async fn on_user(
        &self,
        entry: &JournalEntry,
        what: &OnUser,
        now: impl Fn() -> Timestamp + Send,
    ) -> Result<Applied, Refusal> {
        self.claim(entry, &now).await?;
        let (run, step_no, at) = (entry.run, entry.step_no, entry.at);
        let mut underway = Underway { by: self, what, run, step_no, at, now, user: None, rows: None };
        Ok(match underway.write().await? {
            Written::Ended(verdict, words) => underway.applied(verdict, words),
            Written::Sent(lost) => underway.read_back(lost).await,
        })
    }

    /// What is tied to what here.
    pub fn linkage(&self) -> Linkage {
        let reader = self.pool.reader();
        Linkage {
            pool_id: reader.pool_id().to_owned(),
            attribute: reader.attribute().to_owned(),
            table: self.table.full_name(),
        }
    }

    /// The user now, or nothing where there is none, or another one of this username.
    pub(crate) async fn current(&self, username: &Username, sub: Sub) -> Result<Option<PoolUser>, PoolError> {
        match self.pool.current(username).await {
            Ok(user) => Ok(Some(user).filter(|user| user.sub == sub)),
            Err(error) if error.remedy() == Remedy::UserMissing => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens the journal entry. A claim that was left behind is looked at first, and stands in nobody's way.
    pub(crate) async fn claim(
        &self,
        entry: &JournalEntry,
        now: &(impl Fn() -> Timestamp + Send),
    ) -> Result<(), Refusal> {
        match self.journal.opened(entry).await {
            Err(JournalError::Claimed { since, .. }) if is_over(since, now()) => {
                self.recover_user(entry.sub, now).await?;
                Ok(self.journal.opened(entry).await?)
            }
            Err(JournalError::Db(error)) => {
                // It may have been opened all the same.
                let closed = self.journal.closed(entry.run, entry.step_no, Outcome::NotDone, "not begun", now());
                drop(closed.await);
                Err(JournalError::Db(error).into())
            }
            other => Ok(other?),
        }
    }
}

/// Whether a step that was opened then can no longer write anything.
pub(crate) fn is_over(opened: Timestamp, now: Timestamp) -> bool {
    is_later(opened, LONGEST_STEP, now)
}

fn is_later(than: Timestamp, by: Duration, now: Timestamp) -> bool {
    i64::try_from(by.as_millis()).is_ok_and(|by| now.since(than) > by)
}

/// A step that was claimed.
struct Underway<'a, N> {
    by: &'a Repairer,
    what: &'a OnUser,
    run: Uuid,
    step_no: i64,
    at: Timestamp,
    now: N,
    user: Option<PoolUser>,
    rows: Option<RowSide>,
}

/// How far a write came.
enum Written {
    /// It was not made, and the journal is closed.
    Ended(Verdict, Vec<String>),
    /// It was sent; where its answer was lost, so.
    Sent(Option<PoolError>),
}

impl<N: Fn() -> Timestamp + Send> Underway<'_, N> {
    /// Reads, compares and writes; after a refusal for being too many all three again, for a while.
    async fn write(&mut self) -> Result<Written, Refusal> {
        let began = Instant::now();
        let mut refused = 0;
        loop {
            // First the waiting, so that none of it lies between reading and writing.
            let turn = self.by.pool.turn().await;
            if let Err(error) = self.read().await {
                self.close(Outcome::Failed, "could not be read: nothing was written").await;
                return Err(error);
            }
            if let Err(changed) = self.check() {
                self.close(Outcome::Stale, changed).await;
                let words = format!("Nothing was written: {changed} Scan again.");
                return Ok(Written::Ended(Verdict::Stale, vec![words]));
            }
            if is_later(self.at, LATEST_WRITE, (self.now)()) {
                self.close(Outcome::Failed, "it took too long: nothing was written").await;
                let words = "Nothing was written: it took too long to come to it. Try again.".to_owned();
                return Ok(Written::Ended(Verdict::Failed, vec![words]));
            }
            let (pool, username) = (&self.by.pool, &self.what.username);
            let sent = match &self.what.action {
                Action::Write(id) => pool.write_user_id(turn, username, id).await,
                Action::Clear => pool.clear_user_id(turn, username).await,
                Action::SignOut => pool.sign_out(turn, username).await,
                Action::Enable(enabled) => pool.set_enabled(turn, username, *enabled).await,
            };
            let error = match sent {
                Ok(()) => return Ok(Written::Sent(None)),
                Err(error) if error.may_have_been_done() => return Ok(Written::Sent(Some(error))),
                Err(error) => error,
            };
            refused += 1;
            let pause = wait(refused);
            if error.remedy() == Remedy::Throttled && began.elapsed() + pause < self.by.patience.throttled {
                tokio::time::sleep(pause).await;
                continue;
            }
            self.close(Outcome::Failed, "the pool refused the write").await;
            let words = vec![error.to_string(), "Nothing was written.".to_owned()];
            return Ok(Written::Ended(Verdict::Failed, words));
        }
    }

    /// Reads the rows, and then the user, in whom somebody else's write could be lost.
    async fn read(&mut self) -> Result<(), Refusal> {
        self.rows = self.read_rows().await?;
        self.user = self.current().await?;
        Ok(())
    }

    /// The row that is written, where it matters.
    async fn read_rows(&self) -> Result<Option<RowSide>, DbError> {
        match &self.what.action {
            Action::Write(id) if self.what.expects.tied => {
                RowSide::read(&self.by.table, id, self.what.sub).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The user now, or nothing where there is none, or another one of this username.
    async fn current(&self) -> Result<Option<PoolUser>, PoolError> {
        self.by.current(&self.what.username, self.what.sub).await
    }

    fn check(&self) -> Result<(), &'static str> {
        let user = self.user.as_ref().ok_or("the user is gone.")?;
        self.what.expects.check(user)?;
        match self.what.action {
            Action::Enable(true) if user.enabled => return Err("the user can sign in already."),
            Action::Enable(false) if !user.enabled => return Err("the user is disabled already."),
            _ => {}
        }
        self.check_rows()
    }

    fn check_rows(&self) -> Result<(), &'static str> {
        self.rows.as_ref().map_or(Ok(()), |rows| rows.check(self.what.sub).map(drop))
    }

    /// Says what came of a write that was sent.
    async fn read_back(&mut self, lost: Option<PoolError>) -> Applied {
        (self.user, self.rows) = (None, None);
        let lost_words = lost.as_ref().map(ToString::to_string);
        match self.current().await {
            Ok(user) => self.user = user,
            Err(error) => {
                let error = lost_words.unwrap_or_else(|| error.to_string());
                return self.applied(Verdict::Unverified, [error, UNVERIFIED.to_owned()]);
            }
        }
        let Some(user) = &self.user else {
            self.close(Outcome::Failed, "the user is gone").await;
            return self.applied(Verdict::Failed, ["The user is gone: it was deleted meanwhile.".to_owned()]);
        };
        let (there, untouched) = match &self.what.action {
            Action::Write(id) => {
                (user.user_id() == Some(id.to_string().as_str()), self.what.expects.check(user).is_ok())
            }
            Action::Clear => (user.user_id().is_none(), self.what.expects.check(user).is_ok()),
            Action::Enable(enabled) => (user.enabled == *enabled, user.enabled != *enabled),
            // Nothing of it can be read: an answer that was lost leaves it open.
            Action::SignOut => (lost.is_none(), true),
        };
        if there {
            return self.read_rows_back().await;
        }
        // Slow requests arrive, too.
        if lost.is_some() && untouched {
            return self.applied(Verdict::Unverified, lost_words.into_iter().chain([NOT_YET.to_owned()]));
        }
        self.close(Outcome::Failed, "read back otherwise than written").await;
        let other = "It reads back otherwise than written: somebody else writes, too. Scan again.".to_owned();
        self.applied(Verdict::Failed, lost_words.into_iter().chain([other]))
    }

    /// The user id is set. The row was not locked meanwhile.
    async fn read_rows_back(&mut self) -> Applied {
        match self.read_rows().await {
            Ok(rows) => self.rows = rows,
            Err(error) => {
                let words =
                    ["Written: the user id is set. The row could not be read back.".to_owned(), error.to_string()];
                return self.applied(Verdict::Unverified, words.into_iter().chain([OPEN.to_owned()]));
            }
        }
        let (verdict, closed, mut words) = match self.check_rows() {
            Ok(()) => (Verdict::Done, self.close(Outcome::Done, self.what.detail).await, self.what.action.words()),
            Err(changed) => (
                Verdict::Overtaken,
                self.close(Outcome::Overtaken, changed).await,
                vec![format!("Written: the user id is set. But meanwhile {changed} Scan again.")],
            ),
        };
        words.extend(
            (!closed).then(|| "The journal could not be closed; the next start looks and closes it.".to_owned()),
        );
        self.applied(verdict, words)
    }

    async fn close(&self, outcome: Outcome, detail: &str) -> bool {
        let closed = self.by.journal.closed(self.run, self.step_no, outcome, detail, (self.now)()).await;
        if let Err(error) = &closed {
            tracing::error!(run = %self.run, %error, "the journal entry stays open");
        }
        closed.is_ok()
    }

    fn applied(&self, verdict: Verdict, words: impl IntoIterator<Item = String>) -> Applied {
        let words = words.into_iter().collect();
        Applied { run: self.run, verdict, words, user: self.user.clone(), rows: self.rows.clone() }
    }
}

const UNVERIFIED: &str = "Whether it was written is not known: the journal entry stays open, and the next start looks.";
const NOT_YET: &str =
    "It is not there yet, and may still come: the journal entry stays open, and the next start looks.";
const OPEN: &str = "The journal entry stays open, and the next start looks.";
