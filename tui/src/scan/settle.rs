//! Settling: what changed while it was read, and what does not look right, is read once more.

use std::collections::{HashMap, HashSet};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::{mpsc, oneshot};
use userlink_db::{DbError, UsersTable};
use userlink_domain::{PoolUser, RecordRef, Row, RowId, Sub, Timestamp};
use userlink_link::{Change, Entry};
use userlink_pool::{PoolError, PoolReader};

use super::{News, Sources, Unheard, failed, patiently, pause};
use crate::snapshot::AsKept;

/// Rows that are read again in one statement.
const AGAIN: usize = 500;
/// Entries that are looked at together.
const SUSPECTS: usize = 500;
/// How many users may be read again singly where the listing took less. Each costs the pool a request.
const SINGLY: u64 = 60;
/// How many of them are asked for at once, as far as the request budget allows.
const AT_ONCE: usize = 16;
/// Who was made or changed less than this long before the scan may still be in the making; and by no more than this may
/// the clocks of the database and of this machine differ.
const FRESH_MILLIS: i64 = 60_000;

/// Reads again the rows that changed while the scan read, then what does not look right: rows in lists, which costs the
/// pool nothing, then single users where a row differed or who may have been in the making. What could not be read again
/// is no verdict, and the scan says so.
pub(super) async fn settle(
    sources: &Sources,
    began: Timestamp,
    as_kept: &AsKept,
    to: &mpsc::Sender<News>,
) -> Result<bool, Unheard> {
    if let Err(error) = catch_up(&sources.table, began, to).await? {
        return failed(to, error.to_string(), error.is_settings()).await;
    }
    let (ask, answer) = oneshot::channel();
    to.send(News::WhatIsWrong(ask)).await?;
    let wrong = answer.await.map_err(|_| Unheard)?;
    // No more than the listing itself, so that a scan takes twice as long at the most.
    let mut left = sources.pool.meter().listed.max(SINGLY);
    for wrong in wrong.chunks(SUSPECTS) {
        let suspects = entries(to, wrong).await?;
        let (changes, differed) = match rows_again(&sources.table, &suspects, as_kept).await {
            Ok(again) => again,
            Err(error) => return failed(to, error.to_string(), error.is_settings()).await,
        };
        if !changes.is_empty() {
            to.send(News::Batch(changes)).await?;
        }
        let still = entries(to, wrong).await?;
        let (changes, may_ask) = loop {
            match users_again(&sources.pool, &still, &differed, began, as_kept, left).await {
                Ok(again) => break again,
                Err(error) => pause(sources, &error, to).await?,
            }
        };
        left = may_ask;
        if !changes.is_empty() {
            to.send(News::Batch(changes)).await?;
        }
    }
    Ok(true)
}

/// The rows that were made, changed or put aside since the scan began, as they are now, where the table says when that was.
async fn catch_up(
    table: &UsersTable,
    began: Timestamp,
    to: &mpsc::Sender<News>,
) -> Result<Result<(), DbError>, Unheard> {
    if !table.knows_changes() {
        return Ok(Ok(()));
    }
    let since = Timestamp::from_millis(began.as_millis().saturating_sub(FRESH_MILLIS));
    let mut after = None;
    loop {
        let changed = match patiently(|| table.changed_since(since, after.as_ref())).await {
            Ok(changed) => changed,
            Err(error) => return Ok(Err(error)),
        };
        for ids in changed.ids.chunks(AGAIN) {
            let rows = match patiently(|| table.by_ids(ids)).await {
                Ok(rows) => rows,
                Err(error) => return Ok(Err(error)),
            };
            let there: HashSet<RowId> = rows.iter().map(|row| row.id.clone()).collect();
            let gone = ids.iter().filter(|id| !there.contains(*id)).cloned().map(Change::RowGone);
            let gone: Vec<Change> = gone.collect();
            to.send(News::Batch(rows.into_iter().map(Change::Row).chain(gone).collect())).await?;
        }
        after = changed.after;
        if after.is_none() {
            return Ok(Ok(()));
        }
    }
}

async fn entries(to: &mpsc::Sender<News>, of: &[RecordRef]) -> Result<Vec<Entry>, Unheard> {
    let (ask, answer) = oneshot::channel();
    to.send(News::Entries(of.to_vec(), ask)).await?;
    answer.await.map_err(|_| Unheard)
}

