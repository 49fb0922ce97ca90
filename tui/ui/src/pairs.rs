//! Puts an entry's users and rows on lines, so that those who point at each other stand side by side.
//!
//! Decides what the gutter says of each line; never what the entry's situation is.

use userlink_domain::{PoolUser, Row, RowId, Situation};
use userlink_link::Entry;

use crate::glyphs::Gutter;

/// An entry takes at most so many lines of a list, and one more that says how many records are left out.
pub(crate) const MOST_LINES: usize = 8;

/// One line of an entry: a user, a row, or both.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair<'a> {
    pub(crate) user: Option<&'a PoolUser>,
    pub(crate) row: Option<&'a Row>,
    pub(crate) gutter: Gutter,
}

/// The lines of an entry, all of those it came with.
pub(crate) fn pairs(entry: &Entry) -> Vec<Pair<'_>> {
    let mut beside: Vec<Option<usize>> = vec![None; entry.users.len()];
    let mut taken = vec![false; entry.rows.len()];
    let ties: [fn(&PoolUser, &Row) -> bool; 3] =
        [|user, row| user_names(user, row) && row_names(row, user), |user, row| row_names(row, user), user_names];
    for tie in ties {
        for (user, place) in entry.users.iter().zip(&mut beside).filter(|(_, place)| place.is_none()) {
            let found = entry.rows.iter().zip(&taken).position(|(row, taken)| !taken && tie(user, row));
            if let Some(at) = found {
                taken[at] = true;
                *place = Some(at);
            }
        }
    }
    let mut free = (0..entry.rows.len()).filter(|at| !taken[*at]).collect::<Vec<_>>().into_iter();
    for place in beside.iter_mut().filter(|place| place.is_none()) {
        *place = free.next();
    }
    let users = entry.users.iter().zip(beside).map(|(user, at)| (Some(user), at.map(|at| &entry.rows[at])));
    let rows = free.map(|at| (None, Some(&entry.rows[at])));
    let lines: Vec<_> = users.chain(rows).collect();
    lines.into_iter().map(|(user, row)| Pair { user, row, gutter: gutter(entry, user, row) }).collect()
}

/// How many lines an entry takes in a list: never none.
pub(crate) fn height(entry: &Entry) -> usize {
    let lines = entry.users.len().max(entry.rows.len());
    lines.clamp(1, MOST_LINES) + usize::from(left_out(entry) != (0, 0))
}

/// How many users and rows a list leaves out.
pub(crate) fn left_out(entry: &Entry) -> (usize, usize) {
    let lines = pairs_shown(entry);
    let shown = (lines.0, lines.1);
    (entry.user_count.saturating_sub(shown.0), entry.row_count.saturating_sub(shown.1))
}

fn pairs_shown(entry: &Entry) -> (usize, usize) {
    if entry.users.len().max(entry.rows.len()) <= MOST_LINES {
        return (entry.users.len(), entry.rows.len());
    }
    let lines = pairs(entry);
    let shown = lines.iter().take(MOST_LINES);
    shown.fold((0, 0), |(users, rows), pair| {
        (users + usize::from(pair.user.is_some()), rows + usize::from(pair.row.is_some()))
    })
}

/// Whether the user's `user_id` names this row.
pub(crate) fn user_names(user: &PoolUser, row: &Row) -> bool {
    user.user_id().and_then(|text| RowId::parse(row.id.kind(), text)).is_some_and(|id| id == row.id)
}

/// Whether the row's sub names this user.
pub(crate) fn row_names(row: &Row, user: &PoolUser) -> bool {
    row.sub() == Some(user.sub)
}

fn gutter(entry: &Entry, user: Option<&PoolUser>, row: Option<&Row>) -> Gutter {
    let reading = entry.situation == Situation::Reading;
    let whole = entry.users.len() >= entry.user_count && entry.rows.len() >= entry.row_count;
    match (user, row) {
        (Some(user), Some(row)) => {
            let (there, back) = (user_names(user, row), row_names(row, user));
            match (there, back) {
                (true, true) => Gutter::Both,
                (false, true) if user.user_id().is_none() => Gutter::RowOnly,
                (true, false) if row.sub().is_none() => Gutter::UserOnly,
                (false, false) if user.user_id().is_none() && row.sub().is_none() => by_email(user, row),
                _ => Gutter::Elsewhere,
            }
        }
        (Some(user), None) if user.user_id().is_none() => Gutter::Blank,
        (Some(user), None) => {
            let here = entry.rows.iter().any(|row| user_names(user, row));
            nowhere(here || !whole, reading, Gutter::UserUnread, Gutter::UserNowhere)
        }
        (None, Some(row)) if row.sub().is_none() => Gutter::Blank,
        (None, Some(row)) => {
            let here = entry.users.iter().any(|user| row_names(row, user));
            nowhere(here || !whole, reading, Gutter::RowUnread, Gutter::RowNowhere)
        }
        (None, None) => Gutter::Blank,
    }
}

