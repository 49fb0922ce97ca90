//! A step on a row: locked, compared and written in one transaction, which closes the journal, too.

use std::time::Duration;

use userlink_db::{Closes, JournalEntry, JournalError, Outcome, RowWrite, RowWritten};
use userlink_domain::{EmailKey, Row, RowId, Step, Sub, Timestamp, Username};

use crate::apply::{Applied, Repairer, Verdict};
use crate::expects::Expects;
use crate::file::{Kind, facts_of_pointer, facts_of_row};
use crate::refusal::Refusal;
use crate::run::Of;
use crate::sides::RowSide;

/// How long a statement that writes a row may take, locks included.
const ROW_LIMIT: Duration = Duration::from_secs(10);

impl Repairer {
    /// Makes a step on a row, and closes the journal with it.
    pub(crate) async fn on_row(
        &self,
        of: &Of<'_>,
        entry: &JournalEntry,
        sub: Sub,
        user: Option<(Username, Expects)>,
        now: impl Fn() -> Timestamp + Send + Clone,
    ) -> Result<Applied, Refusal> {
        self.claim(entry, &now).await?;
        let closed = async |outcome, detail: &str| {
            let closed = self.journal.closed(entry.run, entry.step_no, outcome, detail, now()).await;
            // Closed meanwhile by somebody who found it open is closed, too.
            matches!(closed, Ok(()) | Err(JournalError::Closed { .. }))
        };
        let applied = |verdict, words: Vec<String>| Applied { run: entry.run, verdict, words, user: None, rows: None };
        let stale = |why: &str| applied(Verdict::Stale, vec![format!("Nothing was written: {why} Scan again.")]);
        let mut key = None;
        if let Some((username, expects)) = user {
            let user = match self.current(&username, sub).await {
                Ok(user) => user,
                Err(error) => {
                    closed(Outcome::Failed, "could not be read: nothing was written").await;
                    return Err(error.into());
                }
            };
            let pointer = of.entry.facts.get(&format!("user id of {sub}"));
            let checked = match &user {
                Some(user) if pointer.is_some_and(|was| facts_of_pointer(of.plan.id, user) != *was) => {
                    Err("the user id is no longer what it was.")
                }
                Some(user) => expects.check(user),
                None => Err("the user is gone."),
            };
            if let Err(why) = checked {
                closed(Outcome::Stale, why).await;
                return Ok(stale(why));
            }
            key = user.and_then(|user| EmailKey::of(user.email.as_deref()?));
        }
        let kind = self.table.schema().id_kind;
        let alone = of.plan.kind == Kind::Repair;
        let write = match &entry.step {
            Step::WriteSub { row, expect, value } => RowId::parse(kind, row).map(|row| RowWrite::Sub {
                row,
                expect: expect.clone(),
                value: Some(value.clone()),
                alone,
            }),
            Step::ClearSub { row, expect } => {
                RowId::parse(kind, row).map(|row| RowWrite::Sub { row, expect: expect.clone(), value: None, alone })
            }
            Step::InsertRow { email, .. } => {
                let known = of.entry.rows_with_email.iter().filter_map(|row| RowId::parse(kind, row)).collect();
                Some(RowWrite::Insert { sub, email: email.clone(), has_email: key, known })
            }
            _ => None,
        };
        let Some(write) = write else {
            closed(Outcome::Stale, "no id of this table").await;
            return Ok(stale("the row's id is none of this table."));
        };
        // The choice rested on the rows that get a sub.
        let facts = match &write {
            RowWrite::Sub { row, value: Some(_), .. } => of.entry.facts.get(&format!("row {row}")),
            RowWrite::Sub { .. } | RowWrite::Insert { .. } => None,
        };
        let as_chosen = |row: &Row| facts.is_none_or(|facts| facts_of_row(of.plan.id, row) == *facts);
        let closes = Closes { journal: &self.journal, run: entry.run, step_no: entry.step_no, at: now() };
        match self.rows.write(&write, as_chosen, closes, ROW_LIMIT).await {
            Ok(RowWritten::Done { row, closed: with_it }) => {
                let detail = closes.detail(&write, &row);
                let mut words = vec!["Written, and read back: the row is as it should be.".to_owned()];
                if !with_it && !closed(Outcome::Done, &detail).await {
                    words.push("The journal could not be closed; the next start looks and closes it.".to_owned());
                }
                let rows = Some(RowSide { row: Some(row), others: Vec::new() });
                Ok(Applied { rows, ..applied(Verdict::Done, words) })
            }
            Ok(RowWritten::Stale(why)) => {
                closed(Outcome::Stale, why).await;
                Ok(stale(why))
            }
            Err(error) if error.is_transient() => {
                let open =
                    "Whether it was written is not known: the journal entry stays open, and the next start looks.";
                Ok(applied(Verdict::Unverified, vec![error.to_string(), open.to_owned()]))
            }
            Err(error) => {
                closed(Outcome::Failed, "the database refused the write").await;
                Ok(applied(Verdict::Failed, vec![error.to_string(), "Nothing was written.".to_owned()]))
            }
        }
    }
}
