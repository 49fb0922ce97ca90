//! Causes: what the entries of a situation have in common that the others have not, said in a sentence.
//!
//! A cause is said only where it is true of what was read and sets those entries apart. Nothing is guessed: what a number
//! does not show is not said.

mod bursts;
mod find;
mod survey;
mod words;

use userlink_domain::{Situation, Timestamp, UserStatus};

pub use survey::Survey;

/// What is known of the pool besides its records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// When all had been read; `None` where that is not known.
    pub read_at: Option<Timestamp>,
    /// Whether people can sign up by themselves; `None` where that is not known.
    pub self_sign_up: Option<bool>,
    /// Whether the pool calls a function after a confirmation; `None` where that is not known.
    pub post_confirmation: Option<bool>,
    /// App clients that let their users write the attribute that names the row.
    pub writable_by: Vec<String>,
}

/// What some entries of a situation have in common. Every part that is there holds for all that are counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Common {
    /// The status of the user.
    pub status: Option<UserStatus>,
    /// The provider through which the user signs in.
    pub provider: Option<Box<str>>,
    /// An administrator made the user, as nobody can sign up.
    pub by_administrator: bool,
    /// When the user was made; the row, where the entry has no user.
    pub within: Option<Span>,
    /// It rests on an attribute that its users can write.
    pub writable: bool,
    /// The pool calls no function after a confirmation.
    pub no_function: bool,
}

/// From one moment to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub from: Timestamp,
    /// The last.
    pub to: Timestamp,
    /// Whether it had not ended when all was read.
    pub goes_on: bool,
    /// Of all who were made in this time and should be linked, so many in a hundred are in the situation.
    pub share: u8,
}

/// Why a number of entries look as they do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The situation that is explained; none where it is several, which all rest on the attribute.
    pub situation: Option<Situation>,
    /// What they have in common.
    pub common: Common,
    /// How many entries have it.
    pub count: u64,
    /// Of how many entries of the situation.
    pub of: u64,
    /// There are so many that only a part was looked at: the numbers are near, not exact.
    pub about: bool,
    /// What they have in common, in a sentence.
    pub what: String,
    /// What follows from it, and what to do; empty where nothing does.
    pub meaning: String,
}

/// A mass of one situation: one thing that happened, and no heap of repairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Which.
    pub situation: Situation,
    /// How many entries.
    pub count: u64,
    /// What is seen, and what makes it so.
    pub words: &'static str,
    /// What to do about it.
    pub proposal: &'static str,
}

/// The incidents among so many entries of so many users and rows: more than fifty, and more than one in twenty.
pub fn incidents(counted: impl Fn(Situation) -> u64, users: u64, rows: u64) -> Vec<Incident> {
    let of = [
        (
            Situation::DeadSub,
            rows,
            "rows carry subs that no pool user has: a migrated pool, or a second pool on the table",
            "Look whether this is the pool of that table; if it is one of several, say in `where` which rows are its own.",
        ),
        (
            Situation::Recreated,
            users,
            "users are there anew beside rows of users who are gone: a migrated pool",
            "Plan them together once it is known that the same people were moved.",
        ),
        (
            Situation::DanglingUserId,
            users,
            "users name rows that are not there: a restored table, or another table",
            "Look whether the table is the one that the ids were made in, before anything is written.",
        ),
    ];
    let found =
        of.into_iter().map(|(situation, all, words, proposal)| (counted(situation), situation, all, words, proposal));
    let many = found.filter(|(count, _, all, ..)| *count > 50 && count.saturating_mul(20) > *all);
    many.map(|(count, situation, _, words, proposal)| Incident { situation, count, words, proposal }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mass_is_an_incident_and_a_handful_is_none() {
        let of = |dead| incidents(move |it| if it == Situation::DeadSub { dead } else { 0 }, 1_000, 1_000);
        assert_eq!(of(50), []);
        assert_eq!(of(51).iter().map(|it| (it.situation, it.count)).collect::<Vec<_>>(), [(Situation::DeadSub, 51)]);
        assert_eq!(incidents(|_| 60, 10_000, 100).len(), 1, "sixty of ten thousand users are none");
    }
}
