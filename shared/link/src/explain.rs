//! Why an entry has its situation, why a candidate was passed over, and what can be done: made on demand.
//!
//! Values stand in these sentences as they came; whoever shows them makes them safe first.

use userlink_domain::{Flag, PoolUser, RecordRef, Row, Situation, Step};

use crate::entries::Slot;
use crate::entry::{Because, Explanation, Related, Repair};
use crate::flags::rivals;
use crate::linker::Linker;
use crate::rules::Coverage;

/// More related records than a person can weigh are not listed.
const RELATED_AT_MOST: usize = 50;

impl Linker {
    /// Why the entry of a record has its situation.
    pub fn explain(&self, of: &RecordRef) -> Option<Explanation> {
        let entry = self.entries.of(self.find(of)?)?;
        let slot = self.entries.get(entry)?;
        let shown = self.entry_at(entry, 0)?;
        let case = Case {
            linker: self,
            users: slot.members.users().iter().filter_map(|slot| self.store.user(*slot)).collect(),
            rows: slot.members.rows().iter().filter_map(|slot| self.store.row(*slot)).collect(),
            situation: shown.situation,
            base: slot.situation,
        };
        let related = self.related_of(entry, slot);
        let contested = slot.verdict.is_some_and(|verdict| verdict.flags.contains(Flag::Contested));
        let mut why = case.why();
        why.extend(shown.flags.iter().map(|flag| case.flag(flag)));
        Some(Explanation {
            summary: case.summary(),
            why,
            why_not: case.why_not(),
            today: case.today().to_owned(),
            repair: case.repair(contested, self.coverage),
            related,
        })
    }

    /// The records of other entries that an entry's verdict or flags rest on.
    pub fn related(&self, of: &RecordRef) -> Vec<Related> {
        let entry = self.find(of).and_then(|rec| self.entries.of(rec));
        entry.and_then(|entry| Some(self.related_of(entry, self.entries.get(entry)?))).unwrap_or_default()
    }

    fn related_of(&self, entry: u32, slot: &Slot) -> Vec<Related> {
        let mut related = Vec::new();
        let user = |slot: u32, because| {
            let user = self.store.user(slot)?;
            Some(Related::User { sub: user.sub, username: user.username.clone(), because })
        };
        for native in slot.members.users().iter().filter_map(|slot| self.store.user(*slot)) {
            let natives = self.store.natives_of(native);
            let outside = natives.into_iter().filter(|slot_of| !slot.members.users().contains(slot_of));
            related.extend(outside.filter_map(|slot| user(slot, Because::NativeUser)));
        }
        if is_correlated(slot.situation)
            && let Some(email) = slot.members.users().first().and_then(|slot| self.store.user(*slot)?.verified_email())
        {
            let parts = self.parts(&email);
            related.extend(parts.other_users.iter().filter_map(|slot| user(*slot, Because::SameEmail)));
            let rows = parts.other_rows.iter().filter_map(|slot| self.store.row(*slot));
            related.extend(rows.map(|row| Related::Row { id: row.id.clone(), because: Because::SameEmail }));
        }
        for rival in rivals(self, entry, slot) {
            let known = |other: &Related| matches!(other, Related::User { sub, .. } if self.store.user(rival).is_some_and(|user| user.sub == *sub));
            if related.len() < RELATED_AT_MOST && !related.iter().any(known) {
                related.extend(user(rival, Because::Rival));
            }
        }
        related.truncate(RELATED_AT_MOST);
        related
    }
}

fn is_correlated(situation: Situation) -> bool {
    matches!(
        situation,
        Situation::EmailMatch
            | Situation::Recreated
            | Situation::Ambiguous
            | Situation::RowTaken
            | Situation::FederatedTwin
            | Situation::NoRow
    )
}

/// An entry on the table, to be talked about.
struct Case<'a> {
    linker: &'a Linker,
    users: Vec<&'a PoolUser>,
    rows: Vec<&'a Row>,
    /// As it is shown.
    situation: Situation,
    /// As the steps give it, before anything was laid over it.
    base: Situation,
}

