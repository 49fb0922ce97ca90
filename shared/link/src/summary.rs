//! What is the matter with an entry, what the person sees whom it is about, and what can be done.

use userlink_domain::{PoolUser, Situation, Step, UserStatus};

use crate::case::Case;
use crate::entry::Repair;
use crate::rules::Coverage;

impl Case<'_> {
    pub(crate) fn summary(&self) -> String {
        let row = self.row_id();
        match self.situation {
            Situation::Linked => format!("Both pointers agree: the user names row {row}, and the row names the user."),
            Situation::LinkedInactive => {
                format!("Both pointers agree on row {row}, but this user is not expected to be linked.")
            }
            Situation::DuplicateRows => self.duplicate_rows(),
            Situation::DuplicateUserId => self.duplicate_user_id(),
            Situation::Swapped => "The pointers run in a circle: each user names another one's row.".into(),
            Situation::Tangled => "The pointers disagree: they tie more records together than belong together.".into(),
            Situation::DanglingUserId => format!("The user id {} names no row.", self.user_id()),
            Situation::DeadSubClaimed => {
                format!("The user names row {row}, whose sub {} names no pool user.", self.row_sub())
            }
            Situation::Stranded => {
                format!("Row {row} is tied to a profile that was joined to another user: nobody signs in with it.")
            }
            Situation::RowSideOnly => format!("Row {row} carries this user's sub; the user id is empty."),
            Situation::UserSideOnly => format!("The user names row {row}, and that row has no sub."),
            Situation::EmailMatch => {
                let joined = self.sharing.as_ref().is_some_and(|sharing| sharing.users > 1);
                let others = if joined { "only profiles that were joined have it, too" } else { "nobody else has it" };
                format!("No pointers. The user and row {row} share a verified e-mail, and {others}.")
            }
            Situation::Recreated => format!(
                "No pointers. The user and row {row} share a verified e-mail, but the row carries the sub of a user \
                 who is gone."
            ),
            Situation::Ambiguous => "No pointers, and more than one user or row has the verified e-mail.".into(),
            Situation::RowTaken => {
                "No pointers, and every row with the verified e-mail belongs to another entry.".into()
            }
            Situation::FederatedTwin => {
                "No pointers. A federated profile and another one share the verified e-mail.".into()
            }
            Situation::NoRow => "This user should be linked, and nothing names a row.".into(),
            Situation::OrphanRow => format!("A row without a sub that {}.", self.left_alone()),
            Situation::DeadSub => {
                format!("A row whose sub {} names no pool user, and that {}.", self.row_sub(), self.left_alone())
            }
            Situation::UnlinkedInactive => "A user who is not expected to be linked, and is not.".into(),
            Situation::JoinedProfile => "A federated profile that was joined to a native user, tied to no row.".into(),
            Situation::Ignored => {
                format!("Ignored: it is on the protected list. Else it would be {}.", self.base.words())
            }
            Situation::Reading => format!("Not known yet: {}.", self.missing()),
            Situation::Unsettled => "A record changed while the scan was reading: it has to be read again.".into(),
        }
    }

    fn duplicate_rows(&self) -> String {
        let doubled = self.doubled_subs();
        let Some((sub, rows)) = doubled.first() else { return String::new() };
        let of = if self.store().user_slot(*sub).is_some() {
            ": the application has this person more than once."
        } else {
            ", which names no pool user."
        };
        format!("{rows} rows carry the sub {sub}{of}{}", more(doubled.len() - 1, "sub is doubled", "subs are doubled"))
    }

    fn duplicate_user_id(&self) -> String {
        let doubled = self.doubled_ids();
        let Some((id, users)) = doubled.first() else { return String::new() };
        let of = if self.store().row_slot(id).is_some() {
            ": they see one another's data."
        } else {
            ", which names no row."
        };
        let more = more(doubled.len() - 1, "user id is doubled", "user ids are doubled");
        format!("{users} users carry the user id {id}{of}{more}")
    }

    /// Why nobody is put beside a row: no pointer counts, and no e-mail either.
    fn left_alone(&self) -> String {
        let row = self.rows.first().and_then(|row| self.store().row(row.slot));
        let unconfirmed = row.is_some_and(|row| self.store().unconfirmed_naming(row).next().is_some());
        let names = if unconfirmed { "only UNCONFIRMED users name" } else { "no user names" };
        let email = if self.sharing.is_some() { "no free user has its e-mail" } else { "it has no e-mail" };
        format!("{names}; {email}")
    }

    fn missing(&self) -> &'static str {
        match (self.linker.coverage.users, self.linker.coverage.rows) {
            (false, false) => "neither the pool nor the table has been read to its end",
            (false, true) => "the pool has not been read to its end",
            (true, false) => "the table has not been read to its end",
            (true, true) => "the scan has just ended",
        }
    }

    /// What the person sees whom this is about.
    pub(crate) fn today(&self) -> String {
        let signs = match &self.users[..] {
            [user] if user.status == UserStatus::ResetRequired => "Resets the password, signs in",
            _ => "Signs in",
        };
        let words = match self.situation {
            Situation::Ignored | Situation::Reading | Situation::Unsettled => return String::new(),
            Situation::Stranded | Situation::JoinedProfile => return "Signs in as the native user.".into(),
            _ if self.users.is_empty() => {
                let rows = if self.rows.len() == 1 { "this row" } else { "these rows" };
                return format!("Nobody signs in to {rows}.");
            }
            _ if !self.users.iter().any(|user| can_sign_in(user)) => return self.nobody_signs_in(),
            Situation::LinkedInactive | Situation::UnlinkedInactive => {
                return self.users.first().map_or_else(String::new, |user| not_expected(user));
            }
            Situation::Linked => " and works.",
            Situation::RowSideOnly
            | Situation::NoRow
            | Situation::EmailMatch
            | Situation::Recreated
            | Situation::Ambiguous
            | Situation::RowTaken
            | Situation::FederatedTwin => ", and the application does not know who it is.",
            Situation::DanglingUserId => " with an id that leads to nothing.",
            Situation::DuplicateUserId
                if !self.doubled_ids().iter().any(|(id, _)| self.store().row_slot(id).is_some()) =>
            {
                " with an id that leads to nothing."
            }
            Situation::UserSideOnly | Situation::DeadSubClaimed => {
                return "Sees the row's data where the application trusts the token.".into();
            }
            Situation::DuplicateUserId | Situation::Swapped | Situation::Tangled => {
                return "May see somebody else's data.".into();
            }
            Situation::DuplicateRows if self.has_doubled_user() => {
                return "Sees one of the rows, and which one depends on the query.".into();
            }
            Situation::DuplicateRows => {
                return "Sees the data of the row that the user id names where the application trusts the token."
                    .into();
            }
            // Entries without users have been answered.
            Situation::OrphanRow | Situation::DeadSub => return String::new(),
        };
        format!("{signs}{words}")
    }

    /// What the person sees once it is repaired.
    pub(crate) fn after(&self) -> String {
        let from_then = "from the next sign-in, or when the token is renewed";
        if !self.users.iter().any(|user| can_sign_in(user)) {
            return String::new();
        }
        match self.situation {
            Situation::RowSideOnly if self.has_blank_id() => String::new(),
            Situation::RowSideOnly | Situation::EmailMatch | Situation::Recreated => {
                format!("Signs in to row {}, {from_then}.", self.row_id())
            }
            Situation::UserSideOnly | Situation::DeadSubClaimed => {
                format!("Signs in to row {} by either pointer.", self.row_id())
            }
            Situation::DanglingUserId if !self.rows.is_empty() => {
                format!("Signs in to row {}, {from_then}.", self.row_id())
            }
            Situation::DanglingUserId | Situation::NoRow => format!("Signs in to a new row, {from_then}."),
            Situation::DuplicateUserId | Situation::Swapped | Situation::Tangled => {
                format!("Each signs in to the row that is chosen, {from_then}; until then tokens say what they said.")
            }
            Situation::DuplicateRows if self.has_doubled_user() => "Signs in to the row that is kept.".into(),
            Situation::Ambiguous | Situation::RowTaken | Situation::FederatedTwin => {
                format!("Signs in to the row that is chosen, {from_then}.")
            }
            Situation::DuplicateRows
            | Situation::Linked
            | Situation::LinkedInactive
            | Situation::Stranded
            | Situation::OrphanRow
            | Situation::DeadSub
            | Situation::UnlinkedInactive
            | Situation::JoinedProfile
            | Situation::Ignored
            | Situation::Reading
            | Situation::Unsettled => String::new(),
        }
    }

    fn nobody_signs_in(&self) -> String {
        match &self.users[..] {
            [user] => not_expected(user),
            _ => "None of these users can sign in.".into(),
        }
    }

    /// Whether a doubled sub is that of a pool user.
    fn has_doubled_user(&self) -> bool {
        self.doubled_subs().iter().any(|(sub, _)| self.store().user_slot(*sub).is_some())
    }

    /// Whether one of the users was contained, and no repair has written the id since.
    fn is_contained(&self) -> bool {
        self.users.iter().any(|user| self.linker.contained.contains(&user.sub))
    }

    pub(crate) fn repair(&self) -> Repair {
        let row = self.row_id();
        let words = match self.situation {
            Situation::RowSideOnly if self.has_blank_id() => {
                "None: the row's id is blank, and a blank value would delete the attribute.".into()
            }
            Situation::RowSideOnly if self.is_contained() => {
                format!("Write the user id, {row}, after a look: the user was contained.")
            }
            Situation::RowSideOnly => format!("Write the user id: {row}."),
            Situation::DuplicateRows if !self.has_doubled_user() => {
                "None: no pool user has that sub. It is only reported.".into()
            }
            Situation::DuplicateRows => "Choose the row to keep; the others lose their sub.".into(),
            Situation::DuplicateUserId => {
                "Choose whose the id is; the others get the row that carries their sub, or lose it.".into()
            }
            Situation::Swapped => "Write every user id of the circle, as one run; or choose.".into(),
            Situation::Tangled => "Choose the pairs.".into(),
            Situation::DanglingUserId if !self.rows.is_empty() => {
                format!("Write the row that carries the sub: {row}.")
            }
            Situation::DanglingUserId => "Insert a row and write its id; or clear the user id.".into(),
            Situation::DeadSubClaimed => "Write the user's sub on the row.".into(),
            Situation::Stranded => "Choose: tie the native user to the row, if that user has none.".into(),
            Situation::UserSideOnly => "Write the row's sub, after a look.".into(),
            Situation::EmailMatch => "Write the row's sub, then the user id, after a look.".into(),
            Situation::Recreated => "As for an e-mail match, with the old sub in view.".into(),
            Situation::Ambiguous => "Choose; or insert a row, knowing of the other.".into(),
            Situation::RowTaken | Situation::FederatedTwin => "Hold: by a person, one at a time, with a reason.".into(),
            Situation::NoRow => "Insert a row, then write its id.".into(),
            Situation::OrphanRow | Situation::DeadSub => "None: it is only reported.".into(),
            Situation::Reading => "None until both sides have been read.".into(),
            Situation::Unsettled => "None until it has been read again.".into(),
            Situation::Linked
            | Situation::LinkedInactive
            | Situation::UnlinkedInactive
            | Situation::JoinedProfile
            | Situation::Ignored => "Nothing to repair.".into(),
        };
        let mut steps = Vec::new();
        if self.situation == Situation::RowSideOnly
            && !self.has_blank_id()
            && let (Some(user), Some(row)) = (self.users.first(), self.rows.first())
        {
            steps.push(Step::WriteUserId {
                username: user.username.as_str().to_owned(),
                expect: user.user_id.as_deref().map(str::to_owned),
                value: row.id.to_string(),
            });
        }
        let safe = !steps.is_empty()
            && !self.flags.contains(userlink_domain::Flag::Contested)
            && !self.is_contained()
            && self.linker.coverage == Coverage::ALL;
        Repair { words, steps, safe }
    }
}

/// Whether Cognito lets a user with this status in, be it after a new password.
fn can_sign_in(user: &PoolUser) -> bool {
    user.enabled && user.status != UserStatus::Unconfirmed
}

/// What a user sees who is not expected to be linked.
fn not_expected(user: &PoolUser) -> String {
    if !user.enabled {
        "Cannot sign in: the user is disabled.".into()
    } else if user.status == UserStatus::Unconfirmed {
        "Cannot sign in until the sign-up is confirmed.".into()
    } else if user.status == UserStatus::ForceChangePassword {
        "Can sign in with the temporary password, and then has to choose another.".into()
    } else {
        format!("Whether a user can sign in whose status is {} is not known.", user.status.as_str())
    }
}

fn more(count: usize, one: &str, many: &str) -> String {
    match count {
        0 => String::new(),
        1 => format!(" One more {one}."),
        count => format!(" {count} more {many}."),
    }
}
