//! From a scan to a plan: what is chosen, guarded, tried in memory, and frozen. Pure: no I/O, no clock.
//!
//! There are two ways in, and they are types: [`Selection::SafeInBulk`], which takes what is safe without a look and nothing
//! else, and [`Selection::Chosen`], the entries that a person looked at.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use userlink_domain::{EmailKey, Flag, PoolUser, RecordRef, RowId, Situation, Step, Sub, Timestamp};
use userlink_link::{Coverage, Entry, Linker};
use uuid::Uuid;

use crate::candidates::recommended;
use crate::file::{
    After, Kind, Origin, Plan, PlannedEntry, PlannedPair, facts_of_pointer, facts_of_row, facts_of_user,
};
use crate::pairs::{Around, Choice, Mate, Pair, PairsError, PlannedStep, complete, steps};
use crate::refused::Refused;
use crate::trial::{Trial, attempt};

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
    /// A plan may touch this many users, or this share of the pool, whichever is more.
    pub users: u64,
    pub share: f64,
    /// A person knows that one side is empty.
    pub empty_side: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { users: 50, share: 0.001, empty_side: false }
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
    let mut notes = incidents(linker, users, rows);
    let choices = match selection {
        Selection::SafeInBulk => safe(linker, &mut notes),
        Selection::Chosen(choices) => choices.clone(),
    };
    let mut entries: Vec<PlannedEntry> = Vec::new();
    let mut first = 1;
    let mut taken = HashSet::new();
    let emails = Emails::of_inserts(linker, &choices);
    for choice in &choices {
        let entry = chosen(linker, choice, &maker, first, choices.len(), &emails)?;
        let Some(entry) = entry else { continue };
        for name in entry
            .pairs
            .iter()
            .map(|pair| pair.sub.clone())
            .chain(entry.pairs.iter().filter_map(|pair| pair.row.clone()))
        {
            if !taken.insert(name.clone()) {
                return Err(Refused::Twice(name));
            }
        }
        first += i64::try_from(entry.steps.len()).unwrap_or_default();
        entries.push(entry);
    }
    if entries.is_empty() {
        return Err(Refused::Nothing);
    }
    let touched =
        entries.iter().flat_map(|entry| &entry.pairs).map(|pair| &pair.sub).collect::<HashSet<_>>().len() as u64;
    let limit = limits.users.max((users as f64 * limits.share) as u64);
    if touched > limit {
        return Err(Refused::OverThreshold { users: touched, limit, of: users });
    }
    tried(linker, &mut entries, true)?;
    if linker.rules().writable.is_none() && matches!(selection, Selection::Chosen(_)) {
        notes.push("Whether users can write the attribute themselves is not known.".into());
    }
    Ok(Plan::freeze(Kind::Repair, maker.by, maker.at, maker.origin, entries, notes, maker.id))
}

/// A plan that keeps a user from what is not theirs: the id goes, the sessions end, and on request nobody signs in.
///
/// # Errors
/// Where the user was not scanned, or somebody who is not named would gain by it.
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
    tried(linker, &mut entries, false)?;
    Ok(Plan::freeze(Kind::Contain, maker.by, maker.at, maker.origin, entries, Vec::new(), maker.id))
}

/// What is safe without a look at each.
fn safe(linker: &Linker, notes: &mut Vec<String>) -> Vec<Choice> {
    let mut held = 0;
    let all = linker.of_situation(|situation| situation == Situation::RowSideOnly);
    let choices = all.into_iter().filter_map(|of| {
        let entry = linker.entry(&of)?;
        let safe = !entry.flags.contains(Flag::Contested) && linker.explain(&of).is_some_and(|why| why.repair.safe);
        held += u64::from(!safe);
        safe.then_some(Choice { of, pairs: Vec::new(), reason: None })
    });
    let choices = choices.collect();
    if held > 0 {
        notes.push(format!(
            "{held} more are row side only and held back: somebody else speaks for the row. Look at each."
        ));
    }
    choices
}

/// A mass of one kind is one incident, and no heap of repairs.
fn incidents(linker: &Linker, users: u64, rows: u64) -> Vec<String> {
    let counts = linker.counts();
    let found = userlink_link::incidents(|situation| counts.of(situation), users, rows);
    found.into_iter().map(|it| format!("One incident: {} {}.", it.count, it.words)).collect()
}

/// The rows that have the e-mails of users for whom a row is to be inserted.
struct Emails(HashMap<EmailKey, Vec<RowId>>);

impl Emails {
    fn of_inserts(linker: &Linker, choices: &[Choice]) -> Self {
        let mut wanted: HashMap<EmailKey, Vec<RowId>> = HashMap::new();
        for choice in choices {
            let pairs = &choice.pairs;
            let recommended = pairs.is_empty().then(|| recommended(linker, &choice.of)).flatten();
            let recommended = recommended.map(|it| it.pairs).unwrap_or_default();
            for pair in pairs.iter().chain(&recommended).filter(|pair| pair.mate == Mate::New) {
                let entry = linker.entry(&RecordRef::User(pair.user));
                let user = entry.and_then(|entry| entry.users.into_iter().find(|user| user.sub == pair.user));
                let key = user.and_then(|user| EmailKey::of(user.email.as_deref()?));
                wanted.extend(key.map(|key| (key, Vec::new())));
            }
        }
        if !wanted.is_empty() {
            for entry in linker.of_situation(|_| true).iter().filter_map(|of| linker.entry(of)) {
                for row in &entry.rows {
                    if let Some(rows) = row.email_key().and_then(|key| wanted.get_mut(&key)) {
                        rows.push(row.id.clone());
                    }
                }
            }
        }
        Self(wanted)
    }

    fn of(&self, user: &PoolUser) -> Vec<String> {
        let key = user.email.as_deref().and_then(EmailKey::of);
        key.and_then(|key| self.0.get(&key)).into_iter().flatten().map(ToString::to_string).collect()
    }
}

fn name(of: &RecordRef) -> String {
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
    let kind = linker.rules().id_kind;
    let around = Around::of(linker, &choice.of, &pairs).map_err(pairs_error)?;
    if around.takes {
        alone_and_with_reason(choice, of_how_many, &called, situation)?;
    }
    let pairs = complete(&around, kind, &pairs).map_err(pairs_error)?;
    let steps = steps(&around, kind, &pairs, maker.sign_out, first);
    if steps.is_empty() {
        return Ok(None);
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
        facts: if situation == Situation::RowSideOnly { BTreeMap::new() } else { facts(maker.id, &around, &pairs) },
        steps,
        after: Vec::new(),
        rows_with_email: rows_with_email.into_iter().collect(),
    }))
}

fn may_be_repaired(
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
        Situation::RowTaken | Situation::FederatedTwin => {
            alone_and_with_reason(choice, of_how_many, called, situation)?;
        }
        _ => {}
    }
    if of_how_many > 1 && linker.rules().writable == Some(true) && situation.rests_on_attribute() {
        return Err(Refused::Writable(called.to_owned(), situation));
    }
    Ok(())
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

/// Tries all of it in memory, and notes what each record will be.
fn tried(linker: &mut Linker, entries: &mut [PlannedEntry], strict: bool) -> Result<(), Refused> {
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
