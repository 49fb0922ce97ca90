//! What stands between a plan and its being applied, each with what it saw.

use std::collections::HashSet;

use userlink_domain::{Flag, Timestamp};
use userlink_link::Linker;

use crate::file::{Kind, Plan};
use crate::planner::Limits;

/// A guard, and what it saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    pub name: &'static str,
    pub seen: String,
    /// Whether there is nothing to mind.
    pub holds: bool,
}

/// Where a plan would be applied.
#[derive(Clone, Debug)]
pub struct Here {
    pub now: Timestamp,
    /// The name of the context where it is marked as production.
    pub production: Option<String>,
    pub shared_journal: bool,
    /// The app clients that let their users write the attribute; `None` where that is not known.
    pub writable_by: Option<Vec<String>>,
    /// A plan that is older is refused.
    pub max_age_hours: i64,
}

/// Every guard that a plan passed, and what is to be minded. `limits` are those that stand while nobody says otherwise.
pub fn guards(plan: &Plan, limits: &Limits, here: &Here) -> Vec<Guard> {
    let mut all = Vec::new();
    let mut add = |name, holds, seen: String| all.push(Guard { name, seen, holds });
    let (users, rows) = (plan.origin.users, plan.origin.rows);
    if plan.kind == Kind::Repair {
        add("sides", users > 0 && rows > 0, format!("read to their ends: {users} users, {rows} rows"));
        let touched: HashSet<_> = plan.steps().filter_map(|step| step.sub.as_deref()).collect();
        let (touched, limit) = (touched.len() as u64, limits.of(users));
        let seen = if touched > limit {
            format!("{touched} users, over the {limit} that pass unasked: you said so")
        } else {
            format!("{touched} of the {limit} users that a plan may touch")
        };
        add("threshold", touched <= limit, seen);
        let attribute = &plan.origin.attribute;
        match &here.writable_by {
            None => add("attribute", false, format!("whether users can write {attribute} is not known")),
            Some(clients) if clients.is_empty() => {
                add("attribute", true, format!("no app client lets its users write {attribute}"));
            }
            Some(clients) => {
                add("attribute", false, format!("users can write {attribute} themselves: {}", clients.join(", ")));
            }
        }
        let contested = plan.entries.iter().filter(|entry| entry.flags.iter().any(|it| it == Flag::Contested.name()));
        let contested = contested.count();
        let seen = match contested {
            0 => "nobody outside speaks for another owner".to_owned(),
            1 => "1 entry: somebody outside speaks for another owner".to_owned(),
            more => format!("{more} entries are spoken for by somebody outside"),
        };
        add("contested", contested == 0, seen);
    }
    let minutes = here.now.since(plan.origin.scanned_at).max(0) / 60_000;
    let age = if minutes < 120 { format!("{minutes} min") } else { format!("{} h", minutes / 60) };
    let seen = match plan.kind {
        Kind::Undo { .. } => "made from the journal; each step is compared again".to_owned(),
        Kind::Repair | Kind::Contain => {
            format!("scanned {age} ago; good for {} h, and compared again", here.max_age_hours)
        }
    };
    let young = here.now.since(plan.read_at()) <= here.max_age_hours.saturating_mul(3_600_000);
    add("age", young, seen);
    let journal = if here.shared_journal {
        "shared, in the application's database"
    } else {
        "a file on this machine: what others do is not seen"
    };
    add("journal", here.shared_journal, journal.to_owned());
    match &here.production {
        Some(name) => add("production", true, format!("yes: {name} is to be typed, and a reason given")),
        None => add("production", true, "no".to_owned()),
    }
    all
}

/// A mass of one kind is one incident, and no heap of repairs.
pub(crate) fn incidents(linker: &Linker, users: u64, rows: u64) -> Vec<String> {
    let counts = linker.counts();
    let found = userlink_link::incidents(|situation| counts.of(situation), users, rows);
    found.into_iter().map(|it| format!("One incident: {} {}.", it.count, it.words)).collect()
}
