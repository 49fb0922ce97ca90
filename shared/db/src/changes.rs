//! Which rows have changed since a moment: what a scan asks at its end, so that what it read at its beginning is still so.

use userlink_domain::{RowId, Timestamp};

use crate::transaction::Value;
use crate::{DbError, UsersTable};

/// How many rows one statement looks at.
const STRETCH: i64 = 10_000;

/// A part of the answer of [`UsersTable::changed_since`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// The rows that were made or changed, whether they fit the mapping's conditions or not.
    pub ids: Vec<RowId>,
    /// From where to go on, where there may be more.
    pub after: Option<RowId>,
}

impl UsersTable {
    /// Whether the mapping has the column that says when a row was last changed.
    pub fn knows_changes(&self) -> bool {
        self.changes().is_some()
    }

    /// The rows behind `after` that were made or changed at a moment or later, by the clock of the database and as far as
    /// the application keeps `updated_at`; those of one stretch of the table, so that no statement takes long. None where
    /// [`Self::knows_changes`] says so. A row that was deleted is not there to be found.
    ///
    /// # Errors
    /// As for [`Self::page`].
    pub async fn changed_since(&self, since: Timestamp, after: Option<&RowId>) -> Result<Changed, DbError> {
        let Some(statements) = self.changes() else { return Ok(Changed::default()) };
        let mut values = vec![Value::Integer(STRETCH), Value::Integer(since.as_millis())];
        let sql = match after {
            None => &statements.first,
            Some(id) => {
                values.push(self.key(id)?);
                &statements.next
            }
        };
        let mut changed = Changed::default();
        for record in self.answer(sql, values).await? {
            let id = self.id(&record)?.ok_or_else(|| self.no_id())?;
            if record.integer(2)? == Some(1) {
                changed.after = Some(id.clone());
            }
            if record.integer(1)? == Some(1) {
                changed.ids.push(id);
            }
        }
        Ok(changed)
    }
}
