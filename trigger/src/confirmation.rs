//! One confirmation: the row first, then the attribute.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::timeout;
use userlink_db::{DbError, Newcomer, Tie};
use userlink_domain::{EmailKey, Row, RowId, Situation};
use userlink_pool::PoolError;

use crate::attribute::{Asked, Written, write};
use crate::budget::{Budget, left, tried};
use crate::database::DatabaseError;
use crate::event::View;
use crate::function::Function;
use crate::queue::Message;
use crate::report::{Queued, Report};
use crate::settings::OnEmailTaken;

/// What one transaction may take, a connection that has to be made included.
const ATTEMPT: Duration = Duration::from_millis(1500);

/// Another row has the e-mail: the one outcome that is no situation.
const EMAIL_TAKEN: &str = "email_taken";

/// What is known of the row that carries the user's sub now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Came {
    /// It was there: the event may be an old copy, from before a repair.
    Found,
    /// It was adopted, and the user read for that.
    Adopted,
    Inserted,
}

impl Function {
    /// Makes the tie for the user of an event, and for whom it was not made sees to the queue.
    pub(crate) async fn confirm(&self, event: &Value, budget: Budget, insert: bool, report: &mut Report) {
        let view = match View::of(event) {
            Ok(view) => view,
            Err(missing) => return report.not_linked(Situation::Unsettled.name(), missing),
        };
        self.link(&view, insert, budget, report).await;
        self.queue_up(&view, insert, budget, report).await;
    }

    /// A link that was not made goes to the retry queue.
    pub(crate) async fn queue_up(&self, view: &View<'_>, insert: bool, budget: Budget, report: &mut Report) {
        let (Some(queue), Some(reason), false) = (&self.queue, report.outcome, report.is_linked()) else { return };
        // Who reset a password and never had a row is not owed one.
        if !insert && reason == Situation::NoRow.name() {
            return;
        }
        let (pool, username) = (view.pool_id.to_owned(), view.username.clone());
        let message = Message { pool, username, sub: view.sub, insert };
        report.queued = Some(match queue.send(&message, reason, budget.queue_end).await {
            Ok(()) => Queued::Yes,
            Err(error) => Queued::No(error.to_string()),
        });
    }

    /// Makes the tie, and says in the report what became of it. Without `insert` only what is there is tied.
    pub(crate) async fn link(&self, view: &View<'_>, insert: bool, budget: Budget, report: &mut Report) {
        report.sub = Some(view.sub);
        let claimed = view.attribute(&self.settings.attribute);
        let mut newcomer = view.newcomer(&self.settings);
        // Whoever was just read, and has an id, has it from somebody: that is for a person to see.
        newcomer.insert = insert && !(view.is_fresh && claimed.is_some());
        let Some((row, came)) = self.row(view, &newcomer, budget, report).await else { return };

        if claimed == Some(row.id.to_string().as_str()) {
            report.outcome = Some(Situation::Linked.name());
            return;
        }
        let names_another = claimed.is_some_and(|value| RowId::parse(row.id.kind(), value).as_ref() != Some(&row.id));
        if view.is_fresh && names_another {
            let cause = "the attribute names another row than the one that carries the sub";
            return report.not_linked(Situation::Tangled.name(), cause);
        }
        report.claimed_another = names_another;
        let began = Instant::now();
        let asked =
            Asked { username: &view.username, id: &row.id, claimed, read_first: came == Came::Found && !view.is_fresh };
        let written = match timeout(left(budget.end), self.pool(view.pool_id)).await {
            Ok(Ok(pool)) => write(&pool, &asked, budget.end).await,
            Ok(Err(error)) => Written::Failed(error),
            Err(_) => Written::TooSlow,
        };
        report.pool = began.elapsed();
        match written {
            Written::Right => report.outcome = Some(Situation::Linked.name()),
            Written::Changed(value) => self.changed(&newcomer, &value, budget, report).await,
            Written::TooSlow => report.not_linked(Situation::RowSideOnly.name(), "the pool did not answer in time"),
            Written::Failed(error) => report.not_linked(Situation::RowSideOnly.name(), error.to_string()),
        }
    }

    /// The row that carries the user's sub now; none where the report says why.
    async fn row(
        &self,
        view: &View<'_>,
        newcomer: &Newcomer,
        budget: Budget,
        report: &mut Report,
    ) -> Option<(Row, Came)> {
        let began = Instant::now();
        let mut tie = self.tie(newcomer, budget).await;
        let mut not_alone = None;
        if let (Ok(Tie::Free(row)), true) = (&tie, self.settings.adopt_verified_email && newcomer.insert) {
            match self.may_adopt(view, budget).await {
                Ok(()) => tie = self.tie(&Newcomer { adopt: Some(row.id.clone()), ..newcomer.clone() }, budget).await,
                Err(why) => not_alone = Some(why),
            }
        }
        let stands_in_the_way = matches!(tie, Ok(Tie::EmailTaken | Tie::Free(_) | Tie::RowTaken | Tie::Ambiguous));
        if stands_in_the_way && self.settings.on_email_taken == OnEmailTaken::Insert && newcomer.insert {
            let without = Newcomer { email: None, known_by: None, adopt: None, ..newcomer.clone() };
            tie = self.tie(&without, budget).await;
        }
        report.database = began.elapsed();
        let proved = view.verified_email().is_some();
        let (row, how, came) = match tie {
            Ok(Tie::Found(row)) => (row, "found", Came::Found),
            Ok(Tie::Adopted(row)) => (row, "adopted", Came::Adopted),
            Ok(Tie::Inserted(row)) => (row, "inserted", Came::Inserted),
            Ok(other) => {
                let (outcome, cause) = match (other, not_alone) {
                    (Tie::Free(_), Some((situation, cause))) if proved => (situation.name(), cause),
                    (Tie::Free(_), None) if proved => (Situation::EmailMatch.name(), "a free row has the e-mail"),
                    (Tie::RowTaken, _) if proved => {
                        (Situation::RowTaken.name(), "the row with the e-mail is another user's")
                    }
                    (Tie::Ambiguous, _) if proved => (Situation::Ambiguous.name(), "more than one row has the e-mail"),
                    (Tie::Free(_) | Tie::RowTaken | Tie::Ambiguous | Tie::EmailTaken, _) => {
                        (EMAIL_TAKEN, "another row has the e-mail")
                    }
                    (Tie::DuplicateRows, _) => (Situation::DuplicateRows.name(), "two rows carry the sub"),
                    _ => match view.attribute(&self.settings.attribute) {
                        Some(value) if view.is_fresh => self.what_it_names(value).await,
                        _ => (Situation::NoRow.name(), "no row carries the sub"),
                    },
                };
                report.not_linked(outcome, cause);
                return None;
            }
            Err(error) => {
                // What could not be read is not taken for absent.
                report.not_linked(Situation::Unsettled.name(), error.to_string());
                return None;
            }
        };
        report.row = Some(how);
        Some((row, came))
    }

