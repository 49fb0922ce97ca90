//! Looking one user or row up, without a scan: asked directly of pool and table, by whatever a ticket says.
//!
//! What is found is provisional: who else carries the same `user_id` cannot be asked of a pool. The command `show` and the
//! dashboard share it.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use userlink_db::{History, Journal, Recorded};
use userlink_domain::{EmailKey, PoolUser, RecordRef, Row, RowId, Sub, Username};
use userlink_link::Linker;
use userlink_pool::{AppClients, PoolReader};
use userlink_repair::{Mate, candidates, in_words, recommended};
use userlink_ui::{Done, Lives, Pairing, Refers};

use crate::start::{Failure, Opened};

/// Users with one e-mail that are looked at.
const SHARING: usize = 60;
/// Pairs that are weighed at most.
const PAIRS: usize = 20;
/// Rows whose references are counted.
const ROWS: usize = 5;
/// Steps of the journal.
const STEPS: u32 = 20;

/// What was found.
pub(crate) struct Looked {
    /// The record that is called so.
    pub(crate) of: RecordRef,
    /// All that was read.
    pub(crate) linker: Linker,
    /// And what was not, in words.
    pub(crate) not_looked_at: String,
}

#[derive(Default)]
struct Found {
    first: Option<RecordRef>,
    users: BTreeMap<Sub, PoolUser>,
    rows: BTreeMap<RowId, Row>,
}

impl Found {
    fn take_users(&mut self, users: impl IntoIterator<Item = PoolUser>) {
        for user in users {
            self.first.get_or_insert(RecordRef::User(user.sub));
            self.users.insert(user.sub, user);
        }
    }

    fn take_rows(&mut self, rows: Vec<Row>) {
        for row in rows {
            self.first.get_or_insert_with(|| RecordRef::Row(row.id.clone()));
            self.rows.insert(row.id.clone(), row);
        }
    }

    /// What was not looked at, in words, where this e-mail was asked for, or none was.
    fn not_looked_at(&self, asked: Option<&EmailKey>, is_cut: bool) -> String {
        let of_users = self.users.values().filter_map(|user| user.email.as_deref().and_then(EmailKey::of));
        let mut emails = of_users.chain(self.rows.values().filter_map(Row::email_key));
        let sharers = match asked {
            _ if is_cut => format!(", or shares the e-mail beyond the first {SHARING}"),
            None if emails.next().is_some() => ", or shares the e-mail".to_owned(),
            Some(asked) if emails.any(|email| email != *asked) => ", or shares another e-mail of theirs".to_owned(),
            _ => String::new(),
        };
        format!("who else carries this user id{sharers}. A scan tells.")
    }
}

/// What is called so, and what hangs on it by pointers and e-mails, as far as it can be asked for. None where nobody is.
///
/// # Errors
/// Where pool or table cannot be asked.
pub(crate) async fn look(opened: &Opened, who: &str) -> Result<Option<Looked>, Failure> {
    let (pool, table, kind) = (opened.sources.pool.ahead(), &opened.sources.table, opened.rules.id_kind);
    let mut found = Found::default();
    let (sub, id) = (Sub::parse(who), RowId::parse(kind, who));
    let email = who.contains('@').then(|| EmailKey::of(who)).flatten();
    // A person waits: what does not depend on each other is asked at the same time.
    let (by_sub, by_name, by_email, rows_of_sub, rows_of_id, rows_of_email) = tokio::join!(
        async {
            match sub {
                Some(sub) => pool.by_sub(sub).await.map_err(Failure::from),
                None => Ok(None),
            }
        },
        async { pool.by_username(&Username::new(who)).await.map_err(Failure::from) },
        async {
            match email {
                Some(_) => pool.by_email(who, SHARING).await.map_err(Failure::from),
                None => Ok(Vec::new()),
            }
        },
        async { table.by_subs(&sub.into_iter().collect::<Vec<_>>()).await.map_err(Failure::from) },
        async { table.by_ids(&id.into_iter().collect::<Vec<_>>()).await.map_err(Failure::from) },
        async {
            match &email {
                Some(key) => table.by_email(key).await.map_err(Failure::from),
                None => Ok(Vec::new()),
            }
        },
    );
    found.take_users(by_sub?);
    found.take_rows(rows_of_id?);
    found.take_users(by_name?);
    let by_email = by_email?;
    let is_cut = by_email.len() >= SHARING;
    found.take_users(by_email);
    found.take_rows(rows_of_sub?);
    found.take_rows(rows_of_email?);
    // What the records name, twice: a row's user may name another row.
    for _ in 0..2 {
        let subs: Vec<Sub> =
            found.rows.values().filter_map(Row::sub).filter(|sub| !found.users.contains_key(sub)).collect();
        let named = found.users.values().filter_map(|user| RowId::parse(kind, user.user_id()?));
        let ids: Vec<RowId> = named.filter(|id| !found.rows.contains_key(id)).collect();
        let of_users: Vec<Sub> = found.users.keys().copied().collect();
        let (users, by_ids, by_subs) = tokio::join!(users(&pool, &subs), table.by_ids(&ids), table.by_subs(&of_users));
        found.take_users(users?);
        found.take_rows(by_ids?);
        found.take_rows(by_subs?);
    }
    let not_looked_at = found.not_looked_at(email.as_ref(), is_cut);
    let Some(of) = found.first else { return Ok(None) };
    let (users, rows) = (found.users.into_values().collect(), found.rows.into_values().collect());
    Ok(Some(Looked { of, linker: Linker::bulk(users, rows, opened.rules.clone()), not_looked_at }))
}

