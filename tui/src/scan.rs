//! Reading both sides at the same time, in batches, and settling what does not look right.
//!
//! It tells what it reads and judges nothing. It never writes.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use userlink_db::UsersTable;
use userlink_domain::{RecordRef, Row, RowId, Sub, Timestamp};
use userlink_link::{Change, Entry};
use userlink_pool::{Attribute, PoolReader, Remedy, Writable};

use crate::clock;

/// Rows in one page.
const ROWS: u32 = 1_000;
/// Rows that are read again in one statement.
const AGAIN: usize = 500;
/// How many users are read again singly. It costs the list quota one request each.
const SINGLY_AT_MOST: usize = 60;
/// A user who was made or changed less than this long before the scan may still be in the making.
const FRESH_MILLIS: i64 = 60_000;
/// How often a listing whose token grew too old begins anew, and how often a page of rows is tried again.
const TRIES: u32 = 3;

/// Where to read.
#[derive(Clone, Debug)]
pub(crate) struct Sources {
    pub(crate) pool: PoolReader,
    pub(crate) table: UsersTable,
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
    /// About how many users there are, and what the schema says of the attribute.
    Pool { users_about: u64, attribute: Attribute },
    /// Whether users can write the attribute themselves.
    Writable(Writable),
    /// What was read.
    Batch(Vec<Change>),
    /// A side has been read to its end.
    End(Side),
    /// A side could not be read to its end; what was read of it stays.
    Failed { text: String, settings: bool },
    /// Both sides have been read: which entries should be looked at once more?
    WhatIsWrong(oneshot::Sender<Vec<Entry>>),
    /// There is nothing more to come.
    Done,
}

/// Reads everything and tells `to`. Ends early where nobody listens any more.
pub(crate) async fn scan(sources: Sources, to: mpsc::Sender<News>) {
    let began = clock::now();
    let ended = tokio::join!(
        read_pool(&sources.pool, &to),
        read_table(&sources.table, &to),
        read_clients(&sources.pool, &to)
    );
    if let (Ok(true), Ok(true), Ok(())) = ended {
        // Without listeners there is nothing to settle.
        drop(settle(&sources, began, &to).await);
    }
    drop(to.send(News::Done).await);
}

/// The one who listened is gone.
struct Unheard;

impl<T> From<mpsc::error::SendError<T>> for Unheard {
    fn from(_: mpsc::error::SendError<T>) -> Self {
        Self
    }
}

/// True where the pool was read to its end.
async fn read_pool(pool: &PoolReader, to: &mpsc::Sender<News>) -> Result<bool, Unheard> {
    match pool.describe().await {
        Ok(described) => {
            to.send(News::Pool { users_about: described.estimated_users, attribute: described.attribute }).await?;
        }
        // A role may list without being allowed to describe; then there is no total to show.
        Err(error) if error.remedy() == Remedy::NotPermitted => tracing::info!("the pool cannot be described"),
        Err(error) => {
            to.send(News::Failed { text: error.to_string(), settings: error.is_settings() }).await?;
            return Ok(false);
        }
    }
    let (mut token, mut begun) = (None, 1);
    loop {
        match pool.page(token.as_ref()).await {
            Ok(page) => {
                if !page.users.is_empty() {
                    to.send(News::Batch(page.users.into_iter().map(Change::User).collect())).await?;
                }
                if page.next.is_none() {
                    to.send(News::End(Side::Pool)).await?;
                    return Ok(true);
                }
                token = page.next;
            }
            Err(error) if error.remedy() == Remedy::TokenExpired && token.is_some() && begun < TRIES => {
                tracing::warn!(begun, "the listing's token is no longer good; it begins anew");
                begun += 1;
                token = None;
            }
            Err(error) => {
                to.send(News::Failed { text: error.to_string(), settings: error.is_settings() }).await?;
                return Ok(false);
            }
        }
    }
}

/// Without an answer the verdicts stand, and it is said that nobody knows.
async fn read_clients(pool: &PoolReader, to: &mpsc::Sender<News>) -> Result<(), Unheard> {
    let writable = pool.writable().await.unwrap_or_else(|error| {
        tracing::warn!(remedy = ?error.remedy(), "the app clients could not be looked at");
        Writable::Unknown
    });
    Ok(to.send(News::Writable(writable)).await?)
}

