//! One confirmation: the row first, then the attribute.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::timeout;
use userlink_db::{DbError, Newcomer, Tie};
use userlink_domain::{Row, RowId, Situation};

use crate::attribute::{Asked, Written, write};
use crate::budget::{Budget, left, tried};
use crate::event::View;
use crate::function::Function;
use crate::report::Report;
use crate::settings::OnEmailTaken;

/// What one transaction may take, a connection that has to be made included.
const ATTEMPT: Duration = Duration::from_millis(1500);

/// Another row has the e-mail: the one outcome that is no situation.
const EMAIL_TAKEN: &str = "email_taken";

impl Function {
    /// Makes the tie, and says in the report what became of it. Without `insert` only what is there is tied.
    pub(crate) async fn confirm(&self, event: &Value, budget: Budget, insert: bool, report: &mut Report) {
        let view = match View::of(event) {
            Ok(view) => view,
            Err(missing) => return report.not_linked(Situation::Unsettled.name(), missing),
        };
        report.sub = Some(view.sub);
        let mut newcomer = view.newcomer(&self.settings);
        if !insert {
            newcomer = Newcomer { insert: false, adopt: None, ..newcomer };
        }
        let Some((row, was_there)) = self.row(&newcomer, budget, report).await else { return };

        let claimed = view.attribute(&self.settings.attribute);
        if claimed == Some(row.id.to_string().as_str()) {
            report.outcome = Some(Situation::Linked.name());
            return;
        }
        report.claimed_another =
            claimed.is_some_and(|value| RowId::parse(row.id.kind(), value).as_ref() != Some(&row.id));
        let began = Instant::now();
        let asked = Asked { username: &view.username, id: &row.id, claimed, read_first: was_there };
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

    /// The row that carries the user's sub now, and whether it was there before; none where the report says why.
    async fn row(&self, newcomer: &Newcomer, budget: Budget, report: &mut Report) -> Option<(Row, bool)> {
        let began = Instant::now();
        let mut tie = self.tie(newcomer, budget).await;
        let stands_in_the_way = matches!(tie, Ok(Tie::EmailTaken | Tie::RowTaken | Tie::Ambiguous));
        if stands_in_the_way && self.settings.on_email_taken == OnEmailTaken::Insert {
            tie = self.tie(&Newcomer { email: None, adopt: None, ..newcomer.clone() }, budget).await;
        }
        report.database = began.elapsed();
        let (row, how, was_there) = match tie {
            Ok(Tie::Found(row)) => (row, "found", true),
            Ok(Tie::Adopted(row)) => (row, "adopted", true),
            Ok(Tie::Inserted(row)) => (row, "inserted", false),
            Ok(other) => {
                let (outcome, cause) = match other {
                    Tie::EmailTaken => (EMAIL_TAKEN, "another row has the e-mail"),
                    Tie::RowTaken => (Situation::RowTaken.name(), "the row with the e-mail is another user's"),
                    Tie::Ambiguous => (Situation::Ambiguous.name(), "more than one free row has the e-mail"),
                    Tie::DuplicateRows => (Situation::DuplicateRows.name(), "two rows carry the sub"),
                    _ => (Situation::NoRow.name(), "no row carries the sub"),
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
        Some((row, was_there))
    }

    async fn tie(&self, newcomer: &Newcomer, budget: Budget) -> Result<Tie, DbError> {
        let act = async |limit| {
            let tied = self.linking().await?.tie(newcomer, limit).await;
            if matches!(tied, Err(DbError::SchemaChanged { .. })) {
                self.forget_table().await;
            }
            tied
        };
        tried(budget.database_end, ATTEMPT, act, DbError::is_transient, || DbError::Timeout).await
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
