//! Who or what may belong together, best first, each with what speaks for it and against it.
//!
//! An e-mail ranks, and never decides. What a user may have written into an attribute of its own recommends nothing.

use userlink_domain::{Flag, Mate, Pair, PoolUser, RecordRef, Row, RowId, Situation, Timestamp};
use userlink_link::{Because, Entry, Linker, Related};

/// A pair that could be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub pair: Pair,
    pub username: String,
    /// What speaks for it.
    pub why: Vec<String>,
    /// What speaks against it.
    pub why_not: Vec<String>,
    pub user_created: Option<Timestamp>,
    /// When the user was last changed: the nearest that the pool knows to when it was last seen.
    pub user_modified: Option<Timestamp>,
    pub row_created: Option<Timestamp>,
    pub row_updated: Option<Timestamp>,
    score: i32,
}

/// What is recommended, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recommendation {
    pub pairs: Vec<Pair>,
    pub reason: String,
}

/// The pairs that could be made for an entry, best first.
pub fn candidates(linker: &Linker, of: &RecordRef) -> Vec<Candidate> {
    let Some(entry) = linker.entry(of) else { return Vec::new() };
    let (mut users, mut rows) = (entry.users.clone(), entry.rows.clone());
    for related in linker.related(of) {
        match related {
            // Who speaks against the entry is no candidate for its row.
            Related::User { because: Because::Rival, .. } => {}
            Related::User { sub, .. } => {
                let other = linker.entry(&RecordRef::User(sub)).into_iter().flat_map(|entry| entry.users);
                users.extend(other.filter(|user| user.sub == sub));
            }
            Related::Row { id, .. } => {
                let other = linker.entry(&RecordRef::Row(id.clone())).into_iter().flat_map(|entry| entry.rows);
                rows.extend(other.filter(|row| row.id == id));
            }
        }
    }
    let mut found = Vec::new();
    for user in users.iter().filter(|user| user.is_expected()) {
        found.extend(rows.iter().map(|row| candidate(linker, &entry, user, row)));
        if rows.is_empty() || matches!(entry.situation, Situation::Ambiguous | Situation::RowTaken) {
            found.push(new_row(user));
        }
    }
    // Whoever names a row may be left without one, whether it is expected to be linked or not.
    found.extend(users.iter().filter(|user| user.user_id().is_some()).map(no_row));
    found.sort_by_key(|candidate| std::cmp::Reverse(candidate.score));
    found
}

fn new_row(user: &PoolUser) -> Candidate {
    Candidate {
        pair: Pair { user: user.sub, mate: Mate::New },
        username: user.username.as_str().to_owned(),
        why: vec!["a new row touches nobody else's data".into()],
        why_not: vec!["an inserted row is not taken back".into()],
        user_created: user.created,
        user_modified: user.modified,
        row_created: None,
        row_updated: None,
        score: 0,
    }
}

fn no_row(user: &PoolUser) -> Candidate {
    Candidate {
        pair: Pair { user: user.sub, mate: Mate::None },
        why: vec!["the user names a row that may be somebody else's, or is not there".into()],
        why_not: vec!["the user is linked to nothing afterwards".into()],
        score: -16,
        ..new_row(user)
    }
}

