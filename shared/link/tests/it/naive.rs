//! The contract once more, word by word and slowly: every question goes through all records.
//!
//! Written from the page alone. It shares the comparing of keys with the product, and nothing else.

use std::collections::{BTreeSet, HashSet};

use userlink_domain::{Flag, IdKind, Identity, PoolUser, RecordRef, Row, RowId, Situation, UserStatus};

/// What is said of an entry: its situation, its flags and its records.
pub(crate) type Said = (Situation, Vec<Flag>, BTreeSet<RecordRef>);

pub(crate) struct Naive<'a> {
    pub(crate) kind: IdKind,
    pub(crate) users: &'a [PoolUser],
    pub(crate) rows: &'a [Row],
    pub(crate) protected: &'a HashSet<RecordRef>,
    pub(crate) unsettled: &'a HashSet<RecordRef>,
    pub(crate) writable: Option<bool>,
}

/// Without regard to case: letter by letter, so that no letter's neighbours change what it folds to.
fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

impl Naive<'_> {
    fn parsed(&self, user: &PoolUser) -> Option<RowId> {
        user.user_id().and_then(|text| RowId::parse(self.kind, text))
    }

    fn counts(&self, user: &PoolUser) -> bool {
        user.status != UserStatus::Unconfirmed
            || self.rows.iter().any(|row| Some(&row.id) == self.parsed(user).as_ref() && row.sub() == Some(user.sub))
    }

    fn names(&self, user: &PoolUser) -> Option<RowId> {
        self.parsed(user).filter(|_| self.counts(user))
    }

    fn is_empty(&self, user: &PoolUser) -> bool {
        user.user_id().is_none() || !self.counts(user)
    }

    /// The native users whose identities name the profile.
    fn natives(&self, user: &PoolUser) -> Vec<&PoolUser> {
        let name = user.username.as_str();
        let means = |i: &Identity| {
            name.match_indices('_')
                .any(|(at, _)| fold(&name[..at]) == fold(&i.provider) && name[at + 1..] == *i.user_id)
        };
        let natives = self.users.iter().filter(|native| user.is_federated() && !native.is_federated());
        natives.filter(|native| native.identities.iter().any(means)).collect()
    }

    fn is_joined(&self, user: &PoolUser) -> bool {
        !self.natives(user).is_empty()
    }

    /// Every entry.
    pub(crate) fn entries(&self) -> Vec<Said> {
        let mut out = Vec::new();
        let mut free_users = Vec::new();
        let mut free_rows = Vec::new();
        for (users, rows) in self.components() {
            if users.is_empty() && rows.len() == 1 {
                free_rows.push(rows[0]);
            } else if rows.is_empty() && users.len() == 1 && self.is_empty(users[0]) {
                if self.is_joined(users[0]) {
                    out.push((Situation::JoinedProfile, users, rows));
                } else if !users[0].is_expected() {
                    out.push((Situation::UnlinkedInactive, users, rows));
                } else {
                    free_users.push(users[0]);
                }
            } else {
                out.push((self.step_two(&users, &rows), users, rows));
            }
        }
        self.correlate(&free_users, &free_rows, &mut out);
        out.into_iter().map(|(situation, users, rows)| self.said(situation, &users, &rows)).collect()
    }

    fn components(&self) -> Vec<(Vec<&PoolUser>, Vec<&Row>)> {
        let mut keys: Vec<(BTreeSet<String>, RecordRef)> = Vec::new();
        for user in self.users {
            let id = self.names(user).map(|id| format!("id:{id}"));
            keys.push(([format!("sub:{}", user.sub)].into_iter().chain(id).collect(), RecordRef::User(user.sub)));
        }
        for row in self.rows {
            let sub = row.sub().map(|sub| format!("sub:{sub}"));
            keys.push(([format!("id:{}", row.id)].into_iter().chain(sub).collect(), RecordRef::Row(row.id.clone())));
        }
        let mut groups: Vec<(BTreeSet<String>, BTreeSet<RecordRef>)> = Vec::new();
        for (mut held, record) in keys {
            let mut members = BTreeSet::from([record]);
            groups.retain(|(others, records)| {
                let shares = !others.is_disjoint(&held);
                if shares {
                    members.extend(records.iter().cloned());
                    held.extend(others.iter().cloned());
                }
                !shares
            });
            groups.push((held, members));
        }
        let users = |members: &BTreeSet<RecordRef>| {
            self.users.iter().filter(|u| members.contains(&RecordRef::User(u.sub))).collect()
        };
        let rows = |members: &BTreeSet<RecordRef>| {
            self.rows.iter().filter(|r| members.contains(&RecordRef::Row(r.id.clone()))).collect()
        };
        groups.iter().map(|(_, members)| (users(members), rows(members))).collect()
    }

    fn step_two(&self, users: &[&PoolUser], rows: &[&Row]) -> Situation {
        let twice = |items: Vec<String>| items.iter().collect::<BTreeSet<_>>().len() < items.len();
        if twice(rows.iter().filter_map(|row| row.sub()).map(|sub| sub.to_string()).collect()) {
            return Situation::DuplicateRows;
        }
        if twice(users.iter().filter_map(|user| self.names(user)).map(|id| id.to_string()).collect()) {
            return Situation::DuplicateUserId;
        }
        if users.iter().any(|user| self.is_on_long_cycle(user)) {
            return Situation::Swapped;
        }
        if users.len() + rows.len() >= 3 {
            return Situation::Tangled;
        }
        let (user, row) = (users[0], rows.first());
        if self.is_joined(user) {
            return if row.is_some() { Situation::Stranded } else { Situation::JoinedProfile };
        }
        let there = row.is_some_and(|row| self.names(user) == Some(row.id.clone()));
        let back = row.is_some_and(|row| row.sub() == Some(user.sub));
        if there && back {
            return if user.is_expected() { Situation::Linked } else { Situation::LinkedInactive };
        }
        if !user.is_expected() {
            return Situation::UnlinkedInactive;
        }
        if back {
            return if self.is_empty(user) { Situation::RowSideOnly } else { Situation::DanglingUserId };
        }
        match row {
            Some(row) if there && row.sub().is_none() => Situation::UserSideOnly,
            Some(_) if there => Situation::DeadSubClaimed,
            _ => Situation::DanglingUserId,
        }
    }

    fn is_on_long_cycle(&self, start: &PoolUser) -> bool {
        let mut at = start;
        for length in 1..=self.users.len() {
            let row = self.names(at).and_then(|id| self.rows.iter().find(|row| row.id == id));
            let next = row.and_then(Row::sub).and_then(|sub| self.users.iter().find(|user| user.sub == sub));
            match next {
                Some(next) if next.sub == start.sub => return length >= 2,
                Some(next) => at = next,
                None => return false,
            }
        }
        false
    }

    fn correlate<'a>(
        &'a self,
        free_users: &[&'a PoolUser],
        free_rows: &[&'a Row],
        out: &mut Vec<(Situation, Vec<&'a PoolUser>, Vec<&'a Row>)>,
    ) {
        let row_alone = |row: &Row| if row.sub().is_some() { Situation::DeadSub } else { Situation::OrphanRow };
        let mut emails = BTreeSet::new();
        for user in free_users {
            match user.verified_email() {
                Some(email) => drop(emails.insert(email)),
                None => out.push((Situation::NoRow, vec![user], vec![])),
            }
        }
        for row in free_rows {
            match row.email_key() {
                Some(email) => drop(emails.insert(email)),
                None => out.push((row_alone(row), vec![], vec![row])),
            }
        }
        for email in emails {
            let has = |user: &&PoolUser| user.verified_email().as_ref() == Some(&email);
            let fu: Vec<&PoolUser> = free_users.iter().copied().filter(has).collect();
            let fr: Vec<&Row> = free_rows.iter().copied().filter(|r| r.email_key().as_ref() == Some(&email)).collect();
            let is_free = |user: &&PoolUser| fu.iter().any(|free| free.sub == user.sub);
            let ou: Vec<&PoolUser> =
                self.users.iter().filter(has).filter(|u| !is_free(u) && !self.is_joined(u)).collect();
            let or = self.rows.iter().filter(|r| r.email_key().as_ref() == Some(&email)).count() - fr.len();
            if fu.is_empty() {
                out.extend(fr.iter().map(|row| (row_alone(row), vec![], vec![*row])));
            } else if fu.len() + ou.len() >= 2 && fu.iter().chain(&ou).any(|user| user.is_federated()) {
                out.push((Situation::FederatedTwin, fu, fr));
            } else if fr.is_empty() && or > 0 {
                out.extend(fu.iter().map(|user| (Situation::RowTaken, vec![*user], vec![])));
            } else if fu.len() == 1 && ou.is_empty() && fr.is_empty() && or == 0 {
                out.push((Situation::NoRow, fu, fr));
            } else if fu.len() == 1 && ou.is_empty() && fr.len() == 1 && or == 0 {
                let dead = fr[0].sub().is_some();
                out.push((if dead { Situation::Recreated } else { Situation::EmailMatch }, fu, fr));
            } else {
                out.push((Situation::Ambiguous, fu, fr));
            }
        }
    }

    fn said(&self, situation: Situation, users: &[&PoolUser], rows: &[&Row]) -> Said {
        let mut flags = BTreeSet::new();
        let differs = |user: &PoolUser, row: &Row| matches!((user.verified_email(), row.email_key()), (Some(a), Some(b)) if a != b);
        for user in users {
            for row in rows {
                let there = self.names(user) == Some(row.id.clone());
                if (there || row.sub() == Some(user.sub)) && differs(user, row) {
                    flags.insert(Flag::EmailDiffers);
                }
                if there && user.user_id() != Some(row.id.to_string().as_str()) {
                    flags.insert(Flag::NonCanonicalId);
                }
            }
        }
        let inside = |user: &PoolUser| users.iter().any(|inside| inside.sub == user.sub);
        let rival = |user: &PoolUser, row: &Row| {
            let same = user.verified_email().is_some() && user.verified_email() == row.email_key();
            let writes = user.status == UserStatus::Unconfirmed && self.parsed(user) == Some(row.id.clone());
            // A profile that was joined to a user of this entry is that user.
            (same && !self.natives(user).into_iter().any(inside)) || (writes && !self.counts(user))
        };
        if rows.iter().any(|row| self.users.iter().any(|user| !inside(user) && rival(user, row))) {
            flags.insert(Flag::Contested);
        }
        let members: BTreeSet<RecordRef> = users
            .iter()
            .map(|user| RecordRef::User(user.sub))
            .chain(rows.iter().map(|row| RecordRef::Row(row.id.clone())))
            .collect();
        let situation = match () {
            () if members.iter().any(|of| self.protected.contains(of)) => Situation::Ignored,
            () if members.iter().any(|of| self.unsettled.contains(of)) => Situation::Unsettled,
            () => situation,
        };
        if self.writable == Some(true) && RESTS_ON_THE_ATTRIBUTE.contains(&situation) {
            flags.insert(Flag::Writable);
        }
        (situation, flags.into_iter().collect(), members)
    }
}

/// Rule 8.
const RESTS_ON_THE_ATTRIBUTE: [Situation; 6] = [
    Situation::UserSideOnly,
    Situation::DeadSubClaimed,
    Situation::DanglingUserId,
    Situation::DuplicateUserId,
    Situation::Swapped,
    Situation::Tangled,
];
