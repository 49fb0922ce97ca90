//! Why an entry has its situation, why a candidate was passed over, and what can be done: made on demand.
//!
//! What an explanation costs is bounded by the size of its entry: of those who share an e-mail with it only the first are
//! looked at. Values stand in the sentences as they came; whoever shows them makes them safe first.

use std::collections::HashSet;

use userlink_domain::{RecordRef, Situation};

use crate::case::Case;
use crate::entry::{Because, Explanation, Related};
use crate::flags::rivals;
use crate::linker::Linker;
use crate::rules::Coverage;
use crate::store::Rec;

/// More related records than a person can weigh are not listed.
const RELATED_AT_MOST: usize = 50;
/// So many of them at most are native users: their profile is joined to one, or the pool is in disorder.
const NATIVES_AT_MOST: usize = 10;

impl Linker {
    /// Why the entry of a record has its situation.
    pub fn explain(&self, of: &RecordRef) -> Option<Explanation> {
        let case = self.case(of)?;
        Some(Explanation {
            summary: case.summary(),
            why: case.why(),
            why_not: case.why_not(),
            today: case.today(),
            after: case.after(),
            repair: case.repair(),
            related: self.related_to(&case),
        })
    }

    /// The records of other entries that an entry's verdict or flags rest on; none while it is `reading`, for then there is
    /// no verdict.
    pub fn related(&self, of: &RecordRef) -> Vec<Related> {
        self.case(of).map(|case| self.related_to(&case)).unwrap_or_default()
    }

    fn case(&self, of: &RecordRef) -> Option<Case<'_>> {
        Case::new(self, self.entries.of(self.find(of)?)?)
    }

    /// The rivals come first: where there are too many to list, at least one of them has to be seen.
    fn related_to(&self, case: &Case<'_>) -> Vec<Related> {
        let mut related = Vec::new();
        if case.situation == Situation::Reading {
            return related;
        }
        let mut known = HashSet::new();
        let mut add = |related: &mut Vec<Related>, rec: Rec, because: Because| {
            if related.len() < RELATED_AT_MOST && known.insert(rec) {
                related.extend(self.related_record(rec, because));
            }
        };
        let natives: Vec<u32> = case.natives_elsewhere().take(NATIVES_AT_MOST).collect();
        if self.coverage == Coverage::ALL {
            let room = RELATED_AT_MOST - natives.len();
            for rival in rivals(self, case.entry) {
                if related.len() >= room {
                    break;
                }
                add(&mut related, Rec::User(rival.user), Because::Rival);
            }
        }
        for native in natives {
            add(&mut related, Rec::User(native), Because::NativeUser);
        }
        if let Some(sharing) = case.sharing.as_ref().filter(|_| case.is_correlated()) {
            let users = sharing.parts.other_users.iter().map(|slot| Rec::User(*slot));
            for rec in users.chain(sharing.parts.other_rows.iter().map(|slot| Rec::Row(*slot))) {
                add(&mut related, rec, Because::SameEmail);
            }
        }
        related
    }

    fn related_record(&self, rec: Rec, because: Because) -> Option<Related> {
        Some(match rec {
            Rec::User(slot) => {
                let user = self.read_user(slot)?;
                Related::User { sub: user.sub, username: user.username, because }
            }
            Rec::Row(slot) => Related::Row { id: self.row_id(slot)?, because },
        })
    }
}
