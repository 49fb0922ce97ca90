//! Pairs: for each user that a repair touches the row that it is tied to in the end, or none. And the steps that follow.
//!
//! Rows come before attributes, and clearing before writing. Wherever it is cut short nobody sees a row that they did not see
//! before: a `user_id` is only written once the row carries the user's sub.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use userlink_domain::{IdKind, Mate, Pair, PoolUser, RecordRef, Row, RowId, Situation, Step, Sub, UserStatus};
use userlink_link::Linker;

/// A step with its place in a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// Counted from 1 over the whole plan.
    pub number: i64,
    /// The sub of the user whom the step is about.
    #[serde(rename = "about")]
    pub sub: Option<String>,
    #[serde(flatten)]
    pub step: Step,
    /// The value is the id of the row that this step inserts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_of_step: Option<i64>,
}

/// Why no steps follow from pairs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PairsError {
    #[error("{0} is not among what was scanned.")]
    Unknown(String),
    #[error("User {0} stands in two pairs.")]
    UserTwice(String),
    #[error("Row {0} stands in two pairs.")]
    RowTwice(String),
    #[error("Row {row} carries the sub of user {user}, who is not named: say what becomes of that user.")]
    Unnamed { row: String, user: String },
    #[error(
        "User {0} is not one that should be linked: it is disabled, not confirmed, or a profile that was joined to another. \
         It can keep a row that carries its sub, and get no other."
    )]
    NotExpected(String),
    #[error("The id of row {0} is blank or too long for an attribute.")]
    Id(String),
    #[error("{0} is {1}: it is left alone.")]
    Held(String, Situation),
}

/// The records around the pairs: their whole components.
pub(crate) struct Around {
    pub(crate) users: BTreeMap<Sub, PoolUser>,
    pub(crate) rows: BTreeMap<RowId, Row>,
    /// Federated profiles that were joined to a native user.
    joined: BTreeSet<Sub>,
    /// In which the records are.
    pub(crate) situations: BTreeSet<Situation>,
}

impl Around {
    pub(crate) fn of(linker: &Linker, of: &RecordRef, pairs: &[Pair]) -> Result<Self, PairsError> {
        let mut around = Self {
            users: BTreeMap::new(),
            rows: BTreeMap::new(),
            joined: BTreeSet::new(),
            situations: BTreeSet::new(),
        };
        let mut named: BTreeSet<RecordRef> = BTreeSet::from([of.clone()]);
        for pair in pairs {
            named.insert(RecordRef::User(pair.user));
            if let Mate::Row(id) = &pair.mate {
                named.insert(RecordRef::Row(id.clone()));
            }
        }
        for record in named {
            let unknown = || match &record {
                RecordRef::User(sub) => PairsError::Unknown(format!("User {sub}")),
                RecordRef::Row(id) => PairsError::Unknown(format!("Row {id}")),
            };
            let entry = linker.entry(&record).ok_or_else(unknown)?;
            match entry.situation {
                Situation::Ignored | Situation::Reading | Situation::Unsettled => {
                    let name = match &record {
                        RecordRef::User(sub) => format!("User {sub}"),
                        RecordRef::Row(id) => format!("Row {id}"),
                    };
                    return Err(PairsError::Held(name, entry.situation));
                }
                situation => around.situations.insert(situation),
            };
            around.users.extend(entry.users.into_iter().map(|user| (user.sub, user)));
            around.rows.extend(entry.rows.into_iter().map(|row| (row.id.clone(), row)));
        }
        around.joined = around.users.keys().copied().filter(|sub| linker.is_joined(*sub)).collect();
        Ok(around)
    }

    /// Whoever should not be linked is tied to nothing anew, but keeps the row that carries its sub.
    fn may_have(&self, user: &PoolUser, mate: &Mate) -> bool {
        let its_own = |id| self.rows.get(id).is_some_and(|row| row.sub() == Some(user.sub));
        match mate {
            Mate::None => true,
            Mate::Row(id) if its_own(id) => true,
            Mate::Row(_) | Mate::New => user.is_expected() && !self.joined.contains(&user.sub),
        }
    }

    fn claim(&self, kind: IdKind, user: &PoolUser) -> Option<RowId> {
        RowId::parse(kind, user.user_id()?)
    }
}

