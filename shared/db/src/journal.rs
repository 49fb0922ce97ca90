//! What was about to be done to whom, and how it ended.
//!
//! Events are only ever added. A step is opened before it is written and closed after it. Opening it claims
//! its user: while a step about a user of a pool is open no other about that user is opened, so that of two
//! people one goes ahead and the other is told who does. A step that stays open was cut short, and whoever
//! finds it must look at both sides before anything is written again.
//! To run failed steps again is a new run.
//!
//! A database may hold the table of several pools, and several tables of one: each step says which pool,
//! attribute and table it is about, and is nobody else's to close.

use std::path::Path;

use sqlx::SqlStr;
use thiserror::Error;
use userlink_domain::{Situation, Step, Sub, Timestamp};
use uuid::Uuid;

use crate::statements::fixed;
use crate::statements::journal::{CHANGED_SINCE, CLOSE, CONTAINED_USERS, DOER, HOLDER, OPEN, RUNS, newest, steps};
use crate::transaction::{Record, Transaction, Value};
use crate::{Db, DbError, DbOptions, MigrateOptions, UsersTable, migrate};

/// The journal, in the application's database or in a file of our own. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Journal {
    db: Db,
}

/// What is tied to what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linkage {
    pub pool_id: String,
    /// The attribute that names the row.
    pub attribute: String,
    /// The table with its schema, as [`crate::UsersTable::full_name`] gives it.
    pub table: String,
}

/// A step that is about to be made.
#[derive(Clone, PartialEq, Eq)]
pub struct JournalEntry {
    pub run: Uuid,
    pub step_no: i64,
    /// The plan that the step is of: of all runs of a plan, one does the step.
    pub plan: Option<Uuid>,
    pub linkage: Linkage,
    /// Which run of the program makes it.
    pub process: Option<Uuid>,
    pub step: Step,
    /// The situation of the entry that the step repairs.
    pub situation: Situation,
    pub actor: String,
    pub reason: Option<String>,
    pub at: Timestamp,
    /// The user and the row that the step is about, so that their history can be found.
    pub username: Option<String>,
    pub sub: Option<Sub>,
    /// The row's id, as it is written into `user_id`.
    pub row: Option<String>,
}

/// Leaves out usernames, which are often e-mail addresses.
impl std::fmt::Debug for JournalEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JournalEntry({} step {}, {:?}, {:?})", self.run, self.step_no, self.step, self.row)
    }
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Written, and both sides read back as they should be.
    Done,
    /// Written, and read back; but meanwhile somebody changed the other side.
    Overtaken,
    Failed,
    /// What the step expected to find was no longer there: nothing was written.
    Stale,
    /// Cut short, and found later to have been done.
    FoundDone,
    /// Cut short, and found later not to have been done.
    NotDone,
}

impl Outcome {
    const ALL: [Self; 6] = [Self::Done, Self::Overtaken, Self::Failed, Self::Stale, Self::FoundDone, Self::NotDone];

    /// The stable machine name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Overtaken => "overtaken",
            Self::Failed => "failed",
            Self::Stale => "stale",
            Self::FoundDone => "found_done",
            Self::NotDone => "not_done",
        }
    }

    /// Whether something was written.
    pub const fn is_written(self) -> bool {
        matches!(self, Self::Done | Self::Overtaken | Self::FoundDone)
    }

    /// The outcome of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

/// The end of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    pub outcome: Outcome,
    pub detail: String,
    pub at: Timestamp,
}

/// A step as the journal has it; without a closing it is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub entry: JournalEntry,
    pub closing: Option<Closing>,
}

/// A run at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRecorded {
    pub run: Uuid,
    /// When its first step was opened.
    pub at: Timestamp,
    pub actor: String,
    pub reason: Option<String>,
    /// Steps that were opened.
    pub steps: u64,
    /// Steps by which something was written.
    pub written: u64,
    /// Steps that are open still.
    pub open: u64,
}

/// The steps that were opened and not closed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenSteps {
    /// Oldest first.
    pub entries: Vec<JournalEntry>,
    /// How many more there are that a newer version wrote and this one cannot read.
    pub unreadable: u32,
}

/// Whose history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum History {
    All,
    /// By the run, or by the plan that runs were of.
    Run(Uuid),
    Username(String),
    Sub(Sub),
    /// By the row's id, as it is written into `user_id`.
    Row(String),
}

