//! A plan is tried in memory before it is offered, and what each record will be is noted in it.

use std::collections::{HashMap, HashSet};

use userlink_domain::{IdKind, RecordRef, RowId, Situation, Step, Sub};
use userlink_link::{Lead, Linker};

use crate::file::{After, PlannedEntry};
use crate::pairs::PlannedStep;
use crate::planner::name;
use crate::refused::Refused;
use crate::trial::{Trial, Turn, attempt};

/// What a plan is tried as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum As {
    /// Everybody whom it names has to be what it says, and nobody else may gain by it.
    Repair,
    /// What becomes of others is shown, and stops nothing.
    Containment,
    /// The same; and the rows whose ids are taken back are named by it.
    WayBack,
}

/// Tries all of it in memory, and notes what each record will be: in every entry first what the plan names, in the order of its
/// steps, then what else changes through that entry.
pub(crate) fn tried(linker: &mut Linker, entries: &mut [PlannedEntry], tried_as: As) -> Result<(), Refused> {
    let all: Vec<PlannedStep> = entries.iter().flat_map(|entry| &entry.steps).cloned().collect();
    let trial = attempt(linker, &all);
    let named = named(entries, linker.rules().id_kind, tried_as == As::WayBack);
    if tried_as == As::Repair {
        if let Some(turn) = trial.bystander(|of| named.contains_key(of)) {
            let user = turn.username.clone().unwrap_or_else(|| name(&turn.of));
            return Err(Refused::Bystander { user, after: turn.after.unwrap_or(Situation::Linked) });
        }
        met(entries, &trial)?;
    }
    // Through which entry a record changes: the first that names one that was, or will be, in an entry with it.
    let groups = |turn: &Turn| [turn.with.0.map(|lead| (false, lead)), turn.with.1.map(|lead| (true, lead))];
    let mut through: HashMap<(bool, Lead), usize> = HashMap::new();
    for turn in trial.turns.values() {
        let Some((at, _)) = named.get(&turn.of) else { continue };
        for group in groups(turn).into_iter().flatten() {
            through.entry(group).and_modify(|first| *first = (*first).min(*at)).or_insert(*at);
        }
    }
    let last = entries.len().saturating_sub(1);
    let place = |turn: &Turn| match named.get(&turn.of) {
        Some((at, place)) => (*at, (false, *place)),
        None => {
            let at = groups(turn).into_iter().flatten().filter_map(|group| through.get(&group)).min();
            (at.copied().unwrap_or(last), (true, 0))
        }
    };
    // The id of a row that is inserted is the database's to make.
    let there = trial.turns.values().filter(|turn| turn.before.is_some());
    let mut turns: Vec<_> = there.map(|turn| (place(turn), turn)).collect();
    turns.sort_by_key(|(place, _)| *place);
    for ((at, (other, _)), turn) in turns {
        let (kind, called) = match &turn.of {
            RecordRef::User(sub) => ("user", turn.username.clone().unwrap_or_else(|| sub.to_string())),
            RecordRef::Row(id) => ("row", id.to_string()),
        };
        let after = After {
            kind: kind.to_owned(),
            name: called,
            before: turn.before.map(|situation| situation.name().to_owned()),
            after: turn.after.map(|situation| situation.name().to_owned()),
            named: !other,
        };
        if let Some(entry) = entries.get_mut(at) {
            entry.after.push(after);
        }
    }
    Ok(())
}

/// The records that a plan names: in which entry, and in which place there. Users by the pairs, in the order of their steps; rows by
/// the pairs and the steps, and `by_user_ids` by what stands, or stood, in an attribute.
fn named(entries: &[PlannedEntry], kind: IdKind, by_user_ids: bool) -> HashMap<RecordRef, (usize, usize)> {
    let mut named = HashMap::new();
    for (at, entry) in entries.iter().enumerate() {
        let pairs: HashSet<&str> = entry.pairs.iter().map(|pair| &*pair.sub).collect();
        let user = |sub: &str| Sub::parse(sub).map(RecordRef::User);
        let row = |id: &str| RowId::parse(kind, id).map(RecordRef::Row);
        let of_steps = entry.steps.iter().flat_map(|planned| {
            let [first, second] = match &planned.step {
                Step::WriteSub { row: id, .. } | Step::ClearSub { row: id, .. } => [row(id), None],
                Step::WriteUserId { expect, value, .. } if by_user_ids => [expect.as_deref().and_then(row), row(value)],
                Step::ClearUserId { expect, .. } if by_user_ids => [expect.as_deref().and_then(row), None],
                _ => [None, None],
            };
            let of_user = planned.sub.as_deref().filter(|sub| pairs.contains(sub)).and_then(user);
            [of_user, first, second]
        });
        let of_pairs = entry.pairs.iter().flat_map(|pair| [user(&pair.sub), pair.row.as_deref().and_then(row), None]);
        for (place, of) in of_steps.chain(of_pairs).flatten().enumerate() {
            named.entry(of).or_insert((at, place));
        }
    }
    named
}

/// Whether every user with a row is tied to it in the end: linked, or what that is called of a user who is not expected to be.
fn met(entries: &[PlannedEntry], trial: &Trial) -> Result<(), Refused> {
    for pair in entries.iter().flat_map(|entry| &entry.pairs).filter(|pair| pair.new || pair.row.is_some()) {
        let Some(sub) = Sub::parse(&pair.sub) else { continue };
        let turn = trial.turns.get(&RecordRef::User(sub));
        match turn.and_then(|turn| turn.after) {
            None | Some(Situation::Linked | Situation::LinkedInactive | Situation::Stranded) => {}
            Some(after) => return Err(Refused::Unmet { name: pair.username.clone(), after }),
        }
    }
    Ok(())
}
