//! Keeping a user from what is not theirs, at once.

use std::collections::BTreeMap;

use userlink_domain::{RecordRef, Situation, Step, Sub};
use userlink_link::{Entry, Linker};

use crate::file::{Kind, Plan, PlannedEntry, PlannedPair};
use crate::pairs::{PairsError, PlannedStep};
use crate::planner::{Maker, name};
use crate::refused::Refused;
use crate::tried::{As, tried};

/// A plan that keeps a user from what is not theirs: the id goes, the sessions end, and on request nobody signs in.
///
/// # Errors
/// Where the user was not scanned.
pub fn contain(linker: &mut Linker, user: Sub, disable: bool, reason: &str, maker: Maker) -> Result<Plan, Refused> {
    let of = RecordRef::User(user);
    let unknown = || Refused::Pairs { of: name(&of), why: PairsError::Unknown(name(&of)) };
    let entry = linker.entry(&of).ok_or_else(unknown)?;
    let there = entry.users.iter().find(|there| there.sub == user).ok_or_else(unknown)?;
    let username = there.username.as_str().to_owned();
    let mut all = Vec::new();
    if there.user_id().is_some() {
        let expect = there.user_id.as_deref().map(str::to_owned);
        all.push(Step::ClearUserId { username: username.clone(), expect });
    }
    if disable && there.enabled {
        all.push(Step::DisableUser { username: username.clone() });
    }
    all.push(Step::SignOut { username: username.clone() });
    let sub = Some(user.to_string());
    let steps = (1..).zip(all).map(|(number, step)| PlannedStep { number, sub: sub.clone(), step, row_of_step: None });
    let pair = PlannedPair { username, sub: user.to_string(), row: None, new: false };
    let mut entries = vec![PlannedEntry {
        situation: entry.situation.name().to_owned(),
        flags: entry.flags.iter().map(|flag| flag.name().to_owned()).collect(),
        reason: Some(reason.to_owned()),
        pairs: vec![pair],
        steps: steps.collect(),
        after: Vec::new(),
        rows_with_email: Vec::new(),
        facts: BTreeMap::new(),
    }];
    // What somebody else is left with when this user's claim goes is shown, and does not keep anybody from being contained.
    tried(linker, &mut entries, As::Containment)?;
    let notes = written_back(&entry, user, &entries).into_iter().collect();
    Ok(Plan::freeze(Kind::Contain, maker.by, maker.at, maker.origin, entries, notes, maker.id))
}

/// What there is to know where a row carries the user's sub: the id could be written there again.
fn written_back(entry: &Entry, user: Sub, entries: &[PlannedEntry]) -> Option<String> {
    let [planned] = entries else { return None };
    let row = entry.rows.iter().find(|row| row.sub() == Some(user))?;
    let [pair] = &planned.pairs[..] else { return None };
    let own = planned.after.iter().find(|after| after.kind == "user" && after.name == pair.username);
    let after = own.map_or(Some(&planned.situation), |after| after.after.as_ref());
    let disabled = planned.steps.iter().any(|planned| matches!(planned.step, Step::DisableUser { .. }));
    if after.map(String::as_str) != Some(Situation::RowSideOnly.name()) || disabled {
        return None;
    }
    let cleared = planned.steps.iter().any(|planned| matches!(planned.step, Step::ClearUserId { .. }));
    let row = format!("Row {} carries this user's sub.", row.id);
    Some(if cleared {
        format!("{row} No bulk plan writes its id back, as long as the journal knows of this; --only does, by name.")
    } else {
        format!(
            "{row} There is no id to clear, and a bulk plan would write it: dismiss the entry to keep it from that."
        )
    })
}