/// Why an event was not added.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum JournalError {
    #[error("{by} has had this user in hand since {since}. Wait for that to end.")]
    Claimed { by: String, since: Timestamp },
    #[error("{by} has done this step of the plan, at {at}.")]
    DoneBefore { by: String, at: Timestamp },
    #[error("Step {step_no} of this run was never opened, so it cannot be closed.")]
    NotOpen { step_no: i64 },
    #[error("Step {step_no} of this run is closed already, as {}.", outcome.name())]
    Closed { step_no: i64, outcome: Outcome },
    #[error("There is no journal in this database. Run `userlink migrate`.")]
    Missing,
    #[error("The journal holds an event that this version cannot read. Use a newer one.")]
    Unreadable,
    #[error(transparent)]
    Db(#[from] DbError),
}

/// What the closing of a step says that cleared a `user_id` to contain somebody. That of any other says nothing.
pub const CONTAINED: &str = "contained";

/// How often a step is tried to be opened whose rival was closed before it could be named.
const TRIES: u32 = 5;

impl Journal {
    /// The journal in this database, shared by all who use it.
    ///
    /// # Errors
    /// [`JournalError::Missing`] where it was never made.
    pub async fn open(db: &Db) -> Result<Self, JournalError> {
        match db.read(fixed("SELECT claim, plan FROM userlink_journal LIMIT 1"), Vec::new()).await {
            Ok(_) => Ok(Self { db: db.clone() }),
            Err(DbError::SchemaChanged { .. }) => Err(JournalError::Missing),
            Err(error) => Err(error.into()),
        }
    }

    /// The journal in a file of our own, made where there is none. It cannot know what somebody else does at
    /// the same time from another machine.
    ///
    /// # Errors
    /// Where the file cannot be made or is something else.
    pub async fn open_local(path: &Path) -> Result<Self, JournalError> {
        // The characters that mean something in a URL.
        let path = path.to_string_lossy().replace('%', "%25").replace('?', "%3F").replace('#', "%23");
        let options = DbOptions { create_if_missing: true, ..DbOptions::new(format!("sqlite:{path}")) };
        let db = Db::connect(&options).await?;
        migrate(&db, &MigrateOptions { journal: true, users_table: false }).await?;
        Ok(Self { db })
    }

    pub(crate) fn db(&self) -> &Db {
        &self.db
    }

    /// Opens a step, before it is made, and with it claims its user. After a broken connection it may have been opened
    /// all the same; whoever then makes nothing closes it.
    ///
    /// # Errors
    /// [`JournalError::Claimed`] where the step was opened before, or one about the same user of the pool is open;
    /// [`JournalError::DoneBefore`] where another run of the same plan has done it.
    pub async fn opened(&self, entry: &JournalEntry) -> Result<(), JournalError> {
        let step = serde_json::to_string(&entry.step).map_err(|_| JournalError::Unreadable)?;
        let sub = Value::MaybeText(entry.sub.map(|sub| sub.to_string()));
        let pool_id = Value::Text(entry.linkage.pool_id.clone());
        let (run, step_no) = (Value::Text(entry.run.to_string()), Value::Integer(entry.step_no));
        let plan = Value::MaybeText(entry.plan.map(|plan| plan.to_string()));
        let holder = vec![run.clone(), step_no.clone(), pool_id.clone(), sub.clone()];
        let doer = vec![plan.clone(), step_no.clone()];
        let values = vec![
            run,
            step_no,
            Value::Integer(entry.at.as_millis()),
            Value::Text(step),
            Value::Text(entry.situation.name().to_owned()),
            Value::Text(entry.actor.clone()),
            Value::MaybeText(entry.reason.clone()),
            Value::MaybeText(entry.username.clone()),
            sub,
            Value::MaybeText(entry.row.clone()),
            pool_id,
            Value::Text(entry.linkage.attribute.clone()),
            Value::Text(entry.linkage.table.clone()),
            Value::MaybeText(entry.process.map(|process| process.to_string())),
            plan.clone(),
        ];
        for _ in 0..TRIES {
            match self.add(fixed(OPEN), values.clone()).await {
                Ok(true) => return Ok(()),
                // Where transactions are stricter than they have to be, who comes second is told so in this way.
                Ok(false) | Err(DbError::Busy) => {}
                Err(error) => return Err(error.into()),
            }
            if entry.plan.is_some()
                && let Some(there) = self.db.read(fixed(DOER), doer.clone()).await?.first()
            {
                let at = Timestamp::from_millis(there.integer(1)?.unwrap_or_default());
                return Err(JournalError::DoneBefore { by: there.name(0)?, at });
            }
            if let Some(there) = self.db.read(fixed(HOLDER), holder.clone()).await?.first() {
                let since = Timestamp::from_millis(there.integer(1)?.unwrap_or_default());
                return Err(JournalError::Claimed { by: there.name(0)?, since });
            }
        }
        Err(DbError::Busy.into())
    }

