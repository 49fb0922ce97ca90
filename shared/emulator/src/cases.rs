//! The demo's special cases: for every situation the users and rows that make it.

use std::collections::HashSet;

use userlink_domain::{Identity, PoolUser, Row, Situation, Timestamp, UserStatus};

use crate::names;
use crate::permutation::mix;
use crate::world::{DAY, World};

/// The situations of the demo: how often each is there for every ten thousand users.
pub(crate) const SHARES: [(Situation, u64); 22] = [
    (Situation::RowSideOnly, 60),
    (Situation::NoRow, 40),
    (Situation::UnlinkedInactive, 60),
    (Situation::EmailMatch, 20),
    (Situation::JoinedProfile, 20),
    (Situation::OrphanRow, 20),
    (Situation::DeadSub, 12),
    (Situation::LinkedInactive, 20),
    (Situation::DanglingUserId, 8),
    (Situation::UserSideOnly, 6),
    (Situation::Recreated, 6),
    (Situation::RowTaken, 5),
    (Situation::FederatedTwin, 6),
    (Situation::Ambiguous, 5),
    (Situation::DuplicateRows, 6),
    (Situation::DuplicateUserId, 3),
    (Situation::Swapped, 2),
    (Situation::Tangled, 2),
    (Situation::DeadSubClaimed, 3),
    (Situation::Stranded, 2),
    (Situation::Ignored, 1),
    (Situation::Linked, 16),
];

/// Users and rows of one special case.
#[derive(Default)]
pub(crate) struct Case {
    pub(crate) users: Vec<PoolUser>,
    pub(crate) rows: Vec<Row>,
}

/// Every situation that the demo's world holds.
pub fn situations() -> HashSet<Situation> {
    SHARES.iter().map(|(situation, _)| *situation).collect()
}