async fn users(pool: &PoolReader, subs: &[Sub]) -> Result<Vec<PoolUser>, Failure> {
    // All of them at once, as far as the budget lets them: one after the other, a few would take more than a second.
    let found = try_join_all(subs.iter().take(SHARING).map(|sub| pool.by_sub(*sub))).await?;
    Ok(found.into_iter().flatten().collect())
}

/// The pairs that could be made for an entry, best first.
pub(crate) fn pairs(linker: &Linker, of: &RecordRef) -> Vec<Pairing> {
    let best = recommended(linker, of);
    let pair = |candidate: userlink_repair::Candidate| {
        let mate = match &candidate.pair.mate {
            Mate::Row(id) => format!("row {id}"),
            Mate::New => "a new row".to_owned(),
            Mate::None => "no row".to_owned(),
        };
        let recommended = best.as_ref().filter(|best| best.pairs.contains(&candidate.pair));
        let recommended = recommended.map(|best| best.reason.clone());
        let (why, why_not) = (candidate.why, candidate.why_not);
        Pairing { user: candidate.username, mate, recommended, why, why_not }
    };
    candidates(linker, of).into_iter().take(PAIRS).map(pair).collect()
}

/// What refers to rows, each by itself: that one cannot be counted is an answer.
pub(crate) async fn refers(opened: &Opened, rows: &[Row]) -> Vec<Refers> {
    let mut found = Vec::new();
    for row in rows.iter().take(ROWS) {
        let tables = opened.sources.table.references(&row.id).await;
        let tables = tables.map(|tables| tables.iter().map(ToString::to_string).collect());
        found.push(Refers { row: format!("row {}", row.id), tables: tables.map_err(|error| error.to_string()) });
    }
    found
}

/// How long the tokens of each app client are good.
pub(crate) async fn tokens(opened: &Opened) -> Result<Vec<Lives>, String> {
    match opened.app_clients().await {
        Ok(AppClients::Known(clients)) => Ok(clients
            .iter()
            .map(|client| Lives {
                client: client.name.clone(),
                id_token: client.id_token.as_secs(),
                refresh_token: client.refresh_token.as_secs(),
            })
            .collect()),
        Ok(AppClients::Unknown(_)) => Err("This role may not look at the app clients.".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// What the journal has of the records of an entry, the newest first.
pub(crate) async fn history(journal: &Journal, users: &[PoolUser], rows: &[Row]) -> Result<Vec<Done>, String> {
    let of_users = users.iter().take(ROWS).map(|user| History::Sub(user.sub));
    let of_rows = rows.iter().take(ROWS).map(|row| History::Row(row.id.to_string()));
    let mut steps: Vec<Recorded> = Vec::new();
    for of in of_users.chain(of_rows) {
        steps.extend(journal.history(&of, STEPS).await.map_err(|error| error.to_string())?);
    }
    steps.sort_by_key(|step| (std::cmp::Reverse(step.entry.at), step.entry.run, step.entry.step_no));
    steps.dedup_by_key(|step| (step.entry.run, step.entry.step_no));
    steps.truncate(STEPS as usize);
    let done = |Recorded { entry, closing }: Recorded| {
        let (what, before, after) = in_words(&entry.step);
        let shown = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        Done {
            at: entry.at,
            actor: entry.actor,
            what: format!("{what}: {} → {}", shown(before), shown(after)),
            outcome: closing.map_or("open", |closing| closing.outcome.name()).to_owned(),
            reason: entry.reason,
        }
    };
    Ok(steps.into_iter().map(done).collect())
}