/// The pairs, with those added that follow: whoever else names a row that is somebody's in the end gets the row that carries its
/// sub, if there is one, or loses its `user_id`.
pub(crate) fn complete(around: &Around, kind: IdKind, pairs: &[Pair]) -> Result<Vec<Pair>, PairsError> {
    let mut named = BTreeSet::new();
    let mut given = BTreeSet::new();
    for Pair { user, mate } in pairs {
        let name = || around.users.get(user).map_or_else(|| user.to_string(), |user| user.username.as_str().to_owned());
        if !named.insert(*user) {
            return Err(PairsError::UserTwice(name()));
        }
        let Some(there) = around.users.get(user) else { return Err(PairsError::Unknown(format!("User {user}"))) };
        if !around.may_have(there, mate) {
            return Err(PairsError::NotExpected(name()));
        }
        if let Mate::Row(id) = mate {
            let text = id.to_string();
            if text.trim().is_empty() || text.chars().count() > 2048 {
                return Err(PairsError::Id(text.chars().take(100).collect()));
            }
            if !given.insert(id) {
                return Err(PairsError::RowTwice(text));
            }
        }
    }
    let unnamed = |row: &Row, user: &PoolUser| {
        let (row, user) = (row.id.to_string(), user.username.as_str().to_owned());
        PairsError::Unnamed { row, user }
    };
    let mut carried: HashMap<Sub, Vec<&Row>> = HashMap::new();
    for row in around.rows.values() {
        let Some(carrier) = row.sub().and_then(|sub| around.users.get(&sub)) else { continue };
        if given.contains(&row.id) && !named.contains(&carrier.sub) {
            return Err(unnamed(row, carrier));
        }
        carried.entry(carrier.sub).or_default().push(row);
    }
    let mut claims: HashMap<RowId, Vec<&PoolUser>> = HashMap::new();
    // What an UNCONFIRMED user claims does not count, and is nobody's to take away.
    for user in around.users.values().filter(|user| user.status != UserStatus::Unconfirmed) {
        if let Some(id) = around.claim(kind, user) {
            claims.entry(id).or_default().push(user);
        }
    }
    let mut all = pairs.to_vec();
    let mut at = 0;
    // The row that somebody gets in place of another may be claimed as well.
    while let Some(Pair { mate, .. }) = all.get(at) {
        let claimants = if let Mate::Row(id) = mate { claims.remove(id).unwrap_or_default() } else { Vec::new() };
        for user in claimants {
            if named.insert(user.sub) {
                let mate = match carried.get(&user.sub).map_or(&[][..], Vec::as_slice) {
                    [] => Mate::None,
                    [own] => Mate::Row(own.id.clone()),
                    [own, ..] => return Err(unnamed(own, user)),
                };
                all.push(Pair { user: user.sub, mate });
            }
        }
        at += 1;
    }
    Ok(all)
}

/// The steps that make the pairs, counted from `first`. Whoever had a `user_id` that changes is signed out where that is
/// wanted.
pub(crate) fn steps(around: &Around, kind: IdKind, pairs: &[Pair], sign_out: bool, first: i64) -> Vec<PlannedStep> {
    let mut made = Vec::new();
    let mut add = |sub: Sub, step: Step, row_of_step: Option<i64>| {
        let number = first + i64::try_from(made.len()).unwrap_or(i64::MAX - first);
        made.push(PlannedStep { number, sub: Some(sub.to_string()), step, row_of_step });
        number
    };
    let text = |raw: &Option<Box<str>>| raw.as_deref().map(str::to_owned);
    let mut now: HashMap<&RowId, Option<String>> = around.rows.iter().map(|(id, row)| (id, text(&row.sub))).collect();

    let given = |id: &RowId| pairs.iter().any(|pair| matches!(&pair.mate, Mate::Row(row) if row == id));
    for Pair { user, mate } in pairs {
        let carries = |row: &&Row| row.sub() == Some(*user) && *mate != Mate::Row(row.id.clone());
        // A row that is given to somebody is written over, unless its sub is wanted on another row first.
        let stays = |row: &&Row| given(&row.id) && !matches!(mate, Mate::Row(_) | Mate::New);
        for row in around.rows.values().filter(|row| carries(row) && !stays(row)) {
            add(*user, Step::ClearSub { row: row.id.to_string(), expect: text(&row.sub) }, None);
            now.insert(&row.id, None);
        }
    }
    for Pair { user, mate } in pairs {
        let Mate::Row(id) = mate else { continue };
        let carried = now.get(id).cloned().flatten();
        if carried.as_deref().and_then(Sub::parse) != Some(*user) {
            add(*user, Step::WriteSub { row: id.to_string(), expect: carried, value: user.to_string() }, None);
        }
    }
    let mut inserted = HashMap::new();
    for Pair { user, mate } in pairs {
        if *mate == Mate::New {
            let email = around.users.get(user).filter(|user| user.email_verified).and_then(|user| text(&user.email));
            let step = Step::InsertRow { sub: user.to_string(), email, columns: BTreeMap::new() };
            inserted.insert(*user, add(*user, step, None));
        }
    }
    let users = || pairs.iter().filter_map(|pair| Some((pair, around.users.get(&pair.user)?)));
    let mut changed = Vec::new();
    for (pair, user) in users() {
        if pair.mate == Mate::None && user.user_id().is_some() {
            let username = user.username.as_str().to_owned();
            add(pair.user, Step::ClearUserId { username, expect: text(&user.user_id) }, None);
            changed.push(user);
        }
    }
    for (pair, user) in users() {
        let (value, row_of_step) = match &pair.mate {
            Mate::Row(id) if around.claim(kind, user).as_ref() != Some(id) => (id.to_string(), None),
            Mate::New => {
                let number = inserted.get(&pair.user).copied();
                (format!("(the row of step {})", number.unwrap_or_default()), number)
            }
            Mate::Row(_) | Mate::None => continue,
        };
        let (username, expect) = (user.username.as_str().to_owned(), text(&user.user_id));
        add(pair.user, Step::WriteUserId { username, expect, value }, row_of_step);
        changed.extend(Some(user).filter(|user| user.user_id().is_some()));
    }
    for user in changed.into_iter().filter(|_| sign_out) {
        add(user.sub, Step::SignOut { username: user.username.as_str().to_owned() }, None);
    }
    made
}
