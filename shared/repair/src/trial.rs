//! A plan tried in memory: its changes are made in the linker, what they lead to is looked at, and they are taken back.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use userlink_domain::{IdKind, PoolUser, RecordRef, Row, RowId, Situation, Step, Sub};
use userlink_link::{Change, Lead, Linker};

use crate::pairs::PlannedStep;

/// What a record's entry was and would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    pub of: RecordRef,
    /// The user's name, for people.
    pub username: Option<String>,
    pub before: Option<Situation>,
    pub after: Option<Situation>,
    /// Whose entry it is in before, and afterwards.
    pub(crate) with: (Option<Lead>, Option<Lead>),
}

/// What came of trying.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trial {
    /// By the record.
    pub turns: BTreeMap<RecordRef, Turn>,
}

/// The records that steps are about, as they would be after them.
pub(crate) fn changes(linker: &Linker, steps: &[PlannedStep]) -> Vec<Change> {
    let kind = linker.rules().id_kind;
    let mut users: HashMap<Sub, PoolUser> = HashMap::new();
    let mut rows: BTreeMap<RowId, Row> = BTreeMap::new();
    let mut made: HashMap<i64, RowId> = HashMap::new();
    for planned in steps {
        let sub = planned.sub.as_deref().and_then(Sub::parse);
        match &planned.step {
            Step::WriteSub { row, value, .. } => set_sub(linker, kind, &mut rows, row, Some(value)),
            Step::ClearSub { row, .. } => set_sub(linker, kind, &mut rows, row, None),
            Step::InsertRow { sub, email, .. } => {
                let id = unused(linker, kind);
                let new = Row {
                    sub: Some(sub.as_str().into()),
                    email: email.as_deref().map(Into::into),
                    ..Row::new(id.clone())
                };
                rows.insert(id.clone(), new);
                made.insert(planned.number, id);
            }
            Step::WriteUserId { value, .. } => {
                let of_row = planned.row_of_step.and_then(|number| made.get(&number)).map(ToString::to_string);
                let value = of_row.unwrap_or_else(|| value.clone());
                change_user(linker, &mut users, sub, |user| user.user_id = Some(value.into()));
            }
            Step::ClearUserId { .. } => change_user(linker, &mut users, sub, |user| user.user_id = None),
            Step::DisableUser { .. } => change_user(linker, &mut users, sub, |user| user.enabled = false),
            Step::EnableUser { .. } => change_user(linker, &mut users, sub, |user| user.enabled = true),
            Step::SignOut { .. } => {}
        }
    }
    rows.into_values().map(Change::Row).chain(users.into_values().map(Change::User)).collect()
}

fn set_sub(linker: &Linker, kind: IdKind, rows: &mut BTreeMap<RowId, Row>, row: &str, sub: Option<&str>) {
    let Some(id) = RowId::parse(kind, row) else { return };
    let held = || linker.entry(&RecordRef::Row(id.clone()))?.rows.into_iter().find(|row| row.id == id);
    if let Some(row) = rows.remove(&id).or_else(held) {
        rows.insert(id, Row { sub: sub.map(Into::into), ..row });
    }
}

fn change_user(
    linker: &Linker,
    users: &mut HashMap<Sub, PoolUser>,
    sub: Option<Sub>,
    change: impl FnOnce(&mut PoolUser),
) {
    let Some(sub) = sub else { return };
    let held = || linker.entry(&RecordRef::User(sub))?.users.into_iter().find(|user| user.sub == sub);
    if let Some(mut user) = users.remove(&sub).or_else(held) {
        change(&mut user);
        users.insert(sub, user);
    }
}

/// An id that no row has, and that nobody can have named before: the row that will be inserted gets its own from the database.
fn unused(linker: &Linker, kind: IdKind) -> RowId {
    loop {
        let random = uuid::Uuid::now_v7();
        let id = match kind {
            IdKind::Uuid => RowId::Uuid(random),
            IdKind::BigInt => RowId::BigInt((random.as_u128() as u64 | 1 << 63).cast_signed()),
            IdKind::Text => RowId::Text(format!("\u{1}new-{random}").into()),
        };
        if linker.entry(&RecordRef::Row(id.clone())).is_none() {
            return id;
        }
    }
}

/// Makes the changes, looks, and takes them back. The linker is as it was afterwards.
pub fn attempt(linker: &mut Linker, steps: &[PlannedStep]) -> Trial {
    let changes = changes(linker, steps);
    let back = changes.iter().rev().filter_map(|change| linker.held(change));
    let back: Vec<Change> = back.chain(changes.iter().filter_map(|change| linker.held_unsettled(change))).collect();
    let touched = linker.apply(&changes).changed;
    let mut trial = Trial::default();
    let mut seen = BTreeSet::new();
    for lead in &touched {
        let Some(entry) = linker.entry(lead) else { continue };
        let (after, with) = (Some(entry.situation), (None, linker.lead_of(lead)));
        let users = entry.users.iter().map(|user| (RecordRef::User(user.sub), Some(user.username.as_str().to_owned())));
        for (of, username) in users.chain(entry.rows.iter().map(|row| (RecordRef::Row(row.id.clone()), None))) {
            if seen.insert(of.clone()) {
                trial.turns.insert(of.clone(), Turn { of, username, before: None, after, with });
            }
        }
    }
    linker.apply(&back);
    for turn in trial.turns.values_mut() {
        turn.before = linker.entry(&turn.of).map(|entry| entry.situation);
        turn.with.0 = linker.lead_of(&turn.of);
    }
    trial
}

impl Trial {
    /// Whoever is not named and would be tied to a row by this, or be the only one left who claims one.
    pub(crate) fn bystander(&self, named: impl Fn(&RecordRef) -> bool) -> Option<&Turn> {
        self.turns.values().find(|turn| {
            let user = matches!(turn.of, RecordRef::User(_));
            let tied = matches!(
                turn.after,
                Some(
                    Situation::Linked
                        | Situation::LinkedInactive
                        | Situation::UserSideOnly
                        | Situation::DeadSubClaimed
                        | Situation::RowSideOnly
                )
            );
            user && !named(&turn.of) && tied && turn.before != turn.after
        })
    }
}