/// True where the table was read to its end.
async fn read_table(table: &UsersTable, to: &mpsc::Sender<News>) -> Result<bool, Unheard> {
    let mut after: Option<RowId> = None;
    let mut failed = 0;
    loop {
        match table.page(after.as_ref(), ROWS).await {
            Ok(rows) => {
                failed = 0;
                let last = rows.last().map(|row| row.id.clone());
                if !rows.is_empty() {
                    to.send(News::Batch(rows.into_iter().map(Change::Row).collect())).await?;
                }
                if last.is_none() {
                    to.send(News::End(Side::Table)).await?;
                    return Ok(true);
                }
                after = last;
            }
            Err(error) if error.is_transient() && failed < TRIES => {
                failed += 1;
                tracing::warn!(failed, "a page of rows is read again");
                tokio::time::sleep(Duration::from_millis(500) * 2u32.pow(failed)).await;
            }
            Err(error) => {
                to.send(News::Failed { text: error.to_string(), settings: error.is_settings() }).await?;
                return Ok(false);
            }
        }
    }
}

/// Reads again what does not look right: rows in lists, which costs the pool nothing, then single users where a row
/// differed or who may have been in the making.
async fn settle(sources: &Sources, began: Timestamp, to: &mpsc::Sender<News>) -> Result<(), Unheard> {
    let suspects = what_is_wrong(to).await?;
    let rows: HashMap<&RowId, &Row> = suspects.iter().flat_map(|entry| &entry.rows).map(|row| (&row.id, row)).collect();
    let subs: Vec<Sub> = suspects.iter().flat_map(|entry| &entry.users).map(|user| user.sub).collect();
    let ids: Vec<RowId> = rows.keys().map(|id| (*id).clone()).collect();
    let mut changes = Vec::new();
    for ids in ids.chunks(AGAIN) {
        let Ok(again) = sources.table.by_ids(ids).await else { return Ok(()) };
        let there: HashSet<&RowId> = again.iter().map(|row| &row.id).collect();
        changes.extend(ids.iter().filter(|id| !there.contains(id)).cloned().map(Change::RowGone));
        changes.extend(again.iter().filter(|row| rows.get(&row.id) != Some(row)).cloned().map(Change::Row));
    }
    for subs in subs.chunks(AGAIN) {
        let Ok(again) = sources.table.by_subs(subs).await else { return Ok(()) };
        changes.extend(again.into_iter().filter(|row| rows.get(&row.id) != Some(&row)).map(Change::Row));
    }
    let differed: HashSet<RowId> = changes
        .iter()
        .filter_map(|change| match change {
            Change::Row(row) => Some(row.id.clone()),
            _ => None,
        })
        .collect();
    if !changes.is_empty() {
        to.send(News::Batch(changes)).await?;
    }

    let is_fresh = |at: Option<Timestamp>| at.is_some_and(|at| began.since(at) < FRESH_MILLIS);
    let in_the_making = |entry: &Entry| {
        entry.users.iter().any(|user| is_fresh(user.created) || is_fresh(user.modified))
            || entry.rows.iter().any(|row| differed.contains(&row.id))
    };
    let still = what_is_wrong(to).await?;
    let mut changes = Vec::new();
    for (count, user) in still.into_iter().filter(in_the_making).flat_map(|entry| entry.users).enumerate() {
        let unsettled = Change::Unsettled(RecordRef::User(user.sub));
        if count >= SINGLY_AT_MOST {
            changes.push(unsettled);
            continue;
        }
        match sources.pool.by_sub(user.sub).await {
            Ok(Some(again)) if again == user => {}
            Ok(Some(again)) => changes.extend([Change::User(again), unsettled]),
            Ok(None) | Err(_) => changes.push(unsettled),
        }
    }
    to.send(News::Batch(changes)).await?;
    Ok(())
}

async fn what_is_wrong(to: &mpsc::Sender<News>) -> Result<Vec<Entry>, Unheard> {
    let (ask, answer) = oneshot::channel();
    to.send(News::WhatIsWrong(ask)).await?;
    answer.await.map_err(|_| Unheard)
}
