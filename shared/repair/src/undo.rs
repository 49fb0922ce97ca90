//! The way back: a plan of its own, made from what the journal says was done, newest first.
//!
//! It brings the pointers back. A row that was inserted stays, without its sub; sessions that were ended stay ended.

use std::collections::{BTreeMap, HashMap};

use userlink_db::{INSERTED, Recorded};
use userlink_domain::Step;
use userlink_link::Linker;

use crate::file::{Kind, Plan, PlannedEntry, PlannedPair};
use crate::pairs::PlannedStep;
use crate::planner::Maker;
use crate::sign_out::also_sign_out;
use crate::tried::{As, tried};

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

/// The inverse of the steps that were done; `only` one of them where it is named. `sign_out` ends the sessions of whoever had
/// another `user_id` until then.
///
/// # Errors
/// Where nothing was done that could be taken back.
pub fn undo(
    run: &str,
    only: Option<i64>,
    recorded: &[Recorded],
    Maker { id, by, at, origin, sign_out, .. }: Maker,
) -> Result<Plan, NoUndo> {
    let mut entries: Vec<PlannedEntry> = Vec::new();
    let mut number = 1;
    let mut kept = Vec::new();
    let (mut groups, mut steps) = (Groups::default(), Vec::new());
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
        let at = groups.of(&keys(&planned));
        let username = entry.username.clone().unwrap_or_default();
        steps.push((at, entry.situation.name(), username, planned));
    }
    let mut places: HashMap<usize, usize> = HashMap::new();
    for (at, situation, username, planned) in steps {
        let place = *places.entry(groups.root(at)).or_insert_with(|| {
            entries.push(PlannedEntry {
                situation: situation.to_owned(),
                flags: Vec::new(),
                reason: None,
                pairs: Vec::new(),
                steps: Vec::new(),
                after: Vec::new(),
                rows_with_email: Vec::new(),
                facts: BTreeMap::new(),
            });
            entries.len() - 1
        });
        let Some(entry) = entries.get_mut(place) else { continue };
        let sub = planned.sub.clone().unwrap_or_default();
        if entry.pairs.iter().all(|pair| pair.sub != sub) {
            entry.pairs.push(PlannedPair { username, sub, row: None, new: false });
        }
        entry.steps.push(planned);
    }
    if entries.is_empty() {
        return Err(NoUndo::Nothing(run.to_owned()));
    }
    if sign_out {
        also_sign_out(&mut entries, number);
    }
    kept.dedup();
    Ok(Plan::freeze(Kind::Undo { run: run.to_owned() }, by, at, origin, entries, kept, id))
}

/// The same plan with what each record will be, as far as the linker knows; frozen anew.
pub fn foretold(linker: &mut Linker, plan: Plan) -> Plan {
    let Plan { id, kind, made_by, made_at, origin, notes, mut entries, .. } = plan;
    // What is taken back is taken back, whatever it leads to: it is shown, and the person decides.
    drop(tried(linker, &mut entries, As::WayBack));
    Plan::freeze(kind, made_by, made_at, origin, entries, notes, id)
}

/// Steps that share a user or a row belong together: they are taken back one after the other, and after one that fails the
/// others are left.
#[derive(Default)]
struct Groups {
    of_key: HashMap<String, usize>,
    parent: Vec<usize>,
}

impl Groups {
    fn root(&self, mut at: usize) -> usize {
        while let Some(parent) = self.parent.get(at).copied().filter(|parent| *parent != at) {
            at = parent;
        }
        at
    }

    fn of(&mut self, keys: &[String]) -> usize {
        let own = self.parent.len();
        self.parent.push(own);
        for key in keys {
            let other = *self.of_key.entry(key.clone()).or_insert(own);
            let (from, to) = (self.root(other), self.root(own));
            if let Some(parent) = self.parent.get_mut(to) {
                *parent = from;
            }
        }
        own
    }
}

/// The users and rows that a step touches or names.
fn keys(planned: &PlannedStep) -> Vec<String> {
    let mut keys: Vec<String> = planned.sub.iter().map(|sub| format!("user {sub}")).collect();
    let mut add = |kind: &str, names: &[Option<&String>]| {
        keys.extend(names.iter().flatten().map(|name| format!("{kind} {name}")))
    };
    match &planned.step {
        Step::WriteUserId { expect, value, .. } => add("row", &[expect.as_ref(), Some(value)]),
        Step::ClearUserId { expect, .. } => add("row", &[expect.as_ref()]),
        Step::WriteSub { row, expect, value } => {
            add("row", &[Some(row)]);
            add("user", &[expect.as_ref(), Some(value)]);
        }
        Step::ClearSub { row, expect } => {
            add("row", &[Some(row)]);
            add("user", &[expect.as_ref()]);
        }
        Step::InsertRow { .. } | Step::SignOut { .. } | Step::DisableUser { .. } | Step::EnableUser { .. } => {}
    }
    keys
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
