//! The way back: a plan of its own, made from what the journal says was done, newest first.
//!
//! It brings the pointers back. A row that was inserted stays, without its sub; sessions that were ended stay ended.

use std::collections::BTreeMap;

use userlink_db::{INSERTED, Recorded};
use userlink_domain::{Step, Timestamp};
use uuid::Uuid;

use crate::file::{Kind, Origin, Plan, PlannedEntry, PlannedPair};
use crate::pairs::PlannedStep;

/// Why there is no way back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoUndo {
    #[error("The journal knows nothing that was done by {0}. Look at userlink history.")]
    Nothing(String),
    #[error(
        "Step {0} of it is open still: whether it was done is not known. Wait for its end, or start anew so that it is looked at."
    )]
    Open(i64),
    #[error("The steps were made in {0}, and this context is another. Use that context.")]
    Elsewhere(String),
}

/// The inverse of the steps that were done; `only` one of them where it is named.
///
/// # Errors
/// Where nothing was done that could be taken back.
pub fn undo(
    run: &str,
    only: Option<i64>,
    recorded: &[Recorded],
    (id, by, at): (Uuid, String, Timestamp),
    origin: Origin,
) -> Result<Plan, NoUndo> {
    let mut entries: Vec<PlannedEntry> = Vec::new();
    let mut number = 1;
    let mut kept = Vec::new();
    // The journal gives the newest first, and that is the order in which it is taken back.
    for step in recorded.iter().filter(|step| only.is_none_or(|only| step.entry.step_no == only)) {
        let entry = &step.entry;
        let linkage = &entry.linkage;
        if (&linkage.pool_id, &linkage.attribute, &linkage.table) != (&origin.pool, &origin.attribute, &origin.table) {
            return Err(NoUndo::Elsewhere(format!("{} of {}", linkage.table, linkage.pool_id)));
        }
        let Some(closing) = &step.closing else { return Err(NoUndo::Open(entry.step_no)) };
        if !closing.outcome.is_written() {
            continue;
        }
        let made = closing.detail.strip_prefix(INSERTED).map(str::to_owned).or_else(|| entry.row.clone());
        let inverse = inverse(&entry.step, made.as_deref());
        match &entry.step {
            Step::InsertRow { .. } => {
                kept.push(format!("Row {} stays, without its sub.", made.as_deref().unwrap_or("?")))
            }
            Step::SignOut { .. } => kept.push("Sessions that were ended stay ended.".to_owned()),
            _ => {}
        }
        let Some(inverse) = inverse else { continue };
        let sub = entry.sub.map(|sub| sub.to_string());
        let planned = PlannedStep { number, sub: sub.clone(), step: inverse, row_of_step: None };
        number += 1;
        // Steps about one user that follow on each other belong together: after one that fails the others are left.
        match entries.last_mut().filter(|last| last.steps.last().is_some_and(|step| step.sub == sub)) {
            Some(last) => last.steps.push(planned),
            None => entries.push(PlannedEntry {
                situation: entry.situation.name().to_owned(),
                flags: Vec::new(),
                reason: None,
                pairs: entry
                    .username
                    .iter()
                    .map(|username| PlannedPair {
                        username: username.clone(),
                        sub: sub.clone().unwrap_or_default(),
                        row: None,
                        new: false,
                    })
                    .collect(),
                steps: vec![planned],
                after: Vec::new(),
                rows_with_email: Vec::new(),
                facts: BTreeMap::new(),
            }),
        }
    }
    if entries.is_empty() {
        return Err(NoUndo::Nothing(run.to_owned()));
    }
    kept.dedup();
    Ok(Plan::freeze(Kind::Undo { run: run.to_owned() }, by, at, origin, entries, kept, id))
}

fn inverse(step: &Step, row: Option<&str>) -> Option<Step> {
    Some(match step.clone() {
        Step::WriteUserId { username, expect: Some(before), value } if !before.trim().is_empty() => {
            Step::WriteUserId { username, expect: Some(value), value: before }
        }
        Step::WriteUserId { username, value, .. } => Step::ClearUserId { username, expect: Some(value) },
        Step::ClearUserId { username, expect: Some(before) } if !before.trim().is_empty() => {
            Step::WriteUserId { username, expect: None, value: before }
        }
        Step::WriteSub { row, expect: Some(before), value } => {
            Step::WriteSub { row, expect: Some(value), value: before }
        }
        Step::WriteSub { row, expect: None, value } => Step::ClearSub { row, expect: Some(value) },
        Step::ClearSub { row, expect: Some(before) } => Step::WriteSub { row, expect: None, value: before },
        Step::InsertRow { sub, .. } => Step::ClearSub { row: row?.to_owned(), expect: Some(sub) },
        Step::DisableUser { username } => Step::EnableUser { username },
        Step::EnableUser { username } => Step::DisableUser { username },
        Step::ClearUserId { .. } | Step::ClearSub { .. } | Step::SignOut { .. } => return None,
    })
}
