//! What a plan will cost: users, rows, requests by quota, time, and what AWS will bill for it.

use std::collections::BTreeSet;

use userlink_domain::Step;

use crate::file::{Plan, is_final};

/// Attributes a second that AWS lets be written, for all pools of an account and region (quotas page, UserUpdate).
const UPDATES_A_SECOND: f64 = 25.0;
/// The list price of a monthly active user in the Essentials tier, which is the default of new pools, in US dollars, as AWS's
/// pricing page had it on 2026-09-20 (Lite 0.0055, Plus 0.02). In Essentials and Lite the first 10,000 of a month cost
/// nothing.
pub const LIST_PRICE: f64 = 0.015;
/// The day of the price.
pub const LIST_PRICE_OF: &str = "2026-09-20";

/// The totals.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    pub entries: usize,
    /// Users whose attribute, sessions or row change.
    pub users: usize,
    pub rows: usize,
    /// Requests of the quota UserUpdate.
    pub updates: usize,
    /// Requests of the quota UserRead.
    pub reads: usize,
    /// At the chosen rate, if nothing is refused.
    pub seconds: f64,
    /// The share of UserUpdate that is left to the application meanwhile.
    pub left: f64,
    /// Users who become monthly active by it, and the price of that at most.
    pub active: usize,
    pub price: f64,
    /// Steps that cannot be taken back.
    pub finals: usize,
}

impl Preview {
    /// `write_rate` in requests a second, `price` of a monthly active user.
    pub fn of(plan: &Plan, write_rate: f64, price: f64) -> Self {
        let (mut users, mut rows, mut active) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let (mut updates, mut reads, mut inserted, mut finals) = (0, 0, 0, 0);
        for planned in plan.steps() {
            users.extend(&planned.sub);
            finals += usize::from(is_final(&planned.step));
            match &planned.step {
                Step::WriteUserId { .. }
                | Step::ClearUserId { .. }
                | Step::DisableUser { .. }
                | Step::EnableUser { .. } => {
                    (updates, reads) = (updates + 1, reads + 2);
                    active.extend(&planned.sub);
                }
                Step::SignOut { .. } => {
                    (updates, reads) = (updates + 1, reads + 1);
                    active.extend(&planned.sub);
                }
                Step::WriteSub { row, .. } => {
                    reads += 1;
                    rows.insert(row);
                    active.extend(&planned.sub);
                }
                Step::ClearSub { row, .. } => drop(rows.insert(row)),
                Step::InsertRow { .. } => {
                    (reads, inserted) = (reads + 1, inserted + 1);
                    active.extend(&planned.sub);
                }
            }
        }
        Self {
            entries: plan.entries.len(),
            users: users.len(),
            rows: rows.len() + inserted,
            updates,
            reads,
            seconds: updates as f64 / write_rate.max(0.1),
            left: (1.0 - write_rate / UPDATES_A_SECOND).clamp(0.0, 1.0),
            active: active.len(),
            price: active.len() as f64 * price,
            finals,
        }
    }
}

/// A step in words: what it is about, before, after.
pub fn in_words(step: &Step) -> (String, Option<String>, Option<String>) {
    match step {
        Step::WriteUserId { username, expect, value } => {
            (format!("user {username}: user id"), expect.clone(), Some(value.clone()))
        }
        Step::ClearUserId { username, expect } => (format!("user {username}: user id"), expect.clone(), None),
        Step::WriteSub { row, expect, value } => (format!("row {row}: sub"), expect.clone(), Some(value.clone())),
        Step::ClearSub { row, expect } => (format!("row {row}: sub"), expect.clone(), None),
        Step::InsertRow { sub, .. } => (format!("a new row for {sub}"), None, Some("inserted".into())),
        Step::SignOut { username } => (format!("user {username}: sessions"), None, Some("ended".into())),
        Step::DisableUser { username } => (format!("user {username}: enabled"), Some("yes".into()), Some("no".into())),
        Step::EnableUser { username } => (format!("user {username}: enabled"), Some("no".into()), Some("yes".into())),
    }
}
