//! From a scan to a plan: what is chosen, guarded, tried in memory, and frozen. Pure: no I/O, no clock.
//!
//! There are two ways in, and they are types: [`Selection::SafeInBulk`], which takes what is safe without a look and nothing
//! else, and [`Selection::Chosen`], the entries that a person looked at.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use userlink_domain::{Choice, Flag, Group, Mate, Pair, RecordRef, Situation, Step, Sub, Timestamp};
use userlink_link::{Coverage, Entry, Linker};
use uuid::Uuid;

use crate::candidates::recommended;
use crate::emails::Emails;
use crate::file::{Kind, Origin, Plan, PlannedEntry, PlannedPair, facts_of_pointer, facts_of_row, facts_of_user};
use crate::guards::incidents;
use crate::pairs::{Around, PairsError, complete, steps};
use crate::refused::Refused;
use crate::trial::attempt;
use crate::tried::{As, tried};

/// What is to be repaired.
#[derive(Clone, Debug)]
pub enum Selection {
    /// Every `row_side_only` entry that nobody contests.
    SafeInBulk,
    /// Entries that a person looked at, with what was chosen for each.
    Chosen(Vec<Choice>),
}

/// What stops a plan until a person says otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// A plan may touch this many users, or this share of the pool (from 0 to 1), whichever is more.
    pub users: u64,
    pub share: f64,
    /// A person knows that one side is empty.
    pub empty_side: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { users: Self::USERS, share: Self::SHARE, empty_side: false }
    }
}

impl Limits {
    const USERS: u64 = 50;
    const SHARE: f64 = 0.001;

    /// As they are set: a count that is given is meant, and no share of the pool goes beyond it unless that is given, too.
    pub fn set(users: Option<u64>, share: Option<f64>) -> Self {
        let of_pool = if users.is_some() { 0.0 } else { Self::SHARE };
        Self { users: users.unwrap_or(Self::USERS), share: share.unwrap_or(of_pool), empty_side: false }
    }

    /// How many users of so many a plan may touch.
    pub fn of(&self, users: u64) -> u64 {
        self.users.max((users as f64 * self.share) as u64)
    }
}

/// Who makes the plan, when, and from what.
#[derive(Clone, Debug)]
pub struct Maker {
    pub id: Uuid,
    pub by: String,
    pub at: Timestamp,
    pub origin: Origin,
    /// Sign out whoever had another `user_id`.
    pub sign_out: bool,
    /// Columns without a value in a row that is inserted, with an e-mail and without one.
    pub unfilled: (Vec<String>, Vec<String>),
}

/// Makes a plan.
///
/// # Errors
/// The first guard that stops it.
pub fn plan(linker: &mut Linker, selection: &Selection, limits: &Limits, maker: Maker) -> Result<Plan, Refused> {
    if linker.coverage() != Coverage::ALL {
        return Err(Refused::Unread);
    }
    let (users, rows) = (maker.origin.users, maker.origin.rows);
    if (users == 0 || rows == 0) && !limits.empty_side {
        return Err(Refused::EmptySide { users, rows });
    }
    let (choices, held_back) = match selection {
        Selection::SafeInBulk => safe(linker),
        Selection::Chosen(choices) => (choices.clone(), Vec::new()),
    };
    let mut entries: Vec<PlannedEntry> = Vec::new();
    let mut first = 1;
    let mut taken = HashSet::new();
    let emails = Emails::of_inserts(linker, &choices);
    for choice in &choices {
        let entry = chosen(linker, choice, &maker, first, choices.len(), &emails)?;
        let Some(entry) = entry else { continue };
        // A row's id may be its user's sub.
        let rows = entry.pairs.iter().filter_map(|pair| Some((false, pair.row.clone()?)));
        for (is_user, name) in entry.pairs.iter().map(|pair| (true, pair.sub.clone())).chain(rows) {
            if !taken.insert((is_user, name.clone())) {
                return Err(Refused::Twice(name));
            }
        }
        first += i64::try_from(entry.steps.len()).unwrap_or_default();
        entries.push(entry);
    }
    if entries.is_empty() {
        return Err(if held_back.is_empty() { Refused::Nothing } else { Refused::HeldBack(held_back.join(" ")) });
    }
    let touched =
        entries.iter().flat_map(|entry| &entry.pairs).map(|pair| &pair.sub).collect::<HashSet<_>>().len() as u64;
    let limit = limits.of(users);
    if touched > limit {
        return Err(Refused::OverThreshold { users: touched, limit, of: users });
    }
    tried(linker, &mut entries, As::Repair)?;
    let mut notes = incidents(linker, users, rows);
    notes.extend(held_back);
    notes.extend(in_between(linker, &entries));
    if linker.rules().writable.is_none() && matches!(selection, Selection::Chosen(_)) {
        notes.push("Whether users can write the attribute themselves is not known.".into());
    }
    Ok(Plan::freeze(Kind::Repair, maker.by, maker.at, maker.origin, entries, notes, maker.id))
}