impl Case<'_> {
    fn row_id(&self) -> String {
        self.rows.first().map(|row| row.id.to_string()).unwrap_or_default()
    }

    fn user_id(&self) -> &str {
        self.users.iter().find_map(|user| user.user_id()).unwrap_or_default()
    }

    fn email(&self) -> &str {
        let of_users = self.users.iter().find_map(|user| user.email.as_deref());
        of_users.or_else(|| self.rows.iter().find_map(|row| row.email.as_deref())).unwrap_or_default()
    }

    fn sub(&self) -> String {
        self.rows.iter().find_map(|row| row.sub()).map(|sub| sub.to_string()).unwrap_or_default()
    }

    fn summary(&self) -> String {
        let (row, user_id) = (self.row_id(), self.user_id());
        match self.situation {
            Situation::Linked => format!("Both pointers agree: the user names row {row}, and the row names the user."),
            Situation::LinkedInactive => {
                format!("Both pointers agree on row {row}, but this user is not expected to be linked.")
            }
            Situation::DuplicateRows => {
                format!("{} rows carry the same sub: the application has this person more than once.", self.rows.len())
            }
            Situation::DuplicateUserId => {
                format!("{} users carry the same user id {user_id}: they see one another's data.", self.claimants())
            }
            Situation::Swapped => "The pointers run in a circle: each user names another one's row.".into(),
            Situation::Tangled => "The pointers disagree: they tie more records together than belong together.".into(),
            Situation::DanglingUserId => format!("The user id {user_id} names no row."),
            Situation::DeadSubClaimed => {
                format!("The user names row {row}, whose sub {} names no pool user.", self.sub())
            }
            Situation::Stranded => {
                format!("Row {row} is tied to a profile that was joined to another user: nobody signs in with it.")
            }
            Situation::RowSideOnly => format!("Row {row} carries this user's sub; the user id is empty."),
            Situation::UserSideOnly => format!("The user names row {row}, and that row has no sub."),
            Situation::EmailMatch => {
                format!("No pointers. The user and row {row} share a verified e-mail, and nobody else has it.")
            }
            Situation::Recreated => format!(
                "No pointers. The user and row {row} share a verified e-mail, but the row carries the sub of a user \
                 who is gone."
            ),
            Situation::Ambiguous => "No pointers, and more than one user or row has the verified e-mail.".into(),
            Situation::RowTaken => {
                "No pointers, and every row with the verified e-mail belongs to somebody else.".into()
            }
            Situation::FederatedTwin => {
                "No pointers. A federated profile and another one share the verified e-mail.".into()
            }
            Situation::NoRow => "This user should be linked, and nothing names a row.".into(),
            Situation::OrphanRow => "A row without a sub that no user names and no user's e-mail matches.".into(),
            Situation::DeadSub => {
                format!("The row's sub {} names no pool user, and no user names the row.", self.sub())
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

    fn claimants(&self) -> usize {
        self.users.iter().filter(|user| self.linker.store.claim(user).is_some()).count()
    }

    fn missing(&self) -> &'static str {
        match (self.linker.coverage.users, self.linker.coverage.rows) {
            (false, false) => "neither the pool nor the table has been read to its end",
            (false, true) => "the pool has not been read to its end",
            (true, false) => "the table has not been read to its end",
            (true, true) => "the scan has just ended",
        }
    }

    /// The predicates that held, with the values that they held on.
    fn why(&self) -> Vec<String> {
        let store = &self.linker.store;
        let mut why = Vec::new();
        for user in &self.users {
            let name = user.username.as_str();
            match user.user_id() {
                None => why.push(format!("user {name}: user id is empty")),
                Some(text) => match store.written_id(user) {
                    None => {
                        why.push(format!("user {name}: user id {text} is not written as an id of this table can be"))
                    }
                    Some(_) if store.claim(user).is_none() => {
                        why.push(format!("user {name}: user id {text} does not count, as the user is UNCONFIRMED"));
                    }
                    Some(id) if store.row_slot(&id).is_none() => {
                        why.push(format!("user {name}: user id {text} names no row that was read"));
                    }
                    Some(id) => why.push(format!("user {name}: user id names row {id}")),
                },
            }
            if !user.is_expected() {
                let disabled = if user.enabled { "" } else { ", disabled" };
                why.push(format!("user {name}: not expected to be linked ({}{disabled})", user.status.as_str()));
            }
            if store.is_joined(user) {
                why.push(format!("user {name}: a native user's identities name this profile"));
            }
        }
        for row in &self.rows {
            let id = &row.id;
            why.push(match (row.sub(), row.has_malformed_sub()) {
                (Some(sub), _) if store.user_slot(sub).is_some() => format!("row {id}: its sub names user {sub}"),
                (Some(sub), _) => format!("row {id}: its sub {sub} names no user that was read"),
                (None, true) => format!("row {id}: what stands in its sub is no sub, and counts as none"),
                (None, false) => format!("row {id}: has no sub"),
            });
        }
        if is_correlated(self.base)
            && let Some(email) = self.users.first().and_then(|user| user.verified_email())
        {
            let parts = self.linker.parts(&email);
            why.push(format!(
                "verified e-mail {}: {} without pointers and {} tied elsewhere; {} free and {} taken",
                self.email(),
                count(parts.free_users.len(), "user"),
                parts.other_users.len(),
                count(parts.free_rows.len(), "row"),
                parts.other_rows.len(),
            ));
        }
        why
    }

    /// What was passed over, and the smallest fact that would change it.
    fn why_not(&self) -> Vec<String> {
        let mut out = Vec::new();
        let row = self.row_id();
        let base = self.base;
        if matches!(base, Situation::RowSideOnly | Situation::DanglingUserId) && !self.rows.is_empty() {
            out.push(format!("linked: the user id would have to be {row}"));
        }
        if matches!(base, Situation::UserSideOnly | Situation::DeadSubClaimed)
            && let Some(user) = self.users.first()
        {
            out.push(format!("linked: the sub of row {row} would have to be {}", user.sub));
        }
        if matches!(base, Situation::EmailMatch | Situation::Recreated) {
            out.push("linked: an e-mail never links by itself; a person has to say that both are the same".into());
        }
        for user in &self.users {
            let unverified = user.email.as_deref().filter(|_| !user.email_verified);
            let Some(key) = unverified.and_then(userlink_domain::EmailKey::of) else { continue };
            for slot in self.linker.store.rows_with_email(&key).iter().take(5) {
                if let Some(row) = self.linker.store.row(*slot).filter(|row| !self.rows.iter().any(|r| r.id == row.id))
                {
                    let why = "the user has the same e-mail, but not verified: verifying it would make it evidence";
                    out.push(format!("row {}: {why}", row.id));
                }
            }
        }
        if self.users.is_empty() {
            for row in &self.rows {
                let Some(key) = row.email_key() else { continue };
                for slot in self.linker.store.users_with_email(&key).iter().take(5) {
                    if let Some(user) = self.linker.store.user(*slot) {
                        let why = "has the verified e-mail, but is tied elsewhere, joined, or not expected";
                        out.push(format!("user {}: {why}", user.username.as_str()));
                    }
                }
            }
        }
        out
    }

    fn flag(&self, flag: Flag) -> String {
        match flag {
            Flag::EmailDiffers => "email_differs: the user's verified e-mail is not the row's".into(),
            Flag::NonCanonicalId => {
                format!("non_canonical_id: the user id {} is written otherwise than the row's id", self.user_id())
            }
            Flag::Writable => {
                "writable: an app client lets its users write this attribute, so it proves nothing".into()
            }
            Flag::Contested => "contested: a user of another entry speaks for another owner of the row".into(),
        }
    }

    /// What the person sees whom this is about.
    fn today(&self) -> &'static str {
        match self.situation {
            Situation::Linked => "Signs in and works.",
            Situation::LinkedInactive | Situation::UnlinkedInactive => "Does not sign in.",
            Situation::RowSideOnly
            | Situation::NoRow
            | Situation::EmailMatch
            | Situation::Recreated
            | Situation::Ambiguous
            | Situation::RowTaken
            | Situation::FederatedTwin => "Signs in, and the application does not know who it is.",
            Situation::DanglingUserId => "Signs in with an id that leads to nothing.",
            Situation::UserSideOnly | Situation::DeadSubClaimed => {
                "Sees the row's data where the application trusts the token."
            }
            Situation::DuplicateUserId | Situation::Swapped | Situation::Tangled => "May see somebody else's data.",
            Situation::DuplicateRows => "Sees one of the rows, and which one depends on the query.",
            Situation::Stranded | Situation::JoinedProfile => "Signs in as the native user.",
            Situation::OrphanRow | Situation::DeadSub => "Nobody signs in to this row.",
            Situation::Ignored | Situation::Reading | Situation::Unsettled => "",
        }
    }

    fn repair(&self, contested: bool, coverage: Coverage) -> Repair {
        let words = match self.situation {
            Situation::RowSideOnly => format!("Write the user id: {}.", self.row_id()),
            Situation::DuplicateRows => "Choose the row to keep; the others lose their sub.".into(),
            Situation::DuplicateUserId => {
                "Choose whose the id is; the others get the row that carries their sub, or lose it.".into()
            }
            Situation::Swapped => "Write every user id of the circle, as one run; or choose.".into(),
            Situation::Tangled => "Choose the pairs.".into(),
            Situation::DanglingUserId if !self.rows.is_empty() => {
                format!("Write the row that carries the sub: {}.", self.row_id())
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
            && let (Some(user), Some(row)) = (self.users.first(), self.rows.first())
        {
            steps.push(Step::WriteUserId {
                username: user.username.as_str().to_owned(),
                expect: user.user_id.as_deref().map(str::to_owned),
                value: row.id.to_string(),
            });
        }
        let safe = self.situation == Situation::RowSideOnly && !contested && coverage == Coverage::ALL;
        Repair { words, steps, safe }
    }
}

fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}