impl World {
    /// The records of one case. The first user, or the first row where there is no user, is the one whose entry has the
    /// situation. `n` is the number of the case among those of its kind, and `number` one that no other record has.
    pub(crate) fn case(&self, situation: Situation, n: u64, indexes: [u64; 3], number: u64) -> Case {
        let [mut a, mut b, mut c] = indexes.map(|index| self.someone(index));
        let clear = |row: &mut Row, sub: Option<Box<str>>| row.sub = sub;
        let (users, rows) = match situation {
            Situation::Linked => {
                // Linked, and hard to show; every third has something beside it to be flagged.
                a.email = Some(names::hostile_email(n).into());
                let mut row = self.row_of(&mut a, number);
                match n % 3 {
                    0 => row.email = Some(format!("old.address{number}@example.com").into()),
                    1 => a.user_id = Some(row.id.to_string().to_uppercase().into()),
                    _ => {}
                }
                (vec![a], vec![row])
            }
            Situation::LinkedInactive => {
                let row = self.row_of(&mut a, number);
                match n % 3 {
                    0 => a.enabled = false,
                    1 => a.status = UserStatus::ForceChangePassword,
                    _ => a.status = UserStatus::Other("COMPROMISED".into()),
                }
                (vec![a], vec![row])
            }
            Situation::DuplicateRows => {
                let first = self.row_of(&mut a, number);
                let mut second = self.row_like(&a, number + 1);
                second.sub = first.sub.clone();
                (vec![a], vec![first, second])
            }
            Situation::DuplicateUserId => {
                let first = self.row_of(&mut a, number);
                let second = self.row_of(&mut b, number + 1);
                b.user_id = a.user_id.clone();
                (vec![a, b], vec![first, second])
            }
            Situation::Swapped => {
                let mut rows = vec![self.row_of(&mut a, number), self.row_of(&mut b, number + 1)];
                if n.is_multiple_of(2) {
                    std::mem::swap(&mut a.user_id, &mut b.user_id);
                    (vec![a, b], rows)
                } else {
                    rows.push(self.row_of(&mut c, number + 2));
                    std::mem::swap(&mut a.user_id, &mut b.user_id);
                    std::mem::swap(&mut b.user_id, &mut c.user_id);
                    (vec![a, b, c], rows)
                }
            }
            Situation::Tangled => {
                let rows = vec![self.row_of(&mut a, number), self.row_of(&mut b, number + 1)];
                a.user_id = b.user_id.take();
                (vec![a, b], rows)
            }
            Situation::DanglingUserId => {
                let row = self.row_of(&mut a, number);
                a.user_id = Some(self.row_id(number + 1, self.now).to_string().into());
                (vec![a], if n.is_multiple_of(2) { vec![row] } else { vec![] })
            }
            Situation::DeadSubClaimed => {
                let mut row = self.row_of(&mut a, number);
                clear(&mut row, Some(self.dead_sub(number)));
                (vec![a], vec![row])
            }
            Situation::Stranded | Situation::JoinedProfile => {
                let own = self.row_of(&mut a, number);
                federate(&mut b, number);
                b.email = a.email.clone();
                a.identities = vec![identity(number)];
                if situation == Situation::JoinedProfile {
                    (vec![b, a], vec![own])
                } else {
                    let mut stranded = self.row_like(&b, number + 1);
                    stranded.sub = Some(b.sub.to_string().into());
                    stranded.email = None;
                    (vec![b, a], vec![own, stranded])
                }
            }
            Situation::RowSideOnly => {
                // A night in which the function ran out of time, and some others.
                if !n.is_multiple_of(3) {
                    let night = self.now.as_millis().div_euclid(DAY) * DAY - DAY + 2 * 3_600_000 + 600_000;
                    a.created = Some(Timestamp::from_millis(night + (mix(number) % 1_800_000) as i64));
                    a.modified = a.created;
                }
                if n % 7 == 5 {
                    a.email = Some(names::hostile_email(number).into());
                }
                let row = self.row_of(&mut a, number);
                a.user_id = None;
                (vec![a], vec![row])
            }
            Situation::UserSideOnly => {
                let mut row = self.row_of(&mut a, number);
                clear(&mut row, None);
                (vec![a], vec![row])
            }
            Situation::EmailMatch | Situation::Recreated => {
                let mut row = self.row_like(&a, number);
                row.email = a.email.as_deref().map(|email| email.to_ascii_uppercase().into());
                clear(&mut row, (situation == Situation::Recreated).then(|| self.dead_sub(number)));
                (vec![a], vec![row])
            }
            Situation::Ambiguous => {
                let first = self.row_like(&a, number);
                if n.is_multiple_of(2) {
                    let second = self.row_like(&a, number + 1);
                    (vec![a], vec![first, second])
                } else {
                    b.email = a.email.clone();
                    (vec![a, b], vec![first])
                }
            }
            Situation::RowTaken => {
                let mut row = self.row_of(&mut b, number);
                row.email = a.email.clone();
                b.email_verified = false;
                (vec![a, b], vec![row])
            }
            Situation::FederatedTwin => {
                let row = self.row_of(&mut a, number);
                federate(&mut b, number);
                b.email = a.email.clone();
                (vec![b, a], vec![row])
            }
            Situation::UnlinkedInactive => {
                match n % 3 {
                    0 => a.enabled = false,
                    1 => a.status = UserStatus::ForceChangePassword,
                    _ => {
                        a.status = UserStatus::Unconfirmed;
                        a.email_verified = false;
                    }
                }
                if n % 6 == 2 {
                    // Somebody who signed up with another's id.
                    let row = self.row_of(&mut b, number);
                    a.user_id = b.user_id.clone();
                    (vec![a, b], vec![row])
                } else {
                    (vec![a], vec![])
                }
            }
            Situation::OrphanRow | Situation::DeadSub => {
                let mut row = self.row_like(&a, number);
                row.email = (n % 4 != 1).then(|| format!("gone.person{number}@example.net").into());
                clear(&mut row, (situation == Situation::DeadSub).then(|| self.dead_sub(number)));
                (vec![], vec![row])
            }
            Situation::NoRow | Situation::Ignored | Situation::Reading | Situation::Unsettled => {
                if n % 4 == 1 {
                    a.email = None;
                    a.email_verified = false;
                    a.phone = Some(format!("+4930{:08}", number % 100_000_000).into());
                    a.phone_verified = true;
                }
                if situation == Situation::NoRow && n % 3 != 1 {
                    // An afternoon on which somebody imported users from elsewhere.
                    let afternoon = (self.now.as_millis().div_euclid(DAY) - 12) * DAY + 14 * 3_600_000 + 300_000;
                    a.created = Some(Timestamp::from_millis(afternoon + n as i64 * 2_000));
                    a.modified = a.created;
                    a.status = UserStatus::ResetRequired;
                }
                (vec![a], vec![])
            }
        };
        Case { users, rows }
    }
}

fn identity(number: u64) -> Identity {
    Identity { provider: "Google".into(), user_id: format!("1093{number:012}").into() }
}

/// Makes a profile at another provider of a user.
fn federate(user: &mut PoolUser, number: u64) {
    let Identity { provider, user_id } = identity(number);
    user.username = userlink_domain::Username::new(format!("{provider}_{user_id}"));
    user.status = UserStatus::ExternalProvider;
}