/// What a circle is while some of its users are written and others are not. Of several circles it is said of the first.
fn in_between(linker: &mut Linker, entries: &[PlannedEntry]) -> Option<String> {
    let circle = entries.iter().find(|entry| entry.situation == Situation::Swapped.name() && entry.steps.len() > 1)?;
    let trial = attempt(linker, circle.steps.get(..1)?);
    let situations: BTreeSet<Situation> = trial.turns.values().filter_map(|turn| turn.after).collect();
    let words: Vec<String> = situations.iter().map(|situation| situation.words()).collect();
    Some(format!(
        "Between the steps of a circle its users are {}: who has been written is right, the others see what they saw before. \
         Stopped there, a scan finds them as that, and the plan goes on where it was.",
        words.join(" or ")
    ))
}

/// What is safe without a look at each, and why more is not.
fn safe(linker: &Linker) -> (Vec<Choice>, Vec<String>) {
    let (mut held, mut contained) = (0, 0);
    let all = linker.of_situation(|situation| situation == Situation::RowSideOnly);
    let choices = all.into_iter().filter_map(|of| {
        let entry = linker.entry(&of)?;
        let safe = !entry.flags.contains(Flag::Contested) && linker.explain(&of).is_some_and(|why| why.repair.safe);
        let is_contained = linker.is_contained(&of);
        contained += u64::from(!safe && is_contained);
        held += u64::from(!safe && !is_contained);
        safe.then_some(Choice { of, pairs: Vec::new(), reason: None })
    });
    let choices = choices.collect();
    let mut notes = Vec::new();
    if held > 0 {
        notes.push(format!(
            "{held} more are row side only and held back: somebody else speaks for the row. Look at each."
        ));
    }
    if contained > 0 {
        notes.push(format!(
            "{contained} more are row side only and held back: the user id was cleared to contain somebody, or by a step that \
             was cut short. Name those that are to be written with --only."
        ));
    }
    (choices, notes)
}

/// A record as a refusal calls it.
pub(crate) fn name(of: &RecordRef) -> String {
    match of {
        RecordRef::User(sub) => format!("User {sub}"),
        RecordRef::Row(id) => format!("Row {id}"),
    }
}

/// One entry, as a person chose it or as it is recommended; none where nothing is to be done.
fn chosen(
    linker: &Linker,
    choice: &Choice,
    maker: &Maker,
    first: i64,
    of_how_many: usize,
    emails: &Emails,
) -> Result<Option<PlannedEntry>, Refused> {
    let called = name(&choice.of);
    let pairs_error = |why| Refused::Pairs { of: called.clone(), why };
    let entry = linker.entry(&choice.of).ok_or_else(|| pairs_error(PairsError::Unknown(called.clone())))?;
    let situation = entry.situation;
    may_be_repaired(linker, &entry, choice, of_how_many, &called)?;
    let pairs = if choice.pairs.is_empty() {
        recommended(linker, &choice.of).ok_or_else(|| Refused::NeedsChoice(called.clone(), situation))?.pairs
    } else {
        choice.pairs.clone()
    };
    let is_safe = situation == Situation::RowSideOnly && choice.pairs.is_empty();
    let kind = linker.rules().id_kind;
    let around = Around::of(linker, &choice.of, &pairs).map_err(pairs_error)?;
    for held in &around.situations {
        may_be_chosen(linker, *held, choice, of_how_many, &called)?;
    }
    let pairs = complete(&around, kind, &pairs).map_err(pairs_error)?;
    let steps = steps(&around, kind, &pairs, maker.sign_out, first);
    if steps.is_empty() {
        return Ok(None);
    }
    // What is not empty is overwritten or cleared one by one, by whoever has seen it.
    if of_how_many > 1 && choice.pairs.is_empty() && steps.iter().any(|planned| overwrites(&planned.step)) {
        return Err(Refused::Overwrites(called, situation));
    }
    for step in &steps {
        if let Step::InsertRow { email, .. } = &step.step {
            let unfilled = if email.is_some() { &maker.unfilled.0 } else { &maker.unfilled.1 };
            if !unfilled.is_empty() {
                return Err(Refused::Unfilled { of: called, columns: unfilled.clone() });
            }
        }
    }
    let new = |pair: &&Pair| pair.mate == Mate::New;
    let inserted = pairs.iter().filter(new).filter_map(|pair| around.users.get(&pair.user));
    let rows_with_email: BTreeSet<String> = inserted.flat_map(|user| emails.of(user)).collect();
    Ok(Some(PlannedEntry {
        situation: situation.name().to_owned(),
        flags: entry.flags.iter().map(|flag| flag.name().to_owned()).collect(),
        reason: choice.reason.clone(),
        pairs: pairs.iter().filter_map(|pair| planned_pair(&around, pair)).collect(),
        facts: if is_safe { BTreeMap::new() } else { facts(maker.id, &around, &pairs) },
        steps,
        after: Vec::new(),
        rows_with_email: rows_with_email.into_iter().collect(),
    }))
}

