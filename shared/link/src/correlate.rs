//! Correlation: what a shared e-mail says about records without pointers (step 4 of the contract).

use userlink_domain::Situation;

use crate::store::{Row, Store, User};

/// The records that share one e-mail, by the part they play.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    /// Free users to correlate.
    pub(crate) free_users: Vec<u32>,
    /// Free rows.
    pub(crate) free_rows: Vec<u32>,
    /// All other users, joined profiles left out.
    pub(crate) other_users: Vec<u32>,
    /// All other rows.
    pub(crate) other_rows: Vec<u32>,
}

/// An entry that correlation makes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Correlated {
    pub(crate) situation: Situation,
    pub(crate) users: Vec<u32>,
    pub(crate) rows: Vec<u32>,
}

/// What a free row is that no user correlates with.
pub(crate) fn unmatched(row: &Row) -> Situation {
    if row.sub().is_some() { Situation::DeadSub } else { Situation::OrphanRow }
}

impl Parts {
    /// The entries of the free records; the first rule that holds decides.
    pub(crate) fn entries(&self, store: &Store) -> Vec<Correlated> {
        let row_situation = |slot: &u32| store.row(*slot).map_or(Situation::OrphanRow, unmatched);
        let together =
            |situation| vec![Correlated { situation, users: self.free_users.clone(), rows: self.free_rows.clone() }];
        if self.free_users.is_empty() {
            return self
                .free_rows
                .iter()
                .map(|slot| Correlated { situation: row_situation(slot), users: Vec::new(), rows: vec![*slot] })
                .collect();
        }
        let mut all_users = self.free_users.iter().chain(&self.other_users);
        if self.free_users.len() + self.other_users.len() >= 2
            && all_users.any(|slot| store.user(*slot).is_some_and(User::is_federated))
        {
            return together(Situation::FederatedTwin);
        }
        if self.free_rows.is_empty() && !self.other_rows.is_empty() {
            return self
                .free_users
                .iter()
                .map(|slot| Correlated { situation: Situation::RowTaken, users: vec![*slot], rows: Vec::new() })
                .collect();
        }
        let nobody_else = self.free_users.len() == 1 && self.other_users.is_empty() && self.other_rows.is_empty();
        match (nobody_else, &self.free_rows[..]) {
            (true, []) => together(Situation::NoRow),
            (true, [row]) if row_situation(row) == Situation::DeadSub => together(Situation::Recreated),
            (true, [_]) => together(Situation::EmailMatch),
            _ => together(Situation::Ambiguous),
        }
    }
}
