//! Reading both sides at the same time, in batches, and settling what does not look right.
//!
//! It tells what it reads and judges nothing. It never writes.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc, oneshot};
use userlink_db::{DbError, UsersTable};
use userlink_domain::{RecordRef, RowId, Timestamp};
use userlink_link::{Change, Entry};
use userlink_pool::{
    Attribute, Description, Listed, Listing, PoolError, PoolReader, Position, Remedy, Shard, Writable,
};

use crate::clock;
use crate::snapshot::{Place, Progress, Unfinished, Writer};

mod settle;

/// Rows in one page.
const ROWS: u32 = 1_000;
/// How often a scan that waits for credentials looks for them by itself.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// How often it is noted how far the pool has been read: with it go the tokens of sixteen pages.
const NOTE: Duration = Duration::from_millis(500);
/// How often a page of rows is tried again.
const TRIES: u32 = 3;

/// Where to read.
#[derive(Clone, Debug)]
pub(crate) struct Sources {
    pub(crate) pool: PoolReader,
    pub(crate) table: UsersTable,
    /// Where rows are read in pages, if that is another place. What does not look right is read again from `table`.
    pub(crate) replica: Option<UsersTable>,
    /// The account that the pool has to be in.
    pub(crate) account: Option<String>,
    /// Told when a scan that waits for credentials should look for them.
    pub(crate) go_on: Arc<Notify>,
}

/// A side of the linkage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Pool,
    Table,
}

/// What the scan tells.
#[derive(Debug)]
pub(crate) enum News {
    /// About how many users there are.
    UsersAbout(u64),
    /// What the pool says of itself.
    Pool {
        /// Whether people can sign up by themselves.
        self_sign_up: bool,
        /// Whether a function is called after a confirmation.
        post_confirmation: bool,
    },
    /// Whether users can write the attribute themselves.
    Writable(Writable),
    /// What is read from here on is kept there.
    Keep(Box<Writer>),
    /// What was read.
    Batch(Vec<Change>),
    /// A part of the pool is read from its start again: who was read before and does not come again is gone.
    Anew(Shard),
    /// How far the pool has been read by what was told until now.
    PoolAt(Position),
    /// The last row that has been read.
    TableAt(RowId),
    /// A side has been read to its end.
    End(Side),
    /// The credentials have run out. The scan waits for others, and goes on where it is.
    Paused(String),
    /// There are credentials again.
    GoesOn,
    /// Something could not be read; what was read stays.
    Failed { text: String, settings: bool },
    /// Both sides have been read: which entries should be looked at once more? One record of each.
    WhatIsWrong(oneshot::Sender<Vec<RecordRef>>),
    /// The entries that these records are in by now, as far as they still look wrong.
    Entries(Vec<RecordRef>, oneshot::Sender<Vec<Entry>>),
    /// There is nothing more to come.
    Done,
}

/// From where a scan is to go on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Begin {
    /// When it began, if it has begun before.
    pub(crate) began: Option<Timestamp>,
    pub(crate) progress: Progress,
}

impl Begin {
    /// Tells what a scan read that was interrupted, and gives from where it is to go on.
    ///
    /// # Errors
    /// Where what it read cannot be read back.
    pub(crate) fn told(unfinished: Unfinished, mut to: impl FnMut(News)) -> io::Result<Self> {
        let (began, progress) = (Some(unfinished.began), unfinished.progress.clone());
        let writer = unfinished.replay(|told| to(told.into()))?;
        if matches!(progress.pool, Place::End) {
            to(News::End(Side::Pool));
        }
        if matches!(progress.table, Place::End) {
            to(News::End(Side::Table));
        }
        to(News::Keep(writer));
        Ok(Self { began, progress })
    }
}

/// Reads everything and tells `to`. Ends early where nobody listens any more.
pub(crate) async fn scan(sources: Sources, from: Begin, to: mpsc::Sender<News>) {
    // Without listeners there is nothing to read for.
    drop(read(&sources, from, &to).await);
    drop(to.send(News::Done).await);
}

async fn read(sources: &Sources, from: Begin, to: &mpsc::Sender<News>) -> Result<bool, Unheard> {
    let began = from.began.unwrap_or_else(clock::now);
    let Progress { pool, table: rows, as_kept } = from.progress;
    let Some(about) = look_at_pool(sources, to).await? else { return Ok(false) };
    let table = sources.replica.as_ref().unwrap_or(&sources.table);
    let ended =
        tokio::join!(read_pool(sources, about, pool, to), read_table(table, rows, to), read_clients(&sources.pool, to));
    Ok(ended.0? && ended.1? && ended.2.map(|()| true)? && settle::settle(sources, began, &as_kept, to).await?)
}

/// The one who listened is gone.
struct Unheard;

impl<T> From<mpsc::error::SendError<T>> for Unheard {
    fn from(_: mpsc::error::SendError<T>) -> Self {
        Self
    }
}

async fn failed(to: &mpsc::Sender<News>, text: String, settings: bool) -> Result<bool, Unheard> {
    to.send(News::Failed { text, settings }).await?;
    Ok(false)
}