/// Whether there is a repair for an entry, and whether it may be made beside others.
pub(crate) fn may_be_repaired(
    linker: &Linker,
    entry: &Entry,
    choice: &Choice,
    of_how_many: usize,
    called: &str,
) -> Result<(), Refused> {
    let situation = entry.situation;
    match situation {
        Situation::Linked
        | Situation::LinkedInactive
        | Situation::OrphanRow
        | Situation::DeadSub
        | Situation::UnlinkedInactive
        | Situation::JoinedProfile
        | Situation::Ignored
        | Situation::Reading
        | Situation::Unsettled => return Err(Refused::NoRepair(called.to_owned(), situation)),
        Situation::DuplicateRows if entry.users.is_empty() => {
            return Err(Refused::NoRepair(called.to_owned(), situation));
        }
        _ => {}
    }
    may_be_chosen(linker, situation, choice, of_how_many, called)
}

/// Whether records of an entry in this situation may be given to somebody or taken from somebody, and beside others.
fn may_be_chosen(
    linker: &Linker,
    situation: Situation,
    choice: &Choice,
    of_how_many: usize,
    called: &str,
) -> Result<(), Refused> {
    let is_moved = matches!(situation, Situation::RowTaken | Situation::FederatedTwin);
    if is_moved || situation.group() == Group::Linked {
        alone_and_with_reason(choice, of_how_many, called, situation)?;
    }
    if of_how_many > 1 && linker.rules().writable == Some(true) && situation.rests_on_attribute() {
        return Err(Refused::Writable(called.to_owned(), situation));
    }
    Ok(())
}

/// Whether a step takes away something that was not empty. What stands in a row and is no sub counts as none.
pub fn overwrites(step: &Step) -> bool {
    match step {
        Step::WriteUserId { expect, .. } | Step::ClearUserId { expect, .. } => {
            expect.as_deref().is_some_and(|value| !value.trim().is_empty())
        }
        Step::WriteSub { expect, .. } | Step::ClearSub { expect, .. } => {
            expect.as_deref().and_then(Sub::parse).is_some()
        }
        Step::InsertRow { .. } | Step::SignOut { .. } | Step::DisableUser { .. } | Step::EnableUser { .. } => false,
    }
}

/// Whoever moves what somebody else may have does so one at a time, and says why.
fn alone_and_with_reason(
    choice: &Choice,
    of_how_many: usize,
    called: &str,
    situation: Situation,
) -> Result<(), Refused> {
    if of_how_many > 1 {
        return Err(Refused::OneAtATime(called.to_owned(), situation));
    }
    if choice.reason.as_deref().is_none_or(|reason| reason.trim().is_empty()) {
        return Err(Refused::NeedsReason(called.to_owned(), situation));
    }
    Ok(())
}

fn planned_pair(around: &Around, pair: &Pair) -> Option<PlannedPair> {
    let row = match &pair.mate {
        Mate::Row(id) => Some(id.to_string()),
        Mate::New | Mate::None => None,
    };
    let username = around.users.get(&pair.user)?.username.as_str().to_owned();
    Some(PlannedPair { username, sub: pair.user.to_string(), row, new: pair.mate == Mate::New })
}

fn facts(plan: Uuid, around: &Around, pairs: &[Pair]) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    for pair in pairs {
        if let Some(user) = around.users.get(&pair.user) {
            facts.insert(pair.user.to_string(), facts_of_user(plan, user));
            facts.insert(format!("user id of {}", pair.user), facts_of_pointer(plan, user));
        }
        if let Mate::Row(id) = &pair.mate
            && let Some(row) = around.rows.get(id)
        {
            facts.insert(format!("row {id}"), facts_of_row(plan, row));
        }
    }
    facts
}