    /// Whether this user alone has proved the e-mail, has it now, and has no id by now: the event may be old, and who is in the
    /// pool besides the database cannot know.
    async fn may_adopt(&self, view: &View<'_>, budget: Budget) -> Result<(), (Situation, &'static str)> {
        let unsure = (Situation::EmailMatch, "a free row has the e-mail, and the pool did not say who else has");
        let Some(email) = view.email_to_adopt_by() else {
            return Err((Situation::EmailMatch, "a free row has the e-mail, and this user may not adopt it"));
        };
        let asking = async {
            let pool = self.pool(view.pool_id).await?;
            let user = pool.current(&view.username).await?;
            Ok::<_, PoolError>((user, pool.reader().by_email(email, usize::MAX).await?))
        };
        let Ok(Ok((user, same))) = timeout(left(budget.database_end), asking).await else { return Err(unsure) };
        let key = EmailKey::of(email);
        let now = user.user_id();
        if user.sub != view.sub || user.verified_email() != key || !user.is_expected() || user.is_federated() {
            return Err((Situation::EmailMatch, "a free row has the e-mail, and the user has changed meanwhile"));
        }
        if now.is_some() && now != view.attribute(&self.settings.attribute) {
            return Err((Situation::Tangled, "a free row has the e-mail, and the attribute was changed meanwhile"));
        }
        let mut others = same.iter().filter(|other| other.sub != view.sub && other.verified_email() == key).peekable();
        if others.peek().is_none() {
            Ok(())
        } else if others.any(|other| other.is_federated()) {
            Err((Situation::FederatedTwin, "another profile has proved the same e-mail"))
        } else {
            Err((Situation::Ambiguous, "another user has proved the same e-mail"))
        }
    }

    /// What an id names that is not the user's own row's.
    pub(crate) async fn what_it_names(&self, value: &str) -> (&'static str, &'static str) {
        let dangling = (Situation::DanglingUserId.name(), "the attribute names no row");
        let reading = async {
            let linking = self.linking().await?;
            let Some(id) = RowId::parse(linking.table().schema().id_kind, value) else { return Ok(None) };
            Ok::<_, DatabaseError>(linking.table().by_ids(&[id]).await?.pop())
        };
        match reading.await {
            Ok(None) => dangling,
            Ok(Some(row)) if row.sub().is_none() => {
                (Situation::UserSideOnly.name(), "the attribute names a row without a sub")
            }
            Ok(Some(_)) => (Situation::Tangled.name(), "the attribute names a row that carries another sub"),
            Err(_) => (Situation::Unsettled.name(), "the row that the attribute names could not be read"),
        }
    }

    async fn tie(&self, newcomer: &Newcomer, budget: Budget) -> Result<Tie, DatabaseError> {
        let mut fetched_again = false;
        let act = async |limit| {
            let tying = async { Ok(self.linking().await?.tie(newcomer, limit).await?) };
            let tied: Result<Tie, DatabaseError> = tying.await;
            match &tied {
                Err(DatabaseError::Db(DbError::SchemaChanged { .. })) => self.forget_table().await,
                Err(DatabaseError::Db(DbError::PasswordRefused { .. }))
                    if !fetched_again && self.database.forget_password().await =>
                {
                    fetched_again = true;
                    return Err(DatabaseError::Outdated);
                }
                _ => {}
            }
            tied
        };
        let too_slow = || DbError::Timeout.into();
        tried(budget.database_end, ATTEMPT, act, DatabaseError::is_transient, too_slow).await
    }

    /// The attribute was changed since the event was made. Where the row was, too, that is a person's repair, and right.
    async fn changed(&self, newcomer: &Newcomer, value: &str, budget: Budget, report: &mut Report) {
        let again = Newcomer { insert: false, adopt: None, ..newcomer.clone() };
        let until = Budget { database_end: budget.end, ..budget };
        match self.tie(&again, until).await {
            Ok(Tie::Found(row)) if RowId::parse(row.id.kind(), value).as_ref() == Some(&row.id) => {
                report.outcome = Some(Situation::Linked.name());
            }
            _ => report.not_linked(
                Situation::Tangled.name(),
                "the attribute was changed after the confirmation, and names another row than the user's own",
            ),
        }
    }
}