fn candidate(linker: &Linker, entry: &Entry, user: &PoolUser, row: &Row) -> Candidate {
    let (mut why, mut why_not, mut score) = (Vec::new(), Vec::new(), 0);
    let carrier = row.sub().filter(|sub| linker.entry(&RecordRef::User(*sub)).is_some());
    if row.sub() == Some(user.sub) {
        score += 8;
        why.push("the row carries the user's sub".to_owned());
    } else if carrier.is_some() {
        score -= 8;
        why_not.push("the row carries the sub of another pool user".to_owned());
    } else if row.sub.is_some() {
        why_not.push("the row carries a sub that names nobody, and it would be overwritten".to_owned());
    }
    let names_it = user.user_id().and_then(|text| RowId::parse(linker.rules().id_kind, text)).as_ref() == Some(&row.id);
    if names_it {
        let proves = linker.rules().writable == Some(false);
        score += i32::from(proves);
        why.push(if proves {
            "the user id names the row".to_owned()
        } else {
            "the user id names the row, which users may be able to write themselves".to_owned()
        });
    }
    let same = user.verified_email().is_some() && user.verified_email() == row.email_key();
    match (same, row.email_key().is_some(), user.verified_email().is_some()) {
        (true, ..) => {
            score += 4;
            why.push("the user's verified e-mail is the row's".to_owned());
        }
        (false, true, true) => why_not.push("the user's verified e-mail is not the row's".to_owned()),
        (false, true, false) => why_not.push("the user has no verified e-mail".to_owned()),
        (false, false, _) => why_not.push("the row has no e-mail".to_owned()),
    }
    if entry.flags.contains(Flag::Contested) {
        score -= 2;
        why_not.push("a record outside speaks for another owner".to_owned());
    }
    if let (Some(user), Some(row)) = (user.created, row.created_at) {
        let apart = user.since(row).unsigned_abs() / 60_000;
        if apart <= 5 {
            score += 1;
            why.push("both were created within five minutes".to_owned());
        }
    }
    Candidate {
        pair: Pair { user: user.sub, mate: Mate::Row(row.id.clone()) },
        username: user.username.as_str().to_owned(),
        why,
        why_not,
        user_created: user.created,
        user_modified: user.modified,
        row_created: row.created_at,
        row_updated: row.updated_at,
        score,
    }
}

/// What is recommended for an entry; `None` where a person has to choose without a hint.
///
/// It rests on subs, which the application wrote, or on a verified e-mail beside a second witness; never on the attribute
/// alone, and never where the entry is contested.
pub fn recommended(linker: &Linker, of: &RecordRef) -> Option<Recommendation> {
    let entry = linker.entry(of)?;
    if entry.flags.contains(Flag::Contested) {
        return None;
    }
    let (users, rows) = (&entry.users, &entry.rows);
    let verified =
        |user: &PoolUser, row: &Row| user.verified_email().is_some() && user.verified_email() == row.email_key();
    let row = |user: &PoolUser, row: &Row| Pair { user: user.sub, mate: Mate::Row(row.id.clone()) };
    let new = |pairs, reason: &str| Some(Recommendation { pairs, reason: reason.to_owned() });
    match (entry.situation, &users[..], &rows[..]) {
        (Situation::RowSideOnly, [user], [one]) => new(vec![row(user, one)], "the row carries the user's sub"),
        (Situation::DanglingUserId, [user], [one]) => {
            new(vec![row(user, one)], "the row carries the user's sub, and the user id names no row")
        }
        (Situation::UserSideOnly, [user], [one]) if verified(user, one) => {
            new(vec![row(user, one)], "the user id names the row, and the user's verified e-mail is the row's")
        }
        (Situation::EmailMatch, [user], [one]) => {
            new(vec![row(user, one)], "nobody else has the verified e-mail: look at both before you confirm")
        }
        (Situation::NoRow, [user], []) => {
            new(vec![Pair { user: user.sub, mate: Mate::New }], "nothing names a row for this user")
        }
        (Situation::Swapped, ..) => {
            let carried = |user: &PoolUser| rows.iter().filter(|row| row.sub() == Some(user.sub)).collect::<Vec<_>>();
            let pairs = users.iter().map(|user| match carried(user)[..] {
                [one] => Some(row(user, one)),
                _ => None,
            });
            let pairs: Option<Vec<Pair>> = pairs.collect();
            pairs.and_then(|pairs| new(pairs, "each row carries its user's sub: the user ids are written anew"))
        }
        (Situation::DuplicateUserId, _, [one]) => {
            let owner = users.iter().find(|user| one.sub() == Some(user.sub) && user.is_expected())?;
            new(vec![row(owner, one)], "the row carries this user's sub; the others lose the id")
        }
        _ => None,
    }
}
