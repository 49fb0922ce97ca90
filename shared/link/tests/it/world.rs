//! Small random worlds in which keys and e-mails meet often.

use proptest::prelude::*;
use userlink_domain::{IdKind, Identity, PoolUser, Row, RowId, Sub, UserStatus};

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) kind: IdKind,
    pub(crate) users: Vec<PoolUser>,
    pub(crate) rows: Vec<Row>,
}

pub(crate) fn sub(n: u8) -> Sub {
    Sub::from_u128(u128::from(n) << 120 | 0x1111_4222_8333_0444_0555_0666_0777)
}

pub(crate) fn id(kind: IdKind, n: u8) -> RowId {
    let text = match kind {
        IdKind::Uuid => format!("0192f0c1-2b6a-7cde-8f00-0000000000{n:02x}"),
        IdKind::BigInt => format!("{}", i64::from(n) - 2),
        IdKind::Text => format!("user {n}"),
    };
    RowId::parse(kind, &text).unwrap()
}

/// The id as somebody may have written it.
fn written(kind: IdKind, n: u8, style: u8) -> String {
    let text = id(kind, n).to_string();
    match style {
        0 => text.to_uppercase(),
        1 => text.replace('-', ""),
        2 => " ".into(),
        3 => format!("{text} "),
        _ => text,
    }
}

fn email(n: u8) -> impl Strategy<Value = Option<Box<str>>> {
    let name = ["ada@x.org", "bea@x.org", "İda@x.org"][usize::from(n % 3)];
    prop_oneof![
        1 => Just(None),
        1 => Just(Some("  ".into())),
        4 => Just(Some(name.into())),
        1 => Just(Some(format!(" {}", name.to_ascii_uppercase()).into_boxed_str())),
    ]
}

fn status() -> impl Strategy<Value = UserStatus> {
    prop_oneof![
        6 => Just(UserStatus::Confirmed),
        3 => Just(UserStatus::Unconfirmed),
        3 => Just(UserStatus::ExternalProvider),
        1 => Just(UserStatus::ResetRequired),
        1 => Just(UserStatus::ForceChangePassword),
        1 => Just(UserStatus::Other("COMPROMISED".into())),
    ]
}

/// A user with one of a few subs; usernames are as unique as subs are.
pub(crate) fn user(kind: IdKind) -> impl Strategy<Value = PoolUser> {
    let names = prop::option::weighted(0.6, (0..6u8, 0..10u8));
    let joined = prop::option::weighted(0.2, (0..6u8, any::<bool>()));
    let verified = prop::bool::weighted(0.8);
    (0..6u8, names, (0..3u8).prop_flat_map(email), verified, status(), prop::bool::weighted(0.9), joined).prop_map(
        move |(n, names, email, email_verified, status, enabled, joined)| {
            let mut user = PoolUser::new(sub(n), format!("My_idp_{n}_x"));
            user.user_id = names.map(|(n, style)| written(kind, n, style).into());
            user.email = email;
            user.email_verified = email_verified;
            user.status = status;
            user.enabled = enabled;
            user.identities = joined
                .map(|(n, whole)| match whole {
                    true => Identity { provider: "MY_IDP".into(), user_id: format!("{n}_x").into() },
                    false => Identity { provider: "my".into(), user_id: format!("idp_{n}_x").into() },
                })
                .into_iter()
                .collect();
            user
        },
    )
}

pub(crate) fn row(kind: IdKind) -> impl Strategy<Value = Row> {
    let sub_text = prop_oneof![
        2 => Just(None),
        6 => (0..7u8).prop_map(|n| Some(sub(n).to_string().into_boxed_str())),
        1 => (0..7u8).prop_map(|n| Some(sub(n).to_string().to_uppercase().into_boxed_str())),
        1 => Just(Some("none".into())),
    ];
    (0..6u8, sub_text, (0..3u8).prop_flat_map(email)).prop_map(move |(n, sub, email)| {
        let mut row = Row::new(id(kind, n));
        row.sub = sub;
        row.email = email;
        row
    })
}

pub(crate) fn kind() -> impl Strategy<Value = IdKind> {
    prop_oneof![Just(IdKind::Uuid), Just(IdKind::BigInt), Just(IdKind::Text)]
}

pub(crate) fn world() -> impl Strategy<Value = World> {
    kind().prop_flat_map(|kind| {
        (prop::collection::vec(user(kind), 0..7), prop::collection::vec(row(kind), 0..7)).prop_map(
            move |(mut users, mut rows)| {
                let mut seen = std::collections::HashSet::new();
                users.retain(|user| seen.insert(user.sub));
                let mut seen = std::collections::HashSet::new();
                rows.retain(|row| seen.insert(row.id.clone()));
                World { kind, users, rows }
            },
        )
    })
}