    /// Says how a step ended.
    ///
    /// # Errors
    /// [`JournalError::NotOpen`] or [`JournalError::Closed`] where there is nothing to close.
    pub async fn closed(
        &self,
        run: Uuid,
        step_no: i64,
        outcome: Outcome,
        detail: &str,
        at: Timestamp,
    ) -> Result<(), JournalError> {
        if self.add(fixed(CLOSE), close_values(run, step_no, outcome, detail, at)).await? {
            return Ok(());
        }
        match self.step(run, step_no).await?.map(|there| there.closing) {
            Some(Some(closing)) => Err(JournalError::Closed { step_no, outcome: closing.outcome }),
            _ => Err(JournalError::NotOpen { step_no }),
        }
    }

    /// Whether this is a table of the journal's own database, so that both can be written in one transaction.
    pub fn is_beside(&self, table: &UsersTable) -> bool {
        std::sync::Arc::ptr_eq(&self.db.shared, &table.db().shared)
    }

    /// Closes a step as done in a transaction that goes on; false where it is not open any more.
    pub(crate) async fn done_in(
        &self,
        on: &mut Transaction<'_>,
        (run, step_no, at): (Uuid, i64, Timestamp),
        detail: &str,
    ) -> Result<bool, DbError> {
        Ok(on.execute(fixed(CLOSE), close_values(run, step_no, Outcome::Done, detail, at)).await? > 0)
    }

