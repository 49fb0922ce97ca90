//! Every candidate that was passed over: the predicate that failed, and the smallest fact that would change it.

use userlink_domain::{PoolUser, Situation};

use crate::case::{Case, LOOK_AT_MOST};
use crate::store::Rec;

/// Of more candidates than these it is only said how many there are.
const ANSWERS_AT_MOST: usize = 10;

const EXPECTED: &str = "CONFIRMED, EXTERNAL_PROVIDER or RESET_REQUIRED";

/// What has been said, and how much was left out.
#[derive(Default)]
struct Answers {
    said: Vec<String>,
    left_out: usize,
    /// Whether there are candidates that were not even looked at.
    cut: bool,
}

impl Answers {
    fn say(&mut self, words: impl FnOnce() -> String) {
        if self.said.len() < ANSWERS_AT_MOST { self.said.push(words()) } else { self.left_out += 1 }
    }

    fn end(mut self) -> Vec<String> {
        match (self.left_out, self.cut) {
            (0, false) => {}
            (0, true) => self.said.push("and others".into()),
            (left, cut) => self.said.push(format!("and {}{left} more", if cut { "at least " } else { "" })),
        }
        self.said
    }
}

impl Case<'_> {
    pub(crate) fn why_not(&self) -> Vec<String> {
        let mut out = Answers::default();
        // Nothing has been passed over while nothing can be said.
        if matches!(self.situation, Situation::Reading | Situation::Unsettled) {
            return out.said;
        }
        match self.base {
            Situation::RowSideOnly
            | Situation::DanglingUserId
            | Situation::UserSideOnly
            | Situation::DeadSubClaimed => {
                self.not_linked(&mut out);
            }
            Situation::DuplicateRows => {
                for (sub, _) in self.doubled_subs() {
                    out.say(|| format!("linked: one row alone would have to carry the sub {sub}"));
                }
            }
            Situation::DuplicateUserId => {
                for (id, _) in self.doubled_ids() {
                    out.say(|| format!("linked: one user alone would have to carry the user id {id}"));
                }
            }
            Situation::Swapped | Situation::Tangled => {
                out.say(|| "linked: each user would have to name the row that carries its sub, and no other".into());
            }
            Situation::EmailMatch | Situation::Recreated => {
                out.say(|| "linked: an e-mail never links by itself; a person has to say that both are the same".into())
            }
            Situation::Ambiguous | Situation::FederatedTwin | Situation::RowTaken => self.not_matched(&mut out),
            Situation::Stranded | Situation::JoinedProfile => self.not_by_itself(&mut out),
            Situation::LinkedInactive | Situation::UnlinkedInactive => self.not_expected(&mut out),
            Situation::OrphanRow | Situation::DeadSub => self.not_correlated(&mut out),
            Situation::Linked | Situation::NoRow | Situation::Ignored | Situation::Reading | Situation::Unsettled => {}
        }
        if matches!(self.base, Situation::NoRow | Situation::UnlinkedInactive | Situation::DanglingUserId) {
            self.not_verified(&mut out);
        }
        out.end()
    }

    fn not_linked(&self, out: &mut Answers) {
        let Some(user) = self.users.first() else { return };
        let row = self.row_id();
        out.say(|| {
            if matches!(self.base, Situation::UserSideOnly | Situation::DeadSubClaimed) {
                format!("linked: the sub of row {row} would have to be {}", user.sub)
            } else if self.has_blank_id() {
                "linked: the row's id is blank, and no user id can name it".into()
            } else if !self.rows.is_empty() {
                format!("linked: the user id would have to be {row}")
            } else if let Some(id) = self.written_id(user) {
                format!("linked: a row {id} would have to be there, and carry the sub {}", user.sub)
            } else {
                "linked: the user id would have to be an id of this table".into()
            }
        });
    }

    /// The rows with the e-mail, and who stands in the way.
    fn not_matched(&self, out: &mut Answers) {
        let Some(sharing) = &self.sharing else { return };
        let parts = &sharing.parts;
        let users = sharing.users - if sharing.is_cut() { 0 } else { self.joined_with(sharing.email) };
        for row in parts.free_rows.iter().filter_map(|slot| self.linker.row_id(*slot)) {
            out.say(|| {
                if users > 1 {
                    format!("row {row}: {users} users have its e-mail, and a person has to say whose it is")
                } else {
                    format!("row {row}: {} rows have the e-mail, and a person has to say which is meant", sharing.rows)
                }
            });
        }
        for slot in &parts.other_rows {
            let Some(row) = self.linker.row_id(*slot) else { continue };
            out.say(|| {
                let situation = self.situation_of(Rec::Row(*slot));
                format!("row {row}: is {situation} in another entry; nothing would have to tie it there")
            });
        }
        if self.base != Situation::RowTaken {
            for slot in &parts.other_users {
                let Some(user) = self.linker.read_user(*slot) else { continue };
                out.say(|| {
                    let situation = self.situation_of(Rec::User(*slot));
                    format!("user {}: has the e-mail, too, and is {situation} in another entry", user.username.as_str())
                });
            }
            if parts.free_rows.is_empty() && parts.other_rows.is_empty() {
                out.say(|| "no_row: only one user would have to have the e-mail".into());
            }
        }
        out.cut |= sharing.is_cut();
    }

    fn joined_with(&self, email: u32) -> usize {
        self.store().users_with_email(email).filter(|slot| self.store().is_joined(*slot)).count()
    }

    /// The native users who are signed in where the profile is.
    fn not_by_itself(&self, out: &mut Answers) {
        for native in self.natives_elsewhere() {
            let Some(native) = self.linker.read_user(native) else { continue };
            let name = native.username.as_str();
            out.say(|| match self.rows.first() {
                Some(row) => {
                    format!("user {name}: the profile was joined to this user, who would have to name row {}", row.id)
                }
                None => format!("no_row: the identities of user {name} would have to leave the profile out"),
            });
        }
    }

    /// A user who is not expected, and the rows that are passed over for it.
    fn not_expected(&self, out: &mut Answers) {
        let Some(user) = self.users.first() else { return };
        if !user.enabled {
            out.say(|| "expected: the user would have to be enabled".into());
        }
        let expected = PoolUser { enabled: true, ..(**user).clone() };
        if !expected.is_expected() {
            out.say(|| format!("expected: the status would have to be {EXPECTED}"));
        }
        if self.base != Situation::UnlinkedInactive {
            return;
        }
        if let Some(row) = self.rows.first() {
            out.say(|| format!("linked_inactive: the user and row {} would have to name each other", row.id));
        } else if let Some(id) = self.written_id(user).filter(|id| self.store().row_slot(id).is_some()) {
            out.say(|| {
                format!("row {id}: the user names it, but is UNCONFIRMED: its sub would have to be {}", user.sub)
            });
        }
        let Some(email) = self.facts(user).and_then(|user| user.verified_email()) else { return };
        let rows = self.store().rows_with_email(email);
        for slot in rows.clone().take(LOOK_AT_MOST).filter(|slot| !self.is_inside(Rec::Row(*slot))) {
            let Some(row) = self.linker.row_id(slot) else { continue };
            out.say(|| format!("row {row}: has the user's verified e-mail, but the user is not expected to be linked"));
        }
        out.cut |= is_cut(rows);
    }

    /// Users who have the e-mail of a row by itself, or name it, and are passed over.
    fn not_correlated(&self, out: &mut Answers) {
        let (Some(row), store) = (self.rows.first(), self.store()) else { return };
        let Some(facts) = store.row(row.slot) else { return };
        let unconfirmed = store.unconfirmed_naming(facts);
        for user in unconfirmed.clone().take(LOOK_AT_MOST).filter_map(|slot| self.linker.read_user(slot)) {
            out.say(|| {
                let name = user.username.as_str();
                format!("user {name}: names the row, but is UNCONFIRMED: the row's sub would have to be {}", user.sub)
            });
        }
        let Some(email) = facts.email() else { return };
        let (verified, unverified) = (store.users_with_email(email), store.users_with_unverified(email));
        for slot in verified.clone().take(LOOK_AT_MOST) {
            let Some(user) = self.linker.read_user(slot) else { continue };
            out.say(|| {
                format!("user {}: has the row's e-mail, but {}", user.username.as_str(), self.passed_over(slot, &user))
            });
        }
        for user in unverified.clone().take(LOOK_AT_MOST).filter_map(|slot| self.linker.read_user(slot)) {
            out.say(|| {
                let name = user.username.as_str();
                format!("user {name}: has the row's e-mail, but not verified: verifying it would make it evidence")
            });
        }
        out.cut |= is_cut(unconfirmed) || is_cut(verified) || is_cut(unverified);
    }

    /// Why a user with the verified e-mail of a free row does not correlate with it.
    fn passed_over(&self, slot: u32, user: &PoolUser) -> String {
        if self.store().is_joined(slot) {
            return "was joined: no native user's identities would have to name it".into();
        }
        let situation = self.situation_of(Rec::User(slot));
        if user.is_expected() {
            format!("is {situation} in another entry: nothing would have to tie it there")
        } else if user.enabled {
            format!("is {situation}: its status would have to be {EXPECTED}")
        } else {
            format!("is {situation}: it would have to be enabled")
        }
    }

    /// Rows that have the e-mail of a user who has not verified it.
    fn not_verified(&self, out: &mut Answers) {
        for user in &self.users {
            let Some(facts) = self.facts(user).filter(|_| !user.email_verified) else { continue };
            let rows = self.store().rows_with_email_of(facts);
            for slot in rows.clone().take(LOOK_AT_MOST).filter(|slot| !self.is_inside(Rec::Row(*slot))) {
                let Some(row) = self.linker.row_id(slot) else { continue };
                out.say(|| {
                    let why = "the user has the same e-mail, but not verified: verifying it would make it evidence";
                    format!("row {row}: {why}")
                });
            }
            out.cut |= is_cut(rows);
        }
    }
}

/// Whether there are more than are looked at.
fn is_cut(mut slots: impl Iterator<Item = u32>) -> bool {
    slots.nth(LOOK_AT_MOST).is_some()
}
