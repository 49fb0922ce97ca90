//! Both sides as they are now, and whether a step may be made on them.

use userlink_db::{DbError, UsersTable};
use userlink_domain::{Row, RowId, Sub};

/// The row of a step, and whatever else carries its user's sub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowSide {
    /// `None` where it is gone.
    pub row: Option<Row>,
    /// Other rows that carry the sub.
    pub others: Vec<Row>,
}

impl RowSide {
    pub(crate) async fn read(table: &UsersTable, id: &RowId, sub: Sub) -> Result<Self, DbError> {
        let row = table.by_ids(std::slice::from_ref(id)).await?.pop();
        let others = table.by_subs(&[sub]).await?.into_iter().filter(|row| row.id != *id).collect();
        Ok(Self { row, others })
    }

    /// That the row carries the sub, and no other does; else what is not so.
    pub(crate) fn check(&self, sub: Sub) -> Result<&Row, &'static str> {
        let row = self.row.as_ref().ok_or("the row is gone.")?;
        if row.sub() != Some(sub) {
            return Err("the row no longer carries this user's sub.");
        }
        if self.others.is_empty() { Ok(row) } else { Err("another row carries this user's sub, too.") }
    }
}
