//! Where the records themselves are kept: the linker holds of each only what it compares.

use std::fmt::Debug;

use userlink_domain::{PoolUser, Row};

use crate::facts::Place;

/// A place for records. What is put there is never changed; a record that has changed is put there once more.
pub trait Records: Debug + Send {
    fn put_user(&mut self, user: &PoolUser) -> Place;
    fn put_row(&mut self, row: &Row) -> Place;

    /// What was put there; none where it cannot be read any more.
    fn user(&self, at: Place) -> Option<PoolUser>;
    fn row(&self, at: Place) -> Option<Row>;

    /// Another one was put in the place of this: it may be asked for by [`Records::user`] and [`Records::row`] alone from here on.
    fn supersede(&mut self, _: Place) {}

    /// Whether the username, the `user_id` or the e-mail passes.
    fn user_passes(&self, at: Place, is_meant: &mut dyn FnMut(&str) -> bool) -> bool {
        self.user(at).is_some_and(|user| {
            let texts = [Some(user.username.as_str()), user.user_id.as_deref(), user.email.as_deref()];
            texts.into_iter().flatten().any(is_meant)
        })
    }

    /// Whether the sub or the e-mail, as they stand in the table, passes.
    fn row_passes(&self, at: Place, is_meant: &mut dyn FnMut(&str) -> bool) -> bool {
        self.row(at).is_some_and(|row| [row.sub.as_deref(), row.email.as_deref()].into_iter().flatten().any(is_meant))
    }
}

/// Records in memory, as they came.
#[derive(Debug, Default)]
pub struct InMemory {
    users: Vec<PoolUser>,
    rows: Vec<Row>,
}

impl Records for InMemory {
    fn put_user(&mut self, user: &PoolUser) -> Place {
        self.users.push(user.clone());
        Place(self.users.len() as u64 - 1)
    }

    fn put_row(&mut self, row: &Row) -> Place {
        self.rows.push(row.clone());
        Place(self.rows.len() as u64 - 1)
    }

    fn user(&self, at: Place) -> Option<PoolUser> {
        self.users.get(usize::try_from(at.0).ok()?).cloned()
    }

    fn row(&self, at: Place) -> Option<Row> {
        self.rows.get(usize::try_from(at.0).ok()?).cloned()
    }
}