    /// The steps of this pool, attribute and table that were opened and not closed.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn open_entries(&self, of: &Linkage) -> Result<OpenSteps, JournalError> {
        let open = steps!(
            "c.run IS NULL AND o.pool_id = $1 AND o.attribute = $2 AND o.table_name = $3",
            " ORDER BY o.at_ms, o.run, o.step_no"
        );
        let of = [&of.pool_id, &of.attribute, &of.table];
        let mut steps = OpenSteps::default();
        for record in self.db.read(open, of.map(|name| Value::Text(name.clone())).to_vec()).await? {
            match read(&record)? {
                Some(step) => steps.entries.push(step.entry),
                None => steps.unreadable += 1,
            }
        }
        Ok(steps)
    }

    /// What was done, newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn history(&self, of: &History, limit: u32) -> Result<Vec<Recorded>, JournalError> {
        let (sql, whose) = match of {
            History::All => (newest!("1 = 1"), None),
            History::Run(run) => (newest!("(o.run = $2 OR o.plan = $2)"), Some(run.to_string())),
            History::Username(name) => (newest!("o.username = $2"), Some(name.clone())),
            History::Sub(sub) => (newest!("o.sub = $2"), Some(sub.to_string())),
            History::Row(id) => (newest!("o.row_id = $2"), Some(id.clone())),
        };
        let mut values = vec![Value::Integer(i64::from(limit))];
        values.extend(whose.map(Value::Text));
        self.recorded(sql, values).await
    }

    /// The runs of a pool, attribute and table, newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn runs(&self, of: &Linkage, limit: u32) -> Result<Vec<RunRecorded>, JournalError> {
        let mut values = vec![Value::Integer(i64::from(limit))];
        values.extend([&of.pool_id, &of.attribute, &of.table].map(|name| Value::Text(name.clone())));
        let count = |record: &Record, at| {
            Ok::<_, DbError>(record.integer(at)?.and_then(|count| u64::try_from(count).ok()).unwrap_or_default())
        };
        let mut runs = Vec::new();
        for record in self.db.read(fixed(RUNS), values).await? {
            let run = Uuid::try_parse(&record.name(0)?).map_err(|_| JournalError::Unreadable)?;
            runs.push(RunRecorded {
                run,
                at: Timestamp::from_millis(record.integer(1)?.unwrap_or_default()),
                actor: record.name(2)?,
                reason: record.text(3)?,
                steps: count(&record, 4)?,
                written: count(&record, 5)?,
                open: count(&record, 6)?,
            });
        }
        Ok(runs)
    }

    /// The users who were contained and whose `user_id` no step has written since, as far as the journal goes back. A clearing that
    /// was cut short counts: whose it was is not known.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn contained(&self, of: &Linkage) -> Result<Vec<Sub>, JournalError> {
        let of = [&of.pool_id, &of.attribute, &of.table].map(|name| Value::Text(name.clone())).to_vec();
        let records = self.db.read(fixed(CONTAINED_USERS), of).await?;
        let subs = records.iter().map(|record| Ok(Sub::parse(&record.name(0)?)));
        subs.filter_map(Result::transpose).collect()
    }

    /// The steps of a plan that were written, and about whose user or row another plan has written since: they do not hold any
    /// more.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn changed_since(&self, plan: Uuid) -> Result<Vec<i64>, JournalError> {
        let records = self.db.read(fixed(CHANGED_SINCE), vec![Value::Text(plan.to_string())]).await?;
        records.iter().map(|record| Ok(record.integer(0)?.unwrap_or_default())).collect()
    }

    async fn step(&self, run: Uuid, step_no: i64) -> Result<Option<Recorded>, JournalError> {
        let values = vec![Value::Text(run.to_string()), Value::Integer(step_no)];
        Ok(self.recorded(steps!("o.run = $1 AND o.step_no = $2", ""), values).await?.pop())
    }

    /// Adds an event; `false` where it is there already.
    pub(crate) async fn add(&self, sql: SqlStr, values: Vec<Value>) -> Result<bool, DbError> {
        let adding = async {
            let mut transaction = self.db.write().await?;
            match transaction.execute(sql, values).await {
                Ok(added) => transaction.commit().await.map(|()| added > 0),
                Err(error) => {
                    transaction.rollback().await;
                    Err(error)
                }
            }
        };
        self.db.in_time(adding).await
    }

    async fn recorded(&self, sql: SqlStr, values: Vec<Value>) -> Result<Vec<Recorded>, JournalError> {
        let records = self.db.read(sql, values).await?;
        records.iter().map(|record| read(record)?.ok_or(JournalError::Unreadable)).collect()
    }
}

fn close_values(run: Uuid, step_no: i64, outcome: Outcome, detail: &str, at: Timestamp) -> Vec<Value> {
    vec![
        Value::Text(run.to_string()),
        Value::Integer(step_no),
        Value::Integer(at.as_millis()),
        Value::Text(outcome.name().to_owned()),
        Value::Text(detail.to_owned()),
    ]
}

/// `None` where a newer version wrote something that this one does not know.
fn read(record: &Record) -> Result<Option<Recorded>, DbError> {
    let moment = |at| Ok::<_, DbError>(record.integer(at)?.map(Timestamp::from_millis));
    let (run, step) = (Uuid::try_parse(&record.name(0)?), serde_json::from_str(&record.name(2)?));
    let (Ok(run), Some(step_no), Ok(step), Some(situation), Some(at)) =
        (run, record.integer(1)?, step, Situation::parse(&record.name(3)?), moment(6)?)
    else {
        return Ok(None);
    };
    let closing = match (record.text(10)?, moment(12)?) {
        (Some(outcome), Some(at)) => match Outcome::parse(&outcome) {
            Some(outcome) => Some(Closing { outcome, detail: record.name(11)?, at }),
            None => return Ok(None),
        },
        _ => None,
    };
    let linkage = Linkage { pool_id: record.name(13)?, attribute: record.name(14)?, table: record.name(15)? };
    let entry = JournalEntry {
        run,
        step_no,
        plan: record.text(17)?.as_deref().and_then(|plan| Uuid::try_parse(plan).ok()),
        linkage,
        process: record.text(16)?.as_deref().and_then(|process| Uuid::try_parse(process).ok()),
        step,
        situation,
        actor: record.name(4)?,
        reason: record.text(5)?,
        at,
        username: record.text(7)?,
        sub: record.text(8)?.as_deref().and_then(Sub::parse),
        row: record.text(9)?,
    };
    Ok(Some(Recorded { entry, closing }))
}