fn nowhere(elsewhere: bool, reading: bool, unread: Gutter, nowhere: Gutter) -> Gutter {
    match (elsewhere, reading) {
        (true, _) => Gutter::Elsewhere,
        (false, true) => unread,
        (false, false) => nowhere,
    }
}

fn by_email(user: &PoolUser, row: &Row) -> Gutter {
    let same = user.verified_email().is_some_and(|email| Some(email) == row.email_key());
    if same { Gutter::Email } else { Gutter::Blank }
}

#[cfg(test)]
mod tests {
    use userlink_domain::{Flags, Sub};

    use super::*;

    fn user(sub: u128, user_id: &str) -> PoolUser {
        let mut user = PoolUser::new(Sub::from_u128(sub), format!("user{sub}"));
        user.user_id = Some(user_id.into());
        user
    }

    fn row(id: i64, sub: u128) -> Row {
        let mut row = Row::new(RowId::BigInt(id));
        row.sub = (sub > 0).then(|| Sub::from_u128(sub).to_string().into());
        row
    }

    fn entry(situation: Situation, users: Vec<PoolUser>, rows: Vec<Row>) -> Entry {
        let (user_count, row_count) = (users.len(), rows.len());
        Entry { situation, so_far: None, flags: Flags::default(), users, rows, user_count, row_count }
    }

    fn gutters(entry: &Entry) -> Vec<Gutter> {
        pairs(entry).iter().map(|pair| pair.gutter).collect()
    }

    fn with_email(mut entry: Entry, user: &str, row: &str) -> Entry {
        entry.users[0].email = Some(user.into());
        entry.users[0].email_verified = true;
        entry.rows[0].email = Some(row.into());
        entry
    }

    #[test]
    fn the_gutter_of_one_user_and_one_row() {
        let pair = |user_id: &str, row_sub| entry(Situation::Tangled, vec![user(1, user_id)], vec![row(7, row_sub)]);
        assert_eq!(gutters(&pair("7", 1)), [Gutter::Both]);
        assert_eq!(gutters(&pair("", 1)), [Gutter::RowOnly]);
        assert_eq!(gutters(&pair("7", 0)), [Gutter::UserOnly]);
        assert_eq!(gutters(&pair("7", 2)), [Gutter::Elsewhere]);
        assert_eq!(gutters(&pair("8", 1)), [Gutter::Elsewhere]);
        assert_eq!(gutters(&pair("", 0)), [Gutter::Blank]);
        assert_eq!(gutters(&with_email(pair("", 0), "A@x.org", "a@x.org")), [Gutter::Email]);
        assert_eq!(gutters(&with_email(pair("", 0), "b@x.org", "a@x.org")), [Gutter::Blank]);
    }

    #[test]
    fn alone_a_pointer_points_nowhere_and_while_reading_to_the_unread() {
        let user_alone = |situation| entry(situation, vec![user(1, "7")], vec![]);
        let row_alone = |situation| entry(situation, vec![], vec![row(7, 1)]);
        assert_eq!(gutters(&user_alone(Situation::DanglingUserId)), [Gutter::UserNowhere]);
        assert_eq!(gutters(&row_alone(Situation::DeadSub)), [Gutter::RowNowhere]);
        assert_eq!(gutters(&user_alone(Situation::Reading)), [Gutter::UserUnread]);
        assert_eq!(gutters(&row_alone(Situation::Reading)), [Gutter::RowUnread]);
    }

    #[test]
    fn who_points_at_each_other_stands_side_by_side() {
        let users = vec![user(1, "8"), user(2, "8"), user(3, "")];
        let entry = entry(Situation::DuplicateUserId, users, vec![row(9, 3), row(8, 2)]);
        let lines = pairs(&entry);
        let ids: Vec<_> = lines.iter().map(|pair| pair.row.map(|row| row.id.to_string())).collect();
        assert_eq!(ids, [None, Some("8".to_owned()), Some("9".to_owned())]);
        assert_eq!(gutters(&entry), [Gutter::Elsewhere, Gutter::Both, Gutter::RowOnly]);
    }

    #[test]
    fn a_crowd_is_cut_and_what_is_left_out_is_counted() {
        let mut crowd = entry(Situation::Ambiguous, (1..=12).map(|n| user(n, "")).collect(), vec![row(1, 0)]);
        assert_eq!((height(&crowd), left_out(&crowd)), (9, (4, 0)));
        crowd.users.truncate(3);
        assert_eq!((height(&crowd), left_out(&crowd)), (4, (9, 0)), "the caller asked for a few only");
        crowd.users.clear();
        crowd.rows.clear();
        assert_eq!(height(&crowd), 2);
    }
}
