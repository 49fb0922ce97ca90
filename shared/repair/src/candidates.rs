//! Who or what may belong together, best first, each with what speaks for it and against it.
//!
//! An e-mail ranks, and never decides. What a user may have written into an attribute of its own recommends nothing.

use userlink_domain::{Flag, Mate, Pair, PoolUser, RecordRef, Row, RowId, Situation, Sub, Timestamp};
use userlink_link::{Because, Entry, Linker, Related};

/// A pair that could be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub pair: Pair,
    /// Who carries the row today, and what is left to that user: it is said together with the pair, or there is no plan. `None`
    /// where nobody else has the row, and where it has to be said by hand what is left.
    pub leaves: Option<Pair>,
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

/// The pairs that could be made for an entry, best first: with somebody or something of the entry, and nobody who cannot have
/// a row.
pub fn candidates(linker: &Linker, of: &RecordRef) -> Vec<Candidate> {
    let Some(entry) = linker.entry(of) else { return Vec::new() };
    let (users, rows) = around(linker, of, &entry);
    let mine = |user: &PoolUser| entry.users.iter().any(|its| its.sub == user.sub);
    let is_twin = entry.situation == Situation::FederatedTwin;
    let mut found = Vec::new();
    for user in &users {
        let own = own_rows(linker, user.sub);
        for row in rows.iter().filter(|row| may_have(linker, user, row)) {
            let inside = mine(user) || entry.rows.iter().any(|its| its.id == row.id);
            // What another entry is to have is its own affair, but a twin's row may be confirmed; and what is so is not made.
            let agree = row.sub() == Some(user.sub) && names(linker, user, row);
            let carrier = carrier(linker, user, row);
            let leaves = carrier.and_then(|carrier| left_with(linker, carrier, &row.id));
            // What becomes of an owner outside could not be said from here.
            let unsaid = leaves.is_none() && carrier.is_some_and(|sub| entry.users.iter().all(|its| its.sub != sub));
            if (inside || (is_twin && !agree)) && !unsaid {
                found.push(Candidate { leaves, ..candidate(linker, &entry, (user, &own), (row, carrier)) });
            }
        }
        if mine(user)
            && may_have_a_row(linker, user)
            && (rows.is_empty() || matches!(entry.situation, Situation::Ambiguous | Situation::RowTaken))
        {
            found.push(new_row(user));
        }
    }
    // Whoever names a row may be left without one, whether it is expected to be linked or not.
    found.extend(entry.users.iter().filter(|user| user.user_id().is_some()).map(no_row));
    found.sort_by_key(|candidate| std::cmp::Reverse(candidate.score));
    found
}

/// The users and rows of an entry, and those of others that may belong to them. What is held is nobody's to choose.
fn around(linker: &Linker, of: &RecordRef, entry: &Entry) -> (Vec<PoolUser>, Vec<Row>) {
    let (mut users, mut rows) = (entry.users.clone(), entry.rows.clone());
    for related in linker.related(of) {
        let record = match related {
            // Who speaks against the entry is no candidate for its row.
            Related::User { because: Because::Rival, .. } => continue,
            Related::User { sub, .. } => RecordRef::User(sub),
            Related::Row { id, .. } => RecordRef::Row(id),
        };
        let Some(other) = linker.entry(&record) else { continue };
        if matches!(other.situation, Situation::Ignored | Situation::Reading | Situation::Unsettled) {
            continue;
        }
        let wanted = |row: &Row| match &record {
            RecordRef::Row(id) => row.id == *id,
            // Whatever e-mail stands in the row that a profile's twin has: it may be the one that is meant.
            RecordRef::User(sub) => entry.situation == Situation::FederatedTwin && row.sub() == Some(*sub),
        };
        for row in other.rows.into_iter().filter(wanted) {
            if rows.iter().all(|known| known.id != row.id) {
                rows.push(row);
            }
        }
        users.extend(other.users.into_iter().filter(|user| record == RecordRef::User(user.sub)));
    }
    (users, rows)
}

/// Whether a plan may tie this user to a row. Who signs in as a profile that was joined is the native user.
fn may_have_a_row(linker: &Linker, user: &PoolUser) -> bool {
    user.is_expected() && !linker.is_joined(user.sub)
}

/// Whoever should not be linked may keep the row that carries its sub.
fn may_have(linker: &Linker, user: &PoolUser, row: &Row) -> bool {
    !linker.is_joined(user.sub) && (user.is_expected() || row.sub() == Some(user.sub))
}

fn names(linker: &Linker, user: &PoolUser, row: &Row) -> bool {
    user.user_id().and_then(|text| RowId::parse(linker.rules().id_kind, text)).as_ref() == Some(&row.id)
}

/// Who else carries a row: another user of the pool whose sub stands in it.
fn carrier(linker: &Linker, user: &PoolUser, row: &Row) -> Option<Sub> {
    row.sub().filter(|sub| *sub != user.sub && linker.lead_of(&RecordRef::User(*sub)).is_some())
}

/// The rows that carry a user's sub, whichever entry they are in.
fn own_rows(linker: &Linker, sub: Sub) -> Vec<RowId> {
    let entry = linker.entry(&RecordRef::User(sub));
    let rows = entry.into_iter().flat_map(|entry| entry.rows);
    rows.filter(|row| row.sub() == Some(sub)).map(|row| row.id).collect()
}

/// What is left to the user who carries a row that somebody else gets: the only other row that carries its sub, or nothing.
fn left_with(linker: &Linker, carrier: Sub, row: &RowId) -> Option<Pair> {
    let mut own = own_rows(linker, carrier);
    own.retain(|own| own != row);
    let mate = match &own[..] {
        [] => Mate::None,
        [other] => Mate::Row(other.clone()),
        _ => return None,
    };
    Some(Pair { user: carrier, mate })
}

fn new_row(user: &PoolUser) -> Candidate {
    Candidate {
        pair: Pair { user: user.sub, mate: Mate::New },
        leaves: None,
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

fn candidate(
    linker: &Linker,
    entry: &Entry,
    (user, own): (&PoolUser, &[RowId]),
    (row, carrier): (&Row, Option<Sub>),
) -> Candidate {
    let (mut why, mut why_not, mut score) = (Vec::new(), Vec::new(), 0);
    if row.sub() == Some(user.sub) {
        score += 8;
        why.push("the row carries the user's sub".to_owned());
    } else if carrier.is_some_and(|profile| linker.is_joined_to(profile, user.sub)) {
        score += 4;
        why.push(
            "the row carries the sub of a profile that was joined to this user, so nobody signs in with it".to_owned(),
        );
    } else if carrier.is_some() {
        score -= 8;
        why_not.push("the row carries the sub of another pool user".to_owned());
    } else if row.sub.is_some() {
        why_not.push("the row carries a sub that names nobody, and it would be overwritten".to_owned());
    }
    if let Some(own) = own.iter().find(|own| **own != row.id) {
        score -= 2;
        why_not.push(format!("row {own} carries the user's sub, and would lose it"));
    }
    if names(linker, user, row) {
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
        leaves: None,
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
    let best = best(&entry)?;
    // A plan for it would be refused.
    let fits = |pair: &Pair| {
        let user = entry.users.iter().find(|user| user.sub == pair.user);
        pair.mate == Mate::None || user.is_some_and(|user| may_have_a_row(linker, user))
    };
    best.pairs.iter().all(fits).then_some(best)
}

fn best(entry: &Entry) -> Option<Recommendation> {
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
