//! Worlds in which many records meet under few keys.

use std::collections::HashSet;

use proptest::prelude::*;
use userlink_domain::{PoolUser, Row, UserStatus};

use crate::world::{World, id, kind, sub};

/// So many users and rows at most; with fewer there is no crowd.
const MOST: u8 = 90;

/// The key that everybody shares, one that follows from the record's own number, or none.
fn key() -> impl Strategy<Value = Option<u8>> {
    prop_oneof![5 => Just(Some(0)), 2 => Just(Some(1)), 2 => Just(Some(2)), 2 => Just(None)]
}

fn number(own: u8, key: u8) -> u8 {
    match key {
        0 => 0,
        1 => own,
        _ => own + 1,
    }
}

fn email() -> impl Strategy<Value = Option<Box<str>>> {
    prop_oneof![3 => Just(Some("none@x.org".into())), 1 => Just(None)]
}

/// Each of these makes another kind of crowd: whom all users name, and whose sub all rows carry.
pub(crate) fn crowd() -> impl Strategy<Value = World> {
    let status = prop_oneof![
        6 => Just(UserStatus::Confirmed),
        2 => Just(UserStatus::Unconfirmed),
        1 => Just(UserStatus::ExternalProvider),
    ];
    let users = prop::collection::vec((key(), email(), status), 30..usize::from(MOST));
    let rows = prop::collection::vec((key(), email()), 0..usize::from(MOST));
    (kind(), users, rows, any::<bool>(), any::<bool>(), any::<Option<bool>>()).prop_map(
        |(kind, users, rows, users_meet, rows_meet, writable)| {
            let meets = |key: u8, meet: bool| if key == 0 && !meet { 1 } else { key };
            let user = |n: u8, (key, email, status): (Option<u8>, Option<Box<str>>, UserStatus)| {
                let mut user = PoolUser::new(sub(n), format!("user_{n}"));
                user.user_id = key.map(|key| id(kind, number(n, meets(key, users_meet))).to_string().into());
                user.email_verified = email.is_some();
                user.email = email;
                user.status = status;
                user
            };
            let row = |n: u8, (key, email): (Option<u8>, Option<Box<str>>)| {
                let mut row = Row::new(id(kind, n));
                row.sub = key.map(|key| sub(number(n, meets(key, rows_meet))).to_string().into());
                row.email = email;
                row
            };
            let users = (0..).zip(users).map(|(n, it)| user(n, it)).collect();
            let rows = (1..).zip(rows).map(|(n, it)| row(n, it)).collect();
            World { kind, users, rows, protected: HashSet::new(), unsettled: HashSet::new(), writable }
        },
    )
}
