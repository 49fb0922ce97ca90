//! A plan is tried in memory before it is offered, and what each record will be is noted in it.

use std::collections::HashMap;

use userlink_domain::{RecordRef, RowId, Situation, Step, Sub};
use userlink_link::Linker;

use crate::file::{After, PlannedEntry};
use crate::pairs::PlannedStep;
use crate::planner::name;
use crate::refused::Refused;
use crate::trial::{Trial, attempt};

/// Tries all of it in memory, and notes what each record will be.
pub(crate) fn tried(linker: &mut Linker, entries: &mut [PlannedEntry], strict: bool) -> Result<(), Refused> {
    let all: Vec<PlannedStep> = entries.iter().flat_map(|entry| &entry.steps).cloned().collect();
    let trial = attempt(linker, &all);
    let named: HashMap<Sub, usize> = entries
        .iter()
        .enumerate()
        .flat_map(|(at, entry)| entry.pairs.iter().filter_map(move |pair| Some((Sub::parse(&pair.sub)?, at))))
        .collect();
    if strict {
        let subs = named.keys().copied().collect();
        if let Some(turn) = trial.bystander(&subs) {
            let user = turn.username.clone().unwrap_or_else(|| name(&turn.of));
            return Err(Refused::Bystander { user, after: turn.after.unwrap_or(Situation::Linked) });
        }
        met(entries, &trial)?;
    }
    let kind = linker.rules().id_kind;
    let rows: HashMap<RowId, usize> = entries
        .iter()
        .enumerate()
        .flat_map(|(at, entry)| {
            let of_pairs = entry.pairs.iter().filter_map(|pair| pair.row.clone());
            let of_steps = entry.steps.iter().filter_map(|step| match &step.step {
                Step::WriteSub { row, .. } | Step::ClearSub { row, .. } => Some(row.clone()),
                _ => None,
            });
            of_pairs.chain(of_steps).filter_map(move |row| Some((RowId::parse(kind, &row)?, at)))
        })
        .collect();
    for turn in trial.turns.values() {
        let (at, kind, called) = match &turn.of {
            RecordRef::User(sub) => (named.get(sub), "user", turn.username.clone().unwrap_or_else(|| sub.to_string())),
            RecordRef::Row(id) => (rows.get(id), "row", id.to_string()),
        };
        let after = After {
            kind: kind.to_owned(),
            name: called,
            before: turn.before.map(|situation| situation.name().to_owned()),
            after: turn.after.map(|situation| situation.name().to_owned()),
            named: at.is_some(),
        };
        // The id of a row that is inserted is the database's to make.
        if turn.before.is_none() {
            continue;
        }
        if let Some(entry) = entries.get_mut(at.copied().unwrap_or(0)) {
            entry.after.push(after);
        }
    }
    Ok(())
}

/// Whether every user with a row is linked to it in the end.
fn met(entries: &[PlannedEntry], trial: &Trial) -> Result<(), Refused> {
    for pair in entries.iter().flat_map(|entry| &entry.pairs).filter(|pair| pair.new || pair.row.is_some()) {
        let Some(sub) = Sub::parse(&pair.sub) else { continue };
        let turn = trial.turns.get(&RecordRef::User(sub));
        match turn.and_then(|turn| turn.after) {
            None | Some(Situation::Linked) => {}
            Some(after) => return Err(Refused::Unmet { name: pair.username.clone(), after }),
        }
    }
    Ok(())
}