/// The rows of these entries as they are now, by id and by sub, and those that their users name: what differs, and the
/// records whose entries it touched.
async fn rows_again(
    table: &UsersTable,
    suspects: &[Entry],
    as_kept: &AsKept,
) -> Result<(Vec<Change>, HashSet<RecordRef>), DbError> {
    let kind = table.schema().id_kind;
    let users = || suspects.iter().flat_map(|entry| &entry.users);
    let held: HashMap<&RowId, &Row> = suspects.iter().flat_map(|entry| &entry.rows).map(|row| (&row.id, row)).collect();
    let named = users().filter_map(|user| RowId::parse(kind, user.user_id()?));
    let ids: HashSet<RowId> = held.keys().map(|id| (*id).clone()).chain(named).collect();
    let ids: Vec<RowId> = ids.into_iter().collect();
    let subs: Vec<Sub> = users().map(|user| user.sub).collect();

    let mut again: HashMap<RowId, Row> = HashMap::new();
    for ids in ids.chunks(AGAIN) {
        again.extend(patiently(|| table.by_ids(ids)).await?.into_iter().map(|row| (row.id.clone(), row)));
    }
    for subs in subs.chunks(AGAIN) {
        again.extend(patiently(|| table.by_subs(subs)).await?.into_iter().map(|row| (row.id.clone(), row)));
    }
    let gone = held.keys().filter(|id| !again.contains_key(**id)).map(|id| Change::RowGone((*id).clone()));
    let gone: Vec<Change> = gone.collect();
    let is_as_held = |row: &Row| held.get(&row.id).is_some_and(|held| as_kept.row(held) == as_kept.row(row));
    let differs = again.into_values().filter(|row| !is_as_held(row)).map(Change::Row);
    let changes: Vec<Change> = differs.chain(gone).collect();

    let touched: HashSet<&RowId> = changes
        .iter()
        .filter_map(|change| match change {
            Change::Row(row) => Some(&row.id),
            Change::RowGone(id) => Some(id),
            _ => None,
        })
        .collect();
    let mut differed: HashSet<RecordRef> = touched.iter().map(|id| RecordRef::Row((*id).clone())).collect();
    let was_there = |entry: &&Entry| entry.rows.iter().any(|row| touched.contains(&row.id));
    differed
        .extend(suspects.iter().filter(was_there).flat_map(|entry| &entry.users).map(|user| RecordRef::User(user.sub)));
    Ok((changes, differed))
}

/// The users of what still looks wrong and was in the making, as they are now. `left` is how many more may be asked for, and is
/// given back: whoever cannot be asked for is unsettled. Without credentials nobody can, and nothing is said of anybody.
async fn users_again(
    pool: &PoolReader,
    still: &[Entry],
    differed: &HashSet<RecordRef>,
    began: Timestamp,
    as_kept: &AsKept,
    mut left: u64,
) -> Result<(Vec<Change>, u64), PoolError> {
    let is_fresh = |at: Option<Timestamp>| at.is_some_and(|at| began.since(at) < FRESH_MILLIS);
    let in_the_making = |entry: &&Entry| {
        entry.users.iter().any(|user| is_fresh(user.created) || is_fresh(user.modified))
            || entry.rows.iter().any(|row| is_fresh(row.created_at) || is_fresh(row.updated_at))
            || entry.users.iter().any(|user| differed.contains(&RecordRef::User(user.sub)))
            || entry.rows.iter().any(|row| differed.contains(&RecordRef::Row(row.id.clone())))
    };
    let asked = still.iter().filter(in_the_making).flat_map(|entry| {
        let held = entry.users.iter().map(|user| (user.sub, Some(user)));
        // A user who signed up behind the listing's back is not held at all.
        let absent = entry.rows.iter().filter_map(Row::sub);
        let absent = absent.filter(|sub| entry.users.iter().all(|user| user.sub != *sub)).map(|sub| (sub, None));
        held.chain(absent).map(move |(sub, user)| (entry, sub, user))
    });
    let asking = asked.map(|(entry, sub, held)| {
        let may_ask = left > 0;
        left = left.saturating_sub(1);
        user_again(pool.clone(), as_kept, may_ask, sub, held.cloned(), entry.lead())
    });
    let asking: Vec<_> = asking.collect();
    let answers: Vec<Vec<Change>> = stream::iter(asking).buffered(AT_ONCE).try_collect().await?;
    Ok((answers.into_iter().flatten().collect(), left))
}

/// What has become of a user, and that nothing can be said of its entry where that is another than it was or is not known.
async fn user_again(
    pool: PoolReader,
    as_kept: &AsKept,
    may_ask: bool,
    sub: Sub,
    held: Option<PoolUser>,
    entry: Option<RecordRef>,
) -> Result<Vec<Change>, PoolError> {
    let unsettled = entry.map(Change::Unsettled);
    if !may_ask {
        return Ok(unsettled.into_iter().collect());
    }
    Ok(match (pool.by_sub(sub).await, held) {
        (Ok(Some(again)), Some(held)) if as_kept.user(&again) == as_kept.user(&held) => Vec::new(),
        (Ok(Some(again)), _) => [Change::User(again)].into_iter().chain(unsettled).collect(),
        (Ok(None), None) => Vec::new(),
        (Err(error), _) if error.is_credentials() => return Err(error),
        (Ok(None), Some(_)) | (Err(_), _) => unsettled.into_iter().collect(),
    })
}