/// Whether this is the pool that is meant, before anything of it is read. Gives about how many users it has, nought where
/// it does not say.
async fn look_at_pool(sources: &Sources, to: &mpsc::Sender<News>) -> Result<Option<u64>, Unheard> {
    let attribute = sources.pool.attribute();
    let mut answer = sources.pool.describe().await;
    let unknown = |error: &PoolError| matches!(error.remedy(), Remedy::CredentialsExpired | Remedy::NoCredentials);
    if answer.as_ref().is_err_and(unknown) && sources.pool.sign_in_again().await.is_ok() {
        // Somebody has signed in since the program started.
        answer = sources.pool.describe().await;
    }
    let described = match answer {
        Ok(described) => described,
        // A role may list without being allowed to describe; then there is no total to show.
        Err(error) if error.remedy() == Remedy::NotPermitted && sources.account.is_none() => {
            tracing::warn!("the pool cannot be described: that its schema has the attribute was not checked");
            return Ok(Some(0));
        }
        Err(error) => {
            failed(to, error.to_string(), error.is_settings()).await?;
            return Ok(None);
        }
    };
    let wrong = if sources.account.is_some() && sources.account != described.account {
        Some(wrong_account(described.account.as_deref()))
    } else if described.attribute == Attribute::Missing {
        // Every user would read as one without the attribute, and every pair as one to be repaired.
        Some(format!(
            "The pool {} has no attribute {attribute}. Set `attribute` to the one that names the row, or add it to the \
             pool's schema as mutable.",
            described.name
        ))
    } else {
        None
    };
    if let Some(text) = wrong {
        failed(to, text, true).await?;
        return Ok(None);
    }
    to.send(News::UsersAbout(described.estimated_users)).await?;
    let Description { self_sign_up, post_confirmation, .. } = described;
    to.send(News::Pool { self_sign_up, post_confirmation }).await?;
    Ok(Some(described.estimated_users))
}

/// What is said of a pool that is not in the account that the context is pinned to.
pub(crate) fn wrong_account(found: Option<&str>) -> String {
    let found = found.unwrap_or("one that it does not name");
    format!("The pool is in account {found}, and the context is pinned to another. Check aws_profile and account.")
}

/// True where the pool was read to its end.
async fn read_pool(
    sources: &Sources,
    about: u64,
    from: Place<(Position, Duration)>,
    to: &mpsc::Sender<News>,
) -> Result<bool, Unheard> {
    let pool = sources.pool.clone();
    let mut listing = match from {
        Place::Start => Listing::new(pool, about),
        Place::At((position, ago)) => Listing::going_on(pool, about, position, ago),
        Place::End => return Ok(true),
    };
    let mut noted = Instant::now();
    let mut answered = false;
    loop {
        match listing.next().await {
            Ok(Listed::Users(users)) => {
                answered = true;
                to.send(News::Batch(users.into_iter().map(Change::User).collect())).await?;
                if noted.elapsed() >= NOTE
                    && let Some(position) = listing.position()
                {
                    noted = Instant::now();
                    to.send(News::PoolAt(position)).await?;
                }
            }
            Ok(Listed::Anew(shard)) => to.send(News::Anew(shard)).await?,
            Ok(Listed::End) => {
                to.send(News::End(Side::Pool)).await?;
                return Ok(true);
            }
            // Who had none from the beginning has to see to that first. Later the source of them has run dry.
            Err(error) if error.remedy() == Remedy::CredentialsExpired || (answered && error.is_credentials()) => {
                pause(sources, &error, to).await?;
            }
            Err(error) => return failed(to, error.to_string(), error.is_settings()).await,
        }
    }
}

/// Says that it waits for credentials, waits, and says that it goes on.
async fn pause(sources: &Sources, error: &PoolError, to: &mpsc::Sender<News>) -> Result<(), Unheard> {
    to.send(News::Paused(error.to_string())).await?;
    signed_in_again(sources, to).await?;
    Ok(to.send(News::GoesOn).await?)
}

/// Waits until there are credentials that the pool takes.
async fn signed_in_again(sources: &Sources, to: &mpsc::Sender<News>) -> Result<(), Unheard> {
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            () = sources.go_on.notified() => {}
            () = to.closed() => return Err(Unheard),
        }
        // A question that costs the listing's quota nothing.
        if sources.pool.sign_in_again().await.is_ok() {
            match sources.pool.describe().await {
                Ok(_) => return Ok(()),
                // Who is told that he may not is known.
                Err(error) if error.remedy() == Remedy::NotPermitted => return Ok(()),
                Err(_) => {}
            }
        }
    }
}

/// Without an answer the verdicts stand, and it is said that nobody knows.
async fn read_clients(pool: &PoolReader, to: &mpsc::Sender<News>) -> Result<(), Unheard> {
    let writable = pool.writable().await.unwrap_or_else(|error| {
        tracing::warn!(remedy = ?error.remedy(), "the app clients could not be looked at");
        Writable::Unknown(error.remedy())
    });
    Ok(to.send(News::Writable(writable)).await?)
}

/// True where the table was read to its end.
async fn read_table(table: &UsersTable, from: Place<RowId>, to: &mpsc::Sender<News>) -> Result<bool, Unheard> {
    let mut after = match from {
        Place::Start => None,
        Place::At(row) => Some(row),
        Place::End => return Ok(true),
    };
    loop {
        let rows = match patiently(|| table.page(after.as_ref(), ROWS)).await {
            Ok(rows) => rows,
            Err(error) => return failed(to, error.to_string(), error.is_settings()).await,
        };
        let last = rows.last().map(|row| row.id.clone());
        if !rows.is_empty() {
            to.send(News::Batch(rows.into_iter().map(Change::Row).collect())).await?;
        }
        let Some(last) = last else {
            to.send(News::End(Side::Table)).await?;
            return Ok(true);
        };
        to.send(News::TableAt(last.clone())).await?;
        after = Some(last);
    }
}

/// Reads from the database, and again where what failed may pass.
async fn patiently<T, F: Future<Output = Result<T, DbError>>>(mut read: impl FnMut() -> F) -> Result<T, DbError> {
    let mut failed = 0;
    loop {
        match read().await {
            Err(error) if error.is_transient() && failed < TRIES => {
                failed += 1;
                tracing::warn!(failed, "rows are read again");
                tokio::time::sleep(Duration::from_millis(500) * 2u32.pow(failed)).await;
            }
            other => return other,
        }
    }
}
