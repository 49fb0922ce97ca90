//! Ending the sessions of whoever had another `user_id`: tokens that were issued before still carry it.

use std::collections::{BTreeMap, HashSet};

use userlink_domain::Step;

use crate::file::{Kind, Plan, PlannedEntry, PlannedPair};
use crate::pairs::PlannedStep;
use crate::planner::{Maker, overwrites};

/// The subs of the users whose `user_id` a plan changes though it was not empty, whether or not it signs them out.
pub fn had_another_id(plan: &Plan) -> HashSet<&str> {
    let had = plan.steps().filter(|planned| is_other_id(&planned.step));
    had.filter_map(|step| step.sub.as_deref()).collect()
}

/// Adds to each entry of a way back that it signs out whoever had another `user_id`.
pub(crate) fn also_sign_out(entries: &mut [PlannedEntry], first: i64) {
    let mut number = first;
    for entry in entries {
        let had = entry.steps.iter().filter(|planned| is_other_id(&planned.step));
        let had: HashSet<String> = had.filter_map(|planned| planned.sub.clone()).collect();
        for pair in entry.pairs.iter().filter(|pair| had.contains(&pair.sub)) {
            let step = Step::SignOut { username: pair.username.clone() };
            entry.steps.push(PlannedStep { number, sub: Some(pair.sub.clone()), step, row_of_step: None });
            number += 1;
        }
    }
}

/// Whether a step changes a `user_id` that was not empty.
fn is_other_id(step: &Step) -> bool {
    matches!(step, Step::WriteUserId { .. } | Step::ClearUserId { .. }) && overwrites(step)
}

/// A plan that signs out those whom an earlier plan names and for whom `wanted` holds; none where it signs out nobody.
pub fn sign_out(earlier: &Plan, wanted: impl Fn(&str) -> bool, maker: Maker) -> Option<Plan> {
    let entries = entries(earlier, wanted, 1);
    if entries.is_empty() {
        return None;
    }
    Some(Plan::freeze(Kind::Contain, maker.by, maker.at, maker.origin, entries, Vec::new(), maker.id))
}

/// A plan that signs out those of an earlier plan, too, for whom `wanted` holds and of whom it does nothing itself.
#[must_use]
pub fn with_sign_outs(plan: Plan, earlier: &Plan, wanted: impl Fn(&str) -> bool) -> Plan {
    let named: HashSet<String> = plan.steps().filter_map(|step| step.sub.clone()).collect();
    let next = plan.steps().map(|step| step.number).max().unwrap_or_default() + 1;
    let more = entries(earlier, |sub| wanted(sub) && !named.contains(sub), next);
    if more.is_empty() {
        return plan;
    }
    let entries = plan.entries.into_iter().chain(more).collect();
    Plan::freeze(plan.kind, plan.made_by, plan.made_at, plan.origin, entries, plan.notes, plan.id)
}

/// A sign-out each, counted from `first`.
fn entries(earlier: &Plan, wanted: impl Fn(&str) -> bool, first: i64) -> Vec<PlannedEntry> {
    let pairs = earlier.entries.iter().flat_map(|entry| entry.pairs.iter().map(move |pair| (entry, pair)));
    let sign_out = |(number, (entry, pair)): (i64, (&PlannedEntry, &PlannedPair))| PlannedEntry {
        situation: entry.situation.clone(),
        flags: Vec::new(),
        reason: entry.reason.clone(),
        pairs: vec![PlannedPair { row: None, new: false, ..pair.clone() }],
        steps: vec![PlannedStep {
            number,
            sub: Some(pair.sub.clone()),
            step: Step::SignOut { username: pair.username.clone() },
            row_of_step: None,
        }],
        after: Vec::new(),
        rows_with_email: Vec::new(),
        facts: BTreeMap::new(),
    };
    (first..).zip(pairs.filter(|(_, pair)| wanted(&pair.sub))).map(sign_out).collect()
}
