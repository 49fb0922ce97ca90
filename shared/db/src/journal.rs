//! What was about to be done to whom, and how it ended.
//!
//! Events are only ever added. A step is opened before it is written and closed after it; since each can
//! happen once for a step of a run, opening it claims it: of two people who apply the same plan, one gets
//! each step and the other is told who has it. A step that is open and not closed was cut short, and
//! whoever finds it must look at both sides before anything is written again.
//! To run failed steps again is a new run.

use std::path::Path;

use sqlx::SqlStr;
use thiserror::Error;
use userlink_domain::{Situation, Step, Sub, Timestamp};
use uuid::Uuid;

use crate::statements::fixed;
use crate::transaction::{Record, Value};
use crate::{Db, DbError, DbOptions, MigrateOptions, migrate};

/// The journal, in the application's database or in a file of our own. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Journal {
    db: Db,
}

/// A step that is about to be made.
#[derive(Clone, PartialEq, Eq)]
pub struct JournalEntry {
    pub run: Uuid,
    pub step_no: i64,
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
    Done,
    Failed,
    /// What the step expected to find was no longer there: nothing was written.
    Stale,
    /// Cut short, and found later to have been done.
    FoundDone,
    /// Cut short, and found later not to have been done.
    NotDone,
}

impl Outcome {
    const ALL: [Self; 5] = [Self::Done, Self::Failed, Self::Stale, Self::FoundDone, Self::NotDone];

    /// The stable machine name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Stale => "stale",
            Self::FoundDone => "found_done",
            Self::NotDone => "not_done",
        }
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

/// Whose history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum History {
    All,
    Run(Uuid),
    Username(String),
    Sub(Sub),
    /// By the row's id, as it is written into `user_id`.
    Row(String),
}

/// Why an event was not added.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum JournalError {
    #[error("{actor} has claimed step {step_no} of this run already. Wait for it to end.")]
    Claimed { step_no: i64, actor: String, at: Timestamp },
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

const OPEN: &str = "
INSERT INTO userlink_journal (run, step_no, event, at_ms, step, situation, actor, reason, username, sub, row_id)
VALUES ($1, $2, 'opened', $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (run, step_no, event) DO NOTHING";

/// Only a step that is open can be closed.
const CLOSE: &str = "
INSERT INTO userlink_journal (run, step_no, event, at_ms, outcome, detail)
SELECT o.run, o.step_no, 'closed', $3, $4, $5 FROM userlink_journal o
WHERE o.run = $1 AND o.step_no = $2 AND o.event = 'opened'
ON CONFLICT (run, step_no, event) DO NOTHING";

/// The steps for which a condition holds.
macro_rules! steps {
    ($condition:literal, $rest:literal) => {
        fixed(concat!(
            "SELECT o.run, o.step_no, o.step, o.situation, o.actor, o.reason, o.at_ms, o.username, o.sub, o.row_id, ",
            "c.outcome, c.detail, c.at_ms FROM userlink_journal o LEFT JOIN userlink_journal c ",
            "ON c.run = o.run AND c.step_no = o.step_no AND c.event = 'closed' WHERE o.event = 'opened' AND ",
            $condition,
            $rest
        ))
    };
}

/// The newest first; $1 limit, $2 whose.
macro_rules! newest {
    ($condition:literal) => {
        steps!($condition, " ORDER BY o.at_ms DESC, o.run, o.step_no DESC LIMIT $1")
    };
}

impl Journal {
    /// The journal in this database, shared by all who use it.
    ///
    /// # Errors
    /// [`JournalError::Missing`] where it was never made.
    pub async fn open(db: &Db) -> Result<Self, JournalError> {
        match db.read(fixed("SELECT run FROM userlink_journal LIMIT 1"), Vec::new()).await {
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

    /// Claims a step, before it is made. After a broken connection ask [`Self::open_entries`] whether the
    /// claim arrived.
    ///
    /// # Errors
    /// [`JournalError::Claimed`] where it is claimed already, by whomever.
    pub async fn opened(&self, entry: &JournalEntry) -> Result<(), JournalError> {
        let step = serde_json::to_string(&entry.step).map_err(|_| JournalError::Unreadable)?;
        let values = vec![
            Value::Text(entry.run.to_string()),
            Value::Integer(entry.step_no),
            Value::Integer(entry.at.as_millis()),
            Value::Text(step),
            Value::Text(entry.situation.name().to_owned()),
            Value::Text(entry.actor.clone()),
            Value::MaybeText(entry.reason.clone()),
            Value::MaybeText(entry.username.clone()),
            Value::MaybeText(entry.sub.map(|sub| sub.to_string())),
            Value::MaybeText(entry.row.clone()),
        ];
        if self.add(fixed(OPEN), values).await? {
            return Ok(());
        }
        let step_no = entry.step_no;
        match self.step(entry.run, step_no).await? {
            Some(there) => Err(JournalError::Claimed { step_no, actor: there.entry.actor, at: there.entry.at }),
            None => Err(JournalError::Unreadable),
        }
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
        let values = vec![
            Value::Text(run.to_string()),
            Value::Integer(step_no),
            Value::Integer(at.as_millis()),
            Value::Text(outcome.name().to_owned()),
            Value::Text(detail.to_owned()),
        ];
        if self.add(fixed(CLOSE), values).await? {
            return Ok(());
        }
        match self.step(run, step_no).await?.map(|there| there.closing) {
            Some(Some(closing)) => Err(JournalError::Closed { step_no, outcome: closing.outcome }),
            _ => Err(JournalError::NotOpen { step_no }),
        }
    }

    /// The steps that were opened and not closed, oldest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn open_entries(&self) -> Result<Vec<JournalEntry>, JournalError> {
        let open = steps!("c.run IS NULL", " ORDER BY o.at_ms, o.run, o.step_no");
        Ok(self.recorded(open, Vec::new()).await?.into_iter().map(|step| step.entry).collect())
    }

    /// What was done, newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn history(&self, of: &History, limit: u32) -> Result<Vec<Recorded>, JournalError> {
        let (sql, whose) = match of {
            History::All => (newest!("1 = 1"), None),
            History::Run(run) => (newest!("o.run = $2"), Some(run.to_string())),
            History::Username(name) => (newest!("o.username = $2"), Some(name.clone())),
            History::Sub(sub) => (newest!("o.sub = $2"), Some(sub.to_string())),
            History::Row(id) => (newest!("o.row_id = $2"), Some(id.clone())),
        };
        let mut values = vec![Value::Integer(i64::from(limit))];
        values.extend(whose.map(Value::Text));
        self.recorded(sql, values).await
    }

    async fn step(&self, run: Uuid, step_no: i64) -> Result<Option<Recorded>, JournalError> {
        let values = vec![Value::Text(run.to_string()), Value::Integer(step_no)];
        Ok(self.recorded(steps!("o.run = $1 AND o.step_no = $2", ""), values).await?.pop())
    }

    /// Adds an event; `false` where it is there already.
    async fn add(&self, sql: SqlStr, values: Vec<Value>) -> Result<bool, DbError> {
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
    let entry = JournalEntry {
        run,
        step_no,
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
